"""Who connects to our receiver, before there is an association: bounds on what a stranger costs.

Whoever connects has a second to request an association, by titles that are known (PS3.8 9.3.2),
and where the node has TLS to show a certificate that is trusted; others are closed or rejected
without becoming one, so that they take no archive's place.
"""

import ssl
import threading
import time
from contextlib import suppress
from socket import IPPROTO_TCP, SHUT_WR, TCP_NODELAY, socket
from struct import Struct
from typing import Any, Protocol, cast

from pynetdicom.transport import AssociationServer, RequestHandler, ThreadedAssociationServer

from ..network.tls import why_refused

# One archive sends over one association or two; a stranger gets no more than these.
MOST_ASSOCIATIONS = 4

# Seconds for a read or write of an archive that sends.
NETWORK_TIMEOUT = 30

# No PDU is that long.
LONGEST_PDU = 1_048_576
_PDU_HEADER = Struct(">HI")

# How long one who connected has to request an association, and how many may be about to.
_REQUEST_SECONDS = 1.0
_LEAST_SECONDS = 0.001
_MOST_WAITING_REQUESTS = 128

# PS3.8 9.3.2: type, length, version, called and calling title; 9.3.4: rejected for good by the
# service user, for a title it does not know.
_ASSOCIATE_RQ = 0x01
_TITLES = Struct("10x16s16s")
_REJECTED = bytes([0x03, 0, 0, 0, 0, 4, 0, 1, 1])
_NO_SUCH_CALLING, _NO_SUCH_CALLED = 3, 7


def refused(*, called: bool) -> bytes:
    """The A-ASSOCIATE-RJ to one whose called title is not known here, or whose calling is not."""
    return _REJECTED + bytes([_NO_SUCH_CALLED if called else _NO_SUCH_CALLING])


class Door(Protocol):
    """Who may come in."""

    def knows(self, address: str) -> bool:
        """Whether anybody who may send is at this address."""
        ...

    def refusal(self, address: str, called: str, calling: str) -> bytes | None:
        """The A-ASSOCIATE-RJ for a request with these titles, None for none."""
        ...

    def count_stranger(self, who: str) -> None:
        """Somebody came who sends for nobody here."""
        ...

    def count_insecure(self, who: str) -> None:
        """Somebody came and there was no TLS with them."""
        ...


class Connection(RequestHandler):
    """An accepted connection: answers leave at once, and no read or write waits for ever."""

    def setup(self) -> None:
        server = cast("Server", self.server)
        address = str(self.client_address[0])
        end = time.monotonic() + _REQUEST_SECONDS
        accepted = Socket(fileno=cast("socket", self.request).detach())
        self.request = accepted
        try:
            accepted.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
            if server.tls:
                self.request = accepted = _secured(accepted, server.tls)
                self._shake_hands(accepted, end, address)
            titles = accepted.titles(end)
            if titles is None:
                server.door.count_stranger(f"{address}, requesting nothing")
                raise ConnectionAbortedError("no association was requested")
            if refusal := server.door.refusal(address, *titles):
                accepted.reject(refusal, end)
                raise ConnectionAbortedError("a stranger")
            accepted.settimeout(NETWORK_TIMEOUT)
        except OSError:
            accepted.close()
            raise
        finally:
            server.requested()

    def _shake_hands(self, accepted: "SecureSocket", end: float, address: str) -> None:
        try:
            accepted.settimeout(max(_LEAST_SECONDS, end - time.monotonic()))
            accepted.do_handshake()
        except OSError as error:
            door = cast("Server", self.server).door
            door.count_insecure(f"{address}, {why_refused(error)}")
            raise


def _secured(accepted: "Socket", context: ssl.SSLContext) -> "SecureSocket":
    """The socket in TLS, before its handshake; the given one may not be used any more."""
    context.sslsocket_class = SecureSocket
    return cast(
        "SecureSocket",
        context.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False),
    )


class Socket(socket):
    """A socket that ends when a PDU is announced that is too long to be one; pynetdicom would
    read it into memory. It never reads past the end of a header or a PDU."""

    unfinished = 0
    _first = b""
    _header = b""
    _left = 0

    def titles(self, end: float) -> tuple[str, str] | None:
        """The called and the calling title of the association request that has to come first, by
        then (PS3.8 9.3.2); what was read of it is read again. None where none comes."""
        while len(self._first) < _TITLES.size:
            self.settimeout(max(_LEAST_SECONDS, end - time.monotonic()))
            received = b""
            with suppress(TimeoutError):
                received = super().recv(_TITLES.size - len(self._first))
            if not received or (self._first + received)[0] != _ASSOCIATE_RQ:
                return None
            self._first += received
        called, calling = _TITLES.unpack(self._first)
        return called.decode("ascii", "replace").strip(), calling.decode("ascii", "replace").strip()

    def reject(self, refusal: bytes, end: float) -> None:
        """Send it, and wait until then for the other side to close: one that is closed with
        something unread would be reset, and the reason lost."""
        self.sendall(refusal)
        self.shutdown(SHUT_WR)
        with suppress(TimeoutError):
            while time.monotonic() < end and super().recv(_TITLES.size):
                self.settimeout(max(_LEAST_SECONDS, end - time.monotonic()))

    def shutdown(self, how: int) -> None:
        # After a reset pynetdicom would leave the socket open; TLS would lose its session here,
        # which another thread may be reading.
        with suppress(OSError):
            socket.shutdown(self, how)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        if self._first:
            received, self._first = self._first[:buflen], self._first[buflen:]
        else:
            received = super().recv(buflen, flags)
        if self._left:
            self._left -= len(received)
            return received
        self._header += received
        if len(self._header) == _PDU_HEADER.size:
            _, self._left = _PDU_HEADER.unpack(self._header)
            self._header = b""
            if self._left > LONGEST_PDU:
                raise ConnectionAbortedError("a PDU is longer than any that is accepted")
        return received


class SecureSocket(Socket, ssl.SSLSocket):
    """One in TLS (PS3.15 B.12)."""


class Server(ThreadedAssociationServer):
    daemon_threads = True
    request_queue_size = _MOST_WAITING_REQUESTS
    door: Door
    tls: ssl.SSLContext | None = None

    _unrequested = 0
    _lock = threading.Lock()

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002
        if not self.door.knows(str(client_address[0])):
            return False
        with self._lock:
            if (
                self._unrequested >= _MOST_WAITING_REQUESTS
                or len(self.active_associations) >= 2 * MOST_ASSOCIATIONS
            ):
                return False
            self._unrequested += 1
        return True

    def requested(self) -> None:
        """One who connected has requested an association, or was closed."""
        with self._lock:
            self._unrequested -= 1

    def service_actions(self) -> None:
        """Nothing; pynetdicom collects garbage here."""

    def shutdown(self) -> None:
        super(AssociationServer, self).shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that fails before it is an association is only closed."""
