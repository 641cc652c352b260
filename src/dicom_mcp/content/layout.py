"""The image pixel module (PS3.3 C.7.6.3): what a frame's values are, or why they are no picture."""

from dataclasses import dataclass

from ..budgets import MOST_SAMPLES
from ..standard.sop_classes import CURVES, sop_class
from .elements import Elements, uid_name
from .error import ContentError

# PS3.3 C.7.6.3.1.2: what can be shown; the others need decoders or tables nobody has any more.
_GREY = frozenset({"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"})
YBR = frozenset({"YBR_FULL", "YBR_FULL_422"})
JPEG_2000_ONLY = frozenset({"YBR_ICT", "YBR_RCT"})
_COLOUR = YBR | JPEG_2000_ONLY | {"RGB"}

FLOATS = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}


@dataclass(frozen=True, slots=True)
class Layout:
    """The image pixel module."""

    rows: int
    columns: int
    samples: int
    allocated: int
    stored: int
    high: int
    signed: bool
    planar: bool
    photometric: str
    keyword: str

    @property
    def values(self) -> int:
        return self.rows * self.columns * self.samples


def frame_count(elements: Elements) -> int:
    """How many frames the object says it has, as far as an IS can (PS3.5 6.2: 31 bits)."""
    return min(max(1, elements.integer("NumberOfFrames", 1)), (1 << 31) - 1)


def layout_of(elements: Elements) -> Layout:
    """The module of an object with pixels.

    Raises ContentError for an object without, and for one whose module contradicts itself.
    """
    keyword = next((keyword for keyword in ("PixelData", *FLOATS) if keyword in elements), "")
    if not keyword:
        uid = elements.text("SOPClassUID")
        name = uid_name(uid) or "of an unknown class"
        where = elements.text("PixelDataProviderURL")
        why = "its pixels are at another address" if where else "it has no pixel data"
        raise ContentError(f"The object ({name}) is no picture: {why}", _shown_by(uid))
    allocated = FLOATS.get(keyword) or elements.integer("BitsAllocated")
    bits = FLOATS.get(keyword) or elements.integer("BitsStored", allocated)
    layout = Layout(
        rows=elements.integer("Rows"),
        columns=elements.integer("Columns"),
        samples=elements.integer("SamplesPerPixel", 1),
        allocated=allocated,
        stored=bits,
        high=bits - 1 if keyword in FLOATS else elements.integer("HighBit", bits - 1),
        signed=elements.integer("PixelRepresentation") == 1,
        planar=elements.integer("PlanarConfiguration") == 1,
        photometric=elements.text("PhotometricInterpretation").upper(),
        keyword=keyword,
    )
    _refuse(layout)
    return layout


def _shown_by(uid: str) -> str:
    """What shows objects of a SOP class that are no pictures."""
    known = sop_class(uid)
    if known.report or known.draws:
        return "read_report tells what it holds"
    return "view_image shows its curves" if known.kind in CURVES else "Read its header"


def _known(photometric: str) -> str:
    """One the standard has or had; an error does not repeat what else may stand there."""
    if photometric in _RETIRED:
        return photometric
    return "(unknown)" if photometric else "(missing)"


_RETIRED = frozenset(
    {"ARGB", "CMYK", "HSV", "XYB", "YBR_PARTIAL_420", "YBR_PARTIAL_422", "YBR_FULL_420"}
)


def _refuse(layout: Layout) -> None:
    """Raise ContentError for an image pixel module that cannot be right or cannot be shown."""
    samples = 1 if layout.photometric in _GREY else 3 if layout.photometric in _COLOUR else 0
    if not samples:
        raise ContentError(
            f"The photometric interpretation {_known(layout.photometric)} cannot be shown",
            "Ask the archive for the image in RGB or MONOCHROME2",
        )
    if layout.rows < 1 or layout.columns < 1 or layout.samples != samples:
        raise ContentError(
            f"The image says {layout.rows} rows, {layout.columns} columns and {layout.samples} "
            f"samples of {layout.photometric}, which is no picture"
        )
    if layout.values > MOST_SAMPLES:
        raise ContentError(
            f"The image has {layout.rows} by {layout.columns} pixels, more than are decoded here "
            f"({MOST_SAMPLES:,} values)",
            "Open it with a viewer",
        )
    sizes = (1, 8, 16, 32, 64)
    fits = 0 < layout.stored <= layout.allocated and layout.stored <= layout.high + 1
    if layout.allocated not in sizes or not fits or layout.high >= layout.allocated:
        raise ContentError(
            f"Bits Allocated {layout.allocated}, Bits Stored {layout.stored} and High Bit "
            f"{layout.high} cannot be shown"
        )
