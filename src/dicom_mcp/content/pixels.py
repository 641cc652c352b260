"""One frame's stored values, decoded: integers or floats of one sample, or RGB (PS3.3 C.7.6.3).

Native frames are read here; PS3.5 8 leaves little to do. 8-bit JPEG goes to Pillow, whose libjpeg
converts colour by its own rules, RLE to pylibjpeg's decoder, which is in Rust; the others are
decoded by gdcm and openjpeg in a process apart. Sizes are checked before anything is decoded.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

from .apart import Apart, Failed
from .codestream import Codestream, described
from .elements import Bytes, Elements, uid_name
from .error import ContentError
from .layout import FLOATS, JPEG_2000_ONLY, YBR, Layout, frame_count, layout_of
from .read import InPlace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    type Array = NDArray[Any]

BIG_ENDIAN = "1.2.840.10008.1.2.2"
_NATIVE = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"})
_JPEG_BASELINE, _JPEG_EXTENDED = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"
_JPEG_8 = frozenset({_JPEG_BASELINE, _JPEG_EXTENDED})
_RLE = "1.2.840.10008.1.2.5"

# Compressed video: frames are not to be had one by one (PS3.5 8.2.5 to 8.2.10).
_VIDEO = "1.2.840.10008.1.2.4.10"

# Which library decodes what, in the process apart (decisions/0010).
_KITS = {
    _JPEG_EXTENDED: "gdcm",
    "1.2.840.10008.1.2.4.57": "gdcm",
    "1.2.840.10008.1.2.4.70": "gdcm",
    "1.2.840.10008.1.2.4.80": "gdcm",
    "1.2.840.10008.1.2.4.81": "gdcm",
    "1.2.840.10008.1.2.4.90": "openjpeg",
    "1.2.840.10008.1.2.4.91": "openjpeg",
    "1.2.840.10008.1.2.4.201": "openjpeg",
    "1.2.840.10008.1.2.4.202": "openjpeg",
    "1.2.840.10008.1.2.4.203": "openjpeg",
}
_JPEG_LS = frozenset({"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"})


@dataclass(frozen=True, slots=True)
class Stored:
    """A frame's values: rows by columns, or rows by columns by three in RGB.

    `bits` of each are used; `photometric` is MONOCHROME1, MONOCHROME2, PALETTE COLOR or RGB.
    """

    values: "Array"
    bits: int
    signed: bool
    photometric: str


def stored(elements: Elements, number: int, transfer_syntax: str, apart: Apart) -> Stored:
    """The values of frame `number`, counted from 1; `apart` is the process in which libraries in C
    decode.

    Raises ContentError for what cannot be decoded, or not rightly, and says what would be needed.
    """
    layout = layout_of(elements)
    frames = frame_count(elements)
    if not 1 <= number <= frames:
        raise ContentError(f"There is no frame {number}: the object has {frames}")
    if transfer_syntax in _NATIVE or transfer_syntax == BIG_ENDIAN:
        if layout.photometric in JPEG_2000_ONLY:
            raise _contradiction(layout.photometric)
        values = _native(elements, layout, number, big=transfer_syntax == BIG_ENDIAN)
        return _finished(values, layout)
    frame = _compressed(elements, number, frames, transfer_syntax)
    if transfer_syntax == _RLE:
        return _rle(frame, layout)
    header = _checked(described(frame), layout, transfer_syntax)
    if transfer_syntax in _JPEG_8 and header.precision == 8:
        return _pillow(frame, header, layout)
    if transfer_syntax not in _KITS or (transfer_syntax == _JPEG_EXTENDED and layout.samples > 1):
        raise _undecodable(uid_name(transfer_syntax) or transfer_syntax)
    return _decoded(frame, header, layout, transfer_syntax, apart)


def _native(elements: Elements, layout: Layout, number: int, *, big: bool) -> "Array":
    """A frame that is not compressed (PS3.5 8.1): one sample, or three side by side."""
    import numpy as np

    content = elements.bulk(layout.keyword)
    subsampled = layout.photometric == "YBR_FULL_422" and layout.samples == 3
    bits = layout.values * layout.allocated
    if subsampled:
        bits = bits * 2 // 3
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
    if subsampled:
        return _upsampled(flat, layout)
    if layout.samples == 1:
        return flat.reshape(layout.rows, layout.columns)
    if layout.planar:
        return flat.reshape(3, layout.rows, layout.columns).transpose(1, 2, 0)
    return flat.reshape(layout.rows, layout.columns, 3)


def _vr(elements: Elements, layout: Layout) -> str:
    element = elements.element(layout.keyword)
    return "" if element is None else str(element.VR)


# VRs of bytes and 16-bit words; those of larger words say in which order they are swapped.
_SHORT = frozenset({"OB", "OW", "UN"})


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


def _compressed(elements: Elements, number: int, frames: int, transfer_syntax: str) -> bytes:
    """The bytes of one compressed frame (PS3.5 A.4)."""
    from pydicom.encaps import get_frame

    name = uid_name(transfer_syntax) or transfer_syntax
    if transfer_syntax.startswith(_VIDEO):
        raise ContentError(f"The pixels are a video ({name}); no decoder for videos is installed")
    if transfer_syntax not in _KITS and transfer_syntax not in (_JPEG_BASELINE, _RLE):
        raise ContentError(
            f"No decoder for the transfer syntax {name} ({transfer_syntax}) is installed",
            "Ask the archive for the image uncompressed (Explicit VR Little Endian)",
        )
    offsets = elements.bytes("ExtendedOffsetTable"), elements.bytes("ExtendedOffsetTableLengths")
    try:
        return get_frame(
            _readable(elements.bulk("PixelData")),
            number - 1,
            number_of_frames=frames,
            extended_offsets=offsets if all(offsets) else None,
        )
    except Exception as trouble:  # pydicom raises whatever its parsing stumbles over
        raise ContentError(
            f"Frame {number} cannot be found in the compressed pixel data ({name})",
            "Retrieve the image again, or ask the archive for it uncompressed",
        ) from trouble


def _readable(content: Bytes) -> bytes:
    """Bytes as pydicom reads them without a copy: those, or a file of them."""
    return content if isinstance(content, bytes) else cast(bytes, InPlace(content))


def _checked(header: Codestream | None, layout: Layout, transfer_syntax: str) -> Codestream:
    """The header, if it is of the picture the data set describes."""
    if header is None:
        raise ContentError(
            "The frame is not what its transfer syntax "
            f"({uid_name(transfer_syntax) or transfer_syntax}) says",
            "Ask the archive for the image uncompressed",
        )
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
    return header


def _pillow(frame: bytes, header: Codestream, layout: Layout) -> Stored:
    """8-bit JPEG. Where the stream does not say what its colours are, the data set does."""
    import numpy as np
    from PIL import Image

    try:
        picture = Image.open(BytesIO(frame), formats=("JPEG",))
        if header.samples == 3 and not header.marked and layout.photometric == "RGB":
            cast(Any, picture).draft("YCbCr", picture.size)  # libjpeg would convert it
        values: Array = np.asarray(picture)
    except Exception as trouble:
        raise _undecodable("JPEG") from trouble
    if values.shape[:2] != (layout.rows, layout.columns):
        raise _undecodable("JPEG")
    photometric = layout.photometric if header.samples == 1 else "RGB"
    values = _signed(values, 8, 0) if layout.signed else values
    return Stored(values, 8, layout.signed, photometric)


def _rle(frame: bytes, layout: Layout) -> Stored:
    """RLE Lossless (PS3.5 G), which keeps the bits as they are; plane by plane."""
    import numpy as np
    from pydicom.encaps import encapsulate
    from pydicom.pixels.decoders.base import get_decoder

    decoder: Any = get_decoder(_RLE)
    try:
        values, _ = decoder.as_array(
            encapsulate([frame], has_bot=False),
            index=0,
            raw=True,
            rows=layout.rows,
            columns=layout.columns,
            samples_per_pixel=layout.samples,
            bits_allocated=layout.allocated,
            bits_stored=layout.stored,
            pixel_representation=0,
            planar_configuration=0,
            photometric_interpretation="RGB" if layout.samples == 3 else "MONOCHROME2",
            number_of_frames=1,
            pixel_keyword="PixelData",
            correct_unused_bits=False,
        )
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as trouble:  # the decoder is in Rust, whose panic is no Exception
        raise _undecodable("RLE Lossless") from trouble
    return _finished(np.asarray(values), layout)


def _decoded(
    frame: bytes, header: Codestream, layout: Layout, transfer_syntax: str, apart: Apart
) -> Stored:
    """A frame by gdcm or openjpeg: samples side by side in as many bytes as their precision takes,
    YBR of JPEG 2000's own transforms already RGB."""
    import numpy as np

    name, kit = uid_name(transfer_syntax) or transfer_syntax, _KITS[transfer_syntax]
    bits = header.precision
    if transfer_syntax in _JPEG_LS and (bits in (6, 7) or (bits < 8 and layout.signed)):
        raise ContentError(f"{name} of {bits} bits is decoded wrongly by gdcm, and so not at all")
    if bits > 16 and kit == "gdcm":
        raise _undecodable(name)
    try:
        _, (content,) = apart.ask(
            kit,
            frame,
            rows=layout.rows,
            columns=layout.columns,
            samples=layout.samples,
            bits=bits,
            signed=int(layout.signed),
            syntax=transfer_syntax,
        )
    except Failed as failure:
        raise _undecodable(name) from failure
    size = 1 if bits <= 8 else 2 if bits <= 16 else 4
    if len(content) != layout.values * size:
        raise _undecodable(name)
    shape = (
        (layout.rows, layout.columns, 3) if layout.samples == 3 else (layout.rows, layout.columns)
    )
    values: Array = np.frombuffer(content, f"<u{size}").reshape(shape)
    used = layout.stored if kit == "gdcm" and transfer_syntax not in _JPEG_LS else bits
    used = min(used, size * 8)
    if layout.signed:
        values = _signed(values, used, 0)
    elif used < size * 8:
        values = values & np.asarray((1 << used) - 1, values.dtype)
    if layout.samples == 1:
        return Stored(values, layout.stored, layout.signed, layout.photometric)
    photometric = {"RGB": "RGB", "YBR": "YBR_FULL"}.get(header.marked, layout.photometric)
    if photometric in JPEG_2000_ONLY:
        raise _contradiction(photometric)
    if photometric in YBR:
        values = _rgb(values, bits)
    return Stored(values, bits, False, "RGB")


def _finished(values: "Array", layout: Layout) -> Stored:
    """The bits that are used, as numbers, and colour as RGB."""
    if layout.keyword in FLOATS:
        return Stored(values, layout.stored, True, layout.photometric)
    low = layout.high + 1 - layout.stored
    if layout.stored < layout.allocated or values.dtype.byteorder == ">" or layout.signed:
        values = _signed(values, layout.stored, low) if layout.signed else _masked(values, layout)
    if layout.photometric in YBR:
        return Stored(_rgb(values, layout.stored), layout.stored, False, "RGB")
    photometric = layout.photometric if layout.samples == 1 else "RGB"
    return Stored(values, layout.stored, layout.signed, photometric)


def _masked(values: "Array", layout: Layout) -> "Array":
    import numpy as np

    native = values.astype(values.dtype.newbyteorder("="), copy=True)
    low = layout.high + 1 - layout.stored
    kept = np.asarray((1 << layout.stored) - 1, native.dtype)
    return (native >> np.asarray(low, native.dtype)) & kept


def _signed(values: "Array", bits: int, low: int) -> "Array":
    """The lower `bits` from bit `low` on, as numbers in two's complement."""
    import numpy as np

    size = values.dtype.itemsize
    native = values.astype(f"u{size}", copy=True)
    native <<= np.asarray(size * 8 - bits - low, native.dtype)
    whole = native.view(f"i{size}")
    whole >>= np.asarray(size * 8 - bits, whole.dtype)
    return whole


def _rgb(values: "Array", bits: int) -> "Array":
    """YBR_FULL as RGB (PS3.3 C.7.6.3.1.2), in the same number of bits."""
    import numpy as np

    half, most = float(1 << (bits - 1)), float((1 << bits) - 1)
    out: Array = np.empty(values.shape, values.dtype)
    for start in range(0, values.shape[0], 256):  # strips, so that no copy is in floats as a whole
        strip = values[start : start + 256].astype("f4")
        y, blue, red = strip[..., 0], strip[..., 1] - half, strip[..., 2] - half
        mixed = (y + 1.402 * red, y - 0.344136 * blue - 0.714136 * red, y + 1.772 * blue)
        for channel, one in enumerate(mixed):
            out[start : start + 256, :, channel] = np.clip(np.rint(one), 0.0, most)
    return out


def _contradiction(photometric: str) -> ContentError:
    return ContentError(
        f"The image says {photometric}, which is a transform of JPEG 2000, but went through none",
        "Whether it is RGB already nothing says; ask whoever made it",
    )


def _undecodable(name: str) -> ContentError:
    return ContentError(
        f"The frame ({name}) is damaged, or of a kind its decoder does not know",
        "Ask the archive for the image uncompressed (Explicit VR Little Endian)",
    )
