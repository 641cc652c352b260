"""Modality, body part, station, age and name in every combination, with dates of every length."""

from dataclasses import dataclass
from itertools import combinations
from typing import Any

# What narrows a question: an argument of `count_studies` or a condition, and its SQL.
_FILTERS: dict[str, tuple[dict[str, str], str, str]] = {
    "modality": ({"modality": "CT"}, "", "modality = 'CT'"),
    "body part": ({}, "BodyPartExamined is CHEST", "lower(trim(body_part)) = 'chest'"),
    "station": ({}, "StationName is CT1", "station = 'CT1'"),
    "age": ({}, "PatientBirthDate <= 19510331", "born <= '19510331'"),
    "name": ({"patient_name": "Ber*"}, "", "name LIKE 'Ber%'"),
}

# Spans of days, and what is grouped by in each.
_SPANS: dict[str, tuple[str, str]] = {
    "20000101": ("", ""),  # a day of 2,150 studies
    "20000601-20000630": ("modality", "modality"),
    "20060101-20060331": ("month", "substr(study.date, 1, 4) || '-' || substr(study.date, 5, 2)"),
    "20040101-20041231": ("", ""),
    "20110101-20110630": ("station", "station"),
    "20070101-20071231": ("year", "substr(study.date, 1, 4)"),
    "20240501-": ("", ""),
}


@dataclass(frozen=True, slots=True)
class Combination:
    """A question to `count_studies`, and the SQL of its groups (or its one number)."""

    name: str
    arguments: dict[str, Any]
    statement: str


def questions() -> list[Combination]:
    """All of them: over two hundred."""
    found: list[Combination] = []
    for days, (group, column) in _SPANS.items():
        first, hyphen, last = days.partition("-")
        within = f"date BETWEEN '{first}' AND '{(last or '9999') if hyphen else first}'"
        for size in range(len(_FILTERS) + 1):
            for names in combinations(_FILTERS, size):
                arguments: dict[str, Any] = {"study_date": days, "where": []}
                if group:
                    arguments["group_by"] = [group]
                conditions = [f"study.{within}"]
                for name in names:
                    more, where, condition = _FILTERS[name]
                    arguments |= more
                    arguments["where"] = [*arguments["where"], *([where] if where else [])]
                    conditions.append(condition)
                found.append(
                    Combination(
                        f"{' '.join(names) or 'studies'} of {days}",
                        arguments,
                        f"SELECT {f'{column}, ' if column else ''}count(DISTINCT study.uid) "
                        "FROM series JOIN study ON study.uid = series.study "
                        f"WHERE {' AND '.join(conditions)}{' GROUP BY 1' if column else ''}",
                    )
                )
    return found
