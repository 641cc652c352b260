"""Counts over an archive of 161,335 studies, with the numbers that SQL gives.

A count must be the true one, or be said not to be complete, and then be no larger.
"""

import json
from dataclasses import replace
from sqlite3 import Connection
from typing import Any

import pytest

from dicom_mcp.config import Settings
from tests.asking import ask, call, said
from tests.peers.archive import Peer

# Seconds that a question may take. All CT studies, 92,336 of 67 years, are too many to be had from
# an archive that gives 500 at once; what happens then need not be waited for long.
PATIENCE = 120.0
IMPATIENCE = 20.0

_OF_SERIES = "FROM series JOIN study ON study.uid = series.study"
_EMPTY = "(empty)"

# A question, and the SQL of its groups: the group's values and its number.
COUNTS: dict[str, tuple[dict[str, Any], str]] = {
    "studies by modality in a year": (
        {"group_by": ["modality"], "study_date": "20200101-20201231"},
        f"SELECT modality, count(DISTINCT study.uid) {_OF_SERIES} "
        "WHERE study.date BETWEEN '20200101' AND '20201231' GROUP BY 1",
    ),
    "studies by month": (
        {"group_by": ["month"], "study_date": "20100101-20111231"},
        "SELECT substr(date, 1, 4) || '-' || substr(date, 5, 2), count(*) FROM study "
        "WHERE date BETWEEN '20100101' AND '20111231' GROUP BY 1",
    ),
    "CT studies by manufacturer and year": (
        {
            "group_by": ["Manufacturer", "year"],
            "modality": "CT",
            "study_date": "20040101-20151231",
        },
        f"SELECT coalesce(nullif(trim(manufacturer), ''), '{_EMPTY}'), substr(study.date, 1, 4), "
        f"count(DISTINCT study.uid) {_OF_SERIES} WHERE modality = 'CT' "
        "AND study.date BETWEEN '20040101' AND '20151231' GROUP BY 1, 2",
    ),
    "patients by sex": (
        {"group_by": ["PatientSex"], "count": "patients", "study_date": "20120101-20121231"},
        f"SELECT coalesce(nullif(first.sex, ''), '{_EMPTY}'), count(DISTINCT study.patient) "
        "FROM study JOIN series AS first ON first.rowid = study.first "
        "WHERE study.date BETWEEN '20120101' AND '20121231' GROUP BY 1",
    ),
    "MR series by body part": (
        {
            "group_by": ["BodyPartExamined"],
            "count": "series",
            "modality": "MR",
            "study_date": "20120101-20121231",
        },
        f"SELECT coalesce(nullif(trim(body_part), ''), '{_EMPTY}'), count(*) {_OF_SERIES} "
        "WHERE modality = 'MR' AND study.date BETWEEN '20120101' AND '20121231' GROUP BY 1",
    ),
    "PET images by year": (
        {
            "group_by": ["year"],
            "count": "images",
            "modality": "PT",
            "study_date": "20050101-20091231",
        },
        f"SELECT substr(study.date, 1, 4), sum(instances) {_OF_SERIES} WHERE modality = 'PT' "
        "AND study.date BETWEEN '20050101' AND '20091231' GROUP BY 1",
    ),
    "studies of a day of 25,951": (
        {"group_by": ["hour"], "study_date": "19990102"},
        "",  # the hours are ours; the total is what counts
    ),
}


@pytest.mark.parametrize("name", list(COUNTS))
def test_the_count_is_the_true_one_or_said_not_to_be(
    archive: Peer, truth: Connection, name: str
) -> None:
    arguments, statement = COUNTS[name]
    answer = ask(replace(archive.node, timeout=PATIENCE), "count_studies", **arguments)
    if statement:
        agrees(answer, arguments["group_by"], truth.execute(statement).fetchall())
    else:
        (total,) = truth.execute("SELECT count(*) FROM study WHERE date = '19990102'").fetchone()
        assert answer["total"] == total if answer["complete"] else answer["total"] <= total


def test_all_ct_studies_by_manufacturer_and_year(archive: Peer, truth: Connection) -> None:
    statement = (
        f"SELECT coalesce(nullif(trim(manufacturer), ''), '{_EMPTY}'), "
        f"coalesce(nullif(substr(study.date, 1, 4), ''), '{_EMPTY}'), "
        f"count(DISTINCT study.uid) {_OF_SERIES} WHERE modality = 'CT' GROUP BY 1, 2"
    )
    by = ["Manufacturer", "year"]
    whole = archive.name == "gives everything"
    node = replace(archive.node, timeout=PATIENCE if whole else IMPATIENCE)
    result = call(Settings(node), "count_studies", group_by=by, modality="CT")
    if result.is_error:
        assert not whole
        assert "within 20 seconds" in said(result)
        return
    answer = json.loads(said(result))
    assert answer["complete"] or not whole
    agrees(answer, by, truth.execute(statement).fetchall())
    (total,) = truth.execute(
        "SELECT count(DISTINCT study) FROM series WHERE modality = 'CT'"
    ).fetchone()
    assert answer["total"] == total if answer["complete"] else answer["total"] <= total


def agrees(answer: dict[str, Any], by: list[str], rows: list[tuple[Any, ...]]) -> None:
    """Every group of the answer is a true one, with its number; all are there but what is said
    to be missing."""
    true = {tuple(map(str, group)): number for *group, number in rows}
    told = {tuple(str(one[name]) for name in by): one["count"] for one in answer["groups"]}
    if answer["complete"]:
        assert told.items() <= true.items()
        assert len(told) == min(len(true), 200)
        return
    assert answer["notes"]
    assert all(number <= true[group] for group, number in told.items())
