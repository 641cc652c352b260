"""The associations of one archive, kept and lent.

Theory. Opening an association costs an archive more than a small query, and archives allow few at
a time; so a handful is kept and each borrower gets one to itself. The rule that makes it safe is
*drained or dead*: an association comes back into the pool only when its last answer was read to
its end (`Association.clean`); after anything else (an error, a stop halfway, a cancelled call) it
is aborted. One that was idle is looked at before it is lent, and one that nobody asked for is
released by a timer, so that an archive's slots are not held for nothing.

Objects come over an association that was requested for their kinds. It can also be asked every
question, so that there is one pool for both: one that lacks a kind gives way to one that has it.
"""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from ..deadline import Deadline
from ..errors import DeadlinePassed, TooManyAssociations
from .association import Association, release_all
from .negotiation import Storage

# Archives often allow 10 to 20 associations in all, and other people need them too.
SIZE = 2

# Long enough for the next question of a conversation, short for an archive's slot.
IDLE_SECONDS = 20.0

type Associate = Callable[[Deadline], Association]

# Two requests of ours at the same time may both be rejected, and an archive counts what it has
# rejected, or what we aborted, for a moment longer.
_SETTLING_SECONDS = 1.0

# How soon a borrower that waits for its turn notices that its call was cancelled.
_WAKE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Lease:
    """One borrower's hold on an association; `used_before` says whether it may have gone stale."""

    association: Association
    used_before: bool


class Pool:
    """At most `size` associations at a time, made by `associate` when needed; fewer when the
    archive turns out to accept fewer."""

    def __init__(
        self,
        associate: Associate,
        *,
        size: int = SIZE,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._associate = associate
        self._size = size
        self._idle_seconds = idle_seconds
        self._idle: list[tuple[float, Association]] = []
        self._lent = 0
        self._turns = 0
        self._settled = 0.0
        self._free = threading.Condition()
        self._timer: threading.Timer | None = None
        self._closed = False

    @contextmanager
    def lease(
        self,
        *,
        deadline: Deadline,
        fresh: bool = False,
        storage: frozenset[Storage] = frozenset(),
        associate: Associate | None = None,
    ) -> Generator[Lease]:
        """Hold an association for the block; `fresh` insists on a new one. One over which objects
        of these kinds may come is made by `associate`.

        Raises what `associate` raises, DeadlinePassed when none becomes free in time.
        """
        kept = self._take(deadline, storage)
        if kept and (fresh or not kept.is_alive()):
            kept.abort()
            kept = None
        if kept and not storage <= kept.proposed:  # gone before its turn is
            kept.release()
            kept = None
        association = kept or self._open(deadline, storage, associate or self._associate)
        try:
            with deadline.interrupting(association.interrupt):
                yield Lease(association, used_before=association.used)
        finally:
            self._give_back(association)

    @contextmanager
    def place(self, *, deadline: Deadline) -> Generator[None]:
        """Hold the place of an association that somebody else makes, for the block.

        Raises DeadlinePassed when none becomes free in time.
        """
        kept = self._take(deadline, frozenset())
        try:
            if kept:
                kept.release()
            yield
        finally:
            with self._free:
                self._lent -= 1
                self._free.notify()

    def close(self) -> None:
        """Release what is idle; what is lent is aborted when it comes back."""
        with self._free:
            self._closed = True
            idle, self._idle = self._idle, []
            if self._timer:
                self._timer.cancel()
        release_all([association for _, association in idle])

    def _take(self, deadline: Deadline, storage: frozenset[Storage]) -> Association | None:
        """Wait for a turn; the association kept longest in use that serves, or None when one is to
        be made. Where that would be one too many, one that has to go."""
        with self._free:
            while self._lent >= self._size:
                self._free.wait(min(_WAKE_SECONDS, _remaining(deadline)))
                deadline.check()
            self._lent += 1
            self._turns += 1
            serving = [kept for kept in self._idle if storage <= kept[1].proposed]
            if serving:
                # Questions leave those alone over which objects come.
                best = min(reversed(serving), key=lambda kept: len(kept[1].proposed))
            elif self._lent + len(self._idle) > self._size:
                best = self._idle[0]
            else:
                return None
            self._idle.remove(best)
            return best[1]

    def _open(
        self, deadline: Deadline, storage: frozenset[Storage], associate: Associate
    ) -> Association:
        """A new association. An archive that has no more of them for us while we hold or ask for
        others has told how many it accepts: from then on we wait for one of those."""
        while True:
            with self._free:
                turn, alone = self._turns, self._lent + len(self._idle) == 1
            try:
                return associate(deadline)
            except TooManyAssociations:
                with self._free:
                    self._lent -= 1
                    if not alone or turn != self._turns:
                        self._settled = monotonic() + _SETTLING_SECONDS
                    if self._closed or monotonic() >= self._settled:
                        self._free.notify()
                        raise
                    self._size = max(self._lent + len(self._idle), 1)
                    if not self._lent and not self._idle:
                        self._free.wait(_WAKE_SECONDS)
                kept = self._take(deadline, storage)
                if kept and storage <= kept.proposed:
                    return kept
                if kept:
                    kept.release()
            except BaseException:
                with self._free:
                    self._lent -= 1
                    self._free.notify()
                raise

    def _give_back(self, association: Association) -> None:
        if not association.clean:  # gone before its turn is, or there would be one too many
            association.abort()
        with self._free:
            self._lent -= 1
            if not association.clean:
                self._settled = monotonic() + _SETTLING_SECONDS
            keep = association.clean and not self._closed
            if keep:
                self._idle.append((monotonic() + self._idle_seconds, association))
                self._schedule()
            self._free.notify()
        if association.clean and not keep:
            association.abort()

    def _schedule(self) -> None:
        """Wake when the oldest idle association has been idle for too long. Needs the lock."""
        if self._timer or not self._idle:
            return
        self._timer = threading.Timer(max(self._idle[0][0] - monotonic(), 0), self._expire)
        self._timer.daemon = True
        self._timer.start()

    def _expire(self) -> None:
        with self._free:
            self._timer = None
            now = monotonic()
            expired = [association for ends, association in self._idle if ends <= now]
            self._idle = [(ends, association) for ends, association in self._idle if ends > now]
            self._lent += len(expired)  # they take their turns until they are gone
            self._schedule()
        for association in expired:
            association.release()
            with self._free:
                self._lent -= 1
                self._free.notify()


def _remaining(deadline: Deadline) -> float:
    try:
        return deadline.remaining()
    except DeadlinePassed:
        raise DeadlinePassed(
            f"all associations to it were busy for {deadline.seconds:g} seconds",
            "Other questions to this archive are still running; try again when they are done",
        ) from None
