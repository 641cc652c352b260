"""Where slices and the pixels of another image meet: a grid, and the share each pixel has of what
lies above and below it."""

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset

from .elements import Elements
from .error import ContentError
from .placing import Extent, Placing, Plane, Vector, cross, dot, extent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type Floats = NDArray[np.float64]

# Pixels of a side of what is turned.
_MOST_SIDE = 1024


@dataclass(frozen=True, slots=True)
class Grid:
    """The pixels of an image: the plane they lie in, and how many there are how far apart."""

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
    left, right = ends(dot(row, corner) for corner in corners)
    top, bottom = ends(dot(column, corner) for corner in corners)
    step = max(min(size.down, size.across), max(right - left, bottom - top) / (_MOST_SIDE - 1))
    along = dot(normal, plane.position)
    x, y, z = (
        left * across + top * down + along * through
        for across, down, through in zip(row, column, normal, strict=True)
    )
    rows, columns = ceil((bottom - top) / step - 1e-6) + 1, ceil((right - left) / step - 1e-6) + 1
    return Grid(Plane(row, column, (x, y, z)), Extent(rows, columns, step, step))


def span(grid: Grid, normal: Vector) -> tuple[float, float]:
    """From where to where the pixels of a grid lie along a normal, in mm."""
    size = grid.extent
    return ends(
        dot(normal, grid.plane.at(down * size.down, across * size.across))
        for down in (0, size.rows - 1)
        for across in (0, size.columns - 1)
    )


def near(grid: Grid, slices: Plane, below: float, above: float) -> "Floats":
    """The share each pixel of a grid has of a slice: all where it lies in it, none so many mm below
    or above it."""
    import numpy as np

    size, plane, normal = grid.extent, grid.plane, slices.normal
    down = np.arange(size.rows) * size.down * dot(normal, plane.column)
    across = np.arange(size.columns) * size.across * dot(normal, plane.row)
    off = dot(normal, plane.position) - slices.along
    distance: Floats = off + down[:, None] + across[None, :]
    reach = np.where(distance > 0, above, below)
    return (1.0 - np.abs(distance) / reach).clip(0.0)


def pixels(grid: Grid, own: Grid, rows: Any, columns: Any) -> "tuple[Any, Any, Floats, Floats]":
    """Which of these pixels of a grid lie on a slice, and where: in its rows and columns from 0."""
    size, plane = grid.extent, grid.plane
    found: list[Floats] = []
    inside: Any = True
    for way, step, count in (
        (own.plane.column, own.extent.down, own.extent.rows),
        (own.plane.row, own.extent.across, own.extent.columns),
    ):
        first = dot(way, plane.position) - dot(way, own.plane.position)
        down, across = size.down * dot(way, plane.column), size.across * dot(way, plane.row)
        where = (first + rows * down + columns * across) / step
        inside &= (where > -0.5) & (where < count - 0.5)
        found.append(where)
    return rows[inside], columns[inside], found[0][inside], found[1][inside]


def between(values: "Floats", down: "Floats", across: "Floats") -> "Floats":
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


def ends(values: Any) -> tuple[float, float]:
    """The least and the largest."""
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
