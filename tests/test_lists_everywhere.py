"""Lists of identifiers in the tools that look into studies; fewer queries, the same answers."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from warnings import catch_warnings

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.deadline import Deadline
from dicom_mcp.demo.archive import EmbeddedArchive, Hierarchy
from dicom_mcp.demo.habits import Habits
from dicom_mcp.demo.hospital import hospital
from dicom_mcp.node import AnyNode, Node, WebNode
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Match, Query
from tests.asking import ask
from tests.bounds import PATIENCE
from tests.peers.embedded import embedded_web
from tests.peers.everywhere import ARCHIVES, OVER_DICOMWEB, held_by
from tests.peers.orthanc import orthanc_web
from tests.sixty_studies import OBJECTS, archive, found
from tests.truth.archives import holding, images

pytestmark = pytest.mark.usefixtures("tidy")

MIXED = [
    "A1001, A1002 A1003",
    "A1001; A1002, and A1003",
    "A1001, A1002\nA1003",
    "A1001 A1002\tA1003",
]


@pytest.mark.parametrize("pasted", [*MIXED, "- A1001\n- A1002\n- A1003", ["A1001, A1002", "A1003"]])
def test_mixed_separators_are_read_as_a_person_means_them(pasted: str | list[str]) -> None:
    with archive() as asked:
        answer = ask(asked, "query_studies", accession_number=pasted)
        counted = ask(asked, "count_studies", accession_number=pasted)
    assert found(answer) == {"A1001", "A1002", "A1003"}
    assert "missing" not in answer
    assert answer["complete"], answer["notes"]
    assert (counted["total"], counted["complete"]) == (3, True)


def test_one_value_with_a_separator_in_it_is_not_taken_for_two_beside_others() -> None:
    odd = [
        *images(1, study=97, AccessionNumber="A2 X3"),
        *images(1, study=98, AccessionNumber="A2"),
    ]
    with archive(objects=[*OBJECTS, *odd]) as asked:
        answer = ask(asked, "query_studies", accession_number="A1001, A2 X3, B1")
    assert found(answer) == {"A1001", "A2 X3"}
    assert answer["missing"] == {"AccessionNumber": ["B1"]}
    assert any("read as several values" in note for note in answer["notes"])


def test_two_lists_of_mixed_separators_are_asked_with_each_other() -> None:
    with archive() as asked:
        answer = ask(
            asked,
            "query_studies",
            accession_number="A1000, A1001 A1002",
            patient_id="P100, P101 P102",
        )
    assert found(answer) == {"A1000", "A1001", "A1002"}


@pytest.mark.parametrize("keyword", ["accession_number", "study_instance_uid", "patient_id"])
def test_the_tools_that_look_into_studies_tell_what_is_missing_of_a_list(keyword: str) -> None:
    several = {
        "accession_number": ["A1000", "A1001", "B1"],
        "study_instance_uid": ["1.2.1", "1.2.2", "2.25.1"],
        "patient_id": ["P100", "P101", "X9"],
    }[keyword]
    calls: list[tuple[str, dict[str, bool]]] = [
        ("read_report", {}),
        ("study_overview", {}),
        ("study_overview", {"gaps": True}),
    ]
    calls += [("patient_timeline", {})] if keyword == "patient_id" else []
    with archive() as asked:
        for tool, more in calls:
            answer = ask(asked, tool, **{keyword: several}, **more)
            (missing,) = answer["missing"].values()
            assert missing == several[2:], tool


def of_series() -> list[Dataset]:
    return [
        one
        for study in range(1, 41)
        for series in (1, 2)
        for one in images(1, study=study, SeriesInstanceUID=f"1.2.{study}.{series}")
        if not setattr(one, "SOPInstanceUID", f"1.2.{study}.{series}.1")
    ]


MANY = of_series()
STUDY_UIDS = [f"1.2.{study}" for study in range(1, 41)]


@pytest.mark.parametrize(
    ("hierarchy", "habits", "most"),
    [
        ("relational", Habits(), 4),
        # Of these a list of studies is no key: single values only (PS3.4 C.4.1.2.1).
        ("strict", Habits(), 50),
        ("silent", Habits(), 50),
        ("relational", Habits(first_of_list=True), 50),
        ("relational", Habits(unreturned=frozenset({"StudyInstanceUID"})), 50),
        ("relational", Habits(most_values=7), 45),
        ("relational", Habits(most_matches=30), 25),
    ],
)
def test_series_of_many_studies_are_the_same_by_lists_as_study_by_study(
    hierarchy: Hierarchy, habits: Habits, most: int
) -> None:
    came: list[Match] = []
    with holding(MANY, habits, hierarchy=hierarchy) as asked:
        answer = asked.each_series(
            STUDY_UIDS,
            Query(Level.SERIES, {}, ("SeriesInstanceUID",)),
            came.append,
            deadline=Deadline(PATIENCE),
        )
    pairs = sorted((one["StudyInstanceUID"], one["SeriesInstanceUID"]) for one in came)
    assert pairs == sorted((one.StudyInstanceUID, one.SeriesInstanceUID) for one in MANY)
    assert answer.complete, answer.notes
    assert answer.queries <= most


@pytest.mark.parametrize("hierarchy", ["relational", "strict", "silent"])
def test_the_series_of_a_list_of_studies_come_from_every_kind_of_archive(
    hierarchy: Hierarchy,
) -> None:
    with holding(MANY, hierarchy=hierarchy) as asked:
        answer = ask(
            asked.node, "query_series", study_instance_uid=[*STUDY_UIDS[:9], "2.25.1"], limit=100
        )
    assert answer["returned"] == 18
    assert answer["complete"], answer["notes"]
    assert answer["missing"] == {"StudyInstanceUID": ["2.25.1"]}


@pytest.mark.parametrize("count", [3, 8])
def test_a_list_is_looked_for_on_the_worklist(count: int) -> None:
    planned = hospital(date(2026, 3, 2)).worklist()
    numbers = [str(one.AccessionNumber) for one in planned][:count]
    with EmbeddedArchive([], ae_title="RIS", worklist=planned) as embedded:
        node = Node(port=embedded.port, called_ae_title="RIS")
        answer = ask(node, "query_worklist", date="", accession_number=[*numbers, "B1"])
        pasted = ask(node, "query_worklist", date="", accession_number=", ".join(numbers[:2]))
    rows = [{**answer["common"], **row} for row in answer["records"]]
    assert {row["accession_number"] for row in rows} == {*numbers}
    assert answer["missing"] == {"AccessionNumber": ["B1"]}
    assert answer["complete"], answer["notes"]
    assert answer["queries"] <= 6
    assert len(pasted["records"]) == 2
    assert "missing" not in pasted


@pytest.mark.parametrize("pasted", [", ".join, "\n".join, list])
def test_headers_of_a_list_of_studies_are_sampled(
    pasted: Callable[[list[str]], str | list[str]],
) -> None:
    uids = [*STUDY_UIDS[:12], "2.25.1"]
    with holding(MANY) as asked:
        answer = ask(asked.node, "sample_headers", study_instance_uids=pasted(uids))
    assert answer["returned"] == 24
    assert answer["missing"] == {"StudyInstanceUID": ["2.25.1"]}


def held() -> list[Dataset]:
    return [
        one
        for number in range(1, 58)
        for one in images(1, study=number, AccessionNumber=f"A{1000 + number}")
    ]


@pytest.fixture(scope="module", params=[*ARCHIVES, OVER_DICOMWEB])
def anywhere(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AnyNode]:
    directory = tmp_path_factory.mktemp("archive")
    with held_by(request.param, held(), directory, absent=()) as node:
        yield node


LONG, SPACED, WITH_COMMA = "HOSPITAL-2026-000001", "12 B 3", "7,7"


@pytest.fixture(
    scope="module", params=["orthanc", "reads backslashes", "reads the first", "reads no lists"]
)
def web(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AnyNode]:
    numbers = [f"A{1000 + number}" for number in range(51)] + [LONG, SPACED, WITH_COMMA]
    with catch_warnings(action="ignore"):
        objects = [
            one
            for study, number in enumerate(numbers)
            for one in images(1, study=study + 1, AccessionNumber=number)
        ]
    if request.param == "orthanc":
        started = orthanc_web(objects, tmp_path_factory.mktemp("orthanc"))
    else:
        listed = frozenset({"AccessionNumber"} if request.param != "reads no lists" else ())
        habits = Habits(listed_keys=listed, first_of_list=request.param == "reads the first")
        started = embedded_web(objects, habits)
    with started as url:
        yield WebNode(url, name=request.param)


@pytest.mark.orthanc
def test_which_of_sixty_accession_numbers_are_there_is_told_by_every_web_server(
    web: AnyNode,
) -> None:
    there = [f"A{1000 + number}" for number in range(51)] + [LONG, SPACED]
    missing = [f"B{number}" for number in range(7)]
    answer = ask(web, "query_studies", accession_number=[*there, *missing])
    assert found(answer) == {*there}
    assert answer["missing"] == {"AccessionNumber": missing}
    assert answer["complete"], answer["notes"]
    if web.name in ("orthanc", "reads backslashes"):
        assert answer["queries"] <= 18
        assert not any("does not read such lists" in note for note in answer["notes"])
    assert found(ask(web, "query_studies", accession_number=[WITH_COMMA, "B1"])) == {WITH_COMMA}


@pytest.mark.orthanc
@pytest.mark.parametrize("server", ["orthanc", "embedded"])
def test_a_number_with_a_comma_is_found_beside_its_halves(server: str, tmp_path: Path) -> None:
    numbers = ["7", "7,8", "8"]
    objects = [
        one
        for study, number in enumerate(numbers, start=1)
        for one in images(1, study=study, AccessionNumber=number)
    ]
    start = orthanc_web(objects, tmp_path) if server == "orthanc" else embedded_web(objects)
    with start as url:
        answer = ask(WebNode(url), "query_studies", accession_number="7,8")
    assert found(answer) == {"7,8"}
    assert answer["complete"]


def test_which_of_sixty_accession_numbers_are_there_is_told_by_every_archive(
    anywhere: AnyNode,
) -> None:
    there = [f"A{1000 + number}" for number in range(1, 58)]
    answer = ask(anywhere, "query_studies", accession_number=[*there, "B1", "B2", "B3"])
    assert found(answer) == {*there}
    assert answer["missing"] == {"AccessionNumber": ["B1", "B2", "B3"]}
    assert answer["complete"], answer["notes"]
