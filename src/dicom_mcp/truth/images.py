"""The instances of many series at once, where an archive gives them without their study.

A relational archive does (PS3.4 C.4.1.3.2.1), for lists of series too (PS3.4 C.2.2.2.2); whether it
is one, the first series shows. Each of the series must be there, so that one of which nothing came,
or less than the archive counts, is left: whoever asked asks for it by itself, with its study.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from ..errors import ConnectionTimedOut, DeadlinePassed, StatusFailure
from ..standard.levels import UNIQUE_KEY, Level
from ..standard.note import Note
from ..standard.query import Match, Matches, Query
from ..standard.shapes import SEPARATOR
from ..standard.status import NO_RESOURCES
from ..standard.values import is_uid
from .asking import Asking
from .gathering import Gathering
from .lists import AT_ONCE, ask_listed
from .parents import uid_in
from .steps import result_of

# The study and the series.
type Place = tuple[str, str]

_STUDY, _SERIES = UNIQUE_KEY[Level.STUDY], UNIQUE_KEY[Level.SERIES]

# For fewer series one query more costs as much as asking for each of them.
_WORTH_TRYING = 3

# Instances that one list is made for, where the archive counts them and gives any number.
_MOST_COUNTED = 10_000

# More instances than any answer has room for.
_MOST = 2_000_000


def images_of(
    asking: Asking,
    counts: Mapping[Place, int | None],
    query: Query,
    keep: Callable[[Match], None],
) -> Matches:
    """The instances of these series go to `keep`, as far as they can be asked for together, each
    with its study and series; those of which not all surely came are `left` of the answer.

    `query` is an IMAGE query without these, and `counts` has how many instances each series has
    that it finds, None where that is not known.
    """
    images = _Images(asking, counts, query, keep)
    images.ask()
    return images.answer


def is_relational(asking: Asking, series: str) -> bool:
    """Whether instances of a series are given to who does not name its study. Of a series that is
    not there nothing is learned."""
    habits = asking.habits
    if habits.relational is False or habits.needs_patient:
        return False
    if habits.relational_images is None:
        gathering = Gathering(Query(Level.IMAGE, {_SERIES: series}, (_STUDY, _SERIES)), 1)
        _learn(asking, gathering, series)
    return habits.relational_images is True


def _learn(asking: Asking, gathering: Gathering, series: str) -> None:
    query = Query(Level.IMAGE, {_SERIES: series}, (_STUDY, _SERIES))
    try:
        result_of(asking.put(query, gathering))
    except StatusFailure as failure:
        if failure.status in NO_RESOURCES:
            raise  # which says nothing of the key
        asking.habits.relational_images = False
    else:
        if any(uid_in(match, _STUDY) and uid_in(match, _SERIES) for match in gathering.matches):
            asking.habits.relational_images = True


class _Images:
    """The instances of some series, as they come."""

    def __init__(
        self,
        asking: Asking,
        counts: Mapping[Place, int | None],
        query: Query,
        keep: Callable[[Match], None],
    ) -> None:
        self._asking = asking
        self._counts = counts
        self._query = Query(Level.IMAGE, query.keys, (_STUDY, _SERIES, *query.wanted))
        self._keep = keep
        self._came = Counter[Place]()
        self._left = set(counts)
        self._notes: list[Note] = []
        self._absent: set[str] | None = None

    @property
    def answer(self) -> Matches:
        """What is to be said of what was handed on."""
        return Matches(
            self._query,
            [],
            notes=tuple(self._notes),
            absent=tuple(sorted(self._absent or ())),
            left=frozenset(self._left),
        )

    def ask(self) -> None:
        """Ask for all whose series is no other study's too."""
        studies = Counter(series for _, series in self._counts)
        places = [
            place for place in self._counts if all(map(is_uid, place)) and studies[place[1]] == 1
        ]
        habits = self._asking.habits
        if len(places) < _WORTH_TRYING or not is_relational(self._asking, places[0][1]):
            return
        for part in self._parts(places):
            try:
                self._ask_list(part)
            except (DeadlinePassed, ConnectionTimedOut):
                if not self._came:
                    raise
                return
            except StatusFailure as failure:
                if failure.status in NO_RESOURCES:
                    raise
                habits.relational_images = False
                return

    def _parts(self, places: Sequence[Place]) -> Iterator[list[Place]]:
        """These in lists of which each is about what the archive gives in one answer."""
        cap = self._asking.habits.cap
        room = cap - 1 if cap else _MOST_COUNTED
        part: list[Place] = []
        count = 0
        for place in places:
            more = self._counts[place] or 0
            if part and (len(part) == AT_ONCE or count + more > room):
                yield part
                part, count = [], 0
            part.append(place)
            count += more
        if part:
            yield part

    def _ask_list(self, places: Sequence[Place]) -> None:
        studies = {series: study for study, series in places}
        keys = {**self._query.keys, _SERIES: SEPARATOR.join(studies)}
        query = replace(self._query, keys=keys)

        def take(match: Match) -> None:
            series = uid_in(match, _SERIES)
            study = uid_in(match, _STUDY)
            if study and studies.get(series) == study:
                self._came[study, series] += 1
                self._keep(match)

        gathering = Gathering(query, _MOST, keep=take)
        answer = gathering.close(result_of(ask_listed(self._asking, query, gathering)))
        came = {place for place in places if self._is_all(place, answer)}
        self._left -= came
        if answer.complete:
            self._notes += [note for note in answer.notes if note not in self._notes]
        if gathering.count:
            absent = set(answer.absent)
            self._absent = absent & (absent if self._absent is None else self._absent)

    def _is_all(self, place: Place, answer: Matches) -> bool:
        """Whether what came of a series is all of it. Where nobody counts, a length at which
        archives cut is doubted, as it is of a series that is asked for by itself."""
        count, came = self._counts[place], self._came[place]
        if count is None:
            is_cut = self._asking.habits.is_cut(Level.IMAGE, came)
            return answer.complete and came > 0 and not is_cut
        return came >= max(count, 1)
