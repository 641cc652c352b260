"""What lies over an image is drawn as DCMTK draws it where it is asked for, and always said to be
there."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType]
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from dicom_mcp.content.frame import render
from dicom_mcp.content.picture import picture
from tests.content import documents as made
from tests.content.overlays import Array, add_plane
from tests.content.samples import gradient, image
from tests.notes import the_note
from tests.peers.dcmtk import run

YELLOW, CYAN = (255, 255, 0), (0, 255, 255)


def noise(*shape: int) -> Array:
    return np.random.default_rng(5).integers(0, 5, shape) == 0


@pytest.mark.dcmtk
@pytest.mark.parametrize("origin", [[1, 1], [4, 7], [-2, -3]])
@pytest.mark.parametrize("size", [(24, 32), (9, 11), (40, 50)])
def test_an_overlay_is_drawn_where_dcmtk_draws_it(
    origin: list[int], size: tuple[int, int], tmp_path: Path
) -> None:
    dataset = image(np.full((24, 32), 100, np.uint8))
    add_plane(dataset, noise(*size), origin=origin)
    ours = render(dataset, overlays=True).pixels
    run("dcm2pnm", "+O", "0", "+Omr", made.saved(dataset, tmp_path), tmp_path / "over.pgm")
    theirs = np.asarray(Image.open(tmp_path / "over.pgm"))
    assert ((ours == YELLOW).all(-1) == (theirs == 255)).all()
    assert (theirs == 255).any()


@pytest.mark.dcmtk
def test_an_overlay_in_the_pixels_is_drawn_where_dcmtk_draws_it(tmp_path: Path) -> None:
    mask = noise(16, 32)
    values = gradient(0, 900) | np.where(mask, 0x8000, 0).astype("u2")
    dataset = image(values, stored=12)
    for number, value in ((0x10, 16), (0x11, 32), (0x100, 16), (0x102, 15)):
        dataset.add_new(0x60000000 | number, "US", value)
    dataset.add_new(0x60000040, "CS", "R")
    dataset.add_new(0x60000050, "SS", [1, 1])
    shown = render(dataset, overlays=True, window="full")
    assert (shown.low, shown.high) == (0, 900)
    assert ((shown.pixels == CYAN).all(-1) == mask).all()
    run("dcm2pnm", "+O", "0", "+Omr", "+Wm", made.saved(dataset, tmp_path), tmp_path / "over.pgm")
    theirs = np.asarray(Image.open(tmp_path / "over.pgm"))
    assert ((theirs == 255) | ~mask).all()


def test_overlays_that_are_not_drawn_are_said_to_be_there() -> None:
    dataset = image(gradient(0, 255, "u1"))
    add_plane(dataset, noise(16, 32))
    add_plane(dataset, noise(16, 32), group=0x6002, kind="R")
    dataset.add_new(0x60021500, "LO", "Lesion 1")
    plain = image(gradient(0, 255, "u1"))
    assert (render(dataset).pixels == render(plain).pixels).all()
    told = picture(dataset).caption
    assert "Not drawn: overlays 6000 (graphics), 6002 (region, Lesion 1)" in told
    assert "overlays=true draws them" in told
    told = picture(dataset, overlays=True).caption
    assert "Drawn over the image, graphics in yellow, regions in cyan: overlays 6000" in told
    assert "verlay" not in picture(plain).caption


def test_overlays_of_several_frames_are_on_their_frames() -> None:
    dataset = image(np.zeros((4, 16, 32), np.uint8), NumberOfFrames=4)
    masks = noise(2, 16, 32)
    add_plane(dataset, masks, first=2)
    for number in (2, 3):
        pixels = render(dataset, number, overlays=True).pixels
        assert ((pixels == YELLOW).all(-1) == masks[number - 2]).all()
    for number in (1, 4):
        shown = render(dataset, number, overlays=True)
        assert not shown.colour
        assert "Other frames have overlays: 6000 (graphics)" in shown.notes


def test_an_overlay_that_is_too_short_is_said_not_to_be_drawn() -> None:
    dataset = image(gradient(0, 255, "u1"))
    add_plane(dataset, noise(16, 32))
    dataset[0x60003000].value = b"\1\1"
    assert the_note(render(dataset, overlays=True).notes, "its data are too short")


def test_an_overlay_beside_the_image_is_not_said_to_be_drawn() -> None:
    for origin, kept in (([100, 100], 1), ([1, 1], 0)):
        dataset = image(gradient(0, 255, "u1"))
        add_plane(dataset, noise(16, 32) & bool(kept), origin=origin)
        shown = render(dataset, overlays=True)
        assert not shown.colour
        assert the_note(shown.notes, "nothing of it lies on the image")


def test_a_frame_that_was_fetched_alone_has_the_overlay_of_its_number() -> None:
    dataset = image(np.zeros((16, 32), np.uint8))
    masks = noise(4, 16, 32)
    add_plane(dataset, masks)
    assert ((render(dataset, overlays=True, of=3).pixels == YELLOW).all(-1) == masks[2]).all()


def test_an_overlay_in_implicit_vr_and_big_endian_is_the_same(tmp_path: Path) -> None:
    dataset = image(gradient(0, 255, "u1"))
    mask = noise(16, 32)
    add_plane(dataset, mask)
    for syntax in (ImplicitVRLittleEndian, ExplicitVRBigEndian):
        dataset.file_meta.TransferSyntaxUID = syntax
        if syntax == ExplicitVRBigEndian:
            words = np.frombuffer(dataset[0x60003000].value, "u2").byteswap().tobytes()
            dataset[0x60003000].value = words
        path = tmp_path / "one.dcm"
        dataset.save_as(path, enforce_file_format=True)
        pixels = render(dcmread(path), overlays=True).pixels
        assert ((pixels == YELLOW).all(-1) == mask).all()


def _mapping() -> Dataset:
    mapping = Dataset()
    mapping.MeasurementUnitsCodeSequence = Sequence([made.code("mmol/l")])
    return mapping


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {
                "ShutterShape": "RECTANGULAR",
                "ShutterUpperHorizontalEdge": "3",
                "ShutterLowerHorizontalEdge": "12",
                "ShutterLeftVerticalEdge": "4",
                "ShutterRightVerticalEdge": "28",
            },
            "display shutter (rectangular, rows 3 to 12, columns 4 to 28) is applied: 51% of the",
        ),
        (
            {
                "ShutterShape": "CIRCULAR",
                "CenterOfCircularShutter": ["8", "16"],
                "RadiusOfCircularShutter": "7",
            },
            "shutter (circular, centre 8\\16, radius 7)",
        ),
        (
            {
                "ShutterShape": "POLYGONAL",
                "VerticesOfThePolygonalShutter": ["1", "1", "1", "9", "9", "9"],
            },
            "shutter (polygonal, 3 corners)",
        ),
        ({"ShutterShape": "BITMAP"}, "display shutter (bitmap), which hides"),
        ({"PresentationLUTShape": "INVERSE"}, "Presentation LUT Shape INVERSE small values"),
        ({"PixelPresentation": "COLOR"}, "supplemental palette"),
        ({"RecommendedViewingMode": "SUB"}, "unsubtracted"),
        ({"ImageHorizontalFlip": "Y"}, "turned, flipped or in part"),
        ({"PixelAspectRatio": ["2", "1"]}, "Pixels are not square (PixelAspectRatio 2\\1)"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "Small values are light (MONOCHROME1)"),
        ({"RealWorldValueMappingSequence": Sequence([_mapping()])}, "real world values (mmol/l)"),
        ({"GraphicAnnotationSequence": Sequence([Dataset()])}, "graphic annotations"),
    ],
)
def test_what_changes_the_picture_and_is_not_applied_is_told(
    given: dict[str, Any], sentence: str
) -> None:
    dataset = image(gradient(0, 255, "u1"), **given)
    assert sentence in picture(dataset).caption
    assert sentence not in picture(image(gradient(0, 255, "u1"))).caption


def test_a_shutter_hides_what_lies_outside_of_all_its_shapes() -> None:
    made = image(np.full((40, 60), 200, "u1"), PixelAspectRatio=["2", "1"])
    made.ShutterShape = ["CIRCULAR", "RECTANGULAR"]
    made.CenterOfCircularShutter, made.RadiusOfCircularShutter = ["20", "30"], "16"
    edges = {"UpperHorizontal": 1, "LowerHorizontal": 40, "LeftVertical": 20, "RightVertical": 60}
    for edge, place in edges.items():
        setattr(made, f"Shutter{edge}Edge", str(place))
    pixels = render(made).pixels
    rows, columns = (np.nonzero(pixels.any(axis=axis))[0] + 1 for axis in (1, 0))
    assert (rows.min(), rows.max()) == (12, 28)  # 16 columns are 8 rows that are twice as high
    assert (columns.min(), columns.max()) == (20, 46)
    made.ShutterPresentationValue = 0x8000
    assert {*render(made).pixels.ravel().tolist()} == {128, 200}
    made.ShutterShape = "POLYGONAL"
    made.VerticesOfThePolygonalShutter = ["2", "3", "2", "9", "6", "9", "6", "3"]
    pixels = render(made).pixels == 200
    assert pixels[1:6, 2:9].all()
    assert pixels.sum() == 35
    made.VerticesOfThePolygonalShutter = ["2", "3", "2"]
    assert (render(made).pixels == 200).all()


def test_a_colour_profile_and_curves_are_told() -> None:
    dataset = image(np.zeros((8, 8, 3), np.uint8))
    dataset.add_new(0x00282000, "OB", b"profile ")
    dataset.add_new(0x50003000, "OW", b"\0\0")
    told = picture(dataset).caption
    assert "ICC profile is not applied" in told
    assert "curves (group 50xx)" in told
