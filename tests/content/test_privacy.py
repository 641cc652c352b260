"""Nothing an object holds reaches a log, the console or the disk, whatever is wrong with it."""

import logging
import os
import warnings
from io import BytesIO
from pathlib import Path

import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite  # pyright: ignore[reportUnknownVariableType]
from pydicom.tag import BaseTag

from dicom_mcp.content.apart import Apart
from dicom_mcp.content.geometry import geometry
from dicom_mcp.content.header import header, value_counts
from dicom_mcp.content.picture import cell, contact_sheet, picture
from dicom_mcp.content.read import read_object
from dicom_mcp.content.report import read_report
from dicom_mcp.demo.reports import pdf
from dicom_mcp.errors import DicomMcpError
from tests.content import documents as made
from tests.content.samples import gradient, image

SECRET = "ZZSECRET"

# Attributes whose VR a secret breaks: DA, TM, DT, IS, DS, UI, CS, AS, US, FD, PN, LO.
_BROKEN = (
    *(0x00080020, 0x00080030, 0x0008002A, 0x00200011, 0x00180050, 0x00080018, 0x00080060),
    *(0x00101010, 0x00280002, 0x00189087, 0x00100010, 0x00100020, 0x00281050, 0x00200032),
    *(0x00200037, 0x00280008, 0x00280120, 0x00280004, 0x00080016, 0x00281055, 0x00281056),
)


@pytest.mark.filterwarnings("ignore")
def test_a_secret_goes_through_everything_and_is_nowhere_else(
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    letter = made.encapsulated(pdf([f"{SECRET}^Anna"]), made.PDF, "application/pdf")
    report = made.document(made.text(f"{SECRET}^Anna has a nodule"))
    picture_of = image(gradient(0, 4095), stored=12)
    picture_of.PatientName = f"{SECRET}^Anna"
    objects = [letter, report, picture_of, *map(_broken, _BROKEN)]
    found, refused = list[str](), list[str]()
    with (
        caplog.at_level(logging.DEBUG),
        warnings.catch_warnings(record=True) as warned,
        Apart() as apart,
    ):
        warnings.simplefilter("always")
        for each in (*objects, *map(_reread, objects[:3])):
            for look in (
                lambda each=each: str(read_report(each)),
                lambda each=each: str(header(each)),
                lambda each=each: str(value_counts([each], ["PatientName"])),
                lambda each=each: str(geometry([each])),
                lambda each=each: picture(each, apart=apart).caption,
                lambda each=each: contact_sheet([cell(each, apart=apart)]).caption,
            ):
                try:
                    found.append(look())
                except DicomMcpError as error:
                    refused.append(str(error))
    assert sum(SECRET in text for text in found) > 20  # it was there
    assert not any(SECRET in text for text in refused)
    assert SECRET not in caplog.text
    assert not any(SECRET in str(one.message) for one in warned)
    told = capfd.readouterr()
    assert SECRET not in told.out + told.err
    assert os.listdir(tmp_path) == []


def _broken(tag: int) -> Dataset:
    """An image with one element whose bytes are a secret and no value of its VR."""
    made_of = image(gradient(0, 4095), stored=12)
    raw = (SECRET * 2).encode()
    kept = {held.tag: held for held in made_of}
    broken = Dataset(
        {**kept, BaseTag(tag): RawDataElement(BaseTag(tag), None, 16, raw, 0, True, True)}
    )
    broken.file_meta = made_of.file_meta
    return broken


def _reread(dataset: Dataset) -> Dataset:
    file = BytesIO()
    dcmwrite(file, dataset, enforce_file_format=True)
    return read_object(file.getvalue())
