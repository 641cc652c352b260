"""Questions to an archive of 161,335 studies, with the answers that SQL gives.

An answer must be whole, or be said not to be, and then be part of the truth.
"""

from sqlite3 import Connection
from typing import Any

import pytest

from tests.asking import ask
from tests.peers.archive import Peer

LIMIT = 500

# Values that SQL finds in the rows: none of the tests depends on which.
_LONGEST = "SELECT study, count(*) AS n FROM series GROUP BY study ORDER BY n DESC LIMIT 1"


def test_all_studies_of_a_patient_are_found(archive: Peer, truth: Connection) -> None:
    patients = truth.execute(
        "SELECT patient FROM study GROUP BY patient HAVING count(*) <= ? "
        "ORDER BY count(*) DESC LIMIT 5",
        (LIMIT,),
    ).fetchall()
    for (patient,) in patients:
        agrees(
            archive,
            column(truth, "SELECT uid FROM study WHERE patient = ?", patient),
            patient_id=patient,
        )


@pytest.mark.parametrize("most", [50, 400, 499, 1_000, 30_000])
def test_the_studies_of_a_day_are_found_or_said_not_to_be_all(
    archive: Peer, truth: Connection, most: int
) -> None:
    (day,) = truth.execute(
        "SELECT date FROM study WHERE date <> '' GROUP BY date HAVING count(*) <= ? "
        "ORDER BY count(*) DESC LIMIT 1",
        (most,),
    ).fetchone()
    agrees(archive, column(truth, "SELECT uid FROM study WHERE date = ?", day), study_date=day)


def test_the_studies_of_a_modality_and_a_year_are_found(archive: Peer, truth: Connection) -> None:
    pairs = truth.execute(
        "SELECT modality, substr(study.date, 1, 4) AS year, count(DISTINCT study.uid) AS n "
        "FROM series JOIN study ON study.uid = series.study WHERE study.date <> '' "
        "GROUP BY 1, 2 HAVING n <= ? ORDER BY n DESC LIMIT 12",
        (LIMIT,),
    ).fetchall()
    for modality, year, _ in pairs:
        true = column(
            truth,
            "SELECT DISTINCT study.uid FROM series JOIN study ON study.uid = series.study "
            "WHERE modality = ? AND substr(study.date, 1, 4) = ?",
            modality,
            year,
        )
        agrees(archive, true, modality_in_study=modality, study_date=f"{year}0101-{year}1231")


def test_the_studies_of_a_description_are_found(archive: Peer, truth: Connection) -> None:
    descriptions = truth.execute(
        "SELECT description FROM study WHERE description NOT GLOB '*[*?=]*' AND description <> '' "
        "GROUP BY description HAVING count(*) <= ? ORDER BY count(*) DESC LIMIT 2",
        (LIMIT,),
    ).fetchall()
    for (description,) in descriptions:
        true = column(truth, "SELECT uid FROM study WHERE description = ?", description)
        agrees(archive, true, study_description=f"={description}")


def test_a_study_of_many_series_shows_them_all(archive: Peer, truth: Connection) -> None:
    study, count = truth.execute(_LONGEST).fetchone()
    answer = ask(archive.node, "query_series", study_instance_uid=study, limit=LIMIT)
    true = column(truth, "SELECT uid FROM series WHERE study = ?", study)
    assert {record["SeriesInstanceUID"] for record in answer["records"]} == true
    assert len(answer["records"]) == count
    assert answer["complete"] is True


def test_counts_are_those_of_the_rows(archive: Peer, truth: Connection) -> None:
    study, count = truth.execute(_LONGEST).fetchone()
    (instances,) = truth.execute(
        "SELECT sum(instances) FROM series WHERE study = ?", (study,)
    ).fetchone()
    (record,) = ask(
        archive.node,
        "query_studies",
        study_instance_uid=study,
        additional_attributes=["NumberOfStudyRelatedSeries"],
    )["records"]
    assert record["NumberOfStudyRelatedSeries"] == count
    assert record["NumberOfStudyRelatedInstances"] == instances
    told = record["ModalitiesInStudy"]
    assert set([told] if isinstance(told, str) else told) == column(
        truth, "SELECT DISTINCT modality FROM series WHERE study = ?", study
    )


def test_more_patients_than_an_answer_holds_are_said_to_be_more(archive: Peer) -> None:
    answer = ask(archive.node, "query_patients", patient_id="A*", limit=LIMIT)
    assert len({record["PatientID"] for record in answer["records"]}) == LIMIT
    assert all(record["PatientID"].startswith("A") for record in answer["records"])
    assert answer["complete"] is False


def agrees(archive: Peer, true: set[str], **arguments: Any) -> None:
    """The answer is the truth, or a part of it that is said to be one."""
    answer = ask(
        archive.node, "query_studies", attribute_preset="minimal", limit=LIMIT, **arguments
    )
    uids = [record["StudyInstanceUID"] for record in answer["records"]]
    found = set(uids)
    assert len(uids) == len(found)
    assert found <= true
    if answer["complete"]:
        assert found == true
    else:
        # A cap of this archive may leave doubt about a whole answer, never about a short one.
        assert len(found) == min(LIMIT, len(true)), answer["notes"]
        assert answer["notes"]
    assert len(true) <= LIMIT or not answer["complete"]


def column(truth: Connection, statement: str, *values: str) -> set[str]:
    return {row[0] for row in truth.execute(statement, values)}
