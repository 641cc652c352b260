"""A DICOM file: a preamble, file meta information, and a data set (PS3.10 7.1)."""

import struct
from dataclasses import dataclass

from .instance import Instance

_PREAMBLE = 128
_START = _PREAMBLE + 4

# PS3.5 7.1.2: VRs whose explicit length takes 32 bits after two reserved bytes.
_LONG_VRS = frozenset(
    {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}
)
_LONGEST_SHORT = 0xFFFE

_GROUP_LENGTH = 0x00020000
_SOP_CLASS, _SOP_INSTANCE, _TRANSFER_SYNTAX = 0x00020002, 0x00020003, 0x00020010

# PS3.10 7.1, table 7.1-1: version 1 of the format.
_VERSION = b"\0\1"

# Ours for good, derived from a UUID (PS3.5 B.2); associations say it too.
IMPLEMENTATION_CLASS_UID = "2.25.240664932911213043211398311863403227761"


@dataclass(frozen=True, slots=True)
class FileMeta:
    """What a file says of its data set, and at which byte that begins; a UID that is not there
    is ""."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax: str
    length: int


def file_meta(content: bytes | bytearray) -> FileMeta:
    """The file meta information of a DICOM file; the data set is not looked at.

    Raises ValueError for what is no DICOM file, or does not say its transfer syntax.
    """
    if content[_PREAMBLE:_START] != b"DICM":
        raise ValueError("The bytes are no DICOM file")
    found: dict[int, str] = {}
    at = _START
    # By the group and not by its length, which some get wrong; but a deflated data set may begin
    # as if it were of this group, so that a length that can be right is believed.
    end = len(content)
    try:
        while content[at : at + 2] == b"\2\0" and not (at == end and _TRANSFER_SYNTAX in found):
            group, element = struct.unpack_from("<HH", content, at)
            is_long = content[at + 4 : at + 6].decode("latin-1") in _LONG_VRS
            start = at + (12 if is_long else 8)
            (size,) = struct.unpack_from(
                "<I" if is_long else "<H", content, start - 2 - 2 * is_long
            )
            if not content[at + 4 : at + 6].isalpha() or start + size > len(content):
                raise ValueError("The file meta information is damaged")
            tag, value = group << 16 | element, bytes(content[start : start + size])
            at = start + size
            if tag == _GROUP_LENGTH and size == 4:
                end = at + int.from_bytes(value, "little")
            found[tag] = value.decode("latin-1").strip(" \0")
    except struct.error:
        raise ValueError("The file meta information is damaged") from None
    if not found.get(_TRANSFER_SYNTAX):
        raise ValueError("The file meta information is damaged")
    return FileMeta(
        found.get(_SOP_CLASS, ""), found.get(_SOP_INSTANCE, ""), found[_TRANSFER_SYNTAX], at
    )


def heading(instance: Instance) -> bytes:
    """What stands before an object's data set in a file: the preamble and the file meta
    information."""
    rest = b"".join(
        (
            element(0x00020001, "OB", _VERSION),
            element(_SOP_CLASS, "UI", instance.sop_class_uid.encode()),
            element(_SOP_INSTANCE, "UI", instance.sop_instance_uid.encode()),
            element(_TRANSFER_SYNTAX, "UI", instance.transfer_syntax.encode()),
            element(0x00020012, "UI", IMPLEMENTATION_CLASS_UID.encode()),
        )
    )
    length = element(_GROUP_LENGTH, "UL", struct.pack("<I", len(rest)))
    return bytes(_PREAMBLE) + b"DICM" + length + rest


def element(tag: int, vr: str, value: bytes) -> bytes:
    """One element in Explicit VR Little Endian, padded to an even length. One that is too long for
    its VR's length is of an unknown one (PS3.5 6.2.2)."""
    if len(value) % 2:
        value += b"\0" if vr in ("UI", "OB", "UN") else b" "
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if vr not in _LONG_VRS and len(value) > _LONGEST_SHORT:
        vr = "UN"
    if vr in _LONG_VRS:
        return head + vr.encode() + struct.pack("<HI", 0, len(value)) + value
    return head + vr.encode() + struct.pack("<H", len(value)) + value
