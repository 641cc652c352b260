"""An examination that the patients of a cohort have, or do not have, as it was asked for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import cast

from ..errors import BadArgument
from ..standard.counted import counted
from ..standard.values import shown
from .criterion import Criterion, criterion

# What an examination is asked besides criteria.
_AT_LEAST, _DAYS, _LAST, _FIRST = "at_least", "days", "last_of", "first_of"


@dataclass(frozen=True, slots=True)
class Examination:
    """Studies that fulfil all criteria: at least so many of them, so many `days` from the first
    examination (before it below 0). After the `narrowing` first criteria only the patient's last
    study that fulfils them is looked at, or the first one; which of them, `which` tells."""

    criteria: tuple[Criterion, ...]
    at_least: int
    days: tuple[float, float] | None
    which: str
    narrowing: int

    @property
    def said(self) -> list[str]:
        """How each criterion was understood."""
        told = [part.said for part in self.criteria]
        if self.which:
            kind = "the patient's last study" if self.is_last else "the patient's first study"
            of = f" with {', '.join(told[: self.narrowing])}" if self.narrowing else ""
            told[: self.narrowing] = [kind + of]
        if self.days:
            told[0] += f", {_days_said(self.days)}"
        if self.at_least > 1:
            told[-1] += f", at least {counted(self.at_least, 'study')}"
        return told

    @property
    def words(self) -> list[str]:
        """What is looked for in reports."""
        return [word for part in self.criteria for word in part.words]

    @property
    def is_last(self) -> bool:
        """Whether the last of several is meant."""
        return self.which == _LAST


def examination(asked: Mapping[str, object], today: date) -> Examination:
    """From a criterion for each name. Raises BadArgument."""
    criteria: list[Criterion] = []
    among: list[Criterion] = []
    at_least, days, which = 1, None, ""
    for name, value in asked.items():
        plain = re.sub(r"[\s-]+", "_", name.strip().lower())
        if plain == _AT_LEAST:
            at_least = _count(value)
        elif plain == _DAYS:
            days = _interval(str(value))
        elif plain in (_LAST, _FIRST):
            if which:
                raise BadArgument("an examination is the first or the last", "Give one of them")
            which, among = plain, _among(plain, value, today)
        else:
            criteria.append(criterion(name, value, today))
    if not criteria and not among:
        raise BadArgument(
            "an examination has no criterion", 'Give some, such as {"modality": "CT"}'
        )
    return Examination((*among, *criteria), at_least, days, which, len(among))


def _among(name: str, value: object, today: date) -> list[Criterion]:
    """The criteria of the studies whose first or last one is meant."""
    if not isinstance(value, dict):
        raise BadArgument(
            f"{name} is not criteria",
            f'Write {{"{name}": {{"modality": "CT"}}, …}}, or {{}} for all',
        )
    given = cast("dict[str, object]", value)
    return [criterion(key, given[key], today) for key in given]


def _count(value: object) -> int:
    if not re.fullmatch(r"[1-9]\d{0,4}", str(value)):
        raise BadArgument(f"at_least={shown(str(value))} is no number of studies", "Write 2")
    return int(str(value))


# Days without an end, of a lifetime at most.
_EVER = 1e6

_DAY = r"([+-]?\d{1,6})"
_INTERVAL = re.compile(rf"{_DAY} ?(?:\.\.|to|-|–) ?{_DAY}|{_DAY}\.\.|\.\.{_DAY}")


def _interval(text: str) -> tuple[float, float]:
    """Days from the first examination: 30 is so many before or after, 0..30 after it."""
    given = re.sub(r"(?<=\d) ?days?\b", "", text.strip().lower()).removeprefix("within").strip()
    if given in ("after", "before"):
        return (1, _EVER) if given == "after" else (-_EVER, -1)
    if re.fullmatch(r"\d{1,6}", given):
        return -float(given), float(given)
    found = _INTERVAL.fullmatch(given)
    if found is None:
        raise BadArgument(
            f"days={shown(text)} is no interval",
            "Write 30 (before or after the first examination), 0..30 (after), -30..0 (before), "
            "30.. (30 or more after)",
        )
    low, high = float(found[1] or found[3] or -_EVER), float(found[2] or found[4] or _EVER)
    if low > high:
        raise BadArgument(f"days={shown(text)} ends before it begins", "Put the less first")
    return low, high


def _days_said(days: tuple[float, float]) -> str:
    low, high = days
    if low == -high:
        return f"within {counted(int(high), 'day')} of the first"
    if high >= _EVER:
        return f"from day {low:g} after the first on"
    if low <= -_EVER:
        return f"up to day {high:g} after the first"
    return f"from day {low:g} to day {high:g} after the first"
