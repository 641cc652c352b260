"""Instances that are asked for by their series, without its study or with several.

A hierarchical archive wants one study and one series (PS3.4 C.4.1.2.1): the study is looked up, and
several series are asked for one after the other. A relational archive is asked for all of them.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ..errors import BadArgument
from ..standard.levels import UNIQUE_KEY, Level
from ..standard.note import Named, Note, each_named, incomplete, remark
from ..standard.query import Matches, Query, is_one
from ..standard.shapes import SEPARATOR
from .asking import Asking
from .images import is_relational
from .parents import Parents, uid_in

_STUDY, _SERIES = UNIQUE_KEY[Level.STUDY], UNIQUE_KEY[Level.SERIES]

# Series whose instances are asked for one series after the other.
_MOST_SERIES = 100

# Of so many series one that is there shows whether their study need not be named.
_MOST_TRIED = 3

# Studies with one series UID that are told.
_MOST_TOLD = 3

type Ask = Callable[[Query], Matches]


def is_of_series(query: Query) -> bool:
    """Whether it asks for instances by what not every archive finds them by."""
    if query.level is not Level.IMAGE:
        return False
    study, series = (query.keys.get(keyword, "") for keyword in (_STUDY, _SERIES))
    return not study or (bool(series) and (SEPARATOR in study or SEPARATOR in series))


def instances_of(asking: Asking, parents: Parents, query: Query, limit: int, ask: Ask) -> Matches:
    """At most `limit` instances of the series that the query names; `ask` puts a query that has
    what this archive wants.

    Raises BadArgument where it names none.
    """
    several = query.keys.get(_SERIES, "").split(SEPARATOR)
    if several == [""]:
        raise BadArgument(
            "instances can only be found in one series, or with their study",
            "Give one series_instance_uid, or study_instance_uid too",
        )
    if len(several) > 1 and any(is_relational(asking, uid) for uid in several[:_MOST_TRIED]):
        return _with_clashes(ask(query))
    if len(several) > _MOST_SERIES:
        raise BadArgument(
            f"{len(several)} series are too many at once without their study",
            f"Give study_instance_uid too, or at most {_MOST_SERIES} series",
        )
    answers = [_of_one(asking, parents, query, series, limit, ask) for series in several]
    if len(answers) == 1:
        return answers[0]
    notes = [
        note for answer in answers for note in answer.notes if answer.matches or not answer.complete
    ]
    return _joined(query, answers, notes, limit)


def _of_one(
    asking: Asking, parents: Parents, query: Query, series: str, limit: int, ask: Ask
) -> Matches:
    """The instances of one series; of as many as have its UID."""
    key = query.keys.get(_STUDY, "")
    if is_one(key):
        studies: Sequence[str] = (key,)
    else:
        studies = parents.studies_of_series(series, asking)
        studies = [study for study in studies if not key or study in key.split(SEPARATOR)]
    if not studies:
        return Matches(query, [], notes=(remark("The archive holds no series with this UID."),))
    answers = [
        ask(replace(query, keys={**query.keys, _STUDY: study, _SERIES: series}))
        for study in studies
    ]
    if len(answers) == 1:
        return answers[0]
    notes = [_clash(series, studies), *(note for answer in answers for note in answer.notes)]
    return _joined(query, answers, notes, limit)


def _joined(query: Query, answers: Sequence[Matches], notes: Sequence[Note], limit: int) -> Matches:
    found = [match for answer in answers for match in answer.matches]
    more = len(found) > limit
    told = [incomplete(f"these are {limit} of {len(found)} instances; raise limit.")] * more
    return replace(
        answers[0],
        query=query,
        matches=found[:limit],
        complete=all(answer.complete for answer in answers) and not more,
        notes=tuple(dict.fromkeys((*notes, *told))),
    )


def _with_clashes(answer: Matches) -> Matches:
    """The answer, and which of its series are of several studies."""
    studies: Mapping[str, dict[str, None]] = defaultdict(dict)
    for match in answer.matches:
        studies[uid_in(match, _SERIES)][uid_in(match, _STUDY)] = None
    told = [_clash(series, [*several]) for series, several in studies.items() if len(several) > 1]
    return replace(answer, notes=(*told[:_MOST_TOLD], *answer.notes)) if told else answer


def _clash(series: str, studies: Sequence[str]) -> Note:
    return remark(
        f"{_SERIES} ",
        Named(_SERIES, series),
        f" is that of {len(studies)} series, in the studies ",
        *each_named(_STUDY, studies),
        ": the instances of all of them are here. A UID must be that of one only; an administrator "
        "should look at it.",
    )
