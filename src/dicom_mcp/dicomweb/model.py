"""The DICOM JSON Model (PS3.18 F): an array of data sets as it arrives, each as a match.

Values become what `standard.identifier` makes of the same ones in a C-FIND answer.
"""

import base64
import binascii
import re
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Any, cast

from ..budgets import LARGEST_MATCH
from ..errors import ProtocolViolation
from ..standard.charset import visible
from ..standard.dictionary import Attribute, attribute, attribute_of_tag
from ..standard.query import Match, Value
from .json_text import TWICE, Text

# Deeper than any attribute of a query; an archive that goes on is broken or hostile.
_MAXIMUM_DEPTH = 8

_SINGLE_VALUE_VRS = frozenset({"LT", "ST", "UR", "UT"})
_WHOLE_NUMBER_VRS = frozenset({"SL", "SS", "SV", "UL", "US", "UV"})
_FRACTION_VRS = frozenset({"FD", "FL"})
_NUMBERS = _WHOLE_NUMBER_VRS | _FRACTION_VRS | {"AT"}

# PS3.18 F.2.2: a property is a tag, eight hexadecimal digits.
TAG = re.compile(r"[0-9A-Fa-f]{8}")
# A keyword, or what somebody has made up beside those.
_WORD = re.compile(r"[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*")
_CANONICAL_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,10}")

# PS3.18 F.2.2, table F.3.1-1: the component groups of a name, in the order of PS3.5 6.2.1.
GROUPS = ("Alphabetic", "Ideographic", "Phonetic")

# How a value that is no object begins (RFC 8259 3).
_OTHER_VALUES = '"-0123456789tfn'

# Values in a row that are no data sets, in an array of them.
_MOST_UNSEEN = 1000

# The parts of an element (PS3.18 F.2.2), and of a name, by their names in small letters.
_PARTS = {name.lower(): name for name in ("vr", "Value", "BulkDataURI", "InlineBinary", *GROUPS)}

_WITH_VALUE = frozenset(("Value", "BulkDataURI", "InlineBinary", *GROUPS))


@dataclass(slots=True)
class Damage:
    """How many rows of an answer could not be decoded to their end, and of these not at all."""

    rows: int = 0
    unseen: int = 0


def data_sets(
    chunks: Iterable[bytes], damage: Damage | None = None
) -> Generator[tuple[Match, int]]:
    """Each data set of an array, and how many characters it took, as soon as it is there. What
    cannot be decoded costs no more than its element; its row is counted in `damage`.

    Raises ProtocolViolation for what is no array of objects, or no whole one.
    """
    damage = Damage() if damage is None else damage
    rows = 0
    for row, size in objects(chunks, damage=damage):
        rows += 1
        match, is_whole = _readable_part(row)
        damage.rows += not is_whole
        yield match, size
    if damage.rows and not rows:
        raise _no_array("x")


def objects(
    chunks: Iterable[bytes],
    *,
    most: int = LARGEST_MATCH,
    damage: Damage | None = None,
    grown: Callable[[int], None] = lambda _: None,
) -> Generator[tuple[dict[str, Any], int]]:
    """The same data sets as they stand there, each of at most so many characters, of which `grown`
    is told. What is none among them is counted in `damage`, or a violation."""
    text = Text(chunks, most, grown)
    opened = text.next()
    if opened == "{":
        yield _lone(*text.object())
        if after := text.next():
            raise _no_array(after)
        return
    if opened != "[":
        raise _no_array(opened)
    expected, unseen = "{]", 0
    while True:
        found = text.next()
        if damage is not None and "{" in expected and found in _OTHER_VALUES and found:
            text.skip_value()
            damage.rows += 1
            damage.unseen += 1
            unseen += 1
            if unseen > _MOST_UNSEEN:
                raise _no_array(found)
            expected = ",]"
            continue
        if found not in expected or not found:
            raise _no_array(found)
        if found == "]":
            break
        if found == ",":
            expected = "{"
            continue
        yield text.object()
        expected, unseen = ",]", 0
    if after := text.next():
        raise _no_array(after)


def data_set(row: Mapping[str, Any], depth: int = 0) -> Match:
    """The match in one data set of the model; private and unknown attributes are left out."""
    if depth > _MAXIMUM_DEPTH:
        raise ProtocolViolation("an answer has sequences in sequences without end")
    match: Match = {}
    if TWICE in row:
        raise _contradictory()
    for name, element in row.items():
        known = known_as(name)
        if known is None:
            if is_element(element) and not TAG.fullmatch(name) and not _WORD.fullmatch(name):
                raise ProtocolViolation("an answer has an attribute whose name is no tag")
            continue
        found = parts_of(element)
        vr = found.get("vr")
        vr = vr.upper() if isinstance(vr, str) and len(vr) == 2 else "UN"
        vr = known.vr if vr == "UN" else vr
        value = _element(found, vr, depth)
        if match.setdefault(known.keyword, value) != value:
            raise _contradictory()
    return match


def _readable_part(row: Mapping[str, Any]) -> tuple[Match, bool]:
    """The match in a data set, and whether that is all of it."""
    try:
        match = data_set(row)
        # Nothing known in it: that its attributes are named in some other way.
        return match, bool(match) or not row
    except ProtocolViolation:
        pass
    match: Match = {}
    for name, element in row.items():
        with suppress(ProtocolViolation):
            match = data_set({name: element}) | match
    return match, False


def _lone(row: dict[str, Any], size: int) -> tuple[dict[str, Any], int]:
    """A data set that stands there without its array, as some servers write a single one."""
    if not any(TAG.fullmatch(name) for name in row):
        raise _no_array("{")
    return row, size


def _no_array(found: str) -> ProtocolViolation:
    if not found:
        return ProtocolViolation("its answer breaks off, or is empty (PS3.18 F.2.1)")
    return ProtocolViolation(
        "its answer is not an array of DICOM data sets in JSON (PS3.18 F.2.1)",
        "Check that base_url is what stands before /studies at this server",
    )


def _contradictory() -> ProtocolViolation:
    return ProtocolViolation("an answer has an attribute twice, with two values (PS3.18 F.2.2)")


def _element(found: dict[str, Any], vr: str, depth: int) -> Value:
    if vr == "SQ":
        return [_item(item, depth + 1) for item in _listed(found.get("Value"))]
    if vr[0] == "O" or vr == "UN":
        return _bulk(found)
    values = [_plain(value, vr) for value in _listed(found.get("Value"))]
    if not values and "InlineBinary" in found and vr not in _NUMBERS:
        values = [_decoded(found["InlineBinary"])]
    elif not values and ("BulkDataURI" in found or "InlineBinary" in found):
        return _bulk(found)
    if vr not in _SINGLE_VALUE_VRS:
        # Some servers write all values as one text, as they stand in a file.
        values = [
            part
            for value in values
            for part in (value.split("\\") if isinstance(value, str) and "\\" in value else [value])
        ]
    if not values:
        return ""
    return values[0] if len(values) == 1 else cast("list[Value]", values)


def _item(item: object, depth: int) -> Match:
    if item is not None and not isinstance(item, dict):
        raise ProtocolViolation("an answer has items of sequences that are no data sets")
    return data_set(cast("dict[str, Any]", item or {}), depth)


def _listed(values: object) -> list[object]:
    if values is None:
        return []
    return cast("list[object]", values) if isinstance(values, list) else [values]


def _bulk(found: dict[str, Any]) -> str:
    """What an identifier's reader shows for bytes."""
    inline = found.get("InlineBinary")
    if isinstance(inline, str):
        return f"<{len(inline) * 3 // 4 - inline.count('=', -2)} bytes>" if inline else ""
    return "<bytes, kept apart>" if found.get("BulkDataURI") else ""


def _decoded(inline: object) -> str:
    """A text that was written as its bytes."""
    try:
        raw = base64.b64decode(inline if isinstance(inline, str) else "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProtocolViolation("an answer has bytes that are not in base64") from error
    return text_of(raw.decode("utf-8", "surrogateescape"))


def _plain(value: object, vr: str) -> str | int | float:
    if vr == "PN" and isinstance(value, dict):
        return name_of(cast("object", value))
    if isinstance(value, dict | list):
        raise ProtocolViolation("an answer has an object where a value should be")
    if vr in _FRACTION_VRS and isinstance(value, str | int):
        return _fraction(value)
    if isinstance(value, bool):
        return str(value).lower()
    if vr in _WHOLE_NUMBER_VRS or vr == "IS":
        if isinstance(value, int):
            return value
        text = text_of(value).removesuffix(".0")
        return int(text) if _CANONICAL_INTEGER.fullmatch(text) else text
    return text_of(value)


def _fraction(value: str | int) -> str | float:
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return text_of(value)
    return number if isfinite(number) else str(number)


def parts_of(element: object) -> dict[str, Any]:
    """The parts of an element (PS3.18 F.2.2), for servers too that write their names otherwise, or
    the value alone."""
    if not isinstance(element, dict):
        return {"Value": element}
    written = cast("dict[str, Any]", element)
    if TWICE in written:
        raise _contradictory()
    found = {_PARTS.get(name.lower(), name): part for name, part in written.items()}
    if found.keys() - _PARTS.values() and _WITH_VALUE.isdisjoint(found):
        raise ProtocolViolation("an answer has a part of an attribute that is none (PS3.18 F.2.2)")
    return found


def name_of(groups: object) -> str:
    """A person's name as it stands in a file, from its component groups."""
    found = parts_of(groups)
    if found.keys() - set(GROUPS):
        raise ProtocolViolation("an answer has a part of a name that is none (PS3.18 F.2.2)")
    return "=".join(text_of(found.get(group)) for group in GROUPS).rstrip("=")


def is_element(value: object) -> bool:
    """Whether the value of a member is that of an attribute, by its parts."""
    written = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    return any(name.lower() in _PARTS for name in written)


def text_of(value: object) -> str:
    """One value as text, without its padding."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else str(value)
    if not text.isascii() and not text.isprintable():
        text = _readable(text)
    return text.strip(" \0")


def _readable(text: str) -> str:
    """Text with bytes that were no UTF-8 read as Latin-1, as undeclared text in an identifier is;
    halves of characters, which an escape can make, are shown as such."""
    try:
        raw = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    try:
        return visible(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return raw.decode("latin-1")


@lru_cache(maxsize=4096)  # bounded: an archive chooses the names it sends
def known_as(name: str) -> Attribute | None:
    """The attribute that a member's name names."""
    if TAG.fullmatch(name):
        return attribute_of_tag(int(name, 16))
    # Nobody should, but there are servers that write keywords.
    return attribute(name) if name.isalnum() and name[:1].isalpha() else None
