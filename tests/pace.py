"""How slow this machine is just now, so that seconds mean the same on a busy one."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from time import monotonic, thread_time

# Seconds of work that are timed: several turns of a scheduler's slice.
_WORK = 0.02

# What a machine loses to its own upkeep is no load.
_QUIET = 1.2


def slowness() -> float:
    """How many times longer things take than on a machine that does nothing else; 1 there.

    It is the larger of two sights: what waits for each processor (the load average, which lags),
    and how long a moment's work takes just now.
    """
    started, worked = monotonic(), thread_time()
    while thread_time() - worked < _WORK:
        pass
    now = (monotonic() - started) / _WORK
    load = os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else 0.0
    seen = max(now, load)
    return seen if seen > _QUIET else 1.0


def scaled(seconds: float) -> float:
    """What takes so many seconds on a quiet machine may take this many on this one, now."""
    return seconds * _slowness_of(int(monotonic()))


@lru_cache(maxsize=1)
def _slowness_of(_: int) -> float:
    """What was seen in this second: thousands of tests ask for it."""
    return slowness()


@contextmanager
def within(seconds: float) -> Generator[None]:
    """Fails when the block takes longer than it may on a quiet machine, this one's pace allowed
    for, before it and after it."""
    allowed, started = scaled(seconds), monotonic()
    yield
    took = monotonic() - started
    if took >= seconds:  # only then it matters how slow it is now
        allowed = max(allowed, seconds * slowness())
        assert took < allowed, f"it took {took:.2f} s of {allowed:.2f}"
