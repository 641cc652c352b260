"""What is done with each attribute, against the profile of the standard."""

from itertools import chain, combinations

import pytest

from dicom_mcp.attributes import PRESETS
from dicom_mcp.privacy import allowed
from dicom_mcp.privacy.profile import EDITION, profile, row_of, safe_private
from dicom_mcp.privacy.rules import (
    BULK,
    NUMBERS,
    TEXTS,
    TIMES,
    rule_of,
    treatment_of,
    treatment_of_any,
    treatment_of_private,
)
from dicom_mcp.privacy.treatment import DEFAULT_OPTIONS, Mode, Option, Treatment
from dicom_mcp.standard.dictionary import attribute, attribute_of_tag, keywords

NOTHING: frozenset[Option] = frozenset()
ALL = frozenset(Option)

# What may be done for an action of table E.1-1a, by value representation.
REPLACED = {
    Treatment.WITHHELD,
    Treatment.PATIENT,
    Treatment.STUDY,
    Treatment.SERIES,
    Treatment.INSTANCE,
    Treatment.ACCESSION,
    Treatment.UID,
    Treatment.PERSON,
}
CLEAN = REPLACED | {Treatment.CLEANED, Treatment.TERM, Treatment.DATE, Treatment.ITEMS}

# The table's columns, and the options that open them.
COLUMNS = {
    "patient": {Option.PATIENT},
    "device": {Option.DEVICE},
    "institution": {Option.INSTITUTION},
    "full_dates": {Option.DATES},
    "modified_dates": {Option.SHIFTED_DATES},
    "descriptors": {Option.DESCRIPTORS},
    "content": {Option.CONTENT},
    "safe_private": {Option.SAFE_PRIVATE},
}


def pseudonymous(keyword: str, options: frozenset[Option] = DEFAULT_OPTIONS) -> Treatment:
    return treatment_of(keyword, "", Mode.PSEUDONYM, options)


def some_options() -> list[frozenset[Option]]:
    chosen = chain.from_iterable(combinations(Option, count) for count in (0, 1, 2))
    return [*(frozenset(options) for options in chosen), DEFAULT_OPTIONS, ALL]


def test_the_table_has_every_row_of_the_edition():
    assert EDITION == "PS3.15 2026c"
    tags = [tag for tag in profile() if len(tag) == 8 and "x" not in tag]
    assert len(tags) == 652
    assert sorted(set(profile()) - set(tags)) == ["50xxxxxx", "60xx3000", "60xx4000", "private"]
    assert len(safe_private()) == 479
    basic = {"X": 416, "D": 93, "U": 55, "Z": 42, "X/D": 23, "X/Z": 11, "X/Z/D": 8, "Z/D": 6}
    counted = [row.basic for row in profile().values()]
    assert {action: counted.count(action) for action in basic} == basic
    assert counted.count("X/Z/U*") == 2
    columns = [column for row in profile().values() for column in row.options]
    assert {column: columns.count(column) for column in ("device", "uids", "patient")} == {
        "device": 59,
        "uids": 60,
        "patient": 19,
    }
    assert columns.count("full_dates") == columns.count("modified_dates") == 169
    assert columns.count("descriptors") == 140


@pytest.mark.parametrize("options", some_options(), ids=lambda options: "+".join(sorted(options)))
def test_no_attribute_of_the_profile_tells_more_than_its_action_allows(options: frozenset[Option]):
    for tag in profile():
        at = int(tag.replace("x", "0"), 16) if tag != "private" else 0
        known = attribute_of_tag(at) if at else None
        if not known:  # newer than the dictionary: nothing of it is given
            continue
        treatment = pseudonymous(known.keyword, options)
        row = profile()[tag]
        actions = {
            action
            for column, action in row.options.items()
            if COLUMNS.get(column, set[Option]()) & options
        }
        if "K" in actions:
            may = CLEAN | {Treatment.KEPT}
        elif "C" in actions:
            # A number or age has nothing that could be cleaned.
            may = CLEAN | {Treatment.KEPT} if known.vr in {*NUMBERS, "AS"} else CLEAN
        elif row.basic == "X/Z/U*":
            may = REPLACED | {Treatment.ITEMS}
        elif row.basic == "X" and known.keyword not in allowed.IDENTITY:
            may = {Treatment.WITHHELD}
        else:
            may = REPLACED
        assert treatment in may, (known.keyword, treatment, str(row))


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("options", [NOTHING, DEFAULT_OPTIONS, ALL])
def test_every_attribute_of_the_dictionary_is_decided(mode: Mode, options: frozenset[Option]):
    for keyword in keywords():
        rule = rule_of(keyword, "", mode, options)
        assert rule.why
        known = attribute(keyword)
        assert known
        match mode, rule.treatment:
            case Mode.FULL, treatment:
                assert treatment is Treatment.KEPT
            case Mode.NONE, treatment:
                assert treatment in {
                    Treatment.WITHHELD,
                    Treatment.TERM,
                    Treatment.KEPT,
                    Treatment.ITEMS,
                }
            case _, Treatment.KEPT:
                registered = known.vr == "UI" and keyword in allowed.REGISTERED
                assert registered or known.vr in {*NUMBERS, *BULK, "AS"}, keyword
            case _, Treatment.TERM:
                assert known.vr == "CS" or keyword in allowed.TECHNICAL, keyword
            case _, Treatment.CLEANED:
                assert known.vr in TEXTS, keyword
            case _, Treatment.DATE:
                assert known.vr in TIMES, keyword
            case _, Treatment.ITEMS:
                assert known.vr == "SQ", keyword
            case _, _:
                pass
        if mode is Mode.PSEUDONYM and known.vr == "PN":
            assert rule.treatment in {Treatment.PATIENT, Treatment.PERSON, Treatment.WITHHELD}


def test_less_is_told_where_nothing_may_tell_patients_apart():
    for keyword in keywords():
        if pseudonymous(keyword) is Treatment.WITHHELD:
            assert treatment_of(keyword, "", Mode.NONE, DEFAULT_OPTIONS) is Treatment.WITHHELD


def test_what_is_listed_is_in_the_dictionary_and_not_in_the_profile():
    lists = (
        allowed.TECHNICAL,
        allowed.DESCRIBING - {"OverlayDescription", "OverlayLabel"},  # in repeating groups
        allowed.DEVICE,
        allowed.BODY,
        allowed.CONTENT,
        allowed.APART,
        allowed.CLOSED,
        allowed.BYTES,
        allowed.SETTINGS,
        allowed.REGISTERED,
    )
    for keyword in chain.from_iterable(lists):
        known = attribute(keyword)
        assert known, keyword
        assert row_of(known.tag) is None, keyword
    for keyword in allowed.IDENTITY:
        assert attribute(keyword), keyword


@pytest.mark.parametrize(
    ("keyword", "treatment"),
    [
        ("PatientName", Treatment.PATIENT),
        ("PatientID", Treatment.PATIENT),
        ("OtherPatientIDs", Treatment.WITHHELD),
        ("OtherPatientIDsSequence", Treatment.WITHHELD),
        ("OtherPatientNames", Treatment.WITHHELD),
        ("PatientMotherBirthName", Treatment.WITHHELD),
        ("PatientBirthDate", Treatment.WITHHELD),
        ("PatientBirthDateInAlternativeCalendar", Treatment.WITHHELD),
        ("PatientAddress", Treatment.WITHHELD),
        ("PatientComments", Treatment.CLEANED),
        ("PatientSex", Treatment.TERM),
        ("PatientAge", Treatment.KEPT),
        ("PatientWeight", Treatment.KEPT),
        ("StudyDate", Treatment.DATE),
        ("AcquisitionDateTime", Treatment.DATE),
        ("StudyInstanceUID", Treatment.STUDY),
        ("SeriesInstanceUID", Treatment.SERIES),
        ("SOPInstanceUID", Treatment.INSTANCE),
        ("ReferencedSOPInstanceUID", Treatment.INSTANCE),
        ("FrameOfReferenceUID", Treatment.UID),
        ("SOPClassUID", Treatment.KEPT),
        ("TransferSyntaxUID", Treatment.KEPT),
        ("AccessionNumber", Treatment.ACCESSION),
        ("StudyID", Treatment.WITHHELD),
        ("StudyDescription", Treatment.CLEANED),
        ("ProtocolName", Treatment.CLEANED),
        ("BodyPartExamined", Treatment.TERM),
        ("Modality", Treatment.TERM),
        ("StationName", Treatment.CLEANED),
        ("StationAETitle", Treatment.CLEANED),
        ("InstitutionName", Treatment.WITHHELD),
        ("ReferringPhysicianName", Treatment.PERSON),
        ("ReferringPhysicianTelephoneNumbers", Treatment.WITHHELD),
        ("PersonIdentificationCodeSequence", Treatment.WITHHELD),
        ("HumanPerformerCodeSequence", Treatment.WITHHELD),
        ("ContentSequence", Treatment.ITEMS),
        ("TextValue", Treatment.CLEANED),
        ("CodeMeaning", Treatment.TERM),
        ("NumericValue", Treatment.KEPT),
        ("Manufacturer", Treatment.TERM),
        ("ConvolutionKernel", Treatment.TERM),
        ("KVP", Treatment.KEPT),
        ("PixelData", Treatment.KEPT),
        ("EncapsulatedDocument", Treatment.WITHHELD),
        ("OverlayData", Treatment.WITHHELD),
        ("OverlayRows", Treatment.KEPT),
        ("CurveDimensions", Treatment.WITHHELD),
        ("GPSLatitude", Treatment.WITHHELD),
        ("RetrieveURL", Treatment.WITHHELD),
        ("LocalNamespaceEntityID", Treatment.WITHHELD),
        ("NoSuchAttribute", Treatment.WITHHELD),
        ("", Treatment.WITHHELD),
    ],
)
def test_with_pseudonyms(keyword: str, treatment: Treatment):
    assert pseudonymous(keyword) is treatment


@pytest.mark.parametrize(
    ("keyword", "option"),
    [
        ("StudyDate", Option.DATES),
        ("PatientAge", Option.PATIENT),
        ("PatientBodyMassIndex", Option.PATIENT),
        ("StationName", Option.DEVICE),
        ("StudyDescription", Option.DESCRIPTORS),
        ("SegmentLabel", Option.DESCRIPTORS),
        ("ContentSequence", Option.CONTENT),
        ("TextValue", Option.CONTENT),
    ],
)
def test_what_an_option_retains_is_not_given_without_it(keyword: str, option: Option):
    assert pseudonymous(keyword, DEFAULT_OPTIONS - {option}) is Treatment.WITHHELD


def test_shifted_dates_retain_the_same_dates():
    shifted = DEFAULT_OPTIONS - {Option.DATES} | {Option.SHIFTED_DATES}
    for keyword in keywords():
        assert pseudonymous(keyword, shifted) is pseudonymous(keyword), keyword


@pytest.mark.parametrize(
    ("keyword", "treatment"),
    [
        ("Modality", Treatment.TERM),
        ("PatientSex", Treatment.TERM),
        ("Manufacturer", Treatment.TERM),
        ("SOPClassUID", Treatment.KEPT),
        ("Rows", Treatment.KEPT),
        ("NumberOfFrames", Treatment.KEPT),
        ("MagneticFieldStrength", Treatment.KEPT),
        ("PatientID", Treatment.WITHHELD),
        ("PatientAge", Treatment.WITHHELD),
        ("PatientWeight", Treatment.WITHHELD),
        ("SmokingStatus", Treatment.WITHHELD),
        ("StudyDate", Treatment.WITHHELD),
        ("StudyInstanceUID", Treatment.WITHHELD),
        ("FrameOfReferenceUID", Treatment.WITHHELD),
        ("ReferringPhysicianName", Treatment.WITHHELD),
        ("StudyDescription", Treatment.WITHHELD),
        ("DeviceSerialNumber", Treatment.WITHHELD),
        ("CTDIvol", Treatment.WITHHELD),
        ("ImagePositionPatient", Treatment.WITHHELD),
        ("NumberOfPatientRelatedInstances", Treatment.WITHHELD),
        ("ContentSequence", Treatment.WITHHELD),
        ("PixelData", Treatment.WITHHELD),
    ],
)
def test_with_nothing_that_tells_patients_apart(keyword: str, treatment: Treatment):
    assert treatment_of(keyword, "", Mode.NONE, DEFAULT_OPTIONS) is treatment


def test_a_value_of_another_vr_than_the_dictionary_says_goes_by_the_stricter():
    def came_as(keyword: str, vr: str) -> Treatment:
        return treatment_of(keyword, vr, Mode.PSEUDONYM, DEFAULT_OPTIONS)

    assert came_as("Rows", "US") is came_as("Rows", "SS") is Treatment.KEPT
    assert came_as("Rows", "LO") is came_as("KVP", "PN") is Treatment.WITHHELD
    assert came_as("StudyDate", "LO") is Treatment.CLEANED
    assert came_as("Modality", "UN") is Treatment.WITHHELD
    assert came_as("PixelData", "OB") is came_as("PixelData", "OW") is Treatment.KEPT


def test_private_attributes_are_given_only_if_known_to_be_safe():
    def private(tag: int, creator: str, vr: str, *options: Option) -> Treatment:
        return treatment_of_private(tag, creator, vr, Mode.PSEUDONYM, frozenset(options))

    suv = (0x70531000, "Philips PET Private Group", "DS")
    assert private(*suv) is Treatment.WITHHELD
    assert private(*suv, Option.SAFE_PRIVATE) is Treatment.KEPT
    assert private(0x70530010, "Philips PET Private Group", "LO", Option.SAFE_PRIVATE) is (
        Treatment.CLEANED
    )
    assert private(0x70531001, suv[1], "DS", Option.SAFE_PRIVATE) is Treatment.WITHHELD
    assert private(0x70531000, "SIEMENS", "DS", Option.SAFE_PRIVATE) is Treatment.WITHHELD
    safe = frozenset((Option.SAFE_PRIVATE,))
    assert treatment_of_private(*suv, Mode.NONE, safe) is Treatment.WITHHELD
    assert treatment_of_private(0x00291010, "", "UN", Mode.FULL, NOTHING) is Treatment.KEPT


def test_a_value_that_may_be_of_several_attributes_goes_by_the_strictest():
    def of_any(*keywords: str) -> Treatment:
        return treatment_of_any(keywords, Mode.PSEUDONYM, DEFAULT_OPTIONS)

    assert of_any("StudyDate", "SeriesDate") is Treatment.DATE
    assert of_any("StudyDate", "PatientBirthDate") is Treatment.WITHHELD
    assert of_any("Rows", "StudyDescription") is Treatment.CLEANED
    assert of_any("PatientID", "PatientName") is Treatment.PATIENT
    assert of_any("PatientID", "AccessionNumber") is Treatment.WITHHELD
    assert of_any() is Treatment.WITHHELD


def test_what_presets_return_is_of_use_with_pseudonyms():
    """What is withheld of them is what the profile removes and no default option retains."""
    shown = {name for presets in PRESETS.values() for names in presets.values() for name in names}
    withheld = {name for name in shown if pseudonymous(name) is Treatment.WITHHELD}
    assert withheld == {
        "InstitutionName",
        "IssuerOfPatientID",
        "OtherPatientIDs",
        "PatientBirthDate",
        "StudyID",
    }
