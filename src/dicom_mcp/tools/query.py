"""The four questions: patients, studies, series, instances."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, cast

from pydantic import BeforeValidator, Field

from ..attributes import returned_keywords
from ..door.account import Account
from ..door.answer import NONE_MISSING, Findings, Missing, fitting
from ..door.call import Call
from ..errors import BadArgument
from ..question.asking import DEFAULT_LIMIT, Question, find
from ..question.relaxing import hints
from ..standard.levels import NOUN, Level
from ..standard.lists import Several, values_of
from ..standard.note import incomplete, remark
from ..standard.record import records
from ..studies.people import several_of_a_name

Preset = Annotated[str, Field(json_schema_extra={"enum": ["minimal", "standard", "extended"]})]
Additional = Annotated[list[str], Field(description="More attributes: DICOM keywords or tags")]


def _as_written(value: object) -> object:
    """The SDK reads text as JSON where a list may be: the text null, and lists of numbers."""
    if value is None:
        return "null"
    return [str(item) for item in cast("list[object]", value)] if isinstance(value, list) else value


Listed = Annotated[Several, BeforeValidator(_as_written)]

Limit = Annotated[int, Field(ge=1, le=500)]
Uids = Annotated[Listed, Field(description="UID from an earlier answer, or several")]
Ids = Annotated[Listed, Field(description="One (wildcards * and ?), or several")]
Words = Annotated[str, Field(description="Words in it; =text for exactly that; wildcards * and ?")]
Days = Annotated[
    str,
    Field(description="YYYYMMDD, YYYYMMDD-YYYYMMDD (may be open), or: last week; none: undated"),
]
Name = Annotated[str, Field(description="Jane Doe, or DICOM's Family^Given with * and ?")]
Modality = Annotated[
    str, Field(description="CT, ultrasound, CT or MR (of studies: CT and MR, not CT)")
]
Number = Annotated[str | int, Field(description="Whole number")]


class Records(Findings):
    """What every query answers."""

    returned: int
    sent: dict[str, str] = Field(description="Keys as sent")
    common: dict[str, Any] = Field(description="The same in every record")
    missing: Missing = NONE_MISSING
    records: list[dict[str, Any]] = Field(description="Empty attributes are left out")


def query_patients(
    call: Call,
    name_pattern: Name = "",
    patient_id: Ids = "",
    birth_date: Days = "",
    attribute_preset: Preset = "standard",
    additional_attributes: Additional = [],  # noqa: B006
    exclude_attributes: list[str] = [],  # noqa: B006
    limit: Limit = DEFAULT_LIMIT,
) -> Records:
    """Find patients by name, ID or birth date. Then ask query_studies with their PatientID."""
    asked = {
        "name_pattern": ("PatientName", name_pattern),
        "patient_id": ("PatientID", patient_id),
        "birth_date": ("PatientBirthDate", birth_date),
    }
    detail = (attribute_preset, additional_attributes, exclude_attributes)
    return _found(call, Level.PATIENT, asked, detail, limit)


def query_studies(
    call: Call,
    patient_id: Ids = "",
    study_date: Days = "",
    modality_in_study: Modality = "",
    study_description: Words = "",
    accession_number: Ids = "",
    study_instance_uid: Uids = "",
    patient_name: Name = "",
    attribute_preset: Preset = "standard",
    additional_attributes: Additional = [],  # noqa: B006
    exclude_attributes: list[str] = [],  # noqa: B006
    limit: Limit = DEFAULT_LIMIT,
) -> Records:
    """Find studies (examinations) by patient, date, modality, description or accession number."""
    asked = {
        "patient_id": ("PatientID", patient_id),
        "study_date": ("StudyDate", study_date),
        "modality_in_study": ("ModalitiesInStudy", modality_in_study),
        "study_description": ("StudyDescription", study_description),
        "accession_number": ("AccessionNumber", accession_number),
        "study_instance_uid": ("StudyInstanceUID", study_instance_uid),
        "patient_name": ("PatientName", patient_name),
    }
    detail = (attribute_preset, additional_attributes, exclude_attributes)
    return _found(call, Level.STUDY, asked, detail, limit)


def query_series(
    call: Call,
    study_instance_uid: Uids,
    modality: Modality = "",
    series_number: Number = "",
    series_description: Words = "",
    series_instance_uid: Uids = "",
    attribute_preset: Preset = "standard",
    additional_attributes: Additional = [],  # noqa: B006
    exclude_attributes: list[str] = [],  # noqa: B006
    limit: Limit = DEFAULT_LIMIT,
) -> Records:
    """Find the series of one study. The scanner (StationName, Manufacturer) is known here."""
    asked = {
        "study_instance_uid": ("StudyInstanceUID", _required(study_instance_uid, "study")),
        "modality": ("Modality", modality),
        "series_number": ("SeriesNumber", str(series_number)),
        "series_description": ("SeriesDescription", series_description),
        "series_instance_uid": ("SeriesInstanceUID", series_instance_uid),
    }
    detail = (attribute_preset, additional_attributes, exclude_attributes)
    return _found(call, Level.SERIES, asked, detail, limit)


def query_instances(
    call: Call,
    series_instance_uid: Uids,
    instance_number: Number = "",
    sop_instance_uid: Uids = "",
    study_instance_uid: Uids = "",
    attribute_preset: Preset = "standard",
    additional_attributes: Additional = [],  # noqa: B006
    exclude_attributes: list[str] = [],  # noqa: B006
    limit: Limit = DEFAULT_LIMIT,
) -> Records:
    """Find the instances (images, reports) of one series. Its study is looked up if not given."""
    asked = {
        "series_instance_uid": ("SeriesInstanceUID", _required(series_instance_uid, "series")),
        "instance_number": ("InstanceNumber", str(instance_number)),
        "sop_instance_uid": ("SOPInstanceUID", sop_instance_uid),
        "study_instance_uid": ("StudyInstanceUID", study_instance_uid),
    }
    detail = (attribute_preset, additional_attributes, exclude_attributes)
    return _found(call, Level.IMAGE, asked, detail, limit)


def _found(
    call: Call,
    level: Level,
    asked: Mapping[str, tuple[str, Several]],
    detail: tuple[str, list[str], list[str]],
    limit: int,
) -> Records:
    """Ask the archive: `asked` is argument to keyword and text, `detail` preset, additional and
    excluded attributes. What was asked by comes back too, unless excluded."""
    question = Question.of(call, level, asked)
    preset, additional, exclude = detail
    wanted = returned_keywords(
        level, preset, additional=(*question.keywords, *additional), exclude=exclude
    )
    found = find(call, question, wanted, limit=limit)
    several_of_a_name(call, question, found)
    if not found.matches and (found.complete or question.name):
        told = hints(call, question)
        found.note(*told)
    return records_of(call, found, level, wanted)


def records_of(call: Call, found: Account, level: Level, wanted: Sequence[str]) -> Records:
    """The answer with the `wanted` keywords of each match."""
    rows, common = records(level, found.matches, wanted)
    kept = fitting(rows)
    if len(kept) < len(rows):
        found.complete = False
        found.notes.insert(
            0,
            incomplete(
                f"{len(rows)} records were found, of which {len(kept)} fit an answer. "
                "Ask for fewer attributes (attribute_preset=minimal) or narrow the question."
            ),
        )
    elif not rows and found.complete:
        found.notes.insert(0, remark(f"No {NOUN[level][0]} in this archive matches these keys."))
    return call.answer(
        Records,
        found,
        returned=len(kept),
        sent={"QueryRetrieveLevel": level.value, **found.keys()},
        common=common,
        records=kept,
    )


def _required(uid: Several, noun: str) -> Several:
    if values_of(f"{noun.title()}InstanceUID", uid, argument=f"{noun}_instance_uid"):
        return uid
    raise BadArgument(f"{noun}_instance_uid is empty", f"Find the {noun} first and copy its UID")
