"""Objects for an archive to hold: three scripts, four modalities, compressed and plain."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType]
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
US_IMAGE = "1.2.840.10008.5.1.4.1.1.6.1"
BASIC_TEXT_SR = "1.2.840.10008.5.1.4.1.1.88.11"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

# pydicom's compressed test images, by the name of their transfer syntax.
COMPRESSED: dict[str, str] = {
    "JPEG 2000": "JPEG2000.dcm",
    "JPEG 2000 lossless": "MR_small_jp2klossless.dcm",
    "JPEG extended": "JPEG-lossy.dcm",
    "RLE": "MR_small_RLE.dcm",
}

ROOT = "1.2.826.0.1.3680043.10.2"


def instance(number: int, **attributes: object) -> Dataset:
    """A small object; its UIDs say which study, series and instance it is unless given."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SpecificCharacterSet = attributes.pop("SpecificCharacterSet", "ISO_IR 192")
    dataset.SOPClassUID = CT_IMAGE
    dataset.SOPInstanceUID = f"{ROOT}.{number}"
    dataset.StudyInstanceUID = f"{ROOT}.1"
    dataset.SeriesInstanceUID = f"{ROOT}.1.1"
    dataset.Modality = "CT"
    dataset.PatientID = "P1"
    dataset.PatientName = "Doe^Jane"
    dataset.InstanceNumber = number
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def study(
    number: int, series: dict[str, tuple[str, int]], **attributes: object
) -> Iterator[Dataset]:
    """A study: `series` maps each modality to its SOP class UID and number of objects."""
    uid = f"{ROOT}.{number}"
    for position, (modality, (sop_class_uid, count)) in enumerate(series.items(), start=1):
        for one in range(1, count + 1):
            yield instance(
                one,
                StudyInstanceUID=uid,
                SeriesInstanceUID=f"{uid}.{position}",
                SOPInstanceUID=f"{uid}.{position}.{one}",
                SOPClassUID=sop_class_uid,
                Modality=modality,
                SeriesNumber=position,
                **attributes,
            )


def hospital() -> Iterator[Dataset]:
    """Four patients with six studies, 17 objects in all."""
    yield from study(
        1,
        {"CT": (CT_IMAGE, 5), "SR": (BASIC_TEXT_SR, 1)},
        PatientName="Doe^Jane",
        PatientID="007",
        PatientBirthDate="19700102",
        StudyDate="20240110",
        StudyTime="101530",
        StudyDescription="CT Chest",
        AccessionNumber="A1",
        StationName="CT-EAST",
    )
    yield from study(
        2,
        {"CT": (CT_IMAGE, 4)},
        PatientName="Doe^Jane",
        PatientID="007",
        PatientBirthDate="19700102",
        StudyDate="20240210",
        StudyTime="1130",
        StudyDescription="CT Chest follow-up",
        AccessionNumber="",
    )
    yield from study(
        3,
        {"MR": (MR_IMAGE, 3)},
        SpecificCharacterSet="ISO_IR 100",
        PatientName="Müller^Jürgen",
        PatientID="8",
        StudyDate="20240210",
        StudyTime="083000",
        StudyDescription="MR Schädel",
        AccessionNumber="A3",
    )
    yield from study(
        4,
        {"US": (US_IMAGE, 2)},
        SpecificCharacterSet=["", "ISO 2022 IR 87"],
        PatientName="Yamada^Tarou=山田^太郎=やまだ^たろう",
        PatientID="9",
        StudyDate="20240301",
        StudyTime="140000",
        StudyDescription="US Abdomen",
        AccessionNumber="A4",
    )
    yield from study(
        5,
        {"MR": (MR_IMAGE, 1)},
        SpecificCharacterSet="ISO_IR 144",
        PatientName="Иванов^Иван",
        PatientID="10",
        StudyDate="20240302",
        StudyTime="",
        StudyDescription="МРТ",
        AccessionNumber="A5",
    )
    yield from study(
        6,
        {"CT": (CT_IMAGE, 1)},
        PatientName="Doe^John",
        PatientID="7",
        StudyDate="20231231",
        StudyTime="235959.5",
        StudyDescription="CT Head",
        AccessionNumber="A6",
    )


def compressed() -> Iterator[Dataset]:
    """Images in one study, each in a syntax of its own, their pixels as pydicom ships them."""
    for number, name in enumerate(COMPRESSED.values(), start=1):
        image = dcmread(cast("str", get_testdata_file(name)))
        image.StudyInstanceUID = f"{ROOT}.20"
        image.SeriesInstanceUID = f"{ROOT}.20.{number}"
        image.SOPInstanceUID = f"{ROOT}.20.{number}.1"
        yield image


def pixels(path: Path) -> tuple[str, bytes]:
    """The SOP Instance UID of a stored file and its pixel data as encoded."""
    image = dcmread(path)
    return str(image.SOPInstanceUID), image.PixelData


def entry(name: str, **step: object) -> Dataset:
    """A worklist entry with one scheduled procedure step (PS3.4 K.6.1.2)."""
    scheduled = Dataset()
    scheduled.Modality = "CT"
    scheduled.ScheduledStationAETitle = "CT1"
    scheduled.ScheduledProcedureStepStartDate = "20240401"
    scheduled.ScheduledProcedureStepStartTime = "0900"
    scheduled.ScheduledProcedureStepID = "S1"
    for keyword, value in step.items():
        setattr(scheduled, keyword, value)
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName = name
    dataset.PatientID = name.partition("^")[0].upper()
    dataset.AccessionNumber = "W1"
    dataset.RequestedProcedureID = "R1"
    dataset.ScheduledProcedureStepSequence = [scheduled]
    return dataset


def worklist() -> list[Dataset]:
    """Three entries: two CT and one MR, on two days."""
    return [
        entry("Doe^Jane"),
        entry("Müller^Jürgen", Modality="MR", ScheduledStationAETitle=["MR1", "MR2"]),
        entry("Doe^John", ScheduledProcedureStepStartDate="20240402"),
    ]
