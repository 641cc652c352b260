"""C-FIND responses as bytes (PS3.7 9.3.2.2), written without pynetdicom's primitives.

Those cost a millisecond a match: command set, data set and two PDUs are built anew each time.
Here only the identifier is new, and each message leaves in as few PDUs as the peer accepts.
"""

import struct
from collections.abc import Iterator

from pynetdicom.association import Association
from pynetdicom.pdu_primitives import P_DATA

# PS3.7 E.1: the elements of a C-FIND-RSP and their values that never change.
_C_FIND_RSP = 0x8020
_WITH_DATA_SET = 0x0001

# PS3.8 E.2: message control headers.
_COMMAND_END, _DATA, _DATA_END = b"\x03", b"\x00", b"\x02"

# PS3.8 9.3.5.1: what each presentation data value adds to the length of its PDU.
_VALUE_HEADER = 6

# A peer without a limit (maximum length 0, PS3.8 D.1) still gets PDUs of a usual size.
_NO_LIMIT = 65_536


def send_match(
    association: Association,
    identifier: bytes,
    *,
    status: int,
    sop_class_uid: str,
    message_id: int,
    context_id: int,
) -> None:
    """Send one pending C-FIND response; returns when it is queued, not when it has left."""
    command = _command(sop_class_uid, message_id, status)
    limit = association.requestor.maximum_length or _NO_LIMIT
    for values in _fragments(command, identifier, limit):
        primitive = P_DATA()
        primitive.presentation_data_value_list.extend((context_id, value) for value in values)
        association.dul.send_pdu(primitive)


def _command(sop_class_uid: str, message_id: int, status: int) -> bytes:
    uid = sop_class_uid.encode("ascii")
    uid += b"\0" * (len(uid) % 2)
    body = struct.pack("<HHI", 0, 0x0002, len(uid)) + uid
    for element, value in (
        (0x0100, _C_FIND_RSP),
        (0x0120, message_id),
        (0x0800, _WITH_DATA_SET),
        (0x0900, status),
    ):
        body += struct.pack("<HHIH", 0, element, 2, value)
    return struct.pack("<HHII", 0, 0, 4, len(body)) + body


def _fragments(command: bytes, data: bytes, limit: int) -> Iterator[list[bytes]]:
    """The values of each P-DATA PDU: one PDU for all if the limit allows it."""
    if len(command) + len(data) + 2 * _VALUE_HEADER <= limit:
        yield [_COMMAND_END + command, _DATA_END + data]
        return
    yield [_COMMAND_END + command]
    size = max(1, limit - _VALUE_HEADER)
    for at in range(0, len(data), size):
        last = at + size >= len(data)
        yield [(_DATA_END if last else _DATA) + data[at : at + size]]
