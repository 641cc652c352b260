"""The bytes of a query: the identifier of a C-FIND request (PS3.4 C.4.1.1.3, K.6.1.2)."""

import struct
from collections.abc import Mapping

from ..errors import BadAttribute
from .charset import UTF_8
from .dictionary import attribute
from .identifier import DELIMITERS, ITEM, LONG_VRS
from .levels import Level
from .matching import Key
from .query import Query
from .syntaxes import IMPLICIT_VR_LITTLE_ENDIAN
from .worklist import OF_STEP, STEPS

_FIRST_GROUP = 0x0008  # those before it are of commands, files and directories (PS3.5 7.1)


def encode(query: Query, transfer_syntax: str) -> bytes:
    """The query's identifier, elements in tag order, declared as UTF-8 when it isn't ASCII.

    Raises BadAttribute for one that no data set has.
    """
    keys: dict[str, Key] = {}
    for element, key in query.elements():
        if not _FIRST_GROUP <= element.tag >> 16 < DELIMITERS:
            raise BadAttribute(
                f"{element.keyword} is no attribute of a patient, study, series or instance",
                "It belongs to messages or files (PS3.5 7.1); leave it out",
            )
        keys[element.keyword] = element.vr, key
    # Asked for as well or not: each stands there once.
    if query.level is Level.WORKLIST:
        step = {keyword: keys.pop(keyword) for keyword in OF_STEP}
        keys[STEPS] = step
    else:
        keys["QueryRetrieveLevel"] = "CS", query.level.value
    if not query.is_ascii:
        keys["SpecificCharacterSet"] = "CS", UTF_8
    return _keys(keys, transfer_syntax != IMPLICIT_VR_LITTLE_ENDIAN)


def _keys(keys: Mapping[str, Key], explicit: bool) -> bytes:
    """Elements in tag order; a sequence has the one item of its keys (PS3.4 C.2.2.2.6)."""
    known = [(element.tag, key) for keyword, key in keys.items() if (element := attribute(keyword))]
    parts: list[bytes] = []
    for tag, key in sorted(known, key=lambda element: element[0]):
        if isinstance(key, tuple):
            parts.append(_element(tag, *key, explicit))
        else:
            item = _keys(key, explicit)
            head = struct.pack("<HHI", ITEM >> 16, ITEM & 0xFFFF, len(item))
            parts.append(_encoded(tag, "SQ", head + item, explicit))
    return b"".join(parts)


def _element(tag: int, vr: str, key: str, explicit: bool) -> bytes:
    value = key.encode("utf-8")
    if len(value) % 2:
        value += b"\0" if vr == "UI" else b" "
    return _encoded(tag, vr, value, explicit)


def _encoded(tag: int, vr: str, value: bytes, explicit: bool) -> bytes:
    group_element = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if not explicit:
        return group_element + struct.pack("<I", len(value)) + value
    if vr in LONG_VRS:
        return group_element + vr.encode() + struct.pack("<HI", 0, len(value)) + value
    return group_element + vr.encode() + struct.pack("<H", len(value)) + value
