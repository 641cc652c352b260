"""A second source of answers beside the live archive: closed days from the index where they are
fresh enough, all others asked now, in one answer.

A day is closed when it is some days ago. It is told from the index when it was shown to be whole
not long ago; and of those that are, one is asked for again each time. Where that differs, all is.
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import partial
from typing import Any

from ..errors import BadArgument, IndexUnavailable
from ..standard.levels import UNIQUE_KEY, Level
from ..standard.note import Note, incomplete, remark
from ..standard.query import Match, Matches, Query
from ..standard.recheck import Recheck
from .alike import Alike, UnlikeError
from .columns import ASKED_DAY, day_of, match_of, shown_as
from .keys import asks_all, has, is_told, listed, of_series_alone, outside, span_of, untold
from .kinds import Kinds
from .ledger import Span
from .parts import Keep, Others, absent, joined
from .reader import Reader
from .sync import NEW_DAYS

# What is found by these is found by the archive in milliseconds.
_TELLING = frozenset({
    *("PatientID", "PatientName", "PatientBirthDate", "AccessionNumber", "StudyInstanceUID"),
    *("StudyID", "StudyTime", "ReferringPhysicianName", "IssuerOfPatientID"),
})  # fmt: skip

# Fewer studies than this are asked for live in less time than the index is opened in.
WORTH = 2_000

# A day with more is not asked for again.
_MOST_OF_A_DAY = 1_000

# No limit but memory's.
_EVERY = 5_000_000

# For so few studies their series are looked up by UID.
_FEW = 1_000

_MODALITIES = "ModalitiesInStudy"
_STUDY = UNIQUE_KEY[Level.STUDY]
_DAY = timedelta(days=1)

type AskLive = Callable[[Query, Keep], Matches]


class Mode(StrEnum):
    """Where an answer comes from."""

    AUTO = "auto"
    LIVE = "live"
    INDEX = "index"


@dataclass(slots=True)
class Source:
    """The index of the archive that one call asks; `hours` after a day was asked for it is no
    longer fresh."""

    reader: Reader
    mode: Mode
    hours: float
    # For a count: what it reads of studies, one of which then stands for all that are alike.
    alike: Alike | None = None
    _kinds: Kinds | None = None
    # Studies that came from the index, of which the series do too; and its edition then.
    _given: set[str] = field(default_factory=set[str])
    _edition: str = ""

    def for_count(self, alike: Alike) -> "Source":
        """The same for one count, in which one study stands for all that are alike."""
        return Source(self.reader, self.mode, self.hours, alike)

    @property
    def is_alone(self) -> bool:
        """Whether the archive is not to be asked."""
        return self.mode is Mode.INDEX

    def find(self, query: Query, limit: int) -> Matches:
        """At most `limit` matches from the index alone, newest first. Raises BadArgument for what
        it cannot tell."""
        matches, notes, absent = self._told(query, None)
        matches.sort(key=lambda match: str(match.get("StudyDate", "")), reverse=True)
        whole = len(matches) <= limit
        if not whole:
            told = f"these are {limit} of {len(matches)}; raise limit or narrow the question."
            notes = [*notes, incomplete(told)]
        return self._answer(query, matches[:limit], notes, absent, whole=whole)

    def each(self, query: Query, keep: Keep, ask: AskLive) -> Matches:
        """Every match goes to `keep`, from the index or from the archive, which `ask` asks.

        Raises BadArgument where only the index is to be asked, for what it cannot tell.
        """
        if self.mode is Mode.INDEX:
            matches, notes, absent = self._told(query, None)
            for match in matches:
                keep(match)
            return self._answer(query, [], notes, absent, whole=True)
        span = self._closed(query)
        if span is None:
            return ask(query, keep)
        try:
            matches, notes, absent = self._told(query, span)
            again = self._asked_again(query, span, ask)
        except (IndexUnavailable, BadArgument):  # which the archive can do without
            return ask(query, keep)
        if again is None or self.reader.edition != self._edition:
            self._given.clear()
            return ask(query, keep)
        for match in matches:
            self._given.add(str(match[_STUDY]))
            keep(match)
        told = (self._said(span, again), *notes)
        answer = Matches(query, [], not notes, told, absent, again.queries)
        others = Others(partial(self.given, query, span), keep)
        for part in outside(query, span):
            answer = joined(answer, ask(part, others.keep))
        others.let_go()
        return answer

    def numbered(self, keyword: str, numbers: Collection[str]) -> set[str] | None:
        """The values of this attribute of studies that are one of these numbers, with any zeros
        before it; None where the index, beside an archive, does not cover it."""
        (column,) = shown_as("studies", [keyword])
        statement = (
            f"SELECT DISTINCT {column} FROM studies"
            f" WHERE ltrim({column}, '0') IN (SELECT unnest(?::VARCHAR[]))"
        )
        try:
            table = self.reader.ask(statement, [[*numbers]], most_rows=_EVERY, is_ours=True)
        except IndexUnavailable:
            if self.is_alone:
                raise
            return None
        if not self.is_alone and any(note.lacks for note in self.reader.notes()):
            return None
        return {text for (text,) in table.rows}

    def given(self, query: Query, span: Span, studies: Collection[str]) -> set[str]:
        """Those of these studies that came from the index."""
        if not self.alike or not studies:
            return self._given & {*studies}
        return {str(match[_STUDY]) for match in self._told(query, span, studies)[0]}

    def each_series(
        self,
        studies: Collection[str],
        query: Query,
        keep: Keep,
        ask: Callable[[Collection[str]], Matches],
    ) -> Matches:
        """Every series of these studies goes to `keep`: of those that came from the index from
        there, of all others from the archive."""
        is_all = self.mode is Mode.INDEX
        ours = {*studies} if is_all else self._given & {*studies}
        query = of_series_alone(query)
        if not ours or not has("series", query.returned):
            if is_all:
                raise untold(query)
            return ask(studies)
        is_other = self.reader.edition != self._edition
        if not is_all and is_other:
            return ask(studies)
        recheck, had = Recheck(query), set[str]()
        recheck.compare(query.keys)
        try:
            matches = self._kinds.series(ours, query) if self._kinds else self._series(ours, query)
        except (IndexUnavailable, BadArgument):
            if is_all:
                raise
            return ask(studies)
        for match in matches:
            had.add(str(match[_STUDY]))
            if recheck.holds(match, self._number(match)):
                keep(match)
        others, doubts = {*studies} - had, tuple(recheck.doubts())
        if self._kinds and ours - had and not is_all:
            raise UnlikeError  # whose series the archive has to be asked for
        if is_other:
            doubts = (*doubts, incomplete("the index was written meanwhile; ask again."))
        answer = Matches(query, [], not doubts, doubts, absent(matches))
        return joined(answer, ask(others)) if others and not is_all else answer

    def _series(self, studies: set[str], query: Query) -> list[Match]:
        """The series of these studies as the archive gave them."""
        where, values = "true", list[Any]()
        if len(studies) <= _FEW:
            where, values = "study_uid IN (SELECT unnest(?))", [[*studies]]
        table = self._rows("series", {*query.returned}, where, values)
        found = (match_of("series", query.returned, record) for record in table)
        return [match for match in found if match[_STUDY] in studies]

    def _rows(
        self, table: str, keywords: Collection[str], where: str, values: Sequence[Any]
    ) -> list[dict[str, Any]]:
        columns = ", ".join(shown_as(table, keywords))
        statement = f"SELECT {columns}, as_given FROM all_{table} WHERE {where}"
        return self.reader.ask(statement, values, most_rows=_EVERY, is_ours=True).records()

    def _told(
        self, query: Query, span: Span | None, studies: Collection[str] = ()
    ) -> tuple[list[Match], list[Note], tuple[str, ...]]:
        """What the index has for this query, of these days or of all, be it of some studies alone;
        why some of it may not be meant; and what none of what was looked at has."""
        level = {Level.STUDY: "studies", Level.SERIES: "series"}.get(query.level, "")
        if not level or query.empty or not is_told(level, query):
            raise untold(query)
        if not studies:
            self._edition = self.reader.edition
        where, values = "true", list[Any]()
        if span:
            where, values = f"({ASKED_DAY} BETWEEN ? AND ?", [str(span.first), str(span.last)]
            # A day that cannot be read is asked for by no other: it came with any of them.
            where += f" OR {ASKED_DAY} = '' OR study_date IS NULL)" if asks_all(query) else ")"
            if asks_all(query) and not studies:
                self._check_unreadable()
        else:
            where, values = listed(level, query)
        if studies:
            where, values = f"{where} AND study_uid IN (SELECT unnest(?))", [*values, [*studies]]
        if self.alike and level == "studies" and not studies:
            self._kinds = Kinds(self.reader, self.alike)
            every = self._kinds.studies(query, where, values)
        else:
            every = self._each_told(level, query, where, values)
        recheck = Recheck(query)
        recheck.compare(query.keys)
        found = [match for match in every if recheck.holds(match, self._number(match))]
        return found, recheck.doubts(), absent(every)

    def _check_unreadable(self) -> None:
        """Raise IndexUnavailable where days are no longer fresh under which studies are kept whose
        own cannot be read."""
        statement = (
            f"SELECT DISTINCT {ASKED_DAY} FROM all_studies"
            f" WHERE study_date IS NULL AND {ASKED_DAY} <> ''"
        )
        days = self.reader.days()
        for (day,) in self.reader.ask(statement, most_rows=_EVERY, is_ours=True).rows:
            entry = days.get(day)
            if not entry or not entry.whole or entry.asked < self._fresh_since:
                raise IndexUnavailable(f"{day} is not fresh", "source=live asks the archive")

    @property
    def _fresh_since(self) -> float:
        return time.time() - self.hours * 3600

    def _number(self, match: Match) -> int:
        """How many a match stands for."""
        return self._kinds.number(match) if self._kinds else 1

    def _each_told(
        self, level: str, query: Query, where: str, values: Sequence[Any]
    ) -> list[Match]:
        """What a condition chooses."""
        wanted = {*query.returned}
        of_series = (
            self._modalities(where, values) if _MODALITIES in wanted and level == "studies" else {}
        )
        found: list[Match] = []
        for record in self._rows(level, wanted, where, values):
            match = match_of(level, query.returned, record)
            if of_series:
                match[_MODALITIES] = of_series.get(str(match[_STUDY]), match[_MODALITIES])
            found.append(match)
        return found

    def _modalities(self, where: str, values: Sequence[Any]) -> dict[str, Any]:
        """The modalities of each study's series, where the archive's own list lacks one."""
        table = self.reader.ask(
            f"WITH chosen AS (SELECT study_uid, modalities FROM all_studies WHERE {where}),"
            " known AS (SELECT study_uid, list_sort(list(DISTINCT modality)) AS found"
            " FROM all_series SEMI JOIN chosen USING (study_uid) WHERE modality IS NOT NULL"
            " GROUP BY ALL) SELECT study_uid, found FROM known JOIN chosen USING (study_uid)"
            " WHERE NOT list_has_all(coalesce(modalities, []), found)",
            values,
            most_rows=_EVERY,
            is_ours=True,
        )
        return {study: found[0] if len(found) == 1 else found for study, found in table.rows}

    def _closed(self, query: Query) -> Span | None:
        """The days of this query that the index tells: closed, whole and fresh, in a row; None
        where it is not worth opening, or cannot tell what is asked."""
        if query.level is not Level.STUDY or query.empty or _TELLING & query.keys.keys():
            return None
        if not is_told("studies", query):
            return None
        asked = span_of(query.keys.get("StudyDate", ""))
        if asked is None:
            return None
        days = self.reader.days()
        first, last = asked
        today = self.reader.today
        end = min(today - NEW_DAYS * _DAY, last or today)
        fresh_since = self._fresh_since

        def is_fresh(day: date) -> bool:
            entry = days.get(day.isoformat())
            fresh = max(fresh_since, self.reader.end_of(day))
            return bool(entry and entry.whole and entry.asked >= fresh)

        oldest = min((day for day in days if day), default="")
        undated = days.get("")
        of_undated = undated and undated.whole and undated.asked >= fresh_since
        if not oldest or (asks_all(query) and not of_undated):
            return None  # no key asks for what has no date: all would have to be listed for it
        start = max(first or date.min, date.fromisoformat(oldest))
        best, begin, studies = Span(), None, WORTH - 1
        day, count = start, 0
        while day <= end + _DAY:
            if day <= end and is_fresh(day):
                begin, count = begin or day, count + days[day.isoformat()].studies
            elif begin:
                if count > studies:
                    best, studies = Span(begin, day - _DAY), count
                begin, count = None, 0
            day += _DAY
        return best if best.first else None

    def _asked_again(self, query: Query, span: Span, ask: AskLive) -> Matches | None:
        """The archive's answer for the day that was asked for longest ago; None where it is
        another one than the index's."""
        days = self.reader.days()
        some = [
            entry
            for day in span.days
            if (entry := days.get(day)) and 0 < entry.studies <= _MOST_OF_A_DAY
        ]
        if not some:
            return Matches(query, [])
        day = min(some, key=lambda entry: entry.asked).day
        key = Span(date.fromisoformat(day), date.fromisoformat(day)).key
        now: dict[str, Match] = {}

        def keep(match: Match) -> None:
            if day_of(match):
                now[str(match.get(_STUDY, ""))] = match

        answer = ask(replace(query, keys={"StudyDate": key}), keep)
        told = {*query.returned} - {_MODALITIES}
        of_day = f"{ASKED_DAY} = ? AND study_date IS NOT NULL"
        then = {
            str(record["study_uid"]): match_of("studies", told, record)
            for record in self._rows("studies", {*told, _STUDY}, of_day, [day])
        }
        same = now.keys() == then.keys() and all(
            {keyword: match.get(keyword, "") for keyword in then[uid]} == then[uid]
            for uid, match in now.items()
        )
        if not same or not answer.complete:
            self.reader.forget([day])
            return None
        return replace(answer, notes=(remark(day),))

    def _said(self, span: Span, again: Matches) -> Note:
        days = self.reader.days()
        asked = [days[day].asked for day in span.days]
        first, last = map(self.reader.told_at, (min(asked), max(asked)))
        when = f"between {first} and {last}" if first != last else f"at {first}"
        day = "".join(map(str, again.notes))
        same = f"; {day} was asked for again just now and is the same" * bool(day)
        return remark(
            f"The days {span} are from the index, for which the archive was asked "
            f"{when}{same}; all other days were asked for now. source=live asks for all."
        )

    def _answer(
        self,
        query: Query,
        matches: list[Match],
        notes: Sequence[Note],
        absent: tuple[str, ...],
        *,
        whole: bool,
    ) -> Matches:
        ends = span_of(query.keys.get("StudyDate", "")) or (None, None)
        told = (*notes, *self.reader.notes(*ends))
        complete = whole and not any(note.lacks for note in told)
        return Matches(query, matches, complete, told, absent)
