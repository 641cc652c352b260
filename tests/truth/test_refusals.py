"""Archives that refuse a question for one attribute it asks for."""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from dicom_mcp.dicom_api import Archive
from dicom_mcp.errors import StatusFailure
from dicom_mcp.standard.levels import Level
from dicom_mcp.truth.refusals import refused_of
from tests.asking import ask
from tests.peers.pynetdicom_scp import Answers, accepting, archive_of
from tests.truth.archives import find
from tests.truth.rows import row

pytestmark = pytest.mark.usefixtures("tidy")

WANTED = ("StudyDate", "StudyTime", "StudyDescription", "StudyID", "ReferringPhysicianName")


@contextmanager
def refusing(
    *keywords: str, status: int = 0xA900, named: bool = False
) -> Generator[tuple[Archive, Any, list[set[str]]]]:
    """An archive of two studies that fails when it is asked for one of these attributes."""
    asked: list[set[str]] = []

    def answer(event: Any) -> Answers:
        keys = event.identifier
        asked.append({one.keyword for one in keys})
        refused = [one for one in keywords if one in keys]
        if refused and keys.QueryRetrieveLevel == "STUDY":
            failure: Any = status
            if named:
                failure = Dataset()
                failure.Status = status
                failure.OffendingElement = [tag_for_keyword(one) for one in refused]
            yield failure, None
            return
        for number in (1, 2):
            values = {"StudyDate": "20260110", "PatientID": "7", "StudyDescription": "CT Chest"}
            held = {"StudyInstanceUID": f"1.2.{number}", **values}
            yield 0xFF00, row("STUDY", **{one: v for one, v in held.items() if one in keys})

    with accepting(answer) as acceptor, archive_of(acceptor) as archive:
        yield archive, acceptor.node(), asked


@pytest.mark.parametrize("status", [0xA900, 0xC000, 0xC123])
@pytest.mark.parametrize("refused", [("StudyID",), ("StudyTime", "ReferringPhysicianName")])
def test_a_question_refused_for_what_it_asks_for_is_asked_without(
    status: int, refused: tuple[str, ...]
) -> None:
    with refusing(*refused, status=status) as (archive, _, asked):
        first = find(archive, Level.STUDY, {"PatientID": "7"}, WANTED)
        second = find(archive, Level.STUDY, {"PatientID": "7"}, WANTED)
    for answer in (first, second):
        assert len(answer.matches) == 2
        assert all(match["StudyDescription"] == "CT Chest" for match in answer.matches)
        told = f"refuses questions that ask for {', '.join(refused)}; left out."
        assert any(told in str(note) for note in answer.notes)
    assert first.queries <= 14
    assert second.queries == 1
    assert not asked[-1] & {*refused}
    assert archive.habits.told() == [
        f"Refuses questions that ask for {', '.join(sorted(refused))}."
    ]


def test_an_attribute_the_archive_names_is_left_out_at_once() -> None:
    with refusing("StudyID", named=True) as (archive, _, asked):
        answer = find(archive, Level.STUDY, {"PatientID": "7"}, WANTED)
    assert len(answer.matches) == 2
    assert len(asked) == 3  # refused, tried, asked


def test_the_server_answers_without_what_is_refused_and_says_so() -> None:
    with refusing("NumberOfStudyRelatedInstances") as (_, node, _):
        answer = ask(node, "query_studies", patient_id="7")
    assert answer["returned"] == 2
    assert any("refuses questions that ask for" in note for note in answer["notes"])


def test_a_question_that_is_refused_whatever_it_asks_for_is_an_error() -> None:
    with refusing("StudyInstanceUID") as (archive, _, asked):
        with pytest.raises(Exception, match="0xA900"):
            find(archive, Level.STUDY, {"PatientID": "7"}, WANTED)
        assert len(asked) == 2


@pytest.mark.parametrize("guilty", [["a"], ["h"], ["c", "d"], ["a", "h"], list("abcdefgh")])
def test_what_is_refused_is_found_by_halves(guilty: list[str]) -> None:
    suspects = list("abcdefgh")

    def works(without: Any) -> bool:
        return not {*guilty} - {*without}

    assert refused_of(suspects, (), works) >= {*guilty}
    if len(guilty) < 3:
        assert refused_of(suspects, (), works) == {*guilty}


def test_a_failure_that_passes_teaches_nothing() -> None:
    """0xC001 is also what an archive says whose database is away for a moment."""
    asked: list[set[str]] = []

    def answer(event: Any) -> Answers:
        asked.append({one.keyword for one in event.identifier})
        if len(asked) < 4:
            yield 0xC001, None
            return
        yield 0xFF00, row("STUDY", StudyInstanceUID="1.2.1", PatientID="7", StudyDate="20260110")

    with accepting(answer) as acceptor, archive_of(acceptor) as archive:
        for _ in range(3):
            with suppress(StatusFailure):
                find(archive, Level.STUDY, {"PatientID": "7"}, ("StudyDate",))
        answered = find(archive, Level.STUDY, {"PatientID": "7"}, ("StudyDate",))
        assert not any(archive.habits.refused.values())
        assert not any(archive.habits.refused_keys.values())
    assert [match["StudyDate"] for match in answered.matches] == ["20260110"]
    assert "StudyDate" in asked[-1]


def test_what_may_not_be_asked_for_is_a_key_all_the_same() -> None:
    """Without it anything would be an answer."""

    def answer(event: Any) -> Answers:
        keys = event.identifier
        if "ReferringPhysicianName" in keys and not keys.ReferringPhysicianName:
            yield 0xA900, None
            return
        for number, name in ((1, "Roe^Ann"), (2, "Poe^Edgar")):
            if str(keys.get("ReferringPhysicianName", name)) == name:
                yield 0xFF00, row("STUDY", StudyInstanceUID=f"1.2.{number}", PatientID="7")

    with accepting(answer) as acceptor, archive_of(acceptor) as archive:
        everything = find(archive, Level.STUDY, {"PatientID": "7"}, ("ReferringPhysicianName",))
        assert len(everything.matches) == 2
        of_one = find(archive, Level.STUDY, {"ReferringPhysicianName": "Roe^Ann"})
        assert [match["StudyInstanceUID"] for match in of_one.matches] == ["1.2.1"]
