"""DICOM objects of the demo hospital: what all share, and one maker for each kind of image.

Attribute requirements are those of the IODs in PS3.3 A; `dciodvfy` checks every object made here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from uuid import NAMESPACE_OID, uuid5

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from . import phantom
from .patients import PATIENTS, SCANNERS, Part, Patient, Study

INSTITUTION = "Demo Hospital"

# Rows, columns and mm of a pixel of each radiograph.
_RADIOGRAPHS = {
    "leg.j2k": (1760, 1760, "0.2"),
    "chest_masses.j2k": (488, 460, "0.8"),
    "chest_nodule.j2k": (350, 400, "0.9"),
}

EXPLICIT = "1.2.840.10008.1.2.1"
RLE = "1.2.840.10008.1.2.5"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_2000_LOSSLESS = "1.2.840.10008.1.2.4.90"
JPEG_2000 = "1.2.840.10008.1.2.4.91"

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
CR_IMAGE = "1.2.840.10008.5.1.4.1.1.1"
US_IMAGE = "1.2.840.10008.5.1.4.1.1.6.1"
US_MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.3.1"


@dataclass(frozen=True, slots=True)
class Plane:
    """How a stack of square images lies in the patient (PS3.3 C.7.6.2): sizes in mm.

    `orientation` is Image Orientation (Patient), `towards` Patient Orientation, `through` the
    axis along which the images follow each other.
    """

    size: int
    spacing: float
    distance: float
    centre: tuple[float, float, float] = (0.0, 0.0, 0.0)
    orientation: str = "1 0 0 0 1 0"
    towards: str = "LP"
    through: int = 2

    def position(self, number: int, count: int) -> tuple[float, float, float]:
        """Where the first pixel of image `number` of `count` lies, counted from 1."""
        half = (self.size - 1) / 2 * self.spacing
        direction = [float(value) for value in self.orientation.split()]
        x, y, z = (
            centre - half * (row + column)
            for centre, row, column in zip(self.centre, direction[:3], direction[3:], strict=True)
        )
        offset = (number - 1 - count // 2) * self.distance
        moved = [x, y, z]
        moved[self.through] += offset
        return moved[0], moved[1], moved[2]


@dataclass(frozen=True, slots=True)
class Series:
    """Where an object belongs: its study on a day, its part, the part's place in the study."""

    study: Study
    part: Part
    number: int
    day: date

    @property
    def patient(self) -> Patient:
        return PATIENTS[self.study.patient]

    def uid(self, what: str) -> str:
        """A UID that is the same every day, derived from a UUID (PS3.5 B.2)."""
        return uid(f"{self.study.key}/{self.number}/{what}")


def uid(name: str) -> str:
    """The UID of what has this name in the demo hospital."""
    return f"2.25.{uuid5(NAMESPACE_OID, f'dicom-mcp demo {name}').int}"


def study_uid(key: str) -> str:
    """The StudyInstanceUID of a study of the table."""
    return uid(f"study {key}")


def accession(study: Study) -> str:
    """The accession number, derived from the study's name; empty for one not yet registered."""
    return f"A{uuid5(NAMESPACE_OID, study.key).int % 10**8:08}" if study.accession else ""


def instance(series: Series, number: int, sop_class: str, modality: str, syntax: str) -> Dataset:
    """An object with the modules every IOD has: patient, study, series, equipment, SOP common."""
    study, patient = series.study, series.patient
    scanner = SCANNERS[series.part.scanner or "RIS"]
    at = datetime.strptime(study.time, "%H%M%S") + timedelta(minutes=4 * series.number)  # noqa: DTZ007
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = UID(syntax)
    made.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    made.file_meta.MediaStorageSOPInstanceUID = UID(series.uid(f"instance {number}"))
    made.SpecificCharacterSet = (
        patient.charset.split("\\") if "\\" in patient.charset else patient.charset
    )
    made.SOPClassUID = sop_class
    made.SOPInstanceUID = series.uid(f"instance {number}")
    made.StudyDate = made.SeriesDate = made.ContentDate = f"{series.day:%Y%m%d}"
    made.StudyTime = study.time
    made.SeriesTime = made.ContentTime = f"{at:%H%M%S}"
    made.AccessionNumber = accession(study)
    made.Modality = modality
    made.Manufacturer = scanner.manufacturer
    made.InstitutionName = INSTITUTION
    made.StationName = scanner.station
    made.ManufacturerModelName = scanner.model
    made.SoftwareVersions = scanner.software
    made.ReferringPhysicianName = patient.referrer
    made.StudyDescription = study.description
    made.SeriesDescription = series.part.description
    made.PatientName = patient.name
    made.PatientID = patient.id
    made.PatientBirthDate = patient.birth_date
    made.PatientSex = patient.sex
    made.PatientAge = _age(patient.birth_date, made.StudyDate)
    made.StudyInstanceUID = study_uid(study.key)
    made.SeriesInstanceUID = series.uid("series")
    made.StudyID = f"{1000 + uuid5(NAMESPACE_OID, study.key).int % 9000}"
    made.SeriesNumber = series.number
    made.InstanceNumber = number
    return made


def _age(birth_date: str, on: str) -> str:
    """Whole years as an Age String (PS3.5 6.2)."""
    return f"{int(on[:4]) - int(birth_date[:4]) - (on[4:] < birth_date[4:]):03}Y"


def ct(series: Series, body: Iterable[phantom.Ellipsoid], plane: Plane) -> list[Dataset]:
    """Slices of the phantom, uncompressed, from the feet to the head."""
    body = tuple(body)
    seed = uuid5(NAMESPACE_OID, series.uid("noise")).int % 2**16
    x, y, _ = plane.centre
    grid = phantom.Grid(plane.size, plane.spacing, x, y)
    made: list[Dataset] = []
    for number in range(1, series.part.count + 1):
        image = instance(series, number, CT_IMAGE, "CT", EXPLICIT)
        _cross_section(series, image, number, plane)
        image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        image.PatientPosition = "HFS"
        image.KVP = "120"
        image.XRayTubeCurrent = "180"
        image.ConvolutionKernel = "Br40" if series.part.scanner == "CT1" else "STANDARD"
        image.RescaleIntercept = f"{phantom.INTERCEPT}"
        image.RescaleSlope = "1"
        image.RescaleType = "HU"
        image.WindowCenter, image.WindowWidth = ["-600", "40"], ["1500", "400"]
        image.WindowCenterWidthExplanation = ["LUNG", "MEDIASTINUM"]
        _pixels(image, plane.size, plane.size, stored=12)
        z = plane.position(number, series.part.count)[2]
        image.add_new(0x7FE00010, "OW", phantom.slice_of(body, z, grid, seed=seed))
        made.append(image)
    return made


def mr(series: Series, sample: str, plane: Plane, *, first: int = 1) -> list[Dataset]:
    """MR images of a sample as it is compressed; `numbers` of the part leaves some out.

    `sample` names its files with the number to be filled in, `first` for image 1.
    """
    syntax = RLE if sample.endswith(".rle") else JPEG_2000_LOSSLESS
    made: list[Dataset] = []
    for number in series.part.numbers or range(1, series.part.count + 1):
        image = instance(series, number, MR_IMAGE, "MR", syntax)
        _cross_section(series, image, number, plane)
        _side(series, image)
        image.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
        image.PatientPosition = "HFS"
        image.ScanningSequence = "SE"
        image.SequenceVariant = "SK"
        image.ScanOptions = ""
        image.MRAcquisitionType = "2D"
        image.SequenceName = "tse2d1"
        image.RepetitionTime = "2300"
        image.EchoTime = "22"
        image.EchoTrainLength = "7"
        image.MagneticFieldStrength = "1.5"
        image.WindowCenter, image.WindowWidth = "400", "800"
        _pixels(image, plane.size, plane.size, stored=16)
        made.append(_compressed(image, sample.format(number + first - 1)))
    return made


def x_ray(series: Series, sample: str) -> list[Dataset]:
    """One radiograph, JPEG 2000: a chest, or a lower leg dark where the rays went through."""
    leg = sample == "leg.j2k"
    image = instance(series, 1, CR_IMAGE, "CR", JPEG_2000 if leg else JPEG_2000_LOSSLESS)
    image.BodyPartExamined = series.study.body_part
    _side(series, image)
    image.ViewPosition = "AP" if leg else "PA"
    image.KVP = "55" if leg else "125"
    image.PlateType = ""
    image.ImageType = ["ORIGINAL", "PRIMARY"]
    image.PatientOrientation = ["L", "F"]
    rows, columns, spacing = _RADIOGRAPHS[sample]
    image.ImagerPixelSpacing = [spacing, spacing]
    image.WindowCenter, image.WindowWidth = "512", "1024"
    image.BurnedInAnnotation = "NO"
    if leg:
        _lossy(image, "30", "ISO_15444_1")
    photometric = "MONOCHROME1" if leg else "MONOCHROME2"
    _pixels(image, rows, columns, stored=10 if leg else 16, photometric=photometric)
    return [_compressed(image, sample)]


def ultrasound(series: Series) -> list[Dataset]:
    """Pictures of a lymph node by turns, JPEG baseline."""
    made: list[Dataset] = []
    for number in range(1, series.part.count + 1):
        image = instance(series, number, US_IMAGE, "US", JPEG_BASELINE)
        _us(series, image, 224, 270)
        made.append(_compressed(image, f"neck_{2 - number % 2:02}.jpg"))
    return made


def heart(series: Series) -> list[Dataset]:
    """One cine of eight frames, JPEG baseline."""
    image = instance(series, 1, US_MULTI_FRAME, "US", JPEG_BASELINE)
    _us(series, image, 240, 320)
    image.NumberOfFrames = 8
    image.FrameTime = "33.333"
    image.FrameIncrementPointer = 0x00181063
    return [_compressed(image, *(f"heart_{number:02}.jpg" for number in range(1, 9)))]


def _cross_section(series: Series, image: Dataset, number: int, plane: Plane) -> None:
    """Frame of reference, image plane, acquisition (PS3.3 C.7.4.1, C.7.6.2)."""
    position = plane.position(number, max(series.part.count, *series.part.numbers, 1))
    spacing = f"{plane.spacing:g}"
    image.BodyPartExamined = series.study.body_part
    image.ProtocolName = series.part.description
    image.FrameOfReferenceUID = uid(f"{series.study.key}/{series.part.scanner}/frame of reference")
    image.PositionReferenceIndicator = ""
    image.AcquisitionNumber = 1
    image.AcquisitionDate = image.SeriesDate
    image.AcquisitionTime = image.SeriesTime
    image.ImagePositionPatient = [f"{value:g}" for value in position]
    image.ImageOrientationPatient = list(plane.orientation.split())
    image.PatientOrientation = list(plane.towards)
    image.SliceThickness = f"{plane.distance:g}"
    image.PixelSpacing = [spacing, spacing]
    image.SliceLocation = f"{position[plane.through]:g}"


def _side(series: Series, image: Dataset) -> None:
    """Laterality, required of a paired body part (PS3.3 C.7.3.1)."""
    if series.study.body_part in ("KNEE", "LEG"):
        image.Laterality = "L" if "left" in series.study.description else "R"


def _us(series: Series, image: Dataset, rows: int, columns: int) -> None:
    image.BodyPartExamined = series.study.body_part
    _side(series, image)
    image.ImageType = ["ORIGINAL", "PRIMARY", "", "0001"]
    image.PatientOrientation = ""
    image.BurnedInAnnotation = "NO"
    _lossy(image, "19", "ISO_10918_1")
    _pixels(image, rows, columns, stored=8, photometric="YBR_FULL_422")
    image.PlanarConfiguration = 0


def _pixels(
    image: Dataset,
    rows: int,
    columns: int,
    *,
    stored: int,
    photometric: str = "MONOCHROME2",
) -> None:
    """Image pixel module (PS3.3 C.7.6.3) without the pixels."""
    image.SamplesPerPixel = 1 if photometric.startswith("MONO") else 3
    image.PhotometricInterpretation = photometric
    image.Rows, image.Columns = rows, columns
    image.BitsAllocated = 8 if stored == 8 else 16
    image.BitsStored = stored
    image.HighBit = stored - 1
    image.PixelRepresentation = 0


def _lossy(image: Dataset, ratio: str, method: str) -> None:
    image.LossyImageCompression = "01"
    image.LossyImageCompressionRatio = ratio
    image.LossyImageCompressionMethod = method


def _compressed(image: Dataset, *samples: str) -> Dataset:
    image.add_new(0x7FE00010, "OB", encapsulate([_sample(name) for name in samples]))
    image["PixelData"].is_undefined_length = True
    return image


@cache
def _sample(name: str) -> bytes:
    return files(__package__).joinpath("samples", name).read_bytes()
