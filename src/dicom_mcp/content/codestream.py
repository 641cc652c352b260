"""What a compressed frame says about itself: size, precision and colour, read before it is decoded.

The decoders believe the codestream, not the data set: one that says 30,000 by 30,000 fills the
memory whatever Rows and Columns say, and one that says less is a picture of something else.
"""

import struct
from dataclasses import dataclass

from .elements import Bytes

_JPEG_START = b"\xff\xd8"
_J2K_START = b"\xff\x4f\xff\x51"
_JP2_START = b"\0\0\0\x0cjP  "

# ISO/IEC 10918-1 B.1.1.3: frame headers; 0xF7 is that of JPEG-LS (ISO/IEC 14495-1 C.1.1).
_FRAMES = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})

# Markers without a length: restart, start of image, TEM.
_BARE = frozenset({*range(0xD0, 0xD9), 0x01})


@dataclass(frozen=True, slots=True)
class Codestream:
    """A JPEG, JPEG-LS or JPEG 2000 image as its header describes it.

    `marked` is "YBR" or "RGB" where the stream itself says what it holds or decodes to (a JFIF or
    Adobe marker, component ids, JPEG 2000's transform), "PLAIN" where it says that nothing is
    transformed, else "". `process` is the number of the frame header's marker, 0 for JPEG 2000.
    `signed` is what JPEG 2000 alone can say: samples with a sign.
    """

    rows: int
    columns: int
    samples: int
    precision: int
    process: int = 0
    marked: str = ""
    signed: bool = False

    @property
    def family(self) -> str:
        """The codec, whichever process of it."""
        return {0: "JPEG 2000", 0xF7: "JPEG-LS"}.get(self.process, "JPEG")


def is_start(content: Bytes) -> bool:
    """Whether these bytes begin as a JPEG, JPEG-LS or JPEG 2000 image does: a marker follows."""
    head = bytes(content[:8])
    return head.startswith((b"\xff\xd8\xff", _J2K_START, _JP2_START))


# So many bytes of a frame are looked at: profiles of colour and pictures of a camera come first.
_HEADER = 4 << 20


def described(content: Bytes) -> Codestream | None:
    """The header of a compressed frame; None where there is none to be found."""
    frame = bytes(content[:_HEADER])
    try:
        if frame.startswith(_JPEG_START):
            return _jpeg(frame)
        start = frame.find(_J2K_START, 0, 65536) if frame.startswith(_JP2_START) else 0
        if start >= 0 and frame.startswith(_J2K_START, start):
            return _jpeg_2000(frame, start)
    except (struct.error, IndexError):
        pass
    return None


def _jpeg(frame: bytes) -> Codestream | None:
    """ISO/IEC 10918-1 B.2; markers of applications are those of libjpeg's rules for colour."""
    place, marked = 2, ""
    while place + 4 <= len(frame):
        if frame[place] != 0xFF:
            return None
        marker = frame[place + 1]
        if marker == 0xFF or marker in _BARE:
            place += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", frame, place + 2)
        body = frame[place + 4 : place + 2 + length]
        if marker in _FRAMES:
            precision, rows, columns, samples = struct.unpack_from(">BHHB", body)
            ids, factors = bytes(body[6::3][:samples]), bytes(body[7::3][:samples])
            if not marked and ids.upper() == b"RGB":
                marked = "RGB"
            if samples == 3 and factors[0] > max(factors[1:]):
                marked = "YBR"  # nobody keeps fewer of green and blue than of red
            return Codestream(rows, columns, samples, precision, marker, marked)
        if marker == 0xE0 and body.startswith(b"JFIF\0"):
            marked = "YBR"
        elif marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12 and not marked:
            marked = "RGB" if body[11] == 0 else "YBR"
        elif marker in (0xDA, 0xD9):
            return None
        place += 2 + length
    return None


def _jpeg_2000(frame: bytes, start: int) -> Codestream:
    """ISO/IEC 15444-1 A.5.1, A.6.1: the SIZ marker, and whether COD has a multiple component
    transform, which makes RGB of whatever the data set calls it."""
    length, _, right, bottom, left, top = struct.unpack_from(">HH4I", frame, start + 4)
    (samples,) = struct.unpack_from(">H", frame, start + 40)
    precision, signed = (frame[start + 42] & 0x7F) + 1, frame[start + 42] > 0x7F
    place, marked = start + 4 + length, ""
    while frame[place] == 0xFF and frame[place + 1] not in _J2K_BODY:
        if frame[place + 1] == _COD:
            marked = "RGB" if frame[place + 8] == 1 else "PLAIN"
            break
        place += 2 + struct.unpack_from(">H", frame, place + 2)[0]
    return Codestream(bottom - top, right - left, samples, precision, 0, marked, signed)


_COD = 0x52
_J2K_BODY = frozenset({0x90, 0x93, 0xD9})  # start of tile, start of data, end
