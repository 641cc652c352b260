"""What is wrong with an archive: every kind of problem that its index shows."""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from ..budgets import MOST_ROWS
from ..door.account import Account
from ..door.answer import Findings, fitting
from ..door.call import Call
from ..errors import BadArgument, DeadlinePassed, IndexUnavailable
from ..index.problems import NOT_IN_AN_INDEX, PROBLEMS, statement_of
from ..standard.counted import counted
from ..standard.note import incomplete, remark
from ..words.days import day_range, is_none
from ..words.near import did_you_mean
from .query import Days

if TYPE_CHECKING:
    from ..index.reader import Reader

_Kinds = Annotated[list[str], Field(description="Only these, by the names in an answer")]
_Cohort = Annotated[str, Field(description="Only studies of this one")]
_Limit = Annotated[int, Field(ge=1, le=100, description="Rows that show each kind")]


# What need not concern other kinds; and the share of the time that is left that one may take.
_OF_ONE = (BadArgument, DeadlinePassed, IndexUnavailable)
_SHARE = 0.3


class Problems(Findings):
    """What `find_problems` answers."""

    problems: list[dict[str, Any]]
    evidence: dict[str, list[dict[str, Any]]]
    not_found: list[str] = Field(description="Looked for; nothing has it")
    not_looked_for: dict[str, str]


def find_problems(
    call: Call,
    kinds: _Kinds = [],  # noqa: B006
    study_date: Days = "",
    cohort: _Cohort = "",
    limit: _Limit = 3,
) -> Problems:
    """Find what is wrong with the archive: double patients, numbers and dates that contradict,
    orphans, names in descriptions."""
    wanted = _kinds(kinds)
    among = call.cohort(cohort) if cohort else None
    days = {**_days(study_date, call.today), "is_among": among is not None}
    unasked = {} if kinds else dict(NOT_IN_AN_INDEX)
    problems: list[dict[str, Any]] = []
    evidence: dict[str, list[dict[str, Any]]] = {}
    examined, failed = False, None
    with call.index() as index:
        index.cohort = among
        filled = _filled(index)
        for kind in wanted:
            problem = PROBLEMS[kind]
            if empty := [column for column in problem.needs if not filled[column]]:
                unasked[kind] = f"the archive tells {' and '.join(empty)} of nothing"
                continue
            try:
                count, rows = _found(index, problem.sql, days, limit)
            except _OF_ONE as error:
                unasked[kind], failed = error.happened, error
                continue
            examined = True
            if count:
                told = {"what": problem.what, "do": problem.do, "who": problem.who}
                problems.append({"kind": kind, "count": count, **told})
                evidence[kind] = rows
        if failed and not examined:
            raise failed
        found = Account(notes=index.notes())
    room = MOST_ROWS // max(len(evidence), 1)
    kept = {kind: fitting(rows, room) for kind, rows in evidence.items()}
    if kept != evidence:
        found.note(remark("Not all rows fit an answer; ask for fewer kinds at once."))
    if unlooked := [kind for kind in wanted if kind in unasked]:
        found.note(incomplete(f"{counted(len(unlooked), 'kind')} could not be looked for."))
    found.complete = not any(note.lacks for note in found.notes)
    return call.answer(
        Problems,
        found,
        problems=sorted(problems, key=lambda problem: -problem["count"]),
        evidence=kept,
        not_found=[kind for kind in wanted if kind not in evidence and kind not in unasked],
        not_looked_for=unasked,
    )


def _kinds(names: Iterable[str]) -> list[str]:
    """Those of these names, or all."""
    kinds = [name.strip().lower().replace(" ", "_") for name in names if name.strip()]
    for kind in kinds:
        if kind not in PROBLEMS:
            near = did_you_mean(kind, PROBLEMS)
            raise BadArgument(
                f"kinds: there is no {kind[:40]!r}",
                f"Did you mean {near}?" if near else f"There are {', '.join(PROBLEMS)}",
            )
    return [kind for kind in PROBLEMS if kind in kinds or not kinds]


def _days(text: str, today: date) -> dict[str, Any]:
    """Which studies are looked at, as `statement_of` takes it."""
    ends: list[date | None] = [None, None]
    undated = bool(text) and is_none(text)
    if text.strip() and not undated:
        key = day_range(text, today=today, argument="study_date")
        parts = key.split("-") if "-" in key else [key, key]
        ends = [date.fromisoformat(part) if part else None for part in parts]
    return {"today": today, "first": ends[0], "last": ends[1], "undated": undated}


def _filled(index: "Reader") -> dict[str, bool]:
    """Of each column that something needs whether any row has it."""
    columns = sorted({column for problem in PROBLEMS.values() for column in problem.needs})
    asked = ", ".join(
        f"EXISTS (FROM {table} WHERE {name} IS NOT NULL)"
        for table, name in (column.split(".") for column in columns)
    )
    (row,) = index.ask(f"SELECT {asked}", most_rows=1, is_ours=True).rows
    return dict(zip(columns, row, strict=True))


def _found(
    index: "Reader", sql: str, days: dict[str, Any], limit: int
) -> tuple[int, list[dict[str, Any]]]:
    """How many there are, and the first rows, without what is empty."""
    counting = f"SELECT count(*) OVER () AS of_all, * FROM ({sql}) ORDER BY ALL LIMIT {limit}"
    statement = statement_of(counting, **days)
    rows = index.ask(statement, most_rows=limit, is_ours=True, share=_SHARE).records()
    count = rows[0].pop("of_all") if rows else 0
    for row in rows[1:]:
        del row["of_all"]
    return count, [
        {name: value for name, value in row.items() if value is not None} for row in rows
    ]
