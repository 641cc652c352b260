"""Sparing an archive that is down, and the people who wait for it."""

import threading
from collections.abc import Callable
from time import monotonic

from ..errors import ArchiveError, NotAsked

# One failure may be a hiccup; three in a row, each with its own wait, are an archive that is down.
FAILURES = 3

# Short enough that somebody who has just restarted the archive does not notice.
PAUSE_SECONDS = 5.0


class Breaker:
    """Counts failures to connect in a row; after `FAILURES` of them, nothing is tried for
    `PAUSE_SECONDS`, then one attempt decides. Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._closed_until = 0.0
        self._last: ArchiveError | None = None
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raise NotAsked, with what was wrong last, while the archive is being spared."""
        with self._lock:
            left = self._closed_until - self._clock()
            if self._last is None or left <= 0:
                return
            last, failures = self._last, self._failures
        raise NotAsked(
            f"not asked, because the last {failures} attempts to reach it failed ({last.happened})",
            f"It is tried again in {left:.0f} s; verify_connection tries at once. {last.remedy}",
        )

    def failed(self, error: ArchiveError) -> None:
        """An attempt to reach the archive failed with this error."""
        with self._lock:
            self._failures += 1
            self._last = error.again()
            if self._failures >= FAILURES:
                self._closed_until = self._clock() + PAUSE_SECONDS

    def reached(self) -> None:
        """The archive was reached."""
        with self._lock:
            self._failures = 0
            self._last = None
            self._closed_until = 0.0
