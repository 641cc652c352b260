"""A data set that was cut is never called whole, wherever it was cut; one that is legal is."""

from collections.abc import Iterator
from datetime import date
from functools import cache
from io import BytesIO
from random import Random

import pytest
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from dicom_mcp.content.error import ContentError
from dicom_mcp.content.inspection import DEFLATED, inspected
from dicom_mcp.content.read import read_object
from dicom_mcp.demo.hospital import hospital
from dicom_mcp.standard.part10 import file_meta
from dicom_mcp.standard.structure import walk

from . import documents as made
from .samples import PYDICOM

EXPLICIT, DEFLATE = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"
MOST = 64 << 20
CUTS = 200

# These are cut as they are.
TRUNCATED = {"MR_truncated.dcm", "rtplan_truncated.dcm"}


def files() -> Iterator[tuple[str, bytes, str]]:
    """pydicom's files, without what stands before their data sets."""
    for path in sorted(PYDICOM.glob("*.dcm")):
        content = path.read_bytes()
        try:
            found = file_meta(content)
        except ValueError:
            continue
        yield path.name, content[found.length :], found.transfer_syntax


FILES = list(files())


@cache
def held() -> list[tuple[bytes, str]]:
    """An object of every kind of the hospital, and the reports."""
    kinds: dict[str, Dataset] = {}
    for one in hospital(date(2026, 3, 31)).pacs():
        kinds.setdefault(f"{one.SOPClassUID} {one.file_meta.TransferSyntaxUID}", one)
    return [(encoded(one), str(one.file_meta.TransferSyntaxUID)) for one in kinds.values()]


def encoded(dataset: Dataset) -> bytes:
    file = DicomBytesIO()
    file.is_implicit_VR = dataset.file_meta.TransferSyntaxUID.is_implicit_VR
    file.is_little_endian = dataset.file_meta.TransferSyntaxUID.is_little_endian
    write_dataset(file, dataset)
    return file.getvalue()


def is_sound(content: bytes, syntax: str) -> bool:
    found = inspected(content, syntax, most=MOST)
    return not found.faults and not found.doubts


def ends_of_elements(content: bytes, syntax: str) -> set[int]:
    """Where a cut leaves a shorter data set that is sound: between two elements at the top."""
    from pydicom.filereader import data_element_generator

    file = BytesIO(content)
    is_implicit, is_little = syntax == "1.2.840.10008.1.2", syntax != "1.2.840.10008.1.2.2"
    return {file.tell() for _ in data_element_generator(file, is_implicit, is_little)}


@pytest.mark.parametrize("name", [name for name, _, _ in FILES])
def test_a_legal_file_is_whole_and_one_that_was_cut_is_not(name: str) -> None:
    content, syntax = next((c, s) for n, c, s in FILES if n == name)
    found = inspected(content, syntax, most=MOST)
    assert bool(found.faults) == (name in TRUNCATED), found.faults


@pytest.mark.filterwarnings("ignore")  # pydicom's, about odd files
@pytest.mark.parametrize("name", [name for name, _, _ in FILES])
def test_a_file_cut_at_any_place_is_never_whole(name: str) -> None:
    content, syntax = next((c, s) for n, c, s in FILES if n == name)
    between = set[int]() if syntax in DEFLATED else ends_of_elements(content, syntax)
    random = Random(name)
    for _ in range(CUTS):
        place = random.randrange(1, len(content))
        if syntax in DEFLATED and len(content) - place <= 8:
            continue  # what a file has after the stream's own end is not read
        try:
            found = inspected(content[:place], syntax, most=MOST)
        except ContentError:
            continue
        assert found.faults or place in between, place


def test_every_kind_of_the_hospital_is_whole_and_cut_anywhere_it_is_not() -> None:
    random = Random(1)
    for content, syntax in held():
        assert is_sound(content, syntax)
        between = ends_of_elements(content, syntax)
        for _ in range(CUTS):
            place = random.randrange(1, len(content))
            assert not is_sound(content[:place], syntax), (place in between, place, len(content))


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
    content = next(c for n, c, _ in FILES if n == "MR_small_bigendian.dcm")
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
