"""Images of many series asked for by lists of UIDs: fewer queries, the same answers."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.deadline import Deadline
from dicom_mcp.demo.archive import Hierarchy
from dicom_mcp.demo.habits import Habits
from dicom_mcp.node import AnyNode, Node, WebNode
from dicom_mcp.standard.entities import COMPUTED
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Match, Query
from tests.asking import ask
from tests.bounds import PATIENCE
from tests.peers.embedded import embedded_web
from tests.peers.everywhere import held_by
from tests.peers.orthanc import orthanc_web
from tests.truth.archives import holding, images

pytestmark = pytest.mark.usefixtures("tidy")

# Two patients' studies of two series, of one to three images, by no number that is round.
STUDIES = 9


def held() -> list[Dataset]:
    objects: list[Dataset] = []
    for study in range(1, STUDIES + 1):
        for series in (1, 2):
            uid = f"1.2.{study}.{series}"
            objects += images(
                1 + (study + series) % 3,
                study=study,
                PatientID=f"P{study % 2}",
                SeriesInstanceUID=uid,
                SeriesNumber=series,
                StudyDate=f"202601{study:02}",
            )
    for one in objects:
        one.SOPInstanceUID = f"{one.SeriesInstanceUID}.{one.InstanceNumber}"
    return objects


OBJECTS = held()
PER_SERIES = Counter((str(one.StudyInstanceUID), str(one.SeriesInstanceUID)) for one in OBJECTS)
SERIES_UIDS = [series for _, series in PER_SERIES]
COUNTLESS = frozenset(COMPUTED)

# How an archive is asked, and the most queries that its 18 series take: one by one they are 18.
ARCHIVES: list[tuple[Hierarchy, Habits, int]] = [
    ("relational", Habits(), 2),
    ("relational", Habits(duplicated=True), 2),
    ("strict", Habits(), 19),
    ("silent", Habits(), 19),
    ("relational", Habits(first_of_list=True), 30),
    ("relational", Habits(unreturned=frozenset({"SeriesInstanceUID"})), 19),
    ("relational", Habits(unreturned=frozenset({"StudyInstanceUID"})), 19),
    ("relational", Habits(most_values=7), 18),
    ("relational", Habits(most_matches=9), 30),
    ("relational", Habits(most_matches=9, cap_status=0xA700), 30),
]


@pytest.mark.parametrize(("hierarchy", "habits", "most"), ARCHIVES)
@pytest.mark.parametrize("counted", [True, False])
def test_images_come_by_lists_of_series_or_the_series_is_left(
    hierarchy: Hierarchy, habits: Habits, most: int, *, counted: bool
) -> None:
    came: list[Match] = []
    counts: dict[tuple[str, str], int | None] = {
        place: count if counted else None for place, count in PER_SERIES.items()
    }
    with holding(OBJECTS, habits, hierarchy=hierarchy) as asked:
        answer = asked.each_image(
            counts, Query(Level.IMAGE), came.append, deadline=Deadline(PATIENCE)
        )
    told = Counter((str(one["StudyInstanceUID"]), str(one["SeriesInstanceUID"])) for one in came)
    assert answer.queries + len(answer.left) <= most
    for place, count in PER_SERIES.items():
        assert place in answer.left or told[place] == count
    assert not told.keys() - PER_SERIES.keys()


QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("query_instances", {"series_instance_uid": [*SERIES_UIDS, "2.25.1"]}),
    (
        "query_instances",
        {
            "series_instance_uid": SERIES_UIDS[:9],
            "study_instance_uid": ["1.2.1", "1.2.2", "1.2.3", "1.2.99"],
        },
    ),
    (
        "query_series",
        {"study_instance_uid": ["1.2.1", "1.2.3"], "series_instance_uid": SERIES_UIDS},
    ),
    ("count_studies", {"count": "images", "group_by": ["PatientID"]}),
    ("count_studies", {"count": "series", "where": ["InstanceNumber > 2"]}),
    ("patient_timeline", {"patient_id": "P1"}),
    ("study_overview", {"study_date": "202601", "gaps": True}),
    ("read_report", {"patient_id": "P0"}),
]

# What is the same in every true answer.
TOLD = ("returned", "records", "common", "total", "groups", "totals", "missing", "complete")


def answered(node: AnyNode, question: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    tool, arguments = question
    answer = ask(node, tool, **arguments)
    if "records" in answer:
        answer["records"].sort(key=str)
    return {name: answer[name] for name in TOLD if name in answer} | {"queries": answer["queries"]}


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, AnyNode]]:
    """Archives of every kind; who is asked over DIMSE keeps no counts, Orthanc aside."""
    with ExitStack() as stack:
        orthanc = tmp_path_factory.mktemp("orthanc")
        web = orthanc_web(OBJECTS, tmp_path_factory.mktemp("web"))
        keeping_no_counts = Habits(unreturned=COUNTLESS)
        several: dict[str, AnyNode] = {
            "web": WebNode(stack.enter_context(embedded_web(OBJECTS))),
            "orthanc": stack.enter_context(held_by("orthanc", OBJECTS, orthanc, absent=())),
            "orthanc's web": WebNode(stack.enter_context(web)),
        }
        for hierarchy in ("relational", "silent"):
            archive = stack.enter_context(holding(OBJECTS, keeping_no_counts, hierarchy=hierarchy))
            assert isinstance(archive.node, Node)
            several[hierarchy] = archive.node
        yield several


@pytest.mark.orthanc
@pytest.mark.parametrize("number", range(len(QUESTIONS)))
def test_every_archive_answers_alike_and_who_reads_lists_is_asked_little(
    nodes: dict[str, AnyNode], number: int
) -> None:
    answers = {name: answered(node, QUESTIONS[number]) for name, node in nodes.items()}
    queries = {name: answer.pop("queries") for name, answer in answers.items()}
    for name, answer in answers.items():
        assert answer == answers["relational"], name
    for name in answers.keys() - {"silent"}:
        assert queries[name] <= 35, name  # most of them prove that nothing was cut
