"""An image made of others: their values where another plane cuts them, or one turned in its own.

Slices are added one after the other, in any order, and none is kept. Between two of them values
are linear, as they are between the pixels of each.
"""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from .apart import Apart
from .cutting import Grid, between, grid_of, near, pixels, span
from .elements import Elements
from .error import ContentError
from .groups import placed
from .modality import is_ct, modality, padding
from .pixels import stored
from .placing import Plane

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type Floats = NDArray[np.float64]

# Gaps up to this many times the usual distance are bridged; beyond, an image is missing.
_BRIDGED = 1.5

# The share of what is made that must be of some image; and how many mm from it one without
# neighbours has a share, whose values hold for half of that.
_LEAST_SHARE, _ALONE = 0.05, 2.0

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
        least, most = span(grid, slices.normal)
        reach = self.spacing * _BRIDGED or _ALONE
        self._ends = least - reach, most + reach

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
        weights = near(self.grid, own.plane, *self._reach(own.plane.along))
        rows, columns, down, across = pixels(self.grid, own, *np.nonzero(weights))
        if not rows.size:
            return
        self.images += 1
        kept = np.isfinite(frame.values)
        if padded := padding(elements, frame):
            kept &= (frame.values < padded[0]) | (frame.values > padded[1])
        values = np.where(kept, transform(np.nan_to_num(frame.values).astype(np.float64)), 0.0)
        share = weights[rows, columns]
        self._values[rows, columns] += share * between(values, down, across)
        self._weights[rows, columns] += share * (
            1.0 if kept.all() else between(kept.astype(np.float64), down, across)
        )

    def values(self) -> "Floats":
        """What was made, in the unit of the modality; not a number where no slice is."""
        import numpy as np

        there = self._weights > 0.5
        return np.where(there, self._values / np.where(there, self._weights, 1.0), np.nan)

    def dataset(self) -> Dataset:
        """The image: floats in the unit of the modality, where there is none padding.

        Raises ContentError where hardly anything of it is of some image.
        """
        import numpy as np

        found = self.values()
        there = np.isfinite(found)
        if self._made is None or there.mean() < _LEAST_SHARE:
            raise ContentError("The other series does not reach the image that was chosen")
        made, size = self._made, self.grid.extent
        values = np.where(there, found, _NOWHERE).astype(np.float32)
        made.Rows, made.Columns = size.rows, size.columns
        made.PixelSpacing = [round(size.down, 6), round(size.across, 6)]
        made.ImagePositionPatient = [round(value, 6) for value in self.grid.plane.position]
        made.ImageOrientationPatient = [round(value, 9) for value in self.grid.plane.cosines]
        made.FloatPixelPaddingValue = _NOWHERE
        made.FloatPixelData = values.tobytes()
        return made

    def _reach(self, along: float) -> tuple[float, float]:
        """How far a slice reaches below and above it: to its neighbours."""
        place = min(range(len(self._positions)), key=lambda at: abs(self._positions[at] - along))
        return self._step(place - 1), self._step(place)

    def _step(self, place: int) -> float:
        """How far it is from a position to the next; at the ends, and where one is missing, as
        usual."""
        if len(self._positions) < 2:
            return _ALONE
        if not 0 <= place < len(self._positions) - 1:
            return self.spacing
        step = self._positions[place + 1] - self._positions[place]
        return step if step <= _BRIDGED * self.spacing else self.spacing


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
