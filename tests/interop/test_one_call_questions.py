"""patient_timeline and study_overview asked of every archive: what they say is true, and what they
cannot say is marked."""

import json
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.config import Settings
from dicom_mcp.demo.objects import study_uid
from dicom_mcp.demo.patients import STUDIES
from tests.asking import ask, call, said
from tests.overviews import by_series
from tests.overviews import said_row as said_of_series
from tests.overviews import true_row as true_of_series
from tests.peers.archive import Peer
from tests.timelines import IDS, said_row, true_row, true_studies

type Answer = dict[str, Any]


@pytest.mark.parametrize("patient", IDS)
def test_a_patients_studies_are_told_truly(peer: Peer, held: list[Dataset], patient: str) -> None:
    answer = ask(peer.node, "patient_timeline", patient_id=patient)
    assert faults_of_timeline(answer, held, patient) == []
    assert answer["complete"] is True, answer["notes"]
    if peer.name != "dcmqrscp":  # keeps no descriptions of series
        for row in answer["records"]:
            assert said_row(row) == true_row(held, row["study_instance_uid"])


@pytest.mark.parametrize("study", [one.key for one in STUDIES])
def test_a_study_is_told_truly(peer: Peer, held: list[Dataset], study: str) -> None:
    uid = study_uid(study)
    answer = ask(peer.node, "study_overview", study_instance_uid=uid)
    assert answer["complete"] is True, answer["notes"]
    assert faults_of_overview(answer, held, uid) == []
    if peer.name != "dcmqrscp":  # keeps neither descriptions of series nor SOP classes
        true = [true_of_series(objects) for objects in by_series(held, uid).values()]
        assert [said_of_series(row) for row in answer["records"]] == true


def test_a_name_finds_the_patient_and_two_of_one_name_are_choices(peer: Peer) -> None:
    assert ask(peer.node, "patient_timeline", patient_name="Jürgen Brückner")["returned"] == 3
    answer = ask(peer.node, "patient_timeline", patient_name="Schmidt, Anna")
    assert {one["patient_id"] for one in answer["choices"]} == {"00500417", "00500983"}


def test_the_two_birth_dates_of_one_id_are_said(peer: Peer) -> None:
    answer = ask(peer.node, "patient_timeline", patient_id="00420036")
    told = answer["patient"]["birth_date"]
    assert told == ["19641203", "19640312"]


def test_the_priors_of_the_last_chest_ct_come_in_their_order(peer: Peer) -> None:
    answer = ask(peer.node, "patient_timeline", patient_id="01100910", prior_to="last")
    assert [row["study_instance_uid"] for row in answer["records"]] == [
        study_uid(one) for one in ("smoker ct last year", "smoker ct before", "smoker x-ray")
    ]


def test_no_timeline_of_a_misbehaving_archive_is_wrong_without_a_word(
    misbehaving: Peer, held: list[Dataset]
) -> None:
    wrong: dict[str, list[str]] = {}
    for patient in IDS:
        answer = _answer(misbehaving, "patient_timeline", patient_id=patient)
        if answer and (found := faults_of_timeline(answer, held, patient)):
            wrong[patient] = found
    assert wrong == {}


def test_no_overview_of_a_misbehaving_archive_is_wrong_without_a_word(
    misbehaving: Peer, held: list[Dataset]
) -> None:
    wrong: dict[str, list[str]] = {}
    for study in (one.key for one in STUDIES):
        uid = study_uid(study)
        answer = _answer(misbehaving, "study_overview", study_instance_uid=uid)
        if answer and (found := faults_of_overview(answer, held, uid)):
            wrong[study] = found
    assert wrong == {}


def _answer(peer: Peer, tool: str, **arguments: str) -> Answer:
    """The answer; {} for an error that says where."""
    result = call(Settings(peer.node), tool, **arguments)
    if result.is_error:
        assert str(peer.node) in said(result)
        return {}
    return json.loads(said(result))


def faults_of_timeline(answer: Answer, held: list[Dataset], patient: str) -> list[str]:
    """What a timeline says that is not true, or leaves out without a word."""
    told = answer["complete"] is False and bool(answer["notes"])
    notes = " ".join(answer["notes"])
    found: list[str] = []
    true = true_studies(held, patient)
    studies = [row["study_instance_uid"] for row in answer["records"]]
    if set(studies) - {*true}:
        found.append("studies of others")
    if set(true) - {*studies} and not told:
        found.append("studies left out")
    for row in answer["records"]:
        truth = true_row(held, row["study_instance_uid"])
        values = {"date": row.get("date", ""), **row, "description": row.get("description", "")}
        untold = "of unknown kind" in row["report"]
        for name, value in said_row({"modality": [], **values}).items():
            if name in ("report", "dose") and untold and "structured reports" in notes:
                continue
            if value != truth[name] and not (_is_unknown(value) and (told or _named(answer, name))):
                found.append(f"{name} of {truth['description']} is not {value!r}")
    return found


def faults_of_overview(answer: Answer, held: list[Dataset], study: str) -> list[str]:
    """What an overview says that is not true, or leaves out without a word."""
    told = answer["complete"] is False and bool(answer["notes"])
    series = by_series(held, study)
    found: list[str] = []
    rows = {row["series_instance_uid"]: row for row in answer["records"]}
    if rows.keys() - series.keys():
        found.append("series of others")
    if series.keys() - rows.keys() and not told:
        found.append("series left out")
    for uid, row in rows.items():
        truth = true_of_series(series[uid])
        for name, value in said_of_series(row).items():
            if name == "kind" and value in _BROADER.get(truth[name], ()):
                continue
            if value != truth[name] and not (_is_unknown(value) and (told or _named(answer, name))):
                found.append(f"{name} of {truth['description']} is not {value!r}")
    return found


# A kind where the description or the SOP class did not come to tell it more closely.
_BROADER = {
    "report": ("structured report",),
    "dose report": ("structured report",),
    "measurements": ("structured report", "report"),
}


def _is_unknown(value: object) -> bool:
    return value in (None, "", [], set(), "unknown")


def _named(answer: Answer, name: str) -> bool:
    """Whether a note names the attribute that the archive keeps to itself."""
    keywords = {
        "date": "StudyDate",
        "description": "Description",
        "station": "StationName",
        "manufacturer": "Manufacturer",
    }
    return any(keywords.get(name, "?") in note for note in answer["notes"])
