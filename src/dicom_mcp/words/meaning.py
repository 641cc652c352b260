"""What a person's text for an attribute means, as keys (PS3.4 C.2.2.2)."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from ..errors import BadArgument
from ..standard import values
from ..standard.dictionary import attribute
from ..standard.lists import LISTED, Several, is_wild, values_of
from ..standard.matching import Comparison, is_universal, matcher
from .days import day_range, is_none
from .letters import spellings
from .modalities import any_of
from .names import readings
from .namesake import same_name


@dataclass(frozen=True, slots=True)
class Meaning:
    """One key that a text may mean. `said` explains it where it is not what was written; `holds`,
    if there is one, says which of the values the key brings are meant."""

    key: str
    said: str = ""
    holds: Callable[[str], bool] | None = None
    # What is meant has no value; no key asks for that.
    empty: bool = False


# Ranks of meanings: every one of a rank is meant; a later rank when the earlier find nothing.
type Meanings = tuple[tuple[Meaning, ...], ...]

# People write a word of a description, not the whole of it.
CONTAINS = frozenset({"SeriesDescription", "StudyDescription"})

MODALITY = frozenset({"ModalitiesInStudy", "Modality"})

_IN_ANY_CASE = Comparison(name_case=False, name_accents=True, text_case=False)

# A key that is left with fewer letters at its front brings half the archive.
_SHORTEST_START = 1

# *ü* asks for the letter, not for names with an ü, ue or u.
_SHORTEST_SPELLED = 3


def meanings(keyword: str, text: Several, *, argument: str, today: date) -> Meanings:
    """What this text, or list of texts, means as a key for the attribute; () when it asks for
    everything.

    Raises BadArgument, naming the argument and the rule, for what cannot be meant.
    """
    found = attribute(keyword)
    assert found is not None
    if keyword in LISTED:
        return identifiers(keyword, text, argument=argument)
    assert isinstance(text, str)
    text = text.strip()
    if not text:
        return ()
    if keyword in MODALITY:
        return _rank(Meaning(code) for code in any_of(text, argument=argument))
    if found.vr == "DA":
        if is_none(text):
            return _rank([Meaning("", empty=True)])
        text = day_range(text, today=today, argument=argument)
    whole = _contained(text) if keyword in CONTAINS else text
    if not whole:
        raise BadArgument(
            f"{argument}={values.shown(text)} has no text",
            "No key asks for an empty value; count_studies(where=[...]) can",
        )
    key = values.key(whole, found.vr, argument=argument)
    if not key:
        return ()
    if found.vr == "IS":
        key = str(int(key))  # archives compare numbers as text, and few write them with zeros
    if found.vr == "PN":
        return _names(key, argument)
    words = text.split() if whole == f"*{text}*" else []
    return _rank([Meaning(key)]) + (_words(words) if len(words) > 1 else ())


def identifiers(keyword: str, text: Several, *, argument: str) -> Meanings:
    """What one identifier or several mean as a key for an attribute of `lists.LISTED`."""
    found = attribute(keyword)
    assert found is not None
    values = values_of(keyword, text, argument=argument)
    keys = [_identifier(value, found.vr, argument) for value in values]
    if len(keys) > 1 and any(is_wild(key) or not key for key in keys):
        raise BadArgument(
            f"{argument} has wildcards among several values",
            "Ask for values with * or ? one at a time",
        )
    return _rank([Meaning("\\".join(keys))] if keys and all(keys) else [])


def _identifier(value: str, vr: str, argument: str) -> str:
    if vr == "UI":
        return values.uid(value, argument=argument)
    return values.identifier(value, vr, argument=argument)


def _contained(text: str) -> str:
    """`chest` is any text with chest in it; `=CT Chest` and `"CT Chest"` are the whole text."""
    if text.startswith("="):
        return text[1:]
    if len(text) > 2 and text[0] == text[-1] == '"':
        return text[1:-1]
    return text if set(text) & set("*?") else f"*{text}*"


def _words(words: Sequence[str]) -> Meanings:
    """The words of a description in any order: Chest CT, CT of the chest."""
    longest = max(words, key=len)
    folded = [word.casefold() for word in words]
    said = f"with {' and '.join(words)} in any order"
    return (
        (Meaning(f"*{longest}*", said, lambda value: all(w in value.casefold() for w in folded)),),
    )


def _names(text: str, argument: str) -> Meanings:
    if is_universal("PN", text):
        raise BadArgument(
            f"{argument}={values.shown(text)} names no person", "Leave it out to ask for everybody"
        )
    ranks: list[tuple[Meaning, ...]] = []
    for rank in readings(text):
        found: list[Meaning] = []
        for reading in rank:
            said = "" if reading.key == text else reading.said
            loose = reading.key.startswith("*") and reading.key != text
            found += _spelled(reading.key, said, same_name(text) if loose else None)
        ranks.append(tuple(found))
    return tuple(ranks) or _rank([Meaning(text)])  # no name, but a key that must not be lost


def _spelled(key: str, said: str, same: Callable[[str], bool] | None) -> list[Meaning]:
    """The key in all its spellings: as one wider key where they have a beginning in common."""
    ways = spellings(key)
    parts = re.split(r"[*?^=]+", key)
    too_short = any(len(part) < _SHORTEST_SPELLED for part in parts if not part.isascii())
    if len(ways) == 1 or too_short:
        return [Meaning(key, said, same)]
    start = _common_start(ways)
    end = _common_start([way[::-1] for way in ways])[::-1]
    end = end[max(0, len(start) + len(end) - min(map(len, ways))) :]
    if len(start.strip("*?")) < _SHORTEST_START:
        return [Meaning(way, said, same) for way in ways]
    return [Meaning(re.sub(r"\*+", "*", f"{start}*{end}"), said, same or _any_of(ways))]


def _common_start(texts: Sequence[str]) -> str:
    shortest = min(texts, key=len)
    differing = (at for at, letter in enumerate(shortest) if any(t[at] != letter for t in texts))
    return shortest[: next(differing, len(shortest))]


def _any_of(ways: Sequence[str]) -> Callable[[str], bool]:
    predicates = [matcher("PN", way, comparison=_IN_ANY_CASE) for way in ways]
    return lambda value: any(predicate([value]) for predicate in predicates)


def _rank(found: Iterable[Meaning]) -> Meanings:
    rank = tuple(found)
    return (rank,) if rank else ()
