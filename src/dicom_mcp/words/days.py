"""Days as people say them ("last week", "since March", "Q3 2025") as DICOM ranges.

The answer to a question about time is only right if everybody can see which days were meant, so a
phrase is always turned into plain days, which are then sent and shown (PS3.4 C.2.2.2.5).
"""

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta

from ..errors import BadArgument
from ..standard.values import shown

# First and last day of a period; None is open.
type Period = tuple[date | None, date | None]

_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?" if len(name) > 3 else name for name in _MONTHS)
_WEEKDAY = "|".join(f"{name[:3]}(?:{name[3:]})?" for name in _WEEKDAYS)
_UNIT = "day|week|month|quarter|year"
_COUNT = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "twelve": 12}
_NONE = re.compile(
    r"none|null|empty|missing|unknown|undated|(?:no|without)(?: a| any| study| birth)* dates?|"
    r"(?:study ?|birth ?)?date (?:is )?(?:missing|empty|unknown|none)",
    re.IGNORECASE,
)
_NUMBER = rf"\d{{1,4}}|{'|'.join(_COUNT)}"


def day_range(text: str, *, today: date, argument: str) -> str:
    """The days a phrase means, as `YYYYMMDD`, `YYYYMMDD-YYYYMMDD`, `YYYYMMDD-` or `-YYYYMMDD`.

    Weeks begin on Monday; "last 30 days" reaches from 30 days ago to today; a month without a year
    is the latest that has begun. Raises BadArgument for what is no date, does not exist, ends
    before it begins, or could be read in two ways.
    """
    phrase = re.sub(r"[\s,]+", " ", text.strip().lower())
    try:
        first, last = _span(phrase, today, argument)
    except OverflowError:
        raise _no_date(phrase, argument) from None
    if first and last and last < first:
        raise BadArgument(
            f"{argument}={shown(text)} ends before it begins",
            f"Did you mean {_day(last)}-{_day(first)}?",
        )
    if first == last:
        return _day(first)
    return f"{_day(first)}-{_day(last)}"


def is_none(text: str) -> bool:
    """Whether a phrase asks for what has no date at all."""
    return _NONE.fullmatch(text.strip()) is not None


def _span(phrase: str, today: date, argument: str) -> Period:
    """A period, or two that make a span: since, until, between, to."""
    if found := re.fullmatch(
        r"(?:since|from|after|starting) (.+?)(?: (?:until|till|to|-) (.+))?", phrase
    ):
        first = _period(found[1], today, argument)
        last = _period(found[2], today, argument)[1] if found[2] else None
        after = phrase.startswith("after ")
        return (_next(first[1]) if after else first[0]), last
    if found := re.fullmatch(r"(?:until|till|up to|through|to) (.+)", phrase):
        return None, _period(found[1], today, argument)[1]
    if found := re.fullmatch(r"before (.+)", phrase):
        first = _period(found[1], today, argument)[0]
        return None, first - timedelta(days=1) if first else None
    for pattern in (
        r"between (.+) and (.+)",
        r"(.+?) (?:until|till|to|-|–) (.+)",
        r"(.+?)\.\.(.+)",
    ):
        if found := re.fullmatch(pattern, phrase):
            return _period(found[1], today, argument)[0], _period(found[2], today, argument)[1]
    if found := re.fullmatch(r"(\d{4})-((?:19|20)\d\d)", phrase):
        return _year(int(found[1]))[0], _year(int(found[2]))[1]
    if found := re.fullmatch(r"(\d{8}|\d{4}-\d\d-\d\d)?-(\d{8}|\d{4}-\d\d-\d\d)?", phrase):
        ends = [_period(end, today, argument)[0] if end else None for end in found.groups()]
        if any(ends):
            return ends[0], ends[1]
    return _period(phrase, today, argument)


def _period(phrase: str, today: date, argument: str) -> Period:
    """What one phrase without an end of its own means."""
    for pattern, reading in _READINGS:
        if found := pattern.fullmatch(phrase.strip()):
            try:
                return reading(found, today)
            except (ValueError, OverflowError):
                break
    raise _no_date(phrase, argument)


def _no_date(phrase: str, argument: str) -> BadArgument:
    return BadArgument(
        f"{argument}={shown(phrase)} is not a date",
        "Write YYYYMMDD for one day, YYYYMMDD-YYYYMMDD for a range (either end may be open), or "
        "say it plainly: today, last week, last 30 days, March 2026, Q3 2025, since 2024-05-01. "
        "What has no date: none",
    )


def _date(year: int, month: int, day: int) -> Period:
    exact = date(year, month, day)
    return exact, exact


def _month(year: int, month: int) -> Period:
    return date(year, month, 1), date(year, month, monthrange(year, month)[1])


def _quarter(year: int, quarter: int) -> Period:
    return _month(year, 3 * quarter - 2)[0], _month(year, 3 * quarter)[1]


def _year(year: int) -> Period:
    return date(year, 1, 1), date(year, 12, 31)


def _relative(unit: str, offset: int, today: date) -> Period:
    """The whole day, week, … that lies `offset` of them from today's."""
    if unit == "day":
        return _ago(today, "day", -offset)
    if unit == "week":
        monday = today - timedelta(days=today.weekday()) + timedelta(weeks=offset)
        return monday, monday + timedelta(days=6)
    if unit == "year":
        return _year(today.year + offset)
    if unit == "quarter":
        quarters = today.year * 4 + (today.month - 1) // 3 + offset
        return _quarter(quarters // 4, quarters % 4 + 1)
    months = today.year * 12 + today.month - 1 + offset
    return _month(months // 12, months % 12 + 1)


def _ago(today: date, unit: str, count: int) -> Period:
    """The day that lies `count` units before today; a month's end stays a month's end."""
    if unit in ("day", "week"):
        exact = today - timedelta(days=count * (7 if unit == "week" else 1))
        return exact, exact
    months = count * {"month": 1, "quarter": 3, "year": 12}[unit]
    index = today.year * 12 + today.month - 1 - months
    year, month = index // 12, index % 12 + 1
    return _date(year, month, min(today.day, monthrange(year, month)[1]))


def _named_month(name: str, year: str | None, today: date) -> Period:
    month = _month_number(name)
    if year:
        return _month(int(year), month)
    return _month(today.year - (month > today.month), month)


def _named_day(day: str, name: str, year: str | None, today: date) -> Period:
    """Without a year: the latest such day that is not in the future."""
    month = _month_number(name)
    if year:
        return _date(int(year), month, int(day))
    return _date(today.year - ((month, int(day)) > (today.month, today.day)), month, int(day))


def _weekday(name: str, today: date) -> Period:
    """The latest such day that is not in the future."""
    number = [weekday[:3] for weekday in _WEEKDAYS].index(name[:3])
    return _ago(today, "day", (today.weekday() - number) % 7)


def _slashed(first: str, second: str, year: str) -> Period:
    """Day and month, or month and day: only what can be read in one way."""
    if int(first) > 12 or first == second:
        return _date(int(year), int(second), int(first))
    if int(second) > 12:
        return _date(int(year), int(first), int(second))
    raise ValueError("ambiguous")


def _count(text: str) -> int:
    return _COUNT.get(text) or int(text)


def _month_number(name: str) -> int:
    return 1 + [month[:3] for month in _MONTHS].index(name[:3])


def _next(day: date | None) -> date | None:
    return day + timedelta(days=1) if day else None


def _day(day: date | None) -> str:
    return day.isoformat().replace("-", "") if day else ""  # strftime drops a year's zeros


_OFFSET = {"last": -1, "previous": -1, "past": -1, "this": 0, "current": 0, "next": 1}
_WORDS = {"today": 0, "now": 0, "yesterday": -1, "tomorrow": 1}

# Each way to say a period, and how it is read, tried in this order.
_PHRASES: tuple[tuple[str, Callable[[re.Match[str], date], Period]], ...] = (
    (r"(\d{4})-?(\d\d)-?(\d\d)", lambda m, _: _date(*map(int, m.groups()))),
    (r"(\d{4})-?(\d\d)", lambda m, _: _month(int(m[1]), int(m[2]))),
    (r"(\d{4})", lambda m, _: _year(int(m[1]))),
    (r"(\d\d?)\.(\d\d?)\.(\d{4})", lambda m, _: _date(int(m[3]), int(m[2]), int(m[1]))),
    (r"(\d\d?)/(\d\d?)/(\d{4})", lambda m, _: _slashed(m[1], m[2], m[3])),
    (rf"({'|'.join(_WORDS)})", lambda m, today: _relative("day", _WORDS[m[1]], today)),
    (
        rf"(?:the )?({'|'.join(_OFFSET)}) ({_UNIT})",
        lambda m, today: _relative(m[2], _OFFSET[m[1]], today),
    ),
    (
        rf"(?:in )?(?:the )?(?:last|past|previous) ({_NUMBER}) ({_UNIT})s?",
        lambda m, today: (_ago(today, m[2], _count(m[1]))[0], today),
    ),
    (rf"({_NUMBER}) ({_UNIT})s? ago", lambda m, today: _ago(today, m[2], _count(m[1]))),
    (r"q([1-4])[ -]?(\d{4})", lambda m, _: _quarter(int(m[2]), int(m[1]))),
    (r"(\d{4})[ -]?q([1-4])", lambda m, _: _quarter(int(m[1]), int(m[2]))),
    (rf"(?:in )?({_MONTH})\.?(?: (\d{{4}}))?", lambda m, t: _named_month(m[1], m[2], t)),
    (
        rf"(\d\d?)\.? (?:of )?({_MONTH})\.?(?: (\d{{4}}))?",
        lambda m, today: _named_day(m[1], m[2], m[3], today),
    ),
    (
        rf"({_MONTH})\.? (\d\d?)(?:st|nd|rd|th)?(?: (\d{{4}}))?",
        lambda m, today: _named_day(m[2], m[1], m[3], today),
    ),
    (rf"(?:on |last )?({_WEEKDAY})", lambda m, today: _weekday(m[1], today)),
)

_READINGS = tuple((re.compile(pattern), reading) for pattern, reading in _PHRASES)
