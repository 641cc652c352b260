"""Frames that are not compressed (PS3.5 8.1), and whether they can be what the header says.

The length of the pixel data is the only witness of size, bits, samples and number of frames: where
it says otherwise, what would be shown is noise, or another part of the image.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..standard.counted import counted
from .elements import Elements, uid_name
from .error import ContentError
from .layout import FLOATS, Layout, frame_count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    type Array = NDArray[Any]

# VRs of bytes and 16-bit words; those of larger words say in which order they are swapped.
_SHORT = frozenset({"OB", "OW", "UN"})

# What the names of SOP classes of several frames have in common (PS3.6 A).
_SEVERAL = (
    *("Multi-frame", "Enhanced", "Nuclear Medicine", "X-Ray Angiographic", "Radiofluoroscopic"),
    *("Segmentation", "RT Dose", "Parametric Map", "Tomogra", "Tomosynthesis", "Whole Slide"),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """An image pixel module that fits the length of its pixel data: `frames` are those there are,
    `notes` say where the header was wrong."""

    layout: Layout
    frames: int
    notes: tuple[str, ...] = ()

    @property
    def is_subsampled(self) -> bool:
        return self.layout.photometric == "YBR_FULL_422" and self.layout.samples == 3

    @property
    def bits(self) -> int:
        """Of a frame."""
        bits = self.layout.values * self.layout.allocated
        return bits * 2 // 3 if self.is_subsampled else bits

    @property
    def length(self) -> int:
        """Bytes of all frames."""
        return -(-self.frames * self.bits // 8)


def measured(elements: Elements, layout: Layout) -> Measured:
    """The module as the length of the pixel data bears it out.

    Raises ContentError where they contradict each other and nothing says which is right.
    """
    content = elements.bulk(layout.keyword)
    length = len(content)
    said = Measured(layout, frame_count(elements))
    left = length - said.length
    # Less than a column and less than a row: no wrong size leaves so little.
    slack = max(2, min(layout.rows, layout.columns) * layout.allocated // 8)
    if 0 <= left <= 1:
        return said
    if other := _otherwise_sampled(said, length):
        return other
    if left < 0:
        return replace(said, notes=_short(said, length))
    if left < slack or (left < said.length // 20 and not any(content[said.length :])):
        told = f"{left} bytes follow the last pixel the header accounts for"
        return replace(said, notes=(f"{told}: padding, or the header is wrong ({_sizes(said)})",))
    frames, rest = divmod(length * 8, said.bits)
    if said.frames == 1 and rest < 16 and _has_frames(elements, frames):
        told = (
            f"The pixel data holds {counted(frames, 'frame')}, NumberOfFrames says "
            f"{elements.text('NumberOfFrames') or 'nothing'}: they are counted as they are there"
        )
        return Measured(layout, frames, (told,))
    raise ContentError(
        f"The pixel data has {length:,} bytes, the header accounts for {said.length:,} "
        f"({_sizes(said)}): one of its numbers is wrong, and the picture would be",
        "Ask whoever made the image; read_header shows what it says",
    )


def native(elements: Elements, known: Measured, number: int, *, big: bool) -> "Array":
    """Frame `number`: one sample, or three side by side."""
    import numpy as np

    layout = known.layout
    content = elements.bulk(layout.keyword)
    bits = known.bits
    first = (number - 1) * bits
    if first + bits > len(content) * 8:
        raise ContentError(
            f"The pixel data ends before frame {number} does: {len(content):,} bytes where "
            f"{-(-(first + bits) // 8):,} are needed",
            "Retrieve the image again; if it stays so, the archive holds a truncated one",
        )
    if layout.allocated == 1:
        packed = np.frombuffer(content, "u1", -(-(first % 8 + bits) // 8), first // 8)
        flat = np.unpackbits(packed, bitorder="little")[first % 8 : first % 8 + bits]
        return flat.reshape(layout.rows, layout.columns)
    size = layout.allocated // 8
    if big and size > 2 and layout.keyword == "PixelData" and _vr(elements, layout) in _SHORT:
        raise ContentError(
            f"Pixels of {layout.allocated} bits in the retired Explicit VR Big Endian are written "
            "in two orders of their words, and nothing says in which",
            "Ask the archive for the image in Explicit VR Little Endian",
        )
    kind = "f" if layout.keyword in FLOATS else "u"
    if big and size == 1 and _vr(elements, layout) == "OW":
        content = np.frombuffer(content[: len(content) // 2 * 2], "u2").byteswap().tobytes()
    order = ">" if big else "<"
    flat = np.frombuffer(content, f"{order}{kind}{size}", bits // layout.allocated, first // 8)
    if known.is_subsampled:
        return _upsampled(flat, layout)
    if layout.samples == 1:
        return flat.reshape(layout.rows, layout.columns)
    if layout.planar:
        return flat.reshape(3, layout.rows, layout.columns).transpose(1, 2, 0)
    return flat.reshape(layout.rows, layout.columns, 3)


def planar_doubt(elements: Elements, known: Measured, shown: "Array") -> str:
    """What is to be said where colour seems to lie otherwise than PlanarConfiguration says: by
    pixel, or by plane. Neither the length nor anything else tells, but neighbours do."""
    import numpy as np

    layout, said = known.layout, elements.text("PlanarConfiguration")
    if layout.samples != 3 or layout.allocated != 8 or known.is_subsampled:
        return ""
    flat = shown.transpose(2, 0, 1).reshape(-1) if layout.planar else shown.reshape(-1)
    count = layout.rows * layout.columns
    part = min(count, _PART)
    if part < _LEAST:
        return ""
    start = (count - part) // 2  # in the middle, where there is something to be seen
    pixels = flat[3 * start : 3 * (start + part)].astype(np.int16)
    red = flat[start : start + part].astype(np.int16)
    green = flat[count + start : count + start + part].astype(np.int16)
    by_pixel = np.abs(pixels[3:] - pixels[:-3]).mean() + np.abs(pixels[::3] - pixels[1::3]).mean()
    by_plane = np.abs(np.diff(red)).mean() + np.abs(red - green).mean()
    ours, other = (by_plane, by_pixel) if layout.planar else (by_pixel, by_plane)
    if ours > _ROUGH and other < ours / 2:
        return (
            f"PlanarConfiguration {said or 'is missing: 0'} may be wrong: the pixels look as if "
            "colours lay " + ("by pixel" if layout.planar else "by plane")
        )
    return "" if said else "PlanarConfiguration is missing: colours are taken as by pixel"


# Mean difference of neighbours below which an image is so smooth that it tells nothing.
_ROUGH = 4.0

# Pixels that are looked at: enough to tell, and no copy of a large image.
_PART = 200_000
_LEAST = 64


def _otherwise_sampled(said: Measured, length: int) -> Measured | None:
    """YBR whose length says that colour is kept for each pixel although the header says for each
    second one, or the other way round (PS3.3 C.7.6.3.1.2)."""
    names = {"YBR_FULL": "YBR_FULL_422", "YBR_FULL_422": "YBR_FULL"}
    if not (name := names.get(said.layout.photometric)):
        return None
    other = replace(said, layout=replace(said.layout, photometric=name))
    if not 0 <= length - other.length <= 1:
        return None
    told = f"The header says {said.layout.photometric}, the pixel data is as long as {name}"
    return replace(other, notes=(f"{told}, and is shown so",))


def _short(said: Measured, length: int) -> tuple[str, ...]:
    """What is to be said of pixel data that ends early."""
    frames, rest = divmod(length * 8, said.bits)
    told = f"The pixel data ends after {frames} of {said.frames:,} frames"
    if rest >= 16:
        told += f" and part of one more: it is truncated, or the header is wrong ({_sizes(said)})"
    return (told,)


def _has_frames(elements: Elements, count: int) -> bool:
    """Whether it is that many frames which make the pixel data longer than the header says."""
    item = elements.item("PerFrameFunctionalGroupsSequence", count)
    beyond = elements.item("PerFrameFunctionalGroupsSequence", count + 1)
    if len(item.dataset) and not len(beyond.dataset):
        return True
    if elements.integer("BitsAllocated") == 1:
        return False
    name = uid_name(elements.text("SOPClassUID"))
    return any(words in name for words in _SEVERAL)


def _sizes(said: Measured) -> str:
    layout = said.layout
    samples = f" of {layout.samples} samples" if layout.samples > 1 else ""
    frames = f"{said.frames:,} frames of " if said.frames > 1 else ""
    return f"{frames}{layout.rows} by {layout.columns} pixels{samples}, {layout.allocated} bits"


def _vr(elements: Elements, layout: Layout) -> str:
    element = elements.element(layout.keyword)
    return "" if element is None else str(element.VR)


def _upsampled(flat: "Array", layout: Layout) -> "Array":
    """YBR_FULL_422 as PS3.3 C.7.6.3.1.2 packs it: two of Y, then one of CB and of CR."""
    import numpy as np

    if layout.columns % 2:
        raise ContentError("YBR_FULL_422 with an odd number of columns is no picture")
    pairs = flat.reshape(layout.rows, layout.columns // 2, 4)
    out: Array = np.empty((layout.rows, layout.columns, 3), flat.dtype)
    out[:, 0::2, 0], out[:, 1::2, 0] = pairs[..., 0], pairs[..., 1]
    out[..., 1] = pairs[..., 2].repeat(2, axis=1)
    out[..., 2] = pairs[..., 3].repeat(2, axis=1)
    return out
