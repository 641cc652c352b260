"""Archives whose limit bites on something else than the rows of an answer, asked everything a
hospital asks.

The real Orthanc with limits of 100, 500 and 2,000, over DIMSE and DICOMweb, and our own archive
with the same habit. Every answer is right, or says that it is not complete. What is large runs
where `make scale` asks for it: its archive of 10,003 studies stays in `build/busy/`. Elsewhere each
archive is asked a share of the questions, all of them together every one.
"""

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dicom_mcp.demo.habits import Habits
from dicom_mcp.node import AnyNode, WebNode
from tests import busy
from tests.asking import answers, ask
from tests.busy import Kept, Study, kept
from tests.busy_questions import LIFE, QUESTIONS, SPANS, faults, is_too_long
from tests.peers.embedded import Kind, embedded, embedded_web

_IS_AT_SCALE = os.environ.get("DICOM_MCP_SCALE") == "1"
_AT_SCALE = pytest.mark.skipif(not _IS_AT_SCALE, reason="runs where make scale asks for it")
_KEPT = Path(__file__).parents[2] / "build" / "busy"

# Studies and weeks.
_LARGE = (10_003, 13)


@dataclass(frozen=True, slots=True)
class Limited:
    """An archive that gives so much at once, and what it holds."""

    name: str
    node: AnyNode
    held: Sequence[Study]


def _large() -> Kept:
    return kept(_KEPT, *_LARGE)


@contextmanager
def _embedded(kept: Kept, habits: Habits) -> Generator[AnyNode]:
    with embedded([], Kind(habits), database=str(kept.database)) as peer:
        yield peer.node


@contextmanager
def _embedded_web(kept: Kept, habits: Habits) -> Generator[AnyNode]:
    with embedded_web([], habits, database=str(kept.database)) as url:
        yield WebNode(url)


@contextmanager
def _orthanc(kept: Kept, limit: int, *, web: bool = False) -> Generator[AnyNode]:
    with busy.orthanc(kept.folder, kept.held, limit) as served:
        yield WebNode(served.base_url) if web else served.node


_LIMIT = 100
_LIKE_ORTHANC = Habits(most_matches=_LIMIT, cap_status=0xFE00, most_below=_LIMIT + 1)
_LIKE_ITS_WEB = Habits(most_of_all_pages=_LIMIT + 1, most_below=_LIMIT + 1)

# Orthanc itself is asked the same in every run.
_LIKE = frozenset({"embedded like Orthanc", "embedded like its DICOMweb"})

# Which of six questions each archive is asked where there is no time for all.
_SHARES = {
    "Orthanc 100": {0, 3},
    "Orthanc 100 over DICOMweb": {1},
    "embedded, cut below only": {2, 4, 5},
}

type Starting = Callable[[Kept], Any]

SMALL: dict[str, Starting] = {
    "Orthanc 100": partial(_orthanc, limit=100),
    "Orthanc 100 over DICOMweb": partial(_orthanc, limit=100, web=True),
    "embedded like Orthanc": partial(_embedded, habits=_LIKE_ORTHANC),
    "embedded like its DICOMweb": partial(_embedded_web, habits=_LIKE_ITS_WEB),
    "embedded, cut below only": partial(_embedded, habits=Habits(most_below=130)),
}
LARGE: dict[str, Starting] = {
    "Orthanc 500": partial(_orthanc, limit=500),
    "Orthanc 500 over DICOMweb": partial(_orthanc, limit=500, web=True),
    "Orthanc 2000": partial(_orthanc, limit=2_000),
}


def _parameters() -> Iterator[Any]:
    for name in SMALL:
        marks = _AT_SCALE if name in _LIKE else pytest.mark.orthanc if "Orthanc " in name else ()
        yield pytest.param(name, marks=marks)
    for name in LARGE:
        yield pytest.param(name, marks=[pytest.mark.orthanc, _AT_SCALE])


@pytest.fixture(scope="module", params=list(_parameters()))
def limited(request: pytest.FixtureRequest, small: Kept) -> Iterator[Limited]:
    """One archive after the other."""
    name: str = request.param
    asked = small if name in SMALL else _large()
    with {**SMALL, **LARGE}[name](asked) as node:
        yield Limited(name, node, asked.held)


@pytest.mark.parametrize("name", list(LIFE))
def test_a_first_question_is_answered_rightly_or_marked(limited: Limited, name: str) -> None:
    answer = ask(limited.node, LIFE[name].tool, **LIFE[name].arguments)
    assert faults(LIFE[name], answer, limited.held) == []


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wrong with the answers to so many questions, and which were marked."""

    questions: int
    wrong: dict[str, list[str]]
    marked: list[str]


@pytest.fixture(scope="module")
def asked(limited: Limited) -> Asked:
    """The questions to one server, which remembers."""
    wrong: dict[str, list[str]] = {}
    marked: list[str] = []
    share = {*range(6)} if _IS_AT_SCALE else _SHARES[limited.name]
    names = [name for number, name in enumerate(QUESTIONS) if number % 6 in share]
    calls = [(QUESTIONS[name].tool, QUESTIONS[name].arguments) for name in names]
    for name, answer in zip(names, answers(limited.node, calls), strict=True):
        if found := faults(QUESTIONS[name], answer, limited.held):
            wrong[name] = found
        elif not answer["complete"] and not is_too_long(QUESTIONS[name], limited.held):
            marked.append(name)
    return Asked(len(names), wrong, marked)


def test_every_question_is_answered_rightly_or_marked(asked: Asked) -> None:
    assert asked.wrong == {}


def test_few_answers_are_marked(
    limited: Limited, asked: Asked, request: pytest.FixtureRequest
) -> None:
    told = f"{limited.name}: {len(asked.marked)} of {asked.questions} marked {asked.marked}"
    request.config.get_terminal_writer().line(told)
    assert len(asked.marked) < asked.questions * 0.05


def test_the_archive_holds_more_than_is_given_at_once(small: Kept) -> None:
    for days, holds in SPANS.values():
        series = [one for study in small.held if holds(study) for one in study.series]
        assert len(series) > _LIMIT or days == "2026-03-10"
