"""Days as people say them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_mcp.errors import BadArgument
from dicom_mcp.words.days import day_range

MONDAY = date(2026, 11, 23)
DAYS = st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 12, 31))


@pytest.mark.parametrize(
    ("phrase", "days"),
    [
        ("today", "20261123"),
        ("yesterday", "20261122"),
        ("3 days ago", "20261120"),
        ("two weeks ago", "20261109"),
        ("this week", "20261123-20261129"),
        ("last week", "20261116-20261122"),
        ("Last Month", "20261001-20261031"),
        ("last quarter", "20260701-20260930"),
        ("last year", "20250101-20251231"),
        ("last 30 days", "20261024-20261123"),
        ("in the last 6 months", "20260523-20261123"),
        ("2024", "20240101-20241231"),
        ("2024-2025", "20240101-20251231"),
        ("2024-03", "20240301-20240331"),
        ("February 2024", "20240201-20240229"),
        ("March", "20260301-20260331"),
        ("December", "20251201-20251231"),
        ("since March", "20260301-"),
        ("since 2024-05-01", "20240501-"),
        ("after 2020", "20210101-"),
        ("before 2020", "-20191231"),
        ("until yesterday", "-20261122"),
        ("Q3 2025", "20250701-20250930"),
        ("2025-Q4", "20251001-20251231"),
        ("between March and May 2026", "20260301-20260531"),
        ("2024-01-15 - 2024-02-01", "20240115-20240201"),
        ("20240115-20240201", "20240115-20240201"),
        ("2024-01-15-2024-02-01", "20240115-20240201"),
        ("20240115-", "20240115-"),
        ("-20240115", "-20240115"),
        ("5 March 2024", "20240305"),
        ("Mar 5, 2024", "20240305"),
        ("24 November", "20251124"),
        ("05.01.2024", "20240105"),
        ("13/1/2024", "20240113"),
        ("1/13/2024", "20240113"),
        ("Monday", "20261123"),
        ("last Tuesday", "20261117"),
    ],
)
def test_a_phrase_means_these_days(phrase: str, days: str) -> None:
    assert day_range(phrase, today=MONDAY, argument="study_date") == days


@pytest.mark.parametrize(
    "phrase",
    [
        "yesterday-ish",
        "soon",
        "-",
        "*",
        "2026*",
        "20260231",
        "2026-13-01",
        "31 June 2026",
        "1/2/2024",
        "Q5 2025",
        "last 0 fortnights",
        "99999999",
        "last 9999 years",
        "since",
        "0000",
    ],
)
def test_what_is_no_day_or_two_days_at_once_is_refused(phrase: str) -> None:
    with pytest.raises(BadArgument, match="is not a date"):
        day_range(phrase, today=MONDAY, argument="study_date")


def test_a_range_that_ends_before_it_begins_is_refused_with_the_right_one() -> None:
    with pytest.raises(BadArgument, match="Did you mean 20260101-20260210"):
        day_range("20260210-20260101", today=MONDAY, argument="study_date")


@given(DAYS, DAYS)
def test_a_range_of_days_comes_back_as_it_was_in_every_spelling(one: date, other: date) -> None:
    first, last = sorted((one, other))
    expected = f"{first:%Y%m%d}" if first == last else f"{first:%Y%m%d}-{last:%Y%m%d}"
    for phrase in (
        f"{first:%Y%m%d}-{last:%Y%m%d}",
        f"{first} - {last}",
        f"{first} to {last}",
        f"between {first} and {last}",
        f"from {first:%d.%m.%Y} until {last:%Y%m%d}",
    ):
        assert day_range(phrase, today=MONDAY, argument="study_date") == expected


@given(DAYS, st.integers(0, 1000))
def test_the_last_days_end_today_and_begin_that_many_days_ago(today: date, count: int) -> None:
    first = f"{today - timedelta(days=count):%Y%m%d}"
    expected = first if count == 0 else f"{first}-{today:%Y%m%d}"
    assert day_range(f"last {count} days", today=today, argument="study_date") == expected


@given(DAYS, st.sampled_from(["week", "month", "quarter", "year"]))
def test_last_this_and_next_follow_each_other_without_a_gap(today: date, unit: str) -> None:
    ends = [
        [
            date.fromisoformat(end)
            for end in day_range(f"{word} {unit}", today=today, argument="d").split("-")
        ]
        for word in ("last", "this", "next")
    ]
    assert ends[0][1] + timedelta(days=1) == ends[1][0] <= today <= ends[1][1]
    assert ends[1][1] + timedelta(days=1) == ends[2][0]


@given(st.text(max_size=30), DAYS)
def test_no_text_breaks_the_reading(text: str, today: date) -> None:
    try:
        days = day_range(text, today=today, argument="study_date")
    except BadArgument:
        return
    assert set(days) <= set("0123456789-")
