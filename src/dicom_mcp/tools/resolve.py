"""A list that somebody pasted: which of it there is."""

from collections import Counter
from typing import Annotated

from pydantic import Field

from ..door.answer import Findings, fitting
from ..door.call import Call
from ..door.rows import NamedRows
from ..errors import BadArgument
from ..standard.counted import counted
from ..standard.note import incomplete, remark
from ..standard.values import shown
from ..studies.resolving import AMBIGUOUS, STATUSES, STUDY, ZEROS, resolve, told_of
from .cohort import kept_as
from .query import Listed

_Pasted = Annotated[Listed, Field(description="Pasted as they are")]
_Kind = Annotated[
    str,
    Field(
        description="What they are, where it is known",
        json_schema_extra={"enum": ["", "accession_number", "patient_id", "study_instance_uid"]},
    ),
]
_Status = Annotated[list[str], Field(description="Only rows of these, as counts names them")]

_Name = Annotated[str, Field(description="To keep the studies under; cohort=name elsewhere")]

_KEYWORDS = {
    "": "",
    "accession_number": "AccessionNumber",
    "patient_id": "PatientID",
    "study_instance_uid": STUDY,
}
_NAMES = {"AccessionNumber": "accession number", "PatientID": "patient ID", STUDY: "study UID"}


class Resolutions(Findings):
    """What `resolve_list` answers."""

    kind: str
    values: int = Field(description="Different ones")
    counts: dict[str, int]
    asked_twice: int
    studies: int = Field(description="Of all that was found")
    cohort: str
    rows: NamedRows


def resolve_list(
    call: Call,
    values: _Pasted,
    kind: _Kind = "",
    status: _Status = [],  # noqa: B006
    first: Annotated[int, Field(ge=1, description="Go on from this row")] = 1,
    name: _Name = "",
) -> Resolutions:
    """Look up hundreds of pasted accession numbers, patient IDs or UIDs: which exist, with their
    studies, and which are missing, double, ambiguous (leading zeros) or malformed."""
    if kind not in _KEYWORDS:
        raise BadArgument(
            f"kind {shown(kind)} is none", f"It is {', '.join(filter(None, _KEYWORDS))}"
        )
    wanted = {name.strip().lower().replace("_", " ") for name in status} - {""}
    if unknown := wanted - {*STATUSES}:
        raise BadArgument(
            f"status {shown(sorted(unknown)[0])} is none", f"They are {', '.join(STATUSES)}"
        )
    resolved = resolve(call, values, _KEYWORDS[kind])
    found, read_as = resolved.found, _NAMES[resolved.keyword]
    by_value = {value: resolved.status(value) for value in resolved.times}
    counts = Counter(by_value.values())
    if not kind:
        found.note(remark(f"Read as {read_as}s; say kind where they are others."))
    rows = [
        row
        for value, became in by_value.items()
        if not wanted or became in wanted
        for row in told_of(resolved, value)
    ]
    kept = fitting(rows[first - 1 :])
    if len(kept) < len(rows) - first + 1:
        last = first - 1 + len(kept)
        found.lack(incomplete(f"rows {first:,} to {last:,} of {len(rows):,}; first={last + 1}."))
    studies = resolved.studies()
    cohort = kept_as(call, found, name, studies) if studies else ""
    if cohort and (unclear := counts[ZEROS] + counts[AMBIGUOUS]):
        found.note(remark(f"Not in {cohort}: {counted(unclear, 'value')} with other zeros."))
    return call.answer(
        Resolutions,
        found,
        kind=read_as,
        values=len(resolved.times),
        counts={became: counts[became] for became in STATUSES if counts[became]},
        asked_twice=sum(times > 1 for times in resolved.times.values()),
        studies=len(studies),
        cohort=cohort,
        rows=kept,
    )
