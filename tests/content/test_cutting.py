"""Pixels and millimetres of images that lie any way lead to each other, in both directions."""

from collections.abc import Iterator

import numpy as np
import pytest

from dicom_mcp.content.cutting import Grid, near, pixels, turned
from dicom_mcp.content.facing import facing
from dicom_mcp.content.placing import Extent, Plane, dot


def planes() -> Iterator[Plane]:
    """Planes turned about all three axes, at any place."""
    chance = np.random.default_rng(15)
    for _ in range(20):
        axes, _ = np.linalg.qr(chance.normal(size=(3, 3)))
        row, column = (tuple(map(float, axes[place])) for place in (0, 1))
        position = tuple(map(float, chance.uniform(-200, 200, 3)))
        yield Plane(
            (row[0], row[1], row[2]),
            (column[0], column[1], column[2]),
            (position[0], position[1], position[2]),
        )


SIZE = Extent(rows=30, columns=50, down=0.7, across=1.3)


@pytest.mark.parametrize("plane", [*planes()])
def test_a_pixel_lies_where_its_millimetres_lead_back_to(plane: Plane) -> None:
    x, y, z = plane.at(12 * SIZE.down, 31 * SIZE.across)
    point = np.asarray([x, y, z]) - np.asarray(plane.position)
    assert point @ np.asarray(plane.column) / SIZE.down == pytest.approx(12)
    assert point @ np.asarray(plane.row) / SIZE.across == pytest.approx(31)
    assert dot(plane.normal, (x, y, z)) == pytest.approx(plane.along)
    grid, (rows, columns) = Grid(plane, SIZE), np.nonzero(np.ones((30, 50)))
    _, _, down, across = pixels(grid, grid, rows, columns)
    assert np.allclose(down, rows)
    assert np.allclose(across, columns)
    assert np.allclose(near(grid, plane, 1.0, 1.0), 1.0)


@pytest.mark.parametrize("plane", [*planes()])
def test_a_plane_turned_in_itself_has_the_same_points(plane: Plane) -> None:
    like = Plane(plane.column, plane.row, (0.0, 0.0, 0.0))  # seen from the other side, by 90°
    lies = facing(like, plane)
    assert lies.tilt == pytest.approx(0, abs=1e-4)
    assert lies.mirrored
    grid, own = turned(Grid(plane, SIZE), like), Grid(plane, SIZE)
    assert facing(like, grid.plane).turn == pytest.approx(0, abs=1e-6)
    assert not facing(like, grid.plane).mirrored
    rows, columns = np.nonzero(np.ones((grid.extent.rows, grid.extent.columns)))
    rows, columns, down, across = pixels(grid, own, rows, columns)
    # What stands at (row, column) of one stands at (column, row) of the other, in millimetres.
    assert np.allclose(rows * grid.extent.down, across * SIZE.across)
    assert np.allclose(columns * grid.extent.across, down * SIZE.down)
    assert (rows.max(), columns.max()) == (grid.extent.rows - 1, grid.extent.columns - 1)
