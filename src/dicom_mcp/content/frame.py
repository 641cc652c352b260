"""One frame as the grey or RGB picture a radiologist expects (PS3.4 N.2, PS3.3 C.11).

Stored values → modality (rescale or table) → VOI (window or table) → greys. All but the first step
depend on the value only, so that they are worked out once for each value there is, not for each
pixel: a 20-megapixel mammogram takes a table of 16,384 entries and one look-up.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset

from .apart import Apart
from .display import not_applied
from .drawing import overlaid
from .elements import Elements
from .error import ContentError
from .groups import placed
from .lut import Lut, lut, palette
from .modality import is_ct, modality, padding, rescale_fault
from .pixels import Stored, stored
from .plain import capped
from .shutter import shuttered
from .window import LINEAR, PRESETS, Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type Pixels = NDArray[np.uint8]
    type Values = NDArray[np.float64]

# Values there may be between the smallest and the largest for a table of all of them.
_MOST_ENTRIES = 1 << 20

# Rows that are worked on at a time.
_STRIP = 256

# Beyond these a pixel's height to width is a mistake in the header.
_RATIOS = 0.02, 50.0

# Pixels that are nearly square need not be called otherwise.
_SQUARE = 0.01


@dataclass(frozen=True, slots=True)
class Frame:
    """A rendered frame: `pixels` are rows by columns of greys, or rows by columns by three (RGB).

    `shown` says how values became greys; `window` is the one used, if it was one. `low` and `high`
    are the least and the largest value in `unit`, padding left out; None for colour. `ratio` is a
    pixel's height to its width. `notes` say what the picture does not show. `scaled_by_itself` says
    that nobody asked for a window and all values are shown, `inverted` that small ones are light.
    `legend` are the names and colours of what is drawn over it.
    """

    pixels: "Pixels"
    number: int
    frames: int
    shown: str
    window: Window | None
    low: float | None
    high: float | None
    unit: str
    ratio: float
    notes: tuple[str, ...]
    scaled_by_itself: bool = False
    inverted: bool = False
    legend: tuple[tuple[str, tuple[int, int, int]], ...] = ()

    @property
    def colour(self) -> bool:
        return self.pixels.ndim == 3

    def fitted(self, longest_side: int) -> "Pixels":
        """The picture with square pixels, neither side longer than this."""
        import numpy as np
        from PIL import Image

        rows, columns = self.pixels.shape[:2]
        height, width = float(rows), float(columns)
        if self.ratio > 1:
            height *= self.ratio
        else:
            width /= self.ratio
        scale = min(1.0, longest_side / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        if size == (columns, rows):
            return self.pixels
        picture = Image.fromarray(self.pixels)
        return np.asarray(picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0))


def render(
    dataset: Dataset,
    number: int = 1,
    *,
    window: Window | str = "",
    transfer_syntax: str = "",
    apart: Apart | None = None,
    overlays: bool = False,
    of: int = 0,
) -> Frame:
    """Frame `number` (from 1) of an image; `of` is the number that overlays know it by where it
    was fetched alone.

    `window` is one of ours, the name of a preset (CT only) or of one the file explains, the number
    of one of the file's windows ("2"), "full" for all values, or "" for what the file asks for.
    `transfer_syntax` is needed where the data set has no file meta information. Give `apart` where
    several frames are rendered in one call: compressed ones then share its process. With `overlays`
    what lies in overlay planes is drawn over the image. Raises ContentError for what is no image
    and for what cannot be shown rightly.
    """
    elements = Elements.of(dataset)
    syntax = transfer_syntax or _transfer_syntax(dataset)
    with nullcontext(apart) if apart else Apart() as decoding:
        held = stored(elements, number, syntax, decoding)
    ratio, notes = _ratio(elements, number)
    notes += held.notes
    if held.photometric in ("RGB", "PALETTE COLOR"):
        if window:
            raise ContentError("A colour image has no window", "Leave the window out")
        pixels, shown, faults = _colour(elements, held)
        notes += faults
        low = high = None
        used, unit = None, ""
        by_itself = inverted = False
    else:
        grey = _Grey(elements, number, held)
        voi, shown, used = _voi(elements, number, grey, window)
        pixels = grey.pixels(voi)
        low, high, unit = grey.low, grey.high, grey.unit
        by_itself, inverted = grey.is_scaled and not grey.padding, grey.inverted
        notes += grey.notes
        if low < high and pixels.min() == pixels.max():
            notes.append("Nothing can be told apart: all values lie beyond one end of the window")
    pixels, hidden = shuttered(elements, number, pixels, ratio)
    notes += [*hidden, *not_applied(elements, number, colour=pixels.ndim == 3)]
    pixels, told = overlaid(elements, of or number, held, pixels, syntax if overlays else "")
    return Frame(
        pixels=pixels,
        number=number,
        frames=held.frames,
        shown=shown,
        window=used,
        low=low,
        high=high,
        unit=unit,
        ratio=ratio,
        notes=(*notes, *told),
        scaled_by_itself=by_itself and pixels.ndim == 2,
        inverted=inverted,
    )


class _Grey:
    """The values of a grey frame: their range, their modality transform, what is padding."""

    def __init__(self, elements: Elements, number: int, held: Stored) -> None:
        self.elements = elements
        self.held = held
        self.notes: list[str] = []
        self.inverted, why = _is_inverted(elements, held)
        if why:
            self.notes.append(why)
        self.modality, self.unit, self.is_rescaled = modality(elements, number, held)
        if told := rescale_fault(elements, number):
            self.notes.append(told)
            self.unit = ""
        self.padding = padding(elements, held)
        self.is_table = "ModalityLUTSequence" in elements
        self.is_scaled = False  # from the least to the largest of its own values
        ends = self.modality(self._kept())
        self.low, self.high = float(ends.min()), float(ends.max())

    def pixels(self, voi: "Callable[[Values], Values]") -> "Pixels":
        """Each value's grey: through the modality, the VOI, and inverted where that is meant."""
        import numpy as np

        values = self.held.values
        first, last = values.min().item(), values.max().item()
        if values.dtype.kind == "f" or last - first >= _MOST_ENTRIES:
            return self._by_strips(voi)
        table = self._greys(np.arange(first, last + 1, dtype=np.float64), voi)
        return _looked_up(values, first, table)

    def _by_strips(self, voi: "Callable[[Values], Values]") -> "Pixels":
        import numpy as np

        values = self.held.values
        out: Pixels = np.empty(values.shape, np.uint8)
        for start in range(0, len(values), _STRIP):
            strip = values[start : start + _STRIP].astype(np.float64)
            out[start : start + _STRIP] = self._greys(strip, voi)
        return out

    def _greys(self, values: "Values", voi: "Callable[[Values], Values]") -> "Pixels":
        import numpy as np

        shares = voi(self.modality(np.nan_to_num(values)))
        if self.inverted:
            shares = 1.0 - shares
        greys = np.floor(np.nan_to_num(shares) * 255.0 + 0.5).astype(np.uint8)
        if self.padding:  # PS3.3 C.7.5.1.1.2: no part of the image, and dark as its surroundings
            greys[(values >= self.padding[0]) & (values <= self.padding[1])] = 0
        return greys

    def _kept(self) -> "Values":
        """Stored values that are no padding: all there are where a table follows, which may lead
        anywhere, else the least and the largest."""
        import numpy as np

        values = self.held.values
        if values.dtype.kind == "f":
            values = values[np.isfinite(values)]
        if self.padding:
            kept = values[(values < self.padding[0]) | (values > self.padding[1])]
            values = kept if kept.size else values
        if not values.size:
            raise ContentError("The image holds no number")
        if self.is_table:
            return np.unique(values).astype(np.float64)
        return np.asarray([values.min(), values.max()], np.float64)


def _looked_up(values: "Values", first: int, table: "Pixels") -> "Pixels":
    """What the table has for each value, its first entry for `first`; by strips, for a place takes
    four bytes."""
    import numpy as np

    out: Pixels = np.empty(values.shape + table.shape[1:], np.uint8)
    for start in range(0, len(values), _STRIP):
        places = np.subtract(values[start : start + _STRIP], first, dtype=np.int32)
        out[start : start + _STRIP] = table[places]
    return out


def _voi(
    elements: Elements, number: int, grey: _Grey, wanted: Window | str
) -> "tuple[Callable[[Values], Values], str, Window | None]":
    """How values become shares from dark to light, in words, and the window if it is one."""
    window = wanted if isinstance(wanted, Window) else None
    if isinstance(wanted, str) and wanted and wanted.lower() != "full":
        window = _named(elements, number, wanted)
    tables = _voi_tables(elements, number, grey)
    if not window and not wanted:
        if tables:
            return tables[0].shares, "the file's VOI look-up table", None
        window = next(iter(_windows(elements, number)), None)
        if window is None and _has_window(elements, number):
            grey.notes.append("The window of the file shows nothing and is not used")
    if window:
        return window.greys, f"window {window}", window
    bits = grey.held.bits
    if not wanted and bits <= 8 and not grey.held.signed and not grey.is_rescaled:
        most = float((1 << bits) - 1)
        return lambda values: values / most, f"stored values 0 to {most:g} as greys", None
    low, high = grey.low, grey.high
    span = high - low or 1.0
    grey.is_scaled = not wanted
    why = "" if wanted else "no window in the file, "
    return (
        lambda values: (values - low).clip(0.0, span) / span,
        f"{why}all values from {low:g} to {high:g}",
        None,
    )


def _named(elements: Elements, number: int, name: str) -> Window:
    """A window by its number in the file, by the file's explanation or by a preset's name."""
    windows = _windows(elements, number)
    if name.isdecimal() and 1 <= int(name) <= len(windows):
        return windows[int(name) - 1]
    for window in windows:
        if window.name.lower() == name.lower():
            return window
    preset = PRESETS.get(name.lower().replace("_", " "))
    known = f"Known here: {', '.join(PRESETS)}"
    if windows:
        known += f"; of the file: {', '.join(map(str, range(1, len(windows) + 1)))}"
    if preset is None:
        raise ContentError("There is no window of that name", known)
    if not is_ct(elements, number):
        raise ContentError(
            f"The preset {preset.name} is one of CT, and this image has no Hounsfield units",
            "Leave the window out, or give a centre and a width",
        )
    return preset


def _windows(elements: Elements, number: int) -> list[Window]:
    """Window Center, Width, explanation and function (PS3.3 C.11.2.1.2)."""
    voi = placed(elements, number, "FrameVOILUTSequence", "WindowCenter")
    function = voi.text("VOILUTFunction").upper() or LINEAR
    names = voi.values("WindowCenterWidthExplanation")
    found: list[Window] = []
    pairs = zip(voi.numbers("WindowCenter"), voi.numbers("WindowWidth"), strict=False)
    for place, (center, width) in enumerate(pairs):
        try:
            found.append(
                Window(
                    center, width, function, capped(names[place], 64) if place < len(names) else ""
                )
            )
        except ContentError:  # a width of 0 or a function of nobody's: `_voi` says so
            continue
    return found


def _has_window(elements: Elements, number: int) -> bool:
    return "WindowWidth" in placed(elements, number, "FrameVOILUTSequence", "WindowWidth")


def _voi_tables(elements: Elements, number: int, grey: _Grey) -> list[Lut]:
    """The usable tables of VOI LUT Sequence."""
    voi = placed(elements, number, "FrameVOILUTSequence", "VOILUTSequence")
    found: list[Lut] = []
    try:
        items = voi.items("VOILUTSequence")
        found = [lut(item, signed=grey.low < 0) for item in items]
    except ContentError as trouble:
        grey.notes.append(f"The file's VOI look-up table is not used: {trouble.happened}")
    return found


def _is_inverted(elements: Elements, held: Stored) -> tuple[bool, str]:
    """Whether small values are light: Presentation LUT Shape where there is one (PS3.3 C.11.6),
    else the photometric interpretation; and what is to be said of it."""
    shape = elements.text("PresentationLUTShape").upper()
    is_first = held.photometric == "MONOCHROME1"
    if not shape or (shape == "INVERSE") == is_first:
        return is_first, "Small values are light (MONOCHROME1)" if is_first else ""
    light = "small" if shape == "INVERSE" else "large"
    return shape == "INVERSE", (
        f"By Presentation LUT Shape {capped(shape, 16)} {light} values are light, against "
        f"{held.photometric}"
    )


def _colour(elements: Elements, held: Stored) -> "tuple[Pixels, str, list[str]]":
    import numpy as np

    if held.photometric == "RGB":
        values = held.values
        if held.bits > 8:
            values = values >> np.asarray(held.bits - 8, values.dtype)
        elif held.bits < 8:
            values = values * (255.0 / ((1 << held.bits) - 1))
        return np.ascontiguousarray(values).astype(np.uint8), "colours as they are", []
    first, last = int(held.values.min()), int(held.values.max())
    indices = np.arange(first, last + 1, dtype=np.float64)
    tables = palette(elements, signed=held.signed)
    columns = [
        (table.of(indices) / (1 << max(table.bits - 8, 0))).astype(np.uint8) for table in tables
    ]
    ends = [(table.first, table.first + len(table.entries) - 1) for table in tables]
    least, most = max(end[0] for end in ends), min(end[1] for end in ends)
    beyond = [(first, least - 1)] * (first < least) + [(most + 1, last)] * (last > most)
    faults = [f"The palette has no entry for values from {low} to {high}" for low, high in beyond]
    table = np.stack(columns, axis=-1)
    return _looked_up(held.values, first, table), "palette colours", faults


def _ratio(elements: Elements, number: int) -> tuple[float, list[str]]:
    """A pixel's height to its width (PS3.3 C.7.6.3.1.7, 10.7.1.3)."""
    spacing = placed(elements, number, "PixelMeasuresSequence", "PixelSpacing")
    for source, keyword in (
        (spacing, "PixelSpacing"),
        (elements, "ImagerPixelSpacing"),
        (elements, "NominalScannedPixelSpacing"),
        (elements, "PixelAspectRatio"),
    ):
        values = source.numbers(keyword)
        if len(values) == 2 and min(values) > 0:
            ratio = values[0] / values[1]
            if abs(ratio - 1.0) < _SQUARE:
                return ratio, []
            if _RATIOS[0] <= ratio <= _RATIOS[1]:
                told = f"Pixels are not square ({keyword} {values[0]:g}\\{values[1]:g})"
                return ratio, [f"{told}: the picture is stretched to the true ratio"]
            return 1.0, [f"{keyword} {values[0]:g}\\{values[1]:g} cannot be right and is not used"]
    return 1.0, []


def _transfer_syntax(dataset: Dataset) -> str:
    meta = getattr(dataset, "file_meta", None)
    found = str(meta.get("TransferSyntaxUID", "")) if meta is not None else ""
    if not found:
        raise ContentError("The transfer syntax of the image is not known")
    return found
