"""What an index keeps of objects: the header of one object of each series, and the words of
reports."""

from .column import Column, a_count, a_day, a_number, a_time, every, first, numbers, text


def _number(name: str, meaning: str, keyword: str) -> Column:
    return Column(name, "DOUBLE", meaning, keyword, a_number)


def _count(name: str, meaning: str, keyword: str) -> Column:
    return Column(name, "INTEGER", meaning, keyword, a_count)


def _several(name: str, meaning: str, keyword: str) -> Column:
    return Column(name, "VARCHAR[]", meaning, keyword, every)


def _place(number: int) -> Column:
    """One of the two values of PixelSpacing (PS3.3 10.7.1.3)."""

    def reads(keyword: str, values: list[str]) -> float | None:
        both = numbers(keyword, values)
        return both[number] if both and len(both) == 2 else None

    name = ("row_spacing", "column_spacing")[number]
    between = "rows" if number == 0 else "columns"
    return Column(name, "DOUBLE", f"mm between {between}", "PixelSpacing", reads)


# Why a row has nothing else.
FAULT = text("fault", "why it could not be read; all else is NULL then", "")

_OF_OBJECT = (
    text("study_uid", "of its study", "StudyInstanceUID"),
    text("series_uid", "of its series", "SeriesInstanceUID"),
    text("sop_instance_uid", "which object was read", "SOPInstanceUID"),
)

HEADERS: tuple[Column, ...] = (
    *_OF_OBJECT,
    text("sop_class_uid", "what kind of object it is", "SOPClassUID"),
    text("transfer_syntax_uid", "how it is encoded", "TransferSyntaxUID"),
    _several("image_type", "ORIGINAL, PRIMARY, AXIAL, …", "ImageType"),
    text("burned_in_annotation", "YES or NO: text in the pixels", "BurnedInAnnotation"),
    text("lossy", "01: it was compressed with loss", "LossyImageCompression"),
    Column("acquisition_date", "DATE", "when it was taken", "AcquisitionDate", a_day),
    Column("acquisition_time", "TIME", "its time of day", "AcquisitionTime", a_time),
    text("institution", "where", "InstitutionName"),
    text("device_serial", "which scanner", "DeviceSerialNumber"),
    _several("software", "of the scanner", "SoftwareVersions"),
    text("protocol", "of the scanner", "ProtocolName"),
    text("patient_position", "HFS, FFS, …", "PatientPosition"),
    _number("patient_weight", "kg", "PatientWeight"),
    _number("patient_height", "m", "PatientSize"),
    _count("row_count", "pixels", "Rows"),
    _count("column_count", "pixels", "Columns"),
    _count("frame_count", "of this object", "NumberOfFrames"),
    _count("bits", "stored for each value", "BitsStored"),
    text("photometric", "MONOCHROME2, RGB, …", "PhotometricInterpretation"),
    _place(0),
    _place(1),
    _number("slice_thickness", "mm", "SliceThickness"),
    _number("slice_spacing", "mm between slices", "SpacingBetweenSlices"),
    Column("orientation", "DOUBLE[]", "cosines of row, column", "ImageOrientationPatient", numbers),
    text("frame_of_reference", "its UID", "FrameOfReferenceUID"),
    _number("kvp", "kV", "KVP"),
    _number("tube_current", "mA", "XRayTubeCurrent"),
    _number("exposure", "mAs", "Exposure"),
    _number("exposure_time", "ms", "ExposureTime"),
    _number("ctdi_vol", "mGy", "CTDIvol"),
    _number("dose_area_product", "dGy·cm²", "ImageAndFluoroscopyAreaDoseProduct"),
    _number("pitch", "of the spiral", "SpiralPitchFactor"),
    _several("kernel", "of the reconstruction", "ConvolutionKernel"),
    _number("reconstruction_diameter", "mm", "ReconstructionDiameter"),
    _number("gantry_tilt", "degrees", "GantryDetectorTilt"),
    text("view_position", "CC, MLO, PA, …", "ViewPosition"),
    _several("scanning_sequence", "SE, IR, GR, EP", "ScanningSequence"),
    text("sequence", "as the scanner calls it", "SequenceName"),
    _number("repetition_time", "ms (TR)", "RepetitionTime"),
    _number("echo_time", "ms (TE)", "EchoTime"),
    _number("inversion_time", "ms (TI)", "InversionTime"),
    _number("flip_angle", "degrees", "FlipAngle"),
    _number("field_strength", "tesla", "MagneticFieldStrength"),
    _count("echo_train", "its length", "EchoTrainLength"),
    _number("b_value", "s/mm²", "DiffusionBValue"),
    text("contrast", "agent", "ContrastBolusAgent"),
    text("radiopharmaceutical", "what was given", "Radiopharmaceutical"),
    _number("activity", "Bq", "RadionuclideTotalDose"),
    FAULT,
)

# By which other attributes objects of another kind tell the same (PS3.3 C.8).
ALSO: dict[str, tuple[str, ...]] = {
    "AcquisitionDate": ("AcquisitionDateTime",),
    "AcquisitionTime": ("AcquisitionDateTime",),
    "PixelSpacing": ("ImagerPixelSpacing", "NominalScannedPixelSpacing"),
    "XRayTubeCurrent": ("XRayTubeCurrentInmA",),
    "Exposure": ("ExposureInmAs",),
    "ExposureTime": ("ExposureTimeInms",),
    "EchoTime": ("EffectiveEchoTime",),
    "EchoTrainLength": ("RFEchoTrainLength",),
    "InversionTime": ("InversionTimes",),
    "SequenceName": ("PulseSequenceName",),
    "ContrastBolusAgent": ("CodeMeaning",),
}

REPORTS: tuple[Column, ...] = (
    *_OF_OBJECT,
    text("kind", "structured report, radiation dose report, PDF, CDA, …", "kind"),
    text("title", "its own", "title"),
    Column("report_date", "DATE", "when it was written", "ContentDate", a_day),
    Column("report_time", "TIME", "its time of day", "ContentTime", a_time),
    text("completion", "COMPLETE or PARTIAL, where it says", "CompletionFlag"),
    text("verification", "VERIFIED or UNVERIFIED, where it says", "VerificationFlag"),
    text("preliminary", "PRELIMINARY or FINAL, where it says", "PreliminaryFlag"),
    _several("authors", "who wrote it", "authors"),
    text("conclusion", "what it concludes, as far as that can be told", "conclusion"),
    text("text", "all of its words", "text"),
    Column("is_whole", "BOOLEAN", "whether the text is all of it", "is_whole", first),
    _several("notes", "what is missing of the text", "notes"),
    FAULT,
)
