"""How days are parted by what the days beside them had."""

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from dicom_mcp.truth.span import DAY, Density, Span

MONDAY = date(2026, 3, 2)


def matches(first: date, *counts: int) -> list[date]:
    """The days of so many matches, on one day after the other."""
    return [first + number * DAY for number, count in enumerate(counts) for _ in range(count)]


def test_a_weekday_that_no_match_was_of_is_expected_to_be_as_full_as_the_others() -> None:
    density = Density()
    density.learn(matches(MONDAY, 100, 100), cut=True)  # and no Wednesday
    density.came(Span(MONDAY, MONDAY + DAY), 200, 350, cut=False)
    part, rest = density.carve(Span(MONDAY + 2 * DAY, None), 350) or (None, None)
    assert part == Span(MONDAY + 2 * DAY, MONDAY + 4 * DAY)
    assert rest == Span(MONDAY + 5 * DAY, None)


def test_what_comes_again_weighs_no_more() -> None:
    week = Span(MONDAY, MONDAY + 6 * DAY)
    density = Density()
    density.learn(matches(MONDAY, 90, 10, 90, 90, 90, 10, 10), cut=True)
    once = density.halves(week)
    for _ in range(5):
        density.learn(matches(MONDAY, 90, 10), cut=True)
    assert density.halves(week) == once


def test_a_span_is_parted_evenly_by_days_that_are_known() -> None:
    density = Density()
    density.learn(matches(MONDAY, 4, 4, 4, 4), cut=False)
    spans = density.even(Span(None, None), 8)
    assert spans == [Span(None, MONDAY + DAY), Span(MONDAY + 2 * DAY, None)]
    assert density.even(Span(None, None), 100) == [Span(None, None)]
    assert Density().even(Span(MONDAY, None), 8) == [Span(MONDAY, None)]


def test_parts_that_are_asked_side_by_side_tell_what_they_had_at_once() -> None:
    density = Density()
    days = matches(MONDAY, *[1] * 400)

    def learn(first: int) -> None:
        for number in range(first, 400, 4):
            density.learn(days[number : number + 1], cut=False)
            density.halves(Span(None, None))

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as several:
            list(several.map(learn, range(4)))
    finally:
        sys.setswitchinterval(before)
    assert density.even(Span(None, None), 1) == [
        Span(None, days[0]),
        *(Span(day, day) for day in days[1:-1]),
        Span(days[-1], None),
    ]
