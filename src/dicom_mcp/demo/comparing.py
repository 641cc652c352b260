"""How the embedded archive compares keys with what it holds: by the standard, or by its habits."""

import re
from collections.abc import Callable, Mapping, Sequence

from ..standard.matching import (
    Comparison,
    Key,
    Predicate,
    Record,
    is_universal,
    matcher,
    record_matcher,
    significant,
)
from ..standard.modality import NOT_IMAGES
from ..standard.values import RANGE_VRS, WILDCARD_VRS
from .habits import Habits

_MODALITIES = "ModalitiesInStudy"


def comparer(keys: Mapping[str, Key], habits: Habits) -> Callable[[Record], bool]:
    """A function of a record: whether it matches every key, as this archive understands keys."""
    comparison = Comparison(name_case=habits.case_sensitive)
    own: list[tuple[str, Predicate]] = []
    plain: dict[str, Key] = {}
    for keyword, key in keys.items():
        predicate = _otherwise(keyword, key, habits) if isinstance(key, tuple) else None
        if predicate is None:
            plain[keyword] = key
        else:
            own.append((keyword, predicate))
    by_the_standard = record_matcher(plain, comparison=comparison)
    if not own:
        return by_the_standard

    def match(record: Record) -> bool:
        return by_the_standard(record) and all(
            predicate([value for value in record.get(keyword, ()) if isinstance(value, str)])
            for keyword, predicate in own
        )

    return match


def narrowing(keys: Mapping[str, Key], habits: Habits) -> dict[str, Key]:
    """The keys as an index may read them: without those that are not read by the standard."""
    return {
        keyword: ("", "")
        if isinstance(key, tuple) and _otherwise(keyword, key, habits) is not None
        else key
        for keyword, key in keys.items()
    }


def as_kept(record: Record, habits: Habits) -> Record:
    """The record as this archive tells it."""
    held = record.get(_MODALITIES)
    if not held or not habits.images_only:
        return record
    return {
        **record,
        _MODALITIES: _of_images([modality for modality in held if isinstance(modality, str)]),
    }


def _of_images(values: Sequence[str]) -> Sequence[str]:
    return [modality for modality in values if modality not in NOT_IMAGES] or values


def _otherwise(keyword: str, key: tuple[str, str], habits: Habits) -> Predicate | None:
    """How a key is compared that this archive reads in its own way; None for others."""
    vr, text = key[0], significant(*key)
    if is_universal(vr, text):
        return None
    open_range = vr in RANGE_VRS and (text.startswith("-") or text.endswith("-"))
    if keyword == _MODALITIES and habits.images_only:
        match = matcher(vr, text)
        return lambda values: match(_of_images(values))
    if keyword in habits.literal_keys or (open_range and not habits.open_ranges):
        return lambda values: "\\".join(significant(vr, value) for value in values) == text
    if vr == "DA" and text.startswith("-") and habits.undated_in_ranges:
        match = matcher(vr, text)
        return lambda values: not any(values) or match(values)
    if "\\" in text and (keyword in habits.listed_keys or vr == "UI"):
        return _list(vr, text.split("\\"), habits)
    if vr == "PN" and habits.names != "as stored":
        return _names(text, habits)
    if vr in WILDCARD_VRS and (habits.not_wild or habits.whole_words) and set(text) & set("*?"):
        return _wild(text, habits)
    return None


def _list(vr: str, values: Sequence[str], habits: Habits) -> Predicate | None:
    if habits.ignores_lists:
        return lambda _: True
    if habits.first_of_list or habits.last_of_list:
        return matcher(vr, values[0 if habits.first_of_list else -1])
    if vr == "UI":
        return None
    predicates = [matcher(vr, value) for value in values if value]
    return lambda held: any(match(held) for match in predicates)


def _names(text: str, habits: Habits) -> Predicate:
    match = matcher("PN", text)
    if habits.names == "without carets":
        return lambda values: match([value.replace("^", " ") for value in values])

    def given_first(name: str) -> str:
        family, _, rest = name.partition("^")
        given, _, others = rest.partition("^")
        return "^".join((given, family, others)).rstrip("^")

    return lambda values: match([given_first(value) for value in values])


def _wild(text: str, habits: Habits) -> Predicate:
    pattern = ""
    for at, character in enumerate(text):
        place = "at the start" if not at else "at the end" if at == len(text) - 1 else "inside"
        wild = (
            character in "*?" and (character if character == "?" else place) not in habits.not_wild
        )
        if not wild:
            pattern += re.escape(character)
        elif character == "?":
            pattern += "."
        elif habits.whole_words:
            pattern += r".*\b" if place == "at the start" else r"\b.*"
        else:
            pattern += ".*"
    compiled = re.compile(pattern, re.IGNORECASE | re.DOTALL)

    def match(values: Sequence[str]) -> bool:
        return any(compiled.fullmatch(value) for value in values)

    return match
