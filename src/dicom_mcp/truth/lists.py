"""Many values of one attribute, asked for by lists of a length that archives read.

What a list brought nothing for is asked for once more without the others: an archive that gives
only so many matches at once has given those of the first values, and called it success.
"""

from collections.abc import Sequence
from itertools import batched

from ..standard.lists import LISTED
from ..standard.query import Query
from ..standard.shapes import SEPARATOR
from .asking import Asking
from .gathering import Gathering, Outcome
from .unseen import ask_seen

# Values in one query: of UIDs of full length 13 kB. 5,000 values are 25 queries.
_AT_ONCE = 200

# Of several lists in one question the longest is sent, and what that brings is compared here.
_MOST_COMPARED = 100_000


def ask_listed(asking: Asking, query: Query, gathering: Gathering) -> Outcome:
    """Ask, a long list of values in parts."""
    lists = {one: key for one in LISTED if SEPARATOR in (key := query.keys.get(one, ""))}
    if not lists:
        return ask_seen(asking, query, gathering)
    keyword = max(lists, key=lambda one: lists[one].count(SEPARATOR))
    others = [one for one in lists if one != keyword]
    if others:
        gathering.compare(others, most_examined=_MOST_COMPARED)
    keys = {one: key for one, key in query.keys.items() if one not in others}
    asked = _Listed(asking, Query(query.level, keys, (*query.wanted, *others)), gathering, keyword)
    whole, notes = True, list[str]()
    for values in batched(lists[keyword].split(SEPARATOR), _AT_ONCE):
        outcome = asked.ask(values)
        whole = whole and outcome.whole
        notes += [note for note in outcome.notes if note not in notes]
        if gathering.full:
            break
    return Outcome(whole, notes)


class _Listed:
    """One question, asked for some of the values of one of its keys after the other."""

    def __init__(self, asking: Asking, query: Query, gathering: Gathering, keyword: str) -> None:
        self._asking = asking
        self._query = query
        self._gathering = gathering
        self._keyword = keyword

    def ask(self, values: Sequence[str]) -> Outcome:
        """Ask for these values, and for what is missing then."""
        keys = {**self._query.keys, self._keyword: SEPARATOR.join(values)}
        query = Query(self._query.level, keys, self._query.wanted)
        examined = self._gathering.examined
        outcome = ask_seen(self._asking, query, self._gathering)
        missing = self._gathering.missing(self._keyword, keys[self._keyword])
        brought_nothing = self._gathering.examined == examined
        nothing_more = self._gathering.full or brought_nothing or len(values) == 1
        if nothing_more or self._asking.deadline.passed:
            return outcome
        if not outcome.whole:  # every match has to come in an answer that is
            middle = len(values) // 2
            return self._joined([values[:middle], values[middle:]])
        given = self._gathering.examined - examined
        if not missing or given < self._asking.habits.longest.get(self._query.level, 0):
            return outcome  # it gave more than that at once before
        if len(missing) == len(values):
            return outcome  # it ignores the key: asked again it gives the same
        return self._joined([missing], outcome)

    def _joined(self, parts: Sequence[Sequence[str]], *known: Outcome) -> Outcome:
        """What is known already, and what asking for each of these parts comes to."""
        outcomes = [*known, *(self.ask(part) for part in parts if not self._gathering.full)]
        notes = dict.fromkeys(note for outcome in outcomes for note in outcome.notes)
        return Outcome(all(outcome.whole for outcome in outcomes), [*notes])
