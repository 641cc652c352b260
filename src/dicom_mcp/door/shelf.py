"""Objects that were just fetched, kept for the next look at them: in memory only, for minutes only.

Nothing is written anywhere, and what nobody asks for again goes by itself.
"""

import threading
from collections import OrderedDict
from time import monotonic
from typing import Protocol

from ..budgets import MOST_KEPT, SECONDS_KEPT
from ..in_hand import IN_HAND

# How long it is taken for granted which objects a series has, while somebody scrolls through it.
_SECONDS_OF_LIST = 30.0
_MOST_LISTS = 16

# Where it came from, its study, series and own UID, and whether its pixels may be left out.
type Key = tuple[str | bool, ...]


class Held(Protocol):
    """What is kept: an object, with whatever is known of it."""

    @property
    def data_set(self) -> bytearray: ...


class Lists[T]:
    """What was listed a moment ago, by whatever names it; safe to use from several threads."""

    def __init__(self, *, seconds: float = _SECONDS_OF_LIST) -> None:
        self._seconds = seconds
        self._held: OrderedDict[tuple[str, ...], tuple[float, T]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, ...]) -> T | None:
        """The list, if it is not too old."""
        with self._lock:
            ends, found = self._held.get(key, (0.0, None))
            return found if ends > monotonic() else None

    def put(self, key: tuple[str, ...], listed: T) -> None:
        """Keep it instead of the one that was listed first."""
        with self._lock:
            self._held.pop(key, None)
            self._held[key] = monotonic() + self._seconds, listed
            if len(self._held) > _MOST_LISTS:
                self._held.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()


class Shelf[T: Held]:
    """Objects by where they came from; safe to use from several threads."""

    def __init__(self, *, seconds: float = SECONDS_KEPT, most_bytes: int = MOST_KEPT) -> None:
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._held: OrderedDict[Key, tuple[float, T]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        IN_HAND.keep(self)

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._bytes

    def get(self, key: Key) -> T | None:
        """The object, if it is still here."""
        with self._lock:
            self._drop_old()
            found = self._held.get(key)
            if found is None:
                return None
            self._held.move_to_end(key)
            return found[1]

    def put(self, key: Key, held: T) -> None:
        """Keep the object instead of those not asked for the longest; one too large is not kept,
        but has the room while it is looked at."""
        size = len(held.data_set)
        with self._lock:
            self._drop(key)
            while self._held and self._bytes + size > self._most_bytes:
                self._drop(next(iter(self._held)))
            if size <= self._most_bytes:
                self._held[key] = monotonic() + self._seconds, held
                self._bytes += size
                self._schedule_expiry()
        IN_HAND.settle()

    def free(self, size: int) -> int:
        """Forget what was not asked for the longest, until that are so many bytes; returns how
        many it were."""
        with self._lock:
            before = self._bytes
            while self._held and before - self._bytes < size:
                self._drop(next(iter(self._held)))
            return before - self._bytes

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()
            self._bytes = 0
            timer, self._timer = self._timer, None
        if timer:
            timer.cancel()

    def _drop(self, key: Key) -> None:
        if found := self._held.pop(key, None):
            self._bytes -= len(found[1].data_set)

    def _drop_old(self) -> None:
        now = monotonic()
        for key in [key for key, (ends, _) in self._held.items() if ends <= now]:
            self._drop(key)

    def _schedule_expiry(self) -> None:
        """See to it that the oldest goes in time, whether or not anybody asks."""
        if self._timer is None and self._held:
            first = min(ends for ends, _ in self._held.values())
            self._timer = threading.Timer(max(first - monotonic(), 0.0), self._expire)
            self._timer.daemon = True
            self._timer.name = "shelf"
            self._timer.start()

    def _expire(self) -> None:
        with self._lock:
            if self._timer is not threading.current_thread():
                return  # cleared meanwhile
            self._timer = None
            self._drop_old()
            self._schedule_expiry()
