"""The largest templates of radiation dose reports (PS3.16 TID 10001 to 10034), each with all of its
kinds of items and with values that tell where they stand.

An outline has an item a line: its depth, value type, concept by pydicom's name for it in DCM (or
`code scheme meaning`, parted by strokes) and, of a number, its unit.
"""

from collections.abc import Iterator
from itertools import count
from typing import Any, cast

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr import _concepts_dict

from tests.content import documents as made

XRAY, RADIOPHARMACEUTICAL, PATIENT = (f"1.2.840.10008.5.1.4.1.1.88.{n}" for n in ("67", "68", "73"))

# What a person and a device take part as: TID 1020, 1021.
_PERSON = """
1 PNAME PersonName
2 CODE PersonRoleInProcedure
2 TEXT PersonID
2 TEXT PersonIDIssuer
2 TEXT OrganizationName
2 CODE PersonRoleInOrganization"""
_DEVICE = """
1 UIDREF 121012|DCM|Device Observer UID
2 CODE DeviceRoleInProcedure
2 TEXT DeviceName
2 TEXT DeviceManufacturer
2 TEXT DeviceModelName
2 TEXT DeviceSerialNumber"""
_CALIBRATION = """
1 CONTAINER 122505|DCM|Calibration
2 CODE DoseMeasurementDevice
2 DATETIME CalibrationDatetime
2 NUM 122322|DCM|Calibration Factor 1
2 NUM CalibrationUncertainty %
2 TEXT CalibrationResponsibleParty
2 TEXT CalibrationProtocol"""

OUTLINES: dict[str, str] = {
    "10002 Accumulated X-Ray Dose": """
0 CONTAINER AccumulatedXRayDoseData
1 CODE AcquisitionPlane""" + _CALIBRATION + """
1 NUM DoseAreaProductTotal Gy.m2
1 NUM DoseRPTotal Gy
1 NUM TotalNumberOfRadiographicFrames 1
1 TEXT 121106|DCM|Comment""",
    "10003 Irradiation Event X-Ray Data": """
0 CONTAINER IrradiationEventXRayData
1 CODE AcquisitionPlane
1 UIDREF IrradiationEventUID
1 TEXT IrradiationEventLabel
2 CODE LabelType
1 DATETIME 111526|DCM|DateTime Started
1 CODE IrradiationEventType
1 TEXT 125203|DCM|Acquisition Protocol
1 CODE T-D0005|SRT|Anatomical structure
2 CODE G-C171|SRT|Laterality
1 CODE 111031|DCM|Image View
2 CODE 111032|DCM|Image View Modifier
1 CODE ProjectionEponymousName
1 CODE PatientTableRelationship
1 CODE PatientOrientation
2 CODE PatientOrientationModifier
1 CODE QualityControlIntent
1 NUM 122130|DCM|Dose Area Product Gy.m2
1 NUM HalfValueLayer mm
1 NUM EntranceExposureAtRP mGy
1 NUM AverageGlandularDose mGy
1 NUM CompressionForce N
1 NUM CompressionThickness mm
1 NUM PatientEquivalentThickness mm
1 CODE ReferencePointDefinition
1 IMAGE AcquiredImage
1 TEXT 121106|DCM|Comment""" + _PERSON + _DEVICE,
    "10003A Irradiation Event X-Ray Detector Data": """
0 CONTAINER IrradiationEventXRayData
1 CONTAINER XRayDetectorDataAvailable
2 CODE DetectorType
2 NUM ExposureIndex 1
2 NUM TargetExposureIndex 1
2 NUM DeviationIndex 1
2 TEXT 121106|DCM|Comment""",
    "10003B Irradiation Event X-Ray Source Data": """
0 CONTAINER IrradiationEventXRayData
1 CODE XRaySourceDataAvailable
1 NUM DoseRP Gy
1 CODE ReferencePointDefinition
1 CODE FluoroMode
1 NUM PulseRate {pulse}/s
1 NUM NumberOfPulses 1
2 CODE 121401|DCM|Derivation
1 NUM IrradiationDuration s
1 NUM KVP kV
1 NUM KVP kV
1 NUM XRayTubeCurrent mA
1 NUM XRayTubeCurrent mA
1 NUM AverageXRayTubeCurrent mA
1 NUM ExposureTime ms
1 NUM PulseWidth ms
1 NUM PulseWidth ms
1 NUM Exposure uA.s
1 NUM FocalSpotSize mm
1 CODE AnodeTargetMaterial
1 CONTAINER XRayFilters
2 CODE XRayFilterType
2 CODE XRayFilterMaterial
2 NUM XRayFilterThicknessMinimum mm
2 NUM XRayFilterThicknessMaximum mm
1 CONTAINER XRayFilters
2 CODE XRayFilterType
2 CODE XRayFilterMaterial
2 NUM XRayFilterThicknessMinimum mm
2 NUM XRayFilterThicknessMaximum mm
1 NUM CollimatedFieldArea m2
1 NUM CollimatedFieldHeight mm
1 NUM CollimatedFieldWidth mm
1 CODE XRayGrid""",
    "10003C Irradiation Event X-Ray Mechanical Data": """
0 CONTAINER IrradiationEventXRayData
1 CODE CRDRMechanicalConfiguration
1 NUM 112011|DCM|Positioner Primary Angle deg
1 NUM 112012|DCM|Positioner Secondary Angle deg
1 NUM PositionerPrimaryEndAngle deg
1 NUM PositionerSecondaryEndAngle deg
1 NUM ColumnAngulation deg
1 NUM TableHeadTiltAngle deg
1 NUM TableHorizontalRotationAngle deg
1 NUM TableCradleTiltAngle deg
1 NUM TableLongitudinalPosition mm
1 NUM TableLateralPosition mm
1 NUM TableHeightPosition mm
1 NUM TableLongitudinalEndPosition mm
1 NUM TableLateralEndPosition mm
1 NUM TableHeightEndPosition mm
1 NUM DistanceSourceToIsocenter mm
1 NUM DistanceSourceToReferencePoint mm
1 NUM DistanceSourceToDetector mm
1 NUM DistanceSourceToTablePlane mm""",
    "10004 Accumulated Fluoroscopy and Acquisition Projection X-Ray Dose": """
0 CONTAINER AccumulatedXRayDoseData
1 NUM FluoroDoseAreaProductTotal Gy.m2
1 NUM FluoroDoseRPTotal Gy
1 NUM TotalFluoroTime s
1 NUM AcquisitionDoseAreaProductTotal Gy.m2
1 NUM AcquisitionDoseRPTotal Gy
1 NUM TotalAcquisitionTime s
1 CODE ReferencePointDefinition""",
    "10005 Accumulated Mammography X-Ray Dose": """
0 CONTAINER AccumulatedXRayDoseData
1 NUM AccumulatedAverageGlandularDose mGy
2 CODE G-C171|SRT|Laterality
1 NUM AccumulatedAverageGlandularDose mGy
2 CODE G-C171|SRT|Laterality""",
    "10007 Accumulated Total Projection Radiography Dose": """
0 CONTAINER AccumulatedXRayDoseData
1 NUM DoseAreaProductTotal Gy.m2
1 NUM DoseRPTotal Gy
1 NUM DistanceSourceToReferencePoint mm
1 NUM TotalNumberOfRadiographicFrames 1
1 CODE DetectorType
1 CODE ReferencePointDefinition""",
    "10012 CT Accumulated Dose Data": """
0 CONTAINER CTAccumulatedDoseData
1 NUM TotalNumberOfIrradiationEvents {events}
1 NUM CTDoseLengthProductTotal mGy.cm
1 NUM CTEffectiveDoseTotal mSv
2 CODE 121401|DCM|Derivation
2 TEXT PatientModel
2 TEXT EffectiveDosePhantomType
2 TEXT DosimeterType
1 TEXT 121106|DCM|Comment""" + _DEVICE,
    "10013 CT Irradiation Event Data": """
0 CONTAINER CTAcquisition
1 TEXT 125203|DCM|Acquisition Protocol
1 CODE 123014|DCM|Target Region
1 CODE CTAcquisitionType
1 CODE 408730004|SCT|Procedure Context
1 UIDREF IrradiationEventUID
1 CONTAINER CTAcquisitionParameters
2 NUM ExposureTime s
2 NUM ScanningLength mm
2 NUM LengthOfReconstructableVolume mm
2 NUM ExposedRange mm
2 NUM TopZLocationOfReconstructableVolume mm
2 NUM BottomZLocationOfReconstructableVolume mm
2 NUM TopZLocationOfScanningLength mm
2 NUM BottomZLocationOfScanningLength mm
2 UIDREF 112227|DCM|Frame of Reference UID
2 NUM NominalSingleCollimationWidth mm
2 NUM NominalTotalCollimationWidth mm
2 NUM PitchFactor {ratio}
2 NUM NumberOfXRaySources {sources}
2 CONTAINER CTXRaySourceParameters
3 TEXT IdentificationOfTheXRaySource
3 NUM KVP kV
3 NUM MaximumXRayTubeCurrent mA
3 NUM XRayTubeCurrent mA
3 NUM ExposureTimePerRotation s
3 NUM XRayFilterAluminumEquivalent mm
2 CONTAINER CTXRaySourceParameters
3 TEXT IdentificationOfTheXRaySource
3 NUM KVP kV
3 NUM MaximumXRayTubeCurrent mA
3 NUM XRayTubeCurrent mA
1 CONTAINER CTDose
2 NUM MeanCtdivol mGy
2 CODE CtdiwPhantomType
2 NUM CtdifreeairCalculationFactor mGy/mA.s
2 NUM MeanCtdifreeair mGy
2 NUM DLP mGy.cm
2 NUM EffectiveDose mSv
3 NUM EffectiveDoseConversionFactor mSv/mGy.cm
3 CODE 121401|DCM|Measurement Method
2 NUM SizeSpecificDoseEstimate mGy
3 NUM MeasuredLateralDimension mm
3 NUM MeasuredAPDimension mm
3 NUM DerivedEffectiveDiameter mm
1 CODE XRayModulationType
1 TEXT 121106|DCM|Comment
1 CODE SourceOfDoseInformation""" + _PERSON + _DEVICE,
    "10015 CT Dose Check Details": """
0 CONTAINER CTAcquisition
1 CONTAINER DoseCheckAlertDetails
2 CODE DLPAlertValueConfigured
2 CODE CtdivolAlertValueConfigured
2 NUM DLPAlertValue mGy.cm
2 NUM CtdivolAlertValue mGy
2 NUM AccumulatedDLPForwardEstimate mGy.cm
2 NUM AccumulatedCtdivolForwardEstimate mGy
2 TEXT ReasonForProceeding
1 CONTAINER DoseCheckNotificationDetails
2 CODE DLPNotificationValueConfigured
2 CODE CtdivolNotificationValueConfigured
2 NUM DLPNotificationValue mGy.cm
2 NUM CtdivolNotificationValue mGy
2 NUM DLPForwardEstimate mGy.cm
2 NUM CtdivolForwardEstimate mGy
2 TEXT ReasonForProceeding""" + _PERSON,
    "10022 Radiopharmaceutical Administration Event Data": """
0 CONTAINER RadiopharmaceuticalAdministration
1 CODE F-61FDB|SRT|Radiopharmaceutical agent
2 CODE C-10072|SRT|Radionuclide
2 NUM R-42806|SRT|Radionuclide Half Life s
1 NUM 123007|DCM|Radiopharmaceutical Specific Activity Bq/mol
1 UIDREF RadiopharmaceuticalAdministrationEventUID
1 CODE IntravenousExtravasationSymptoms
1 NUM EstimatedExtravasationActivity %
1 DATETIME 123003|DCM|Radiopharmaceutical Start DateTime
1 DATETIME 123004|DCM|Radiopharmaceutical Stop DateTime
1 NUM AdministeredActivity MBq
1 NUM 123005|DCM|Radiopharmaceutical Volume cm3
1 NUM PreAdministrationMeasuredActivity MBq
2 DATETIME 121125|DCM|DateTime of Measurement
2 CODE ActivityMeasurementDevice
1 NUM PostAdministrationMeasuredActivity MBq
1 CODE G-C340|SRT|Route of administration
2 CODE G-C32C|SRT|Site of
3 CODE G-C171|SRT|Laterality
1 TEXT DrugProductIdentifier
1 TEXT RadiopharmaceuticalDispenseUnitIdentifier
1 TEXT RadiopharmaceuticalLotIdentifier
1 TEXT ReagentVialIdentifier
1 TEXT RadionuclideVialIdentifier
1 TEXT PrescriptionIdentifier
1 TEXT 121106|DCM|Comment""" + _PERSON,
    "10023 Organ Dose": """
0 CONTAINER RadiopharmaceuticalAdministration
1 CONTAINER OrganDoseInformation
2 CODE 363698007|SCT|Finding Site
3 CODE 272741003|SCT|Laterality
2 NUM 118538004|SCT|Mass g
2 NUM OrganDose mGy
2 CODE 121401|DCM|Measurement Method
2 TEXT 121406|DCM|Reference Authority
1 CONTAINER OrganDoseInformation
2 CODE 363698007|SCT|Finding Site
2 NUM OrganDose mGy""",
    "10024 Radiopharmaceutical Administration Patient Characteristics": """
0 CONTAINER 121118|DCM|Patient Characteristics
1 CODE 109054|DCM|Patient State
1 NUM 121033|DCM|Subject Age a
1 CODE 121032|DCM|Subject Sex
1 NUM 8302-2|LN|Patient Height cm
1 NUM 29463-7|LN|Patient Weight kg
1 NUM 8277-6|LN|Body Surface Area m2
2 CODE 8278-4|LN|Body Surface Area Formula
1 NUM 60621009|SCT|Body Mass Index kg/m2
1 NUM 14749-6|LN|Glucose mmol/l
1 NUM FastingDuration h
1 NUM HydrationVolume ml
1 TEXT RecentPhysicalActivity
1 NUM 2160-0|LN|Serum Creatinine mg/dl
1 NUM 80274001|SCT|Glomerular Filtration Rate ml/min
2 CODE 121401|DCM|Measurement Method""",
    "10030 Patient Radiation Dose": """
0 CONTAINER RadiationDoseEstimate
1 TEXT RadiationDoseEstimateName
1 UIDREF IrradiationEventUID
1 CONTAINER RadiationDoseEstimateMethodology
2 TEXT PatientRadiationDoseModel
2 CODE PatientModelType
3 NUM 8302-2|LN|Patient Height cm
3 NUM 29463-7|LN|Patient Weight kg
3 CODE ModelPatientSex
2 CODE RadiationDoseEstimateMethodType
1 CONTAINER RadiationDoseEstimateParameters
2 CODE RadiationDoseEstimateParameterType
2 NUM EquivalentAttenuatorThickness mm
2 CODE EquivalentAttenuatorMaterial
1 CONTAINER RadiationDoseEstimateRepresentation
2 CODE 363698007|SCT|Finding Site
3 CODE 272741003|SCT|Laterality
2 NUM AbsorbedDose mGy
3 CODE 121401|DCM|Derivation
3 NUM 370128005|SCT|Uncertainty %
2 NUM EquivalentDose mSv
2 NUM MeanAbsorbedRadiationDose mGy
2 NUM MaximumAbsorbedRadiationDose mGy
2 NUM EffectiveDose mSv
2 TEXT 121106|DCM|Comment""" + _PERSON + _DEVICE,
}  # fmt: skip

_DCM: dict[str, dict[str, tuple[str, list[int]]]] = cast(Any, _concepts_dict).concepts["DCM"]
_NAMES = {
    keyword: (value, meaning)
    for keyword, entries in _DCM.items()
    for value, (meaning, _) in entries.items()
}


def report(template: str, copies: int = 1) -> Dataset:
    """A document that holds this many containers of a template, of the class it is for."""
    number = int(template[:5])
    classes = ((10020, XRAY), (10030, RADIOPHARMACEUTICAL), (99999, PATIENT))
    sop_class = next(uid for end, uid in classes if number < end)
    values = count(1)
    some = [_container(OUTLINES[template], values) for _ in range(copies)]
    return made.document(*some, sop_class=sop_class)


def numbers(dataset: Dataset) -> Iterator[tuple[str, str, str]]:
    """Each number of a document: its concept, value and unit."""
    for item in dataset.get("ContentSequence", ()):
        if item.ValueType == "NUM":
            (measured,) = item.MeasuredValueSequence
            (unit,) = measured.MeasurementUnitsCodeSequence
            name = item.ConceptNameCodeSequence[0].CodeMeaning
            yield name, str(measured.NumericValue), unit.CodeValue
        yield from numbers(item)


def _container(outline: str, values: Iterator[int]) -> Dataset:
    above: list[Dataset] = []
    for line in outline.strip().splitlines():
        depth, kind, words = line.split(" ", 2)
        item = _item(kind, words, next(values))
        del above[int(depth) :]
        if above:
            held = above[-1].setdefault("ContentSequence", Sequence()).value
            held.append(item)
            item.RelationshipType = "CONTAINS" if above[-1].ValueType == "CONTAINER" else _BELOW
        above.append(item)
    return above[0]


_BELOW = "HAS PROPERTIES"


def _item(kind: str, words: str, value: int) -> Dataset:
    name, _, unit = words.rpartition(" ") if kind == "NUM" else (words, "", "")
    if "|" in name:
        coded, scheme, meaning = name.split("|")
    else:
        scheme, (coded, meaning) = "DCM", _NAMES[name]
    concept = made.code(meaning, coded, scheme)
    if kind == "NUM":
        return made.number(f"{value}.{value % 9 + 1}", unit, concept)
    item = made.item(kind, concept)
    match kind:
        case "CODE":
            item.ConceptCodeSequence = Sequence([made.code(f"Meaning {value}", f"V{value}")])
        case "TEXT":
            item.TextValue = f"Words {value}, of some length"
        case "PNAME":
            item.PersonName = f"Name{value}^Given"
        case "DATETIME":
            item.DateTime = f"2026010203{value % 60:02}05"
        case "UIDREF":
            item.UID = f"2.25.{value}"
        case "IMAGE":
            item.ReferencedSOPSequence = Sequence([made.referenced(made.CT_IMAGE, f"2.25.{value}")])
        case _:
            pass
    return item
