"""What sockets can do on this machine, chosen by what is there and not by the system's name."""

import errno
import os
import selectors
import socket

from ..deadline import Deadline
from ..errors import DeadlinePassed

# `select.select` knows only the first 1,024 descriptors, except on Windows, which has no `poll`.
_HAS_POLL = hasattr(selectors, "PollSelector")

# A connect that goes on: POSIX says the first, Windows WSAEWOULDBLOCK.
_GOING_ON = frozenset((errno.EINPROGRESS, errno.EWOULDBLOCK))

# Where it is not known that a shutdown wakes a thread that waits, the thread looks by itself.
_LOOK_SECONDS = 0.2

# Linux only.
_QUICK_ACKNOWLEDGE: int | None = getattr(socket, "TCP_QUICKACK", None)


def is_going_on(error: int) -> bool:
    """Whether this code of `connect_ex` says that the attempt goes on."""
    return error in _GOING_ON


def wait_readable(connected: socket.socket, seconds: float) -> bool:
    """Whether something, an end or an error included, can be read within these seconds."""
    return _wait(connected, selectors.EVENT_READ, seconds)


def wait_writable(connected: socket.socket, seconds: float) -> bool:
    """Whether something can be written, or an attempt to connect has ended, within these seconds.

    Windows tells of a failed attempt apart from others; selectors takes both for the end of it.
    """
    return _wait(connected, selectors.EVENT_WRITE, seconds)


def longest_wait(seconds: float) -> float:
    """How long one read or write may wait before it has to look whether it is still wanted."""
    return seconds if _HAS_POLL else min(seconds, _LOOK_SECONDS)


def send_all(connected: socket.socket, message: bytes, *, deadline: Deadline) -> None:
    """Send all of it. Raises DeadlinePassed, Cancelled, or OSError where the connection ended."""
    unsent = memoryview(message)
    while unsent:
        connected.settimeout(longest_wait(deadline.remaining()))
        try:
            unsent = unsent[connected.send(unsent) :]
        except TimeoutError:
            if deadline.passed:
                raise DeadlinePassed(
                    "the archive stopped reading what was sent to it", "Try again later"
                ) from None


def acknowledge_at_once(connected: socket.socket) -> None:
    """A peer that writes a message in two pieces waits, by Nagle's algorithm, for the first to be
    acknowledged, and our kernel would put that off for 40 ms. Linux forgets this wish after a
    while, so it is repeated before every read."""
    if _QUICK_ACKNOWLEDGE is not None:
        connected.setsockopt(socket.IPPROTO_TCP, _QUICK_ACKNOWLEDGE, 1)


def words_of(error: int) -> str:
    """What the system says of an error of a socket; `os.strerror` knows none of Windows' own."""
    table: dict[int, str] = getattr(socket, "errorTab", {})
    return (table.get(error) or os.strerror(error)).rstrip(".").lower()


def _wait(connected: socket.socket, event: int, seconds: float) -> bool:
    selector = selectors.PollSelector() if _HAS_POLL else selectors.SelectSelector()
    with selector:
        selector.register(connected, event)
        return bool(selector.select(seconds))
