"""The parts of a multipart/related answer as they arrive (PS3.18 8.6.1.2, RFC 2046 5.1).

A part counts once the boundary after it is there: what breaks off before is no part. Some servers
leave out the last boundary; then the length that a part tells of itself says whether it is whole,
or the answer itself has told its end. Of the answer only the part being read is held, and of that
no more than a limit.
"""

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..budgets import LARGEST_OBJECT
from ..errors import ProtocolViolation

# Parts of one answer: more than any series has objects.
MOST_PARTS = 20_000

# The header fields of a part, and what stands before the first one.
_MOST_FIELDS = 16 * 1024
_MOST_PREAMBLE = 64 * 1024

# What follows a boundary: the end, or the rest of its line. RFC 2046 allows spaces there.
_LINE = re.compile(rb"--|[ \t]{0,70}\r\n")
_PERHAPS_LINE = re.compile(rb"-?|[ \t]{0,70}\r?")

_PARAMETER = re.compile(r';\s*([\w!#$%&*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]*))')


class TooLarge(ProtocolViolation):
    """A part has more bytes than are held."""


class _BrokeOff(ProtocolViolation):
    """There is no boundary after what came."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its header fields, names in lower case, and its content. `is_ended` is False for
    the last one of an answer that has no last boundary, where nothing shows that it is whole."""

    headers: Mapping[str, str]
    content: bytearray
    is_ended: bool = True


def media_type(text: str) -> tuple[str, Mapping[str, str]]:
    """A Content-Type (RFC 9110 8.3.1): the type, and its parameters; all but values in lower
    case."""
    kind = text.partition(";")[0].strip().lower()
    parameters: dict[str, str] = {}
    for found in _PARAMETER.finditer(text[:2000]):
        name, quoted, bare = found.groups()
        parameters[name.lower()] = bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
    return kind, parameters


def parts(
    chunks: Iterable[bytes],
    boundary: str,
    *,
    most_bytes: int = LARGEST_OBJECT,
    most_parts: int = MOST_PARTS,
    tells_its_end: bool = False,
    grown: Callable[[int], None] = lambda _: None,
) -> Generator[Part]:
    """Each part of an answer as soon as it is whole; what follows the last one is not read.
    `grown` is told how many bytes of the next one are held.

    Raises ProtocolViolation for an answer that is none, or breaks off before its last boundary
    where neither the last part nor, with `tells_its_end`, the answer says that this is its end;
    TooLarge for a part of more than `most_bytes`.
    """
    if not 1 <= len(boundary) <= 70 or not boundary.isascii():
        raise ProtocolViolation("its answer has parts without a usable boundary (RFC 2046 5.1.1)")
    body = _Body(iter(chunks), boundary.encode(), grown)
    body.take_to_boundary(_MOST_PREAMBLE)
    for _ in range(most_parts):
        if body.is_over:
            return
        headers = _fields(body.take_fields())
        declared = headers.get("content-length", "")
        size = int(declared) if declared.isdecimal() and len(declared) < 20 else 0
        if size > most_bytes:
            raise _too_large(most_bytes)
        try:
            content = body.take_to_boundary(most_bytes)
        except _BrokeOff:
            yield Part(headers, *body.take_rest(size, tells_its_end=tells_its_end))
            return
        del content[:2]  # the end of the line before it
        if len(content) < size:
            raise ProtocolViolation("a part of its answer is shorter than it says")
        yield Part(headers, content)
    if not body.is_over:
        raise ProtocolViolation(f"its answer has more than {most_parts:,} parts")


def whole(
    chunks: Iterable[bytes],
    *,
    most_bytes: int = LARGEST_OBJECT,
    grown: Callable[[int], None] = lambda _: None,
) -> bytearray:
    """An answer that is not in parts; `grown` as in `parts`. Raises TooLarge."""
    content = bytearray()
    for chunk in chunks:
        content += chunk
        grown(len(content))
        if len(content) > most_bytes:
            raise _too_large(most_bytes)
    return content


class _Body:
    """What arrived and was not taken; it begins with the end of a line."""

    def __init__(
        self, chunks: Iterator[bytes], boundary: bytes, grown: Callable[[int], None]
    ) -> None:
        self.is_over = False
        self._grown = grown
        self._chunks = chunks
        self._delimiter = b"\r\n--" + boundary
        self._held = bytearray(b"\r\n")

    def take_fields(self) -> bytes:
        """The header fields of a part, taken but for the end of the empty line after them."""
        searched = 0
        while (end := self._held.find(b"\r\n\r\n", searched)) < 0:
            searched = max(0, len(self._held) - 3)
            if searched > _MOST_FIELDS:
                raise _no_parts()
            self._read()
        if end > _MOST_FIELDS:
            raise _no_parts()
        found = bytes(self._held[:end])
        del self._held[: end + 2]
        return found

    def take_to_boundary(self, most: int) -> bytearray:
        """What stands before the next boundary, which is taken too but for the end of its line."""
        searched = 0
        held = self._held
        while True:
            at = held.find(self._delimiter, searched)
            end = at + len(self._delimiter)
            if at < 0:
                searched = max(0, len(held) - len(self._delimiter) + 1)
            elif line := _LINE.match(held, end):
                break
            elif _PERHAPS_LINE.fullmatch(held, end):
                searched = at
            else:  # the beginning of a longer line
                searched = at + 1
                continue
            if len(held) - len(self._delimiter) > most + 100:
                raise _too_large(most) if most != _MOST_PREAMBLE else _no_parts()
            self._read()
        self.is_over = line[0] == b"--"
        # What is taken may be large and is not copied.
        self._held = held[line.end() - 2 :]
        del held[at:]
        return held

    def take_rest(self, size: int, *, tells_its_end: bool) -> tuple[bytearray, bool]:
        """The last part of an answer without a last boundary, `size` bytes long if that is not 0,
        and whether it is known to be whole. Raises ProtocolViolation where it is not to be used."""
        content = self._held[2:]
        last = self._delimiter + b"--\r\n"
        if size and len(content) >= size and last.startswith(content[size:]):
            return content[:size], True
        if size or not tells_its_end or not content:
            raise _broke_off()
        # What is left of a boundary shows where the part ended.
        for length in range(min(len(last), len(content)), len(b"\r\n--") - 1, -1):
            if content.endswith(last[:length]):
                return content[:-length], length >= len(self._delimiter)
        return content, False

    def _read(self) -> None:
        chunk = next(self._chunks, None)
        if chunk is None:
            raise _broke_off()
        self._held += chunk
        self._grown(len(self._held))


def _fields(raw: bytes) -> Mapping[str, str]:
    fields: dict[str, str] = {}
    for line in raw.decode("latin-1").split("\r\n"):
        name, colon, value = line.partition(":")
        if line[:1] in (" ", "\t"):  # the line before goes on; nothing that matters here is long
            continue
        if line and not colon:
            raise _no_parts()
        if line:
            fields[name.strip().lower()] = value.strip()
    return fields


def _broke_off() -> ProtocolViolation:
    return _BrokeOff("its answer breaks off before its last boundary (RFC 2046 5.1.1)", "Try again")


def _no_parts() -> ProtocolViolation:
    return ProtocolViolation("its answer is not in the parts that it announced (RFC 2046 5.1.1)")


def _too_large(most: int) -> TooLarge:
    return TooLarge(
        f"it sent an object of more than {most / 1024**2:,.0f} MiB",
        "Objects as large as that are not read here",
    )
