"""Answers on a terminal. Text from an archive can neither colour nor move it: what cannot be seen
is shown, and nothing is markup."""

import csv
import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, cast

from rich.console import Console
from rich.text import Text

from ..content.plain import plain_text
from ..standard.counted import counted
from .table import is_in, lines_of

# What an answer is about, if it has rows of that name: they need no name above them, and are told
# as these.
_MAIN = {"records": "row", "groups": "row", "rows": "row", "problems": "problem"}

# What of an answer is said below its rows, in words.
_BELOW = frozenset({"complete", "notes", "archive", "sent", "queries", "returned", "common"})


def show(answer: Mapping[str, Any], console: Console | None = None) -> None:
    """An answer as tables, then whether it is whole and what to know."""
    console = console or Console()
    if common := answer.get("common"):
        console.print(Text(f"in all: {words(common)}"))
    for name, value in answer.items():
        if name in _BELOW:
            continue
        if rows := _rows(value):
            _table(console, name, rows)
        elif tables := _tables(value):
            for below, several in tables.items():
                _table(console, below, several)
        elif value not in (None, "", [], {}):
            console.print(Text(f"{name}: {words(value)}"))
    if "complete" in answer:
        name, rows = _main(answer)
        many = counted(len(rows), _MAIN.get(name, "row"))
        said = "complete" if answer["complete"] else "NOT COMPLETE"
        style = "bold green" if answer["complete"] else "bold red"
        asked = words(answer.get("archive", ""))
        console.print(Text.assemble((f"{many}, {said}", style), f"  ({asked})"))
    for note in answer.get("notes", ()):
        console.print(Text(plain_text(str(note), lines=True), style="yellow"))


def rows_as_csv(answer: Mapping[str, Any], columns: Sequence[str] = ()) -> None:
    """The rows of an answer, what they share in each, to stdout; the notes to stderr. These columns
    come first whether or not anything is in them: the same question has the same."""
    _, rows = _main(answer)
    if not rows and not any(value == [] for name, value in answer.items() if name != "notes"):
        rows = [_flat(answer)]  # an answer that is no list
    whole = [{**answer.get("common", {}), **row} for row in rows]
    columns = list(dict.fromkeys((*columns, *(name for row in whole for name in row))))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    if columns:
        writer.writerow(columns)
    writer.writerows([_cell(row.get(name, "")) for name in columns] for row in whole)
    for note in answer.get("notes", ()):
        sys.stderr.write(plain_text(str(note), lines=True) + "\n")


def _cell(value: object) -> str:
    """A value as text that no spreadsheet takes for a formula."""
    text = words(value)
    return f"'{text}" if text.startswith(_FORMULAS) and not _NUMBER.fullmatch(text) else text


# Spreadsheets of East Asia take the wide ones too.
_FORMULAS = tuple("=+-@＝＋－＠")
_NUMBER = re.compile(r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?")


def as_json(facts: object) -> None:
    """The facts to stdout, the same for a program; what cannot be seen, or is not in the encoding
    of stdout, is written as JSON's escapes."""
    text = json.dumps(facts, ensure_ascii=False, indent=2)
    encoding = sys.stdout.encoding or "utf-8"
    shown = (
        character
        if character == "\n" or (character.isprintable() and is_in(encoding, character))
        else json.dumps(character)[1:-1]
        for character in text
    )
    sys.stdout.write("".join(shown) + "\n")


def words(value: object) -> str:
    """A value in one line."""
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, object]", value)
        return ", ".join(f"{name} {words(part)}" for name, part in pairs.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(words, cast("Sequence[object]", value)))
    return plain_text("" if value is None else str(value))


def _table(console: Console, name: str, rows: Sequence[dict[str, Any]]) -> None:
    """The rows; of those with long texts each with its own below it, as reports are read."""
    if name not in _MAIN:
        console.print(Text(name, style="bold"))
    if not any(_is_long(value) for row in rows for value in row.values()):
        _lines(console, rows)
        return
    for row in rows:
        _lines(console, [{key: value for key, value in row.items() if not _is_long(value)}])
        for key, value in row.items():
            if _is_long(value):
                console.print(Text(f"{key}:", style="bold"))
                console.print(Text(plain_text(str(value), lines=True)), soft_wrap=True)
        console.print()


def _lines(console: Console, rows: Sequence[dict[str, Any]]) -> None:
    for line in lines_of(rows, words, console.width):
        console.print(Text(line), soft_wrap=True)  # a UID that is broken cannot be copied


def _rows(value: object) -> list[dict[str, Any]]:
    """The rows, if it is such a list."""
    several = cast("list[Any]", value) if isinstance(value, list) else []
    return several if several and isinstance(several[0], dict) else []


def _tables(value: object) -> dict[str, list[dict[str, Any]]]:
    """The rows of each name, if it is such a table of tables."""
    named = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    tables = {name: _rows(rows) for name, rows in named.items()}
    return tables if all(tables.values()) else {}


def _main(answer: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """The rows that the answer is about, and their name; others where it has none of those."""
    for name in (*_MAIN, *answer):
        if rows := _rows(answer.get(name)):
            return name, rows
    return "", []


def _is_long(value: object) -> bool:
    return isinstance(value, str) and "\n" in value


def _flat(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "notes"}
