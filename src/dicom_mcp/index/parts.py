"""The parts of an answer of which one is from the index and one from the archive."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from ..standard.levels import UNIQUE_KEY, Level
from ..standard.query import Match, Matches

type Keep = Callable[[Match], None]

_STUDY = UNIQUE_KEY[Level.STUDY]

# Studies of the archive that are looked for in the index together.
_TOGETHER = 1_000


class Others:
    """Keeps what the archive gives beside the index, but for what came from there already: what has
    a date further ahead than days are asked for."""

    def __init__(self, given: Callable[[Collection[str]], set[str]], keep: Keep) -> None:
        self._given = given
        self._keep = keep
        self._some: list[Match] = []

    def keep(self, match: Match) -> None:
        """One more."""
        self._some.append(match)
        if len(self._some) == _TOGETHER:
            self.let_go()

    def let_go(self) -> None:
        """There are no more."""
        given = self._given([str(match.get(_STUDY, "")) for match in self._some])
        for match in self._some:
            if str(match.get(_STUDY, "")) not in given:
                self._keep(match)
        self._some.clear()


def absent(matches: Sequence[Match]) -> tuple[str, ...]:
    """What all of these have no value for: the archive may not return it."""
    left = {*matches[0]} if matches else set[str]()
    for match in matches:
        if not left:
            break
        left = {keyword for keyword in left if match[keyword] in ("", None)}
    return tuple(sorted(left))


def joined(first: Matches, other: Matches) -> Matches:
    """Two parts of one answer."""
    return replace(
        first,
        matches=[*first.matches, *other.matches],
        complete=first.complete and other.complete,
        notes=tuple(dict.fromkeys((*first.notes, *other.notes))),
        absent=tuple(dict.fromkeys((*first.absent, *other.absent))),
        queries=first.queries + other.queries,
        beside=first.beside | other.beside,
        left=first.left | other.left,
    )
