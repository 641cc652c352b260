"""How many processes apart there are at once (decisions/0009).

A call that asks while others have them all waits, under its own deadline. A process that only waits
for its call's next wish is ended for one that has something to do.
"""

from collections.abc import Callable
from threading import Condition

from ..budgets import MOST_PROCESSES_APART
from ..deadline import Deadline


class Room:
    """Who has a process; `end` of an idle one is called to have its place, and must not wait for
    its call."""

    def __init__(self, processes: int = MOST_PROCESSES_APART) -> None:
        self._most = processes
        self._changed = Condition()
        self._busy = 0
        self._idle: dict[object, Callable[[], object]] = {}

    def enter(self, who: object, deadline: Deadline) -> None:
        """Wait for a process of one's own. Raises DeadlinePassed and Cancelled."""
        with deadline.interrupting(self._wake), self._changed:
            while not self._has_place(who):
                self._changed.wait(deadline.remaining())
                deadline.remaining()
            self._idle.pop(who, None)
            self._busy += 1

    def leave(self, who: object, end: Callable[[], object] | None) -> None:
        """The process has nothing to do, or there is none any more to `end`."""
        with self._changed:
            self._busy -= 1
            if end:
                self._idle[who] = end
            self._changed.notify_all()

    def forget(self, who: object) -> None:
        """End the process that waited for its next wish."""
        with self._changed:
            end = self._idle.pop(who, None)
            if end:
                end()
            self._changed.notify_all()

    def end_idle(self) -> None:
        """End every process that waits for its next wish."""
        with self._changed:
            while self._idle:
                self._idle.popitem()[1]()

    def _has_place(self, who: object) -> bool:
        if who in self._idle or self._busy + len(self._idle) < self._most:
            return True
        if not self._idle:
            return False
        self._idle.pop(next(iter(self._idle)))()
        return True

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
