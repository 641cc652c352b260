"""Engines over the files of indexes, each kept from one question to the next.

To open the files of a million series takes longer than most questions do. An engine is used while
the files are those it was made for, by any number of questions at once, each over a cursor of its
own; they share its memory. It is let go when they are others, or when nobody asks for a while.
"""

import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from .columns import TABLES, types_of
from .store import Store, damaged, engine_of, text_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Memory of all questions to one index.
MEMORY = "256MB"

# How long an engine is kept that nobody uses, in seconds, and how many are kept.
_IDLE, _MOST = 300.0, 4

# A table's files, each with what tells it from one that takes its place.
type _Files = dict[str, tuple[tuple[Path, int, int, int], ...]]


@dataclass(slots=True)
class _Kept:
    engine: "DuckDBPyConnection"
    files: _Files
    used: float


class Engines:
    """The engines of this process, by the index's folder. Safe to use from several threads."""

    def __init__(self, *, idle: float = _IDLE) -> None:
        self._idle = idle
        self._kept: dict[Path, _Kept] = {}
        self._lock = threading.Lock()
        self._clock: threading.Timer | None = None

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)

    @contextmanager
    def over(self, store: Store) -> Generator["DuckDBPyConnection"]:
        """A connection that has the views over the files there are now, and reaches nothing else.

        Raises IndexUnavailable for files that cannot be read.
        """
        files = _files_of(store)
        with self._lock:
            kept = self._kept.pop(store.folder, None)
            if kept is None or kept.files != files:
                kept = _Kept(made(store, files=files), files, 0.0)
            kept.used = monotonic()
            self._kept[store.folder] = kept  # the last one used is the last
            while len(self._kept) > _MOST:
                self._kept.pop(next(iter(self._kept)))
            self._watch()
            cursor = kept.engine.cursor()
        # An engine that is no longer kept ends with the last cursor over it: to close it would
        # close the others.
        with closing(cursor):
            yield cursor

    def clear(self) -> None:
        """Let go of all of them."""
        with self._lock:
            self._kept.clear()
            clock, self._clock = self._clock, None
        if clock:
            clock.cancel()

    def forget(self, folder: Path) -> None:
        """Let go of what is kept of this folder, whose files could not be read."""
        with self._lock:
            self._kept.pop(folder, None)

    def _watch(self) -> None:
        """See to it that what is not used does not stay."""
        if self._clock is None and self._kept:
            self._clock = threading.Timer(self._idle / 2, self._let_go)
            self._clock.daemon = True
            self._clock.name = "engines"
            self._clock.start()

    def _let_go(self) -> None:
        with self._lock:
            if self._clock is not threading.current_thread():
                return  # cleared meanwhile
            long_ago = monotonic() - self._idle
            for folder in [name for name, kept in self._kept.items() if kept.used < long_ago]:
                del self._kept[folder]
            self._clock = None
            self._watch()


ENGINES = Engines()


def _files_of(store: Store) -> _Files:
    """Raises IndexUnavailable where they change while they are looked at."""
    try:
        return {
            table: tuple(
                (file, told.st_ino, told.st_mtime_ns, told.st_size)
                for file, told in ((file, file.stat()) for file in store.files(table))
            )
            for table in TABLES
        }
    except OSError as error:
        raise damaged(error) from None


def made(store: Store, *others: Path, files: _Files | None = None) -> "DuckDBPyConnection":
    """An engine that has the views over the files there are now, and reaches nothing else, but for
    these `others`. Raises IndexUnavailable for files that cannot be read."""
    files = files or _files_of(store)
    engine = engine_of(memory_limit=MEMORY, threads=2, temp_directory="")
    import duckdb

    try:
        store.unlock(engine)
        engine.execute("SET python_enable_replacements = false")
        engine.execute("SET parquet_metadata_cache = true")
        engine.execute(f"SET allowed_directories = [{text_of(store.place)}]")
        several = ", ".join(text_of(str(file)) for file in others)
        engine.execute(f"SET allowed_paths = [{several}]")
        engine.execute("SET enable_external_access = false")
        for table, columns in TABLES.items():
            if files[table]:
                source = store.source(*(file for file, *_ in files[table]))
            else:
                types = types_of(table).items()
                nothing = ", ".join(f"NULL::{kind} AS {name}" for name, kind in types)
                source = f"(SELECT {nothing}) WHERE false"
            names = ", ".join(column.name for column in columns)
            engine.execute(f"CREATE VIEW all_{table} AS FROM {source}")  # with what is ours alone
            some = " WHERE sop_instance_uid IS NOT NULL OR fault IS NOT NULL"
            engine.execute(
                f"CREATE VIEW {table} AS SELECT {names} FROM all_{table}"
                + some * (table == "reports")  # without series that were looked into in vain
            )
        engine.execute("SET lock_configuration = true")
    except duckdb.Error as error:
        engine.close()
        raise damaged(error) from None
    return engine
