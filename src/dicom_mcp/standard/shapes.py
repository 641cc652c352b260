"""What in a key an archive has to understand: wildcards, ranges, lists, the components of a name.

Not every archive does (PS3.4 C.2.2.1.3 leaves optional keys to it), and one that compares such a
key as plain text finds nothing and calls that success. A shape is what is left of a key without its
letters; a trial is a key of the same shape that must find a value known to be there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from .dictionary import attribute
from .matching import is_universal, significant
from .values import RANGE_VRS, WILDCARD_VRS

SEPARATOR = "\\"

_TOKENS = re.compile(r"\*+|\?+|[^*?]+")


def shape(vr: str, key: str) -> str:
    """The shape of a key, as text that keys of the same shape share; "" for one plain value.

    Lists have one for each doubling of their length: some archives read so many of them.
    """
    key = significant(vr, key)
    if is_universal(vr, key):
        return ""
    if SEPARATOR in key:
        return f"list of {2 ** key.count(SEPARATOR).bit_length()}"
    if vr in RANGE_VRS:
        first, hyphen, last = key.partition("-")
        return f"{'from' if first else ''}-{'to' if last else ''}" if hyphen else ""
    if vr == "PN" and set(key) & set("*?^="):
        return re.sub(r"[^*?^=]+", "x", re.sub(r"\?+", "?", key))
    if vr in WILDCARD_VRS and set(key) & set("*?"):
        return re.sub(r"[^*?]+", "x", re.sub(r"\?+", "?", key))
    return ""


def shape_of(keyword: str, key: str) -> str:
    """The shape of a key for this attribute."""
    found = attribute(keyword)
    return shape(found.vr, key) if found else ""


def kind(vr: str) -> str:
    """What a shape of this VR is called in a sentence."""
    if vr == "UI":
        return "lists"
    return "ranges" if vr in RANGE_VRS else "components" if vr == "PN" else "wildcards"


@dataclass(frozen=True, slots=True)
class Trial:
    """A key that must find something: these values, or any at all where none are named."""

    key: str
    finds: tuple[str, ...] = ()


def trial(vr: str, key: str, values: Sequence[str]) -> Trial | None:
    """A key of the same shape as `key` that finds these `values` of an archive; None where they do
    not serve."""
    if SEPARATOR in key:
        return _list(key.split(SEPARATOR), values)
    for value in sorted(values, key=lambda value: not value.isascii()):
        if vr in RANGE_VRS:
            found = _range(vr, key, value)
        elif vr == "PN":
            found = _name(key, value)
        else:
            found = _text(significant(vr, key), significant(vr, value))
        if found:
            return Trial(found)
    return None


def _list(asked: Sequence[str], values: Sequence[str]) -> Trial | None:
    """The list itself between two values that are known: neither its first nor its last alone."""
    known = sorted({value for value in values if value and SEPARATOR not in value})
    known = [*(value for value in known if value not in asked), *known][:2]
    others = [uid for uid in asked if uid not in known]
    if not known:
        return None
    return Trial(SEPARATOR.join([*known[:-1], *others, known[-1]]), tuple(known))


def _range(vr: str, key: str, value: str) -> str:
    """The days around a day; times are only asked for together with one."""
    digits = value.replace(".", "") if vr == "DA" else ""
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        before, after = day - timedelta(1), day + timedelta(1)
    except (ValueError, OverflowError):
        return ""
    first, _, last = key.partition("-")
    return f"{before:%Y%m%d}" * bool(first) + "-" + f"{after:%Y%m%d}" * bool(last)


def _name(key: str, value: str) -> str:
    """Group by group, component by component: what the key asks for must be in the value."""
    keys, values = key.split("="), value.split("=")
    if len(values) < len(keys):
        return ""
    groups = [_group(*pair) if pair[0] else "" for pair in zip(keys, values, strict=False)]
    return "" if None in groups else "=".join(group or "" for group in groups)


def _group(key: str, value: str) -> str | None:
    """As many components as both have; where the value has more, they follow as they are."""
    components, parts = key.split("^"), value.strip(" ").rstrip("^ ").split("^")
    if len(components) == 1 and key:
        return _text(key, "^".join(parts)) or None
    if len(parts) == 1:  # nothing shows that components are understood
        return None
    written = [
        _text(component, part.strip()) if component.strip("*") else component or part
        for component, part in zip(components, parts, strict=False)
    ]
    if not key.endswith("*"):
        written += parts[len(components) :]
    return None if "" in written and "" not in parts else "^".join(written)


def _text(key: str, value: str) -> str:
    """The value with as many of its letters left out as the key has wildcards."""
    tokens = _TOKENS.findall(key)
    spare = len(value) - sum(len(token) if token[0] == "?" else 1 for token in tokens)
    if spare < 0 or set(value) & set("*?\\"):
        return ""
    written, at = "", 0
    for token in tokens:
        if token[0] == "*":
            written, at = written + "*", at + 1
        elif token[0] == "?":
            written, at = written + token, at + len(token)
        else:
            written, at, spare = written + value[at : at + 1 + spare], at + 1 + spare, 0
    if spare and tokens[-1][0] != "*":
        return ""
    return written
