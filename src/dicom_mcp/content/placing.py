"""Where each frame of an image lies, by the rule its kind has for it (PS3.3 A, C.7.6.2, C.7.6.16).

Enhanced objects say it frame by frame in functional groups, ultrasound volumes in coordinates of
their own. Others have one position, that of their first frame, and a vector that Frame Increment
Pointer names. What varies by time only lies where the first frame does; of what varies by anything
else nothing is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, sqrt

from .elements import Elements
from .error import ContentError
from .groups import group, placed
from .layout import frame_count

type Vector = tuple[float, float, float]

# What Frame Increment Pointer may name besides places: frames then follow each other in time only
# (PS3.3 C.7.6.5, C.8.4.8: frame time, its vector, phases, time slots).
_TIMES = frozenset({"(0018,1063)", "(0018,1065)", "(0054,0070)", "(0054,0100)", "(0054,0060)"})

_POSITION, _ORIENTATION = "ImagePositionPatient", "ImageOrientationPatient"


@dataclass(frozen=True, slots=True)
class Plane:
    """A frame's rows, columns and first pixel: in the patient, or `in_volume` where coordinates are
    those of an ultrasound volume (PS3.3 C.8.24.2), which has no sides of the patient."""

    row: Vector
    column: Vector
    position: Vector
    in_volume: bool = False

    @property
    def cosines(self) -> tuple[float, ...]:
        return (*self.row, *self.column)

    @property
    def normal(self) -> Vector:
        """Square to rows and columns, in the direction of the nearest axis."""
        return upright(cross(self.row, self.column))

    @property
    def along(self) -> float:
        """Millimetres along the normal."""
        return dot(self.normal, self.position)

    def at(self, down: float, across: float) -> Vector:
        """The point so many mm from the middle of the first pixel, down its column and across."""
        x, y, z = (
            where + down * column + across * row
            for where, column, row in zip(self.position, self.column, self.row, strict=True)
        )
        return x, y, z


@dataclass(frozen=True, slots=True)
class Extent:
    """Rows and columns of a frame, and the mm from one to the next (0 where it does not say)."""

    rows: int
    columns: int
    down: float
    across: float

    def centre(self, plane: Plane) -> Vector:
        """The middle of a frame that lies so."""
        return plane.at((self.rows - 1) / 2 * self.down, (self.columns - 1) / 2 * self.across)


class Placing:
    """The planes of an image's frames. What holds for all of them is worked out once."""

    def __init__(self, elements: Elements) -> None:
        self._elements = elements
        self.frames = frame_count(elements)
        self.has_groups = "PerFrameFunctionalGroupsSequence" in elements
        self._pointers = elements.values("FrameIncrementPointer")
        self._offsets: list[float] = []
        self._steps: list[float] = []
        self._detectors: list[float] = []
        if self.frames > 1 and not self.has_groups:
            self._offsets = elements.numbers("GridFrameOffsetVector")
            self._offsets = self._offsets or elements.numbers("SliceLocationVector")
            self._steps = elements.numbers("SliceVector")
            self._detectors = elements.numbers("DetectorVector")

    @property
    def varies(self) -> bool:
        """Whether frames lie in places of their own."""
        return self.frames > 1 and bool(self.has_groups or self._offsets or self._steps)

    def plane(self, number: int) -> Plane | None:
        """The plane of frame `number` (from 1); None where nothing says where it lies."""
        if is_mosaic(self._elements):
            return None  # whose position is that of the sheet, not of a slice
        elements = self._elements
        if self.has_groups or self.frames == 1:
            return self._of_groups(number)
        if self._steps:
            return self._of_slices(number)
        first = _plane(elements.numbers(_ORIENTATION), elements.numbers(_POSITION))
        if first is None or number == 1:
            return first
        if self._offsets:
            return self._of_offsets(first, number)
        return first if self._pointers and set(self._pointers) <= _TIMES else None

    def _of_groups(self, number: int) -> Plane | None:
        elements = self._elements
        cosines = placed(elements, number, "PlaneOrientationSequence", _ORIENTATION)
        where = placed(elements, number, "PlanePositionSequence", _POSITION)
        if found := _plane(cosines.numbers(_ORIENTATION), where.numbers(_POSITION)):
            return found
        cosines = group(elements, number, "PlaneOrientationVolumeSequence")
        where = group(elements, number, "PlanePositionVolumeSequence")
        return _plane(
            cosines.numbers("ImageOrientationVolume"),
            where.numbers("ImagePositionVolume"),
            in_volume=True,
        )

    def _of_slices(self, number: int) -> Plane | None:
        """Nuclear medicine: the detector's first slice, and how many slices further (C.8.4.15)."""
        spacing = self._elements.number("SpacingBetweenSlices")
        detector = _at(self._detectors, number) or 1.0
        step = _at(self._steps, number)
        try:
            several = self._elements.items("DetectorInformationSequence")
        except ContentError:
            return None
        if step is None or spacing is None or not 1 <= detector <= len(several):
            return None
        item = several[int(detector) - 1]
        first = _plane(item.numbers(_ORIENTATION), item.numbers(_POSITION))
        return first and _moved(first, (step - 1) * spacing)

    def _of_offsets(self, first: Plane, number: int) -> Plane | None:
        """RT Dose: along the normal from the first plane, or where the vector begins with another
        number than 0, coordinates themselves (C.8.8.3.2); slice locations likewise (C.8.6.4)."""
        offset = _at(self._offsets, number)
        if offset is None:
            return None
        normal = cross(first.row, first.column)
        x, y, z = first.position
        if abs(normal[2]) > 0.99 and self._offsets[0] and abs(z - self._offsets[0]) < 1.0:
            return Plane(first.row, first.column, (x, y, offset))
        return _moved(first, offset - self._offsets[0])


def extent(elements: Elements, number: int) -> Extent:
    """How large frame `number` is (PS3.3 10.7.1.3: rows first)."""
    spacing = placed(elements, number, "PixelMeasuresSequence", "PixelSpacing")
    found = spacing.numbers("PixelSpacing")
    known = len(found) == 2 and min(found) > 0
    down, across = (found[0], found[1]) if known else (0.0, 0.0)
    return Extent(elements.integer("Rows"), elements.integer("Columns"), down, across)


def is_mosaic(elements: Elements) -> bool:
    """Whether an image is a sheet of many slices side by side, as Siemens writes them."""
    return "MOSAIC" in {value.upper() for value in elements.values("ImageType")}


def vectors(cosines: Sequence[float]) -> tuple[Vector, Vector] | None:
    """Row and column direction, of length 1 and square to each other; None for other numbers."""
    if len(cosines) != 6:
        return None
    found: list[Vector] = []
    for x, y, z in (cosines[:3], cosines[3:]):
        length = sqrt(fsum((x * x, y * y, z * z)))
        if not 0.9 < length < 1.1:
            return None
        found.append((x / length, y / length, z / length))
    return (found[0], found[1]) if abs(dot(found[0], found[1])) < 0.05 else None


def upright(normal: Vector) -> Vector:
    """The normal towards left, back or head, whichever axis is nearest."""
    axis = max(range(3), key=lambda axis: abs(normal[axis]))
    return normal if normal[axis] > 0 else (-normal[0], -normal[1], -normal[2])


def cross(vector: Vector, other: Vector) -> Vector:
    return (
        vector[1] * other[2] - vector[2] * other[1],
        vector[2] * other[0] - vector[0] * other[2],
        vector[0] * other[1] - vector[1] * other[0],
    )


def dot(vector: Vector, other: Vector) -> float:
    return vector[0] * other[0] + vector[1] * other[1] + vector[2] * other[2]


def _plane(
    cosines: Sequence[float], where: Sequence[float], *, in_volume: bool = False
) -> Plane | None:
    if not (found := vectors(cosines)) or len(where) != 3:
        return None
    return Plane(*found, (where[0], where[1], where[2]), in_volume)


def _moved(plane: Plane, distance: float) -> Plane:
    """The plane so many mm further along its own normal, which may point down (PS3.3 C.7.6.2)."""
    normal = cross(plane.row, plane.column)
    x, y, z = (where + distance * n for where, n in zip(plane.position, normal, strict=True))
    return Plane(plane.row, plane.column, (x, y, z), plane.in_volume)


def _at(values: Sequence[float], number: int) -> float | None:
    return values[number - 1] if number <= len(values) else None
