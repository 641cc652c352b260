"""How a series lies in the patient: orientation, spacing, gaps, duplicates."""

import math
from datetime import date

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom_mcp.content.geometry import along, geometry, orientation, sides
from dicom_mcp.demo.hospital import hospital
from tests.content import documents as made

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)


@pytest.mark.parametrize(
    ("cosines", "words"),
    [
        (AXIAL, "axial"),
        (SAGITTAL, "sagittal"),
        (CORONAL, "coronal"),
        ((-1.0, 0, 0, 0, -1.0, 0), "axial"),
        ((1.0, 0, 0, 0, math.cos(0.05), math.sin(0.05)), "axial"),
        ((1.0, 0, 0, 0, math.cos(0.4), math.sin(0.4)), "oblique axial (23° off)"),
        ((1.0, 0, 0, 0, math.cos(1.2), -math.sin(1.2)), "oblique coronal (21° off)"),
        ((1.0, 0, 0, 1.0, 0, 0), ""),
        ((0.0,) * 6, ""),
        ((1.0, 0.0), ""),
    ],
)
def test_an_orientation_has_a_name(cosines: tuple[float, ...], words: str) -> None:
    assert orientation(cosines) == words


@pytest.mark.parametrize(
    ("cosines", "found"),
    [
        (AXIAL, ("R", "L", "A", "P")),
        (SAGITTAL, ("A", "P", "H", "F")),
        (CORONAL, ("R", "L", "H", "F")),
        ((1.0, 0, 0, 0, math.cos(0.4), math.sin(0.4)), ("R", "L", "AF", "PH")),
    ],
)
def test_the_sides_of_an_image_are_those_of_the_patient(
    cosines: tuple[float, ...], found: tuple[str, str, str, str]
) -> None:
    assert sides(cosines) == found


def test_a_regular_stack_has_one_spacing() -> None:
    found = geometry(_slices(range(0, 50, 5)))
    (stack,) = found.stacks
    assert (stack.orientation, stack.images, stack.spacing) == ("axial", 10, 5.0)
    assert (stack.first, stack.last, stack.direction) == (0.0, 45.0, "F to H")
    assert stack.regular
    assert (stack.gaps, stack.duplicates, found.notes, stack.tilt) == ((), (), (), 0.0)


def test_missing_and_doubled_images_are_found() -> None:
    found = geometry(_slices([0, 5, 10, 25, 30, 30, 35]))
    (stack,) = found.stacks
    (gap,) = stack.gaps
    assert (gap.after, gap.before, gap.distance, gap.missing) == ("3", "4", 15.0, 2)
    assert stack.duplicates == (("5", "6"),)
    assert not stack.regular
    assert "2 images seem to be missing from the axial stack" in found.notes


def test_two_echoes_at_each_place_are_no_duplicates() -> None:
    found = geometry(_slices([0, 0, 5, 5, 10, 10]))
    (stack,) = found.stacks
    assert (stack.per_position, stack.duplicates) == (2, ())
    assert "2 images at each position: phases, echoes or repeats" in found.notes


def test_mixed_orientations_are_told_apart() -> None:
    found = geometry([*_slices([0, 5, 10]), *_slices([0, 5], SAGITTAL, axis=0), _bare()])
    assert [(stack.orientation, stack.images) for stack in found.stacks] == [
        ("axial", 3),
        ("sagittal", 2),
    ]
    assert found.unplaced == 1
    assert "Mixed: 1 × axial, 1 × sagittal" in found.notes


def test_a_tilted_gantry_is_noticed() -> None:
    images = _slices(range(0, 50, 5))
    for image in images:
        x, y, z = image.ImagePositionPatient
        image.ImagePositionPatient = [x, float(y) + float(z) * 0.25, z]
    (stack,) = geometry(images).stacks
    assert stack.tilt == pytest.approx(14.0, abs=0.1)


def test_frames_of_an_enhanced_object_are_a_stack() -> None:
    enhanced = made.instance("1.2.840.10008.5.1.4.1.1.2.1")
    enhanced.Rows = enhanced.Columns = 64
    enhanced.NumberOfFrames = 4
    enhanced.SharedFunctionalGroupsSequence = Sequence([_orientation_group()])
    enhanced.PerFrameFunctionalGroupsSequence = Sequence(
        [_position_group(where) for where in (0, 2, 4, 8)]
    )
    found = geometry([enhanced])
    (stack,) = found.stacks
    assert (found.images, stack.images, stack.spacing) == (4, 4, 2.0)
    assert [(gap.after, gap.before, gap.missing) for gap in stack.gaps] == [
        ("1 frame 3", "1 frame 4", 1)
    ]


def test_a_billion_frames_are_counted_without_being_looked_at() -> None:
    cine = _bare()
    cine.NumberOfFrames = 1 << 30
    found = geometry([cine])
    assert (found.images, found.unplaced, found.stacks) == (1 << 30, 1 << 30, ())


def test_the_demo_spine_lacks_two_images() -> None:
    series: dict[str, list[Dataset]] = {}
    for each in hospital(date(2026, 3, 4)).pacs():
        series.setdefault(each.SeriesInstanceUID, []).append(each)
    lacking = [
        images[0].SeriesDescription
        for images in series.values()
        if any(stack.gaps for stack in geometry(images).stacks)
    ]
    assert lacking == ["t2_tse_sag"]


def test_a_position_along_the_normal_grows_towards_head_left_and_back() -> None:
    assert along(AXIAL, (1.0, 2.0, 30.0)) == 30.0
    assert along((1.0, 0, 0, 0, -1.0, 0), (1.0, 2.0, 30.0)) == 30.0
    assert along(SAGITTAL, (7.0, 2.0, 30.0)) == 7.0
    assert along((), (7.0, 2.0, 30.0)) is None


def _slices(
    places: "range | list[int]", cosines: tuple[float, ...] = AXIAL, *, axis: int = 2
) -> list[Dataset]:
    images: list[Dataset] = []
    for number, place in enumerate(places, start=1):
        image = _bare()
        image.InstanceNumber = number
        image.ImageOrientationPatient = list(cosines)
        position = [-100.0, -100.0, -100.0]
        position[axis] = float(place)
        image.ImagePositionPatient = position
        images.append(image)
    return images


def _bare() -> Dataset:
    image = made.instance(made.CT_IMAGE)
    image.Rows = image.Columns = 64
    return image


def _orientation_group() -> Dataset:
    plane, groups = Dataset(), Dataset()
    plane.ImageOrientationPatient = list(AXIAL)
    groups.PlaneOrientationSequence = Sequence([plane])
    return groups


def _position_group(where: float) -> Dataset:
    plane, groups = Dataset(), Dataset()
    plane.ImagePositionPatient = [0.0, 0.0, where]
    groups.PlanePositionSequence = Sequence([plane])
    return groups
