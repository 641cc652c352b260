"""A column of the index: what it is called in SQL, its type there, and how it is read from the
values of an attribute, which are texts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..standard.reading import read
from ..standard.values import count_of, decimal_number
from ..words.body_part import body_part
from ..words.manufacturer import manufacturer


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its type in SQL, what it means, the attribute it is read from, and how."""

    name: str
    type: str
    meaning: str
    keyword: str
    reads: Callable[[str, list[str]], Any]


def first(_: str, values: list[str]) -> Any:
    return values[0] if values else None


def every(_: str, values: list[str]) -> Any:
    return values or None


def a_day(keyword: str, values: list[str]) -> Any:
    read_as = read("DA", keyword, values[0]) if values else None
    return f"{read_as[0][:4]}-{read_as[0][4:6]}-{read_as[0][6:]}" if read_as else None


def a_time(keyword: str, values: list[str]) -> Any:
    read_as = read("TM", keyword, values[0]) if values else None
    if not read_as:
        return None
    digits = read_as[0][:6].ljust(6, "0")
    return f"{digits[:2]}:{digits[2:4]}:{digits[4:]}"


def a_count(_: str, values: list[str]) -> Any:
    return count_of(values[0]) if values else None


def a_number(_: str, values: list[str]) -> Any:
    """The first value as a number."""
    return decimal_number(values[0]) if values else None


def numbers(_: str, values: list[str]) -> Any:
    """All values as numbers; nothing where one is none."""
    several = [decimal_number(value) for value in values]
    return several if several and None not in several else None


def a_part(number: int) -> Callable[[str, list[str]], Any]:
    """One component of a name's first group (PS3.5 6.2.1): family, given, middle."""

    def reads(_: str, values: list[str]) -> Any:
        components = values[0].split("=")[0].split("^") if values else []
        return (components[number].strip() if number < len(components) else "") or None

    return reads


def a_maker(_: str, values: list[str]) -> Any:
    return manufacturer(values[0]) if values else None


def a_body(_: str, values: list[str]) -> Any:
    return body_part(*values) or None


def text(name: str, meaning: str, keyword: str) -> Column:
    return Column(name, "VARCHAR", meaning, keyword, first)
