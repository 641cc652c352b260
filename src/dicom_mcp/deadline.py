"""How long one call may take, and whether it is still wanted."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from time import monotonic

from .allowance import Allowance
from .errors import Cancelled, DeadlinePassed


class Deadline:
    """One call's total time in seconds, counted from construction; may be cancelled meanwhile.
    What the call may ask in vain is its `allowance`.

    Every wait of the call asks `remaining()` first and waits no longer. Cancelling wakes a wait
    that registered itself with `interrupting`. Safe to use from several threads.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.allowance = Allowance()
        self._ends = monotonic() + seconds
        self._cancelled = False
        self._whole: Deadline | None = None
        self._interrupts: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def remaining(self) -> float:
        """Seconds left, always positive.

        Raises DeadlinePassed when there are none, Cancelled when nobody waits any longer.
        """
        self.check()
        left = self._ends - monotonic()
        if left <= 0:
            passed = DeadlinePassed(
                f"no complete answer within {self.seconds:g} seconds",
                "Narrow the question (a date range, a patient ID), or try again later",
            )
            passed.seconds = self.seconds
            raise passed
        return left

    @property
    def passed(self) -> bool:
        """Whether there is no time left. Raises Cancelled when nobody waits any longer."""
        self.check()
        return monotonic() >= self._ends

    def check(self) -> None:
        """Raise Cancelled when nobody waits any longer."""
        if self._whole:
            self._whole.check()
        if self._cancelled:
            raise Cancelled("the call was cancelled before the archive had answered")

    def at_most(self, seconds: float) -> "Deadline":
        """A deadline of `seconds`, but never later than this one and cancelled with it; for a step
        of the call."""
        step = Deadline(seconds)
        step._whole = self
        step.allowance = self.allowance
        if self._ends < step._ends:
            step.seconds, step._ends = self.seconds, self._ends
        return step

    def pause(self, seconds: float) -> None:
        """Wait so long, but no longer than half of what is left, or until nobody waits any longer.

        Raises what `remaining` raises.
        """
        self.wait(min(seconds, self.remaining() / 2))

    def wait(self, seconds: float) -> None:
        """Wait so long, or until nobody waits any longer.

        Raises what `remaining` raises.
        """
        woken = threading.Event()
        with self.interrupting(woken.set):
            woken.wait(min(seconds, self.remaining()))
        self.check()

    def cancel(self) -> None:
        """End every wait of this call now; no wait ends by itself while it is being interrupted,
        so that nobody else's is."""
        with self._lock:
            self._cancelled = True
            for interrupt in self._interrupts:
                interrupt()

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Generator[None]:
        """While the block runs, `cancel` also calls `interrupt` (from its own thread), which must
        not wait."""
        with self._whole.interrupting(interrupt) if self._whole else nullcontext():
            with self._lock:
                self._interrupts.append(interrupt)
            try:
                self.check()
                yield
            finally:
                with self._lock:
                    self._interrupts.remove(interrupt)
