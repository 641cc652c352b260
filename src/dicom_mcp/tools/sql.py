"""What nobody foresaw, asked of the index in SQL."""

from typing import Annotated, Any

from pydantic import Field

from ..door.account import Account
from ..door.answer import Findings, fitting
from ..door.call import Call
from ..index.columns import TABLES
from ..standard.note import incomplete, remark

_Sql = Annotated[
    str, Field(description="One SELECT over studies and series; without it: columns and examples")
]
_Cohort = Annotated[str, Field(description="One that was kept: the table cohort (study_uid)")]
_Limit = Annotated[int, Field(ge=1, le=1000)]

EXAMPLES: tuple[str, ...] = (
    "SELECT manufacturer, year(series_date) AS year, count(*) AS series FROM series "
    "GROUP BY ALL ORDER BY ALL",
    "SELECT station, count(DISTINCT study_uid) AS studies FROM series JOIN studies USING "
    "(study_uid) WHERE modality = 'CT' AND study_date >= current_date - 30 GROUP BY ALL "
    "ORDER BY studies DESC",
    "SELECT DISTINCT ct.patient_id FROM studies ct JOIN studies mr USING (patient_id, issuer) "
    "WHERE list_contains(ct.modalities, 'CT') AND list_contains(mr.modalities, 'MR') "
    "AND abs(ct.study_date - mr.study_date) <= 30",
    "SELECT study_uid, patient_id, study_date FROM studies WHERE study_description ILIKE "
    "'%chest%' AND date_diff('year', birth_date, study_date) < 18 ORDER BY study_date DESC",
    "SELECT accession_number, count(*) AS studies FROM studies WHERE accession_number IS NOT NULL "
    "GROUP BY ALL HAVING count(*) > 1",
)


class SqlRows(Findings):
    """What `query_sql` answers."""

    returned: int
    rows: list[dict[str, Any]]


def query_sql(call: Call, sql: _Sql = "", cohort: _Cohort = "", limit: _Limit = 100) -> SqlRows:
    """Ask the index in SQL (DuckDB's) for what no other tool can count or join."""
    if not sql.strip():
        rows = columns()
        examples = [remark(f"Example: {statement}") for statement in EXAMPLES]
        return call.answer(SqlRows, Account(notes=examples), returned=len(rows), rows=rows)
    among = call.cohort(cohort) if cohort else None
    with call.index() as index:
        index.cohort = among
        table = index.ask(sql, most_rows=limit)
        found = Account(notes=index.notes())
    rows = table.records()
    kept = fitting(rows)
    if not kept and (rows or table.has_more):
        found.note(
            incomplete("one row is longer than an answer may be; select less of it, or count.")
        )
    elif table.has_more or len(kept) < len(rows):
        found.note(
            incomplete(f"these are the first {len(kept):,} rows; group, filter or raise limit.")
        )
    found.complete = not any(note.lacks for note in found.notes)
    return call.answer(SqlRows, found, returned=len(kept), rows=kept)


def columns() -> list[dict[str, Any]]:
    """Every column there is: its table, name and type, and what it means."""
    return [
        {"table": table, "column": column.name, "type": column.type, "meaning": column.meaning}
        for table, columns in TABLES.items()
        for column in columns
    ]
