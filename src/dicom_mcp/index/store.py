"""The files of an index: Parquet, one for each table and month of an archive's studies.

Each file is replaced as a whole, so that whoever reads one (this server, another one, a notebook,
another engine) has what was written before or after. The ledger says meanwhile that the days which
are being written are not known.
"""

import json
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from itertools import batched
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any

from ..errors import BadConfiguration, IndexUnavailable
from ..machine import keep_to_owner
from .columns import ASKED_DAY, TABLES, Row, types_of
from .digests import Digests
from .encryption import check_installed

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# The file of what has no date.
UNDATED = "undated"

# Where an engine puts what its memory does not hold.
_SPILL = "spill"

# What writing a month may take, of a server that has other things to hold; and where it cannot be
# put into files, which nothing would encrypt.
_MEMORY, _MEMORY_ALONE = "200MB", "500MB"

# Rows that are loaded at a time.
_ROWS = 2_000


def month_of(day: str) -> str:
    """The file that a day is in."""
    return day[:7] or UNDATED


class Store:
    """The files below one folder, which is the owner's only, encrypted with `key` if there is
    one."""

    def __init__(self, folder: Path, key: str = "") -> None:
        self.folder = folder
        self.key = key
        self.digests = Digests(folder)

    def prepare(self) -> None:
        """Make the folders. Raises BadConfiguration where that cannot be."""
        try:
            for table in TABLES:
                (self.folder / table).mkdir(parents=True, exist_ok=True)
                keep_to_owner(self.folder / table, 0o700)
            keep_to_owner(self.folder, 0o700)
        except OSError as error:
            raise BadConfiguration(
                f"the index's folder {self.folder} cannot be written: {error.strerror}",
                "Name another one: folder, in [index] of the configuration file",
            ) from None

    def tidy(self) -> None:
        """Remove what a process left that was killed; for the one who writes."""
        for left in self.folder.rglob("*.partial"):
            left.unlink(missing_ok=True)
        rmtree(self.folder / _SPILL, ignore_errors=True)

    def files(self, table: str) -> list[Path]:
        """Every file of a table, by month."""
        return sorted((self.folder / table).glob("*.parquet"))

    def days_of(self, studies: Iterable[str]) -> dict[str, str]:
        """The day under which each of these studies is kept, by its UID."""
        files, studies = self.files("studies"), [*studies]
        if not files or not studies:
            return {}
        with self.engine() as engine:
            engine.execute("CREATE TEMP TABLE asked (uid VARCHAR)")
            self.load(engine, "asked", {"uid": "VARCHAR"}, [{"uid": uid} for uid in studies])
            rows = engine.execute(
                f"SELECT study_uid, {ASKED_DAY} FROM {self.checked(*files)} SEMI JOIN asked"
                " ON study_uid = uid"
            ).fetchall()
        return dict(rows)

    def rows_of(self, day: str, columns: Sequence[str]) -> dict[str, Row]:
        """These columns of the studies of one day, by their UID."""
        file = self.file("studies", month_of(day))
        if not file.exists():
            return {}
        with self.engine() as engine:
            rows = engine.execute(
                f"SELECT study_uid, {', '.join(columns)} FROM {self.checked(file)}"
                f" WHERE {ASKED_DAY} = ?",
                [day],
            ).fetchall()
        return {uid: dict(zip(columns, values, strict=True)) for uid, *values in rows}

    def write(
        self, days: Sequence[str], rows: Mapping[str, Collection[Row]], moved: set[str]
    ) -> None:
        """Put these rows in place of what is kept of the days, and of the studies that they are of;
        some of which were kept under days that have `moved` away."""
        months = {*map(month_of, days), *map(month_of, moved)}
        if not any(rows.values()) and not any(
            self.file(table, month).exists() for table in rows for month in months
        ):
            return
        try:
            with self.engine() as engine:
                for table, some in rows.items():
                    self._write(engine, table, days, some, {month_of(day) for day in moved})
        except OSError as error:
            raise _full(self.folder, error) from None

    def _write(
        self,
        engine: "DuckDBPyConnection",
        table: str,
        days: Sequence[str],
        rows: Collection[Row],
        others: set[str],
    ) -> None:
        types = types_of(table)
        columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
        engine.execute(f"CREATE OR REPLACE TEMP TABLE came ({columns})")
        self.load(engine, "came", types, rows)
        engine.execute("CREATE OR REPLACE TEMP TABLE renewed (day VARCHAR)")
        self.load(engine, "renewed", {"day": "VARCHAR"}, [{"day": day} for day in days])
        by_month: dict[str, None] = dict.fromkeys(map(month_of, days))
        # What came is written before what it was elsewhere is taken away: nothing is ever missing.
        came = engine.execute(f"SELECT DISTINCT {ASKED_DAY} FROM came").fetchall()
        new = {month_of(day) for (day,) in came}
        for month in (*by_month, *sorted(others - by_month.keys())):
            if month in new or self.file(table, month).exists():
                self._renew(engine, table, month)

    def load(
        self,
        engine: "DuckDBPyConnection",
        table: str,
        types: Mapping[str, str],
        rows: Iterable[Row],
    ) -> None:
        """Fill a table: rows one by one take a hundred times as long."""
        structure = json.dumps(
            {name: [kind[:-2]] if kind.endswith("[]") else kind for name, kind in types.items()}
        )
        whole = (json.dumps({name: row.get(name) for name in types}) for row in rows)
        for some in batched(whole, _ROWS):
            engine.execute(
                f"INSERT INTO {table} SELECT unnest(from_json_strict(row, '{structure}'))"
                " FROM (SELECT unnest(?::VARCHAR[]) AS row)",
                [[*some]],
            )

    def file(self, table: str, month: str) -> Path:
        """Where a table keeps what is of this month; there may be nothing yet."""
        return self.folder / table / f"{month}.parquet"

    def _renew(self, engine: "DuckDBPyConnection", table: str, month: str) -> None:
        file = self.file(table, month)
        new = "SELECT * FROM came WHERE " + (
            f"{ASKED_DAY} = ''" if month == UNDATED else f"{ASKED_DAY}[:7] = '{month}'"
        )
        self.digests.check(file)
        kept = (
            f"SELECT * FROM {self.source(file)} ANTI JOIN renewed ON {ASKED_DAY} = day "
            "WHERE study_uid NOT IN (SELECT study_uid FROM came)"
        )
        every = f"{kept} UNION ALL BY NAME {new}" if file.exists() else new
        order = "series_uid" if table == "series" else "study_uid"
        self.save(engine, f"SELECT * FROM ({every}) ORDER BY {ASKED_DAY}, {order}", file)

    def source(self, *files: Path) -> str:
        """The rows of these files, in SQL."""
        return f"read_parquet([{', '.join(map(self._quoted, files))}])"

    def checked(self, *files: Path) -> str:
        """The same, of files that are as they were written; others would be taken over. Raises
        IndexUnavailable."""
        self.digests.check(*files)
        return self.source(*files)

    def save(self, engine: "DuckDBPyConnection", query: str, file: Path) -> None:
        """Put what a SELECT brings in place of a file; nothing where that is nothing. Raises
        IndexUnavailable where it cannot be written; what was there is then there still."""
        partial = file.with_suffix(".partial")
        try:
            ((count,),) = engine.execute(
                f"COPY ({query}) TO {self._quoted(partial)}"
                " (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)"
            ).fetchall()
            keep_to_owner(partial, 0o600)
            with self.digests.replacing(file, partial if count else None):
                if count:
                    partial.replace(file)
                else:
                    file.unlink(missing_ok=True)
            partial.unlink(missing_ok=True)
        except IndexUnavailable:
            partial.unlink(missing_ok=True)
            raise
        except Exception as error:
            partial.unlink(missing_ok=True)
            raise _full(self.folder, error) from error

    def remove(self, file: Path) -> None:
        """Have it no longer. Raises IndexUnavailable."""
        with self.digests.replacing(file, None):
            file.unlink(missing_ok=True)

    @property
    def place(self) -> str:
        """What the names of its files begin with, for an engine."""
        return f"{'sealed://' * bool(self.key)}{self.folder}/"

    def _quoted(self, file: Path) -> str:
        """A file's name for an engine, in SQL."""
        return text_of(f"{self.place}{file.relative_to(self.folder)}")

    def unlock(self, engine: "DuckDBPyConnection") -> None:
        """Have an engine read the files, if they are encrypted."""
        if self.key:
            check_installed()
            from .sealed import SealedFiles

            engine.register_filesystem(SealedFiles(self.key))

    @contextmanager
    def engine(self) -> Generator["DuckDBPyConnection"]:
        """An engine for this folder; what is more than its memory holds is sorted there, unless it
        is encrypted. Raises IndexUnavailable for files that cannot be read."""
        spill = "" if self.key else str(self.folder / _SPILL)
        memory = _MEMORY_ALONE if self.key else _MEMORY
        engine = engine_of(memory_limit=memory, threads=1, temp_directory=spill)
        import duckdb

        try:
            self.unlock(engine)
            yield engine
        except duckdb.Error as error:
            raise damaged(error) from None
        finally:
            engine.close()


def engine_of(**options: Any) -> "DuckDBPyConnection":
    """A DuckDB that has nothing yet. Raises IndexUnavailable where it is not installed."""
    try:
        import duckdb
    except ImportError:
        raise IndexUnavailable(
            "the index needs DuckDB, which is not installed here",
            "Install dicom-archive-mcp with the extra index: dicom-archive-mcp[index]",
        ) from None
    off = {"autoload_known_extensions": False, "autoinstall_known_extensions": False}
    return duckdb.connect(":memory:", config={**off, **options})


def text_of(value: str) -> str:
    """As SQL writes a text."""
    return "'" + value.replace("'", "''") + "'"


def damaged(error: Exception) -> IndexUnavailable:
    """What to say of files that cannot be read."""
    return IndexUnavailable(
        f"a file of the index cannot be read ({first_line(error)})",
        "dicom-mcp index drop and sync build it anew",
    )


def first_line(error: Exception) -> str:
    """The first line of what an engine says, or the last one where that is Python's."""
    lines = str(error).strip().split("\n")
    return lines["Traceback" in lines[0] and -1][:300]


def _full(folder: Path, error: Exception) -> IndexUnavailable:
    return IndexUnavailable(
        f"the index in {folder} could not be written: {first_line(error)}",
        "Look whether the disk is full. What was there before is still there",
    )
