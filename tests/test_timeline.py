"""One patient over time, against plain loops over the objects."""

import threading
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.hospital import PLANTED
from dicom_mcp.demo.objects import study_uid
from dicom_mcp.demo.patients import PATIENTS
from dicom_mcp.node import Node
from dicom_mcp.words.body_part import related
from tests.asking import answers, ask, fail
from tests.bounds import PATIENCE
from tests.demo_hospital import TODAY
from tests.notes import the_note
from tests.peers.habits import EXCUSED, KINDS
from tests.peers.pynetdicom_scp import Answers, accepting, study
from tests.timelines import IDS, said_row, true_row, true_studies


@pytest.fixture(scope="module")
def node(database: str) -> Iterator[Node]:
    with EmbeddedArchive([], ae_title="TIMES", database=database) as archive:
        yield Node(port=archive.port, called_ae_title="TIMES")


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_study_of_every_patient_is_told_truly_or_marked(
    kind: str, held: list[Dataset], database: str
) -> None:
    with EmbeddedArchive([], ae_title="TIMES", database=database, **KINDS[kind]) as archive:
        node = Node(port=archive.port, called_ae_title="TIMES")
        for patient in IDS:
            answer = ask(node, "patient_timeline", patient_id=patient)
            true = true_studies(held, patient)
            assert [row["study_instance_uid"] for row in answer["records"]] == true
            assert answer["returned"] == answer["patient"]["studies"] == len(true)
            for row in answer["records"]:
                said, truth = said_row(row), true_row(held, row["study_instance_uid"])
                lacking = {name for name, value in said.items() if value is None}
                assert not lacking or (answer["complete"] is False and answer["notes"])
                assert {**said, **{name: truth[name] for name in lacking}} == truth
            assert answer["complete"] or kind in EXCUSED


def test_days_since_the_study_before_are_those_between_the_dates(node: Node) -> None:
    for patient in IDS:
        records = ask(node, "patient_timeline", patient_id=patient)["records"]
        for newer, older in pairwise(records):
            days = date.fromisoformat(newer["date"]) - date.fromisoformat(older["date"])
            assert newer["days_since_previous"] == days.days
        assert "days_since_previous" not in records[-1]


def test_a_cut_list_still_tells_the_days_before_its_last_study_and_that_there_are_more(
    node: Node,
) -> None:
    whole = ask(node, "patient_timeline", patient_id="01100910")
    cut = ask(node, "patient_timeline", patient_id="01100910", limit=2)
    assert cut["records"] == whole["records"][:2]
    assert cut["complete"] is False
    assert the_note(cut["notes"], "these are 2 of 4 studies")


def test_body_parts_are_those_of_the_objects_though_descriptions_do_not_say(
    node: Node, held: list[Dataset]
) -> None:
    for patient in IDS:
        for row in ask(node, "patient_timeline", patient_id=patient)["records"]:
            mine = [one for one in held if one.StudyInstanceUID == row["study_instance_uid"]]
            examined = {str(one.BodyPartExamined) for one in mine if "BodyPartExamined" in one}
            if mine[0].Modality == "ECG":
                examined = {"HEART"}
            assert {row["body_part"]} == examined


def test_it_takes_two_queries_from_an_archive_that_answers_relationally(node: Node) -> None:
    question = ("patient_timeline", {"patient_id": "01100910"})
    first, again = [answer["queries"] for answer in answers(node, [question, question])]
    assert again == 2
    assert first <= 2 + 3  # three prove that neither list was cut


def test_one_id_with_two_birth_dates_is_shown_and_said(node: Node) -> None:
    for asked in ({"patient_id": "00420036"}, {"patient_name": "Klaus Weber"}):
        answer = ask(node, "patient_timeline", **asked)
        assert answer["patient"]["birth_date"] == ["19641203", "19640312"]
        assert [row["birth_date"] for row in answer["records"]] == ["19641203", "19640312"]
        (note,) = [note for note in answer["notes"] if "birth dates" in note]
        assert "00420036 has 2 birth dates" in note


def test_studies_of_the_same_id_under_another_name_are_not_lost(held: list[Dataset]) -> None:
    objects = [deepcopy(one) for one in held if one.PatientID == "00420036"]
    for one in objects:
        if one.StudyInstanceUID == study_uid("klaus ct"):
            one.PatientName = "Wber^Klaus"
    with EmbeddedArchive(objects, ae_title="TIMES") as archive:
        node = Node(port=archive.port, called_ae_title="TIMES")
        answer = ask(node, "patient_timeline", patient_name="Weber, Klaus")
    assert answer["returned"] == 2
    assert answer["patient"]["patient_name"] == ["Weber^Klaus", "Wber^Klaus"]
    assert any("2 names" in note for note in answer["notes"])


def test_two_patients_of_one_name_are_choices_and_no_timeline(
    node: Node, held: list[Dataset]
) -> None:
    answer = ask(node, "patient_timeline", patient_name="Anna Schmidt")
    assert answer["records"] == []
    assert answer["complete"] is False
    assert sorted(answer["choices"], key=lambda one: one["patient_id"]) == sorted(
        (
            {
                "patient_name": "Schmidt^Anna",
                "patient_id": PATIENTS[key].id,
                "birth_date": PATIENTS[key].birth_date,
                "sex": "F",
                "studies": 2,
                "last_study": max(
                    str(one.StudyDate) for one in held if one.PatientID == PATIENTS[key].id
                ),
            }
            for key in ("anna elder", "anna younger")
        ),
        key=lambda one: one["patient_id"],
    )
    last = [one["last_study"] for one in answer["choices"]]
    assert last == sorted(last, reverse=True)
    assert the_note(answer["notes"], "ask again with that patient_id")


def test_ids_that_differ_in_zeros_are_two_patients(node: Node) -> None:
    for patient in ("104217", "00104217"):
        assert ask(node, "patient_timeline", patient_id=patient)["patient"]["patient_id"] == patient
    both = ask(node, "patient_timeline", patient_id="*104217")
    assert {one["patient_id"] for one in both["choices"]} == {"104217", "00104217"}


def test_nobody_is_said_with_what_would_match(node: Node) -> None:
    answer = ask(node, "patient_timeline", patient_id="0011")
    assert answer["records"] == answer["choices"] == []
    assert "No study in this archive matches these keys." in answer["notes"]
    assert ask(node, "query_studies", patient_id="0011")["notes"] == answer["notes"]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "no patient is named"),
        ({"patient_name": "*"}, "no patient is named"),
        ({"prior_to": "last"}, "no patient is named"),
        ({"patient_id": "1", "prior_to": "yesterday"}, "prior_to='yesterday' is not a DICOM UID"),
        ({"patient_id": "1", "body_part": "gizmo"}, "body_part='gizmo' names no body part"),
        ({"patient_id": "1", "modality": "gizmoscopy"}, "modality"),
        ({"patient_id": "1", "study_date": "noonish"}, "study_date='noonish' is not a date"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_sent(
    asked: dict[str, Any], says: str
) -> None:
    assert says in fail(Node(port=1), "patient_timeline", **asked)


def test_of_a_modality_in_words(node: Node) -> None:
    answer = ask(node, "patient_timeline", patient_id="01100910", modality="x-ray")
    assert [row["modality"] for row in answer["records"]] == [["CR"]]
    assert answer["complete"] is True
    assert the_note(
        answer["notes"], "1 of 4 studies of this patient are of modality CR or DX or RG"
    )


def test_of_a_body_part_in_any_language_and_of_days(node: Node) -> None:
    heart = ask(node, "patient_timeline", patient_id="00700150", body_part="corazón")
    assert heart["returned"] == 3
    chest = ask(
        node, "patient_timeline", patient_id="01100910", body_part="Thorax", study_date="2025"
    )
    assert [row["date"] for row in chest["records"]] == ["20250331"]
    assert the_note(chest["notes"], "StudyDate 20250101-20251231")
    assert ask(node, "patient_timeline", patient_id="01100910", body_part="knee")["returned"] == 0


@pytest.mark.parametrize("current", ["smoker ct today", "knee mr", "heart echo", "back mr"])
def test_priors_are_earlier_and_the_most_relevant_first(
    node: Node, held: list[Dataset], current: str
) -> None:
    uid = study_uid(current)
    (chosen, *_) = [one for one in held if one.StudyInstanceUID == uid]
    for asked in ({"prior_to": uid}, {"patient_id": chosen.PatientID, "prior_to": uid}):
        answer = ask(node, "patient_timeline", **asked)
        assert answer["study"]["study_instance_uid"] == uid
        before = [
            study
            for study in true_studies(held, chosen.PatientID)
            if (of(held, study).StudyDate, of(held, study).StudyTime)
            < (chosen.StudyDate, chosen.StudyTime)
        ]
        before.sort(key=lambda study: rank(chosen, of(held, study)))
        assert [row["study_instance_uid"] for row in answer["records"]] == before
        for row in answer["records"]:
            prior = of(held, row["study_instance_uid"])
            days = date.fromisoformat(chosen.StudyDate) - date.fromisoformat(prior.StudyDate)
            assert row["days_before"] == days.days
            assert ("same modality" in row["reason"]) is (prior.Modality == chosen.Modality)


def of(held: Iterable[Dataset], study: str) -> Dataset:
    """The first object of a study."""
    return next(one for one in held if one.StudyInstanceUID == study)


def rank(current: Dataset, prior: Dataset) -> int:
    """0 for the same modality and a related body part, 1 for a related one, 2 for the rest."""
    parts = [str(one.get("BodyPartExamined", "HEART")) for one in (current, prior)]
    if not related(*parts):
        return 2
    return int(current.Modality != prior.Modality)


def test_the_last_study_is_compared_with_what_came_before(node: Node) -> None:
    answer = ask(node, "patient_timeline", patient_name="O'Brien", prior_to="last")
    assert answer["study"]["study_instance_uid"] == study_uid("smoker ct today")
    assert [row["reason"] for row in answer["records"]] == [
        *2 * ["same modality, body part"],
        "body part",
    ]


def test_later_studies_are_no_priors_and_that_is_said(node: Node) -> None:
    answer = ask(node, "patient_timeline", prior_to=study_uid("smoker ct before"))
    assert answer["records"] == []
    assert answer["notes"] == ["3 later studies are no priors."]


def test_a_study_of_somebody_else_has_no_priors_here(node: Node) -> None:
    uid = study_uid("knee mr")
    answer = ask(node, "patient_timeline", patient_id="00104217", prior_to=uid)
    assert answer["records"] == []
    assert answer["study"] == {}
    assert "No study in this archive matches these keys." in answer["notes"]


def test_the_study_tells_which_of_two_patients_of_one_name_is_meant(node: Node) -> None:
    uid = study_uid("anna younger mr")
    answer = ask(node, "patient_timeline", patient_name="Anna Schmidt", prior_to=uid)
    assert answer["patient"]["patient_id"] == PATIENTS["anna younger"].id
    assert [row["study_instance_uid"] for row in answer["records"]] == [
        study_uid("anna younger ultrasound")
    ]


def test_before_today_only_the_knee_ultrasound_has_no_report(node: Node) -> None:
    planted = next(one for one in PLANTED if "only the knee ultrasound" in one.sentence)
    without = [
        row["study_instance_uid"]
        for patient in IDS
        for row in ask(node, "patient_timeline", patient_id=patient)["records"]
        if row["report"] == "none" and row["date"] != f"{TODAY:%Y%m%d}"
    ]
    assert without == [planted.study_instance_uid]


def test_a_patient_without_an_id_is_found_by_name(held: list[Dataset]) -> None:
    objects = [deepcopy(one) for one in held if one.PatientID == "00104217"]
    for one in objects:
        one.PatientID = ""
    with EmbeddedArchive(objects, ae_title="TIMES") as archive:
        node = Node(port=archive.port, called_ae_title="TIMES")
        answer = ask(node, "patient_timeline", patient_name="Jürgen Brückner")
    rows = [said_row(row) for row in answer["records"]]
    assert rows == [true_row(held, row["study_instance_uid"]) for row in rows]
    assert len(rows) == 3


@pytest.mark.parametrize("fails", ["hangs", "refuses"])
def test_studies_are_told_though_their_series_cannot_be(fails: str) -> None:
    over = threading.Event()

    def find(event: Any) -> Answers:
        if event.identifier.QueryRetrieveLevel == "STUDY":
            for number in range(3):
                one = study(event, number)
                one.StudyDate = f"2026010{number + 1}"
                one.StudyDescription = "CT Thorax"
                yield 0xFF00, one
            return
        if fails == "hangs":
            over.wait(PATIENCE)
        yield 0xC001, None

    with accepting(find) as acceptor:
        node = replace(acceptor.node(called="ACCEPTOR", calling="MCPSCU"), timeout=3.0)
        answer = ask(node, "patient_timeline", patient_id="1")
        over.set()
    assert [row["date"] for row in answer["records"]] == ["20260103", "20260102", "20260101"]
    assert {row["report"] for row in answer["records"]} == {"unknown"}
    assert answer["complete"] is False
    assert any("the series of 3 of 3 studies could not" in note for note in answer["notes"])
    assert any("ended early" in note for note in answer["notes"])
