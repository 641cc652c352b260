"""A data set that was cut is never called whole, wherever it was cut; one that is legal is."""

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID

from dicom_mcp.content.error import ContentError
from dicom_mcp.content.inspection import inspected
from dicom_mcp.content.read import read_object
from dicom_mcp.standard.structure import walk
from tests.content import documents as made
from tests.cuts import IS_AT_SCALE, MOST, is_sound, of_hospital, of_pydicom
from tests.hostile import encoded

EXPLICIT = "1.2.840.10008.1.2.1"

# These are cut as they are.
TRUNCATED = {"MR_truncated.dcm", "rtplan_truncated.dcm"}

FILES = {one.name: one for one in of_pydicom()}


@pytest.mark.parametrize("name", FILES)
def test_a_legal_file_is_whole_and_one_that_was_cut_is_not(name: str) -> None:
    found = inspected(FILES[name].content, FILES[name].syntax, most=MOST)
    assert bool(found.faults) == (name in TRUNCATED), found.faults


@pytest.mark.filterwarnings("ignore")  # pydicom's, about odd files
@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_at_any_place_is_never_whole(name: str) -> None:
    content, syntax = FILES[name].content, FILES[name].syntax
    for place in FILES[name].places(200):
        assert not is_sound(content[:place], syntax), place


def test_every_kind_of_the_hospital_is_whole_and_cut_anywhere_it_is_not() -> None:
    for sample in of_hospital(every=IS_AT_SCALE):
        assert is_sound(sample.content, sample.syntax)
        for place in sample.places(200):
            assert not is_sound(sample.content[:place], sample.syntax), (sample.name, place)


@pytest.mark.parametrize(("name", "place"), [("ExplVR_BigEnd.dcm", 652), ("693_J2KI.dcm", 1622)])
def test_the_length_of_the_group_of_pixels_is_none_of_them(name: str, place: int) -> None:
    file = FILES[name]
    assert file.content[place - 12 : place - 4] in (
        b"\x7f\xe0\x00\x00UL\x00\x04",
        b"\xe0\x7f\x00\x00UL\x04\x00",
    )
    found = inspected(file.content[:place], file.syntax, most=MOST)
    assert found.doubts == ("it is an image and has no pixel data",)


@pytest.mark.parametrize(
    ("sop_class", "needed"),
    [
        ("4.2", "SpectroscopyData"),
        ("66.1", "RegistrationSequence"),
        ("66.3", "DeformableRegistrationSequence"),
        ("66.5", "SurfaceSequence"),
        ("88.33", "ContentSequence"),
    ],
)
def test_what_a_kind_must_have_is_missed_and_nothing_else(sop_class: str, needed: str) -> None:
    made_up = made.document()
    del made_up.ContentSequence
    made_up.SOPClassUID = UID(f"1.2.840.10008.5.1.4.1.1.{sop_class}")
    if sop_class == "4.2":  # spectra have rows too
        made_up.Rows = 1
    found = inspected(encoded(made_up), EXPLICIT, most=MOST)
    assert any(needed in doubt for doubt in found.doubts)
    setattr(made_up, needed, b"1234" if needed.endswith("Data") else [Dataset()])
    assert is_sound(encoded(made_up), EXPLICIT)


@pytest.mark.parametrize("sop_class", ["481.25", "11", "9"])
def test_what_only_a_neighbour_in_the_table_must_have_is_not_missed(sop_class: str) -> None:
    made_up = made.document()
    made_up.SOPClassUID = UID(f"1.2.840.10008.5.1.4.1.1.{sop_class}")
    assert is_sound(encoded(made_up), EXPLICIT)


def test_what_is_read_of_a_cut_report_ends_before_the_value_that_was_cut() -> None:
    conclusion = made.text("No metastasis in the liver. But a mass of 3 cm in the left kidney.")
    content = encoded(made.document(made.text("first"), conclusion))
    place = content.index(b" But a mass")
    found = inspected(content[:place], EXPLICIT, most=MOST)
    assert "TextValue" in found.faults[0]
    assert b"first" in found.data_set
    assert b"No metastasis" not in found.data_set
    with pytest.raises(ContentError, match="damaged"):
        read_object(content[:place], EXPLICIT)


def test_a_private_sequence_that_is_wrong_within_costs_only_itself() -> None:
    item = b"\xfe\xff\x00\xe0\x10\0\0\0" + b"\x09\x00\x02\x10LO\xff\0abcd" + bytes(4)
    private = b"\x09\x00\x01\x10SQ\0\0" + len(item).to_bytes(4, "little") + item
    content = private + b"\x10\x00\x20\0LO\x04\0AB12"
    found = walk(content, EXPLICIT)
    assert found.faults
    assert not found.missing
    assert 0x00100020 in found.tags


@pytest.mark.parametrize(
    "trailing",
    [b"", bytes(1), bytes(512), b"\xfc\xff\xfc\xffOB\0\0\x04\0\0\0\0\0\0\0"],
)
def test_padding_after_the_end_is_no_damage(trailing: bytes) -> None:
    assert not walk(b"\x10\x00\x20\0LO\x04\0AB12" + trailing, EXPLICIT).faults


def test_bytes_in_the_other_order_are_read_and_remarked() -> None:
    content = FILES["MR_small_bigendian.dcm"].content
    found = inspected(content, EXPLICIT, most=MOST)
    assert not found.faults
    assert "another order" in found.remarks[0]


def test_an_element_that_stands_twice_with_other_values_is_told() -> None:
    one, other = b"\x10\x00\x20\0LO\x04\0AB12", b"\x10\x00\x20\0LO\x04\0AB13"
    assert walk(one + other, EXPLICIT).repeated == (0x00100020,)
    assert walk(one + one, EXPLICIT).repeated == ()


def test_an_element_that_stands_twice_in_an_item_is_told_wherever() -> None:
    one, other, between = (
        b"\x10\x00\x20\0LO\x04\0" + value for value in (b"AB12", b"AB13", b"AB14")
    )
    between = between.replace(b"\x20", b"\x21", 1)
    content = one + between + other
    item = b"\xfe\xff\x00\xe0" + len(content).to_bytes(4, "little") + content
    sequence = b"\x08\x00\x10\x11SQ\0\0" + len(item).to_bytes(4, "little") + item
    assert walk(sequence, EXPLICIT).repeated == (0x00100020,)
    assert walk(sequence.replace(other, b""), EXPLICIT).repeated == ()
