"""Look-up tables of a data set: modality, VOI and palette colour (PS3.3 C.11.1, C.11.2, C.7.9)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from pydicom.dataelem import RawDataElement

from .elements import Elements
from .error import ContentError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type Numbers = NDArray[Any]

_CHANNELS = ("Red", "Green", "Blue")


@dataclass(frozen=True, slots=True)
class Lut:
    """Entries of `bits` bits for the values from `first` on; beyond its ends the end's entry."""

    entries: "NDArray[np.uint16]"
    first: int
    bits: int

    def of(self, values: "NDArray[np.float64]") -> "NDArray[np.float64]":
        """The entry for each value."""
        import numpy as np

        places = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1).astype(np.intp)
        return self.entries[places].astype(np.float64)

    def shares(self, values: "NDArray[np.float64]") -> "NDArray[np.float64]":
        """The entry for each value as a share of the largest there can be."""
        import numpy as np

        return np.clip(self.of(values) / ((1 << self.bits) - 1), 0.0, 1.0)


def lut(item: Elements, *, signed: bool) -> Lut:
    """The table of an item of Modality LUT Sequence or VOI LUT Sequence.

    `signed` says whether the values looked up can be negative: the descriptor's second number is
    then read so (PS3.3 C.11.1.1). Raises ContentError for a table that cannot be used.
    """
    return _lut(item, "LUTDescriptor", "LUTData", signed=signed)


def palette(elements: Elements, *, signed: bool) -> tuple[Lut, Lut, Lut]:
    """The tables of red, green and blue, segmented or not (PS3.3 C.7.6.3.1.5, C.7.9.2)."""
    red, green, blue = (
        _lut(
            elements,
            f"{channel}PaletteColorLookupTableDescriptor",
            f"{channel}PaletteColorLookupTableData",
            signed=signed,
        )
        for channel in _CHANNELS
    )
    return red, green, blue


def numbers(elements: Elements, keyword: str, *, size: int) -> "Numbers":
    """A value of binary numbers of `size` bytes, whether it is held as bytes or as integers."""
    import numpy as np

    element = elements.element(keyword)
    value = None if element is None else cast(Any, element).value
    if value is None:
        return np.empty(0, f"u{size}")
    if isinstance(value, bytes | bytearray):
        little = element.is_little_endian if isinstance(element, RawDataElement) else True
        whole = len(value) // size * size
        found = np.frombuffer(bytes(value[:whole]), f"{'<' if little else '>'}u{size}")
        return found.astype(f"u{size}")
    several = cast("Iterable[int]", value if isinstance(value, Iterable) else [value])
    wide = np.asarray([int(number) & 0xFFFF for number in several], np.uint16)
    return wide if size == 2 else wide.view(np.uint8)


def _lut(elements: Elements, descriptor: str, data: str, *, signed: bool) -> Lut:
    import numpy as np

    said = [int(number) for number in elements.numbers(descriptor)]
    if len(said) != 3 or not 1 <= said[2] <= 16:
        raise ContentError(f"The look-up table has no usable descriptor ({descriptor})")
    count, first, bits = said[0] % 65536 or 65536, said[1], said[2]
    if signed and first > 32767:
        first -= 65536
    if not signed:
        first %= 65536
    if data in elements:
        raw = numbers(elements, data, size=1)
        is_bytes = 0 <= len(raw) - count <= 1
        entries = raw if is_bytes else numbers(elements, data, size=2)
    else:
        size = 1 if bits <= 8 else 2
        entries = _unfolded(numbers(elements, f"Segmented{data}", size=size), count)
    entries = np.asarray(entries[:count], np.uint16)
    if len(entries) < count:
        raise ContentError(f"A look-up table of {count} entries holds {len(entries)} ({data})")
    if bits == 16 and entries.max(initial=0) < 256 and data != "LUTData":
        bits = 8  # entries of 8 bits in a table that is said to have 16; their high bytes are empty
    return Lut(entries, first, bits)


# Three numbers for each of the most entries a table has, and segments that are read.
_MOST_SEGMENTED = 3 * 65536


def _unfolded(segments: "Numbers", count: int) -> "Numbers":
    """Segmented entries written out (PS3.3 C.7.9.2): discrete, linear, indirect."""
    import numpy as np

    if segments.size > _MOST_SEGMENTED:
        raise ContentError("The segmented palette is larger than what it stands for")
    values = [int(value) for value in cast("Iterable[int]", segments.tolist())]
    wide = segments.dtype.itemsize == 1
    out: list[int] = []
    steps: list[tuple[int, int]] = [(0, 1 << 30)]  # where to read on, and how many segments
    for _ in range(_MOST_SEGMENTED):
        if not steps or len(out) >= count:
            break
        place, left = steps.pop()
        if left == 0 or place + 1 >= len(values):
            continue
        kind, length = values[place], values[place + 1]
        body = place + 2
        match kind:
            case 0:
                out += values[body : body + length]
                steps.append((body + length, left - 1))
            case 1 if body < len(values) and out:
                ramp = np.linspace(out[-1], values[body], length + 1)[1:]
                out += [int(number) for number in np.rint(ramp)]
                steps.append((body + 1, left - 1))
            case 2 if len(steps) < 2:
                parts = values[body : body + (4 if wide else 2)]
                shift = 8 if wide else 16
                offset = sum(part << (shift * order) for order, part in enumerate(parts))
                steps.append((body + len(parts), left - 1))
                steps.append((offset, length))
            case _:
                raise ContentError("The segmented palette is damaged")
    return np.asarray(out[:count], np.uint16)
