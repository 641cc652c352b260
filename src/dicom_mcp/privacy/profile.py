"""The attributes that tell who somebody is (PS3.15 table E.1-1), and the private ones known not to
(table E.3.10-1).

Both are read from files beside this one: facts of the standard's edition below, row by row, from
its published source (part15.xml). The actions are those of table E.1-1a.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

EDITION = "PS3.15 2026c"

# The row of table E.1-1 about every private attribute.
PRIVATE = "private"


@dataclass(frozen=True, slots=True)
class Row:
    """What is asked of one attribute: the `basic` profile's action, and those of the options whose
    columns have one, by column ("device": "K")."""

    tag: str
    basic: str
    options: Mapping[str, str]

    def __str__(self) -> str:
        return ", ".join((self.basic, *(f"{key}: {self.options[key]}" for key in self.options)))


@cache
def profile() -> Mapping[str, Row]:
    """Every row by its tag: eight hexadecimal digits, an x where any will do, or PRIVATE."""
    return {
        tag: Row(tag, line.pop("basic"), {name: value for name, value in line.items() if value})
        for line in lines_of("profile.csv")
        for tag in (line.pop("tag"),)
    }


def row_of(tag: int) -> Row | None:
    """The row about a standard attribute; None for one that table E.1-1 does not have."""
    text = f"{tag:08X}"
    group = {"50": "50xxxxxx", "60": f"60xx{text[4:]}"}.get(text[:2], text)
    return profile().get(text) or profile().get(group)


@cache
def safe_private() -> frozenset[tuple[str, str]]:
    """Private attributes whose values are safe: creator, and group and element ("00E121") without
    the digits of the reserved block."""
    return frozenset((line["creator"], line["element"]) for line in lines_of("safe_private.csv"))


def is_safe_private(tag: int, creator: str) -> bool:
    """Whether a private attribute, or the element that reserves its block, is one of those."""
    text = f"{tag:08X}"
    if text[4:6] == "00":  # it names the creator
        return any(name == creator and at[:4] == text[:4] for name, at in safe_private())
    return (creator, text[:4] + text[6:]) in safe_private()


def lines_of(name: str) -> list[dict[str, str]]:
    """The lines of a table that lies beside this file."""
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
