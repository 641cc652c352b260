"""What is drawn on images on request, and that it is said to exist where it is not asked for."""

from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType]

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.node import AnyNode, Node, WebNode
from tests.asking import ask, fail, look
from tests.content.drawing import axial, dose, segmentation, structure_set
from tests.content.samples import PYDICOM
from tests.notes import the_note
from tests.peers.embedded import embedded_web

LIVER = np.zeros((32, 32), bool)
LIVER[8:20, 6:18] = True
CONTOUR = [[-4.0, -2, 0], [6, -2, 0], [6, 8, 0], [-4, 8, 0]]
HELD = [
    *(axial(z) for z in (-2, 0, 2)),
    segmentation({0.0: {1: LIVER}, 2.0: {1: LIVER}}),
    structure_set({"Bladder": [("CLOSED_PLANAR", CONTOUR)]}),
    dose(np.full((3, 16, 16), 4000) * (np.arange(16) < 12)),
    dcmread(PYDICOM / "waveform_ecg.dcm"),
]
IMAGES, SEG, STRUCTURES, DOSE = "2.25.2", "2.25.3", "2.25.4", "2.25.5"
ECG = str(HELD[-1].SeriesInstanceUID)
HELD.append(dcmread(PYDICOM / "waveform_ecg.dcm"))
HELD[-1].SeriesInstanceUID, HELD[-1].SOPInstanceUID = CUT_ECG, _ = "2.25.61", "2.25.62"
HELD[-1].WaveformSequence[0].WaveformData = HELD[-1].WaveformSequence[0].WaveformData[:12_000]
HELD[-1].WaveformSequence[1].SamplingFrequency = 0
HELD[3].SeriesDescription = 'ORG\u200bANS "new"'
SURFACES = axial(0)
del SURFACES.PixelData
SURFACES.SOPClassUID, SURFACES.Modality = "1.2.840.10008.5.1.4.1.1.66.5", "SEG"
SURFACES.SeriesInstanceUID, SURFACES.SOPInstanceUID = "2.25.63", "2.25.64"
HELD.append(SURFACES)


@pytest.fixture(scope="module", params=["DIMSE", "DICOMweb"])
def node(request: pytest.FixtureRequest) -> Iterator[AnyNode]:
    if request.param == "DICOMweb":
        with embedded_web(HELD) as url:
            yield WebNode(url)
        return
    with EmbeddedArchive(HELD, ae_title="DRAWS") as archive:
        yield Node(port=archive.port, called_ae_title="DRAWS")


def test_what_may_be_drawn_is_said_and_drawn_where_it_is_asked_for(node: AnyNode) -> None:
    said, (plain,) = look(node, "view_image", series_instance_uid=IMAGES)
    told = the_note(said["notes"], "Not drawn, and may be of these images")
    assert all(f"draw={uid}" in told for uid in (SEG, STRUCTURES, DOSE))
    assert 'segmentation "ORG\\u{200B}ANS "new"" (draw=' in told
    assert str(SURFACES.SeriesInstanceUID) not in told
    said, (drawn,) = look(
        node, "view_image", series_instance_uid=IMAGES, draw=f"{SEG}, {STRUCTURES}, {DOSE}"
    )
    caption = " ".join(said["caption"])
    assert "segmentation ORGANS: Liver (red: 0.576 ml, 144 pixels here)" in caption
    assert "structure set PLAN: Bladder (red: of one plane only, 1 contour here)" in caption
    assert "The most dose on this image is 40, of the whole grid 40 Gy" in caption
    assert not any("Not drawn" in note for note in said["notes"])
    assert said["complete"] is True
    before, after = (np.asarray(Image.open(BytesIO(one)).convert("RGB")) for one in (plain, drawn))
    assert after.shape[0] > before.shape[0]
    scale = (before.shape[1] - 44) / 32
    for row, column, is_drawn in ((8, 6, True), (12, 12, True), (30, 30, False)):
        y, x = (22 + round((place + 0.5) * scale) for place in (row, column))
        assert (len({*after[y, x].tolist()}) > 1) == is_drawn


def test_a_sheet_has_each_image_drawn_on_and_one_legend(node: AnyNode) -> None:
    said, _ = look(node, "view_series", series_instance_uid=IMAGES, draw=[SEG])
    caption = " ".join(said["caption"])
    assert "1: segmentation ORGANS draws nothing on this image" in caption
    assert "2, 3: Drawn over the image, segmentation ORGANS: Liver" in caption


@pytest.mark.parametrize("series", [SEG, STRUCTURES, DOSE])
def test_what_draws_is_read_as_a_table_and_says_where_it_is_seen(
    node: AnyNode, series: str
) -> None:
    answer = ask(node, "read_report", series_instance_uid=series)
    assert answer["complete"] is True
    ((row,),) = (
        [each for each in record["regions"] if each["name"] not in ("Spleen", "Cyst")]
        for record in answer["records"]
    )
    assert row["name"] in ("Liver", "Bladder", "dose plan physical")
    if series == STRUCTURES:
        told = fail(node, "view_image", series_instance_uid=series)
        assert "holds contours and no picture" in told
    else:
        said, _ = look(node, "view_image", series_instance_uid=series)
        told = the_note(said["notes"], "To see it on the images")
    assert f"draw={series}" in told


def test_what_does_not_draw_is_refused_with_what_does(node: AnyNode) -> None:
    told = fail(node, "view_image", series_instance_uid=IMAGES, draw=IMAGES)
    assert "no segmentation by pixels, structure set or dose" in told
    assert "Not complete" not in told


def test_an_ecg_is_shown_as_curves(node: AnyNode) -> None:
    said, (shown,) = look(node, "view_image", series_instance_uid=ECG)
    assert said["caption"][0].startswith("ECG, RHYTHM: 12 channels")
    assert Image.open(BytesIO(shown)).size[0] == 1024
    said, _ = look(node, "view_image", series_instance_uid=ECG, frame=2)
    assert "MEDIAN BEAT" in said["caption"][0]
    assert said["image"]["page"] == 2


def test_an_ecg_that_is_cut_or_not_shown_is_not_complete(node: AnyNode) -> None:
    said, _ = look(node, "view_image", series_instance_uid=CUT_ECG)
    assert said["complete"] is False
    assert "RHYTHM is cut: there are 500 of 10,000 samples" in " ".join(said["notes"])
    assert "MEDIAN BEAT is not shown" in " ".join(said["notes"])


def test_what_is_no_report_names_the_tool_that_shows_it(node: AnyNode) -> None:
    for series, hint in ((ECG, "Look at it with view_image"), (IMAGES, "view_image")):
        uid = next(str(one.SOPInstanceUID) for one in HELD if one.SeriesInstanceUID == series)
        told = fail(node, "read_report", series_instance_uid=series, sop_instance_uid=uid)
        assert hint in told
        look(node, "view_image", series_instance_uid=series, sop_instance_uid=uid)


def test_a_sheet_of_what_is_no_picture_names_what_shows_it(node: AnyNode) -> None:
    for series, hint in ((ECG, "view_image shows its curves"), (STRUCTURES, "read_report tells")):
        assert hint in fail(node, "view_series", series_instance_uid=series)
