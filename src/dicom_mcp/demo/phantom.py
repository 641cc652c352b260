"""Bodies made of ellipsoids, in millimetres and true Hounsfield units, cut into CT slices.

Coordinates are those of the patient (PS3.3 C.7.6.2.1.1): x grows to the left hand, y to the back,
z to the head. A later ellipsoid is painted over an earlier one. Whole runs of pixels are copied and
the noise of a slice is added as one large number, so that no pixel is touched one by one: a slice
of 128 by 128 takes two milliseconds without numpy.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from math import erf, floor, sqrt
from random import Random

# Stored values are HU + 1024, so that they are never negative (Rescale Intercept -1024).
INTERCEPT = -1024

AIR = -1000

# Noise of a slice in HU: normally distributed around 0, never more than 12 either way.
_WIDEST = 12
_SIGMA = 5.0


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """One organ: centre and half axes in mm (half axis `inf` makes a cylinder), density in HU."""

    x: float
    y: float
    z: float
    a: float
    b: float
    c: float
    density: int

    def cut(self, z: float) -> tuple[float, float] | None:
        """The half axes of the ellipse in the plane at `z`; None where it does not reach."""
        rest = 1 - ((z - self.z) / self.c) ** 2
        return (self.a * sqrt(rest), self.b * sqrt(rest)) if rest > 0 else None


@dataclass(frozen=True, slots=True)
class Grid:
    """Where a slice lies: square, `size` pixels of `spacing` mm around the centre `x`, `y`."""

    size: int
    spacing: float
    x: float = 0.0
    y: float = 0.0

    @property
    def corner(self) -> tuple[float, float]:
        """The centre of the first pixel, in mm: Image Position (Patient) without z."""
        half = (self.size - 1) / 2 * self.spacing
        return self.x - half, self.y - half


def slice_of(body: Iterable[Ellipsoid], z: float, grid: Grid, *, seed: int = 0) -> bytes:
    """The stored values of one slice: unsigned 16 bit, little endian, row by row."""
    size, spacing = grid.size, grid.spacing
    left, top = grid.corner
    image = bytearray(_run(AIR, size * size))
    for organ in body:
        if not (axes := organ.cut(z)):
            continue
        a, b = axes
        run = _run(organ.density, size)
        first = max(0, floor((organ.y - b - top) / spacing) + 1)
        last = min(size - 1, floor((organ.y + b - top) / spacing))
        for row in range(first, last + 1):
            half = a * sqrt(max(0.0, 1 - ((top + row * spacing - organ.y) / b) ** 2))
            start = max(0, floor((organ.x - half - left) / spacing) + 1)
            stop = min(size, floor((organ.x + half - left) / spacing) + 1)
            if start < stop:
                at = 2 * row * size
                image[at + 2 * start : at + 2 * stop] = run[: 2 * (stop - start)]
    return _noisy(bytes(image), seed=seed + round(z * 16))


def _run(density: int, length: int) -> bytes:
    return (density - INTERCEPT).to_bytes(2, "little") * length


def _noisy(image: bytes, *, seed: int) -> bytes:
    """Adds noise of mean 0: one sum of two large numbers; no 16-bit value can overflow."""
    noise = _noise()
    start = 2 * (seed * 7919 % (len(noise) // 4))
    added = noise[start : start + len(image)]
    added += noise[: len(image) - len(added)]
    total = int.from_bytes(image, "little") + int.from_bytes(added, "little")
    return (total - _level(len(image) // 2)).to_bytes(len(image), "little")


@cache
def _noise() -> bytes:
    """A long stretch of values from 0 to 24 around 12, 16 bit each."""
    quantiles = [
        _WIDEST + next(n for n in range(-_WIDEST, _WIDEST + 1) if _share(n) >= (byte + 0.5) / 256)
        for byte in range(256)
    ]
    drawn = Random(20).randbytes(1 << 17).translate(bytes(quantiles))
    return b"".join(value.to_bytes(2, "little") for value in drawn)


def _share(value: int) -> float:
    return 1.0 if value == _WIDEST else (1 + erf((value + 0.5) / (_SIGMA * sqrt(2)))) / 2


@cache
def _level(pixels: int) -> int:
    return int.from_bytes(_WIDEST.to_bytes(2, "little") * pixels, "little")
