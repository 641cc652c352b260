"""A worklist question, asked in the ways it may be meant.

What is asked by name, of a patient or a station, is asked for as written first. An archive may
compare letters exactly, or as bytes, or not at all, and people write names as they like: so the
list of the days in question, which is short, is asked for as a whole too, and compared here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..budgets import MOST_HELD
from ..errors import DeadlinePassed, StatusFailure
from ..standard.note import Note, incomplete, perhaps, remark
from ..standard.query import Ending, Match, Query
from ..standard.status import TOO_MANY
from ..standard.worklist import NOUN, Start, by_time, is_for, parts, rows, start
from ..words.schedule import Worklist, WorklistQuestion, WorklistRecheck
from .asking import Asking

# More than a hospital plans for a week; of a list cut by its archive no entry is the first.
MOST_ENTRIES = 2000

# How many entries of a widened question are compared here, and for how long.
_MOST_COMPARED = 2000
_SECONDS_FOR_COMPARING = 10.0

_MOST_NAMED = 20

# Parts a query is asked in at most; and a list that cannot be parted is only doubted at the
# lengths archives are known to cut at.
_MOST_PARTS = 64
_KNOWN_CAP = 100


def ask_worklist(asking: Asking, question: WorklistQuestion, limit: int) -> Worklist:
    """The first `limit` entries by time.

    Raises what the archive's failures raise, as long as nothing was found.
    """
    found = _Found(question)
    wider = question.wider()
    try:
        answer = _asked(asking, question.queries(), found)
    except StatusFailure as failure:
        if not wider:
            raise
        answer = _Answer(whole=False, notes=[incomplete(str(failure))], failure=failure)
    if wider and not found.full:
        answer = _compared(asking, wider, found, answer)
    if (undated := question.undated()) and not found.known and answer.whole:
        answer = _without_days(asking, undated, found, answer)
    notes = [*answer.notes, *found.notes()]
    unread = 0 if found.rows else found.unread
    if unread:
        notes.append(
            perhaps(
                f"{unread} {NOUN[unread != 1]} came without a character set, so "
                "that names beyond ASCII in them cannot be compared. Ask without patient_name."
            )
        )
    if not found.rows and found.recheck.stations:
        others = ", ".join(sorted(found.recheck.stations)[:_MOST_NAMED])
        notes.append(remark(f"There are entries for other stations: {others}."))
    ordered = sorted(found.rows, key=by_time)
    if len(ordered) > limit:
        notes.append(
            incomplete(
                f"these are the first {limit} of {len(ordered)} {NOUN[1]} by time. Raise "
                "limit (at most 500) or narrow the question."
            )
        )
    doubts = found.recheck.doubts()
    notes += doubts
    known = not found.full and not unread and not doubts
    whole = answer.whole and known and len(ordered) <= limit
    return Worklist(
        question, ordered[:limit], whole, tuple(dict.fromkeys(notes)), asking.cost.queries
    )


@dataclass(frozen=True, slots=True)
class _Answer:
    whole: bool
    notes: list[Note]
    failure: StatusFailure | None = None


class _Found:
    """Takes the entries of all the answers to one question: each once, checked, bounded."""

    def __init__(self, question: WorklistQuestion) -> None:
        self.rows: list[Match] = []
        self.recheck = WorklistRecheck(question)
        # Entries with names that nobody can read for want of a character set, if one was asked for.
        self.unread = 0
        self._asks_beyond_ascii = not "".join(question.sent.values()).isascii()
        self._seen: set[str] = set()
        self._examined = 0
        self._most_examined = 5 * MOST_ENTRIES
        self._held = 0

    def take(self, match: Match, size: int) -> bool:
        """Look at a match that came in `size` bytes; False when no more are wanted."""
        self._examined += 1
        for row in rows(match):
            mark = repr(row)
            if mark in self._seen:
                continue
            self._seen.add(mark)
            self._held += size
            if self.recheck.holds(row):
                self.rows.append(row)
            elif self._asks_beyond_ascii and not match.get("SpecificCharacterSet"):
                self.unread += _is_beyond_ascii(str(row.get("PatientName", "")))
        return not self.full

    def loosen(self) -> None:
        """From now on texts are sent wider than they are meant, for what comes to be compared."""
        self.recheck.loosened = True
        self._most_examined = self._examined + _MOST_COMPARED

    def tighten(self) -> bool:
        """No longer; whether all that came was compared."""
        whole = self._examined <= self._most_examined
        self._most_examined = max(self._examined, self._most_examined)
        return whole

    @property
    def known(self) -> int:
        """How many different entries came, meant or not."""
        return len(self._seen)

    @property
    def full(self) -> bool:
        """Whether no more are wanted."""
        return (
            len(self.rows) > MOST_ENTRIES
            or self._examined > self._most_examined
            or self._held > MOST_HELD
        )

    def notes(self) -> list[Note]:
        """What to know about what arrived."""
        cut = incomplete(
            f"only the first {self._examined} {NOUN[1]} the archive gave were looked "
            "at. Narrow the question by date, modality or station."
        )
        return [cut, *self.recheck.notes()] if self.full else self.recheck.notes()


def _asked(asking: Asking, queries: Iterable[Query], found: _Found) -> _Answer:
    """Every query, one after the other; one that the archive refuses does not spoil the others."""
    whole = True
    notes: list[Note] = []
    refused: list[StatusFailure] = []
    answered = 0
    for query in queries:
        if found.full:
            break
        try:
            ending = _ask_whole(asking, query, found)
        except StatusFailure as failure:
            refused.append(failure)
            whole = False
            notes.append(incomplete(f"by {' and '.join(query.keys)}, {failure}"))
            continue
        answered += 1
        whole = whole and ending.whole
        notes += ending.notes
    if refused and not answered and not found.rows:
        raise refused[0]
    return _Answer(whole, notes)


@dataclass(frozen=True, slots=True)
class _Part:
    """One query's answer: how it ended, and when its rows are scheduled to begin."""

    ending: Ending
    starts: list[Start]


def _ask_whole(asking: Asking, query: Query, found: _Found) -> Ending:
    """One query; if its answer may have been cut short, then in parts of its time too."""
    habits = asking.habits
    try:
        part = _put(asking, query, found)
    except StatusFailure as failure:
        if failure.status not in TOO_MANY or not parts(query, []):
            raise
        return _ask_refused(asking, query, found, failure)
    count = len(part.starts)
    keys = dict(query.keys)
    silent = part.ending.whole and not found.full and habits.is_doubted(query.level, count, keys)
    if not silent and not part.ending.capped:
        if part.ending.whole:
            habits.gave(query.level, count)
        return part.ending
    known = found.known
    several = _Parts(asking, found, cap=count if silent else None)
    whole = several.ask(query, part.starts)
    if silent and found.known == known:
        if whole or (count % _KNOWN_CAP and count != habits.cap):
            habits.gave(query.level, count)
            habits.proved_whole(query.level, count, keys)
            return part.ending
        told = perhaps(
            f"the archive gave exactly {count} {NOUN[1]}, which may be the "
            "most it gives at once. Narrow the question by modality or station."
        )
        return Ending(whole=False, notes=(*part.ending.notes, told))
    if silent:
        habits.cap = count
    return _in_parts(several, count, whole, part.ending.notes)


def _ask_refused(asking: Asking, query: Query, found: _Found, refusal: StatusFailure) -> Ending:
    """A query of which nothing came, in parts.

    Raises the refusal when nothing comes of these either: too much was not what was wrong.
    """
    known = found.known
    several = _Parts(asking, found, cap=None)
    whole = several.answers(_minutes_of(query)) and several.ask(query, [])
    if found.known == known and not (whole and asking.habits.refuses):
        raise refusal
    asking.habits.refuses = True
    return _in_parts(several, 0, whole, ())


def _minutes_of(query: Query) -> Query:
    """A part of it that is small for any archive: some minutes after noon."""
    smaller = [query]
    while halves := parts(smaller[-1], []):
        smaller.append(halves[-1] if len(halves) == 2 and len(smaller) == 1 else halves[0])
    return smaller[-min(len(smaller), 1 + _HALVED_TO_A_MINUTE)]


# Half an hour is halved so often, down to a minute.
_HALVED_TO_A_MINUTE = 4


def _in_parts(parts: "_Parts", most: int, whole: bool, notes: Sequence[Note]) -> Ending:
    """How a question ended that was asked in parts; `most` entries came at once, if known."""
    told = remark(
        f"This archive gives {f'at most {most}' if most else 'only so many'} {NOUN[1]} at once; "
        f"the question was asked in {parts.count} parts by time."
    )
    if whole:
        return Ending(notes=(told,))
    cut = incomplete(
        "some parts were still too long for it, or there was no time left. Narrow "
        "the question by modality or station."
    )
    return Ending(whole=False, notes=(*notes, told, cut))


class _Parts:
    """A query asked in parts of its time, and those in parts, as long as they are cut short.

    `cap` is the length at which an answer that calls itself whole is taken for a cut one.
    """

    def __init__(self, asking: Asking, found: _Found, cap: int | None) -> None:
        self.count = 0
        self._asking = asking
        self._found = found
        self._cap = cap

    def ask(self, query: Query, starts: Sequence[Start]) -> bool:
        """Whether all parts came; `starts` are those of the answer that was too long."""
        came = [self._ask_part(part) for part in parts(query, starts)]
        return bool(came) and all(came)

    def answers(self, query: Query) -> bool:
        """Whether the archive answers this one, with entries or without."""
        self.count += 1
        try:
            return bool(_put(self._asking, query, self._found))
        except StatusFailure:
            return False

    def _ask_part(self, query: Query) -> bool:
        if self.count >= _MOST_PARTS or self._found.full:
            return False
        self.count += 1
        try:
            part = _put(self._asking, query, self._found)
        except StatusFailure as failure:
            if self._asking.deadline.allowance.spent:
                return False
            return failure.status in TOO_MANY and self.ask(query, [])
        except DeadlinePassed:
            return False
        if not all(is_for(query, begins) for begins in part.starts):
            self.count = _MOST_PARTS  # it ignores the very keys that would part
            return False
        if part.ending.capped or (part.ending.whole and len(part.starts) == self._cap):
            return self.ask(query, part.starts)
        return part.ending.whole


def _put(asking: Asking, query: Query, found: _Found) -> _Part:
    """One query, as it stands; what came before the deadline passed is kept, and marked."""
    starts: list[Start] = []

    def take(match: Match, size: int) -> bool:
        asking.on_match()
        starts.extend(map(start, rows(match)[:1]))
        return found.take(match, size)

    found.recheck.asked = query
    try:
        ending = asking.send(query, take)
    except DeadlinePassed as passed:
        if not found.rows:
            raise
        ending = Ending(whole=False, notes=(incomplete(str(passed)),))
    return _Part(ending, starts)


def _compared(asking: Asking, wider: WorklistQuestion, found: _Found, answer: _Answer) -> _Answer:
    """The answer with what only a wider question brings."""
    before = len(found.rows)
    found.loosen()
    try:
        more = _asked(asking.within(_SECONDS_FOR_COMPARING), wider.queries(), found)
    except (DeadlinePassed, StatusFailure) as failure:
        more = _Answer(whole=False, notes=[incomplete(str(failure))])
    if not found.tighten():
        cut = incomplete(
            f"only {_MOST_COMPARED} {NOUN[1]} were compared. Narrow the question by "
            "date, modality or station."
        )
        more = _Answer(whole=False, notes=[*more.notes, cut])
    if answer.failure and not found.rows and not more.whole:
        raise answer.failure
    notes = answer.notes
    if more.whole and not any(condition.is_text for condition in wider.conditions):
        # Everything there is has been looked at here, whatever became of the narrower question.
        notes = [note for note in notes if not note.lacks]
        answer = _Answer(whole=True, notes=notes)
    if len(found.rows) == before:
        # What was found as written is what was asked for; nothing found needs more proof.
        return answer if before or more.whole else _Answer(False, notes + more.notes)
    told = remark(
        "The archive does not find everything as it was written; the names of patients and "
        "stations were also compared here, with the whole list."
    )
    return _Answer(answer.whole and more.whole, [*notes, *more.notes, told])


def _without_days(
    asking: Asking, undated: WorklistQuestion, found: _Found, answer: _Answer
) -> _Answer:
    """The answer to a range of days that brought nothing, compared with what there is on any day:
    not every system understands ranges (PS3.4 C.2.2.1.3)."""
    try:
        more = _asked(asking.within(_SECONDS_FOR_COMPARING), undated.queries(), found)
    except (DeadlinePassed, StatusFailure) as failure:
        told = perhaps(
            "nothing came, and whether this system understands ranges of "
            f"days could not be shown ({failure}). Ask for one day."
        )
        return _Answer(whole=False, notes=[*answer.notes, told])
    told = remark(
        "This system does not understand ranges of days; it was asked without, and what it gave "
        "was compared here."
    )
    return _Answer(more.whole, [*answer.notes, *([told] if found.rows else []), *more.notes])


def _is_beyond_ascii(text: str) -> bool:
    """Whether it holds other characters, or escape sequences that stand for some."""
    return not text.isascii() or not text.isprintable()
