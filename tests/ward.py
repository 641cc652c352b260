"""A handful of made-up objects whose every answer can be known by looking at this table."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

_CT = "1.2.840.10008.5.1.4.1.1.2"
_MR = "1.2.840.10008.5.1.4.1.1.4"
_US = "1.2.840.10008.5.1.4.1.1.6.1"
_SOP_CLASS = {"CT": _CT, "MR": _MR, "US": _US}


@dataclass(frozen=True, slots=True)
class Study:
    """One study: `series` maps modality to its number of images."""

    number: int
    name: str
    patient_id: str
    date: str
    description: str
    accession: str
    series: dict[str, int]

    @property
    def uid(self) -> str:
        return f"1.2.826.0.1.3680043.10.1.{self.number}"

    def series_uid(self, modality: str) -> str:
        """Made of the study's, so that a test can read it."""
        return f"{self.uid}.{1 + list(self.series).index(modality)}"


STUDIES = (
    Study(1, "Doe^Jane", "007", "20260110", "CT Chest", "A1", {"CT": 5}),
    Study(2, "Doe^Jane", "007", "20260210", "CT Chest follow-up", "A2", {"CT": 4, "US": 1}),
    Study(3, "Doe^John", "8", "20260210", "MR Head", "", {"MR": 3}),
    Study(4, "Müller^Änne", "9", "20260301", "MR Knie rechts", "A4", {"MR": 2}),
    Study(
        5, "Yamada^Tarou=山田^太郎=やまだ^たろう", "10", "20260302", "US Abdomen", "A5", {"US": 1}
    ),
)


def objects() -> Iterator[Dataset]:
    """Every instance of every study, in UTF-8."""
    for study in STUDIES:
        for modality, count in study.series.items():
            for number in range(1, count + 1):
                yield _instance(study, modality, number)


def _instance(study: Study, modality: str, number: int) -> Dataset:
    instance = Dataset()
    instance.file_meta = FileMetaDataset()
    instance.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    instance.SpecificCharacterSet = "ISO_IR 192"
    instance.SOPClassUID = _SOP_CLASS[modality]
    instance.StudyInstanceUID = study.uid
    instance.SeriesInstanceUID = study.series_uid(modality)
    instance.SOPInstanceUID = f"{study.series_uid(modality)}.{number}"
    instance.PatientName = study.name
    instance.PatientID = study.patient_id
    instance.PatientBirthDate = "19700101"
    instance.StudyDate = study.date
    instance.StudyTime = "101500"
    instance.StudyDescription = study.description
    instance.AccessionNumber = study.accession
    instance.Modality = modality
    instance.SeriesNumber = 1 + list(study.series).index(modality)
    instance.SeriesDescription = f"{modality} series"
    instance.StationName = f"{modality}1"
    instance.InstanceNumber = number
    instance.Rows = instance.Columns = 64
    return instance
