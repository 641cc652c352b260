"""query_worklist through the real server: the demo hospital's worklist, and ones with faults."""

import logging
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from itertools import product
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.valuerep import PersonName

from dicom_mcp.deadline import Deadline
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.node import Node
from dicom_mcp.standard.levels import MODALITY_WORKLIST, Level
from dicom_mcp.standard.matching import matches
from dicom_mcp.standard.query import Query
from dicom_mcp.standard.worklist import FIELDS, OF_STEP
from dicom_mcp.words.schedule import WorklistQuestion
from tests.asking import ask, fail
from tests.bounds import PATIENCE
from tests.notes import the_note
from tests.peers.pynetdicom_scp import MODELS, VERIFICATION, Answers, accepting, archive_of
from tests.peers.pynetdicom_scp import study as acceptor_study
from tests.peers.scripted import Peer, accept, element, give, hear_question, hold
from tests.worklists import (
    DAY,
    QUESTIONS,
    TODAY,
    Asked,
    accessions,
    name,
    records_of,
    step,
    study,
    worklist,
)


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with EmbeddedArchive([], ae_title="RIS", worklist=worklist()) as archive:
        yield Node(port=archive.port, called_ae_title="RIS")


# What is asked for


@pytest.mark.parametrize("days", [DAY, "2026-03-02", "March 2026", "since 2026-03-01", ""])
@pytest.mark.parametrize(
    ("asked", "is_meant"), QUESTIONS, ids=[" ".join(map(str, one)) for one, _ in QUESTIONS]
)
def test_every_entry_that_is_meant_and_no_other(
    node: Node, days: str, asked: Asked, is_meant: Callable[[Dataset], bool]
) -> None:
    answer = ask(node, "query_worklist", date=days, **asked)
    meant = [entry.AccessionNumber for entry in worklist() if is_meant(entry)]
    assert accessions(answer) == meant
    assert answer["returned"] == len(meant)
    assert answer["complete"] is True


def test_a_record_is_flat_and_short_and_what_all_share_stands_once(node: Node) -> None:
    answer = ask(node, "query_worklist", date=DAY, modality="US or ECG")
    assert answer["common"] == {
        "date": DAY,
        "sex": "F",
        "priority": "ROUTINE",
        "performing_physician": "Lund^Karin",
    }
    assert answer["records"][0] == {
        "time": "100000",
        "patient_name": "Petit^Zoé^Léa",
        "patient_id": "104217",
        "birth_date": worklist()[4].PatientBirthDate,
        "modality": "US",
        "station": "US1",
        "station_ae_title": "DEMO_US1",
        "procedure": "US Abdomen",
        "referring_physician": "Demir^Leyla",
        "accession_number": "W26030205",
        "requested_procedure_id": "RP5",
        "step_id": "SPS5",
        "study_instance_uid": worklist()[4].StudyInstanceUID,
    }


def test_an_answer_says_what_was_asked_and_what_it_cost(node: Node) -> None:
    answer = ask(node, "query_worklist", date=DAY, modality="CT or MR")
    assert answer["sent"] == {"ScheduledProcedureStepStartDate": DAY, "Modality": "CT or MR"}
    assert answer["queries"] == 2
    assert answer["notes"] == []
    assert answer["waiting"] is None
    assert answer["archive"]["called_ae_title"] == "RIS"


def test_without_a_date_today_is_asked_for(node: Node) -> None:
    before, answer, after = today(), ask(node, "query_worklist"), today()
    assert answer["sent"]["ScheduledProcedureStepStartDate"] in (before, after)


def test_where_nothing_is_for_a_station_the_others_are_named(node: Node) -> None:
    answer = ask(node, "query_worklist", date=DAY, station="CT9")
    assert answer["notes"] == [
        "Nothing is scheduled that matches these keys.",
        "There are entries for other stations: CT1, CT2, ECG1, MR1, US1, XR1.",
    ]


def test_more_than_the_limit_are_the_first_by_time(node: Node) -> None:
    answer = ask(node, "query_worklist", date=DAY, limit=3)
    assert accessions(answer) == ["W26030201", "W26030202", "A46579736"]
    assert answer["complete"] is False
    assert the_note(answer["notes"], "first 3 of 10 worklist entries by time")


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"date": "someday"}, "date='someday' is not a date"),
        ({"modality": "the old teapot"}, "is no modality"),
        ({"station": "CT1\\CT2"}, "contains a backslash"),
        ({"limit": 0}, "limit: "),
        ({"patient": "Doe"}, "Did you mean patient_id"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_reason(
    node: Node, asked: Asked, why: str
) -> None:
    assert why in fail(node, "query_worklist", **asked)


def today() -> str:
    """The day it is on this machine, as a key."""
    return f"{datetime.now().astimezone():%Y%m%d}"


# Archives with faults


def found(event: Any) -> list[Dataset]:
    """The ten entries as answers, in UTF-8, with all that is asked for."""
    asked = event.identifier
    answers: list[Dataset] = []
    for entry in worklist():
        answer = Dataset()
        answer.SpecificCharacterSet = "ISO_IR 192"
        for keyword in {*FIELDS} - OF_STEP:
            if keyword in asked and keyword in entry:
                setattr(answer, keyword, str(entry[keyword].value))
        answer.ScheduledProcedureStepSequence = [step(entry)]
        answers.append(answer)
    return answers


def key(event: Any, keyword: str) -> str:
    """The text of a key, wherever it stands."""
    asked = event.identifier
    place = asked.ScheduledProcedureStepSequence[0] if keyword in OF_STEP else asked
    return str(place.get(keyword) or "")


def given(answers: Sequence[Dataset], status: int = 0xFF00, final: int = 0x0000) -> Answers:
    """These answers, and how they end."""
    for answer in answers:
        yield status, answer
    yield final, None


EVERYTHING = (*MODELS, MODALITY_WORKLIST)


def asked_of(
    find: Callable[[Any], Answers], models: tuple[str, ...] = EVERYTHING, **asked: Any
) -> dict[str, Any]:
    with accepting(find, models=models) as acceptor:
        return ask(acceptor.node(), "query_worklist", **asked)


def failed_by(
    find: Callable[[Any], Answers], models: tuple[str, ...] = EVERYTHING, **asked: Any
) -> str:
    with accepting(find, models=models) as acceptor:
        return fail(acceptor.node(), "query_worklist", **asked)


def test_an_archive_that_ignores_the_date_is_found_out() -> None:
    answer = asked_of(lambda event: given(found(event)), date="20260303")
    assert answer["returned"] == 0
    assert answer["complete"] is True
    assert (
        "The archive ignored ScheduledProcedureStepStartDate: 10 worklist entries that did not "
        "match were left out here." in answer["notes"]
    )


def test_an_archive_that_ignores_every_key_is_compared_here() -> None:
    answer = asked_of(
        lambda event: given(found(event)), date=DAY, station="CT1", patient_name="Brückner"
    )
    assert accessions(answer) == ["W26030201"]
    assert answer["complete"] is True


def test_a_key_that_does_not_come_back_may_have_been_ignored() -> None:
    def find(event: Any) -> Answers:
        answers = found(event)
        for answer in answers:
            del answer.PatientID
        return given(answers)

    answer = asked_of(find, date=DAY, patient_id="104217")
    assert answer["returned"] == 10
    assert any("does not return PatientID" in note for note in answer["notes"])


def test_the_same_entry_twice_is_one_entry() -> None:
    answer = asked_of(lambda event: given([*found(event), *found(event)]), date=DAY)
    assert answer["returned"] == 10


def test_a_japanese_name_is_found_where_names_are_compared_as_bytes() -> None:
    def find(event: Any) -> Answers:
        return given([] if key(event, "PatientName") else found(event))

    for days in (DAY, ""):
        answer = asked_of(find, date=days, patient_name="山田太郎")
        assert accessions(answer) == ["W26030202"]
        assert answer["complete"] is True
        assert any("not find everything as it was written" in note for note in answer["notes"])


def test_names_that_nobody_can_read_are_no_proof_that_there_are_none() -> None:
    def find(event: Any) -> Answers:
        (answer,) = [one for one in found(event) if "Соколова" in name(one)]
        answer.PatientName = PersonName(name(answer).encode("iso8859-5"))
        del answer.SpecificCharacterSet
        return given([answer])

    answer = asked_of(find, date=DAY, patient_name="Соколова")
    assert answer["returned"] == 0
    assert answer["complete"] is False
    assert any("without a character set" in note for note in answer["notes"])


def test_a_key_that_is_refused_does_not_spoil_the_other() -> None:
    def find(event: Any) -> Answers:
        if key(event, "ScheduledStationName"):
            return given([], final=0xA900)
        title = key(event, "ScheduledStationAETitle")
        return given(
            [one for one in found(event) if not title or step(one).ScheduledStationAETitle == title]
        )

    answer = asked_of(find, date=DAY, station="DEMO_CT1")
    assert accessions(answer) == ["W26030201", "A46579736"]
    assert answer["complete"] is True
    answer = asked_of(find, date="", station="DEMO_CT1")
    assert accessions(answer) == ["W26030201", "A46579736"]
    assert answer["complete"] is False
    assert any("ScheduledStationName" in note and "0xA900" in note for note in answer["notes"])


def test_a_name_that_is_refused_is_looked_for_in_the_whole_list() -> None:
    def find(event: Any) -> Answers:
        if key(event, "PatientName"):
            return given([], final=0xC000)
        return given(found(event))

    answer = asked_of(find, date=DAY, patient_name="山田太郎")
    assert accessions(answer) == ["W26030202"]
    assert answer["complete"] is True
    answer = asked_of(find, date=DAY, patient_name="nobody")
    assert answer["returned"] == 0
    assert answer["complete"] is True
    said = failed_by(find, date="", patient_name="nobody")
    assert "0xC000" in said


def test_a_failure_is_an_error_with_a_remedy_for_worklists() -> None:
    said = failed_by(lambda _: given([], final=0xA900), date=DAY)
    assert "the query for worklist entries failed with status 0xA900" in said
    assert "date or station alone" in said
    assert "study_instance_uid" not in said


def test_an_answer_that_ends_early_is_marked() -> None:
    answer = asked_of(lambda event: given(found(event)[:4], final=0xA700), date=DAY)
    assert answer["returned"] == 4
    assert answer["complete"] is False
    assert the_note(answer["notes"], "0xA700", "after 4 worklist entries")


def planned(days: Sequence[str], times: Sequence[str]) -> list[Dataset]:
    """An entry for each of the times on each of the days."""
    entries: list[Dataset] = []
    first = worklist()[0]
    for number, (day, time) in enumerate(product(days, times)):
        entry = deepcopy(first)
        entry.AccessionNumber = f"{number:03}"
        step(entry).ScheduledProcedureStepStartDate = day
        step(entry).ScheduledProcedureStepStartTime = time
        entries.append(entry)
    return entries


def capped(entries: Sequence[Dataset], most: int, final: int = 0x0000) -> Callable[[Any], Answers]:
    """Matches date and time and gives only so many, in no order of time."""
    dates, times = "ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime"

    def find(event: Any) -> Answers:
        meant = [
            entry
            for entry in reversed(entries)
            if matches("DA", key(event, dates), [str(step(entry)[dates].value)])
            and matches("TM", key(event, times), [str(step(entry)[times].value)])
        ]
        return given(meant[:most], final=final if len(meant) > most else 0x0000)

    return find


HOURS = [f"{hour:02}{minute:02}00" for hour in range(7, 19) for minute in (0, 10, 20, 30)]


@pytest.mark.parametrize("final", [0x0000, 0xA700, 0xFE00])
@pytest.mark.parametrize(
    ("days", "asked"),
    [
        ([DAY], DAY),
        (["20260228", "20260301", DAY], "20260227-20260304"),
        (["20260228", "20260301", DAY], ""),
        (["20260228", "20260301", DAY], "since 2026-02-28"),
        (["20260228", "20260301", DAY], "until 2026-03-02"),
    ],
)
def test_a_list_that_an_archive_cuts_is_asked_in_parts(
    days: list[str], asked: str, final: int
) -> None:
    entries = planned(days, HOURS)
    answer = asked_of(capped(entries, 10, final), date=asked, limit=500)
    assert accessions(answer) == [entry.AccessionNumber for entry in entries]
    assert answer["complete"] is True
    assert any("at most 10 worklist entries at once" in note for note in answer["notes"])


@pytest.mark.parametrize("most", [7, 13, 41])
def test_a_list_that_is_cut_without_a_word_at_any_length_is_asked_in_parts(most: int) -> None:
    entries = planned([DAY], HOURS)
    answer = asked_of(capped(entries, most), date=DAY, limit=500)
    assert accessions(answer) == [entry.AccessionNumber for entry in entries]
    assert answer["complete"] is True


def test_a_list_that_just_has_a_round_number_of_entries_is_whole() -> None:
    answer = asked_of(capped(planned([DAY], HOURS[:20]), 1000), date=DAY)
    assert answer["returned"] == 20
    assert answer["complete"] is True
    assert answer["notes"] == []
    assert answer["queries"] == 3


def test_a_list_too_long_for_one_answer_is_asked_in_parts_from_the_start() -> None:
    entries = planned([DAY], HOURS)
    whole = capped(entries, 10, 0xA700)

    def find(event: Any) -> Answers:
        answers = list(whole(event))
        return given([], final=0xA700) if answers[-1][0] else iter(answers)

    answer = asked_of(find, date=DAY)
    assert answer["returned"] == len(entries)
    assert answer["complete"] is True


@pytest.mark.parametrize(("most", "complete"), [(20, True), (100, False)])
def test_an_archive_that_cannot_be_asked_in_parts_is_doubted_at_a_hundred(
    most: int, complete: bool
) -> None:
    times = [f"{hour:02}{minute:02}00" for hour in range(24) for minute in range(0, 60, 10)]
    entries = planned([DAY], times)
    answer = asked_of(lambda _: given(entries[:most]), date=DAY)
    assert answer["returned"] == most
    assert answer["complete"] is complete
    assert any("perhaps" in note for note in answer["notes"]) is not complete


def test_what_the_archive_does_with_studies_says_nothing_about_its_worklist() -> None:
    whole = capped(planned([DAY], HOURS), 10)

    def find(event: Any) -> Answers:
        if event.context.abstract_syntax == MODALITY_WORKLIST:
            return whole(event)
        return given([acceptor_study(event, number) for number in range(60)])

    with accepting(find, models=EVERYTHING) as acceptor, archive_of(acceptor) as archive:
        studies = archive.find(Query(Level.STUDY), limit=100, deadline=Deadline(PATIENCE))
        assert len(studies.matches) == 60
        question = WorklistQuestion.of(today=TODAY, date="today")
        answer = archive.worklist(question, limit=100, deadline=Deadline(PATIENCE))
    assert len(answer.rows) == len(HOURS)


def test_a_list_too_long_to_be_compared_here_only_matters_where_nothing_was_found() -> None:
    days = [f"2026{month:02}{day:02}" for month in range(1, 13) for day in range(1, 6)]
    entries = planned(days, HOURS)
    assert len(entries) > 2500
    step(entries[0]).ScheduledStationName = "CT7"
    with EmbeddedArchive([], ae_title="RIS", worklist=entries) as archive:
        node = Node(port=archive.port)
        there = ask(node, "query_worklist", date="2026", station="CT7")
        nowhere = ask(node, "query_worklist", date="2026", station="CT8")
    assert there["returned"] == 1
    assert there["complete"] is True
    assert there["notes"] == []
    assert nowhere["returned"] == 0
    assert nowhere["complete"] is False
    assert the_note(nowhere["notes"], "only 2000 worklist entries were compared")


def test_dates_that_no_calendar_has_are_answered_all_the_same() -> None:
    days = ["00010101", "99991231", "", "20260301"]
    entries = planned(days, HOURS[:10])
    answer = asked_of(lambda _: given(entries), date="", limit=500)
    assert answer["returned"] == 40


def test_unsupported_optional_keys_are_told() -> None:
    answer = asked_of(lambda event: given(found(event), status=0xFF01), date=DAY)
    assert answer["returned"] == 10
    assert the_note(answer["notes"], "0xFF01")


def test_an_archive_without_a_worklist_says_who_may_have_one() -> None:
    said = failed_by(lambda event: given(found(event)), models=MODELS)
    assert "not C-FIND (Modality Worklist)" in said
    assert "the RIS or a broker" in said


def test_what_came_before_the_deadline_is_kept_and_marked() -> None:
    entry = element(0x0010, 0x0020, b"7") + element(0x0008, 0x0050, b"W1")
    script = (accept, hear_question, give(lambda talk: talk.row(data_set=entry)), hold)
    with Peer(script) as peer:
        node = replace(Node(port=peer.port), timeout=0.5)
        answer = ask(node, "query_worklist", date="", patient_id="7")
    assert answer["returned"] == 1
    assert answer["complete"] is False
    assert the_note(answer["notes"], "no complete answer within 0.5 seconds")


def test_no_name_is_written_to_the_log(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="dicom_mcp"):
        ask(node, "query_worklist", date="", patient_name="ZZSECRET", station="ZZSTATION")
    assert "C-FIND" in caplog.text
    assert "WORKLIST" in caplog.text
    assert "ZZS" not in caplog.text


# What has arrived


def test_what_has_arrived_is_found_by_uid_else_accession_number_else_patient_and_day() -> None:
    entries = worklist()
    for entry in entries:
        entry.StudyInstanceUID = f"1.2.{entry.AccessionNumber[1:]}"
    objects = [
        *study(entries[0], 4),
        *study(entries[1], 3, StudyInstanceUID="1.3.2"),
        *study(entries[2], 2, StudyInstanceUID="1.3.3", AccessionNumber=""),
        # None of these is what was scheduled.
        *study(entries[3], 1, StudyInstanceUID="1.3.4", PatientID="another"),
        *study(entries[4], 1, StudyInstanceUID="1.3.5", AccessionNumber="", StudyDate="20260301"),
        *study(entries[5], 1, StudyInstanceUID="1.3.6", AccessionNumber="", Modality="CT"),
        *study(entries[6], 1, StudyInstanceUID="1.3.7", AccessionNumber="ANOTHER"),
    ]
    with EmbeddedArchive(objects, ae_title="PACS", worklist=entries) as archive:
        node = Node(port=archive.port)
        answer = ask(node, "query_worklist", date=DAY, arrived=True)
        assert "arrived" not in ask(node, "query_worklist", date=DAY)["records"][0]
    records = answer["records"]
    assert [record["arrived"] for record in records] == [4, 3, 2, 0, 0, 0, 0, 0, 0, 0]
    assert "arrived_by" not in records[0]
    assert records[1]["arrived_by"] == "accession_number"
    assert records[1]["arrived_studies"] == ["1.3.2"]
    assert records[2]["arrived_by"] == "patient_id and date"
    assert records[2]["arrived_studies"] == ["1.3.3"]
    assert answer["waiting"] == 7
    assert answer["complete"] is True
    assert [note.split(":")[0] for note in answer["notes"]] == ["arrived_by patient_id and date"]


def test_many_that_have_arrived_are_found_in_one_query() -> None:
    entries = worklist()[:9]
    objects = [image for entry in entries for image in study(entry, 1)]
    with EmbeddedArchive(objects, ae_title="PACS", worklist=entries) as archive:
        answer = ask(Node(port=archive.port), "query_worklist", date=DAY, arrived=True)
    assert answer["waiting"] == 0
    assert answer["queries"] <= 5  # three prove that neither list was cut


def test_an_archive_that_knows_no_lists_of_uids_is_asked_one_by_one() -> None:
    def find(event: Any) -> Answers:
        if event.context.abstract_syntax == MODALITY_WORKLIST:
            return given(found(event)[:3])
        asked = event.identifier
        arrived = Dataset()
        arrived.QueryRetrieveLevel = "STUDY"
        uids = asked.StudyInstanceUID
        arrived.StudyInstanceUID = uids if isinstance(uids, str) else uids[0]
        arrived.NumberOfStudyRelatedInstances = 5
        arrived.ModalitiesInStudy = "CT"
        return given([arrived] if arrived.StudyInstanceUID else [])

    answer = asked_of(find, date=DAY, arrived=True)
    assert [record["arrived"] for record in records_of(answer, "arrived")] == [5, 5, 5]
    assert answer["waiting"] == 0


def test_what_has_arrived_is_looked_up_for_a_hundred_entries() -> None:
    entries = planned([DAY, "20260303"], HOURS)
    entries += planned(["20260304"], HOURS[:24])
    with EmbeddedArchive([], ae_title="PACS", worklist=entries) as archive:
        node = Node(port=archive.port)
        answer = ask(node, "query_worklist", date="", limit=200, arrived=True)
    assert answer["returned"] == 120
    assert ["arrived" in record for record in answer["records"]] == [True] * 100 + [False] * 20
    assert answer["waiting"] is None
    assert any("the first 100 of 120 worklist entries" in note for note in answer["notes"])


def test_an_archive_that_fails_about_studies_leaves_the_worklist_as_it_is() -> None:
    def find(event: Any) -> Answers:
        if event.context.abstract_syntax == MODALITY_WORKLIST:
            return given(found(event)[:3])
        return given([], final=0xC000)

    answer = asked_of(find, date=DAY, arrived=True)
    assert answer["returned"] == 3
    assert not any("arrived" in record for record in answer["records"])
    assert answer["waiting"] is None
    assert any("ended early" in note and "0xC000" in note for note in answer["notes"])


def test_a_worklist_without_an_archive_behind_it_says_so() -> None:
    answer = asked_of(
        lambda event: given(found(event)),
        models=(VERIFICATION, MODALITY_WORKLIST),
        date=DAY,
        arrived=True,
    )
    assert answer["returned"] == 10
    assert answer["waiting"] is None
    assert any("answers no questions about studies" in note for note in answer["notes"])
