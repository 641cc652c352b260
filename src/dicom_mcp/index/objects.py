"""What the files keep of objects: of which series nothing was read yet, and what was read."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .column import Column
from .columns import AS_SERIES, ASKED_DAY, FETCHED, OF_OBJECTS, SERIES, Row, types_of
from .ledger import Read
from .store import Store, month_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Images of scanners: a series of more than so many holds no report, whose series is its own
# (PS3.3 C.7.3.1: one equipment made all of a series).
SCANNERS = ("CR", "CT", "DX", "IO", "MG", "MR", "NM", "PT", "RF", "US", "XA")
FEW = 3

# Which series can have something in each table, in SQL.
MAY_HOLD = {
    "headers": "true",
    "reports": f"NOT (coalesce(modality IN {SCANNERS}, false)"
    f" AND coalesce(image_count > {FEW}, true))",
}

_PLACE = ("study_uid", "series_uid")
_AS_READ = ", ".join((*_PLACE, AS_SERIES))


def unread(store: Store, table: str, day: str, since: float) -> list[Row]:
    """The series of a day of which the table has nothing, nothing since the series changed, or a
    failure of before `since` (seconds since 1970): their UIDs, modality, and how they are now."""
    with store.engine() as engine:
        if not _joined(store, engine, table, day):
            return []
        found = engine.execute(
            f"SELECT study_uid, series_uid, any_value(modality), any_value({AS_SERIES}) FROM joined"
            " WHERE was IS NULL OR (fault IS NOT NULL AND fetched < ?) GROUP BY ALL"
            " ORDER BY study_uid, series_uid",
            [since],
        ).fetchall()
    names = (*_PLACE, "modality", AS_SERIES)
    return [dict(zip(names, row, strict=True)) for row in found]


def read_of(store: Store, table: str, day: str, now: float) -> Read:
    """How many series of a day can have something in the table, have, and failed."""
    with store.engine() as engine:
        if not _joined(store, engine, table, day):
            return Read(day, table, now, 0, 0, 0)
        (series, had, failed) = engine.execute(
            "SELECT count(*), count(was), count(fault) FROM ("
            "SELECT study_uid, series_uid, any_value(was) AS was, any_value(fault) AS fault"
            " FROM joined GROUP BY ALL)"
        ).fetchall()[0]
    return Read(day, table, now, series, had, failed)


def keep(store: Store, table: str, day: str, rows: Sequence[Row]) -> None:
    """Put these rows in place of what the table has of their series. Raises IndexUnavailable."""
    types = types_of(table)
    with store.engine() as engine:
        columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
        engine.execute(f"CREATE TEMP TABLE came ({columns})")
        store.load(engine, "came", types, rows)
        _renew(store, engine, table, month_of(day), "came")


def drop_orphans(store: Store, days: Sequence[str]) -> None:
    """Forget what was read of series that are there no longer, or are others now. Raises
    IndexUnavailable."""
    for table in OF_OBJECTS:
        for month in {month_of(day) for day in days}:
            file, series = store.file(table, month), store.file("series", month)
            if not file.exists():
                continue
            with store.engine() as engine:
                if not series.exists():
                    store.remove(file)
                    continue
                store.digests.check(file, series)
                (orphans,) = engine.execute(
                    f"SELECT count(*) FROM {store.source(file)} ANTI JOIN"
                    f" {_as_now(store.source(series))} USING ({_AS_READ})"
                ).fetchall()[0]
                if orphans:
                    _renew(store, engine, table, month, "")


def _as_now(series: str) -> str:
    """The series there are, as they are."""
    return f"(SELECT {', '.join(_PLACE)}, {AS_NOW} AS {AS_SERIES} FROM {series})"


def _renew(store: Store, engine: "DuckDBPyConnection", table: str, month: str, came: str) -> None:
    """The rows of a month that are of series as they are, with what `came` in place of others."""
    file, series = store.file(table, month), store.file("series", month)
    store.digests.check(file, series)
    place = ", ".join(_PLACE)
    parts = [f"SELECT * FROM {came}"] if came else []
    if file.exists():
        others = f"ANTI JOIN {came} USING ({place})" if came else ""
        parts.append(f"SELECT kept.* FROM {store.source(file)} AS kept {others}")
    every = " UNION ALL BY NAME ".join(parts)
    there_are = f"SEMI JOIN {_as_now(store.source(series))} USING ({_AS_READ})"
    query = f"SELECT * FROM ({every}) {there_are} ORDER BY {place}, sop_instance_uid"
    store.save(engine, query, file)


def _joined(store: Store, engine: "DuckDBPyConnection", table: str, day: str) -> bool:
    """Make the view `joined`: the series of a day that can have something in the table, and what it
    has (`was`, `fault`, `fetched`). False where there are none."""
    month = month_of(day)
    series, file = store.file("series", month), store.file(table, month)
    store.digests.check(series, file)
    if not series.exists():
        return False
    kept = (
        f"(SELECT {', '.join(_PLACE)}, {AS_SERIES} AS was, fault, {FETCHED} FROM"
        f" {store.source(file)})"
        if file.exists()
        else f"(SELECT '' AS study_uid, '' AS series_uid, NULL AS was, NULL AS fault,"
        f" 0.0 AS {FETCHED} WHERE false)"
    )
    engine.execute(
        "CREATE TEMP VIEW joined AS SELECT s.*, was, fault, fetched FROM"
        f" (SELECT *, {AS_NOW} AS {AS_SERIES} FROM {store.source(series)}"
        f" WHERE {ASKED_DAY} = '{day}' AND {MAY_HOLD[table]}) s LEFT JOIN {kept} k"
        f" ON s.study_uid = k.study_uid AND s.series_uid = k.series_uid AND was = s.{AS_SERIES}"
    )
    return True


def _text_of(column: Column) -> str:
    return f"coalesce({column.name}::VARCHAR, '')"


# How a series is: another one where any of its columns is.
AS_NOW = f"md5(concat_ws('\x1f', {', '.join(map(_text_of, SERIES))}))"

# What tells of dose, of images or of a procedure, and does not say what was seen.
_OF_OTHER_THINGS = ("radiation dose report", "key object selection", "procedure log")

# Of each study: its reports, those that could not be read whole, and series not looked into yet or
# in vain.
REPORTED = f"""
SELECT study_uid, coalesce(reports, 0) AS reports, coalesce(lacking, 0) AS lacking,
  coalesce(failed, 0) AS failed, coalesce(unread, 0) AS unread
FROM (SELECT DISTINCT study_uid FROM studies)
LEFT JOIN (
  SELECT study_uid, count(*) FILTER (fault IS NULL) AS reports, count(fault) AS failed,
    count(*) FILTER (fault IS NULL AND NOT coalesce(is_whole, false)) AS lacking
  FROM reports WHERE coalesce(kind NOT IN {_OF_OTHER_THINGS}, true) GROUP BY ALL) USING (study_uid)
LEFT JOIN (
  SELECT study_uid, count(*) AS unread
  FROM (SELECT study_uid, series_uid, {AS_NOW} AS as_series FROM series WHERE {MAY_HOLD["reports"]})
  ANTI JOIN all_reports USING (study_uid, series_uid, as_series) GROUP BY ALL) USING (study_uid)
"""
