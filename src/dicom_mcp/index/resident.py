"""The files of an index as an engine has them: read at each question, or kept in its memory.

In memory a million series take 40 MB, and a question a third of the time or less. What was kept of
a file that another took the place of is replaced, in one transaction: a question that runs
meanwhile has what was before.
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import Cancelled
from .columns import ASKED_DAY, OF_MATCHES, TABLES, types_of
from .digests import File, told_damaged
from .store import UNDATED, Store, damaged

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A table's files.
type Files = Mapping[str, Sequence[File]]

# What is kept in memory; texts of reports are too long for it.
RESIDENT = ("studies", "series", "headers")

# What studies and their series are joined by, for statements of ours: a number in memory, which
# takes a sixth of the time that UIDs take. And whether no UID is that of two studies.
KEY, SINGLE = "study_key", "single"
_IS_SINGLE = "SELECT count(*) = count(DISTINCT study_uid) AS is_single FROM all_studies"

# Bytes of files that are read at a time, files, and rows of a large one: what is read takes fifteen
# times its room until it is compressed.
_BYTES_AT_A_TIME, _AT_A_TIME, _ROWS_AT_A_TIME = 2 << 20, 256, 40_000

# The rows of this one are those of its own alone.
_OWN = {"reports": " WHERE sop_instance_uid IS NOT NULL OR fault IS NOT NULL"}


def files_of(store: Store) -> Files:
    """The files there are now. Raises IndexUnavailable where they change while they are looked
    at."""
    try:
        return {table: _files(store.folder / table) for table in TABLES}
    except OSError as error:
        raise damaged(error) from None


def checked(store: Store) -> Files:
    """The files there are now. Raises IndexUnavailable where one is not as it was written."""
    files, wrong = looked_at(store)
    if wrong:
        raise told_damaged(wrong)
    return files


def looked_at(store: Store) -> tuple[Files, list[str]]:
    """The files there are now; and those (`table/month`) that are not as they were written, lack,
    or were put there by somebody else. Raises IndexUnavailable."""
    known = store.digests.known()
    while True:
        files = files_of(store)
        try:
            wrong = store.digests.wrong(known, chain(*files.values()))
        except OSError as error:
            raise damaged(error) from None
        before, known = known, store.digests.known()
        if not wrong or known == before:  # else one took its place meanwhile
            return files, wrong


def _files(folder: Path) -> list[File]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return sorted(
            (entry.path, told.st_ino, told.st_mtime_ns, told.st_size)
            for entry in entries
            if entry.name.endswith(".parquet")
            for told in (entry.stat(),)
        )


def bytes_of(files: Files) -> int:
    """How many bytes of them would be kept in memory."""
    return sum(size for table in RESIDENT for *_, size in files[table])


def over_files(engine: "DuckDBPyConnection", store: Store, files: Files) -> None:
    """Have an engine read these files at each question."""
    for table in TABLES:
        _view(engine, table, _source(store, table, files))
    engine.execute(f"CREATE VIEW {SINGLE} AS {_IS_SINGLE}")


def into_memory(
    engine: "DuckDBPyConnection", store: Store, files: Files, is_over: Callable[[], bool]
) -> None:
    """Have an engine keep these files in its database `kept`. Raises Cancelled when it `is_over`
    meanwhile."""
    for table in TABLES:
        if table not in RESIDENT:
            _view(engine, table, _source(store, table, files))
            continue
        types = {**types_of(table), **({KEY: "UINTEGER"} if table in OF_MATCHES else {})}
        columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
        engine.execute(f"CREATE TABLE kept.{table} ({columns})")
        for some in _parts(files[table]):
            if is_over():
                raise Cancelled("the files are no longer asked for", "Ask again")
            for rows in _slices(engine, store, some):
                _insert(engine, store, table, some, rows)
                engine.execute("CHECKPOINT kept")
        _view(engine, table, f"kept.{table}")
    _find_strays(engine)


def renew(engine: "DuckDBPyConnection", store: Store, before: Files, now: Files) -> bool:
    """Put what files there are `now` in place of what is kept of those `before`. An engine for
    which that cannot be done is not to be used any more."""
    import duckdb

    try:
        engine.execute("BEGIN")
        # A series has the number of its study, which is in the file of the same month.
        months = {
            Path(file).stem
            for table in OF_MATCHES
            for some in _changed(table, before, now)
            for file, *_ in some
        }
        for table in TABLES:
            gone, came = (
                [Path(file) for file, *_ in some] for some in _changed(table, before, now)
            )
            if table in OF_MATCHES:
                _delete(engine, table, months)
                every = (Path(file) for file, *_ in now[table])
                _insert(engine, store, table, [file for file in every if file.stem in months])
            elif table in RESIDENT:
                _delete(engine, table, {file.stem for file in gone})
                _insert(engine, store, table, came)
            elif gone or came:
                _view(engine, table, _source(store, table, now))
        _find_strays(engine)
        engine.execute("COMMIT")
        with suppress(duckdb.TransactionException):  # while somebody asks; the next time will do
            engine.execute("CHECKPOINT kept")
    except duckdb.Error:
        return False
    return True


def _find_strays(engine: "DuckDBPyConnection") -> None:
    """Number the series that are not in the file of their study's month, and note whether every
    study has a UID of its own."""
    engine.execute(
        f"UPDATE kept.series SET {KEY} = study.{KEY} FROM kept.studies AS study"
        f" WHERE series.{KEY} IS NULL AND series.study_uid = study.study_uid"
    )
    engine.execute(f"CREATE OR REPLACE TABLE kept.{SINGLE} AS {_IS_SINGLE}")
    engine.execute(f"CREATE OR REPLACE VIEW {SINGLE} AS FROM kept.{SINGLE}")


def bytes_changed(before: Files, now: Files) -> int:
    """Bytes of files that came or went of those that are kept in memory."""
    return sum(
        size for table in RESIDENT for some in _changed(table, before, now) for *_, size in some
    )


def _changed(table: str, before: Files, now: Files) -> tuple[list[File], list[File]]:
    """What is gone, and what came."""
    were, are = {*before[table]}, {*now[table]}
    return sorted(were - are), sorted(are - were)


def _parts(files: Sequence[File]) -> Iterator[list[Path]]:
    some, size = list[Path](), 0
    for file, *_, its in files:
        if some and (size + its > _BYTES_AT_A_TIME or len(some) == _AT_A_TIME):
            yield some
            some, size = [], 0
        some.append(Path(file))
        size += its
    if some:
        yield some


def _slices(engine: "DuckDBPyConnection", store: Store, files: Sequence[Path]) -> list[str]:
    """What chooses the rows of these files, one part after the other where they are many."""
    if len(files) > 1:
        return ["true"]
    ((count,),) = engine.execute(f"SELECT count(*) FROM {store.source(*files)}").fetchall()
    return [
        f"file_row_number BETWEEN {start} AND {start + _ROWS_AT_A_TIME - 1}"
        for start in range(0, count, _ROWS_AT_A_TIME)
    ]


def _delete(engine: "DuckDBPyConnection", table: str, stems: Collection[str]) -> None:
    months = [stem for stem in stems if stem != UNDATED]
    of_months = f"{ASKED_DAY}[:7] IN (SELECT unnest(?::VARCHAR[]))"
    if months:
        # The ends alone tell most of what is kept that it is not meant.
        ends = [min(months), max(months) + "-99"]
        engine.execute(
            f"DELETE FROM kept.{table} WHERE {ASKED_DAY} BETWEEN ? AND ? AND {of_months}",
            [*ends, months],
        )
    if UNDATED in stems:
        engine.execute(f"DELETE FROM kept.{table} WHERE {ASKED_DAY} = ''")


def _insert(
    engine: "DuckDBPyConnection",
    store: Store,
    table: str,
    files: Collection[Path],
    rows: str = "true",
) -> None:
    if not files:
        return
    names = ", ".join(types_of(table))
    source = f"{store.source(*files)} WHERE {rows}"
    if table == "studies":
        names += f", row_number() OVER () + (SELECT coalesce(max({KEY}), 0) FROM kept.studies)"
    if table == "series":
        # Beside each other those of a study take less room, and less time to join.
        months = sorted(file.stem for file in files)
        ends = f"'{months[0]}' AND '{months[-1]}-99'" if months[-1] != UNDATED else "'' AND '~'"
        numbers = (
            f"SELECT study_uid, min({KEY}) AS {KEY} FROM kept.studies"
            f" WHERE {ASKED_DAY} BETWEEN {ends} GROUP BY study_uid"
        )
        source = f"(FROM {source}) LEFT JOIN ({numbers}) USING (study_uid) ORDER BY {KEY}"
        names += f", {KEY}"
    engine.execute(f"INSERT INTO kept.{table} SELECT {names} FROM {source}")


def _source(store: Store, table: str, files: Files) -> str:
    if files[table]:
        return store.source(*(Path(file) for file, *_ in files[table]))
    types = types_of(table).items()
    nothing = ", ".join(f"NULL::{kind} AS {name}" for name, kind in types)
    return f"(SELECT {nothing}) WHERE false"


def _view(engine: "DuckDBPyConnection", table: str, source: str) -> None:
    """A table as it is asked, and with what is ours alone."""
    names = ", ".join(column.name for column in TABLES[table])
    is_numbered = source.startswith("kept.") or table not in OF_MATCHES
    every = f"FROM {source}" if is_numbered else f"SELECT *, study_uid AS {KEY} FROM {source}"
    engine.execute(f"CREATE OR REPLACE VIEW all_{table} AS {every}")
    engine.execute(
        f"CREATE OR REPLACE VIEW {table} AS SELECT {names} FROM all_{table}" + _OWN.get(table, "")
    )
