"""An object's elements as text and numbers as they were written, without pydicom's conversions.

pydicom converts, validates and warns; what is damaged makes it raise in many ways. Here a value
that was read from bytes is decoded as the identifiers of a query are, under the character set its
item declares or inherits (PS3.5 6.1, PS3.3 C.12.1.1.2).
"""

import struct
from collections.abc import Iterable, Iterator, MutableSequence, Sequence
from dataclasses import dataclass
from functools import cache
from math import isfinite
from typing import Any, cast

from pydicom import config
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from pydicom.uid import UID
from pydicom.valuerep import VR

from ..budgets import LARGEST_TEXT
from ..standard.charset import decoder
from ..standard.dictionary import attribute, attribute_of_tag, is_either_sign
from ..standard.unfolding import MOST_VALUES
from ..standard.values import decimal_number
from .error import ContentError
from .plain import capped, plain_text

type Element = DataElement | RawDataElement

CHARACTER_SET = 0x00080005
_PIXEL_REPRESENTATION = 0x00280103

# Look-up table descriptors (PS3.3 C.7.6.3.1.5, C.11.1.1): how many entries there are has no sign.
_DESCRIPTORS = frozenset({0x00281101, 0x00281102, 0x00281103, 0x00283002})

# PS3.5 6.2: text VRs whose characters Specific Character Set extends; those of several lines; those
# of one value, in which a backslash is a backslash.
_EXTENDED = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
_LINES = frozenset({"LT", "ST", "UT"})
_SINGLE = frozenset({"LT", "ST", "UT", "UR"})

# Texts that may be long; of the others PS3.5 6.2 allows 64 characters, of a name three times that.
_UNLIMITED = frozenset({"LT", "ST", "UC", "UR", "UT"})
_LONGEST_SHORT = 1024
_LONGEST_LIST = 65536

_VRS = frozenset(vr.value for vr in VR if len(vr.value) == 2)

# VRs of bytes: nothing a person reads.
BULK = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})

# PS3.5 6.2: binary numbers, by struct's letters.
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


# A large value of an object read here is a view of the object (read.py).
type Bytes = bytes | bytearray | memoryview[int]


_BYTES = (bytes, bytearray, memoryview)


@dataclass(frozen=True, slots=True)
class Elements:
    """The elements of a data set or an item, the character set they are in, and whether values
    that are US or SS have a sign (Pixel Representation)."""

    dataset: Dataset
    charset: str = ""
    signed: bool = False

    @classmethod
    def of(cls, dataset: Dataset, *, inherited: "Elements | None" = None) -> "Elements":
        """Wrap a data set, or a sequence item that inherits its character set."""
        charset, signed = (inherited.charset, inherited.signed) if inherited else ("", False)
        if (element := held(dataset, CHARACTER_SET)) is not None:
            charset = "\\".join(_written(element, "CS", ""))
        if (element := held(dataset, _PIXEL_REPRESENTATION)) is not None:
            signed = _written(element, "US", "") == ["1"]
        return cls(dataset, charset, signed)

    def __contains__(self, keyword: str) -> bool:
        return _tag(keyword) in self.dataset

    def element(self, keyword: str) -> Element | None:
        """The element as it is held, decoded or not."""
        return held(self.dataset, _tag(keyword))

    def values(self, keyword: str) -> list[str]:
        """Every value as plain text; none where the attribute is absent or empty."""
        element = self.element(keyword)
        return [] if element is None else self.texts(element)

    def text(self, keyword: str) -> str:
        """The value as plain text, several separated by a backslash; "" where there is none."""
        values = self.values(keyword)
        return values[0] if len(values) == 1 else capped("\\".join(values), _LONGEST_LIST)

    def texts(self, element: Element) -> list[str]:
        """The values of an element as plain text; none of a sequence and of bulk bytes."""
        vr = self.vr_of(element)
        if vr == "SQ" or vr in BULK:
            return []
        written = _written(element, vr, self.charset)
        if vr == "SS" and element.tag in _DESCRIPTORS and written:
            written[0] = str(int(written[0]) % 65536)
        if vr in _UNLIMITED:
            return [plain_text(value, lines=vr in _LINES) for value in written]
        return [capped(plain_text(value), _LONGEST_SHORT) for value in written]

    def numbers(self, keyword: str) -> list[float]:
        """The values as numbers; none at all where one of them is no finite number."""
        several = [decimal_number(value) for value in self.values(keyword)]
        numbers = [number for number in several if number is not None]
        return numbers if len(numbers) == len(several) else []

    def number(self, keyword: str) -> float | None:
        """The first value as a number; None where there is none."""
        return next(iter(self.numbers(keyword)), None)

    def integer(self, keyword: str, otherwise: int = 0) -> int:
        """The first value as a whole number, `otherwise` where there is none."""
        found = self.number(keyword)
        return otherwise if found is None or found != int(found) else int(found)

    def items(self, keyword: str) -> list["Elements"]:
        """The items of a sequence; none where it is absent or empty.

        Raises ContentError where its bytes are no sequence.
        """
        element = self.element(keyword)
        return [] if element is None else self.nested(element)

    def passing(self, keyword: str) -> list["Elements"]:
        """The items of a sequence as `items` has them, for somebody who passes by once: what is
        parsed for it is not kept in the data set."""
        element = self.element(keyword)
        return [] if element is None else self.passed(element)

    def passed(self, element: Element) -> list["Elements"]:
        """The items of an element that is a sequence, as `passing` has them."""
        if isinstance(element, RawDataElement):
            passing = Dataset({element.tag: element})
            return Elements(passing, self.charset, self.signed).nested(element)
        return self.nested(element)

    def first(self, keyword: str) -> "Elements":
        """The first item of a sequence, or an item without elements; a damaged one has none."""
        return self.item(keyword, 1)

    def item(self, keyword: str, number: int) -> "Elements":
        """The item of this number, from 1, without looking at the others; as `first` otherwise."""
        element = self.element(keyword)
        if element is not None:
            try:
                return Elements.of(
                    self._sequence(element)[number - 1],
                    inherited=self,
                )
            except (ContentError, IndexError):
                pass
        return Elements(_nothing(), self.charset, self.signed)

    def nested(self, element: Element) -> list["Elements"]:
        """The items of an element that is a sequence. Raises ContentError for damaged bytes."""
        return [Elements.of(item, inherited=self) for item in self._sequence(element)]

    def vr_of(self, element: Element) -> str:
        """The element's VR; of one in Implicit VR or sent as UN (PS3.5 6.2.2) the dictionary's."""
        vr = element.VR
        # None, two, or one that a damaged object made up.
        if vr in _VRS and not (vr == "UN" and element.is_raw):
            return str(vr)
        known = attribute_of_tag(element.tag)
        if known and self.signed and is_either_sign(element.tag):
            return "OW" if known.vr == "OW" else "SS"
        return known.vr if known else "UN"

    def _sequence(self, element: Element) -> Sequence[Dataset]:
        try:
            value = cast(Any, self.dataset[element.tag]).value
            if all(isinstance(item, Dataset) for item in value[:1]):
                return cast("Sequence[Dataset]", value)
        except Exception as trouble:  # pydicom raises whatever its parsing stumbles over
            raise ContentError(f"{element.tag} is damaged and cannot be read") from trouble
        raise ContentError(f"{element.tag} is no sequence")

    def bytes(self, keyword: str) -> bytes:
        """A bulk value; b"" where there is none."""
        return bytes(self.bulk(keyword))

    def bulk(self, keyword: str) -> "Bytes":
        """A bulk value where it is, without a copy of it; b"" where there is none."""
        element = self.element(keyword)
        value = None if element is None else cast(Any, element).value
        return cast("Bytes", value) if isinstance(value, _BYTES) else b""


@cache
def _nothing() -> Dataset:
    """A data set without elements; making one takes longer than asking it."""
    return Dataset()


def uid_name(uid: str) -> str:
    """The name the standard has for a UID; "" where it has none.

    Of a UID that breaks the rules nothing is said: pydicom's warning would hold it.
    """
    name = UID(uid, config.IGNORE).name if uid else ""
    return "" if name == uid else name


def held(dataset: Dataset, tag: int) -> Element | None:
    """The element as it is held, decoded or not; None where there is none."""
    return cast("Element | None", dataset.get_item(BaseTag(tag), keep_deferred=True))


def shortest(number: float, *, bits: int = 32) -> str:
    """The number in the fewest digits that mean the same value of so many bits (32 where it has no
    more, else 64)."""
    if isfinite(number) and number == int(number) and abs(number) < 1e15:
        return str(int(number))
    if bits == 64:
        return repr(float(number))  # a DSfloat of pydicom's has quotes around it
    for digits in range(1, 10):
        shown = f"{number:.{digits}g}"
        if float(shown) == number:
            return shown
    try:
        if struct.unpack("f", struct.pack("f", number))[0] == number:
            return next(
                shown
                for digits in range(1, 18)
                if struct.pack("f", float(shown := f"{number:.{digits}g}"))
                == struct.pack("f", number)
            )
    except OverflowError:
        pass
    return repr(number)


def multiplicity(element: Element, vr: str) -> int:
    """How many values an element has, of which MOST_VALUES are read."""
    value = cast(Any, element).value
    if not isinstance(value, _BYTES):
        return len(cast("Any", value)) if isinstance(value, MutableSequence | tuple) else 1
    content = bytes(cast("Bytes", value))
    if letter := _NUMBERS.get(vr):
        return len(content) // struct.calcsize(letter)
    return len(content) // 4 if vr == "AT" else content.count(b"\\") + 1


def _tag(keyword: str) -> int:
    known = attribute(keyword)
    if known is None:
        raise KeyError(keyword)
    return known.tag


def _written(element: Element, vr: str, charset: str) -> list[str]:
    """Each value as it was written, padding removed (PS3.5 6.2)."""
    value = cast(Any, element).value
    if value is None:
        return []
    if isinstance(value, _BYTES):
        little = element.is_little_endian if isinstance(element, RawDataElement) else True
        return list(_read(bytes(cast("Bytes", value)), vr, charset, little=little))
    several = [value]
    if isinstance(value, MutableSequence | tuple):
        several = list(cast("Iterable[Any]", value))
    return _trimmed([_as_written(single, vr) for single in several], vr)


def _read(value: bytes, vr: str, charset: str, *, little: bool) -> Iterator[str]:
    order = "<" if little else ">"
    if letter := _NUMBERS.get(vr):
        size = struct.calcsize(letter)
        whole = min(len(value) - len(value) % size, MOST_VALUES * size)
        for (number,) in struct.iter_unpack(order + letter, value[:whole]):
            bits = 64 if letter == "d" else 32
            yield shortest(number, bits=bits) if letter in "df" else str(number)
    elif vr == "AT":
        for group, number in struct.iter_unpack(
            order + "HH", value[: min(len(value) // 4, MOST_VALUES) * 4]
        ):
            yield f"({group:04X},{number:04X})"
    elif value:
        text = decoder(charset if vr in _EXTENDED else "")(value[:LARGEST_TEXT], vr)
        if len(value) > LARGEST_TEXT:
            text += f"… [{len(value) - LARGEST_TEXT:,} more bytes left out]"
        several = [text] if vr in _SINGLE else text.split("\\", MOST_VALUES)
        yield from _trimmed(several[:MOST_VALUES], vr)


def _trimmed(values: list[str], vr: str) -> list[str]:
    """Without padding; leading spaces mean something in texts of several lines only."""
    cut = [value.rstrip(" \0") if vr in _LINES else value.strip(" \0") for value in values]
    return [] if cut == [""] else cut


def _as_written(value: Any, vr: str) -> str:
    """One value pydicom has already converted: a DS and an IS remember their text."""
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("latin-1")
    written = getattr(value, "original_string", None)
    if isinstance(written, str):
        return written
    if isinstance(value, str) and len(value) > LARGEST_TEXT:
        return f"{value[:LARGEST_TEXT]}… [{len(value) - LARGEST_TEXT:,} more characters left out]"
    if isinstance(value, float):
        return shortest(value, bits=32 if vr == "FL" else 64)
    return str(value)
