"""Images to be rendered: pydicom's test files, pydicom-data's where they are, and made ones."""

import os
import warnings
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import numpy as np
import pydicom.data
from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType]
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from tests.content import documents as made

PYDICOM = Path(pydicom.data.__file__).parent / "test_files"
IMPLICIT_VR = "1.2.840.10008.1.2"


def data_store() -> Path | None:
    """pydicom-data's files: where it is installed, or where DICOM_MCP_PYDICOM_DATA says."""
    if told := os.environ.get("DICOM_MCP_PYDICOM_DATA"):
        return Path(told)
    found = find_spec("data_store")
    return Path(found.origin).parent / "data" if found and found.origin else None


def images() -> Iterator[tuple[Path, Dataset]]:
    """Every file with pixel data, in the order of their names."""
    folders = [PYDICOM, *filter(None, [data_store()])]
    for path in sorted(path for folder in folders for path in folder.rglob("*")):
        if path.is_file() and path.suffix in ("", ".dcm"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    dataset = dcmread(path, force=True)
                except Exception:  # some are broken on purpose
                    continue
                if "PixelData" in dataset and "Rows" in dataset:
                    yield path, dataset


def transfer_syntax(dataset: Dataset) -> str:
    """The file's, or Implicit VR where it does not say."""
    meta = cast(Any, getattr(dataset, "file_meta", None))
    return str(meta.get("TransferSyntaxUID", IMPLICIT_VR) if meta else IMPLICIT_VR)


def image(
    values: "np.ndarray[Any, Any]",
    *,
    stored: int | None = None,
    high: int | None = None,
    photometric: str = "",
    modality: str = "OT",
    **attributes: object,
) -> Dataset:
    """An uncompressed image of these values: rows by columns, or by three; frames come first where
    NumberOfFrames is among the attributes."""
    dataset = made.instance("1.2.840.10008.5.1.4.1.1.7")
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    shape: Sequence[int] = values.shape[1:] if "NumberOfFrames" in attributes else values.shape
    bits = values.dtype.itemsize * 8
    dataset.Modality = modality
    dataset.Rows, dataset.Columns = shape[0], shape[1]
    dataset.SamplesPerPixel = 3 if len(shape) == 3 else 1
    dataset.PhotometricInterpretation = photometric or ("RGB" if len(shape) == 3 else "MONOCHROME2")
    if len(shape) == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated, dataset.BitsStored = bits, stored or bits
    dataset.HighBit = dataset.BitsStored - 1 if high is None else high
    dataset.PixelRepresentation = int(values.dtype.kind == "i")
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    content = values.tobytes()
    dataset.add_new(0x7FE00010, "OW" if bits > 8 else "OB", content + b"\0" * (len(content) % 2))
    return dataset


def gradient(low: int, high: int, dtype: str = "u2", *, rows: int = 16) -> "np.ndarray[Any, Any]":
    """A ramp from low to high over the whole image."""
    return np.linspace(low, high, rows * 32).round().astype(dtype).reshape(rows, 32)
