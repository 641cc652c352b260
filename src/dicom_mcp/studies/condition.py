"""Conditions DICOM has no key for: an age is over 60, a value is empty, does not contain, is longer
than. They are compared here, each value by the rules of its VR, and never by another's: what
cannot be compared with a value is refused, and a value that cannot be compared is neither."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ..errors import BadArgument
from ..standard.dictionary import attribute
from ..standard.entities import level_of
from ..standard.levels import Level
from ..standard.query import Match, texts
from ..standard.values import shown
from ..words import quantity
from .relation import refused, split
from .wording import Wording

# What a value is compared with, three ways: None when it can't be told.
type Test = Callable[[Mapping[str, Sequence[str]]], bool | None]

# What an age is told by.
AGE = ("PatientAge", "PatientBirthDate", "StudyDate")

# Of these everything has a value, written or not: a lack of it is a doubt.
_OF_EVERYTHING = frozenset({Level.PATIENT, Level.STUDY})


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on one attribute, compared here. A text that is absent is empty; a quantity that
    is absent is neither more nor less. `said` is how it was understood; `is_negative` says that it
    is told of all values: "is not CT" is true where none is."""

    text: str
    keyword: str
    level: Level
    reads: tuple[str, ...]
    said: str
    is_negative: bool
    _test: Test

    @classmethod
    def of(cls, text: str, *, today: date) -> "Condition":
        """From words such as "AccessionNumber is empty". Raises BadArgument for other ones, with
        the nearest form that is right."""
        keyword, relation, operand = split(text)
        found = attribute(keyword)
        assert found is not None
        if found.vr == "SQ":
            raise BadArgument(f"{keyword} is a sequence", "Use one of its attributes")
        positive = relation.removeprefix("not ")
        is_negative = relation != positive
        if positive == "present":
            positive, is_negative = "empty", not is_negative
        if positive == "empty":
            said, test = "is empty", _is_empty(keyword)
        elif found.vr in quantity.QUANTITIES:
            said, test = _measured(keyword, found.vr, positive, operand, today=today, text=text)
        else:
            wording = Wording.of(keyword, found.vr, positive, operand, text=text)
            said, test = wording.said, _worded(keyword, wording)
        return cls(
            text,
            keyword,
            level_of(keyword),
            AGE if keyword == "PatientAge" and positive != "empty" else (keyword,),
            f"{keyword} {_negated(said) if is_negative else said}",
            is_negative,
            _inverted(test) if is_negative else test,
        )

    def holds(self, match: Match) -> bool | None:
        """Whether this match fulfils it; None when its values cannot tell."""
        return self._test({keyword: texts(match.get(keyword, "")) for keyword in self.reads})

    @property
    def doubts_what_is_absent(self) -> bool:
        """Whether a value that is absent exists all the same, as everybody's age does."""
        return self.level in _OF_EVERYTHING

    def is_told(self, absent: set[str]) -> bool:
        """Whether an archive tells enough for it that does not return the absent attributes."""
        return told(self.reads, absent)


def told(reads: Sequence[str], absent: set[str]) -> bool:
    """Whether what is read came: the first, or in its place all of the others."""
    return reads[0] not in absent or (len(reads) > 1 and not absent & {*reads[1:]})


def _is_empty(keyword: str) -> Test:
    return lambda record: not record[keyword]


def _worded(keyword: str, wording: Wording) -> Test:
    return lambda record: wording.holds(record[keyword])


def _inverted(test: Test) -> Test:
    def inverted(record: Mapping[str, Sequence[str]]) -> bool | None:
        result = test(record)
        return None if result is None else not result

    return inverted


def _negated(said: str) -> str:
    if said.startswith("is "):
        return f"is not {said[3:]}"
    verb, _, rest = said.partition(" ")
    return f"does not {verb.removesuffix('s')} {rest}" if verb.endswith("s") else f"not {said}"


# Quantities -------------------------------------------------------------------------------------

# Words that mean one thing of an age and another of a day: who is older was born before.
_OF_AGE = {"older": "more", "younger": "less"}
_OF_DAYS = {"older": "less", "younger": "more", "newer": "more", "before": "less", "after": "more"}
_OF_NUMBERS = {"longer": "more", "shorter": "less"}

_LIMITS: dict[str, Callable[[quantity.Span, quantity.Span], quantity.Span]] = {
    "is": lambda span, _: span,
    "more": lambda span, _: quantity.above(span),
    "less": lambda span, _: quantity.below(span),
    "at least": lambda span, _: (span[0], float("inf")),
    "at most": lambda span, _: (float("-inf"), span[1]),
    "between": lambda span, other: (span[0], other[1]),
}
_WORDS = {"more": "more than", "less": "less than"}
_WORDS_OF_DAYS = {"more": "after", "less": "before", "at least": "from", "at most": "up to"}


def _measured(
    keyword: str, vr: str, relation: str, operand: str, *, today: date, text: str
) -> tuple[str, Test]:
    """How a comparison of ages, days, times or numbers is understood, and the test."""
    synonyms = {"AS": _OF_AGE, "DA": _OF_DAYS, "DT": _OF_DAYS, "TM": _OF_DAYS}.get(vr, _OF_NUMBERS)
    relation = synonyms.get(relation, relation)
    if relation not in _LIMITS or not operand:
        raise refused(text, f"{keyword} has no such comparison")
    if vr in quantity.DAYS and relation == "between" and not _TWO.search(operand):
        relation = "is"  # 2026-01, 20260101-20260131
    if relation != "between" and _ANOTHER.search(operand):
        why = "it has more than one comparison"
        raise refused(text, why, "Give each as an item of its own, or ask: between A and B")
    read = _reader(keyword, vr, today, text)
    tests: list[tuple[str, Test]] = []
    for end in _alternatives(operand) if relation == "is" else [operand]:
        low, high = _ends(end) if relation == "between" else (end, end)
        (span, written, test), (other, written_other, _) = read(low), read(high)
        if vr == "AS" and written.split()[1][:1] != written_other.split()[1][:1]:
            raise refused(text, "the ends have different units", "Write both in one unit")
        limits = _LIMITS[relation](
            _instant(span) if vr == "TM" and relation != "is" else span, other
        )
        if relation == "between":
            written = f"{written.partition('-')[0]} and {written_other.rpartition('-')[2]}"
        elif vr in quantity.DAYS and relation != "is":
            first, _, last = written.partition("-")
            written = first if relation in ("less", "at least") else last or first
        if limits[0] <= limits[1]:
            tests.append((written, test(limits)))
        elif vr == "TM" and relation == "between":  # over midnight
            early, late = (limits[0], float("inf")), (float("-inf"), limits[1])
            tests.append((written, _either([test(early), test(late)])))
        else:
            raise refused(text, f"{shown(low)} is more than {shown(high)}")
    said = " or ".join(said for said, _ in tests)
    words = _WORDS_OF_DAYS if vr in quantity.DAYS else _WORDS
    said = f"{'' if relation == 'is' else 'is '}{words.get(relation, relation)} {said}"
    if keyword == "PatientAge":
        said += " (by birth date on the study's date where no age is written)"
    return said, _either([test for _, test in tests])


type _Read = Callable[[str], tuple[quantity.Span, str, Callable[[quantity.Span], Test]]]


def _reader(keyword: str, vr: str, today: date, text: str) -> _Read:
    """What reads an operand: its span, how it is written, and the test of a value by limits."""

    def by_value(limits: quantity.Span) -> Test:
        return _by_value(keyword, quantity.READ[vr], limits)

    def read(operand: str) -> tuple[quantity.Span, str, Callable[[quantity.Span], Test]]:
        operand = operand.strip(" \"'")
        if vr == "AS":
            age = quantity.age(operand)
            if age is None:
                raise refused(text, f"{shown(operand)} is no age", "Write it as 60 or 18 months")
            unit = age.unit
            return (age.count, age.count), str(age), lambda limits: _by_age(unit, limits)
        if vr == "TM":
            time = quantity.time_of_day(operand)
            if time is None:
                raise refused(text, f"{shown(operand)} is no time of day", "Write it as 18:00")
            return *time, by_value
        if vr in quantity.DAYS:
            return *quantity.days(operand, today=today, argument="where"), by_value
        return *quantity.amount(operand, keyword, vr, argument="where"), by_value

    return read


def _instant(span: quantity.Span) -> quantity.Span:
    """After 18:00 is after the first instant of it, not after its minute."""
    return span[0], span[0]


def _by_age(unit: str, limits: quantity.Span) -> Test:
    def test(record: Mapping[str, Sequence[str]]) -> bool | None:
        span = quantity.age_of(record, unit)
        return None if span is None else quantity.within(span, limits)

    return test


def _by_value(
    keyword: str, read: Callable[[str], quantity.Span | None], limits: quantity.Span
) -> Test:
    def test(record: Mapping[str, Sequence[str]]) -> bool | None:
        spans = [read(value) for value in record[keyword]]
        results = [quantity.within(span, limits) if span else None for span in spans]
        return True if True in results else None if None in results or not results else False

    return test


def _either(tests: Sequence[Test]) -> Test:
    def test(record: Mapping[str, Sequence[str]]) -> bool | None:
        results = [test(record) for test in tests]
        return True if True in results else None if None in results else False

    return test


# Another comparison within an operand; "between" has an "and" of its own.
_ANOTHER = re.compile(r"[<>=≤≥]|\b(?:and|but|und|aber)\b", re.IGNORECASE)
_TWO = re.compile(r" (?:and|to|until|till|und|bis) |\.\.|–|—", re.IGNORECASE)


def _ends(operand: str) -> tuple[str, str]:
    for pattern in (r"(.+?) (?:and|to|until|till|und|bis) (.+)", r"(.+?) ?(?:\.\.|–|—|-) ?(.+)"):
        if found := re.fullmatch(pattern, operand, re.IGNORECASE):
            unit = re.fullmatch(r"[\d.,]+( ?[^\W\d]+)", found[2])  # between 6 and 18 months
            bare = unit and re.fullmatch(r"[\d.,]+", found[1])
            return f"{found[1]}{unit[1]}" if unit and bare else found[1], found[2]
    raise BadArgument(f"where={shown(operand)} has one end", "Write: between A and B")


def _alternatives(operand: str) -> list[str]:
    operand = re.sub(r"^(?:one of|any of|either|in) ", "", operand, flags=re.IGNORECASE)
    return re.split(r",? or |, ", operand.strip(" ()[]"), flags=re.IGNORECASE)
