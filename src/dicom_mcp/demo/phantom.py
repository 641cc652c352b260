"""A chest phantom for CT in true Hounsfield units, with a nodule of any size (pure Python).

A slice is drawn as ellipses, row by row: what lies between two x of a row has one value.
Coordinates are millimetres, x to the patient's left, y to the back, z to the head (PS3.3
C.7.6.2.1.1).
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor, sqrt
from operator import add
from random import Random

ROWS = COLUMNS = 128
PIXEL_MM = 2.8
SLICE_MM = 8.0
SLICES = 24

# Hounsfield units (CT numbers) of what the phantom is made of.
AIR, LUNG, FAT, SOFT_TISSUE, BLOOD, BONE, NODULE = -1000, -850, -100, 40, 45, 500, 30

# Stored values are HU + 1024, so that they are never negative (Rescale Intercept -1024).
INTERCEPT = -1024

_NOISE_HU = 12


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An elliptic disc: centre and half axes in mm, and what fills it in HU."""

    x: float
    y: float
    a: float
    b: float
    hu: int


@dataclass(frozen=True, slots=True)
class Nodule:
    """A round nodule: diameter and centre in mm."""

    diameter: float
    x: float = -78.0
    y: float = -12.0
    z: float = 128.0


def slices(nodule: Nodule | None, *, seed: int, count: int = SLICES) -> Iterator[bytes]:
    """The pixel data of `count` slices from the bottom of the lungs up, 16 bit Little Endian."""
    random = Random(seed)
    noise = [
        array("h", (round(random.gauss(0, _NOISE_HU)) for _ in range(COLUMNS))) for _ in range(64)
    ]
    for number in range(count):
        z = number * SLICE_MM
        yield _draw(_anatomy(z / (SLICES * SLICE_MM), z, nodule), noise, random)


def _anatomy(height: float, z: float, nodule: Nodule | None) -> list[Ellipse]:
    """What a slice shows at this height (0 diaphragm, 1 apex), painted in this order."""
    lung = max(0.05, sqrt(max(0.0, 1 - (height - 0.35) ** 2 / 0.46)))
    shapes = [
        Ellipse(0, 0, 165, 108, FAT),
        Ellipse(0, 0, 155, 98, SOFT_TISSUE),
        *(Ellipse(side * 132, 8, 7, 16, BONE) for side in (-1, 1)),
        *(Ellipse(side * 105, -62, 13, 5, BONE) for side in (-1, 1)),
        *(Ellipse(side * 95, 70, 14, 6, BONE) for side in (-1, 1)),
        Ellipse(-74, 0, 52 * lung, 80 * lung, LUNG),
        Ellipse(74, 0, 52 * lung, 80 * lung, LUNG),
        Ellipse(0, 78, 20, 17, BONE),
        Ellipse(0, 76, 9, 8, SOFT_TISSUE),
        Ellipse(0, -88, 16, 5, BONE),
        Ellipse(0, 8, 26, 56, SOFT_TISSUE),
    ]
    if height < 0.55:
        shapes.append(Ellipse(26, -18, 54 * (1 - height), 44 * (1 - height), BLOOD))
    else:
        shapes.append(Ellipse(0, 28, 8, 9, AIR))
    shapes.append(Ellipse(20, 50, 12, 12, BLOOD))
    for number in range(9):
        side = -1 if number % 2 else 1
        shapes.append(
            Ellipse(side * (40 + 9 * (number % 5)), -46 + 11 * number + 6 * height, 3, 3, BLOOD)
        )
    if nodule and abs(z - nodule.z) < nodule.diameter / 2:
        radius = sqrt((nodule.diameter / 2) ** 2 - (z - nodule.z) ** 2)
        shapes.append(Ellipse(nodule.x, nodule.y, radius, radius, NODULE))
    return shapes


def _draw(shapes: list[Ellipse], noise: list[array[int]], random: Random) -> bytes:
    pixels = array("H")
    centre = (COLUMNS - 1) / 2
    for row in range(ROWS):
        y = (row - (ROWS - 1) / 2) * PIXEL_MM
        line = array("h", [AIR - INTERCEPT]) * COLUMNS
        for shape in shapes:
            inside = 1 - ((y - shape.y) / shape.b) ** 2
            if inside <= 0:
                continue
            half = shape.a * sqrt(inside)
            first = max(0, ceil(centre + (shape.x - half) / PIXEL_MM))
            last = min(COLUMNS, floor(centre + (shape.x + half) / PIXEL_MM) + 1)
            if last > first:
                line[first:last] = array("h", [shape.hu - INTERCEPT]) * (last - first)
        noisy = map(add, line, noise[random.randrange(len(noise))])
        pixels.extend(value if value > 0 else 0 for value in noisy)
    return pixels.tobytes()
