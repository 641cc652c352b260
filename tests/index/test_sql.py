"""Questions in SQL: what is documented can be asked, and nothing else can be reached or hurt."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from os import getpid
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any

import pytest

from dicom_mcp.budgets import BARE_SQL, MOST_OF_SQL, MOST_TOGETHER
from dicom_mcp.deadline import Deadline
from dicom_mcp.errors import BadArgument, Cancelled, DeadlinePassed, IndexUnavailable
from dicom_mcp.in_hand import IN_HAND
from dicom_mcp.index.apart import APART
from dicom_mcp.index.columns import TABLES
from dicom_mcp.index.sql import ask
from tests.bounds import PATIENCE
from tests.faults.hostile_ground import held
from tests.index.filled import Filled, index_in
from tests.truth.archives import images


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with index_in(tmp_path_factory.mktemp("index")) as filled:
        filled.fill(
            [
                *images(2, study=1, StudyDate="20260301", Manufacturer="SIEMENS Healthineers"),
                *images(1, study=2, StudyDate="20260302", Manufacturer="GE MEDICAL SYSTEMS"),
                *images(1, study=3, StudyDate="20250302", PatientName="Müller^Jürgen^=="),
            ]
        )
        yield filled


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("SELECT count(*) FROM studies", [[3]]),
        ("SELECT manufacturer, count(*) FROM series GROUP BY ALL ORDER BY ALL",
         [["GE", 1], ["Siemens", 1], [None, 1]]),
        ("SELECT year(study_date), count(*) FROM studies GROUP BY 1 ORDER BY 1",
         [[2025, 1], [2026, 2]]),
        ("WITH new AS (SELECT * FROM studies WHERE study_date >= '2026-01-01') "
         "SELECT count(*) FROM new JOIN series USING (study_uid)", [[2]]),
        ("SELECT family_name, given_name FROM studies WHERE study_uid = '1.2.3'",
         [["Müller", "Jürgen"]]),
        ("SELECT * FROM range(3)", [[0], [1], [2]]),
        ("FROM studies SELECT max(study_date)", [["2026-03-02"]]),
    ],
)  # fmt: skip
def test_what_the_views_hold_can_be_asked(
    index: Filled, statement: str, rows: list[list[object]]
) -> None:
    assert index.rows(statement) == rows


def test_no_more_rows_come_than_are_wanted_and_that_there_are_more_is_told(index: Filled) -> None:
    found = ask(
        index.store,
        index.ledger,
        "SELECT * FROM studies",
        most_rows=2,
        deadline=Deadline(PATIENCE),
    )
    assert found.columns == [column.name for column in TABLES["studies"]]
    assert len(found.rows) == 2
    assert found.has_more


ATTACKS = """
SELECT * FROM '/etc/passwd'
SELECT * FROM read_text('/etc/passwd')
SELECT * FROM read_blob('/etc/passwd')
SELECT * FROM read_csv('/etc/passwd')
SELECT * FROM read_csv_auto('/etc/passwd')
SELECT * FROM read_json('/etc/passwd')
SELECT * FROM read_parquet('/etc/*.parquet')
SELECT * FROM parquet_scan('/etc/*.parquet')
SELECT * FROM parquet_metadata('/etc/x.parquet')
SELECT * FROM parquet_schema('/etc/x.parquet')
SELECT * FROM glob('/etc/*')
SELECT * FROM sniff_csv('/etc/passwd')
SELECT * FROM 'https://example.org/x.parquet'
SELECT * FROM read_parquet('s3://bucket/x.parquet')
SELECT content FROM read_text('/proc/self/environ')
SELECT (SELECT content FROM read_text('/etc/passwd'))
SELECT * FROM studies WHERE study_uid IN (SELECT content FROM read_text('/etc/passwd'))
WITH x AS (SELECT * FROM read_text('/etc/passwd')) SELECT * FROM x
SELECT * FROM studies UNION ALL BY NAME SELECT * FROM read_text('/etc/passwd')
SELECT * FROM (VALUES (1)) v(i), LATERAL (SELECT * FROM read_text('/etc/passwd'))
COPY studies TO '/tmp/ours.csv'
COPY (SELECT 1) TO '/tmp/ours.csv'
COPY studies FROM '/etc/passwd'
EXPORT DATABASE '/tmp/ours'
IMPORT DATABASE '/tmp/ours'
ATTACH '/tmp/ours.db'
ATTACH 'https://example.org/x.db' AS x
DETACH memory
INSTALL httpfs
LOAD httpfs
LOAD '/tmp/ours.duckdb_extension'
FORCE INSTALL httpfs FROM 'https://example.org'
PRAGMA database_list
PRAGMA version
PRAGMA enable_profiling
SET memory_limit = '100GB'
SET enable_external_access = true
SET GLOBAL threads = 100
RESET memory_limit
SELECT current_setting('allowed_directories')
SELECT * FROM duckdb_settings()
SELECT * FROM duckdb_secrets()
SELECT * FROM duckdb_functions()
SELECT * FROM duckdb_tables()
SELECT * FROM pragma_table_info('studies')
SELECT * FROM information_schema.tables
SELECT * FROM sqlite_master
SELECT * FROM memory.main.studies
SELECT getenv('HOME')
SELECT * FROM query('SELECT 1')
SELECT * FROM query_table('studies')
CREATE TABLE t AS SELECT 1
CREATE VIEW v AS SELECT 1
CREATE OR REPLACE VIEW studies AS SELECT 1
CREATE MACRO f() AS 1
CREATE SECRET s (TYPE s3)
DROP VIEW studies
DELETE FROM studies
UPDATE studies SET sex = 'M'
INSERT INTO studies SELECT * FROM studies
TRUNCATE studies
ALTER VIEW studies RENAME TO x
PREPARE p AS SELECT 1
EXECUTE p
CALL pragma_version()
BEGIN TRANSACTION
CHECKPOINT
VACUUM
EXPLAIN ANALYZE SELECT * FROM read_text('/etc/passwd')
SELECT 1; SELECT 2
SELECT 1; DROP VIEW studies
SELECT * FROM nothing
SELECT nothing FROM studies
SELECT FROM WHERE
'; DROP VIEW studies; --
SELECT * FROM studies WHERE
"""

NOTHING = ["", " ", ";", "-- nothing", "/* */", "\x00", "SELECT \x00"]


@pytest.mark.parametrize("statement", [*ATTACKS.strip().split("\n"), *NOTHING])
def test_what_is_no_question_about_the_index_is_refused(index: Filled, statement: str) -> None:
    before = index.rows("SELECT * FROM studies ORDER BY ALL")
    with pytest.raises(BadArgument) as refused:
        ask(index.store, index.ledger, statement, most_rows=10, deadline=Deadline(PATIENCE))
    assert "root:" not in str(refused.value)
    assert index.rows("SELECT * FROM studies ORDER BY ALL") == before
    assert not Path("/tmp/ours.csv").exists()


BOMBS = """
WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r
SELECT count(*) FROM range(1000000000) a, range(1000000000) b
SELECT string_agg(a.range::VARCHAR, '') FROM range(100000000) a
SELECT repeat('x', 2000000000)
SELECT len(range(1000000000))
SELECT printf('%1000000000d', 1)
SELECT format('{:>2000000000}', 'x')
SELECT bitstring('1', 2000000000)
SELECT damerau_levenshtein(s, s) FROM (SELECT string_agg('x', '') s FROM range(50000))
SELECT sleep_ms(100000)
SELECT list(range) FROM range(1000000000)
SELECT replace(repeat('x', 50000), 'x', repeat('y', 50000))
SELECT regexp_replace(repeat('x', 40000), 'x', repeat('y', 50000), 'g')
"""

# Texts that double, and statements in statements.
_DOUBLED = "(SELECT t || t FROM (SELECT " * 22 + "repeat('x', 1000)" + " AS t))" * 22
_NESTED = ", ".join(
    f"w{n} AS NOT MATERIALIZED (SELECT a.c FROM w{n - 1} a, w{n - 1} b)" for n in range(1, 25)
)
GROWN = [
    f"SELECT len({_DOUBLED})",
    f"WITH w0 AS (SELECT 1 c), {_NESTED} SELECT * FROM w24",
    "SELECT " + " + ".join(["1"] * 200_000),
    "SELECT * FROM studies WHERE " + " OR ".join(["sex = 'M'"] * 50_000),
]


@pytest.mark.parametrize("bomb", [*BOMBS.strip().split("\n"), *GROWN])
def test_a_question_without_bounds_is_ended_and_the_next_one_is_answered(
    index: Filled, bomb: str
) -> None:
    before = _most_held()
    with pytest.raises((DeadlinePassed, BadArgument)):
        ask(index.store, index.ledger, bomb, most_rows=10, deadline=Deadline(1))
    assert _most_held() < before + (64 << 20)
    assert index.rows("SELECT count(*) FROM studies") == [[3]]


def _most_held() -> int:
    """The most memory that this process ever held."""
    return getrusage(RUSAGE_SELF).ru_maxrss << 10


def test_several_questions_at_once_hold_no_more_than_one_may(index: Filled) -> None:
    def ask_too_much(bomb: str) -> None:
        with suppress(DeadlinePassed, BadArgument):
            APART.ask(index.store, bomb, [], 10, Deadline(PATIENCE))

    most = 0
    with ThreadPoolExecutor(4) as several:
        asked = [several.submit(ask_too_much, bomb) for bomb in HUNGRY.strip().split("\n")]
        while wait(asked, 0.01).not_done:
            most = max(most, sum(map(held, _processes_apart())))
        assert [each.exception() for each in asked] == [None] * 4
    assert most < BARE_SQL + MOST_OF_SQL + BARE_SQL


def _processes_apart() -> list[str]:
    children: list[str] = []
    for task in Path(f"/proc/{getpid()}/task").iterdir():
        with suppress(OSError):
            children += (task / "children").read_text().split()
    return children


HUNGRY = """
SELECT string_agg(a.range::VARCHAR, '') FROM range(100000000) a
SELECT list(range) FROM range(1000000000)
SELECT a.range, count(*) FROM range(100000000) a GROUP BY 1 ORDER BY 2
SELECT replace(repeat('x', 5000), 'x', repeat('y', 50000)) FROM range(10)
"""


def test_what_sql_takes_waits_for_room_beside_what_other_calls_hold(index: Filled) -> None:
    other = Deadline(PATIENCE)
    lent = IN_HAND.lend(200 << 20, other)
    with pytest.raises(DeadlinePassed, match="no room"):
        ask(index.store, index.ledger, "SELECT 1", most_rows=1, deadline=Deadline(0.2))
    IN_HAND.give_back(lent, other)
    assert index.rows("SELECT count(*) FROM studies") == [[3]]


def test_a_process_that_waits_for_a_question_makes_room(index: Filled) -> None:
    assert index.rows("SELECT count(*) FROM studies") == [[3]]
    spare, other = APART._spare, Deadline(PATIENCE)  # pyright: ignore[reportPrivateUsage]
    assert spare
    IN_HAND.give_back(IN_HAND.lend(1 << 20, other), other)
    assert spare[0].poll() is None
    IN_HAND.give_back(IN_HAND.lend(MOST_TOGETHER, other), other)
    assert spare[0].poll() is not None
    assert index.rows("SELECT count(*) FROM studies") == [[3]]


def test_a_process_that_was_killed_is_replaced(index: Filled) -> None:
    assert index.rows("SELECT count(*) FROM studies") == [[3]]
    spare = APART._spare  # pyright: ignore[reportPrivateUsage]
    assert spare
    spare[0].kill()
    assert index.rows("SELECT count(*) FROM studies") == [[3]]


def test_rows_of_any_size_are_cut_where_no_answer_has_room(index: Filled) -> None:
    wide = "SELECT repeat('x', 300000) FROM range(100)"
    found = ask(index.store, index.ledger, wide, most_rows=90, deadline=Deadline(PATIENCE))
    assert found.has_more
    assert 0 < len(found.rows) < 20


def test_a_cancelled_question_ends(index: Filled) -> None:
    deadline = Deadline(PATIENCE)
    threading.Timer(0.2, deadline.cancel).start()
    endless = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT count(*) FROM r"
    with pytest.raises(Cancelled):
        ask(index.store, index.ledger, endless, most_rows=10, deadline=deadline)


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    with index_in(tmp_path) as index:
        index.fill(images(1))
        (file,) = index.store.files("series")
        file.write_bytes(file.read_bytes()[:100])
        with pytest.raises(IndexUnavailable, match="the index is damaged: series/"):
            index.rows("SELECT * FROM series")


def test_while_days_are_written_nothing_is_answered_that_is_half_of_it(index: Filled) -> None:
    editions = iter(range(100))

    class Changing:
        @property
        def edition(self) -> str:
            return str(next(editions))

        def days(self) -> dict[str, Any]:
            return {}

    with pytest.raises(IndexUnavailable, match="being written"):
        ask(
            index.store,
            Changing(),  # pyright: ignore[reportArgumentType]
            "SELECT 1",
            most_rows=1,
            deadline=Deadline(PATIENCE),
        )
