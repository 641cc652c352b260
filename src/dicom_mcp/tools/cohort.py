"""Which patients: a cohort by their examinations, with what each criterion left."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import BeforeValidator, Field

from ..door.account import Account
from ..door.answer import Findings, fitting
from ..door.call import Call
from ..errors import BadArgument
from ..standard.counted import counted
from ..standard.note import remark

if TYPE_CHECKING:
    from ..index.examination import Examination
    from ..index.funnel import Funnel
    from ..index.reader import Reader
    from ..index.words import WithWords


def _as_examinations(value: object) -> object:
    """One examination is a list of one; text is one too: "CT, body_part=chest, days=30"."""
    several = cast("list[object]", value) if isinstance(value, list) else [value]
    return [_read(item) if isinstance(item, str) else item for item in several if item != ""]


def _read(text: str) -> object:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except ValueError:
            raise BadArgument("an examination is no JSON object", "Write modality=CT") from None
    pairs = (part.partition("=") for part in re.split(r"[;,]\s*(?=\w+\s*=)", text))
    return {
        (name.strip() if sign else "modality"): (value if sign else name).strip()
        for name, sign, value in pairs
    }


_Examinations = Annotated[
    list[dict[str, Any]],
    BeforeValidator(_as_examinations),
    Field(
        description="Every patient has each. Keys: any column of query_sql (modality, body_part, "
        "station …), description, age; values: one or several, not X, none, numbers and ages as "
        "<5, 5-10; report: a word that one says, not X, denied X, any, none. at_least: 2 studies; "
        "days: 30, 0..30, -30..0 from the first examination; "
        'last_of or first_of: {"modality": "CT"}: the patient\'s last one'
    ),
]
_Without = Annotated[
    list[dict[str, Any]],
    BeforeValidator(_as_examinations),
    Field(description="No patient has one of these"),
]
_Cohort = Annotated[str, Field(description="Only patients of this one")]
_Name = Annotated[str, Field(description="To keep it under; cohort=name in other tools")]
_Limit = Annotated[int, Field(ge=1, le=500, description="Patients shown")]

# What is shown of each patient, and of each study.
_OF_PATIENT = ("patient_id", "issuer", "patient_name", "birth_date", "sex")
_OF_STUDY = ("study_uid", "study_date", "study_description", "modalities", "accession_number")

# Studies of which rows are made.
_MOST_SHOWN = 5_000


class CohortFound(Findings):
    """What `find_cohort` answers."""

    cohort: str
    patients: int
    undecided: int = Field(description="Patients beside them: values are missing")
    studies: int
    funnel: list[dict[str, Any]]
    rows: list[dict[str, Any]]


def find_cohort(
    call: Call,
    has: _Examinations,
    without: _Without = [],  # noqa: B006
    cohort: _Cohort = "",
    name: _Name = "",
    limit: _Limit = 10,
) -> CohortFound:
    """Find patients by their examinations and the time between them, in one call."""
    from ..index.examination import examination  # of an index, which most servers have not
    from ..index.funnel import funnel

    read = partial(examination, today=call.today)
    wanted, unwanted = [read(item) for item in has], [read(item) for item in without]
    among = call.cohort(cohort) if cohort else None
    with call.index() as index:

        def ask() -> "tuple[Funnel, list[Any], list[dict[str, Any]]]":
            told = _told_of(index, [*wanted, *unwanted])
            asked = funnel(wanted, unwanted, among, told)
            (row,) = index.ask(asked.sql, asked.values, most_rows=1, is_ours=True).rows
            return asked, row, _rows(index, row[3] or [], limit)

        asked, (every, left, undecided, studies, of_nobody), rows = index.at_once(ask)
        studies = cast("list[str]", studies or [])
        found = Account(notes=index.notes())
    kept = fitting(rows)
    steps = _steps(asked, every, left, undecided)
    patients = left[-1]
    if len(kept) < patients:
        found.note(remark(f"The rows are {len(kept):,} of {counted(patients, 'patient')}."))
    called = kept_as(call, found, name, studies)
    if of_nobody:
        found.note(
            remark(f"{counted(of_nobody, 'study')} without a patient ID; each counts as a patient.")
        )
    if undecided[-1]:
        found.note(
            remark(
                f"{counted(undecided[-1], 'more patient')} may belong to it: they lack a value "
                "that is asked for. The funnel says at which step."
            )
        )
    found.complete = not any(note.lacks for note in found.notes)
    return call.answer(
        CohortFound,
        found,
        cohort=called,
        patients=patients,
        undecided=undecided[-1],
        studies=len(studies),
        funnel=steps,
        rows=kept,
    )


def kept_as(call: Call, found: Account, name: str, studies: Sequence[str]) -> str:
    """Keep these studies under a name, which is made where none is given; what they are called.

    Raises BadArgument for a name that is none.
    """
    called, gone, is_another = call.keep_cohort(name, studies)
    if is_another:
        found.note(remark(f"{called} is this one from now on, no longer the one of before."))
    if gone:
        found.note(remark(f"No longer kept, for want of room: {', '.join(gone)}."))
    return called


def _told_of(index: "Reader", asked: Sequence["Examination"]) -> dict[str, "WithWords"] | None:
    """What reports say of the words that are asked for; None where no report is asked for.

    Raises BadArgument where the index does not keep what is asked for.
    """
    from ..index.criterion import OF_WORDS
    from ..index.words import studies_with_words

    tables = {criterion.table for part in asked for criterion in part.criteria}
    if "headers" in tables:
        index.need("headers")
    if not tables & {OF_WORDS, "reports"}:
        return None
    index.need("reports")
    return {word: studies_with_words(index, [word]) for part in asked for word in part.words}


def _steps(
    asked: "Funnel", every: int, left: Sequence[int], undecided: Sequence[int]
) -> list[dict[str, Any]]:
    """How many patients each step left, and how many more it could not decide."""
    steps: list[dict[str, Any]] = [{"step": "all patients", "patients": every}]
    for said, patients, unsure in zip(asked.steps, left, undecided, strict=True):
        beside = {"undecided": unsure} if unsure else {}
        steps.append({"step": said, "patients": patients, **beside})
    return steps


def _rows(index: "Reader", studies: Sequence[str], limit: int) -> list[dict[str, Any]]:
    """The first patients, each with the studies that are meant."""
    columns = ", ".join((*_OF_PATIENT, *_OF_STUDY))
    table = index.ask(
        f"SELECT {columns} FROM studies WHERE study_uid IN (SELECT unnest(?))",
        [[*studies[:_MOST_SHOWN]]],
        most_rows=_MOST_SHOWN,
        is_ours=True,
    )
    by_uid = {record["study_uid"]: record for record in table.records()}
    rows: dict[object, dict[str, Any]] = {}
    for uid in studies[:_MOST_SHOWN]:
        record = by_uid.get(uid)
        if record is None:
            continue  # of another try
        who = (record["patient_id"], record["issuer"]) if record["patient_id"] else uid
        if who not in rows and len(rows) == limit:
            break
        row = rows.setdefault(who, {**_told(record, _OF_PATIENT), "studies": []})
        row["studies"].append(_told(record, _OF_STUDY))
    return [*rows.values()]


def _told(record: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: record[name] for name in names if record[name] not in (None, [])}
