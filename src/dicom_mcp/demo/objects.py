"""DICOM objects of the demo hospital: what all share, and one maker for each kind of image.

Attribute requirements are those of the IODs in PS3.3 A; `dciodvfy` checks every object made here.
"""

import math
from array import array
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from uuid import NAMESPACE_OID, uuid5

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import UID

from . import phantom
from .patients import PATIENTS, SCANNERS, Part, Patient, Study

INSTITUTION = "Demo Hospital"

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
ECG_12_LEAD = "1.2.840.10008.5.1.4.1.1.9.1.1"


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
    made.ReferringPhysicianName = "Hansen^Ove"
    made.StudyDescription = study.description
    made.SeriesDescription = series.part.description
    made.PatientName = patient.name
    made.PatientID = patient.id
    made.PatientBirthDate = patient.birth_date
    made.PatientSex = patient.sex
    made.StudyInstanceUID = study_uid(study.key)
    made.SeriesInstanceUID = series.uid("series")
    made.StudyID = f"{1000 + uuid5(NAMESPACE_OID, study.key).int % 9000}"
    made.SeriesNumber = series.number
    made.InstanceNumber = number
    return made


def ct(series: Series, nodule: phantom.Nodule | None) -> list[Dataset]:
    """Slices of the chest phantom, uncompressed."""
    seed = uuid5(NAMESPACE_OID, series.study.key).int % 2**31
    made: list[Dataset] = []
    pixels = phantom.slices(nodule, seed=seed, count=series.part.count)
    for number, data in enumerate(pixels, start=1):
        image = instance(series, number, CT_IMAGE, "CT", EXPLICIT)
        _cross_section(series, image, number, phantom.PIXEL_MM, phantom.SLICE_MM)
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
        _pixels(image, phantom.ROWS, phantom.COLUMNS, stored=12)
        image.add_new(0x7FE00010, "OW", data)
        made.append(image)
    return made


def brain(series: Series) -> list[Dataset]:
    """Slices of a head, JPEG 2000 lossless."""
    first = 1 + (20 - series.part.count) // 2
    return [
        _mr(series, number, f"brain_{first + number - 1:02}.j2k", 256, 0.859375, 7.0)
        for number in range(1, series.part.count + 1)
    ]


def knee(series: Series) -> list[Dataset]:
    """Small images, RLE lossless; `numbers` of the part leaves out what never arrived."""
    numbers = series.part.numbers or range(1, series.part.count + 1)
    return [_mr(series, number, "knee.rle", 64, 2.5, 4.0) for number in numbers]


def x_ray(series: Series) -> list[Dataset]:
    """A lower leg, JPEG 2000, dark where the rays went through (MONOCHROME1)."""
    image = instance(series, 1, CR_IMAGE, "CR", JPEG_2000)
    image.BodyPartExamined = series.study.body_part
    image.Laterality = "L" if "left" in series.study.description else "R"
    image.ViewPosition = "AP"
    image.KVP = "55"
    image.PlateType = ""
    image.ImageType = ["ORIGINAL", "PRIMARY"]
    image.PatientOrientation = ["L", "F"]
    image.ImagerPixelSpacing = ["0.2", "0.2"]
    image.WindowCenter, image.WindowWidth = "550", "1024"
    image.BurnedInAnnotation = "NO"
    _lossy(image, "30", "ISO_15444_1")
    _pixels(image, 1760, 1760, stored=10, photometric="MONOCHROME1")
    return [_compressed(image, "leg.j2k")]


def ultrasound(series: Series) -> list[Dataset]:
    """Single pictures, JPEG baseline."""
    made: list[Dataset] = []
    for number in range(1, series.part.count + 1):
        image = instance(series, number, US_IMAGE, "US", JPEG_BASELINE)
        _us(series, image)
        made.append(_compressed(image, f"heart_{number:02}.jpg"))
    return made


def heart(series: Series) -> list[Dataset]:
    """One cine of eight frames, JPEG baseline."""
    image = instance(series, 1, US_MULTI_FRAME, "US", JPEG_BASELINE)
    _us(series, image)
    image.NumberOfFrames = 8
    image.FrameTime = "33.333"
    image.FrameIncrementPointer = 0x00181063
    return [_compressed(image, *(f"heart_{number:02}.jpg" for number in range(1, 9)))]


def ecg(series: Series) -> list[Dataset]:
    """Ten seconds of a 12-lead ECG at 500 Hz, drawn from one beat (PS3.3 A.34.3)."""
    made = instance(series, 1, ECG_12_LEAD, "ECG", EXPLICIT)
    made.AcquisitionDateTime = f"{made.ContentDate}{made.ContentTime}"
    made.AcquisitionContextSequence = Sequence()
    channels = Sequence()
    for lead, (code, meaning, _) in enumerate(_LEADS):
        channel = Dataset()
        channel.ChannelLabel = meaning.removeprefix("Lead ")
        channel.ChannelSourceSequence = Sequence([_code(code, "MDC", meaning)])
        channel.ChannelSensitivity = "5"
        channel.ChannelSensitivityUnitsSequence = Sequence([_code("uV", "UCUM", "microvolt")])
        channel.ChannelSensitivityCorrectionFactor = "1"
        channel.ChannelBaseline = "0"
        channel.ChannelSampleSkew = "0"
        channel.WaveformChannelNumber = lead + 1
        channel.WaveformBitsStored = 16
        channels.append(channel)
    group = Dataset()
    group.WaveformOriginality = "ORIGINAL"
    group.NumberOfWaveformChannels = 12
    group.NumberOfWaveformSamples = 5000
    group.SamplingFrequency = "500"
    group.ChannelDefinitionSequence = channels
    group.WaveformBitsAllocated = 16
    group.WaveformSampleInterpretation = "SS"
    group.add_new(0x54001010, "OW", _ecg_samples())
    made.WaveformSequence = Sequence([group])
    return [made]


def _cross_section(
    series: Series, image: Dataset, number: int, spacing: float, distance: float
) -> None:
    """Frame of reference, image plane, acquisition (PS3.3 C.7.4.1, C.7.6.2)."""
    image.BodyPartExamined = series.study.body_part
    image.ProtocolName = series.part.description
    image.FrameOfReferenceUID = series.uid("frame of reference")
    image.PositionReferenceIndicator = ""
    image.AcquisitionNumber = 1
    image.AcquisitionDate = image.SeriesDate
    image.AcquisitionTime = image.SeriesTime
    half = spacing * 63.5
    image.ImagePositionPatient = [f"{-half:g}", f"{-half:g}", f"{(number - 1) * distance:g}"]
    image.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    image.SliceThickness = f"{distance:g}"
    image.PixelSpacing = [f"{spacing:g}", f"{spacing:g}"]
    image.SliceLocation = f"{(number - 1) * distance:g}"
    image.PatientOrientation = ["L", "P"]


def _mr(
    series: Series, number: int, sample: str, size: int, spacing: float, distance: float
) -> Dataset:
    syntax = RLE if sample.endswith(".rle") else JPEG_2000_LOSSLESS
    image = instance(series, number, MR_IMAGE, "MR", syntax)
    _cross_section(series, image, number, spacing, distance)
    if series.study.body_part == "KNEE":
        image.Laterality = "L" if "left" in series.study.description else "R"
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
    image.WindowCenter, image.WindowWidth = ("600", "1600") if size == 64 else ("400", "800")
    signed = 1 if size == 64 else 0
    _pixels(image, size, size, stored=16, signed=signed)
    return _compressed(image, sample)


def _us(series: Series, image: Dataset) -> None:
    image.BodyPartExamined = series.study.body_part
    if series.study.body_part == "KNEE":
        image.Laterality = "L" if "left" in series.study.description else "R"
    image.ImageType = ["ORIGINAL", "PRIMARY", "", "0001"]
    image.PatientOrientation = ""
    image.BurnedInAnnotation = "NO"
    _lossy(image, "19", "ISO_10918_1")
    _pixels(image, 240, 320, stored=8, photometric="YBR_FULL_422")
    image.PlanarConfiguration = 0


def _pixels(
    image: Dataset,
    rows: int,
    columns: int,
    *,
    stored: int,
    signed: int = 0,
    photometric: str = "MONOCHROME2",
) -> None:
    """Image pixel module (PS3.3 C.7.6.3) without the pixels."""
    image.SamplesPerPixel = 1 if photometric.startswith("MONO") else 3
    image.PhotometricInterpretation = photometric
    image.Rows, image.Columns = rows, columns
    image.BitsAllocated = 8 if stored == 8 else 16
    image.BitsStored = stored
    image.HighBit = stored - 1
    image.PixelRepresentation = signed


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


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    if scheme == "UCUM":
        code.CodingSchemeVersion = "1.4"
    return code


# Lead, code (PS3.16 CID 3001) and the height of its R wave against lead II.
_LEADS = (
    ("2:1", "Lead I", 0.6),
    ("2:2", "Lead II", 1.0),
    ("2:61", "Lead III", 0.4),
    ("2:62", "Lead aVR", -0.8),
    ("2:63", "Lead aVL", 0.2),
    ("2:64", "Lead aVF", 0.7),
    ("2:3", "Lead V1", -0.5),
    ("2:4", "Lead V2", -0.2),
    ("2:5", "Lead V3", 0.4),
    ("2:6", "Lead V4", 1.1),
    ("2:7", "Lead V5", 1.2),
    ("2:8", "Lead V6", 0.9),
)

# One beat of lead II at 75/min: time of each wave in s, width in s, height in microvolts.
_WAVES = (
    (0.16, 0.025, 120),
    (0.275, 0.010, -90),
    (0.300, 0.012, 1100),
    (0.325, 0.010, -220),
    (0.52, 0.045, 260),
)


@cache
def _ecg_samples() -> bytes:
    beat = [
        sum(h * math.exp(-(((n / 500 - t) / w) ** 2)) for t, w, h in _WAVES) for n in range(400)
    ]
    leads = [[round(height * value / 5) for value in beat] for _, _, height in _LEADS]
    one_beat = array("h", (lead[n] for n in range(400) for lead in leads))
    return (one_beat * 13)[: 5000 * 12].tobytes()
