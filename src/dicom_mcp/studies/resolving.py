"""A pasted list of accession numbers, patient IDs or UIDs: what becomes of each of its values.

Each is asked for exactly. Of numbers it is looked up as well whether there are such with other
zeros before them, which spreadsheets drop and programs add.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched

from ..door.account import Account
from ..door.call import Call
from ..errors import ArchiveError, BadArgument
from ..standard.levels import UNIQUE_KEY, Level
from ..standard.lists import MOST_VALUES, Several, fault_of, head_of, normal, pasted
from ..standard.note import incomplete, remark
from ..standard.query import Match, Query, texts
from ..standard.shapes import SEPARATOR

STUDY = UNIQUE_KEY[Level.STUDY]

# What is told of each study.
TOLD = ("AccessionNumber", "PatientID", "StudyDate", "StudyDescription", STUDY)

# Values asked for together: what is not known of some of them is not known of so many.
_AT_ONCE = 250

# Numbers of which it is looked up, one by one, whether there are such with other zeros.
_MOST_LOOKED_UP = 100

# The share of a call's time in which the archive is asked.
_SHARE = 0.8

FOUND, SEVERAL, ZEROS, AMBIGUOUS = "found", "several studies", "other zeros", "ambiguous"
MISSING, MALFORMED, NOT_KNOWN, NOT_ASKED = "missing", "malformed", "not known", "not asked"
STATUSES = (FOUND, SEVERAL, ZEROS, AMBIGUOUS, MISSING, MALFORMED, NOT_KNOWN, NOT_ASKED)


@dataclass(slots=True)
class Resolved:
    """What became of a list: each of its values once, in order, with how often it stands there."""

    keyword: str
    times: Counter[str]
    faults: dict[str, str]
    found: Account = field(default_factory=Account)
    # By the value as it is compared: the studies that have it.
    studies_of: dict[str, dict[str, Match]] = field(default_factory=dict[str, dict[str, Match]])
    # What each number may be with other zeros.
    others: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    unknown: set[str] = field(default_factory=set[str])
    unasked: set[str] = field(default_factory=set[str])

    def status(self, value: str) -> str:
        """What became of one value: one of STATUSES."""
        if value in self.faults:
            return MALFORMED
        has, others = self.matches(value), self.others.get(value, [])
        if len(others) + bool(has) > 1:
            return AMBIGUOUS
        if has:
            several = len(has) > 1 and self.keyword == "AccessionNumber"
            return SEVERAL if several else FOUND
        if others:
            return ZEROS
        if value in self.unasked:
            return NOT_ASKED
        return NOT_KNOWN if value in self.unknown else MISSING

    def matches(self, value: str) -> list[Match]:
        """The studies that have this value."""
        return [*self.studies_of.get(normal(value), {}).values()]

    def studies(self) -> list[str]:
        """The studies of all that was found as it was asked for, each once, by their UID."""
        exact = (value for value in self.times if self.status(value) in (FOUND, SEVERAL))
        return [
            *dict.fromkeys(str(match[STUDY]) for value in exact for match in self.matches(value))
        ]

    def keep(self, match: Match) -> None:
        """A study came."""
        for text in texts(match.get(self.keyword, "")):
            self.studies_of.setdefault(normal(text), {})[str(match.get(STUDY, ""))] = match


def resolve(call: Call, text: Several, keyword: str = "") -> Resolved:
    """What becomes of each value of a pasted list; of which attribute they are is guessed where
    nobody says it.

    Raises BadArgument for an empty list and for one that is too long, and ArchiveError where
    nothing could be asked.
    """
    guessed = keyword or _guessed(text)
    resolved = _Resolving(call, _read(guessed, text)).ask()
    if keyword or guessed != "AccessionNumber" or head_of(text) or resolved.studies_of:
        return resolved
    if resolved.unknown or resolved.unasked:
        return resolved
    other = _Resolving(call, _read("PatientID", text)).ask()
    return other if other.studies_of else resolved


def _guessed(text: Several) -> str:
    if head := head_of(text):
        return head
    values = pasted(STUDY, text)
    are_uids = values and not any(fault_of(STUDY, value) for value in values)
    return STUDY if are_uids else "AccessionNumber"


def _read(keyword: str, text: Several) -> Resolved:
    times = Counter(pasted(keyword, text))
    if not times:
        raise BadArgument("the list has no values", "Paste accession numbers, patient IDs or UIDs")
    if len(times) > MOST_VALUES:
        raise BadArgument(
            f"the list has {len(times):,} values, and at most {MOST_VALUES:,} can be asked for at "
            "once",
            "Ask in several parts",
        )
    faults = {value: fault for value in times if (fault := fault_of(keyword, value))}
    return Resolved(keyword, times, faults)


class _Resolving:
    def __init__(self, call: Call, resolved: Resolved) -> None:
        self._call = call.within(max(node.timeout for node in call.nodes) * _SHARE)
        self._resolved = resolved

    def ask(self) -> Resolved:
        resolved = self._resolved
        self._ask_exactly([value for value in resolved.times if value not in resolved.faults])
        if resolved.keyword != STUDY:
            self._ask_zeros()
        count = sum(resolved.status(value) == NOT_KNOWN for value in resolved.times)
        if count and resolved.found.complete:
            resolved.found.lack(f"of {count:,} values it is not known whether they are there.")
        return resolved

    def _ask_exactly(self, values: Sequence[str]) -> None:
        """Ask for each of these as it is written."""
        resolved = self._resolved
        for number, batch in enumerate(batched(values, _AT_ONCE)):
            try:
                self._ask_batch(batch)
            except ArchiveError as error:
                if not number and not resolved.studies_of:
                    raise
                left = values[number * _AT_ONCE :]
                resolved.unasked.update(left)
                resolved.found.lack(incomplete(f"{len(left):,} values were not asked for: {error}"))
                return

    def _ask_batch(self, batch: Sequence[str]) -> None:
        resolved = self._resolved
        query = Query(Level.STUDY, {resolved.keyword: SEPARATOR.join(batch)}, TOLD)
        answer = self._call.each(query, resolved.keep)
        resolved.found.join(answer)
        if not answer.complete or resolved.keyword in answer.absent:
            resolved.unknown.update(value for value in batch if not resolved.matches(value))

    def _ask_zeros(self) -> None:
        """Look up which numbers there are with more or fewer zeros before them."""
        resolved = self._resolved
        numbers = [value for value in resolved.times if value.isascii() and value.isdecimal()]
        numbers.sort(key=lambda value: bool(resolved.matches(value)))  # stable: the missing first
        try:
            self._look_up_all(numbers)
        except ArchiveError:
            self._not_looked_up(len(numbers))
        there = (text for value in resolved.studies_of if (text := self._written(value)))
        self._put_others(numbers, there)

    def _look_up_all(self, numbers: Sequence[str]) -> None:
        resolved = self._resolved
        others = self._call.numbered(resolved.keyword, {value.lstrip("0") for value in numbers})
        if others is None:
            others = {value.lstrip("0") for value in numbers if value[0] == "0"}
            for number, value in enumerate(numbers):
                if number == _MOST_LOOKED_UP or not self._look_up(value.lstrip("0")):
                    self._not_looked_up(len(numbers) - number)
                    break
        if new := [value for value in sorted(others) if not resolved.matches(value)]:
            self._ask_exactly([value for value in new if value not in resolved.times])

    def _look_up(self, number: str) -> bool:
        """Whether it could be looked up which there are with zeros before this number."""
        resolved = self._resolved
        try:
            query = Query(Level.STUDY, {resolved.keyword: f"0*{number}"}, TOLD)
            answer = self._call.each(query, lambda match: self._keep_number(number, match))
        except ArchiveError:
            return False
        return answer.complete

    def _keep_number(self, number: str, match: Match) -> None:
        if any(text.strip().lstrip("0") == number for text in texts(match[self._resolved.keyword])):
            self._resolved.keep(match)

    def _written(self, value: str) -> str:
        match = next(iter(self._resolved.studies_of[value].values()))
        return next((t for t in texts(match[self._resolved.keyword]) if normal(t) == value), "")

    def _put_others(self, numbers: Iterable[str], there: Iterable[str]) -> None:
        """Which of the values that are there each number may be; what is asked for by itself is
        meant by nothing else."""
        by_number: dict[str, list[str]] = {}
        for value in there:
            if value.isdecimal() and value not in self._resolved.times:
                by_number.setdefault(value.lstrip("0"), []).append(value)
        for value in numbers:
            if others := by_number.get(value.lstrip("0")):
                self._resolved.others[value] = sorted(others)

    def _not_looked_up(self, count: int) -> None:
        self._resolved.found.note(
            remark(f"{count:,} numbers were not looked for with other zeros before them.")
        )


def told_of(resolved: Resolved, value: str) -> list[Mapping[str, object]]:
    """The rows that tell what became of one value: one for each study, or one without."""
    told: dict[str, object] = {"asked": value, "status": resolved.status(value)}
    if resolved.times[value] > 1:
        told["times"] = resolved.times[value]
    if fault := resolved.faults.get(value):
        told["why"] = fault
    matches = [
        match
        for form in (value, *resolved.others.get(value, ()))
        for match in resolved.matches(form)
    ]
    rows = [
        {keyword: text for keyword in TOLD if (text := " ".join(texts(match.get(keyword, ""))))}
        for match in matches
    ]
    for row in rows:
        if row.get(resolved.keyword) == value:
            del row[resolved.keyword]
    return [{**told, **row} for row in rows] or [told]
