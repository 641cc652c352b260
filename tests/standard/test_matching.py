"""Attribute matching against the examples of PS3.4 C.2.2.2 and a slow, literal reading of it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_mcp.standard.matching import (
    Comparison,
    Key,
    Record,
    is_universal,
    matcher,
    matches,
    record_matcher,
)
from dicom_mcp.standard.values import WILDCARD_VRS

TEXT_VRS = ["AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UI", "UR", "UT"]
NUMBER_VRS = ["DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"]
EVERY_VR = [*TEXT_VRS, *NUMBER_VRS, "AS", "AT", "DA", "DT", "TM"]
CASE_SENSITIVE = sorted(WILDCARD_VRS - {"PN"})


@pytest.mark.parametrize("vr", EVERY_VR)
@pytest.mark.parametrize("values", [[], [""], ["1"], ["a", "b"]])
def test_a_zero_length_key_matches_everything(vr: str, values: list[str]) -> None:
    assert matches(vr, "", values)  # C.2.2.2.3
    assert matches(vr, "  ", values)


@pytest.mark.parametrize("vr", EVERY_VR)
def test_nothing_but_a_universal_key_matches_an_absent_value(vr: str) -> None:
    for key in ("1", "20240101", "?", "?*", "20240101-", "-20240101", "-"):
        assert not matches(vr, key, [])
        assert not matches(vr, key, [""]) or is_universal(vr, key)


@pytest.mark.parametrize("vr", sorted(WILDCARD_VRS))
def test_an_asterisk_alone_is_universal(vr: str) -> None:
    assert matches(vr, "*", [])  # C.2.2.2.4, note 1
    assert matches(vr, "**", [""])
    assert matches(vr, "* ", ["anything"])


@pytest.mark.parametrize("vr", sorted({"DS", "IS", "UI", "AS", "US", "DA"}))
def test_where_no_wildcards_are_allowed_an_asterisk_is_only_a_character(vr: str) -> None:
    assert not matches(vr, "*", ["1"])  # C.2.2.2.4 lists the VRs
    assert not matches(vr, "1*", ["12"])


@pytest.mark.parametrize(
    ("vr", "key", "values", "expected"),
    [
        # Single value matching, C.2.2.2.1: exact, case counts everywhere but in names.
        ("LO", "Chest", ["Chest"], True),
        ("LO", "Chest", ["CHEST"], False),
        ("CS", "CT", ["CT"], True),
        ("CS", "CT", ["CTA"], False),
        ("SH", "A-1", ["A-1"], True),
        ("LO", "a", ["b", "a"], True),
        # A list is a list for UI only, C.2.2.2.2.
        ("CS", "CT\\MR", ["CT"], False),
        ("UI", "1.2\\1.3", ["1.3"], True),
        ("UI", "1.2\\1.3", ["1.30"], False),
        ("UI", "1.2\0", ["1.2"], True),
        # Padding, PS3.5 6.2.
        ("LO", "Chest ", [" Chest"], True),
        ("LT", " Chest", ["Chest"], False),
        ("ST", "Chest  ", ["Chest"], True),
        ("AE", " ARCHIVE", ["ARCHIVE "], True),
        # Wildcards, C.2.2.2.4.
        ("LO", "*est", ["Chest"], True),
        ("LO", "C?est", ["Chest"], True),
        ("LO", "C?est", ["Cest"], False),
        ("LO", "*", [""], True),
        ("LO", "Ch*st*", ["Chst"], True),
        ("UT", "*two\nlines*", ["has two\nlines in it"], True),
        ("LO", "a.c", ["abc"], False),
        # Numbers by value, C.2.2.2.1 with CP-2305.
        ("IS", "7", ["007"], True),
        ("IS", "+7", ["7"], True),
        ("DS", "1.50", ["1.5"], True),
        ("DS", "15e-1", ["1.5"], True),
        ("DS", "1.5", ["1.51"], False),
        ("US", "512", ["512"], True),
        ("IS", "seven", ["7"], False),
        # Dates, C.2.2.2.5.1.
        ("DA", "20240115", ["20240115"], True),
        ("DA", "20240115", ["2024.01.15"], True),
        ("DA", "20240101-20240131", ["20240131"], True),
        ("DA", "20240101 - 20240131", ["20240101"], True),
        ("DA", "20240101-20240131", ["20240201"], False),
        ("DA", "20240101-", ["20231231"], False),
        ("DA", "-20240101", ["20240101"], True),
        ("DA", "20240131-20240101", ["20240115"], False),
        ("DA", "20240101-", ["not a date"], False),
        # Times, C.2.2.2.5.2: a key stands for the period it names.
        ("TM", "10", ["1030"], True),
        ("TM", "10", ["105959.999999"], True),
        ("TM", "10", ["11"], False),
        ("TM", "1030", ["10"], False),
        ("TM", "10-11", ["115959"], True),
        ("TM", "10-1030", ["103059.5"], True),
        ("TM", "10-1030", ["1031"], False),
        ("TM", "-1030", ["000000"], True),
        ("TM", "10:30", ["103000"], True),
        ("TM", "220000-020000", ["230000"], False),
        # Date-times with and without offsets, C.2.2.2.5.3.
        ("DT", "2024", ["20240615120000"], True),
        ("DT", "2024-2025", ["20251231235959"], True),
        ("DT", "202401-", ["20240101"], True),
        ("DT", "20240101120000+0000", ["20240101130000+0100"], True),
        ("DT", "20240101120000-0500", ["20240101170000+0000"], True),
        ("DT", "20240101-0500-20240102-0500", ["20240101060000+0000"], True),
        ("DT", "20240101-0500-20240102-0500", ["20240101040000+0000"], False),
        ("DT", "20240101120000+0000", ["20240101120000"], True),
    ],
)
def test_keys_match_as_the_standard_describes(
    vr: str, key: str, values: list[str], expected: bool
) -> None:
    assert matches(vr, key, values) is expected


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("DOE^JANE", "Doe^Jane^^", True),
        ("doe^jane", "DOE^JANE", True),
        ("Doe", "Doe^Jane", False),
        ("Doe*", "Doe^Jane", True),
        ("Doe^*", "Doe", True),
        ("Doe^?*", "Doe", False),
        ("Doe^Jane^", "Doe^Jane", True),
        ("Doe^Jane", "Doe^Jane^M", False),
        ("*^Jane", "Doe^Jane^^Dr", False),
        # One group of the key is looked for in all three of the value, PS3.5 6.2.1.2.
        ("山田*", "Yamada^Tarou=山田^太郎=やまだ^たろう", True),
        ("*たろう", "Yamada^Tarou=山田^太郎=やまだ^たろう", True),
        ("yamada^tarou", "Yamada^Tarou=山田^太郎=やまだ^たろう", True),
        # With = group by group.
        ("=山田*", "Yamada^Tarou=山田^太郎", True),
        ("山田*=", "Yamada^Tarou=山田^太郎", False),
        ("Yamada*=山田*", "Yamada^Tarou=山田^太郎=やまだ^たろう", True),
        ("Yamada*=鈴木*", "Yamada^Tarou=山田^太郎", False),
        ("Yamada*=*", "Yamada^Tarou", True),
        ("=山田*", "Yamada^Tarou", False),
        ("^", "", True),
        ("*=*", "", True),
        # Letters of other scripts have cases too, and one letter has one spelling.
        ("МÜLLER", "мüller", True),
        ("Иванов*", "ИВАНОВ^Иван", True),
        ("Mu\u0308ller", "Müller", True),
        ("Müller", "Muller", False),
        ("M?ller", "Mu\u0308ller", True),
    ],
)
def test_names_match_by_group_and_without_regard_to_case(
    key: str, value: str, expected: bool
) -> None:
    assert matches("PN", key, [value]) is expected


def test_how_letters_are_compared_is_stated_by_the_caller() -> None:
    exact = Comparison(name_case=True)
    assert not matcher("PN", "DOE^JANE", comparison=exact)(["Doe^Jane"])
    assert matcher("PN", "Doe^*", comparison=exact)(["Doe^Jane"])
    plain = Comparison(name_accents=False)
    assert matcher("PN", "MULLER*", comparison=plain)(["Müller^Jürgen"])
    assert matcher("PN", "müller*", comparison=plain)(["Muller^Jurgen"])
    assert not matcher("PN", "かき", comparison=plain)(["がき"])
    lenient = Comparison(text_case=False)
    assert matcher("LO", "CHEST*", comparison=lenient)(["Chest pain"])
    assert matcher("LO", "CHEST", comparison=lenient)(["Chest"])
    assert not matcher("UI", "1.2", comparison=lenient)(["1.3"])


def test_many_wildcards_cost_no_more_than_a_few() -> None:
    assert not matches("LO", "*a" * 30 + "b", ["a" * 64])
    assert not matches("PN", "*a?" * 20 + "b", ["a" * 64])
    assert matches("LO", "*a" * 30 + "*", ["a" * 64])


LETTERS = st.text("abB.^", max_size=6)
PATTERNS = st.text("abB.*?", max_size=7)


@given(st.sampled_from(CASE_SENSITIVE), PATTERNS, st.lists(LETTERS, max_size=3))
def test_text_matches_where_a_letter_by_letter_reading_does(
    vr: str, key: str, values: list[str]
) -> None:
    universal = key.strip("*") == ""
    expected = universal or any(value and read(key, value) for value in values)
    assert matches(vr, key, values) is expected


@given(st.lists(PATTERNS, min_size=1, max_size=3), st.lists(LETTERS, min_size=1, max_size=3))
def test_names_match_where_a_letter_by_letter_reading_does(
    key: list[str], value: list[str]
) -> None:
    found = matches("PN", "=".join(key), ["=".join(value)])
    assert found is read_name(key, value)


@given(st.lists(st.sampled_from(["1.2", "1.20", "1.3", "2"]), min_size=1, max_size=4), st.data())
def test_a_list_of_uids_matches_each_of_them(uids: list[str], data: st.DataObject) -> None:
    value = data.draw(st.sampled_from(["1.2", "1.20", "1.3", "2", "1"]))
    assert matches("UI", "\\".join(uids), [value]) is (value in uids)


DAYS = st.dates().map(lambda day: f"{day:%Y%m%d}".zfill(8))


@given(DAYS, DAYS, DAYS)
def test_a_range_of_days_includes_both_its_ends(first: str, last: str, day: str) -> None:
    assert matches("DA", f"{first}-{last}", [day]) is (int(first) <= int(day) <= int(last))
    assert matches("DA", f"{first}-", [day]) is (int(first) <= int(day))
    assert matches("DA", f"-{last}", [day]) is (int(day) <= int(last))
    assert matches("DA", first, [day]) is (first == day)


def _clock(parts: tuple[int, int, int, str], kept: int) -> str:
    hour, minute, second, fraction = parts
    text = f"{hour:02}{minute:02}{second:02}"[: 2 * min(kept, 3)]
    return f"{text}.{fraction}" if kept == 4 else text


TIMES = st.builds(
    _clock,
    st.tuples(
        st.integers(9, 11),
        st.integers(0, 59),
        st.integers(0, 59),
        st.text("059", min_size=1, max_size=6),
    ),
    st.integers(1, 4),
)


@given(TIMES, TIMES, TIMES)
def test_a_time_key_stands_for_the_period_it_names(first: str, last: str, time: str) -> None:
    at = period(time)[0]
    assert matches("TM", first, [time]) is (period(first)[0] <= at < period(first)[1])
    assert matches("TM", f"{first}-{last}", [time]) is (period(first)[0] <= at < period(last)[1])
    assert matches("TM", f"{first}-", [time]) is (period(first)[0] <= at)
    assert matches("TM", f"-{last}", [time]) is (at < period(last)[1])


MOMENTS = st.integers(0, 4 * 86_400).map(
    lambda seconds: datetime(2023, 12, 30, tzinfo=UTC) + timedelta(seconds=seconds)
)
OFFSETS = st.integers(-12, 14)


@given(MOMENTS, OFFSETS, MOMENTS, OFFSETS, MOMENTS, OFFSETS)
def test_moments_with_an_offset_are_compared_in_universal_time(
    first: datetime, a: int, last: datetime, b: int, moment: datetime, c: int
) -> None:
    low, high, at = (
        one.replace(tzinfo=timezone(timedelta(hours=offset))).astimezone(UTC)
        for one, offset in ((first, a), (last, b), (moment, c))
    )
    first_text, last_text, text = (
        f"{one:%Y%m%d%H%M%S}{offset * 100:+05}"
        for one, offset in ((first, a), (last, b), (moment, c))
    )
    assert matches("DT", f"{first_text}-{last_text}", [text]) is (low <= at <= high)
    assert matches("DT", f"{first_text}-", [text]) is (low <= at)
    assert matches("DT", first_text, [text]) is (low == at)


@given(st.sampled_from(EVERY_VR), st.text(max_size=12), st.lists(st.text(max_size=12), max_size=2))
def test_a_list_matches_where_a_value_of_it_does_and_nothing_is_an_error(
    vr: str, key: str, values: list[str]
) -> None:
    assert matches(vr, key, values) is (
        any(matches(vr, key, [value]) for value in values) or (not values and matches(vr, key, []))
    )


@given(st.text("0123456789.+-", max_size=22), st.text("0123456789.+-", max_size=22))
def test_a_malformed_date_or_time_is_no_error_and_matches_itself(key: str, value: str) -> None:
    for vr in ("DA", "TM", "DT", "IS", "DS"):
        assert matches(vr, key, [value]) is matches(vr, key, [f" {value} ", value])
        assert "-" in value or matches(vr, value, [value])


STEP: Record = {
    "Modality": ["MR"],
    "ScheduledStationAETitle": ["MR1", "MR2"],
    "ScheduledProcedureStepStartDate": ["20240115"],
}
OTHER_STEP: Record = {
    "Modality": ["CT"],
    "ScheduledStationAETitle": ["CT1"],
    "ScheduledProcedureStepStartDate": ["20240116"],
}
ENTRY: Record = {
    "PatientName": ["Doe^Jane"],
    "ScheduledProcedureStepSequence": [STEP, OTHER_STEP],
}


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({"Modality": ("CS", "MR")}, True),
        ({"Modality": ("CS", "MR"), "ScheduledStationAETitle": ("AE", "MR2")}, True),
        # All keys have to match in one and the same item, C.2.2.2.6.
        ({"Modality": ("CS", "CT"), "ScheduledStationAETitle": ("AE", "MR2")}, False),
        ({"ScheduledProcedureStepStartDate": ("DA", "20240116-")}, True),
        ({"ScheduledProcedureStepStartDate": ("DA", "20240117-")}, False),
        ({}, True),
        ({"Modality": ("CS", "")}, True),
    ],
)
def test_a_sequence_matches_when_one_item_matches_all_its_keys(
    step: dict[str, Key], expected: bool
) -> None:
    keys: dict[str, Key] = {
        "PatientName": ("PN", "doe*"),
        "ScheduledProcedureStepSequence": step,
    }
    assert record_matcher(keys)(ENTRY) is expected


def test_universal_sequence_keys_match_a_record_without_the_sequence() -> None:
    without: Record = {"PatientName": ["Doe^Jane"]}
    asks: dict[str, Key] = {"ScheduledProcedureStepSequence": {"Modality": ("CS", "")}}
    assert record_matcher(asks)(without)
    asks = {"ScheduledProcedureStepSequence": {"Modality": ("CS", "MR")}}
    assert not record_matcher(asks)(without)


def test_every_key_of_a_record_has_to_match() -> None:
    record: Record = {"Modality": ["MR"], "StudyDate": ["20240115"]}
    assert record_matcher({"Modality": ("CS", "M?"), "StudyDate": ("DA", "2024-")}) is not None
    assert record_matcher({"Modality": ("CS", "M?"), "StudyDate": ("DA", "20240101-")})(record)
    assert not record_matcher({"Modality": ("CS", "CT"), "StudyDate": ("DA", "")})(record)
    assert not record_matcher({"AccessionNumber": ("SH", "1")})(record)
    assert record_matcher({"AccessionNumber": ("SH", "")})(record)


def read(key: str, value: str) -> bool:
    """C.2.2.2.4 letter by letter."""
    if not key:
        return not value
    if key[0] == "*":
        return any(read(key[1:], value[i:]) for i in range(len(value) + 1))
    return bool(value) and key[0] in ("?", value[0]) and read(key[1:], value[1:])


def read_name(key: Sequence[str], value: Sequence[str]) -> bool:
    """The rules for names of the module under test, letter by letter."""
    keys = [group.rstrip("^").lower() for group in key]
    values = [group.rstrip("^").lower() for group in value]
    if all(group.strip("*") == "" for group in keys):
        return True
    if len(keys) == 1:
        return any(group and read(keys[0], group) for group in values)
    values += [""] * (len(keys) - len(values))
    return all(
        asked.strip("*") == "" or (bool(group) and read(asked, group))
        for asked, group in zip(keys, values, strict=False)
    )


def period(time: str) -> tuple[Fraction, Fraction]:
    """The seconds of the day at which the period a TM names begins and ends (C.2.2.2.5.2)."""
    digits, _, fraction = time.partition(".")
    fields = [int(digits[i : i + 2]) for i in range(0, len(digits), 2)]
    begin = sum((Fraction(field * 60 ** (2 - i)) for i, field in enumerate(fields)), Fraction(0))
    if not fraction:
        return begin, begin + 60 ** (3 - len(fields))
    unit = Fraction(1, 10 ** len(fraction))
    begin += int(fraction) * unit
    return begin, begin + unit
