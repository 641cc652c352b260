"""How the images of a series lie in the patient, from their headers (PS3.3 C.7.6.2)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import acos, degrees, sqrt
from statistics import median

from pydicom.dataset import Dataset

from ..standard.counted import agreeing, counted
from .elements import Elements
from .groups import placed
from .layout import frame_count
from .placing import Placing, Plane, Vector, cross, dot, extent, is_mosaic, upright, vectors

# Millimetres below which two positions are one, and the share of a spacing two may differ by.
_SAME = 0.01
_REGULAR = 0.02

# Cosines that differ by less are one orientation: scanners write six digits.
_SAME_COSINE = 1e-3

# Degrees from a plane of the body up to which an image is called by that plane alone.
_STRAIGHT = 5.0
_TILTED = 1.0

# Frames of one object whose place is looked up.
_MOST_FRAMES = 5000

# Patient coordinates: x towards the left, y towards the back, z towards the head.
_PLANES = ("sagittal", "coronal", "axial")
_AXES = (("R", "L"), ("A", "P"), ("F", "H"))


@dataclass(frozen=True, slots=True)
class Gap:
    """A place where images are missing: between which instances, how far apart, how many."""

    after: str
    before: str
    distance: float
    missing: int


@dataclass(frozen=True, slots=True)
class Stack:
    """Images of one orientation and matrix, sorted along their normal.

    `spacing` is the usual distance of neighbours in mm, None for a single position; `direction`
    says where the positions lead. `per_position` is how many images most positions hold, and
    `duplicates` name the instances of positions that hold more. `tilt` is the angle in degrees
    between the stack's direction and the images' normal (a tilted gantry), 0 for none.
    """

    orientation: str
    images: int
    positions: int
    rows: int
    columns: int
    pixel_spacing: str
    thickness: str
    first: float
    last: float
    direction: str
    spacing: float | None
    regular: bool
    per_position: int
    gaps: tuple[Gap, ...]
    duplicates: tuple[tuple[str, ...], ...]
    tilt: float


@dataclass(frozen=True, slots=True)
class Geometry:
    """The stacks of a series, largest first; `unplaced` images say nothing of where they are."""

    images: int
    unplaced: int
    stacks: tuple[Stack, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """Where a frame lies: its plane, the point in the middle of it, and the frame of reference of
    both."""

    frame: int
    plane: Plane
    centre: Vector
    frame_of_reference: str

    @property
    def along(self) -> float:
        """Millimetres along its normal, as `along` measures."""
        return self.plane.along

    def faces(self, other: "Position") -> bool:
        """Whether both have one orientation, so that their positions are along one normal."""
        pairs = zip(self.plane.cosines, other.plane.cosines, strict=True)
        return all(abs(first - second) < _SAME_COSINE for first, second in pairs)


@dataclass(frozen=True, slots=True)
class _Plane:
    name: str
    row: Vector
    column: Vector
    position: Vector
    rows: int
    columns: int
    spacing: str
    thickness: str
    frame_of_reference: str


def geometry(datasets: Iterable[Dataset]) -> Geometry:
    """Orientation, spacing, gaps and duplicates of the images of a series; every frame counts."""
    planes: list[_Plane] = []
    images = unplaced = mosaics = 0
    for dataset in datasets:
        elements = Elements.of(dataset)
        placing = Placing(elements)
        frames = placing.frames
        images += frames
        mosaics += is_mosaic(elements)
        looked_at = min(frames, _MOST_FRAMES) if placing.varies else 1
        found = [_plane(elements, placing, number) for number in range(1, looked_at + 1)]
        planes += filter(None, found)
        unplaced += found.count(None) if placing.varies else frames * found.count(None)
    stacks = sorted((_stack(group) for group in _grouped(planes)), key=lambda stack: -stack.images)
    return Geometry(
        images, unplaced, tuple(stacks), tuple(_notes(planes, stacks, unplaced, mosaics))
    )


def orientation(cosines: Sequence[float]) -> str:
    """The plane of an image in words, from Image Orientation (Patient); "" where that is none."""
    if not (found := vectors(cosines)):
        return ""
    normal = cross(*found)
    nearest = max(range(3), key=lambda axis: abs(normal[axis]))
    angle = degrees(acos(min(1.0, abs(normal[nearest]))))
    plane = _PLANES[nearest]
    return plane if angle <= _STRAIGHT else f"oblique {plane} ({angle:.0f}° off)"


def sides(cosines: Sequence[float]) -> tuple[str, str, str, str] | None:
    """What lies at the left, right, top and bottom of an image: R, L, A, P, H, F, the nearest
    direction first ("LP"); None where the cosines are none (PS3.3 C.7.6.1.1.1)."""
    if not (found := vectors(cosines)):
        return None
    right, bottom = (_towards(vector) for vector in found)
    return _opposite(right), right, _opposite(bottom), bottom


def along(cosines: Sequence[float], where: Sequence[float]) -> float | None:
    """How far along its normal an image lies, in mm, in the direction of the nearest axis."""
    if not (found := vectors(cosines)) or len(where) != 3:
        return None
    return dot(upright(cross(*found)), (where[0], where[1], where[2]))


def position(dataset: Dataset, number: int = 1) -> float | None:
    """How far along its normal frame `number` of an image lies, in mm: what matches two series of
    one frame of reference and orientation. None where the image does not say."""
    plane = Placing(Elements.of(dataset)).plane(number)
    return plane and plane.along


def places(dataset: Dataset) -> list[Position]:
    """Where each frame lies that says so; at most 5,000 of them are looked at."""
    elements = Elements.of(dataset)
    placing = Placing(elements)
    where = elements.text("FrameOfReferenceUID")
    numbers = range(1, min(placing.frames, _MOST_FRAMES) + 1 if placing.varies else 2)
    return [
        Position(number, plane, extent(elements, number).centre(plane), where)
        for number in numbers
        if (plane := placing.plane(number))
    ]


def frame_at(dataset: Dataset, share: float, frames: int = 0) -> int:
    """The frame that lies this share of the way through an image: through its first volume, where
    it holds several (phases, echoes, repeats), and of its largest stack. `frames` is how many there
    are, where that is not what it says."""
    said = frame_count(Elements.of(dataset))
    frames = frames or said
    by_number = int(share * (frames - 1) + 0.5) + 1
    if frames != said or frames == 1 or not 0 < share < 1:
        return by_number
    found = at_share_of_volume(places(dataset), share)
    return found.frame if found else by_number


def at_share_of_volume(several: Sequence[Position], share: float) -> Position | None:
    """The place this share of the way through the first volume of the largest stack; None where
    they follow each other in space as they are numbered, or say nothing of it."""
    stacks: list[list[Position]] = []
    for place in several:
        for stack in stacks:
            if stack[0].faces(place):
                stack.append(place)
                break
        else:
            stacks.append([place])
    if not stacks:
        return None
    stack = max(stacks, key=len)
    steps = [after.along - before.along for before, after in pairwise(stack)]
    goes_up = all(step > -_SAME for step in steps)
    if len(stacks) == 1 and (goes_up or all(step < _SAME for step in steps)):
        return None
    first: dict[float, Position] = {}
    for place in stack:
        first.setdefault(round(place.along, 1), place)
    ordered = sorted(first.values(), key=lambda place: place.along)
    if ordered.index(stack[0]) > ordered.index(first[round(stack[1].along, 1)]):
        ordered.reverse()
    return ordered[int(share * (len(ordered) - 1) + 0.5)]


def _plane(elements: Elements, placing: Placing, number: int) -> _Plane | None:
    plane, frames = placing.plane(number), placing.frames
    measures = placed(elements, number, "PixelMeasuresSequence", "PixelSpacing")
    if plane is None:
        return None
    name = elements.text("InstanceNumber") or elements.text("SOPInstanceUID")
    return _Plane(
        name=f"{name} frame {number}" if frames > 1 else name,
        row=plane.row,
        column=plane.column,
        position=plane.position,
        rows=elements.integer("Rows"),
        columns=elements.integer("Columns"),
        spacing=measures.text("PixelSpacing"),
        thickness=measures.text("SliceThickness"),
        frame_of_reference=elements.text("FrameOfReferenceUID"),
    )


def _grouped(planes: Iterable[_Plane]) -> list[list[_Plane]]:
    """Planes of one orientation and matrix together."""
    stacks: list[list[_Plane]] = []
    for plane in planes:
        for stack in stacks:
            if _alike(stack[0], plane):
                stack.append(plane)
                break
        else:
            stacks.append([plane])
    return stacks


def _alike(plane: _Plane, other: _Plane) -> bool:
    if (plane.rows, plane.columns) != (other.rows, other.columns):
        return False
    pairs = zip((*plane.row, *plane.column), (*other.row, *other.column), strict=True)
    return all(abs(first - second) < _SAME_COSINE for first, second in pairs)


def _stack(planes: Sequence[_Plane]) -> Stack:
    normal = upright(cross(planes[0].row, planes[0].column))
    positions: list[tuple[float, list[_Plane]]] = []
    for plane in sorted(planes, key=lambda plane: (dot(normal, plane.position), plane.name)):
        where = dot(normal, plane.position)
        if positions and where - positions[-1][0] < _SAME:
            positions[-1][1].append(plane)
        else:
            positions.append((where, [plane]))
    steps = [after[0] - before[0] for before, after in pairwise(positions)]
    usual = median(steps) if steps else None
    (per_position, _), *_ = Counter(len(held) for _, held in positions).most_common(1)
    gaps: list[Gap] = []
    expected = _expected(positions, steps)
    for (before, after), step, usually in zip(pairwise(positions), steps, expected, strict=True):
        if usually and step > 1.5 * usually:
            missing = round(step / usually) - 1
            gaps.append(Gap(before[1][-1].name, after[1][0].name, round(step, 3), missing))
    axis = max(range(3), key=lambda axis: abs(normal[axis]))
    return Stack(
        orientation=orientation((*planes[0].row, *planes[0].column)),
        images=len(planes),
        positions=len(positions),
        rows=planes[0].rows,
        columns=planes[0].columns,
        pixel_spacing=_all_of(plane.spacing for plane in planes),
        thickness=_all_of(plane.thickness for plane in planes),
        first=round(positions[0][0], 3),
        last=round(positions[-1][0], 3),
        direction=f"{_AXES[axis][0]} to {_AXES[axis][1]}",
        spacing=None if usual is None else round(usual, 4),
        regular=all(abs(step - (usual or 0)) <= _REGULAR * (usual or 0) + _SAME for step in steps),
        per_position=per_position,
        gaps=tuple(gaps),
        duplicates=tuple(
            tuple(plane.name for plane in held) for _, held in positions if len(held) > per_position
        ),
        tilt=_tilt(positions[0][1][0].position, positions[-1][1][0].position, normal),
    )


def _expected(
    positions: Sequence[tuple[float, list[_Plane]]], steps: Sequence[float]
) -> list[float]:
    """How far from each position the next one should be: as usual for slices that thick, as a head
    may be scanned in slices of 4 mm and then of 7."""
    thick = [held[0].thickness for _, held in positions]
    by_thickness: dict[str, list[float]] = defaultdict(list)
    for (before, after), step in zip(pairwise(thick), steps, strict=True):
        if before == after:
            by_thickness[before].append(step)
    usual = {thickness: median(found) for thickness, found in by_thickness.items()}
    otherwise = median(steps) if steps else 0.0
    return [
        (usual.get(before, otherwise) + usual.get(after, otherwise)) / 2
        for before, after in pairwise(thick)
    ]


def _tilt(first: Vector, last: Vector, normal: Vector) -> float:
    """Degrees between the way from the first image to the last and the normal."""
    way = last[0] - first[0], last[1] - first[1], last[2] - first[2]
    length = sqrt(dot(way, way))
    if length < 1.0:
        return 0.0
    angle = degrees(acos(min(1.0, abs(dot(way, normal)) / length)))
    return round(angle, 1) if angle > _TILTED else 0.0


def _notes(
    planes: Sequence[_Plane], stacks: Sequence[Stack], unplaced: int, mosaics: int
) -> Iterable[str]:
    if mosaics:
        alone = "is a mosaic: a sheet of many slices, whose places it does not say"
        together = "are mosaics: sheets of many slices, whose places they do not say"
        yield agreeing(mosaics, "image", alone, together)
    elif unplaced:
        yield f"{counted(unplaced, 'image')} without a position or an orientation in the patient"
    if len(stacks) > 1:
        count = Counter(stack.orientation for stack in stacks)
        yield "Mixed: " + ", ".join(f"{number} × {words}" for words, number in count.items())
    if len({plane.frame_of_reference for plane in planes}) > 1:
        yield "Several frames of reference: positions of different images do not compare"
    for stack in stacks:
        if stack.gaps:
            missing = sum(gap.missing for gap in stack.gaps)
            lack = agreeing(missing, "image", "seems", "seem")
            yield f"{lack} to be missing from the {stack.orientation} stack"
        if stack.duplicates:
            more = agreeing(len(stack.duplicates), "position", "holds", "hold")
            yield f"{more} more images than the others"
        if stack.per_position > 1:
            yield f"{stack.per_position} images at each position: phases, echoes or repeats"
        if not stack.regular and not stack.gaps and ", " in stack.thickness:
            yield f"Slice thickness and spacing change within the stack: {stack.thickness} mm thick"
        if stack.tilt:
            yield f"The stack is tilted by {stack.tilt:g}° against its images' normal"


def _all_of(values: Iterable[str]) -> str:
    """The values there are, the most frequent first."""
    counted: dict[str, int] = defaultdict(int)
    for value in values:
        counted[value] += 1
    ordered = sorted(counted, key=lambda value: -counted[value])
    return ", ".join(filter(None, ordered[:5])) + (" …" if len(ordered) > 5 else "")


def _towards(vector: Vector) -> str:
    """The directions a vector points in, the nearest first, small ones left out."""
    ordered = sorted(range(3), key=lambda axis: -abs(vector[axis]))
    named = [axis for axis in ordered if abs(vector[axis]) > 0.2]
    return "".join(_AXES[axis][vector[axis] > 0] for axis in named[:2])


def _opposite(direction: str) -> str:
    return direction.translate(_OPPOSITE)


_OPPOSITE = str.maketrans("RLAPFH", "LRPAHF")
