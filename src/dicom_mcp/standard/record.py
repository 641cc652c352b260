"""Matches as records a model can read: values as the archive wrote them, nothing twice."""

from collections.abc import Sequence

from .levels import UNIQUE_KEY, Level
from .query import Match, Value

# PS3.5 6.2 allows 64 characters in most texts, 1,024 in an ST and any number in a UT.
LONGEST_TEXT = 1024
MOST_VALUES = 100

# Where a match was found, when several nodes were asked: no attribute of DICOM.
NODES = "nodes"

_PARENT = {
    Level.STUDY: UNIQUE_KEY[Level.PATIENT],
    Level.SERIES: UNIQUE_KEY[Level.STUDY],
    Level.IMAGE: UNIQUE_KEY[Level.SERIES],
}

# How the question travelled, not what was found.
_NOT_CONTENT = frozenset({"QueryRetrieveLevel", "SpecificCharacterSet", "RetrieveAETitle"})


def records(
    level: Level, matches: Sequence[Match], wanted: Sequence[str]
) -> tuple[list[Match], Match]:
    """The records of these matches and what is `common` to all of them.

    A record holds the wanted attributes that have a value, in the order wanted. With two records
    or more, what is the same in every one stands in `common` instead, except the level's own
    unique key. Texts longer than LONGEST_TEXT characters and more than MOST_VALUES values are cut,
    visibly: no attribute of a question needs more.
    """
    order = [*(keyword for keyword in wanted if keyword not in _NOT_CONTENT), NODES]
    rows = [
        {
            keyword: _bounded(match[keyword])
            for keyword in order
            if not _is_empty(match.get(keyword, ""))
        }
        for match in matches
    ]
    if len(rows) < 2:
        return rows, {}
    first, *others = rows
    common = {
        keyword: value
        for keyword, value in first.items()
        if keyword != UNIQUE_KEY[level] and all(row.get(keyword) == value for row in others)
    }
    return [
        {keyword: value for keyword, value in row.items() if keyword not in common} for row in rows
    ], common


def unique(level: Level, match: Match) -> str:
    """The unique key of this match; "" when it is missing.

    One PatientID may stand for two people, of two hospitals or by mistake, so that a patient is
    all that is said of them.
    """
    if level is Level.PATIENT:
        return repr(
            sorted(
                (keyword, value) for keyword, value in match.items() if keyword not in _NOT_CONTENT
            )
        )
    key = match.get(UNIQUE_KEY[level])
    return key if isinstance(key, str) else ""


def parent(level: Level, match: Match) -> str:
    """What a match says it is below: a UID may have been given to two of them. "" where it does not
    say."""
    above = _PARENT.get(level, "")
    return str(match.get(above, "")).strip() if above else ""


def identity(level: Level, match: Match) -> str:
    """What tells this match from another one, wherever it is; "" when its unique key is missing."""
    key = unique(level, match)
    return f"{key} {parent(level, match)}".rstrip() if key else ""


def _bounded(value: Value) -> Value:
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}… ({len(value)} characters)"
    if isinstance(value, list):
        kept = [_bounded(part) for part in value[:MOST_VALUES]]
        return kept if len(value) <= MOST_VALUES else [*kept, f"… ({len(value)} values)"]
    if isinstance(value, dict):
        return {keyword: _bounded(part) for keyword, part in value.items()}
    return value


def _is_empty(value: Value) -> bool:
    return value == "" or value == [] or value == [""]
