"""Data sets as records of text, and records as the identifiers of answers.

Text is kept decoded. An answer is encoded in the character set of the object it describes, or in
UTF-8 (ISO_IR 192) where that has no place for a character.
"""

import struct
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import cast

from pydicom.charset import convert_encodings, encode_string
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.valuerep import PersonName
from pynetdicom.dsutils import decode, encode

from ..standard.charset import UTF_8, decoder
from ..standard.dictionary import Attribute, attribute, attribute_of_tag
from ..standard.matching import Key, Record, significant

type Content = dict[str, list[str] | list["Content"]]

_CHARACTER_SET = "SpecificCharacterSet"
_TEXT_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
_SINGLE_VALUE_VRS = frozenset({"LT", "ST", "UR", "UT"})
_NUMBERS = {"FD": "d", "FL": "f", "SL": "i", "SS": "h", "SV": "q", "UL": "I", "US": "H", "UV": "Q"}
_BULK_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})

# PS3.5 7.1.2: VRs whose length takes 32 bits after two reserved bytes; 7.5: an item's tag.
_LONG_VRS = _BULK_VRS | {"SQ", "SV", "UC", "UR", "UT", "UV"}
_ITEM = b"\xfe\xff\x00\xe0"

# Longer text (a report, a comment of pages) is left in the object.
_LONGEST_VALUE = 16_384


def content(
    dataset: Dataset, wanted: Callable[[str], bool], *, declared: str = "", little: bool = True
) -> Content:
    """The data set's wanted attributes by keyword: values as text, or the items of a sequence.

    `declared` is the character set of the data set around this one, if there is one.
    """
    found: Content = {}
    for tag, element in dataset.items():
        known = _known(int(tag))
        if known is None or not wanted(known.keyword):
            continue
        vr = element.VR if element.VR and element.VR != "UN" else known.vr
        if vr == "SQ":
            items = cast("Iterable[Dataset]", dataset[tag].value or ())
            found[known.keyword] = [
                content(item, _everything, declared=declared, little=little) for item in items
            ]
            continue
        if vr in _BULK_VRS or _length(element) > _LONGEST_VALUE:
            continue
        text = _text(element, vr if len(vr) == 2 else known.vr, declared, little=little)
        if known.keyword == _CHARACTER_SET:
            declared = text
        is_single = vr in _SINGLE_VALUE_VRS
        values = [significant(vr, value) for value in ([text] if is_single else text.split("\\"))]
        found[known.keyword] = values if any(values) else []
    return found


def read_in_process(dataset: Dataset) -> Content:
    """All attributes of a data set that was made in this process.

    Raises ValueError when it cannot be encoded.
    """
    encoded = encode(dataset, False, True)
    if encoded is None:
        raise ValueError("a data set could not be encoded")
    return content(decode(BytesIO(encoded), False, True), _everything)


def keys(identifier: Dataset, *, declared: str = "") -> dict[str, Key]:
    """The keys of a request's identifier, by keyword; those of unknown tags are left out.

    Text is decoded as the identifier's Specific Character Set says (PS3.4 C.2.2.2).
    """
    found: dict[str, Key] = {}
    for tag, element in identifier.items():
        known = _known(int(tag))
        if known is None:
            continue
        if known.vr == "SQ":
            items = cast("Sequence[Dataset]", identifier[tag].value or ())
            found[known.keyword] = keys(items[0], declared=declared) if items else {}
            continue
        text = _text(element, known.vr, declared)
        if known.keyword == _CHARACTER_SET:
            declared = text
        found[known.keyword] = (known.vr, significant(known.vr, text))
    return found


@dataclass(frozen=True, slots=True)
class Element:
    """One element of the answers to a request, everything but its value already encoded."""

    keyword: str
    vr: str
    head: bytes
    items: tuple["Element", ...]


def elements(wanted: Mapping[str, Key], *, explicit: bool) -> tuple[Element, ...]:
    """The elements of an answer in tag order, for Explicit or Implicit VR Little Endian.

    A sequence is answered with the keys that its item names, or whole when it names none.
    """
    known = [element for element in map(attribute, wanted) if element]
    return tuple(
        Element(
            element.keyword,
            element.vr,
            struct.pack("<HH", element.tag >> 16, element.tag & 0xFFFF)
            + (element.vr.encode("ascii") if explicit else b"")
            + (b"\0\0" if explicit and element.vr in _LONG_VRS else b""),
            elements(_named(wanted[element.keyword]), explicit=explicit),
        )
        for element in sorted(known, key=lambda element: element.tag)
    )


def answer(
    record: Record,
    wanted: Sequence[Element],
    *,
    declared: str = "",
    said: str | None = None,
    explicit: bool,
) -> bytes:
    """The wanted attributes of a record as an encoded identifier; what the record lacks is empty.

    Text goes out in the declared character set if every value survives it, otherwise in UTF-8.
    If `said` is given it is what the identifier says of its character set instead of the truth,
    "" for nothing.
    """
    values = [record.get(element.keyword, ()) for element in wanted]
    if all(map(_is_ascii, values)):
        return _data_set(record, wanted, "", explicit)
    if not all(_survives(texts, declared) for texts in values):
        declared = UTF_8
    body = _data_set(record, wanted, declared, explicit)
    if said == "":
        return body
    (character_set,) = elements({_CHARACTER_SET: ("CS", "")}, explicit=explicit)
    head = {_CHARACTER_SET: [declared if said is None else said]}
    return _data_set(head, [character_set], "", explicit) + body


def as_bytes(text: str, vr: str, declared: str) -> str:
    """The bytes of a text in the declared character set (or UTF-8, as in `answer`), each of them
    as the character of Latin-1 that it is."""
    if text.isascii():
        return text
    kept = declared if _survives([text], declared) else UTF_8
    return _encoded([text], vr, kept).decode("latin-1")


def _everything(keyword: str) -> bool:  # noqa: ARG001 - one shape for every choice
    return True


@cache
def _known(tag: int) -> Attribute | None:
    return attribute_of_tag(tag)


def _length(element: DataElement | RawDataElement) -> int:
    return element.length if isinstance(element, RawDataElement) else 0


def _text(
    element: DataElement | RawDataElement, vr: str, declared: str, *, little: bool = True
) -> str:
    """All values of an element, separated by backslashes; numbers as their text."""
    if not isinstance(element, RawDataElement):
        # pydicom decodes a few elements while it reads, none of them patient text.
        value = cast("object", element.value)
        several = isinstance(value, MultiValue)
        values = cast("MultiValue[object]", value) if several else [value]
        return "\\".join("" if part is None else str(part) for part in values)
    raw = element.value or b""
    order = "<" if little else ">"
    if vr in _NUMBERS:
        size = struct.calcsize(_NUMBERS[vr])
        whole = raw[: len(raw) // size * size]
        numbers = struct.unpack(f"{order}{len(whole) // size}{_NUMBERS[vr]}", whole)
        return "\\".join(str(number) for number in numbers)
    if vr == "AT":
        whole = raw[: len(raw) // 4 * 4]
        words = struct.unpack(f"{order}{len(whole) // 2}H", whole)
        return "\\".join(f"{g:04X}{e:04X}" for g, e in zip(words[::2], words[1::2], strict=True))
    if vr in _TEXT_VRS:
        return decoder(declared)(raw, vr)
    return raw.decode("latin-1").rstrip(" \0")


def _named(key: Key) -> Mapping[str, Key]:
    return {} if isinstance(key, tuple) else key


def _data_set(record: Record, wanted: Sequence[Element], declared: str, explicit: bool) -> bytes:
    parts: list[bytes] = []
    for element in wanted:
        values = record.get(element.keyword, ())
        if element.vr == "SQ":
            value = _items(values, element.items, declared, explicit)
        else:
            value = _bytes([v for v in values if isinstance(v, str)], element.vr, declared)
        parts += (element.head, _length_field(len(value), element.vr, explicit), value)
    return b"".join(parts)


def _length_field(length: int, vr: str, explicit: bool) -> bytes:
    return struct.pack("<H" if explicit and vr not in _LONG_VRS else "<I", length)


def _items(
    values: Sequence[str] | Sequence[Record],
    wanted: Sequence[Element],
    declared: str,
    explicit: bool,
) -> bytes:
    encoded = b""
    for item in values:
        if isinstance(item, str):
            continue
        whole = wanted or elements(dict.fromkeys(item, ("", "")), explicit=explicit)
        body = _data_set(item, whole, declared, explicit)
        encoded += _ITEM + struct.pack("<I", len(body)) + body
    return encoded


def _bytes(values: Sequence[str], vr: str, declared: str) -> bytes:
    if not values:
        return b""
    if vr in _NUMBERS:
        kind = float if vr in ("FD", "FL") else int
        return struct.pack(f"<{len(values)}{_NUMBERS[vr]}", *(kind(value) for value in values))
    if vr == "AT":
        words = [int(half, 16) for value in values for half in (value[:4], value[4:])]
        return struct.pack(f"<{len(words)}H", *words)
    text = "\\".join(values)
    value = text.encode("ascii") if text.isascii() else _encoded(values, vr, declared)
    if len(value) % 2:
        value += b"\0" if vr == "UI" else b" "
    return value


def _encoded(values: Sequence[str], vr: str, declared: str) -> bytes:
    if declared == UTF_8:
        return "\\".join(values).encode("utf-8")
    encodings = convert_encodings([name.strip() for name in declared.split("\\")])
    if vr == "PN":
        names = [PersonName(value, encodings).encode(encodings) for value in values]  # pyright: ignore
        return b"\\".join(names)
    return b"\\".join(encode_string(value, encodings) for value in values)


def _is_ascii(values: Sequence[str] | Sequence[Record]) -> bool:
    return all(
        value.isascii()
        if isinstance(value, str)
        else all(_is_ascii(inner) for inner in value.values())
        for value in values
    )


def _survives(values: Sequence[str] | Sequence[Record], declared: str) -> bool:
    """Whether text comes back unchanged from this character set."""
    for value in values:
        if not isinstance(value, str):
            if not all(_survives(inner, declared) for inner in value.values()):
                return False
            continue
        if value.isascii():
            continue
        if not declared:
            return False
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                # PN, because its delimiters are the stricter ones.
                if decoder(declared)(_encoded([value], "PN", declared), "PN") != value:
                    return False
        except (UnicodeError, LookupError, ValueError, UserWarning):
            return False
    return True
