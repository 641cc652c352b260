"""Which attributes describe which entity: what the embedded archive supports at each level."""

from functools import cache

from ..standard.dictionary import attribute
from ..standard.levels import UNIQUE_KEY, Level

# PS3.4 C.6.1.1.2 to C.6.1.1.4 and C.6.2.1.2, with the attributes of the patient, study, series
# and equipment modules (PS3.3 C.7.1 to C.7.5). Everything else describes the instance.
_ATTRIBUTES: dict[Level, frozenset[str]] = {
    Level.PATIENT: frozenset({
        "EthnicGroup", "IssuerOfPatientID", "OtherPatientIDs", "OtherPatientIDsSequence",
        "OtherPatientNames", "PatientBirthDate", "PatientBirthName", "PatientBirthTime",
        "PatientComments", "PatientID", "PatientMotherBirthName", "PatientName", "PatientSex",
        "PatientSpeciesDescription", "QualityControlSubject", "ReferencedPatientSequence",
        "ResponsiblePerson", "TypeOfPatientID",
    }),
    Level.STUDY: frozenset({
        "AccessionNumber", "AdditionalPatientHistory", "AdmissionID",
        "AdmittingDiagnosesDescription", "Allergies", "ConsultingPhysicianName",
        "IssuerOfAdmissionID", "MedicalAlerts", "NameOfPhysiciansReadingStudy", "Occupation",
        "PatientAge", "PatientSize", "PatientState", "PatientWeight", "PregnancyStatus",
        "ProcedureCodeSequence", "ReasonForPerformedProcedureCodeSequence",
        "ReferencedStudySequence", "ReferringPhysicianName", "RequestingService", "SmokingStatus",
        "StudyDate", "StudyDescription", "StudyID", "StudyInstanceUID", "StudyTime",
    }),
    Level.SERIES: frozenset({
        "AnatomicalOrientationType", "BodyPartExamined", "CommentsOnThePerformedProcedureStep",
        "DeviceSerialNumber", "DeviceUID", "FrameOfReferenceUID", "InstitutionAddress",
        "InstitutionName", "InstitutionalDepartmentName", "LargestPixelValueInSeries", "Laterality",
        "Manufacturer", "ManufacturerModelName", "Modality", "OperatorsName",
        "PatientPosition", "PerformedProcedureStepDescription", "PerformedProcedureStepEndDate",
        "PerformedProcedureStepEndTime", "PerformedProcedureStepID",
        "PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime",
        "PerformedProtocolCodeSequence", "PerformingPhysicianName",
        "PositionReferenceIndicator", "ProtocolName",
        "ReferencedPerformedProcedureStepSequence", "RequestAttributesSequence", "SeriesDate",
        "SeriesDescription", "SeriesInstanceUID", "SeriesNumber", "SeriesTime",
        "SmallestPixelValueInSeries", "SoftwareVersions", "StationName",
    }),
}  # fmt: skip

# Counts and lists that the archive works out from what it holds (PS3.4 C.3.4).
COMPUTED: dict[str, Level] = {
    "NumberOfPatientRelatedStudies": Level.PATIENT,
    "NumberOfPatientRelatedSeries": Level.PATIENT,
    "NumberOfPatientRelatedInstances": Level.PATIENT,
    "NumberOfStudyRelatedSeries": Level.STUDY,
    "NumberOfStudyRelatedInstances": Level.STUDY,
    "ModalitiesInStudy": Level.STUDY,
    "SOPClassesInStudy": Level.STUDY,
    "NumberOfSeriesRelatedInstances": Level.SERIES,
    "AvailableTransferSyntaxUID": Level.IMAGE,
}

# Answered at every level and never matched (PS3.4 C.4.1.1.3.2, PS3.3 C.4.23.1.1).
EVERYWHERE = frozenset({"InstanceAvailability", "RetrieveAETitle"})

# Sequences of the instance that are worth asking for; the large ones stay in the object.
_INSTANCE_SEQUENCES = frozenset({
    "AnatomicRegionSequence", "ConceptNameCodeSequence", "ContentTemplateSequence",
    "ReferencedRequestSequence", "VerifyingObserverSequence", "ViewCodeSequence",
})  # fmt: skip

_BULK_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})

# Of the study and series that a row of each table describes; the patient's stand in the study's
# row too, because each study keeps the patient as it knew them.
DESCRIBED_BY: dict[Level, frozenset[str]] = {
    Level.PATIENT: _ATTRIBUTES[Level.PATIENT],
    Level.STUDY: _ATTRIBUTES[Level.PATIENT] | _ATTRIBUTES[Level.STUDY],
    Level.SERIES: _ATTRIBUTES[Level.SERIES],
}


def level_of(keyword: str) -> Level:
    """The entity this attribute describes."""
    if keyword in COMPUTED:
        return COMPUTED[keyword]
    for level, keywords in _ATTRIBUTES.items():
        if keyword in keywords:
            return level
    return Level.IMAGE


@cache
def is_indexed(keyword: str) -> bool:
    """Whether the archive keeps this attribute of the objects it holds ready for questions."""
    known = attribute(keyword)
    if known is None or known.vr in _BULK_VRS:
        return False
    if known.vr == "SQ" and level_of(keyword) is Level.IMAGE:
        return keyword in _INSTANCE_SEQUENCES
    return True


def is_supported(keyword: str, level: Level) -> bool:
    """Whether the attribute can be matched and returned at this level (PS3.4 C.2.2.1).

    An attribute of a level below describes one of many and is not; those of levels above are.
    """
    if keyword in EVERYWHERE:
        return True
    of = level_of(keyword)
    return is_indexed(keyword) and (of is level or of in level.above)


def unique_keys_above(level: Level, top: Level) -> tuple[str, ...]:
    """The unique keys between a model's topmost level and this one (PS3.4 C.4.1.2.2.1)."""
    return tuple(UNIQUE_KEY[one] for one in level.above if one is top or top in one.above)
