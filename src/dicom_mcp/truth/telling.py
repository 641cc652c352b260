"""Lists that an archive cuts by what it is asked to tell of each match.

Counts and ModalitiesInStudy are worked out from the levels below (PS3.4 C.3.4), and an archive
whose limit bites on what it looks at there gives a short list and calls it whole. So such a list
is asked for once more with nothing to work out, and what it lacked is asked for by its UIDs. A
list with no more below it than an archive is known to look at need not be proved.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from ..errors import StatusFailure
from ..standard.entities import COMPUTED
from ..standard.levels import HIERARCHY, NOUN, UNIQUE_KEY, Level
from ..standard.note import incomplete, remark
from ..standard.query import Ending, Match, Query, is_one
from ..standard.record import parent
from ..standard.shapes import SEPARATOR
from ..standard.values import count_of
from .habits import Habits, Proved
from .halves import DAY_OF, around, halves, halves_of_day
from .steps import Step

type Take = Callable[[Match, int], bool]


class Ask(Protocol):
    """Sends one query, which asks for these attributes `also`; its rows go to `take`."""

    def __call__(self, query: Query, take: Take, also: Sequence[str] = (), /) -> Step[Ending]: ...


# What is worked out from the levels below a match of each level, and what of it says how much was
# looked at for that.
_WORKED_OUT: dict[Level, frozenset[str]] = {
    level: frozenset(keyword for keyword, of in COMPUTED.items() if of in (*level.above, level))
    for level in HIERARCHY
    if level is not Level.IMAGE
}
COUNTS: dict[Level, tuple[str, ...]] = {
    level: tuple(
        keyword
        for keyword, of in COMPUTED.items()
        if of is level and keyword.startswith("NumberOf")
    )
    for level in HIERARCHY
}

# A unique key, and what it is below.
type _Who = tuple[str, str]

# How a list ends of which more is there than came.
_CUT = Ending(whole=False, capped=True)
# What a day is parted by.
_TIMES: dict[Level, tuple[str, ...]] = {
    Level.PATIENT: (),
    Level.STUDY: ("StudyTime",),
    Level.SERIES: ("StudyTime",),
}

# UIDs in one query; each brings what fits, so that shorter lists follow.
_AT_ONCE = 100
_SHRINK = 4


def _may_be_cut(query: Query) -> bool:
    """Whether what it asks to be told may cut the list that it asks for.

    A key that is answered from below cuts by itself, and is proved by whoever sends it.
    """
    told = _WORKED_OUT.get(query.level, frozenset())
    # One order has few studies: nothing of them is below a limit.
    alone = any(
        is_one(query.keys.get(keyword, ""))
        for keyword in (UNIQUE_KEY[query.level], "AccessionNumber")
    )
    return bool(told) and not alone and not told & query.keys.keys()


def ask_for_all(query: Query, take: Take, ask: Ask, habits: Habits) -> Step[Ending]:
    """The query; every match that there is, whatever has to be worked out to tell of it."""
    if not _may_be_cut(query):
        return (yield ask(query, take))
    telling = _Telling(query, take, ask, habits)
    some: _Some = yield telling.ask_for(query.keys)
    if not some.ending.whole or telling.stopped or not some.is_told:
        return some.ending
    if habits.proved.covers(query.keys, some.counts):
        return some.ending
    if len(some.came) == habits.cap:
        return some.ending  # cut by its rows, if at all, whatever is told of them
    proof: Ending = yield telling.prove(some)
    if telling.late and proof.whole and not telling.stopped:
        habits.cuts_told = True
        habits.proved = Proved()
        nouns, count = NOUN[query.level], telling.late
        told = remark(
            f"This archive leaves out {nouns[1]} where it is asked for counts or modalities; "
            f"{count} {nouns[count != 1]} came otherwise."
        )
        return replace(some.ending.noted(told), gave=proof.gave)
    if telling.stopped or not proof.whole:
        return some.ending if telling.stopped else proof
    return replace(some.ending, gave=proof.gave)


@dataclass(slots=True)
class _Some:
    """What came of one query, how much is below it, and on which days it was."""

    ending: Ending = field(default_factory=Ending)
    came: set[_Who] = field(default_factory=set[_Who])
    # How much is below each that came; None where one did not say.
    counts: dict[str, list[int] | None] = field(default_factory=dict[str, list[int] | None])
    days: list[str] = field(default_factory=list[str])
    times: list[str] = field(default_factory=list[str])
    # Whether anything was worked out for it.
    is_told: bool = False


class _Telling:
    """One question, and what came of it so far, whichever way."""

    def __init__(self, query: Query, take: Take, ask: Ask, habits: Habits) -> None:
        self._query = query
        self._take = take
        self._ask = ask
        self._habits = habits
        self._unique = UNIQUE_KEY[query.level]
        self._day = DAY_OF[query.level]
        self._told = _WORKED_OUT[query.level]
        self._counts = COUNTS[query.level]
        # What is asked for only to prove that all came.
        asks = habits.always_tells or bool(self._told & set(query.returned))
        proving = (*self._counts, self._day, *_TIMES[query.level]) if asks else ()
        self._also = tuple(keyword for keyword in proving if keyword not in query.returned)
        self._seen: set[_Who] = set()
        self.stopped = False
        # How many came only when they were asked for in another way.
        self.late = 0

    def ask_for(self, keys: Mapping[str, str], only: Collection[_Who] | None = None) -> Step[_Some]:
        """Ask by these keys; what is new, and among those that are wanted `only`, is taken."""
        some = _Some(counts={keyword: [] for keyword in self._counts})
        known = len(self._seen)

        def take(match: Match, size: int) -> bool:
            who = self._identity(match)
            if who not in some.came:
                some.came.add(who)
                self._note(some, match)
            if (known and who in self._seen) or (only is not None and who not in only):
                return True
            self.late += bool(known)
            self._seen.add(who)
            if self._also:
                match = {
                    keyword: value for keyword, value in match.items() if keyword not in self._also
                }
            self.stopped = not self._take(match, size)
            return not self.stopped

        some.ending = yield self._ask(replace(self._query, keys=keys), take, self._also)
        return some

    def _note(self, some: _Some, match: Match) -> None:
        some.is_told = some.is_told or any(match.get(keyword) for keyword in self._told)
        some.days.append(str(match.get(self._day, "")))
        some.times.append(str(match.get("StudyTime", "")))
        for keyword, below in some.counts.items():
            count = count_of(match.get(keyword, ""))
            if below is None or count is None:
                some.counts[keyword] = None
            else:
                below.append(count)

    def prove(self, whole: _Some) -> Step[Ending]:
        """Whether `whole` was all there is, or is now that the rest came too."""
        bare: dict[_Who, None] = {}
        rows = 0

        def note(match: Match, size: int) -> bool:  # noqa: ARG001 - the shape of `take`
            nonlocal rows
            rows += 1
            bare[self._identity(match)] = None
            told = any(match.get(keyword) for keyword in self._told)
            self._habits.always_tells = self._habits.always_tells or told
            return not told

        ending = Ending()
        if not self._habits.always_tells:
            ending = yield self._ask(replace(self._query, wanted=()), note, ())
        if self._habits.always_tells:
            return (yield self._prove_by_halves(whole))
        missing = [who for who in bare if who not in self._seen]
        if missing and not (yield self._ask_by_uid(missing, len(whole.came))):
            return _CUT
        if ending.whole and not missing:
            self._habits.proved.learn(self._query.keys, whole.counts)
        if ending.capped:
            return _CUT
        return Ending(gave=rows) if ending.whole else ending

    def _ask_by_uid(self, missing: Sequence[_Who], size: int) -> Step[bool]:
        """Ask for these by lists of as many as came at once; whether all came."""
        above = {UNIQUE_KEY[level] for level in self._query.level.above}
        keys = {keyword: key for keyword, key in self._query.keys.items() if keyword in above}
        left = [who for who in missing if is_one(who[0])]
        whole = len(left) == len(missing)
        size = min(size, _AT_ONCE)
        while left and not self.stopped:
            asked = left[:size]
            listed = SEPARATOR.join(uid for uid, _ in asked)
            try:
                yield self.ask_for({**keys, self._unique: listed}, asked)
            except StatusFailure:
                if size == 1:
                    raise
            before, left = len(left), [who for who in left if who not in self._seen]
            if len(left) < before:
                continue
            if size == 1:
                whole = False
                left = left[1:]
            size = max(size // _SHRINK, 1)
        return whole

    def _prove_by_halves(self, whole: _Some) -> Step[Ending]:
        """The same of an archive that tells what it works out whether or not it is asked to: two
        halves of the time have no more."""
        keys = self._query.keys
        if self._query.level is Level.SERIES and is_one(keys.get(UNIQUE_KEY[Level.STUDY], "")):
            return (yield self._prove_by_count(whole))
        if not any(whole.days) and not self._also:
            self._also = (self._day, *_TIMES[self._query.level])
            whole = yield self.ask_for(keys)
        known = len(self._seen)
        parts = self._parts(keys, whole)
        proves = bool(parts)
        for part in parts:
            some: _Some = yield self.ask_for(part)
            proves = proves and some.ending.whole and len(some.came) < len(whole.came)
        if len(self._seen) > known:
            if self._habits.is_cut(self._query.level, len(whole.came)):
                self._habits.cap = self._habits.silent_cap = len(whole.came)
            return _CUT
        if proves:
            self._habits.proved.learn(keys, whole.counts)
        return Ending()

    def _parts(self, keys: Mapping[str, str], whole: _Some) -> list[dict[str, str]]:
        """Keys that part what these have; none where it cannot be."""
        key = keys.get(self._day, "")
        spans = halves(key, whole.days) or around(key, whole.days)
        if spans or self._query.level is Level.PATIENT or "StudyTime" in keys:
            return [{**keys, self._day: span} for span in spans]
        return [{**keys, "StudyTime": span} for span in halves_of_day(whole.times)]

    def _prove_by_count(self, whole: _Some) -> Step[Ending]:
        """The same of the series of one study, which the level above counts."""
        counted = "NumberOfStudyRelatedSeries"
        above = {UNIQUE_KEY[level] for level in self._query.level.above}
        counts: list[int | None] = []

        def note(match: Match, size: int) -> bool:  # noqa: ARG001 - the shape of `take`
            counts.append(count_of(match.get(counted, "")))
            return True

        if self._query.keys.keys() <= above:
            yield self._ask(Query(Level.STUDY, self._query.keys, (counted,)), note, ())
        if len(counts) != 1 or counts[0] is None:
            return Ending()
        if counts[0] <= len(whole.came):
            self._habits.proved.learn(self._query.keys, whole.counts)
            return Ending()
        told = incomplete(
            f"the archive counts {counts[0]} series in this study, and gave {len(whole.came)}."
        )
        return Ending(whole=False, notes=(told,))

    def _identity(self, match: Match) -> _Who:
        above = parent(self._query.level, match) or str(match.get("IssuerOfPatientID", ""))
        return str(match.get(self._unique, "")), above
