"""Engines that are kept from question to question: as fast as that, and never of other files than
there are."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.errors import Cancelled, IndexUnavailable
from dicom_mcp.index.engines import Engines
from dicom_mcp.index.sql import read
from dicom_mcp.index.store import Store
from tests.bounds import PATIENCE, nothing_left_behind
from tests.index.filled import index_in
from tests.truth.archives import images

COUNT = "SELECT count(*) FROM series"
ENDLESS = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT count(*) FROM r"


def test_what_is_written_between_two_questions_is_in_the_second(tmp_path: Path) -> None:
    with index_in(tmp_path) as index:
        index.fill(images(1))
        assert index.rows(COUNT) == [[1]]
        index.clock.now += 86_400 * 2
        index.fill([*images(1), *images(1, study=2)])
        assert index.rows(COUNT) == [[2]]


def test_an_index_that_was_dropped_and_made_anew_is_not_mistaken_for_the_other(
    tmp_path: Path,
) -> None:
    for count in (1, 3):
        folder = tmp_path / "index"
        with index_in(folder) as index:
            index.fill([each for study in range(count) for each in images(1, study=study + 1)])
            assert index.rows(COUNT) == [[count]]
        for file in (*folder.rglob("*.parquet"), *folder.glob("ledger.*")):
            file.unlink()


def test_questions_at_the_same_time_do_not_end_each_other(tmp_path: Path) -> None:
    with index_in(tmp_path) as index:
        index.fill(images(2))
    with index_in(tmp_path) as index, ThreadPoolExecutor(8) as several:
        cancelled = Deadline(PATIENCE)

        def endless() -> None:
            with index_in(tmp_path) as again, pytest.raises(Cancelled):
                read(again.store, ENDLESS, (), 1, cancelled)

        def rows(_: int) -> object:
            with index_in(tmp_path) as again:
                statement = "SELECT count(*) FROM series, range(1000000)"
                return read(again.store, statement, (), 1, Deadline(PATIENCE))[1]

        never = several.submit(endless)
        found = [*several.map(rows, range(12))]
        cancelled.cancel()
        never.result(PATIENCE)
        assert found == [[[1_000_000]]] * 12
        assert index.rows(COUNT) == [[1]]


def test_an_engine_is_let_go_when_nobody_asks(tmp_path: Path) -> None:
    with index_in(tmp_path) as index:
        index.fill(images(1))
    kept = Engines(idle=2.0)
    for _ in range(3):
        with kept.over(Store(tmp_path)) as engine:
            assert engine.execute(COUNT).fetchall() == [(1,)]
    assert len(kept) == 1
    ended = threading.Event()
    for _ in range(200):
        if not len(kept):
            break
        ended.wait(0.05)
    assert not len(kept)


def test_what_is_cleared_leaves_no_clock_behind(tmp_path: Path) -> None:
    with index_in(tmp_path) as index:
        index.fill(images(1))
    kept = Engines()
    with nothing_left_behind():
        with kept.over(Store(tmp_path)) as engine:
            kept.clear()
            assert engine.execute(COUNT).fetchall() == [(1,)]
        with kept.over(Store(tmp_path)):
            assert len(kept) == 1
        kept.clear()
        assert not len(kept)


def test_a_file_that_is_mended_can_be_asked_again(tmp_path: Path) -> None:
    with index_in(tmp_path) as index:
        index.fill(images(1))
        (file,) = index.store.files("series")
        whole = file.read_bytes()
        file.write_bytes(b"PAR1" + bytes(len(whole) - 8) + b"PAR1")
        with pytest.raises(IndexUnavailable):
            index.rows("SELECT * FROM series")
        file.write_bytes(whole)
        assert index.rows(COUNT) == [[1]]


@pytest.mark.parametrize("at_once", [0, 1 << 20])
def test_files_that_change_are_seen_by_the_next_question(tmp_path: Path, at_once: int) -> None:
    """Whether they are kept in memory from the first question on, or from a later one."""
    kept = Engines(at_once=at_once)
    statement = "SELECT study_uid, len(modalities) FROM studies ORDER BY 1"

    def rows(store: Store) -> Sequence[object]:
        with kept.over(store) as engine:
            return engine.execute(statement).fetchall()

    with index_in(tmp_path) as index:
        for count in (2, 1, 3, 3, 2):
            days = [f"2026{number:02}0{count}" for number in range(1, count + 1)]
            index.fill(
                [
                    each
                    for number, day in enumerate(days)
                    for each in images(1, study=number + 1, StudyDate=day)
                ]
            )
            index.clock.now += 86_400 * 2
            with duckdb.connect() as plain:
                plain.execute(f"CREATE VIEW studies AS FROM '{tmp_path}/studies/*.parquet'")
                truth = plain.execute(statement).fetchall()
            assert len(truth) == count
            for _ in range(3):
                assert rows(index.store) == truth
            assert kept.is_resident(index.store, seconds=PATIENCE)
            assert rows(index.store) == truth
    kept.clear()


def test_a_question_that_runs_while_files_change_has_what_was_before(tmp_path: Path) -> None:
    with index_in(tmp_path) as index:
        index.fill(images(1))
        kept = Engines()
        with kept.over(index.store) as early:
            found = early.execute("SELECT study_uid FROM studies, range(100000)")
            index.clock.now += 86_400 * 2
            index.fill([*images(1, study=2), *images(1, study=3)])
            with kept.over(index.store) as late:
                assert late.execute("SELECT count(*) FROM studies").fetchall() == [(2,)]
            assert {uid for (uid,) in found.fetchall()} == {str(images(1)[0].StudyInstanceUID)}
        kept.clear()
