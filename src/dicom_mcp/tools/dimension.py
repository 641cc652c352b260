"""What things are counted by: an attribute of any level, or a period of the study's date."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from ..attributes import keyword_of
from ..errors import BadArgument, BadAttribute
from ..standard.dictionary import attribute
from ..standard.entities import level_of
from ..standard.levels import Level
from ..standard.near import did_you_mean
from ..standard.query import Match
from .condition import texts

# How a group is called whose attribute has no value.
EMPTY = "(empty)"


@dataclass(frozen=True, slots=True)
class Dimension:
    """One way to group: the attribute asked for, whose level knows it, and a value's group."""

    name: str
    keyword: str
    level: Level
    is_period: bool
    _group: Callable[[str], str]

    @classmethod
    def of(cls, name: str) -> "Dimension":
        """From "modality", "month", "station", any attribute's keyword, tag or everyday name.

        Raises BadArgument for what nothing can be counted by.
        """
        plain = name.strip().lower()
        if plain in _PERIODS:
            keyword, group = _PERIODS[plain]
            return cls(plain, keyword, Level.STUDY, True, group)
        if plain in ("modality", "modalities", "modalitiesinstudy"):
            return cls("modality", "Modality", Level.SERIES, False, str)
        try:
            keyword = keyword_of(name)
        except BadAttribute as error:
            near = did_you_mean(plain, _PERIODS)
            remedy = f"Did you mean {near}" if near else error.remedy
            raise BadAttribute(error.happened, remedy) from None
        found = attribute(keyword)
        assert found is not None
        if found.vr == "SQ":
            raise BadArgument(f"{keyword} is a sequence", "Count by one of its attributes' values")
        return cls(keyword, keyword, level_of(keyword), False, str)

    def groups(self, match: Match) -> list[str]:
        """The groups a match belongs to: one for each value, EMPTY without any."""
        values = [
            group for value in texts(match.get(self.keyword, "")) if (group := self._group(value))
        ]
        return list(dict.fromkeys(values)) or [EMPTY]


def dimensions(names: Sequence[str]) -> list[Dimension]:
    """Each name's dimension, once. Raises BadArgument for too many."""
    found = {one.name: one for one in map(Dimension.of, names)}
    if len(found) > _MOST:
        raise BadArgument(f"{len(found)} are too many to group by at once", f"Use at most {_MOST}")
    return list(found.values())


_MOST = 4

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _day(text: str) -> date | None:
    text = text.replace(".", "")  # as ACR-NEMA 300 wrote it (PS3.5 6.2)
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None


def _period(write: Callable[[date], str]) -> Callable[[str], str]:
    def group(text: str) -> str:
        day = _day(text)
        return write(day) if day else ""

    return group


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
}

_PERIODS: dict[str, tuple[str, Callable[[str], str]]] = {
    **{name: ("StudyDate", _period(write)) for name, write in _ON.items()},
    "hour": ("StudyTime", lambda text: text[:2] if text[:2].isdecimal() else ""),
}
