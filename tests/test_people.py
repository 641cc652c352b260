"""Several people of one name, told apart; and how long ago each study's predecessors were."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.node import AnyNode
from tests.asking import ask
from tests.peers.everywhere import ARCHIVES, held_by
from tests.truth.archives import images

# Studies by number: whose, when, with what, of what.
PEOPLE: dict[str, dict[str, str]] = {
    "P1": {"PatientName": "Doe^Jane", "PatientBirthDate": "19610203", "PatientSex": "F"},
    "P2": {"PatientName": "Doe^Jane^Mary", "PatientBirthDate": "19920706", "PatientSex": "F"},
    "P3": {"PatientName": "Doe^Jane", "PatientBirthDate": "", "PatientSex": ""},
    "P4": {"PatientName": "Roe^Rita", "PatientBirthDate": "19500101", "PatientSex": "F"},
}
STUDIES: Sequence[tuple[int, str, str, str, str]] = (
    (1, "P1", "20240110", "CT", "CT Chest"),
    (2, "P1", "20240301", "MR", "MR Brain"),
    (3, "P1", "20250110", "CT", "CT Chest"),
    (4, "P1", "20250210", "CT", "CT Abdomen"),
    (5, "P1", "20260110", "DX", "Chest PA"),
    (6, "P1", "20260210", "CR", "Chest AP"),
    (7, "P1", "", "CT", "CT Chest"),
    (8, "P1", "20260303", "CT", "CT Chest"),
    (9, "P2", "20260304", "CT", "CT Chest"),
    (10, "P3", "", "US", "Echo"),
    (11, "P4", "20260301", "CT", "CT"),
    (12, "P4", "20260401", "CT", "CT Chest"),
)


def held() -> list[Dataset]:
    objects: list[Dataset] = []
    for study, patient, day, modality, description in STUDIES:
        objects += images(
            2,
            study=study,
            StudyDate=day,
            Modality=modality,
            StudyDescription=description,
            PatientID=patient,
            **PEOPLE[patient],
        )
    return objects


@pytest.fixture(scope="module", params=[*ARCHIVES])
def node(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AnyNode]:
    absent = ("ModalitiesInStudy", "NumberOfStudyRelatedSeries")
    directory = tmp_path_factory.mktemp("archive")
    with held_by(request.param, held(), directory, absent=absent) as node:
        yield node


def by_study(node: AnyNode, **arguments: Any) -> dict[int, dict[str, Any]]:
    records = ask(node, "patient_timeline", **arguments)["records"]
    return {int(row["study_instance_uid"].rpartition(".")[2]): row for row in records}


def test_days_since_the_previous_study_and_since_that_of_the_same_kind_are_told(
    node: AnyNode,
) -> None:
    rows = by_study(node, patient_id="P1")
    told = {
        study: (row.get("days_since_previous"), row.get("days_since_same_kind"))
        for study, row in rows.items()
    }
    assert told == {
        8: (21, 417),  # since 2025-01-10, the abdomen and the radiographs between them aside
        6: (31, 31),  # computed and digital radiography are one
        5: (334, None),
        4: (31, None),
        3: (315, 366),
        2: (51, None),
        1: (None, None),
        7: (None, None),
    }


def test_what_came_before_is_told_whatever_is_asked_for(node: AnyNode) -> None:
    rows = by_study(node, patient_id="P1", study_date="20260101-")
    assert rows[5]["days_since_previous"] == 334
    assert rows[8]["days_since_same_kind"] == 417
    rows = by_study(node, patient_id="P1", modality="MR")
    assert rows[2]["days_since_previous"] == 51
    rows = by_study(node, patient_id="P1", limit=1)
    assert rows[8]["days_since_same_kind"] == 417


def test_studies_of_which_nobody_knows_the_kind_are_told(node: AnyNode) -> None:
    answer = ask(node, "patient_timeline", patient_id="P4")
    assert "days_since_same_kind" not in answer["records"][0]
    assert any("days_since_same_kind passes over" in note for note in answer["notes"])


def test_choices_have_the_last_study_first(node: AnyNode) -> None:
    answer = ask(node, "patient_timeline", patient_name="Jane Doe")
    assert [
        (one["patient_id"], one["studies"], one.get("last_study")) for one in answer["choices"]
    ] == [("P2", 1, "20260304"), ("P1", 8, "20260303"), ("P3", 1, None)]


FIRST = "Doe^Jane (P1), born 19610203, F, 8 studies, last 20260303"
SECOND = "Doe^Jane^Mary (P2), born 19920706, F, 1 study, last 20260304"
THIRD = "Doe^Jane (P3), 1 study, none with a date"


@pytest.mark.parametrize("preset", ["minimal", "standard"])
def test_studies_of_several_people_of_a_name_say_who_these_are(node: AnyNode, preset: str) -> None:
    for arguments in ({}, {"modality_in_study": "CT,US"}):
        answer = ask(
            node,
            "query_studies",
            patient_name="Jane Doe",
            attribute_preset=preset,
            **arguments,
        )
        (note,) = [one for one in answer["notes"] if "patients: " in one]
        said = [one for one in (FIRST, SECOND, THIRD) if one in note]
        assert f"{len(said)} patients" in note
        assert len(said) == 3


def test_patients_of_one_name_say_who_came_when(node: AnyNode) -> None:
    answer = ask(node, "query_patients", name_pattern="Jane Doe")
    (note,) = [one for one in answer["notes"] if "patients: " in one]
    assert all(one in note for one in ("These are 3 patients", FIRST, SECOND, THIRD))
