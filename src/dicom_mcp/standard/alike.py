"""Whether several archives say the same of one thing, however each of them writes it."""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from .dictionary import attribute
from .query import Match, Value, texts
from .reading import read

# What an archive counts or collects from below is never empty: where it is, the archive does not
# tell (PS3.4 C.3.4).
COMPUTED = frozenset(
    {
        *("ModalitiesInStudy", "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
        *("NumberOfSeriesRelatedInstances", "Modality"),
    }
)


def differing(
    held: Mapping[str, Match], keywords: Iterable[str], tells: Mapping[str, set[str]]
) -> dict[str, dict[str, Any]]:
    """The attributes of one thing that the archives that hold it (by name) do not say alike, with
    what each says. An empty value is said by those only that `tells` has for the keyword: what an
    archive does not tell is no difference."""
    differs: dict[str, dict[str, Any]] = {}
    for keyword in keywords:
        said = {
            name: match[keyword]
            for name, match in held.items()
            if keyword in match and (texts(match[keyword]) or keyword in tells[name] - COMPUTED)
        }
        if len({as_compared(keyword, value) for value in said.values()}) > 1:
            differs[keyword] = said
    return differs


def told(matches: Iterable[Match], keywords: Iterable[str]) -> set[str]:
    """Those of the attributes that one of these matches or more has a value of."""
    left = set(keywords)
    found: set[str] = set()
    for match in matches:
        found |= {keyword for keyword in left if texts(match.get(keyword, ""))}
        left -= found
        if not left:
            break
    return found


def as_compared(keyword: str, value: Value) -> str:
    """The value without what is only another way to write it: the order of several, padding, empty
    parts of names, separators in dates, fractions of a second, how letters are composed."""
    element = attribute(keyword)
    vr = element.vr if element else ""
    forms = {form for text in texts(value) for form in _forms(keyword, vr, text)}
    return "\\".join(sorted(forms - {""}))


def _forms(keyword: str, vr: str, text: str) -> list[str]:
    text = unicodedata.normalize("NFC", text).strip(" \0")
    if vr == "PN":
        groups = ("^".join(map(str.strip, group.split("^"))) for group in text.split("="))
        return ["=".join(group.rstrip("^") for group in groups).rstrip("=")]
    found = read(vr, keyword, text) if vr in ("CS", "DA", "TM") else None
    if not found:
        return [text]
    if vr == "TM":
        return [found[0].partition(".")[0].ljust(6, "0")]
    return found[1:] if len(found) > 2 else found[:1]
