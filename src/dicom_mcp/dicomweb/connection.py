"""One HTTP/1.1 connection on which nothing can wait longer than a deadline.

h11 knows the protocol and never touches the socket; every read and write of the socket asks the
deadline of the question it belongs to, and a cancelled question shuts it down. *Drained or dead*: a
connection is used again only when its last answer was read to its end and nothing came after it.
"""

import base64
import os
import select
import socket
import ssl
import threading
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from errno import ECONNREFUSED, EINPROGRESS
from time import monotonic
from typing import Any

import h11

from ..deadline import Deadline
from ..errors import (
    BadConfiguration,
    ConnectionLost,
    ConnectionRefused,
    ConnectionTimedOut,
    DeadlinePassed,
    NameNotResolved,
    ProtocolViolation,
    Unreachable,
)
from ..node import Basic, Bearer, Certificate, WebNode

# A dropped SYN is answered by nobody; the kernel would go on for two minutes.
CONNECT_SECONDS = 10.0

# Servers close what is idle after 1 (Orthanc) to 75 seconds; an older connection is not worth it.
IDLE_SECONDS = 20.0

# Once the end of what was asked for is read, what still may follow is a chunk of nothing.
_DRAIN_SECONDS = 0.25
_MOST_DRAINED = 64 * 1024

# The status line and header fields of an answer; 100 KiB is what servers accept of ours, too.
_MOST_HEAD = 100 * 1024

# More than a page of most answers.
_READ_SIZE = 256 * 1024

# How long a last word of a peer that hung up is waited for; it is there already or never comes.
_LAST_SECONDS = 0.1

# How soon an attempt to connect, which nothing can wake, notices that it was cancelled.
_CANCEL_SLICE = 0.1

# Of compressed bytes so many are taken out at a time.
_INFLATED = 256 * 1024


@dataclass(frozen=True, slots=True)
class Response:
    """Status and header fields (names in lower case) of an answer, and its content as it comes,
    decompressed."""

    status: int
    headers: Mapping[str, str]
    content: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent with a request: its media type, and its bytes in pieces."""

    kind: str
    pieces: Sequence[bytes | bytearray]


class Connection:
    """One connection to a node, made at its first use; for one question at a time."""

    def __init__(self, node: WebNode, context: ssl.SSLContext | None) -> None:
        self._host, self._port = node.host, node.port
        self._context = context
        self._headers = _headers(node)
        self._line: _Line | None = None
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEAD)
        self._clean = True
        self._idle_since = 0.0
        self.used = False

    @contextmanager
    def ask(
        self, target: str, accept: str, *, deadline: Deadline, body: Body | None = None
    ) -> Generator[Response]:
        """Ask for `target` (GET), or send it a body (POST); the answer must be read in the block,
        or the connection is lost.

        Raises Unreachable, ConnectionLost, ProtocolViolation, DeadlinePassed or Cancelled.
        """
        self._clean = False
        line = self._line = self._line or _Line.open(
            self._host, self._port, self._context, deadline=deadline
        )
        line.deadline = deadline
        with self._translating(line), deadline.interrupting(line.interrupt):
            self._send(line, target, accept, body)
            self.used = True
            answer = self._head(line)
            fields: dict[str, str] = {}
            for raw_name, value in answer.headers:  # repeated ones are one list (RFC 9110 5.3)
                name, text = raw_name.decode(), value.decode("latin-1")
                fields[name] = f"{fields[name]}, {text}" if name in fields else text
            content = self._content(line)
            yield Response(answer.status_code, fields, _decoded(content, fields))
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

    def _send(self, line: "_Line", target: str, accept: str, body: Body | None) -> None:
        headers = [*self._headers, ("Accept", accept)]
        if body:
            length = sum(map(len, body.pieces))
            headers += [("Content-Type", body.kind), ("Content-Length", str(length))]
        request = h11.Request(method="POST" if body else "GET", target=target, headers=headers)
        head = self._http.send(request) or b""
        for piece in body.pieces if body else ():
            line.write(head)
            head = self._http.send(h11.Data(data=bytes(piece))) or b""
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
        line = cls(_open(host, port, deadline), deadline)
        if context:
            try:
                with deadline.interrupting(line.interrupt):
                    line._start_tls(context, host)
            except BaseException:
                line.close()
                raise
        return line

    def _start_tls(self, context: ssl.SSLContext, host: str) -> None:
        try:
            self._socket.settimeout(self.deadline.at_most(CONNECT_SECONDS).remaining())
            self._socket = context.wrap_socket(self._socket, server_hostname=host)
        except OSError as error:
            self.deadline.check()
            raise _no_tls(error) from error

    def read(self) -> bytes:
        """The next bytes, none at the end of the connection."""
        while True:
            try:
                self._socket.settimeout(self.deadline.remaining())
                _acknowledge_at_once(self._socket)
                read = self._socket.recv(_READ_SIZE)
            except TimeoutError:
                continue
            except ssl.SSLError as error:
                self.deadline.check()
                # TLS 1.3 tells of a missing client certificate at the first read only.
                raise _no_tls(error) from error
            except OSError as error:
                self.deadline.check()
                self.ended = True
                raise _lost() from error
            if not read:
                self.deadline.check()
                self.ended = True
            return read

    def write(self, message: bytes) -> None:
        """Send all of it."""
        unsent = memoryview(message)
        try:
            while unsent:
                self._socket.settimeout(self.deadline.remaining())
                unsent = unsent[self._socket.send(unsent) :]
        except TimeoutError:
            raise DeadlinePassed(
                "the archive stopped reading what was sent to it", "Try again later"
            ) from None
        except OSError as error:
            self.deadline.check()
            self.ended = True
            raise self._last_words() from error

    def _last_words(self) -> Unreachable | ConnectionLost:
        """Why the peer hung up while it was written to: what TLS it did not like came before."""
        try:
            if isinstance(self._socket, ssl.SSLSocket):
                self._socket.settimeout(_LAST_SECONDS)
                self._socket.recv(1)
        except ssl.SSLError as told:
            if told.reason in _TLS_REASONS:
                return _no_tls(told)
        except OSError:
            pass
        return _lost()

    def close(self) -> None:
        self._socket.close()

    def interrupt(self) -> None:
        """End a read or write another thread is waiting in."""
        self.was_interrupted = True
        with suppress(OSError, ValueError):
            # SSLSocket's own would take the TLS session away from under the reader.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def is_quiet(self) -> bool:
        """Whether nothing has arrived, not even the end of the connection."""
        with suppress(OSError, ValueError):
            waiting = select.poll()
            waiting.register(self._socket, select.POLLIN)
            return not waiting.poll(0)
        return False


def tls_context(node: WebNode) -> ssl.SSLContext | None:
    """What TLS to this node needs: the server is always verified. None for plain HTTP.

    Raises BadConfiguration for files that cannot be used.
    """
    if not node.is_tls:
        return None
    try:
        context = ssl.create_default_context(cafile=node.ca_file or None)
        if isinstance(node.auth, Certificate):
            # Nobody is here to be asked for a passphrase.
            context.load_cert_chain(
                node.auth.certificate, node.auth.key or None, password=lambda: b""
            )
    except (OSError, ValueError) as error:
        raise BadConfiguration(
            "the CA file or the client certificate and its key cannot be used",
            "Give readable files in PEM form, a key that belongs to its certificate and has no "
            "passphrase",
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


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
    inflating = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, by its header
    try:
        for compressed in raw:
            left = compressed
            while left and not inflating.eof:
                yield inflating.decompress(left, _INFLATED)
                left = inflating.unconsumed_tail
        while not inflating.eof:
            rest = inflating.decompress(inflating.unconsumed_tail, _INFLATED)
            if not rest:
                raise _lost()
            yield rest
    except zlib.error as error:
        raise ProtocolViolation("its answer could not be decompressed") from error


def _open(host: str, port: int, deadline: Deadline) -> socket.socket:
    """Connect to the first address of the host that answers, without Nagle's delay."""
    failure: Unreachable | None = None
    for family, address in _resolve(host, port, deadline):
        try:
            candidate = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:  # no such network here, or no file descriptor left
            failure = failure or _unreachable(error.errno or 0)
            continue
        try:
            _connect(candidate, address, deadline.at_most(CONNECT_SECONDS))
            with suppress(OSError):  # reset already: the first use says so
                candidate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except Unreachable as error:
            candidate.close()
            failure = failure or error
        except BaseException:
            candidate.close()
            raise
        else:
            return candidate
    assert failure is not None
    raise failure


def _resolve(host: str, port: int, deadline: Deadline) -> list[tuple[int, Any]]:
    """The host's addresses. The resolver knows no deadline, so it runs in a thread of its own
    that may be left behind (daemon); a numeric address needs none."""
    found: list[tuple[int, Any]] = []

    def look_up(flags: int = 0) -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
            found.extend((family, address) for family, _, _, _, address in rows)
        except (OSError, ValueError):  # ValueError: not even the form of a name
            return

    look_up(socket.AI_NUMERICHOST)
    if not found:
        resolver = threading.Thread(target=look_up, daemon=True, name=f"resolve {host}")
        resolver.start()
        step = deadline.at_most(CONNECT_SECONDS)
        with suppress(DeadlinePassed):
            while resolver.is_alive():
                deadline.check()
                resolver.join(min(_CANCEL_SLICE, step.remaining()))
    if not found:
        raise NameNotResolved(
            f"the host name {host} has no address here",
            "Check its spelling and this machine's DNS (VPN), or give the IP address",
        )
    return found


def _connect(candidate: socket.socket, address: Any, deadline: Deadline) -> None:
    candidate.setblocking(False)
    error = candidate.connect_ex(address)
    if error == EINPROGRESS:
        waiting = select.poll()
        waiting.register(candidate, select.POLLOUT)
        try:
            while not waiting.poll(1000 * min(_CANCEL_SLICE, deadline.remaining())):
                deadline.check()
        except DeadlinePassed:
            raise ConnectionTimedOut(
                f"nothing answered within {deadline.seconds:g} seconds",
                "Check host and port, the network (VPN) and any firewall in between",
            ) from None
        error = candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error == ECONNREFUSED:
        raise ConnectionRefused(
            "connection refused, nothing listens on that port",
            "Check that the archive is running and that base_url is right",
        )
    if error:
        raise _unreachable(error)


def _unreachable(error: int) -> Unreachable:
    return Unreachable(
        f"not reachable ({os.strerror(error).lower()})", "Check the host and the network (VPN)"
    )


# X509_V_ERR of OpenSSL: what is wrong with the server's certificate, and what to do.
_CERTIFICATE: dict[int, tuple[str, str]] = {
    9: ("is not valid yet", "Check the clocks of both machines"),
    10: ("has expired", "The server's administrator has to renew it"),
    62: ("is for another host name", "Use the name that is in the certificate in base_url"),
    64: ("is for another IP address", "Use the name that is in the certificate in base_url"),
} | dict.fromkeys(
    (2, 18, 19, 20, 21),
    ("was signed by nobody known here", "Name the hospital's own CA in ca_file"),
)

# What OpenSSL calls it, when it is not about the server's certificate.
_TLS_REASONS: dict[str, tuple[str, str]] = {
    "WRONG_VERSION_NUMBER": (
        "the server does not speak TLS on that port",
        "Begin base_url with http://, or give the port of its TLS",
    ),
    "UNSUPPORTED_PROTOCOL": (
        "the server speaks no version of TLS that is still allowed",
        "It has to offer TLS 1.2 or 1.3 (PS3.15 B.9)",
    ),
} | dict.fromkeys(
    ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_HANDSHAKE_FAILURE"),
    (
        "the server refused the TLS handshake, most likely for want of a client certificate",
        "Configure the client certificate that the server's administrator issued",
    ),
)


def _no_tls(error: OSError) -> Unreachable | ConnectionLost:
    if isinstance(error, TimeoutError):
        return ConnectionTimedOut(
            "the TLS handshake did not end in time", "Check that this port speaks HTTPS"
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        what, remedy = _CERTIFICATE.get(
            error.verify_code, ("cannot be trusted", "Ask the server's administrator")
        )
        return Unreachable(f"the server's TLS certificate {what}", remedy)
    if isinstance(error, ssl.SSLError) and error.reason in _TLS_REASONS:
        return Unreachable(*_TLS_REASONS[error.reason])
    if isinstance(error, ssl.SSLError) and "CERTIFICATE" in (error.reason or ""):
        return Unreachable(
            "the server does not accept our client certificate",
            "Ask its administrator which certificates it trusts",
        )
    return ConnectionLost(
        "the connection broke off in TLS", "Try again; check that this port speaks HTTPS"
    )


def _acknowledge_at_once(connected: socket.socket) -> None:
    """A server that writes an answer in two pieces may wait for the first to be acknowledged, which
    our kernel would put off for 40 ms. Linux forgets this wish, so it is repeated."""
    if _QUICK_ACKNOWLEDGE is not None:
        connected.setsockopt(socket.IPPROTO_TCP, _QUICK_ACKNOWLEDGE, 1)


_QUICK_ACKNOWLEDGE: int | None = getattr(socket, "TCP_QUICKACK", None)


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
