"""One frame's stored values, decoded: integers or floats of one sample, or RGB (PS3.3 C.7.6.3).

Native frames are read here; PS3.5 8 leaves little to do. All others are decoded in a process apart:
8-bit JPEG by Pillow, whose libjpeg converts colour by its own rules, RLE by pylibjpeg, the rest by
gdcm and openjpeg. Sizes are checked before anything is decoded.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset

from ..standard.syntaxes import (
    COMPRESSED,
    EXPLICIT_VR_BIG_ENDIAN,
    JPEG_2000,
    JPEG_EXTENDED,
    LOSSLESS_JPEG,
    NATIVE,
    NEWER,
    RLE,
    VIDEO,
)
from . import video
from .apart import Apart
from .bits import kept_bits, rgb, untransformed
from .codestream import Codestream, described
from .decoding import TAKES, asked, undecodable
from .elements import Bytes, Elements, uid_name
from .encapsulated import Frames, fragments, frames
from .error import ContentError
from .layout import FLOATS, JPEG_2000_ONLY, YBR, Layout, frame_count, layout_of
from .native import Measured, measured, native, planar_doubt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    type Array = NDArray[Any]


# The marker of progressive JPEG (ITU-T T.81 B.1.1.3), which is decoded here in 8 bits only.
_PROGRESSIVE = 0xC2


@dataclass(frozen=True, slots=True)
class Stored:
    """A frame's values: rows by columns, or rows by columns by three in RGB.

    `bits` of each are used; `photometric` is MONOCHROME1, MONOCHROME2, PALETTE COLOR or RGB. The
    object has `frames`; `notes` say where it contradicts itself; `words` are pixels with all of
    their bits where overlays may lie in them.
    """

    values: "Array"
    bits: int
    signed: bool
    photometric: str
    frames: int = 1
    notes: tuple[str, ...] = ()
    words: "Array | None" = None

    def noted(self, *notes: str) -> "Stored":
        """The same, with these notes before its own; empty ones are none."""
        return replace(self, notes=(*filter(None, notes), *self.notes))


@dataclass(frozen=True, slots=True)
class Source:
    """Where the frames of an object are: behind each other, or `compressed`; how many there are,
    and what is to be said about it."""

    layout: Layout
    frames: int
    notes: tuple[str, ...]
    compressed: Frames | None = None
    measured: Measured | None = None


def source(elements: Elements, transfer_syntax: str) -> Source:
    """Where the frames are, whatever the transfer syntax says: fragments are known by their items.

    Raises ContentError where what is there cannot be what the header says.
    """
    said = _name(transfer_syntax)
    is_native = transfer_syntax in NATIVE or transfer_syntax == EXPLICIT_VR_BIG_ENDIAN
    if not is_native:
        _refuse_unknown(transfer_syntax)
    layout = layout_of(elements)
    content = elements.bulk(layout.keyword)
    items = fragments(content) if layout.keyword == "PixelData" else None
    if is_native and (items is None or _is_length(elements, layout, len(content))):
        known = measured(elements, layout)
        return Source(known.layout, known.frames, known.notes, measured=known)
    if items is None:
        if not _is_length(elements, layout, len(content)):
            raise ContentError(
                f"The pixel data is not in fragments, as its transfer syntax ({said}) says",
                "Ask the archive for the image uncompressed",
            )
        known = measured(elements, layout)
        told = f"The transfer syntax says {said}, but the pixel data is not compressed"
        return Source(known.layout, known.frames, (told, *known.notes), measured=known)
    compressed = frames(elements, items, frame_count(elements))
    told = [f"The transfer syntax says {said}, but the pixel data is compressed"] * is_native
    return Source(layout, len(compressed.starts), (*told, *compressed.notes), compressed)


def frames_held(dataset: Dataset) -> int:
    """How many frames an object has: those that are there, or that it says where it is no image."""
    elements = Elements.of(dataset)
    try:
        return source(elements, str(dataset.file_meta.TransferSyntaxUID)).frames
    except ContentError:
        return frame_count(elements)


def stored(elements: Elements, number: int, transfer_syntax: str, apart: Apart) -> Stored:
    """The values of frame `number`, counted from 1; `apart` is the process in which libraries
    decode.

    Raises ContentError for what cannot be decoded, or not rightly, and says what would be needed.
    """
    if transfer_syntax.startswith(VIDEO):
        values, count, notes = video.frame_of(
            elements, number, transfer_syntax, _name(transfer_syntax), apart
        )
        return Stored(values, 8, False, "RGB", count, notes)
    found = source(elements, transfer_syntax)
    if not 1 <= number <= max(found.frames, frame_count(elements)):
        raise ContentError(f"There is no frame {number}: the object has {found.frames}")
    if found.measured:
        apart.make_room(found.measured.layout.values * (found.layout.allocated // 8))
        values = native(
            elements, found.measured, number, big=transfer_syntax == EXPLICIT_VR_BIG_ENDIAN
        )
        doubt = planar_doubt(elements, found.measured, values)
        shown = _finished(values, found.layout, elements).noted(doubt)
    elif found.compressed and number <= found.frames:
        frame, fault = found.compressed.frame(number)
        shown = _frame(frame, found.layout, transfer_syntax, elements, apart).noted(fault)
    else:
        raise ContentError(
            f"The compressed pixel data holds {found.frames} frames, not {number}",
            "Retrieve the image again; if it stays so, the archive holds a truncated one",
        )
    return replace(shown, frames=found.frames).noted(*found.notes)


def _is_length(elements: Elements, layout: Layout, length: int) -> bool:
    """Whether this is how long the pixels are uncompressed."""
    return 0 <= length - Measured(layout, frame_count(elements)).length <= 1


def _refuse_unknown(transfer_syntax: str) -> None:
    """Raise ContentError for a transfer syntax whose frames nobody here decodes."""
    name = _name(transfer_syntax)
    if transfer_syntax.startswith(VIDEO):
        raise ContentError(f"The pixels are a video ({name})")
    if transfer_syntax not in COMPRESSED:
        raise ContentError(
            f"No decoder for the transfer syntax {name} ({transfer_syntax}) is installed",
            "Ask the archive for the image uncompressed (Explicit VR Little Endian)",
        )


def _name(transfer_syntax: str) -> str:
    return uid_name(transfer_syntax) or NEWER.get(transfer_syntax, transfer_syntax)


def _frame(
    frame: Bytes, layout: Layout, transfer_syntax: str, elements: Elements, apart: Apart
) -> Stored:
    """A compressed frame, by the codec it is in: what the transfer syntax says may be wrong."""
    header = described(frame)
    if header is None:
        if transfer_syntax == RLE or transfer_syntax in NATIVE:
            return _rle(frame, layout, elements, apart)
        raise ContentError(
            f"The frame is not what its transfer syntax ({_name(transfer_syntax)}) says",
            "Ask the archive for the image uncompressed",
        )
    _refuse_other(header, layout)
    syntax = transfer_syntax
    if syntax not in COMPRESSED or header.process not in COMPRESSED[syntax].processes:
        fitting = (uid for uid in COMPRESSED if header.process in COMPRESSED[uid].processes)
        syntax = next(fitting, JPEG_EXTENDED)
    if header.family == "JPEG" and header.process != LOSSLESS_JPEG and header.precision == 8:
        shown = _jpeg(frame, header, layout, elements, apart)
    elif header.process == _PROGRESSIVE or (
        header.family == "JPEG" and header.process != LOSSLESS_JPEG and layout.samples > 1
    ):
        raise undecodable(_name(syntax))
    else:
        shown = _decoded(frame, header, layout, syntax, elements, apart)
    if syntax == transfer_syntax or transfer_syntax in NATIVE:
        return shown
    return shown.noted(
        f"The transfer syntax says {_name(transfer_syntax)}, the frame is {_name(syntax)}"
    )


def _refuse_other(header: Codestream, layout: Layout) -> None:
    """Raise ContentError unless the header is of the picture the data set describes."""
    said = header.rows, header.columns, header.samples
    if said != (layout.rows, layout.columns, layout.samples):
        raise ContentError(
            f"The compressed frame is {header.rows} by {header.columns} pixels of "
            f"{header.samples} samples, the data set says {layout.rows} by {layout.columns} "
            f"of {layout.samples}",
            "One of them is wrong; ask whoever made the image",
        )
    if header.precision > layout.allocated:
        raise ContentError(
            f"The compressed frame has {header.precision} bits a sample, the data set allows "
            f"{layout.allocated}"
        )


def _jpeg(
    frame: Bytes, header: Codestream, layout: Layout, elements: Elements, apart: Apart
) -> Stored:
    """8-bit JPEG. Where the stream does not say what its colours are, the data set does."""
    import numpy as np

    raw = header.samples == 3 and not header.marked and layout.photometric == "RGB"
    content = asked(
        apart, "jpeg", frame, layout, "JPEG", layout.values, TAKES["jpeg"], bits=8, raw=raw
    )
    shape = (layout.rows, layout.columns, 3)[: 3 if layout.samples == 3 else 2]
    values: Array = np.frombuffer(content, np.uint8).reshape(shape)
    told = "The frame is JPEG with loss, which the data set does not say"
    told = told if elements.text("LossyImageCompression") != "01" else ""
    if header.samples == 1:
        return _grey(values, 8, layout, elements, is_lossy=True).noted(told)
    return Stored(values, 8, False, "RGB").noted(told, _colours(header, layout))


def _colours(header: Codestream, layout: Layout) -> str:
    """What is to be said where the stream contradicts the data set about its colours."""
    family = "YBR" if layout.photometric != "RGB" else "RGB"
    if header.marked not in ("YBR", "RGB") or header.marked == family:
        return ""
    return (
        f"The data set says {layout.photometric}, the compressed frame itself {header.marked}: "
        "its colours are shown as the frame says"
    )


def _rle(frame: Bytes, layout: Layout, elements: Elements, apart: Apart) -> Stored:
    """RLE Lossless (PS3.5 G), which keeps the bits as they are; plane by plane."""
    import numpy as np

    size = layout.allocated // 8
    if layout.allocated not in (8, 16, 32, 64):
        raise undecodable("RLE Lossless")
    content = asked(
        apart,
        "rle",
        frame,
        layout,
        "RLE Lossless",
        layout.values * size,
        TAKES["rle"],
        bits=layout.allocated,
    )
    planes = np.frombuffer(content, f"<u{size}").reshape(-1, layout.rows, layout.columns)
    values: Array = (
        planes[0] if layout.samples == 1 else np.ascontiguousarray(np.moveaxis(planes, 0, -1))
    )
    return _finished(values, layout, elements)


def _decoded(
    frame: Bytes,
    header: Codestream,
    layout: Layout,
    transfer_syntax: str,
    elements: Elements,
    apart: Apart,
) -> Stored:
    """A frame by gdcm or openjpeg: samples side by side in as many bytes as their precision takes,
    YBR of JPEG 2000's own transforms already RGB."""
    import numpy as np

    name, compression = _name(transfer_syntax), COMPRESSED[transfer_syntax]
    kit = "openjpeg" if JPEG_2000 in compression.processes else "gdcm"  # decisions/0010
    bits = header.precision
    if header.family == "JPEG-LS" and (bits in (6, 7) or (bits < 8 and layout.signed)):
        raise ContentError(f"{name} of {bits} bits is decoded wrongly by gdcm, and so not at all")
    if bits > 16 and kit == "gdcm":
        raise undecodable(name)
    size = 1 if bits <= 8 else 2 if bits <= 16 else 4
    signed = int(layout.signed)
    wish: dict[str, object] = {"bits": bits, "signed": signed, "syntax": transfer_syntax}
    takes = TAKES[header.family]
    content = asked(apart, kit, frame, layout, name, layout.values * size, takes, **wish)
    shape = (layout.rows, layout.columns, 3)[: 3 if layout.samples == 3 else 2]
    values: Array = np.frombuffer(content, f"<u{size}").reshape(shape)
    if header.signed and not layout.signed and values.view(f"<i{size}").min() < 0:
        return Stored(values.view(f"<i{size}"), bits, True, layout.photometric).noted(
            "The data set says that values have no sign, the compressed frame has negative ones: "
            "they are taken as negative"
        )
    if layout.samples == 1:
        return _grey(values, bits, layout, elements, is_lossy=compression.is_lossy)
    photometric = {"RGB": "RGB", "YBR": "YBR_FULL"}.get(header.marked, layout.photometric)
    told = ""
    if photometric in JPEG_2000_ONLY:
        values, told = untransformed(values, bits, photometric)
    elif photometric in YBR:
        values = rgb(values, bits)
    return Stored(values, bits, False, "RGB").noted(told)


def _grey(
    values: "Array", precision: int, layout: Layout, elements: Elements, *, is_lossy: bool
) -> Stored:
    """What a codec gave in this many bits, of which only Bits Stored are value (PS3.5 8.1.1).

    What others there are may be the sign once more, an overlay, or nothing.
    """
    import numpy as np

    stored = min(layout.stored, precision)
    low = layout.high + 1 - layout.stored if precision > layout.high else 0
    if is_lossy and not layout.signed:  # what a lossy codec overshoots is no unused bit
        most = np.asarray((1 << stored) - 1, values.dtype)
        kept = np.minimum(values, most) if low == 0 else values
        return Stored(kept, layout.stored, False, layout.photometric)
    bits, left = kept_bits(values, stored, low, signed=layout.signed, elements=elements)
    found = Stored(bits, layout.stored, layout.signed, layout.photometric, words=values)
    return found.noted(left)


def _finished(values: "Array", layout: Layout, elements: Elements) -> Stored:
    """The bits that are used, as numbers, and colour as RGB."""
    if layout.keyword in FLOATS:
        return Stored(values, layout.stored, True, layout.photometric)
    low = layout.high + 1 - layout.stored
    left, words = "", values
    if layout.stored < layout.allocated or values.dtype.byteorder == ">" or layout.signed:
        values, left = kept_bits(
            values, layout.stored, low, signed=layout.signed, elements=elements
        )
    if layout.photometric in JPEG_2000_ONLY:
        values, told = untransformed(values, layout.stored, layout.photometric)
        return Stored(values, layout.stored, False, "RGB").noted(told, left)
    if layout.photometric in YBR:
        return Stored(rgb(values, layout.stored), layout.stored, False, "RGB").noted(left)
    photometric = layout.photometric if layout.samples == 1 else "RGB"
    shown = Stored(values, layout.stored, layout.signed, photometric, words=words)
    return shown.noted(left)
