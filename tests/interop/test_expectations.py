"""One table of questions with their true answers, asked of every archive through the real server.

The true answers are worked out from the objects by plain loops. Where an archive lacks what a
question needs, the answer must say so in a note; a wrong answer without a word fails.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.demo.objects import study_uid
from tests.asking import ask
from tests.peers import Peer

PATIENT, STUDY, SERIES, IMAGE = (
    "PatientID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
)
NODULE_CT = study_uid("nodule ct follow-up")


@dataclass(frozen=True, slots=True)
class Expectation:
    """A question, the objects whose unique keys are its answer, and what it takes to answer."""

    tool: str
    arguments: dict[str, Any]
    unique: str
    holds: Callable[[Dataset], bool]
    needs: frozenset[str] = frozenset()


def _any(_: Dataset) -> bool:
    return True


def _none(_: Dataset) -> bool:
    return False


def _patients(holds: Callable[[Dataset], bool], *needs: str, **arguments: Any) -> Expectation:
    return Expectation("query_patients", arguments, PATIENT, holds, frozenset(needs))


def _studies(holds: Callable[[Dataset], bool], *needs: str, **arguments: Any) -> Expectation:
    return Expectation("query_studies", arguments, STUDY, holds, frozenset(needs))


def _series(holds: Callable[[Dataset], bool], *needs: str, **arguments: Any) -> Expectation:
    return Expectation("query_series", arguments, SERIES, holds, frozenset(needs))


EXPECTATIONS: dict[str, Expectation] = {
    "all patients": _patients(_any),
    "a patient by ID": _patients(lambda one: one.PatientID == "00700150", patient_id="00700150"),
    "patients by the start of the ID": _patients(
        lambda one: one.PatientID.startswith("005"), patient_id="005*"
    ),
    "two patients of one name": _patients(
        lambda one: one.PatientName == "Schmidt^Anna", name_pattern="Schmidt^Anna"
    ),
    "a name with a wildcard": _patients(
        lambda one: str(one.PatientName).startswith("Weber"), name_pattern="Weber*"
    ),
    "a name in other case": _patients(
        lambda one: one.PatientName == "Schmidt^Anna", "case", name_pattern="SCHMIDT^ANNA"
    ),
    "a name with an umlaut": _patients(
        lambda one: "Brückner" in str(one.PatientName), name_pattern="Brückner*"
    ),
    "a name in kanji": _patients(lambda one: "太郎" in str(one.PatientName), name_pattern="*太郎*"),
    "a name in Cyrillic": _patients(
        lambda one: "Соколова" in str(one.PatientName), name_pattern="Соколова*"
    ),
    "patients by birth date": _patients(
        lambda one: one.PatientBirthDate == "19681224",
        birth_date="19681224",
    ),
    "nobody": _patients(_none, name_pattern="Nemo*"),
    "all studies": _studies(_any),
    "studies of a patient": _studies(
        lambda one: one.PatientID == "00104217", patient_id="00104217"
    ),
    "studies of one day": _studies(lambda one: one.StudyDate == "20260331", study_date="20260331"),
    "studies of a range of days": _studies(
        lambda one: "20260201" <= one.StudyDate <= "20260228", study_date="20260201-20260228"
    ),
    "studies since": _studies(lambda one: one.StudyDate >= "20260320", study_date="20260320-"),
    "studies until": _studies(lambda one: one.StudyDate <= "20250401", study_date="-20250401"),
    "studies by description": _studies(
        lambda one: one.StudyDescription.startswith("CT Chest"), study_description="CT Chest*"
    ),
    "studies by a word in the description": _studies(
        lambda one: "Knee" in one.StudyDescription, study_description="*Knee*"
    ),
    "studies by patient name": _studies(
        lambda one: str(one.PatientName).startswith("Schmidt"), patient_name="Schmidt*"
    ),
    "a study by UID": _studies(
        lambda one: one.StudyInstanceUID == NODULE_CT, study_instance_uid=NODULE_CT
    ),
    "MR studies": _studies(lambda one: one.Modality == "MR", modality_in_study="MR"),
    "CT studies by a name with an umlaut": _studies(
        lambda one: one.Modality == "CT" and "Brückner" in str(one.PatientName),
        modality_in_study="CT",
        patient_name="Brückner*",
    ),
    "a modality somebody never had": _studies(
        _none,
        modality_in_study="XA",
        patient_name="Соколова*",
    ),
    "CT studies of a patient": _studies(
        lambda one: one.Modality == "CT" and one.PatientID == "01100910",
        modality_in_study="ct",
        patient_id="01100910",
    ),
    "series of a study": _series(
        lambda one: one.StudyInstanceUID == NODULE_CT, study_instance_uid=NODULE_CT
    ),
    "reports of a study": _series(
        lambda one: one.StudyInstanceUID == NODULE_CT and one.Modality == "SR",
        study_instance_uid=NODULE_CT,
        modality="SR",
    ),
    "a series by number": _series(
        lambda one: one.StudyInstanceUID == NODULE_CT and one.SeriesNumber == 3,
        study_instance_uid=NODULE_CT,
        series_number=3,
    ),
    "series of no study": _series(_none, study_instance_uid="1.2.3.4"),
}


@pytest.mark.parametrize("name", list(EXPECTATIONS))
def test_the_answer_is_the_true_one(peer: Peer, held: list[Dataset], name: str) -> None:
    expectation = EXPECTATIONS[name]
    answer = ask(peer.node, expectation.tool, **expectation.arguments)
    true = {str(getattr(one, expectation.unique)) for one in held if expectation.holds(one)}
    found = [str(record[expectation.unique]) for record in answer["records"]]
    assert len(found) == len(set(found)) == answer["returned"]
    if expectation.needs & peer.lacks and set(found) != true:
        told = " ".join(answer["notes"])
        assert "in some archives in the same case" in told
        return
    assert set(found) == true
    assert answer["complete"] is True


def test_every_series_shows_its_instances_with_and_without_the_study(
    peer: Peer, held: list[Dataset]
) -> None:
    for study in ("back mr", "nodule ct follow-up", "heart echo"):
        series = {
            str(one.SeriesInstanceUID) for one in held if one.StudyInstanceUID == study_uid(study)
        }
        for uid in series:
            true = {str(one.SOPInstanceUID) for one in held if one.SeriesInstanceUID == uid}
            for more in ({}, {"study_instance_uid": study_uid(study)}):
                answer = ask(peer.node, "query_instances", series_instance_uid=uid, **more)
                assert {record[IMAGE] for record in answer["records"]} == true
                assert answer["complete"] is True


def test_an_instance_is_found_by_number_and_by_uid(peer: Peer, held: list[Dataset]) -> None:
    one = next(one for one in held if one.Modality == "CT" and one.InstanceNumber == 7)
    for key in (
        {"instance_number": 7},
        {"instance_number": "7"},
        {"sop_instance_uid": one.SOPInstanceUID},
    ):
        answer = ask(peer.node, "query_instances", series_instance_uid=one.SeriesInstanceUID, **key)
        assert [record[IMAGE] for record in answer["records"]] == [one.SOPInstanceUID]


def test_counts_and_modalities_are_the_true_ones(peer: Peer, held: list[Dataset]) -> None:
    (record,) = ask(peer.node, "query_studies", study_instance_uid=NODULE_CT)["records"]
    inside = [one for one in held if one.StudyInstanceUID == NODULE_CT]
    assert set(record["ModalitiesInStudy"]) == {one.Modality for one in inside}
    if "counts" in peer.lacks:
        assert "NumberOfStudyRelatedInstances" not in record
    else:
        assert record["NumberOfStudyRelatedInstances"] == len(inside)


def test_names_come_back_as_they_were_written(peer: Peer, held: list[Dataset]) -> None:
    records = ask(peer.node, "query_patients", attribute_preset="minimal")["records"]
    names = {record["PatientID"]: record["PatientName"] for record in records}
    for one in held:
        assert names[one.PatientID] == str(one.PatientName)


def test_a_limit_is_kept_and_said(peer: Peer) -> None:
    for tool, unique in (("query_patients", PATIENT), ("query_studies", STUDY)):
        answer = ask(peer.node, tool, limit=5)
        assert len({record[unique] for record in answer["records"]}) == 5
        assert answer["complete"] is False
        assert "there are more" in answer["notes"][0]


def test_it_answers_a_c_echo(peer: Peer) -> None:
    assert ask(peer.node, "verify_connection")["works"] is True
