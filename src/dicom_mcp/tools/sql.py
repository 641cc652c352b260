"""What nobody foresaw, asked of the index in SQL."""

from typing import Annotated, Any

from pydantic import Field

from ..door.account import Account
from ..door.answer import Findings, fitting
from ..door.call import Call
from ..standard.note import incomplete

_Sql = Annotated[str, Field(description="One SELECT over studies and series")]
_Limit = Annotated[int, Field(ge=1, le=1000)]


class SqlRows(Findings):
    """What `query_sql` answers."""

    returned: int
    rows: list[dict[str, Any]]


def query_sql(call: Call, sql: _Sql, limit: _Limit = 100) -> SqlRows:
    """Ask the index in SQL (DuckDB's) for what no other tool can count or join."""
    with call.index() as index:
        table = index.ask(sql, most_rows=limit)
        found = Account(notes=index.notes())
    rows = table.records()
    kept = fitting(rows)
    if table.has_more or len(kept) < len(rows):
        found.note(
            incomplete(f"these are the first {len(kept):,} rows; group, filter or raise limit.")
        )
    found.complete = not any(note.lacks for note in found.notes)
    return call.answer(SqlRows, found, returned=len(kept), rows=kept)
