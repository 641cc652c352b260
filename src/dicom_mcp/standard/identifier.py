"""The bytes of a C-FIND identifier, read as a match (PS3.5 7, PS3.4 C.4.1).

Thousands of matches arrive in one answer, so values are read by VR straight from the bytes. Both
Little Endian syntaxes are understood, the only ones ever proposed for a query.
"""

import re
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from math import isfinite

from ..errors import ProtocolViolation
from .charset import decoder, visible
from .dictionary import Attribute, attribute, attribute_of_tag, is_either_sign
from .query import Match, Value
from .syntaxes import IMPLICIT_VR_LITTLE_ENDIAN

# PS3.5 7.1.2: VRs whose explicit length takes 32 bits after two reserved bytes.
LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
_TEXT_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
_SINGLE_VALUE_VRS = frozenset({"LT", "ST", "UR", "UT"})
_NUMBERS = {
    "FD": "d",
    "FL": "f",
    "SL": "i",
    "SS": "h",
    "SV": "q",
    "UL": "I",
    "US": "H",
    "UV": "Q",
}

DELIMITERS = 0xFFFE  # the group of the three below (PS3.5 7.5)
ITEM, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE0DD
_ITEM_END = b"\xfe\xff\x0d\xe0"
_UNDEFINED = 0xFFFFFFFF
CHARACTER_SET = 0x00080005

# Deeper than any attribute of a query; an archive that goes on is broken or hostile.
_MAXIMUM_DEPTH = 8

# Seven terms of 16 characters, the longest any value of Specific Character Set can sensibly be.
_MAXIMUM_DECLARED = 128

# An integer string that a number shows as it was written (PS3.5 6.2 allows 12 characters).
_CANONICAL_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,10}")


# Short values repeat from row to row: dates, codes, counts, descriptions. An element that was seen
# is known by its bytes; half the time of a match was spent on reading the same again. Names of
# patients are among them, so what was seen belongs to one association and goes with it.
type Seen = dict[bytes, Value]


def decode(
    data: bytes, transfer_syntax: str, character_set: str = "", seen: Seen | None = None
) -> Match:
    """The match in a C-FIND answer's identifier; private and unknown elements are left out. Text
    is in `character_set` where the answer does not say; short values are remembered in `seen`.

    A value that cannot be what its VR says stays visible as such; only bytes that are not a whole
    data set, or give an attribute two values, raise ProtocolViolation.
    """
    explicit = transfer_syntax != IMPLICIT_VR_LITTLE_ENDIAN
    try:
        match, _ = _data_set(data, 0, len(data), explicit, character_set, 0, seen=seen)
    except struct.error as error:
        raise _undecodable() from error
    if not explicit and match.get("PixelRepresentation") == 1:
        _with_sign(match)
    return match


def _with_sign(match: Match) -> None:
    """Read as SS what Implicit VR leaves open and was read as US."""
    for keyword, value in match.items():
        known = attribute(keyword) if isinstance(value, int) else None
        if known and is_either_sign(known.tag) and isinstance(value, int):
            match[keyword] = (value + 0x8000) % 0x10000 - 0x8000


def decode_what_is_whole(data: bytes, transfer_syntax: str, character_set: str = "") -> Match:
    """What stands before the damage in an identifier that `decode` refuses; of two values of one
    attribute the first."""
    explicit = transfer_syntax != IMPLICIT_VR_LITTLE_ENDIAN
    match: Match = {}
    with suppress(ProtocolViolation, struct.error):
        _data_set(data, 0, len(data), explicit, character_set, 0, into=match)
    return match


def _undecodable() -> ProtocolViolation:
    return ProtocolViolation(
        "an answer could not be decoded: its bytes are not a whole DICOM data set",
        "Ask for fewer attributes (attribute_preset=minimal); if that works, the archive holds "
        "a damaged record",
    )


def _contradictory() -> ProtocolViolation:
    return ProtocolViolation(
        "an answer has an attribute twice, with two values, which no data set may (PS3.5 7.1)",
        "The archive's administrator should look at that record",
    )


def _data_set(
    data: bytes,
    at: int,
    end: int,
    explicit: bool,
    declared: str,
    depth: int,
    open_: bool = False,
    *,
    into: Match | None = None,
    seen: Seen | None = None,
) -> tuple[Match, int]:
    """The elements from `at` to `end`, or, if `open_`, to an item delimiter; where they ended."""
    match: Match = {} if into is None else into
    seen = {} if seen is None else seen
    heads = _EXPLICIT_HEADS if explicit else _IMPLICIT_HEADS
    while at < end:
        raw = data[at : at + 8]
        keyword, vr, read, length = heads.get(raw) or _learn(heads, raw, explicit)
        if read is None:
            if open_ and raw[:4] == _ITEM_END and at + 8 <= end:
                return match, at + 8
            name, value, at, declared = _unusual(data, at, end, explicit, declared, depth, seen)
            if name and match.setdefault(name, value) != value and into is None:
                raise _contradictory()
            continue
        start = at + 8
        at = start + length
        if at > end:
            raise _undecodable()
        whole = data[start - 8 : at] if length <= _SHORT else b""
        value = seen.get(whole)
        if value is None:
            if read is _character_set:
                declared = _declared(data[start : min(at, start + _MAXIMUM_DECLARED)], declared)
            if not keyword:
                continue
            value = read(data[start:at], vr, declared)
            # What is ASCII means the same in every declared set.
            if (
                whole
                and vr != "UI"
                and read in _REPEATING
                and type(value) is not list
                and _ESCAPE not in whole
                and whole[8:].isascii()
            ):
                _remember(seen, whole, value)
        if match.setdefault(keyword, value) != value and into is None:
            raise _contradictory()
    if at != end or open_:
        raise _undecodable()
    return match, at


def _unusual(
    data: bytes, at: int, end: int, explicit: bool, declared: str, depth: int, seen: Seen
) -> tuple[str, Value, int, str]:
    """One element that its first eight bytes do not describe: its keyword ("" if there is none to
    keep) and value, where the next one begins, and the character set from there on."""
    group, element = _TAG(data, at)
    tag = group << 16 | element
    if group == DELIMITERS:
        raise _undecodable()
    at += 4
    known = _known(tag)
    keyword = known.keyword if known else ""
    vr = written = known.vr if known else "UN"
    if explicit:
        written = data[at : at + 2].decode("latin-1")
        if not (written.isalpha() and written.isupper()):
            raise _undecodable()
        vr = vr if written == "UN" else written
        if written in LONG_VRS:
            (length,) = _UINT32(data, at + 4)
            at += 8
        else:
            (length,) = _UINT16(data, at + 2)
            at += 4
    else:
        (length,) = _UINT32(data, at)
        at += 4
    if vr == "SQ" or length == _UNDEFINED:
        # What was written as UN is inside as Implicit VR has it (PS3.5 6.2.2).
        explicit_inside = explicit and written != "UN"
        items, at = _sequence(data, at, end, length, explicit_inside, declared, depth + 1, seen)
        return keyword, items, at, declared
    if at + length > end:
        raise _undecodable()
    if tag == CHARACTER_SET:
        declared = _declared(data[at : at + min(length, _MAXIMUM_DECLARED)], declared)
    value = _value(data[at : at + length], vr, declared) if known else ""
    return keyword, value, at + length, declared


def _declared(raw: bytes, known: str) -> str:
    """The character set from here on; an empty declaration says nothing."""
    said = raw.decode("latin-1")
    return said if said.strip("\\ \0") else known


def _sequence(
    data: bytes,
    at: int,
    end: int,
    length: int,
    explicit: bool,
    declared: str,
    depth: int,
    seen: Seen,
) -> tuple[list[Value], int]:
    if depth > _MAXIMUM_DEPTH:
        raise _undecodable()
    stop = end if length == _UNDEFINED else at + length
    if stop > end:
        raise _undecodable()
    items: list[Value] = []
    while at < stop:
        group, element = _TAG(data, at)
        (size,) = _UINT32(data, at + 4)
        at += 8
        tag = group << 16 | element
        if tag == _SEQUENCE_END and length == _UNDEFINED and at <= stop:
            return items, at
        if tag != ITEM or (size != _UNDEFINED and at + size > stop):
            raise _undecodable()
        open_ = size == _UNDEFINED
        item_end = stop if open_ else at + size
        item, at = _data_set(data, at, item_end, explicit, declared, depth, open_, seen=seen)
        items.append(item)
    if length == _UNDEFINED:
        raise _undecodable()
    return items, at


_MOST_SEEN = 20_000  # bounded: an archive chooses what it sends
_SHORT = 40
_ESCAPE = 0x1B


def _remember(seen: Seen, element: bytes, value: Value) -> None:
    if len(seen) >= _MOST_SEEN:
        seen.clear()
    seen[element] = value


# Most elements say in eight bytes all that is needed to read them: keyword ("" if there is none to
# keep), VR, how to read a value, its length. The rows of an answer repeat the same few hundred of
# them, so each is understood once (docs/decisions/0008).
type _Reader = Callable[[bytes, str, str], Value]
type _Head = tuple[str, str, _Reader | None, int]

_EXPLICIT_HEADS: dict[bytes, _Head] = {}
_IMPLICIT_HEADS: dict[bytes, _Head] = {}
_MOST_HEADS = 4096  # bounded: an archive chooses what it sends

# Eight bytes that are not all there is to say.
_UNUSUAL: _Head = ("", "", None, 0)


def _learn(heads: dict[bytes, _Head], raw: bytes, explicit: bool) -> _Head:
    head = _UNUSUAL
    if len(raw) == 8:
        head = _explicit_head(raw) if explicit else _head(raw, "", _UINT32(raw, 4)[0])
    if len(heads) >= _MOST_HEADS:
        heads.clear()
    heads[raw] = head
    return head


def _explicit_head(raw: bytes) -> _Head:
    """Tag, VR and 16 bits of length (PS3.5 7.1.2)."""
    written = raw[4:6].decode("latin-1")
    if written in LONG_VRS or not (written.isalpha() and written.isupper()):
        return _UNUSUAL
    return _head(raw, written, _UINT16(raw, 6)[0])


def _head(raw: bytes, written: str, length: int) -> _Head:
    group, element = _TAG(raw, 0)
    tag = group << 16 | element
    known = _known(tag)
    vr = written or (known.vr if known else "UN")
    if group == DELIMITERS or vr == "SQ" or length == _UNDEFINED:
        return _UNUSUAL
    read = _character_set if tag == CHARACTER_SET else _READERS.get(vr, _value)
    return known.keyword if known else "", vr, read, length


def _character_set(raw: bytes, vr: str, declared: str) -> Value:
    """The value that says how all others after it are to be read."""
    return _value(raw, vr, declared)


def _default_text(raw: bytes, vr: str, declared: str) -> Value:  # noqa: ARG001 - as `_value`
    """A value of a VR to which Specific Character Set does not apply (PS3.5 6.1.2.3)."""
    text = raw.decode("latin-1")
    if "\\" not in text:
        return text.strip(" \0")
    return [value.strip(" \0") for value in text.split("\\")]


def _declared_text(raw: bytes, vr: str, declared: str) -> Value:
    """A value of a VR to which Specific Character Set applies, several of them allowed."""
    text = decoder(declared)(raw, vr)
    if "\\" not in text:
        return visible(text.strip(" \0"))
    return [visible(value.strip(" \0")) for value in text.split("\\")]


def _value(raw: bytes, vr: str, declared: str) -> Value:
    if not raw:
        return ""
    if vr in _NUMBERS:
        return _numbers(raw, vr)
    if vr == "AT":
        if len(raw) % 4:
            return _damaged(raw, vr)
        tags = struct.unpack(f"<{len(raw) // 2}H", raw)
        return _one_or_all([f"{a:04X}{b:04X}" for a, b in zip(tags[::2], tags[1::2], strict=True)])
    if vr[0] == "O" or vr == "UN":
        return f"<{len(raw)} bytes>"
    text = decoder(declared)(raw, vr) if vr in _TEXT_VRS else raw.decode("latin-1")
    if vr in _SINGLE_VALUE_VRS:
        return visible(text.rstrip(" \0"))
    if "\\" not in text:
        return _plain(text, vr)
    return [_plain(value, vr) for value in text.split("\\")]


def _plain(text: str, vr: str) -> str | int:
    """One value without its padding; an integer string as a number when that loses nothing."""
    text = text.strip(" \0")
    if vr == "IS" and _CANONICAL_INTEGER.fullmatch(text):
        return int(text)
    return visible(text)


def _numbers(raw: bytes, vr: str) -> Value:
    form = _NUMBERS[vr]
    count, rest = divmod(len(raw), struct.calcsize(form))
    if rest:
        return _damaged(raw, vr)
    # JSON has no NaN and no infinity.
    return _one_or_all(
        [
            number if isfinite(number) else str(number)
            for number in struct.unpack(f"<{count}{form}", raw)
        ]
    )


def _damaged(raw: bytes, vr: str) -> str:
    """What to show for a value whose length its VR does not allow; the rest of the row stands."""
    return f"<{len(raw)} bytes, not a value of type {vr}>"


def _one_or_all(values: list[Value]) -> Value:
    return values[0] if len(values) == 1 else values


@lru_cache(maxsize=4096)  # bounded: an archive chooses the tags it sends
def _known(tag: int) -> Attribute | None:
    return attribute_of_tag(tag)


# What `_value` would do too, after some questions that need not be asked of these.
_READERS: dict[str, _Reader] = {
    **dict.fromkeys(("AE", "AS", "CS", "DA", "DS", "DT", "TM", "UI"), _default_text),
    **dict.fromkeys(("LO", "PN", "SH"), _declared_text),
}

# Those whose values repeat. A UID hardly does, and the character set has to be noted each time.
_REPEATING = frozenset({_default_text, _declared_text, _value})

_TAG: Callable[[bytes, int], tuple[int, int]] = struct.Struct("<HH").unpack_from  # pyright: ignore
_UINT16: Callable[[bytes, int], tuple[int]] = struct.Struct("<H").unpack_from  # pyright: ignore
_UINT32: Callable[[bytes, int], tuple[int]] = struct.Struct("<I").unpack_from  # pyright: ignore
