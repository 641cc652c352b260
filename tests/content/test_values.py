"""Values are what the standard's rules make of their bytes, whatever VR they were given."""

import struct
from io import BytesIO
from typing import Any

import pytest
from pydicom.datadict import dictionary_keyword, dictionary_VR
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from dicom_mcp.content.elements import Elements
from dicom_mcp.content.header import header
from dicom_mcp.content.read import inspected_object, read_inspected, read_object
from dicom_mcp.dicomweb.header import header as of_metadata
from dicom_mcp.standard import identifier
from tests.content import documents as made
from tests.content.samples import gradient, image


def _either_sign() -> list[int]:
    from pydicom._dicom_dict import DicomDictionary

    return [tag for tag in DicomDictionary if dictionary_VR(tag) == "US or SS"]


EITHER_SIGN = _either_sign()


def written(dataset: Dataset, syntax: str = ImplicitVRLittleEndian) -> bytes:
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


@pytest.mark.parametrize("signed", [0, 1])
def test_every_attribute_of_either_sign_has_that_of_the_pixels(signed: int) -> None:
    assert len(EITHER_SIGN) > 20
    dataset = image(gradient(-9, 900, "i2" if signed else "u2"))
    dataset.PixelRepresentation = signed
    item = Dataset()
    for tag in EITHER_SIGN:
        for each in (dataset, item):
            count = 3 if dictionary_keyword(tag).endswith("Descriptor") else 1
            each.add_new(tag, "US", [63536] * count)
    dataset.RealWorldValueMappingSequence = Sequence([item])
    rows = header(read_object(written(dataset))).rows
    for tag in EITHER_SIGN:
        found = [row for row in rows if row.tag == f"({tag >> 16:04X},{tag & 0xFFFF:04X})"]
        assert [row.vr for row in found] == ["SS" if signed else "US"] * 2
        said = "-2000" if signed else "63536"
        told = f"63536\\{said}\\{said}" if "Lookup" in found[0].keyword else said
        if found[0].keyword not in ("LUTDescriptor", "GrayLookupTableDescriptor"):
            assert [row.value.split("\\")[-1] for row in found] == [said] * 2
        if found[0].keyword.startswith(("Red", "Green", "Blue")):
            assert [row.value for row in found] == [told] * 2


def test_an_item_with_pixels_of_its_own_has_its_own_sign() -> None:
    dataset = image(gradient(-9, 900, "i2"))
    icon = Dataset()
    icon.PixelRepresentation, icon.SmallestImagePixelValue = 0, 63536
    dataset.SmallestImagePixelValue = -2000
    dataset.IconImageSequence = Sequence([icon])
    rows = header(read_object(written(dataset)), ["SmallestImagePixelValue"]).rows
    assert {row.depth: row.value for row in rows} == {0: "-2000", 1: "63536"}


def test_bytes_or_words_are_words_in_implicit_vr() -> None:
    dataset = image(gradient(0, 900, "u2"))
    for group in (0x6000, 0x601E):
        dataset.add_new(group << 16 | 0x0010, "US", 16)
        dataset.add_new(group << 16 | 0x3000, "OW", bytes(64))
    table = Dataset()
    table.add_new(0x00283006, "OW", bytes(32))
    dataset.VOILUTSequence = Sequence([table])
    rows = {row.tag: row for row in header(read_object(written(dataset))).rows}
    for tag, size in (("(6000,3000)", 64), ("(601E,3000)", 64), ("(0028,3006)", 32)):
        assert (rows[tag].vr, rows[tag].value) == ("OW", f"{size} bytes")
    assert (rows["(601E,0010)"].keyword, rows["(601E,0010)"].value) == ("OverlayRows", "16")
    assert rows["(7FE0,0010)"].vr == "OW"


def test_what_a_server_says_with_the_other_sign_keeps_its_value() -> None:
    uids = {"00080016": {"vr": "UI", "Value": ["1.2"]}, "00080018": {"vr": "UI", "Value": ["1.3"]}}
    said: dict[str, Any] = {
        "00280103": {"vr": "US", "Value": [1]},
        "00280106": {"vr": "US", "Value": [-5]},
        "00280107": {"vr": "SS", "Value": [40000]},
        "00280120": {"vr": "UN", "InlineBinary": "MPg="},
        "00281050": {"vr": "DS", "Value": ["0.12345678901234567"]},
        "00400440": {"vr": "XX", "Value": []},
    }
    found = of_metadata({**uids, **said})
    elements = Elements.of(read_inspected(found.data_set, found.transfer_syntax))
    assert elements.text("SmallestImagePixelValue") == "-5"
    assert elements.text("LargestImagePixelValue") == "40000"
    assert elements.text("PixelPaddingValue") == "-2000"
    assert elements.text("WindowCenter") == "0.12345678901234567"


def test_an_answer_to_a_query_has_the_sign_of_its_pixels() -> None:
    pairs = ((0x00280103, 1), (0x00280106, 63536))
    encoded = b"".join(
        struct.pack("<HHIH", tag >> 16, tag & 0xFFFF, 2, value) for tag, value in pairs
    )
    assert identifier.decode(encoded, ImplicitVRLittleEndian)["SmallestImagePixelValue"] == -2000


def test_digits_of_a_double_are_those_of_a_double() -> None:
    measured = made.number("1.1", "mm", made.code("Width"))
    measured.MeasuredValueSequence[0].FloatingPointValue = 1.100000023841858
    from dicom_mcp.content.report import read_report

    assert "[exactly 1.100000023841858]" in read_report(made.document(measured)).text
    dataset = image(gradient(0, 9))
    dataset.add_new(0x00181271, "FD", 1.100000023841858)
    dataset.add_new(0x00189087, "FD", 0.1)
    dataset.add_new(0x00089459, "FL", 0.1)
    for form in (ImplicitVRLittleEndian, ExplicitVRLittleEndian):
        elements = Elements.of(read_object(written(dataset, form)))
        assert elements.text("WaterEquivalentDiameter") == "1.100000023841858"
        assert elements.text("DiffusionBValue") == "0.1"
        assert elements.text("RecommendedDisplayFrameRateInFloat") == "0.1"


@pytest.mark.parametrize("creator", ["GEMS_ACQU_01", "gems_acqu_01", "Gems_Acqu_01 "])
def test_a_private_creator_is_found_in_any_case(creator: str) -> None:
    dataset = image(gradient(0, 9))
    dataset.add_new(0x00190010, "LO", creator)
    dataset.add_new(0x00191023, "DS", "5.0")
    (row,) = header(read_object(written(dataset)), ["0019,1023"]).rows
    assert (row.vr, row.value) == ("DS", "5.0")
    assert row.name == f"Table Speed [mm/rotation] ({creator.strip()})"


_SHORT = struct.pack("<HH2sH", 0x0008, 0x1080, b"LO", 4)


@pytest.mark.parametrize(
    "wrong",
    [
        *(_SHORT[:4] + vr + _SHORT[6:] + b"diag" for vr in (b"UN", b"OB", b"SQ", b"UT", b"XX")),
        _SHORT[:4] + b"??" + _SHORT[6:] + b"diag",
        _SHORT[:4] + b"  " + _SHORT[6:] + b"diag",
        *(_SHORT[:4] + vr + b"\0\0\4\0\0\0diag" for vr in (b"LO", b"OX", b"ST", b"UN")),
    ],
    ids=repr,
)
@pytest.mark.parametrize("nested", [False, True])
def test_a_wrong_vr_costs_no_attribute_after_it(wrong: bytes, nested: bool) -> None:
    dataset = image(gradient(0, 900, "u2"))
    dataset.PatientComments = "what follows"
    holder = dataset
    if nested:
        holder = Dataset()
        holder.PatientComments, holder.RetrieveAETitle = "within", "HERE"
        dataset.ReferencedStudySequence = Sequence([holder])
        dataset["ReferencedStudySequence"].is_undefined_length = True
        holder.is_undefined_length_sequence_item = True
    holder.AdmittingDiagnosesDescription = "diag"
    raw = written(dataset, ExplicitVRLittleEndian)
    assert raw.count(_SHORT + b"diag") == 1
    right = header(read_object(raw)).rows
    found = inspected_object(raw.replace(_SHORT + b"diag", wrong))
    rows = header(read_inspected(found.data_set, found.transfer_syntax)).rows
    assert not found.faults
    assert [(row.keyword, row.value) for row in rows] == [(row.keyword, row.value) for row in right]
    is_right = wrong[4:6] in (b"UN", b"XX") and (len(wrong) == 16) == (wrong[4:6] == b"UN")
    assert bool(found.remarks) is not is_right


def test_implicit_vr_within_explicit_vr_is_not_mended() -> None:
    odd = struct.pack("<HHI", 0x0008, 0x1080, 4) + b"diag"
    raw = written(_with_diagnosis(), ExplicitVRLittleEndian)
    found = inspected_object(raw.replace(_SHORT + b"diag", odd))
    assert (found.faults, found.remarks) == ((), ())


def _with_diagnosis() -> Dataset:
    dataset = image(gradient(0, 900, "u2"))
    dataset.AdmittingDiagnosesDescription = "diag"
    return dataset
