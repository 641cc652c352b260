"""DIMSE command sets as bytes (PS3.7 6.3.1, 9.3 and E.1): always Implicit VR Little Endian."""

import struct
from collections.abc import Mapping
from enum import IntEnum

from ..errors import ProtocolViolation


class Field(IntEnum):
    """The elements of group 0000 that our services use (PS3.7 E.1)."""

    GROUP_LENGTH = 0x0000
    AFFECTED_SOP_CLASS_UID = 0x0002
    COMMAND_FIELD = 0x0100
    MESSAGE_ID = 0x0110
    MESSAGE_ID_BEING_RESPONDED_TO = 0x0120
    MOVE_DESTINATION = 0x0600
    PRIORITY = 0x0700
    COMMAND_DATA_SET_TYPE = 0x0800
    STATUS = 0x0900
    OFFENDING_ELEMENT = 0x0901
    ERROR_COMMENT = 0x0902
    AFFECTED_SOP_INSTANCE_UID = 0x1000
    NUMBER_OF_REMAINING_SUBOPERATIONS = 0x1020
    NUMBER_OF_COMPLETED_SUBOPERATIONS = 0x1021
    NUMBER_OF_FAILED_SUBOPERATIONS = 0x1022
    NUMBER_OF_WARNING_SUBOPERATIONS = 0x1023


class Operation(IntEnum):
    """Values of the Command Field (PS3.7 E.1); a response is its request with bit 15 set."""

    C_STORE_RQ = 0x0001
    C_GET_RQ = 0x0010
    C_FIND_RQ = 0x0020
    C_MOVE_RQ = 0x0021
    C_ECHO_RQ = 0x0030
    C_CANCEL_RQ = 0x0FFF


# DCMTK and Orthanc write the list of what failed behind the command, not into a data set of its own
# (PS3.4 C.4.3.1.3.2): without it their status and reason would be lost.
FAILED_UIDS = 0x00080058

RESPONSE = 0x8000
NO_DATA_SET = 0x0101
MEDIUM_PRIORITY = 0x0000

# The value representation of each element we read or write; the rest is skipped.
_UNSIGNED_SHORTS = frozenset(
    {
        Field.COMMAND_FIELD,
        Field.MESSAGE_ID,
        Field.MESSAGE_ID_BEING_RESPONDED_TO,
        Field.PRIORITY,
        Field.COMMAND_DATA_SET_TYPE,
        Field.STATUS,
        Field.NUMBER_OF_REMAINING_SUBOPERATIONS,
        Field.NUMBER_OF_COMPLETED_SUBOPERATIONS,
        Field.NUMBER_OF_FAILED_SUBOPERATIONS,
        Field.NUMBER_OF_WARNING_SUBOPERATIONS,
    }
)

type Command = Mapping[int, int | str]


def encode(command: Command) -> bytes:
    """The command set with its group length, elements in order."""
    elements = b"".join(_element(field, command[field]) for field in sorted(command))
    return struct.pack("<HHII", 0, Field.GROUP_LENGTH, 4, len(elements)) + elements


def decode(data: bytes) -> dict[int, int | str]:
    """The elements of a command set that `Field` names.

    Raises ProtocolViolation when the bytes are not a command set.
    """
    command: dict[int, int | str] = {}
    at, end = 0, len(data)
    while at < end:
        if at + 8 > end:
            raise ProtocolViolation("a DIMSE command was cut short")
        group, element, length = _HEADER.unpack_from(data, at)
        at += 8
        if at + length > end or (group != 0 and group << 16 | element != FAILED_UIDS):
            raise ProtocolViolation("a DIMSE command is not a command set (PS3.7 6.3.1)")
        if group:
            command[FAILED_UIDS] = data[at : at + length].decode("latin-1").strip(" \0")
            at += length
            continue
        if element in command:
            raise ProtocolViolation("a DIMSE command has an element twice (PS3.7 6.3.1)")
        if element in _UNSIGNED_SHORTS:
            if length != 2:
                raise ProtocolViolation("a DIMSE command holds a number of the wrong size")
            command[element] = data[at] | data[at + 1] << 8
        elif element == Field.OFFENDING_ELEMENT:
            words = struct.unpack_from(f"<{length // 2}H", data, at)
            pairs = zip(words[::2], words[1::2], strict=False)
            command[element] = "\\".join(f"{a:04X}{b:04X}" for a, b in pairs)
        elif element in _TEXTS:
            command[element] = data[at : at + length].decode("latin-1").strip(" \0")
        at += length
    return command


def number(command: Command, field: Field) -> int:
    """The element's number. Raises ProtocolViolation when the command lacks it."""
    value = command.get(field)
    if not isinstance(value, int):
        raise ProtocolViolation(f"a DIMSE command lacks its {field.name} (PS3.7 E.1)")
    return value


def _element(field: int, value: int | str) -> bytes:
    if isinstance(value, int):
        return struct.pack("<HHIH", 0, field, 2, value)
    raw = value.encode("latin-1")  # as it was read: what a peer sent may be sent back to it
    raw += b"\0" * (len(raw) % 2)
    return struct.pack("<HHI", 0, field, len(raw)) + raw


_HEADER = struct.Struct("<HHI")
_TEXTS = frozenset(
    {Field.AFFECTED_SOP_CLASS_UID, Field.AFFECTED_SOP_INSTANCE_UID, Field.ERROR_COMMENT}
)
