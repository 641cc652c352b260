"""Many values in one question: which of these accession numbers, patients, studies are there."""

import warnings

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.habits import Habits
from dicom_mcp.dicom_api import connect
from dicom_mcp.node import Node
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Query
from tests.asking import ask
from tests.bounds import PATIENCE
from tests.sixty_studies import NOT_THERE, OBJECTS, THERE, archive, found
from tests.truth.archives import images

pytestmark = pytest.mark.usefixtures("tidy")


NAMING = frozenset({"AccessionNumber", "PatientID"})

HABITS = {
    "reads lists of UIDs": Habits(),
    "reads lists": Habits(listed_keys=NAMING),
    "compares lists literally": Habits(literal_keys=NAMING | {"StudyInstanceUID"}),
    "matches the first value only": Habits(first_of_list=True, listed_keys=NAMING),
    "matches the last value only": Habits(last_of_list=True, listed_keys=NAMING),
    "gives everything for a list": Habits(ignores_lists=True, listed_keys=NAMING),
    "reads three values": Habits(most_values=3, listed_keys=NAMING),
    "reads fifty values": Habits(most_values=50, listed_keys=NAMING),
    "reads 64 characters": Habits(longest_key=64, listed_keys=NAMING),
    "refuses more than 64 characters": Habits(
        longest_key=64, long_key_status=0xC000, listed_keys=NAMING
    ),
    "gives seven at once and says so": Habits(
        most_matches=7, cap_status=0xFE00, listed_keys=NAMING
    ),
    "gives seven at once": Habits(most_matches=7, listed_keys=NAMING),
    "gives fifty at once": Habits(most_matches=50, listed_keys=NAMING),
    "gives everything for a list, of which fifty": Habits(
        most_matches=50, ignores_lists=True, listed_keys=NAMING
    ),
}


@pytest.mark.parametrize("habits", HABITS.values(), ids=list(HABITS))
def test_which_of_sixty_accession_numbers_are_there(habits: Habits) -> None:
    with archive(habits) as asked:
        answer = ask(asked, "query_studies", accession_number=THERE + NOT_THERE)
    assert answer["complete"], answer["notes"]
    assert found(answer) == set(THERE)
    assert answer["missing"] == {"AccessionNumber": NOT_THERE}


@pytest.mark.parametrize("habits", HABITS.values(), ids=list(HABITS))
def test_which_of_sixty_studies_are_there(habits: Habits) -> None:
    there = [one.StudyInstanceUID for one in OBJECTS[:57]]
    with archive(habits) as asked:
        answer = ask(asked, "query_studies", study_instance_uid=[*there, "2.25.1", "2.25.2"])
    assert answer["complete"], answer["notes"]
    assert found(answer, "StudyInstanceUID") == set(there)
    assert answer["missing"] == {"StudyInstanceUID": ["2.25.1", "2.25.2"]}


@pytest.mark.parametrize(
    "pasted",
    [
        "A1001, A1002, B1",
        "A1001,A1002,B1,",
        "A1001 A1002 B100",
        "A1001\nA1002\nB1\n",
        "A1001;A1002;B1",
        "A1001\\A1002\\B1",
        '["A1001", "A1002", "B1"]',
        ["A1001", "A1002", "B1"],
        ["A1001", " A1002 ", "B1", "A1001"],
        "'A1001', 'A1002', 'B1'",
        "A1001,\nA1002,\nB1",
    ],
)
def test_a_list_is_read_however_it_was_pasted(pasted: str | list[str]) -> None:
    with archive() as asked:
        answer = ask(asked, "query_studies", accession_number=pasted)
    assert found(answer) == {"A1001", "A1002"}
    assert len(answer["missing"]["AccessionNumber"]) == 1
    assert answer["complete"]


@pytest.mark.parametrize("number", ["A,1", "12 B 3", "A;7", "2026/01", "1234 5678"])
def test_a_number_with_separators_in_it_is_one_number(number: str) -> None:
    with archive(objects=[*OBJECTS, *images(1, study=99, AccessionNumber=number)]) as asked:
        answer = ask(asked, "query_studies", accession_number=number)
        beside = ask(asked, "query_studies", accession_number=[number, "A1001"])
    assert found(answer) == {number}
    assert answer["complete"]
    assert found(beside) == {number, "A1001"}


def test_patients_are_asked_for_by_a_list_together_with_days() -> None:
    with archive() as asked:
        answer = ask(
            asked,
            "query_studies",
            patient_id="P100, P101, P999",
            study_date="20260101-20260128",
        )
        counted = ask(asked, "count_studies", patient_id="P100, P101, P999")
    assert answer["returned"] == 4
    assert answer["missing"] == {"PatientID": ["P999"]}
    assert counted["total"] == 6
    assert counted["missing"] == {"PatientID": ["P999"]}
    assert counted["complete"], counted["notes"]


def test_the_series_of_many_studies_come_in_one_question() -> None:
    uids = [one.StudyInstanceUID for one in OBJECTS[:40]]
    with archive() as asked:
        answer = ask(asked, "query_series", study_instance_uid=uids)
    assert answer["returned"] == 40
    assert answer["complete"]
    assert answer["queries"] <= 4


def test_instances_are_asked_for_by_a_list_of_series() -> None:
    uids = [one.SeriesInstanceUID for one in OBJECTS[:3]]
    with archive() as asked:
        answer = ask(asked, "query_instances", series_instance_uid=[*uids, "2.25.1"])
    assert answer["returned"] == 3
    assert answer["missing"] == {"SeriesInstanceUID": ["2.25.1"]}


def test_an_accession_number_longer_than_sixteen_is_asked_for_exactly() -> None:
    number = "HOSPITAL-2026-000001"
    with warnings.catch_warnings(action="ignore"):
        odd = images(1, study=99, AccessionNumber=number)
    with archive(objects=[*OBJECTS, *odd]) as asked:
        assert found(ask(asked, "query_studies", accession_number=number)) == {number}
        assert ask(asked, "count_studies", accession_number=number)["total"] == 1


@pytest.mark.parametrize("uid", ["1.02.3", "X1.2.3", "1." + "2" * 70])
def test_a_uid_that_the_archive_gave_is_used_as_it_is(uid: str) -> None:
    odd = images(1, study=99)
    with warnings.catch_warnings(action="ignore"):
        odd[0].StudyInstanceUID = uid
    with archive(objects=[*OBJECTS, *odd]) as asked:
        assert ask(asked, "query_studies", study_instance_uid=uid)["returned"] == 1
        assert ask(asked, "query_series", study_instance_uid=uid)["returned"] == 1
        assert ask(asked, "study_overview", study_instance_uid=uid)["returned"] == 1


# Each is some thirty queries.
REPETITIONS = 5


def test_values_asked_for_side_by_side_make_the_same_answer_each_time() -> None:
    """Four associations at a time: whatever comes first, each value is there once."""
    query = Query(Level.STUDY, {"AccessionNumber": "\\".join(THERE[:24] + NOT_THERE)})
    with EmbeddedArchive(OBJECTS, ae_title="LISTS") as embedded:
        asked = connect(Node(port=embedded.port, called_ae_title="LISTS", connections=4))
        for _ in range(REPETITIONS):
            asked.habits.lists.clear()
            came: list[str] = []
            answer = asked.each(
                query,
                lambda match, came=came: came.append(str(match["AccessionNumber"])),
                limit=100,
                deadline=Deadline(PATIENCE),
            )
            assert sorted(came) == THERE[:24]
            assert answer.complete
            assert len(answer.notes) == 1
        asked.close()
