"""The matches of one answer as they arrive: checked, counted, bounded."""

from collections.abc import Callable, Collection

from ..standard.levels import NOUN
from ..standard.query import Match, Query
from ..standard.recheck import Recheck

# What may be held of one answer, as it came. 500 matches with every attribute of the extended
# preset are under 2 MiB; as Python objects bytes take up to ten times their room.
MOST_HELD = 8 * 1024 * 1024


class Gathering:
    """Takes the matches of `query` until there are more than `limit`.

    `loosened` names keys that were sent wider than `query` has them, so that what they let
    through is compared here; of such an answer at most `most_examined` matches are looked at.
    """

    def __init__(
        self,
        query: Query,
        limit: int,
        arrived: Callable[[], None],
        *,
        loosened: Collection[str] = (),
        most_examined: int | None = None,
    ) -> None:
        self.matches: list[Match] = []
        self._recheck = Recheck(query, loosened)
        self._nouns = NOUN[query.level]
        self._limit = limit
        self._arrived = arrived
        self._most_examined = most_examined
        self.examined = 0
        self._held = 0

    def take(self, match: Match, size: int) -> bool:
        """Look at a match that came in `size` bytes; False when no more are wanted."""
        self._arrived()
        self.examined += 1
        if self._recheck.holds(match):
            self.matches.append(match)
            self._held += size
        return not (self._over_limit or self._too_big or self._too_many)

    def close(self) -> tuple[bool, list[str]]:
        """Cut what is over the limit; whether all that arrived is here, and what to know."""
        cut: list[str] = []
        if self._over_limit:
            cut.append(
                f"Not complete: these are the first {self._limit} {self._nouns[1]} the archive "
                "gave; there are more. Narrow the question, or raise limit (at most 500)."
            )
        elif self._too_big:
            cut.append(
                f"Not complete: the answer grew beyond {MOST_HELD // 1024**2} MiB and was cut "
                "here. Ask for fewer attributes (attribute_preset=minimal) or narrow the question."
            )
        elif self._too_many:
            cut.append(
                f"Not complete: only the first {self.examined} {self._nouns[1]} the archive gave "
                "were compared. Narrow the question by a date, an ID or a plain ASCII part."
            )
        del self.matches[self._limit :]
        return not cut, cut + self._recheck.notes()

    @property
    def _over_limit(self) -> bool:
        return len(self.matches) > self._limit

    @property
    def _too_big(self) -> bool:
        return self._held > MOST_HELD

    @property
    def _too_many(self) -> bool:
        return self._most_examined is not None and self.examined > self._most_examined
