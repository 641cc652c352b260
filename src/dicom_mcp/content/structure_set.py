"""RT Structure Sets (PS3.3 A.19, C.8.8.5, C.8.8.6): their regions of interest, and which contours
lie on an image."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset

from .apart import Apart
from .cutting import Grid
from .elements import Elements
from .error import ContentError
from .layers import Colour, Layer, Patch, Target, given
from .placing import cross
from .plain import capped
from .tables import Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type Mask = NDArray[np.bool_]
    type Points = NDArray[np.float64]

# How far in mm a contour may be off the plane that it is meant for, and off its own.
_SAME = 0.1
_FLAT = 0.5

# Contours that lie closer to an image than this are on it, where nothing tells their spacing; and
# no further than this whatever their spacing, or the image that they name.
_NEAR, _FAR = 1.5, 5.0


@dataclass(frozen=True, slots=True)
class Contour:
    """A contour: its kind, its points in the patient, and the images that it names, each with the
    frames it is for (all where it names none)."""

    kind: str
    points: "Points"
    images: tuple[tuple[str, tuple[str, ...]], ...]

    def names(self, uid: str, number: int) -> bool:
        """Whether it says that it is on this frame."""
        return any(
            uid == image and str(number) in (frames or (str(number),))
            for image, frames in self.images
        )

    @property
    def is_closed(self) -> bool:
        return self.kind.startswith("CLOSED")


@dataclass(frozen=True, slots=True)
class Region:
    """A region of interest (ROI)."""

    number: int
    name: str
    kind: str
    made: str
    frame_of_reference: str
    colour: Colour
    contours: tuple[Contour, ...]


class StructureSet:
    """The regions of a structure set."""

    def __init__(self, dataset: Dataset) -> None:
        self._elements = Elements.of(dataset)
        self.regions = _regions(self._elements)
        self._faulty = sum(map(_lacks_points, _contour_items(self._elements)))

    @property
    def title(self) -> str:
        """What it is called."""
        name = self._elements.text("StructureSetLabel") or self._elements.text("StructureSetName")
        return f"structure set {capped(name, 64)}".strip()

    @property
    def notes(self) -> list[str]:
        """What its table lacks."""
        if not self._faulty:
            return []
        return [f"{self._faulty} contours have not the points they say: what is drawn may be wrong"]

    def rows(self, _: Apart) -> list[Row]:
        """The regions as a table."""
        return [
            {
                "number": str(region.number),
                "name": region.name,
                "kind": region.kind,
                "made": region.made,
                "volume": volume(region),
                "contours": str(len(region.contours)),
            }
            for region in self.regions
        ]

    def on(self, target: Target, _: Apart) -> Layer:
        """The contours that lie on a frame."""
        layer = Layer(self.title, notes=self.notes)
        if target.grid is None:
            layer.notes.append("The image does not say where it lies, as contours need it")
            return layer
        elsewhere = angled = 0
        lying = [_lying(region, target.grid) for region in self.regions]
        reach = _reach([[off for off, _ in flat] for flat in lying])
        for region, flat in zip(self.regions, lying, strict=True):
            if region.frame_of_reference not in ("", target.frame_of_reference):
                elsewhere += 1
                continue
            angled += len(flat) < len(region.contours)
            off, here = _on(flat, target, reach)
            if here and (mask := _mask(here, target.grid)).any():
                words = f"{len(here)} contour{'s' * (len(here) != 1)} here"
                if off > _FLAT:
                    words += f", from a plane {off:.1f} mm off the image"
                words = ", ".join(filter(None, (volume(region), words)))
                layer.patches.append(Patch(region.name, region.colour, mask, words))
        if elsewhere:
            why = "have another frame of reference"
            if not target.frame_of_reference:
                why = "name a frame of reference, and the image names none: they are not drawn"
            layer.notes.append(f"{elsewhere} regions {why}")
        if unsaid := sum(not region.frame_of_reference for region in self.regions):
            layer.notes.append(
                f"{unsaid} regions name no frame of reference: they lie here only if it is the "
                "image's"
            )
        if angled:
            layer.notes.append(
                f"{angled} regions have contours in planes angled to this image: where those cut "
                "it is not drawn; view the images they were drawn on"
            )
        if others := len(self.regions) - len(layer.patches) - elsewhere:
            layer.notes.append(
                f"{others} of its {len(self.regions)} regions have nothing on this image in its "
                "plane; read_report lists all, with volumes"
            )
        return layer


def volume(region: Region) -> str:
    """The areas of closed contours times how far their planes lie apart; what lies in another
    contour of its plane is a hole (C.8.8.6.3)."""
    planes: dict[float, list[Points]] = {}
    closed = [
        contour for contour in region.contours if contour.is_closed and len(contour.points) > 2
    ]
    if not closed:
        return ""
    normal = _normal(closed[0].points)
    for contour in closed:
        along = contour.points @ normal
        if along.max() - along.min() > _FLAT:
            return "contours of several orientations"
        planes.setdefault(round(float(along.mean()), 1), []).append(contour.points)
    steps = [after - before for before, after in pairwise(sorted(planes))]
    if not steps:
        return "of one plane only"
    if min(steps) > 2 * _FAR:
        return f"of planes {min(steps):.3g} mm apart, too far for a volume"
    area = sum(_area(several, normal) for several in planes.values())
    return f"{area * min(steps) / 1000:.4g} ml"


def _area(several: "Sequence[Points]", normal: "Points") -> float:
    """Of contours in one plane, those within others taken off."""
    areas = [abs(_signed(points, normal)) for points in several]
    total = 0.0
    for place, points in enumerate(several):
        around = sum(
            _is_within(points[0], other, normal)
            for at, other in enumerate(several)
            if at != place and areas[at] > areas[place]
        )
        total += areas[place] * (-1 if around % 2 else 1)
    return total


def _signed(points: "Points", normal: "Points") -> float:
    import numpy as np

    after = np.roll(points, -1, axis=0)
    return float(np.cross(points - points[0], after - points[0]).sum(axis=0) @ normal) / 2


def _is_within(point: "Points", polygon: "Points", normal: "Points") -> bool:
    """By how often a ray from the point meets it, along the axes most square to the normal."""
    import numpy as np

    across, along = [axis for axis in range(3) if axis != int(np.argmax(np.abs(normal)))]
    x, y = polygon[:, across], polygon[:, along]
    after_x, after_y = np.roll(x, -1), np.roll(y, -1)
    crosses = (y > point[along]) != (after_y > point[along])
    with np.errstate(divide="ignore", invalid="ignore"):
        met = x + (point[along] - y) / (after_y - y) * (after_x - x)
    return bool((crosses & (point[across] < met)).sum() % 2)


def _normal(points: "Points") -> "Points":
    import numpy as np

    after = np.roll(points, -1, axis=0)
    normal = np.cross(points - points[0], after - points[0]).sum(axis=0)
    length = float(np.linalg.norm(normal))
    return normal / length if length else np.asarray([0.0, 0.0, 1.0])


def _lying(region: Region, grid: Grid) -> list[tuple[float, Contour]]:
    """The contours that are parallel to an image, and how many mm off its plane."""
    import numpy as np

    normal = np.asarray(cross(grid.plane.row, grid.plane.column))
    first = float(np.asarray(grid.plane.position) @ normal)
    flat: list[tuple[float, Contour]] = []
    for contour in region.contours:
        off = contour.points @ normal - first
        if off.max() - off.min() <= _FLAT:
            flat.append((float(off.mean()), contour))
    return flat


def _reach(regions: Sequence[Sequence[float]]) -> float:
    """How far from its plane a contour holds: half of the spacing of the one that lies closest, as
    a region may leave out planes."""
    steps = [
        after - before
        for offs in regions
        for before, after in pairwise(sorted({round(off, 1) for off in offs}))
    ]
    steps = [step for step in steps if step > _SAME]
    return min(min(steps) / 2 + _SAME, _FAR) if steps else _NEAR


def _on(
    flat: Sequence[tuple[float, Contour]], target: Target, reach: float
) -> tuple[float, list[Contour]]:
    """The contours of a region on an image: those that say so, else those of the plane nearest to
    it within reach; and how many mm off they are."""
    named = [(off, contour) for off, contour in flat if contour.names(target.uid, target.number)]
    named = [(off, contour) for off, contour in named if abs(off) <= _FAR]
    if not named:
        nearest = min((off for off, _ in flat), key=abs, default=_FAR + reach)
        if abs(nearest) > reach:
            return 0.0, []
        named = [(off, contour) for off, contour in flat if abs(off - nearest) <= _SAME]
    return max(abs(off) for off, _ in named), [contour for _, contour in named]


def _mask(contours: Sequence[Contour], grid: Grid) -> "Mask":
    """The pixels of contours: closed ones filled, what two of them hold left out; lines, points."""
    import numpy as np
    from PIL import Image, ImageDraw

    size, plane = grid.extent, grid.plane
    filled: Mask = np.zeros((size.rows, size.columns), bool)
    lines = Image.new("1", (size.columns, size.rows))
    pen = ImageDraw.Draw(lines)
    for contour in contours:
        off = contour.points - np.asarray(plane.position)
        across = off @ np.asarray(plane.row) / size.across
        down = off @ np.asarray(plane.column) / size.down
        if contour.is_closed and len(across) > 2:
            held = _held(across, down, filled.shape)
            filled ^= held
            if held.any():
                continue
        # Whole numbers, as what draws would cut off what is behind the point.
        corners = [(round(float(x)), round(float(y))) for x, y in zip(across, down, strict=True)]
        if len(corners) > 1:
            pen.line(corners, fill=1)
        else:
            (x, y), *_ = corners
            pen.line([(x - 2, y), (x + 2, y)], fill=1)
            pen.line([(x, y - 2), (x, y + 2)], fill=1)
    return filled | np.asarray(lines)


def _held(across: "Points", down: "Points", size: tuple[int, ...]) -> "Mask":
    """The pixels whose middles a polygon holds, its corners in columns and rows from 0: where its
    edges meet a row, that changes."""
    import numpy as np

    rows, columns = size
    to_across, to_down = np.roll(across, -1), np.roll(down, -1)
    first, last = (
        np.ceil(ends).clip(0, rows).astype(np.intp)
        for ends in (np.minimum(down, to_down), np.maximum(down, to_down))
    )
    counts = last - first
    edge = np.repeat(np.arange(len(across)), counts)
    row = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts - first, counts)
    slope = (to_across - across)[edge] / (to_down - down)[edge]
    met = across[edge] + (row - down[edge]) * slope
    changes = np.zeros((rows, columns + 1), np.intp)
    np.add.at(changes, (row, np.ceil(met).clip(0, columns).astype(np.intp)), 1)
    return np.cumsum(changes, axis=1)[:, :columns] % 2 == 1


def _regions(elements: Elements) -> list[Region]:
    observed = {
        item.integer("ReferencedROINumber"): item
        for item in _items(elements, "RTROIObservationsSequence")
    }
    drawn = {
        item.integer("ReferencedROINumber"): item for item in _items(elements, "ROIContourSequence")
    }
    described = [
        (item.integer("ROINumber"), item) for item in _items(elements, "StructureSetROISequence")
    ]
    nothing = Elements(Dataset())
    left = drawn.keys() - {number for number, _ in described}
    described += [(number, nothing) for number in sorted(left)]
    frames = [item.text("FrameOfReferenceUID") for item in _items(elements, _FRAMES)]
    only = frames[0] if len(frames) == 1 else elements.text("FrameOfReferenceUID")
    regions: list[Region] = []
    for place, (number, item) in enumerate(described):
        seen, contours = observed.get(number), drawn.get(number)
        colour = contours.numbers("ROIDisplayColor") if contours else []
        regions.append(
            Region(
                number,
                capped(item.text("ROIName"), 64) or f"region {number}",
                capped(seen.text("RTROIInterpretedType"), 64) if seen else "",
                capped(item.text("ROIGenerationAlgorithm"), 64),
                item.text("ReferencedFrameOfReferenceUID") or only,
                _colour(colour) or given(place),
                tuple(_contours(contours)) if contours else (),
            )
        )
    return regions


_FRAMES = "ReferencedFrameOfReferenceSequence"


def _contour_items(elements: Elements) -> Iterator[Elements]:
    for region in _items(elements, "ROIContourSequence"):
        yield from _items(region, "ContourSequence")


def _lacks_points(contour: Elements) -> bool:
    """Whether its numbers are not three for each point it says it has (C.8.8.6)."""
    count = len(contour.numbers("ContourData"))
    return count < 3 or count % 3 > 0 or count != 3 * contour.integer("NumberOfContourPoints")


def _contours(region: Elements) -> list[Contour]:
    import numpy as np

    found: list[Contour] = []
    before: set[bytes] = set()
    for item in _items(region, "ContourSequence"):
        numbers = item.numbers("ContourData")
        if len(numbers) < 3:
            continue
        points = np.asarray(numbers[: len(numbers) // 3 * 3]).reshape(-1, 3)
        if points.tobytes() in before:  # written twice, it would take itself off
            continue
        before.add(points.tobytes())
        images = _items(item, "ContourImageSequence")
        found.append(
            Contour(
                item.text("ContourGeometricType").upper(),
                points,
                tuple(
                    (uid, tuple(image.values("ReferencedFrameNumber")))
                    for image in images
                    if (uid := image.text("ReferencedSOPInstanceUID"))
                ),
            )
        )
    return found


def _colour(values: Sequence[float]) -> Colour | None:
    if len(values) != 3:
        return None
    red, green, blue = (min(255, max(0, int(value))) for value in values)
    return red, green, blue


def _items(elements: Elements, keyword: str) -> list[Elements]:
    try:
        return elements.passing(keyword)
    except ContentError:
        return []
