"""Rows as text that fits the terminal: headings broken between words, what is long below its row,
and, where a row has no room at all, one line for each of its values."""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any, cast

from rich.cells import cell_len, chop_cells

# A cell that is shorter is not broken: dates, numbers, codes and most IDs; where there is little
# room, dates.
_KEPT_WHOLE, _KEPT_AT_LEAST = 12, 8

_GAP = 2

type Words = Callable[[object], str]


def lines_of(rows: Sequence[Mapping[str, Any]], words: Words, width: int) -> list[str]:
    """The rows in so many cells; a UID, which is to be copied, stands whole below its row."""
    words = partial(_written, words)
    names = list(dict.fromkeys(name for row in rows for name in row))
    below = [
        name for name in names if is_uid(name) or any(_is_nested(row.get(name)) for row in rows)
    ]
    beside = [name for name in names if name not in below]
    heads = {name: heading(name) for name in beside}
    cells = [{name: words(row.get(name, "")) for name in beside} for row in rows]
    widths = _widths(heads, cells, width, _KEPT_WHOLE)
    widths = widths or _widths(heads, cells, width, _KEPT_AT_LEAST)
    if widths is None:
        return _upright(rows, words, width)
    lines: list[str] = []
    if beside:
        lines = placed([heads[name] for name in beside], widths)
        lines.append(rule(min(width, sum(widths) + _GAP * (len(widths) - 1))))
    for row, texts in zip(rows, cells, strict=True):
        if beside:
            lines += placed(
                [folded(texts[name], room) for name, room in zip(beside, widths, strict=True)],
                widths,
            )
        for name in below:
            if row.get(name):
                lines += _under(name, words(row[name]), width)
    return lines


def _written(words: Words, value: object) -> str:
    """Its words as the terminal writes them, which escapes what it lacks: that takes more room."""
    encoding = sys.stdout.encoding or "utf-8"
    return words(value).encode(encoding, "backslashreplace").decode(encoding)


def rule(cells: int) -> str:
    """A line below headings, of what the terminal has."""
    return mark("─", "-") * cells


def mark(wanted: str, else_: str) -> str:
    """What the terminal has of the two."""
    return wanted if is_in(sys.stdout.encoding or "utf-8", wanted) else else_


@cache
def is_in(encoding: str, letter: str) -> bool:
    """Whether an encoding has that letter."""
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def heading(name: str) -> list[str]:
    """A name's words, one for each line of a heading; of a count, what is counted."""
    if counted := re.fullmatch(r"NumberOf(?:.+)Related(.+)", name):
        return [counted[1]]
    return re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|\d+", name) or [name]


def is_uid(name: str) -> bool:
    """Whether such values are long and read by nobody."""
    return name.rstrip(":").lower().endswith(("uid", "uids"))


def placed(cells: Sequence[Sequence[str]], widths: Sequence[int]) -> list[str]:
    """Cells of lines beside each other."""
    lines: list[str] = []
    for number in range(max(map(len, cells))):
        parts = [cell[number] if number < len(cell) else "" for cell in cells]
        padded = [
            part + " " * (room - cell_len(part)) for part, room in zip(parts, widths, strict=True)
        ]
        lines.append((" " * _GAP).join(padded).rstrip())
    return lines


def folded(text: str, room: int) -> list[str]:
    """The text in lines of so many cells, broken between words where that is possible."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if cell_len(joined) <= room:
            line = joined
            continue
        if line:
            lines.append(line)
        *full, line = chop_cells(word, room) or [""]
        lines += full
    return [*lines, line]


def _under(name: str, told: str, width: int) -> list[str]:
    """What stands below a row: a UID whole, other things in lines."""
    line = f"{name} {told}"
    if is_uid(name):
        return [f"  {line}"]
    parts = folded(line, max(_KEPT_WHOLE, width - 4))
    return [f"{'    ' if at else '  '}{part}" for at, part in enumerate(parts)]


def _is_nested(value: object) -> bool:
    """Whether it has names or rows of its own."""
    if isinstance(value, list):
        return any(_is_nested(part) for part in cast("list[object]", value))
    return isinstance(value, Mapping)


def _widths(
    heads: Mapping[str, Sequence[str]], cells: Sequence[Mapping[str, str]], width: int, kept: int
) -> list[int] | None:
    """What each column gets, so many cells kept whole; None where even their least does not fit."""
    least: list[int] = []
    most: list[int] = []
    for name, head in heads.items():
        longest = max(map(cell_len, head))
        whole = max((cell_len(row[name]) for row in cells), default=0)
        least.append(max(longest, min(whole, kept)))
        most.append(max(longest, whole))
    left = width - _GAP * max(0, len(most) - 1) - sum(least)
    if left < 0:
        return None
    widths = list(least)
    while left:  # one cell at a time to whoever is shortest of those that want more
        wanting = [at for at, room in enumerate(widths) if room < most[at]]
        if not wanting:
            break
        widths[min(wanting, key=lambda at: widths[at])] += 1
        left -= 1
    return widths


def _upright(rows: Sequence[Mapping[str, Any]], words: Words, width: int) -> list[str]:
    lines: list[str] = []
    for number, row in enumerate(rows, start=1):
        lines.append(f"{number}.")
        for name in row:
            if told := words(row[name]):
                lines += _under(f"{name}:", told, width)
    return lines
