"""The four questions: patients, studies, series, instances."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from ..attributes import returned_keywords
from ..errors import BadArgument
from ..standard import values
from ..standard.days import day_range
from ..standard.dictionary import attribute
from ..standard.levels import Level
from ..standard.query import Query
from .answer import Found
from .call import Call

Preset = Annotated[str, Field(json_schema_extra={"enum": ["minimal", "standard", "extended"]})]
Additional = Annotated[list[str], Field(description="More attributes: DICOM keywords or tags")]
Exclude = Annotated[list[str], Field(description="Attributes to leave out")]
Limit = Annotated[int, Field(ge=1, le=500, description="Most records to return")]
Uid = Annotated[str, Field(description="UID from an earlier answer")]
Text = Annotated[str, Field(description="Wildcards * and ?")]
Days = Annotated[
    str, Field(description="YYYYMMDD, YYYYMMDD-YYYYMMDD (an end may be open), or: last week")
]
Name = Annotated[str, Field(description="Family^Given; wildcards * and ?, such as DOE^J*")]
Modality = Annotated[str, Field(description="Code such as CT, MR, US, CR, SR")]
Number = Annotated[str | int, Field(description="Whole number")]


def query_patients(
    call: Call,
    name_pattern: Name = "",
    patient_id: Text = "",
    birth_date: Days = "",
    attribute_preset: Preset = "standard",
    additional_attributes: Additional = [],  # noqa: B006
    exclude_attributes: Exclude = [],  # noqa: B006
    limit: Limit = 50,
) -> Found:
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
    patient_id: Text = "",
    study_date: Days = "",
    modality_in_study: Modality = "",
    study_description: Text = "",
    accession_number: Text = "",
    study_instance_uid: Uid = "",
    patient_name: Name = "",
    attribute_preset: Preset = "standard",
    additional_attributes: Additional = [],  # noqa: B006
    exclude_attributes: Exclude = [],  # noqa: B006
    limit: Limit = 50,
) -> Found:
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
    study_instance_uid: Uid,
    modality: Modality = "",
    series_number: Number = "",
    series_description: Text = "",
    series_instance_uid: Uid = "",
    attribute_preset: Preset = "standard",
    additional_attributes: Additional = [],  # noqa: B006
    exclude_attributes: Exclude = [],  # noqa: B006
    limit: Limit = 50,
) -> Found:
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
    series_instance_uid: Uid,
    instance_number: Number = "",
    sop_instance_uid: Uid = "",
    study_instance_uid: Uid = "",
    attribute_preset: Preset = "standard",
    additional_attributes: Additional = [],  # noqa: B006
    exclude_attributes: Exclude = [],  # noqa: B006
    limit: Limit = 50,
) -> Found:
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
    asked: Mapping[str, tuple[str, str]],
    detail: tuple[str, list[str], list[str]],
    limit: int,
) -> Found:
    """Ask the archive: `asked` is argument to keyword and text, `detail` preset, additional and
    excluded attributes. What was asked by comes back too, unless excluded."""
    keys: dict[str, str] = {}
    for argument, (keyword, text) in asked.items():
        found = attribute(keyword)
        assert found is not None
        if text.strip() and found.vr == "DA":
            text = day_range(text, today=call.today, argument=argument)
        if key := values.key(text, found.vr, argument=argument):
            keys[keyword] = key
    preset, additional, exclude = detail
    wanted = returned_keywords(level, preset, additional=(*keys, *additional), exclude=exclude)
    query = Query(level, keys, wanted)
    archive = call.archive
    matches = archive.find(
        query, limit=limit, deadline=call.deadline, arrived=call.progress.advance
    )
    return Found.of(matches, wanted, archive.node)


def _required(uid: str, noun: str) -> str:
    if uid.strip():
        return uid
    raise BadArgument(f"{noun}_instance_uid is empty", f"Find the {noun} first and copy its UID")
