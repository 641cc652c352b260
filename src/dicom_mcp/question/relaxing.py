"""What would match when nothing does: the question with less of it, counted, never shown.

In this order, within a small budget: part of an identifier, other days, each key left out.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import islice

from ..door.account import Account
from ..door.call import Call
from ..errors import ArchiveError
from ..standard.dictionary import attribute
from ..standard.levels import NOUN, UNIQUE_KEY, Level
from ..standard.note import Note, remark
from ..standard.query import Match, is_one
from ..words.meaning import Meaning
from .asking import Question, find
from .nearly import nearly_of

# Questions tried, and matches of each looked at: a hint is worth a second, not more.
_MOST_TRIES = 8
_MOST_COUNTED = 50
_SECONDS = 5.0

# Shorter than SH and LO allow, by the wildcards (PS3.5 6.2).
_IDENTIFIERS = frozenset({"AccessionNumber", "PatientID"})

_PARENTS = frozenset(UNIQUE_KEY.values()) - {"PatientID"}


def hints(call: Call, question: Question) -> list[Note]:
    """What to tell about a question that nothing matches."""
    nearly = nearly_of(call, question)
    told: list[str] = []
    step = call.within(_SECONDS)
    try:
        for said, relaxed in islice(_relaxed(question), _MOST_TRIES):
            found = find(step, relaxed, _wanted(question), limit=_MOST_COUNTED)
            told.append(f"{said}: {_count(found, relaxed.level)}{_nearest(question, found)}")
    except ArchiveError:
        pass  # a hint that cannot be had is none
    if told:
        said = "; ".join(told)
        nearly.append(remark(f"What would match instead (not part of this answer): {said}."))
    return nearly


def _relaxed(question: Question) -> "list[tuple[str, Question]]":
    keys = {
        keyword: meant for keyword, meant in question.meanings.items() if keyword not in _PARENTS
    }
    others = [keyword for keyword in question.keywords if keyword not in _PARENTS]
    found: list[tuple[str, Question]] = []
    for keyword, meant in keys.items():
        first = meant[0][0]
        if keyword in _IDENTIFIERS and len(first.key) < 14 and is_one(first.key):
            wider = f"*{first.key.lstrip('0') or first.key}*"
            meant_so = ((Meaning(wider),),)
            found.append(
                (
                    f"{keyword}={wider}",
                    replace(question, meanings={**question.meanings, keyword: meant_so}),
                )
            )
    if len(question.keywords) > 1:
        dated = sorted(others, key=lambda keyword: not _is_date(keyword))
        found += [(f"without {keyword}", question.without(keyword)) for keyword in dated]
    if question.level in (Level.SERIES, Level.IMAGE):
        above = question.level.above[-1]
        unique = UNIQUE_KEY[above]
        if unique in question.meanings and not keys:
            found.append(
                (
                    f"{NOUN[above][1]} with that {unique}",
                    Question(above, {unique: question.meanings[unique]}),
                )
            )
    return found


def _wanted(question: Question) -> Sequence[str]:
    return [
        UNIQUE_KEY[question.level],
        *(keyword for keyword in question.meanings if _is_date(keyword)),
    ]


def _count(found: Account, level: Level) -> str:
    count = len(found.matches)
    if not count:
        return "none" if found.complete else "could not be counted"
    more = "" if found.complete else "at least "
    return f"{more}{count} {NOUN[level][count != 1]}"


def _nearest(question: Question, found: Account) -> str:
    """The days next to the one asked for, when days were what excluded everything."""
    for keyword, meant in question.meanings.items():
        if not _is_date(keyword) or keyword in found.sent:
            continue
        first, _, last = meant[0][0].key.partition("-")
        days = sorted({day for match in found.matches if (day := _day(match, keyword))})
        before = [day for day in days if first and day < first]
        after = [day for day in days if (last or first) and day > (last or first)]
        near = [*before[-1:], *after[:1]]
        if near:
            return f" (nearest {keyword} {' and '.join(near)})"
    return ""


def _day(match: Match, keyword: str) -> str:
    day = str(match.get(keyword, ""))
    try:
        date(int(day[:4]), int(day[4:6]), int(day[6:8]))
    except ValueError:
        return ""
    return day


def _is_date(keyword: str) -> bool:
    found = attribute(keyword)
    return found is not None and found.vr == "DA"
