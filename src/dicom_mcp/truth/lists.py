"""Many values of one attribute, asked for by lists of a length that archives read.

Only lists of UIDs are standard (PS3.4 C.2.2.2.2). Archives compare the others as one text, read the
first or the last value, so many of them, or refuse a long one; some give everything for a list. So
what a list does not bring is asked for between two values that are known to be there: an archive
that finds both has read all that stands between them. One that does not is asked by shorter lists,
and at last for one value at a time, several side by side.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from itertools import batched

from ..errors import (
    ArchiveError,
    AskedInVain,
    AssociationAborted,
    BadRequest,
    ConnectionLost,
    DeadlinePassed,
    StatusFailure,
)
from ..standard.levels import UNIQUE_KEY
from ..standard.lists import LISTED, normal
from ..standard.note import Note, each_named, incomplete, remark
from ..standard.query import Matches, Query, texts
from ..standard.shapes import SEPARATOR
from .asking import Asking
from .gathering import Gathering, Outcome
from .refusals import is_refusal
from .steps import Step, result_of
from .unseen import ask_seen

# Values in one query: of UIDs of full length 6.5 kB, which a URL has room for too.
AT_ONCE = 100

# The part of a list that is asked for next when the whole was not read, or too much for one answer;
# and how many matches may be too much.
_SHRINK = 4
_TOO_MUCH = 5

# Of several lists in one question one is sent, and what that brings is compared here.
_MOST_COMPARED = 100_000

# Values that are asked for one by one and bring nothing; for the others the question is asked
# without the list then. A call may ask 350 times in vain (see `allowance`).
_MOST_IN_VAIN = 250

# Matches that are looked at for values that are there, two of which show that a list is read.
_LOOKED_AT = 20
_ENDS = 2

_MOST_NAMED = 10


def ask_listed(asking: Asking, query: Query, gathering: Gathering) -> Step[Outcome]:
    """Ask, a list of values as this archive reads lists."""
    lists = {
        keyword: key for keyword in LISTED if SEPARATOR in (key := query.keys.get(keyword, ""))
    }
    if not lists:
        return (yield ask_seen(asking, query, gathering))
    # What is above is asked for: without it a hierarchical archive has nothing.
    above = {UNIQUE_KEY[level] for level in query.level.above}
    keyword = max(lists, key=lambda keyword: (keyword in above, lists[keyword].count(SEPARATOR)))
    others = [other for other in lists if other != keyword]
    if others:
        gathering.compare(others, most_examined=_MOST_COMPARED)
    keys = {keyword: key for keyword, key in query.keys.items() if keyword not in others}
    query = Query(query.level, keys, (*query.wanted, keyword, *others))
    return _Listed(asking, query, gathering, keyword).ask_all(lists[keyword].split(SEPARATOR))


class _Listed:
    """One question, asked for some of the values of one of its keys after the other."""

    def __init__(self, asking: Asking, query: Query, gathering: Gathering, keyword: str) -> None:
        self._asking = asking
        self._query = query
        self._gathering = gathering
        self._keyword = keyword
        self._lists = asking.habits.lists_of(query.level, keyword)
        # Values that are there beside the other keys; and that nothing else is.
        self._known: list[str] = []
        self._came_all = False
        # What came of the first list that was not whole.
        self._doubted: Gathering | None = None
        self._whole = True
        self._notes: list[Note] = []

    def ask_all(self, values: Sequence[str]) -> Outcome:
        """Ask for all of them, by lists those that can stand in one."""
        listed = [value for value in values if self._is_listable(value)]
        unlisted = [value for value in values if not self._is_listable(value)]
        alone: list[str] = []
        for part in batched(listed, AT_ONCE):
            if self._is_done:
                break
            try:
                alone += self._ask_list(part)
            except (AskedInVain, DeadlinePassed) as error:
                if not self._gathering.count:
                    raise
                self._not_asked([*alone, *unlisted, *listed[listed.index(part[0]) :]], error)
                return Outcome(self._whole, self._notes)
        if alone and not self._is_done:
            self._notes.append(
                remark(
                    f"This archive does not read such lists of {self._keyword}, or gives less at "
                    f"once than they bring; it was asked for each of {len(alone)} values."
                )
            )
        if (alone or unlisted) and not self._is_done:
            self._ask_alone([*alone, *unlisted])
        first = self._doubted
        if first and len(values) <= AT_ONCE and self._gathering.count > first.count:
            self._asking.habits.cap = first.examined  # it was one list, and shorter ones had more
        return Outcome(self._whole, self._notes)

    def _is_listable(self, value: str) -> bool:
        return self._asking.exchange.is_listable(self._keyword, value)

    @property
    def _is_done(self) -> bool:
        return self._gathering.full or self._came_all

    def _ask_list(self, values: Sequence[str]) -> Sequence[str]:
        """Ask for these as one list, or several; returns those that must be asked for alone."""
        if self._is_done:
            return ()
        if len(values) > self._lists.most:
            return self._ask_shorter(values)
        if len(values) < _ENDS:
            return values
        longest = self._asking.habits.longest.get(self._query.level, 0)
        part = self._put(values)
        if part is None:
            self._lists.leaves(len(values))
            return self._ask_shorter(values)
        answer, own = part
        if not answer.complete and own.examined >= _TOO_MUCH and not self._gathering.full:
            self._doubted = self._doubted or own
            return self._ask_shorter(values)  # every match has to come in an answer that is whole
        self._join(answer)
        came = own.came(self._keyword)
        missing = own.missing(self._keyword, SEPARATOR.join(values))
        self._know(came.values())
        if len(came) >= _ENDS and values[-1] not in missing:
            self._lists.reads(len(values))
        may_be_cut = own.examined >= longest
        if (
            not missing
            or not answer.complete
            or (len(values) <= self._lists.read and not may_be_cut)
        ):
            return ()
        return self._prove(values, missing)

    def _prove(self, values: Sequence[str], missing: list[str]) -> Sequence[str]:
        """Show that these are `missing`, or ask for them, or all `values`, otherwise."""
        if len(self._known) < _ENDS:
            self._look()
        if self._is_done:
            return ()
        if len(self._known) < _ENDS:
            return missing
        first, last = self._known[:_ENDS]
        others = [value for value in missing if value not in (first, last)]
        found = self._found_between(first, others, last)
        if self._is_done or (found is not None and not found):
            return ()
        if found is None and self._found_between(first, [], last) is None:
            self._lists.leaves(_ENDS)
        if self._keyword == UNIQUE_KEY[self._query.level]:
            values = missing  # of the others there is no more than came
        return self._ask_shorter(values)

    def _ask_shorter(self, values: Sequence[str]) -> Sequence[str]:
        size = min(len(values) // _SHRINK, self._lists.most)
        if size < _ENDS:
            return values
        return [value for part in batched(values, size) for value in self._ask_list(part)]

    def _put(self, values: Sequence[str]) -> tuple[Matches, Gathering] | None:
        """What a list of these brings; None where the archive refuses or ignores it."""
        query = self._with(SEPARATOR.join(values))
        own = self._gathering.part(query)
        try:
            answer = own.close(result_of(ask_seen(self._asking, query, own)))
        except (AssociationAborted, ConnectionLost, BadRequest):
            return None  # longer than it takes
        except StatusFailure as failure:
            if not is_refusal(failure.status):
                raise
            return None
        if own.strangers:
            self._lists.leaves(_ENDS)
            return None
        return answer, own

    def _found_between(self, first: str, values: Sequence[str], last: str) -> list[str] | None:
        """Those of these values that are found by a list with two around them that are known to be
        there; None where it is not read. The list before, which did not bring them, was cut."""
        listed = [first, *values, last]
        part = self._put(listed)
        if part is None:
            return None
        answer, own = part
        came = own.came(self._keyword)
        if not answer.complete or any(normal(end) not in came for end in (first, last)):
            self._lists.leaves(len(listed))
            return None
        self._join(answer)
        self._lists.reads(len(listed))
        return [value for value in values if normal(value) in came]

    def _look(self) -> None:
        """Look at what there is beside the other keys: values to try a list with, if it is not all
        that can be asked for."""
        query = self._with("")
        own = Gathering(query, _LOOKED_AT)
        try:
            answer = own.close(result_of(ask_seen(self._asking, query, own)))
        except (AskedInVain, DeadlinePassed):
            raise
        except ArchiveError:
            return
        self._know(text for match in own.matches for text in texts(match.get(self._keyword, "")))
        if self._names_parents and not own.matches:
            return  # where no parent is named a hierarchical archive has nothing (PS3.4 C.4.1.2.1)
        if answer.complete and all(self._keyword in match for match in own.matches):
            self._came_all = True
            for match in own.matches:
                self._gathering.take(match, 0)

    def _ask_alone(self, values: Sequence[str]) -> None:
        """Ask for each of these, several at a time."""
        left = [*reversed(values)]
        in_vain = 0
        context = copy_context()
        asked: dict[Future[tuple[Matches, Gathering]], str] = {}
        most = self._asking.exchange.node.connections
        with ThreadPoolExecutor(most) as pool:
            while True:
                while left and len(asked) < most and in_vain < _MOST_IN_VAIN:
                    if self._gathering.full:
                        return
                    value = left.pop()
                    asked[pool.submit(context.copy().run, self._ask_one, value)] = value
                if not asked:
                    break
                done, _ = wait(asked, return_when=FIRST_COMPLETED)
                for future in done:
                    value = asked.pop(future)
                    try:
                        answer, own = future.result()
                    except ArchiveError as error:
                        if not self._gathering.count:
                            raise
                        self._not_asked([value, *asked.values(), *reversed(left)], error)
                        return
                    in_vain += not own.count
                    self._hand_on(answer, own)
        if left:
            self._ask_without(left)

    def _ask_one(self, value: str) -> tuple[Matches, Gathering]:
        """Ask for one value. What comes is held: whoever takes it may ask more of the archive,
        which has an association for nobody who waits with one in hand."""
        query = self._with(value)
        own = Gathering(query, _MOST_COMPARED)
        return own.close(result_of(ask_seen(self._asking, query, own))), own

    def _hand_on(self, answer: Matches, own: Gathering) -> None:
        self._gathering.begin()
        for match in own.matches:
            self._gathering.take(match, 0)
        self._join(answer)

    def _ask_without(self, values: Sequence[str]) -> None:
        """Ask without the list, and compare what comes with these values here."""
        own = self._gathering.part(self._with(SEPARATOR.join(values)))
        own.compare([self._keyword], most_examined=_MOST_COMPARED)
        answer = own.close(result_of(ask_seen(self._asking, self._with(""), own)))
        if self._names_parents and not own.examined:
            self._not_asked(values, f"{_MOST_IN_VAIN} others brought nothing")
        self._join(answer)

    @property
    def _names_parents(self) -> bool:
        """Whether the values name what is above what is asked for."""
        return self._keyword in {UNIQUE_KEY[above] for above in self._query.level.above}

    def _with(self, key: str) -> Query:
        keys = {**self._query.keys, self._keyword: key}
        if not key:
            del keys[self._keyword]
        return Query(self._query.level, keys, self._query.wanted)

    def _know(self, values: Iterable[str]) -> None:
        known = [value for value in values if SEPARATOR not in value and self._is_listable(value)]
        self._known = [*dict.fromkeys((*self._known, *known[:_LOOKED_AT]))][:_LOOKED_AT]

    def _join(self, answer: Matches) -> None:
        self._whole = self._whole and answer.complete
        self._notes += [note for note in answer.notes if note not in self._notes]

    def _not_asked(self, several: Sequence[str], why: ArchiveError | str) -> None:
        self._whole = False
        named = each_named(self._keyword, several[:_MOST_NAMED])
        more = f" and {len(several) - _MOST_NAMED} more" if len(several) > _MOST_NAMED else ""
        self._notes.append(
            incomplete(f"not asked for {self._keyword} ", *named, f"{more}, because {why}")
        )
