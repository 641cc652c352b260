"""The worklist: what is scheduled."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from ..standard.levels import Level
from ..standard.query import Match, Value
from ..standard.record import records
from ..standard.worklist import FIELDS, Arrival, Worklist, WorklistQuestion
from .answer import Asked, Missing, asked, fitting
from .call import Call
from .lists import Tally
from .query import Listed
from .question import Found


class Scheduled(BaseModel):
    """What `query_worklist` answers."""

    returned: int = Field(description="Number of records")
    complete: bool = Field(description="False: there may be more; see notes")
    notes: list[str]
    archive: Asked
    sent: dict[str, str] = Field(description="Keys as sent")
    queries: int = Field(description="Queries it took")
    waiting: int | None = Field(
        description="With arrived=true: entries of which nothing has arrived"
    )
    common: dict[str, Any] = Field(description="What is the same in every record")
    missing: Missing = {}
    records: list[dict[str, Any]] = Field(description="By time; what is empty is left out")


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
    archive = call.archive
    found = archive.worklist(
        question,
        limit=limit,
        deadline=call.deadline,
        look_up=arrived,
        arrived=call.progress.advance,
    )
    rows, common = records(Level.STUDY, found.rows, tuple(FIELDS))
    notes = list(found.notes)
    if not rows and found.complete:
        notes.insert(0, "Nothing is scheduled that matches these keys.")
    told = Found(complete=found.complete)
    tally = Tally()
    tally.ask(question.identifiers)
    for row in found.rows:
        tally.take(row)
    tally.tell(told)
    notes += told.notes
    named = [_named(row) for row in rows]
    for record, arrival in zip(named, found.arrivals or (), strict=False):
        record |= _arrived(arrival)
    kept = fitting(named)
    if len(kept) < len(rows):
        notes.insert(
            0,
            f"Not complete: {len(rows)} entries were found, of which the first {len(kept)} by time "
            "fit an answer. Narrow the question.",
        )
    return Scheduled(
        returned=len(kept),
        complete=found.complete and len(kept) == len(rows),
        notes=notes,
        archive=asked(archive.node),
        sent=question.sent,
        queries=found.queries,
        waiting=_waiting(found),
        common=_named(common),
        missing=told.missing,
        records=kept,
    )


def _named(row: Match) -> Match:
    """The row in the words of a record; most hospitals call procedure and step the same."""
    named = {FIELDS.get(keyword, keyword): value for keyword, value in row.items()}
    if named.get("step") == named.get("procedure"):
        named.pop("step", None)
    return named


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
