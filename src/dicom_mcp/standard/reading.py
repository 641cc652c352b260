"""Values that do not follow their VR (PS3.5 6.2): the obvious forms are read.

What cannot be read says nothing: it neither is what a key asks for, nor is it something else.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date

# A day, year first, with one separator or none; what follows a date may be a time (a DT in a DA).
_DAY = re.compile(r"([0-9]{4})([-/. ]?)([0-9]{1,2})\2([0-9]{1,2})(?:[T ]?[0-9]{2}.*)?", re.ASCII)
# Day first is written with dots; with slashes or hyphens it may be either.
_DAY_FIRST = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})", re.ASCII)
_TIME = re.compile(
    r"(?:[0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ])?"
    r"([0-9]{1,2})(?::?([0-9]{2})(?::?([0-9]{2})(?:[.,]([0-9]{1,6})[0-9]*)?)?)?(?:Z|[+-][0-9:]+)?",
    re.ASCII,
)
_AGE = re.compile(r"0*([0-9]{1,3})\s*(d|w|m|y|)[a-z.]*", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"([+-]?[0-9]+(?:[.,][0-9]+)?)\s*[a-zA-Zµ/²%^.]*")
_CODES = re.compile(r"[,;/|&+]|\s+")
_CODE = re.compile(r"[A-Z0-9_]{1,16}", re.ASCII)
_SEXES = {"male": "M", "man": "M", "m": "M", "female": "F", "woman": "F", "f": "F", "w": "F",
          "other": "O", "o": "O"}  # fmt: skip


def read(vr: str, keyword: str, value: str) -> list[str] | None:
    """The values, in the form of the VR, that a text stands for; None when it cannot be read.

    A VR of free text or of identifiers has no form to miss: it stands for itself.
    """
    if keyword == "PatientSex":
        found = _SEXES.get(value.strip(" \0").lower())
        return [found] if found else None
    reader = _READERS.get(vr)
    return [value] if reader is None else reader(value.strip(" \0"))


def agrees(
    vr: str, keyword: str, predicate: Callable[[Sequence[str]], bool], values: Sequence[str]
) -> bool | None:
    """Whether these values are what the key (its `predicate`) asks for, also where they are
    written in another form; None when what they are cannot be read."""
    if predicate(values):
        return True
    forms = [read(vr, keyword, value) for value in values]
    if any(form and predicate(form) for form in forms):
        return True
    return None if None in forms else False


def day(text: str) -> str:
    """The day a text names, as YYYYMMDD; "" for what names none."""
    found = _DAY.fullmatch(text) or _DAY_FIRST.fullmatch(text)
    if not found:
        return ""
    parts = (found[1], found[3], found[4]) if found.re is _DAY else (found[3], found[2], found[1])
    try:
        return f"{date(*map(int, parts)):%Y%m%d}".zfill(8)
    except ValueError:
        return ""


def _days(text: str) -> list[str] | None:
    found = day(text)
    return [found] if found else None


def _times(text: str) -> list[str] | None:
    found = _TIME.fullmatch(text)
    if not found or int(found[1]) > 23:
        return None
    parts = "".join(part for part in found.groups()[:3] if part)
    return [parts.zfill(len(parts) + len(parts) % 2) + (f".{found[4]}" if found[4] else "")]


def _ages(text: str) -> list[str] | None:
    found = _AGE.fullmatch(text)
    return [f"{int(found[1]):03}{(found[2] or 'Y').upper()}"] if found else None


def _numbers(text: str) -> list[str] | None:
    found = _NUMBER.fullmatch(text)
    return [found[1].replace(",", ".")] if found else None


def _codes(text: str) -> list[str] | None:
    """Codes written as one text, or in small letters. Spaces may be part of one."""
    found = [code for code in _CODES.split(text.upper()) if code]
    return [text.upper(), *found] if found and all(map(_CODE.fullmatch, found)) else None


def _names(text: str) -> list[str] | None:
    """A name without its components: "Doe, Jane", or in either order."""
    group = text.partition("=")[0]
    if "^" in group or not group:
        return [text]
    family, comma, given = group.partition(",")
    if comma:
        return [text, f"{family.strip()}^{given.strip()}"]
    first, _, rest = group.partition(" ")
    start, _, last = group.rpartition(" ")
    return [text, f"{first}^{rest}", f"{last}^{start}"] if rest else [text]


def _uids(text: str) -> list[str] | None:
    return [code for code in re.split(r"[,; ]+", text) if code] or None


_READERS: dict[str, Callable[[str], list[str] | None]] = {
    "AS": _ages,
    "CS": _codes,
    "DA": _days,
    "DS": _numbers,
    "IS": _numbers,
    "PN": _names,
    "TM": _times,
    "UI": _uids,
}
