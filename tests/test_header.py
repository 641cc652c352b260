"""Headers as the objects have them, and counts over many against plain loops."""

from collections import Counter
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.habits import Habits
from dicom_mcp.demo.objects import study_uid
from dicom_mcp.demo.patients import STUDIES
from dicom_mcp.node import AnyNode, Node, WebNode
from tests.asking import ask, fail
from tests.notes import the_note
from tests.peers.embedded import capped, embedded, embedded_web
from tests.truth.archives import images


@pytest.fixture(scope="module", params=["DIMSE", "DICOMweb"])
def node(request: pytest.FixtureRequest, database: str) -> Iterator[AnyNode]:
    if request.param == "DICOMweb":
        with embedded_web([], database=database) as url:
            yield WebNode(url)
        return
    with EmbeddedArchive([], ae_title="HEADS", database=database) as archive:
        yield Node(port=archive.port, called_ae_title="HEADS")


def series(held: Sequence[Dataset], study: str, description: str) -> list[Dataset]:
    """The objects of a series in the order of their numbers."""
    found = [
        one
        for one in held
        if one.StudyInstanceUID == study_uid(study) and one.SeriesDescription == description
    ]
    return sorted(found, key=lambda one: one.InstanceNumber)


def only(objects: Sequence[Dataset], **arguments: Any) -> dict[str, Any]:
    """What sample_headers says of one series with its geometry, in an archive of these objects."""
    with EmbeddedArchive(objects, ae_title="ONLY") as archive:
        node = Node(port=archive.port, called_ae_title="ONLY")
        uids = [str(objects[0].SeriesInstanceUID)]
        return ask(node, "sample_headers", series_instance_uids=uids, **arguments)


def test_every_attribute_of_an_object_is_there_with_its_value(
    node: AnyNode, held: list[Dataset]
) -> None:
    chest = series(held, "nodule ct follow-up", "Lunge 10.0")
    uid = str(chest[0].SeriesInstanceUID)
    answer = ask(node, "read_header", series_instance_uid=uid, at=5)
    assert answer["complete"] is True
    assert answer["object"]["sop_instance_uid"] == chest[4].SOPInstanceUID
    said = {row["keyword"]: row.get("value", "") for row in answer["records"]}
    for element in chest[4]:
        if element.VR in ("LO", "SH", "CS", "DA", "TM", "AE") and element.VM == 1:
            if element.keyword != "SpecificCharacterSet":
                assert said[element.keyword] == str(element.value)
        elif element.VR in ("DS", "IS") and element.VM == 1:
            assert float(said[element.keyword]) == float(element.value)
    if "PixelData" in said:
        assert said["PixelData"] == "32,768 bytes"
        assert "Explicit VR Little Endian" in said["TransferSyntaxUID"]
    else:
        assert the_note(answer["notes"], "without pixels", "1.2.840.10008.1.2.1")
        assert "TransferSyntaxUID" not in said


def test_attributes_are_chosen_by_keyword_tag_or_word_wherever_they_stand(
    node: AnyNode, held: list[Dataset]
) -> None:
    chest = series(held, "nodule ct follow-up", "Lunge 10.0")
    wanted = ["KVP", "0018,0050", "window level", "CTDIvol", "(0019,100A)"]
    answer = ask(
        node,
        "read_header",
        series_instance_uid=str(chest[0].SeriesInstanceUID),
        attributes=wanted,
    )
    assert [row["keyword"] for row in answer["records"]] == [
        "SliceThickness",
        "KVP",
        "WindowCenter",
    ]
    assert "Not in this header: CTDIvol, 0019,100A." in answer["notes"]
    measured = series(held, "nodule ct follow-up", "Measurements")
    answer = ask(
        node,
        "read_header",
        series_instance_uid=str(measured[0].SeriesInstanceUID),
        attributes=["NumericValue"],
    )
    (row,) = answer["records"]
    assert float(row["value"]) == 9
    assert row["in"].endswith("MeasuredValueSequence[1]")
    assert row["in"].startswith("ContentSequence[")


def test_private_attributes_are_named_where_they_are_known(held: list[Dataset]) -> None:
    image = deepcopy(series(held, "nodule ct follow-up", "Lunge 10.0")[0])
    block = image.private_block(0x0019, "SIEMENS CT VA0  COAD", create=True)
    block.add_new(0xA5, "SS", 3)
    nobody = image.private_block(0x0021, "NOBODY'S", create=True)
    nobody.add_new(0x01, "LO", "of their own")
    with EmbeddedArchive([image], ae_title="OWN") as archive:
        node = Node(port=archive.port, called_ae_title="OWN")
        answer = ask(
            node,
            "read_header",
            series_instance_uid=str(image.SeriesInstanceUID),
            attributes=["0019,10A5", "(0021,1001)"],
        )
    known, own = answer["records"]
    assert "(SIEMENS CT VA0  COAD)" in known["keyword"]
    assert known["value"] == "3"
    assert own["value"] == "of their own"
    assert own["keyword"] == "private (NOBODY'S)"


def test_what_is_wrong_with_a_question_is_said(node: AnyNode, held: list[Dataset]) -> None:
    uid = str(held[0].SeriesInstanceUID)
    told = fail(node, "read_header", series_instance_uid=uid, attributes=["SliceThikness"])
    assert "SliceThickness" in told
    assert "no instance number 77" in fail(node, "read_header", series_instance_uid=uid, at=77)
    assert "not chosen by its position" in fail(
        node, "read_header", series_instance_uid=uid, at="3 mm"
    )
    assert "no study and no series" in fail(node, "sample_headers")


def test_a_header_too_long_for_an_answer_is_cut_and_says_so(held: list[Dataset]) -> None:
    image = deepcopy(held[0])
    block = image.private_block(0x0019, "LONG", create=True)
    for number in range(200):
        block.add_new(number, "LT", "x" * 900)
    with EmbeddedArchive([image], ae_title="LONG") as archive:
        node = Node(port=archive.port, called_ae_title="LONG")
        answer = ask(node, "read_header", series_instance_uid=str(image.SeriesInstanceUID))
    assert answer["complete"] is False
    assert the_note(answer["notes"], "Not complete: these are the first")


def test_values_over_all_ct_series_are_counted_as_a_plain_loop_counts_them(
    node: AnyNode, held: list[Dataset]
) -> None:
    studies = [study_uid(one.key) for one in STUDIES]
    keywords = ["ConvolutionKernel", "SliceThickness", "SoftwareVersions"]
    answer = ask(
        node,
        "sample_headers",
        study_instance_uids=studies,
        modality="CT",
        attributes=["kernel", "slice thickness", "software"],
    )
    one_each = {str(one.SeriesInstanceUID): one for one in held if one.Modality == "CT"}
    true = Counter(
        (keyword, _number(one.get(keyword))) for one in one_each.values() for keyword in keywords
    )
    assert {
        (row["attribute"], _number(row["value"])): row["series"] for row in answer["counts"]
    } == true
    assert answer["complete"] is True
    assert {row["series_instance_uid"] for row in answer["records"]} == set(one_each)
    for row in answer["records"]:
        for keyword in keywords:
            value = {**answer["common"], **row}[keyword]
            assert _number(value) == _number(one_each[row["series_instance_uid"]].get(keyword))


def _counts(answer: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {(row["attribute"], _number(row["value"])): row["series"] for row in answer["counts"]}


def _number(value: Any) -> str:
    """A value as both protocols can be compared: JSON has no 10 beside 10.0."""
    try:
        return f"{float(value):g}"
    except (TypeError, ValueError):
        return str(value)


def test_an_attribute_that_some_lack_is_counted_as_empty(node: AnyNode) -> None:
    answer = ask(
        node,
        "sample_headers",
        study_instance_uids=[study_uid("nodule ct first")],
        attributes=["KVP", "EchoTime"],
    )
    assert _counts(answer) == {("KVP", "120"): 2, ("KVP", "(empty)"): 3}
    assert "In none of these headers: EchoTime." in answer["notes"]


def test_more_series_than_wanted_and_unknown_ones_make_it_incomplete(node: AnyNode) -> None:
    answer = ask(
        node, "sample_headers", study_instance_uids=[study_uid("nodule ct first")], limit=2
    )
    assert answer["complete"] is False
    assert answer["returned"] == 2
    for unknown in ({"study_instance_uids": ["1.2.3"]}, {"series_instance_uids": ["1.2.3"]}):
        answer = ask(node, "sample_headers", **unknown)
        assert answer["complete"] is False
        assert the_note(answer["notes"], "holds no")


def test_how_a_series_lies_is_told_from_its_headers(node: AnyNode, held: list[Dataset]) -> None:
    spine = series(held, "back mr", "t2_tse_sag")
    chest = series(held, "nodule ct follow-up", "Lunge 10.0")
    uids = [str(one[0].SeriesInstanceUID) for one in (spine, chest)]
    answer = ask(node, "sample_headers", series_instance_uids=uids, geometry=True)
    assert answer["complete"] is True
    sagittal, axial = (one["stacks"][0] for one in answer["geometry"])
    assert sagittal["orientation"] == "sagittal"
    assert sagittal["gaps"][0]["missing"] == 2
    assert axial["spacing"] == 10.0
    assert axial["regular"] is True
    assert "gaps" not in axial


def test_duplicates_and_mixed_orientations_are_told(held: list[Dataset]) -> None:
    some = [deepcopy(one) for one in series(held, "nodule ct follow-up", "Lunge 10.0")[:5]]
    twice, turned = deepcopy(some[1]), deepcopy(some[2])
    twice.SOPInstanceUID, twice.InstanceNumber = "2.25.1", 21
    turned.SOPInstanceUID, turned.InstanceNumber = "2.25.2", 22
    turned.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    (lying,) = only([*some, twice, turned], geometry=True)["geometry"]
    assert lying["images"] == 7
    assert lying["stacks"][0]["duplicates"] == [["2", "21"]]
    assert any("Mixed" in note for note in lying["notes"])


def test_a_gap_is_not_claimed_where_the_archive_gave_not_all(held: list[Dataset]) -> None:
    chest = series(held, "nodule ct follow-up", "Lunge 10.0")
    habits = Habits(most_matches=10)
    with EmbeddedArchive(chest, ae_title="CUT", habits=habits) as archive:
        node = Node(port=archive.port, called_ae_title="CUT")
        uids = [str(chest[0].SeriesInstanceUID)]
        answer = ask(node, "sample_headers", series_instance_uids=uids, geometry=True)
    assert answer["geometry"][0]["images"] < len(chest)
    assert answer["complete"] is False
    assert any("may be an image that did not come" in note for note in answer["notes"])


def test_the_middle_of_what_an_archive_gave_is_not_called_the_middle() -> None:
    """It ends after ten of 24 images for want of resources."""
    held = images(24, study=1)
    with embedded(held, capped(10, 0xA700)) as peer:
        answer = ask(
            peer.node, "read_header", series_instance_uid="1.2.1.1", attributes=["Modality"]
        )
    assert answer["complete"] is False
    assert any(note.startswith("Not complete") for note in answer["notes"])


def test_series_of_a_modality_that_is_not_there_are_told_with_what_there_is() -> None:
    with embedded(images(3, study=1)) as peer:
        answer = ask(peer.node, "sample_headers", study_instance_uids=["1.2.1"], modality="MG")
    assert answer["returned"] == 0
    assert any("None of these series is MG; there are CT" in note for note in answer["notes"])
