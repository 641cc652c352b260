"""A few bytes that stand for a data set of any size are read up to a bound, which is told."""

import struct
import zlib
from collections.abc import Callable

import pytest

from dicom_mcp.content.elements import Elements
from dicom_mcp.content.header import header
from dicom_mcp.content.read import read_inspected
from dicom_mcp.dicomweb.model import objects
from dicom_mcp.errors import ProtocolViolation
from dicom_mcp.objects.received import Objections, Received, received
from dicom_mcp.standard import unfolding
from dicom_mcp.standard.instance import Instance, Reference
from tests.content import documents as made
from tests.hostile import encoded

EXPLICIT, DEFLATED = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"

ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
REPORT = made.document(made.text("No metastasis"))


def sequence(body: bytes, length: int | None = None) -> bytes:
    """A private sequence that stands behind everything else."""
    length = len(body) if length is None else length
    return struct.pack("<HH2sHI", 0x7FDF, 0x1001, b"SQ", 0, length) + body


def elements(count: int) -> bytes:
    """So many empty elements, in items of a thousand."""
    body = b"".join(struct.pack("<HH2sH", 0x7FDF, place, b"LO", 0) for place in range(1000))
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(body)) + body
    return sequence(item * (count // 1000))


def nested(items: int) -> bytes:
    """So many items, in items of a thousand."""
    inside = sequence(ITEM * 1000)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inside)) + inside
    return sequence(item * (items // 1000))


UNFOLDING: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty items": (lambda: sequence(ITEM * 200_000), "items in one sequence"),
    "items without an end": (lambda: sequence(ITEM * 200_000 + END, 0xFFFFFFFF), "in one sequence"),
    "items in items": (lambda: nested(500_000), "400,000 items of sequences"),
    "elements": (lambda: elements(1_200_000), "1,000,000 elements"),
}


@pytest.mark.parametrize(
    ("name", "syntax"), [*((name, EXPLICIT) for name in UNFOLDING), ("empty items", DEFLATED)]
)
def test_what_unfolds_without_end_is_read_to_a_bound_that_is_told(name: str, syntax: str) -> None:
    made_up, bound = UNFOLDING[name]
    found = came(encoded(REPORT) + made_up(), syntax)
    assert bound in found.beyond
    told = Objections()
    told.learn("it", found)
    assert str(told.incomplete()[0]).startswith("Not complete: too much to be read here")
    dataset = read_inspected(found.instance.data_set, found.instance.transfer_syntax)
    assert Elements.of(dataset).items("ContentSequence")[0].text("TextValue") == "No metastasis"


def test_many_items_that_are_honest_are_read_to_the_last() -> None:
    inside = struct.pack("<HH2sH", 0x7FDF, 0x1002, b"LO", 2) + b"ab"
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + inside
    item += struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
    found = came(encoded(REPORT) + sequence(item * 2000 + END, 0xFFFFFFFF), EXPLICIT)
    assert not (found.beyond)
    assert not (found.faults)
    assert not (found.doubts)
    dataset = read_inspected(found.instance.data_set, EXPLICIT)
    assert sum(row.tag == "(7FDF,1002)" for row in header(dataset).rows) == 2000


def test_an_element_of_values_without_end_is_read_to_a_bound() -> None:
    report = made.document(made.text("words"))
    report.add_new(0x00081140, "SQ", [])
    content = encoded(report) + struct.pack("<HH2sHI", 0x7FDF, 0x1001, b"UC", 0, 4 << 20)
    found = came(content + b"\\" * (4 << 20), EXPLICIT)
    dataset = read_inspected(found.instance.data_set, EXPLICIT)
    element = Elements.of(dataset).dataset.get_item(0x7FDF1001)
    assert element is not None
    assert len(Elements.of(dataset).texts(element)) == unfolding.MOST_VALUES
    assert "4,194,241 more values left out" in str(header(dataset, ["7FDF,1001"]))


@pytest.mark.parametrize("body", ['{"a":' + "[[]," * 1_500_000, '{"a":[' + "1," * 3_100_000])
def test_json_that_unfolds_without_end_is_refused_before_it_does(body: str) -> None:
    with pytest.raises(ProtocolViolation, match="unfolds to more elements"):
        list(objects(iter([b"[", body.encode(), b"x" * 10]), most=64 << 20))


def came(content: bytes, syntax: str) -> Received:
    """What is known of a report that came in these bytes."""
    if syntax == DEFLATED:
        deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        content = deflate.compress(content) + deflate.flush()
    reference = Reference(REPORT.StudyInstanceUID, REPORT.SeriesInstanceUID, REPORT.SOPInstanceUID)
    instance = Instance(REPORT.SOPClassUID, REPORT.SOPInstanceUID, syntax, bytearray(content))
    return received(instance, reference, ())
