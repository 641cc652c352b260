"""What all processes apart may take together: so many at once, and so much memory (decisions/0009).

A call that asks while others have it all waits, under its own deadline. A process that only waits
for its call's next wish is ended for one that has something to do.
"""

from collections.abc import Callable
from threading import Condition

from ..deadline import Deadline

# Bytes beyond what interpreters and libraries take (60 MiB each at most). A frame of 40 million
# values of 16 bits takes 460 MiB at its largest, and then has the room for itself.
MOST_MEMORY = 512 << 20

# More decode nothing sooner: they want processors.
MOST_PROCESSES = 4


class Room:
    """Who has which part of it; `end` of an idle process is called to have its place, and must
    not wait for its call."""

    def __init__(self, memory: int = MOST_MEMORY, processes: int = MOST_PROCESSES) -> None:
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
