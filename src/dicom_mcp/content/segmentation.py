"""Segmentations (PS3.3 A.51, C.8.20): which segments there are, and where they lie on an image."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset

from ..standard.syntaxes import NATIVE
from .apart import Apart
from .cutting import Grid, between, near, pixels, span
from .elements import Elements
from .error import ContentError
from .groups import group
from .layers import Colour, Layer, Patch, Target, elsewhere, given
from .pixels import frames_held, stored
from .placing import Placing, Vector, extent
from .plain import capped
from .tables import Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type Floats = NDArray[np.float64]

# Frames whose pixels are counted, for a table and for a picture; and places along the normal that
# are one, in mm.
_MOST_COUNTED, _QUICK = 4000, 200
_SAME = 0.01

# How much of a pixel must be of a segment: half of it, wherever its place was rounded.
_HALF = 0.5 - 1e-4


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment: its number, label, what it is of, who made it, and its colour."""

    number: int
    label: str
    kind: str
    algorithm: str
    colour: Colour


class Segmentation:
    """The segments of an object, by the frames they are in."""

    def __init__(self, dataset: Dataset) -> None:
        self._elements = Elements.of(dataset)
        self._syntax = str(dataset.file_meta.TransferSyntaxUID)
        self._counted: dict[int, float] | None = None
        self._uncounted = ""
        self._placing = Placing(self._elements)
        self._frames = frames_held(dataset)
        self.is_label_map = is_label_map(dataset)
        self._is_binary = self._elements.integer("BitsAllocated") == 1 and self._syntax in NATIVE
        is_fractional = self._elements.text("SegmentationType").upper() == "FRACTIONAL"
        most = self._elements.number("MaximumFractionalValue") if is_fractional else 1.0
        is_share = self._elements.text("SegmentationFractionalType").upper() == "OCCUPANCY"
        self._is_probable = is_fractional and not is_share  # and no part of a voxel (C.8.20.2.3)
        self._lacks_most, self._most = not most, most or 255.0
        self.segments: dict[int, Segment] = {}
        for segment in _segments(self._elements):
            if first := self.segments.get(segment.number):  # two of one number: which, nobody knows
                segment = replace(first, label=f"{first.label} or {segment.label}")
            self.segments[segment.number] = segment
        if self.is_label_map:  # which some describe too
            self.segments = {
                n: segment for n, segment in self.segments.items() if not self._is_none(n)
            }
        self._numbers = [0] * self._frames
        if not self.is_label_map:
            self._numbers = [self._number(frame) for frame in range(1, self._frames + 1)]
        self._planes = [self._placing.plane(frame) for frame in range(1, self._frames + 1)]
        self.spacing = self._spacing()

    @property
    def title(self) -> str:
        """What it is called."""
        elements = self._elements
        name = elements.text("ContentLabel") or elements.text("SeriesDescription")
        return f"segmentation {capped(name, 64)}".strip()

    def rows(self, apart: Apart) -> list[Row]:
        """The segments as a table."""
        counts = self._counts(apart)
        rows: list[Row] = []
        unknown = {number: _unknown(number) for number in sorted(counts.keys() - self.segments)}
        for number, segment in {**self.segments, **unknown}.items():
            frames = self._frames if self.is_label_map else self._numbers.count(number)
            rows.append(
                {
                    "number": str(number),
                    "name": segment.label,
                    "kind": segment.kind,
                    "made": segment.algorithm,
                    "volume": self._volume(counts.get(number, 0.0) if counts else None),
                    "images": "" if self.is_label_map else str(frames),
                }
            )
        return rows

    @property
    def notes(self) -> list[str]:
        """What its table lacks."""
        told: list[str] = []
        if self._frames > _MOST_COUNTED and not self._is_binary:
            told.append(f"Volumes are not counted of more than {_MOST_COUNTED:,} frames")
        if self._uncounted:
            told.append(f"Volumes are not known: {self._uncounted}")
        if self._lacks_most:
            told.append("MaximumFractionalValue is missing: 255 is taken for it")
        unknown = {*self._numbers} - self.segments.keys()
        if unknown and not self.is_label_map:
            count = sum(number in unknown for number in self._numbers)
            told.append(f"{count} of its {self._frames} frames name no segment that it describes")
        return told

    def on(self, target: Target, apart: Apart) -> Layer:
        """The segments on a frame: by position, else on the images it says it was made from."""
        shares, told = self._shares(target, apart)
        counts = self._counts(apart) if self._is_binary or self._frames <= _QUICK else {}
        layer = Layer(self.title, notes=[*self.notes, *[told] * bool(told)])
        drawn: set[int] = set()
        for number, share in sorted(shares.items()):
            mask = share > _HALF
            if count := int(mask.sum()):
                drawn.add(number)
                segment = self.segments.get(number) or _unknown(number)
                words = f"{count:,} pixels here"
                if number in counts:
                    words = f"{self._volume(counts[number])}, {words}"
                layer.patches.append(Patch(segment.label, segment.colour, mask, words))
        if (others := len(self.segments.keys() - drawn)) and (drawn or not told):
            layer.notes.append(
                f"{others} of its {len(self.segments)} segments are not on this image; read_report "
                "lists all, with volumes"
            )
        return layer

    def itself(self, frame: int, apart: Apart) -> Layer:
        """A frame of a label map, whose values are numbers and no greys."""
        layer = Layer(self.title)
        for number, values in self._values(frame, apart):
            segment = self.segments.get(number) or _unknown(number)
            words = f"{int(values.sum()):,} pixels"
            layer.patches.append(Patch(segment.label, segment.colour, values > 0, words, 1.0))
        return layer

    def _shares(self, target: Target, apart: Apart) -> "tuple[dict[int, Floats], str]":
        """How much of each segment is at each pixel, and what is to be said of it."""
        other = elsewhere(self._elements.text("FrameOfReferenceUID"), target)
        unplaced = self._planes.count(None)
        if other:
            told = (
                f"{other}, and no image of this size, direction and UID is named as one it was "
                "made from"
            )
        elif target.grid and unplaced < self._frames:
            told = f"{unplaced} of its {self._frames} frames do not say where they lie: not drawn"
            return self._by_position(target.grid, apart), told if unplaced else ""
        else:
            told = (
                "Its frames or the image do not say where they lie, and it names no image of this "
                "size, direction and UID as one it was made from: where its segments are is not "
                "known"
            )
        if shares := self._by_reference(target, apart):
            told = "Drawn pixel by pixel on the image that it names as its source, not by position"
        return shares, told

    def _by_position(self, grid: Grid, apart: Apart) -> "dict[int, Floats]":
        """How much of each segment is at each pixel, linear between frames and pixels."""
        import numpy as np

        found: dict[int, Floats] = {}
        spans: dict[Vector, tuple[float, float]] = {}
        for frame, plane in enumerate(self._planes, start=1):
            if plane is None:
                continue
            first, last = spans.setdefault(plane.normal, span(grid, plane.normal))
            if not first - self.spacing < plane.along < last + self.spacing:
                continue
            weights = near(grid, plane, self.spacing, self.spacing)
            own = Grid(plane, extent(self._elements, frame))
            if not own.extent.down or not weights.any():
                continue
            rows, columns, down, across = pixels(grid, own, *np.nonzero(weights))
            if not rows.size:
                continue
            for number, values in self._values(frame, apart):
                held = found.setdefault(number, np.zeros(weights.shape))
                held[rows, columns] += weights[rows, columns] * between(values, down, across)
        return found

    def _by_reference(self, target: Target, apart: Apart) -> "dict[int, Floats]":
        """The frames that name this image as their source and have its size (C.7.6.16.2.6)."""
        import numpy as np

        found: dict[int, Floats] = {}
        elements = self._elements
        if (elements.integer("Rows"), elements.integer("Columns")) != (
            target.rows,
            target.columns,
        ):
            return found
        for frame in range(1, self._frames + 1):
            if not self._is_of(frame, target) or not self._lies_like(frame, target):
                continue
            for number, values in self._values(frame, apart):
                found[number] = np.maximum(found.get(number, np.zeros(values.shape)), values)
        return found

    def _lies_like(self, frame: int, target: Target) -> bool:
        """Whether its rows and columns lead where those of the image do, or one does not say."""
        plane = self._planes[frame - 1]
        if plane is None or target.grid is None:
            return True
        pairs = zip(plane.cosines, target.grid.plane.cosines, strict=True)
        return all(abs(mine - other) < _SAME for mine, other in pairs)

    def _is_of(self, frame: int, target: Target) -> bool:
        try:
            several = [
                source
                for derivation in group_items(self._elements, frame, "DerivationImageSequence")
                for source in derivation.items("SourceImageSequence")
            ]
        except ContentError:
            return False
        return any(
            source.text("ReferencedSOPInstanceUID") == target.uid
            and (
                "ReferencedFrameNumber" not in source
                or str(target.number) in source.values("ReferencedFrameNumber")
            )
            for source in several
        )

    def _values(self, frame: int, apart: Apart) -> "Iterator[tuple[int, Floats]]":
        """The segments of a frame, and how much of each is at each of its pixels."""
        import numpy as np

        held = stored(self._elements, frame, self._syntax, apart).values
        if not self.is_label_map:
            yield self._numbers[frame - 1], np.minimum(held / self._most, 1.0)
            return
        for number in np.unique(held).tolist():
            if not self._is_none(number) and (number or 0 in self.segments):
                yield int(number), (held == number).astype(np.float64)

    def _is_none(self, number: int) -> bool:
        """Of a label map: the value that is none (C.8.20.2), 0 where nothing says so."""
        background = self._elements.number("PixelPaddingValue")
        return number == (0 if background is None else background)

    def _counts(self, apart: Apart) -> dict[int, float]:
        """How many voxels each segment has; none where there are too many frames."""
        import numpy as np

        if self._counted is not None:
            return self._counted
        counts: dict[int, float] = {}
        bits = self._elements.integer("Rows") * self._elements.integer("Columns")
        content = self._elements.bulk("PixelData")
        if self._is_binary and bits % 8 == 0 and len(content) >= bits // 8 * self._frames:
            step = bits // 8
            for place, number in enumerate(self._numbers):
                part = np.frombuffer(content, "u1", step, place * step)
                counts[number] = counts.get(number, 0.0) + float(np.bitwise_count(part).sum())
            self._counted = counts
            return counts
        if self._frames > _MOST_COUNTED:
            return {}
        try:
            for frame in range(1, self._frames + 1):
                for number, values in self._values(frame, apart):
                    part = values > _HALF if self._is_probable else values
                    counts[number] = counts.get(number, 0.0) + float(part.sum())
        except ContentError as trouble:
            counts, self._uncounted = {}, str(trouble)
        self._counted = counts
        return counts

    def _volume(self, voxels: float | None) -> str:
        size = extent(self._elements, 1)
        if voxels is None:
            return ""
        if not size.down or not self.spacing or not any(self._planes):
            return f"{voxels:,.0f} voxels of unknown size"
        volume = voxels * size.down * size.across * self.spacing / 1000
        return f"{volume:.4g} ml{' where 50 % probable or more' * self._is_probable}"

    def _number(self, frame: int) -> int:
        segment = group(self._elements, frame, "SegmentIdentificationSequence")
        return segment.integer("ReferencedSegmentNumber")

    def _spacing(self) -> float:
        """Millimetres from a frame to the next: as it says, or as they lie, unless the frames
        between are left out because they are empty."""
        places = sorted({plane.along for plane in self._planes if plane})
        steps = [after - before for before, after in pairwise(places) if after - before > _SAME]
        measures = group(self._elements, 1, "PixelMeasuresSequence")
        between, thickness = (
            max(measures.number(keyword) or 0.0, 0.0)
            for keyword in ("SpacingBetweenSlices", "SliceThickness")
        )
        least = min(steps, default=0.0)
        if between:
            return min(between, least or between)
        is_regular = len(steps) > 1 and max(steps) - least < 0.1 * least
        if thickness and least > 1.5 * thickness and not is_regular:
            return thickness
        return least or thickness or 1.0


def is_label_map(dataset: Dataset) -> bool:
    """Whether the values of its pixels are numbers of segments."""
    return Elements.of(dataset).text("SegmentationType").upper() == "LABELMAP"


def group_items(elements: Elements, frame: int, sequence: str) -> list[Elements]:
    """All items of a functional group of a frame: its own, else the shared ones."""
    own = elements.item("PerFrameFunctionalGroupsSequence", frame)
    shared = elements.first("SharedFunctionalGroupsSequence")
    return (own if sequence in own else shared).items(sequence)


def _segments(elements: Elements) -> Iterator[Segment]:
    for place, item in enumerate(elements.items("SegmentSequence")):
        number = item.integer("SegmentNumber")
        meanings = (
            item.first(f"Segmented{what}CodeSequence").text("CodeMeaning")
            for what in ("PropertyCategory", "PropertyType")
        )
        made = item.text("SegmentAlgorithmType"), item.text("SegmentAlgorithmName")
        yield Segment(
            number,
            capped(item.text("SegmentLabel"), 64) or f"segment {number}",
            capped(", ".join(dict.fromkeys(filter(None, meanings))), 128),
            capped(" ".join(filter(None, made)), 128),
            _colour(item.numbers("RecommendedDisplayCIELabValue")) or given(place),
        )


def _unknown(number: int) -> Segment:
    return Segment(number, f"segment {number}, which is not described", "", "", given(number))


def _colour(lab: list[float]) -> Colour | None:
    """RGB of a CIELab value of 16 bits (PS3.3 C.10.7.1.1, D50)."""
    if len(lab) != 3:
        return None
    light, a, b = lab[0] / 65535 * 100, lab[1] / 257 - 128, lab[2] / 257 - 128
    middle = (light + 16) / 116
    x, y, z = (
        white * (share**3 if share > 6 / 29 else (share - 4 / 29) * 108 / 841)
        for white, share in zip(
            (0.9642, 1.0, 0.8251), (middle + a / 500, middle, middle - b / 200), strict=True
        )
    )
    mixed = (
        3.1339 * x - 1.6169 * y - 0.4906 * z,
        -0.9788 * x + 1.9161 * y + 0.0335 * z,
        0.0719 * x - 0.2290 * y + 1.4052 * z,
    )
    curved = (
        12.92 * channel if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055
        for channel in mixed
    )
    red, green, blue = (min(255, max(0, round(share * 255))) for share in curved)
    return red, green, blue
