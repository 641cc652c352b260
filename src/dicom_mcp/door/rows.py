"""Rows of answers, whose values keep their attributes' keywords until the answer is made.

So whoever looks at an answer before it leaves can tell which attribute of which record a value is
from. What a reader sees is named by the one table here, as the answer's model is filled.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, cast

from pydantic import AfterValidator, WithJsonSchema

from ..standard.query import Match, texts

# What an answer calls the values of these attributes: one name each, short in its place.
NAMES: Mapping[str, str] = {
    "PatientName": "patient_name",
    "PatientID": "patient_id",
    "PatientBirthDate": "birth_date",
    "PatientSex": "sex",
    "StudyDate": "date",
    "StudyTime": "time",
    "StudyDescription": "description",
    "StudyInstanceUID": "study_instance_uid",
    "AccessionNumber": "accession_number",
    "SeriesDate": "date",
    "SeriesNumber": "number",
    "SeriesDescription": "description",
    "SeriesInstanceUID": "series_instance_uid",
    "Modality": "modality",
    "StationName": "station",
    "InstanceNumber": "instance_number",
    "SOPInstanceUID": "sop_instance_uid",
    "ContentDate": "date",
    "ContentTime": "time",
    # What is scheduled (PS3.4 table K.6-1).
    "ScheduledProcedureStepStartDate": "date",
    "ScheduledProcedureStepStartTime": "time",
    "ScheduledStationName": "station",
    "ScheduledStationAETitle": "station_ae_title",
    "RequestedProcedureDescription": "procedure",
    "ScheduledProcedureStepDescription": "step",
    "ScheduledProcedureStepStatus": "status",
    "ScheduledProcedureStepLocation": "location",
    "RequestedProcedurePriority": "priority",
    "ScheduledPerformingPhysicianName": "performing_physician",
    "ReferringPhysicianName": "referring_physician",
    "RequestedProcedureID": "requested_procedure_id",
    "ScheduledProcedureStepID": "step_id",
}


def names_of(keywords: Sequence[str]) -> list[str]:
    """Columns as a reader sees them."""
    return [NAMES.get(keyword, keyword) for keyword in keywords]


def named(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row as a reader sees it, and the rows it holds by name."""
    return {
        NAMES.get(keyword, keyword): named(cast("Mapping[str, Any]", value))
        if isinstance(value, Mapping)
        else value
        for keyword, value in row.items()
    }


def each_named(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows as a reader sees them."""
    return [named(row) for row in rows]


# A schema that says no more than a model can use.
Row = Annotated[dict[str, Any], WithJsonSchema({"type": "object"})]
Rows = Annotated[list[dict[str, Any]], WithJsonSchema({"type": "array"})]

# The same, named as a reader sees it.
NamedRow = Annotated[Row, AfterValidator(named)]
NamedRows = Annotated[Rows, AfterValidator(each_named)]

# PS3.5 6.2 allows 64 characters in the texts shown here.
_LONGEST = 200


def text(match: Match, keyword: str) -> str:
    """The value as text, cut, visibly, where it is longer than the standard allows."""
    value = " ".join(texts(match.get(keyword, "")))
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"


def filled(row: dict[str, Any]) -> dict[str, Any]:
    """The row without what is empty; a zero is not."""
    return {name: value for name, value in row.items() if value not in ("", [], None)}
