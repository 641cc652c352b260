"""Images without usable numbers are in the order of the patient, or in one that is said not to be
known."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.node import AnyNode, Node, WebNode
from tests.asking import ask, fail, look
from tests.content.samples import gradient, image
from tests.notes import the_note
from tests.peers.embedded import embedded_web
from tests.peers.orthanc import orthanc

AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
CORONAL = [1.0, 0.0, 0.0, 0.0, 0.0, -1.0]
SERIES = "2.25.3"


type Numbers = Callable[[int], int | None] | int | None
type Given = Callable[[int], str]


def stack(count: int = 12, *, numbers: Numbers = None, **attributes: Any) -> list[Dataset]:
    """Axial images at 10, 20, 30 … mm, their UIDs as text in another order than their positions.

    `numbers` is the same instance number for all, or a function of the place from 1.
    """
    made: list[Dataset] = []
    for place in range(1, count + 1):
        one = image(gradient(0, 200, "u1"), modality="CT", **attributes)
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = UID(f"2.25.9.{place * 10}")
        one.StudyDescription, one.FrameOfReferenceUID = "Stack", "2.25.4"
        one.ImageOrientationPatient = AXIAL
        one.ImagePositionPatient = [-10.0, -10.0, place * 10.0]
        one.InstanceNumber = numbers(place) if callable(numbers) else numbers
        made.append(one)
    return made


def without_position(images: Sequence[Dataset], **given: Given) -> list[Dataset]:
    """The same, which do not say where they lie; `given` makes an attribute of the place."""
    for place, one in enumerate(images, start=1):
        del one.ImagePositionPatient, one.ImageOrientationPatient
        for keyword, value in given.items():
            setattr(one, keyword, value(place))
    return [*images]


def _by_thirds(place: int) -> int:
    return place % 3


def _location(place: int) -> str:
    return str(place)


def _time(place: int) -> str:
    return f"1015{place:02}"


@contextmanager
def archive(images: Sequence[Dataset], kind: str, directory: Path) -> Generator[AnyNode]:
    shuffled = [*images]
    Random(4).shuffle(shuffled)
    if kind == "DICOMweb":
        with embedded_web(shuffled) as url:
            yield WebNode(url)
    elif kind == "Orthanc":
        with orthanc(shuffled, directory) as peer:
            yield peer.node
    else:
        with EmbeddedArchive(shuffled, ae_title="ORDER") as held:
            yield Node(port=held.port, called_ae_title="ORDER")


@pytest.mark.parametrize("kind", ["DIMSE", "DICOMweb", "Orthanc"])
@pytest.mark.parametrize("numbers", [None, 1, _by_thirds])
def test_images_without_usable_numbers_are_in_the_order_of_their_positions(
    kind: str, numbers: Numbers, tmp_path: Path
) -> None:
    with archive(stack(numbers=numbers), kind, tmp_path) as node:
        for at, place in (("first", 1), ("last", 12), ("25 %", 4)):
            said, _ = look(node, "view_image", series_instance_uid=SERIES, at=at)
            assert f"axial at {place}0.0 mm" in said["caption"][0]
            assert said["image"]["place"] == f"{place} of 12 by position"
            assert said["complete"] is True
        assert any("the images are by position, from 10.0 to 120.0 mm" in n for n in said["notes"])
        said, _ = look(node, "view_series", series_instance_uid=SERIES)
        assert _places(said) == [place * 10.0 for place in range(1, 13)]
        said, _ = look(node, "view_image", series_instance_uid=SERIES, at="70 mm")
        assert said["image"]["place"] == "7 of 12 by position"
        told = ask(node, "read_header", series_instance_uid=SERIES, at="last")
        assert told["object"]["place"] == "12 of 12 by position"
        assert told["object"]["sop_instance_uid"] == "2.25.9.120"


def test_two_series_without_numbers_are_matched_by_position(tmp_path: Path) -> None:
    left, right = stack(), stack(6, numbers=1)
    for one in right:
        one.SeriesInstanceUID = "2.25.5"
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = UID(
            f"{one.SOPInstanceUID}.1"
        )
    with archive([*left, *right], "DIMSE", tmp_path) as node:
        said, _ = look(
            node, "view_series", series_instance_uid=SERIES, compare_with="2.25.5", at="36 %"
        )
        assert said["image"]["left"]["sop_instance_uid"] == "2.25.9.50"
        assert said["image"]["right"]["sop_instance_uid"] == "2.25.9.50.1"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"SliceLocation": _location}, "by slice location"),
        ({"AcquisitionTime": _time}, "by acquisition time"),
        ({"TriggerTime": _location}, "by trigger time"),
        ({"ContentTime": _time}, "by content time"),
    ],
)
@pytest.mark.parametrize("kind", ["DIMSE", "DICOMweb"])
def test_images_without_a_position_are_by_location_or_time(
    kind: str, given: dict[str, Given], words: str, tmp_path: Path
) -> None:
    images = without_position(stack(), **given)
    with archive(images, kind, tmp_path) as node:
        said, _ = look(node, "view_image", series_instance_uid=SERIES, at="last")
        assert said["image"]["sop_instance_uid"] == "2.25.9.120"
        assert said["image"]["place"] == f"12 of 12 {words}"
        assert any(words in note for note in said["notes"])


def test_an_order_that_nothing_tells_is_said_not_to_be_known(tmp_path: Path) -> None:
    images = without_position(stack(), ContentTime=lambda _: "", AcquisitionTime=lambda _: "")
    with archive(images, "DIMSE", tmp_path) as node:
        said, _ = look(node, "view_image", series_instance_uid=SERIES, at="last")
        assert said["complete"] is False
        assert said["image"]["place"] == "12 of 12 in no known order"
        assert the_note(said["notes"], "say neither where they lie nor when", "is not known")
        assert "no numbers" in fail(node, "view_image", series_instance_uid=SERIES, at=3)


def test_images_of_one_place_are_not_said_to_have_none(tmp_path: Path) -> None:
    images = without_position(stack(), ContentTime=lambda _: "", AcquisitionTime=lambda _: "")
    for one in images:
        one.ImagePositionPatient, one.ImageOrientationPatient = [0, 0, 5], [1, 0, 0, 0, 1, 0]
    with archive(images, "DIMSE", tmp_path) as node:
        said, _ = look(node, "view_image", series_instance_uid=SERIES)
        assert the_note(said["notes"], "lie at one place, and no time tells them apart")


def test_a_localizer_in_the_stack_lies_by_itself_at_the_end(tmp_path: Path) -> None:
    images = stack(8)
    for one in images[2:4]:
        one.ImageOrientationPatient = CORONAL
    with archive(images, "DIMSE", tmp_path) as node:
        said, _ = look(node, "view_series", series_instance_uid=SERIES)
        planes = [
            "coronal" if "coronal" in line else "axial"
            for line in said["caption"]
            if line[0].isdigit() and "mm" in line
        ]
        assert planes == ["axial"] * 6 + ["coronal"] * 2
        assert any("2 orientations" in note for note in said["notes"])


def test_phases_at_one_position_are_in_the_order_of_their_times(tmp_path: Path) -> None:
    images = stack(12, numbers=1)
    for place, one in enumerate(images):
        one.ImagePositionPatient = [-10.0, -10.0, float(place % 4)]
        one.AcquisitionTime = f"1015{place // 4:02}"
    with archive(images, "DIMSE", tmp_path) as node:
        said, _ = look(node, "view_image", series_instance_uid=SERIES, at="last")
        assert said["image"]["sop_instance_uid"] == "2.25.9.120"
        assert any("12 of 12 images share their place" in note for note in said["notes"])


def test_numbers_that_are_not_there_tell_no_gaps(tmp_path: Path) -> None:
    images = stack(6, numbers=lambda place: None if place in (2, 3) else place)
    with archive(images, "DIMSE", tmp_path) as node:
        told = ask(node, "study_overview", study_instance_uid="2.25.2")
        (row,) = told["records"]
        assert "lacks" not in row
        assert row["without_number"] == 2
        assert any("2 of 6 instances have no number" in note for note in told["notes"])


def test_numbers_that_tell_are_the_order_whatever_the_positions(tmp_path: Path) -> None:
    with archive(stack(numbers=lambda place: 13 - place), "DIMSE", tmp_path) as node:
        said, _ = look(node, "view_image", series_instance_uid=SERIES, at="first")
        assert "axial at 120.0 mm" in said["caption"][0]
        assert said["image"]["place"] == "1 of 12 by instance number"
        assert said["notes"] == []


def _places(said: dict[str, Any]) -> list[float]:
    return [
        float(line.rpartition("axial at ")[2].split()[0])
        for line in said["caption"]
        if line[0].isdigit() and " mm" in line
    ]


@pytest.mark.parametrize("volumes", [2, 5])
def test_the_middle_of_volumes_one_after_the_other_is_that_of_the_first(
    volumes: int, tmp_path: Path
) -> None:
    images = stack(9 * volumes, numbers=lambda place: place)
    for place, one in enumerate(images):
        one.ImagePositionPatient = [-10.0, -10.0, float(place % 9)]
    with archive(images, "DIMSE", tmp_path) as node:
        said, _ = look(node, "view_image", series_instance_uid=SERIES)
        assert "axial at 4.0 mm" in said["caption"][0]
        assert said["image"]["instance_number"] == 5
        assert f"several volumes or orientations ({volumes} images lie" in said["notes"][0]
