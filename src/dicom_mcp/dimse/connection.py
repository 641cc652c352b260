"""A connection on which nothing can wait longer than a deadline, and no thread is needed."""

import socket
import ssl
from contextlib import suppress

from ..deadline import Deadline
from ..errors import ConnectionLost
from ..machine import acknowledge_at_once, longest_wait, send_all, wait_writable
from ..network.connect import connect
from ..network.tls import broken, described, end, is_quiet, secured, shut_down
from ..node import Node

# Several answers of an archive fit one read; 64 KiB to 1 MiB made no difference on loopback.
_READ_SIZE = 256 * 1024


class Connection:
    """A connected socket; every call takes the deadline it may wait for."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._buffer = memoryview(bytearray(_READ_SIZE))
        self._unfinished = False  # a message has been sent in part

    @classmethod
    def open(
        cls, node: Node, context: ssl.SSLContext | None = None, *, deadline: Deadline
    ) -> "Connection":
        """Connect to the node, over TLS when there is a context for it.

        Raises Unreachable by its kind (NameNotResolved, ConnectionRefused, TlsFailure, …).
        """
        connected = connect(node.host, node.port, deadline=deadline)
        if context:
            name = (node.tls.server_name if node.tls else "") or node.host
            connected = secured(connected, context, name, deadline=deadline)
        return cls(connected)

    def send(self, data: bytes, *, deadline: Deadline) -> None:
        """Send all of it. Raises ConnectionLost, DeadlinePassed or Cancelled."""
        deadline.remaining()  # nothing of it has been sent when that is over
        self._unfinished = True
        try:
            send_all(self._socket, data, deadline=deadline)
        except OSError as error:
            deadline.check()
            raise broken(error, self._socket, _lost()) from error
        self._unfinished = False

    def receive(self, *, deadline: Deadline) -> memoryview:
        """The next bytes, at least one, valid until the next call.

        Raises ConnectionLost, DeadlinePassed or Cancelled.
        """
        while True:
            try:
                self._socket.settimeout(longest_wait(deadline.remaining()))
                acknowledge_at_once(self._socket)
                count = self._socket.recv_into(self._buffer)
            except TimeoutError:
                continue
            except OSError as error:
                deadline.check()
                raise broken(error, self._socket, _lost()) from error
            if count:
                return self._buffer[:count]
            deadline.check()
            raise _lost()

    @property
    def secured_by(self) -> str:
        """The TLS version and cipher, and until when the peer's certificate is valid; "" without
        TLS."""
        return described(self._socket)

    @property
    def ends(self) -> tuple[str, str]:
        """Our address and the other side's; "" where the connection has ended."""
        try:
            return str(self._socket.getsockname()[0]), str(self._socket.getpeername()[0])
        except OSError:
            return "", ""

    def is_quiet(self) -> bool:
        """Whether nothing has arrived, not even the end of the connection."""
        return is_quiet(self._socket)

    def interrupt(self) -> None:
        """End a `send` or `receive` another thread is waiting in.

        A reader can still send a word of farewell afterwards, a writer cannot.
        """
        with suppress(OSError, ValueError):
            # A writer that could go on notices by itself; it may also just have finished.
            is_stuck = self._unfinished and not wait_writable(self._socket, 0)
            shut_down(self._socket, socket.SHUT_RDWR if is_stuck else socket.SHUT_RD)

    def close(self, farewell: bytes = b"") -> None:
        """Close; `farewell` is sent if that needs no waiting and stands on its own."""
        with suppress(OSError):
            self._socket.settimeout(0)
            if farewell and not self._unfinished:
                self._socket.send(farewell)
        end(self._socket)


def _lost() -> ConnectionLost:
    return ConnectionLost(
        "the connection was closed before the answer was complete",
        "Try again; if it stays so, look for our calling_ae_title in the archive's log",
    )
