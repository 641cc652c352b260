"""What other objects draw on an image lies where they say, under the names they give it."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from dicom_mcp.content.apart import Apart
from dicom_mcp.content.dose import _LEVELS  # pyright: ignore[reportPrivateUsage]
from dicom_mcp.content.error import ContentError
from dicom_mcp.content.layers import Layer, Target, called
from dicom_mcp.content.picture import picture
from dicom_mcp.content.report import read_report
from dicom_mcp.content.sources import source_of
from tests.content.drawing import axial, dose, item, segmentation, structure_set
from tests.peers.dcmtk import run


def box(top: int, left: int, height: int, width: int, side: int = 32) -> "np.ndarray[Any, Any]":
    made = np.zeros((side, side), bool)
    made[top : top + height, left : left + width] = True
    return made


LIVER, SPLEEN = box(4, 5, 10, 8), box(20, 18, 6, 9)
ORGANS = {0.0: {1: LIVER, 2: SPLEEN}, 2.0: {1: LIVER}, 4.0: {1: LIVER}}


def layer(source: Dataset, on: Dataset, number: int = 1) -> Layer:
    with Apart() as apart:
        return source_of(source).on(Target.of(on, number), apart)


def masks(source: Dataset, on: Dataset) -> dict[str, Any]:
    return {patch.name: patch.mask for patch in layer(source, on).patches}


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
def test_segments_lie_on_the_image_of_their_plane(kind: str) -> None:
    found = masks(segmentation(ORGANS, kind), axial(0))
    assert set(found) == {"Liver", "Spleen"}
    assert (found["Liver"] == LIVER).all()
    assert (found["Spleen"] == SPLEEN).all()
    assert set(masks(segmentation(ORGANS, kind), axial(2))) == {"Liver"}
    assert not masks(segmentation(ORGANS, kind), axial(6))


def test_a_segmentation_of_another_grid_lies_where_its_pixels_do() -> None:
    shifted = axial(0, side=16, ImagePositionPatient=[-6, -8, 0], PixelSpacing=[0.5, 2])
    found = masks(segmentation(ORGANS), shifted)["Liver"]
    rows, columns = np.nonzero(found)
    # Rows 4 to 13 begin at y = -6, columns 5 to 12 at x = -5; half a pixel belongs to each.
    assert (rows.min(), rows.max()) == (3, 15)
    assert (columns.min(), columns.max()) == (1, 4)


def test_a_sagittal_image_is_cut_through_all_planes() -> None:
    side = axial(
        0,
        ImagePositionPatient=[-2, -10, 10],
        ImageOrientationPatient=[0, 1, 0, 0, 0, -1],
        side=24,
    )
    found = masks(segmentation(ORGANS), side)
    rows, columns = np.nonzero(found["Liver"])
    assert set(found) == {"Liver"}
    assert (rows.min(), rows.max()) == (5, 11)  # z from 5 (half of a slice beyond 4) to -1
    assert (columns.min(), columns.max()) == (4, 13)


def test_segments_without_a_place_are_found_by_the_image_they_name() -> None:
    made = segmentation({0.0: {1: LIVER}, 1.0: {2: SPLEEN}}, frame_of_reference="2.25.10")
    for group, uid in zip(made.PerFrameFunctionalGroupsSequence, ("2.25.5", "2.25.6"), strict=True):
        source = item(ReferencedSOPInstanceUID=uid)
        group.DerivationImageSequence = Items([item(SourceImageSequence=Items([source]))])
    found = masks(made, axial(0, SOPInstanceUID="2.25.6"))
    assert set(found) == {"Spleen"}
    assert (found["Spleen"] == SPLEEN).all()
    assert "pixel by pixel" in " ".join(layer(made, axial(0, SOPInstanceUID="2.25.6")).notes)
    flipped = axial(0, SOPInstanceUID="2.25.6", ImageOrientationPatient=[-1, 0, 0, 0, 1, 0])
    assert not masks(made, flipped)
    told = layer(made, axial(0, SOPInstanceUID="2.25.7"))
    assert not told.patches
    assert "another frame of reference" in " ".join(told.notes)


def square(left: float, top: float, size: float, z: float) -> list[list[float]]:
    right, bottom = left + size, top + size
    return [[left, top, z], [right, top, z], [right, bottom, z], [left, bottom, z]]


def test_contours_lie_on_the_image_of_their_plane_with_their_holes() -> None:
    made = structure_set(
        {
            "Bladder": [
                ("CLOSED_PLANAR", square(-5, -6, 10, 0)),
                ("CLOSED_PLANAR", square(-2, -3, 4, 0)),
                ("CLOSED_PLANAR", square(-5, -6, 10, 3)),
            ],
            "Marker": [("POINT", [[10, 12, 0]])],
            "Needle": [("OPEN_PLANAR", [[12, -8, 3], [12, 8, 3]])],
            "Twisted": [("CLOSED_NONPLANAR", [[0, 0, 0], [5, 0, 5], [5, 5, 0]])],
        }
    )
    found = masks(made, axial(0.2))
    assert set(found) == {"Bladder", "Marker"}
    assert found["Bladder"][5, 6]
    assert not found["Bladder"][9, 10]
    assert not found["Bladder"][3, 6]
    assert found["Marker"][22, 20]
    assert set(masks(made, axial(3))) == {"Bladder", "Needle"}
    assert not masks(made, axial(6))
    told = " ".join(layer(made, axial(0)).notes)
    assert "2 of its 4 regions have nothing on this image in its plane" in told


def test_a_contour_that_names_its_image_is_on_that_one() -> None:
    made = structure_set({"Lung": [("CLOSED_PLANAR", square(0, 0, 5, 0.9))]})
    contour = made.ROIContourSequence[0].ContourSequence[0]
    contour.ContourImageSequence = Items([item(ReferencedSOPInstanceUID="2.25.6")])
    assert set(masks(made, axial(3, SOPInstanceUID="2.25.6"))) == {"Lung"}


def test_a_contour_is_on_the_frame_that_it_names_and_no_other() -> None:
    made = structure_set(
        {"Lung": [("CLOSED_PLANAR", square(0, 0, 5, z)) for z in (0, 3)]}, FrameOfReferenceUID="9"
    )
    for place, contour in enumerate(made.ROIContourSequence[0].ContourSequence, start=1):
        named = item(ReferencedSOPInstanceUID="2.25.6", ReferencedFrameNumber=place)
        contour.ContourImageSequence = Items([named])
    with Apart() as apart:
        for number, z in ((1, 0), (2, 3), (7, 40)):
            target = Target.of(axial(z, SOPInstanceUID="2.25.6"), 1)
            found = source_of(made).on(replace(target, number=number), apart)
            assert len(found.patches) == (number < 7)
            assert all("1 contour here" in patch.words for patch in found.patches)


def test_contours_far_from_an_image_are_not_on_it_and_the_distance_is_told() -> None:
    made = structure_set(
        {
            "Two": [("CLOSED_PLANAR", square(0, 0, 5, z)) for z in (0, 40)],
            "Tumour": [("CLOSED_PLANAR", square(0, 0, 5, z)) for z in (0, 4, 8)],
        }
    )
    contour = made.ROIContourSequence[0].ContourSequence[1]
    contour.ContourImageSequence = Items([item(ReferencedSOPInstanceUID="2.25.6")])
    assert set(masks(made, axial(0))) == {"Two", "Tumour"}
    assert not masks(made, axial(15))
    assert not masks(made, axial(12, SOPInstanceUID="2.25.6"))
    assert "from a plane 1.5 mm off" in layer(made, axial(1.5)).patches[0].words
    (two, _) = read_report(made).regions
    assert two["volume"] == "of planes 40 mm apart, too far for a volume"


def test_contours_that_cut_an_image_at_an_angle_are_said_not_to_be_drawn() -> None:
    made = structure_set({"Liver": [("CLOSED_PLANAR", square(-5, -6, 10, 0))]})
    made.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = ""
    told = " ".join(layer(made, axial(0, ImageOrientationPatient=[0, 1, 0, 0, 0, -1])).notes)
    assert "1 regions have contours in planes angled to this image" in told
    assert "1 regions name no frame of reference" in told


def test_segments_of_two_planes_far_apart_do_not_fill_what_is_between() -> None:
    made = segmentation({0.0: {1: LIVER}, 100.0: {1: LIVER}})
    assert not masks(made, axial(20))
    assert read_report(made).regions[0]["volume"] == f"{80 * 2 * 2 / 1000:.4g} ml"


def test_a_dose_of_one_plane_is_on_no_other() -> None:
    made = dose(np.full((1, 16, 16), 4000))
    assert masks(made, axial(0))
    side = axial(0, ImagePositionPatient=[0, -10, 15], ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    rows = np.nonzero(np.any([*masks(made, side).values()], axis=0))[0]
    assert (rows.min(), rows.max()) == (15, 15)


def test_a_dose_without_its_scale_has_no_unit() -> None:
    made = dose(np.full((3, 16, 16), 4000))
    del made.DoseGridScaling
    told = layer(made, axial(0))
    assert not any("Gy" in patch.name for patch in told.patches)
    assert "DoseGridScaling is missing" in " ".join(told.notes)
    assert read_report(made).regions[0]["most"] == "4000"
    assert "Gy" not in picture(made).caption


def test_segments_that_say_nothing_of_their_place_are_not_said_to_be_elsewhere() -> None:
    made = segmentation(ORGANS)
    del made.SharedFunctionalGroupsSequence
    (told,) = layer(made, axial(0)).notes
    assert "where its segments are is not known" in told
    del made.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence
    made.SharedFunctionalGroupsSequence = segmentation(ORGANS).SharedFunctionalGroupsSequence
    assert "1 of its 4 frames do not say where they lie" in " ".join(layer(made, axial(0)).notes)


def test_segments_of_no_number_or_of_one_are_told() -> None:
    made = segmentation({0.0: {1: LIVER, 2: SPLEEN}})
    made.SegmentSequence[1].SegmentNumber = 1
    assert set(masks(made, axial(0))) == {"Liver or Spleen", "segment 2, which is not described"}
    assert "1 of its 2 frames name no segment" in " ".join(read_report(made).notes)
    del made.SegmentSequence
    assert not any("of its 0" in note for note in layer(made, axial(0)).notes)


def test_contours_without_their_points_or_their_region_are_told() -> None:
    made = structure_set({"Lung": [("CLOSED_PLANAR", square(0, 0, 5, z)) for z in (0, 3)]})
    made.ROIContourSequence[0].ContourSequence[0].NumberOfContourPoints = 30
    made.ROIContourSequence[0].ReferencedROINumber = 9
    assert "1 contours have not the points they say" in " ".join(layer(made, axial(0)).notes)
    report = read_report(made)
    assert [region["contours"] for region in report.regions] == ["0", "2"]
    assert not report.whole
    assert read_report(segmentation(ORGANS)).whole
    assert "region 9" in masks(made, axial(0))


def test_a_contour_that_is_written_twice_does_not_take_itself_off() -> None:
    several = [("CLOSED_PLANAR", square(0, 0, 5, z)) for z in (0, 0, 2)]
    made = structure_set({"Lung": several})
    assert set(masks(made, axial(0))) == {"Lung"}
    assert read_report(made).regions[0]["volume"] == f"{25 * 2 * 2 / 1000:.4g} ml"


def test_a_value_of_a_label_map_that_is_no_segment_is_drawn_and_listed() -> None:
    made = segmentation({0.0: {1: LIVER, 2: SPLEEN}}, "LABELMAP")
    made.SegmentSequence[1].SegmentNumber = 3
    unknown = "segment 2, which is not described"
    assert set(masks(made, axial(0))) == {"Liver", unknown}
    assert unknown in [region["name"] for region in read_report(made).regions]
    assert unknown in picture(made).caption


def test_fractions_without_their_whole_are_told() -> None:
    made = segmentation({0.0: {1: LIVER}}, "FRACTIONAL")
    del made.MaximumFractionalValue
    assert "MaximumFractionalValue is missing" in " ".join(layer(made, axial(0)).notes)


def test_planes_of_dose_without_a_place_are_told() -> None:
    made = dose(np.full((3, 16, 16), 4000))
    del made.GridFrameOffsetVector
    assert "2 of its 3 planes do not say where they lie" in " ".join(layer(made, axial(0)).notes)


def test_a_fault_of_what_is_drawn_is_not_taken_for_one_of_the_image() -> None:
    made = segmentation(ORGANS)
    made.PixelData = made.PixelData[:130]
    with pytest.raises(ContentError, match="What was to be drawn, segmentation ORGANS: The pixel"):
        picture(axial(0), layers=[source_of(made)])


def test_more_segments_than_colours_are_told() -> None:
    every = dict.fromkeys(range(1, 41), LIVER)
    caption = picture(axial(0), layers=[source_of(segmentation({0.0: every}))]).caption
    assert "Several of what is drawn have one colour" in caption
    twice = [source_of(segmentation({0.0: {1: mask}})) for mask in (LIVER, SPLEEN)]
    assert "Several of what is drawn have one" in picture(axial(0), layers=twice).caption
    assert "have one colour" not in picture(axial(0), layers=twice[:1]).caption


def test_regions_and_segments_are_a_table_with_their_volumes() -> None:
    made = structure_set(
        {
            "Bladder": [("CLOSED_PLANAR", square(-5, -6, 10, z)) for z in (0, 2, 4)]
            + [("CLOSED_PLANAR", square(-2, -3, 4, 2))],
            "Marker": [("POINT", [[10, 12, 0]])],
        }
    )
    bladder, marker = read_report(made).regions
    assert bladder["volume"] == f"{(3 * 100 - 16) * 2 / 1000:.4g} ml"
    assert marker == {
        "number": "2",
        "name": "Marker",
        "kind": "",
        "made": "",
        "volume": "",
        "contours": "1",
    }
    for kind in ("BINARY", "FRACTIONAL", "LABELMAP"):
        report = read_report(segmentation(ORGANS, kind))
        assert report.kind == "segmentation"
        liver, spleen, cyst = report.regions
        assert (liver["name"], liver["kind"]) == ("Liver", "Organ, Liver")
        assert liver["volume"].startswith(f"{80 * 3 * 2 / 1000:.4g} ml")
        assert spleen["volume"].startswith(f"{54 * 2 / 1000:.4g} ml")
        assert cyst["volume"].startswith("0 ml")
        assert "2.25.2" in report.text


def test_dose_lies_where_its_grid_says_and_is_told_in_its_unit() -> None:
    values = np.zeros((3, 16, 16))
    values[1, 4:8, 5:9] = 5000
    values[2, 4:8, 5:9] = 6000
    found = layer(dose(values), axial(3))  # between the planes of 50 and 60 Gy
    at = {patch.name: patch.mask for patch in found.patches}
    assert at["from 54 Gy"][10, 12]
    assert not any(mask[25, 25] for mask in at.values())
    assert "55" in " ".join(found.notes)
    assert "60" in " ".join(found.notes)
    (row,) = read_report(dose(values)).regions
    assert row["most"] == "60 Gy"
    told = layer(dose(values), axial(3, FrameOfReferenceUID="2.25.10"))
    assert not told.patches
    assert "not known" in " ".join(told.notes)


def test_differences_of_dose_below_0_are_told() -> None:
    made = dose(np.full((3, 16, 16), 4000))
    made.PixelRepresentation, made.DoseType = 1, "ERROR"
    made.PixelData = np.full((3, 16, 16), -4000, "<i2").tobytes()
    (row,) = read_report(made).regions
    assert (row["least"], row["most"]) == ("-40 Gy", "-40 Gy")
    assert "the least of the whole grid is -40 Gy" in " ".join(layer(made, axial(0)).notes)


def test_a_picture_has_the_names_and_colours_below_it() -> None:
    source = source_of(segmentation(ORGANS))
    plain, drawn = picture(axial(0)), picture(axial(0), layers=[source])
    assert drawn.height > plain.height
    assert (
        "segmentation ORGANS: Liver (red: 0.48 ml, 80 pixels here); Spleen (green" in drawn.caption
    )
    assert "1 of its 3 segments are not on this image" in drawn.caption


def test_a_label_map_is_shown_in_the_colours_of_its_segments() -> None:
    shown = picture(segmentation(ORGANS, "LABELMAP"))
    assert "Liver (red: 80 pixels); Spleen (green: 54 pixels)" in shown.caption


def test_an_object_that_says_its_colours_has_them() -> None:
    made = segmentation(ORGANS)
    made.SegmentSequence[0].RecommendedDisplayCIELabValue = [34885, 53485, 50171]  # sRGB red
    (liver, _) = layer(made, axial(0)).patches
    assert called(liver.colour) == "red"


def test_what_is_nearly_black_is_drawn_in_a_colour_that_is_seen() -> None:
    made = structure_set({"Cord": [("CLOSED_PLANAR", square(0, 0, 5, 0))]})
    made.ROIContourSequence[0].ROIDisplayColor = [0, 0, 0]
    told = picture(axial(0), layers=[source_of(made)]).caption
    assert "Shown in a lighter colour than their own, which is nearly black: Cord" in told
    assert "Cord (red" in told


def test_a_frame_of_reference_that_is_not_named_is_no_other_one() -> None:
    nameless = axial(0, FrameOfReferenceUID="")
    for made in (segmentation(ORGANS), dose(np.full((3, 16, 16), 4000))):
        assert "The image names no frame of reference" in " ".join(layer(made, nameless).notes)
        made.FrameOfReferenceUID = ""
        assert "It names no frame of reference" in " ".join(layer(made, axial(0)).notes)
    contour = structure_set({"Lung": [("CLOSED_PLANAR", square(0, 0, 5, 0))]})
    assert "the image names none" in " ".join(layer(contour, nameless).notes)


def test_a_probability_is_no_part_of_a_voxel() -> None:
    made = segmentation({0.0: {1: LIVER}}, "FRACTIONAL")
    made.PixelData = (LIVER * np.uint8(60) + SPLEEN * np.uint8(140)).tobytes()
    for kind, volume in (("PROBABILITY", 54), ("OCCUPANCY", 80 * 0.3 + 54 * 0.7)):
        made.SegmentationFractionalType = kind
        (liver, *_) = read_report(made).regions
        said = " where 50 % probable or more" * (kind == "PROBABILITY")
        assert liver["volume"] == f"{volume * 2 / 1000:.4g} ml{said}"


def test_what_is_cut_has_its_table_without_what_is_not_known() -> None:
    for kind in ("BINARY", "FRACTIONAL"):
        made = segmentation(ORGANS, kind)
        made.PixelData = made.PixelData[: len(made.PixelData) // 2]
        report = read_report(made)
        assert [row["volume"] for row in report.regions] == [""] * 3
        assert "Volumes are not known: " in " ".join(report.notes)
        assert not report.whole
    made = dose(np.arange(1, 4)[:, None, None] * np.full((3, 16, 16), 1000))
    made.PixelData = made.PixelData[:1100]
    report = read_report(made)
    assert report.regions[0]["most"] == "20 Gy"
    assert "Not all of its planes can be read" in " ".join(report.notes)


def test_the_background_of_a_label_map_is_no_segment() -> None:
    made = segmentation({0.0: {1: LIVER}}, "LABELMAP")
    made.SegmentSequence.insert(0, item(SegmentNumber=0, SegmentLabel="Background"))
    assert [row["name"] for row in read_report(made).regions] == ["Liver", "Spleen", "Cyst"]
    assert "2 of its 3 segments are not on this image" in " ".join(layer(made, axial(0)).notes)


def test_half_of_a_pixel_is_enough_wherever_its_place_was_rounded() -> None:
    made = segmentation({0.0: {1: LIVER}}, "FRACTIONAL")
    made.PixelData = (LIVER * np.uint8(100)).tobytes()
    assert set(masks(made, axial(0.00001))) == {"Liver"}


def oblique() -> tuple[Dataset, Any]:
    """An image turned about two axes whose pixels are 1.5 mm high and 0.8 mm wide, and the point in
    the patient of each pixel (PS3.3 C.7.6.2.1.1)."""
    turn, tilt = 0.3, -0.4
    row = np.array([np.cos(turn), np.sin(turn), 0])
    column = np.array([-np.sin(turn) * np.cos(tilt), np.cos(turn) * np.cos(tilt), np.sin(tilt)])
    first, (rows, columns) = np.array([-2.0, -7, 5]), np.mgrid[:12, :12]
    points = first + (rows * 1.5)[..., None] * column + (columns * 0.8)[..., None] * row
    where = [*map(float, row), *map(float, column)]
    made = axial(
        0,
        side=12,
        ImagePositionPatient=[*map(float, first)],
        ImageOrientationPatient=[f"{value:.12f}" for value in where],
        PixelSpacing=[1.5, 0.8],
    )
    return made, points


def test_dose_and_segments_on_an_oblique_image_are_those_of_its_points() -> None:
    image, points = oblique()
    x, y, z = np.moveaxis(points, -1, 0)
    planes, rows, columns = np.mgrid[:8, :16, :16]
    grid = np.array([-10 + 2 * columns, -10 + 2 * rows, -6 + 2 * planes])
    values = 2000 + 60 * grid[0] + 40 * grid[1] - 50 * grid[2]
    drawn = layer(dose(values, first=-6.0), image).patches
    expected = (2000 + 60 * x + 40 * y - 50 * z) / values.max()
    inside = (z > -6) & (z < 8)
    assert inside.all()
    for patch, low, high in zip(drawn, (0.3, 0.5), (0.5, 0.7), strict=True):
        clear = (np.abs(expected - low) > 0.002) & (np.abs(expected - high) > 0.002)
        assert (patch.mask == ((expected >= low) & (expected < high)))[clear].all()
    half = np.arange(32) - 10 > 0.5  # from x = 1 on: the edge of its pixels lies at 0.5
    made = segmentation({float(z): {1: np.tile(half, (32, 1))} for z in range(-6, 10, 2)})
    (patch,) = layer(made, image).patches
    clear = np.abs(x - 0.5) > 0.01
    assert (patch.mask == (x > 0.5))[clear].all()
    assert 20 < patch.mask.sum() < 124


def test_contours_on_an_oblique_image_hold_the_points_within_them() -> None:
    image, points = oblique()
    corners = [points[2, 2], points[2, 9], points[5, 6], points[10, 9], points[9, 1]]
    made = structure_set({"Lung": [("CLOSED_PLANAR", [[*map(float, one)] for one in corners])]})
    (patch,) = layer(made, image).patches
    wanted = np.zeros((12, 12), bool)
    polygon = [(2, 2), (2, 9), (5, 6), (10, 9), (9, 1)]
    edges = [*zip(polygon, [*polygon[1:], polygon[0]], strict=True)]
    off = np.full((12, 12), np.inf)
    for row, column in np.ndindex(12, 12):
        for (top, left), (bottom, right) in edges:
            along = np.array([bottom - top, right - left], float)
            part = np.clip(np.dot([row - top, column - left], along) / along.dot(along), 0, 1)
            off[row, column] = min(
                off[row, column], np.hypot(*(np.array([row - top, column - left]) - part * along))
            )
            if (top > row) != (bottom > row):
                met = left + (row - top) / (bottom - top) * (right - left)
                wanted[row, column] ^= column < met
    clear = off > 0.01
    assert (patch.mask == wanted)[clear].all()
    assert wanted[clear].sum() > 30


def test_a_contour_smaller_than_a_pixel_is_seen_where_it_is() -> None:
    made = structure_set({"Seed": [("CLOSED_PLANAR", square(0.7, 1.7, 0.2, 0))]})
    (patch,) = layer(made, axial(0)).patches
    assert np.argwhere(patch.mask).tolist() == [[12, 11]]


@pytest.mark.dcmtk
def test_dose_is_what_dcmtk_reads(tmp_path: Path) -> None:
    made = dose(np.random.default_rng(5).integers(0, 6000, (3, 16, 16)))
    made.save_as(tmp_path / "dose.dcm", enforce_file_format=True)
    run("dcmdump", "+W", tmp_path, tmp_path / "dose.dcm")
    (raw,) = tmp_path.glob("*.raw")
    read = np.fromfile(raw, "<u2").reshape(3, 16, 16) * 0.01
    bounds = [*_LEVELS, float("inf")]
    for plane, gray in enumerate(read):
        drawn = {patch.colour: patch.mask for patch in layer(made, axial(2 * plane)).patches}
        for (share, colour), (_, above) in zip(_LEVELS.items(), pairwise(bounds), strict=True):
            band = (gray >= share * read.max()) & (gray < above * read.max())
            # A pixel of the image is half as wide as one of the grid.
            assert (drawn[colour][::2, ::2] == band).all(), (plane, share)
