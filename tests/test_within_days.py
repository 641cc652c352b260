"""Patients who had two kinds of examination within some days, as a user asks for them: who has
both, then when each was."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from itertools import product
from typing import Any

import pytest

from dicom_mcp.demo.habits import NONE, Habits
from tests.asking import answers
from tests.busy import Kept
from tests.peers.embedded import Kind, embedded

_DAYS = 30


def within(held: Iterable[tuple[str, str, date]]) -> set[str]:
    """Whose CT and MR are that near to each other, of patient, modality and day."""
    days: dict[str, dict[str, set[date]]] = defaultdict(lambda: defaultdict(set))
    for patient, modality, day in held:
        days[patient][modality].add(day)
    return {
        patient
        for patient, of in days.items()
        if any(abs((ct - mr).days) <= _DAYS for ct, mr in product(of["CT"], of["MR"]))
    }


def told_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**answer["common"], **record} for record in answer["records"]]


def codes(row: dict[str, Any]) -> list[str]:
    several = row["ModalitiesInStudy"]
    return [several] if isinstance(several, str) else several


@pytest.mark.parametrize(
    "habits",
    [
        NONE,
        Habits(most_matches=100, cap_status=0xFE00, most_below=101),
        Habits(most_matches=417, listed_keys=frozenset({"PatientID"})),
        Habits(first_of_list=True),
    ],
    ids=["whole", "like Orthanc", "reads lists of IDs", "reads the first of a list"],
)
def test_who_had_a_ct_and_an_mr_within_thirty_days_takes_two_calls(
    small: Kept, habits: Habits
) -> None:
    with embedded([], Kind(habits), database=str(small.database)) as peer:
        calls = [
            (
                "count_studies",
                {"modality": "CT and MR", "count": "patients", "group_by": ["patient_id"]},
            )
        ]
        (both,) = answers(peer.node, calls)
        patients = [group["PatientID"] for group in both["groups"]]
        (when,) = answers(
            peer.node,
            [
                (
                    "query_studies",
                    {"patient_id": patients, "modality_in_study": "CT or MR", "limit": 500},
                )
            ],
        )
    assert both["complete"], both["notes"]
    assert when["complete"], when["notes"]
    assert both["groups_in_all"] == len(patients)
    found = within(
        (str(row["PatientID"]), modality, date.fromisoformat(str(row["StudyDate"])))
        for row in told_of(when)
        if row.get("StudyDate")
        for modality in codes(row)
    )
    assert found == within(
        (study.patient.patient_id, modality, study.day)
        for study in small.held
        if study.day
        for modality in study.modalities
    )
    assert found
