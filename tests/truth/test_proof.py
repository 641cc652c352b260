"""Archives that do not understand wildcards, ranges and lists, and say that nothing matches."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.deadline import Deadline
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.habits import Habits
from dicom_mcp.demo.web import EmbeddedWeb
from dicom_mcp.dicom_api import Archive, connect
from dicom_mcp.node import AnyNode, Node, WebNode
from dicom_mcp.standard.dictionary import keywords
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Match, Matches, Query
from tests.asking import ask
from tests.bounds import PATIENCE, in_time
from tests.notes import the_note
from tests.truth.archives import images

pytestmark = pytest.mark.usefixtures("tidy")

EVERY_KEY = frozenset(keywords())
NAMES = ("Doe^Jane", "DOE^JOHN", "Roe^Richard", "Nguyen^Thi", "Meyer^Anna")
PARTS = ("CT Chest", "CT Abdomen", "MR Head", "US Abdomen", "Chest X-ray")


def hospital() -> list[Dataset]:
    """Thirty studies, six for each name and each description, one a day, and one more: a list of
    thirty is as long as archives are configured to cut at."""
    last = {"PatientName": "Zoe^Last", "PatientID": "X1", "StudyDescription": "Other"}
    return images(1, study=31, StudyDate="20260131", AccessionNumber="X31", **last) + [
        one
        for number in range(30)
        for one in images(
            1,
            study=number + 1,
            PatientName=NAMES[number % 5],
            PatientID=f"P{100 + number % 5}",
            StudyDescription=PARTS[number // 6],
            StudyDate=f"202601{number + 1:02}",
            AccessionNumber=f"A{number:03}",
        )
    ]


OBJECTS = hospital()


@contextmanager
def node(habits: Habits, protocol: str = "DIMSE") -> Generator[AnyNode]:
    with EmbeddedArchive(OBJECTS, ae_title="LITERAL", habits=habits) as embedded:
        if protocol == "DIMSE":
            yield Node(port=embedded.port, called_ae_title="LITERAL")
            return
        with EmbeddedWeb(embedded.index, habits=habits) as web:
            yield WebNode(web.url)


@contextmanager
def archive(habits: Habits, protocol: str = "DIMSE") -> Generator[Archive]:
    with node(habits, protocol) as asked:
        connected = connect(asked)
        try:
            yield connected
        finally:
            in_time(connected.close)


def find(asked: Archive, **keys: str) -> Matches:
    query = Query(Level.STUDY, keys, ("StudyDescription", "PatientName", "StudyDate"))
    return in_time(lambda: asked.find(query, limit=500, deadline=Deadline(PATIENCE)))


@pytest.mark.parametrize("protocol", ["DIMSE", "DICOMweb"])
@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"study_description": "Chest"}, 12),
        ({"patient_name": "Doe"}, 12),
        ({"patient_name": "Jane Doe"}, 6),
        ({"patient_name": "DOE^J*"}, 12),
        ({"study_date": "20260105-20260110"}, 6),
        ({"study_date": "20260121-"}, 11),
        ({"study_date": "-20260103"}, 3),
        ({"accession_number": "A01*"}, 10),
        ({"patient_id": "P10?", "study_date": "20260102"}, 1),
        ({"study_instance_uid": "1.2.3\\1.2.4\\1.2.999"}, 2),
        ({"modality_in_study": "CT", "study_description": "abdomen"}, 12),
    ],
    ids=str,
)
def test_what_an_archive_compares_as_written_is_found_all_the_same(
    protocol: str, asked: dict[str, str], count: int
) -> None:
    with node(Habits(literal_keys=EVERY_KEY), protocol) as literal:
        answer = ask(literal, "query_studies", **asked)
    assert (answer["returned"], answer["complete"]) == (count, True)
    assert any("does not" in note for note in answer["notes"])


@pytest.mark.parametrize(
    ("habits", "keys", "count"),
    [
        (Habits(not_wild=frozenset({"at the start"})), {"StudyDescription": "*Chest*"}, 12),
        (Habits(not_wild=frozenset({"at the end"})), {"StudyDescription": "*Abd*"}, 12),
        (Habits(not_wild=frozenset({"inside"})), {"PatientName": "M*r^Anna"}, 6),
        (Habits(not_wild=frozenset({"?"})), {"PatientID": "P10?"}, 30),
        (Habits(whole_words=True), {"StudyDescription": "*bdome*"}, 12),
        (Habits(names="without carets"), {"PatientName": "Doe^J*"}, 12),
        (Habits(names="without carets"), {"PatientName": "Doe^Jane"}, 6),
        (Habits(names="given name first"), {"PatientName": "Doe^J*"}, 12),
        (Habits(open_ranges=False), {"StudyDate": "20260121-"}, 11),
        (Habits(open_ranges=False), {"StudyDate": "-20260103"}, 3),
        (Habits(first_of_list=True), {"StudyInstanceUID": "1.2.3\\1.2.4\\1.2.9"}, 3),
        (Habits(literal_keys=frozenset({"StudyDate"})), {"StudyDate": "20260101-20260131"}, 31),
        (Habits(not_wild=frozenset({"?"}), case_sensitive=True), {"PatientName": "doe^jane"}, 6),
    ],
)
def test_each_way_of_not_understanding_a_key_is_noticed(
    habits: Habits, keys: dict[str, str], count: int
) -> None:
    with archive(habits) as asked:
        answer = find(asked, **keys)
    assert (len(answer.matches), answer.complete) == (count, True)
    assert any("his archive does not" in str(note) for note in answer.notes)


def test_what_was_learned_is_remembered() -> None:
    with archive(Habits(literal_keys=EVERY_KEY)) as asked:
        first = find(asked, StudyDescription="*Chest*")
        second = find(asked, StudyDescription="*Abdomen*")
        assert len(first.matches) == len(second.matches) == 12
        assert second.queries == 1 < first.queries
        assert any("literally in StudyDescription" in told for told in asked.habits.told())


def test_an_empty_answer_of_an_archive_that_understands_is_proved_once() -> None:
    with archive(Habits()) as asked:
        first = find(asked, StudyDescription="*knee*")
        second = find(asked, StudyDescription="*elbow*")
    for answer in (first, second):
        assert (answer.matches, answer.complete, answer.notes) == ([], True, ())
    # The letters are asked for in four ways where case counts; then come two looks and the trials.
    assert (first.queries, second.queries) == (9, 4)


def test_a_plain_value_that_nothing_has_needs_no_proof() -> None:
    with archive(Habits()) as asked:
        answer = find(asked, PatientID="nobody")
    assert (answer.complete, answer.queries) == (True, 1)


def test_what_can_be_neither_shown_nor_compared_is_marked() -> None:
    hidden = frozenset({"StudyDescription"})
    with archive(Habits(literal_keys=hidden, unreturned=hidden)) as asked:
        answer = find(asked, StudyDescription="*Chest*")
    assert not answer.complete
    assert the_note(answer.notes, "Not complete, perhaps")


def test_a_count_by_what_is_compared_as_written_is_right() -> None:
    with node(Habits(literal_keys=EVERY_KEY)) as literal:
        answer = ask(literal, "count_studies", study_description="chest")
    assert (answer["total"], answer["complete"]) == (12, True)


def test_patients_are_found_where_names_are_compared_as_written() -> None:
    with node(Habits(literal_keys=EVERY_KEY)) as literal:
        answer = ask(literal, "query_patients", name_pattern="Doe")
    assert (answer["returned"], answer["complete"]) == (2, True)


def _uid(match: Match) -> Any:
    return match["StudyInstanceUID"]


def test_a_list_of_which_one_is_missing_is_proved_by_one_known_to_be_there() -> None:
    with archive(Habits()) as asked:
        answer = find(asked, StudyInstanceUID="1.2.3\\1.2.4\\1.2.999")
        again = find(asked, StudyInstanceUID="1.2.5\\1.2.6\\1.2.999")
    assert sorted(map(_uid, answer.matches)) == ["1.2.3", "1.2.4"]
    assert answer.complete
    assert answer.notes == ()
    assert again.queries == 2  # a list, and its missing value alone: nothing was cut


def test_a_trial_that_is_cut_short_teaches_nothing() -> None:
    late = frozenset({"StudyDescription"})
    with archive(Habits(most_candidates=5, late_keys=late, cap_status=0xFE00)) as asked:
        answer = find(asked, StudyDescription="*knee*", StudyDate="20260101-20260103")
        learned = asked.habits.understands
    assert answer.matches == []
    assert not [shape for shape, understood in learned.items() if not understood]
