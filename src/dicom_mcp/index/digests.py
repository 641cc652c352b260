"""Whether the files of an index are as they were written.

A flipped bit of a Parquet file may be read as another value without a word. So the ledger has a
digest of each file, put there before the file takes its place, beside that of the one that was
there: whoever reads at any moment finds one of both.
"""

import os
import sqlite3
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing, contextmanager, suppress
from hashlib import blake2b
from pathlib import Path

from ..errors import IndexUnavailable

# The ledger of an index, in its folder.
LEDGER = "ledger.sqlite"

TABLE = """
CREATE TABLE IF NOT EXISTS file (
  file TEXT PRIMARY KEY, digest TEXT NOT NULL, before TEXT) WITHOUT ROWID;
"""

# What no file has: of one that is not there.
ABSENT = ""

# The path of a file, and with its inode, time and size what tells it from one that takes its place.
type File = tuple[str, int, int, int]

# Digests of files as they were when they were read, and when that was (of time.monotonic).
_READ: dict[File, tuple[str, float]] = {}
_MOST_READ = 50_000

# After so many seconds a file is read again: a disk may fail without a new time of the file.
FRESH_SECONDS = 900.0

# How long the other side may take to write what is one row.
_SECONDS = 30.0


def file_at(path: Path) -> File | None:
    """The file that is there now, if any."""
    try:
        told = path.stat()
    except FileNotFoundError:
        return None
    return str(path), told.st_ino, told.st_mtime_ns, told.st_size


def digest_of(file: File) -> str:
    """The digest of this file, or of what took its place meanwhile; ABSENT where it is gone. Raises
    OSError."""
    digest, at = _READ.get(file, (ABSENT, 0.0))
    if digest and at > time.monotonic() - FRESH_SECONDS:
        return digest
    path, *_ = file
    with suppress(FileNotFoundError), open(path, "rb") as content:
        read = blake2b(digest_size=16)
        while some := content.read(1 << 20):
            read.update(some)
        if len(_READ) >= _MOST_READ:
            _READ.clear()
        told = os.fstat(content.fileno())
        as_read = (path, told.st_ino, told.st_mtime_ns, told.st_size)
        _READ[as_read] = read.hexdigest(), time.monotonic()
        return read.hexdigest()
    return ABSENT


class Digests:
    """What the ledger in this folder says of the files beside it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def replacing(self, file: Path, new: Path | None) -> Generator[None]:
        """While this `new` file takes a place, or none does. What is broken off leaves both known:
        which of them is there is not looked at before the next one comes. Raises
        IndexUnavailable."""
        digest, before = (
            digest_of(told) if path and (told := file_at(path)) else ABSENT for path in (new, file)
        )
        name = self._name(file)
        self._enter("INSERT OR REPLACE INTO file VALUES (?, ?, ?)", name, digest, before)
        yield
        if new:
            self._enter("UPDATE file SET before = NULL WHERE file = ?", name)
        else:
            self._enter("DELETE FROM file WHERE file = ?", name)

    def _enter(self, statement: str, *values: str) -> None:
        with self._ledger("rw") as rows, rows:
            rows.execute("PRAGMA synchronous = NORMAL")  # lost with the power, the file is renewed
            rows.execute(statement, values)

    def check(self, *files: Path) -> None:
        """Raise IndexUnavailable where one of these, which nobody else writes, is not as it was
        written."""
        known = self.known()
        there = [file for path in files if (file := file_at(path))]
        if wrong := self.wrong(known, there, [self._name(path) for path in files]):
            raise told_damaged(wrong)

    def wrong(
        self,
        known: Mapping[str, tuple[str, str | None]],
        there: Iterable[File],
        names: Iterable[str] = (),
    ) -> list[str]:
        """Which of the files that there are, and of those of these `names` (all that are known
        where there are none), are not what is `known` of them: `table/month` of each."""
        digests = {self._name(Path(file[0])): digest_of(file) for file in there}
        return sorted(
            name
            for name in {*digests, *(names or known)}
            if digests.get(name, ABSENT) not in known.get(name, (ABSENT,) * (name not in digests))
        )

    def known(self) -> Mapping[str, tuple[str, str | None]]:
        """Of each file its digest, and while another takes its place that of what was there.
        Raises IndexUnavailable."""
        with self._ledger("ro") as rows:
            return {name: (new, old) for name, new, old in rows.execute("SELECT * FROM file")}

    def _name(self, file: Path) -> str:
        return f"{file.parent.name}/{file.stem}"

    @contextmanager
    def _ledger(self, mode: str) -> Generator[sqlite3.Connection]:
        path = self._folder / LEDGER
        try:
            where = f"{path.absolute().as_uri()}?mode={mode}"
            with closing(sqlite3.connect(where, timeout=_SECONDS, uri=True)) as rows:
                yield rows
        except (sqlite3.Error, OSError) as error:
            raise IndexUnavailable(
                f"the index's ledger {path} cannot be used ({error})",
                "Look whether the disk is full. What was there before is still there",
            ) from None


def told_damaged(names: Iterable[str]) -> IndexUnavailable:
    """What to say of files that are not as they were written."""
    several = [*names]
    some = ", ".join(several[:3]) + ", …" * (len(several) > 3)
    return IndexUnavailable(
        f"the index is damaged: {some} changed since it was written",
        "dicom-mcp index sync counts these days again, as a running server does by itself",
    )
