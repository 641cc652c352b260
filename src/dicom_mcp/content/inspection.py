"""Whether an object is whole, before anybody reads it: its structure, and what its kind must have.

A cut between two elements leaves a data set that is sound, so that what stands at the end of every
object of a kind is looked for too (PS3.3 A): its pixels, its content, its document.
"""

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass

from ..standard.dictionary import attribute, attribute_of_tag
from ..standard.identity import TAGS, Identity
from ..standard.sop_classes import sop_class
from ..standard.structure import PIXEL_DATA, Structure, walk
from ..standard.syntaxes import DEFLATED, EXPLICIT_VR_BIG_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN
from .apart import Apart, Failed
from .elements import uid_name
from .error import ContentError

# What inflating takes beside what comes out: it grows in steps, and is sent.
_LEAST = 32 << 20

# What honest text or an image inflates to, times what it was; there is room for that much first.
_LIKELY = 16
_ALWAYS = 1 << 20

# PS3.3 C.7.6.3: where pixels are to be had that are not in the object.
_ROWS, _PIXEL_URL = 0x00280010, 0x00287FE0

# What every object has (PS3.3 C.12.1, C.7.2.1, C.7.3.1); images have BitsAllocated too (C.7.6.3).
_EVERY = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")

_IMAGES = ("Image Storage", "Segmentation Storage", "Parametric Map Storage")


@dataclass(frozen=True, slots=True)
class Inspection:
    """An object as it can be read, inflated where it came deflated (in `came_in`). `faults` say
    what of it is damaged or missing, `beyond` to which bound it was read, `doubts` what should be
    there and is not, `remarks` what is odd but costs nothing."""

    data_set: bytes | bytearray
    transfer_syntax: str
    identity: Identity
    faults: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    came_in: str = ""
    beyond: str = ""


def inspected(
    data_set: bytes | bytearray,
    transfer_syntax: str,
    *,
    most: int,
    without_bulk: bool = False,
    apart: Apart | None = None,
) -> Inspection:
    """Look through an object, of which bulk data may have been left out on purpose. Give `apart`
    where there are several in one call: deflated ones then share its process.

    Raises ContentError for a deflated one that is none, inflates to more than `most` bytes, or not
    in time.
    """
    faults, came_in = list[str](), ""
    if transfer_syntax in DEFLATED:
        came_in = transfer_syntax
        with nullcontext(apart) if apart else Apart() as inflating:
            data_set, fault = _inflated(data_set, most, inflating)
        transfer_syntax, faults = EXPLICIT_VR_LITTLE_ENDIAN, [fault] if fault else []
    structure, remarks = walk(data_set, transfer_syntax, TAGS), list[str]()
    if structure.faults and (other := _in_other_order(data_set, transfer_syntax)):
        structure, transfer_syntax = other
        remarks = ["its bytes are in another order than its transfer syntax says"]
    faults += structure.faults
    if structure.sound is not None:
        data_set = structure.sound
    if structure.repeated:
        named = _tags(structure.repeated)
        faults.append(f"{named} stands in it more than once, of which only the last is read")
    if structure.mended:
        named = _tags(structure.mended)
        remarks.append(f"the VR of {named} is wrong: its length is read as that of another one")
    if strange := [
        tag for tag in structure.mended if not tag >> 16 & 1 and not attribute_of_tag(tag)
    ]:
        faults.append(f"{_tags(strange)} is known to nobody, nor is its VR: it was something else")
    if structure.astray:
        faults.append(
            f"{_tags(structure.astray)} holds content and is no Content Sequence: its tag is wrong"
        )
    who = Identity.of(structure.values)
    is_short = faults or structure.beyond
    doubts = (
        [] if is_short else [*_lacking(structure, who.sop_class_uid, without_bulk=without_bulk)]
    )
    told = tuple(faults), tuple(doubts), tuple(remarks)
    return Inspection(data_set, transfer_syntax, who, *told, came_in, structure.beyond)


def _tags(tags: Iterable[int]) -> str:
    return ", ".join(f"({tag >> 16:04X},{tag & 0xFFFF:04X})" for tag in tags)


def _inflated(
    content: bytes | bytearray, most: int, apart: Apart, likely: int = 0
) -> tuple[bytearray, str]:
    """A deflated data set (PS3.5 A.5), no larger than this, and what is wrong with it.

    Raises ContentError for what cannot be inflated at all.
    """
    bound = min(most, likely or _ALWAYS + _LIKELY * len(content))
    try:
        wish = {"memory": _LEAST + 4 * bound, "answer": bound, "most": bound}
        found, (plain,) = apart.ask("inflate", content, **wish)
    except Failed as failure:
        if failure.fault == "bomb" and bound < most:
            return _inflated(content, most, apart, likely=most)
        if failure.fault == "bomb":
            raise ContentError(
                f"The deflated object of {len(content):,} bytes inflates to more than {most:,}",
                "No honest object does; tell whoever made it",
            ) from failure
        raise failure.refusal("The deflated object") or ContentError(*_DAMAGED) from failure
    if found["end"] and not plain:
        raise ContentError(*_DAMAGED)
    return plain, _ENDS[found["end"]]


_DAMAGED = "The deflated object is damaged", "Retrieve it again"
_ENDS = {
    "": "",
    "damaged": "its deflated bytes cannot be inflated to their end",
    "cut": "its deflated bytes end too soon",
}


def _in_other_order(content: bytes | bytearray, syntax: str) -> tuple[Structure, str] | None:
    """The structure in the other byte order, where the data set is whole in that one."""
    is_big = syntax == EXPLICIT_VR_BIG_ENDIAN
    # A data set begins with a group below 0100, 0008 mostly.
    if not int.from_bytes(content[:2], "big" if is_big else "little") >= 0x0100:
        return None
    other = EXPLICIT_VR_LITTLE_ENDIAN if is_big else EXPLICIT_VR_BIG_ENDIAN
    found = walk(content, other, TAGS)
    return (found, other) if found.tags and not found.faults else None


def _lacking(structure: Structure, uid: str, *, without_bulk: bool) -> Iterator[str]:
    """What every object of its kind has, and this one has not."""
    tags = structure.tags
    is_image = _ROWS in tags or uid_name(uid).endswith(_IMAGES)
    known = sop_class(uid)
    is_image = is_image and known.has_pixels
    required = [*_EVERY, "BitsAllocated"] if is_image else [*_EVERY]
    if not (without_bulk and known.in_bulk):
        required += filter(None, [known.needs])
    for name in required:
        declared = attribute(name)
        if declared and declared.tag not in tags:
            yield f"it has no {name}, which every object of its kind has"
    if is_image and not without_bulk and _PIXEL_URL not in tags and not PIXEL_DATA & tags:
        yield "it is an image and has no pixel data"
