"""Keeping an index as its archive is: newest days first, then the last days again and again, and
the older ones in turn.

Everything is asked by the same verbs as a person's question, so that what an archive cuts, ignores
or keeps back is found out as it is there; what could not be shown to be whole is entered as such.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from functools import partial

from ..deadline import Deadline
from ..dicom_api import Archive
from ..errors import AskedInVain, DeadlinePassed
from ..standard.levels import Level
from ..standard.query import Match, Matches, Query
from .came import Came
from .columns import ASKED_DAY, Row, day_of, row_of, wanted
from .deep import Deep
from .ledger import Entry, Ledger, Span
from .objects import drop_orphans
from .store import Store

_DAY = timedelta(days=1)

# Studies that one question is made for, at most so many days, and the seconds it may take.
_STUDIES = 1_500
_MOST_DAYS = 366
_SECONDS = 300.0

# More studies than a span of days may have before it is parted.
_MOST = 20_000

# Radiography is of 1895, but whoever takes names out of objects may give them any date.
_FIRST_DAY = date(1000, 1, 1)

# A day is asked for again at the earliest after so long while it is new, and so many days are new.
_AGAIN_SECONDS = 600.0
NEW_DAYS = 3

_UNIQUE = "StudyInstanceUID"

# What of a study is compared with what the archive has now; counts change while it is made.
COMPARED = (
    *("patient_id", "patient_name", "accession_number", "study_description", "study_date_text"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One question: the days it was about, what they have, and whether that is all."""

    span: Span
    studies: int
    series: int
    whole: bool
    why: str = ""
    table: str = ""  # for which objects of one series were read, if that was it


class Sync:
    """The index of one archive, brought up to date question by question.

    `now` tells the time in seconds since 1970, `zone` where the archive's days begin, `depth` for
    which tables objects are read.
    """

    def __init__(
        self,
        archive: Archive,
        store: Store,
        ledger: Ledger,
        *,
        zone: tzinfo | None = None,
        since: date | None = None,
        depth: Collection[str] = (),
        now: Callable[[], float] = time.time,
    ) -> None:
        self._archive = archive
        self._store = store
        self._ledger = ledger
        self._zone = zone
        self._since = max(since or _FIRST_DAY, _FIRST_DAY)
        self._now = now
        self._days_at_once = 1
        # How many studies each day has, where a list of all was whole, and when that was.
        self._listed: Counter[str] | None = None
        self._listed_at = 0.0
        self._deep = Deep(archive, store, ledger, depth, now)

    def step(self) -> Step | None:
        """Ask one question, of the days that are due first, and enter what comes; None when none
        is due.

        When no day is, objects of one more series are read, where they are wanted. Raises
        ArchiveError where the archive did not answer, and IndexUnavailable.
        """
        if span := self._due():
            self._deep.forget()
            return self._bring(span)
        if (read := self._deep.step(self.today)) is None:
            return None
        day = date.fromisoformat(read[1]) if read[1] else None
        return Step(Span(day, day), 0, 1, True, table=read[0])

    def close(self) -> None:
        """Write what was read and is held yet. Raises IndexUnavailable."""
        self._deep.write()

    @property
    def today(self) -> date:
        """Which day it is at the archive."""
        return datetime.fromtimestamp(self._now(), self._zone).date()

    def _due(self) -> Span | None:
        """What has to be asked for first."""
        if broken_off := self._ledger.broken_off:
            return broken_off
        known = self._ledger.days()
        now, today = self._now(), self.today
        recent = [today - number * _DAY for number in range(NEW_DAYS)]
        ahead = Span(today + _DAY, today + _MOST_DAYS * _DAY)  # clocks of scanners differ
        for span in (*(Span(day, day) for day in recent), ahead):
            entry = known.get(span.days[0])
            if entry is None or entry.asked < now - _AGAIN_SECONDS:
                return span
        if older := self._not_asked(known, today):
            return older
        if "" not in known or known[""].asked < now - _DAY.total_seconds():
            return Span()
        if self._is_older_due(now):
            self._ledger.tell("beginning", "")
            return self._not_asked(known, today)
        return self._in_turn(known, now)

    def _is_older_due(self, now: float) -> bool:
        """Whether something came that is older than all there was, which is looked for daily."""
        beginning = self._ledger.told("beginning")
        looked = float(self._ledger.told("beginning_asked") or 0)
        if not beginning or self._since > _FIRST_DAY or looked > now - _DAY.total_seconds():
            return False
        return not self._is_beginning(date.fromisoformat(beginning) - _DAY)

    def _not_asked(self, known: Mapping[str, Entry], today: date) -> Span | None:
        """The newest days that were never asked for, as many as one question is made for."""
        last = today - NEW_DAYS * _DAY
        beginning = self._ledger.told("beginning")
        first = max(self._since, date.fromisoformat(beginning) if beginning else _FIRST_DAY)
        while last >= first and last.isoformat() in known:
            last -= _DAY
        if last < first:
            return None
        if not beginning and self._days_at_once >= _MOST_DAYS and self._is_beginning(last):
            return self._not_asked(known, today)
        begin = last
        while (last - begin).days + 1 < self._days_at_once and begin > first:
            if (begin - _DAY).isoformat() in known:
                break
            begin -= _DAY
        return Span(begin, last)

    def _is_beginning(self, last: date) -> bool:
        """Whether there is nothing up to this day, as one question about all of it shows; that
        nothing came is believed as far as the archive's truth goes."""
        key = f"-{last:%Y%m%d}"
        answer = self._archive.find(
            Query(Level.STUDY, {"StudyDate": key}), limit=1, deadline=Deadline(_SECONDS)
        )
        self._ledger.tell("beginning_asked", str(self._now()))
        if any(map(day_of, answer.matches)):
            return False
        is_told = answer.complete and not answer.matches
        if not is_told and not self._is_empty(Span(date.min, last)):
            return False
        self._ledger.tell("beginning", (last + _DAY).isoformat())
        return True

    def _in_turn(self, known: Mapping[str, Entry], now: float) -> Span | None:
        """Of the days that were asked for a day ago or longer, those not shown to be whole, else
        those asked for longest ago."""
        due = {
            day: entry
            for day, entry in known.items()
            if day and entry.asked <= now - _DAY.total_seconds()
        }
        if not due:
            return None
        # Of several days the newest: the span that is asked for goes back from it.
        day = min(sorted(due, reverse=True), key=lambda day: (due[day].whole, due[day].asked))
        first = last = date.fromisoformat(day)
        studies = 0
        while (last - first).days + 1 < _MOST_DAYS:
            before = due.get((first - _DAY).isoformat())
            if before is None:
                break
            studies += before.studies
            if studies > _STUDIES:
                break
            first -= _DAY
        return Span(first, last)

    def _bring(self, span: Span) -> Step:
        """Ask for these days, in parts where one question is too much, and enter what came."""
        began = self._now()
        studies: list[Match] = []
        series = Came("series")
        try:
            (whole, why), failed = self._ask(span, studies, series), False
        except (DeadlinePassed, AskedInVain) as error:
            if span.halves() is None:
                raise
            whole, why, failed = False, str(error), True
        # Where no date can be read and that is in doubt, the days by themselves would tell no more.
        is_dated = failed or any(map(day_of, studies))
        parts = span.halves() if is_dated and not whole else None
        if len(studies) > _MOST:
            parts = span.around(_fullest_day(studies))
        if parts:
            studies.clear()
            series.clear()
            self._days_at_once = max(1, self._days_at_once // 4)
            steps = [self._bring(part) for part in parts]
            return Step(
                span,
                sum(step.studies for step in steps),
                sum(step.series for step in steps),
                all(step.whole for step in steps),
                next((step.why for step in steps if step.why), ""),
            )
        count = len(studies)
        self._enter(span, began, studies, series, whole, why)
        self._learn_pace(span, count)
        return Step(span, count, len(series), whole, why)

    def _ask(self, span: Span, studies: list[Match], series: Came) -> tuple[bool, str]:
        """What there is of these days, and whether that is all; if not, why."""
        keys = {"StudyDate": span.key} if span.key else {}
        deadline = Deadline(_SECONDS)
        query = Query(Level.STUDY, keys, wanted("studies"))
        keep = studies.append if span.key else partial(self._keep_beside_days, studies)
        answer = self._archive.each(query, keep, limit=5_000_000, deadline=deadline)
        if not span.key:  # some dates nobody can read are found by a day's question all the same
            days = self._store.days_of(str(match.get(_UNIQUE, "")) for match in studies)
            studies[:] = [match for match in studies if not days.get(str(match.get(_UNIQUE, "")))]
        if not (answer.complete or any(map(day_of, studies))) and self._is_empty(span):
            studies.clear()
            return True, ""
        is_parted = span.halves() and (not answer.complete or len(studies) > _MOST)
        if not studies or is_parted:
            return answer.complete, _why(answer)
        asked = self._archive.each_series(
            {str(match.get(_UNIQUE, "")) for match in studies} - {""},
            Query(Level.SERIES, keys, wanted("series")),
            series.append,
            deadline=deadline,
        )
        return answer.complete and asked.complete, _why(answer) or _why(asked)

    def left(self) -> int | None:
        """How many studies are of days that were never asked for; None where that is not known."""
        listed = self._days_of_all()
        known = self._ledger.days()
        since = self._since.isoformat()
        if listed is None:
            return None
        wanted = [day for day in listed if day not in known and (not day or day >= since)]
        return sum(listed[day] for day in wanted)

    def unread(self) -> int:
        """Of how many series, at most, objects are to be read yet."""
        told = [self._ledger.read_so_far(table) for table in self._deep.tables]
        return sum(of - read for read, of, _ in told) - self._deep.held

    def _is_empty(self, span: Span) -> bool:
        """Whether no study at all is of these days, as a list of all shows: an archive in which no
        date can be read gives nothing that a question about some days could be tried with."""
        listed = self._days_of_all() if span.first else None
        first, last = f"{span.first}", f"{span.last}"
        return listed is not None and not any(first <= day <= last for day in listed)

    def _days_of_all(self) -> Counter[str] | None:
        """How many studies each day has, as a list of all shows; None where that was not whole."""
        if self._listed_at < self._now() - _AGAIN_SECONDS:
            days = Counter[str]()
            answer = self._archive.each(
                Query(Level.STUDY, {}, ("StudyDate",)),
                lambda match: days.update((day_of(match) or "",)),
                limit=5_000_000,
                deadline=Deadline(_SECONDS),
            )
            self._listed_at, self._listed = self._now(), days if answer.complete else None
        return self._listed

    def _keep_beside_days(self, studies: list[Match], match: Match) -> None:
        """Keep a study that no day's question is for: without a date, with one that cannot be
        read, or with one that is further ahead than is asked for."""
        day = day_of(match)
        if day is None or day > (self.today + _MOST_DAYS * _DAY).isoformat():
            studies.append(match)

    def _enter(
        self,
        span: Span,
        began: float,
        studies: list[Match],
        series: Came,
        whole: bool,
        why: str,
    ) -> None:
        """Put what came into the files, and what is known of the days into the ledger."""
        days = span.days
        kept = [row_of("studies", match) for match in studies]
        studies.clear()  # which takes as much room
        for row in kept:
            row[ASKED_DAY] = days[0] if len(days) == 1 else row["study_date"] or days[0]
        day_of = {row["study_uid"]: row[ASKED_DAY] for row in kept}
        series.under(day_of, days[0])
        rows: dict[str, Collection[Row]] = {"studies": kept, "series": series}
        before = self._store.days_of(day_of)
        moved = {day for uid, day in before.items() if day != day_of[uid]} - {*days}
        with self._ledger.writing(span, moved):
            self._store.write(days, rows, moved)
            drop_orphans(self._store, [*days, *moved])
            self._ledger.enter(_entries(days, began, rows, whole, why))
            self._ledger.forget([*moved])

    def _learn_pace(self, span: Span, studies: int) -> None:
        """How many days the next question about older ones is made for."""
        days = len(span.days)
        if days >= self._days_at_once:
            fits = days * _STUDIES // max(studies, 1)
            self._days_at_once = max(1, min(fits, 2 * days, _MOST_DAYS))


def _fullest_day(studies: Iterable[Match]) -> date | None:
    """The day that most of them are of, if it can be read."""
    days = Counter(row_of("studies", match)["study_date"] for match in studies)
    (day, _), *_ = days.most_common(1)
    return date.fromisoformat(day) if day else None


def _entries(
    days: Sequence[str], began: float, rows: dict[str, Collection[Row]], whole: bool, why: str
) -> list[Entry]:
    studies = Counter(row[ASKED_DAY] for row in rows["studies"])
    series = Counter[str]()
    images: dict[str, int | None] = dict.fromkeys(days, 0)
    for row in rows["series"]:
        series[row[ASKED_DAY]] += 1
        so_far, count = images.get(row[ASKED_DAY]), row["image_count"]
        images[row[ASKED_DAY]] = None if so_far is None or count is None else so_far + count
    blank = Entry("", began, 0, 0, None, whole, "" if whole else why)
    return [
        replace(blank, day=day, studies=studies[day], series=series[day], images=images[day])
        for day in days
    ]


def _why(answer: Matches) -> str:
    """Why an answer is not complete, without what it tells of patients."""
    lacks = [note for note in answer.notes if note.lacks]
    if answer.complete or not lacks:
        return ""
    return lacks[0].unnamed


def differing(archive: Archive, store: Store, day: date) -> str:
    """How what is kept of a day differs from what the archive has of it now; "" if it does not."""
    now: dict[str, Match] = {}

    def keep(match: Match) -> None:
        now[str(match.get(_UNIQUE, ""))] = match

    query = Query(Level.STUDY, {"StudyDate": Span(day, day).key}, wanted("studies"))
    answer = archive.each(query, keep, limit=5_000_000, deadline=Deadline(_SECONDS))
    if not answer.complete:
        return "not compared, because what the archive gave could not be shown to be all"
    kept = store.rows_of(day.isoformat(), COMPARED)
    lacks, beside = now.keys() - kept.keys(), kept.keys() - now.keys()
    other = [uid for uid in now.keys() & kept.keys() if _as_kept(now[uid]) != kept[uid]]
    counts = {"missing here": lacks, "no longer there": beside, "changed": other}
    return ", ".join(f"{len(uids)} {what}" for what, uids in counts.items() if uids)


def _as_kept(match: Match) -> dict[str, object]:
    row = row_of("studies", match)
    return {name: row[name] for name in COMPARED}
