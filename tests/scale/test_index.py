"""Questions to the index of 161,335 studies, each in one call, with the answers that SQL gives over
the source: those to the archive itself, and more that take an index."""

from collections.abc import Iterator
from sqlite3 import Connection
from typing import Any

import pytest

from dicom_mcp.config import Settings
from tests.asking import ask
from tests.peers.embedded import Kind, embedded
from tests.scale.counts import COUNTS, agrees
from tests.scale.index_questions import COHORTS, IN_SQL
from tests.scale.indexed import indexed
from tests.scale.load import load

LIMIT = 500


@pytest.fixture(scope="module")
def index() -> Iterator[Settings]:
    with embedded([], Kind(), database=load()[0]) as peer:
        yield indexed(peer.node)


@pytest.mark.parametrize("name", IN_SQL)
def test_rows_are_those_of_the_source(index: Settings, truth: Connection, name: str) -> None:
    statement, true = IN_SQL[name]
    answer = ask(index, "query_sql", sql=statement, limit=1000)
    assert answer["complete"], answer["notes"]
    rows = [tuple(row.values()) for row in answer["rows"]]
    assert rows == [
        tuple(None if value == "" else value for value in row) for row in truth.execute(true)
    ]


@pytest.mark.parametrize("name", COHORTS)
def test_patients_of_a_cohort_are_those_of_the_source(
    index: Settings, truth: Connection, name: str
) -> None:
    has, without, true = COHORTS[name]
    answer = ask(index, "find_cohort", has=has, without=without, limit=1)
    (number,) = truth.execute(true).fetchone()
    assert number
    assert answer["patients"] == number
    assert answer["complete"], answer["notes"]


@pytest.mark.parametrize("name", [name for name, (_, statement) in COUNTS.items() if statement])
@pytest.mark.parametrize("source", ["index", "auto"])
def test_counts_are_those_of_the_source(
    index: Settings, truth: Connection, name: str, source: str
) -> None:
    arguments, statement = COUNTS[name]
    answer = ask(index, "count_studies", source=source, **arguments)
    agrees(answer, arguments["group_by"], truth.execute(statement).fetchall())


def _studies(index: Settings, true: set[str], **arguments: Any) -> None:
    answer = ask(
        index,
        "query_studies",
        attribute_preset="minimal",
        limit=LIMIT,
        source="index",
        **arguments,
    )
    found = {record["StudyInstanceUID"] for record in answer["records"]}
    assert answer["complete"], answer["notes"]
    assert found == true


def test_studies_are_those_of_the_source(index: Settings, truth: Connection) -> None:
    """Of a patient, of a day, and of a modality in a year."""
    (patient,) = truth.execute(
        "SELECT patient FROM study GROUP BY patient HAVING count(*) <= ? "
        "ORDER BY count(*) DESC LIMIT 1",
        (LIMIT,),
    ).fetchone()
    of_patient = column(truth, "SELECT uid FROM study WHERE patient = ?", patient)
    _studies(index, of_patient, patient_id=patient)
    (day,) = truth.execute(
        "SELECT date FROM study WHERE date <> '' GROUP BY date HAVING count(*) <= ? "
        "ORDER BY count(*) DESC LIMIT 1",
        (LIMIT,),
    ).fetchone()
    _studies(index, column(truth, "SELECT uid FROM study WHERE date = ?", day), study_date=day)
    modality, year = truth.execute(
        "SELECT modality, substr(study.date, 1, 4) AS year FROM series JOIN study "
        "ON study.uid = series.study WHERE study.date <> '' GROUP BY 1, 2 "
        "HAVING count(DISTINCT study.uid) <= ? ORDER BY count(DISTINCT study.uid) DESC LIMIT 1",
        (LIMIT,),
    ).fetchone()
    true = column(
        truth,
        "SELECT DISTINCT study.uid FROM series JOIN study ON study.uid = series.study "
        "WHERE modality = ? AND substr(study.date, 1, 4) = ?",
        modality,
        year,
    )
    _studies(index, true, modality_in_study=modality, study_date=f"{year}0101-{year}1231")


def test_a_pasted_list_is_found(index: Settings, truth: Connection) -> None:
    patients = column(truth, "SELECT patient FROM study GROUP BY 1 HAVING count(*) = 1 LIMIT 300")
    answer = ask(index, "resolve_list", values=[*patients, "NOBODY"], kind="patient_id")
    assert answer["values"] == 301
    assert answer["counts"].get("missing") == 1
    assert answer["complete"], answer["notes"]


def column(truth: Connection, statement: str, *values: str) -> set[str]:
    return {row[0] for row in truth.execute(statement, values)}
