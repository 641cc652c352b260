"""A busy hospital: thousands of small studies, whose truth is a plain list to loop over.

Weekdays are fuller than weekends, mornings than nights; two Sundays have no CT; one in thirty
studies has no accession number and six have no date. Every series is a scanner's: a modality's
body parts, stations, makers and descriptions go together.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from random import Random
from urllib.parse import urlsplit
from zipfile import ZipFile

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.node import Node
from tests.peers.orthanc import configured, plugin

LAST = date(2026, 3, 31)

# Sundays on which the CTs were being serviced.
WITHOUT_CT = frozenset({date(2026, 3, 8), date(2026, 3, 22)})

_UNDATED = 6
_ROOT = "1.2.826.0.1.3680043.10.7"
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_FAMILY = (
    *("Abel", "Berger", "Costa", "Dietrich", "Evans", "Fischer", "Gruber", "Haas", "Ivers"),
    *("Jansen", "Keller", "Lopez", "Maier", "Novak", "Olsen", "Peters", "Quint", "Roth"),
)
_GIVEN = {"F": ("Anna", "Clara", "Emma", "Ida", "Maria"), "M": ("Ben", "David", "Jonas", "Paul")}


@dataclass(frozen=True, slots=True)
class Scanner:
    """A machine and what its series say of it."""

    modality: str
    station: str
    manufacturer: str
    body_parts: tuple[str, ...]
    series: tuple[int, int]
    weight: int


SCANNERS = (
    Scanner("CT", "CT1", "ACME", ("CHEST", "ABDOMEN", "HEAD"), (2, 5), 30),
    Scanner("CT", "CT2", "Globex", ("CHEST", "HEAD"), (2, 5), 20),
    Scanner("CT", "CT-ER", "ACME", ("HEAD", "SPINE"), (1, 3), 10),
    Scanner("MR", "MR1", "ACME", ("HEAD", "KNEE", "SPINE"), (4, 7), 12),
    Scanner("MR", "MR2", "Initech", ("ABDOMEN", "BREAST"), (3, 6), 6),
    Scanner("DX", "DX1", "Globex", ("CHEST", "HAND"), (1, 2), 20),
    Scanner("US", "US1", "Initech", ("ABDOMEN",), (1, 2), 10),
    Scanner("MG", "MG1", "Hooli", ("BREAST",), (2, 4), 5),
    Scanner("PT", "PET1", "Globex", ("WHOLEBODY",), (1, 2), 3),
)


@dataclass(frozen=True, slots=True)
class Series:
    uid: str
    modality: str
    station: str
    manufacturer: str
    body_part: str
    images: int


@dataclass(frozen=True, slots=True)
class Patient:
    patient_id: str
    name: str
    born: date
    sex: str

    def age(self, day: date) -> int:
        """Whole years on a day."""
        had = (day.month, day.day) >= (self.born.month, self.born.day)
        return day.year - self.born.year - (not had)


@dataclass(frozen=True, slots=True)
class Study:
    uid: str
    patient: Patient
    day: date | None
    hour: int
    minute: int
    accession: str
    description: str
    series: tuple[Series, ...]

    @property
    def modalities(self) -> set[str]:
        return {series.modality for series in self.series}


def hospital(count: int, weeks: int) -> list[Study]:
    """The studies of the weeks before `LAST`, in no order; the same ones every time."""
    random = Random(count)
    patients = [_patient(random, number) for number in range(count * 2 // 3)]
    days = [LAST - timedelta(days=back) for back in range(weeks * 7)]
    weights = [10 if day.weekday() < 5 else 2 for day in days]
    return [
        _study(
            random,
            number,
            random.choice(patients),
            None if number < _UNDATED else random.choices(days, weights)[0],
        )
        for number in range(count)
    ]


def datasets(studies: Sequence[Study]) -> Iterator[Dataset]:
    """Every object of theirs: a header without pixels."""
    for study in studies:
        for number, series in enumerate(study.series, start=1):
            for image in range(1, series.images + 1):
                yield _dataset(study, series, number, image)


def zipped(studies: Sequence[Study]) -> bytes:
    """Their objects in one archive file, as Orthanc's REST takes them."""
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        for number, dataset in enumerate(datasets(studies)):
            one = BytesIO()
            dataset.save_as(one, enforce_file_format=True)
            archive.writestr(f"{number}.dcm", one.getvalue())
    return packed.getvalue()


@dataclass(frozen=True, slots=True)
class Kept:
    """A hospital, its objects in the database of an embedded archive, and a folder for Orthanc."""

    held: Sequence[Study]
    database: Path
    folder: Path


def kept(folder: Path, count: int, weeks: int) -> Kept:
    """A hospital whose archives are in the folder; they are made if they are not there yet."""
    held = hospital(count, weeks)
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "embedded.sqlite"
    if not database.exists():
        unfinished = folder / "embedded.partial"
        unfinished.unlink(missing_ok=True)
        EmbeddedArchive(datasets(held), ae_title="EMBEDDED", database=str(unfinished))
        unfinished.rename(database)
    return Kept(held, database, folder)


@dataclass(frozen=True, slots=True)
class Served:
    """An Orthanc that runs: over DIMSE and over DICOMweb."""

    node: Node
    base_url: str


@contextmanager
def orthanc(folder: Path, studies: Sequence[Study], limit: int) -> Generator[Served]:
    """Debian's Orthanc with its DICOMweb, which gives `limit` at once, and holds the studies; it
    is filled where `folder` has no archive of them yet."""
    with configured(
        folder,
        Plugins=[str(plugin())],
        DicomAlwaysAllowGet=True,
        LimitFindResults=limit,
        LimitFindInstances=limit,
    ) as (port, base_url):
        if not (folder / "filled").exists():
            _post(base_url, zipped(studies))
            (folder / "filled").touch()
        node = Node(port=port, called_ae_title="ORTHANC")
        yield Served(node, base_url)


def _post(base_url: str, packed: bytes) -> None:
    connection = HTTPConnection(urlsplit(base_url).netloc, timeout=900)
    connection.request("POST", "/instances", packed)
    assert connection.getresponse().status == 200
    connection.close()


def _patient(random: Random, number: int) -> Patient:
    sex = random.choice("FM")
    name = f"{random.choice(_FAMILY)}^{random.choice(_GIVEN[sex])}"
    born = date(1928, 1, 1) + timedelta(days=random.randrange(95 * 365))
    return Patient(f"P{number:05}", name, born, sex)


def _study(random: Random, number: int, patient: Patient, day: date | None) -> Study:
    scanners = [one for one in SCANNERS if one.modality != "CT" or day not in WITHOUT_CT]
    (scanner,) = random.choices(scanners, [one.weight for one in scanners])
    uid = f"{_ROOT}.{number}"
    body_part = random.choice(scanner.body_parts)
    made_by = [scanner] * random.randint(*scanner.series)
    if scanner.modality == "PT" and day not in WITHOUT_CT:
        made_by.append(SCANNERS[1])  # the CT that a PET goes with
    series = [
        Series(f"{uid}.{n}", by.modality, by.station, by.manufacturer, body_part, 1)
        for n, by in enumerate(made_by, start=1)
    ]
    if random.random() < 0.3:
        series.append(Series(f"{uid}.99", "SR", "REPORTS", "Hooli", body_part, 1))
    return Study(
        uid=uid,
        patient=patient,
        day=day,
        hour=min(23, max(0, round(random.gauss(11, 3)))),
        minute=random.randrange(60),
        accession="" if random.random() < 1 / 30 else f"A{number:06}",
        description=f"{scanner.modality} {body_part.capitalize()}",
        series=tuple(series),
    )


def _dataset(study: Study, series: Series, number: int, image: int) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = _SECONDARY_CAPTURE
    dataset.SOPInstanceUID = f"{series.uid}.{image}"
    dataset.StudyInstanceUID = study.uid
    dataset.SeriesInstanceUID = series.uid
    dataset.PatientID = study.patient.patient_id
    dataset.PatientName = study.patient.name
    dataset.PatientBirthDate = f"{study.patient.born:%Y%m%d}"
    dataset.PatientSex = study.patient.sex
    dataset.StudyDate = f"{study.day:%Y%m%d}" if study.day else ""
    dataset.StudyTime = f"{study.hour:02}{study.minute:02}00"
    dataset.AccessionNumber = study.accession
    dataset.StudyDescription = study.description
    dataset.StudyID = study.uid.rpartition(".")[2]
    dataset.Modality = series.modality
    dataset.StationName = series.station
    dataset.Manufacturer = series.manufacturer
    dataset.BodyPartExamined = series.body_part
    dataset.SeriesNumber = number
    dataset.InstanceNumber = image
    return dataset
