"""Whole lists and right counts from servers that keep to what clouds publish of theirs."""

from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from dataclasses import replace

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import Archive
from dicom_mcp.errors import StatusFailure
from dicom_mcp.node import WebNode
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Matches, Query
from tests.asking import ask
from tests.demo.objects import hospital
from tests.peers.archive import archive_at
from tests.peers.clouds import AWS, AZURE, GOOGLE, Rules, cloud

MANY = 430
_STUDY = "1.2.826.0.1.3680043.10.9"


def _objects() -> list[Dataset]:
    """Studies of one series and image each, more than any page; a third of them is of MR."""
    found: list[Dataset] = []
    first = next(iter(hospital()))
    for number in range(MANY):
        one = deepcopy(first)
        one.StudyInstanceUID = f"{_STUDY}.{number + 1}"
        one.SeriesInstanceUID = f"{one.StudyInstanceUID}.1"
        one.SOPInstanceUID = f"{one.StudyInstanceUID}.1.1"
        one.PatientID = f"P{number // 2:04d}"
        one.PatientName = f"Doe^Jane{number // 2}"
        one.AccessionNumber = f"A{number:05d}"
        one.StudyDate = f"2026{number % 12 + 1:02d}{number % 28 + 1:02d}"
        one.StudyTime = f"{number % 24:02d}1500"
        one.Modality = "MR" if number % 3 == 0 else "CT"
        found.append(one)
    return found


OBJECTS = _objects()
MR = sum(one.Modality == "MR" for one in OBJECTS)

# A server that wants tags, one that has no paging, one that refuses some attributes.
TAGS = replace(AZURE, by_tag=True)
UNPAGED = replace(GOOGLE, paged=False, page=10_000, most=10_000)
FIELDS = replace(AZURE, fields=frozenset({"StudyDate", "PatientID"}))
SHORT = replace(AZURE, most=40, page=20)

CLOUDS = {
    "azure": AZURE,
    "google": GOOGLE,
    "aws": AWS,
    "tags": TAGS,
    "unpaged": UNPAGED,
    "fields": FIELDS,
    "short": SHORT,
}


@pytest.fixture(params=CLOUDS, scope="module")
def held(request: pytest.FixtureRequest) -> Iterator[tuple[Rules, str, list[str]]]:
    rules = CLOUDS[request.param]
    with cloud(rules, OBJECTS) as (url, asked):
        yield rules, url, asked


@pytest.fixture
def reached(held: tuple[Rules, str, list[str]]) -> Iterator[Archive]:
    with closing(archive_at(held[1])) as found:
        yield found


def _find(archive: Archive, level: Level, keys: dict[str, str], *wanted: str) -> Matches:
    return archive.find(Query(level, keys, wanted), limit=1000, deadline=Deadline(60))


def test_a_list_of_every_study_is_whole(reached: Archive) -> None:
    found = _find(reached, Level.STUDY, {}, "StudyDate", "PatientID")
    assert len(found.matches) == MANY
    assert found.complete


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"StudyDate": "20260101-20260131"}, sum(o.StudyDate[:6] == "202601" for o in OBJECTS)),
        ({"PatientID": "P0007"}, 2),
        ({"PatientID": "P000*"}, 20),
        ({"PatientName": "Doe*"}, MANY),
        ({"PatientName": "Doe^Jane7"}, 2),
        ({"PatientName": "Nobody*"}, 0),
        ({"AccessionNumber": "A00011"}, 1),
        ({"StudyTime": "001500"}, sum(o.StudyTime == "001500" for o in OBJECTS)),
        ({"StudyInstanceUID": f"{_STUDY}.3\\{_STUDY}.5"}, 2),
    ],
)
def test_what_is_found_is_what_the_keys_mean(
    reached: Archive, keys: dict[str, str], expected: int
) -> None:
    found = _find(reached, Level.STUDY, keys, "StudyDate", "StudyTime", "PatientName")
    assert (len(found.matches), found.complete) == (expected, True)


def test_studies_of_a_modality_are_found_whether_or_not_it_is_searched_by(
    held: tuple[Rules, str, list[str]],
) -> None:
    _, url, asked = held
    with closing(archive_at(url)) as reached:
        keys = {"ModalitiesInStudy": "MR", "StudyDate": "20260101-20260131"}
        found = _find(reached, Level.STUDY, keys)
        mr = [o for o in OBJECTS if o.StudyDate[:6] == "202601" and o.Modality == "MR"]
        assert (len(found.matches), found.complete) == (len(mr), True)
    assert len(asked) < 10_000


def test_series_and_images_of_a_study_are_found(reached: Archive) -> None:
    series = _find(reached, Level.SERIES, {"StudyInstanceUID": f"{_STUDY}.4"}, "Modality")
    assert [one["Modality"] for one in series.matches] == ["MR"]
    images = _find(reached, Level.IMAGE, {"StudyInstanceUID": f"{_STUDY}.4"})
    assert [one["SOPInstanceUID"] for one in images.matches] == [f"{_STUDY}.4.1.1"]
    images = _find(reached, Level.IMAGE, {"SeriesInstanceUID": f"{_STUDY}.4.1"})
    assert [one["SOPInstanceUID"] for one in images.matches] == [f"{_STUDY}.4.1.1"]
    assert series.complete
    assert images.complete


def test_counts_and_patients_are_whole(held: tuple[Rules, str, list[str]]) -> None:
    node = WebNode(held[1])
    counted = ask(node, "count_studies", study_date="20260101-20260131")
    assert counted["complete"]
    assert counted["total"] == sum(o.StudyDate[:6] == "202601" for o in OBJECTS)


def test_a_server_that_refuses_everything_is_asked_a_few_times_and_then_believed() -> None:
    nothing = Rules({}, page=1, most=0)
    with cloud(nothing, OBJECTS[:2]) as (url, asked), closing(archive_at(url)) as reached:
        keys = {"PatientName": "Doe*", "ModalitiesInStudy": "CT"}
        with pytest.raises(StatusFailure, match="does not accept this query"):
            _find(reached, Level.STUDY, keys, "StudyDate", "StudyTime")
        assert len(asked) <= 20
