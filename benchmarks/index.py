"""The index of 161,335 studies and a million series: the first sync of it from the embedded
archive, a day's changes, its size, and questions, side by side with DuckDB over the table of
`idc-index-data` that it was made of.

`make bench-index`; with `kept` as argument the index of the run before is asked.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from sqlite3 import connect
from statistics import median
from time import perf_counter, sleep, time
from typing import Any

import duckdb

from benchmarks.index_questions import COHORT, COHORT_IN_SQL, GROUPED, TYPICAL
from dicom_mcp.config import Settings
from dicom_mcp.config import load as read_file
from dicom_mcp.index.kept import folder_of
from tests.peers.embedded import Kind, embedded
from tests.scale.indexed import KEPT, take_over
from tests.scale.load import FOLDER, LICENCES, load
from tests.stdio import HANDSHAKES, Child, child

ROUNDS = 9

# How long an index that was asked may take until it is in memory.
_SECONDS = 120.0

_NEW = 400


def main() -> None:
    """Run it all and print the figures."""
    database, _ = load()
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load {os.getloadavg()[0]:.1f}, 2 cores used")
    with embedded([], Kind(), database=database) as peer:
        file = _configured(peer.node.port)
        if "kept" not in sys.argv[1:] or not take_over(read_file(str(file))):
            shutil.rmtree(KEPT, ignore_errors=True)
            _first_sync(file, database)
        _changes(file, database)
        settings = read_file(str(file))
        _size(settings)
        with child("--config", str(file)) as server:
            server.initialize(HANDSHAKES[-1])
            with _theirs() as table:
                _questions(server, table)


def _configured(port: int) -> Path:
    file = FOLDER / "index.toml"
    file.write_text(
        f'[index]\nfolder = "{KEPT}"\npause = 0.0\nkeep = false\n'
        f'[nodes.archive]\nhost = "127.0.0.1"\nport = {port}\n'
        'called_ae_title = "EMBEDDED"\ntimeout = 120\n'
    )
    return file


def _first_sync(file: Path, database: str) -> None:
    seconds, peak = _synced(file)
    with connect(database) as held:
        ((studies,),) = held.execute("SELECT count(*) FROM study")
    rate = studies / seconds * 60
    print(f"first sync: {studies:,} studies in {seconds:.0f} s, {rate:,.0f} a minute (goal 4,000)")
    print(f"  peak memory of the process {peak:.0f} MiB (goal 250)")


def _synced(file: Path) -> tuple[float, float]:
    """Seconds of `index sync`, and MiB at its peak."""
    start = perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "dicom_mcp", "--config", str(file), "index", "sync"],
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = status
    assert status == 0
    return perf_counter() - start, used.ru_maxrss / 1024


def _changes(file: Path, database: str) -> None:
    """Studies of today that come: seconds of work until they are in the index."""
    today = f"{datetime.now():%Y%m%d}"  # noqa: DTZ005 - as the archive's clock
    with connect(database) as held:
        held.executescript(_COMING.format(today=today, count=_NEW))
    try:
        _forget(read_file(str(file)))
        seconds, _ = _synced(file)
        ((found,),) = duckdb.execute(
            f"SELECT count(*) FROM '{_folder(read_file(str(file)))}/studies/*.parquet'"
            " WHERE study_uid LIKE '2.25.4711.%'"
        ).fetchall()
    finally:
        with connect(database) as held:
            held.executescript(_GOING)
    _forget(read_file(str(file)))
    gone, _ = _synced(file)
    print(f"{found} of {_NEW} new studies in the index after {seconds:.1f} s, and gone after"
          f" {gone:.1f} s (goal 60)")  # fmt: skip


_COMING = """
INSERT INTO study SELECT '2.25.4711.' || rowid, patient_id, '{today}',
  json_set(attributes, '$.StudyInstanceUID[0]', '2.25.4711.' || rowid, '$.StudyDate[0]', '{today}')
  FROM study LIMIT {count};
INSERT INTO series SELECT '2.25.4711.1.' || study.rowid, study_instance_uid, patient_id, 'CT',
  json_object('SeriesInstanceUID', json_array('2.25.4711.1.' || study.rowid),
  'Modality', json_array('CT')), 100 FROM study WHERE study_instance_uid LIKE '2.25.4711.%';
"""
_GOING = """
DELETE FROM series WHERE series_instance_uid LIKE '2.25.4711.%';
DELETE FROM study WHERE study_instance_uid LIKE '2.25.4711.%';
"""


def _forget(settings: Settings) -> None:
    """As if the last days had been asked for ten minutes ago."""
    with connect(_folder(settings) / "ledger.sqlite") as ledger:
        ledger.execute(
            "UPDATE day SET asked = asked - 700 WHERE day > ?",
            (f"{datetime.fromtimestamp(time() - 4 * 86_400, UTC):%Y-%m-%d}",),
        )


def _folder(settings: Settings) -> Path:
    return folder_of(settings, settings.node)


def _size(settings: Settings) -> None:
    files = [*_folder(settings).rglob("*.parquet")]
    size = sum(file.stat().st_size for file in files)
    every = sum(file.stat().st_size for file in _folder(settings).rglob("*") if file.is_file())
    ((series,),) = duckdb.execute(
        f"SELECT count(*) FROM '{_folder(settings)}/series/*.parquet'"
    ).fetchall()
    print(
        f"{series:,} series: {len(files):,} files, {size / series:.0f} bytes a series,"
        f" {every / series:.0f} with the ledger (goal 200)"
    )


@contextmanager
def _theirs() -> Generator[duckdb.DuckDBPyConnection]:
    """The flat table in a file of DuckDB, of the rows that the archive was made of. What an archive
    has of a study once is here what its first row says: in 655 studies others say otherwise."""
    path: str = import_module("idc_index_data").IDC_INDEX_PARQUET_FILEPATH
    file = FOLDER / "idc.duckdb"
    file.unlink(missing_ok=True)
    once = [
        f"first_value({name}) OVER (PARTITION BY StudyInstanceUID ORDER BY file_row_number)"
        f" AS {name}"
        for name in ("StudyDate", "PatientSex")
    ]
    several = ", ".join(f"'{licence}'" for licence in LICENCES)
    with duckdb.connect(str(file), config={"threads": 2}) as table:
        table.execute(
            f"CREATE TABLE idc AS SELECT * REPLACE ({', '.join(once)}) FROM '{path}'"
            f" WHERE license_short_name IN ({several}) ORDER BY file_row_number"
        )
        table.execute("CHECKPOINT")
        yield table


def _questions(server: Child, table: duckdb.DuckDBPyConnection) -> None:
    def sql(statement: str) -> list[dict[str, Any]]:
        return _answer(server, "query_sql", sql=statement, limit=1000)["rows"]

    def cohort() -> dict[str, Any]:
        return _answer(server, "find_cohort", **COHORT)

    first = _seconds(lambda: sql(GROUPED[0])), _seconds(cohort)
    waited = _warmed(lambda: (sql(GROUPED[0]), cohort()))
    print(f"first questions {first[0]:.2f} and {first[1]:.2f} s; in memory after {waited:.0f} s")
    _told("grouped counts by maker and year", 50, sql, table, GROUPED)
    times = [(_seconds(cohort), _seconds(lambda: table.execute(COHORT_IN_SQL).fetchall()))
             for _ in range(ROUNDS)]  # fmt: skip
    print(
        f"cohort, CT and MR within 30 days: {_middle(times, 0):.0f} ms (goal 150), bare DuckDB"
        f" {_middle(times, 1):.0f} ms; {cohort()['patients']} and"
        f" {table.execute(COHORT_IN_SQL).fetchall()[0][0]} patients"
    )
    both = [_told(name, 0, sql, table, pair) for name, pair in TYPICAL.items()]
    print(
        f"20 questions in SQL, median {median(ours for ours, _ in both):.0f} ms (goal 50),"
        f" the slowest {max(ours for ours, _ in both):.0f} ms; bare DuckDB median"
        f" {median(theirs for _, theirs in both):.0f} ms"
    )
    for name, pid in (("server", server.process.pid), ("process for its SQL", _below(server))):
        print(f"peak memory of the {name}: {_peak(pid):.0f} MiB (goal 400)", flush=True)
    counts = {"group_by": ["Manufacturer", "year"], "source": "index"}
    seconds = _seconds(lambda: _answer(server, "count_studies", **counts))
    print(
        f"count_studies by Manufacturer and year, from the index: {seconds:.1f} s; the server's"
        f" peak memory then {_peak(server.process.pid):.0f} MiB"
    )


def _told(
    name: str,
    goal: int,
    ours: Callable[[str], list[dict[str, Any]]],
    table: duckdb.DuckDBPyConnection,
    pair: tuple[str, str],
) -> tuple[float, float]:
    """Ask both in turn, print and return the medians in ms; the rows have to be the same."""
    found = [[*row.values()] for row in ours(pair[0])]
    true = [[*row] for row in table.execute(pair[1]).fetchall()]
    same = "the same rows" if found == true[: len(found)] and found else "OTHER ROWS"
    times = [
        (_seconds(lambda: ours(pair[0])), _seconds(lambda: table.execute(pair[1]).fetchall()))
        for _ in range(ROUNDS)
    ]
    mine, its = _middle(times, 0), _middle(times, 1)
    of = f" (goal {goal})" if goal else ""
    print(f"{name}: {mine:.0f} ms{of}, bare DuckDB {its:.0f} ms; {same} ({len(found)})", flush=True)
    return mine, its


def _middle(times: Sequence[tuple[float, float]], which: int) -> float:
    return median(pair[which] for pair in times) * 1000


def _answer(server: Child, tool: str, **arguments: Any) -> dict[str, Any]:
    result = server.call(tool, **arguments)
    assert not result.get("isError"), result
    return json.loads(result["content"][0]["text"])


def _seconds(ask: Callable[[], object]) -> float:
    start = perf_counter()
    ask()
    return perf_counter() - start


def _warmed(ask: Callable[[], object]) -> float:
    """Ask until that no longer gets faster; the seconds it took."""
    start, best, slower = perf_counter(), float("inf"), 0
    while slower < 30 and perf_counter() - start < _SECONDS:
        seconds = _seconds(ask)
        slower = 0 if seconds < best * 0.9 else slower + 1
        best = min(best, seconds)
        sleep(0.5)
    return perf_counter() - start


def _below(server: Child) -> int:
    """The process that the server asks strangers' SQL in."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    several = children.read_text().split() or [
        child.parent.name
        for child in Path("/proc").glob("[0-9]*/stat")
        if child.read_text().rpartition(")")[2].split()[1] == str(server.process.pid)
    ]
    return int(several[-1])


def _peak(pid: int) -> float:
    (line,) = (
        line
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    )
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
