"""The fields of answers: which attribute stands behind each, or what else it holds. What is neither
a keyword of DICOM nor stands here is not told.
"""

from collections.abc import Mapping

from ..standard.dictionary import attribute
from .treatment import Treatment

# Fields that hold values of an attribute under another name.
ATTRIBUTES: Mapping[str, str] = {
    name: keyword
    for keyword, names in {
        "PatientName": "patient_name other_name family_name given_name",
        "PatientID": "patient_id patient_ids",
        "IssuerOfPatientID": "issuer",
        "PatientBirthDate": "birth_date other_birth_date birth_date_text",
        "PatientSex": "sex",
        "PatientAge": "age",
        "StudyInstanceUID": "study_instance_uid study_instance_uids study_uid arrived_studies",
        "SeriesInstanceUID": "series_instance_uid series_instance_uids series_uid",
        "SOPInstanceUID": "sop_instance_uid",
        "AccessionNumber": "accession_number accession_numbers",
        "StudyID": "study_id",
        "StudyDate": "date study_date last_study first last first_study day",
        "StudyTime": "time study_time",
        "SeriesDate": "series_date",
        "SeriesTime": "series_time",
        "StudyDescription": "description study_description",
        "SeriesDescription": "series_description",
        "ProtocolName": "protocol_name",
        "StationName": "station",
        "Modality": "modality modalities also",
        "Manufacturer": "manufacturer manufacturers manufacturer_text",
        "ManufacturerModelName": "model",
        "BodyPartExamined": "body_part body_part_text",
        "PersonName": "authors",
        "ScheduledStationAETitle": "station_ae_title",
        "RequestedProcedureDescription": "procedure",
        "ScheduledProcedureStepStatus": "status",
        "ScheduledProcedureStepLocation": "location",
        "RequestedProcedurePriority": "priority",
        "ScheduledPerformingPhysicianName": "performing_physician",
        "ReferringPhysicianName": "referring_physician",
        "RequestedProcedureID": "requested_procedure_id",
        "ScheduledProcedureStepID": "step_id",
    }.items()
    for name in names.split()
}

# Fields with words and numbers of ours, or of what the operator configured: all that is in them.
OURS = frozenset(
    """
    archive compared only_on not_known_on differs_in totals presets nodes diagnoses problems
    not_looked_for not_found kinds fence stacks images_only_on
    """.split()  # noqa: SIM905
)

# Fields with rows, each of whose values has a name of its own.
ROWS = frozenset(
    """
    records common choices patient study object objects others image left right groups rows evidence
    sent missing geometry series studies counts funnel differs
    """.split()  # noqa: SIM905
)

# Single words and numbers of ours.
_SAID = """
    found ambiguous malformed notes complete queries counted of percent groups_in_all count total
    returned waiting arrived arrived_by different same undecided patients images instances frames
    columns values default works
    milliseconds kind why reason asked_twice times days_before days_since_previous
    days_since_same_kind dose_report report reports dose_reports key_objects instances_seen lacks
    numbers repeated place page pages pictures completion verification scanned cannot_be_read tag vr
    keyword attribute in unplaced frame instance_number number sop_class year quarter month week
    weekday weekend hour unit table cohort age_group
"""

FIELDS: Mapping[str, Treatment] = {
    **dict.fromkeys(_SAID.split(), Treatment.SAID),
    **dict.fromkeys(("not asked", "other zeros", "several studies"), Treatment.SAID),
    **dict.fromkeys(
        ("about", "caption", "title", "text", "conclusion", "verified_by", "value", "step"),
        Treatment.CLEANED,
    ),
    **dict.fromkeys(("dose", "measurements"), Treatment.TEXTS),
    **dict.fromkeys(OURS, Treatment.OURS),
    **dict.fromkeys(ROWS, Treatment.ITEMS),
    "asked": Treatment.ECHO,
}

# What a condition in words is about, if it is about somebody: without blanks, in small letters.
ABOUT_SOMEBODY = (
    *("patientname", "patientid", "patientsname", "personname", "birth", "accession", "uid"),
    *("physician", "operator", "telephone", "address", "studyid", "issuer", "comments"),
    "otherpatient",
)

# Arguments that say who or which one is meant.
IDENTIFYING = frozenset(
    {
        *("patient_id", "patient_name", "name_pattern", "birth_date", "accession_number"),
        *("study_instance_uid", "study_instance_uids", "series_instance_uid"),
        *("series_instance_uids", "sop_instance_uid", "values", "prior_to"),
        *("compare_with", "draw"),
    }
)

# And those in which a condition may.
CONDITIONS = frozenset({"where", "has", "without"})


def keyword_of(name: str) -> str:
    """The attribute that a field of this name holds the value of; "" for none."""
    first = name.partition(" or ")[0]
    if first in FIELDS:
        return ""
    return ATTRIBUTES.get(first) or (first if first[:1].isupper() and attribute(first) else "")
