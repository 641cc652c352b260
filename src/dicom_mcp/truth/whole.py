"""Whole lists from archives that give only so many matches at once.

Some say so (0xA700, or 0xFE00 that nobody asked for), some just stop and call it success. An answer
that may have been cut is asked again in parts: by date, and a day that is still too much by time.
What that brings is either proof that nothing was missing, or the rest.
"""

from ..errors import ArchiveError, StatusFailure
from ..standard.levels import HIERARCHY, NOUN, UNIQUE_KEY, Level
from ..standard.note import Note, incomplete, perhaps
from ..standard.query import Matches, Query
from ..standard.shapes import SEPARATOR
from ..standard.status import TOO_MANY
from ..standard.values import count_of
from .asking import Asking, Part
from .gathering import Gathering, Outcome
from .halves import halves_of_day
from .parts import Parts, told_of
from .steps import Step, result_of
from .undated import ask_undated

# Which count of the level above proves that a list is whole.
_COUNT_ABOVE: dict[Level, str] = {
    Level.SERIES: "NumberOfStudyRelatedSeries",
    Level.IMAGE: "NumberOfSeriesRelatedInstances",
}

# Matches that are looked at to see whether an archive gives so many at once.
_ENOUGH = 500

# And how long that may take: of a slow archive halves are asked for instead.
_SECONDS = 3.0

# Of a longer list with a length that nobody sets as a limit, what has no date is not looked for.
_LONG = 200

# A list that nothing can prove whole is only doubted at the lengths archives are known to cut at.
_KNOWN_CAP = 100


def matches(asking: Asking, query: Query, limit: int) -> Matches:
    """At most `limit` matches of the query, whole if they can be had, else marked."""
    gathering = Gathering(query, limit)
    return gathering.close(result_of(ask_whole(asking, query, gathering)))


def ask_first(asking: Asking, query: Query, gathering: Gathering) -> Step[Part]:
    """The answer to the query as it stands, whose dates tell how to ask for the rest of it."""
    return asking.put(_dated(query), gathering, told=told_of(query.level))


def _dated(query: Query) -> Query:
    return Query(query.level, query.keys, (*query.wanted, told_of(query.level)[0]))


def ask_whole(
    asking: Asking, query: Query, gathering: Gathering, first: Part | None = None
) -> Step[Outcome]:
    """Ask, in parts where one answer is not enough, and let `gathering` take what comes; `first` is
    the answer to the query as it stands, where it was asked already.

    Raises what the archive's failures raise, as long as nothing was gathered.
    """
    habits = asking.habits
    try:
        if first is None:
            first = yield ask_first(asking, query, gathering)
            assert first
    except StatusFailure as failure:
        if failure.status not in TOO_MANY or _is_of_one(query):
            raise
        if gathering.empty:
            return ask_undated(asking, query, gathering, None)
        parts = Parts(asking, query, gathering, cap=None, most=0)
        whole = parts.ask_all(None)
        if not gathering.count and not (whole and habits.refuses):
            raise  # nothing came of less either: too much was not what was wrong
        habits.refuses = True
        parts.prove_undated(None)
        return parts.outcome()
    notes = list(first.ending.notes)
    silent = (
        first.ending.whole
        and not gathering.full
        and habits.is_doubted(query.level, first.rows, query.keys)
    )
    is_likely = silent and habits.is_cut(query.level, first.rows)
    if first.ending.whole:
        habits.gave(query.level, first.rows)
    if not silent and not first.ending.capped:
        return Outcome(first.ending.whole, notes)
    if _is_of_one(query):
        if not silent:
            return Outcome(False, notes)
        return _proved_by_count(asking, query, first, is_likely=is_likely)
    if silent and _gives_more(asking, query, first.rows):
        return Outcome(True, notes)
    if listed := [keyword for keyword, key in query.keys.items() if SEPARATOR in key]:
        # A list is parted into shorter ones (see `lists`), which looks for values that did not
        # come; of a value that several matches have some may lack all the same.
        if silent and not is_likely and listed == [UNIQUE_KEY[query.level]]:
            return Outcome(True, notes)
        why = "and shorter lists may have more"
        return Outcome(False, [*notes, _suspicious(first.rows, query, why)])
    if gathering.empty:
        return ask_undated(asking, query, gathering, first)
    if silent and not is_likely and not _can_be_halved(query, first):
        return Outcome(True, notes)
    return _in_parts(asking, query, gathering, first, silent=silent, is_likely=is_likely)


def _in_parts(
    asking: Asking,
    query: Query,
    gathering: Gathering,
    first: Part,
    *,
    silent: bool,
    is_likely: bool,
) -> Outcome:
    """Ask in parts for what the first answer may lack, or does if it is not `silent` about it."""
    habits, notes = asking.habits, list(first.ending.notes)
    found, alone = gathering.count, gathering.examined == first.rows
    cap = first.rows if silent else None
    parts = Parts(asking, query, gathering, cap=cap, most=first.rows)
    whole = parts.ask_all(first)
    if silent and gathering.count == found:
        is_long = not is_likely and first.rows > _LONG
        if whole and (is_long or parts.rows >= first.rows or parts.covers(first)):
            habits.proved_whole(query.level, first.rows, query.keys)
            gathering.halved = alone
            return Outcome(True, notes)
        if not is_likely and not asking.deadline.passed:
            habits.proved_whole(query.level, first.rows, query.keys)  # as far as it can be
            return Outcome(True, notes)
        why = "and not all have a" if whole else "and it could not be split by"
        return Outcome(
            False, [*notes, _suspicious(first.rows, query, f"{why} {told_of(query.level)[0]}")]
        )
    if gathering.count > found:
        habits.cap = first.rows
        habits.silent_cap = first.rows if silent else None
    parts.prove_undated(first)
    outcome = parts.outcome()
    # What the archive said of its first answer no longer holds when the parts brought the rest.
    return outcome if outcome.whole or parts.came else Outcome(False, [*notes, *outcome.notes])


def _gives_more(asking: Asking, query: Query, rows: int) -> bool:
    """Whether the archive gives more than so many at once, as any longer list of its shows."""
    habits = asking.habits
    if not query.keys or rows == habits.cap or query.level in habits.refuses_all:
        return False
    every = Query(query.level)
    gathering = Gathering(every, max(rows, _ENOUGH), keep=lambda _: None)
    try:
        part = result_of(asking.within(_SECONDS).put(every, gathering))
    except ArchiveError:
        habits.refuses_all.add(query.level)
        return False
    if gathering.full or part.ending.whole:
        habits.gave(query.level, part.rows)
    return part.rows > rows


def _can_be_halved(query: Query, first: Part) -> bool:
    """Whether what came is of several days, or minutes of a day."""
    day, *others = told_of(query.level)
    dates = {row[day] for row in first.told} - {""}
    return len(dates) > 1 or (
        "StudyTime" in others and bool(halves_of_day(row["StudyTime"] for row in first.told))
    )


def _proved_by_count(asking: Asking, query: Query, first: Part, *, is_likely: bool) -> Outcome:
    """Whether a list below one study or series, or a list of them, is as long as the level above
    says it has to be."""
    notes = list(first.ending.notes)
    above = query.level.above[-1]
    named = max(query.keys.get(UNIQUE_KEY[level], "").count(SEPARATOR) for level in HIERARCHY) + 1
    if query.level is Level.IMAGE and named > 1 and not is_likely:
        return Outcome(True, notes)  # whoever asks for those of several series has counted them
    keyword = _COUNT_ABOVE.get(query.level, "")
    counted = {UNIQUE_KEY[level] for level in query.level.above}
    if keyword and UNIQUE_KEY[above] in query.keys and query.keys.keys() <= counted:
        counting = Query(above, query.keys, (keyword,))
        gathering = Gathering(counting, named)
        result_of(asking.put(counting, gathering))
        counts = [count_of(match.get(keyword, "")) for match in gathering.matches]
        told = [count for count in counts if count is not None]
        if len(told) == len(counts) == named:
            count = sum(told)
            if count <= first.rows:
                asking.habits.proved_whole(query.level, first.rows, query.keys)
                return Outcome(True, notes)
            asking.habits.cap = first.rows
            notes.append(
                incomplete(
                    f"the archive counts {count} {NOUN[query.level][1]} here, but it "
                    f"gives at most {first.rows} at once."
                )
            )
            return Outcome(False, notes)
    # Of a list of parents some may have come in part; values that did not come are looked for.
    is_told_apart = named == 1 or UNIQUE_KEY[query.level] in query.keys
    is_known = named == 1 and first.rows % _KNOWN_CAP and first.rows != asking.habits.cap
    if is_told_apart and (not is_likely or is_known):
        return Outcome(True, notes)
    notes.append(_suspicious(first.rows, query, "and nothing here can tell"))
    return Outcome(False, notes)


def _suspicious(rows: int, query: Query, why: str) -> Note:
    return perhaps(
        f"the archive gave exactly {rows} {NOUN[query.level][1]}, which may "
        f"be the most it gives at once, {why}. Narrow the question."
    )


def _is_of_one(query: Query) -> bool:
    """Whether it asks below one study or series, which no date can split."""
    below = UNIQUE_KEY[Level.STUDY], UNIQUE_KEY[Level.SERIES], UNIQUE_KEY[Level.IMAGE]
    return any(query.keys.get(keyword) for keyword in below)
