"""Which values name nobody."""

import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword

from dicom_mcp.privacy.allowed import TECHNICAL
from dicom_mcp.privacy.profile import lines_of
from dicom_mcp.privacy.rules import treatment_of
from dicom_mcp.privacy.terms import is_term
from dicom_mcp.privacy.treatment import Mode, Option, Treatment
from dicom_mcp.words.modality import MODALITIES
from tests.demo_hospital import pacs

# Names that are words, and names in other scripts, as they may stand where terms do.
NAMES = [
    "Long",
    "GREY^ANNA",
    "Grey",
    "Müller",
    "Иванов",
    "山田",
    "محمد",
    "SMITH",
    "DOE^JOHN",
    "4711",
]


def test_every_list_of_terms_is_of_an_attribute_that_has_terms():
    lines = lines_of("terms.csv")
    assert len(lines) == 505
    for line in lines:
        keyword = line["keyword"]
        treatment = treatment_of(keyword, "", Mode.PSEUDONYM, frozenset(Option))
        assert treatment is Treatment.TERM, keyword
        tag = tag_for_keyword(keyword)
        assert tag is not None
        assert dictionary_VR(tag) == "CS" or keyword in TECHNICAL
        for term in line["terms"].split("\\"):
            assert is_term(keyword, term), (keyword, term)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        *(("Modality", code) for code in MODALITIES),
        ("ModalitiesInStudy", r"CT\SR"),
        ("PatientSex", "F"),
        ("PatientSex", ""),
        ("Laterality", "L"),
        ("PatientPosition", "HFS"),
        ("PatientOrientation", r"L\PH"),
        ("PatientOrientation", r"LE\V"),
        ("PhotometricInterpretation", "MONOCHROME2"),
        ("ImageType", r"ORIGINAL\PRIMARY\AXIAL"),
        ("ViewPosition", "AP"),
        ("ConversionType", "WSD"),
        ("BurnedInAnnotation", "NO"),
        ("SynchronizationTrigger", "NO TRIGGER"),
        ("SpecificCharacterSet", "ISO_IR 100"),
        ("BodyPartExamined", "ABDOMEN"),
        ("BodyPartExamined", "LSPINE"),
        ("BodyPartExamined", "CHEST_ABDOMEN"),
        ("BodyPartExamined", "Schädel"),
        ("ScheduledProcedureStepStatus", "SCHEDULED"),
        ("RequestedProcedurePriority", "STAT"),
        ("InstanceAvailability", "ONLINE"),
        ("Manufacturer", "SIEMENS"),
        ("Manufacturer", "GE MEDICAL SYSTEMS"),
        ("Manufacturer", "Siemens Healthineers"),
        ("Manufacturer", "FUJIFILM Corporation"),
        ("DetectorManufacturerName", "Philips Medical Systems"),
        ("MIMETypeOfEncapsulatedDocument", "application/pdf"),
        ("CodingSchemeDesignator", "SCT"),
        ("CodeValue", "113076"),  # DCM
        ("CodeValue", "39607008"),  # SNOMED CT: lung
        ("CodeValue", "113345001"),  # abdomen
        ("CodeValue", "18747-6"),  # LOINC: CT report
        ("CodeValue", "T-D3000"),
    ],
)
def test_terms(keyword: str, value: str):
    assert is_term(keyword, value)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("Modality", "XX"),
        ("ModalitiesInStudy", r"CT\SMITH"),
        ("BodyPartExamined", "KNEE SMITH"),
        ("BodyPartExamined", "HEAD 19700101"),
        ("Manufacturer", "Siemens, bought for Dr. Grey"),
        ("Manufacturer", "Medical Systems"),
        ("PatientOrientation", "ALFRED"),
        ("CodeValue", "39607007"),
        ("CodeValue", "18747-5"),
        ("CodeValue", "4711"),
        ("ConvolutionKernel", "B30f"),
        ("NoSuchAttribute", "YES"),
        ("Manufacturer", "YES"),
    ],
)
def test_what_is_no_term(keyword: str, value: str):
    assert not is_term(keyword, value)


def test_a_name_is_a_term_of_no_attribute():
    keywords = {line["keyword"] for line in lines_of("terms.csv")} | TECHNICAL
    keywords |= {"BodyPartExamined", "Modality", "PatientOrientation", "GraphicLayer"}
    for keyword in keywords:
        for name in NAMES:
            assert not is_term(keyword, name), (keyword, name)


def test_what_the_demo_hospital_has_where_terms_stand_are_terms():
    terms = ("Modality", "PatientSex", "BodyPartExamined", "ConversionType", "Laterality")
    seen = {
        (keyword, str(dataset[keyword].value))
        for dataset in pacs()
        for keyword in terms
        if keyword in dataset
    }
    assert len(seen) > 10
    assert all(is_term(keyword, value) for keyword, value in seen), seen
