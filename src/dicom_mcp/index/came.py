"""The series of a question as they come: packed, because a day may have a hundred thousand."""

import json
from collections.abc import Collection, Iterator, Mapping
from itertools import chain

from ..standard.query import Match
from .columns import ASKED_DAY, Row, row_of

# Rows packed together.
_TOGETHER = 500


class Came(Collection[Row]):
    """Rows of a table, in a fifth of the room of dicts."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._names = [*row_of(table, {})]
        self._packed: list[bytes] = []
        self._rows: list[Row] = []
        self._count = 0
        self._days: Mapping[str, str] = {}
        self._day = ""

    def append(self, match: Match) -> None:
        """One more."""
        self._rows.append(row_of(self._table, match))
        self._count += 1
        if len(self._rows) == _TOGETHER:
            together = [[*row.values()] for row in self._rows]
            self._packed.append(json.dumps(together).encode("ascii"))
            self._rows.clear()

    def under(self, days: Mapping[str, str], day: str) -> None:
        """Each is kept under the day of its study, or else under this one."""
        self._days, self._day = days, day

    def __iter__(self) -> Iterator[Row]:
        several = chain.from_iterable(map(json.loads, self._packed))
        packed = (dict(zip(self._names, values, strict=True)) for values in several)
        for row in chain(packed, self._rows):
            yield {**row, ASKED_DAY: self._days.get(row["study_uid"], self._day)}

    def __contains__(self, row: object) -> bool:
        return any(row == other for other in self)

    def __len__(self) -> int:
        return self._count

    def clear(self) -> None:
        """Without any."""
        self._packed.clear()
        self._rows.clear()
        self._count = 0
