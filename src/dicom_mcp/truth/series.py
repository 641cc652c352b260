"""The series of many studies at once, each of which must be there.

A relational archive gives them all in one answer (PS3.4 C.4.1.3.2.1). What that leaves out, or all
where no key is theirs alone, is asked for by lists of study UIDs (PS3.4 C.2.2.2.2); an archive that
does not read these, or does not say whose a series is, is asked study by study.
"""

from collections.abc import Callable, Collection, Sequence

from ..errors import ConnectionTimedOut, DeadlinePassed, StatusFailure
from ..standard.levels import NOUN, UNIQUE_KEY, Level
from ..standard.note import Note, incomplete
from ..standard.query import Match, Matches, Query
from ..standard.recheck import has_value
from ..standard.shapes import SEPARATOR
from ..standard.status import OVERLOADED, TOO_MANY
from ..standard.values import is_uid
from .asking import Asking, Part
from .gathering import Gathering, Outcome
from .lists import ask_listed
from .parents import uid_in
from .steps import result_of
from .whole import ask_first, ask_whole

# What an answer is parted by, of studies.
_DATED = ("StudyDate", "StudyTime")

# For fewer studies one query more costs as much as asking each of them.
_WORTH_TRYING = 3

# So few are asked for by lists rather than with whatever else has their keys.
_FEW = 1_000

# Of so many it is tried whether lists are read.
_SOME = 10

# More series than any answer has room for.
_MOST = 2_000_000

_STUDY, _SERIES = UNIQUE_KEY[Level.STUDY], UNIQUE_KEY[Level.SERIES]


def series_of(
    asking: Asking,
    studies: Collection[str],
    query: Query,
    keep: Callable[[Match], None],
    *,
    shared: bool,
) -> Matches:
    """Every series of these studies (by UID) goes to `keep`, once, its StudyInstanceUID with it.

    `query` is a SERIES query that each of them has a series for, and others may have too (many,
    where it is `shared`): a study without one in the answer is asked for itself.
    """
    series = _Series(asking, frozenset(studies), query, keep)
    reads_lists = asking.habits.lists_of(Level.SERIES, _STUDY).most > 1
    by_lists = shared and reads_lists and len(studies) <= _FEW
    worth_trying = query.keys and len(studies) >= _WORTH_TRYING and not by_lists
    if asking.habits.relational is not False and worth_trying:
        series.ask_relationally()
    series.ask_for(studies)
    return series.answer


class _Series:
    """The series of some studies, as they come."""

    def __init__(
        self,
        asking: Asking,
        wanted: frozenset[str],
        query: Query,
        keep: Callable[[Match], None],
    ) -> None:
        self._asking = asking
        self._wanted = wanted
        self._query = Query(Level.SERIES, query.keys, (_STUDY, *query.wanted))
        self._keep = keep
        # The series that came of each study, and the studies no part by date need have had all of.
        self._seen: dict[str, set[str]] = {}
        self._unsure: set[str] = set()
        self._beside: set[str] = set()
        self._whole = True
        self._notes: list[Note] = []
        self._absent: set[str] | None = None

    @property
    def answer(self) -> Matches:
        """What is to be said of the series that were handed on."""
        return Matches(
            self._query,
            [],
            self._whole,
            tuple(self._notes),
            tuple(sorted(self._absent or ())),
            0,
            frozenset(self._beside - {""}),
        )

    def ask_relationally(self) -> None:
        """Ask by the keys of the query, of whatever studies the series are."""

        def take(match: Match) -> None:
            study = uid_in(match, _STUDY)
            if study not in self._wanted:
                self._beside.add(study)
                return
            if any(keyword in match and not has_value(match, keyword) for keyword in _DATED):
                self._unsure.add(study)
            self._take(match, study)

        habits = self._asking.habits
        gathering = Gathering(self._query, _MOST, keep=take)
        try:
            part = self._ask_once(gathering)
            rows = part.rows if part else 0
            if not part or part.ending.capped or habits.is_cut(Level.SERIES, rows):
                self._unsure.update(self._seen)  # what came is a part of what these studies have
                if self._reads_lists():
                    habits.relational = True
                    return
            if part and not habits.is_doubted(Level.SERIES, rows, self._query.keys):
                habits.gave(Level.SERIES, rows if part.ending.whole else 0)
                outcome = Outcome(part.ending.whole, list(part.ending.notes))
            else:
                outcome = result_of(ask_whole(self._asking, self._query, gathering, part))
        except StatusFailure as failure:
            if failure.status == OVERLOADED:
                raise
            habits.relational = False
            return
        if outcome.doubt:
            # Series of one study have one date: all of a study's came, or none, or it has none
            # and some came with others, and then it is asked for itself.
            outcome = Outcome(True, [note for note in outcome.notes if note != outcome.doubt])
        else:
            self._unsure.clear()
        answer = gathering.close(outcome)
        if self._seen:
            self._asking.habits.relational = True
            self._join(answer, came=True)

    def _ask_once(self, gathering: Gathering) -> Part | None:
        """The answer to the query as it stands; None where the archive refuses so much."""
        try:
            return result_of(ask_first(self._asking, self._query, gathering))
        except StatusFailure as failure:
            if failure.status in TOO_MANY:
                return None
            raise

    def _reads_lists(self) -> bool:
        """Whether the archive reads lists of study UIDs: then each study's series are looked for by
        its UID, which takes no proof that nothing lacks a date. Some of the studies show it."""
        lists = self._asking.habits.lists_of(Level.SERIES, _STUDY)
        some = [study for study in self._wanted if is_uid(study)][:_SOME]
        if not lists.read and lists.most > 1 and not self._asking.habits.needs_patient:
            self._ask_list(some)
            self._unsure.difference_update(some)
        return lists.read > 1

    def ask_for(self, studies: Collection[str]) -> None:
        """Ask for those of these studies that did not come, or not surely whole, by their UIDs."""
        if nameless := sum(not is_uid(study) for study in self._wanted):
            self._whole = False
            self._notes.append(
                incomplete(
                    f"{nameless} {NOUN[Level.STUDY][nameless != 1]} could not be asked "
                    "for series, because what stands as StudyInstanceUID is no UID."
                )
            )
        left = [study for study in studies if is_uid(study) and self._is_open(study)]
        names_studies = bool(self._seen)
        if left and not names_studies:
            first, *left = left
            names_studies = self._ask_alone([first], len(left))
        if names_studies and len(left) > 1 and not self._asking.habits.needs_patient:
            left = self._ask_list(left)
        self._ask_alone(left, 0)

    def _is_open(self, study: str) -> bool:
        return study not in self._seen or study in self._unsure

    def _ask_list(self, studies: Sequence[str]) -> Sequence[str]:
        """Ask for all of them at once; returns those that nobody can tell of."""
        query = self._of(SEPARATOR.join(studies))
        nameless = 0

        def take(match: Match) -> None:
            nonlocal nameless
            study = uid_in(match, _STUDY)
            nameless += not study
            if study in self._wanted:
                self._take(match, study)

        gathering = Gathering(query, _MOST, keep=take)
        try:
            answer = gathering.close(result_of(ask_listed(self._asking, query, gathering)))
        except (DeadlinePassed, ConnectionTimedOut):
            if not self._seen:
                raise
            self._out_of_time(len(studies))
            return ()
        self._join(answer, came=bool(gathering.count))
        return [study for study in studies if study not in self._seen] if nameless else ()

    def _ask_alone(self, studies: Sequence[str], more: int) -> bool:
        """Ask for each of these, with as many `more` to come; whether an answer named its study."""
        names_studies = False
        for number, study in enumerate(studies):
            query = self._of(study)
            gathering = Gathering(
                query, _MOST, keep=lambda match, study=study: self._take(match, study)
            )
            try:
                answer = gathering.close(result_of(ask_whole(self._asking, query, gathering)))
            except (DeadlinePassed, ConnectionTimedOut):
                if not number and not self._seen:
                    raise
                self._out_of_time(len(studies) - number + more)
                break
            self._join(answer, came=bool(gathering.count))
            names_studies = bool(gathering.count) and _STUDY not in answer.absent
        return names_studies

    def _of(self, studies: str) -> Query:
        below = {keyword: key for keyword, key in self._query.keys.items() if keyword == "Modality"}
        return Query(Level.SERIES, {**below, _STUDY: studies}, self._query.wanted)

    def _take(self, match: Match, study: str) -> None:
        uid = uid_in(match, _SERIES)
        seen = self._seen.setdefault(study, set())
        if not uid or uid not in seen:
            seen.add(uid)
            self._keep({**match, _STUDY: study})

    def _join(self, answer: Matches, *, came: bool) -> None:
        self._whole = self._whole and answer.complete
        self._notes += [note for note in answer.notes if note not in self._notes]
        if came:
            absent = set(answer.absent)
            self._absent = absent & (absent if self._absent is None else self._absent)

    def _out_of_time(self, count: int) -> None:
        self._whole = False
        self._notes.append(
            incomplete(
                f"there was no time left to ask {count} of {len(self._wanted)} studies "
                "for their series. Narrow the question."
            )
        )
