"""Two series beside each other show the same part of the body, or the answer says why not."""

from collections.abc import Generator
from contextlib import contextmanager
from io import BytesIO
from math import cos, radians, sin
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.node import Node
from tests.asking import fail, look
from tests.content.samples import image
from tests.notes import the_note

AXIAL = np.eye(3)
SAGITTAL = np.array([[0.0, 1, 0], [0, 0, -1], [-1, 0, 0]])
SIDE = 40

# Balls in the phantom: where each is, its radius, its value.
BALLS = (((0, 0, 0), 8, 1000), ((12, -6, 5), 4, 600), ((-9, 10, -7), 5, 300))


def about(axis: int, degrees: float) -> "np.ndarray[Any, Any]":
    """A turn about an axis of the patient."""
    one, other = (axis + 1) % 3, (axis + 2) % 3
    turn = np.eye(3)
    turn[one, one] = turn[other, other] = cos(radians(degrees))
    turn[one, other], turn[other, one] = -sin(radians(degrees)), sin(radians(degrees))
    return turn


def phantom(points: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """Values at points of the patient: balls with soft edges, as a slice averages them."""
    found = np.zeros(points.shape[:-1])
    for centre, radius, value in BALLS:
        off = np.linalg.norm(points - np.asarray(centre), axis=-1)
        found = np.maximum(found, value * (1 - (off - radius).clip(0, 3) / 3))
    return found


def plane(one: Dataset) -> "np.ndarray[Any, Any]":
    """The points of the pixels of an image."""
    row, column = np.reshape([float(value) for value in one.ImageOrientationPatient], (2, 3))
    first = np.asarray([float(value) for value in one.ImagePositionPatient])
    steps = np.arange(SIDE, dtype=float)
    return first + steps[:, None, None] * column + steps[None, :, None] * row


def series(
    name: str,
    axes: "np.ndarray[Any, Any]" = AXIAL,
    *,
    count: int = 41,
    step: float = 1.0,
    study: str = "2.25.1",
    frame: str = "2.25.9",
) -> list[Dataset]:
    """Images of the phantom in planes along the first two axes, stacked along the third."""
    made: list[Dataset] = []
    for number in range(count):
        one = image(
            np.zeros((SIDE, SIDE), "u2"),
            modality="CT",
            StudyInstanceUID=study,
            StudyDate="20260101",
            SeriesInstanceUID=f"2.25.2{name}",
            SOPInstanceUID=f"2.25.3{name}{number:03}",
            SOPClassUID="1.2.840.10008.5.1.4.1.1.2",
            InstanceNumber=number + 1,
            PatientID="P",
            FrameOfReferenceUID=frame,
            PixelSpacing=[1, 1],
            ImageOrientationPatient=[*axes[0], *axes[1]],
            RescaleSlope=2,
            RescaleIntercept=-100,
            WindowCenter=500,
            WindowWidth=1001,
        )
        along = (number - (count - 1) / 2) * step
        corner = -(SIDE - 1) / 2 * (axes[0] + axes[1]) + along * axes[2]
        one.ImagePositionPatient = [round(float(value), 4) for value in corner]
        one.PixelData = np.rint((phantom(plane(one)) + 100) / 2).astype("u2").tobytes()
        made.append(one)
    return made


@contextmanager
def archive(*several: list[Dataset]) -> Generator[Node]:
    with EmbeddedArchive([one for each in several for one in each], ae_title="PRIORS") as held:
        yield Node(port=held.port, called_ae_title="PRIORS")


def compared(left: list[Dataset], right: list[Dataset], **arguments: Any) -> Any:
    """What is said, and the greys of both halves of the picture."""
    with archive(left, right) as node:
        said, (shown,) = look(
            node,
            "view_series",
            series_instance_uid=str(left[0].SeriesInstanceUID),
            compare_with=str(right[0].SeriesInstanceUID),
            size=600,
            **arguments,
        )
    greys = np.asarray(Image.open(BytesIO(shown)).convert("L")).astype(int)
    width = greys.shape[1] // 2
    return said, greys[:, :width], greys[:, width : 2 * width]


def off(one: "np.ndarray[Any, Any]", other: "np.ndarray[Any, Any]") -> float:
    """The mean difference of two halves where the images are; labels and letters left out."""
    part = slice(30, -50), slice(30, -30)
    return float(np.abs(one[part] - other[part]).mean())


def instance(said: dict[str, Any], side: str) -> int:
    return said["image"][side]["instance_number"]


def test_a_head_angled_by_half_a_degree_is_compared_and_the_angle_told() -> None:
    said, left, right = compared(series("1"), series("2", AXIAL @ about(0, 0.5)))
    assert (instance(said, "left"), instance(said, "right")) == (21, 21)
    assert the_note(said["notes"], "angled by 0.5°")
    assert "made" not in said["image"]["right"]
    assert off(left, right) < 4


def test_images_beside_each_other_in_one_plane_are_said_to_be() -> None:
    left, right = series("1", count=5), series("2", count=5)
    for one in right:
        one.ImagePositionPatient = [
            one.ImagePositionPatient[0] + 100,
            *one.ImagePositionPatient[1:],
        ]
    said, *_ = compared(left, right)
    assert the_note(said["notes"], "do not lie over each other: their middles are 100 mm apart")


@pytest.mark.parametrize("degrees", [10, -35])
def test_an_angled_volume_is_resampled_in_the_plane_of_the_other(degrees: float) -> None:
    said, left, right = compared(series("1"), series("2", AXIAL @ about(0, degrees)), at="40 %")
    assert the_note(said["notes"], f"angled by {abs(degrees)}.0°")
    assert the_note(said["notes"], "Right is no image of the archive: it was resampled")
    assert said["image"]["right"]["made"] == "resampled"
    assert "resampled" in said["caption"][1]
    assert said["complete"] is True
    assert off(left, right) < 4


def test_a_volume_in_another_plane_of_the_body_is_resampled_too() -> None:
    said, left, right = compared(series("1", step=2, count=21), series("2", SAGITTAL, step=2))
    assert said["image"]["right"]["made"] == "resampled"
    assert off(left, right) < 6


def test_thick_slices_are_shown_as_they_are_nearest_to_the_middle_of_the_image() -> None:
    said, left, right = compared(
        series("1"), series("2", AXIAL @ about(0, 15), count=9, step=5), at=26
    )
    assert "made" not in said["image"]["right"]
    assert instance(said, "right") == 6  # 5 mm * cos 15° up from the middle
    assert the_note(said["notes"], "angled by 15.0°")
    assert the_note(said["notes"], "5 mm apart")
    assert off(left, right) < 20


@pytest.mark.parametrize(
    ("axes", "words", "frame"),
    [
        (about(2, 30) @ AXIAL, "turned in their plane by 30.0°", "2.25.9"),
        (about(2, 90) @ AXIAL, "turned in their plane by 90.0°", "2.25.10"),
        (np.diag([-1.0, 1, 1]), "seen from the other side", "2.25.9"),
        (np.diag([1.0, -1, -1]), "seen from the other side", "2.25.10"),
    ],
)
def test_parallel_series_that_are_turned_in_their_plane_are_turned_back(
    axes: "np.ndarray[Any, Any]", words: str, frame: str
) -> None:
    right = series("2", axes, frame=frame)
    said, left, shown = compared(series("1"), right, at="40 %")
    assert the_note(said["notes"], words)
    assert the_note(said["notes"], "turned in its plane")
    assert said["image"]["right"]["made"] == "turned"
    place = next(one for one in right if one.InstanceNumber == instance(said, "right"))
    assert float(place.ImagePositionPatient[2]) == -4
    if "other side" in words:
        assert off(left, shown) < 2  # one scale, and no interpolation
    else:
        middle = (slice(len(shown) // 2 - 30, len(shown) // 2 + 30),) * 2
        assert shown[middle].max() > 200


def test_a_prior_with_another_frame_of_reference_is_matched_by_share_whatever_its_angle() -> None:
    left = series("1", AXIAL @ about(0, 40))
    right = series("2", AXIAL @ about(0, 50), study="2.25.8", frame="2.25.10")
    said, _, _ = compared(left, right, at="25 %")
    assert the_note(said["notes"], "different frames of reference")
    assert the_note(said["notes"], "angled by 10.0°")
    towards = [float(one.ImagePositionPatient[2]) for one in (right[0], right[-1])]
    assert towards[0] < towards[1]
    assert (instance(said, "left"), instance(said, "right")) == (11, 11)


def test_a_localizer_beside_the_images_is_no_reason_to_refuse() -> None:
    scout = series("2", SAGITTAL, count=1)
    scout[0].InstanceNumber, scout[0].SOPInstanceUID = 99, "2.25.399"
    said, left, right = compared(series("1"), [*series("2"), *scout])
    assert instance(said, "right") == 21
    assert off(left, right) == 0


@pytest.mark.parametrize(
    ("right", "words"),
    [
        (series("2", SAGITTAL, frame="2.25.10"), "90° apart"),
        (series("2", SAGITTAL, count=2), "too few to be resampled"),
        (series("2", SAGITTAL, count=6, step=12), "too far to be resampled"),
    ],
)
def test_another_plane_is_refused_where_nothing_is_between_its_images(
    right: list[Dataset], words: str
) -> None:
    left = series("1")
    with archive(left, right) as node:
        told = fail(
            node,
            "view_series",
            series_instance_uid=str(left[0].SeriesInstanceUID),
            compare_with=str(right[0].SeriesInstanceUID),
        )
    assert "different orientations" in told
    assert words in told
