"""What is done with the value of an attribute, and which rule says so.

Three steps, the first that decides: who a record is of goes by pseudonyms; what PS3.15 table E.1-1
names goes by its action and the options an operator chose; the rest goes by its value
representation if that cannot hold who somebody is, or if `allowed` names it. What is left is not
given. Where nothing may tell patients apart, less is left of each.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from ..standard.dictionary import attribute
from . import allowed
from .profile import Row, is_safe_private, row_of
from .treatment import Mode, Option, Treatment

NUMBERS = frozenset(("AT", "DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"))
TIMES = frozenset(("DA", "DT", "TM"))
TEXTS = frozenset(("AE", "LO", "LT", "SH", "ST", "UC", "UR", "UT"))
BULK = frozenset(("OB", "OD", "OF", "OL", "OV", "OW"))

# Columns of table E.1-1 an option stands for.
_COLUMN = {
    Option.PATIENT: "patient",
    Option.DEVICE: "device",
    Option.INSTITUTION: "institution",
    Option.DATES: "full_dates",
    Option.SHIFTED_DATES: "modified_dates",
    Option.DESCRIPTORS: "descriptors",
    Option.CONTENT: "content",
}

# When somebody was born tells who it is, retained dates or not.
_NEVER = frozenset(("PatientBirthDate", "PatientBirthTime"))

_SEX = "PatientSex"


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done with a value, and why."""

    treatment: Treatment
    why: str


def treatment_of(keyword: str, vr: str, mode: Mode, options: frozenset[Option]) -> Treatment:
    """What is done with a value of this attribute where somebody in `mode` asks.

    `vr` is the value representation it came with, "" for that of the dictionary. A value that came
    with another than the dictionary's goes by the stricter of the two.
    """
    return rule_of(keyword, vr, mode, options).treatment


@lru_cache(maxsize=32768)  # bounded: keywords and VRs come from archives
def rule_of(keyword: str, vr: str, mode: Mode, options: frozenset[Option]) -> Rule:
    """As `treatment_of`, with its reason."""
    if mode is Mode.FULL:
        return Rule(Treatment.KEPT, "everything is")
    known = _dictionary(keyword)
    if not known:
        return Rule(Treatment.WITHHELD, "no rule names it")
    tag, usual = known
    rules = [
        _rule(keyword, tag, each_vr, options, mode) for each_vr in {usual, _plain_vr(vr) or usual}
    ]
    return min(rules, key=lambda rule: _STRICTEST_FIRST.index(rule.treatment))


def treatment_of_private(
    tag: int, creator: str, vr: str, mode: Mode, options: frozenset[Option]
) -> Treatment:
    """The same for a private attribute, or the element that reserves its block, of this creator."""
    if mode is Mode.FULL:
        return Treatment.KEPT
    if mode is Mode.PSEUDONYM and Option.SAFE_PRIVATE in options and is_safe_private(tag, creator):
        return _retained(_plain_vr(vr))
    return Treatment.WITHHELD


def treatment_of_any(keywords: Iterable[str], mode: Mode, options: frozenset[Option]) -> Treatment:
    """What is done with a value that may be of any of these attributes: the strictest of theirs."""
    treatments = {treatment_of(keyword, "", mode, options) for keyword in keywords}
    if len(treatments & _PSEUDONYMS) > 1 or not treatments:
        return Treatment.WITHHELD
    return min(treatments, key=_STRICTEST_FIRST.index)


_STRICTEST_FIRST = (
    Treatment.WITHHELD,
    Treatment.PATIENT,
    Treatment.STUDY,
    Treatment.SERIES,
    Treatment.INSTANCE,
    Treatment.ACCESSION,
    Treatment.UID,
    Treatment.PERSON,
    Treatment.CLEANED,
    Treatment.TERM,
    Treatment.DATE,
    Treatment.ITEMS,
    Treatment.KEPT,
)
_PSEUDONYMS = frozenset(_STRICTEST_FIRST[1:8])


def _rule(keyword: str, tag: int, vr: str, options: frozenset[Option], mode: Mode) -> Rule:
    row = row_of(tag)
    if keyword in _NEVER:
        rule = Rule(Treatment.WITHHELD, f"when somebody was born; E.1-1: {row}")
    elif keyword in allowed.IDENTITY:
        why = f"E.1-1: {row}" if row else "an instance"
        rule = Rule(allowed.IDENTITY[keyword], f"whose or which it is; {why}")
    elif row:
        rule = Rule(_of_profile(row, vr, options), f"E.1-1: {row}")
    else:
        rule = _unnamed(keyword, vr, options)
    return rule if mode is Mode.PSEUDONYM else _without_patients(rule, keyword, vr, named=bool(row))


def _of_profile(row: Row, vr: str, options: frozenset[Option]) -> Treatment:
    """The action of the options chosen, which overrides the profile's (PS3.15 E.1.1)."""
    chosen = {row.options.get(_COLUMN[option]) for option in options & _COLUMN.keys()} - {None}
    if chosen:
        return _retained(vr)
    if "U" in row.basic and vr == "SQ":  # X/Z/U*: the UIDs within are replaced
        return Treatment.ITEMS
    return Treatment.UID if vr == "UI" and row.basic in ("U", "D") else Treatment.WITHHELD


def _retained(vr: str) -> Treatment:
    """What actions K and C are for a value representation. A text that is kept is cleaned too: it
    may hold a name, whatever it is for."""
    if vr in TIMES:
        return Treatment.DATE
    if vr in TEXTS:
        return Treatment.CLEANED
    if vr in NUMBERS or vr == "AS":
        return Treatment.KEPT
    return {"SQ": Treatment.ITEMS, "CS": Treatment.TERM, "UI": Treatment.UID}.get(
        vr, Treatment.WITHHELD
    )


def _unnamed(keyword: str, vr: str, options: frozenset[Option]) -> Rule:
    """Of an attribute that E.1-1 does not name."""
    if keyword in allowed.APART | allowed.CLOSED:
        return Rule(Treatment.WITHHELD, "whose or where it is")
    if keyword in allowed.BODY:
        return _with(Option.PATIENT, options, Treatment.KEPT, "what a patient is like")
    if vr in NUMBERS:
        return Rule(Treatment.KEPT, "a number")
    if vr == "CS":
        return Rule(Treatment.TERM, "a code string")
    if vr == "SQ":
        return Rule(Treatment.ITEMS, "a sequence")
    if vr in TIMES:  # by their VR, as the note at E.1-1 has it
        dates = Option.SHIFTED_DATES if Option.SHIFTED_DATES in options else Option.DATES
        return _with(dates, options, Treatment.DATE, "when it was")
    if vr == "UI":
        if keyword in allowed.REGISTERED:
            return Rule(Treatment.KEPT, "registered, not of an object")
        return Rule(Treatment.UID, "a UID")
    if vr in BULK and (vr != "OB" or keyword in allowed.BYTES):
        return Rule(Treatment.KEPT, "numbers in bulk")
    if vr in TEXTS:
        return _text(keyword, options)
    return Rule(Treatment.WITHHELD, "no rule names it")


def _text(keyword: str, options: frozenset[Option]) -> Rule:
    """Of a text that E.1-1 does not name: withheld but for those listed one by one."""
    if keyword in allowed.TECHNICAL:
        return Rule(Treatment.TERM, "listed: how it was made")
    for option, keywords, why in (
        (Option.DESCRIPTORS, allowed.DESCRIBING, "listed: what was done"),
        (Option.DEVICE, allowed.DEVICE, "listed: which machine"),
        (Option.CONTENT, allowed.CONTENT, "listed: what a report says"),
    ):
        if keyword in keywords:
            return _with(option, options, Treatment.CLEANED, why)
    return Rule(Treatment.WITHHELD, "no rule names it")


def _with(option: Option, options: frozenset[Option], treatment: Treatment, why: str) -> Rule:
    retained = option in options
    return Rule(treatment if retained else Treatment.WITHHELD, f"{why}; with {option}")


def _without_patients(rule: Rule, keyword: str, vr: str, *, named: bool) -> Rule:
    """What is left of a rule where nothing may tell patients apart: sex, terms, numbers of which
    many patients have the same one, and what is registered."""
    match rule.treatment:
        case Treatment.TERM if keyword == _SEX or not named:
            return rule
        case Treatment.ITEMS if not named:
            return rule
        case Treatment.KEPT if vr == "UI" or keyword in allowed.SETTINGS:
            return rule
        case Treatment.KEPT if keyword.startswith("NumberOf") and "Related" not in keyword:
            return rule
        case _:
            return Rule(Treatment.WITHHELD, rule.why)


@lru_cache(maxsize=8192)
def _dictionary(keyword: str) -> tuple[int, str] | None:
    """Tag and VR, also of an attribute that repeats in several groups; None of an unknown one."""
    if known := attribute(keyword):
        return known.tag, known.vr
    return repeating().get(keyword)


@cache
def repeating() -> dict[str, tuple[int, str]]:
    """Tag and VR of attributes that several groups have, in the first of these (PS3.5 7.6)."""
    from pydicom._dicom_dict import RepeatersDictionary

    return {
        keyword: (int(mask.replace("x", "0"), 16), _plain_vr(vr))
        for mask, (vr, _, _, _, keyword) in RepeatersDictionary.items()
    }


def _plain_vr(vr: str) -> str:
    """One of those the standard leaves a choice of: OW for bulk, as `dictionary` has it."""
    choice = vr.split(" or ")
    return "OW" if "OW" in choice else choice[0]
