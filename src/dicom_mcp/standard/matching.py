"""Attribute matching (PS3.4 C.2.2.2): does a record answer a key?

A key is compiled once and then asked of every record. Where the standard leaves a choice, it was
made as follows.

- Letters are compared as `Comparison` says: by default names (PN) without regard to case, and all
  other text exactly (C.2.2.2.1, C.2.2.2.4). Canonically equivalent spellings are the same letter.
- A name key without `=` is compared with each of the value's component groups, one with `=` group
  by group; an empty group of the key asks for nothing. Trailing empty components are padding.
- A date, time or date-time key stands for the whole period it names ("10" is 10:00 to 10:59), a
  value for the first instant it names (C.2.2.2.1, C.2.2.2.5). Offsets from UTC count when both
  sides have one. DA and TM are matched separately: combined matching must be negotiated.
- Numbers (IS, DS and the binary ones) are compared by value: "007" is 7 (since CP-2305
  C.2.2.2.1 leaves it to the implementation).
- An attribute with several values matches when one of them does. A key with several values is a
  list only for UI (C.2.2.2.2); for other VRs multiple value matching must be negotiated, and
  unnegotiated no value contains a backslash, so that nothing matches.
- An attribute that is absent or has no value answers universal keys only. `*` alone is universal
  (C.2.2.2.4), and so are `**` and a name key whose every group is; `?*` is not.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from .values import RANGE_VRS, WILDCARD_VRS


@dataclass(frozen=True, slots=True)
class Comparison:
    """Which differences between letters count, where PS3.4 C.2.2.2.1 leaves it open.

    `text_case=False` goes beyond the standard, for archives that ignore case in all text.
    """

    name_case: bool = False
    name_accents: bool = True
    text_case: bool = True


BY_THE_STANDARD = Comparison()

# Answers whether an attribute with these values (none if absent or empty) matches.
type Predicate = Callable[[Sequence[str]], bool]

# A key of an identifier: VR and text, or the key's sequence item (empty: universal).
type Key = tuple[str, str] | Mapping[str, "Key"]

# What a record holds, by keyword: the values of an attribute, or the items of a sequence.
type Record = Mapping[str, Sequence[str] | Sequence["Record"]]


def matches(vr: str, key: str, values: Sequence[str]) -> bool:
    """Whether an attribute of this VR with these values answers the key (PS3.4 C.2.2.2).

    `key` is the key's text as sent, `values` the attribute's values as text, none if it is absent
    or empty. Never raises: a key that its VR does not allow is compared literally.
    """
    return matcher(vr, key)(values)


def matcher(vr: str, key: str, *, comparison: Comparison = BY_THE_STANDARD) -> Predicate:
    """The compiled key: a function of an attribute's values. Everything else as in `matches`."""
    key = significant(vr, key)
    if is_universal(vr, key):
        return _everything
    if vr == "UI":
        return _one_of(frozenset(significant(vr, uid) for uid in key.split("\\")))
    if vr == "PN":
        return _name(key, comparison)
    if vr in RANGE_VRS:
        return _period(vr, key)
    if vr in _NUMBERS:
        return _number(key)
    return _text(vr, key, comparison)


def record_matcher(
    keys: Mapping[str, Key], *, comparison: Comparison = BY_THE_STANDARD
) -> Callable[[Record], bool]:
    """The compiled identifier: a function of a record, true when every key matches.

    A sequence key matches when one item of the record's sequence matches all of its keys; a key
    item that is empty or of universal keys only matches whatever the record has (PS3.4 C.2.2.2.6).
    """
    plain: list[tuple[str, Predicate]] = []
    nested: list[tuple[str, Callable[[Record], bool]]] = []
    for keyword, key in keys.items():
        if isinstance(key, tuple):
            predicate = matcher(*key, comparison=comparison)
            if predicate is not _everything:
                plain.append((keyword, predicate))
        elif _asks(key):
            nested.append((keyword, record_matcher(key, comparison=comparison)))

    def match(record: Record) -> bool:
        for keyword, predicate in plain:
            values = record.get(keyword, ())
            if not predicate([value for value in values if isinstance(value, str)]):
                return False
        for keyword, item_matches in nested:
            items = record.get(keyword, ())
            if not any(item_matches(item) for item in items if not isinstance(item, str)):
                return False
        return True

    return match


def is_universal(vr: str, key: str) -> bool:
    """Whether the key matches every record, those without a value too (PS3.4 C.2.2.2.3, .4)."""
    key = significant(vr, key)
    if vr == "PN":
        return all(_group(part).strip("*") == "" for part in key.split("="))
    if vr in WILDCARD_VRS:
        return key.strip("*") == ""
    return key == ""


def significant(vr: str, text: str) -> str:
    """A value without the padding that its VR declares insignificant (PS3.5 6.2)."""
    if vr in _LEADING_SPACES_COUNT:
        return text.rstrip(" \0")
    return text.strip(" \0")


# PS3.5 6.2: VRs in which leading spaces are significant and only trailing ones are padding.
_LEADING_SPACES_COUNT = frozenset({"LT", "ST", "UC", "UT"})

_NUMBERS = frozenset({"DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"})
_NUMBER = re.compile(r"[+-]?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", re.ASCII)

# PS3.5 6.2, with the separators of ACR-NEMA 300 that old objects still have.
_DATE = re.compile(r"([0-9]{4})\.?([0-9]{2})\.?([0-9]{2})", re.ASCII)
_TIME = re.compile(
    r"([0-9]{2})(?::?([0-9]{2})(?::?([0-9]{2})(?:\.([0-9]{1,6}))?)?)?",
    re.ASCII,
)
_DATE_TIME = re.compile(
    r"([0-9]{4}(?:[0-9]{2}){0,4})(?:([0-9]{2})(?:\.([0-9]{1,6}))?)?([+-][0-9]{4})?",
    re.ASCII,
)
# A hyphen with four digits up to 1200 is an offset from UTC, not the end of a range: no year of
# an image is that early, and no offset is larger (PS3.5 6.2, DT).
_DATE_TIME_RANGE = re.compile(r"(.*?(?:-(?:0[0-9]|1[01])[0-9]{2}|-1200)?)-(.*)", re.ASCII)

# What the missing digits of YYYYMMDDHHMMSSFFFFFF are at the beginning and at the end of a period.
_FIRST = "00000101000000000000"
_LAST = "99991231235959999999"


def _everything(values: Sequence[str]) -> bool:  # noqa: ARG001 - one shape for every key
    return True


def _asks(keys: Mapping[str, Key]) -> bool:
    return any(
        not is_universal(*key) if isinstance(key, tuple) else _asks(key) for key in keys.values()
    )


def _one_of(uids: frozenset[str]) -> Predicate:
    uids -= {""}
    return lambda values: any(value in uids or value.strip(" \0") in uids for value in values)


def _text(vr: str, key: str, comparison: Comparison) -> Predicate:
    key = _canonical(key)
    if comparison.text_case and not (vr in WILDCARD_VRS and _has_wildcard(key)):
        return lambda values: any(
            value == key or _canonical(significant(vr, value)) == key for value in values
        )
    pattern = _pattern(key, wildcards=vr in WILDCARD_VRS, case=comparison.text_case)

    def match(values: Sequence[str]) -> bool:
        for value in values:
            text = significant(vr, value)
            if text and pattern(_canonical(text)):
                return True
        return False

    return match


def _name(key: str, comparison: Comparison) -> Predicate:
    groups = [_group(part) for part in key.split("=")]
    patterns = [_name_pattern(group, comparison) for group in groups]
    if len(patterns) == 1:
        alone = patterns[0]
        return lambda values: any(alone(part) for value in values for part in value.split("="))
    asked = [(i, p) for i, p in enumerate(patterns) if groups[i].strip("*")]

    def match(values: Sequence[str]) -> bool:
        for value in values:
            parts = value.split("=")
            if all(i < len(parts) and pattern(parts[i]) for i, pattern in asked):
                return True
        return False

    return match


def _name_pattern(group: str, comparison: Comparison) -> Callable[[str], bool]:
    accents = comparison.name_accents
    letters = _canonical if accents else _without_accents
    pattern = _pattern(letters(group), wildcards=True, case=comparison.name_case)
    carets = group.count("^")

    def match(part: str) -> bool:
        part = _group(part)
        if not part:
            return False
        # Components the value leaves out at its end are empty, not absent: Doe^* finds Doe.
        return bool(pattern(letters(part) + "^" * (carets - part.count("^"))))

    return match


def _group(part: str) -> str:
    """A component group without its padding and trailing empty components (PS3.5 6.2.1)."""
    return part.strip(" \0").rstrip(" ^")


def _canonical(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    # Combining Diacritical Marks only: the voicing marks of kana make other letters.
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not "\u0300" <= c <= "\u036f")
    return unicodedata.normalize("NFC", bare)


def _has_wildcard(key: str) -> bool:
    return "*" in key or "?" in key


def _pattern(key: str, *, wildcards: bool, case: bool) -> Callable[[str], object]:
    """The key as a regular expression that never backtracks over an earlier `*`."""
    flags = re.DOTALL if case else re.DOTALL | re.IGNORECASE
    if not wildcards:
        return re.compile(re.escape(key), flags).fullmatch
    first, *others = (
        "".join("." if c == "?" else re.escape(c) for c in part) for part in re.split(r"\*+", key)
    )
    if not others:
        return re.compile(first, flags).fullmatch
    between = "".join(f"(?>.*?{part})" for part in others[:-1])
    return re.compile(f"{first}{between}.*{others[-1]}", flags).fullmatch


def _number(key: str) -> Predicate:
    if not _NUMBER.fullmatch(key):
        return lambda values: any(value.strip(" \0") == key for value in values)
    number = Decimal(key)

    def match(values: Sequence[str]) -> bool:
        for value in values:
            text = value.strip(" \0")
            if text == key or (_NUMBER.fullmatch(text) and Decimal(text) == number):
                return True
        return False

    return match


def _period(vr: str, key: str) -> Predicate:
    period = _PERIOD[vr]
    ends = _ends(vr, key)
    spans = [period(end) for end in ends if end]
    if not spans or None in spans:
        return lambda values: any(value.strip(" \0") == key for value in values)
    low = spans[0] if ends[0] else None
    high = spans[-1] if ends[-1] else None

    def match(values: Sequence[str]) -> bool:
        for value in values:
            span = period(value.strip(" \0"))
            if (
                span is not None
                and (low is None or _not_after(low[0], span[0]))
                and (high is None or _not_after(span[0], high[1]))
            ):
                return True
        return False

    return match


def _ends(vr: str, key: str) -> tuple[str, str]:
    """Both ends of a range, `""` where it is open; a single value is both of its ends."""
    if vr == "DT":
        if _DATE_TIME.fullmatch(key) and not _is_range_of_years(key):
            return key, key
        found = _DATE_TIME_RANGE.fullmatch(key.replace(" ", ""))
        return (found[1], found[2]) if found else (key, key)
    first, hyphen, last = key.partition("-")
    return (first.strip(), last.strip()) if hyphen else (key, key)


def _is_range_of_years(key: str) -> bool:
    return key[-5:-4] == "-" and key[-4:] > "1200"


# An instant: digits of YYYYMMDDHHMMSSFFFFFF (or of its part that the VR has), and the offset from
# UTC in minutes if one was written.
type _Instant = tuple[str, int | None]
type _Span = tuple[_Instant, _Instant]


def _date(text: str) -> _Span | None:
    found = _DATE.fullmatch(text)
    return _span("".join(found.groups()), 0, 8, None) if found else None


def _time(text: str) -> _Span | None:
    found = _TIME.fullmatch(text)
    return _span("".join(part or "" for part in found.groups()), 8, 20, None) if found else None


def _date_time(text: str) -> _Span | None:
    found = _DATE_TIME.fullmatch(text)
    if not found:
        return None
    *digits, offset = found.groups()
    minutes = None
    if offset:
        minutes = (int(offset[1:3]) * 60 + int(offset[3:])) * (-1 if offset[0] == "-" else 1)
    return _span("".join(part or "" for part in digits), 0, 20, minutes)


_PERIOD: dict[str, Callable[[str], _Span | None]] = {
    "DA": _date,
    "TM": _time,
    "DT": _date_time,
}


def _span(digits: str, start: int, end: int, offset: int | None) -> _Span:
    at = start + len(digits)
    return (digits + _FIRST[at:end], offset), (digits + _LAST[at:end], offset)


def _not_after(instant: _Instant, other: _Instant) -> bool:
    (digits, offset), (other_digits, other_offset) = instant, other
    if offset == other_offset or offset is None or other_offset is None:
        return digits <= other_digits
    return _utc(digits, offset) <= _utc(other_digits, other_offset)


def _utc(digits: str, offset: int) -> str:
    try:
        # The last day a period may name is the 31st of any month, which not every month has.
        moment = datetime.strptime(digits[:6] + "01" + digits[8:12], "%Y%m%d%H%M")  # noqa: DTZ007
        moment += timedelta(days=int(digits[6:8]) - 1, minutes=-offset)
    except (ValueError, OverflowError):
        return digits
    return f"{moment:%Y%m%d%H%M}".zfill(12) + digits[12:]
