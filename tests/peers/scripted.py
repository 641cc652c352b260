"""A DICOM peer made of a bare socket that does exactly what its script says, right or wrong.

    with Peer(MISBEHAVIOURS["aborts midway"]) as peer:
        ...                      # ask 127.0.0.1:peer.port
        peer.heal()              # from the next connection on it behaves

A script is a sequence of steps, each a function of the `Talk` on one connection; at its end the
connection is closed. Everything is written by hand after PS3.7 and PS3.8, so that the peer shares
no mistake with what it is there to test.
"""

import socket
import struct
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.bounds import PATIENCE

IMPLICIT = b"1.2.840.10008.1.2"
FIND_REQUEST, CANCEL_REQUEST, RESPONSE = 0x0020, 0x0FFF, 0x8000

type Step = Callable[["Talk"], None]
type Script = Sequence[Step]


class Over(Exception):
    """The other side has ended the connection, or asked to."""


class Talk:
    """One connection: what has been asked on it, and what can be said."""

    def __init__(self, connection: socket.socket, over: threading.Event, number: int = 0) -> None:
        self.connection = connection
        # How many connections there were before.
        self.number = number
        self.over = over
        self.request = b""
        self.contexts: dict[int, bytes] = {}
        self.context_id = 1
        self.operation = 0
        self.answering = 0
        self.message_id = 0
        self.heard: list[int] = []
        # How many C-FINDs were heard.
        self.questions = 0
        self.ended = threading.Event()

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def read_pdu(self) -> tuple[int, bytes]:
        kind, length = struct.unpack(">BxI", self._read(6))
        self.heard.append(kind)
        return kind, self._read(length)

    def read_message(self) -> None:
        """Read one request; Over when there is none any more."""
        last = False
        wanted = 1
        while not last:
            kind, body = self.read_pdu()
            if kind == 0x05:
                self.send(pdu(0x06, bytes(4)))
            if kind != 0x04:
                raise Over
            length, self.context_id, control = struct.unpack_from(">IBB", body)
            if control & 1:
                self._read_command(body[6 : 4 + length])
                wanted = 2 if self.operation == FIND_REQUEST else 1
            last = control == (3 if wanted == 1 else 2)
        if self.operation != CANCEL_REQUEST:
            self.answering = self.operation
        self.questions += self.operation == FIND_REQUEST

    def row(self, **changes: int | bytes | None) -> bytes:
        """One pending answer to what was asked."""
        data_set = changes.pop("data_set", match(1))
        assert data_set is None or isinstance(data_set, bytes)
        return self.answer(0xFF00, data_set, **changes)

    def answer(
        self, status: int | None, data_set: bytes | None = None, **changes: int | bytes | None
    ) -> bytes:
        """An answer to what was asked, or to something else where `changes` say so."""
        values: dict[int, int | bytes | None] = {
            0x0100: changes.get("operation", self.answering | RESPONSE),
            0x0120: changes.get("message_id", self.message_id),
            0x0800: changes.get("data_set_type", 0x0101 if data_set is None else 0x0001),
            0x0900: status,
        }
        context_id = changes.get("context_id", self.context_id)
        assert isinstance(context_id, int)
        said = p_data((context_id, 3, command(values)))
        return said if data_set is None else said + p_data((context_id, 2, data_set))

    def announcement(self) -> bytes:
        """The command of a pending answer, whose identifier is still to come."""
        return self.answer(0xFF00, data_set_type=0x0001)

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self.connection.recv(count - len(data))
            if not more:
                raise Over
            data += more
        return data

    def _read_command(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            _, element, length = struct.unpack_from("<HHI", data, at)
            if element == 0x0100:
                (self.operation,) = struct.unpack_from("<H", data, at + 8)
            if element == 0x0110:
                (self.message_id,) = struct.unpack_from("<H", data, at + 8)
            at += 8 + length


class Peer:
    """A listening peer; every connection until `heal` follows the script, later ones `HEALTHY`.

    A `script` of None refuses connections. Leaving the block ends every thread and connection.
    """

    def __init__(self, script: Script | None) -> None:
        self._script = script
        self._listening = socket.socket()
        self._listening.bind(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.talks: list[Talk] = []
        self._threads: list[threading.Thread] = []
        self._over = threading.Event()

    def heal(self) -> None:
        """Behave from the next connection on."""
        refused = self._script is None
        self._script = HEALTHY
        if refused:
            self._listen()

    @property
    def questions(self) -> int:
        """How many C-FINDs it has heard, over all its connections."""
        return sum(talk.questions for talk in self.talks)

    def hang_up(self) -> None:
        """Close every connection, as an archive that restarts does."""
        for talk in self.talks:
            with suppress(OSError):
                talk.connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        if self._script is not None:
            self._listen()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self.hang_up()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        self._listening.close()

    def _listen(self) -> None:
        self._listening.listen()
        self._start(self._accept)

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True, name=f"peer {self.port}")
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            talk = Talk(connection, self._over, len(self.talks))
            self.talks.append(talk)
            script = self._script or ()
            self._start(lambda talk=talk, script=script: _follow(script, talk))


def _follow(script: Script, talk: Talk) -> None:
    with talk.connection, suppress(Over, OSError):
        for step in script:
            step(talk)
    talk.ended.set()


# --- bytes


def pdu(kind: int, body: bytes) -> bytes:
    return struct.pack(">BxI", kind, len(body)) + body


def p_data(*items: tuple[int, int, bytes]) -> bytes:
    """A P-DATA-TF of items: context id, message control header, fragment."""
    return pdu(
        0x04,
        b"".join(
            struct.pack(">IBB", len(fragment) + 2, context_id, control) + fragment
            for context_id, control, fragment in items
        ),
    )


def command(values: dict[int, int | bytes | None]) -> bytes:
    """A command set; None leaves an element out."""
    body = b""
    for element, value in sorted(values.items()):
        raw = struct.pack("<H", value) if isinstance(value, int) else value
        if raw is not None:
            body += struct.pack("<HHI", 0, element, len(raw)) + raw
    return struct.pack("<HHII", 0, 0, 4, len(body)) + body


def element(group: int, number: int, value: bytes) -> bytes:
    """An element in Implicit VR Little Endian."""
    value += b" " * (len(value) % 2)
    return struct.pack("<HHI", group, number, len(value)) + value


def match(number: int, *, patient_id: bytes = b"7", more: bytes = b"") -> bytes:
    """A study of the patient 7, as an identifier."""
    return (
        element(0x0008, 0x0052, b"STUDY")
        + element(0x0010, 0x0010, b"ZZSECRET^JANE")
        + element(0x0010, 0x0020, patient_id)
        + element(0x0020, 0x000D, f"1.2.{number}".encode())
        + more
    )


def acceptance(
    talk: Talk, *, result: int = 0, syntax: bytes = IMPLICIT, shift: int = 0, items: bool = True
) -> bytes:
    """An A-ASSOCIATE-AC to what was requested (PS3.8 9.3.3)."""

    def item(kind: int, body: bytes) -> bytes:
        return struct.pack(">BxH", kind, len(body)) + body

    contexts = b"".join(
        item(0x21, bytes([id_ + shift, 0, result, 0]) + item(0x40, syntax)) for id_ in talk.contexts
    )
    user = item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3")
    variable = item(0x10, b"1.2.840.10008.3.1.1.1") + contexts + item(0x50, user)
    return pdu(0x02, b"\0\1\0\0" + talk.request[4:36] + bytes(32) + (variable if items else b""))


# --- steps


def hear_request(talk: Talk) -> None:
    """Read the A-ASSOCIATE-RQ and note what it offers."""
    _, talk.request = talk.read_pdu()
    at = 68
    while at < len(talk.request):
        kind, length = struct.unpack_from(">BxH", talk.request, at)
        if kind == 0x20:
            talk.contexts[talk.request[at + 4]] = talk.request[at + 8 : at + 4 + length]
        at += 4 + length


def accept(talk: Talk) -> None:
    hear_request(talk)
    talk.send(acceptance(talk))


def hear_question(talk: Talk) -> None:
    talk.read_message()


def give_rows(count: int) -> Step:
    """Answer with this many matches that differ."""

    def step(talk: Talk) -> None:
        for number in range(count):
            talk.send(talk.row(data_set=match(number)))

    return step


def give(make: Callable[[Talk], bytes]) -> Step:
    """Send what is made of the question."""
    return lambda talk: talk.send(make(talk))


def hear_cancel(talk: Talk) -> None:
    """Read until a C-CANCEL-RQ comes."""
    while talk.operation != CANCEL_REQUEST:
        talk.read_message()


def hear_release(talk: Talk) -> None:
    """Read until an A-RELEASE-RQ comes, and do not answer it."""
    while talk.read_pdu()[0] != 0x05:
        pass


def row(**changes: int | bytes | None) -> Step:
    """One match, not quite as it should be."""
    return give(lambda talk: talk.row(**changes))


def say(data: bytes) -> Step:
    return lambda talk: talk.send(data)


def end(status: int = 0x0000) -> Step:
    """The final answer."""
    return lambda talk: talk.send(talk.answer(status))


def hold(talk: Talk) -> None:
    """Say nothing more, and read until the other side ends the connection."""
    while True:
        talk.read_pdu()


def at_first(*steps: Step) -> Step:
    """Only this on the first connection."""

    def step(talk: Talk) -> None:
        if talk.number:
            return
        for deed in steps:
            deed(talk)
        raise Over

    return step


def reset(talk: Talk) -> None:
    """Close with a RST instead of a FIN."""
    talk.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    talk.connection.close()


def forever(make: Callable[[Talk], bytes]) -> Step:
    """Send it again and again, reading nothing."""

    def step(talk: Talk) -> None:
        while True:
            talk.send(make(talk))

    return step


def drip(make: Callable[[Talk], bytes], seconds: float) -> Step:
    """Send it byte by byte, waiting this long after each."""

    def step(talk: Talk) -> None:
        for byte in make(talk):
            talk.send(bytes([byte]))
            if talk.over.wait(seconds):
                raise Over

    return step


def behave(talk: Talk) -> None:
    """Answer every question: a C-FIND with three matches."""
    while True:
        hear_question(talk)
        if talk.operation == FIND_REQUEST:
            give_rows(3)(talk)
        end()(talk)


HEALTHY: Script = (accept, behave)
