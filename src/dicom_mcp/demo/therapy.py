"""Radiotherapy objects of the demo hospital: structures, plan and dose on the planning CT."""

from array import array
from collections.abc import Sequence as Several
from math import cos, pi, sin

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from .anatomy import TUMOUR
from .objects import EXPLICIT, Series, instance

RT_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
RT_PLAN = "1.2.840.10008.5.1.4.1.1.481.5"
RT_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"

# Name, type, colour, centre and radius in mm of what was outlined.
_ROIS = (
    ("PTV", "PTV", ("255", "0", "0"), (TUMOUR.x, TUMOUR.y), 28.0),
    ("Spinal cord", "ORGAN", ("0", "255", "0"), (0.0, 94.0), 9.0),
)

# Name and gantry angle in degrees of each field.
_BEAMS = (("Anterior", "0"), ("Posterior", "180"))

# Half the opening of the jaws in mm, in both directions.
_JAWS = "40"

_DOSE_SIZE = 24


def structures(series: Series, images: Several[Dataset]) -> Dataset:
    """Two outlined regions, each on five slices (PS3.3 A.19)."""
    made = instance(series, 1, RT_STRUCTURE_SET, "RTSTRUCT", EXPLICIT)
    made.OperatorsName = ""
    made.FrameOfReferenceUID = images[0].FrameOfReferenceUID
    made.PositionReferenceIndicator = ""
    made.StructureSetLabel = "THORAX"
    made.StructureSetDate, made.StructureSetTime = made.ContentDate, made.ContentTime
    del made.ContentDate, made.ContentTime
    made.ReferencedFrameOfReferenceSequence = Sequence([_frame_of_reference(images)])
    made.StructureSetROISequence = Sequence()
    made.ROIContourSequence = Sequence()
    made.RTROIObservationsSequence = Sequence()
    for number, (name, kind, colour, centre, radius) in enumerate(_ROIS, start=1):
        roi = Dataset()
        roi.ROINumber = number
        roi.ReferencedFrameOfReferenceUID = images[0].FrameOfReferenceUID
        roi.ROIName = name
        roi.ROIGenerationAlgorithm = "MANUAL"
        made.StructureSetROISequence.append(roi)
        outline = Dataset()
        outline.ReferencedROINumber = number
        outline.ROIDisplayColor = list(colour)
        outline.ContourSequence = Sequence(_circle(image, centre, radius) for image in images[8:13])
        made.ROIContourSequence.append(outline)
        observation = Dataset()
        observation.ObservationNumber = number
        observation.ReferencedROINumber = number
        observation.RTROIInterpretedType = kind
        observation.ROIInterpreter = ""
        made.RTROIObservationsSequence.append(observation)
    made.ApprovalStatus = "UNAPPROVED"
    return made


def plan(series: Series, structure_set: Dataset) -> Dataset:
    """Two opposed photon fields on the tumour, 30 fractions of 2 Gy (PS3.3 A.20)."""
    made = instance(series, 1, RT_PLAN, "RTPLAN", EXPLICIT)
    made.OperatorsName = ""
    made.FrameOfReferenceUID = structure_set.FrameOfReferenceUID
    made.PositionReferenceIndicator = ""
    made.RTPlanLabel = "THORAX 60GY"
    made.RTPlanDate, made.RTPlanTime = made.ContentDate, made.ContentTime
    del made.ContentDate, made.ContentTime
    made.RTPlanGeometry = "PATIENT"
    made.ReferencedStructureSetSequence = Sequence([_reference(structure_set)])
    fractions = Dataset()
    fractions.FractionGroupNumber = 1
    fractions.NumberOfFractionsPlanned = 30
    fractions.NumberOfBeams = len(_BEAMS)
    fractions.NumberOfBrachyApplicationSetups = 0
    fractions.ReferencedBeamSequence = Sequence()
    made.FractionGroupSequence = Sequence([fractions])
    made.BeamSequence = Sequence()
    for number, (name, gantry) in enumerate(_BEAMS, start=1):
        planned = Dataset()
        planned.BeamDose = "1"
        planned.BeamMeterset = "118"
        planned.ReferencedBeamNumber = number
        fractions.ReferencedBeamSequence.append(planned)
        made.BeamSequence.append(_beam(number, name, gantry))
    made.ApprovalStatus = "UNAPPROVED"
    return made


def rt_dose(series: Series, images: Several[Dataset], planned: Dataset) -> Dataset:
    """A dose that falls off from the target, 3 planes of 24 by 24 (PS3.3 A.18)."""
    made = instance(series, 1, RT_DOSE, "RTDOSE", EXPLICIT)
    spacing = 10.0
    half = spacing * (_DOSE_SIZE - 1) / 2
    made.OperatorsName = ""
    made.FrameOfReferenceUID = images[0].FrameOfReferenceUID
    made.PositionReferenceIndicator = ""
    made.SliceThickness = ""
    made.ImagePositionPatient = [f"{-half:g}", f"{-half:g}", images[9].ImagePositionPatient[2]]
    made.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    made.PixelSpacing = [f"{spacing:g}", f"{spacing:g}"]
    made.SamplesPerPixel = 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.NumberOfFrames = 3
    made.FrameIncrementPointer = 0x3004000C
    made.GridFrameOffsetVector = ["0", "10", "20"]
    made.Rows = made.Columns = _DOSE_SIZE
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit = 15
    made.PixelRepresentation = 0
    made.DoseUnits = "GY"
    made.DoseType = "PHYSICAL"
    made.DoseSummationType = "PLAN"
    made.TissueHeterogeneityCorrection = "IMAGE"
    made.DoseGridScaling = "0.001"
    plan = Dataset()
    plan.ReferencedSOPClassUID = RT_PLAN
    plan.ReferencedSOPInstanceUID = planned.SOPInstanceUID
    made.ReferencedRTPlanSequence = Sequence([plan])
    x, y = _ROIS[0][3]
    plane = array(
        "H",
        (
            round(
                60000 / (1 + ((c * spacing - half - x) ** 2 + (r * spacing - half - y) ** 2) / 900)
            )
            for r in range(_DOSE_SIZE)
            for c in range(_DOSE_SIZE)
        ),
    )
    made.add_new(0x7FE00010, "OW", (plane * 3).tobytes())
    return made


def _beam(number: int, name: str, gantry: str) -> Dataset:
    """A static field of 6 MV photons (PS3.3 C.8.8.14)."""
    beam = Dataset()
    beam.TreatmentMachineName = "LINAC1"
    beam.PrimaryDosimeterUnit = "MU"
    beam.SourceAxisDistance = "1000"
    beam.BeamLimitingDeviceSequence = Sequence()
    positions = Sequence()
    for kind in ("X", "Y"):
        device = Dataset()
        device.RTBeamLimitingDeviceType = kind
        device.NumberOfLeafJawPairs = 1
        beam.BeamLimitingDeviceSequence.append(device)
        position = Dataset()
        position.RTBeamLimitingDeviceType = kind
        position.LeafJawPositions = [f"-{_JAWS}", _JAWS]
        positions.append(position)
    beam.BeamNumber = number
    beam.BeamName = name
    beam.BeamType = "STATIC"
    beam.RadiationType = "PHOTON"
    beam.TreatmentDeliveryType = "TREATMENT"
    beam.NumberOfWedges = beam.NumberOfCompensators = beam.NumberOfBoli = beam.NumberOfBlocks = 0
    beam.FinalCumulativeMetersetWeight = "1"
    beam.NumberOfControlPoints = 2
    start, end = Dataset(), Dataset()
    start.ControlPointIndex, end.ControlPointIndex = 0, 1
    start.NominalBeamEnergy = "6"
    start.BeamLimitingDevicePositionSequence = positions
    start.GantryAngle = gantry
    start.GantryRotationDirection = "NONE"
    start.BeamLimitingDeviceAngle = start.PatientSupportAngle = "0"
    start.BeamLimitingDeviceRotationDirection = "NONE"
    start.PatientSupportRotationDirection = "NONE"
    start.TableTopEccentricAngle = "0"
    start.TableTopEccentricRotationDirection = "NONE"
    start.TableTopVerticalPosition = start.TableTopLongitudinalPosition = ""
    start.TableTopLateralPosition = ""
    start.IsocenterPosition = [f"{TUMOUR.x:g}", f"{TUMOUR.y:g}", f"{TUMOUR.z:g}"]
    start.CumulativeMetersetWeight, end.CumulativeMetersetWeight = "0", "1"
    beam.ControlPointSequence = Sequence([start, end])
    return beam


def _frame_of_reference(images: Several[Dataset]) -> Dataset:
    series = Dataset()
    series.SeriesInstanceUID = images[0].SeriesInstanceUID
    series.ContourImageSequence = Sequence(_reference(image) for image in images)
    study = Dataset()
    study.ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.1"
    study.ReferencedSOPInstanceUID = images[0].StudyInstanceUID
    study.RTReferencedSeriesSequence = Sequence([series])
    frame = Dataset()
    frame.FrameOfReferenceUID = images[0].FrameOfReferenceUID
    frame.RTReferencedStudySequence = Sequence([study])
    return frame


def _reference(image: Dataset) -> Dataset:
    made = Dataset()
    made.ReferencedSOPClassUID = image.SOPClassUID
    made.ReferencedSOPInstanceUID = image.SOPInstanceUID
    return made


def _circle(image: Dataset, centre: tuple[float, float], radius: float) -> Dataset:
    z = image.ImagePositionPatient[2]
    points: list[str] = []
    for step in range(24):
        angle = 2 * pi * step / 24
        points += [
            f"{centre[0] + radius * cos(angle):.1f}",
            f"{centre[1] + radius * sin(angle):.1f}",
            f"{z}",
        ]
    made = Dataset()
    made.ContourImageSequence = Sequence([_reference(image)])
    made.ContourGeometricType = "CLOSED_PLANAR"
    made.NumberOfContourPoints = 24
    made.ContourData = points
    return made
