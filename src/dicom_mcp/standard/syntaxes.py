"""Transfer syntaxes: how the bytes of an object are written (PS3.5 10, PS3.6 A)."""

from dataclasses import dataclass

IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1.99"
EXPLICIT_VR_BIG_ENDIAN = "1.2.840.10008.1.2.2"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
JPEG_LS_LOSSLESS = "1.2.840.10008.1.2.4.80"
JPEG_2000_LOSSLESS = "1.2.840.10008.1.2.4.90"
RLE = "1.2.840.10008.1.2.5"

# PS3.5 A.5 and Supplement 119's JPIP Referenced Deflate: such bytes tell their own end.
DEFLATED = frozenset({DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, "1.2.840.10008.1.2.4.95"})

# Pixels one after another, in the byte order of today.
NATIVE = frozenset(
    {
        IMPLICIT_VR_LITTLE_ENDIAN,
        EXPLICIT_VR_LITTLE_ENDIAN,
        DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    }
)

# What all videos begin with: frames are not to be had one by one (PS3.5 8.2.5 to 8.2.10).
VIDEO = "1.2.840.10008.1.2.4.10"

# Markers of JPEG that say which process a frame is in (ITU-T T.81 B, T.87 C); JPEG 2000 has none.
LOSSLESS_JPEG, JPEG_LS, JPEG_2000 = 0xC3, 0xF7, 0


@dataclass(frozen=True, slots=True)
class Compression:
    """A syntax that compresses each frame: the processes of JPEG it allows (PS3.5 10.2); one that
    is retired is not `is_usual`."""

    processes: tuple[int, ...]
    is_lossy: bool = False
    is_usual: bool = True


# Those that can be read here, the usual one of each process first.
COMPRESSED: dict[str, Compression] = {
    JPEG_BASELINE: Compression((0xC0,), is_lossy=True),
    JPEG_EXTENDED: Compression((0xC0, 0xC1), is_lossy=True),
    "1.2.840.10008.1.2.4.57": Compression((LOSSLESS_JPEG,)),  # any prediction
    JPEG_LOSSLESS: Compression((LOSSLESS_JPEG,)),  # first-order prediction
    JPEG_LS_LOSSLESS: Compression((JPEG_LS,)),
    "1.2.840.10008.1.2.4.81": Compression((JPEG_LS,), is_lossy=True),  # near-lossless
    JPEG_2000_LOSSLESS: Compression((JPEG_2000,)),
    "1.2.840.10008.1.2.4.91": Compression((JPEG_2000,), is_lossy=True),
    "1.2.840.10008.1.2.4.201": Compression((JPEG_2000,)),  # HTJ2K
    "1.2.840.10008.1.2.4.202": Compression((JPEG_2000,)),  # HTJ2K, RPCL
    "1.2.840.10008.1.2.4.203": Compression((JPEG_2000,), is_lossy=True),  # HTJ2K
    RLE: Compression(()),
    "1.2.840.10008.1.2.4.53": Compression((0xC2,), is_lossy=True, is_usual=False),  # 6 and 8
    "1.2.840.10008.1.2.4.55": Compression((0xC2,), is_lossy=True, is_usual=False),  # 10 and 12
}

# PS3.5 A.4.5 to A.4.9, A.4.12: MPEG-2, H.264, H.265, in one piece or in fragments.
VIDEOS = tuple(
    VIDEO + ending
    for ending in (
        *("0", "0.1", "1", "1.1", "2", "2.1", "3", "3.1", "4", "4.1", "5", "5.1", "6", "6.1"),
        *("7", "8"),
    )
)

NEWER = {  # than pydicom's dictionary may be (PS3.6)
    "1.2.840.10008.1.2.4.110": "JPEG XL Lossless",
    "1.2.840.10008.1.2.4.111": "JPEG XL JPEG Recompression",
    "1.2.840.10008.1.2.4.112": "JPEG XL",
}
