"""Whole lists from archives that give only so many matches at once.

Some say so (0xA700, or 0xFE00 that nobody asked for), some just stop and call it success. An answer
that may have been cut is asked again in parts: by date, and a day that is still too much by time.
What that brings is either proof that nothing was missing, or the rest.
"""

from datetime import date, timedelta

from ..errors import StatusFailure
from ..standard import reading
from ..standard.levels import NOUN, UNIQUE_KEY, Level
from ..standard.query import Ending, Matches, Query
from ..standard.status import TOO_MANY
from .asking import Asking, Part
from .gathering import Gathering, Outcome

# Parts one question is asked in at most: of 100 matches each, a large hospital's year. Most calls
# are ended by their deadline long before.
MOST_PARTS = 5_000

# What a list of each level is split by; of a single study or series nothing can be split.
_SPLIT_BY: dict[Level, str] = {
    Level.PATIENT: "PatientBirthDate",
    Level.STUDY: "StudyDate",
    Level.SERIES: "StudyDate",
    Level.IMAGE: "StudyDate",
}

# Which count of the level above proves that a list is whole.
_COUNT_ABOVE: dict[Level, str] = {
    Level.SERIES: "NumberOfStudyRelatedSeries",
    Level.IMAGE: "NumberOfSeriesRelatedInstances",
}

# Where a calendar is halved when no match has told which dates there are.
_EARLIEST, _LATEST = date(1985, 1, 1), date(2045, 1, 1)

_DAY = timedelta(days=1)
_SECONDS_A_DAY = 86_400

# A list that nothing can prove whole is only doubted at the lengths archives are known to cut at.
_KNOWN_CAP = 100


def matches(asking: Asking, query: Query, limit: int) -> Matches:
    """At most `limit` matches of the query, whole if they can be had, else marked."""
    gathering = Gathering(query, limit)
    outcome = ask_whole(asking, query, gathering)
    return gathering.close(outcome)


def ask_whole(asking: Asking, query: Query, gathering: Gathering) -> Outcome:
    """Ask, in parts where one answer is not enough, and let `gathering` take what comes.

    Raises what the archive's failures raise, as long as nothing was gathered.
    """
    habits = asking.habits
    split_by = _SPLIT_BY[query.level]
    try:
        first = asking.put(query, gathering, dates=split_by)
    except StatusFailure as failure:
        if failure.status not in TOO_MANY or _is_of_one(query):
            raise
        parts = _Parts(asking, query, gathering, split_by)
        whole = parts.ask_all([])
        if not gathering.count and not (whole and habits.refuses):
            raise  # nothing came of less either: too much was not what was wrong
        habits.refuses = True
        return parts.outcome(0)
    notes = list(first.ending.notes)
    silent = first.ending.whole and not gathering.full and habits.is_cut(query.level, first.rows)
    if not silent and not first.ending.capped:
        if first.ending.whole:
            habits.gave(query.level, first.rows)
        return Outcome(first.ending.whole, notes)
    if _is_of_one(query):
        return _proved_by_count(asking, query, first) if silent else Outcome(False, notes)
    found = gathering.count
    parts = _Parts(asking, query, gathering, split_by, cap=first.rows if silent else None)
    whole = parts.ask_all(first.dates)
    if silent and gathering.count == found:
        if whole and parts.rows >= first.rows:
            return Outcome(True, notes)
        why = "and not all have a" if whole else "and it could not be split by"
        return Outcome(False, [*notes, _suspicious(first.rows, query, f"{why} {split_by}")])
    if silent:
        habits.cap = first.rows
    outcome = parts.outcome(first.rows)
    # What the archive said of its first answer no longer holds when the parts brought the rest.
    return outcome if outcome.whole else Outcome(False, [*notes, *outcome.notes])


class _Parts:
    """A question asked in parts, newest first.

    `cap` is the length at which an answer that calls itself whole is taken for a cut one.
    """

    def __init__(
        self,
        asking: Asking,
        query: Query,
        gathering: Gathering,
        split_by: str,
        *,
        cap: int | None = None,
    ) -> None:
        self._asking = asking
        self._query = query
        self._gathering = gathering
        self._split_by = split_by
        self._cap = cap
        # How many matches the parts that were not cut had.
        self.rows = 0
        self._parts = 0
        self._left = MOST_PARTS
        self._by_time = False
        self._whole = True

    def ask_all(self, dates: list[str]) -> bool:
        """Ask in parts for everything; whether it came. `dates` are those of the answer that was
        too long."""
        first, last = _span(self._query.keys.get(self._split_by, ""))
        self._whole = self._ask_span(first, last, dates)
        return self._whole

    def outcome(self, most: int) -> Outcome:
        """Whether all of the question is answered, and how it was asked; `most` is how many
        matches came at once, 0 if that is not known."""
        several = NOUN[self._query.level][1]
        gives = f"at most {most} {several}" if most else f"only so many {several}"
        notes = [
            f"This archive gives {gives} at once; the question was asked in {self._parts} parts "
            f"by {self._split_by}."
        ]
        if self._gathering.full:
            return Outcome(True, notes)
        undated = self._split_by not in self._query.keys
        if not self._whole:
            notes.append(
                "Not complete: some parts were still too long for it, or there was no time left. "
                "Narrow the question by dates, a patient or a modality."
            )
        elif undated or self._by_time:
            lacking = self._split_by if undated else "StudyTime"
            notes.append(
                f"Not complete, perhaps: {several} without {lacking}, if there are any, cannot all "
                "be reached that way. All that have one are here."
            )
        return Outcome(self._whole and not undated and not self._by_time, notes)

    def _ask_span(self, first: date | None, last: date | None, dates: list[str]) -> bool:
        """Both halves of a span that was too long for one answer; whether all of it came."""
        if first and first == last:
            return self._ask_day(first)
        middle = _middle(first, last, _days(dates, first, last))
        if middle is None:
            return False
        newer = self._ask_part(middle + _DAY, last)
        if self._gathering.full:
            return newer
        return self._ask_part(first, middle) and newer

    def _ask_part(self, first: date | None, last: date | None) -> bool:
        key = _written(first) if first == last else f"{_written(first)}-{_written(last)}"
        part = self._put({self._split_by: key})
        if self._gathering.full:
            return True
        if part is None:
            return False
        if len(_days(part.dates, first, last)) < part.rows:
            self._left = 0  # it ignores the very key that would split
            return False
        if self._is_cut(part):
            return self._ask_span(first, last, part.dates)
        self.rows += part.rows
        return part.ending.whole

    def _ask_day(self, day: date) -> bool:
        if self._query.level is Level.PATIENT or "StudyTime" in self._query.keys:
            return False
        self._by_time = True
        return self._ask_time(day, 0, _SECONDS_A_DAY - 1)

    def _ask_time(self, day: date, first: int, last: int) -> bool:
        """Both halves of a part of a day, down to a second."""
        if first == last:
            return False
        middle = (first + last) // 2
        whole = True
        for start, end in ((middle + 1, last), (first, middle)):
            time = f"{_time(start)}-{_time(end)}.999999"
            part = self._put({self._split_by: _written(day), "StudyTime": time})
            if self._gathering.full:
                return whole
            if part is None:
                return False
            cut = self._is_cut(part)
            self.rows += 0 if cut else part.rows
            whole = (self._ask_time(day, start, end) if cut else part.ending.whole) and whole
        return whole

    def _is_cut(self, part: Part) -> bool:
        return part.ending.capped or (part.ending.whole and part.rows == self._cap)

    def _put(self, keys: dict[str, str]) -> Part | None:
        """One part; None when there have been enough, or it failed in another way."""
        if not self._left:
            return None
        self._left -= 1
        self._parts += 1
        query = Query(
            self._query.level,
            {**self._query.keys, **keys},
            (*self._query.wanted, self._split_by),
        )
        try:
            part = self._asking.put(query, self._gathering, dates=self._split_by)
        except StatusFailure as failure:
            if failure.status not in TOO_MANY or self._asking.deadline.allowance.spent:
                self._left = 0
                return None
            return Part(Ending(whole=False, capped=True), 0, [])
        if not part.ending.whole and not part.ending.capped:
            self._left = 0  # the deadline, or a failure that more queries won't mend
        return part


def _proved_by_count(asking: Asking, query: Query, first: Part) -> Outcome:
    """Whether a list below one study or series is as long as the level above says it has to be."""
    notes = list(first.ending.notes)
    above = query.level.above[-1]
    keyword = _COUNT_ABOVE.get(query.level, "")
    if keyword and query.keys.keys() <= {UNIQUE_KEY[one] for one in query.level.above}:
        counting = Query(above, query.keys, (keyword,))
        gathering = Gathering(counting, 1)
        asking.put(counting, gathering)
        counts = [str(match.get(keyword, "")) for match in gathering.matches]
        if len(counts) == 1 and counts[0].isdecimal():
            if int(counts[0]) <= first.rows:
                return Outcome(True, notes)
            asking.habits.cap = first.rows
            notes.append(
                f"Not complete: the archive counts {counts[0]} {NOUN[query.level][1]} here, but it "
                f"gives at most {first.rows} at once."
            )
            return Outcome(False, notes)
    if first.rows % _KNOWN_CAP and first.rows != asking.habits.cap:
        return Outcome(True, notes)
    notes.append(_suspicious(first.rows, query, "and nothing here can tell"))
    return Outcome(False, notes)


def _suspicious(rows: int, query: Query, why: str) -> str:
    return (
        f"Not complete, perhaps: the archive gave exactly {rows} {NOUN[query.level][1]}, which may "
        f"be the most it gives at once, {why}. Narrow the question."
    )


def _is_of_one(query: Query) -> bool:
    """Whether it asks below one study or series, which no date can split."""
    below = UNIQUE_KEY[Level.STUDY], UNIQUE_KEY[Level.SERIES], UNIQUE_KEY[Level.IMAGE]
    return any(query.keys.get(one) for one in below)


def _span(key: str) -> tuple[date | None, date | None]:
    """The first and last day of a date key, None where it is open."""
    first, hyphen, last = key.partition("-")
    return _day(first), _day(last if hyphen else first)


def _day(text: str) -> date | None:
    found = reading.day(text)
    return date(int(found[:4]), int(found[4:6]), int(found[6:])) if found else None


def _days(texts: list[str], first: date | None, last: date | None) -> list[date]:
    """The dates of matches within a span, in order."""
    days = [day for day in map(_day, texts) if day]
    return sorted(
        day for day in days if (first is None or day >= first) and (last is None or day <= last)
    )


def _middle(first: date | None, last: date | None, days: list[date]) -> date | None:
    """The last day of the older half of a span; None when there is nothing to halve.

    The days of the matches are halved, so that few parts are needed wherever most of them are.
    """
    if days:
        middle = days[len(days) // 2]
        if middle < days[-1]:
            return middle
        if days[0] < days[-1] or first != middle:
            return middle - _DAY
        return middle  # all are on the first day: it, and what comes after
    low = first or min(_EARLIEST, last or _EARLIEST)
    high = last or max(_LATEST, first or _LATEST)
    return low + (high - low) // 2 if low < high else None


def _written(day: date | None) -> str:
    return day.isoformat().replace("-", "") if day else ""


def _time(second: int) -> str:
    return f"{second // 3600:02}{second // 60 % 60:02}{second % 60:02}"
