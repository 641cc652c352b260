"""Modalities of studies in archives that do not keep them, or only pretend to."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from dicom_mcp import dicom_api
from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import Archive
from dicom_mcp.errors import Cancelled
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Matches, Query
from tests.bounds import PATIENCE, in_time
from tests.notes import the_note
from tests.peers.pynetdicom_scp import Answers, accepting, archive_of
from tests.truth.rows import row

pytestmark = pytest.mark.usefixtures("tidy")

# Studies and the modalities of their series.
HELD = {"1.1": ["CT", "SR"], "1.2": ["MR"], "1.3": ["MR", "MR"]}
OUT_OF_RESOURCES = 0xA700


def keeping(kept: str | None, *, cut: str = "") -> Callable[[Any], Answers]:
    """An archive that answers with `kept` for ModalitiesInStudy, or without it, and never matches
    by it; of the study `cut` it shows one series and fails."""

    def find(event: Any) -> Answers:
        asked = event.identifier
        if asked.QueryRetrieveLevel == "STUDY":
            for uid in HELD:
                yield 0xFF00, row("STUDY", StudyInstanceUID=uid, ModalitiesInStudy=kept)
            return
        uid = asked.StudyInstanceUID
        for number, modality in enumerate(HELD[uid]):
            yield (
                0xFF00,
                row(
                    "SERIES",
                    StudyInstanceUID=uid,
                    SeriesInstanceUID=f"{uid}.{number}",
                    Modality=modality,
                ),
            )
            if uid == cut:
                yield OUT_OF_RESOURCES, None
                return

    return find


@pytest.mark.parametrize("kept", [None, ""], ids=["left out", "given empty"])
def test_modalities_an_archive_does_not_keep_are_found_in_the_series(kept: str | None) -> None:
    with accepting(keeping(kept)) as acceptor, archive_of(acceptor) as archive:
        answer = studies(archive)
        assert modalities(answer) == {"1.1": ["CT", "SR"], "1.2": "MR", "1.3": "MR"}
        assert answer.complete
        assert the_note(answer.notes, "found by asking 3 studies for their series")


@pytest.mark.parametrize("kept", [None, ""], ids=["left out", "given empty"])
def test_studies_are_found_by_modalities_an_archive_does_not_keep(kept: str | None) -> None:
    with accepting(keeping(kept)) as acceptor, archive_of(acceptor) as archive:
        for _ in range(2):
            answer = studies(archive, modality="MR")
            assert modalities(answer) == {"1.2": "MR", "1.3": "MR"}
            assert answer.complete
            assert the_note(answer.notes, "ModalitiesInStudy was compared here")


def test_modalities_of_a_study_whose_series_did_not_all_come_are_not_claimed() -> None:
    with accepting(keeping(None, cut="1.1")) as acceptor, archive_of(acceptor) as archive:
        answer = studies(archive)
        assert "1.1" not in modalities(answer)
        assert the_note(answer.notes, "0 of 3 studies")
        answer = studies(archive, modality="SR")
        assert answer.matches == []
        assert answer.complete is False


def test_time_that_ends_on_the_way_down_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom_api, "SECONDS", 0.0)
    with accepting(keeping(None)) as acceptor, archive_of(acceptor) as archive:
        answer = studies(archive, modality="MR")
        assert answer.matches == []
        assert answer.complete is False
        assert the_note(answer.notes, "more studies than could be asked")


def test_a_call_that_is_cancelled_on_the_way_down_ends_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dicom_api, "SECONDS", 100.0 * PATIENCE)
    over = threading.Event()
    deadline = Deadline(100 * PATIENCE)

    def silent_below(event: Any) -> Answers:
        if event.identifier.QueryRetrieveLevel == "STUDY":
            yield 0xFF00, row("STUDY", StudyInstanceUID="1.1")
            return
        threading.Timer(0.2, deadline.cancel).start()  # when the caller surely reads
        over.wait(10 * PATIENCE)

    with accepting(silent_below) as acceptor, archive_of(acceptor) as archive:
        try:
            with pytest.raises(Cancelled):
                studies(archive, deadline=deadline)
        finally:
            over.set()


def studies(archive: Archive, *, modality: str = "", deadline: Deadline | None = None) -> Matches:
    query = Query(Level.STUDY, {"ModalitiesInStudy": modality}, ("ModalitiesInStudy",))
    return in_time(lambda: archive.find(query, limit=50, deadline=deadline or Deadline(PATIENCE)))


def modalities(answer: Matches) -> dict[str, object]:
    """The modalities of each study that shows any."""
    return {
        str(match["StudyInstanceUID"]): match["ModalitiesInStudy"]
        for match in answer.matches
        if match.get("ModalitiesInStudy")
    }
