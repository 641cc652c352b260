"""The associations of one archive, kept and lent.

Theory. Opening an association costs an archive more than a small query, and archives allow few at
a time; so a handful is kept and each borrower gets one to itself. The rule that makes it safe is
*drained or dead*: an association comes back into the pool only when its last answer was read to
its end (`Association.clean`); after anything else (an error, a stop halfway, a cancelled call) it
is aborted. One that was idle is looked at before it is lent, and one that nobody asked for is
released by a timer, so that an archive's slots are not held for nothing.
"""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from ..deadline import Deadline
from ..errors import DeadlinePassed, TooManyAssociations
from .association import Association

# Archives often allow 10 to 20 associations in all, and other people need them too.
SIZE = 2

# Long enough for the next question of a conversation, short for an archive's slot.
IDLE_SECONDS = 20.0

# Two requests of ours at the same time may both be rejected, and an archive counts what it has
# rejected for a moment longer.
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
        associate: Callable[[Deadline], Association],
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
    def lease(self, *, deadline: Deadline, fresh: bool = False) -> Generator[Lease]:
        """Hold an association for the block; `fresh` insists on a new one.

        Raises what `associate` raises, DeadlinePassed when none becomes free in time.
        """
        kept = self._take(deadline)
        if kept and (fresh or not kept.is_alive()):
            kept.abort()
            kept = None
        association = kept or self._open(deadline)
        try:
            with deadline.interrupting(association.interrupt):
                yield Lease(association, used_before=association.used)
        finally:
            self._give_back(association)

    def close(self) -> None:
        """Release what is idle; what is lent is aborted when it comes back."""
        with self._free:
            self._closed = True
            idle, self._idle = self._idle, []
            if self._timer:
                self._timer.cancel()
        for _, association in idle:
            association.release()

    def _take(self, deadline: Deadline) -> Association | None:
        """Wait for a turn; the association kept longest in use, or None when one is to be made."""
        with self._free:
            while self._lent >= self._size:
                self._free.wait(min(_WAKE_SECONDS, _remaining(deadline)))
                deadline.check()
            self._lent += 1
            self._turns += 1
            return self._idle.pop()[1] if self._idle else None

    def _open(self, deadline: Deadline) -> Association:
        """A new association. An archive that has no more of them for us while we hold or ask for
        others has told how many it accepts: from then on we wait for one of those."""
        while True:
            with self._free:
                turn, alone = self._turns, self._lent == 1
            try:
                return self._associate(deadline)
            except TooManyAssociations:
                with self._free:
                    self._lent -= 1
                    if not alone or turn != self._turns:
                        self._settled = monotonic() + _SETTLING_SECONDS
                    if self._closed or monotonic() >= self._settled:
                        self._free.notify()
                        raise
                    self._size = max(self._lent, 1)
                    if not self._lent:
                        self._free.wait(_WAKE_SECONDS)
                if kept := self._take(deadline):
                    return kept
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
