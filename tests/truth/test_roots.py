"""Archives that have one of the two models only."""

import pytest

from dicom_mcp.demo.habits import Habits
from dicom_mcp.standard.levels import Level, Model
from tests.notes import the_note
from tests.truth.archives import find, holding, images

pytestmark = pytest.mark.usefixtures("tidy")

STUDY_ROOT = Habits(models=frozenset({Model.STUDY_ROOT}))
PATIENT_ROOT = Habits(models=frozenset({Model.PATIENT_ROOT}))

# Two studies of P1, one of P2.
HELD = [
    *images(2, study=1, PatientID="P1"),
    *images(3, study=2, PatientID="P1"),
    *images(4, study=3, PatientID="P2", PatientName="Roe^Richard"),
]


def test_without_patient_root_patients_are_collected_from_their_studies() -> None:
    with holding(HELD, STUDY_ROOT) as archive:
        for _ in range(2):
            answer = find(archive, Level.PATIENT, {}, ["NumberOfPatientRelatedStudies"])
            counts = {m["PatientID"]: m["NumberOfPatientRelatedStudies"] for m in answer.matches}
            assert counts == {"P1": 2, "P2": 1}
            assert answer.complete
            assert the_note(answer.notes, "no Patient Root")
        answer = find(archive, Level.PATIENT, {"PatientName": "Roe*"})
        assert [match["PatientID"] for match in answer.matches] == ["P2"]


@pytest.mark.parametrize("hierarchy", ["relational", "strict", "silent"])
def test_without_study_root_every_level_is_found_whatever_the_archive_insists_on(
    hierarchy: str,
) -> None:
    with holding(HELD, PATIENT_ROOT, hierarchy=hierarchy) as archive:
        for _ in range(2):
            answer = find(archive, Level.STUDY, {}, ["PatientID", "PatientName"])
            assert {str(match["StudyInstanceUID"]) for match in answer.matches} == {
                "1.2.1",
                "1.2.2",
                "1.2.3",
            }
            assert answer.complete
        answer = find(archive, Level.STUDY, {"PatientName": "Roe*"})
        assert [match["PatientName"] for match in answer.matches] == ["Roe^Richard"]
        answer = find(archive, Level.SERIES, {"StudyInstanceUID": "1.2.3"})
        assert [match["SeriesInstanceUID"] for match in answer.matches] == ["1.2.3.1"]
        answer = find(archive, Level.IMAGE, {"SeriesInstanceUID": "1.2.2.1"})
        assert len(answer.matches) == 3
        assert answer.complete
