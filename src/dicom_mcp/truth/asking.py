"""The queries that one question becomes."""

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from ..deadline import Deadline
from ..errors import ArchiveError, DeadlinePassed, StatusFailure
from ..standard.levels import UNIQUE_KEY, Level
from ..standard.note import incomplete, remark
from ..standard.query import Ending, Match, Query, is_one
from ..standard.shapes import SEPARATOR, shape_of
from ..standard.status import TOO_MANY
from .exchange import Exchange
from .gathering import Gathering
from .habits import Habits
from .refusals import is_refusal, refused_of
from .roots import ask_by_patient
from .steps import Step
from .telling import ask_for_all

# What is asked one level down where an archive neither takes nor returns it.
_FOUND_BELOW = frozenset({"ModalitiesInStudy"})

type Take = Callable[[Match, int], bool]

# Rows that are looked at for how to ask for the rest: more than archives give at once.
_MOST_TOLD = 5_000

# How long an archive that has no resources is left alone before it is asked once more.
_PAUSE_SECONDS = 0.5


@dataclass(slots=True)
class Cost:
    """How many queries a question has taken so far; its parts may be asked side by side, and their
    rows are taken one by one under the lock."""

    queries: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class Part:
    """One query's answer: how it ended, how many rows it had, what those told of the attributes
    that were asked about, and which of these came at all."""

    ending: Ending
    rows: int
    told: list[dict[str, str]]
    given: frozenset[str]


@dataclass(frozen=True, slots=True)
class Asking:
    """One question to one archive: what was learned of it before, until when, at what cost."""

    exchange: Exchange
    habits: Habits
    deadline: Deadline
    on_match: Callable[[], None]
    cost: Cost = field(default_factory=Cost)
    # Text is asked for as it is written only.
    as_it_stands: bool = False

    def within(self, seconds: float) -> "Asking":
        """The same question, limited to `seconds` for one step."""
        return replace(self, deadline=self.deadline.at_most(seconds))

    def put(self, query: Query, gathering: Gathering, *, told: Sequence[str] = ()) -> Step[Part]:
        """One query, as it stands, its rows into `gathering`; `told` names attributes whose texts
        are wanted of the first of them. What came before the deadline passed is kept, and
        marked."""
        rows = 0
        texts: list[dict[str, str]] = []
        given: set[str] = set()

        def take(match: Match, size: int) -> bool:
            nonlocal rows
            rows += 1
            if told and rows <= _MOST_TOLD:
                given.update(match.keys() & set(told))
                texts.append({keyword: str(match.get(keyword, "")) for keyword in told})
            with self.cost.lock:
                self.on_match()
                more = gathering.take(match, size)
                self.deadline.allowance.meant += not gathering.foreign
                return more

        with self.cost.lock:
            gathering.begin()
        try:
            ending: Ending = yield self._in_either_root(query, take)
        except DeadlinePassed as passed:
            if not gathering.count:
                raise
            ending = Ending(whole=False, notes=(incomplete(str(passed)),))
        return Part(ending, rows if ending.gave is None else ending.gave, texts, frozenset(given))

    def _in_either_root(self, query: Query, take: Take) -> Step[Ending]:
        """The query, which an archive without Study Root may want the patient for."""
        below_patient = query.level is not Level.PATIENT and not is_one(
            query.keys.get("PatientID", "")
        )
        ask = partial(ask_for_all, ask=self._ask, habits=self.habits)
        count = 0

        def counted(match: Match, size: int) -> bool:
            nonlocal count
            count += 1
            return take(match, size)

        if below_patient and self.habits.needs_patient:
            return (yield ask_by_patient(query, take, ask, self.habits.patients_of))
        try:
            ending: Ending = yield ask(query, counted)
        except StatusFailure:
            if not (below_patient and self.exchange.patient_root_only):
                raise
            self.habits.needs_patient = True
        else:
            if count or not (below_patient and self.exchange.patient_root_only):
                return ending
        return (yield ask_by_patient(query, take, ask, self.habits.patients_of))

    def _ask(self, query: Query, take: Take, also: Sequence[str] = ()) -> Step[Ending]:
        """The query, without what this archive refuses to be asked for, or by; what is asked for
        `also` is not missed."""
        known = self.habits.refused_keys.get(query.level, frozenset())
        unkeyed = [
            keyword
            for keyword, key in query.keys.items()
            if (keyword, shape_of(keyword, key)) in known
        ]
        if unkeyed:
            return (yield self._ask_without(query, unkeyed, take, also))
        # A key is sent all the same: without it anything would be an answer.
        refused = self.habits.refused.get(query.level, frozenset()) - query.keys.keys()
        asked = replace(query, wanted=(*query.wanted, *also), refused=refused)
        try:
            ending = self.send(asked, take)
        except StatusFailure as failure:
            known = frozenset(UNIQUE_KEY.values())
            suspects = [
                keyword for keyword in asked.returned if keyword not in (*query.keys, *known)
            ]
            if not is_refusal(failure.status):
                raise
            found = refused_of(suspects, failure.offending, partial(self._works, asked))
            if not found:
                if not self._learn_refused_keys(asked):
                    raise
                return (yield self._ask(query, take, also))
            refused |= found
            self.habits.refused[query.level] = (
                self.habits.refused.get(query.level, frozenset()) | found
            )
            ending = self.send(replace(asked, refused=refused), take)
        left_out = [keyword for keyword in query.wanted if keyword in refused]
        if not left_out:
            return ending
        told = f"The archive refuses questions that ask for {', '.join(left_out)}; left out."
        return ending.noted(remark(told).about(*left_out))

    def _ask_without(
        self, query: Query, unkeyed: Collection[str], take: Take, also: Sequence[str]
    ) -> Step[Ending]:
        """The query without keys that are refused; what comes is compared where it has them."""
        unknown = 0
        told = [keyword for keyword in unkeyed if keyword not in _FOUND_BELOW]

        def known(match: Match, size: int) -> bool:
            nonlocal unknown
            if any(keyword not in match for keyword in told):
                unknown += 1
                return True
            return take(match, size)

        ending: Ending = yield self._ask(without_keys(query, unkeyed), known, also)
        names = ", ".join(sorted(unkeyed))
        note = remark(
            f"The archive refuses to be searched by {names}; what came was compared here."
        )
        if unknown:
            note = incomplete(
                f"the archive refuses to be searched by {names} and does not return it, so that "
                "nothing can be compared. Ask without."
            )
        return replace(ending.noted(note.about(*unkeyed)), whole=ending.whole and not unknown)

    def _learn_refused_keys(self, query: Query) -> bool:
        """Whether the query is answered without some of its keys, which are then remembered."""
        known = frozenset(UNIQUE_KEY.values())
        # A list that is refused is asked for value by value (see `proof`).
        suspects = [
            keyword
            for keyword, key in query.keys.items()
            if keyword not in known and SEPARATOR not in key
        ]

        def works(without: Collection[str]) -> bool:
            return self._works(without_keys(query, without), without)

        found = refused_of(suspects, (), works)
        refused = self.habits.refused_keys
        shapes = {(keyword, shape_of(keyword, query.keys[keyword])) for keyword in found}
        refused[query.level] = refused.get(query.level, frozenset()) | shapes
        return bool(found)

    def _works(self, query: Query, without: Collection[str]) -> bool:
        """Whether the query is answered without asking for some of what it asks for."""
        fewer = replace(query, refused=query.refused | frozenset(without))
        try:
            self.send(fewer, lambda _, __: False)
        except StatusFailure as failure:
            if is_refusal(failure.status):
                return False
            raise
        return True

    def send(self, query: Query, take: Take) -> Ending:
        """One query, its rows to `take`, within what the call may ask in vain. A refusal for want
        of resources is asked again once, after a pause, unless it is how this archive says that
        there is too much.

        Raises what the archive's failures raise.
        """
        allowance = self.deadline.allowance
        rows = 0
        while True:
            allowance.check()
            again = not allowance.paused
            with self.cost.lock:
                self.cost.queries += 1
            try:
                with self.exchange.ask(query, deadline=self.deadline) as answer:
                    for match, size in answer:
                        rows += 1
                        if not take(match, size):
                            break
            except ArchiveError as failure:
                status = failure.status if isinstance(failure, StatusFailure) else 0
                refused = status in TOO_MANY
                if refused and not again and not self.habits.refuses:
                    failure = _overloaded(failure, status)
                allowance.failed(failure, rows, refused=refused)
                if not refused or not again or self.habits.refuses:
                    raise failure from None
                allowance.paused = True
                self.deadline.pause(_PAUSE_SECONDS)
            else:
                allowance.answered(rows)
                return answer.ending


def without_keys(query: Query, keywords: Collection[str]) -> Query:
    """The query without some of its keys, whose values it asks for."""
    keys = {keyword: key for keyword, key in query.keys.items() if keyword not in keywords}
    return replace(query, keys=keys, wanted=(*query.wanted, *keywords))


def _overloaded(failure: ArchiveError, status: int) -> StatusFailure:
    """The failure of an archive that said twice that it has no resources."""
    return StatusFailure(
        f"{failure.happened}, and asked again after a pause it gave nothing either: it is "
        "overloaded, or this is more than it gives",
        "Try again in some minutes; then ask for less at once: a date range, a patient ID",
        status=status,
    )
