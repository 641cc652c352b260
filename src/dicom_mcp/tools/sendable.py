"""An answer as JSON that every client can read, whatever an archive put into it.

JSON has no half of a character, no bytes and no number that is none (RFC 8259 6, 8.2); clients
read numbers as doubles (2.2 of RFC 7493), and refuse what is nested too deeply. A value of that
kind is told as text, so that it costs neither the answer nor its neighbours.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic import BaseModel

# Integers beyond it are not told apart by what reads them as doubles.
_MOST_EXACT = 2**53 - 1

# Items in items: a client's own limit is a hundred or more.
_DEEPEST = 64

_MOST_BYTES_SHOWN = 32


def sendable(value: object, depth: int = 0) -> Any:
    """The value as text, number, list or object of JSON; a model as the object of its fields."""
    match value:
        case None | bool():
            return value
        case str():
            return value if value.isascii() else _whole_characters(value)
        case int():
            return int(value) if abs(value) <= _MOST_EXACT else str(value)
        case float():
            return float(value) if math.isfinite(value) else _NOT_FINITE.get(value, "NaN")
        case bytes() | bytearray():
            shown = bytes(value[:_MOST_BYTES_SHOWN]).hex(" ")
            return shown + (f" … ({len(value):,} bytes)" if len(value) > _MOST_BYTES_SHOWN else "")
        case _ if depth > _DEEPEST:
            return "… (nested too deeply to be shown)"
        case BaseModel():
            fields = type(value).model_fields
            return {name: sendable(getattr(value, name), depth + 1) for name in fields}
        case Mapping():
            pairs = cast("Mapping[object, object]", value).items()
            return {_whole_characters(str(key)): sendable(held, depth + 1) for key, held in pairs}
        case Sequence() | set() | frozenset():
            return [sendable(one, depth + 1) for one in cast("Sequence[object]", value)]
        case _:
            return _whole_characters(str(value))


_NOT_FINITE = {math.inf: "Infinity", -math.inf: "-Infinity"}


def _whole_characters(text: str) -> str:
    """The text with U+FFFD for each half of a character that has lost its other one."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
