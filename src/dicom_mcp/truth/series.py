"""The series of many studies at once, each of which must be there.

A relational archive gives them all in one answer (PS3.4 C.4.1.3.2.1). One that does not, or leaves
out those of some studies, is asked study by study.
"""

from collections.abc import Callable, Collection

from ..errors import ConnectionTimedOut, DeadlinePassed, StatusFailure
from ..standard.levels import NOUN, Level
from ..standard.query import Match, Matches, Query
from ..standard.recheck import has_value
from ..standard.status import OVERLOADED
from ..standard.values import is_uid
from .asking import Asking
from .gathering import Gathering, Outcome
from .parents import uid_in
from .whole import ask_whole

# What an answer is parted by, of studies.
_DATED = ("StudyDate", "StudyTime")

# For fewer studies one query more costs as much as asking each of them.
_WORTH_TRYING = 3

# More series than any answer has room for.
_MOST = 2_000_000


def series_of(
    asking: Asking,
    studies: Collection[str],
    query: Query,
    keep: Callable[[Match], None],
) -> Matches:
    """Every series of these studies (by UID) goes to `keep`, once, its StudyInstanceUID with it.

    `query` is a SERIES query that each of them has a series for, and others may have too: a study
    without one in the answer is asked for itself.
    """
    # The series that came of each study, and the studies no part by date need have had all of.
    seen: dict[str, set[str]] = {}
    unsure: set[str] = set()
    beside: set[str] = set()

    def keep_of_these(match: Match) -> None:
        study = uid_in(match, "StudyInstanceUID")
        if study not in wanted:
            beside.add(study)
        else:
            seen.setdefault(study, set()).add(uid_in(match, "SeriesInstanceUID"))
            if any(one in match and not has_value(match, one) for one in _DATED):
                unsure.add(study)
            keep(match)

    wanted = frozenset(studies)
    query = Query(Level.SERIES, query.keys, ("StudyInstanceUID", *query.wanted))
    whole, notes = True, list[str]()
    absent: set[str] | None = None
    asked_again: set[str] = set()
    if asking.habits.relational is not False and len(wanted) >= _WORTH_TRYING:
        gathering = Gathering(query, _MOST, keep=keep_of_these)
        try:
            outcome = ask_whole(asking, query, gathering)
            if outcome.doubt:
                # Series of one study have one date: all of a study's came, or none, or it has none
                # and some came with others, and then it is asked for itself.
                asked_again = unsure
                outcome = Outcome(True, [one for one in outcome.notes if one != outcome.doubt])
            answer = gathering.close(outcome)
        except StatusFailure as failure:
            if failure.status == OVERLOADED:
                raise
            asking.habits.relational = False
        else:
            if seen:
                asking.habits.relational = True
                whole = answer.complete
                notes += answer.notes
                absent = set(answer.absent)
    nameless = sum(not is_uid(study) for study in wanted)
    if nameless:
        whole = False
        notes.append(
            f"Not complete: {nameless} {NOUN[Level.STUDY][nameless != 1]} could not be asked for "
            "series, because what stands as StudyInstanceUID is no UID."
        )
    below = {one: key for one, key in query.keys.items() if one == "Modality"}
    for number, study in enumerate(studies):
        if (study in seen and study not in asked_again) or not is_uid(study):
            continue
        known = seen.get(study, set())
        one = Query(Level.SERIES, {**below, "StudyInstanceUID": study}, query.wanted)
        gathering = Gathering(
            one,
            _MOST,
            keep=lambda match, study=study, known=known: (
                None
                if uid_in(match, "SeriesInstanceUID") in known
                else keep({**match, "StudyInstanceUID": study})
            ),
        )
        try:
            answer = gathering.close(ask_whole(asking, one, gathering))
        except (DeadlinePassed, ConnectionTimedOut):
            if not number and not seen:
                raise
            whole = False
            notes.append(
                f"Not complete: there was no time left to ask {len(wanted) - number} of "
                f"{len(wanted)} studies for their series. Narrow the question."
            )
            break
        whole = whole and answer.complete
        notes += [note for note in answer.notes if note not in notes]
        if gathering.count:
            absent = set(answer.absent) & (absent or set(answer.absent))
    return Matches(
        query, [], whole, tuple(notes), tuple(sorted(absent or ())), 0, frozenset(beside - {""})
    )
