"""The worklist: what is scheduled."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from ..door.account import Account
from ..door.answer import NONE_MISSING, Findings, Missing, fitting
from ..door.call import Call
from ..door.rows import each_named, named
from ..question.lists import Tally
from ..standard.levels import Level
from ..standard.query import Match, Value
from ..standard.record import records
from ..standard.worklist import FIELDS
from ..words.schedule import Arrival, Worklist, WorklistQuestion
from .query import Listed


class Scheduled(Findings):
    """What `query_worklist` answers."""

    returned: int
    sent: dict[str, str] = Field(description="Keys as sent")
    waiting: int | None = Field(
        description="With arrived=true: entries of which nothing has arrived"
    )
    common: Annotated[dict[str, Any], AfterValidator(named)] = Field(
        description="The same in every record"
    )
    missing: Missing = NONE_MISSING
    records: Annotated[list[dict[str, Any]], AfterValidator(each_named)] = Field(
        description="By time; what is empty is left out"
    )


# What arrived=true adds to a record.
ARRIVED = ("arrived", "arrived_by", "arrived_studies")


def query_worklist(
    call: Call,
    date: Annotated[str, Field(description='Days as in query_studies; "" is every day')] = "today",
    modality: Annotated[str, Field(description="Code or word")] = "",
    station: Annotated[str, Field(description="Name or AE title of the scanner")] = "",
    patient_name: Annotated[str, Field(description="As in query_studies")] = "",
    patient_id: Listed = "",
    accession_number: Listed = "",
    arrived: Annotated[
        bool, Field(description="Look up what the archive already holds of each entry")
    ] = False,
    limit: Annotated[int, Field(ge=1, le=500, description="Most records to return")] = 100,
) -> Scheduled:
    """Find what is scheduled (Modality Worklist) by day, modality, scanner or patient, and with
    arrived=true who is still waiting: `arrived` in a record is the number of instances."""
    question = WorklistQuestion.of(
        today=call.today,
        date=date,
        modality=modality,
        station=station,
        patient_name=patient_name,
        patient_id=patient_id,
        accession_number=accession_number,
    )
    found = call.worklist(question, limit=limit, look_up=arrived)
    rows, common = records(Level.STUDY, found.rows, FIELDS)
    account = Account(complete=found.complete)
    if not rows and found.complete:
        account.note("Nothing is scheduled that matches these keys.")
    account.note(*found.notes)
    tally = Tally()
    tally.ask(question.identifiers)
    for row in found.rows:
        tally.take(row)
    tally.tell(account)
    several = [_without_repetition(row) for row in rows]
    for record, arrival in zip(several, found.arrivals or (), strict=False):
        record |= _arrived(arrival)
    kept = several[: len(fitting(each_named(several)))]
    if len(kept) < len(rows):
        account.lack(
            f"{len(rows)} entries were found, of which the first {len(kept)} by time "
            "fit an answer. Narrow the question."
        )
    return call.answer(
        Scheduled,
        account,
        returned=len(kept),
        sent=question.sent,
        waiting=_waiting(found),
        common=_without_repetition(common),
        records=kept,
    )


def _without_repetition(row: Match) -> Match:
    """The row, without the step where it is called as the procedure is, as in most hospitals."""
    step = "ScheduledProcedureStepDescription"
    if row.get(step) == row.get("RequestedProcedureDescription"):
        return {keyword: value for keyword, value in row.items() if keyword != step}
    return {**row}


def _arrived(arrival: Arrival) -> Match:
    """What a record says of it; a study with the UID that was scheduled needs no more words."""
    unknown = "some" if arrival.by else "unknown"
    count: Value = unknown if arrival.instances is None else arrival.instances
    if arrival.by in ("", "study_instance_uid"):
        return {"arrived": count}
    return {"arrived": count, "arrived_by": arrival.by, "arrived_studies": [*arrival.studies]}


def _waiting(found: Worklist) -> int | None:
    """Of how many entries nothing has arrived; None where that is not known of every one."""
    arrivals = found.arrivals or ()
    if found.arrivals is None or len(arrivals) < len(found.rows):
        return None
    if any(arrival.instances is None and not arrival.by for arrival in arrivals):
        return None
    return sum(not arrival.by for arrival in arrivals)
