"""A peer made of a bare socket that is asked for objects and does what its script says."""

import struct
from collections.abc import Callable

from tests.peers.scripted import IMPLICIT, Over, Step, Talk, command, element, p_data, pdu

CT = "1.2.840.10008.5.1.4.1.1.2"
GET, MOVE = 0x0010, 0x0021


def hear(talk: Talk) -> bytes:
    """Read one message; its data set, b"" for one without. A request is noted in the talk."""
    said, data = b"", b""
    while True:
        kind, body = talk.read_pdu()
        if kind == 0x05:
            talk.send(pdu(0x06, bytes(4)))
        if kind != 0x04:
            raise Over
        _, context_id, control = struct.unpack_from(">IBB", body)
        if control & 1:
            said += body[6:]
        else:
            data += body[6:]
        fields = _fields(said)
        if control & 2 and (not control & 1 or fields.get(0x0800) == 0x0101):
            break
    if 0x0110 in fields:
        talk.operation, talk.message_id = fields[0x0100], fields[0x0110]
        talk.context_id = context_id
    elif fields[0x0100] == 0x0FFF:
        talk.operation = 0x0FFF
    return data


def hear_request(talk: Talk) -> None:
    hear(talk)


def send(uid: str, *, size: int = 100) -> Step:
    """One object as a C-STORE sub-operation, and its acknowledgement read."""

    def step(talk: Talk) -> None:
        talk.send(stored(talk, uid, size))
        hear(talk)

    return step


def stored(talk: Talk, uid: str, size: int = 100) -> bytes:
    raw = uid.encode() + b"\0" * (len(uid) % 2)
    request = {0x0002: CT.encode() + b"\0", 0x0100: 1, 0x0110: 7, 0x0700: 0, 0x0800: 1}
    body = element(8, 0x18, raw) + element(0x7FE0, 0x10, bytes(size))
    context_id = storage_context(talk)
    fragments = [body[at : at + 16000] for at in range(0, len(body), 16000)]
    said = p_data((context_id, 3, command({**request, 0x1000: raw})))
    for number, fragment in enumerate(fragments, 1):
        said += p_data((context_id, 2 if number == len(fragments) else 0, fragment))
    return said


def finish(
    status: int = 0x0000,
    *,
    completed: int = 0,
    failed: int = 0,
    failed_uids: str = "",
    comment: str = "",
) -> Step:
    """The final answer to a C-GET or C-MOVE."""

    def step(talk: Talk) -> None:
        values = {
            0x0100: talk.operation | 0x8000,
            0x0120: talk.message_id,
            0x0800: 0x0001 if failed_uids else 0x0101,
            0x0900: status,
            0x0902: comment.encode() + b" " * (len(comment) % 2) if comment else None,
            0x1021: completed,
            0x1022: failed,
            0x1023: 0,
        }
        talk.send(p_data((talk.context_id, 3, command({**values}))))
        if failed_uids:
            talk.send(p_data((talk.context_id, 2, element(8, 0x58, failed_uids.encode()))))

    return step


def serve(answer: Callable[[Talk, bytes], None]) -> Step:
    """Answer every request, given its identifier."""

    def step(talk: Talk) -> None:
        while True:
            answer(talk, hear(talk))

    return step


def abort(talk: Talk) -> None:
    talk.send(pdu(0x07, bytes(4)))


def storage_context(talk: Talk) -> int:
    """The context of CT images in Implicit VR, the syntax the peer accepts."""
    item = struct.pack(">BxH", 0x30, len(CT)) + CT.encode()
    item += struct.pack(">BxH", 0x40, len(IMPLICIT)) + IMPLICIT
    return next(id_ for id_, content in talk.contexts.items() if content.endswith(item))


def _fields(said: bytes) -> dict[int, int]:
    """The numbers of a command set."""
    found: dict[int, int] = {}
    at = 0
    while at + 8 <= len(said):
        _, number, length = struct.unpack_from("<HHI", said, at)
        if length == 2:
            (found[number],) = struct.unpack_from("<H", said, at + 8)
        at += 8 + length
    return found
