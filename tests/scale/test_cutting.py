"""Archives of a million series that cut by something else than the rows of an answer, asked about
modality, body part, station, age and name in every combination with dates."""

from collections.abc import Iterator
from sqlite3 import Connection
from typing import Any

import pytest

from dicom_mcp.demo.habits import Habits
from dicom_mcp.node import AnyNode
from tests.asking import answers
from tests.peers.embedded import Kind, embedded
from tests.scale.combinations import Combination, questions
from tests.scale.load import load

_MOST = 500
_LATE = frozenset({"PatientName", "StudyDescription", "BodyPartExamined", "StationName"})
_BELOW = frozenset({"ModalitiesInStudy", "NumberOfStudyRelatedSeries"})

# How archives cut, and of how many questions each is asked one.
FORMS: dict[str, tuple[Habits, int]] = {
    "like Orthanc": (Habits(most_matches=_MOST, cap_status=0xFE00, most_below=_MOST + 1), 1),
    "series only": (Habits(most_below=_MOST), 3),
    "series, whatever is asked for": (
        Habits(most_matches=2_000, most_below=_MOST, below_keys=_BELOW, joined=True),
        5,
    ),
    "candidates, and says so": (
        Habits(most_candidates=_MOST, late_keys=_LATE, cap_status=0xFE00),
        5,
    ),
    "candidates, silently": (Habits(most_candidates=_MOST, late_keys=_LATE), 5),
}


@pytest.fixture(scope="module", params=list(FORMS))
def cutting(request: pytest.FixtureRequest) -> Iterator[tuple[str, AnyNode, list[Combination]]]:
    habits, every = FORMS[request.param]
    with embedded([], Kind(habits), database=load()[0]) as peer:
        yield request.param, peer.node, questions()[::every]


def test_no_count_is_wrong_without_a_word(
    cutting: tuple[str, AnyNode, list[Combination]],
    truth: Connection,
    request: pytest.FixtureRequest,
) -> None:
    form, node, asked = cutting
    wrong: dict[str, str] = {}
    marked: list[str] = []
    calls = [("count_studies", question.arguments) for question in asked]
    for question, answer in zip(asked, answers(node, calls), strict=True):
        if fault := _fault(question, answer, truth):
            wrong[question.name] = fault
        elif not answer["complete"]:
            marked.append(question.name)
    told = f"{form}: {len(marked)} of {len(asked)} marked, {len(wrong)} wrong: {marked}"
    request.config.get_terminal_writer().line(told)
    assert wrong == {}
    assert len(marked) < len(asked) * 0.05


def test_there_are_enough_questions() -> None:
    assert len(questions()) >= 200


def _fault(question: Combination, answer: dict[str, Any], truth: Connection) -> str:
    """What is wrong with a count; what says that it is not complete may be too little."""
    rows = truth.execute(question.statement).fetchall()
    marked = any("Not complete" in note for note in answer["notes"]) and not answer["complete"]
    if "group_by" not in question.arguments:
        ((number,),) = rows
        right = answer["total"] == number or (marked and answer["total"] < number)
        return "" if right else f"{answer['total']} of {number}"
    true: dict[str, int] = dict(rows)
    told = {
        str(next(value for name, value in group.items() if name != "count")): group["count"]
        for group in answer["groups"]
    }
    if any(number > true.get(group, 0) for group, number in told.items()):
        return f"too many: {told} of {true}"
    return "" if told == true or marked else f"{told} of {true}"
