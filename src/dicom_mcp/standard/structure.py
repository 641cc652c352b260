"""The bytes of a data set, walked by their lengths from the first to the last (PS3.5 7).

Theory. A data set says nowhere how long it is: one that was cut reads like a shorter one. So every
value must have its length, every sequence and item its end, and nothing may be left over. The walk
takes the same turns as pydicom, which reads the bytes afterwards and forgives: items in Implicit
VR within Explicit VR, VRs that nobody knows, sequences in UN. Values are skipped, not looked at.

What ends too soon is closed where it was whole last, so that it can be read that far, and so is
what unfolds beyond all bounds (unfolding.py). A sequence of stated length that is wrong within
costs only itself: what follows it stands where it should.

Where there are many items, sequences of undefined length are given the one they have: pydicom
would parse them at once, with all that lies in them, and reads others when they are asked for.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from .encoding import LONG, SHORT, UNDEFINED, VRS, dictionary_vr, is_sequence, named
from .syntaxes import EXPLICIT_VR_BIG_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from .unfolding import DEEPEST, Count, Unfolded

# PS3.5 7.5, A.4: what stands in sequences and between fragments.
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

# PS3.3 C.7.6.3, C.7.6.24: pixels as floats, as doubles and as integers. Other elements of their
# group come before them: its length, tables of offsets.
PIXEL_DATA = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})

# Content Sequence, and what only its items have: Relationship Type; how far that is looked for.
_CONTENT, _RELATIONSHIP = 0x0040A730, 0x0040A010
_MOST_LOOKED_AT = 1 << 20

# Items that are parsed at once without much ado.
_FEW = 1_000

# Faults that are named one by one.
_MOST_FAULTS = 5


@dataclass(frozen=True, slots=True)
class Structure:
    """What a walk found: `faults` say where the data set is not what its lengths say, `missing`
    whether it ends too soon, `beyond` which bound it was read to. `sound` is as much of it as can
    be read, closed, its sequences with lengths; None for all of it as it is. `values` are those at
    the top whose tags were wanted, `repeated` tags that stand twice in one item, or at the top with
    other values, `mended` those whose VR was wrong and is another one in `sound`, `astray` those
    that hold content items (PS3.3 C.17.3) and are no Content Sequence."""

    faults: tuple[str, ...]
    missing: bool
    sound: bytearray | None
    values: dict[int, bytes]
    tags: frozenset[int]
    repeated: tuple[int, ...]
    mended: tuple[int, ...] = ()
    beyond: str = ""
    astray: tuple[int, ...] = ()


def walk(
    content: "bytes | bytearray | memoryview[int]",
    transfer_syntax: str,
    wanted: frozenset[int] = frozenset(),
    *,
    until: int = UNDEFINED,
) -> Structure:
    """Walk a data set that is not deflated, at the top no further than to the tag `until`."""
    walking = _Walk(
        memoryview(content),
        transfer_syntax == IMPLICIT_VR_LITTLE_ENDIAN,
        "<" if transfer_syntax != EXPLICIT_VR_BIG_ENDIAN else ">",
        until,
    )
    walking.run()
    values = {
        tag: bytes(walking.view[slice(*walking.top[tag])]) for tag in wanted if tag in walking.top
    }
    return Structure(
        tuple(walking.faults),
        walking.missing,
        walking.sound_bytes(),
        values,
        frozenset(walking.top),
        tuple(walking.repeated),
        tuple(tag for tag, _ in walking.mended.values()),
        walking.beyond,
        tuple(walking.astray),
    )


def is_implicit(content: "bytes | bytearray | memoryview[int]", assumed: bool) -> bool:
    """Whether a data set has no VRs, as pydicom finds out: no letters stand where the first one
    would be."""
    vr = content[4:6]
    return assumed if len(vr) < 2 else not (0x40 < vr[0] < 0x5B and 0x40 < vr[1] < 0x5B)


@dataclass(slots=True)
class _Open:
    """A sequence (`items`) or a data set that is being walked: where its value begins, its stated
    end (None for an undefined length), how far it can go, how its elements are encoded, how many
    are in it. One that `is_lazy` may be given its length."""

    tag: int
    start: int
    end: int | None
    bound: int
    items: bool
    implicit: bool
    tags: set[int] = field(default_factory=set[int])
    last: int = -1  # where its last element begins, and that one's tag
    last_tag: int = -1
    count: int = 0
    is_lazy: bool = False


type _Unpack = Callable[[memoryview[int], int], tuple[int, int, int]]


class _Broken(Exception):
    """The bytes are not what they should be here."""


@dataclass(slots=True)
class _Walk:
    view: "memoryview[int]"
    implicit: bool
    order: str
    until: int
    at: int = 0
    sound: int = 0
    missing: bool = False
    padded: int | None = None
    faults: list[str] = field(default_factory=list[str])
    top: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])
    repeated: list[int] = field(default_factory=list[int])
    closing: list[_Open] = field(default_factory=list[_Open])
    mended: dict[int, tuple[int, bytes]] = field(default_factory=dict[int, tuple[int, bytes]])
    unfolded: Count = field(default_factory=Count)
    beyond: str = ""
    astray: dict[int, None] = field(default_factory=dict[int, None])
    lengths: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])

    def run(self) -> None:
        size = len(self.view)
        stack = [_Open(0, 0, size, size, False, is_implicit(self.view, self.implicit))]
        tag_and_length = struct.Struct(self.order + "HHI").unpack_from
        while stack:
            here = stack[-1]
            try:
                if self.at == here.end:
                    stack.pop()
                elif here.items:
                    self._item(stack, here, tag_and_length)
                else:
                    self._element(stack, here, tag_and_length)
                if self.at > self.sound:
                    self.sound = self.at
            except _Broken as trouble:
                if not self._mend_within(stack):
                    self._broken(stack, str(trouble))
            except Unfolded as bound:
                self.beyond = str(bound)
                self._close(stack)

    def sound_bytes(self) -> bytearray | None:
        """What was whole, with an end for whatever was left open and another VR where one was
        wrong."""
        is_short = self.missing or bool(self.beyond)
        lengths = self.lengths if self.unfolded.items > _FEW else []
        if not (is_short or lengths or self.mended) and self.padded is None:
            return None
        out = bytearray(self.view[: self.sound if is_short else self.padded])
        for at, (_, vr) in self.mended.items():
            out[at + 4 : at + 6] = vr
        for place, length in lengths:
            struct.pack_into(self.order + "I", out, place, length)
        if not is_short:
            return out
        for part in reversed(self.closing[1:]):
            if part.end is None:
                tag = _SEQUENCE_END if part.items else _ITEM_END
                out += struct.pack(self.order + "HHI", tag >> 16, tag & 0xFFFF, 0)
            elif part.start <= len(out):
                struct.pack_into(self.order + "I", out, part.start - 4, len(out) - part.start)
        return out

    def _broken(self, stack: list[_Open], trouble: str) -> None:
        """Go on behind the innermost part whose stated end can be believed; else it ends here."""
        if len(self.faults) < _MOST_FAULTS:
            place = ".".join(named(part.tag) for part in stack[1:] if part.items)
            self.faults.append(f"{trouble} in {place}" if place else trouble)
        for depth in range(len(stack) - 1, 0, -1):
            if (end := stack[depth].end) is not None and end == stack[depth].bound:
                self.at = end
                del stack[depth:]
                return
        self.missing = True
        self._close(stack)

    def _close(self, stack: list[_Open]) -> None:
        """End here; nothing that begins after what is sound is kept open."""
        self.closing = [part for part in stack if part.start <= self.sound]
        stack.clear()

    def _item(self, stack: list[_Open], here: _Open, tag_and_length: _Unpack) -> None:
        self._need(here, 8)
        group, number, length = tag_and_length(self.view, self.at)
        tag, start = group << 16 | number, self.at + 8
        if tag == _ITEM:
            if len(stack) > DEEPEST * 2:
                raise _Broken("sequences are nested deeper than can be read")
            end = None if length == UNDEFINED else start + length
            here.count += 1
            self.unfolded.item(here.count)
            implicit = here.implicit or is_implicit(self.view[start : start + 6], False)
            bound = here.bound if end is None else min(end, here.bound)
            stack.append(_Open(here.tag, start, end, bound, False, implicit))
            self.at = start
            if end is not None and end > here.bound < len(self.view):
                raise _Broken("an item is longer than what it lies in")
        elif tag == _SEQUENCE_END and here.end is None:
            stack.pop()
            self.at = start
            if here.is_lazy:
                self.lengths.append((here.start - 4, start - here.start))
        elif tag == _SEQUENCE_END and start == here.end:
            self.at = start
        else:
            raise _Broken("something else stands where an item should begin")

    def _element(self, stack: list[_Open], here: _Open, tag_and_length: _Unpack) -> None:
        at, view, is_top = self.at, self.view, len(stack) == 1
        # Padded with zeros, as some do; in big endian a cut may leave some of a tag.
        least = 4 if self.order == ">" else 1
        if is_top and view[at] == 0 and len(view) - at >= least and not any(view[at:]):
            self.padded, self.at = at, len(view)
            return
        self._need(here, 8)
        group, number, length = tag_and_length(view, at)
        tag, start, vr = group << 16 | number, at + 8, b""
        if tag == _ITEM_END and not is_top:
            if here.end is not None and here.end != start:
                raise _Broken("an item ends before its length")
            stack.pop()
            self.at = start
            return
        if is_top and tag >= self.until:
            stack.clear()
            return
        if group in _NO_GROUPS:
            raise _Broken("bytes that are no element stand")
        here.count += 1
        self.unfolded.element(here.count)
        if not here.implicit:
            vr = bytes(view[at + 4 : at + 6])
            is_odd = tag <= here.last_tag or vr not in VRS
            if is_odd and here.last >= 0 and self._mend(here, here.last):
                return
            here.last, here.last_tag = at, tag
            if vr in LONG:
                self._need(here, 12)
                start = at + 12
                (length,) = struct.unpack_from(self.order + "I", view, at + 8)
            elif vr in SHORT or b"AA" <= vr <= b"ZZ":
                (length,) = struct.unpack_from(self.order + "H", view, at + 6)
            else:
                vr = b""  # Implicit VR within Explicit VR
        has_items = is_sequence(tag, vr, length) or (
            not vr and length == UNDEFINED and not dictionary_vr(tag) and self._begins_item(start)
        )
        if length == UNDEFINED and not has_items:
            self._fragments(here, tag, start, tag_and_length)
        elif has_items:
            end = None if length == UNDEFINED else start + length
            bound = here.bound if end is None else min(end, here.bound)
            is_lazy = vr == b"SQ" or (not vr and dictionary_vr(tag) == "SQ")
            stack.append(_Open(tag, start, end, bound, True, here.implicit, is_lazy=is_lazy))
            self.at = start
            if end is not None and end > here.bound < len(view):
                raise _Broken(f"{named(tag)} is longer than what it lies in")
        else:
            if start + length > here.bound:
                raise _Broken(
                    f"{named(tag)} ends {start + length - here.bound:,} bytes before its length"
                )
            self.at = start + length
            if length > 8 and self._begins_item(start) and self._relates(start):
                self.astray[tag] = None
        self._note(here, tag, start, is_top)

    def _mend_within(self, stack: list[_Open]) -> bool:
        """Go back to the last element of the innermost data set that can be read on when its VR is
        taken for another one."""
        for depth in range(len(stack) - 1, -1, -1):
            here = stack[depth]
            if not (here.items or here.implicit) and here.last >= 0 and self._mend(here, here.last):
                del stack[depth + 1 :]
                return True
        return False

    def _mend(self, here: _Open, at: int) -> bool:
        """Whether the element that begins here is followed by another one, in order and of a known
        VR, when its length is read in the other of the two forms (PS3.5 7.1.2). Then it is: a wrong
        VR would swallow, or lose, all that follow."""
        view, order = self.view, self.order
        if at in self.mended or at + 12 > here.bound:
            return False
        group, number = struct.unpack_from(order + "HH", view, at)
        tag, vr = group << 16 | number, bytes(view[at + 4 : at + 6])
        (short,) = struct.unpack_from(order + "H", view, at + 6)
        (long,) = struct.unpack_from(order + "I", view, at + 8)
        known = dictionary_vr(tag).encode()
        known = known if known in SHORT else b"ZZ"  # read as the dictionary's, or as unknown
        forms: list[tuple[int, bytes]] = []
        if (vr not in SHORT and not b"AA" <= vr <= b"ZZ") or vr in LONG:
            forms.append((at + 8 + short, known))
        if vr not in LONG and short == 0:
            forms.append((at + 12 + long, b"UN"))
        found = next((form for form in forms if self._goes_on(here, form[0], tag)), None)
        if found is None:
            return False
        end, other = found
        start = at + (12 if other == b"UN" else 8)
        self.mended[at], self.at = (tag, other), end
        if here.tag == 0:
            self.top[tag] = start, self.at
        return True

    def _goes_on(self, here: _Open, at: int, after: int) -> bool:
        """Whether the data set ends here, or an element that can be one of it begins here."""
        if at == here.bound:
            return True
        if at + 8 > here.bound:
            return False
        group, number = struct.unpack_from(self.order + "HH", self.view, at)
        tag = group << 16 | number
        if tag == _ITEM_END:
            return here.end is None
        return tag > after and bytes(self.view[at + 4 : at + 6]) in VRS

    def _note(self, here: _Open, tag: int, start: int, is_top: bool) -> None:
        """Remember what stands at the top, and what stands there again."""
        if is_top:
            if tag in self.top:
                before = self.view[slice(*self.top[tag])]
                if before != self.view[start : self.at] and len(self.repeated) < _MOST_FAULTS:
                    self.repeated.append(tag)
            self.top[tag] = start, self.at
        elif tag == _RELATIONSHIP and here.tag != _CONTENT:
            self.astray[here.tag] = None
        elif tag in here.tags and len(self.repeated) < _MOST_FAULTS:
            self.repeated.append(tag)
        else:
            here.tags.add(tag)

    def _fragments(self, here: _Open, tag: int, at: int, tag_and_length: _Unpack) -> None:
        """Encapsulated pixel data (PS3.5 A.4): fragments, each with its length, and an end."""
        while True:
            if at + 8 > here.bound:
                raise _Broken(f"{named(tag)} has no end")
            group, number, length = tag_and_length(self.view, at)
            at += 8
            if group << 16 | number == _SEQUENCE_END:
                self.at = at
                return
            if group << 16 | number != _ITEM or length == UNDEFINED:
                raise _Broken(f"{named(tag)} holds something else than fragments")
            at += length

    def _need(self, here: _Open, size: int) -> None:
        if self.at + size > here.bound:
            left = here.bound - self.at
            raise _Broken(f"{left} bytes are left" if left else "the end is missing")

    def _relates(self, start: int) -> bool:
        """Whether the value that begins and ends here holds content items."""
        tag = struct.pack(self.order + "HH", _RELATIONSHIP >> 16, _RELATIONSHIP & 0xFFFF)
        return tag in bytes(self.view[start : min(self.at, start + _MOST_LOOKED_AT)])

    def _begins_item(self, at: int) -> bool:
        return bytes(self.view[at : at + 4]) == struct.pack(self.order + "HH", 0xFFFE, 0xE000)


# Commands and delimiters (PS3.7 E, PS3.5 7.5): in no data set.
_NO_GROUPS = frozenset({0x0000, 0xFFFE, 0xFFFF})
