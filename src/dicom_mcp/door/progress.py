"""How far a call is, and what it cost, counted while it runs."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

# Often enough to see that something happens, too seldom to cost anything.
_REPORT_SECONDS = 1.0


# What a call is at, for whoever waits: how much has arrived in all, how much that will be where it
# is known, and both in words.
type Report = Callable[[int, int | None, str], None]


def unheard(_: int, __: int | None, ___: str) -> None:
    """Where nobody waits to be told."""


class Progress:
    """Counts what a call has received and reports it at most once a second."""

    def __init__(self, report: Report = unheard) -> None:
        self._report = report
        self._count = 0
        self._next = monotonic() + _REPORT_SECONDS

    def step(self, doing: str, total: int | None = None) -> Callable[[], None]:
        """One step of a call, to be told of each thing that arrives; `total` where it is known how
        many will."""
        arrived = 0

        def advance() -> None:
            nonlocal arrived
            arrived += 1
            self._count += 1
            if monotonic() < self._next:
                return
            self._next = monotonic() + _REPORT_SECONDS
            if total is None or arrived > total:
                self._report(self._count, None, f"{doing}: {arrived:,} so far")
            else:
                rest = total - arrived
                self._report(self._count, self._count + rest, f"{doing}: {arrived:,} of {total:,}")

        return advance


@dataclass(slots=True)
class Cost:
    """How many queries a call took, whichever of its threads sent them."""

    queries: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, queries: int) -> None:
        """So many more were sent."""
        with self._lock:
            self.queries += queries
