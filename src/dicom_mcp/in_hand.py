"""How much of what archives send all calls together hold at once.

A call says how large the object is that it has in hand, as it grows. Whoever came first goes on
whatever the others hold, so that nobody waits for one who waits; the others have little together,
and wait, each under its own deadline, until they are the first.
"""

from threading import Condition
from weakref import WeakKeyDictionary

from .allowance import Allowance
from .budgets import MOST_IN_HAND
from .deadline import Deadline
from .errors import DeadlinePassed

# What is smaller is not counted, and what is larger in such steps.
_STEP = 256 << 10

# Who waits looks by itself too.
_LOOK_SECONDS = 1.0


class InHand:
    """What each call has in hand, those that came first before others."""

    def __init__(self, most: int = MOST_IN_HAND) -> None:
        self._most = most
        self._changed = Condition()
        # Weak, so that a call which nobody said has ended takes no room for ever.
        self._held: WeakKeyDictionary[Allowance, int] = WeakKeyDictionary()

    def need(self, size: int, deadline: Deadline) -> None:
        """The call of this deadline has an object of so many bytes in hand, or is about to.

        Raises Cancelled, and DeadlinePassed where others hold so much that there is no room in
        time.
        """
        if self.take(size, deadline):
            return
        with deadline.interrupting(self._wake), self._changed:
            while not self.take(size, deadline):
                self._wait(deadline)

    def take(self, size: int, deadline: Deadline) -> bool:
        """The same, without waiting: whether there is room now. Who was told that there is none has
        its turn from then on."""
        call, size = deadline.allowance, size // _STEP * _STEP
        if size <= self._held.get(call, 0):
            return True
        with self._changed:
            self._held.setdefault(call, 0)
            has_room = self._has_room(call, size)
            if has_room:
                self._held[call] = size
            return has_room

    def leave(self, call: Allowance) -> None:
        """The call has ended, and holds nothing."""
        with self._changed:
            if self._held.pop(call, None) is not None:
                self._changed.notify_all()

    def clear(self) -> None:
        """Every call there was has ended."""
        with self._changed:
            self._held.clear()
            self._changed.notify_all()

    def _has_room(self, call: Allowance, size: int) -> bool:
        first, *others = self._held.items()
        if call is first[0]:
            return True
        return size + sum(held for holder, held in others if holder is not call) <= self._most

    def _wait(self, deadline: Deadline) -> None:
        try:
            self._changed.wait(min(deadline.remaining(), _LOOK_SECONDS))
            deadline.remaining()
        except DeadlinePassed:
            raise no_room(deadline) from None

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


def no_room(deadline: Deadline) -> DeadlinePassed:
    """The failure of a call that had no room in its time."""
    return DeadlinePassed(
        "other calls hold as much of large objects as this server may hold at once, and there was "
        f"no room within {deadline.seconds:g} seconds",
        "Ask again when they have ended; large objects one at a time",
    )


IN_HAND = InHand()
