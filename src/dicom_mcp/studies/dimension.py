"""What things are counted by: an attribute of any level, or a period of the study's date."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from ..attributes import keyword_of
from ..errors import BadArgument, BadAttribute
from ..standard.alike import as_compared
from ..standard.dictionary import attribute
from ..standard.entities import level_of
from ..standard.levels import Level
from ..standard.query import Match, texts
from ..standard.reading import read
from ..words.near import did_you_mean
from ..words.quantity import age_of
from .condition import AGE, told

# How a group is called whose attribute has no value.
EMPTY = "(empty)"

# And one whose value is no date, time or age.
NOT_READABLE = "(not readable)"


@dataclass(frozen=True, slots=True)
class Dimension:
    """One way to group: the attribute asked for, whose level knows it, and a value's group."""

    name: str
    keyword: str
    level: Level
    is_period: bool
    reads: tuple[str, ...]
    _groups: Callable[[Match], list[str]]
    # Whose names are told apart without regard to case (PS3.4 C.2.2.2.1).
    is_name: bool = False

    @classmethod
    def of(cls, name: str) -> "Dimension":
        """From "modality", "month", "station", any attribute's keyword, tag or everyday name.

        Raises BadArgument for what nothing can be counted by.
        """
        plain = name.strip().lower()
        if plain in _PERIODS:
            keyword, group = _PERIODS[plain]
            return cls(plain, keyword, Level.STUDY, True, (keyword,), _by_value(keyword, group))
        if plain in _AGES:
            return cls(plain, "PatientAge", Level.STUDY, False, AGE, _AGES[plain])
        if plain in ("modality", "modalities", "modalitiesinstudy"):
            return cls("modality", "Modality", Level.SERIES, False, *_as_it_is("Modality"))
        try:
            keyword = keyword_of(name)
        except BadAttribute as error:
            near = did_you_mean(plain, _PERIODS)
            remedy = f"Did you mean {near}?" if near else error.remedy
            raise BadAttribute(error.happened, remedy) from None
        found = attribute(keyword)
        assert found is not None
        if found.vr == "SQ":
            raise BadArgument(f"{keyword} is a sequence", "Count by one of its attributes' values")
        by_value = _as_it_is(keyword) if found.vr != "PN" else _by_name(keyword)
        return cls(keyword, keyword, level_of(keyword), False, *by_value, found.vr == "PN")

    def groups(self, match: Match) -> list[str]:
        """The groups a match belongs to: one for each value, EMPTY without any."""
        return list(dict.fromkeys(self._groups(match))) or [EMPTY]

    def order(self, group: str) -> tuple[int, str]:
        """Where a group stands among others when they are in their order."""
        return _WEEKDAYS.index(group) if group in _WEEKDAYS else 0, group

    def is_told(self, absent: set[str]) -> bool:
        """Whether an archive tells enough for it that does not return the absent attributes."""
        return told(self.reads, absent)


def _by_value(keyword: str, group: Callable[[str], str]) -> Callable[[Match], list[str]]:
    return lambda match: [
        found for value in texts(match.get(keyword, "")) if (found := group(value))
    ]


def _as_it_is(keyword: str) -> tuple[tuple[str], Callable[[Match], list[str]]]:
    return (keyword,), _by_value(keyword, str)


def _by_name(keyword: str) -> tuple[tuple[str], Callable[[Match], list[str]]]:
    """A name without what is empty in it: "Doe^Jane^^" is "Doe^Jane"."""
    return (keyword,), _by_value(keyword, lambda text: as_compared(keyword, text))


def _by_age(write: Callable[[int], str]) -> Callable[[Match], list[str]]:
    """By completed years at the study; the heading says where an age cannot be read."""

    def groups(match: Match) -> list[str]:
        record = {keyword: texts(match.get(keyword, "")) for keyword in AGE}
        span = age_of(record, "Y")
        if span and span[0] == span[1]:
            return [write(int(span[0]))]
        dated = record["PatientBirthDate"] and record["StudyDate"]
        return [NOT_READABLE] if record["PatientAge"] or dated else []

    return groups


def dimensions(names: Sequence[str]) -> list[Dimension]:
    """Each name's dimension, once. Raises BadArgument for too many."""
    found = {dimension.name: dimension for dimension in map(Dimension.of, names)}
    if len(found) > _MOST:
        raise BadArgument(f"{len(found)} are too many to group by at once", f"Use at most {_MOST}")
    return list(found.values())


_MOST = 4

# PS3.5 6.2, TM: hours have two figures and are those of one day.
_TWO, _HOURS = 2, 24

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _day(text: str) -> date | None:
    read_as = read("DA", "StudyDate", text)
    try:
        return date.fromisoformat(read_as[0]) if read_as else None
    except ValueError:
        return None


def _period(write: Callable[[date], str]) -> Callable[[str], str]:
    def group(text: str) -> str:
        day = _day(text)
        return write(day) if day else NOT_READABLE if text else ""

    return group


def _hour(text: str) -> str:
    read_as = read("TM", "StudyTime", text)
    hour = read_as[0][:2] if read_as else text[:2]
    if len(hour) == _TWO and hour.isdecimal() and int(hour) < _HOURS:
        return hour
    return NOT_READABLE if text else ""


def _week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


_ON: dict[str, Callable[[date], str]] = {
    "year": lambda day: f"{day.year:04}",
    "quarter": lambda day: f"{day.year:04}-Q{(day.month + 2) // 3}",
    "month": lambda day: f"{day.year:04}-{day.month:02}",
    "week": _week,
    "day": date.isoformat,
    "date": date.isoformat,
    "weekday": lambda day: _WEEKDAYS[day.weekday()],
    "weekend": lambda day: "weekend" if day.weekday() > 4 else "Monday to Friday",
}

_PERIODS: dict[str, tuple[str, Callable[[str], str]]] = {
    **{name: ("StudyDate", _period(write)) for name, write in _ON.items()},
    "hour": ("StudyTime", _hour),
}

_AGES: dict[str, Callable[[Match], list[str]]] = {
    **dict.fromkeys(("age", "age in years", "years of age"), _by_age(str)),
    **dict.fromkeys(
        ("age decade", "age group", "decade", "age groups", "decade of age"),
        _by_age(lambda years: f"{years // 10 * 10}-{years // 10 * 10 + 9}"),
    ),
}
