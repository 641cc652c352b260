"""The connections to one server, kept and lent: one borrower each at a time."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

from ..deadline import Deadline
from ..errors import DeadlinePassed
from .connection import Connection

# How soon a borrower that waits for its turn notices that its call was cancelled.
_WAKE_SECONDS = 0.1


class Pool:
    """At most `size` connections at a time, made by `connect` when needed."""

    def __init__(self, connect: Callable[[], Connection], *, size: int) -> None:
        self._connect = connect
        self._size = size
        self._idle: list[Connection] = []
        self._lent = 0
        self._free = threading.Condition()
        self._closed = False

    @contextmanager
    def lease(self, *, deadline: Deadline, fresh: bool = False) -> Generator[Connection]:
        """Hold a connection for the block; `fresh` insists on a new one. What was read to the end
        of its answer comes back, anything else is closed.

        Raises DeadlinePassed when none becomes free in time.
        """
        connection = self._take(deadline, fresh=fresh)
        try:
            yield connection
        finally:
            self._give_back(connection)

    @contextmanager
    def place(self, *, deadline: Deadline) -> Generator[None]:
        """Hold the place of a connection that somebody else makes, for the block.

        Raises DeadlinePassed when none becomes free in time.
        """
        kept = self._turn(deadline, fresh=False)
        try:
            if kept:
                kept.close()
            yield
        finally:
            with self._free:
                self._lent -= 1
                self._free.notify()

    def close(self) -> None:
        """Close what is idle; what is lent is closed when it comes back."""
        with self._free:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self, deadline: Deadline, *, fresh: bool) -> Connection:
        return self._turn(deadline, fresh=fresh) or self._connect()

    def _turn(self, deadline: Deadline, *, fresh: bool) -> Connection | None:
        """Wait for a turn; a kept connection, or None when one is to be made."""
        with self._free:
            while self._lent >= self._size:
                self._free.wait(min(_WAKE_SECONDS, _remaining(deadline)))
            self._lent += 1
            idle = self._idle
            if fresh:  # the others are as old as the one that turned out to be stale
                stale, self._idle = idle, []
            else:
                stale = [connection for connection in idle if not connection.is_alive()]
                self._idle = [connection for connection in idle if connection not in stale]
            kept = self._idle.pop() if self._idle else None
        for connection in stale:
            connection.close()
        return kept

    def _give_back(self, connection: Connection) -> None:
        alive = connection.is_alive()
        with self._free:
            self._lent -= 1
            keep = alive and not self._closed
            if keep:
                self._idle.append(connection)
            self._free.notify()
        if not keep:
            connection.close()


def _remaining(deadline: Deadline) -> float:
    deadline.check()
    try:
        return deadline.remaining()
    except DeadlinePassed:
        raise DeadlinePassed(
            f"all connections to it were busy for {deadline.seconds:g} seconds",
            "Other questions to this archive are still running; try again when they are done",
        ) from None
