"""One criterion of a cohort: what a column of the index has to be, as a condition in SQL.

A condition is true, false or, where the column has no value, neither: NULL in SQL, which keeps it
so through AND, OR and NOT.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from ..errors import BadArgument
from ..standard.values import shown
from ..words.body_part import body_part
from ..words.codes import code_of
from ..words.days import day_range
from ..words.manufacturer import manufacturer
from ..words.modalities import any_of
from ..words.near import did_you_mean
from ..words.quantity import age, time_of_day
from .columns import TABLES, Column

# Other words for a column, or for several of which one has to be so.
_WORDS: dict[str, tuple[str, ...]] = {
    "description": ("study_description", "series_description", "protocol_name"),
    "date": ("study_date",),
    "time": ("study_time",),
    "born": ("birth_date",),
    "name": ("patient_name",),
    "id": ("patient_id",),
    "protocol": ("protocol_name",),
    "maker": ("manufacturer",),
    "vendor": ("manufacturer",),
    "scanner": ("station",),
    "station_name": ("station",),
    "physician": ("referring_physician",),
    "images": ("image_count",),
    "series": ("series_count",),
    "modality_in_study": ("modality",),
    "study_instance_uid": ("study_uid",),
    "series_instance_uid": ("series_uid",),
}

# What is compared as a whole; other text is looked into.
_WHOLE = re.compile(r".*_(?:uid|id|number)|sex|issuer|laterality|manufacturer|body_part")

# How what has no value is asked for.
_NONE = ("none", "null", "empty", "missing")

_AGE = "age"

# Where a criterion reads columns of a series and of its study.
BOTH = "both"


@dataclass(frozen=True, slots=True)
class Criterion:
    """A condition over the rows of one table; `said` is how it was understood."""

    said: str
    table: str
    sql: str


def names() -> list[str]:
    """Everything a criterion can be about."""
    columns = (column.name for table in TABLES.values() for column in table)
    return [*dict.fromkeys([*columns, _AGE, *_WORDS])]


def criterion(name: str, value: object, today: date) -> Criterion:
    """What is asked by a name and a value. Raises BadArgument, with what can be asked instead."""
    name = re.sub(r"[\s-]+", "_", name.strip().lower())
    wanted = [_plain(part, name) for part in _listed(value)]
    if not any(wanted):
        raise BadArgument(f"{name} is empty", 'Leave it out, or ask for what has none: "none"')
    if name == _AGE:
        return _joined(name, "studies", [_age(text) for text in wanted])
    several = [_column(other) for other in _WORDS.get(name, (name,))]
    found = [
        _joined(name, table, [_condition(column, text, today) for text in wanted])
        for table, column in several
    ]
    if len(found) == 1:
        return found[0]
    # A description that is not there says nothing, if another one does.
    known = ", ".join(column.name for _, column in several)
    sql = " OR ".join(f"coalesce({part.sql}, false)" for part in found)
    said = found[0].said.replace(several[0][1].name.replace("_", " "), name, 1)
    return Criterion(said, BOTH, f"(CASE WHEN coalesce({known}) IS NOT NULL THEN {sql} END)")


def _listed(value: object) -> list[object]:
    return [*value] if isinstance(value, list | tuple) else [value]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _plain(value: object, name: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadArgument(f"{name}={shown(str(value))} is neither text nor number", "Give text")
    return str(value).strip()


def _column(name: str) -> tuple[str, Column]:
    """The first table that has this column."""
    for table, columns in TABLES.items():
        for column in columns:
            if column.name == name:
                return table, column
    near = did_you_mean(name, names())
    raise BadArgument(
        f"there is no criterion {shown(name)}",
        f"Did you mean {near}" if near else f"There are {', '.join(names())}",
    )


# What one value says, and its condition.
type _Condition = tuple[str, str]


def _joined(name: str, table: str, conditions: Sequence[_Condition]) -> Criterion:
    """Of several values one is enough; of those that are excluded none may be."""
    kept = [sql for said, sql in conditions if not said.startswith("not ")]
    excluded = [sql for said, sql in conditions if said.startswith("not ")]
    parts = [_any(kept)] if kept else []
    said = (" and " if excluded else " or ").join(said for said, _ in conditions)
    sql = " AND ".join([*parts, *excluded])
    return Criterion(f"{name.replace('_', ' ')} {said}", table, f"({sql})")


def _any(conditions: Iterable[str]) -> str:
    return f"({' OR '.join(conditions)})"


def _condition(column: Column, text: str, today: date) -> _Condition:
    if found := re.fullmatch(r"not\s+(.+)|!=?\s*(.+)", text, re.IGNORECASE):
        said, sql = _condition(column, found[1] or found[2], today)
        return f"not {said}", f"NOT {sql}"
    name = column.name
    if text.lower() in _NONE:
        return "none", f"({name} IS NULL)"
    kinds: dict[str, Callable[[], _Condition]] = {
        "DATE": partial(_days, name, text, today),
        "TIME": partial(_times, name, text),
        "VARCHAR[]": partial(_modality, column, name, text),
        "VARCHAR": partial(_text, column, name, text),
        "BOOLEAN": partial(_truth, name, text),
    }
    return kinds.get(column.type, partial(_number, name, text))()


def _days(name: str, text: str, today: date) -> _Condition:
    key = day_range(text, today=today, argument=name)
    first, hyphen, last = key.partition("-")
    ends = (first, last if hyphen else first)
    tests = [
        f"{name} {sign} DATE '{end[:4]}-{end[4:6]}-{end[6:]}'"
        for sign, end in zip((">=", "<="), ends, strict=True)
        if end
    ]
    return key, f"({' AND '.join(tests)})"


def _times(name: str, text: str) -> _Condition:
    parts = [time_of_day(part) for part in re.split(r"\s*(?:-|–|to|until)\s*", text)]
    first, last = parts[0], parts[-1]
    if first is None or last is None or len(parts) > 2:
        raise BadArgument(f"{name}={shown(text)} is no time of day", "Write 18:00, or 18:00-06:00")
    begin, end = first[0][0], last[0][1] if len(parts) == 1 else last[0][0]
    second = f"(epoch({name}))"
    if begin <= end:
        return text, f"({second} >= {begin} AND {second} <= {end})"
    return text, f"({second} >= {begin} OR {second} <= {end})"  # over midnight


def _truth(name: str, text: str) -> _Condition:
    if text.lower() not in ("yes", "no", "true", "false"):
        raise BadArgument(f"{name}={shown(text)} is neither yes nor no", "Write yes or no")
    return text.lower(), f"({name} = {text.lower() in ('yes', 'true')})"


def _modality(column: Column, name: str, text: str) -> _Condition:
    codes = any_of(text, argument=column.name)
    return " or ".join(codes), f"list_has_any({name}, [{', '.join(map(_quoted, codes))}])"


def _text(column: Column, name: str, text: str) -> _Condition:
    if column.name == "modality":
        codes = any_of(text, argument="modality")
        return " or ".join(codes), f"({name} IN ({', '.join(map(_quoted, codes))}))"
    exactly = text.startswith("=")
    text = text.removeprefix("=").strip()
    if column.name == "body_part" and not exactly:
        parts = body_part(text)
        if not parts:
            raise BadArgument(f"body_part={shown(text)} is none", "Write CHEST, knee, or the like")
        tests = (f"list_contains(string_split({name}, ', '), {_quoted(part)})"
                 for part in parts.split(", "))  # fmt: skip
        return parts, f"({' AND '.join(tests)})"
    if column.name == "manufacturer":
        return manufacturer(text), f"({name} = {_quoted(manufacturer(text))})"
    text = code_of(column.keyword, text)
    bare = f"lower(strip_accents({name}))"
    if set(text) & set("*?") and not exactly:
        pattern = re.sub(r"([\\%_])", r"\\\1", text).replace("*", "%").replace("?", "_")
        return text, rf"({bare} LIKE lower(strip_accents({_quoted(pattern)})) ESCAPE '\')"
    if exactly or _WHOLE.fullmatch(column.name):
        return text, f"({name} = {_quoted(text)})"
    # A name as people write it has its words in any order.
    words = re.split(r"[\s,^]+", text) if column.name.endswith(("name", "physician")) else [text]
    tests = (f"contains({bare}, lower(strip_accents({_quoted(word)})))" for word in words if word)
    return text, f"({' AND '.join(tests)})"


def _number(name: str, text: str) -> _Condition:
    low, high = _limits(text, name)
    tests = [f"{name} >= {low!r}"] if low > -math.inf else []
    tests += [f"{name} <= {high!r}"] if high < math.inf else []
    return text, f"({' AND '.join(tests)})"


_NUMBER = r"-?\d+(?:[.,]\d+)?"
_RANGE = re.compile(rf"(?:between )?({_NUMBER})\s*(?:\.\.|-|–|to|and)\s*({_NUMBER})")
_ABOVE = (r">=|≥|at least|from|min(?:imum)?", r">|over|above|more than|older than|after")
_BELOW = (r"<=|≤|at most|up to|max(?:imum)?", r"<|under|below|less than|younger than|before")


def limits(text: str, name: str, read: Callable[[str], float]) -> tuple[float, float]:
    """The least and the most that a comparison allows: 5, <5, 5-10, over 60. Raises BadArgument."""
    text = re.sub(r"\s+", " ", text.strip().lower())
    for index, (above, below) in enumerate(zip(_ABOVE, _BELOW, strict=True)):
        # What is beyond a number begins with the next one.
        if found := re.fullmatch(rf"(?:{above}) ?(.+)", text):
            return (math.nextafter(read(found[1]), math.inf) if index else read(found[1])), math.inf
        if found := re.fullmatch(rf"(?:{below}) ?(.+)", text):
            end = read(found[1])
            return -math.inf, math.nextafter(end, -math.inf) if index else end
    if found := re.fullmatch(r"(.+?) ?(?:or more|and more|\+|or older|and older)", text):
        return read(found[1]), math.inf
    if found := _RANGE.fullmatch(text):
        low, high = read(found[1]), read(found[2])
        if low > high:
            raise BadArgument(f"{name}={shown(text)} ends before it begins", "Put the less first")
        return low, high
    return read(text), read(text)


def _limits(text: str, name: str) -> tuple[float, float]:
    def read(number: str) -> float:
        if not re.fullmatch(_NUMBER, number):
            raise BadArgument(
                f"{name}={shown(text)} is no number", "Write 5, <5, >=5, 5-10, or several in a list"
            )
        return float(number.replace(",", "."))

    low, high = limits(text, name, read)
    slack = abs(low) * 1e-6 if low == high else 0.0  # 1.2 is 1.2000000001 in a header
    return low - slack, high + slack


def _age(text: str) -> _Condition:
    """Completed years at the study, or months, weeks and days where the text says so."""
    if found := re.fullmatch(r"not\s+(.+)", text, re.IGNORECASE):
        said, sql = _age(found[1])
        return f"not {said}", f"NOT {sql}"
    if text.lower() in _NONE:
        return "none", "(birth_date IS NULL)"
    units: set[str] = set()
    unit = re.search(r"(?i)\d\s*([dwmy])", text)
    bare = re.sub(r"(?i)(\d)\s*(?:days?|weeks?|months?|years?|yrs?|y/?o|[dwmy])\b\.?( old)?", r"\1",
                  text)  # fmt: skip

    def read(number: str) -> float:
        written = age(number + (unit[1] if unit else ""))
        if written is None:
            raise BadArgument(f"age={shown(text)} is none", "Write 60, <18, 18-65, <6 months")
        units.add(written.unit)
        return float(written.count)

    low, high = limits(bare, "age", read)
    kind = {"D": "day", "W": "week", "M": "month", "Y": "year"}[units.pop()]
    lived = f"datesub('{kind}', birth_date, study_date)"
    tests = [f"{lived} >= {low!r}"] if low > -math.inf else []
    tests += [f"{lived} <= {high!r}"] if high < math.inf else []
    return text, f"(CASE WHEN study_date >= birth_date THEN {' AND '.join(tests)} END)"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
