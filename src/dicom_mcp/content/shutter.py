"""Display shutters: what of an image is not meant to be seen (PS3.3 C.7.6.11, C.7.6.16.2.16)."""

from typing import TYPE_CHECKING

from .elements import Elements
from .groups import placed
from .plain import capped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type Mask = NDArray[np.bool_]
    type Pixels = NDArray[np.uint8]

_EDGES = ("UpperHorizontal", "LowerHorizontal", "LeftVertical", "RightVertical")


def shuttered(
    elements: Elements, number: int, pixels: "Pixels", ratio: float
) -> "tuple[Pixels, list[str]]":
    """The picture in one grey where the shutter of the file hides it, and what is to be said of
    that; `ratio` is a pixel's height to its width."""
    import numpy as np

    where = placed(elements, number, "FrameDisplayShutterSequence", "ShutterShape")
    shapes = sorted({shape.upper() for shape in where.values("ShutterShape")} - {""})
    if not shapes:
        return pixels, []
    size = pixels.shape[0], pixels.shape[1]
    parts = [part for shape in shapes if (part := _part(where, shape, size, ratio))]
    seen: Mask = np.all([np.ones(size, bool), *(mask for _, mask in parts)], axis=0)
    if len(parts) < len(shapes) or not seen.any():
        kinds = capped(", ".join(shapes).lower(), 64)
        return pixels, [
            f"The file has a display shutter ({kinds}), which hides what lies outside: it cannot "
            "be applied, and all of the image is shown"
        ]
    told = "; ".join(words for words, _ in parts)
    grey = min(max(where.integer("ShutterPresentationValue"), 0), 0xFFFF) >> 8
    shown = np.where(seen if pixels.ndim == 2 else seen[..., None], pixels, np.uint8(grey))
    return shown, [
        f"The file's display shutter ({told}) is applied: {1 - seen.mean():.0%} of the image, what "
        f"lies outside of it, is hidden and shown {'black' if grey < _BLACK else 'in one grey'}"
    ]


_BLACK = 8


def _part(
    where: Elements, shape: str, size: tuple[int, int], ratio: float
) -> "tuple[str, Mask] | None":
    """A shape in words, and what it leaves to be seen; None where it does not say enough. Rows and
    columns count from 1."""
    import numpy as np

    rows, columns = np.ogrid[1 : size[0] + 1, 1 : size[1] + 1]
    if shape == "RECTANGULAR":
        edges = [value for edge in _EDGES for value in where.numbers(f"Shutter{edge}Edge")]
        if len(edges) != len(_EDGES):
            return None
        upper, lower, left, right = edges
        told = f"rectangular, rows {upper:g} to {lower:g}, columns {left:g} to {right:g}"
        inside = (rows >= upper) & (rows <= lower) & (columns >= left) & (columns <= right)
        return told, inside
    if shape == "CIRCULAR":
        centre, radius = where.numbers("CenterOfCircularShutter"), where.number(_RADIUS) or 0.0
        if len(centre) != 2 or radius <= 0:
            return None
        row, column = centre
        told = f"circular, centre {row:g}\\{column:g}, radius {radius:g}"
        return told, ((rows - row) * ratio) ** 2 + (columns - column) ** 2 <= radius**2
    corners = where.numbers("VerticesOfThePolygonalShutter") if shape == "POLYGONAL" else []
    if len(corners) < 6 or len(corners) % 2:
        return None
    return f"polygonal, {len(corners) // 2} corners", _polygon(corners, size)


_RADIUS = "RadiusOfCircularShutter"


def _polygon(corners: list[float], size: tuple[int, int]) -> "Mask":
    import numpy as np
    from PIL import Image, ImageDraw

    drawn = Image.new("1", (size[1], size[0]))
    points = zip(corners[1::2], corners[::2], strict=True)
    ImageDraw.Draw(drawn).polygon([(x - 1, y - 1) for x, y in points], fill=1, outline=1)
    return np.asarray(drawn)
