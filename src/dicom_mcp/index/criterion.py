"""One criterion of a cohort: what a column of the index has to be, as a condition in SQL.

A condition is true, false or, where the column has no value, neither: NULL in SQL, which keeps it
so through AND, OR and NOT.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from ..errors import BadArgument
from ..standard.dictionary import attribute
from ..standard.values import shown
from ..words.body_part import body_part, parts_in
from ..words.codes import code_of
from ..words.days import day_range
from ..words.letters import forms, spellings
from ..words.manufacturer import known_maker
from ..words.mentions import Told, Wanted
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
_WHOLE = re.compile(r".*_(?:uid|id|number)|sex|issuer|laterality|body_part")

# How what has no value is asked for.
_NONE = ("none", "null", "empty", "missing")

_AGE = "age"

# What the reports of a study say.
_REPORT = "report"
_SAYS = (_REPORT, "reports", "report_text", "report_says", "text", "conclusion")
_ANY = ("any", "yes", "there", "*")
_DENIED = re.compile(r"(?:no|denied|denies|negated)\s+(.+)", re.IGNORECASE)

# Where a criterion reads columns of a series and of its study, and where it asks for words.
BOTH, OF_WORDS = "both", "words"


@dataclass(frozen=True, slots=True)
class Criterion:
    """A condition over the rows of one table; `said` is how it was understood, `words` what is
    looked for in the reports of a study: the columns that words.Told fills."""

    said: str
    table: str
    sql: str
    words: tuple[str, ...] = ()


def names() -> list[str]:
    """Everything a criterion can be about."""
    columns = (column.name for table in TABLES.values() for column in table)
    return [*dict.fromkeys([*columns, _AGE, _REPORT, *_WORDS])]


def criterion(name: str, value: object, today: date) -> Criterion:
    """What is asked by a name and a value. Raises BadArgument, with what can be asked instead."""
    name = re.sub(r"[\s-]+", "_", name.strip().lower())
    wanted = [text for part in _listed(value) if (text := _plain(part, name))]
    if not wanted:
        raise BadArgument(f"{name} is empty", 'Leave it out, or ask for what has none: "none"')
    if name == _AGE:
        return _joined(name, "studies", [_age(text) for text in wanted])
    if name in _SAYS:
        words: list[str] = []
        made = _joined(_REPORT, OF_WORDS, [_report(text, words) for text in wanted])
        return replace(made, words=tuple(words))
    several = [_column(other) for other in _WORDS.get(name, (name,))]
    if len(several) > 1:
        columns = [column for _, column in several]
        return _joined(name, BOTH, [_of_several(columns, text, today) for text in wanted])
    ((table, column),) = several
    return _joined(name, table, [_condition(column, text, today) for text in wanted])


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
        f"Did you mean {near}?" if near else f"There are {', '.join(names())}",
    )


# What one value says, and its condition.
type _Condition = tuple[str, str]

_EXCLUDED = re.compile(r"not\s+(.+)|!=?\s*(.+)", re.IGNORECASE)
_NOT = "NOT "


def _joined(name: str, table: str, conditions: Sequence[_Condition]) -> Criterion:
    """Of several values one is enough; of those that are excluded none may be."""
    kept = [sql for _, sql in conditions if not sql.startswith(_NOT)]
    excluded = [sql for _, sql in conditions if sql.startswith(_NOT)]
    said = (" and " if excluded else " or ").join(said for said, _ in conditions)
    of = " (of one of its series)" if excluded and table == "series" else ""
    sql = " AND ".join([*([_any(kept)] if kept else []), *excluded])
    return Criterion(f"{name.replace('_', ' ')} {said}{of}", table, f"({sql})")


def _negated(text: str, condition: Callable[[str], _Condition]) -> _Condition:
    """The condition of a text, or its contrary where the text says so."""
    if found := _EXCLUDED.fullmatch(text):
        said, sql = condition(found[1] or found[2])
        return f"not {said}", f"{_NOT}{sql}"
    return condition(text)


def _of_several(columns: Sequence[Column], text: str, today: date) -> _Condition:
    """One of these columns is so; what is not there says nothing, if another one is."""
    known = ", ".join(column.name for column in columns)

    def condition(text: str) -> _Condition:
        if text.lower() in _NONE:
            return "none", f"(coalesce({known}) IS NULL)"
        tests = [_plainly(column, text, today) for column in columns]
        found = " OR ".join(f"coalesce({sql}, false)" for _, sql in tests)
        return tests[0][0], f"(CASE WHEN coalesce({known}) IS NOT NULL THEN {found} END)"

    return _negated(text, condition)


def _any(conditions: Iterable[str]) -> str:
    return f"({' OR '.join(conditions)})"


def _condition(column: Column, text: str, today: date) -> _Condition:
    return _negated(text, lambda text: _plainly(column, text, today))


def _plainly(column: Column, text: str, today: date) -> _Condition:
    name = column.name
    if text.lower() in _NONE:
        return "none", f"({name} IS NULL)"
    kinds: dict[str, Callable[[], _Condition]] = {
        "DATE": partial(_days, name, text, today),
        "TIME": partial(_times, name, text),
        "VARCHAR[]": partial(_several, column, text),
        "VARCHAR": partial(_text, column, name, text),
        "BOOLEAN": partial(_yes_or_no, name, text),
    }
    return kinds.get(column.type, partial(_number, column, text))()


def _report(text: str, words: list[str]) -> _Condition:
    """What the reports of a study say of a word, which is put to `words`; whether there are any."""
    return _negated(text, lambda text: _said(text, words))


def _said(text: str, words: list[str]) -> _Condition:
    if text.lower() in (*_ANY, *_NONE):
        return ("any", "(reported)") if text.lower() in _ANY else ("none", "(reported = false)")
    denied = _DENIED.fullmatch(text)
    word = denied[1] if denied else text
    try:
        word = " ".join(Wanted.of(word).words)
    except ValueError:
        raise BadArgument(f"report={shown(text)} has no word", "Name one: nodule") from None
    words.append(word)
    told = Told.DENIED if denied else Told.SAID
    return f"{told} {word}", f"({column_of(word)} = '{told}')"


def column_of(word: str) -> str:
    """The column, in SQL, that has what the reports of a study tell of a word."""
    return '"says ' + word.replace('"', '""') + '"'


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


def _several(column: Column, text: str) -> _Condition:
    """One of the values of an attribute."""
    name = column.name
    if name == "modalities":
        codes = any_of(text, argument=name)
        return " or ".join(codes), f"list_has_any({name}, [{', '.join(map(_quoted, codes))}])"
    if _is_code(column) or text.startswith("="):
        text = text.removeprefix("=").strip()
        return text, f"list_contains(list_transform({name}, lambda x: lower(x)), {_lower(text)})"
    return _text(column, f"array_to_string({name}, ' ')", text)


def _yes_or_no(name: str, text: str) -> _Condition:
    if text.lower() not in ("yes", "no", "true", "false"):
        raise BadArgument(f"{name}={shown(text)} is neither yes nor no", "Write one of them")
    return text, f"({name} = {text.lower() in ('yes', 'true')})"


def _is_code(column: Column) -> bool:
    """Whether one of a few codes is its value (PS3.5 6.2, CS)."""
    found = attribute(column.keyword)
    return found is not None and found.vr == "CS"


def _lower(text: str) -> str:
    return f"lower({_quoted(text)})"


def _text(column: Column, name: str, text: str) -> _Condition:
    if column.name == "modality":
        codes = any_of(text, argument="modality")
        return " or ".join(codes), f"({name} IN ({', '.join(map(_quoted, codes))}))"
    exactly = text.startswith("=")
    text = text.removeprefix("=").strip()
    if column.name == "body_part" and not exactly:
        return _body_part(name, text)
    if column.name == "manufacturer" and (maker := known_maker(text)):
        return maker, f"({name} = {_quoted(maker)})"
    text = code_of(column.keyword, text)
    bare = f"strip_accents(lower({name}))"
    if set(text) & set("*?") and not exactly:
        pattern = re.sub(r"([\\%_])", r"\\\1", text).replace("*", "%").replace("?", "_")
        return text, rf"({bare} LIKE strip_accents(lower({_quoted(pattern)})) ESCAPE '\')"
    if exactly or _WHOLE.fullmatch(column.name) or _is_code(column):
        return text, f"(lower({name}) = {_lower(text)})"
    words = [word for word in re.split(r"[\s,^]+", text) if word]
    if not words:
        raise BadArgument(f"{column.name}={shown(text)} has no text", "Give a word of it")
    return text, f"({' AND '.join(_any(_spelled(bare, word)) for word in words)})"


def _spelled(column: str, word: str) -> Iterator[str]:
    """Whether a word is in it, in any of the ways it is spelled."""
    for way in sorted(forms(word) | {way.casefold() for way in spellings(word)}):
        yield f"contains({column}, strip_accents({_quoted(way)}))"


def _body_part(name: str, text: str) -> _Condition:
    """Every part that is named, or one in it; of a larger one nobody knows whether it was."""
    parts = body_part(text)
    if not parts:
        raise BadArgument(f"body_part={shown(text)} is none", "Write CHEST, knee, or the like")
    tests: list[str] = []
    for part in parts.split(", "):
        inside, around = (", ".join(map(_quoted, some)) for some in parts_in(part))
        told = f"string_split({name}, ', ')"
        perhaps = f" WHEN list_has_any({told}, [{around}]) THEN NULL" if around else ""
        tests.append(f"CASE WHEN list_has_any({told}, [{inside}]) THEN true{perhaps}"
                     f" WHEN {name} IS NOT NULL THEN false END")  # fmt: skip
    return parts, f"({' AND '.join(tests)})"


def _number(column: Column, text: str) -> _Condition:
    name = column.name
    if column.type.endswith("[]"):
        raise BadArgument(f"{name} is several numbers, no criterion", "Ask query_sql for them")
    low, high = _limits(text, name)
    tests = [f"{name} >= {low!r}"] if low > -math.inf else []
    tests += [f"{name} <= {high!r}"] if high < math.inf else []
    return text, f"({' AND '.join(tests)})"


_NUMBER = r"-?\d+(?:\.\d+)?"
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
                f"{name}={shown(text)} is no number",
                "Write 5, 1.5, <5, >=5, 5-10, or several in a list",
            )
        return float(number)

    low, high = limits(text, name, read)
    slack = abs(low) * 1e-6 if low == high else 0.0  # 1.2 is 1.2000000001 in a header
    return low - slack, high + slack


def _age(text: str) -> _Condition:
    """Completed years at the study, or months, weeks and days where the text says so."""
    return _negated(text, _aged)


def _aged(text: str) -> _Condition:
    if text.lower() in _NONE:
        return "none", "(birth_date IS NULL)"
    units: set[str] = set()
    written = {unit.upper() for unit in re.findall(r"(?i)\d\s*([dwmy])", text)}
    bare = re.sub(r"(?i)(\d)\s*(?:days?|weeks?|months?|years?|yrs?|y/?o|[dwmy])\b\.?( old)?", r"\1",
                  text)  # fmt: skip

    def read(number: str) -> float:
        found = age(number + min(written, default=""))
        if found is None:
            raise BadArgument(f"age={shown(text)} is none", "Write 60, <18, 18-65, <6 months")
        units.add(found.unit)
        if len(units) > 1 or len(written) > 1:
            raise BadArgument(f"age={shown(text)} has two units", "Write both ends in the same one")
        return float(found.count)

    low, high = limits(bare, "age", read)
    kind = {"D": "day", "W": "week", "M": "month", "Y": "year"}[units.pop()]
    lived = f"datesub('{kind}', birth_date, study_date)"
    tests = [f"{lived} >= {low!r}"] if low > -math.inf else []
    tests += [f"{lived} <= {high!r}"] if high < math.inf else []
    return text, f"(CASE WHEN study_date >= birth_date THEN {' AND '.join(tests)} END)"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
