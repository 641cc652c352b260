"""Objects that nobody asked for: an archive may send a whole study for a few of its images, but not
go on for ever."""

from ..budgets import LARGEST_UNASKED, MOST_UNASKED

FLOOD = (
    f"sent more than {MOST_UNASKED:,} objects or {LARGEST_UNASKED >> 30} GiB in a row that nobody "
    "had asked for, and was told to stop"
)


class Unasked:
    """How many came in a row, and how many bytes they were."""

    def __init__(self) -> None:
        self._count = self._bytes = 0

    def is_flood(self, size: int) -> bool:
        """One more came, of so many bytes: whether these are too many."""
        self._count += 1
        self._bytes += size
        return self._count > MOST_UNASKED or self._bytes > LARGEST_UNASKED

    def over(self) -> None:
        """One came that was asked for."""
        self._count = self._bytes = 0
