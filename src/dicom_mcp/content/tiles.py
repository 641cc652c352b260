"""Frames that are tiles of one picture too large for a frame: whole slides (PS3.3 A.32.8,
C.7.6.17)."""

from .elements import Elements
from .groups import group


def tile_of(elements: Elements, number: int) -> str:
    """Where frame `number` lies in the whole, in words; "" where it is no tile."""
    sizes = [
        elements.integer(keyword)
        for keyword in ("TotalPixelMatrixColumns", "TotalPixelMatrixRows", "Columns", "Rows")
    ]
    if min(sizes) < 1:
        return ""
    width, height, columns, rows = sizes
    across, down = -(-width // columns), -(-height // rows)
    placed = group(elements, number, "PlanePositionSlideSequence")
    left = placed.integer("ColumnPositionInTotalImagePixelMatrix")
    top = placed.integer("RowPositionInTotalImagePixelMatrix")
    more = ""
    if left and top:
        column, row = (left - 1) // columns + 1, (top - 1) // rows + 1
    elif elements.text("DimensionOrganizationType").upper() == "TILED_FULL":
        plane, place = divmod(number - 1, across * down)
        row, column = (at + 1 for at in divmod(place, across))
        left, top = (column - 1) * columns + 1, (row - 1) * rows + 1
        depth, path = _plane(elements, plane)
        more = f", focal plane {depth}, optical path {path}" if plane else ""
    else:
        return ""
    return (
        f"tile {column} of {across} across, {row} of {down} down (from column {left}, row {top} of "
        f"{width} × {height} pixels){more}"
    )


def _plane(elements: Elements, plane: int) -> tuple[int, int]:
    """The focal plane and the optical path of a plane of tiles: depths follow each other first
    (C.7.6.17.3)."""
    path, depth = divmod(plane, max(elements.integer("TotalPixelMatrixFocalPlanes", 1), 1))
    return depth + 1, path + 1
