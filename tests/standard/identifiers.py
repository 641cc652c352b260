"""A value of every VR, and identifiers as pydicom writes them."""

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from dicom_mcp.standard.syntaxes import IMPLICIT_VR_LITTLE_ENDIAN

# For each VR: an attribute, what pydicom is given, what a match then holds.
VALUES: dict[str, tuple[str, object, object]] = {
    "AE": ("RetrieveAETitle", ["ONE", "TWO"], ["ONE", "TWO"]),
    "AS": ("PatientAge", "042Y", "042Y"),
    "AT": ("FrameIncrementPointer", [0x00181063, 0x7FE00010], ["00181063", "7FE00010"]),
    "CS": ("ModalitiesInStudy", ["CT", "SR"], ["CT", "SR"]),
    "DA": ("StudyDate", "20240229", "20240229"),
    "DS": ("PixelSpacing", ["0.50", "0.5"], ["0.50", "0.5"]),
    "DT": ("AcquisitionDateTime", "20240229101530.5+0100", "20240229101530.5+0100"),
    "FD": ("RealWorldValueIntercept", -0.1, -0.1),
    "FL": ("RecommendedDisplayFrameRateInFloat", 0.5, 0.5),
    "IS": ("InstanceNumber", "7", 7),
    "LO": ("PatientID", "A 1", "A 1"),
    "LT": ("AdditionalPatientHistory", "a\\b\r\nc", "a\\b\r\nc"),
    "OB": ("EncapsulatedDocument", b"abcd", "<4 bytes>"),
    "OD": ("DoubleFloatPixelData", bytes(8), "<8 bytes>"),
    "OF": ("FloatPixelData", bytes(4), "<4 bytes>"),
    "OL": ("TrackPointIndexList", bytes(4), "<4 bytes>"),
    "OV": ("ExtendedOffsetTable", bytes(8), "<8 bytes>"),
    "OW": ("RedPaletteColorLookupTableData", bytes(6), "<6 bytes>"),
    "PN": ("PatientName", "Doe^Jane", "Doe^Jane"),
    "SH": ("AccessionNumber", "007", "007"),
    "SL": ("ReferencePixelX0", -70000, -70000),
    "SQ": ("ReferencedStudySequence", [], []),
    "SS": ("TagAngleSecondAxis", -3, -3),
    "ST": ("InstitutionAddress", "1 Main St\r\nX", "1 Main St\r\nX"),
    "SV": ("SelectorSVValue", [-(2**62), 3], [-(2**62), 3]),
    "TM": ("StudyTime", "101530.123", "101530.123"),
    "UC": ("LongCodeValue", "x" * 70000, "x" * 70000),
    "UI": ("StudyInstanceUID", "1.2.3", "1.2.3"),
    "UL": ("SimpleFrameList", [1, 2**32 - 1], [1, 2**32 - 1]),
    "UR": ("RetrieveURL", "http://example.org/a?b=c", "http://example.org/a?b=c"),
    "US": ("Rows", 512, 512),
    "UT": ("TextValue", "long\\text", "long\\text"),
    "UV": ("SelectorUVValue", 2**64 - 1, 2**64 - 1),
}


def written(dataset: Dataset, syntax: str) -> bytes:
    """The Dataset as pydicom encodes it."""
    buffer = DicomBytesIO()
    buffer.is_implicit_VR = syntax == IMPLICIT_VR_LITTLE_ENDIAN
    buffer.is_little_endian = True
    write_dataset(buffer, dataset, dataset.get("SpecificCharacterSet", "ISO_IR 6"))
    return buffer.getvalue()
