"""Keys that an archive compares only in what it has looked at before.

An archive may find studies by their date, an ID or a UID, and compare the other keys in no more of
them than its limit allows (PS3.4 C.4.1.3.2 leaves it to the archive how). What it gives has any
length, none included, and calls itself whole. So some studies that are far from those it gives
first are asked for by such a key alone: it must find them, wherever they are.
"""

from collections.abc import Iterator, Mapping, Sequence

from ..errors import ArchiveError
from ..standard.levels import UNIQUE_KEY, Level
from ..standard.query import Match, Query, is_one
from .asking import Asking
from .gathering import Gathering
from .halves import beside
from .steps import result_of

# Keys that lists are made by, or that are proved otherwise (see `unseen`).
_EARLY = frozenset({
    "PatientID", "IssuerOfPatientID", "StudyInstanceUID", "StudyDate", "StudyTime",
    "ModalitiesInStudy", "SOPClassesInStudy",
})  # fmt: skip

_UNIQUE, _DAY = UNIQUE_KEY[Level.STUDY], "StudyDate"

# Studies that are given first, fewer than any limit; those of other days, of which the last is
# taken; and how long all of it may take.
_FIRST = 50
_OF_A_DAY = 20
_SECONDS = 4.0

# Studies that have one value; an archive gives no more at once without saying so.
_MOST_ALIKE = 5_000


def compared_late(asking: Asking, query: Query) -> list[str]:
    """Those keys of this query, of which nothing is known, that do not find what the archive holds;
    that the others do is remembered."""
    finds_all = asking.habits.finds_all
    known = _EARLY | finds_all | asking.habits.cut_unseen
    late = [keyword for keyword, key in query.keys.items() if key and keyword not in known]
    if not late:
        return []
    step = asking.within(_SECONDS)
    cut: set[str] = set()
    try:
        for study in _far(step, late):
            cut |= {
                keyword
                for keyword in late
                if keyword not in cut and not _finds(step, study, keyword)
            }
    except ArchiveError:
        return [*cut]  # what was learned is learned; the question has its answer
    finds_all.update(keyword for keyword in late if keyword not in cut)
    return [*cut]


def _far(asking: Asking, wanted: Sequence[str]) -> Iterator[Match]:
    """Some studies that are not among those the archive gives first, of other days where there are
    any; none where it gives them all at once."""
    first, whole = _some(asking, {}, wanted, _FIRST)
    known = {str(study.get(_UNIQUE, "")) for study in first}
    days = [] if whole else [str(study.get(_DAY, "")) for study in first]
    for span in beside(days):
        found, _ = _some(asking, {_DAY: span}, wanted, _OF_A_DAY)
        yield from [study for study in found if str(study.get(_UNIQUE, "")) not in known][-1:]


def _some(
    asking: Asking, keys: Mapping[str, str], wanted: Sequence[str], most: int
) -> tuple[list[Match], bool]:
    """At most so many studies with these keys, and whether there are no more."""
    query = Query(Level.STUDY, keys, (_UNIQUE, _DAY, *wanted))
    gathering = Gathering(query, most)
    part = result_of(asking.put(query, gathering))
    cut = gathering.full or asking.habits.is_cut(Level.STUDY, part.rows)
    return gathering.matches[:most], part.ending.whole and not cut


def _finds(asking: Asking, study: Match, keyword: str) -> bool:
    """Whether the archive finds this study by one of its values alone, as it does with its date."""
    value = study.get(keyword)
    uid, day = (str(study.get(name, "")) for name in (_UNIQUE, _DAY))
    if not isinstance(value, str) or not is_one(value) or not value.isascii():
        return True  # nothing to try it with
    query = Query(Level.STUDY, {keyword: value}, (_UNIQUE,))
    came: set[str] = set()
    gathering = Gathering(
        query, _MOST_ALIKE, keep=lambda match: came.add(str(match.get(_UNIQUE, "")))
    )
    part = result_of(asking.put(query, gathering))
    if uid in came or not part.ending.whole or gathering.full:
        return True
    if asking.habits.is_cut(Level.STUDY, part.rows) or not is_one(day):
        return True
    narrow, _ = _some(asking, {keyword: value, _DAY: day}, (), _MOST_ALIKE)
    return all(str(match.get(_UNIQUE, "")) != uid for match in narrow)
