"""Objects that are not what an archive tells of them."""

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from dicom_mcp.demo.index import Index
from tests.content import documents as made

EXPLICIT, DEFLATED = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"
# Seconds; the server gives a call 30.
PATIENCE = 30.0


class Hostile(Index):
    """An index whose objects are not what it tells of them."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, Dataset] = {}
        self.given: dict[str, tuple[bytes, str]] = {}

    def put(self, number: int, told: Dataset, given: bytes, syntax: str = EXPLICIT) -> None:
        """Tell of one object, and give another."""
        told.SeriesInstanceUID, told.SOPInstanceUID = f"2.25.8{number}", f"2.25.9{number}"
        told.StudyInstanceUID, told.SeriesNumber = f"2.25.7{number}", number
        self.add(told)
        self.told[f"2.25.9{number}"] = told
        self.given[f"2.25.9{number}"] = given, syntax

    def object(self, sop_instance_uid: str) -> tuple[bytes, str] | None:
        return self.given.get(sop_instance_uid)

    def data_set(self, sop_instance_uid: str) -> Dataset | None:
        return self.told.get(sop_instance_uid)


def encoded(dataset: Dataset) -> bytes:
    """The data set in Explicit VR Little Endian."""
    file = DicomBytesIO()
    file.is_implicit_VR, file.is_little_endian = False, True
    write_dataset(file, dataset)
    return file.getvalue()


def document(content: bytes) -> Dataset:
    return made.encapsulated(content, made.PDF, "application/pdf")
