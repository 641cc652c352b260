"""Rows whose values are written in another form than their VR has, asked through the server."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.node import Node
from tests.asking import ask
from tests.peers.pynetdicom_scp import MODELS, Answers, accepting
from tests.truth.rows import row

pytestmark = [
    pytest.mark.usefixtures("tidy"),
    pytest.mark.filterwarnings("ignore:.*[Ii]nvalid value.*:UserWarning"),
]
WORKLIST = "1.2.840.10008.5.1.4.31"


@contextmanager
def giving(*rows: dict[str, str]) -> Generator[Node]:
    """An archive that gives these studies, whatever is asked."""

    def find(event: Any) -> Answers:
        for number, one in enumerate(rows):
            values = {"StudyInstanceUID": f"1.2.{number}", "PatientID": "7", **one}
            yield 0xFF00, row(event.identifier.QueryRetrieveLevel, **values)

    with accepting(find) as acceptor:
        yield acceptor.node()


@pytest.mark.parametrize("written", ["2026-01-10", "20260110080000", "2026/01/10", "10.01.2026"])
def test_a_date_in_another_form_is_read(written: str) -> None:
    with giving({"StudyDate": written}, {"StudyDate": "2026-02-11"}) as node:
        answer = ask(node, "query_studies", study_date="20260110", attribute_preset="minimal")
    assert (answer["returned"], answer["complete"]) == (1, True)
    assert answer["records"][0]["StudyDate"] == written


@pytest.mark.parametrize("written", ["CT/SR", "CT,SR", "CT SR", "ct"])
def test_modalities_in_one_text_are_read(written: str) -> None:
    with giving({"ModalitiesInStudy": written}, {"ModalitiesInStudy": "MR/PR"}) as node:
        answer = ask(node, "query_studies", modality_in_study="CT", attribute_preset="minimal")
    assert answer["returned"] == 1
    assert answer["records"][0]["ModalitiesInStudy"] == written


def test_a_date_that_nobody_can_read_is_shown_and_the_answer_is_not_complete() -> None:
    with giving({"StudyDate": "20260110"}, {"StudyDate": "01/10/2026"}) as node:
        answer = ask(node, "query_studies", study_date="20260110", attribute_preset="minimal")
        counted = ask(node, "count_studies", study_date="20260110")
    assert (answer["returned"], answer["complete"]) == (2, False)
    assert (counted["total"], counted["complete"]) == (2, False)
    for one in (answer, counted):
        assert any("1 study of these has a value as StudyDate" in note for note in one["notes"])


def _entry(date: str) -> Dataset:
    step = Dataset()
    step.ScheduledProcedureStepStartDate = date
    step.Modality = "ct"
    entry = Dataset()
    entry.PatientID = "7"
    entry.ScheduledProcedureStepSequence = [step]
    return entry


@pytest.mark.parametrize(
    ("date", "complete"),
    [("20261128080000", True), ("2026-11-28", True), ("28/11/2026", False)],
)
def test_an_entry_of_a_worklist_with_a_date_in_another_form_is_kept(
    date: str, complete: bool
) -> None:
    def find(event: Any) -> Answers:  # noqa: ARG001 - pynetdicom's shape
        yield 0xFF00, _entry(date)
        yield 0xFF00, _entry("20261129")

    with accepting(find, models=(*MODELS, WORKLIST)) as acceptor:
        answer = ask(acceptor.node(), "query_worklist", date="20261128", modality="CT")
    assert (answer["returned"], answer["complete"]) == (1, complete)
    assert answer["common"].get("date", answer["records"][0].get("date")) == date


@pytest.mark.parametrize("days", ["20261127-20261129", "20261127-", "-20261128"])
def test_a_worklist_that_takes_a_range_of_days_literally_is_asked_without(days: str) -> None:
    def find(event: Any) -> Answers:
        key = event.identifier.ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate
        if key in ("", None, "20261128"):
            yield 0xFF00, _entry("20261128")

    with accepting(find, models=(*MODELS, WORKLIST)) as acceptor:
        answer = ask(acceptor.node(), "query_worklist", date=days)
        empty = ask(acceptor.node(), "query_worklist", date="20270101-20270105")
    assert (answer["returned"], answer["complete"]) == (1, True)
    assert any("does not understand ranges" in note for note in answer["notes"])
    assert (empty["returned"], empty["complete"]) == (0, True)
