"""Which days of an archive were asked for, when, what they had, and whether that was all.

SQLite tells a page that is damaged, but not a value. So each row has a checksum, and the number of
days is noted with each change of them.
"""

import json
import sqlite3
import time
from binascii import crc32
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from ..errors import BadConfiguration, IndexUnavailable
from .columns import OF_MATCHES
from .digests import TABLE
from .store import UNDATED

# What the files of another version hold may be called otherwise.
VERSION = 3

_DAY = timedelta(days=1)

# What is noted anew with each change of the days; the days of some ledgers as they were then.
_MARK, _MOST_KEPT = "days", 4
_DAYS: "dict[Path, tuple[str, Mapping[str, Entry]]]" = {}

# How long the other side may take to write what is a few rows.
_SECONDS = 30.0

_TABLES = f"""
CREATE TABLE IF NOT EXISTS told (
  key TEXT PRIMARY KEY, value TEXT NOT NULL, sum INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS day (
  day TEXT PRIMARY KEY, asked REAL NOT NULL, studies INTEGER NOT NULL, series INTEGER NOT NULL,
  images INTEGER, whole INTEGER NOT NULL, why TEXT NOT NULL, sum INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS read_of (
  day TEXT NOT NULL, tab TEXT NOT NULL, read REAL NOT NULL, series INTEGER NOT NULL,
  had INTEGER NOT NULL, failed INTEGER NOT NULL, sum INTEGER,
  PRIMARY KEY (day, tab)) WITHOUT ROWID;
{TABLE}
"""

# What SQLite says of a file that is damaged.
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

# What a row's checksum is made of.
_SUMMED = {
    "told": "key, value",
    "day": "day, asked, studies, series, images, whole, why",
    "read_of": "day, tab, read, series, had, failed",
}


@dataclass(frozen=True, slots=True)
class Span:
    """Some days in a row, both ends included; without them what has no date."""

    first: date | None = None
    last: date | None = None

    @property
    def days(self) -> list[str]:
        """Each day as the ledger writes it; "" is what has no date."""
        if self.first is None or self.last is None:
            return [""]
        count = (self.last - self.first).days + 1
        return [(self.first + number * _DAY).isoformat() for number in range(count)]

    @property
    def key(self) -> str:
        """The days as a key of StudyDate (PS3.4 C.2.2.2.5); "" for what has no date."""
        if self.first is None or self.last is None:
            return ""
        ends = [f"{day:%Y%m%d}".zfill(8) for day in dict.fromkeys((self.first, self.last))]
        return "-".join(ends)

    def around(self, day: date | None) -> "tuple[Span, ...] | None":
        """This day by itself, and what is after and before it; None where it is all there is."""
        if self.first is None or self.last is None or self.first == self.last:
            return None
        if day is None or not self.first <= day <= self.last:
            return self.halves()
        parts = (Span(day + _DAY, self.last), Span(day, day), Span(self.first, day - _DAY))
        return tuple(part for part in parts if part.first and part.last and part.first <= part.last)

    def halves(self) -> "tuple[Span, Span] | None":
        """The later half and the earlier one; None of what cannot be parted by days."""
        if self.first is None or self.last is None or self.first == self.last:
            return None
        middle = self.first + (self.last - self.first) // 2
        return Span(middle + _DAY, self.last), Span(self.first, middle)

    def __str__(self) -> str:
        return (
            " to ".join(dict.fromkeys((str(self.first), str(self.last))))
            if self.first
            else ("no date")
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one day: when it was asked for (seconds since 1970), what it had, whether
    that was all, and why not. `images` is None where the archive does not count them."""

    day: str
    asked: float
    studies: int
    series: int
    images: int | None
    whole: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """Of how many series of a day objects were read for a table (headers, reports): when last
    (seconds since 1970), of how many that can be, of how many it was tried, and how many failed
    among them. `read` is 0 where the day was asked for since."""

    day: str
    table: str
    read: float
    series: int
    had: int
    failed: int


class Ledger:
    """The ledger of one archive's index, in a file; one writes, any number read."""

    def __init__(self, path: Path) -> None:
        """Open it, made anew where there is none. Raises BadConfiguration for one of another
        version, or that cannot be read."""
        self._path = path
        try:
            self._rows = sqlite3.connect(path, timeout=_SECONDS, isolation_level=None)
            try:
                self._rows.create_function("sum_of", -1, _sum_of, deterministic=True)
                self._rows.execute("PRAGMA journal_mode = WAL")
                self._rows.executescript(_TABLES)
                version = "SELECT value FROM told WHERE key = 'version'"
                (known,) = self._rows.execute(version).fetchone() or ("",)
            except sqlite3.Error:
                self._rows.close()
                raise
        except sqlite3.Error as error:
            if isinstance(error, sqlite3.OperationalError):  # nothing is said of what it holds
                raise BadConfiguration(
                    f"the index's ledger {path} cannot be opened ({error})",
                    "See that dicom-mcp may write to its folder, which SQLite needs for reading, "
                    "and that the disk is not full",
                ) from None
            raise BadConfiguration(
                f"the index's ledger {path} cannot be read ({error})",
                "dicom-mcp index drop removes this index; sync then builds it anew",
            ) from None
        if not known:
            self.tell("version", str(VERSION))
        elif known != str(VERSION):
            self.close()
            raise BadConfiguration(
                f"the index beside {path} was made by another version of dicom-mcp",
                "dicom-mcp index drop removes it; sync then builds it anew",
            )

    def close(self) -> None:
        """Close the file."""
        self._rows.close()

    def told(self, key: str) -> str:
        """What was noted under this key; "" for nothing."""
        with self._asking():
            return self._told(key)

    def tell(self, key: str, value: str) -> None:
        """Note something."""
        with self._changing():
            self._tell(key, value)

    def _told(self, key: str) -> str:
        found = self._rows.execute("SELECT * FROM told WHERE key = ?", (key,)).fetchall()
        return self._checked(found)[0][1] if found else ""

    def _tell(self, key: str, value: str) -> None:
        self._rows.execute("INSERT OR REPLACE INTO told VALUES (?, ?, 0)", (key, value))
        self._sum("told", "key", [key])

    def _sum(self, table: str, by: str, changed: Iterable[str]) -> None:
        """Give those rows their checksums that have these values in a column."""
        self._rows.executemany(
            f"UPDATE {table} SET sum = sum_of({_SUMMED[table]}) WHERE {by} = ?",
            [(value,) for value in changed],
        )

    def _checked[R: tuple[Any, ...]](self, rows: list[R]) -> list[R]:
        """These rows, if each has its checksum. Raises IndexUnavailable."""
        if any(_sum_of(*values) != its for *values, its in rows):
            raise self._damaged("a row has not its checksum")
        return rows

    def _damaged(self, why: object) -> IndexUnavailable:
        return IndexUnavailable(
            f"the index's ledger {self._path} is damaged ({why})",
            "dicom-mcp index drop and sync build it anew",
        )

    @contextmanager
    def _asking(self) -> Generator[None]:
        """While it is read or written. Raises IndexUnavailable where that fails."""
        try:
            yield
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) in _DAMAGED:
                raise self._damaged(error) from None
            raise IndexUnavailable(
                f"the index's ledger {self._path} cannot be used ({error})",
                "Look whether the disk is full. What was there before is still there",
            ) from None

    @contextmanager
    def _changing(self) -> Generator[None]:
        """Write all that is written meanwhile, or nothing. Raises IndexUnavailable."""
        with self._asking(), self._rows:
            self._rows.execute("BEGIN IMMEDIATE")
            yield

    @property
    def edition(self) -> str:
        """Another one whenever the files were, or are being, changed."""
        return f"{self.told('edition')}{self.told('writing')}"

    @contextmanager
    def writing(self, span: Span, others: Iterable[str]) -> Generator[None]:
        """While the files of these days, and of some others, change: until it is done nothing is
        known of them, whatever ends the process."""
        several = [*span.days, *others]
        with self._changing():
            self._rows.executemany(
                "INSERT INTO day VALUES (?, 0, 0, 0, NULL, 0, 'it was being written', 0)"
                " ON CONFLICT DO UPDATE SET whole = 0, why = excluded.why",
                [(day,) for day in several],
            )
            self._mark(several)
            self._rows.executemany(
                "UPDATE read_of SET read = 0 WHERE day = ?", [(day,) for day in several]
            )
            self._sum("read_of", "day", several)
            self._tell("writing", json.dumps([str(span.first or ""), str(span.last or "")]))
        yield
        with self._changing():
            self._tell("edition", str(time.time_ns()))
            self._tell("writing", "")

    @property
    def broken_off(self) -> Span | None:
        """The days whose writing was broken off."""
        told = self.told("writing")
        if not told:
            return None
        first, last = json.loads(told)
        return Span(date.fromisoformat(first), date.fromisoformat(last)) if first else Span()

    def enter(self, entries: Sequence[Entry]) -> None:
        """What was found of some days, in place of what was known of them."""
        several = [entry.day for entry in entries]
        with self._changing():
            self._rows.executemany(
                "INSERT OR REPLACE INTO day VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
                [tuple(getattr(entry, name) for name in Entry.__slots__) for entry in entries],
            )
            self._mark(several)

    def enter_read(self, read: Read) -> None:
        """What was read of the objects of a day, in place of what was known of it; the files of
        that table have changed."""
        with self._changing():
            self._rows.execute(
                "INSERT OR REPLACE INTO read_of VALUES (?, ?, ?, ?, ?, ?, 0)",
                [getattr(read, name) for name in Read.__slots__],
            )
            self._sum("read_of", "day", [read.day])
            self._tell("edition", str(time.time_ns()))

    def read_of(self, table: str) -> dict[str, Read]:
        """What is known of each day's objects that were read for this table."""
        with self._asking():
            asked = "SELECT * FROM read_of WHERE tab = ? ORDER BY day"
            rows = self._checked(self._rows.execute(asked, (table,)).fetchall())
            return {day: Read(day, *counts) for day, *counts, _ in rows}

    def read_so_far(self, table: str) -> tuple[int, int, int]:
        """Of how many series objects were read for this table, of how many at most, and how many of
        them failed."""
        read = self.read_of(table)
        of = sum(read[day].series if day in read else e.series for day, e in self.days().items())
        parts = read.values()
        return sum(part.had for part in parts), of, sum(part.failed for part in parts)

    def forget(self, days: Sequence[str]) -> None:
        """These days are to be asked for anew."""
        with self._changing():
            self._rows.executemany(
                "UPDATE day SET asked = 0 WHERE day = ?", [(day,) for day in days]
            )
            self._mark(days)

    def lose(self, files: Iterable[str]) -> None:
        """These files (`table/month`) are there no longer: nothing is known of their days, or
        nothing was read of them."""
        with self._changing():
            for file in files:
                table, _, name = file.partition("/")
                month = "" if name == UNDATED else name
                of_month = "substr(day, 1, 7) = ?"
                if table in OF_MATCHES:
                    self._rows.execute(f"DELETE FROM day WHERE {of_month}", (month,))
                gone = f"DELETE FROM read_of WHERE tab = ? AND {of_month}"
                self._rows.execute(gone, (table, month))
                self._rows.execute("DELETE FROM file WHERE file = ?", (file,))
            self._mark(())
            _DAYS.pop(self._path, None)

    def days(self) -> Mapping[str, Entry]:
        """Every day that was asked for, by its name; the same mapping until one changes."""
        mark = self.told(_MARK)
        kept = _DAYS.get(self._path)
        if kept and mark and kept[0] == mark:
            return kept[1]
        with self._asking(), self._rows:
            self._rows.execute("BEGIN")
            mark = self._told(_MARK)
            days = self._entries("true")
        if len(days) != int(mark.partition(" ")[2] or 0):
            raise self._damaged("a day lacks")
        if len(_DAYS) >= _MOST_KEPT:
            _DAYS.clear()
        _DAYS[self._path] = (mark, days)
        return days

    def _entries(self, where: str, *values: str) -> "dict[str, Entry]":
        rows = self._rows.execute(f"SELECT * FROM day WHERE {where} ORDER BY day", values)
        return {
            day: Entry(day, asked, studies, series, images, bool(whole), why)
            for day, asked, studies, series, images, whole, why, _ in self._checked(rows.fetchall())
        }

    def _mark(self, changed: Collection[str]) -> None:
        """These days are others than before."""
        self._sum("day", "day", changed)
        ((count,),) = self._rows.execute("SELECT count(*) FROM day").fetchall()
        before, mark = self._told(_MARK), f"{time.time_ns()} {count}"
        self._tell(_MARK, mark)
        kept = _DAYS.pop(self._path, None)
        if kept and kept[0] == before:  # which takes a thousandth of reading them all
            some = self._entries("day IN (SELECT value FROM json_each(?))", json.dumps([*changed]))
            _DAYS[self._path] = (mark, {**kept[1], **some})


def _sum_of(*values: object) -> int:
    """A row's checksum."""
    return crc32(repr(values).encode())


@contextmanager
def sole_writer(folder: Path) -> Generator[None]:
    """Be the one who writes in this folder; the lock goes with the process, whatever ends it.

    Raises BadConfiguration where somebody else writes.
    """
    with closing(sqlite3.connect(folder / "writer.lock", timeout=0, isolation_level=None)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise BadConfiguration(
                    f"the index's folder {folder} cannot be written: {error}",
                    "See that dicom-mcp may write there, and that the disk is not full",
                ) from None
            raise BadConfiguration(
                "another process is writing this index",
                "Wait for it, or stop it; what is there can be asked meanwhile",
            ) from None
        yield
