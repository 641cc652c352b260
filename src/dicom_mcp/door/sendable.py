"""An answer as JSON that every client can read, whatever an archive put into it.

JSON has no half of a character, no bytes and no number that is none (RFC 8259 6, 8.2); clients
read numbers as doubles (2.2 of RFC 7493), and refuse what is nested too deeply. A value of that
kind is told as text, so that it costs neither the answer nor its neighbours. JSON may have line
ends other than \n within a text; clients that take a message for a line cut it there.

This is the door: whatever the tool, a character that hides, or moves what is read, is shown as
`\\u{…}`, and no text is longer than what an assistant reads.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic import BaseModel

from ..budgets import LONGEST_TEXT_SENT
from ..content.plain import capped, plain_text

# Integers beyond it are not told apart by what reads them as doubles.
_MOST_EXACT = 2**53 - 1

# Items in items: a client's own limit is a hundred or more.
_DEEPEST = 64

_MOST_BYTES_SHOWN = 32

# As hidden characters are shown, in arguments that were copied from an answer.
_SHOWN = re.compile(r"\\u\{([0-9A-Fa-f]{1,5}|10[0-9A-Fa-f]{4})\}")


def sendable(value: object, depth: int = 0, cut: list[int] | None = None) -> Any:
    """The value as text, number, list or object of JSON; a model as the object of its fields, but
    for what has nothing to say (None or empty, where that is the default). The length of each text
    that was too long is added to `cut`."""
    match value:
        case None | bool():
            return value
        case str():
            shown = _visible(value)
            if cut is not None and len(shown) > LONGEST_TEXT_SENT:
                cut.append(len(shown))
            return capped(shown, LONGEST_TEXT_SENT)
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
            held = {name: getattr(value, name) for name in fields}
            return {
                name: sendable(part, depth + 1, cut)
                for name, part in held.items()
                if part or fields[name].is_required() or part != fields[name].default
            }
        case Mapping():
            pairs = cast("Mapping[object, object]", value).items()
            return {sendable_text(str(key)): sendable(held, depth + 1, cut) for key, held in pairs}
        case Sequence() | set() | frozenset():
            return [sendable(part, depth + 1, cut) for part in cast("Sequence[object]", value)]
        case _:
            return sendable_text(str(value))


_NOT_FINITE = {math.inf: "Infinity", -math.inf: "-Infinity"}


def sendable_text(text: str) -> str:
    """The text with U+FFFD for each half of a character that has lost its other one, with nothing
    hidden in it and no line end but \\n; of a very long one the beginning, with a mark."""
    return capped(_visible(text), LONGEST_TEXT_SENT)


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return plain_text(whole, lines=True)


def as_meant(given: Any) -> Any:
    """Arguments with the characters that an answer showed as `\\u{…}`."""
    if isinstance(given, str):
        return _SHOWN.sub(lambda found: chr(int(found[1], 16)), given)
    if isinstance(given, list):
        return [as_meant(value) for value in cast("list[Any]", given)]
    return given
