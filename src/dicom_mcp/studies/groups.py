"""What is counted, in all and in groups: how many, which share of all, and which they are."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from ..door.answer import fitting
from ..standard.note import Note, incomplete, remark
from ..standard.query import Match
from .dimension import EMPTY, Dimension

# Groups in an answer, and members of one of them.
_MOST_GROUPS = 200
_MOST_MEMBERS = 20

# A group of one thing counted: a value for each dimension.
type Group = tuple[str, ...]


@dataclass(slots=True)
class Page:
    """A part of the groups, as rows of an answer; `count` is how many groups there are in all, and
    `whole` says that they all are here, from the first that was asked for."""

    rows: list[dict[str, Any]]
    count: int
    whole: bool = True
    notes: list[Note] = field(default_factory=list[Note])


class Groups:
    """Takes what is counted: things by their names, each of which counts once or stands for as many
    as `numbers` says, or numbers of them. A thing that turns out not to be meant is `refuted`."""

    def __init__(self, by: Sequence[Dimension], numbers: Mapping[str, int]) -> None:
        self.refuted: set[str] = set()
        self.things: set[str] = set()
        self._by = by
        self._numbers = numbers
        self._number = 0
        self._sums: dict[Group, int] = defaultdict(int)
        self._named: dict[Group, set[str]] = defaultdict(set)
        # How each group is written: names are told apart without regard to case.
        self._written: dict[Group, Group] = {}

    def add_number(self, match: Match, number: int) -> None:
        """So many things, of which all is said by this match; a name nobody will ask for again."""
        self._number += number
        for group in self._groups_of(match):
            self._sums[group] += number

    def add(self, thing: str, matches: Iterable[Match]) -> None:
        """A thing, in the groups of all of these matches."""
        self.things.add(thing)
        for match in matches:
            for group in self._groups_of(match):
                self._named[group].add(thing)

    @property
    def total(self) -> int:
        """How many there are, whatever groups they are in."""
        return self._number + number_of(self.things - self.refuted, self._numbers)

    @property
    def overlap(self) -> bool:
        """Whether something is in several groups."""
        return sum(self._sizes().values()) > self.total

    def page(
        self,
        first: int,
        at_least: int,
        *,
        share: bool,
        member: Callable[[str], dict[str, Any]] | None,
    ) -> Page:
        """The groups from the `first`: the largest first, or days and months in their order. Of
        those that have to have `at_least` so many the members are told, and what has no value is
        none of them."""
        if not self._by:
            return Page([], 0)
        sizes = self._sizes()
        kept = {group: size for group, size in sizes.items() if size >= at_least}
        notes: list[Note] = []
        if at_least > 1:
            without = sum(size for group, size in sizes.items() if EMPTY in group)
            kept = {group: size for group, size in kept.items() if EMPTY not in group}
            groups = sum(EMPTY not in group for group in sizes)
            notes.append(remark(f"{len(kept)} of {groups} groups have at least {at_least}."))
            if without:
                named = ", ".join(dimension.name for dimension in self._by)
                notes.append(
                    remark(f"{without} have no value of {named}, and are in none of the groups.")
                )
        ranked = sorted(kept.items(), key=self._rank)
        shown = ranked[first - 1 : first - 1 + _MOST_GROUPS]
        rows = [self._row(group, size, member) for group, size in shown]
        if share:
            rows = [{**row, "percent": percent(row["count"], self.total)} for row in rows]
        rows = fitting(rows)
        page = Page(rows, len(kept), notes=notes)
        self._tell_rest(page, ranked, first)
        return page

    def _row(
        self, group: Group, size: int, member: Callable[[str], dict[str, Any]] | None
    ) -> dict[str, Any]:
        row: dict[str, Any] = {
            dimension.name: value
            for dimension, value in zip(self._by, self._written[group], strict=True)
        }
        row["count"] = size
        if member and group in self._named:
            things = sorted(self._named[group] - self.refuted)
            row["members"] = [member(thing) for thing in things[:_MOST_MEMBERS]]
        return row

    def _tell_rest(self, page: Page, ranked: Sequence[tuple[Group, int]], first: int) -> None:
        last = first - 1 + len(page.rows)
        if first > 1:
            page.notes.append(remark(f"Groups before number {first} are left out, as asked."))
        if last < len(ranked):
            page.whole = False
            rest = sum(size for _, size in ranked[last:])
            page.notes.append(
                incomplete(
                    f"these are groups {first} to {last} of {len(ranked)}; the others "
                    f"have {rest} in all. Go on with first={last + 1}. The total counts them."
                )
            )
        if cut := sum(row["count"] > len(row.get("members", ())) > 0 for row in page.rows):
            page.whole = False
            page.notes.append(
                incomplete(
                    f"of {cut} groups only the first {_MOST_MEMBERS} members are told; "
                    "ask for the others by what the group has in common."
                )
            )

    def _rank(self, ranked: tuple[Group, int]) -> tuple[Any, ...]:
        group, size = ranked
        if self._by[0].is_period:
            return tuple(
                dimension.order(value) for dimension, value in zip(self._by, group, strict=True)
            )
        return -size, group

    def _groups_of(self, match: Match) -> Collection[Group]:
        if not self._by:
            return ()
        groups: set[Group] = set()
        for written in product(*(dimension.groups(match) for dimension in self._by)):
            group = tuple(
                value.casefold() if dimension.is_name else value
                for dimension, value in zip(self._by, written, strict=True)
            )
            self._written[group] = min(written, self._written.get(group, written))
            groups.add(group)
        return groups

    def _sizes(self) -> dict[Group, int]:
        sizes = {
            group: number_of(things - self.refuted, self._numbers)
            for group, things in self._named.items()
        }
        return {**self._sums, **{group: size for group, size in sizes.items() if size}}


def number_of(things: Collection[str], numbers: Mapping[str, int]) -> int:
    """How many these are, of which some stand for several."""
    return sum(numbers.get(thing, 1) for thing in things) if numbers else len(things)


def percent(part: int, whole: int) -> float:
    """The share, with as many digits as tell something."""
    share = 100 * part / whole if whole else 0.0
    return float(f"{share:.2g}") if share < 1 else round(share, 1)
