"""How much of what archives send all calls together hold at once, here and in processes apart.

A call says how large the object is that it has in hand, as it grows, what will be made of it, and
what a process apart may take for it. Whoever came first goes on whatever the others have in hand,
so that nobody waits for one who waits; the others have little together, and wait, each under its
own deadline, until they are the first. What a process takes is waited for by everybody: it ends by
itself. What is only kept for the next question makes room for all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition
from typing import Protocol
from weakref import WeakKeyDictionary, WeakSet

from .allowance import Allowance
from .budgets import MOST_IN_HAND, MOST_TOGETHER
from .deadline import Deadline
from .errors import DeadlinePassed

# What is smaller is not counted, and what is larger in such steps.
_STEP = 256 << 10

# Who waits looks by itself too.
_LOOK_SECONDS = 1.0


class Kept(Protocol):
    """What is kept for the next question."""

    @property
    def size(self) -> int:
        """Bytes held."""
        ...

    def free(self, size: int) -> int:
        """Forget at least so many bytes, if there are any; returns how many it were."""
        ...


@dataclass(slots=True)
class _Held:
    """Bytes of the largest object a call has in hand, of what is made of it here, and of what its
    process apart may take."""

    thing: int = 0
    made: int = 0
    apart: int = 0

    @property
    def stays(self) -> int:
        """Held until the call ends: an object is held twice while it comes."""
        return self.thing + max(self.thing, self.made)

    @property
    def most(self) -> int:
        """Held at the worst moment."""
        return self.thing + max(self.thing, self.made, self.apart)


class InHand:
    """What each call has in hand, those that came first before others."""

    def __init__(self, others: int = MOST_IN_HAND, most: int = MOST_TOGETHER) -> None:
        self._others = others
        self._most = most
        self._changed = Condition()
        # Weak, so that a call which nobody said has ended takes no room for ever.
        self._held: WeakKeyDictionary[Allowance, _Held] = WeakKeyDictionary()
        self._kept: WeakSet[Kept] = WeakSet()
        self._first_waits = False

    def keep(self, kept: Kept) -> None:
        """This is kept only as long as there is room for it."""
        self._kept.add(kept)

    def settle(self) -> None:
        """More is kept than before."""
        with self._changed:
            self._make_room(self._total())

    def need(self, size: int, deadline: Deadline) -> None:
        """The call of this deadline has an object of so many bytes in hand, or is about to.

        Raises Cancelled, and DeadlinePassed where others hold so much that there is no room in
        time.
        """
        if not self.take(size, deadline):
            self._wait_until(lambda: self.take(size, deadline), deadline)

    def take(self, size: int, deadline: Deadline) -> bool:
        """The same, without waiting: whether there is room now. Who was told that there is none has
        its turn from then on."""
        size = size // _STEP * _STEP
        return self._grow(deadline.allowance, _Held(thing=size))

    def make(self, size: int, deadline: Deadline) -> None:
        """The call will hold so many bytes beside its object, made of it. Raises as `need` does."""
        grown = _Held(made=size // _STEP * _STEP)
        if not self._grow(deadline.allowance, grown):
            self._wait_until(lambda: self._grow(deadline.allowance, grown), deadline)

    def lend(self, size: int, deadline: Deadline, *, itself: Kept | None = None) -> int:
        """A process apart of this call may take so much (all there is, for what needs more), until
        that is given back; returns how much it is. `itself` is that process, where it was kept:
        what it holds is of this size. Raises as `need` does."""
        call = deadline.allowance
        with self._changed:
            held = self._held.setdefault(call, _Held())
        size = min(size, self._most - self._others - held.thing)

        def lend() -> bool:
            with self._changed:
                is_first = call is next(iter(self._held))
                more = held.thing + max(held.thing, held.made, held.apart + size) - held.most
                is_turn = is_first or not self._first_waits
                has_room = is_turn and self._total() + more <= self._most
                if has_room:
                    held.apart += size
                    self._make_room(self._total(), itself)
                self._first_waits = not has_room if is_first else self._first_waits
                return has_room

        try:
            if not lend():
                self._wait_until(lend, deadline)
        except BaseException:
            with self._changed:
                self._first_waits = False
            raise
        return size

    def give_back(self, size: int, deadline: Deadline) -> None:
        """The process takes nothing any more."""
        with self._changed:
            if held := self._held.get(deadline.allowance):
                held.apart = max(0, held.apart - size)
            self._changed.notify_all()

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

    def _grow(self, call: Allowance, by: _Held) -> bool:
        """Whether the call may have this too."""
        known = self._held.get(call, _NOTHING)
        if by.thing <= known.thing and by.made <= known.made:
            return True
        with self._changed:
            held = self._held.setdefault(call, _Held())
            thing, made = max(held.thing, by.thing), max(held.made, by.made)
            grown = _Held(thing, made, held.apart)
            has_room = self._has_room(call, grown)
            if has_room:
                self._held[call] = grown
                self._make_room(self._total())
            return has_room

    def _has_room(self, call: Allowance, grown: _Held) -> bool:
        first, *_ = self._held
        others = [held for holder, held in self._held.items() if holder is not call]
        fits = grown.most + sum(held.most for held in others) <= self._most
        if call is first:  # else what waits for it would be waited for
            return fits or not any(held.apart for held in others)
        beside = [held.stays for holder, held in self._held.items() if holder not in (first, call)]
        return fits and grown.stays + sum(beside) <= self._others

    def _total(self) -> int:
        return sum(held.most for held in self._held.values())

    def _make_room(self, taken: int, but: Kept | None = None) -> None:
        """Have what is kept forgotten as far as the calls need its room."""
        others = [kept for kept in self._kept if kept is not but]
        over = taken + sum(kept.size for kept in others) - self._most
        for kept in others:
            over -= kept.free(over) if over > 0 else 0

    def _wait_until(self, has_room: Callable[[], bool], deadline: Deadline) -> None:
        with deadline.interrupting(self._wake), self._changed:
            while not has_room():
                self._wait(deadline)

    def _wait(self, deadline: Deadline) -> None:
        try:
            self._changed.wait(min(deadline.remaining(), _LOOK_SECONDS))
            deadline.remaining()
        except DeadlinePassed:
            raise no_room(deadline) from None

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


_NOTHING = _Held()


def no_room(deadline: Deadline) -> DeadlinePassed:
    """The failure of a call that had no room in its time."""
    return DeadlinePassed(
        "other calls hold as much as this server may hold at once of large objects and answers of "
        f"SQL, and there was no room within {deadline.seconds:g} seconds",
        "Ask again when they have ended; one after the other",
    )


IN_HAND = InHand()
