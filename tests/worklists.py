"""The demo hospital's worklist of one day: questions, true answers, and what arrived for it."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from dicom_mcp.demo.hospital import hospital

TODAY = date(2026, 3, 2)
DAY = "20260302"
CT = "1.2.840.10008.5.1.4.1.1.2"
type Asked = dict[str, Any]


def worklist() -> list[Dataset]:
    """Ten entries of one day."""
    return hospital(TODAY).worklist()


def step(entry: Dataset) -> Dataset:
    """The one scheduled procedure step."""
    (found,) = entry.ScheduledProcedureStepSequence
    return found


def name(entry: Dataset) -> str:
    """All component groups of the patient's name."""
    return str(entry.PatientName)


QUESTIONS: list[tuple[Asked, Callable[[Dataset], bool]]] = [
    ({}, lambda _: True),
    ({"modality": "CT"}, lambda entry: step(entry).Modality == "CT"),
    ({"modality": "mri"}, lambda entry: step(entry).Modality == "MR"),
    ({"modality": "CT or US"}, lambda entry: step(entry).Modality in ("CT", "US")),
    ({"modality": "x-ray"}, lambda entry: step(entry).Modality in ("CR", "DX", "RG")),
    ({"station": "CT1"}, lambda entry: step(entry).ScheduledStationName == "CT1"),
    ({"station": "DEMO_MR1"}, lambda entry: step(entry).ScheduledStationAETitle == "DEMO_MR1"),
    ({"station": "ct2"}, lambda entry: step(entry).ScheduledStationName == "CT2"),
    ({"station": "CT*"}, lambda entry: step(entry).ScheduledStationName.startswith("CT")),
    ({"station": "CT9"}, lambda _: False),
    ({"patient_id": "104217"}, lambda entry: entry.PatientID == "104217"),
    ({"patient_id": "00104217"}, lambda entry: entry.PatientID == "00104217"),
    ({"patient_name": "Anna Schmidt"}, lambda entry: name(entry) == "Schmidt^Anna"),
    ({"patient_name": "schmidt"}, lambda entry: name(entry) == "Schmidt^Anna"),
    ({"patient_name": "Schmidt^A*"}, lambda entry: name(entry) == "Schmidt^Anna"),
    ({"patient_name": "山田太郎"}, lambda entry: "山田^太郎" in name(entry)),
    ({"patient_name": "*山田*"}, lambda entry: "山田" in name(entry)),
    ({"patient_name": "Jürgen Brückner"}, lambda entry: "Brückner^Jürgen" in name(entry)),
    ({"patient_name": "Соколова"}, lambda entry: "Соколова" in name(entry)),
    ({"patient_name": "nobody"}, lambda _: False),
    ({"accession_number": "W26030205"}, lambda entry: entry.AccessionNumber == "W26030205"),
    (
        {"modality": "CT", "station": "CT2", "patient_name": "Weber"},
        lambda entry: step(entry).ScheduledStationName == "CT2" and "Weber" in name(entry),
    ),
]


def study(entry: Dataset, images: int, **changes: Any) -> Iterator[Dataset]:
    """A study of this entry's patient."""
    for number in range(images):
        image = Dataset()
        image.file_meta = FileMetaDataset()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.SpecificCharacterSet = entry.SpecificCharacterSet
        image.SOPClassUID = CT
        image.PatientName = entry.PatientName
        image.PatientID = entry.PatientID
        image.StudyInstanceUID = entry.StudyInstanceUID
        image.AccessionNumber = entry.AccessionNumber
        image.StudyDate = DAY
        image.Modality = step(entry).Modality
        for keyword, value in changes.items():
            setattr(image, keyword, value)
        image.SeriesInstanceUID = f"{image.StudyInstanceUID}.1"
        image.SOPInstanceUID = f"{image.SeriesInstanceUID}.{number}"
        yield image


def accessions(answer: dict[str, Any]) -> list[str]:
    """Of the records, in their order."""
    return [one["accession_number"] for one in records_of(answer, "accession_number")]


def records_of(answer: dict[str, Any], field: str) -> list[dict[str, Any]]:
    """The records with what they have in common."""
    both = [{**answer["common"], **record} for record in answer["records"]]
    assert all(field in record for record in both)
    return both
