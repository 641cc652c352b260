"""A TCP connection, made before a deadline."""

import socket
import threading
from contextlib import suppress
from errno import ECONNREFUSED, ECONNRESET
from time import monotonic

from ..deadline import Deadline
from ..errors import (
    ConnectionRefused,
    ConnectionTimedOut,
    DeadlinePassed,
    MachineLacks,
    NameNotResolved,
    Unreachable,
)
from ..machine import is_going_on, lack, wait_writable, words_of

# A dropped SYN is answered by nobody; the kernel would go on for two minutes.
CONNECT_SECONDS = 10.0

# Who answers at all does so within this time: who had less of it is not told to be silent.
_SHORT = 1.0

# How soon an attempt to connect, which nothing can wake, notices that it was cancelled.
_CANCEL_SLICE = 0.1

type _Address = tuple[str, int] | tuple[str, int, int, int]


def connect(host: str, port: int, *, deadline: Deadline) -> socket.socket:
    """Connect to the first address of the host that answers, without Nagle's delay.

    Raises NameNotResolved, ConnectionRefused, ConnectionTimedOut, Unreachable, MachineLacks or
    DeadlinePassed.
    """
    failure: Unreachable | MachineLacks | None = None
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
        except (Unreachable, MachineLacks) as error:
            candidate.close()
            failure = failure or error
        except BaseException:
            candidate.close()
            raise
        else:
            return candidate
    assert failure is not None
    try:
        raise failure
    finally:
        del failure  # or it and this frame would keep each other until garbage is collected


def addresses_of(host: str, deadline: Deadline) -> set[str]:
    """The host's addresses, as connections tell them. Raises NameNotResolved."""
    return {str(address[0]) for _, address in _resolve(host, 0, deadline)}


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
    begun = monotonic()
    candidate.setblocking(False)
    error = candidate.connect_ex(address)
    if is_going_on(error):
        try:
            while not wait_writable(candidate, min(_CANCEL_SLICE, deadline.remaining())):
                deadline.check()
        except DeadlinePassed:
            if monotonic() - begun < min(_SHORT, deadline.seconds / 2):
                raise  # other steps of the call took the time
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
    if error and error != ECONNRESET:  # it was connected: the first use says what became of that
        raise _unreachable(error)


def _unreachable(error: int) -> Unreachable | MachineLacks:
    if lacking := lack(error):
        what, remedy = lacking
        return MachineLacks(f"the machine that dicom-mcp runs on failed, {what}", remedy)
    return Unreachable(f"not reachable ({words_of(error)})", "Check the host and the network (VPN)")
