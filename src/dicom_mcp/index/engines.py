"""Engines over the files of indexes, each kept from one question to the next.

To open the files of a million series takes longer than most questions do. An engine is used by any
number of questions at once, each over a cursor of its own; they share its memory. It is let go when
nobody asks for a while. A small index is kept in memory from the first question on; a larger one is
read from its files, and put there meanwhile when it is asked again.
"""

import atexit
import threading
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from ..errors import Cancelled, IndexUnavailable
from .digests import FRESH_SECONDS
from .resident import (
    Files,
    bytes_changed,
    bytes_of,
    checked,
    files_of,
    into_memory,
    over_files,
    renew,
)
from .store import Store, damaged, engine_of, text_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Memory of all questions to one index, with what is kept of it.
MEMORY = "256MB"

# How long an engine is kept that nobody uses, in seconds, and how many are kept.
_IDLE, _MOST = 900.0, 4

# Bytes of files: kept in memory at once; at most, of all indexes; and the question at which more
# than the first of these is worth it.
_AT_ONCE, _MOST_BYTES, _WORTH = 256 << 10, 96 << 20, 2

# Bytes of files that are put in place of others before all are read anew: memory keeps both.
_MOST_RENEWED = 16 << 20


# A folder, and the key with which it was read.
type _Place = tuple[Path, str]


def _place(store: Store) -> _Place:
    return store.folder, store.key


@dataclass(slots=True)
class _Kept:
    engine: "DuckDBPyConnection"
    files: Files
    is_resident: bool
    used: float = 0.0
    asked: int = 0
    renewed: int = 0
    is_too_much: bool = False
    checked: float = field(default_factory=monotonic)

    @property
    def is_checked(self) -> bool:
        """Whether the files were looked at not long ago."""
        return self.checked > monotonic() - FRESH_SECONDS


class Engines:
    """The engines of this process, by the index's folder. Safe to use from several threads."""

    def __init__(self, *, idle: float = _IDLE, at_once: int = _AT_ONCE) -> None:
        self._idle, self._at_once = idle, at_once
        self._kept: dict[_Place, _Kept] = {}
        self._lock = threading.Lock()
        self._clock: threading.Timer | None = None
        self._loading: threading.Thread | None = None

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)

    @contextmanager
    def over(self, store: Store) -> Generator["DuckDBPyConnection"]:
        """A connection that has the views over the files there are now, and reaches nothing else.

        Raises IndexUnavailable for files that cannot be read.
        """
        with self._lock:
            kept = self._now(self._kept.pop(_place(store), None), store)
            kept.used, kept.asked = monotonic(), kept.asked + 1
            self._kept[_place(store)] = kept  # the last one used is the last
            while len(self._kept) > _MOST:
                self._kept.pop(next(iter(self._kept)))
            self._watch()
            cursor = kept.engine.cursor()
            self._load_if_worth(store, kept)
        # An engine that is no longer kept ends with the last cursor over it: to close it would
        # close the others.
        with closing(cursor):
            yield cursor

    def clear(self) -> None:
        """Let go of all of them."""
        with self._lock:
            self._kept.clear()
            clock, self._clock = self._clock, None
            loading, self._loading = self._loading, None
        if clock:
            clock.cancel()
        if loading:
            loading.join()

    def forget(self, store: Store) -> None:
        """Let go of what is kept of these files, which could not be read."""
        with self._lock:
            self._kept.pop(_place(store), None)

    def is_resident(self, store: Store, *, seconds: float = 0.0) -> bool:
        """Whether these files are kept in memory, or are so many seconds later."""
        if loading := self._loading:
            loading.join(seconds)
        kept = self._kept.get(_place(store))
        return bool(kept and kept.is_resident)

    def _now(self, kept: _Kept | None, store: Store) -> _Kept:
        """An engine over the files there are, be it the same."""
        files = files_of(store)
        if kept and kept.files == files and (kept.is_resident or kept.is_checked):
            return kept
        files = checked(store)
        if kept and kept.is_resident and bytes_of(files) <= _MOST_BYTES:
            kept.renewed += bytes_changed(kept.files, files)
            if kept.renewed <= _MOST_RENEWED and renew(kept.engine, store, kept.files, files):
                kept.files, kept.checked = files, monotonic()
                return kept
        if bytes_of(files) <= self._at_once:
            return _Kept(made(store, files=files, is_over=lambda: False), files, is_resident=True)
        asked = kept.asked if kept else 0
        return _Kept(made(store, files=files), files, is_resident=False, asked=asked)

    def _load_if_worth(self, store: Store, kept: _Kept) -> None:
        if kept.is_resident or kept.is_too_much or kept.asked < _WORTH or self._loading:
            return
        size = sum(
            bytes_of(other.files)
            for other in self._kept.values()
            if other.is_resident or other is kept
        )
        if size <= _MOST_BYTES:
            self._loading = threading.Thread(
                target=self._load, args=(store, kept.files), daemon=True, name="engines loading"
            )
            self._loading.start()

    def _load(self, store: Store, files: Files) -> None:
        """Put an index into memory. What becomes of its files meanwhile, the next question sees."""

        def is_over() -> bool:
            return self._loading is not threading.current_thread()

        engine = None
        with suppress(IndexUnavailable, Cancelled):  # a question tells what is wrong with a file
            engine = made(store, files=files, is_over=is_over)
        with self._lock:
            before = self._kept.get(_place(store))
            if before and not before.is_resident and not is_over():
                if engine:
                    self._kept[_place(store)] = _Kept(engine, files, True, before.used)
                else:
                    before.is_too_much = True
            if not is_over():
                self._loading = None

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
            for place in [name for name, kept in self._kept.items() if kept.used < long_ago]:
                del self._kept[place]
            self._clock = None
            self._watch()


ENGINES = Engines()
atexit.register(ENGINES.clear)


def made(
    store: Store,
    *others: Path,
    files: Files | None = None,
    is_over: Callable[[], bool] | None = None,
) -> "DuckDBPyConnection":
    """An engine that has the views over the files there are now, and reaches nothing else, but for
    these `others`; in memory, until that `is_over`, where one is given. Raises IndexUnavailable for
    files that cannot be read, and Cancelled."""
    files = files or checked(store)
    engine = engine_of(memory_limit=MEMORY, threads=2, temp_directory="")
    import duckdb

    try:
        store.unlock(engine)
        engine.execute("SET python_enable_replacements = false")
        engine.execute(f"SET parquet_metadata_cache = {is_over is None}")
        engine.execute(f"SET allowed_directories = [{text_of(store.place)}]")
        several = ", ".join(text_of(str(file)) for file in others)
        engine.execute(f"SET allowed_paths = [{several}]")
        if is_over:
            engine.execute("ATTACH ':memory:' AS kept (COMPRESS)")
        engine.execute("SET enable_external_access = false")
        engine.execute("SET lock_configuration = true")
        if is_over:
            into_memory(engine, store, files, is_over)
        else:
            over_files(engine, store, files)
    except (duckdb.Error, Cancelled) as error:
        engine.close()
        if isinstance(error, Cancelled):
            raise
        raise damaged(error) from None
    return engine
