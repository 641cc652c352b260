"""An image made of others: their values where another plane cuts them, or one turned in its own.

Slices are added one after the other, in any order, and none is kept. Between two of them values
are linear, as they are between the pixels of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from statistics import median
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from .apart import Apart
from .elements import Elements
from .error import ContentError
from .groups import placed
from .modality import is_ct, modality, padding
from .pixels import stored
from .placing import Extent, Placing, Plane, Vector, cross, dot, extent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type Floats = NDArray[np.float64]

# Gaps up to this many times the usual distance are bridged; beyond, an image is missing.
_BRIDGED = 1.5

# Pixels of a side of what is made, and the share of it that must be of some image.
_MOST_SIDE = 1024
_LEAST_SHARE = 0.05

# Where no image is: less than any value of a modality.
_NOWHERE = -3.0e38

_KEPT = (
    *("SpecificCharacterSet", "SOPClassUID", "StudyDate", "StudyInstanceUID", "Modality"),
    *("SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "PatientID", "Units"),
    *("FrameOfReferenceUID", "ImageLaterality", "Laterality", "PresentationLUTShape"),
    *("BurnedInAnnotation", "LossyImageCompression", "LossyImageCompressionRatio"),
)
_WINDOW = (
    *("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction"),
    "VOILUTSequence",
)


@dataclass(frozen=True, slots=True)
class Grid:
    """The pixels of an image that is to be made."""

    plane: Plane
    extent: Extent


def grid_of(dataset: Dataset, number: int) -> Grid:
    """The pixels of a frame. Raises ContentError where it does not say where they lie."""
    elements = Elements.of(dataset)
    plane, size = Placing(elements).plane(number), extent(elements, number)
    if plane is None or not size.down:
        raise ContentError("The image does not say where its pixels lie in the patient")
    return Grid(plane, size)


def turned(grid: Grid, like: Plane) -> Grid:
    """The pixels of the same plane in rows that lead where those of another image do."""
    plane, size = grid.plane, grid.extent
    normal = cross(plane.row, plane.column)
    row = _length_1(_without(like.row, normal))
    column = _length_1(_without(_without(like.column, normal), row))
    height, width = (size.rows - 1) * size.down, (size.columns - 1) * size.across
    corners = [plane.at(down, across) for down in (0.0, height) for across in (0.0, width)]
    left, right = _ends(dot(row, corner) for corner in corners)
    top, bottom = _ends(dot(column, corner) for corner in corners)
    step = max(min(size.down, size.across), max(right - left, bottom - top) / (_MOST_SIDE - 1))
    along = dot(normal, plane.position)
    x, y, z = (
        left * across + top * down + along * through
        for across, down, through in zip(row, column, normal, strict=True)
    )
    rows, columns = ceil((bottom - top) / step - 1e-6) + 1, ceil((right - left) / step - 1e-6) + 1
    return Grid(Plane(row, column, (x, y, z)), Extent(rows, columns, step, step))


class Resampling:
    """The image of a grid in the making; `positions` are where slices lie along their normal
    (placing.Plane.along), of which those are `wanted` that the grid comes near to."""

    def __init__(self, grid: Grid, slices: Plane, positions: Sequence[float]) -> None:
        import numpy as np

        self.grid = grid
        self._positions = sorted(positions)
        steps = [after - before for before, after in pairwise(self._positions)]
        self.spacing = median(steps) if steps else 0.0
        size = grid.extent
        self._values: Floats = np.zeros((size.rows, size.columns))
        self._weights: Floats = np.zeros((size.rows, size.columns))
        self._made: Dataset | None = None
        self.images = 0
        self.notes: dict[str, None] = {}
        corners = [
            grid.plane.at(down * size.down, across * size.across)
            for down in (0, size.rows - 1)
            for across in (0, size.columns - 1)
        ]
        ends = _ends(dot(slices.normal, corner) for corner in corners)
        reach = self.spacing * _BRIDGED
        self._ends = ends[0] - reach, ends[1] + reach

    def wants(self, along: float) -> bool:
        """Whether a slice that lies there adds anything."""
        return self._ends[0] <= along <= self._ends[1]

    def add(self, dataset: Dataset, number: int, apart: Apart) -> None:
        """A slice. Raises ContentError for one that cannot be decoded, or has colours."""
        import numpy as np

        elements = Elements.of(dataset)
        own = grid_of(dataset, number)
        syntax = str(dataset.file_meta.TransferSyntaxUID)
        frame = stored(elements, number, syntax, apart)
        if frame.photometric not in ("MONOCHROME1", "MONOCHROME2"):
            raise ContentError("Images in colour are not resampled")
        self.notes |= dict.fromkeys(frame.notes)
        transform, unit, _ = modality(elements, number, frame)
        self._made = self._made or _header(elements, number, frame.photometric, unit)
        weights = self._near(own.plane)
        rows, columns = np.nonzero(weights)
        down, across = self._pixels(own, rows, columns)
        size = own.extent
        inside = (down > -0.5) & (down < size.rows - 0.5)
        inside &= (across > -0.5) & (across < size.columns - 0.5)
        rows, columns = rows[inside], columns[inside]
        if not rows.size:
            return
        self.images += 1
        kept = np.isfinite(frame.values)
        if ends := padding(elements, frame):
            kept &= (frame.values < ends[0]) | (frame.values > ends[1])
        values = np.where(kept, transform(np.nan_to_num(frame.values).astype(np.float64)), 0.0)
        down, across = down[inside], across[inside]
        share = weights[rows, columns]
        self._values[rows, columns] += share * _between(values, down, across)
        self._weights[rows, columns] += share * (
            1.0 if kept.all() else _between(kept.astype(np.float64), down, across)
        )

    def dataset(self) -> Dataset:
        """The image: floats in the unit of the modality, where there is none padding.

        Raises ContentError where hardly anything of it is of some image.
        """
        import numpy as np

        there = self._weights > 0.5
        if self._made is None or there.mean() < _LEAST_SHARE:
            raise ContentError("The other series does not reach the image that was chosen")
        made, size = self._made, self.grid.extent
        values = np.full(there.shape, _NOWHERE, np.float32)
        values[there] = self._values[there] / self._weights[there]
        made.Rows, made.Columns = size.rows, size.columns
        made.PixelSpacing = [round(size.down, 6), round(size.across, 6)]
        made.ImagePositionPatient = [round(value, 6) for value in self.grid.plane.position]
        made.ImageOrientationPatient = [round(value, 9) for value in self.grid.plane.cosines]
        made.FloatPixelPaddingValue = _NOWHERE
        made.FloatPixelData = values.tobytes()
        return made

    def _near(self, slices: Plane) -> "Floats":
        """The share each pixel has of a slice: all where it lies in it, none at its neighbours."""
        import numpy as np

        if len(self._positions) < 2:
            return np.ones(self._weights.shape)
        place = min(
            range(len(self._positions)), key=lambda at: abs(self._positions[at] - slices.along)
        )
        below, above = (self._step(place + to) for to in (-1, 0))
        size, plane, normal = self.grid.extent, self.grid.plane, slices.normal
        off = dot(normal, plane.position) - self._positions[place]
        down = np.arange(size.rows) * size.down * dot(normal, plane.column)
        across = np.arange(size.columns) * size.across * dot(normal, plane.row)
        distance: Floats = off + down[:, None] + across[None, :]
        reach = np.where(distance > 0, above, below)
        return (1.0 - np.abs(distance) / reach).clip(0.0)

    def _step(self, place: int) -> float:
        """How far it is from a position to the next; at the ends, and where one is missing, as
        usual."""
        if not 0 <= place < len(self._positions) - 1:
            return self.spacing
        step = self._positions[place + 1] - self._positions[place]
        return step if step <= _BRIDGED * self.spacing else self.spacing

    def _pixels(self, own: Grid, rows: Any, columns: Any) -> "tuple[Floats, Floats]":
        """Where these pixels of the grid lie on a slice, in its rows and columns from 0."""
        size, plane = self.grid.extent, self.grid.plane
        found: list[Floats] = []
        for way, step in ((own.plane.column, own.extent.down), (own.plane.row, own.extent.across)):
            first = dot(way, plane.position) - dot(way, own.plane.position)
            down, across = size.down * dot(way, plane.column), size.across * dot(way, plane.row)
            found.append((first + rows * down + columns * across) / step)
        return found[0], found[1]


def _between(values: "Floats", down: "Floats", across: "Floats") -> "Floats":
    """Values at these rows and columns, linear between pixels."""
    import numpy as np

    rows, columns = values.shape
    down, across = down.clip(0, rows - 1), across.clip(0, columns - 1)
    top = np.minimum(down.astype(np.intp), max(rows - 2, 0))
    left = np.minimum(across.astype(np.intp), max(columns - 2, 0))
    bottom, right = np.minimum(top + 1, rows - 1), np.minimum(left + 1, columns - 1)
    down, across = down - top, across - left
    upper = values[top, left] * (1 - across) + values[top, right] * across
    lower = values[bottom, left] * (1 - across) + values[bottom, right] * across
    return upper * (1 - down) + lower * down


def _header(elements: Elements, number: int, photometric: str, unit: str) -> Dataset:
    """What holds for the image that is made as for a slice it is made of."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    voi = placed(elements, number, "FrameVOILUTSequence", "WindowCenter")
    for source, keywords in ((elements, _KEPT), (voi, _WINDOW)):
        for keyword in keywords:
            if (element := source.element(keyword)) is not None:
                made[element.tag] = element
    made.PhotometricInterpretation = photometric
    made.SamplesPerPixel, made.BitsAllocated, made.BitsStored, made.HighBit = 1, 32, 32, 31
    made.PixelRepresentation = 0
    if unit or is_ct(elements, number):
        made.RescaleIntercept, made.RescaleSlope, made.RescaleType = 0, 1, unit
    return made


def _ends(values: Any) -> tuple[float, float]:
    several = [*values]
    return min(several), max(several)


def _without(vector: Vector, normal: Vector) -> Vector:
    """The part of a vector that is square to another of length 1."""
    along = dot(vector, normal)
    x, y, z = (value - along * n for value, n in zip(vector, normal, strict=True))
    return x, y, z


def _length_1(vector: Vector) -> Vector:
    length = dot(vector, vector) ** 0.5
    return vector[0] / length, vector[1] / length, vector[2] / length
