"""An answer as JSON that every client can read, whatever an archive put into it.

JSON has no half of a character, no bytes and no number that is none (RFC 8259 6, 8.2); clients
read numbers as doubles (2.2 of RFC 7493), and refuse what is nested too deeply. A value of that
kind is told as text, so that it costs neither the answer nor its neighbours. JSON may have line
ends other than \n within a text; clients that take a message for a line cut it there.
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
            return value if value.isascii() else sendable_text(value)
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
            return {sendable_text(str(key)): sendable(held, depth + 1) for key, held in pairs}
        case Sequence() | set() | frozenset():
            return [sendable(one, depth + 1) for one in cast("Sequence[object]", value)]
        case _:
            return sendable_text(str(value))


_NOT_FINITE = {math.inf: "Infinity", -math.inf: "-Infinity"}


# What Python's splitlines, or Node's readline, take for the end of a line and JSON does not escape.
_LINE_ENDS = {ord(one): f"\\u{{{ord(one):X}}}" for one in "\x85\u2028\u2029"}


def sendable_text(text: str) -> str:
    """The text with U+FFFD for each half of a character that has lost its other one, in one line
    but for \\n."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.translate(_LINE_ENDS)
