"""pynetdicom's acceptor, bounded: associations, waiting, threads and sockets all have an end."""

import socket as socket_module
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from socket import IPPROTO_TCP, SHUT_RDWR, TCP_NODELAY, create_connection, socket
from struct import Struct
from threading import Thread
from typing import Any, Self, cast

from pynetdicom import (
    AE,
    _config,  # pyright: ignore[reportPrivateUsage] - its documentation describes it for users
    evt,
)
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext
from pynetdicom.transport import AssociationServer, RequestHandler, ThreadedAssociationServer

MAXIMUM_ASSOCIATIONS = 16

# Connections that are no associations yet count as well, or never become one.
_MAXIMUM_CONNECTIONS = 2 * MAXIMUM_ASSOCIATIONS

# Seconds: for a TCP connection, an association request or release, a message that is awaited,
# and silence on an association.
_CONNECTION_TIMEOUT = 5
_ACSE_TIMEOUT = 10
_DIMSE_TIMEOUT = 30
_NETWORK_TIMEOUT = 60

# Large enough for an image slice in a few PDUs, small enough for sixteen at once.
_MAXIMUM_PDU_SIZE = 131_072

# An association request with every context and transfer syntax there is needs 200 KiB.
_LONGEST_PDU = 1_048_576

# A message is put together in memory; no object of a demonstration is larger.
_LONGEST_MESSAGE = 67_108_864

# Every PDU begins with its type, a reserved byte and its length (PS3.8 9.3.1).
_PDU_HEADER = Struct(">HI")

# Linux only.
_QUICK_ACKNOWLEDGEMENT: int | None = getattr(socket_module, "TCP_QUICKACK", None)

# How often the listening thread looks whether it should stop, and how long stopping may take.
_STOP_INTERVAL = 0.01
_STOP_TIMEOUT = 5.0

# Answers may wait to be sent, but not without bound; and while they do, pynetdicom reads nothing.
_MOST_WAITING = 64
_PAUSE = 0.0005


class Acceptor:
    """A listening application entity that calls `handlers` for what arrives.

    `handlers` are pynetdicom's (event, function) pairs. Listening starts with `start`, which
    raises OSError when the address cannot be bound; nothing is left running after `stop`.
    """

    def __init__(
        self,
        ae_title: str,
        handlers: Iterable[tuple[Any, Callable[[evt.Event], Any]]],
        *,
        require_called_ae_title: bool,
        require_calling_ae_title: Iterable[str],
    ) -> None:
        ae = AE(ae_title)
        ae.maximum_associations = MAXIMUM_ASSOCIATIONS
        ae.maximum_pdu_size = _MAXIMUM_PDU_SIZE
        ae.acse_timeout = _ACSE_TIMEOUT
        ae.connection_timeout = _CONNECTION_TIMEOUT
        ae.dimse_timeout = _DIMSE_TIMEOUT
        ae.network_timeout = _NETWORK_TIMEOUT
        ae.require_called_aet = require_called_ae_title
        ae.require_calling_aet = list(require_calling_ae_title)
        self._ae = ae
        self._handlers = [
            *handlers,
            (evt.EVT_DATA_RECV, _received),
            (evt.EVT_DIMSE_RECV, _whole),
        ]
        self._server: _Server | None = None
        self._thread: Thread | None = None

    def start(
        self,
        host: str,
        port: int,
        *,
        contexts: list[PresentationContext],
        listening: socket | None = None,
    ) -> int:
        """Listen, and return the port: the one asked for, or for 0 the one that was free. A socket
        that listens already is taken over, with those who wait at it.

        Listening already, it only returns the port.
        """
        if self._server is not None:
            return self._server.server_address[1]
        # Identifiers carry patients, and formatting log lines costs more than answering.
        _config.LOG_REQUEST_IDENTIFIERS = False
        _config.LOG_RESPONSE_IDENTIFIERS = False
        _config.LOG_HANDLER_LEVEL = "none"
        make_server = cast("Callable[..., _Server]", self._ae.make_server)  # pyright: ignore
        self._server = make_server(
            (host, port),
            contexts=_Shared(contexts),
            evt_handlers=self._handlers,
            server_class=partial(_Server, listening),
            request_handler=_Connection,
        )
        self._thread = Thread(
            target=self._server.serve_forever,
            args=(_STOP_INTERVAL,),
            name=f"embedded archive {self._ae.ae_title}",
            daemon=True,
        )
        self._thread.start()
        return self._server.server_address[1]

    def stop(self) -> None:
        """Stop listening, abort what is open and wait for every thread. May be called twice."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join(_STOP_TIMEOUT)
        self._server = self._thread = None
        open_associations = self._ae.active_associations
        for association in open_associations:
            if association.is_established:
                association.abort(block=False)
        end = time.monotonic() + _STOP_TIMEOUT
        for association in open_associations:
            _close(association, end)


def let_peer_speak(association: Association) -> bool:
    """Wait until few answers are unsent and nothing the peer said is unread; False if it is gone.

    pynetdicom sends before it reads, so that a C-CANCEL would wait behind every answer there is
    and the answers would fill the memory.
    """
    dul = association.dul
    end = time.monotonic() + _NETWORK_TIMEOUT
    while association.is_established and dul.is_alive() and time.monotonic() < end:
        if association.acse.is_aborted() or association.acse.is_release_requested():
            return False
        unread = dul.socket is not None and dul.socket.ready
        if not unread and dul.to_provider_queue.qsize() < _MOST_WAITING:
            return True
        time.sleep(_PAUSE)
    return False


def answers_at(host: str, port: int) -> bool:
    """Whether something accepts connections there; pynetdicom leaks a socket if nothing does."""
    try:
        with create_connection((host, port), timeout=_CONNECTION_TIMEOUT):
            return True
    except OSError:
        return False


def _received(event: evt.Event) -> None:
    """Count the bytes of a message that is not whole yet, and end a peer whose message never is."""
    connected = cast("_Socket", cast("Any", event.assoc.dul.socket).socket)
    connected.unfinished += len(event.data)
    if connected.unfinished > _LONGEST_MESSAGE:
        connected.close()


def _whole(event: evt.Event) -> None:
    """A message is whole; the next one begins."""
    cast("_Socket", cast("Any", event.assoc.dul.socket).socket).unfinished = 0


class _Shared(list[PresentationContext]):
    """Contexts that pynetdicom may read but need not copy for every association (60 ms)."""

    def __deepcopy__(self, memo: object) -> Self:
        return self


class _Connection(RequestHandler):
    """An accepted connection: answers leave at once, and no read or write waits for ever."""

    def setup(self) -> None:
        accepted = _Socket(fileno=cast("socket", self.request).detach())
        # Nagle's algorithm and the peer's delayed acknowledgement add 40 ms to every answer.
        accepted.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        accepted.settimeout(_NETWORK_TIMEOUT)
        self.request = accepted


class _Socket(socket):
    """A socket that ends when the peer announces a PDU too long to be one.

    pynetdicom reads whatever length the header says into memory. It never reads past the end of
    a header or a PDU, so that counting what it asks for is enough to find the headers.
    """

    unfinished = 0
    _header = b""
    _left = 0

    def shutdown(self, how: int, /) -> None:
        # After a reset this raises, and pynetdicom would leave the socket open.
        with suppress(OSError):
            super().shutdown(how)

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        received = super().recv(bufsize, flags)
        if _QUICK_ACKNOWLEDGEMENT is not None:
            # For peers that leave Nagle's algorithm on: their next write waits for our
            # acknowledgement. The kernel forgets this setting, so it is made after every read.
            self.setsockopt(IPPROTO_TCP, _QUICK_ACKNOWLEDGEMENT, 1)
        if self._left:
            self._left -= len(received)
            return received
        self._header += received
        if len(self._header) == _PDU_HEADER.size:
            _, self._left = _PDU_HEADER.unpack(self._header)
            self._header = b""
            if self._left > _LONGEST_PDU:
                raise ConnectionAbortedError("a PDU is longer than any we accept")
        return received


class _Server(ThreadedAssociationServer):
    daemon_threads = True
    request_queue_size = 2 * _MAXIMUM_CONNECTIONS

    def __init__(self, listening: socket | None, *arguments: Any, **more: Any) -> None:
        self._listening = listening
        super().__init__(*arguments, **more)  # pyright: ignore[reportUnknownMemberType]

    def server_bind(self) -> None:
        if self._listening is None:
            super().server_bind()
            return
        cast("socket", self.socket).close()
        self.socket = self._listening
        self.server_address = self.socket.getsockname()

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002
        return len(self.active_associations) < _MAXIMUM_CONNECTIONS

    def service_actions(self) -> None:
        """Nothing; pynetdicom collects garbage here, several times a second at our interval."""

    def shutdown(self) -> None:
        """Stop listening; pynetdicom's own also looks for a server it has started itself."""
        super(AssociationServer, self).shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that fails before it is an association is only closed."""


def _close(association: Association, end: float) -> None:
    dul = association.dul
    grace = min(end, time.monotonic() + 0.2)
    while dul.is_alive() and dul.to_provider_queue.qsize() and time.monotonic() < grace:
        time.sleep(_PAUSE)
    with suppress(OSError, AttributeError):
        # Also wakes a thread that waits for the rest of a message.
        cast("Any", dul.socket).socket.shutdown(SHUT_RDWR)
    # And this one that waits for an association request: what it sees as its timeout.
    cast("Any", dul.to_user_queue).put(None)
    for thread in (association, dul):
        if thread.ident is not None:
            thread.join(max(0.0, end - time.monotonic()))
