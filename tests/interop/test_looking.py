"""Reports, headers and pictures of every archive, against its objects."""

from collections.abc import Sequence

from pydicom.dataset import Dataset

from dicom_mcp.content.picture import picture
from dicom_mcp.demo.findings import FINDINGS
from dicom_mcp.demo.objects import study_uid
from tests.asking import ask, fail, look
from tests.notes import the_note
from tests.peers.archive import Peer


def series(held: Sequence[Dataset], study: str, description: str) -> list[Dataset]:
    """The objects of a series in the order of their numbers."""
    found = [
        one
        for one in held
        if one.StudyInstanceUID == study_uid(study) and one.SeriesDescription == description
    ]
    return sorted(found, key=lambda one: one.InstanceNumber)


def test_the_reports_of_a_study_are_read(peer: Peer, held: list[Dataset]) -> None:
    study = study_uid("nodule ct follow-up")
    answer = ask(peer.node, "read_report", study_instance_uid=study)
    # dcmqrscp does not tell SOP classes, so that a letter among the images would not be known.
    tells = peer.name != "dcmqrscp"
    assert answer["complete"] is tells
    true = {
        str(one.SOPInstanceUID)
        for one in held
        if one.StudyInstanceUID == study and one.Modality in ("SR", "DOC")
    }
    assert {one["sop_instance_uid"] for one in answer["records"]} == true
    assert any(FINDINGS["nodule ct follow-up"][0] in one["text"] for one in answer["records"])
    nothing = ask(peer.node, "read_report", study_instance_uid=study_uid("knee ultrasound"))
    assert nothing["complete"] is tells
    claim = "There is no report object" if tells else "No report object was found"
    assert the_note(nothing["notes"], claim)


def test_an_image_is_shown_as_the_object_is(peer: Peer, held: list[Dataset]) -> None:
    chest = series(held, "nodule ct follow-up", "Lunge 10.0")
    uid = str(chest[0].SeriesInstanceUID)
    for at, index in (("middle", 12), ("-42 mm", 7), (24, 23)):
        _, (shown,) = look(peer.node, "view_image", series_instance_uid=uid, at=at)
        assert shown == picture(chest[index]).content
    said, _ = look(
        peer.node,
        "view_series",
        series_instance_uid=uid,
        compare_with=str(series(held, "nodule ct first", "Lunge 10.0")[0].SeriesInstanceUID),
    )
    assert said["complete"] is True


def test_compressed_images_make_a_contact_sheet(peer: Peer, held: list[Dataset]) -> None:
    """dcmqrscp was given them without their pixels, and says so by what it gives."""
    for study, description in (("knee mr", "pd_fs_cor"), ("brain mr second", "pd_tse_tra")):
        images = series(held, study, description)
        uid = str(images[0].SeriesInstanceUID)
        if peer.name == "dcmqrscp":
            told = fail(peer.node, "view_series", series_instance_uid=uid, images=64)
            assert told == (
                "The object (MR Image Storage) is no picture: it has no pixel data. "
                "Read its header."
            )
            continue
        said, _ = look(peer.node, "view_series", series_instance_uid=uid, images=64)
        assert said["complete"] is True
        assert f"{len(images)} images" in said["caption"][0]


def test_headers_are_read_and_compared(peer: Peer, held: list[Dataset]) -> None:
    spine = series(held, "back mr", "t2_tse_sag")
    uid = str(spine[0].SeriesInstanceUID)
    answer = ask(
        peer.node, "read_header", series_instance_uid=uid, attributes=["TE", "EchoTime"], at=3
    )
    assert [row["value"] for row in answer["records"]] == [str(spine[2].EchoTime)]
    answer = ask(
        peer.node,
        "sample_headers",
        study_instance_uids=[study_uid("back mr")],
        attributes=["RepetitionTime"],
    )
    # dcmqrscp was given its compressed images without their pixels (`tests.peers.dcmqrscp`).
    assert answer["complete"] is (peer.name != "dcmqrscp"), answer["notes"]
    assert answer["returned"] == 3
    lying = ask(peer.node, "sample_headers", series_instance_uids=[uid], geometry=True)
    assert lying["complete"] is (peer.name != "dcmqrscp"), lying["notes"]
    assert lying["geometry"][0]["stacks"][0]["gaps"][0]["missing"] == 2
