"""A chart in a terminal: lines of text, in letters that the terminal has."""

from collections.abc import Sequence
from datetime import date

from rich.cells import cell_len, set_cell_size

from ..charts.chart import Chart, Point
from ..content.plain import plain_text
from .table import mark

# Cells that a name has at most.
_MOST_NAME = 32


def bars(chart: Chart, width: int) -> list[str]:
    """The chart in so many cells a line; its first lines say what it is, and whether it is all."""
    head = [plain_text(f"{chart.title}: {chart.summary}"), *([chart.doubt] if chart.doubt else [])]
    if chart.kind == "lanes":
        return [*head, *_lanes(chart, width)]
    if chart.kind == "day":
        return [*head, *(_entry(point) for point in chart.points)]
    lines: list[str] = []
    most = max((max(line.values, default=0) for line in chart.lines), default=0)
    for line in chart.lines:
        lines += [line.name] if line.name else []
        lines += _numbers(chart.places, line.values, most, width)
    return [*head, *lines]


def _numbers(places: Sequence[str], values: Sequence[int], most: int, width: int) -> list[str]:
    names = [plain_text(place) for place in places]
    named = min(_MOST_NAME, max(map(cell_len, names), default=0))
    counts = [f"{value:,}" for value in values]
    room = max(1, width - named - max(map(len, counts), default=0) - 3)
    block = mark("█", "#")
    return [
        f"{set_cell_size(name, named)} {block * round(room * value / (most or 1))} {count}"
        for name, value, count in zip(names, values, counts, strict=True)
    ]


def _lanes(chart: Chart, width: int) -> list[str]:
    """A line for each lane, with a mark for each day that has something; more than one there are
    told by their number."""
    days = sorted({point.at for point in chart.points})
    names = list(dict.fromkeys(point.lane for point in chart.points))
    named = max((cell_len(plain_text(name)) for name in names), default=0)
    room = max(10, width - named - 1)
    first, last = (_number(days[0]), _number(days[-1])) if days else (0, 0)
    lines: list[str] = []
    for name in names:
        counts = [0] * room
        for point in chart.points:
            if point.lane == name:
                at = (_number(point.at) - first) * (room - 1) // ((last - first) or 1)
                counts[at] += 1
        marks = "".join(
            mark("·", ".") if not n else mark("●", "o") if n == 1 else str(min(n, 9))
            for n in counts
        )
        lines.append(f"{set_cell_size(plain_text(name), named)} {marks}")
    if days:
        ends = f"{days[0]}{days[-1].rjust(room - len(days[0]))}" if len(days) > 1 else days[0]
        lines.append(" " * (named + 1) + ends)
    return lines


def _entry(point: Point) -> str:
    marks = {"arrived": mark("●", "x"), "waiting": mark("○", "-"), "unknown": "?"}
    return plain_text(f"{point.at} {marks.get(point.state, ' ')} {point.lane}  {point.words}")


def _number(day: str) -> int:
    try:
        return date.fromisoformat(day).toordinal()
    except ValueError:
        return 1
