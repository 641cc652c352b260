"""The DICOM upper layer as its requestor needs it (PS3.8 9), without a socket.

Theory of operation. `UpperLayer` is fed the bytes that arrived and says what they mean; it turns
what we want to say into bytes. It never waits, reads a clock or touches a connection, so every
rule of PS3.8 in it can be tested by calling it.

    layer = UpperLayer()
    connection.sendall(layer.associate(request))
    layer.receive(connection.recv(65536))
    event = layer.next_event()          # None: needs more bytes

A requestor passes through few of the 13 states of PS3.8 9.2; `_TRANSITIONS` holds exactly the
pairs of state and PDU that are allowed, anything else is a ProtocolViolation and the end of the
association. P-DATA fragments are put together to whole messages, one at a time (PS3.8 Annex E:
fragments of two messages may not interleave). Every length is checked before memory is given to
it. A-ASSOCIATE PDUs are read and written by pynetdicom; the five small ones and P-DATA, where the
time goes, are read here.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from ..errors import ProtocolViolation
from . import command as command_set
from .command import NO_DATA_SET, Field
from .pdu import PDU, Accepted, Event, Message, event_of

if TYPE_CHECKING:
    from pynetdicom.pdu import A_ASSOCIATE_RQ


class State(Enum):
    """The states of PS3.8 9.2.1 a requestor passes through, by what it waits for."""

    IDLE = "Sta4"
    ASSOCIATING = "Sta5"
    ESTABLISHED = "Sta6"
    RELEASING = "Sta7"
    CLOSED = "Sta13"


# PS3.8 Table 9-10 as far as it concerns a requestor: where each PDU leads from each state.
_TRANSITIONS: dict[tuple[State, int], State] = {
    (State.ASSOCIATING, PDU.ASSOCIATE_AC): State.ESTABLISHED,  # AE-3
    (State.ASSOCIATING, PDU.ASSOCIATE_RJ): State.CLOSED,  # AE-4
    (State.ASSOCIATING, PDU.ABORT): State.CLOSED,  # AA-3
    (State.ESTABLISHED, PDU.DATA_TF): State.ESTABLISHED,  # DT-2
    (State.ESTABLISHED, PDU.RELEASE_RQ): State.CLOSED,  # AR-2, answered with AR-4 at once
    (State.ESTABLISHED, PDU.ABORT): State.CLOSED,  # AA-3
    (State.RELEASING, PDU.DATA_TF): State.RELEASING,  # AR-6
    (State.RELEASING, PDU.RELEASE_RQ): State.CLOSED,  # AR-8, both sides want to end
    (State.RELEASING, PDU.RELEASE_RP): State.CLOSED,  # AR-3
    (State.RELEASING, PDU.ABORT): State.CLOSED,  # AA-3
}

# PDUs other than P-DATA are small: 128 contexts with their syntaxes stay well under this.
_MAXIMUM_CONTROL_LENGTH = 64 * 1024

# A fragment of a query or a match is smaller than this, one of an image larger.
_LARGE = 4096

# A command set is under 1 KiB; a peer that sends more is broken.
_MAXIMUM_COMMAND = 16 * 1024

_HEADER = struct.Struct(">BxI")
_PDV = struct.Struct(">IBB")
_CONTEXT_AT = _HEADER.size + 4  # after the length of the first item


@dataclass(slots=True)
class UpperLayer:
    """One association's state and half-read bytes.

    `maximum_length` is the largest P-DATA-TF we announce and accept, `maximum_data_set` the
    largest data set put together from fragments; both in bytes. `too_large` is one that had more,
    as far as it was put together.
    """

    maximum_length: int = 128 * 1024
    maximum_data_set: int = 1024 * 1024
    state: State = State.IDLE
    too_large: Message | None = None
    _received: bytearray = field(default_factory=bytearray)
    _at: int = 0
    _context_id: int = 0
    _command: bytearray = field(default_factory=bytearray)
    _parsed: Mapping[int, int | str] | None = None
    _last_command: bytes = b""
    _last_parsed: Mapping[int, int | str] = field(default_factory=dict[int, int | str])
    # A whole PDU that held the last command and nothing else.
    _last_pdu: bytes = b""
    _data_set: bytearray = field(default_factory=bytearray)
    _missing: int = 0
    _last: bool = False
    _events: list[Event] = field(default_factory=list[Event])
    _peer_maximum_length: int = 16 * 1024

    def associate(self, request: "A_ASSOCIATE_RQ") -> bytes:
        """The A-ASSOCIATE-RQ to send."""
        self._expect(State.IDLE)
        self.state = State.ASSOCIATING
        return request.encode()

    def message(self, context_id: int, command: command_set.Command, data_set: bytes) -> bytes:
        """A whole message as P-DATA-TF PDUs no larger than the peer accepts, in one piece."""
        self._expect(State.ESTABLISHED)
        out = bytearray()
        self._fragments(out, context_id, command_set.encode(command), is_command=True)
        if data_set:
            self._fragments(out, context_id, data_set, is_command=False)
        return bytes(out)

    def release(self) -> bytes:
        """An A-RELEASE-RQ (PS3.8 9.3.6)."""
        self._expect(State.ESTABLISHED)
        self.state = State.RELEASING
        return _HEADER.pack(PDU.RELEASE_RQ, 4) + bytes(4)

    def release_reply(self) -> bytes:
        """An A-RELEASE-RP (PS3.8 9.3.7), the answer to `ReleaseRequested`."""
        return _HEADER.pack(PDU.RELEASE_RP, 4) + bytes(4)

    def abort(self) -> bytes:
        """An A-ABORT by the service-user (PS3.8 9.3.8); allowed in every state."""
        self.state = State.CLOSED
        return _HEADER.pack(PDU.ABORT, 4) + bytes(4)

    @property
    def at_rest(self) -> bool:
        """Whether everything that arrived has been understood and handed out."""
        return self._parsed is None and not (
            self._events or self._command or len(self._received) - self._at
        )

    @property
    def held(self) -> int:
        """Bytes of what is not whole yet."""
        return len(self._data_set) + len(self._received) - self._at

    def receive(self, data: bytes | memoryview) -> None:
        """Take bytes that arrived."""
        if self._missing:
            taken = min(self._missing, len(data))
            self._data_set += data[:taken]
            self._missing -= taken
            data = data[taken:]
            if not self._missing and self._last:
                self._whole()
        self._received += data

    def next_event(self) -> Event | None:
        """What the bytes so far mean, one event at a time; None when more are needed.

        Raises ProtocolViolation, after which the association must be aborted.
        """
        while not self._events:
            if not (self._again() or self._next_pdu()):
                return None
        return self._events.pop(0)

    def _again(self) -> bool:
        """The last command once more, before a data set: most PDUs are, and one comparison of
        bytes tells. With the data set in one PDU the message is whole."""
        received, at = self._received, self._at
        last = self._last_pdu
        if not last or self._parsed is not None or not received.startswith(last, at):
            return False
        if self._command or self.state is not State.ESTABLISHED:
            return False
        self._parsed = self._last_parsed
        self._context_id = last[_CONTEXT_AT]
        self._at = at = at + len(last)
        if len(received) - at < 12:
            return True
        kind, length = _HEADER.unpack_from(received, at)
        if kind != PDU.DATA_TF or not 8 <= length <= min(self.maximum_length, _LARGE):
            return True
        size, context_id, control = _PDV.unpack_from(received, at + 6)
        end = at + 6 + length
        if control == 2 and size + 4 == length and end <= len(received):  # noqa: SIM102
            if context_id == self._context_id and not self._data_set:
                self._events.append(Message(context_id, self._parsed, received[at + 12 : end]))
                self._parsed = None
                self._at = end
        return True

    def _next_pdu(self) -> bool:
        received, at = self._received, self._at
        if len(received) - at < 6:
            self._forget()
            return False
        kind, length = _HEADER.unpack_from(received, at)
        after = self._allowed(kind, length)
        if len(received) - at - 6 < length:
            self._begin_large(kind, length)
            self._forget()
            return False
        self._at = at + 6 + length
        if kind == PDU.DATA_TF:
            self._fragments_received(at + 6, self._at)
            if self._parsed is not None and len(self._command) + 6 == length:
                self._last_pdu = bytes(received[at : self._at])
        else:
            self._events.append(event_of(PDU(kind), bytes(received[at : self._at])))
            if kind == PDU.ASSOCIATE_AC:
                self._accepted()
        self.state = after
        return True

    def _begin_large(self, kind: int, length: int) -> None:
        """A large fragment of a data set goes into it as it arrives: copied once instead of three
        times, a retrieval of 158 MB takes two thirds of the time."""
        at = self._at + 6
        if kind != PDU.DATA_TF or length < _LARGE or len(self._received) - at < 6:
            return
        size, context_id, control = _PDV.unpack_from(self._received, at)
        if size + 4 != length or control & 1:
            return
        self._fragment(context_id, control & ~2, self._received[at + 6 :], size - 2)
        self._missing = size - 2 - (len(self._received) - at - 6)
        self._last = bool(control & 2)
        self._at = len(self._received)

    def _allowed(self, kind: int, length: int) -> State:
        """The state this PDU leads to; asked before a byte of its body is waited for."""
        after = _TRANSITIONS.get((self.state, kind))
        if after is None:
            raise _not_allowed(kind, self.state)
        # Peers that ignore our limit by a header's size are common; more than that is a flood.
        longest = self.maximum_length + 64 if kind == PDU.DATA_TF else _MAXIMUM_CONTROL_LENGTH
        if length > longest:
            raise ProtocolViolation(
                f"a PDU of {length} bytes exceeds the {longest} agreed (PS3.8 D.1)"
            )
        return after

    def _fragments_received(self, at: int, end: int) -> None:
        received = self._received
        if at == end:
            raise ProtocolViolation("a P-DATA-TF PDU holds no item (PS3.8 9.3.5)")
        while at < end:
            if end - at < 6:
                raise ProtocolViolation("a P-DATA item was cut short (PS3.8 9.3.5)")
            length, context_id, control = _PDV.unpack_from(received, at)
            stop = at + 4 + length
            if length < 2 or stop > end:
                raise ProtocolViolation("a P-DATA item has an impossible length (PS3.8 9.3.5.1)")
            self._fragment(context_id, control, received[at + 6 : stop])
            at = stop

    def _fragment(self, context_id: int, control: int, fragment: bytearray, size: int = 0) -> None:
        """One fragment into its message; control's bit 0: command, bit 1: last (PS3.8 E.2).

        `size` is given when this is only the beginning of a fragment of so many bytes.
        """
        if context_id != self._context_id and (self._command or self._parsed is not None):
            raise ProtocolViolation("fragments of two messages are mixed (PS3.8 E.1)")
        self._context_id = context_id
        if control & 1:
            self._command_fragment(fragment, last=bool(control & 2))
            return
        if self._parsed is None:
            raise ProtocolViolation("a data set arrived without its command (PS3.7 6.3.1)")
        if len(self._data_set) + max(len(fragment), size) > self.maximum_data_set:
            room = self.maximum_data_set - len(self._data_set)
            self.too_large = Message(context_id, self._parsed, self._data_set + fragment[:room])
            raise ProtocolViolation(
                f"a data set exceeds {self.maximum_data_set} bytes",
                "Ask for fewer attributes (attribute_preset=minimal)",
            )
        self._data_set += fragment
        if control & 2:
            self._whole()

    def _command_fragment(self, fragment: bytearray, *, last: bool) -> None:
        if self._parsed is not None:
            raise ProtocolViolation("a command arrived inside a data set (PS3.7 6.3.1)")
        if len(self._command) + len(fragment) > _MAXIMUM_COMMAND:
            raise ProtocolViolation(f"a DIMSE command exceeds {_MAXIMUM_COMMAND} bytes")
        self._command += fragment
        if not last:
            return
        # All answers but the last begin with the same command: 3 us saved of 15 for each match.
        command = bytes(self._command)
        if command != self._last_command:
            self._last_parsed = command_set.decode(command)
            self._last_command = command
            self._last_pdu = b""
        self._parsed = self._last_parsed
        if command_set.number(self._parsed, Field.COMMAND_DATA_SET_TYPE) == NO_DATA_SET:
            self._whole()

    def _whole(self) -> None:
        assert self._parsed is not None
        self._events.append(Message(self._context_id, self._parsed, self._data_set))
        self._command.clear()
        self._data_set = bytearray()
        self._parsed = None

    def _accepted(self) -> None:
        accepted = self._events[-1]
        assert isinstance(accepted, Accepted)
        # 0 means no limit (PS3.8 D.1.1); ours is enough.
        self._peer_maximum_length = accepted.maximum_length or self.maximum_length

    def _fragments(self, out: bytearray, context_id: int, data: bytes, *, is_command: bool) -> None:
        # Fragments have an even number of bytes (PS3.8 E.1), whatever the peer's limit is.
        size = max((self._peer_maximum_length - 6) & ~1, 2)
        for at in range(0, len(data), size):
            piece = data[at : at + size]
            control = (1 if is_command else 0) | (2 if at + size >= len(data) else 0)
            out += _HEADER.pack(PDU.DATA_TF, len(piece) + 6)
            out += _PDV.pack(len(piece) + 2, context_id, control)
            out += piece

    def _forget(self) -> None:
        """Give back the memory of what has been read."""
        if self._at:
            del self._received[: self._at]
            self._at = 0

    def _expect(self, state: State) -> None:
        if self.state is not state:
            raise ProtocolViolation(f"not allowed in state {self.state.value} (PS3.8 9.2)")


# Alert and handshake (RFC 8446 5.1), which begin as a PDU of that type would.
_TLS_RECORDS = frozenset({0x15, 0x16})


def _not_allowed(kind: int, state: State) -> ProtocolViolation:
    if kind in set(PDU):
        return ProtocolViolation(
            f"a PDU of type {PDU(kind).name} is not allowed in state {state.value} (PS3.8 9.2)"
        )
    if kind in _TLS_RECORDS:
        return ProtocolViolation(
            "it answered in TLS", "This port speaks TLS: configure tls for this node"
        )
    return ProtocolViolation(
        f"it sent PDU type 0x{kind:02X}, which does not exist (PS3.8 9.3.1)",
        "Check that the port is the archive's DICOM port and not, say, its web server's",
    )
