"""A header's rows are what DCMTK's dcmdump prints, in words a person can read."""

import re
from datetime import date
from pathlib import Path

import pytest
from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType]
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom_mcp.content.header import MOST_ROWS, ValueCount, header, value_counts
from dicom_mcp.demo.hospital import hospital
from dicom_mcp.errors import BadAttribute
from tests.content import documents as made
from tests.content.samples import PYDICOM, gradient, image
from tests.pace import within
from tests.peers.dcmtk import run

_LINE = re.compile(
    r"^ *\(([0-9a-f]{4},[0-9a-f]{4})\) ([A-Z]{2}) (.*?) *# *\S+, *\d+ ", re.MULTILINE
)


@pytest.mark.dcmtk
@pytest.mark.parametrize(
    "name",
    [
        *("CT_small.dcm", "MR_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm"),
        *("rtplan.dcm", "rtstruct.dcm", "waveform_ecg.dcm", "examples_palette.dcm"),
        *("rtdose.dcm", "JPEG2000.dcm", "reportsi.dcm"),
    ],
)
def test_every_text_and_number_of_dcmdump_is_in_its_row(name: str) -> None:
    path = PYDICOM / name
    if not path.exists():
        pytest.skip("this one is of pydicom-data")
    dumped = _LINE.findall(run("dcmdump", "-q", "+U8", "-Un", "+L", "-M", path).stdout)
    rows = header(dcmread(path, force=True)).rows
    unlike = "0002", "fffe", "0008,0005"  # DCMTK converts to UTF-8 and says so
    ours = [row for row in rows if not row.tag[1:].startswith(unlike)]
    theirs = [line for line in dumped if not line[0].startswith(unlike) and line[0][5:] != "0000"]
    assert [row.tag[1:-1].lower() for row in ours] == [tag for tag, _, _ in theirs]
    for row, (tag, _, value) in zip(ours, theirs, strict=True):
        if value.startswith("[") and row.vr not in ("UI", "UN") and len(value) < 1000:
            said = value[1 : value.rindex("]")].strip()
            assert _folded(said) == _folded(row.value), tag
        elif re.fullmatch(r"-?\d+(\\-?\d+){0,60}", value) and row.vr not in ("OB", "OW", "UN"):
            assert value == row.value, tag


def test_nested_items_say_where_they_stand() -> None:
    rows = header(dcmread(PYDICOM / "rtplan.dcm"), ["BeamMeterset", "300A,00C2"]).rows
    assert [(row.keyword, row.depth, row.place) for row in rows] == [
        ("BeamMeterset", 2, "FractionGroupSequence[1].ReferencedBeamSequence[1]"),
        ("BeamName", 1, "BeamSequence[1]"),
    ]


def test_private_attributes_are_named_after_their_creator() -> None:
    rows = {row.tag: row for row in header(dcmread(PYDICOM / "CT_small.dcm")).rows}
    assert str(rows["(0019,1023)"]) == (
        "(0019,1023) DS Table Speed [mm/rotation] (GEMS_ACQU_01): 5.000000"
    )
    unknown = made.instance(made.CT_IMAGE)
    unknown.private_block(0x0009, "NOBODY", create=True).add_new(0x01, "LO", "something")
    assert str(header(unknown, ["0009,1001"])) == ("(0009,1001) LO private (NOBODY): something")


def test_bulk_values_are_sizes() -> None:
    rows = {row.keyword: row.value for row in header(image(gradient(0, 9))).rows}
    assert rows["PixelData"] == "1,024 bytes"


def test_uids_the_standard_names_have_their_names() -> None:
    (row,) = header(dcmread(PYDICOM / "CT_small.dcm"), ["SOPClassUID"]).rows
    assert row.value == "1.2.840.10008.5.1.4.1.1.2 (CT Image Storage)"


def test_a_keyword_that_does_not_exist_is_refused() -> None:
    with pytest.raises(BadAttribute, match="neither the keyword of an attribute nor a tag"):
        header(made.instance(made.CT_IMAGE), ["SliceThicknes"])


def test_a_value_of_several_lines_is_one_row() -> None:
    dataset = made.instance(made.CT_IMAGE)
    dataset.ImageComments = "first\r\n(0010,0010) PN PatientName: forged\x1b[2J"
    (row,) = header(dataset, ["ImageComments"]).rows
    assert row.value == "first ⏎ (0010,0010) PN PatientName: forged\\u{1B}[2J"


def test_very_many_and_very_long_values_are_cut_with_marks() -> None:
    dataset = made.instance(made.CT_IMAGE)
    dataset.ImageComments = "x" * 5000
    dataset.SliceLocationVector = [float(number) for number in range(500)]
    rows = {row.keyword: row.value for row in header(dataset).rows}
    assert rows["ImageComments"].endswith("… [3,976 more characters left out]")
    assert rows["SliceLocationVector"].endswith("… [436 more values left out]")
    many = made.document(*(made.text("x") for _ in range(2000)))
    found = header(many)
    assert len(found.rows) == MOST_ROWS
    assert not found.complete
    assert str(found).endswith("[more attributes left out]")


def test_an_object_nested_10_000_deep_has_a_header() -> None:
    found = header(made.nested(10_000))
    assert any("too deep to be shown" in row.value for row in found.rows)


def test_a_table_of_values_says_how_many_objects_have_each() -> None:
    images = [each for each in hospital(date(2026, 3, 4)).pacs() if each.Modality == "CT"]
    counted = value_counts([*images, made.instance(made.CT_IMAGE)], ["KVP", "ConvolutionKernel"])
    assert counted[:2] == [ValueCount("KVP", "120", len(images)), ValueCount("KVP", "", 1)]
    assert {row.value for row in counted[2:]} == {"Br40", "STANDARD", ""}


def test_values_in_functional_groups_are_counted() -> None:
    enhanced = made.instance(made.CT_IMAGE)
    enhanced.PerFrameFunctionalGroupsSequence = Sequence([_thick("1"), _thick("1"), _thick("3")])
    counted = value_counts([enhanced], ["SliceThickness"])
    assert {(row.value, row.objects) for row in counted} == {("1", 1), ("3", 1)}


def test_a_header_of_a_thousand_frames_takes_no_time() -> None:
    enhanced = made.instance(made.CT_IMAGE)
    enhanced.PerFrameFunctionalGroupsSequence = Sequence([_thick("1") for _ in range(1000)])
    with within(2):
        assert len(header(enhanced, ["SliceThickness"]).rows) == 1000


def test_reading_a_header_changes_nothing() -> None:
    content = dcmread(PYDICOM / "test-SR.dcm")
    before = content.to_json()
    header(content)
    assert content.to_json() == before
    assert Path(str(PYDICOM)).exists()


def _thick(thickness: str) -> Dataset:
    measures, groups = Dataset(), Dataset()
    measures.SliceThickness = thickness
    groups.PixelMeasuresSequence = Sequence([measures])
    return groups


def _folded(text: str) -> str:
    """White space, line ends and what stands for them as one space."""
    return " ".join(re.sub(r"⏎|\\u\{A\}|\\u\{D\}", " ", text).split())
