import struct
from contextlib import suppress
from io import BytesIO
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.sequence import Sequence
from pydicom.valuerep import VR

from dicom_mcp.errors import ProtocolViolation
from dicom_mcp.standard.identifier import decode, decode_what_is_whole
from dicom_mcp.standard.keys import encode
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Query
from dicom_mcp.standard.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from tests.standard.identifiers import VALUES, written

SYNTAXES = [IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN]


def test_every_vr_of_the_standard_is_in_the_table() -> None:
    one_thing = {vr.value for vr in VR if " or " not in vr.value}
    assert one_thing - {"UN", "OB_OW"} == set(VALUES)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("vr", VALUES)
def test_what_pydicom_writes_is_read_as_it_was_meant(vr: str, syntax: str) -> None:
    keyword, given_value, expected = VALUES[vr]
    dataset = Dataset()
    setattr(dataset, keyword, given_value)
    assert vr == dataset[keyword].VR
    assert decode(written(dataset, syntax), syntax) == {keyword: expected}


@pytest.mark.parametrize("vr", sorted(set(VALUES) - {"SQ"}))
def test_a_known_attribute_written_as_un_keeps_its_meaning(vr: str) -> None:
    # PS3.5 6.2.2: a peer that doesn't know the attribute writes UN and four bytes of length.
    keyword, given_value, expected = VALUES[vr]
    dataset = Dataset()
    setattr(dataset, keyword, given_value)
    implicit = written(dataset, IMPLICIT_VR_LITTLE_ENDIAN)
    explicit = implicit[:4] + b"UN\0\0" + implicit[4:]
    assert decode(explicit, EXPLICIT_VR_LITTLE_ENDIAN) == {keyword: expected}


@pytest.mark.parametrize("undefined", [False, True])
def test_a_sequence_written_as_un_is_implicit_inside(undefined: bool) -> None:
    implicit = written(nested(undefined), IMPLICIT_VR_LITTLE_ENDIAN)
    explicit = implicit[:4] + b"UN\0\0" + implicit[4:]
    assert decode(explicit, EXPLICIT_VR_LITTLE_ENDIAN) == NESTED


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("undefined", [False, True])
def test_sequences_are_read_with_defined_and_undefined_lengths(
    undefined: bool, syntax: str
) -> None:
    assert decode(written(nested(undefined), syntax), syntax) == NESTED


def _one(syntax: str, **values: object) -> bytes:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return written(dataset, syntax)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize(
    ("keyword", "first", "second"),
    [
        ("PatientID", "7", "8"),
        ("PatientID", "", "8"),
        ("StudyDescription", "A description longer than what is remembered", "Another"),
        ("Rows", 512, 256),
        ("TextValue", "one", "two"),
        ("ReferencedStudySequence", Sequence([Dataset()]), Sequence()),
    ],
)
def test_an_attribute_with_two_values_has_neither_silently(
    keyword: str, first: object, second: object, syntax: str
) -> None:
    one, other = (_one(syntax, **{keyword: value}) for value in (first, second))
    last = _one(syntax, Modality="CT")
    assert decode(one + one + last, syntax) == decode(one + last, syntax)
    with pytest.raises(ProtocolViolation, match="twice"):
        decode(one + other + last, syntax)
    with pytest.raises(ProtocolViolation, match="twice"):
        decode(one + last + other, syntax)
    expected = {**decode(one, syntax), "Modality": "CT"}
    assert decode_what_is_whole(one + other + last, syntax) == expected


def test_an_attribute_with_two_values_in_an_item_is_told_too() -> None:
    one, other = (_one(IMPLICIT_VR_LITTLE_ENDIAN, PatientID=value) for value in "78")
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(one + other)) + one + other
    sequence = struct.pack("<HHI", 0x0008, 0x1110, len(item)) + item
    with pytest.raises(ProtocolViolation, match="twice"):
        decode(sequence, IMPLICIT_VR_LITTLE_ENDIAN)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_empty_values_are_empty_and_private_and_unknown_elements_are_left_out(syntax: str) -> None:
    dataset = Dataset()
    dataset.AccessionNumber = ""
    dataset.Rows = None
    block = dataset.private_block(0x0009, "SOMEBODY", create=True)
    block.add_new(1, "LO", "secret")
    block.add_new(2, "US", 3)
    block.add_new(3, "SQ", [nested(undefined=True)])
    dataset.add(DataElement(0x00081199, "SQ", Sequence([])))
    dataset.add(DataElement(0x00181FFF, "LO", "not in the dictionary"))
    group_length = struct.pack("<HH", 8, 0) + (b"UL\4\0" if syntax == SYNTAXES[1] else b"\4\0\0\0")
    assert decode(group_length + bytes(4) + written(dataset, syntax), syntax) == {
        "AccessionNumber": "",
        "Rows": "",
        "ReferencedSOPSequence": [],
    }


@pytest.mark.parametrize("declaration", [b"", b"\x08\x00\x05\x00CS\x00\x00"])
def test_text_that_does_not_say_what_it_is_in_is_in_what_the_operator_said(
    declaration: bytes,
) -> None:
    name = "Иванов^Иван".encode("iso8859_5") + b" "
    data = declaration + b"\x10\x00\x10\x00PN" + bytes([len(name), 0]) + name
    explicit = "1.2.840.10008.1.2.1"
    assert decode(data, explicit, "ISO_IR 144")["PatientName"] == "Иванов^Иван"
    declared = b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 144"
    name = declared + data[len(declaration) :]
    assert decode(name, explicit, "ISO_IR 100")["PatientName"] == "Иванов^Иван"


def test_a_character_set_reaches_into_items_and_an_items_own_stays_there() -> None:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 144"
    inner, other = Dataset(), Dataset()
    inner.PatientName = "Иванов"
    other.SpecificCharacterSet = "ISO_IR 192"
    other.PatientName = "山田"
    dataset.ReferencedPatientSequence = [other, inner]
    dataset.PatientName = "Люкceмбypг"
    match = decode(written(dataset, SYNTAXES[1]), SYNTAXES[1])
    assert match["PatientName"] == "Люкceмбypг"
    first, second = cast("list[dict[str, str]]", match["ReferencedPatientSequence"])
    assert (first["PatientName"], second["PatientName"]) == ("山田", "Иванов")


UNDECODABLE: dict[str, tuple[int, str, bytes, object]] = {
    "a US of three bytes": (0x00280010, "US", b"abc", "<3 bytes, not a value of type US>"),
    "a US of one byte": (0x00280010, "US", b"a", "<1 bytes, not a value of type US>"),
    "a UL of six bytes": (0x00081161, "UL", b"abcdef", "<6 bytes, not a value of type UL>"),
    "an FD of four bytes": (0x00409224, "FD", b"abcd", "<4 bytes, not a value of type FD>"),
    "an AT of two bytes": (0x00280009, "AT", b"ab", "<2 bytes, not a value of type AT>"),
    "an AT of three bytes": (0x00280009, "AT", b"abc", "<3 bytes, not a value of type AT>"),
    "a NaN": (0x00409224, "FD", struct.pack("<d", float("nan")), "nan"),
    "an infinity": (0x00409224, "FD", struct.pack("<d", float("-inf")), "-inf"),
    "an IS that is none": (0x00200013, "IS", b"1.5 ", "1.5"),
    "an IS with zeros": (0x00200013, "IS", b"007 ", "007"),
    "an IS too long": (0x00200013, "IS", b"99999999999999", "99999999999999"),
    "a date that is none": (0x00080020, "DA", b"tomorrow", "tomorrow"),
    "Latin-1 that says it is UTF-8": (
        0x00100010,
        "PN",
        b"M\xfcller^J\xfcrgen",
        r"M\xfcller^J\xfcrgen",
    ),
}


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("case", UNDECODABLE)
def test_one_bad_value_stays_visible_and_the_rest_of_the_row_stands(case: str, syntax: str) -> None:
    tag, vr, raw, shown = UNDECODABLE[case]
    head = element(0x00080005, "CS", b"ISO_IR 192", syntax)
    tail = element(0x00400244, "DA", b"20240101", syntax)
    match = decode(head + element(tag, vr, raw, syntax) + tail, syntax)
    assert shown in match.values()
    assert match["PerformedProcedureStepStartDate"] == "20240101"


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("undefined", [False, True])
def test_cut_short_at_any_byte_it_is_a_violation_or_what_came_before(
    undefined: bool, syntax: str
) -> None:
    dataset = nested(undefined)
    dataset.StudyDate = "20240101"
    dataset.PatientName = "Doe^Jane"
    whole = written(dataset, syntax)
    complete = decode(whole, syntax)
    boundaries = 0
    for cut in range(len(whole)):
        with suppress(ProtocolViolation):
            match = decode(whole[:cut], syntax)
            assert match.items() <= complete.items()
            assert len(match) < len(complete)
            boundaries += 1
    assert boundaries == len(complete)  # after each whole element, and at nothing at all


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_depth_has_a_limit(syntax: str) -> None:
    def deep(levels: int) -> Dataset:
        dataset = Dataset()
        if levels:
            dataset.ReferencedStudySequence = [deep(levels - 1)]
        return dataset

    assert decode(written(deep(8), syntax), syntax)
    with pytest.raises(ProtocolViolation):
        decode(written(deep(9), syntax), syntax)
    endless = struct.pack("<HHIHHI", 8, 0x1110, 0xFFFFFFFF, 0xFFFE, 0xE000, 0xFFFFFFFF)
    with pytest.raises(ProtocolViolation):
        decode(endless * 10_000, IMPLICIT_VR_LITTLE_ENDIAN)


def item(kind: int, length: int) -> bytes:
    return struct.pack("<HHI", 0xFFFE, kind, length)


START, END, OVER, OPEN = 0xE000, 0xE00D, 0xE0DD, 0xFFFFFFFF
ROWS = struct.pack("<HHIH", 0x28, 0x10, 2, 512)

DAMAGED: dict[str, bytes] = {
    "an item delimiter outside an item": item(END, 0),
    "a sequence delimiter outside a sequence": item(OVER, 0),
    "an item outside a sequence": item(START, 0),
    "an element longer than the data": struct.pack("<HHI", 0x10, 0x20, 1000) + b"abc",
    "a sequence longer than the data": struct.pack("<HHI", 8, 0x1110, 1000) + item(START, 0),
    "an item longer than its sequence": struct.pack("<HHI", 8, 0x1110, 8) + item(START, 10) + ROWS,
    "an element longer than its item": (
        struct.pack("<HHI", 8, 0x1110, 16) + item(START, 8) + ROWS[:8] + ROWS
    ),
    "an item that ends early": (
        struct.pack("<HHI", 8, 0x1110, 34) + item(START, 18) + item(END, 0) + ROWS + item(END, 0)
    ),
    "a sequence that is not closed": struct.pack("<HHI", 8, 0x1110, OPEN) + item(START, 0),
    "an item that is not closed": struct.pack("<HHI", 8, 0x1110, 18) + item(START, OPEN) + ROWS,
    "something else than an item": struct.pack("<HHI", 8, 0x1110, 10) + ROWS,
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_structure_is_a_violation(case: str) -> None:
    with pytest.raises(ProtocolViolation, match="not a whole DICOM data set"):
        decode(DAMAGED[case], IMPLICIT_VR_LITTLE_ENDIAN)


@given(st.binary(max_size=300), st.sampled_from(SYNTAXES))
def test_random_bytes_are_a_match_or_a_violation(data: bytes, syntax: str) -> None:
    with suppress(ProtocolViolation):
        decode(data, syntax)


@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=8),
    st.booleans(),
    st.sampled_from(SYNTAXES),
)
def test_a_damaged_identifier_is_a_match_or_a_violation(
    damage: list[tuple[int, int]], undefined: bool, syntax: str
) -> None:
    dataset = nested(undefined)
    for keyword, value, _ in VALUES.values():
        if keyword != "LongCodeValue":
            setattr(dataset, keyword, value)
    data = bytearray(written(dataset, syntax))
    for at, byte in damage:
        data[at % len(data)] = byte
    with suppress(ProtocolViolation):
        decode(bytes(data), syntax)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_query_is_written_as_pydicom_would_write_it(syntax: str) -> None:
    query = Query(
        Level.STUDY,
        {"PatientName": "Mül*", "StudyDate": "20240101-", "StudyInstanceUID": "1.2.3"},
        ("Rows", "ReferencedStudySequence", "TextValue", "RetrieveURL", "PatientID"),
    )
    same = Dataset()
    same.SpecificCharacterSet = "ISO_IR 192"
    same.QueryRetrieveLevel = "STUDY"
    for keyword in query.wanted:
        setattr(same, keyword, query.keys.get(keyword) or None)
    assert encode(query, syntax) == written(same, syntax)


@given(
    st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\\="), max_size=60),
    st.sampled_from(SYNTAXES),
)
def test_a_query_in_any_script_is_read_by_pydicom_and_by_us(text: str, syntax: str) -> None:
    data = encode(Query(Level.STUDY, {"StudyDescription": text}), syntax)
    assert len(data) % 2 == 0
    assert str(decode(data, syntax)["StudyDescription"]) == text.strip(" ")
    read = read_dataset(BytesIO(data), syntax == IMPLICIT_VR_LITTLE_ENDIAN, True)
    assert (read.StudyDescription or "").rstrip(" ") == text.rstrip(" ")
    tags = [one.tag for one in cast("Any", read)]
    assert tags == sorted(tags)
    assert ("SpecificCharacterSet" in read) is not text.isascii()


NESTED = {
    "ReferencedStudySequence": [
        {
            "ReferencedSOPInstanceUID": "1.2.3",
            "PurposeOfReferenceCodeSequence": [{"CodeValue": "A"}, {}, {"CodeValue": "B"}],
        },
        {},
    ]
}


def nested(undefined: bool) -> Dataset:
    """`NESTED` as a Dataset; `undefined` writes delimiters instead of lengths."""
    codes: list[Dataset] = [Dataset(), Dataset(), Dataset()]
    codes[0].CodeValue, codes[2].CodeValue = "A", "B"
    one = Dataset()
    one.ReferencedSOPInstanceUID = "1.2.3"
    one.PurposeOfReferenceCodeSequence = codes
    dataset = Dataset()
    dataset.ReferencedStudySequence = [one, Dataset()]
    if undefined:
        one["PurposeOfReferenceCodeSequence"].is_undefined_length = True
        dataset["ReferencedStudySequence"].is_undefined_length = True
        for inner in (*codes, *dataset.ReferencedStudySequence):
            inner.is_undefined_length_sequence_item = True
    return dataset


def element(tag: int, vr: str, raw: bytes, syntax: str) -> bytes:
    """One element by hand, its length as it is."""
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if syntax == IMPLICIT_VR_LITTLE_ENDIAN:
        return head + struct.pack("<I", len(raw)) + raw
    return head + vr.encode() + struct.pack("<H", len(raw)) + raw
