"""Compressed frames: which fragments of an encapsulated value are which frame (PS3.5 A.4).

A wrong table of offsets shows one frame as another, and nothing in the picture tells. So the
fragments are asked first: each frame begins with the first marker of its codec. A table is believed
where there is none, and only if it fits the fragments.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..standard.counted import counted
from .codestream import is_start
from .elements import Bytes, Elements
from .error import ContentError

_ITEM = b"\xfe\xff\x00\xe0"
_END = b"\xff\xd9"  # EOI of JPEG and JPEG-LS, EOC of JPEG 2000

# PS3.5 G.5: the number of segments and where each of up to 15 begins.
_RLE_HEADER = struct.Struct("<16I")

_AGAIN = "Retrieve the image again, or ask the archive for it uncompressed"


@dataclass(frozen=True, slots=True)
class Fragments:
    """The fragments of a value: `places` are where each begins and ends; `offsets` are those of the
    basic offset table, None where it is no table; `whole` says that the last one is."""

    content: Bytes
    places: tuple[tuple[int, int], ...]
    offsets: tuple[int, ...] | None
    whole: bool = True

    def joined(self, first: int, beyond: int) -> Bytes:
        """The bytes of these fragments; of one, where they are."""
        view = memoryview(self.content)
        if beyond == first + 1:
            start, end = self.places[first]
            return view[start:end]
        return b"".join(view[start:end] for start, end in self.places[first:beyond])


@dataclass(frozen=True, slots=True)
class Frames:
    """Compressed frames: of each its first fragment, and what is to be said about finding them."""

    fragments: Fragments
    starts: tuple[int, ...]
    notes: tuple[str, ...]

    def frame(self, number: int) -> tuple[Bytes, str]:
        """The bytes of frame `number`, from 1, and what is wrong with them ("" for nothing)."""
        ends = (*self.starts[1:], len(self.fragments.places))
        content = self.fragments.joined(self.starts[number - 1], ends[number - 1])
        # Neither codec has this marker inside its data (ISO/IEC 10918-1 B.1.1.5, 15444-1 A.1.4).
        is_cut = is_start(content) and not _ends_late(content)
        if number == len(self.starts) and not self.fragments.whole:
            is_cut = True
        return content, _CUT if is_cut else ""


def _ends_late(content: Bytes) -> bool:
    """Whether there is an end in the second half, looked for from behind."""
    end = len(content)
    while (start := max(end - _PIECE, len(content) // 2)) < end:
        if _END in bytes(content[start : end + 1]):
            return True
        end = start
    return False


_PIECE = 64 << 10

_CUT = "The compressed frame has no end: it may have been cut off, and part of the picture with it"


def fragments(content: Bytes) -> Fragments | None:
    """The items of an encapsulated value; None for other bytes. A codestream that is in no item
    is one fragment."""
    if is_start(content):
        return Fragments(content, ((0, len(content)),), ())
    places: list[tuple[int, int]] = []
    place, whole = 0, True
    while place + 8 <= len(content) and bytes(content[place : place + 4]) == _ITEM:
        (length,) = struct.unpack_from("<I", content, place + 4)
        end = place + 8 + length
        whole = end <= len(content)
        places.append((place + 8, min(end, len(content))))
        place = end
    if not places:
        return None
    (start, end), *others = places
    table = bytes(content[start:end])
    offsets = struct.unpack(f"<{len(table) // 4}I", table) if len(table) % 4 == 0 else None
    kept = tuple((start, end) for start, end in others if end > start)
    return Fragments(content, kept, offsets, whole) if kept else None


def frames(elements: Elements, found: Fragments, claimed: int) -> Frames:
    """Which fragments are which frame of an object that says it has `claimed`.

    Raises ContentError where nothing tells.
    """
    places, content = found.places, found.content
    starts = [
        number for number, (start, end) in enumerate(places) if _is_first(content, start, end)
    ]
    tables = _tables(elements, found)
    notes: list[str] = []
    if not starts or starts[0] != 0:
        starts = _without_markers(found, claimed, tables)
    if len(starts) != claimed:
        notes.append(
            f"The pixel data holds {counted(len(starts), 'frame')}, NumberOfFrames says {claimed}: "
            "they are counted as they are there"
        )
    actual = _offsets(found, starts)
    notes += [
        f"The {name} offset table does not fit the fragments and is not used"
        for name, table in tables.items()
        if table != actual
    ]
    return Frames(found, tuple(starts), tuple(notes))


def _is_first(content: Bytes, start: int, end: int) -> bool:
    """Whether a fragment begins as a frame does: with a codestream, or with a header of RLE."""
    head = bytes(content[start : min(end, start + _RLE_HEADER.size)])
    if is_start(head):
        return True
    if len(head) < _RLE_HEADER.size:
        return False
    count, *segments = _RLE_HEADER.unpack(head)
    return (
        1 <= count <= 15
        and segments[0] == _RLE_HEADER.size
        and all(before < after for before, after in pairwise(segments[:count]))
        and not any(segments[count:])
    )


def _tables(elements: Elements, found: Fragments) -> dict[str, tuple[int, ...]]:
    """The tables there are, by what they are called; one that is no table has no offsets."""
    tables: dict[str, tuple[int, ...]] = {}
    if found.offsets is None or found.offsets:
        tables["basic"] = found.offsets or ()
    if extended := elements.bytes("ExtendedOffsetTable"):  # PS3.3 C.7.6.3.1.8
        whole = len(extended) // 8 * 8
        tables["extended"] = struct.unpack(f"<{whole // 8}Q", extended[:whole])
    return tables


def _without_markers(
    found: Fragments, claimed: int, tables: dict[str, tuple[int, ...]]
) -> list[int]:
    """The first fragment of each frame where no marker tells: one each, else as a table says."""
    count = len(found.places)
    if claimed in (1, count):
        return [*range(count)] if claimed == count else [0]
    every = _offsets(found, range(count))
    for table in tables.values():
        if len(table) == claimed and table[0] == 0 and set(table) <= set(every):
            starts = [every.index(offset) for offset in table]
            if all(before < after for before, after in pairwise(starts)):
                return starts
    raise ContentError(
        f"The compressed pixel data has {count} fragments for {claimed} frames, and nothing tells "
        "which belong to which",
        _AGAIN,
    )


def _offsets(found: Fragments, starts: Sequence[int]) -> tuple[int, ...]:
    """Where these fragments begin, as a table would say it: from the first one's item tag on."""
    first = found.places[0][0]
    return tuple(found.places[number][0] - first for number in starts)
