"""What asks an index: statements of our own and of others, and what it covers."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from ..config import DEFAULT_NAME, Settings
from ..deadline import Deadline
from ..errors import BadArgument
from ..index_settings import IndexSettings
from ..node import AnyNode
from ..standard.note import Note
from .coverage import Coverage
from .kept import Kept, nodes_of, opened
from .sql import Table, ask


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

    def ask(
        self, statement: str, values: Sequence[Any] = (), *, most_rows: int, is_ours: bool = False
    ) -> Table:
        """What one SELECT over the views brings, `values` in place of its `?`. A statement that is
        ours is not looked at for what others may not ask.

        Raises BadArgument, DeadlinePassed and IndexUnavailable (see sql.ask).
        """
        table = ask(
            self._kept.store,
            self._kept.ledger,
            statement,
            values,
            most_rows=most_rows,
            deadline=self._deadline,
            is_ours=is_ours,
        )
        beginning = self._kept.ledger.told("beginning")
        self.coverage = Coverage.of(table.days, beginning=beginning, settings=self._settings)
        return table

    def notes(self) -> list[Note]:
        """What an answer from it has to say."""
        return self.coverage.notes(self.node.name or DEFAULT_NAME, self._zone)


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
        coverage = Coverage.now(kept.ledger, settings.index)
        zone = node.time_zone or settings.time_zone
        yield Reader(node, coverage, kept, settings.index, zone, deadline)
