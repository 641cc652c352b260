"""A chart as a picture, for clients that show pictures and no pages."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

from ..content.picture import PNG, encoded, font, in_font
from .chart import Chart

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

_WIDTH, _MARGIN, _ROW = 960, 24, 26
_PAPER, _INK, _QUIET, _GRID = "#ffffff", "#1a1a1a", "#5c5c5c", "#d9d9d9"
_WARN, _WARNED = "#a31515", "#fdecea"

# Told apart by people who see no red or no green too (Okabe and Ito).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555")

STATES: Mapping[str, str] = {
    "arrived": "#009e73",
    "waiting": "#d55e00",
    "unknown": "#888888",
    "current": "#d55e00",
}


def draw(chart: Chart) -> bytes:
    """The chart as PNG, 960 wide; its height is what it needs."""
    head = 84 + 34 * bool(chart.doubt)
    body, height = _BODIES[chart.kind](chart)
    paper, pen = _paper(head + height + _MARGIN)
    pen.text((_MARGIN, 20), in_font(chart.title), _INK, font(24))
    pen.text((_MARGIN, 54), in_font(chart.summary), _QUIET, font(15))
    if chart.doubt:
        pen.rectangle((_MARGIN, 80, _WIDTH - _MARGIN, 108), _WARNED, _WARN)
        pen.text((_MARGIN + 10, 94), in_font(chart.doubt), _WARN, font(14), anchor="lm")
    body(pen, head)
    return encoded(paper, PNG, chart.title).content


type _Body = tuple[Callable[["ImageDraw.ImageDraw", int], None], int]


def _bars(chart: Chart) -> _Body:
    """A bar for each place with its number; hatched at its end where that may not be all."""
    (line,) = chart.lines
    most = max(line.values, default=0) or 1
    left = _MARGIN + min(360, max((_wide(place, 14) for place in chart.places), default=0)) + 12

    def body(pen: "ImageDraw.ImageDraw", top: int) -> None:
        for number, (place, value) in enumerate(zip(chart.places, line.values, strict=True)):
            y = top + number * _ROW
            pen.text(
                (left - 12, y + 12), _cut(place, left - 12 - _MARGIN), _INK, font(14), anchor="rm"
            )
            end = left + round((_WIDTH - _MARGIN - 90 - left) * value / most)
            pen.rectangle((left, y + 3, max(left + 1, end), y + _ROW - 5), COLOURS[0])
            if chart.doubt:
                for x in range(max(left, end - 24), end, 6):
                    pen.line((x, y + _ROW - 5, x + 6, y + 3), _PAPER, 2)
            pen.text((end + 8, y + 12), f"{value:,}", _INK, font(14), anchor="lm")

    return body, len(chart.places) * _ROW


def _lines(chart: Chart) -> _Body:
    """A line for each kind over the places, which stand below; dashed where it may not be all."""
    most = max((max(line.values) for line in chart.lines), default=0) or 1
    left, right, high = _MARGIN + 60, _WIDTH - _MARGIN - 40, 320
    step = (right - left) / max(1, len(chart.places) - 1)

    def body(pen: "ImageDraw.ImageDraw", top: int) -> None:
        for mark in _ticks(most):
            y = top + high - round(high * mark / most)
            pen.line((left, y, right, y), _GRID)
            pen.text((left - 8, y), f"{mark:,}", _QUIET, font(13), anchor="rm")
        every = -(-len(chart.places) // 8)
        for number in range(0, len(chart.places), every):
            x = left + round(number * step)
            pen.line((x, top + high, x, top + high + 5), _QUIET)
            pen.text((x, top + high + 16), chart.places[number], _QUIET, font(13), anchor="mm")
        for line, colour in zip(chart.lines, COLOURS, strict=False):
            dots = [
                (left + round(at * step), top + high - round(high * value / most))
                for at, value in enumerate(line.values)
            ]
            for number, (dot, following) in enumerate(pairwise(dots)):
                if not chart.doubt or number % 2 == 0:
                    pen.line((*dot, *following), colour, 3)
            for x, y in dots if len(dots) <= 60 else ():
                pen.ellipse((x - 4, y - 4, x + 4, y + 4), colour)
        _legend(pen, chart, top + high + 36)

    return body, high + 44 + _ROW * -(-len(chart.lines) // 4)


def _legend(pen: "ImageDraw.ImageDraw", chart: Chart, top: int) -> None:
    """Which line is which, with its sum."""
    for number, (line, colour) in enumerate(zip(chart.lines, COLOURS, strict=False)):
        x, y = _MARGIN + 230 * (number % 4), top + _ROW * (number // 4)
        pen.rectangle((x, y + 5, x + 14, y + 17), colour)
        words = f"{line.name or 'in all'}: {sum(line.values):,}"
        pen.text((x + 20, y + 11), _cut(words, 200), _INK, font(14), anchor="lm")


def _lanes(chart: Chart) -> _Body:
    """A lane for each modality, a point for each study at its day; the newest ones in words."""
    lanes = list(dict.fromkeys(point.lane for point in chart.points))
    days = [_day(point.at) for point in chart.points]
    first, last = min(days, default=0), max(days, default=0)
    left, right = _MARGIN + 110, _WIDTH - _MARGIN - 40
    high = 40
    newest = sorted(chart.points, key=lambda point: point.at, reverse=True)[:12]

    def across(day: int) -> int:
        return left + round((right - left) * (day - first) / (last - first or 1))

    def body(pen: "ImageDraw.ImageDraw", top: int) -> None:
        for number, lane in enumerate(lanes):
            y = top + high * number + high // 2
            pen.line((left, y, right, y), _GRID, 2)
            pen.text((left - 14, y), _cut(lane, 100), _INK, font(15), anchor="rm")
        for point, day in zip(chart.points, days, strict=True):
            x, y = across(day), top + high * lanes.index(point.lane) + high // 2
            colour = STATES.get(point.state, COLOURS[0])
            pen.ellipse((x - 7, y - 7, x + 7, y + 7), None if chart.doubt else colour, colour, 3)
        below = top + high * len(lanes)
        for at in (first, (first + last) // 2, last) if last > first else (first,):
            day = date.fromordinal(at).isoformat()
            pen.text((across(at), below + 10), day, _QUIET, font(13), anchor="mm")
        for number, point in enumerate(newest):
            y = below + 34 + number * 22
            words = f"{point.at}  {point.lane}  {point.words}"
            pen.text((_MARGIN, y), _cut(words, _WIDTH - 2 * _MARGIN), _INK, font(14))

    return body, high * len(lanes) + 34 + 22 * len(newest)


def _schedule(chart: Chart) -> _Body:
    """A row for each entry: time, scanner, patient, and whether they have arrived."""
    wide = max((_wide(point.at, 14) for point in chart.points), default=0)

    def body(pen: "ImageDraw.ImageDraw", top: int) -> None:
        for number, point in enumerate(chart.points):
            y = top + number * _ROW + 12
            if number % 2 == 0:
                pen.rectangle((_MARGIN, y - 12, _WIDTH - _MARGIN, y + 13), "#f5f5f5")
            pen.text((_MARGIN + 6, y), point.at, _INK, font(14), anchor="lm")
            pen.text((_MARGIN + wide + 26, y), _cut(point.lane, 110), _QUIET, font(14), anchor="lm")
            pen.text((_MARGIN + wide + 150, y), _cut(point.words, 520), _INK, font(14), anchor="lm")
            if point.state:
                x, colour = _WIDTH - _MARGIN - 110, STATES[point.state]
                filled = colour if point.state == "arrived" else None
                pen.ellipse((x, y - 6, x + 12, y + 6), filled, colour, 2)
                pen.text((x + 20, y), point.state, colour, font(14), anchor="lm")

    return body, len(chart.points) * _ROW


_BODIES: Mapping[str, Callable[[Chart], _Body]] = {
    "bars": _bars,
    "lines": _lines,
    "lanes": _lanes,
    "day": _schedule,
}


def _ticks(most: int) -> Sequence[int]:
    """Round numbers from nothing to the most, about five."""
    step = max(1, round(most / 5))
    size = 10 ** (len(str(step)) - 1)
    step = -(-step // size) * size
    return range(0, most + 1, step)


def _day(text: str) -> int:
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        return 1


def _wide(words: str, size: int) -> int:
    return round(font(size).getlength(in_font(words)))


def _cut(words: str, room: int) -> str:
    """As much of the words as there is room for."""
    shown = in_font(words)
    while _wide(shown, 14) > room and len(shown) > 1:
        shown = shown[:-2] + "…"
    return shown


def _paper(height: int) -> "tuple[Image.Image, ImageDraw.ImageDraw]":
    from PIL import Image, ImageDraw

    paper = Image.new("RGB", (_WIDTH, height), _PAPER)
    return paper, ImageDraw.Draw(paper)
