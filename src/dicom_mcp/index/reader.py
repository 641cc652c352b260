"""What asks an index: statements of our own and of others, and what it covers."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any

from ..config import DEFAULT_NAME, Settings
from ..deadline import Deadline
from ..errors import BadArgument
from ..index_settings import IndexSettings
from ..node import AnyNode
from ..standard.counted import counted
from ..standard.note import Note, incomplete
from .columns import OF_OBJECTS
from .coverage import Coverage, end_of, told_at
from .export import export
from .kept import Kept, nodes_of, opened
from .ledger import Entry, Read
from .sql import Table, ask, written_meanwhile

# How often several questions are asked anew because the files changed between them.
_MOST_TRIES = 5


@dataclass(slots=True)
class Reader:
    """The index of one archive, asked for one call. `coverage` is what it had covered when it was
    last asked."""

    node: AnyNode
    coverage: Coverage
    _kept: Kept
    _settings: IndexSettings
    _zone: tzinfo | None
    _deadline: Deadline
    # The studies of the table `cohort`, where there is one.
    cohort: Sequence[str] | None = None
    # Tables of what is read of objects that were asked for, and how much of each was read then.
    _days: Mapping[str, Entry] = field(default_factory=dict[str, Entry])
    _named: dict[str, Mapping[str, Read]] = field(default_factory=dict[str, Mapping[str, Read]])

    def ask(
        self,
        statement: str,
        values: Sequence[Any] = (),
        *,
        most_rows: int,
        is_ours: bool = False,
        share: float = 1.0,
    ) -> Table:
        """What one SELECT over the views brings, `values` in place of its `?`, within this share of
        the time that is left. A statement that is ours is not looked at for what others may not
        ask.

        Raises BadArgument, DeadlinePassed and IndexUnavailable (see sql.ask).
        """
        return self.at_once(
            lambda: self._asked(
                statement, values, most_rows=most_rows, is_ours=is_ours, share=share
            )
        )

    def at_once[T](self, ask: Callable[[], T]) -> T:
        """What several questions bring together, between which no file changed. Raises as `ask`."""
        for _ in range(_MOST_TRIES):
            edition = self.edition
            answer = ask()
            if self.edition == edition:
                return answer
        raise written_meanwhile()

    def _asked(
        self, statement: str, values: Sequence[Any], most_rows: int, *, is_ours: bool, share: float
    ) -> Table:
        table = ask(
            self._kept.store,
            self._kept.ledger,
            statement,
            values,
            most_rows=most_rows,
            deadline=self._deadline.at_most(share * self._deadline.remaining()),
            is_ours=is_ours,
            cohort=self.cohort,
        )
        beginning = self._kept.ledger.told("beginning")
        self.coverage = Coverage.of(
            table.days, beginning=beginning, settings=self._settings, zone=self._zone
        )
        self._named |= {
            part: self._kept.ledger.read_of(part)
            for part in OF_OBJECTS
            if part in statement.lower()
        }
        self._days = table.days
        return table

    @property
    def edition(self) -> str:
        """Another one whenever the files were, or are being, changed."""
        return self._kept.ledger.edition

    def keeps(self, table: str) -> bool:
        """Whether it is meant to have this table: what is read of objects is there where the
        operator asked for it."""
        return table not in OF_OBJECTS or table in self._settings.depth

    def need(self, table: str) -> None:
        """Raise BadArgument where it is not meant to have this table."""
        if not self.keeps(table):
            raise BadArgument(
                f"the index keeps no {table}",
                f'The operator adds them with depth = "{table}" in [index] of the configuration',
            )

    def check(self) -> None:
        """Raise DeadlinePassed when the question's time is over."""
        self._deadline.check()

    def days(self) -> Mapping[str, Entry]:
        """What is known of each day now (see Ledger.days)."""
        return self._kept.ledger.days()

    def forget(self, days: Sequence[str]) -> None:
        """Have the archive asked anew for these days."""
        self._kept.ledger.forget(days)

    @property
    def today(self) -> date:
        """Which day it is at the archive."""
        return datetime.now(self._zone).date()

    def end_of(self, day: date) -> float:
        """When a day ends at the archive, in seconds since 1970."""
        return end_of(day, self._zone)

    def told_at(self, moment: float) -> str:
        """A time (seconds since 1970) as an answer tells it."""
        return told_at(moment, self._zone)

    def notes(self, first: date | None = None, last: date | None = None) -> list[Note]:
        """What an answer from it has to say, be it of some days only."""
        notes = self.coverage.within(first, last).notes(self.node.name or DEFAULT_NAME, self._zone)
        return [*notes, *(note for table in sorted(self._named) for note in self._of(table))]

    def _of(self, table: str) -> list[Note]:
        """What an answer has to say of objects that were not read for this table."""
        if not self.keeps(table):
            return [incomplete(f"the index keeps no {table}: depth in [index] does not name them.")]
        days, read = self._days, self._named[table]
        not_yet = sum(
            1
            for day, entry in days.items()
            if entry.series and (day not in read or not read[day].read)
        )
        lacking = sum(part.series - part.had for part in read.values())
        failed = sum(part.failed for part in read.values())
        told = [
            f"{counted(not_yet, 'day')} not read yet" * bool(not_yet),
            f"{lacking:,} series of other days not read yet" * bool(lacking),
            f"{failed:,} series could not be read (`fault` says why)" * bool(failed),
        ]
        return [incomplete(f"{table}: {', '.join(filter(None, told))}.")] if any(told) else []

    def export(self, statement: str, file: Path) -> int:
        """Write all that one SELECT brings into a Parquet file; how many rows. Raises as `ask`."""
        return export(self._kept.store, statement, file, self._deadline, self.cohort)


@contextmanager
def reading(settings: Settings, nodes: Sequence[AnyNode], deadline: Deadline) -> Generator[Reader]:
    """The index of the node. Raises BadArgument for several nodes, and for one that has none, and
    BadConfiguration where there is no index."""
    having = nodes_of(settings)
    if len(nodes) != 1 or nodes[0] not in having.values():
        raise BadArgument(
            "an index is of one archive" if len(nodes) != 1 else f"{nodes[0].name} has no index",
            f"Name one of these as node: {', '.join(having)}",
        )
    (node,) = nodes
    assert settings.index
    with opened(settings, node) as kept:
        zone = node.time_zone or settings.time_zone
        coverage = Coverage.now(kept.ledger, settings.index, zone)
        yield Reader(node, coverage, kept, settings.index, zone, deadline)
