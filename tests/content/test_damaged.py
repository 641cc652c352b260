"""Damaged objects are refused or read in part; nothing else is ever raised."""

import warnings
from collections.abc import Callable
from random import Random

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.budgets import LARGEST_OBJECT
from dicom_mcp.content.apart import Apart
from dicom_mcp.content.geometry import geometry
from dicom_mcp.content.header import header, value_counts
from dicom_mcp.content.inspection import inspected
from dicom_mcp.content.picture import picture
from dicom_mcp.content.read import inspected_object, read_inspected
from dicom_mcp.content.report import read_report
from dicom_mcp.errors import DicomMcpError
from tests.content import documents as made
from tests.content.samples import PYDICOM
from tests.faults.hostile_objects import EXPLICIT, IMPLICIT, encoded

_FILES = (
    *("CT_small.dcm", "MR_small_RLE.dcm", "JPEG2000.dcm", "JPGExtended.dcm", "test-SR.dcm"),
    *("SC_rgb_dcmtk_+eb+cy+np.dcm", "JPEGLSNearLossless_16.dcm", "rtplan.dcm", "image_dfl.dcm"),
    *("examples_palette.dcm", "liver_1frame.dcm", "reportsi.dcm", "MR_small_bigendian.dcm"),
)


@pytest.mark.filterwarnings("ignore")  # pydicom's, about what is damaged
@pytest.mark.parametrize("name", _FILES)
def test_a_damaged_file_raises_nothing_but_our_own_errors(name: str) -> None:
    content = (PYDICOM / name).read_bytes()
    done = 0
    with Apart() as apart:
        for seed in range(25):
            damaged = _damaged(content, Random(seed))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:  # as the tools do: what is sound of it
                    found = inspected_object(damaged, most=LARGEST_OBJECT)
                    dataset = read_inspected(
                        found.data_set, found.transfer_syntax, came_in=found.came_in
                    )
                except DicomMcpError:
                    continue
                for look in _looks(dataset, apart):
                    try:
                        look()
                        done += 1
                    except DicomMcpError:
                        continue
    assert done >= 10


def _looks(dataset: Dataset, apart: Apart) -> tuple[Callable[[], object], ...]:
    return (
        lambda: read_report(dataset),
        lambda: str(header(dataset)),
        lambda: value_counts([dataset], ["KVP", "CodeValue"]),
        lambda: geometry([dataset]),
        lambda: picture(dataset, apart=apart),
    )


def _damaged(content: bytes, random: Random) -> bytes:
    """The file with a few bytes changed, lost, doubled or cut, most of them near its beginning."""
    out = bytearray(content)
    for _ in range(random.choice([1, 2, 5, 20, 80])):
        place = 132 + int((len(out) - 132) * random.random() ** random.choice([1, 4]))
        match random.randrange(6):
            case 0:
                out[place : place + 1] = bytes([random.randrange(256)])
            case 1:
                out[place : place + 4] = random.choice([b"\xff\xff\xff\xff", b"\0\0\0\0"])
            case 2:
                del out[place : place + random.randrange(1, 9)]
            case 3:
                out[place:place] = random.randbytes(random.randrange(1, 9))
            case 4:
                out[place : place + 4] = random.choice([b"\xfe\xff\xdd\xe0", b"\xff\xff\xff\x7f"])
            case _:
                if random.random() < 0.1 and len(out) > 400:
                    del out[max(place, 400) :]
    return bytes(out)


def test_an_element_that_is_known_to_nobody_with_a_vr_that_is_none_may_have_been_the_content() -> (
    None
):
    """The content of a container, its tag and VR written over: eight findings were gone."""
    inside = made.container(made.code("Findings"), made.text("It is here"))
    content = encoded(made.document(inside))
    at = content.rindex(b"\x40\x00\x30\xa7SQ")
    content = content[: at + 1] + b"\xff\xff\xff\x7f" + content[at + 5 :]
    (fault,) = inspected(content, EXPLICIT, most=1 << 20).faults
    assert fault.startswith("(FF40,FFFF) is known to nobody")


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
@pytest.mark.parametrize("tag", [b"\xff\0\0\0", b"\x40\0\x31\xa7", b"\x40\0\x43\xa0"])
def test_content_under_another_tag_is_missed(syntax: str, tag: bytes) -> None:
    """Under one that is private, known to nobody, or another sequence's."""
    inside = made.container(made.code("Findings"), made.text("It is here"))
    content = encoded(made.document(inside), syntax)
    at = content.rindex(b"\x40\x00\x30\xa7")
    content = content[:at] + tag + content[at + 4 :]
    assert any(
        "holds content" in fault for fault in inspected(content, syntax, most=1 << 20).faults
    )
