"""A data set in the DICOM JSON Model (PS3.18 F) as bytes in Explicit VR Little Endian, without bulk
data: what an archive's metadata service answers becomes an object like any other."""

import base64
import binascii
import struct
from collections.abc import Generator, Mapping
from typing import Any, cast

from ..errors import ProtocolViolation
from ..standard.charset import UTF_8
from ..standard.dictionary import attribute_of_tag, is_either_sign
from ..standard.instance import Instance
from ..standard.part10 import element
from ..standard.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from ..standard.unfolding import DEEPEST
from .model import TAG, TWICE, is_element, known_as, name_of, parts_of, text_of

_NUMBERS: Mapping[str, str] = {
    "FD": "d",
    "FL": "f",
    "OD": "d",
    "OF": "f",
    "SL": "i",
    "SS": "h",
    "SV": "q",
    "UL": "I",
    "US": "H",
    "UV": "Q",
}
_VRS = frozenset(
    [
        "AE",
        "AS",
        "AT",
        "CS",
        "DA",
        "DS",
        "DT",
        "FD",
        "FL",
        "IS",
        "LO",
        "LT",
        "OB",
        "OD",
        "OF",
        "OL",
        "OV",
        "OW",
        "PN",
        "SH",
        "SL",
        "SQ",
        "SS",
        "ST",
        "SV",
        "TM",
        "UC",
        "UI",
        "UL",
        "UN",
        "UR",
        "US",
        "UT",
        "UV",
    ]
)

_CHARACTER_SET = 0x00080005
_DECLARED = "00080005"
_CODE_EXTENSIONS = "ISO 2022"  # PS3.3 C.12.1.1.2
_SOP_CLASS, _SOP_INSTANCE = "00080016", "00080018"
_PIXELS = 0x7FE0  # the group of pixel data in all its forms (PS3.3 C.7.6.3)
_ITEM = 0xFFFEE000


def header(row: Mapping[str, Any]) -> Instance:
    """The object that this data set describes, as far as it does.

    Text is in UTF-8, as it came (PS3.18 F.2.2). Raises ProtocolViolation for invalid values,
    and for text in a code that JSON cannot have: Orthanc loses its escape sequences.
    """
    if _CODE_EXTENSIONS in str(row.get(_DECLARED)):
        raise ProtocolViolation("the metadata of an object has text that is not in UTF-8")
    try:
        encoded = _data_set(row, 0)
        uids = [_first(row, name) for name in (_SOP_CLASS, _SOP_INSTANCE)]
    except (ValueError, OverflowError, TypeError, struct.error, binascii.Error) as error:
        # What it says may quote a value.
        raise ProtocolViolation("the metadata of an object has invalid values") from error
    content = bytearray(encoded)
    return Instance(
        uids[0],
        uids[1],
        EXPLICIT_VR_LITTLE_ENDIAN,
        content,
        without_bulk=True,
        kept_apart=frozenset(_kept_apart(row)),
    )


def _kept_apart(row: Mapping[str, Any]) -> Generator[int]:
    """The tags at every depth whose values are bulk data, pixels aside."""
    for name, found in row.items():
        tag = _tag(name)
        if tag is None:
            continue
        element = parts_of(found)
        if "BulkDataURI" in element and tag >> 16 != _PIXELS:
            yield tag
        is_sequence = str(element.get("vr", "")).upper() == "SQ"
        for item in _listed(element.get("Value")) if is_sequence else ():
            if isinstance(item, dict):
                yield from _kept_apart(cast("dict[str, Any]", item))


def _tag(name: str) -> int | None:
    """The tag of a member, which a few servers write as its keyword."""
    if TAG.fullmatch(name):
        return int(name, 16)
    known = known_as(name)
    return known.tag if known else None


def _data_set(row: Mapping[str, Any], depth: int) -> bytes:
    if depth > DEEPEST:
        raise ValueError("sequences in sequences without end")
    if TWICE in row:
        raise ValueError("an attribute twice")
    elements: dict[int, bytes] = {}
    for name, found in row.items():
        tag = _tag(name)
        if tag is None:
            if is_element(found):
                raise ValueError("an attribute whose name is no tag")
            continue
        # Files and directories, lengths of groups, and delimiters are in no data set (PS3.5 7).
        if not 8 <= tag >> 16 < 0xFFFE or not tag & 0xFFFF or tag >> 16 == _PIXELS:
            continue
        encoded = _element(tag, parts_of(found), depth)
        if encoded is not None and elements.setdefault(tag, encoded) != encoded:
            raise ValueError("an attribute twice")
    elements.pop(_CHARACTER_SET, None)
    if not depth:
        elements[_CHARACTER_SET] = element(_CHARACTER_SET, "CS", UTF_8.encode())
    return b"".join(elements[tag] for tag in sorted(elements))


def _element(tag: int, found: dict[str, Any], depth: int) -> bytes | None:
    """One element; None for bulk data, which is somewhere else."""
    if "BulkDataURI" in found:
        return None
    known = attribute_of_tag(tag)
    vr = found.get("vr")
    vr = vr.upper() if isinstance(vr, str) else ""
    if vr not in _VRS:
        vr = known.vr if known else "UN"
    if "InlineBinary" in found:
        raw = base64.b64decode(str(found["InlineBinary"] or ""), validate=False)
        return element(tag, vr, raw)
    values = _listed(found.get("Value"))
    if vr in _OTHER_SIGN and is_either_sign(tag) and not _has_room(vr, values):
        vr = _OTHER_SIGN[vr]
    return element(tag, vr, _value(vr, values, depth))


# Some servers take the first of the two VRs an attribute can have (PS3.6), and write what it cannot
# hold.
_OTHER_SIGN = {"US": "SS", "SS": "US"}


def _has_room(vr: str, values: list[Any]) -> bool:
    least, most = (0, 0xFFFF) if vr == "US" else (-0x8000, 0x7FFF)
    return all(least <= value <= most for value in values if isinstance(value, int))


def _value(vr: str, values: list[Any], depth: int) -> bytes:
    if vr == "SQ":
        if not all(isinstance(value, dict | None) for value in values):
            raise TypeError("an item that is no data set")
        items = [_data_set(value or {}, depth + 1) for value in values]
        return b"".join(
            struct.pack("<HHI", _ITEM >> 16, _ITEM & 0xFFFF, len(item)) + item for item in items
        )
    if form := _NUMBERS.get(vr):
        present = [value for value in values if value not in (None, "")]
        numbers = [
            float(value) if form in "df" else int(str(value).removesuffix(".0"))
            for value in present
        ]
        return struct.pack(f"<{len(numbers)}{form}", *numbers)
    if vr == "AT":
        tags = [int(str(value), 16) for value in values if value]
        return b"".join(struct.pack("<HH", tag >> 16, tag & 0xFFFF) for tag in tags)
    if values and vr in ("OB", "OL", "OV", "OW"):
        raise ValueError("bytes as a list")
    return "\\".join(_text(vr, value) for value in values).encode()


def _text(vr: str, value: Any) -> str:
    if vr == "PN" and isinstance(value, dict):
        return name_of(cast("object", value))
    if isinstance(value, dict | list):
        raise TypeError("a list or an object for a text")
    return text_of(cast("object", value))  # a DS with all digits a number in JSON has (F.2.3)


def _first(row: Mapping[str, Any], name: str) -> str:
    values = _listed(parts_of(row.get(name)).get("Value"))
    return text_of(values[0]) if values else ""


def _listed(values: Any) -> list[Any]:
    if values is None:
        return []
    return cast("list[Any]", values) if isinstance(values, list) else [values]
