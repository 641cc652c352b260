"""The picture that is shown is the picture that was asked for, or none is."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset

from dicom_mcp.config import Settings
from dicom_mcp.content.picture import picture
from dicom_mcp.content.window import Window
from dicom_mcp.deadline import Deadline
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.habits import Habits
from dicom_mcp.demo.objects import study_uid
from dicom_mcp.dicom_api import Archive
from dicom_mcp.door.call import Call
from dicom_mcp.door.house import House
from dicom_mcp.door.progress import Progress
from dicom_mcp.door.shelf import Shelf
from dicom_mcp.errors import BadArgument
from dicom_mcp.node import AnyNode, Node, WebNode
from dicom_mcp.objects import objects as fetching
from dicom_mcp.objects.image_choice import ImageChoice, at_share, spread
from dicom_mcp.objects.objects import members
from dicom_mcp.standard.instance import Instance, Reference
from dicom_mcp.tools.view import view_image, view_series
from tests.asking import fail, look
from tests.content import documents as made
from tests.content.overlays import add_plane
from tests.content.samples import gradient, image
from tests.notes import the_note
from tests.peers.embedded import embedded_web


@pytest.fixture(scope="module", params=["DIMSE", "DICOMweb"])
def node(request: pytest.FixtureRequest, database: str) -> Iterator[AnyNode]:
    if request.param == "DICOMweb":
        with embedded_web([], database=database) as url:
            yield WebNode(url)
        return
    with EmbeddedArchive([], ae_title="SHOWS", database=database) as archive:
        yield Node(port=archive.port, called_ae_title="SHOWS")


def series(held: Sequence[Dataset], study: str, description: str) -> list[Dataset]:
    """The images of a series in the order of their numbers."""
    found = [
        one
        for one in held
        if one.StudyInstanceUID == study_uid(study) and one.SeriesDescription == description
    ]
    return sorted(found, key=lambda one: one.InstanceNumber)


@pytest.fixture(scope="module")
def chest(held: list[Dataset]) -> list[Dataset]:
    return series(held, "nodule ct follow-up", "Lunge 10.0")


@pytest.mark.parametrize(
    ("at", "index"),
    [
        ("first", 0),
        ("middle", 12),
        ("last", 23),
        ("30 %", 7),
        (0.3, 7),
        ("0.75", 17),
        (5, 4),
        ("5", 4),
        ("instance 5", 4),
        ("-42 mm", 7),
        ("-40.5 mm", 7),
        ("118mm", 23),
    ],
)
def test_an_image_is_chosen_by_share_number_or_place(
    node: AnyNode, chest: list[Dataset], at: Any, index: int
) -> None:
    uid = str(chest[0].SeriesInstanceUID)
    said, (shown,) = look(node, "view_image", series_instance_uid=uid, at=at)
    assert said["image"]["sop_instance_uid"] == chest[index].SOPInstanceUID
    assert said["image"]["place"] == f"{index + 1} of 24 by instance number"
    assert said["complete"] is True
    assert shown == picture(chest[index]).content


@pytest.mark.parametrize(
    ("words", "window"),
    [
        ("lung", "lung"),
        ("2", "2"),
        ("full", "full"),
        ("40/400", Window(40, 400)),
        ("-600, 1500", Window(-600, 1500)),
        ("W400 L40", Window(40, 400)),
    ],
)
def test_a_window_is_a_preset_of_the_file_or_of_its_own(
    node: AnyNode, chest: list[Dataset], words: str, window: Any
) -> None:
    uid = str(chest[0].SeriesInstanceUID)
    _, (shown,) = look(node, "view_image", series_instance_uid=uid, window=words)
    assert shown == picture(chest[12], window=window).content


def test_every_kind_of_image_is_shown_as_the_object_says(
    node: AnyNode, held: list[Dataset]
) -> None:
    kinds: dict[tuple[str, str], Dataset] = {}
    for one in held:
        if "PixelData" in one:
            kinds.setdefault((one.SOPClassUID, str(one.file_meta.TransferSyntaxUID)), one)
    assert len(kinds) > 6
    for one in kinds.values():
        frames = int(one.get("NumberOfFrames", 1))
        said, (shown,) = look(
            node,
            "view_image",
            series_instance_uid=str(one.SeriesInstanceUID),
            sop_instance_uid=str(one.SOPInstanceUID),
            frame=frames,
            size=500,
            format="jpeg",
        )
        expected = picture(one, frames, longest_side=500, mime="image/jpeg")
        assert shown == expected.content
        assert said["caption"] == expected.caption.split("\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"at": 99}, "has no instance number 99"),
        ({"at": "900 mm"}, "does not reach 900.0 mm: it lies between -112.0 and 118.0"),
        ({"at": "somewhere"}, "names no image"),
        ({"at": "130 %"}, "names no image"),
        ({"frame": 2}, "There is no frame 2"),
        ({"window": "purple"}, "no window of that name"),
        ({"window": "40/0"}, "shows nothing"),
        ({"series_instance_uid": "1.2.3"}, "holds no series with this UID"),
        ({"series_instance_uid": ""}, "must be one UID"),
        ({"series_instance_uid": "1.2\\1.3"}, "must be one UID"),
        ({"sop_instance_uid": "1.2.3"}, "holds no object with this UID"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_the_reason(
    node: AnyNode, chest: list[Dataset], arguments: dict[str, Any], sentence: str
) -> None:
    uid = {"series_instance_uid": str(chest[0].SeriesInstanceUID)}
    assert sentence in fail(node, "view_image", **{**uid, **arguments})


def test_what_is_no_picture_says_what_reads_it(node: AnyNode, held: list[Dataset]) -> None:
    report = next(one for one in held if one.Modality == "SR")
    told = fail(node, "view_image", series_instance_uid=str(report.SeriesInstanceUID))
    assert "read_report" in told
    ecg = next(one for one in held if one.Modality == "ECG")
    assert "no pixel data" in fail(
        node, "view_series", series_instance_uid=str(ecg.SeriesInstanceUID)
    )


def test_a_contact_sheet_shows_images_from_the_first_to_the_last(
    node: AnyNode, chest: list[Dataset]
) -> None:
    uid = str(chest[0].SeriesInstanceUID)
    said, (shown,) = look(node, "view_series", series_instance_uid=uid, images=9, size=900)
    listed = [line for line in said["caption"] if line[0].isdigit()]
    numbers = [int(line.split("instance ")[1].split(",")[0]) for line in listed]
    assert numbers == [one.InstanceNumber for one in spread(chest, 9)]
    assert numbers[0] == 1
    assert numbers[-1] == 24
    assert "9 of 24 images, evenly spread." in said["notes"]
    assert 850 < max(Image.open(BytesIO(shown)).size) <= 900


def test_a_sheet_of_one_object_shows_its_frames(node: AnyNode, held: list[Dataset]) -> None:
    heart = series(held, "heart echo", "Apical 4 chamber")
    uid = str(heart[0].SeriesInstanceUID)
    said, _ = look(node, "view_series", series_instance_uid=uid)
    frames = [line.partition(". ")[2] for line in said["caption"] if line[0].isdigit()]
    count = int(heart[0].NumberOfFrames)
    assert [line.partition(",")[0] for line in frames] == [
        f"frame {number} of {count}" for number in range(1, count + 1)
    ]
    said, (shown,) = look(node, "view_image", series_instance_uid=uid, at="last")
    assert said["image"]["frame"] == heart[0].NumberOfFrames
    assert shown == picture(heart[0], int(heart[0].NumberOfFrames)).content


def test_two_series_of_one_frame_of_reference_are_matched_by_position(
    node: AnyNode, held: list[Dataset], chest: list[Dataset]
) -> None:
    target = series(held, "nodule ct follow-up", "Lunge Rundherd 1.25")
    said, _ = look(
        node,
        "view_series",
        series_instance_uid=str(target[0].SeriesInstanceUID),
        compare_with=str(chest[0].SeriesInstanceUID),
    )
    left = next(one for one in target if one.SOPInstanceUID == _side(said, "left"))
    right = next(one for one in chest if one.SOPInstanceUID == _side(said, "right"))
    where = left.ImagePositionPatient[2]
    nearest = min(chest, key=lambda one: abs(one.ImagePositionPatient[2] - where))
    assert right is nearest
    assert left is target[8]
    assert the_note(said["notes"], "Matched by position")
    told = fail(
        node,
        "view_series",
        series_instance_uid=str(chest[0].SeriesInstanceUID),
        compare_with=str(target[0].SeriesInstanceUID),
        at="first",
    )
    assert "The other series does not reach" in told


def test_two_studies_are_matched_by_share_and_the_answer_says_so(
    node: AnyNode, held: list[Dataset], chest: list[Dataset]
) -> None:
    before = series(held, "nodule ct first", "Lunge 10.0")
    uids = {"series_instance_uid": str(before[0].SeriesInstanceUID)}
    said, _ = look(
        node,
        "view_series",
        **uids,
        compare_with=str(chest[0].SeriesInstanceUID),
        at="40 %",
        window="lung",
    )
    assert the_note(said["notes"], "different frames of reference")
    assert _side(said, "left") == before[9].SOPInstanceUID
    assert _side(said, "right") == chest[9].SOPInstanceUID
    assert said["caption"][0].startswith(f"Left: {before[0].StudyDate}, CT")
    other = series(held, "smoker ct today", "Lung 10.0")
    said, _ = look(node, "view_series", **uids, compare_with=str(other[0].SeriesInstanceUID))
    assert the_note(said["notes"], "different Patient IDs")
    knee = series(held, "knee mr", "pd_fs_cor")
    told = fail(node, "view_series", **uids, compare_with=str(knee[0].SeriesInstanceUID))
    assert "different orientations" in told


def _side(said: dict[str, Any], side: str) -> str:
    return said["image"][side]["sop_instance_uid"]


def test_images_of_several_orientations_have_no_common_position(held: list[Dataset]) -> None:
    axial = series(held, "nodule ct follow-up", "Lunge 10.0")[:2]
    scout = deepcopy(axial[0])
    scout.SOPInstanceUID, scout.InstanceNumber = "2.25.1", 99
    scout.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    with EmbeddedArchive([*axial, scout], ae_title="MIXED") as archive:
        node = Node(port=archive.port, called_ae_title="MIXED")
        uid = str(scout.SeriesInstanceUID)
        told = fail(node, "view_image", series_instance_uid=uid, at="0 mm")
        assert "several orientations" in told
        said, _ = look(node, "view_image", series_instance_uid=uid, at=99)
        assert "coronal" in said["caption"][0]


def test_an_image_that_cannot_be_shown_is_left_out_of_a_sheet_and_named(
    held: list[Dataset],
) -> None:
    some = [deepcopy(one) for one in series(held, "nodule ct follow-up", "Lunge 10.0")[:4]]
    some[1].PixelData = some[1].PixelData[:100]
    with EmbeddedArchive(some, ae_title="PART") as archive:
        node = Node(port=archive.port, called_ae_title="PART")
        uid = str(some[0].SeriesInstanceUID)
        said, _ = look(node, "view_series", series_instance_uid=uid)
        assert said["complete"] is False
        assert any("Not shown: instance 2." in note for note in said["notes"])
        assert any(note.startswith("Not complete") for note in said["notes"])
        assert "pixel data ends" in fail(node, "view_image", series_instance_uid=uid, at=2)


def test_a_sheet_of_an_object_that_ends_early_shows_the_frames_before() -> None:
    made = image(np.full((4, 16, 16), 7, "u1"), NumberOfFrames=4)
    made.PixelData = made.PixelData[: 16 * 40]
    with EmbeddedArchive([made], ae_title="EARLY") as archive:
        node = Node(port=archive.port, called_ae_title="EARLY")
        said, _ = look(node, "view_series", series_instance_uid=str(made.SeriesInstanceUID))
    assert said["complete"] is False
    assert the_note(said["notes"], "Not shown:", "from frame 3 on")
    assert "2 images in rows" in said["caption"][0]


def test_a_picture_that_is_too_large_as_png_is_a_jpeg_and_says_so() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (1500, 1500, 3), np.uint8)
    dataset = image(noise)
    with EmbeddedArchive([dataset], ae_title="NOISE") as archive:
        node = Node(port=archive.port, called_ae_title="NOISE")
        said, (shown,) = look(node, "view_image", series_instance_uid="2.25.3", size=1500)
        assert shown.startswith(b"\xff\xd8")
        assert len(shown) < 3_700_000
        assert any("JPEG" in note for note in said["notes"])


# What was fetched is kept a while


def test_the_next_look_at_an_image_fetches_nothing(
    held: list[Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []
    fetch = Archive.objects

    def counting(self: Archive, references: Sequence[Any], *given: Any, **named: Any) -> Any:
        counts.append(len(references))
        return fetch(self, references, *given, **named)

    monkeypatch.setattr(Archive, "objects", counting)
    chest = series(held, "nodule ct follow-up", "Lunge 10.0")
    with EmbeddedArchive(chest, ae_title="ONCE") as archive:
        house = House(Settings(Node(port=archive.port, called_ae_title="ONCE")))
        uid = str(chest[0].SeriesInstanceUID)

        def call() -> Call:
            session = house.session()
            archive = session.archive(session.names())
            return Call(session, archive, Deadline(30), Progress())

        view_image(call(), uid)
        view_image(call(), uid, window="lung")
        assert counts == [6, 1]  # with a few that tell whether the series is one volume
        view_series(call(), uid, images=24)
        assert counts == [6, 1, 23]
        view_image(call(), uid, at="-42 mm")
        view_image(call(), uid, at="last", window="bone")
        assert counts == [6, 1, 23]
        assert house.shelf.size > 24 * 128 * 128 * 2
        house.close()
        assert house.shelf.size == 0


@pytest.mark.usefixtures("tidy")
def test_the_shelf_keeps_what_was_asked_for_last_and_forgets_the_rest() -> None:
    shelf: Shelf[Any] = Shelf(seconds=60, most_bytes=100)
    for number in range(5):
        shelf.put(("here", str(number), False), _instance(30))
        shelf.get(("here", "0", False))
    assert shelf.get(("here", "0", False))
    assert not shelf.get(("here", "1", False))
    assert not shelf.get(("there", "0", False))
    assert shelf.size == 90
    shelf.put(("here", "large", False), _instance(101))
    assert shelf.size == 0
    shelf.put(("here", "0", False), _instance(1))
    shelf.clear()
    assert shelf.size == 0


@pytest.mark.usefixtures("tidy")
def test_what_nobody_asks_for_again_goes_by_itself() -> None:
    shelf: Shelf[Any] = Shelf(seconds=0.05)
    shelf.put(("here", "1", False), _instance(10))
    timer = shelf._timer  # pyright: ignore[reportPrivateUsage]
    assert timer
    timer.join(10)
    assert shelf.size == 0


def _instance(size: int) -> Instance:
    return Instance("", "", "", bytearray(size))


def test_an_object_that_is_too_large_is_refused(
    held: list[Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "LARGEST_OBJECT", 10_000)
    chest = series(held, "nodule ct follow-up", "Lunge 10.0")[:1]
    with EmbeddedArchive(chest, ae_title="LARGE") as archive:
        node = Node(port=archive.port, called_ae_title="LARGE")
        told = fail(node, "view_image", series_instance_uid=str(chest[0].SeriesInstanceUID))
        assert "too large: at most 10,000" in told


def test_objects_without_a_number_of_frames_in_the_answers_are_shown_too() -> None:
    frames = np.stack([gradient(number, number + 50, "u1") for number in range(9)])
    dataset = image(frames, NumberOfFrames=9)
    habits = Habits(unreturned=frozenset({"NumberOfFrames"}))
    with EmbeddedArchive([dataset], ae_title="FRAMES", habits=habits) as archive:
        node = Node(port=archive.port, called_ae_title="FRAMES")
        said, _ = look(node, "view_image", series_instance_uid="2.25.3", at="last")
        assert said["image"]["frame"] == 9
        said, _ = look(node, "view_series", series_instance_uid="2.25.3", images=4)
        assert [line[3:] for line in said["caption"][1:5]] == [
            f"frame {number} of 9" for number in (1, 4, 6, 9)
        ]


def test_places_are_understood_as_people_write_them() -> None:
    assert (
        ImageChoice.of("Centre")
        == ImageChoice.of(0.5)
        == ImageChoice.of("50%")
        == ImageChoice(share=0.5)
    )
    assert (
        ImageChoice.of("slice 12")
        == ImageChoice.of("#12")
        == ImageChoice.of(12)
        == ImageChoice(number=12)
    )
    assert ImageChoice.of("-12.5 mm") == ImageChoice(millimetres=-12.5)
    for wrong in ("1.5", "-3", "12 cm", "101 %", 7.5):
        with pytest.raises(BadArgument):
            ImageChoice.of(wrong)


def test_frames_that_are_only_claimed_are_not_counted_out() -> None:
    some = [
        fetching.Member(Reference("1", "2", str(number)), number, 20_000, {})
        for number in range(10_000)
    ]
    frames = fetching.Frames(some)
    assert len(frames) == 200_000_000
    assert frames[0] == (some[0], 1)
    assert frames[19_999] == (some[0], 20_000)
    assert frames[20_000] == (some[1], 1)
    assert at_share(frames, 1.0) == (some[-1], 20_000)
    assert frames[1:3] == [(some[0], 2), (some[0], 3)]
    assert spread(frames, 3)[1] == (some[5_000], 1)


def test_a_series_is_found_without_its_study_in_a_strict_archive(
    held: list[Dataset], database: str
) -> None:
    chest = series(held, "nodule ct follow-up", "Lunge 10.0")
    with EmbeddedArchive([], ae_title="STRICT", hierarchy="strict", database=database) as archive:
        house = House(Settings(Node(port=archive.port, called_ae_title="STRICT")))
        session = house.session()
        call = Call(session, session.archive(session.names()), Deadline(30), Progress())
        found = members(call, str(chest[0].SeriesInstanceUID))
        assert [one.uid for one in found.objects] == [str(one.SOPInstanceUID) for one in chest]
        assert found.study_instance_uid == chest[0].StudyInstanceUID
        house.close()


def test_a_series_alone_is_asked_for_its_study_once(held: list[Dataset], database: str) -> None:
    chest = series(held, "nodule ct follow-up", "Lunge 10.0")
    with EmbeddedArchive([], ae_title="ONCE", database=database) as archive:
        house = House(Settings(Node(port=archive.port, called_ae_title="ONCE")))
        session = house.session()
        call = Call(session, session.archive(session.names()), Deadline(30), Progress())
        found = members(call, str(chest[0].SeriesInstanceUID))
        assert len(found.objects) == len(chest)
        assert call.queries == 3  # whose it is, what it holds, and that this is all
        house.close()


def test_overlays_are_drawn_where_they_are_asked_for_and_told_else() -> None:
    dataset = image(gradient(0, 255, "u1"), StudyDescription="Overlays")
    add_plane(dataset, np.eye(16, 32, dtype=bool))
    with EmbeddedArchive([dataset], ae_title="OVER") as archive:
        node = Node(port=archive.port, called_ae_title="OVER")
        for tool in ("view_image", "view_series"):
            said, (plain,) = look(node, tool, series_instance_uid="2.25.3")
            assert any("Not drawn: overlays 6000" in line for line in said["caption"])
            said, (shown,) = look(node, tool, series_instance_uid="2.25.3", overlays=True)
            assert any("Drawn over the image" in line for line in said["caption"])
            assert _yellow(shown) > 100 > _yellow(plain)


def _yellow(content: bytes) -> int:
    """How many pixels are yellow."""
    pixels = np.asarray(Image.open(BytesIO(content)).convert("RGB")).astype(int)
    return int((pixels[..., 0] + pixels[..., 1] - 2 * pixels[..., 2] > 200).sum())


def test_presentation_states_that_are_for_an_image_are_told() -> None:
    some = [image(gradient(0, 255, "u1"), StudyDescription="Drawn on") for _ in range(3)]
    for number, one in enumerate(some, start=1):
        one.SOPInstanceUID, one.InstanceNumber = f"2.25.7.{number}", number
    state = made.instance(made.PRESENTATION_STATE)
    state.SOPInstanceUID, state.SeriesInstanceUID, state.Modality = "2.25.8", "2.25.6", "PR"
    state.StudyDescription, state.ContentLabel = "Drawn on", "FINDINGS"
    series, reference = Dataset(), Dataset()
    reference.ReferencedSOPClassUID = some[1].SOPClassUID
    reference.ReferencedSOPInstanceUID = some[1].SOPInstanceUID
    series.SeriesInstanceUID, series.ReferencedImageSequence = "2.25.3", [reference]
    state.ReferencedSeriesSequence = [series]
    with EmbeddedArchive([*some, state], ae_title="DRAWN") as archive:
        node = Node(port=archive.port, called_ae_title="DRAWN")
        said, _ = look(node, "view_image", series_instance_uid="2.25.3", at=2)
        assert "1 presentation states of the study are for what is shown (FINDINGS)" in "".join(
            said["notes"]
        )
        assert "2.25.6" in "".join(said["notes"])
        said, _ = look(node, "view_image", series_instance_uid="2.25.3", at=1)
        assert said["notes"] == []
        said, _ = look(node, "view_series", series_instance_uid="2.25.3")
        assert "FINDINGS" in "".join(said["notes"])
