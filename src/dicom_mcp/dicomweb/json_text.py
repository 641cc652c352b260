"""JSON as it arrives: the objects of an array one by one, of which only the next is held."""

import codecs
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from ..budgets import LARGEST_ANSWER_IN_JSON
from ..errors import ProtocolViolation
from ..standard.unfolding import MOST_ELEMENTS, MOST_ITEMS

# Characters of a record from which on it is counted what is in it, and what is between its values.
_LARGE = 1 << 20
_MOST_COMMAS = 3 * MOST_ELEMENTS

# Digits and sign of the widest whole number (UV and SV, PS3.5 6.2).
_MOST_DIGITS = 20

# Marks an object that gives a name two values; no name of an attribute or of its part has a space.
TWICE = "given twice"

# What may stand between the data sets of an array.
_SPACE = re.compile(r"[ \t\r\n]+")

# What an incomplete data set must grow by before it is looked at again, so that one which comes
# in small pieces is not read from its beginning each time.
_GROWTH = 1.25


def _not_finite(text: str) -> str:
    return str(float(text))


def _integer(text: str) -> int | str:
    """A number of more digits than any attribute has is the text it was written as: Python makes no
    number of thousands of them."""
    return int(text) if len(text) <= _MOST_DIGITS else text


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; one that gives a name two values (RFC 8259 4) has the first, and is marked."""
    found = dict(pairs)
    if len(found) != len(pairs):
        firsts = dict(reversed(pairs))
        if firsts != found:
            return {**firsts, TWICE: True}
    return found


# Numbers with a fraction keep the digits they were written with: a DS is text in a match.
_DECODER = json.JSONDecoder(
    parse_float=str,
    parse_int=_integer,
    parse_constant=_not_finite,
    strict=False,
    object_pairs_hook=_object,
)


class Text:
    """The characters of an answer as they arrive, of which only the next data set is held."""

    def __init__(self, chunks: Iterable[bytes], most: int, grown: Callable[[int], None]) -> None:
        self._most = most
        self._grown = grown
        self._chunks = iter(chunks)
        # What is not UTF-8 shows later, value by value.
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
        self._buffer = ""
        self._at = 0
        self._left = LARGEST_ANSWER_IN_JSON
        self._over = False
        self._bom = True

    def next(self) -> str:
        """The next character that is no space; "" at the end. It is taken unless it opens an
        object."""
        while True:
            if space := _SPACE.match(self._buffer, self._at):
                self._at = space.end()
            if self._at < len(self._buffer):
                found = self._buffer[self._at]
                self._at += found != "{"
                return found
            if not self._more():
                return ""

    def object(self) -> tuple[dict[str, Any], int]:
        """The object that begins here, and how many characters it took."""
        worth_trying = 0.0
        while True:
            length = len(self._buffer) - self._at
            if length >= worth_trying or self._over:
                self._bound()
                try:
                    found, end = _DECODER.raw_decode(self._buffer, self._at)
                except json.JSONDecodeError as error:
                    if self._over:
                        raise ProtocolViolation(
                            "its answer breaks off, or is not JSON (PS3.18 F)"
                        ) from error
                except (ValueError, RecursionError) as error:
                    raise ProtocolViolation("its answer is no usable JSON (PS3.18 F)") from error
                else:
                    size, self._at = end - self._at, end
                    return found, size
                worth_trying = length * _GROWTH
            if length > self._most:
                raise ProtocolViolation(
                    f"one record of its answer has more than {self._most // 1024**2} MiB, or is "
                    "not JSON (PS3.18 F)"
                )
            self._more()

    def _bound(self) -> None:
        """Raise ProtocolViolation for what would unfold to more than any data set has: a list takes
        two characters, and a hundred bytes of memory. Those in texts are counted too."""
        if len(self._buffer) - self._at < _LARGE:
            return
        parts = self._buffer.count("{", self._at) + self._buffer.count("[", self._at)
        if parts > MOST_ITEMS + MOST_ELEMENTS or self._buffer.count(",", self._at) > _MOST_COMMAS:
            raise ProtocolViolation(
                "one record of its answer unfolds to more elements than any data set has"
            )

    def skip_value(self) -> None:
        """Go on after a value that is no object, whose first character was taken."""
        self._at -= 1
        self.object()

    def _more(self) -> bool:
        """Read on; whether there was anything."""
        if self._over:
            return False
        chunk = next(self._chunks, None)
        self._over = chunk is None
        self._left -= len(chunk or b"")
        if self._left < 0:
            raise ProtocolViolation(
                f"its answer has more than {LARGEST_ANSWER_IN_JSON // 1024**2} MiB",
                "Narrow the question by a date, a patient or a modality",
            )
        read = self._decoder.decode(chunk or b"", final=self._over)
        if self._bom and read:
            self._bom, read = False, read.removeprefix("\ufeff")
        self._buffer, self._at = self._buffer[self._at :] + read, 0
        self._grown(len(self._buffer))
        return True
