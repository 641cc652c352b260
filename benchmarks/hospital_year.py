"""Made-up studies in the sizes and lengths hospitals have, for measuring answers."""

from collections.abc import Iterator
from datetime import date, timedelta

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

_DESCRIPTIONS = (
    "CT Thorax mit KM",
    "MR Kopf nativ und mit KM",
    "CT Abdomen Becken portalvenös",
    "Röntgen Thorax p.a. und seitlich",
    "US Abdomen",
)
_MODALITIES = ("CT", "MR", "CT", "CR", "US")
_NAMES = ("Müller^Annegret", "García López^María", "Smith^John", "Yamada^Tarou", "Öztürk^Ayşe")


def studies(count: int) -> Iterator[Dataset]:
    """`count` studies of one to three images each, of as many patients, over a year."""
    for number in range(count):
        study, series_uid = generate_uid(), generate_uid()
        for _ in range(1 + number % 3):
            instance = _instance(number, study=study, series=series_uid)
            instance.PatientID = f"{40_000_000 + number * 7919}"
            instance.PatientName = _NAMES[number % len(_NAMES)]
            instance.Modality = _MODALITIES[number % len(_MODALITIES)]
            yield instance


def series(count: int) -> Iterator[Dataset]:
    """One series of `count` images."""
    study, series_uid = generate_uid(), generate_uid()
    for number in range(count):
        yield _instance(number, study=study, series=series_uid)


def _instance(number: int, *, study: str, series: str) -> Dataset:
    instance = Dataset()
    instance.file_meta = FileMetaDataset()
    instance.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    instance.SpecificCharacterSet = "ISO_IR 192"
    instance.SOPClassUID = CTImageStorage
    instance.SOPInstanceUID = generate_uid()
    instance.StudyInstanceUID = study
    instance.SeriesInstanceUID = series
    instance.PatientID = "40012345"
    instance.PatientName = _NAMES[0]
    instance.StudyDate = f"{date(2026, 1, 5) + timedelta(days=number % 360):%Y%m%d}"
    instance.StudyTime = f"{8 + number % 9:02}{number % 60:02}12.000000"
    instance.AccessionNumber = f"RAD{20_260_000 + number}"
    instance.StudyDescription = _DESCRIPTIONS[number % len(_DESCRIPTIONS)]
    instance.Modality = "CT"
    instance.SeriesNumber = 2
    instance.SeriesDescription = "Thorax 1.0 Br40"
    instance.InstanceNumber = number + 1
    instance.Rows = instance.Columns = 512
    return instance
