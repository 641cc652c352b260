"""Two halves of the time, which a list that was cut does not agree with: pure."""

from collections.abc import Iterable
from datetime import date, timedelta

from ..standard.levels import Level

# What a list of each level is halved by.
DAY_OF: dict[Level, str] = {
    Level.PATIENT: "PatientBirthDate",
    Level.STUDY: "StudyDate",
    Level.SERIES: "StudyDate",
}

_DAY = timedelta(days=1)
_MINUTE = 4


def halves(key: str, texts: Iterable[str]) -> list[str]:
    """Two spans of days that together are what `key` asks for, with about as many of these days in
    each; none where there is nothing to halve."""
    first, hyphen, last = key.partition("-")
    days = sorted(day for text in texts if (day := _day(text)))
    if not days or days[0] == days[-1] or (first and not hyphen):
        return []
    middle = days[len(days) // 2]
    if middle == days[-1]:
        middle = max(day for day in days if day < middle)
    return [
        f"{first or '19000101'}-{middle:%Y%m%d}",
        f"{middle + _DAY:%Y%m%d}-{last or '29991231'}",
    ]


def around(key: str, texts: Iterable[str]) -> list[str]:
    """The spans of days before, after and on the only day there is; none where it was asked for."""
    first, hyphen, last = key.partition("-")
    days = {day for text in texts if (day := _day(text))}
    if len(days) != 1 or (first and not hyphen):
        return []
    (day,) = days
    before, after = f"{day - _DAY:%Y%m%d}", f"{day + _DAY:%Y%m%d}"
    return [f"{first or '19000101'}-{before}", f"{day:%Y%m%d}", f"{after}-{last or '29991231'}"]


def beside(texts: Iterable[str]) -> list[str]:
    """The spans of days before and after these, and the day in their middle."""
    days = sorted(day for text in texts if (day := _day(text)))
    if not days:
        return []
    before, after = days[0] - _DAY, days[-1] + _DAY
    return [
        f"{after:%Y%m%d}-29991231",
        f"19000101-{before:%Y%m%d}",
        f"{days[len(days) // 2]:%Y%m%d}",
    ]


def halves_of_day(texts: Iterable[str]) -> list[str]:
    """Two spans of StudyTime with about as many of these times in each; none where all are of one
    minute."""
    minutes = sorted(text[:4] for text in texts if text[:4].isdecimal() and len(text) >= _MINUTE)
    if not minutes or minutes[0] == minutes[-1]:
        return []
    middle = minutes[len(minutes) // 2]
    if middle == minutes[0]:
        middle = min(minute for minute in minutes if minute > middle)
    hours, rest = divmod(int(middle[:2]) * 60 + int(middle[2:]) - 1, 60)
    return [f"000000-{hours:02}{rest:02}59.999999", f"{middle}00-235959.999999"]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.replace(".", ""))
    except ValueError:
        return None
