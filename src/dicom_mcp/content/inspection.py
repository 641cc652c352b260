"""Whether an object is whole, before anybody reads it: its structure, and what its kind must have.

A cut between two elements leaves a data set that is sound, so that what stands at the end of every
object of a kind is looked for too (PS3.3 A): its pixels, its content, its document.
"""

import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from ..standard.dictionary import attribute
from ..standard.identity import TAGS, Identity
from ..standard.structure import EXPLICIT_VR_BIG_ENDIAN, PIXEL_DATA, Structure, walk
from .elements import uid_name
from .error import ContentError

# PS3.5 A.5 and Supplement 119's JPIP Referenced Deflate.
DEFLATED = frozenset({"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95"})

_EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_PIECE = 1 << 20

# PS3.3 C.7.6.3: where pixels are to be had that are not in the object.
_ROWS, _PIXEL_URL = 0x00280010, 0x00287FE0

# What every object has (PS3.3 C.12.1, C.7.2.1, C.7.3.1); images have BitsAllocated too (C.7.6.3).
_EVERY = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")

# By the beginning of the SOP class, what every object of the kind has near its end (PS3.3 A).
_STORED = "1.2.840.10008.5.1.4.1.1."
_REQUIRED = {
    f"{_STORED}88.": ("ContentSequence",),
    f"{_STORED}104.": ("MIMETypeOfEncapsulatedDocument",),
    f"{_STORED}11.": ("PresentationCreationDate",),
    f"{_STORED}9.": ("WaveformSequence",),
    f"{_STORED}4.2": ("SpectroscopyData",),
    f"{_STORED}66.1": ("RegistrationSequence",),
    f"{_STORED}66.2": ("FiducialSetSequence",),
    f"{_STORED}66.3": ("DeformableRegistrationSequence",),
    f"{_STORED}66.5": ("SurfaceSequence",),
    f"{_STORED}67": ("ReferencedImageRealWorldValueMappingSequence",),
    f"{_STORED}481.2": ("DoseUnits",),
    f"{_STORED}481.3": ("ApprovalStatus",),
    f"{_STORED}481.5": ("ApprovalStatus",),
    f"{_STORED}481.8": ("ApprovalStatus",),
}
_BULK = frozenset({f"{_STORED}104.", f"{_STORED}4.2"})
_IMAGES = ("Image Storage", "Segmentation Storage", "Parametric Map Storage")
# MR spectra have rows, and a surface segmentation its name (PS3.3 A.36.3, A.57).
_NO_IMAGES = frozenset({f"{_STORED}4.2", f"{_STORED}66.5"})


@dataclass(frozen=True, slots=True)
class Inspection:
    """An object as it can be read. `faults` say what of it is damaged or missing, `doubts` what
    should be there and is not, `remarks` what is odd but costs nothing."""

    data_set: bytes | bytearray
    transfer_syntax: str
    identity: Identity
    faults: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def inspected(
    data_set: bytes | bytearray, transfer_syntax: str, *, most: int, without_bulk: bool = False
) -> Inspection:
    """Look through an object, of which bulk data may have been left out on purpose.

    Raises ContentError for a deflated one that is none, or inflates to more than `most` bytes.
    """
    plain, syntax, faults = data_set, transfer_syntax, []
    if transfer_syntax in DEFLATED:
        plain, fault = inflated(data_set, most)
        syntax, faults = _EXPLICIT_VR_LITTLE_ENDIAN, [fault] if fault else []
    structure, remarks = walk(plain, syntax, TAGS), []
    if structure.faults and (other := _in_other_order(plain, syntax)):
        structure, syntax = other
        remarks = ["its bytes are in another order than its transfer syntax says"]
        data_set, transfer_syntax = plain, syntax
    faults += structure.faults
    if structure.sound is not None:
        data_set, transfer_syntax = structure.sound, syntax
    if structure.repeated:
        named = ", ".join(f"({tag >> 16:04X},{tag & 0xFFFF:04X})" for tag in structure.repeated)
        faults.append(f"{named} stands in it more than once, of which only the last is read")
    who = Identity.of(structure.values)
    doubts = [] if faults else [*_lacking(structure, who.sop_class_uid, without_bulk=without_bulk)]
    return Inspection(data_set, transfer_syntax, who, tuple(faults), tuple(doubts), tuple(remarks))


def inflated(content: bytes | bytearray, most: int) -> tuple[bytes, str]:
    """A deflated data set (PS3.5 A.5), no larger than this, and what is wrong with it.

    Raises ContentError for what cannot be inflated at all. A bomb is counted, not held.
    """
    if _inflated_size(content, most) > most:
        raise ContentError(
            f"The deflated object of {len(content):,} bytes inflates to more than {most:,}",
            "No honest object does; tell whoever made it",
        )
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    plain, left = bytearray(), bytes(content)
    try:
        while left:
            plain += inflate.decompress(left, _PIECE)
            left = inflate.unconsumed_tail
    except zlib.error as trouble:
        if not plain:
            raise ContentError("The deflated object is damaged", "Retrieve it again") from trouble
        return bytes(plain), "its deflated bytes cannot be inflated to their end"
    return bytes(plain), "" if inflate.eof else "its deflated bytes end too soon"


def _inflated_size(content: bytes | bytearray, most: int) -> int:
    """How long it gets, as far as it matters and it can be inflated."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    size, left = 0, bytes(content)
    with suppress(zlib.error):
        while left and size <= most:
            size += len(inflate.decompress(left, _PIECE))
            left = inflate.unconsumed_tail
    return size


def _in_other_order(content: bytes | bytearray, syntax: str) -> tuple[Structure, str] | None:
    """The structure in the other byte order, where the data set is whole in that one."""
    is_big = syntax == EXPLICIT_VR_BIG_ENDIAN
    # A data set begins with a group below 0100, 0008 mostly.
    if not int.from_bytes(content[:2], "big" if is_big else "little") >= 0x0100:
        return None
    other = _EXPLICIT_VR_LITTLE_ENDIAN if is_big else EXPLICIT_VR_BIG_ENDIAN
    found = walk(content, other, TAGS)
    return (found, other) if found.tags and not found.faults else None


def _lacking(structure: Structure, sop_class: str, *, without_bulk: bool) -> Iterator[str]:
    """What every object of its kind has, and this one has not."""
    tags = structure.tags
    is_image = _ROWS in tags or uid_name(sop_class).endswith(_IMAGES)
    is_image = is_image and sop_class not in _NO_IMAGES
    required = [*_EVERY, "BitsAllocated"] if is_image else [*_EVERY]
    for beginning, names in _REQUIRED.items():
        if sop_class.startswith(beginning) and not (without_bulk and beginning in _BULK):
            required += names
    for name in required:
        known = attribute(name)
        if known and known.tag not in tags:
            yield f"it has no {name}, which every object of its kind has"
    if is_image and not without_bulk and _PIXEL_URL not in tags and not PIXEL_DATA & tags:
        yield "it is an image and has no pixel data"
