"""A question asked in parts: by date, a day by time, and what no date tells apart by other keys.

Parts are made for about as many matches as the archive gives at once, by what the days beside them
had, and asked side by side, as many as it has associations for us.
"""

from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from datetime import date

from ..errors import ArchiveError, StatusFailure
from ..standard.levels import NOUN, UNIQUE_KEY, Level
from ..standard.note import Note, incomplete, perhaps, remark
from ..standard.query import Ending, Query
from ..standard.status import TOO_MANY
from .asking import Asking, Part
from .endings import TOLD_APART_BY, Endings
from .gathering import Gathering, Outcome
from .span import Density, Span, day_of
from .steps import result_of
from .times import Times
from .undated import brings_undated

# Parts of one question at most: of 100 matches each, a large hospital's year.
MOST_PARTS = 5_000

# What a list of each level is split by; of a single study or series nothing can be split.
SPLIT_BY: dict[Level, str] = {
    Level.PATIENT: "PatientBirthDate",
    **dict.fromkeys((Level.STUDY, Level.SERIES, Level.IMAGE), "StudyDate"),
}

# Of less than so many times what is given at once, ten ends of a value make parts.
_FEW = 8

# How much of what is given at once a part is made for (days differ), and what when nobody knows
# how much that is.
_FULL, _UNKNOWN = 0.92, 50

# What everybody has beside the date of a study, and how long it may take to ask by it.
_BIRTH = "PatientBirthDate"
_SECONDS = 12.0

_MOST_NAMED = 5

# Why a part did not come.
_TOO_LONG = "because they were too long for one answer and could not be parted further"
_TOO_LATE = "because there was no time left"
_TOO_MANY_PARTS = f"because the question would take more than {MOST_PARTS:,} parts"
_REFUSED = "because the archive refused them"
_BROKEN_OFF = "because its answer broke off"
_NOT_BY_DATE = "because the archive does not tell or compare the dates it was asked by"


@dataclass(slots=True)
class _Lacks:
    """What an answer in parts may lack, or does."""

    # Parts that did not come, by their key, and why not.
    missing: dict[str, str] = field(default_factory=dict[str, str])
    why: str = _TOO_LONG
    # What the answers that broke off said of it.
    notes: list[Note] = field(default_factory=list[Note])
    # Attributes without which a match may have been missed.
    without: dict[str, None] = field(default_factory=dict[str, None])


class Parts:
    """A question asked in parts, newest first.

    `cap` is the length at which an answer that calls itself whole is taken for a cut one, `most`
    how many came at once, 0 if that is not known.
    """

    def __init__(
        self,
        asking: Asking,
        query: Query,
        gathering: Gathering,
        *,
        cap: int | None,
        most: int,
        split_by: str = "",
    ) -> None:
        self._asking = asking
        self._query = query
        self._gathering = gathering
        self._split_by = split_by or SPLIT_BY[query.level]
        # Days on which too many were born are not worth more questions: they share a made-up one.
        self._parts_days = not split_by
        # Whether something came that has no Patient ID.
        self.anonymous = False
        self._cap = cap
        self._most = most
        self._density = Density()
        # How many matches the parts that were not cut had, and which of them have no date.
        self.rows = 0
        self._undated: set[str] = set()
        self._longest = 0
        self._parts = 0
        self._left = MOST_PARTS
        self._lacks = _Lacks()
        # Some matches, for what values look like; and the days of those that came at first.
        self._sample: Part | None = None
        self._shown: list[date] = []
        self._found = gathering.count

    def ask_all(self, first: Part | None) -> bool:
        """Ask in parts for everything; whether it came. `first` is the answer that was cut."""
        whole = Span.of(self._query.keys.get(self._split_by, ""))
        if first:
            self._learn(first)
            self._shown = [day for day in map(self._date_of, first.told) if day]
        halves = self._density.halves(whole) if self._cap else None
        if whole.is_day:
            if self._parts_days:
                self._ask_day(whole, first)
        else:
            self._ask_side_by_side([*reversed(halves)] if halves else [whole])
        return self.came

    def prove_undated(self, first: Part | None) -> None:
        """Whether what has no date came too: in the part that is open to the past, where open
        ranges bring it. `first` is the answer that was cut."""
        habits = self._asking.habits
        if not self.came or self._split_by in self._query.keys or self._gathering.full:
            return
        unique = UNIQUE_KEY[self._query.level]
        known = first.told if first and self._split_by in first.given else []
        if {row[unique] for row in known if not self._date_of(row)} - self._undated:
            # There is some that the part lacked: Orthanc leaves out what has no such attribute,
            # not even an empty one.
            habits.brings_undated = False
        elif self._undated and habits.brings_undated is not False:
            habits.brings_undated = True
        elif habits.brings_undated is None:
            habits.brings_undated = brings_undated(self._asking, self._query)
        if habits.brings_undated and habits.undated_seen:
            return
        seen, asked = self._gathering.count, self._parts
        if self.covers(first):
            return
        if self._gathering.count > seen:
            habits.brings_undated = False
        habits.undated_seen = habits.undated_seen or self._parts > asked
        if not habits.brings_undated:
            self._lacks.without[self._split_by] = None

    def covers(
        self, cut: Part | None, keys: Mapping[str, str] | None = None, rows: int = 0
    ) -> bool:
        """Ask for what has these keys once more, by its UID, or else by whose it is and by when
        these were born; whether that is all there is. Of very many it would take too many
        questions. What has none of all that no archive could be asked for."""
        if self._query.level not in (Level.PATIENT, Level.STUDY):
            return False  # it is cheaper to ask for each study whose series are wanted
        cut = cut if cut and cut.told else self._sample
        few = (rows or self.rows) < _FEW * self._most
        allowance = self._asking.deadline.allowance
        if cut is None or not few or allowance.proving <= 0:
            return False
        query = replace(self._query, keys={**self._query.keys, **(keys or {})})
        aside = Parts(
            self._asking.within(_SECONDS),
            query,
            self._gathering,
            cap=self._cap,
            most=self._most,
            split_by=_BIRTH,
        )
        aside._left = allowance.proving

        def put(keys: Mapping[str, str]) -> Part | None:
            if part := aside._put(keys):
                aside._learn(part)
            return part

        endings = Endings(query, {}, put, aside._is_cut, self._asking)
        try:
            proved = query.level is Level.STUDY and endings.ask_by("StudyInstanceUID", cut)
            if not proved and not self.anonymous and endings.ask_by("PatientID", cut):
                spans = aside._density.even(Span.of(query.keys.get(_BIRTH, "")), aside._room)
                aside._ask_side_by_side(spans, planned=True)
                proved = aside.came and not aside.anonymous
        except ArchiveError:
            proved = False  # what came by the dates is here all the same
        self._parts += aside._parts
        return proved

    @property
    def came(self) -> bool:
        """Whether all parts came."""
        return not self._lacks.missing

    def outcome(self) -> Outcome:
        """Whether all of the question is answered, and how it was asked."""
        several = NOUN[self._query.level][1]
        gives = f"at most {self._most} {several}" if self._most else f"only so many {several}"
        notes = [
            remark(
                f"This archive gives {gives} at once; the question was asked in {self._parts} "
                f"parts by {self._split_by}."
            )
        ]
        doubt = None
        if self._gathering.full:
            return Outcome(True, notes)
        if not self.came:
            notes += self._lacks.notes
            for why in dict.fromkeys(self._lacks.missing.values()):
                parts = [part for part, reason in self._lacks.missing.items() if reason == why]
                shown = parts[:_MOST_NAMED]
                named = ", ".join(part if part.strip("-") else "all" for part in shown)
                more = f" and {len(parts) - _MOST_NAMED} more" if len(parts) > _MOST_NAMED else ""
                notes.append(
                    incomplete(
                        f"of {self._split_by} {named}{more} not all came, {why}. Narrow "
                        "the question by dates, a patient or a modality."
                    )
                )
        elif self._lacks.without:
            lacking = " or ".join(self._lacks.without)
            doubt = perhaps(
                f"{several} without {lacking}, if there are any, cannot all be reached that way."
            )
            notes.append(doubt)
        return Outcome(self.came and not doubt, notes, doubt)

    @property
    def _room(self) -> float:
        """How many matches a part is made for."""
        return _FULL * self._most if self._most else max(2 * self._longest, _UNKNOWN)

    def _ask_side_by_side(self, spans: list[Span], *, planned: bool = False) -> None:
        """Ask for these spans, the last one first, in parts unless they are `planned` as such."""
        context = copy_context()
        asked: dict[Future[Part | None], Span] = {}
        most = self._asking.exchange.node.connections
        with ThreadPoolExecutor(most) as pool:
            while True:
                while spans and self._left and not self._gathering.full and len(asked) < most:
                    if asked and not planned and (not self._density.is_known or self._is_proving):
                        break  # what comes of the first part tells how long the next may be
                    span = spans.pop()
                    parted = self._parted(span, planned=planned)
                    if parted is None:
                        self._ask_by_endings({self._split_by: span.key}, span.key)
                        continue
                    span, rest = parted
                    spans += [rest] if rest else []
                    asked[pool.submit(context.copy().run, self._ask_span, span)] = span
                if not asked:
                    break
                done, _ = wait(asked, return_when=FIRST_COMPLETED)
                for future in done:
                    self._took(asked.pop(future), future.result(), spans)
        if spans and not self._gathering.full:
            for span in reversed(spans):
                self._miss(span.key)

    @property
    def _is_proving(self) -> bool:
        """Whether nothing was cut as far as is known, so that two halves may be all it takes."""
        return self._cap is not None and self._gathering.count == self._found

    def _parted(self, span: Span, *, planned: bool) -> tuple[Span, Span | None] | None:
        if planned or self._is_proving:
            return self._density.halves(span) if span.asked else (span, None)
        return self._density.carve(span, self._room)

    def _ask_span(self, span: Span) -> Part | None:
        part = self._put({self._split_by: span.key})
        is_long = part and span.is_day and self._is_cut(part) and not self._gathering.full
        if is_long and self._parts_days:
            self._ask_day(span, part)
        return part

    def _took(self, span: Span, part: Part | None, spans: list[Span]) -> None:
        """What to do after a part came."""
        if self._gathering.full:
            return
        if part is None:
            self._miss(span.key)
            return
        days = [*map(self._date_of, part.told)]
        if any(day and not span.has(day) for day in days) or (
            days and not any(days) and not (span.first is None and self._split_by in part.given)
        ):
            self._stop(_NOT_BY_DATE)  # by the very key that would split
            self._miss(span.key)
            return
        self._learn(part)
        cut = self._is_cut(part)
        if part.rows or not cut:
            self._density.came(span, part.rows, self._room, cut=cut)
        if cut and span.is_day:
            return
        if cut:
            spans.append(Span(span.first, span.last, asked=True))
            return
        self.rows += part.rows
        unique = UNIQUE_KEY[self._query.level]
        self._undated |= {row[unique] for row in part.told if not self._date_of(row)}
        self._longest = max(self._longest, part.rows)
        # Of these days more came before: the archive does not take such a range as one.
        if not part.ending.whole or sum(map(span.has, self._shown)) > part.rows:
            self._miss(span.key)

    def _ask_day(self, day: Span, part: Part | None) -> None:
        """A day that was too long for one answer: by time, or else by other keys."""
        keys = {self._split_by: day.key}
        timed = self._query.level is not Level.PATIENT and "StudyTime" not in self._query.keys
        told = part.told if part and "StudyTime" in part.given else []
        if not timed or not all(row["StudyTime"] for row in told):
            self._ask_by_endings(keys, day.key, part)
            return
        times = Times(
            lambda time: self._put({**keys, "StudyTime": time}), self._is_cut, lambda: self._room
        )
        if not times.ask_all(told):
            self._ask_by_endings(keys, day.key, part)
            return
        self.rows += times.rows
        for time in times.missing:
            self._miss(f"{day.key} {time}")
        for time, second in times.too_long:
            self._ask_by_endings({**keys, "StudyTime": time}, f"{day.key} {time}", second)
        if self.came and not self.covers(part, keys, times.rows):
            self._lacks.without["StudyTime"] = None

    def _ask_by_endings(
        self, keys: Mapping[str, str], named: str, part: Part | None = None
    ) -> None:
        """What no date tells apart, by the ends of its other keys."""
        endings = Endings(self._query, keys, self._put, self._is_cut, self._asking)
        if part is None:
            part = self._put(dict(keys))
        if part is None or not endings.ask_all(part):
            self._miss(named)
            return
        self.rows += endings.rows
        if endings.by != UNIQUE_KEY[self._query.level]:
            self._lacks.without[endings.by] = None

    def _date_of(self, told: Mapping[str, str]) -> date | None:
        return day_of(told[self._split_by])

    def _learn(self, part: Part) -> None:
        self._sample = self._sample or (part if part.told else None)
        self.anonymous = self.anonymous or any(row.get("PatientID") == "" for row in part.told)
        days = [day for day in map(self._date_of, part.told) if day]
        self._density.learn(days, cut=self._is_cut(part))

    def _is_cut(self, part: Part) -> bool:
        is_long = part.rows in (self._cap, self._asking.habits.silent_cap)
        return part.ending.capped or (part.ending.whole and is_long)

    def _put(self, keys: Mapping[str, str]) -> Part | None:
        """One part; None when there have been enough, or it failed in another way."""
        if not self._left:
            return None
        self._left -= 1
        if not self._left:
            self._stop(_TOO_MANY_PARTS)
        self._parts += 1
        told = tuple(dict.fromkeys((self._split_by, *told_of(self._query.level))))
        query = Query(self._query.level, {**self._query.keys, **keys}, (*self._query.wanted, *told))
        try:
            part = result_of(self._asking.put(query, self._gathering, told=told))
        except StatusFailure as failure:
            if failure.status in TOO_MANY and not self._asking.deadline.allowance.spent:
                return Part(Ending(whole=False, capped=True), 0, [], frozenset())
            if keys.keys() <= {self._split_by, "StudyTime"}:
                self._stop(_REFUSED)
            return None
        if not part.ending.whole and not part.ending.capped:
            if not self._gathering.full:  # the deadline, or a failure that more won't mend
                late = self._asking.deadline.passed
                self._lacks.notes += [] if late else part.ending.notes
                self._stop(_TOO_LATE if late else _BROKEN_OFF)
            self._left = 0
        self.anonymous = self.anonymous or any(row.get("PatientID") == "" for row in part.told)
        return part

    def _stop(self, why: str) -> None:
        """Ask for no more parts: what is missing from now on is so for this reason."""
        if self._lacks.why == _TOO_LONG:
            self._lacks.why = why
        self._left = 0

    def _miss(self, part: str) -> None:
        self._lacks.missing[part] = self._lacks.why


def told_of(level: Level) -> tuple[str, ...]:
    """What is looked at of each match, to ask for the rest in parts."""
    time = () if level is Level.PATIENT else ("StudyTime",)
    return (SPLIT_BY[level], *time, *TOLD_APART_BY[level])
