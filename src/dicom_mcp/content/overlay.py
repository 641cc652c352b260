"""Overlay planes: what is drawn over an image, in bits of its own or in unused bits of the pixels
(PS3.3 C.9.2, PS3.5 8.1.2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ..standard.values import whole_number
from .elements import Elements, held
from .plain import capped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type Mask = NDArray[np.bool_]

# Up to 16 planes have groups of even numbers of their own (PS3.5 7.6).
_GROUPS = range(0x6000, 0x6020, 2)

_ROWS, _COLUMNS, _FRAMES, _KIND, _ORIGIN = 0x0010, 0x0011, 0x0015, 0x0040, 0x0050
_DESCRIPTION, _FIRST_FRAME, _BITS, _BIT, _LABEL, _DATA = 0x22, 0x51, 0x100, 0x102, 0x1500, 0x3000


@dataclass(frozen=True, slots=True)
class Overlay:
    """A plane: where it begins on the image (row and column from 1), for which frames it is, and
    the bit of the pixels it lies in, None where it has data of its own."""

    group: int
    rows: int
    columns: int
    origin: tuple[int, int]
    is_region: bool
    words: str
    frames: int
    first_frame: int
    bit: int | None

    def __str__(self) -> str:
        kind = "region" if self.is_region else "graphics"
        return f"{self.group:04X} ({kind}{f', {self.words}' if self.words else ''})"

    def is_on(self, number: int) -> bool:
        """Whether there is something of it on this frame; one of a single frame is on all."""
        if self.frames == 1 and self.first_frame == 1:
            return True
        return self.first_frame <= number < self.first_frame + self.frames


def overlays(elements: Elements) -> list[Overlay]:
    """The planes of an image, those that say nothing of their size left out."""
    return [*filter(None, (_overlay(elements, group) for group in _GROUPS))]


def in_pixels(elements: Elements, size: int) -> int:
    """The bits of pixels of `size` bits in which overlays lie."""
    mask = 0
    for overlay in overlays(elements):
        if overlay.bit is not None and overlay.bit < size:
            mask |= 1 << overlay.bit
    return mask


def drawn(
    elements: Elements, overlay: Overlay, number: int, words: "NDArray[Any]", *, big: bool
) -> "Mask | None":
    """Which pixels of frame `number` it draws on, rows by columns; None where its data are too
    short. `words` are the image's pixels with all of their bits."""
    import numpy as np

    if overlay.bit is not None:
        return (words >> np.asarray(overlay.bit, words.dtype) & np.asarray(1, words.dtype)) == 1
    element = held(elements.dataset, overlay.group << 16 | _DATA)
    content = bytes(cast(Any, element).value or b"") if element is not None else b""
    if big and element is not None and str(element.VR) == "OW":
        content = np.frombuffer(content[: len(content) // 2 * 2], "u2").byteswap().tobytes()
    count = overlay.rows * overlay.columns
    first = max(0, number - overlay.first_frame) * count if overlay.frames > 1 else 0
    if len(content) * 8 < first + count:
        return None
    packed = np.frombuffer(content, "u1", -(-(first % 8 + count) // 8), first // 8)
    bits = np.unpackbits(packed, bitorder="little")[first % 8 : first % 8 + count]
    plane = bits.reshape(overlay.rows, overlay.columns).astype(bool)
    out: Mask = np.zeros(words.shape[:2], bool)
    row, column = overlay.origin[0] - 1, overlay.origin[1] - 1
    part = plane[max(0, -row) :, max(0, -column) :]
    part = part[: max(0, len(out) - max(0, row)), : max(0, out.shape[1] - max(0, column))]
    out[max(0, row) :, max(0, column) :][: part.shape[0], : part.shape[1]] = part
    return out


def _overlay(elements: Elements, group: int) -> Overlay | None:
    rows, columns = (next(_numbers(elements, group, element), 0) for element in (_ROWS, _COLUMNS))
    if rows < 1 or columns < 1:
        return None
    has_data = held(elements.dataset, group << 16 | _DATA) is not None
    bit = next(_numbers(elements, group, _BIT), 0)
    origin = [*_numbers(elements, group, _ORIGIN)]
    words = " ".join(
        filter(None, (_text(elements, group, element) for element in (_LABEL, _DESCRIPTION)))
    )
    return Overlay(
        group=group,
        rows=rows,
        columns=columns,
        origin=(origin[0], origin[1]) if len(origin) == 2 else (1, 1),
        is_region=_text(elements, group, _KIND).upper() == "R",
        words=capped(words, 64),
        frames=max(1, next(_numbers(elements, group, _FRAMES), 1)),
        first_frame=max(1, next(_numbers(elements, group, _FIRST_FRAME), 1)),
        bit=None if has_data else bit,
    )


def _numbers(elements: Elements, group: int, number: int) -> Iterator[int]:
    for value in _values(elements, group, number):
        if (said := whole_number(value)) is None:
            return
        yield said


def _text(elements: Elements, group: int, number: int) -> str:
    return " ".join(_values(elements, group, number))


def _values(elements: Elements, group: int, number: int) -> list[str]:
    element = held(elements.dataset, group << 16 | number)
    return [] if element is None else elements.texts(element)
