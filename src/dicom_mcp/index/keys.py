"""What the keys of a query mean for an index: which days, which rows, and whether it tells them."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from ..errors import BadArgument
from ..standard.lists import LISTED, is_wild, normal
from ..standard.query import Query
from ..standard.shapes import SEPARATOR
from .columns import KEYWORDS, shown_as
from .ledger import Span

_DAY = timedelta(days=1)


def span_of(key: str) -> tuple[date | None, date | None] | None:
    """The ends of a key of StudyDate, None where open; None for what is no such key."""
    first, hyphen, last = key.partition("-")
    try:
        ends = [
            datetime.strptime(end, "%Y%m%d").date() if end else None  # noqa: DTZ007
            for end in (first, last if hyphen else first)
        ]
    except ValueError:
        return None
    return ends[0], ends[1]


def outside(query: Query, span: Span) -> list[Query]:
    """The query for the days before and after these."""
    asked = span_of(query.keys.get("StudyDate", ""))
    assert asked
    assert span.first
    assert span.last
    first, last = asked
    keys: list[str] = []
    if last is None or last > span.last:
        keys.append(f"{span.last + _DAY:%Y%m%d}-" + (f"{last:%Y%m%d}" if last else ""))
    if first is None or first < span.first:
        keys.append((f"{first:%Y%m%d}" if first else "") + f"-{span.first - _DAY:%Y%m%d}")
    return [replace(query, keys={**query.keys, "StudyDate": key}) for key in keys]


def asks_all(query: Query) -> bool:
    """Whether what has no date is asked for too."""
    return not query.keys.get("StudyDate", "").strip("-")


def listed(table: str, query: Query) -> tuple[str, list[Any]]:
    """What chooses the rows that lists of values can mean, and some more; the values in it."""
    found, values = ["true"], list[Any]()
    for keyword in LISTED & query.keys.keys() & KEYWORDS[table]:
        several = query.keys[keyword].split(SEPARATOR)
        if all(value.isascii() and not is_wild(value) for value in several):
            (column,) = shown_as(table, [keyword])
            found.append(
                f"(lower(trim({column})) IN (SELECT unnest(?::VARCHAR[])) OR as_given IS NOT NULL)"
            )
            values.append([normal(value) for value in several])
    return " AND ".join(found), values


def is_told(table: str, query: Query) -> bool:
    """Whether all that is wanted, and all that is asked by, is in this table."""
    return has(table, (*query.returned, *query.keys))


def has(table: str, keywords: Collection[str]) -> bool:
    """Whether a table tells these; whose a series is, its study tells."""
    beside = {"PatientID"} if table == "series" else set[str]()
    return KEYWORDS[table] >= {*keywords} - beside


def of_series_alone(query: Query) -> Query:
    """The query without keys of the studies, which are chosen by them already."""
    of_studies = query.keys.keys() & (KEYWORDS["studies"] - KEYWORDS["series"])
    keys = {keyword: key for keyword, key in query.keys.items() if keyword not in of_studies}
    wanted = tuple(keyword for keyword in query.wanted if keyword not in of_studies)
    return replace(query, keys=keys, wanted=wanted)


def untold(query: Query) -> BadArgument:
    unknown = sorted({*query.returned, *query.keys} - KEYWORDS["studies"] - KEYWORDS["series"])
    what = ", ".join(unknown) or f"what is asked at the level {query.level}"
    return BadArgument(f"the index does not have {what}", "source=live asks the archive")
