"""Lists that an archive cuts without a word, at a length that nobody would doubt."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.demo.habits import Habits
from dicom_mcp.demo.index import COMPUTED
from dicom_mcp.node import AnyNode, WebNode
from dicom_mcp.standard.levels import Level
from tests.asking import answers, ask
from tests.busy import Kept, Study
from tests.notes import the_note
from tests.peers.embedded import Kind, embedded, embedded_web
from tests.truth.archives import find, holding, images, studies

type Asked = tuple[str, dict[str, Any], int]

_DAY = "20260317"


def asked(held: list[Study]) -> list[Asked]:
    """Tools, arguments, and how many there are."""

    def count(study: Study) -> bool:
        return f"{study.day or ''}".replace("-", "") == _DAY

    patients = {study.patient.patient_id for study in held}
    bergers = {s.patient.patient_id for s in held if s.patient.name.startswith("Berger")}
    largest = max(held, key=lambda study: len(study.series))
    return [
        ("count_studies", {"study_date": _DAY}, sum(map(count, held))),
        ("count_studies", {"modality": "CT"}, sum("CT" in one.modalities for one in held)),
        ("query_patients", {"name_pattern": "Berger*", "limit": 500}, len(bergers)),
        ("count_studies", {}, len(held)),
        ("count_studies", {"count": "patients"}, len(patients)),
        ("query_studies", {"study_date": _DAY, "limit": 500}, sum(map(count, held))),
        ("query_series", {"study_instance_uid": largest.uid}, len(largest.series)),
    ]


@pytest.fixture(params=["DIMSE", "DICOMweb"])
def cut(request: pytest.FixtureRequest, small: Kept) -> Iterator[AnyNode]:
    """417 of each list, over DICOMweb of all pages together."""
    database = str(small.database)
    if request.param == "DIMSE":
        with embedded([], Kind(Habits(most_matches=417)), database=database) as peer:
            yield peer.node
    else:
        with embedded_web([], Habits(most_of_all_pages=417), database=database) as url:
            yield WebNode(url)


def test_a_list_cut_at_any_length_is_whole_or_marked_whatever_is_asked(
    cut: AnyNode, small: Kept
) -> None:
    questions = asked([*small.held])
    told = list(answers(cut, [(tool, arguments) for tool, arguments, _ in questions]))
    for (tool, arguments, count), answer in zip(questions, told, strict=True):
        assert answer.get("total", answer.get("returned")) == count, (tool, arguments)
        assert answer["complete"], (tool, arguments, answer["notes"])


@pytest.mark.parametrize("most", [13, 41])
@pytest.mark.parametrize("level", [Level.STUDY, Level.PATIENT])
def test_a_list_cut_at_any_length_is_asked_in_parts_until_it_is_whole(
    level: Level, most: int
) -> None:
    held = [
        image
        for number in range(1, 81)
        for image in images(
            1,
            study=number,
            StudyDate=f"2026{1 + number // 28:02}{1 + number % 28:02}",
            PatientBirthDate=f"19{10 + number}0101",
        )
    ]
    with holding(held, Habits(most_matches=most)) as archive:
        answer = find(archive, level)
        assert len(answer.matches) == 80
        assert answer.complete
        assert archive.habits.cap == most


@pytest.mark.parametrize("level", [Level.SERIES, Level.IMAGE])
def test_what_is_below_one_study_is_counted_above_at_any_length(level: Level) -> None:
    held = images(33)
    if level is Level.SERIES:
        for number, image in enumerate(held):
            image.SeriesInstanceUID = f"1.2.1.{number}"
    keys = {"StudyInstanceUID": "1.2.1"}
    if level is Level.IMAGE:
        keys["SeriesInstanceUID"] = "1.2.1.1"
    with holding(held, Habits(most_matches=23)) as archive:
        answer = find(archive, level, keys)
    assert len(answer.matches) == 23
    assert answer.complete is False
    assert the_note(answer.notes, "counts 33")


def test_an_archive_that_gives_more_than_it_is_asked_for_is_asked_once_more_only() -> None:
    with holding(studies(60)) as archive:
        january = {"StudyDate": "20260101-20260131"}
        numbers = [find(archive, Level.STUDY, january).queries for _ in range(3)]
        find(archive, Level.STUDY, {"StudyDate": "20260201-20260228"})
    assert numbers == [2, 1, 1]


def parted(studies: int, series: int, objects: int) -> list[Dataset]:
    """Studies a day apart, of so many series of so many objects."""
    made: list[Dataset] = []
    for study in range(1, studies + 1):
        for number in range(1, series + 1):
            some = images(
                objects, study=study, StudyDate=f"202603{study:02}", PatientID=f"P{study}"
            )
            for count, one in enumerate(some):
                one.SeriesInstanceUID = f"1.2.{study}.{number}"
                one.SOPInstanceUID = f"1.2.{study}.{number}.{count}"
            made += some
    return made


@pytest.mark.parametrize("days", [{}, {"study_date": "20260301-20260331"}])
@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("cap", [7, 11, 13, 14, 17])
def test_below_several_studies_nothing_is_lost_at_any_length(
    cap: int, counts: bool, days: dict[str, Any]
) -> None:
    unkept: frozenset[str] = frozenset() if counts else frozenset(COMPUTED)
    habits = Habits(most_matches=cap, unreturned=unkept, ignored_keys=unkept)
    questions = {
        "series": ({"count": "series"}, 24),
        "images": ({"count": "images"}, 72),
        "images by class": ({"count": "images", "group_by": ["SOPClassUID"]}, 72),
    }
    with embedded(parted(6, 4, 3), Kind(habits)) as peer:
        for name, (arguments, true) in questions.items():
            answer = ask(peer.node, "count_studies", **arguments, **days)
            if answer["complete"]:
                assert answer["total"] == true, name
            assert answer["total"] <= true, name


@pytest.mark.parametrize("cap", [7, 10, 11, 12])
def test_a_study_with_as_many_series_as_a_known_limit_is_whole_or_says_why(cap: int) -> None:
    calls = [
        ("query_studies", {"patient_id": "*"}),
        ("count_studies", {"count": "series"}),
        *[("query_series", {"study_instance_uid": "1.2.2"})] * 2,
    ]
    with embedded(parted(3, 12, 1), Kind(Habits(most_matches=cap))) as peer:
        _, counted, *listed = answers(peer.node, calls)
    assert not counted["complete"] or counted["total"] == 36
    for answer in listed:  # that one which is not complete says why is watched everywhere
        assert answer["returned"] == 12 or not answer["complete"]
