"""What has no value for a date, of an archive that gives only so much at once.

No part by date has it. A range that is open to the past brings it from some archives, and from
Orthanc 1.10.1 what is there and empty, but not what lacks the attribute altogether. So that is
asked for first, and doubted as soon as anything is seen that it lacked.
"""

from collections.abc import Mapping

from ..errors import ArchiveError, DeadlinePassed, StatusFailure
from ..standard.levels import NOUN, UNIQUE_KEY, Level
from ..standard.note import perhaps, remark
from ..standard.query import Ending, Match, Query
from ..standard.status import TOO_MANY
from .asking import Asking, Part
from .endings import TOLD_APART_BY, Endings
from .gathering import Gathering, Outcome
from .steps import result_of

# Before this no study was made, so that what comes of it has no date.
NO_DATE = "-18500101"

# Dates by which an archive shows whether open ranges bring what has none, beside the study's own.
_OTHER_DATES = ("PatientBirthDate", "StudyTime")

# Of the call's time, and parts by the ends of identifiers: what a hospital's week takes.
_SECONDS = 12.0
_MOST_PARTS = 60

# What is held of what the range brings.
_MOST_UNDATED = 20_000


def ask_undated(asking: Asking, query: Query, gathering: Gathering, first: Part | None) -> Outcome:
    """Ask for what has no value for the attributes in `gathering.empty`, of more than came at once:
    `first`, if anything did."""
    looking = _Looking(asking.within(_SECONDS), query, gathering, first)
    several, lacking = NOUN[query.level][1], " or ".join(sorted(gathering.empty))
    gives = f"at most {first.rows} {several}" if first else f"only so many {several}"
    gives = f"perhaps {gives}" if first and first.ending.whole else gives
    notes = [
        remark(
            f"This archive gives {gives} at once; those without {lacking} were looked for by a "
            "range of dates that is open to the past, and by parts."
        )
    ]
    if looking.find_all() or gathering.full:
        return Outcome(True, [] if looking.uncut else notes)
    why = "there was no time left" if looking.late else "some are in no part it can be asked for"
    notes.append(
        perhaps(
            f"{several} without {lacking} may be missing, because {why}. Narrow "
            "the question by a patient or a description."
        )
    )
    return Outcome(False, notes)


def brings_undated(asking: Asking, query: Query) -> bool:
    """Whether a range that is open to the past brings what has no value, as other dates show."""
    if query.level is Level.PATIENT:
        return False
    return any(
        _brings(asking, query, keyword) for keyword in _OTHER_DATES if keyword not in query.keys
    )


def _brings(asking: Asking, query: Query, keyword: str) -> bool:
    key = NO_DATE if keyword != "StudyTime" else "-000000"
    asked = Query(query.level, {**query.keys, keyword: key}, (keyword,))
    try:
        part = result_of(asking.put(asked, Gathering(asked, 0), told=(keyword,)))
    except (StatusFailure, DeadlinePassed):
        return False
    return keyword in part.given and any(not row[keyword] for row in part.told)


class _Looking:
    def __init__(
        self, asking: Asking, query: Query, gathering: Gathering, first: Part | None
    ) -> None:
        self._asking = asking
        self._query = query
        self._gathering = gathering
        self._first = first
        # At this length an answer that calls itself whole is taken for a cut one.
        self._cap = first.rows if first and first.ending.whole else None
        self._left = _MOST_PARTS
        self.late = False
        # The first answer turned out to be all there is.
        self.uncut = False

    def find_all(self) -> bool:
        """Ask; whether all that there is came."""
        gathering, query = self._gathering, self._query
        (keyword,) = gathering.empty
        rows: list[Match] = []
        empty = Query(query.level, query.keys, query.wanted, empty=gathering.empty)
        past = Gathering(empty, _MOST_UNDATED, keep=rows.append)
        part = self._put({keyword: NO_DATE}, past)
        for row in rows:
            gathering.take(row, 0)
        if self.by_ends():
            return True
        if gathering.full:
            return False
        habits = self._asking.habits
        if gathering.count > past.count:
            habits.brings_undated = False
        elif past.count and habits.brings_undated is not False:
            habits.brings_undated = True
        elif habits.brings_undated is None:
            habits.brings_undated = brings_undated(self._asking, query)
        came = part is not None and part.ending.whole and not self._is_cut(part)
        return came and bool(habits.brings_undated)

    def by_ends(self) -> bool:
        """Everything, as far as so many parts by ends have it; whether that is a proof."""
        if not self._first:
            return False
        unique = UNIQUE_KEY[self._query.level]
        for keyword in dict.fromkeys((unique, "PatientID")):
            ends = Endings(self._query, {}, self._put, self._is_cut, self._asking)
            if ends.ask_by(keyword, self._first):
                return keyword == unique or self._is_doubted_only(keyword, ends.rows)
        return False

    def _is_doubted_only(self, keyword: str, rows: int) -> bool:
        """Whether the first answer, doubted for its length alone, is as long as its parts together;
        what has no such identifier is told by that answer."""
        first = self._first
        if not first or self._cap is None:
            return False
        self.uncut = rows + sum(not row[keyword] for row in first.told) == first.rows
        return self.uncut

    def _put(self, keys: Mapping[str, str], gathering: Gathering | None = None) -> Part | None:
        if not self._left or self._gathering.full:
            return None
        self._left -= 1
        told = TOLD_APART_BY[self._query.level]
        query = Query(self._query.level, {**self._query.keys, **keys}, (*self._query.wanted, *told))
        try:
            part = result_of(self._asking.put(query, gathering or self._gathering, told=told))
        except StatusFailure as failure:
            if failure.status in TOO_MANY and not self._asking.deadline.allowance.spent:
                return Part(Ending(whole=False, capped=True), 0, [], frozenset())
            return None  # it takes no such key
        except ArchiveError:
            self._left, self.late = 0, True
            return None
        if not part.ending.whole and not part.ending.capped and not self._gathering.full:
            self._left, self.late = 0, True
        return part

    def _is_cut(self, part: Part) -> bool:
        is_long = part.rows in (self._cap, self._asking.habits.silent_cap)
        return part.ending.capped or (part.ending.whole and is_long)
