"""Archives with a bad habit, asked directly."""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from dicom_mcp.deadline import Deadline
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.habits import Habits
from dicom_mcp.dicom_api import Archive, connect
from dicom_mcp.node import Node
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Matches, Query
from tests.bounds import PATIENCE, in_time


@contextmanager
def holding(
    objects: Iterable[Dataset], habits: Habits | None = None, **options: Any
) -> Generator[Archive]:
    """An archive of ours at an embedded one with these habits."""
    given = {"habits": habits} if habits else {}
    with EmbeddedArchive(objects, ae_title="HABITS", **given, **options) as embedded:
        archive = connect(Node(port=embedded.port, called_ae_title="HABITS"))
        try:
            yield archive
        finally:
            in_time(archive.close)


def find(
    archive: Archive,
    level: Level,
    keys: dict[str, str] | None = None,
    wanted: Sequence[str] = (),
    *,
    limit: int = 500,
) -> Matches:
    query = Query(level, keys or {}, tuple(wanted))
    return in_time(lambda: archive.find(query, limit=limit, deadline=Deadline(PATIENCE)))


def images(number: int, **values: Any) -> list[Dataset]:
    """As many objects of one series, each study, series and instance UID made of `study`."""
    study = values.pop("study", 1)
    made: list[Dataset] = []
    for one in range(1, number + 1):
        instance = Dataset()
        instance.file_meta = FileMetaDataset()
        instance.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        instance.SpecificCharacterSet = "ISO_IR 192"
        instance.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
        instance.StudyInstanceUID = f"1.2.{study}"
        instance.SeriesInstanceUID = f"1.2.{study}.1"
        instance.SOPInstanceUID = f"1.2.{study}.1.{one}"
        instance.PatientID = f"P{study}"
        instance.PatientName = "Doe^Jane"
        instance.PatientBirthDate = "19700101"
        instance.StudyDate = "20260101"
        instance.StudyTime = "120000"
        instance.Modality = "CT"
        instance.InstanceNumber = one
        for keyword, value in values.items():
            setattr(instance, keyword, value)
        made.append(instance)
    return made


def studies(number: int, **values: Any) -> list[Dataset]:
    """One object in each of as many studies, a day apart, unless `values` say otherwise."""
    made: list[Dataset] = []
    for study in range(1, number + 1):
        day = f"2026{1 + study // 28:02}{1 + study % 28:02}"
        made += images(1, study=study, **{"StudyDate": day, **values})
    return made
