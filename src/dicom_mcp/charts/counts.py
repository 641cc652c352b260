"""Counts by group as bars, and over time as lines."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from .chart import Chart, Line, doubted

# Beyond these a drawing shows nothing that can be told apart; the others are told together.
_MOST_BARS, _MOST_LINES = 40, 6

# What a group's row has beside the values it is grouped by.
_OF_ROW = frozenset({"count", "percent", "members"})


def chart_of_counts(answer: Mapping[str, Any]) -> Chart:
    """The chart of what `count_studies` answers, which has no places where nothing was grouped."""
    rows: Sequence[Mapping[str, Any]] = answer["groups"]
    by = [name for name in rows[0] if name not in _OF_ROW] if rows else []
    counted, total = answer["counted"], answer["total"]
    title = f"{counted[:1].upper()}{counted[1:]}" + (f" by {' and '.join(by)}" if by else "")
    summary = f"{total:,} in all"
    over = next((name for name in by if name in _NEXT), None)
    # Of a page of the groups it is not known whether a period without a row has nothing.
    is_page = len(rows) < answer["groups_in_all"]
    if is_page:
        summary += f"; these are {len(rows):,} of {answer['groups_in_all']:,} groups"
    drawn = _over_time(rows, over, by) if over and len(by) <= 2 and not is_page else None
    if drawn is None:
        places, line, rest = _bars(rows, by)
        return doubted(Chart("bars", title, summary + rest, places, [line]), answer)
    places, lines, rest = drawn
    return doubted(Chart("lines", title, summary + rest, places, lines), answer)


def _bars(rows: Sequence[Mapping[str, Any]], by: Sequence[str]) -> tuple[list[str], Line, str]:
    """A bar for each group, and what is said of those that are not drawn."""
    drawn, others = rows[:_MOST_BARS], rows[_MOST_BARS:]
    places = [" · ".join(str(row[name]) for name in by) for row in drawn]
    rest = sum(row["count"] for row in others)
    said = f"; {len(others):,} smaller or later groups with {rest:,} are not drawn" * bool(others)
    return places, Line("", [row["count"] for row in drawn]), said


def _over_time(
    rows: Sequence[Mapping[str, Any]], over: str, by: Sequence[str]
) -> tuple[list[str], list[Line], str] | None:
    """Every period from the first to the last, those with nothing too, and a line for each value of
    the other dimension. None where there is no time between, or too much."""
    of_time = [row for row in rows if _NEXT[over](str(row[over]))]
    without = sum(row["count"] for row in rows) - sum(row["count"] for row in of_time)
    places = _periods(sorted({str(row[over]) for row in of_time}), over)
    if len(places) < 2:
        return None
    beside = next((name for name in by if name != over), None)
    numbers: dict[str, dict[str, int]] = {}
    for row in of_time:
        name = str(row[beside]) if beside else ""
        numbers.setdefault(name, {})[str(row[over])] = row["count"]
    ranked = sorted(numbers, key=lambda name: -sum(numbers[name].values()))
    lines = [
        Line(name, [numbers[name].get(place, 0) for place in places])
        for name in ranked[:_MOST_LINES]
    ]
    if others := ranked[_MOST_LINES:]:
        together = [sum(numbers[name].get(place, 0) for name in others) for place in places]
        lines.append(Line(f"{len(others)} others", together))
    return places, lines, f"; {without:,} without a {over} are not drawn" * bool(without)


def _periods(known: Sequence[str], over: str) -> list[str]:
    """Those from the first to the last; empty where they are too many to draw."""
    if not known:
        return []
    places = [known[0]]
    while places[-1] < known[-1]:
        following = _NEXT[over](places[-1])
        if following is None or len(places) >= _MOST_PERIODS:
            return []
        places.append(following)
    return places


_MOST_PERIODS = 800


def _after_day(text: str) -> str | None:
    try:
        return (date.fromisoformat(text) + timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return None


def _after_week(text: str) -> str | None:
    year, _, week = text.partition("-W")
    try:
        following = date.fromisocalendar(int(year), int(week), 1) + timedelta(days=7)
    except (ValueError, OverflowError):
        return None
    now = following.isocalendar()
    return f"{now.year}-W{now.week:02}"


def _after_part(mark: str, width: int, parts: int) -> Callable[[str], str | None]:
    """What follows the month 2026-12 or the quarter 2026-Q4."""

    def after(text: str) -> str | None:
        year, found, part = text.partition(mark)
        if not found or not year.isdecimal() or not part.isdecimal():
            return None
        carried, following = divmod(int(part), parts)
        return f"{int(year) + carried:04}{mark}{following + 1:0{width}}"

    return after


def _after_year(text: str) -> str | None:
    return f"{int(text) + 1:04}" if text.isdecimal() else None


# What follows a period; None for what is no period, such as (empty).
_NEXT: Mapping[str, Callable[[str], str | None]] = {
    "day": _after_day,
    "date": _after_day,
    "week": _after_week,
    "month": _after_part("-", 2, 12),
    "quarter": _after_part("-Q", 1, 4),
    "year": _after_year,
}
