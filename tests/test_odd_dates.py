"""Counting by days and hours that are written in other forms, or are none."""

from typing import Any

import pytest

from tests.asking import ask
from tests.peers.embedded import embedded
from tests.truth.archives import images

# StudyDate (and PatientBirthDate) and StudyTime of one study each; no standard says what the last
# ones are.
HELD = (
    *(("00010101", "000000"), ("99991231", "235959.999999"), ("20240229", "0730")),
    *(("2024.02.29", "07:30:00"), ("2026-03-29", "7"), ("20251026", "073000.123456")),
    *(("", ""), ("20240230", "240000"), ("2024", "24")),
)

GROUPS: dict[str, dict[str, int]] = {
    "year": {"0001": 1, "9999": 1, "2024": 2, "2026": 1, "2025": 1},
    "month": {"0001-01": 1, "9999-12": 1, "2024-02": 2, "2026-03": 1, "2025-10": 1},
    "weekday": {"Monday": 1, "Thursday": 2, "Friday": 1, "Sunday": 2},
    "hour": {"00": 1, "23": 1, "07": 4},
    "age": {"0": 6},
}


@pytest.mark.filterwarnings("ignore:Invalid value for VR:UserWarning")
@pytest.mark.parametrize("by", list(GROUPS))
def test_what_is_no_date_or_time_is_not_taken_for_none(by: str) -> None:
    held = [
        image
        for number, (day, time) in enumerate(HELD, start=1)
        for image in images(1, study=number, StudyDate=day, StudyTime=time, PatientBirthDate=day)
    ]
    with embedded(held) as peer:
        answer: dict[str, Any] = ask(peer.node, "count_studies", group_by=[by])
    groups = {group[by]: group["count"] for group in answer["groups"]}
    assert groups == {**GROUPS[by], "(empty)": 1, "(not readable)": 2}
    assert answer["total"] == len(HELD)
