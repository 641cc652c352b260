"""Lists of studies that were found, kept under a name to go on with: in memory, as long as the
server runs."""

import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import BadArgument
from ..standard.values import shown
from ..words.near import did_you_mean

# Lists of a session, and studies in all lists: 64 bytes each.
_MOST_OF_A_SESSION = 50
_MOST_STUDIES = 1_000_000


@dataclass(frozen=True, slots=True)
class Cohort:
    """Studies, by their UIDs."""

    name: str
    studies: tuple[str, ...]


class Cohorts:
    """What each session keeps; a client without a session has names that nobody guesses. Safe to
    use from several threads."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, str], Cohort] = OrderedDict()
        self._made = 0
        self._lock = threading.Lock()

    def keep(
        self, session: str | None, name: str, studies: Sequence[str]
    ) -> tuple[str, list[str], bool]:
        """Keep these under a name, which is made where none is given: what they are called, which
        lists had to go for it, and whether another one had the name before.

        Raises BadArgument for a name that is none.
        """
        name = name.strip()
        if name and not re.fullmatch(r"\w[\w .-]{0,39}", name):
            raise BadArgument(
                f"name={shown(name)} is none", "Letters, digits and blanks, at most 40 of them"
            )
        with self._lock:
            self._made += not name
            name = name or f"cohort {self._made}"
            if session is None:
                name = f"{name} {secrets.token_hex(8)}"
            before = self._held.get((session or "", name.casefold()))
            self._held[session or "", name.casefold()] = Cohort(name, tuple(studies))
            self._held.move_to_end((session or "", name.casefold()))
            gone = self._made_room(session or "")
        return name, gone, before is not None

    def get(self, session: str | None, name: str) -> Cohort:
        """The list of this name. Raises BadArgument for one that nobody kept."""
        with self._lock:
            mine = {key[1]: kept for key, kept in self._held.items() if key[0] == (session or "")}
        kept = mine.get(name.strip().casefold())
        if kept is None:
            known = [] if session is None else [cohort.name for cohort in mine.values()]
            near = did_you_mean(name, known)
            raise BadArgument(
                f"there is no cohort {shown(name)}",
                f"Did you mean {near}?"
                if near
                else f"There are {', '.join(map(shown, known))}"
                if known
                else "resolve_list and find_cohort make one; it is kept as long as the server runs",
            )
        return kept

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._held.clear()

    def _made_room(self, session: str) -> list[str]:
        """Forget the lists kept longest ago; the names of those that were this session's."""
        gone: list[str] = []
        while True:
            mine = [key for key in self._held if key[0] == session]
            every = sum(len(kept.studies) for kept in self._held.values())
            if len(mine) > _MOST_OF_A_SESSION:
                oldest = mine[0]
            elif every > _MOST_STUDIES and len(self._held) > 1:
                oldest = next(iter(self._held))
            else:
                return gone
            kept = self._held.pop(oldest)
            gone += [kept.name] if oldest[0] == session else []
