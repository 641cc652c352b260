"""Counts over an archive of 161,335 studies, with the numbers that SQL gives.

A count must be the true one, or be said not to be complete, and then be no larger.
"""

import json
from dataclasses import replace
from sqlite3 import Connection

import pytest

from dicom_mcp.config import Settings
from tests.asking import ask, call, said
from tests.peers.archive import Peer
from tests.scale.counts import COUNTS, EMPTY, OF_SERIES, agrees

# Seconds that a question may take. All CT studies, 92,336 of 67 years, are too many to be had from
# an archive that gives 500 at once; what happens then need not be waited for long.
PATIENCE = 120.0
IMPATIENCE = 20.0


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
        f"SELECT coalesce(nullif(trim(manufacturer), ''), '{EMPTY}'), "
        f"coalesce(nullif(substr(study.date, 1, 4), ''), '{EMPTY}'), "
        f"count(DISTINCT study.uid) {OF_SERIES} WHERE modality = 'CT' GROUP BY 1, 2"
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
