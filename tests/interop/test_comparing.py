"""Comparing archives of different makes, of which some keep no counts and no modalities."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.config import Settings
from dicom_mcp.demo.habits import Habits
from dicom_mcp.demo.index import COMPUTED
from dicom_mcp.node import AnyNode
from tests.asking import ask
from tests.notes import the_note
from tests.peers.dcmqrscp import dcmqrscp
from tests.peers.embedded import CUTTING_BELOW, MISBEHAVING, Kind, embedded
from tests.peers.orthanc import orthanc
from tests.truth.archives import images

STUDIES = 500

# What the second archive lacks: whole studies, and one series of others.
LOST = frozenset(f"1.2.{number}" for number in range(10, 460, 30))
SHORT = frozenset(f"1.2.{number}" for number in (77, 78, 79))

KEEPS_NO_COUNTS = Kind(Habits(unreturned=frozenset(COMPUTED), ignored_keys=frozenset(COMPUTED)))
IS_STRICT_AND_COUNTS_NOTHING = Kind(KEEPS_NO_COUNTS.habits, "strict")


def _modalities(number: int) -> tuple[str, ...]:
    return ("CT", "SR") if number % 5 == 0 else ("CT", "CT", "MR")[: 2 + number % 2]


def _date(number: int) -> str:
    return f"2026{1 + number % 40 // 28:02}{1 + number % 40 % 28:02}"


def whole() -> list[Dataset]:
    """Some 40 days, each study of two or three series of one image."""
    made: list[Dataset] = []
    for number in range(1, STUDIES + 1):
        for at, modality in enumerate(_modalities(number), start=1):
            made += images(
                1,
                study=number,
                StudyDate=_date(number),
                AccessionNumber=f"A{number:05}",
                PatientName=f"Doe{number}^Jane",
                PatientSex="F",
                Modality=modality,
                SeriesNumber=at,
                SeriesInstanceUID=f"1.2.{number}.{at}",
                SOPInstanceUID=f"1.2.{number}.{at}.1",
            )
    return made


def part() -> list[Dataset]:
    """The same without what was lost."""
    return [
        one
        for one in whole()
        if one.StudyInstanceUID not in LOST
        and not (one.StudyInstanceUID in SHORT and one.SeriesNumber == 2)
    ]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, AnyNode]]:
    with ExitStack() as stack:
        started: dict[str, AnyNode] = {}
        for name, held in (("whole", whole()), ("part", part())):
            for peer in (
                orthanc(held, tmp_path_factory.mktemp("orthanc")),
                dcmqrscp(held, tmp_path_factory.mktemp("dcmqrscp")),
                embedded(held),
                embedded(held, KEEPS_NO_COUNTS, name="without counts"),
                embedded(held, IS_STRICT_AND_COUNTS_NOTHING, name="strict"),
            ):
                running = stack.enter_context(peer)
                started[f"{running.name}, {name}"] = running.node
        yield started


MAKES = ("orthanc", "dcmqrscp", "embedded", "without counts", "strict")

# A strict archive without counts is asked for the images of each series: of a week's studies here.
WEEK = "20260108-20260114"


@pytest.mark.orthanc
@pytest.mark.dcmtk
@pytest.mark.parametrize(
    ("first", "second"),
    [(one, other) for one in MAKES for other in MAKES if "dcmqrscp" in (one, other)]
    + [("orthanc", "strict"), ("without counts", "embedded"), ("orthanc", "embedded")],
)
@pytest.mark.parametrize("order", [("whole", "part"), ("part", "whole")])
def test_exactly_what_is_missing_is_found_whether_or_not_an_archive_counts(
    nodes: dict[str, AnyNode], first: str, second: str, order: tuple[str, str]
) -> None:
    days = WEEK if "strict" in (first, second) else ""
    meant = {f"1.2.{n}" for n in range(1, STUDIES + 1) if not days or _within(_date(n), days)}
    gone, shorter = LOST & meant, SHORT & meant
    answer = _compared(
        nodes, f"{first}, {order[0]}", f"{second}, {order[1]}", study_date=days, limit=200
    )
    assert answer["complete"], answer["notes"]
    assert answer["compared"] == {"whole": len(meant), "part": len(meant - gone)}
    assert answer["different"] == len(gone) + len(shorter) > 0
    assert answer["same"] + answer["different"] == answer["studies"] == len(meant)
    assert answer["undecided"] == 0
    assert answer["only_on"] == {"whole": len(gone)}
    lost, short = answer["records"][: len(gone)], answer["records"][len(gone) :]
    assert {row["StudyInstanceUID"] for row in lost} == gone
    assert all(row["only_on"] == ["whole"] for row in lost)
    assert {row["StudyInstanceUID"] for row in short} == shorter
    for row in short:
        number = int(row["StudyInstanceUID"].rpartition(".")[2])
        counts = row["differs"]["NumberOfStudyRelatedSeries"]
        assert counts == {"whole": len(_modalities(number)), "part": len(_modalities(number)) - 1}
        (series,) = row["series"]
        assert series["SeriesInstanceUID"] == f"1.2.{number}.2"
        assert series["only_on"] == ["whole"]


@pytest.mark.dcmtk
@pytest.mark.orthanc
@pytest.mark.parametrize("second", MAKES[:-1])
def test_studies_of_one_modality_are_compared_where_an_archive_does_not_match_by_it(
    nodes: dict[str, AnyNode], second: str
) -> None:
    answer = _compared(
        nodes, "dcmqrscp, whole", f"{second}, part", modality_in_study="SR", limit=200
    )
    assert answer["complete"], answer["notes"]
    with_report = {f"1.2.{number}" for number in range(5, STUDIES + 1, 5)}
    assert answer["compared"] == {"whole": 100, "part": 100 - len(LOST & with_report)}
    assert {row["StudyInstanceUID"] for row in answer["records"]} == with_report & LOST


@pytest.mark.dcmtk
@pytest.mark.orthanc
def test_all_differences_can_be_had_and_come_in_one_order(nodes: dict[str, AnyNode]) -> None:
    at_once = _compared(nodes, "orthanc, whole", "dcmqrscp, part", limit=200)["records"]
    found: list[dict[str, Any]] = []
    while True:
        answer = _compared(nodes, "orthanc, whole", "dcmqrscp, part", limit=7, first=len(found) + 1)
        found += answer["records"]
        assert answer["different"] == 18
        if answer["complete"]:
            break
        assert the_note(answer["notes"], f"go on with first={len(found) + 1}")
    assert found == at_once
    dates = [row["StudyDate"] for row in found[:15]]
    assert dates == sorted(dates, reverse=True)


@pytest.mark.parametrize("name", [*MISBEHAVING, *CUTTING_BELOW])
@pytest.mark.parametrize("days", ["", "20260101-20260128"])
def test_with_an_archive_of_any_habit_nothing_is_said_that_is_not_so(name: str, days: str) -> None:
    some = {f"1.2.{number}" for number in range(1, 91)}
    held, others = ([one for one in of if one.StudyInstanceUID in some] for of in (whole(), part()))
    meant = {str(one.StudyInstanceUID) for one in held if not days or _within(one.StudyDate, days)}
    kind = {**MISBEHAVING, **CUTTING_BELOW}[name]
    with embedded(held) as good, embedded(others, kind) as bad:
        both = {"good, whole": good.node, "bad, part": bad.node}
        answer = _compared(both, "good, whole", "bad, part", study_date=days, limit=200)
    alone = {one["StudyInstanceUID"] for one in answer["records"] if "only_on" in one}
    unknown = {one["StudyInstanceUID"] for one in answer["records"] if "not_known_on" in one}
    differing = {one["StudyInstanceUID"] for one in answer["records"]} - alone - unknown
    assert alone <= LOST & meant
    assert differing <= SHORT & meant
    assert answer["studies"] == answer["same"] + answer["different"] + answer["undecided"]
    missed = len((LOST | SHORT) & meant) - len(alone | differing)
    assert missed <= answer["undecided"]
    if answer["complete"]:
        assert (alone, differing) == (LOST & meant, SHORT & meant)


def _within(day: str, days: str) -> bool:
    first, last = days.split("-")
    return first <= day <= last


def _compared(nodes: dict[str, AnyNode], one: str, other: str, **arguments: Any) -> dict[str, Any]:
    """The answer, with each node called by what it holds."""
    first, second = (replace(nodes[name], name=name.split(", ")[1]) for name in (one, other))
    return ask(Settings(first, others=(second,)), "compare_nodes", **arguments)
