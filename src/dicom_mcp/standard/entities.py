"""Which attribute describes what: a patient, a study, a series, or an instance."""

from .levels import Level

# PS3.4 C.6.1.1.2 to C.6.1.1.4 and C.6.2.1.2, with the attributes of the patient, study, series
# and equipment modules (PS3.3 C.7.1 to C.7.5). Everything else describes the instance.
ATTRIBUTES: dict[Level, frozenset[str]] = {
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


def level_of(keyword: str) -> Level:
    """The entity this attribute describes."""
    if keyword in COMPUTED:
        return COMPUTED[keyword]
    for level, keywords in ATTRIBUTES.items():
        if keyword in keywords:
            return level
    return Level.IMAGE
