"""Curves over time as a picture: a strip for each, with lines and numbers of its scale."""

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset

from .error import ContentError
from .picture import PNG, Picture, encoded, font, in_font
from .waveform import Channel, channels, pages, scale_of, ticks, told

if TYPE_CHECKING:
    from PIL import ImageDraw

# Room for names and numbers left of the strips, beside the last second, for seconds below.
_LEFT, _RIGHT, _BELOW = 90, 20, 26
_LOWEST, _HIGHEST = 36, 160

_PAPER, _LINES, _INK = (255, 255, 255), (255, 205, 205), (0, 0, 0)

# Beyond these a picture holds no more strips that can be seen.
_MOST_CHANNELS = 64


def plot(
    dataset: Dataset, number: int = 1, *, longest_side: int = 1024, mime: str = PNG
) -> Picture:
    """Page `number` of a waveform. Raises ContentError where there is none of that number."""
    from PIL import Image, ImageDraw

    several = pages(dataset)
    if not 1 <= number <= len(several):
        raise ContentError(f"There is no page {number}: the waveform has {len(several)}")
    page = several[number - 1]
    curves = channels(dataset, page)
    shown = curves[:_MOST_CHANNELS]
    height = min(max((longest_side - _BELOW) // len(shown), _LOWEST), _HIGHEST)
    strips = Image.new("RGB", (longest_side, height * len(shown) + _BELOW), _PAPER)
    pen = ImageDraw.Draw(strips)
    first, last = page.seconds
    width = longest_side - _LEFT - _RIGHT
    for second in ticks(first, last, max(width // 60, 2)):
        x = _LEFT + (second - first) / (last - first) * width
        pen.line([(x, 0), (x, strips.height - _BELOW)], fill=_LINES)
        pen.text((x, strips.height - _BELOW // 2), f"{second:g} s", _INK, font(11), anchor="mm")
    for place, (curve, ends) in enumerate(zip(shown, scale_of(shown), strict=True)):
        _strip(pen, curve, ends, place * height, height, width)
    said = [*told(dataset, number, curves)]
    if len(shown) < len(curves):
        said.append(f"Drawn are {len(shown)} of {len(curves)} channels.")
    return encoded(strips, mime, "\n".join(said))


def _strip(
    pen: "ImageDraw.ImageDraw",
    curve: Channel,
    ends: tuple[float, float],
    top: int,
    height: int,
    width: int,
) -> None:
    """One curve, and what its lines stand for."""
    import numpy as np

    low, high = ends
    scale = (height - 1) / (high - low)
    for value in ticks(low, high, max(height // 24, 2)):
        y = top + (high - value) * scale
        pen.line([(_LEFT, y), (_LEFT + width, y)], fill=_LINES)
        if top + 6 <= y <= top + height - 6:
            pen.text((_LEFT - 4, y), f"{value:g}", (120, 60, 60), font(10), anchor="rm")
    name = in_font(f"{curve.name}\n{curve.unit}")
    pen.text((4, top + height // 2), name, _INK, font(12), anchor="lm")
    parts: Any = np.linspace(0, len(curve.values), min(width, len(curve.values)) + 1).astype(int)
    before: tuple[float, float] | None = None
    for place, (start, stop) in enumerate(pairwise(parts.tolist())):
        part = curve.values[start:stop]
        part = part[np.isfinite(part)]
        if not part.size:
            before = None
            continue
        x = _LEFT + place * width / max(len(parts) - 1, 1)
        heights = [top + (high - float(value)) * scale for value in (part.max(), part.min())]
        if before is not None:
            pen.line([before, (x, top + (high - float(part[0])) * scale)], fill=_INK)
        pen.line([(x, heights[0]), (x, heights[1])], fill=_INK)
        before = x, top + (high - float(part[-1])) * scale
