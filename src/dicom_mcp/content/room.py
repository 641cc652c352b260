"""What all processes apart may take together: so many at once, and so much memory (decisions/0009).

A call that asks while others have it all waits, under its own deadline. A process that only waits
for its call's next wish is ended for one that has something to do.
"""

from collections.abc import Callable
from threading import Condition

from ..budgets import MOST_MEMORY_APART, MOST_PROCESSES_APART
from ..deadline import Deadline


class Room:
    """Who has which part of it; `end` of an idle process is called to have its place, and must
    not wait for its call."""

    def __init__(
        self, memory: int = MOST_MEMORY_APART, processes: int = MOST_PROCESSES_APART
    ) -> None:
        self._memory = memory
        self._most = processes
        self._changed = Condition()
        self._taken = 0
        self._busy = 0
        self._idle: dict[object, Callable[[], object]] = {}

    def enter(self, who: object, memory: int, deadline: Deadline) -> int:
        """Wait for a process of one's own and so much memory (all there is, for what needs more);
        returns how much it is. Raises DeadlinePassed and Cancelled."""
        memory = min(memory, self._memory)
        with deadline.interrupting(self._wake), self._changed:
            while self._taken + memory > self._memory or not self._has_place(who):
                self._changed.wait(deadline.remaining())
                deadline.remaining()
            self._idle.pop(who, None)
            self._taken += memory
            self._busy += 1
        return memory

    def leave(self, who: object, memory: int, end: Callable[[], object] | None) -> None:
        """Give the memory back, and the place where there is no process any more to `end`."""
        with self._changed:
            self._taken -= memory
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
