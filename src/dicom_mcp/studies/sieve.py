"""Conditions on levels below what is counted: of one part or of all, and what cannot be told."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

from ..standard.levels import NOUN, Level
from ..standard.note import Note, incomplete, remark
from ..standard.query import Match, texts
from .condition import Condition
from .groups import number_of

_ORDER = (Level.PATIENT, Level.STUDY, Level.SERIES, Level.IMAGE)

# Different values remembered of an attribute, and shown of them when none fulfils a condition.
_MOST_REMEMBERED = 500
_MOST_SHOWN = 8


class Sieve:
    """Which records fulfil conditions when things of one level are counted.

    A condition on a lower level is fulfilled by one part of a thing: a study with a series of 5 mm.
    A negative one ("is not CT") is fulfilled by all parts that fulfil the others, or it would be
    true of nearly everything. What cannot be compared is neither, and is counted apart.
    """

    def __init__(
        self, where: Sequence[Condition], counted: Level, numbers: Mapping[str, int]
    ) -> None:
        self._where = where
        self._numbers = numbers
        self._counted = counted
        self.refuted: set[str] = set()
        self._unclear: dict[Condition, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._not_written: dict[Condition, bool] = dict.fromkeys(where, True)
        self._others: dict[Condition, Counter[str]] = {condition: Counter() for condition in where}

    def passes(self, match: Match, levels: Collection[Level], thing: str, noun: Level) -> bool:
        """Whether a record fulfils the conditions on its levels; `thing` of level `noun` is what is
        counted by it."""
        for condition in sorted(self._where, key=lambda condition: condition.is_negative):
            if condition.level not in levels:
                continue
            result = condition.holds(match)
            if result:
                continue
            if result is None:
                self._unclear[condition][NOUN[noun][1]].add(thing)
                if any(texts(match.get(keyword, "")) for keyword in condition.reads[:1]):
                    self._not_written[condition] = False
            elif condition.is_negative and self._is_below(condition):
                self.refuted.add(thing)
            else:
                self._remember(condition, match)
            return False
        return True

    def compared(self) -> list[str]:
        """Each condition as it was understood, and of how many parts it must be true."""
        told: list[str] = []
        for condition in self._where:
            said = condition.said
            if self._is_below(condition):
                parts = NOUN[condition.level][1]
                of = "of all" if condition.is_negative else "of at least one"
                said += f": {of} of the {parts} of each {NOUN[self._counted][0]} counted"
            told.append(said)
        return told

    def doubts(self, counted: Collection[str]) -> tuple[list[Note], bool]:
        """Notes on what could not be compared and is not counted; whether the count may be wrong
        by it."""
        notes: list[Note] = []
        in_doubt = False
        for condition, by_noun in self._unclear.items():
            for noun, things in by_noun.items():
                count = number_of(things.difference(counted) - self.refuted, self._numbers)
                if not count:
                    continue
                empty = self._not_written[condition]
                harmless = empty and not condition.doubts_what_is_absent
                in_doubt = in_doubt or not harmless
                note = remark if harmless else incomplete
                why = "no value" if empty else "no value that can be compared"
                notes.append(
                    note(
                        f"{count} {noun} not counted have {why} of {condition.keyword}, so "
                        f"that it is not known whether it {_verb(condition.said)}."
                    )
                )
        return notes, in_doubt

    def instead(self) -> list[Note]:
        """Where nothing is counted: the values that are there instead."""
        notes: list[Note] = []
        for condition, values in self._others.items():
            if values and not condition.is_negative:
                shown = [f"{value} ({count})" for value, count in values.most_common(_MOST_SHOWN)]
                more = " …" if len(values) > _MOST_SHOWN else ""
                notes.append(
                    remark(f"{condition.said} is true of none; there are {', '.join(shown)}{more}")
                )
        return notes

    def _is_below(self, condition: Condition) -> bool:
        return _ORDER.index(condition.level) > _ORDER.index(self._counted)

    def _remember(self, condition: Condition, match: Match) -> None:
        seen = self._others[condition]
        for value in texts(match.get(condition.keyword, "")) or ["(empty)"]:
            if value in seen or len(seen) < _MOST_REMEMBERED:
                seen[value] += 1


def _verb(said: str) -> str:
    return said.partition(" ")[2]
