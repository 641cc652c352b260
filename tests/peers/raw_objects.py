"""Objects sent as they are, byte for byte, in messages that are right."""

import struct
from itertools import batched
from socket import create_connection
from threading import Event

from dicom_mcp.node import Receiver
from tests.bounds import PATIENCE
from tests.peers.delivering import ARCHIVE
from tests.peers.scripted import Talk, command, hear_request, p_data, pdu
from tests.peers.scripted_sender import hear


def item(kind: int, body: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(body)) + body


def accept_each(talk: Talk, *, refused: bytes = b"none") -> None:
    """Accept every context in the last of the transfer syntaxes that were offered for it, but those
    of abstract syntaxes that begin so."""
    hear_request(talk)
    contexts = b"".join(
        item(
            0x21,
            bytes([id_, 0, 3 if syntaxes_of(content)[0].startswith(refused) else 0, 0])
            + item(0x40, syntaxes_of(content)[-1]),
        )
        for id_, content in talk.contexts.items()
    )
    user = item(0x50, item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3"))
    variable = item(0x10, b"1.2.840.10008.3.1.1.1") + contexts + user
    talk.send(pdu(0x02, b"\0\1\0\0" + talk.request[4:36] + bytes(32) + variable))


def syntaxes_of(context: bytes) -> list[bytes]:
    """The abstract syntax of a requested context, then its transfer syntaxes."""
    found: list[bytes] = []
    while context:
        (length,) = struct.unpack_from(">H", context, 2)
        found.append(context[4 : 4 + length])
        context = context[4 + length :]
    return found


def even(uid: str) -> bytes:
    return uid.encode() + b"\0" * (len(uid) % 2)


def stored(sop_class: str, sop_instance: str, content: bytes, context_id: int) -> bytes:
    """A C-STORE request for an object whose data set is this."""
    request = {0x0002: even(sop_class), 0x0100: 1, 0x0110: 7, 0x0700: 0, 0x0800: 1}
    said = p_data((context_id, 3, command({**request, 0x1000: even(sop_instance)})))
    pieces = [bytes(piece) for piece in batched(content, 16_000)] or [b""]
    for number, piece in enumerate(pieces, 1):
        said += p_data((context_id, 2 if number == len(pieces) else 0, piece))
    return said


def deliver(place: Receiver, kind: tuple[str, str], said: bytes, *, share: float = 1.0) -> int:
    """Send to a receiver what `stored` made, of this SOP class in this transfer syntax; how many
    were taken. Of a `share` below one the connection ends early."""
    context = item(0x30, kind[0].encode()) + item(0x40, kind[1].encode())
    user = item(0x50, item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3"))
    variable = item(0x10, b"1.2.840.10008.3.1.1.1") + item(0x20, b"\1\0\0\0" + context) + user
    titles = place.ae_title.encode().ljust(16) + ARCHIVE.encode().ljust(16)
    with create_connection((place.host, place.port), PATIENCE) as line:
        talk = Talk(line, Event())
        talk.send(pdu(0x01, b"\0\1\0\0" + titles + bytes(32) + variable))
        assert talk.read_pdu()[0] == 0x02
        talk.send(said[: int(len(said) * share)])
        if share < 1:
            return 0
        hear(talk)
        talk.send(pdu(0x05, bytes(4)))
        assert talk.read_pdu()[0] == 0x06
    return 1
