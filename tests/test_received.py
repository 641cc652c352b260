"""What arrives is whole and is what was asked for, or the answer says otherwise."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import RLELossless

from dicom_mcp.config import Settings
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.web import EmbeddedWeb
from dicom_mcp.node import Node, WebNode
from tests.asking import ask, call, look, said
from tests.content import documents as made
from tests.content.samples import gradient, image
from tests.hostile import Hostile, encoded
from tests.peers.orthanc import orthanc

CONCLUSION = "No metastasis in the liver. But a mass of 3 cm in the left kidney."


def report() -> Dataset:
    return made.document(made.text("first"), made.text(CONCLUSION))


def named(dataset: Dataset, number: int) -> Dataset:
    """The object as `Hostile.put` tells of it."""
    dataset.SeriesInstanceUID, dataset.SOPInstanceUID = f"2.25.8{number}", f"2.25.9{number}"
    dataset.StudyInstanceUID, dataset.SeriesNumber = f"2.25.7{number}", number
    return dataset


def given(dataset: Dataset, change: Callable[[bytes], bytes]) -> Hostile:
    """An archive that gives other bytes than it holds."""
    index = Hostile()
    index.put(1, dataset, change(encoded(named(deepcopy(dataset), 1))))
    return index


def answer_of(index: Hostile, tool: str, **arguments: Any) -> dict[str, Any]:
    with EmbeddedWeb(index) as web:
        node = WebNode(web.url)
        if tool.startswith("view"):
            return look(node, tool, series_instance_uid="2.25.81", **arguments)[0]
        return ask(node, tool, series_instance_uid="2.25.81", **arguments)


def test_a_report_that_was_cut_is_incomplete_and_nothing_half_read_is_shown() -> None:
    index = given(report(), lambda content: content[: content.index(b" But a mass")])
    answer = answer_of(index, "read_report")
    assert answer["complete"] is False
    assert any(note.startswith("Not complete: damaged") for note in answer["notes"])
    assert "first" in answer["records"][0]["text"]
    assert "No metastasis" not in answer["records"][0]["text"]


@pytest.mark.parametrize("tool", ["read_report", "read_header"])
def test_a_report_cut_anywhere_is_an_error_or_incomplete(tool: str) -> None:
    whole = encoded(named(report(), 1))
    for place in range(1, len(whole), len(whole) // 12):
        index = given(report(), lambda content, place=place: content[:place])
        with EmbeddedWeb(index) as web:
            result = call(Settings(WebNode(web.url)), tool, series_instance_uid="2.25.81")
        if not result.is_error and '"complete":true' in said(result):
            # Over metadata the header comes as the archive's own index has it, which is whole.
            assert tool == "read_header", place


def test_an_object_of_another_patient_is_told() -> None:
    right, mixed_up = image(gradient(0, 200, "u1")), image(gradient(0, 200, "u1"))
    mixed_up.SOPInstanceUID = f"{right.SOPInstanceUID}.2"
    mixed_up.SeriesInstanceUID = f"{right.SeriesInstanceUID}.2"
    mixed_up.PatientName, mixed_up.PatientID = "ELSE^SOMEBODY", "OTHER"
    right.PatientName, right.PatientID = "ROE^RICHARD", "RIGHT"

    def spoilt(node: Node, dataset: Dataset) -> tuple[dict[str, Any], dict[str, Any]]:
        uid = str(dataset.SeriesInstanceUID)
        header = ask(node, "read_header", series_instance_uid=uid)
        return header, look(node, "view_image", series_instance_uid=uid)[0]

    with EmbeddedArchive([mixed_up, right], ae_title="MIXED") as archive:
        node = Node(port=archive.port, called_ae_title="MIXED")
        told = [
            [note for note in answer["notes"] if "names another patient" in note]
            for dataset in (right, mixed_up)
            for answer in spoilt(node, dataset)
        ]
    assert any(told)


@pytest.mark.parametrize("said", [None, 1])
def test_frames_are_chosen_among_those_that_are_there_whatever_the_header_says(
    said: int | None,
) -> None:
    several = image(
        np.stack([gradient(0, 50 * number, "u1") for number in (1, 2, 3, 4)]), NumberOfFrames=4
    )
    several.compress(RLELossless)
    several.NumberOfFrames = said
    index = Hostile()
    index.put(1, several, encoded(named(several, 1)), RLELossless)
    assert answer_of(index, "view_image", at="last")["image"]["frame"] == 4
    sheet = answer_of(index, "view_series")
    assert any("holds 4 frames" in line for line in sheet["caption"])


def test_an_object_of_another_study_is_told() -> None:
    def elsewhere(content: bytes) -> bytes:
        return content.replace(b"2.25.71", b"2.25.79")

    answer = answer_of(given(image(gradient(0, 200, "u1")), elsewhere), "view_image")
    assert answer["complete"] is False
    assert any("another study (2.25.79)" in note for note in answer["notes"])


def test_a_document_that_ends_at_a_fault_is_not_complete() -> None:
    malformed = (
        b'<ClinicalDocument xmlns="urn:hl7-org:v3"><component><section><text>'
        b"<paragraph>No metastasis.</paragraph></wrong> But a mass.</text></section>"
    )
    document = made.encapsulated(malformed, made.CDA, "text/xml")
    answer = answer_of(given(document, lambda content: content), "read_report")
    assert "No metastasis." in answer["records"][0]["text"]
    assert answer["complete"] is False
    assert any(note.startswith("Not complete") for note in answer["notes"])


def test_a_report_that_cannot_be_read_is_said_in_the_notes() -> None:
    document = made.encapsulated(b"%PDF-1.7 [[[", made.PDF, "application/pdf")
    answer = answer_of(given(document, lambda content: content), "read_report")
    assert answer["complete"] is False
    assert any(note.startswith("Not complete: 1 of 1 reports") for note in answer["notes"])


@pytest.mark.parametrize(
    ("content", "mime"),
    [
        (b"No metastasis.\nA mass of 3 cm.", "text/plain"),
        (b"<head><style>p {}</style></head><p>No metastasis.<p>A mass of 3 cm.", "text/html"),
        (b"{\\rtf1{\\fonttbl{\\f0 Arial;}}\\f0 No metastasis.\\par A mass of 3 cm.}", "text/rtf"),
        (b"{\\rtf1 No metastasis.\\par A mass of 3 cm.}", "application/pdf"),
    ],
)
def test_a_document_that_is_no_pdf_is_read_as_what_it_is(content: bytes, mime: str) -> None:
    document = made.encapsulated(content, made.PDF, mime)
    answer = answer_of(given(document, lambda given: given), "read_report")
    assert answer["complete"] is True
    assert "\nNo metastasis.\nA mass of 3 cm.\n" in answer["records"][0]["text"]


def test_two_series_with_one_sop_instance_uid_are_not_taken_for_each_other(tmp_path: Path) -> None:
    several: list[Dataset] = []
    for number, patient in enumerate(("FIRST", "SECOND"), 1):
        one = image(gradient(0, 200, "u1"))
        one.StudyInstanceUID, one.SeriesInstanceUID = f"2.25.5{number}", f"2.25.6{number}"
        one.SOPInstanceUID = "2.25.4"
        one.PatientName, one.PatientID = f"{patient}^PERSON", patient
        several.append(one)
    with orthanc(several, tmp_path) as peer:
        for _ in range(2):
            for number, patient in enumerate(("FIRST", "SECOND"), 1):
                answer = ask(
                    peer.node,
                    "read_header",
                    series_instance_uid=f"2.25.6{number}",
                    study_instance_uid=f"2.25.5{number}",
                    attributes=["PatientID"],
                )
                is_right = answer["records"][0]["value"] == patient
                assert is_right or answer["complete"] is False, answer["notes"]
