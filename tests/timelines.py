"""What a timeline of the demo hospital must say, by plain loops over its objects."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from pydicom.dataset import Dataset

from dicom_mcp.demo.patients import PATIENTS
from dicom_mcp.demo.reports import RADIATION_DOSE_SR

NOT_IMAGES = frozenset({"SR", "DOC", "RTSTRUCT", "RTPLAN", "RTDOSE", "ECG"})
IDS = sorted({patient.id for patient in PATIENTS.values()})


def uids(objects: Iterable[Dataset], keyword: str) -> list[str]:
    return [*dict.fromkeys(str(getattr(one, keyword)) for one in objects)]


def true_row(held: Iterable[Dataset], study: str) -> dict[str, Any]:
    """What a record of this study must say, by its objects."""
    objects = [one for one in held if one.StudyInstanceUID == study]
    series = {str(one.SeriesInstanceUID): one for one in objects}.values()
    reports = Counter(
        one.Modality
        for one in series
        if one.Modality in ("SR", "DOC") and one.SOPClassUID != RADIATION_DOSE_SR
    )
    modalities = {str(one.Modality) for one in objects}
    return {
        "study_instance_uid": study,
        "date": objects[0].StudyDate,
        "description": objects[0].StudyDescription,
        "modality": modalities - {"SR", "DOC"},
        "series": len(series),
        "images": sum(one.Modality not in NOT_IMAGES for one in objects),
        "report": ", ".join(f"{one} {reports[one]}" for one in ("SR", "DOC") if reports[one])
        or "none",
        "dose": any(one.SOPClassUID == RADIATION_DOSE_SR for one in objects),
        "accession": str(objects[0].AccessionNumber),
    }


def said_row(row: dict[str, Any]) -> dict[str, Any]:
    """What a record says of the same."""
    return {
        "study_instance_uid": row["study_instance_uid"],
        "date": row["date"],
        "description": row["description"],
        "modality": set(row["modality"]),
        "series": row.get("series"),
        "images": row.get("images"),
        "report": row["report"],
        "dose": "dose_report" in row,
        "accession": row.get("accession_number", ""),
    }


def true_studies(held: Iterable[Dataset], patient: str) -> list[str]:
    """Studies of a patient, newest first."""
    mine = [one for one in held if one.PatientID == patient]
    mine.sort(key=lambda one: (one.StudyDate, one.StudyTime), reverse=True)
    return uids(mine, "StudyInstanceUID")
