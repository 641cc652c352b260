"""How much of one call may be asked in vain, so that no archive is ever flooded."""

import threading
from collections import Counter

from .errors import AskedInVain, DicomMcpError

# Queries of one call that may bring nothing: three for each entry of the longest worklist whose
# arrivals are looked up, and hints. What brings rows may be asked as long as there is time.
MOST_IN_VAIN = 350

# Of these, how many may fail: an attribute or a key that an archive refuses is left out at a time.
MOST_FAILED = 40

# Refusals for want of resources, one after the other: of the question, of the same one after a
# pause, and of a small part of it, which shows whether it was too much. Once a query was answered
# they may be that archive's way of saying so, and a part is halved this often.
MOST_REFUSED = 3
MOST_PARTS_REFUSED = 12

# So many may have been in vain where a list is still proved: what is left is for the question.
MOST_PROVING = 220


class Allowance:
    """Counts what one call asked in vain, at all nodes; shared by its steps and its threads."""

    def __init__(self) -> None:
        # Whether an archive without resources was left alone for a moment already.
        self.paused = False
        # Rows that were what was asked for, new or not.
        self.meant = 0
        # How often each server (by its base URL) said that it has no time now.
        self.put_off = Counter[str]()
        # The keys of what brought nothing, by archive and level: more keys bring nothing either.
        self.barren: dict[object, set[frozenset[tuple[str, str]]]] = {}
        self._in_vain = 0
        self._failed = 0
        self._refused = 0
        self._answered = False
        self._last: DicomMcpError | None = None
        self._lock = threading.Lock()

    @property
    def proving(self) -> int:
        """How many queries may be sent for no more than to prove that a list is whole."""
        return max(0, MOST_PROVING - self._in_vain)

    @property
    def spent(self) -> bool:
        """Whether nothing more may be sent."""
        most_refused = MOST_PARTS_REFUSED if self._answered else MOST_REFUSED
        return (
            self._in_vain >= MOST_IN_VAIN
            or self._failed >= MOST_FAILED
            or self._refused >= most_refused
        )

    def check(self) -> None:
        """Raise the last failure, or AskedInVain, when nothing more may be sent."""
        if not self.spent:
            return
        if self._last and self._in_vain < MOST_IN_VAIN:
            raise self._last.again()
        raise AskedInVain(
            f"{self._in_vain} requests of this call brought nothing, or next to it, and no more "
            "were sent",
            "Narrow the question, or ask for fewer things in one call",
        )

    def answered(self, rows: int) -> None:
        """A query ended well, with so many rows."""
        with self._lock:
            self._refused = 0
            self._answered = True
            self._in_vain += not rows

    def failed(self, failure: DicomMcpError, rows: int, *, refused: bool) -> None:
        """A query ended in an error after so many rows; `refused` for want of resources."""
        with self._lock:
            self._last = failure.again()
            self._answered = self._answered or rows > 0
            self._in_vain += not rows
            self._failed += 1
            self._refused = self._refused + 1 if refused else 0
