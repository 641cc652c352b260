"""Bytes become a Dataset within limits, whoever made them."""

import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType]
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from dicom_mcp.content.error import ContentError
from dicom_mcp.content.frame import render
from dicom_mcp.content.inspection import inspected
from dicom_mcp.content.read import read_object
from dicom_mcp.content.report import read_report
from tests.content import documents as made
from tests.content.samples import PYDICOM

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
DEFLATED = "1.2.840.10008.1.2.1.99"


@pytest.mark.parametrize(
    "name",
    [
        *("CT_small.dcm", "image_dfl.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm"),
        *("JPEG2000.dcm", "test-SR.dcm", "rtplan.dcm", "examples_ybr_color.dcm"),
    ],
)
def test_a_file_is_what_pydicom_reads(name: str) -> None:
    expected = dcmread(PYDICOM / name)
    found = read_object((PYDICOM / name).read_bytes())
    assert found.to_json_dict() == expected.to_json_dict()
    assert found.file_meta.TransferSyntaxUID == expected.file_meta.TransferSyntaxUID
    if "PixelData" in found:
        assert (render(found).pixels == render(expected).pixels).all()


def test_a_data_set_is_read_in_the_transfer_syntax_it_came_in() -> None:
    content = (PYDICOM / "CT_small.dcm").read_bytes()
    start = 144 + int.from_bytes(content[140:144], "little")
    assert read_object(content[start:], EXPLICIT).PatientName == "CompressedSamples^CT1"


def test_a_deflate_bomb_is_refused_before_it_has_gone_off() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(packer.compress(b"\0" * (1 << 20)) for _ in range(80)) + packer.flush()
    assert len(bomb) < 100_000
    with pytest.raises(ContentError, match="inflates to more than 67,108,864"):
        read_object(bomb, DEFLATED, most=64 << 20)


def test_an_object_too_large_is_refused() -> None:
    with pytest.raises(ContentError, match="more than 100 are not read"):
        read_object(b"\0" * 101, EXPLICIT, most=100)


@pytest.mark.parametrize("depth", [10, 10_000])
def test_sequences_nested_deep_are_read_or_refused(depth: int) -> None:
    content = made.nested_bytes(depth)
    if depth < 100:
        assert read_report(read_object(content, EXPLICIT)).text.count("\n") == depth
    else:
        with pytest.raises(ContentError, match="nested deeper than can be read"):
            read_object(content, EXPLICIT)


@pytest.mark.parametrize(
    "content",
    [b"", b"DICM", b"\0" * 128 + b"DICM", b"\0" * 128 + b"DICM\x02\0\0\0UL\x04\0\xff" * 9],
)
def test_what_is_no_file_is_refused(content: bytes) -> None:
    with pytest.raises(ContentError):
        read_object(content)


@pytest.mark.parametrize("padding", [b"", b"\0"])
@pytest.mark.parametrize("size", [1000, (1 << 20) - 1, 1 << 20, (3 << 20) + 1])
def test_a_deflated_object_of_any_length_is_read_to_its_end_padded_or_not(
    size: int, padding: bytes
) -> None:
    report = made.document(made.text("a" * size))
    file = DicomBytesIO()
    file.is_implicit_VR, file.is_little_endian = False, True
    write_dataset(file, report)
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = packer.compress(file.getvalue()) + packer.flush() + padding
    found = inspected(packed, DEFLATED, most=64 << 20)
    assert (found.faults, bytes(found.data_set)) == ((), file.getvalue())


def test_damaged_deflated_bytes_are_refused() -> None:
    with pytest.raises(ContentError, match="damaged"):
        read_object(b"\xff\xff\xff\xff", DEFLATED)


_HOSTILE = """
import resource, sys, zlib
from dicom_mcp.content.error import ContentError
from dicom_mcp.content.frame import render
from dicom_mcp.content.read import read_object
from dicom_mcp.content.report import read_report
from tests.content import documents as made
from tests.content.samples import gradient
from tests.content.samples import image

def refused(what):
    try:
        what()
    except ContentError:
        return
    raise SystemExit("not refused")

packer = zlib.compressobj(9, zlib.DEFLATED, -15)
bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(2000)) + packer.flush()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
refused(lambda: read_object(bomb, "1.2.840.10008.1.2.1.99"))
refused(lambda: read_object(made.nested_bytes(10_000), "1.2.840.10008.1.2.1"))
read_report(made.nested(10_000))
read_report(made.document(made.text("ä\\u202e" * 10_000_000)))
billion = image(gradient(0, 4095))
billion.NumberOfFrames = 1 << 30
refused(lambda: render(billion, 1 << 30))
large = image(gradient(0, 4095))
large.Rows = large.Columns = 60000
refused(lambda: render(large))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""


def test_hostile_objects_cost_less_than_300_mib() -> None:
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", _HOSTILE], capture_output=True, text=True, cwd=root, timeout=60
    )
    assert ran.returncode == 0, ran.stderr + ran.stdout
    assert int(ran.stdout) < 300, ran.stdout
