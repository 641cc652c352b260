"""What an answer may tell beyond what PS3.15 says: whatever stands neither in table E.1-1 nor here
is not given."""

from collections.abc import Mapping

from .treatment import Treatment

# Who and what a record is of, by its pseudonym whatever the table asks: a replacement value that
# does not tell whose it is (PS3.15 E.1.1).
IDENTITY: Mapping[str, Treatment] = {
    "PatientID": Treatment.PATIENT,
    "PatientName": Treatment.PATIENT,
    "StudyInstanceUID": Treatment.STUDY,
    "SeriesInstanceUID": Treatment.SERIES,
    "AccessionNumber": Treatment.ACCESSION,
    **dict.fromkeys(
        (
            "SOPInstanceUID",
            "AffectedSOPInstanceUID",
            "FailedSOPInstanceUIDList",
            "MediaStorageSOPInstanceUID",
            "MultiFrameSourceSOPInstanceUID",
            "ReferencedSOPInstanceUID",
            "ReferencedSOPInstanceUIDInFile",
            "RequestedSOPInstanceUID",
            "SOPInstanceUIDOfConcatenationSource",
        ),
        Treatment.INSTANCE,
    ),
    # People who work there: questions count by them. The table removes some of these.
    **dict.fromkeys(
        (
            "ConsultingPhysicianName",
            "ContentCreatorName",
            "HumanPerformerName",
            "NameOfPhysiciansReadingStudy",
            "OperatorsName",
            "PerformingPhysicianName",
            "PersonName",
            "PhysiciansOfRecord",
            "ReferringPhysicianName",
            "RequestingPhysician",
            "ReviewerName",
            "ROIInterpreter",
            "ScheduledPerformingPhysicianName",
            "VerifyingObserverName",
        ),
        Treatment.PERSON,
    ),
}


def _listed(keywords: str) -> frozenset[str]:
    return frozenset(keywords.split())


# UIDs that name what the standard or a maker registered, not an object.
REGISTERED = _listed(
    """
    AffectedSOPClassUID AvailableTransferSyntaxUID CodingSchemeUID
    ContextGroupExtensionCreatorUID ContextUID EncryptedContentTransferSyntaxUID
    FlowTransferSyntaxUID ImplementationClassUID MACCalculationTransferSyntaxUID MappingResourceUID
    MediaStorageSOPClassUID OriginalSpecializedSOPClassUID PertinentSOPClassesInSeries
    PertinentSOPClassesInStudy ReferencedRelatedGeneralSOPClassUIDInFile ReferencedSOPClassUID
    ReferencedSOPClassUIDInFile ReferencedTransferSyntaxUIDInFile RelatedGeneralSOPClassUID
    RequestedSOPClassUID RTVCommunicationSOPClassUID SOPClassesInStudy SOPClassesSupported
    SOPClassUID StoredInstanceTransferSyntaxUID TransferSyntaxUID
    """
)

# Texts that say how something was made.
TECHNICAL = _listed(
    """
    AcquisitionDeviceProcessingCode AcquisitionMode AlgorithmName AlgorithmParameters
    AlgorithmSource AlgorithmVersion ApplicableSafetyStandardDescription ApplicationManufacturer
    ApplicationName ApplicationVersion ASLBolusCutoffTechnique ASLCrusherDescription
    ASLTechniqueDescription AttenuationCorrectionMethod CardiacFramingType CodeMeaning CodeValue
    CodingSchemeDesignator CodingSchemeName CodingSchemeRegistry
    CodingSchemeResponsibleOrganization CodingSchemeVersion CollimatorGridName
    CompressionDescription CompressionOriginator ContrastBolusRoute ConvolutionKernel
    DetectorDescription DetectorManufacturerModelName DetectorManufacturerName DetectorMode
    DigitalImageFormatAcquired DimensionDescriptionLabel DimensionIndexPrivateCreator DoseModeName
    EffectiveDoseCalculationMethodDescription EnergyWindowName ExposureControlModeDescription
    FieldOfViewDescription FilterType FluenceModeID FunctionalGroupPrivateCreator
    GridAbsorbingMaterial GridSpacingMaterial HardcopyDeviceManufacturer
    HardcopyDeviceManufacturerModelName HardcopyDeviceSoftwareVersion HistogramExplanation
    ImageFilter ImageFilterDescription ImageGeometryType ImagedNucleus ImplementationVersionName
    InterventionDrugName IOLManufacturer LensDescription ListOfMIMETypes LongCodeValue
    LUTExplanation LUTLabel Manufacturer ManufacturerModelName ManufacturerModelVersion
    ManufacturerRelatedModelGroup MappingResourceName MaskOperationExplanation
    MIMETypeOfEncapsulatedDocument ModalityLUTType ModifyingDeviceManufacturer
    MultiCoilConfiguration MultiCoilElementName OphthalmicImageTypeDescription
    OpticalPathDescription OpticalPathIdentifier OutputPower PaddleDescription
    PatientAdditionalPosition PhosphorType PixelSpacingCalibrationDescription
    PixelValueMappingExplanation PlateType PositionReferenceIndicator PostprocessingFunction
    PrivateCreatorReference ProcessingFunction PulseSequenceName PVCRejection Radionuclide
    Radiopharmaceutical RadiopharmaceuticalRoute ReceiveCoilManufacturerName ReceiveCoilName
    ReconstructionDescription ReconstructionMethod ReferencedOpticalPathIdentifier ReportingPriority
    RequestedProcedurePriority RescaleType ScatterCorrectionMethod
    SecondaryCaptureDeviceManufacturer
    SecondaryCaptureDeviceManufacturerModelName SecondaryCaptureDeviceSoftwareVersions
    SegmentAlgorithmName SequenceName SoftwareVersions SourceIsotopeName StackID StageName
    SurfaceProcessingDescription TargetPositionReferenceIndicator TimeSource
    TransmitCoilManufacturerName TransmitCoilName TransducerData TriggerSourceOrType TypeOfFilters
    URNCodeValue VideoImageFormatAcquired ViewName WindowCenterWidthExplanation
    """
)

# Texts by which people describe what they did: with Clean Descriptors, as those of the table.
DESCRIBING = _listed(
    """
    AcquisitionProtocolName AlgorithmDescription BeamName CommentsOnTheScheduledProcedureStep
    CompletionFlagDescription ContentDescription DeidentificationMethod DocumentTitle
    FiducialDescription FiducialIdentifier FrameOfInterestDescription GraphicLayerDescription
    ImplantName InstructionDescription InterventionDescription ObservationDescription
    OverlayDescription OverlayLabel PartialViewDescription PatientSetupLabel
    PerformedProcedureTypeDescription ProcedureStepLabel ProcedureStepProgressDescription
    ReferenceLocationDescription ReferenceLocationLabel RTImageDescription RTImageLabel RTImageName
    SegmentDescription SegmentLabel SetupImageComment SurfaceComments ToleranceTableLabel TrackingID
    TrackSetDescription TrackSetLabel TreatmentProtocols WorklistLabel
    """
)

# Which machine it was, where the table does not name it.
DEVICE = frozenset(("DeviceID", "GridID", "RadiationMachineName"))

# What a patient is, where the table does not say so.
BODY = frozenset(("MeasuredAPDimension", "MeasuredLateralDimension", "PatientBodyMassIndex"))

# The words of a structured report.
CONTENT = frozenset(("TextValue",))

# Of the code strings and numbers those that are no terms and no measures: paths of files, and the
# numbers other studies of the patient have.
APART = frozenset(("FileSetDescriptorFileID", "FileSetID", "OtherStudyNumbers", "ReferencedFileID"))

# Sequences whose items say who or where somebody is in attributes that do not tell elsewhere.
CLOSED = _listed(
    """
    AsserterIdentificationSequence AssigningAgencyOrDepartmentCodeSequence
    AssigningFacilitySequence AssigningJurisdictionCodeSequence AuthorIdentificationSequence
    DocumentAuthorIdentifierCodeSequenceTrial DocumentIdentifierCodeSequenceTrial
    DocumentingObserverIdentifierCodeSequenceTrial
    DocumentingOrganizationIdentifierCodeSequenceTrial EncryptedAttributesSequence
    HangingProtocolUserIdentificationCodeSequence HumanPerformerCodeSequence
    IdentifierCodeSequenceTrial IssuerOfAccessionNumberSequence IssuerOfPatientIDQualifiersSequence
    OrderFillerIdentifierSequence OrderPlacerIdentifierSequence
    """
)

# Bytes that are no text: pixels are shown, or not, by the rules of pictures.
BYTES = _listed(
    """
    AirCounts BadPixelImage ChannelMaximumValue ChannelMinimumValue
    CoordinateSystemAxisValues DarkCurrentCounts FileMetaInformationVersion ICCProfile PixelData
    WaveformData WaveformPaddingValue WeightingLookupTableData
    """
)

# Numbers of which many patients have the same one: how much there is, and how a device was set.
SETTINGS = _listed(
    """
    AcquisitionMatrix AcquisitionNumber BitsAllocated BitsStored CineRate Columns DiffusionBValue
    EchoNumbers EchoTime EchoTrainLength FlipAngle FrameTime GantryDetectorTilt HighBit
    ImagesInAcquisition InstanceNumber InversionTime KVP LossyImageCompressionRatio
    MagneticFieldStrength PixelAspectRatio PixelRepresentation PlanarConfiguration
    RecommendedDisplayFrameRate RepetitionTime Rows SamplesPerPixel SamplingFrequency SeriesNumber
    SingleCollimationWidth SliceThickness SpacingBetweenSlices SpiralPitchFactor
    TemporalPositionIdentifier TotalCollimationWidth WaveformBitsStored
    """
)
