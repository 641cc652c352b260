"""Questions in SQL to an index: one SELECT over its views, which can neither write nor reach
anything else, in so much time, memory and room."""

import json
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from ..deadline import Deadline
from ..errors import BadArgument, IndexUnavailable
from .apart import APART, Rows, too_large, too_long
from .columns import TABLES
from .engines import ENGINES
from .ledger import Entry, Ledger
from .store import Store, damaged, first_line

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# The table with the `study_uid` of a list that was kept, where a question is about one.
COHORT = "cohort"

# How often a question is asked anew because the files changed meanwhile.
_MOST_TRIES = 5

# Functions in FROM; all others read files, or tell of the engine and the machine.
_SOURCES = frozenset({"unnest", "range", "generate_series"})

# Scalar functions that tell of the engine, the machine or its files, by how they begin.
_FORBIDDEN = ("current_setting", "duckdb_", "pragma_", "read_", "getenv", "set_config", "currval",
              "nextval", "write_", "which_secret", "getvariable", "query", "txid_")  # fmt: skip

# Rows of a stranger's statement, as JSON: far more than an answer has room for.
_MOST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Table:
    """What a question brought: its columns, at most so many rows, and whether there were more."""

    columns: list[str]
    rows: list[list[Any]]
    has_more: bool
    # What was known of each day while it was asked.
    days: Mapping[str, Entry]

    def records(self) -> list[dict[str, Any]]:
        """The rows by the names of their columns."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def ask(
    store: Store,
    ledger: Ledger,
    statement: str,
    values: Sequence[Any] = (),
    *,
    most_rows: int,
    deadline: Deadline,
    is_ours: bool = False,
    cohort: Sequence[str] | None = None,
) -> Table:
    """What one SELECT over `studies` and `series` brings, `values` in place of its `?`; over
    `cohort` too, where there is one.

    One that is ours is not looked at for what others may not ask; what others ask is asked in a
    process apart.

    Raises BadArgument for what is no such statement or cannot be answered as it is written,
    DeadlinePassed, and IndexUnavailable for files that cannot be read.
    """
    for _ in range(_MOST_TRIES):
        edition, days = ledger.edition, ledger.days()
        try:
            asked = read if is_ours else APART.ask
            names, rows, has_more = asked(store, statement, values, most_rows, deadline, cohort)
        except IndexUnavailable:
            if ledger.edition == edition:
                raise
            continue
        if ledger.edition == edition:
            return Table(names, rows, has_more, days)
    raise written_meanwhile()


def written_meanwhile() -> IndexUnavailable:
    """What to say where the files changed at each try."""
    return IndexUnavailable(
        "the index was being written each time it was asked", "Ask again in a minute"
    )


def read(
    store: Store,
    statement: str,
    values: Sequence[Any],
    most_rows: int,
    deadline: Deadline,
    cohort: Sequence[str] | None = None,
) -> Rows:
    """What a statement of ours brings. Raises as `ask`."""
    with _over(store) as engine, bounded(engine, deadline):
        put_cohort(engine, cohort)
        found = engine.execute(statement, [*values])
        names = _names(found)
        rows = [[_plain(value) for value in row] for row in found.fetchmany(most_rows + 1)]
    return names, rows[:most_rows], len(rows) > most_rows


def read_checked(
    store: Store,
    statement: str,
    values: Sequence[Any],
    most_rows: int,
    deadline: Deadline,
    cohort: Sequence[str] | None = None,
) -> Rows:
    """What a stranger's brings, of so many bytes; to be called in the process apart. Raises as
    `ask`."""
    rows: list[list[Any]] = []
    room = _MOST_BYTES
    with _over(store) as engine:
        check(engine, statement, has_cohort=cohort is not None)
        with bounded(engine, deadline):
            put_cohort(engine, cohort)
            found = engine.execute(statement, [*values])
            names = _names(found)
            while (row := found.fetchone()) is not None:
                plain = [_plain(value) for value in row]
                room -= len(json.dumps(plain))
                if room < 0 or len(rows) == most_rows:
                    return names, rows, True
                rows.append(plain)
    return names, rows, False


def put_cohort(engine: "DuckDBPyConnection", studies: Sequence[str] | None) -> None:
    """Make the table `cohort` of these studies, which this connection alone sees."""
    if studies is not None:
        engine.execute(
            f"CREATE TEMP TABLE {COHORT} AS SELECT unnest(?::VARCHAR[]) AS study_uid", [[*studies]]
        )


@contextmanager
def _over(store: Store) -> Generator["DuckDBPyConnection"]:
    """An engine over the files, which is not kept where they cannot be read."""
    try:
        with ENGINES.over(store) as engine:
            yield engine
    except IndexUnavailable:
        ENGINES.forget(store)
        raise


def _names(found: "DuckDBPyConnection") -> list[str]:
    return [column[0] for column in found.description or ()]


def check(engine: "DuckDBPyConnection", statement: str, *, has_cohort: bool = False) -> None:
    """Raise BadArgument for what is not one SELECT over the views alone, and `cohort`."""
    import duckdb

    try:
        several = duckdb.extract_statements(statement)
    except duckdb.Error as error:
        raise _wrong(error) from None
    if len(several) != 1 or several[0].type != duckdb.StatementType.SELECT:
        raise BadArgument(
            "sql is not one SELECT", "Write one SELECT over studies and series, and nothing else"
        )
    (told,) = engine.execute("SELECT json_serialize_sql(?)", [statement]).fetchall()[0]
    parsed = json.loads(told)
    if parsed.get("error"):
        raise BadArgument("sql is not one SELECT", "Write one SELECT over studies and series")
    parts = [*_parts(parsed)]
    named = {
        entry["key"].lower()  # by WITH
        for part in parts
        if isinstance(part.get("cte_map"), dict)
        for entry in part["cte_map"].get("map", ())
    }
    tables = [*TABLES, *[COHORT] * has_cohort]
    for part in parts:
        _check_part(part, tables, named)


def _check_part(part: Mapping[str, Any], tables: Sequence[str], named: set[str]) -> None:
    kind, function = part.get("type"), str(part.get("function_name", "")).lower()
    if kind == "BASE_TABLE":
        table = str(part.get("table_name", "")).lower()
        schema = str(part.get("schema_name", "")) + str(part.get("catalog_name", ""))
        if schema or table not in {*tables, *named}:
            raise BadArgument(
                f"there is no table {table[:40]!r}", f"The tables are {' and '.join(tables)}"
            )
    if kind == "TABLE_FUNCTION":
        source = str(part["function"].get("function_name", "")).lower()
        if source not in _SOURCES:
            raise BadArgument(
                f"{source[:40]} cannot stand in FROM", f"The tables are {' and '.join(tables)}"
            )
    if function.startswith(_FORBIDDEN):
        raise BadArgument(f"{function[:40]} cannot be used here", "Ask about studies and series")


def _parts(told: Any) -> Iterator[Mapping[str, Any]]:
    """Every part of a parsed statement."""
    left = [told]
    while left:
        part = left.pop()
        if isinstance(part, list):
            left += cast("list[Any]", part)
        elif isinstance(part, dict):
            part = cast("dict[str, Any]", part)
            yield part
            if part.get("type") == "TABLE_FUNCTION":  # which is judged with it
                part = {**part, "function": part["function"].get("arguments")}
            left += part.values()


@contextmanager
def bounded(engine: "DuckDBPyConnection", deadline: Deadline) -> Generator[None]:
    """End what the engine does here when there is no time left, and say what it raises.

    Raises BadArgument, DeadlinePassed and IndexUnavailable (see ask).
    """
    import duckdb

    clock = threading.Timer(deadline.remaining(), engine.interrupt)
    clock.daemon = True
    with deadline.interrupting(engine.interrupt):
        clock.start()
        try:
            yield
        except duckdb.InterruptException:
            deadline.check()
            raise too_long(deadline) from None
        except duckdb.OutOfMemoryException:
            raise too_large() from None
        except duckdb.IOException as error:
            raise damaged(error) from None
        except duckdb.Error as error:
            raise damaged(error) if _is_of_file(error) else _wrong(error) from None
        finally:
            clock.cancel()


def _is_of_file(error: Exception) -> bool:
    """Whether a file cannot be read, as far as the engine says so: what is wrong with a statement
    has a class of its own."""
    import duckdb

    return type(error) is duckdb.Error or ".parquet" in first_line(error)


def _plain(value: Any) -> Any:
    """A value as JSON has it: dates and times as text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list | tuple):
        return [_plain(part) for part in cast("Sequence[Any]", value)]
    return str(value)


def _wrong(error: Exception) -> BadArgument:
    columns = "; ".join(
        f"{table} has {', '.join(column.name for column in several)}"
        for table, several in TABLES.items()
    )
    return BadArgument(f"the SQL cannot be answered: {first_line(error)}", f"Correct it: {columns}")
