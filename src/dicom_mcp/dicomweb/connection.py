"""One HTTP/1.1 connection on which nothing can wait longer than a deadline.

h11 knows the protocol and never touches the socket; every read and write of the socket asks the
deadline of the question it belongs to, and a cancelled question shuts it down. *Drained or dead*: a
connection is used again only when its last answer was read to its end and nothing came after it.
"""

import base64
import socket
import ssl
import zlib
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic

import h11

from ..deadline import Deadline
from ..errors import (
    ConnectionLost,
    DeadlinePassed,
    ProtocolViolation,
    Unreachable,
)
from ..machine import acknowledge_at_once, longest_wait, send_all
from ..network.breaker import Breaker
from ..network.connect import connect
from ..network.tls import broken, end, is_quiet, secured, shut_down, tls_context
from ..node import Basic, Bearer, Certificate, WebNode

# Servers close what is idle after 1 (Orthanc) to 75 seconds; an older connection is not worth it.
IDLE_SECONDS = 20.0

# Once the end of what was asked for is read, what still may follow is a chunk of nothing.
_DRAIN_SECONDS = 0.25
_MOST_DRAINED = 64 * 1024

# The status line and header fields of an answer; 100 KiB is what servers accept of ours, too.
_MOST_HEAD = 100 * 1024

# More than a page of most answers.
_READ_SIZE = 256 * 1024

# Of compressed bytes so many are taken out at a time.
_INFLATED = 256 * 1024

# gzip or zlib.
_BY_ITS_HEADER = zlib.MAX_WBITS | 32


@dataclass(frozen=True, slots=True)
class Response:
    """Status and header fields (names in lower case) of an answer, and its content as it comes,
    decompressed. `tells_its_end` says that content which was cut would have been noticed; without
    a length or chunks the end of the connection is its only end (RFC 9112 6.3)."""

    status: int
    headers: Mapping[str, str]
    content: Iterator[bytes]
    tells_its_end: bool = True


class Connection:
    """One connection to a node, made at its first use; for one question at a time."""

    def __init__(self, node: WebNode, context: ssl.SSLContext | None, breaker: Breaker) -> None:
        self._host, self._port = node.host, node.port
        self._breaker = breaker
        self._context = context
        self._headers = _headers(node)
        self._line: _Line | None = None
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEAD)
        self._clean = True
        self._idle_since = 0.0
        self.used = False

    @contextmanager
    def ask(
        self,
        target: str,
        accept: str,
        *,
        deadline: Deadline,
        method: str = "GET",
    ) -> Generator[Response]:
        """Ask for `target` (GET, unless another method is named); the answer must be read in the
        block, or the connection is lost.

        Raises Unreachable, ConnectionLost, ProtocolViolation, DeadlinePassed or Cancelled.
        """
        self._clean = False
        line = self._line = self._line or self._open(deadline)
        line.deadline = deadline
        with self._translating(line), deadline.interrupting(line.interrupt):
            self._send(line, target, accept, method)
            self.used = True
            answer = self._head(line)
            fields: dict[str, str] = {}
            for raw_name, value in answer.headers:  # repeated ones are one list (RFC 9110 5.3)
                name, text = raw_name.decode(), value.decode("latin-1")
                fields[name] = f"{fields[name]}, {text}" if name in fields else text
            content = self._content(line)
            yield Response(
                answer.status_code, fields, _decoded(content, fields), _tells_its_end(fields)
            )
            self._drain(line, content, deadline)
            self._clean = self._is_at_end() and not line.was_interrupted
        self._idle_since = monotonic()

    def is_alive(self) -> bool:
        """Whether another question can be asked over it."""
        if not self._clean or not self._line or monotonic() - self._idle_since >= IDLE_SECONDS:
            return False
        return self._line.is_quiet()

    def close(self) -> None:
        """Close it, whatever it is doing."""
        if self._line:
            self._line.close()

    def _open(self, deadline: Deadline) -> "_Line":
        self._breaker.check()
        try:
            line = _Line.open(self._host, self._port, self._context, deadline=deadline)
        except (Unreachable, DeadlinePassed) as error:
            self._breaker.failed(error)
            raise
        self._breaker.reached()
        return line

    def _send(self, line: "_Line", target: str, accept: str, method: str) -> None:
        headers = [*self._headers, ("Accept", accept)]
        head = self._http.send(h11.Request(method=method, target=target, headers=headers)) or b""
        line.write(head + (self._http.send(h11.EndOfMessage()) or b""))

    def _head(self, line: "_Line") -> h11.Response:
        while True:
            event = self._event(line)
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse) or event.status_code == 101:
                raise _not_http()

    def _content(self, line: "_Line") -> Iterator[bytes]:
        while isinstance(event := self._event(line), h11.Data):
            yield bytes(event.data)

    def _event(self, line: "_Line") -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            read = line.read()
            begins = not self._http.trailing_data[0] and self._http.their_state is h11.SEND_RESPONSE
            if begins and read and not b"HTTP/1.".startswith(read[:7]):
                raise _not_http()  # before h11 waits for the end of a header that never comes
            self._http.receive_data(read)
        return event

    def _drain(self, line: "_Line", content: Iterator[bytes], deadline: Deadline) -> None:
        """Read to the end if that is near, so that the connection can be kept."""
        line.deadline = deadline.at_most(_DRAIN_SECONDS)
        left = _MOST_DRAINED
        with suppress(DeadlinePassed, ConnectionLost, h11.RemoteProtocolError):
            for chunk in content:
                left -= len(chunk)
                if left < 0:
                    return

    def _is_at_end(self) -> bool:
        """Whether the answer is over and nothing came after it, which would be taken for the
        answer to the next question."""
        if self._http.states != {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}:
            return False
        if self._http.trailing_data != (b"", False):
            return False
        self._http.start_next_cycle()
        return True

    @contextmanager
    def _translating(self, line: "_Line") -> Generator[None]:
        """How h11 says that an answer was none. Its texts may quote the peer: not shown."""
        try:
            yield
        except h11.RemoteProtocolError as error:
            if line.deadline:
                line.deadline.check()
            if line.ended:
                raise _lost() from error
            raise _not_http() from error


class _Line:
    """A connected socket and until when it may wait."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self.deadline = deadline
        self.ended = False
        self.was_interrupted = False
        self._socket = connected

    @classmethod
    def open(
        cls, host: str, port: int, context: ssl.SSLContext | None, *, deadline: Deadline
    ) -> "_Line":
        """Connect, over TLS with this context. Raises Unreachable, ConnectionLost, DeadlinePassed
        or Cancelled."""
        connected = connect(host, port, deadline=deadline)
        if context:
            connected = secured(connected, context, host, deadline=deadline)
        return cls(connected, deadline)

    def read(self) -> bytes:
        """The next bytes, none at the end of the connection."""
        while True:
            try:
                self._socket.settimeout(longest_wait(self.deadline.remaining()))
                acknowledge_at_once(self._socket)
                read = self._socket.recv(_READ_SIZE)
            except TimeoutError:
                continue
            except OSError as error:
                self.deadline.check()
                self.ended = True
                raise broken(error, self._socket, _lost()) from error
            if not read:
                self.deadline.check()
                self.ended = True
            return read

    def write(self, message: bytes) -> None:
        """Send all of it."""
        try:
            send_all(self._socket, message, deadline=self.deadline)
        except OSError as error:
            self.deadline.check()
            self.ended = True
            raise broken(error, self._socket, _lost()) from error

    def close(self) -> None:
        end(self._socket)

    def interrupt(self) -> None:
        """End a read or write another thread is waiting in."""
        self.was_interrupted = True
        shut_down(self._socket, socket.SHUT_RDWR)

    def is_quiet(self) -> bool:
        """Whether nothing has arrived, not even the end of the connection."""
        return is_quiet(self._socket)


def context_of(node: WebNode) -> ssl.SSLContext | None:
    """What TLS to this node needs; None for plain HTTP. Raises BadConfiguration for files that
    cannot be used."""
    if not node.is_tls:
        return None
    return tls_context(node.ca_file, node.auth if isinstance(node.auth, Certificate) else None)


def _headers(node: WebNode) -> list[tuple[str, str]]:
    host = f"[{node.host}]" if ":" in node.host else node.host.encode("idna").decode()
    default = 443 if node.is_tls else 80
    headers = [
        ("Host", host if node.port == default else f"{host}:{node.port}"),
        ("User-Agent", "dicom-mcp"),
        # Compressing pays on the way to a cloud, and costs in the same house.
        ("Accept-Encoding", "gzip" if node.is_tls else "identity"),
    ]
    match node.auth:
        case Basic(username, password):
            words = base64.b64encode(f"{username}:{password}".encode()).decode()
            headers.append(("Authorization", f"Basic {words}"))
        case Bearer(token):
            headers.append(("Authorization", f"Bearer {token}"))
        case _:
            pass
    return headers


def _decoded(raw: Iterator[bytes], headers: Mapping[str, str]) -> Iterator[bytes]:
    """The content, a bounded piece at a time however much a compressed one holds."""
    coding = headers.get("content-encoding", "").strip().lower()
    if coding in ("", "identity"):
        yield from raw
        return
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise ProtocolViolation("it compressed its answer in a way it was not asked for")
    inflating = zlib.decompressobj(_BY_ITS_HEADER)
    try:
        for compressed in raw:
            left = compressed
            while left.strip(b"\0") if inflating.eof else left:
                if inflating.eof:  # one member may follow another (RFC 1952 2.2)
                    inflating = zlib.decompressobj(_BY_ITS_HEADER)
                yield inflating.decompress(left, _INFLATED)
                left = inflating.unconsumed_tail or inflating.unused_data
        while not inflating.eof:
            rest = inflating.decompress(inflating.unconsumed_tail, _INFLATED)
            if not rest:
                raise _lost()
            yield rest
    except zlib.error as error:
        raise ProtocolViolation("its answer could not be decompressed") from error


def _tells_its_end(headers: Mapping[str, str]) -> bool:
    compressed = headers.get("content-encoding", "").strip().lower() not in ("", "identity")
    return compressed or "content-length" in headers or "transfer-encoding" in headers


def _not_http() -> ProtocolViolation:
    return ProtocolViolation(
        "it answered with something that is not HTTP/1.1",
        "Check that base_url names a DICOMweb server, not its DICOM port, and whether it has to "
        "begin with https://",
    )


def _lost() -> ConnectionLost:
    return ConnectionLost(
        "the connection was closed before the answer was complete",
        "Try again; if it stays so, look for this question in the log of the archive or of the "
        "proxy before it",
    )
