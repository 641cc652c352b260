"""Values of which one can be more than another: ages, days, times of day and numbers (PS3.5 6.2).

Each value is a span, from the least to the most that it may be: "1960" is a year of days, and
`001Y` is 12 to 23 months. A comparison with a span has three results: True, False, and None where
the value is not told exactly enough, or cannot be read.
"""

import math
import re
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ..errors import BadArgument
from ..standard.values import decimal_number, shown
from .days import day_range

type Span = tuple[float, float]

# Numbers in binary carry no more digits than this when they are read as text.
_FLOATS = frozenset({"FL", "FD"})
NUMBERS = frozenset({"DS", "IS", "SL", "SS", "SV", "UL", "US", "UV", *_FLOATS})
DAYS = frozenset({"DA", "DT"})
QUANTITIES = frozenset({"AS", "TM", *DAYS, *NUMBERS})


def within(value: Span, limits: Span) -> bool | None:
    """Whether all that the value may be lies within limits; None when only some of it does."""
    if limits[0] <= value[0] and value[1] <= limits[1]:
        return True
    return False if value[1] < limits[0] or value[0] > limits[1] else None


def above(span: Span) -> Span:
    """What is more than all of a span."""
    return math.nextafter(span[1], math.inf), math.inf


def below(span: Span) -> Span:
    """What is less than all of a span."""
    return -math.inf, math.nextafter(span[0], -math.inf)


# Ages -------------------------------------------------------------------------------------------

_AGE = re.compile(
    r"([0-9]{1,3}(?:[.,][0-9]+)?)[ -]?(y|m|w|d|yrs?|years?|months?|weeks?|days?|yo|y/o|jahre?|"
    r"monate?|wochen?|tage?)?(?:[ -]?(?:old|alt|of age))?",
    re.IGNORECASE,
)
_IN_WORDS = {"Y": "years", "M": "months", "W": "weeks", "D": "days"}
_UNIT_OF = {"j": "Y", "t": "D"}  # Jahre, Tage
_MONTHS_OF = {"Y": 12, "M": 1}


@dataclass(frozen=True, slots=True)
class Age:
    """So many completed units of a lifetime: years unless written otherwise."""

    count: int
    unit: str

    def __str__(self) -> str:
        return f"{self.count} {_IN_WORDS[self.unit].removesuffix('s' if self.count == 1 else '')}"


def age(text: str) -> Age | None:
    """An age as people write it: 60, 18 months, 1.5 years, 010D; None for what is none."""
    found = _AGE.fullmatch(re.sub(r"(?i)^(?:an?|one) ", "1 ", text.strip()))
    if not found:
        return None
    letter = (found[2] or "y")[0].lower()
    unit = _UNIT_OF.get(letter, letter.upper())
    count = float(found[1].replace(",", "."))
    if unit == "Y" and count % 1:
        count, unit = count * 12, "M"
    return Age(int(count), unit) if count == int(count) else None


def age_of(record: Mapping[str, Sequence[str]], unit: str) -> Span | None:
    """How many completed units old the patient was at the study: by PatientAge as scanners write
    it (`042Y`, `42Y`, `42`), or by birth and study date where that is absent or too coarse."""
    written = age("".join(record.get("PatientAge", ())))
    span = _in_units(written.count, written.unit, unit) if written else None
    if span and span[0] == span[1]:
        return span
    born, studied = (
        _one_day("".join(record.get(keyword, ()))) for keyword in ("PatientBirthDate", "StudyDate")
    )
    if not born or not studied or studied < born:
        return span
    return _lived(born, studied, unit)


def _lived(born: date, until: date, unit: str) -> Span:
    days = (until - born).days
    if unit in ("D", "W"):
        count = days // 7 if unit == "W" else days
    else:
        months = (until.year - born.year) * 12 + until.month - born.month
        months -= until.day < min(born.day, monthrange(until.year, until.month)[1])
        count = months // _MONTHS_OF[unit]
    return count, count


def _in_units(count: int, unit: str, wanted: str) -> Span:
    """Completed units as completed units of another kind."""
    if unit == wanted:
        return count, count
    if unit in _MONTHS_OF and wanted in _MONTHS_OF:
        return (count // 12, count // 12) if unit == "M" else (count * 12, count * 12 + 11)
    least, most = {
        "Y": (365 * count, 366 * (count + 1) - 1),
        "M": (28 * count, 31 * (count + 1) - 1),
        "W": (7 * count, 7 * count + 6),
        "D": (count, count),
    }[unit]
    longest, shortest = {"Y": (366, 365), "M": (31, 28), "W": (7, 7), "D": (1, 1)}[wanted]
    return least // longest, most // shortest


# Days -------------------------------------------------------------------------------------------

_DAY = re.compile(r"([0-9]{4})[.-]?(?:([0-9]{2})[.-]?(?:([0-9]{2})[0-9.+ -]*)?)?")


def _one_day(text: str) -> date | None:
    span = day(text)
    return date.fromordinal(int(span[0])) if span and span[0] == span[1] else None


def day(text: str) -> Span | None:
    """The days a DA or DT value may mean; a year alone, or a month `00`, is all of its days."""
    found = _DAY.fullmatch(text.strip(" \0"))
    if not found:
        return None
    year, month, number = (int(part or 0) for part in found.groups())
    try:
        first = date(year, month or 1, number if month and number else 1)
        last = date(
            year,
            month or 12,
            number if month and number else monthrange(year, month or 12)[1],
        )
    except ValueError:
        return None
    return first.toordinal(), last.toordinal()


def days(phrase: str, *, today: date, argument: str) -> tuple[Span, str]:
    """The days a phrase means, and how they are written (YYYYMMDD-YYYYMMDD). Raises BadArgument
    for no date."""
    if re.fullmatch(r"\d+ (?:day|week|month|quarter|year)s?", phrase.strip().lower()):
        phrase = f"{phrase} ago"
    written = day_range(phrase, today=today, argument=argument)
    first, hyphen, last = written.partition("-")
    ends = [day(end) for end in (first, last if hyphen else first)]
    low, high = ends[0], ends[1]
    return (low[0] if low else -math.inf, high[1] if high else math.inf), written


# Times of day -----------------------------------------------------------------------------------

_TIME = re.compile(
    r"(?:at )?([0-9]{1,2})(?:[:.h]?([0-9]{2})(?:[:.]?([0-9]{2})(?:\.[0-9]+)?)?)? ?"
    r"(am|pm|a\.m\.|p\.m\.|uhr|h|o'clock)?",
    re.IGNORECASE,
)
_TIME_VALUE = re.compile(r"([0-9]{2})(?::?([0-9]{2})(?::?([0-9]{2})(\.[0-9]{1,6})?)?)?")
_TIME_WORDS = {"noon": "12:00", "midday": "12:00", "midnight": "00:00"}


def time(text: str) -> Span | None:
    """Seconds since midnight of a TM value, which stands for the first instant it names."""
    found = _TIME_VALUE.fullmatch(text.strip(" \0"))
    if not found:
        return None
    at = int(found[1]) * 3600 + int(found[2] or 0) * 60 + int(found[3] or 0) + float(found[4] or 0)
    return (at, at) if int(found[1]) < 24 else None


def time_of_day(text: str) -> tuple[Span, str] | None:
    """A time as people write it (18:00, 6 pm, 7), as the period that it names."""
    text = text.strip().lower()
    found = _TIME.fullmatch(_TIME_WORDS.get(text, text))
    if not found:
        return None
    hour, minute, second = (int(part or 0) for part in found.groups()[:3])
    half = (found[4] or "")[:1]
    if half in ("a", "p") and not 1 <= hour <= 12:
        return None
    hour = hour % 12 + 12 * (half == "p") if half in ("a", "p") else hour
    if hour > 24 or minute > 59 or second > 59 or (hour == 24 and minute + second):
        return None
    first = hour * 3600 + minute * 60 + second
    length = 1 if found[3] else 60 if found[2] else 3600
    return (first, math.nextafter(first + length, 0)), f"{hour:02}:{minute:02}:{second:02}"


# Numbers ----------------------------------------------------------------------------------------

# What each unit is of its kind's base; and the units of attributes (PS3.3 C.7.1 to C.8).
_UNITS: dict[str, dict[str, float]] = {
    "length": {
        **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres"), 1),
        **dict.fromkeys(("cm", "centimeter", "centimeters", "centimetre", "centimetres"), 10),
        **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), 1000),
        **dict.fromkeys(("µm", "um"), 0.001),
    },
    "duration": {
        **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1),
        **dict.fromkeys(("s", "sec", "second", "seconds"), 1000),
        **dict.fromkeys(("min", "minute", "minutes"), 60000),
        "µs": 0.001,
    },
    "mass": {**dict.fromkeys(("kg", "kilo", "kilos", "kilogram", "kilograms"), 1), "g": 0.001},
    "voltage": {"kv": 1, "kvp": 1, "v": 0.001},
    "current": {"ma": 1, "a": 1000, "µa": 0.001},
    "charge": {"mas": 1},
    "field": {"t": 1, "tesla": 1, "mt": 0.001},
    "dose": {"mgy": 1, "gy": 1000, "µgy": 0.001},
    "angle": {"°": 1, "deg": 1, "degrees": 1},
    "activity": {"bq": 1, "kbq": 1e3, "mbq": 1e6, "gbq": 1e9},
}
_MEASURED: dict[str, tuple[str, str]] = {
    **dict.fromkeys(
        (
            *("SliceThickness", "SpacingBetweenSlices", "SliceLocation", "PixelSpacing"),
            *("ImagerPixelSpacing", "ReconstructionDiameter", "DataCollectionDiameter"),
            *("TableHeight", "BodyPartThickness", "DistanceSourceToDetector"),
            "DistanceSourceToPatient",
        ),
        ("length", "mm"),
    ),
    **dict.fromkeys(
        (
            *("RepetitionTime", "EchoTime", "InversionTime", "ExposureTime", "FrameTime"),
            *("ActualFrameDuration", "TriggerTime"),
        ),
        ("duration", "ms"),
    ),
    "PatientSize": ("length", "m"),
    "PatientWeight": ("mass", "kg"),
    "KVP": ("voltage", "kV"),
    "XRayTubeCurrent": ("current", "mA"),
    "Exposure": ("charge", "mAs"),
    "MagneticFieldStrength": ("field", "T"),
    "CTDIvol": ("dose", "mGy"),
    "GantryDetectorTilt": ("angle", "°"),
    "FlipAngle": ("angle", "°"),
    "RadionuclideTotalDose": ("activity", "Bq"),
}
# Units of counts, which say nothing.
_COUNTED = frozenset(("images", "series", "slices", "studies", "instances", "frames", "bits", "px"))

_NUMBER = re.compile(r"([+-]?(?:[0-9]+(?:[.,][0-9]+)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?)\s*(\S+)?")


def number(text: str) -> Span | None:
    """A value of DS, IS or a binary number."""
    found = decimal_number(text)
    return None if found is None else (found, found)


def amount(text: str, keyword: str, vr: str, *, argument: str) -> tuple[Span, str]:
    """A number with or without its unit, as the attribute has it, and how that is written.

    Raises BadArgument for no number, for a unit that is not the attribute's, and for "1,000",
    which may be one or a thousand.
    """
    found = _NUMBER.fullmatch(text.strip())
    if not found:
        raise BadArgument(
            f"{argument}: {shown(text)} is not a number", "Write it as 5, 0.6 or 120 kV"
        )
    if re.fullmatch(r"[+-]?[0-9]{1,3},[0-9]{3}", found[1]) and not found[1].startswith("0,"):
        raise BadArgument(
            f"{argument}: {found[1]} can be read in two ways", "Write it with a point, or without"
        )
    count = float(found[1].replace(",", "."))
    unit = (found[2] or "").lower().rstrip(".").replace("μ", "µ")
    kind, own = _MEASURED.get(keyword, ("", ""))
    if unit and unit not in _COUNTED:
        factors = _UNITS.get(kind, {})
        if unit not in factors:
            measured = f"is measured in {own}" if own else "is not known to have a unit"
            raise BadArgument(
                f"{argument}: {keyword} {measured}, not in {found[2]}",
                f"Write it as {found[1]}{f' {own}' if own else ', without a unit'}",
            )
        count = float(f"{count * factors[unit] / factors[own.lower()]:.12g}")
    slack = abs(count) * 1e-6 if vr in _FLOATS else 0.0
    written = f"{count:.12g}{f' {own}' if own and unit else ''}"
    return (count - slack, count + slack), written


READ: dict[str, Callable[[str], Span | None]] = {
    "DA": day,
    "DT": day,
    "TM": time,
    **dict.fromkeys(NUMBERS, number),
}
