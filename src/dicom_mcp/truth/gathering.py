"""The matches of one answer as they arrive: checked, counted, each once, bounded."""

from collections.abc import Callable, Collection

from ..standard.levels import NOUN, UNIQUE_KEY, Level
from ..standard.query import Match, Query
from ..standard.recheck import Recheck

# What may be held of one answer, as it came. 500 matches with every attribute of the extended
# preset are under 2 MiB; as Python objects bytes take up to ten times their room.
MOST_HELD = 8 * 1024 * 1024

# More repeated matches in a row than any list asked again in parts has, in number and as they came.
_MOST_REPEATED = 20_000
_MOST_REPEATED_BYTES = 32 * 1024 * 1024


class Gathering:
    """Takes the matches of `query` until there are more than `limit`.

    `loosened` names keys that were sent wider than `query` has them, so that what they let
    through is compared here; of such an answer at most `most_examined` matches are looked at.
    With `keep` the matches go there, one by one, and none is held.
    """

    def __init__(
        self,
        query: Query,
        limit: int,
        *,
        keep: Callable[[Match], None] | None = None,
        loosened: Collection[str] = (),
        most_examined: int | None = None,
    ) -> None:
        self.matches: list[Match] = []
        self.count = 0
        self.examined = 0
        self._query = query
        self._limit = limit
        self._keep = keep
        self._recheck = Recheck(query, loosened)
        self._most_examined = most_examined
        self._unique_key = UNIQUE_KEY[query.level]
        self._seen: set[str] = set()
        self._unnamed = 0
        self._held = 0
        self._repeated = 0
        self._repeated_bytes = 0

    def take(self, match: Match, size: int) -> bool:
        """Look at a match that came in `size` bytes; False when no more are wanted."""
        self.examined += 1
        if self._recheck.holds(match) and self._is_new(match, size):
            self.count += 1
            if self.count > self._limit:
                pass  # one too many is only counted
            elif self._keep:
                self._keep(match)
            else:
                self.matches.append(match)
                self._held += size
        return not self.full

    @property
    def answered(self) -> frozenset[str]:
        """The keys whose attributes came back."""
        return self._recheck.returned

    @property
    def full(self) -> bool:
        """Whether no more are wanted."""
        return self._over_limit or self._too_big or self._too_many or self._endless

    def close(self) -> tuple[bool, list[str]]:
        """Whether all that arrived is here, and what to know."""
        nouns = NOUN[self._query.level]
        cut: list[str] = []
        if self._over_limit:
            cut.append(
                f"Not complete: these are the first {self._limit} {nouns[1]} the archive "
                "gave; there are more. Narrow the question, or raise limit (at most 500)."
            )
        elif self._too_big:
            cut.append(
                f"Not complete: the answer grew beyond {MOST_HELD // 1024**2} MiB and was cut "
                "here. Ask for fewer attributes (attribute_preset=minimal) or narrow the question."
            )
        elif self._too_many:
            cut.append(
                f"Not complete: only the first {self.examined} {nouns[1]} the archive gave "
                "were compared. Narrow the question by a date, an ID or a plain ASCII part."
            )
        elif self._endless:
            cut.append(
                f"Not complete: the archive kept repeating {nouns[1]} it had given before, and was "
                "stopped."
            )
        elif self._unnamed:
            cut.append(
                f"Not complete: {self._unnamed} {nouns[self._unnamed != 1]} came without "
                f"{self._unique_key}, so that it cannot be told which they are."
            )
        return not cut, cut + self._recheck.notes()

    def _is_new(self, match: Match, size: int) -> bool:
        """Whether it was not given before: archives repeat rows, and parts may overlap."""
        unique = match.get(self._unique_key)
        if self._query.level is Level.PATIENT:
            # One ID may stand for two people, of two hospitals or by mistake.
            unique = repr(match)
        elif not unique or not isinstance(unique, str):
            self._unnamed += 1
            return True
        if unique in self._seen:
            self._repeated += 1
            self._repeated_bytes += size
            return False
        self._seen.add(unique)
        self._repeated = self._repeated_bytes = 0
        return True

    @property
    def _over_limit(self) -> bool:
        return self.count > self._limit

    @property
    def _too_big(self) -> bool:
        return self._held > MOST_HELD

    @property
    def _endless(self) -> bool:
        return self._repeated > _MOST_REPEATED or self._repeated_bytes > _MOST_REPEATED_BYTES

    @property
    def _too_many(self) -> bool:
        return self._most_examined is not None and self.examined > self._most_examined
