"""A TCP connection on which nothing can wait longer than a deadline, and no thread is needed."""

import os
import select
import socket
import threading
from contextlib import suppress
from errno import ECONNREFUSED, EINPROGRESS

from ..deadline import Deadline
from ..errors import (
    ConnectionLost,
    ConnectionRefused,
    ConnectionTimedOut,
    DeadlinePassed,
    NameNotResolved,
    Unreachable,
)

# A dropped SYN is answered by nobody; the kernel would go on for two minutes.
CONNECT_SECONDS = 10.0

# How soon an attempt to connect, which nothing can wake, notices that it was cancelled.
_CANCEL_SLICE = 0.1

# Several answers of an archive fit one read; 64 KiB to 1 MiB made no difference on loopback.
_READ_SIZE = 256 * 1024

type _Address = tuple[str, int] | tuple[str, int, int, int]


class Connection:
    """A connected socket; every call takes the deadline it may wait for."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._buffer = memoryview(bytearray(_READ_SIZE))
        self._unfinished = False  # a message has been sent in part

    @classmethod
    def open(cls, host: str, port: int, *, deadline: Deadline) -> "Connection":
        """Connect to the first address of the host that answers, without Nagle's delay.

        Raises NameNotResolved, ConnectionRefused, ConnectionTimedOut or Unreachable.
        """
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
                return cls(candidate)
        assert failure is not None
        raise failure

    def send(self, data: bytes, *, deadline: Deadline) -> None:
        """Send all of it. Raises ConnectionLost, DeadlinePassed or Cancelled."""
        try:
            unsent = memoryview(data)
            while unsent:
                self._socket.settimeout(deadline.remaining())
                self._unfinished = True
                unsent = unsent[self._socket.send(unsent) :]
            self._unfinished = False
        except TimeoutError:
            raise DeadlinePassed(
                "the archive stopped reading what was sent to it", "Try again later"
            ) from None
        except OSError as error:
            deadline.check()
            raise _lost() from error

    def receive(self, *, deadline: Deadline) -> memoryview:
        """The next bytes, at least one, valid until the next call.

        Raises ConnectionLost, DeadlinePassed or Cancelled.
        """
        while True:
            try:
                self._socket.settimeout(deadline.remaining())
                _acknowledge_at_once(self._socket)
                count = self._socket.recv_into(self._buffer)
            except TimeoutError:
                continue
            except OSError as error:
                deadline.check()
                raise _lost() from error
            if count:
                return self._buffer[:count]
            deadline.check()
            raise _lost()

    def is_quiet(self) -> bool:
        """Whether nothing has arrived, not even the end of the connection."""
        with suppress(OSError, ValueError):
            waiting = select.poll()
            waiting.register(self._socket, select.POLLIN)
            return not waiting.poll(0)
        return False

    def interrupt(self) -> None:
        """End a `send` or `receive` another thread is waiting in.

        A reader can still send a word of farewell afterwards, a writer cannot.
        """
        with suppress(OSError, ValueError):
            waiting = select.poll()
            waiting.register(self._socket, select.POLLOUT)
            # A writer that could go on notices by itself; it may also just have finished.
            is_stuck = self._unfinished and not waiting.poll(0)
            self._socket.shutdown(socket.SHUT_RDWR if is_stuck else socket.SHUT_RD)

    def close(self, farewell: bytes = b"") -> None:
        """Close; `farewell` is sent if that needs no waiting and stands on its own."""
        with suppress(OSError):
            self._socket.settimeout(0)
            if farewell and not self._unfinished:
                self._socket.send(farewell)
        self._socket.close()


def _resolve(
    host: str, port: int, deadline: Deadline
) -> list[tuple[socket.AddressFamily, _Address]]:
    """The host's addresses. The resolver knows no deadline, so it runs in a thread of its own
    that may be left behind (daemon); a numeric address needs none."""
    found: list[tuple[socket.AddressFamily, _Address]] = []

    def look_up(flags: int = 0) -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
            found.extend((family, address) for family, _, _, _, address in rows)  # pyright: ignore
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


def _connect(candidate: socket.socket, address: _Address, deadline: Deadline) -> None:
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
            "Check that the archive is running and that host and port are right",
        )
    if error:
        raise _unreachable(error)


def _unreachable(error: int) -> Unreachable:
    return Unreachable(
        f"not reachable ({os.strerror(error).lower()})", "Check the host and the network (VPN)"
    )


def _acknowledge_at_once(connected: socket.socket) -> None:
    """An archive that writes a message in two pieces waits, by Nagle's algorithm, for the first to
    be acknowledged, and our kernel would put that off for 40 ms. Linux forgets this wish after a
    while, so it is repeated before every read."""
    if _QUICK_ACKNOWLEDGE is not None:
        connected.setsockopt(socket.IPPROTO_TCP, _QUICK_ACKNOWLEDGE, 1)


_QUICK_ACKNOWLEDGE: int | None = getattr(socket, "TCP_QUICKACK", None)


def _lost() -> ConnectionLost:
    return ConnectionLost(
        "the connection was closed before the answer was complete",
        "Try again; if it stays so, look for our calling_ae_title in the archive's log",
    )
