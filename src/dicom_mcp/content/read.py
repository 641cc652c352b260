"""The bytes of an object as a Dataset, when nobody knows whether they are honest (PS3.5 7, PS3.10).

pydicom reads as far as it gets and says nothing of the rest, so that the bytes are inspected
before it reads them.
"""

from io import BytesIO
from typing import BinaryIO, cast

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_dataset  # pyright: ignore[reportUnknownVariableType]
from pydicom.uid import UID

from ..budgets import LARGEST_INFLATED, LARGEST_READ
from ..standard.part10 import file_meta
from ..standard.structure import is_implicit
from ..standard.syntaxes import EXPLICIT_VR_BIG_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from .error import ContentError
from .inspection import Inspection, inspected

# From here on a data set is read where it is, without a copy of all of it.
_LARGE = 4 << 20

# The group of pixel data in all its forms (PS3.3 C.7.6.3).
_PIXELS = 0x7FE00000

# Encapsulated Document (PS3.3 C.24.2).
_DOCUMENT = 0x00420011


def read_object(
    content: bytes | bytearray, transfer_syntax: str = "", *, most: int = LARGEST_READ
) -> Dataset:
    """A whole data set in this transfer syntax, or a DICOM file where none is given.

    The result has file meta information with the transfer syntax. Raises ContentError for what is
    damaged or cut, inflates to more than `most` bytes or is nested deeper than can be followed.
    """
    found = inspected_object(content, transfer_syntax, most=most)
    if found.beyond:
        raise ContentError(f"The object is not read: {found.beyond}", "No honest object has")
    if found.faults:
        raise ContentError(f"The object is damaged: {found.faults[0]}", "Retrieve it again")
    return read_inspected(found.data_set, found.transfer_syntax, most=most, came_in=found.came_in)


def inspected_object(
    content: bytes | bytearray, transfer_syntax: str = "", *, most: int = LARGEST_READ
) -> Inspection:
    """What an inspection finds of a data set, or of a DICOM file."""
    if not transfer_syntax:
        content, transfer_syntax = _without_meta(content)
    if len(content) > most:
        raise ContentError(
            f"The object has {len(content):,} bytes; more than {most:,} are not read here"
        )
    return inspected(content, transfer_syntax, most=min(most, LARGEST_INFLATED))


def read_inspected(
    content: bytes | bytearray,
    transfer_syntax: str,
    *,
    most: int = LARGEST_READ,
    came_in: str = "",
) -> Dataset:
    """A data set that was inspected, or what was left of it; it tells of the syntax that it was
    deflated in. Raises as `read_object` does."""
    if len(content) > most:
        raise ContentError(
            f"The object has {len(content):,} bytes; more than {most:,} are not read here"
        )
    try:
        found = read_dataset(
            BytesIO(content) if len(content) < _LARGE else cast(BinaryIO, InPlace(content)),
            is_implicit(content, transfer_syntax == IMPLICIT_VR_LITTLE_ENDIAN),
            transfer_syntax != EXPLICIT_VR_BIG_ENDIAN,
        )
    except RecursionError as trouble:
        raise ContentError(
            "The object's sequences are nested deeper than can be read",
            "No honest object is; tell whoever made it",
        ) from trouble
    except Exception as trouble:  # pydicom raises whatever its parsing stumbles over
        raise ContentError(
            "The object is damaged and cannot be read", "Retrieve it again"
        ) from trouble
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = UID(came_in or transfer_syntax)
    return found


def without_pixels(content: bytes | bytearray, transfer_syntax: str) -> bytes:
    """The data set as far as its pixel data or a large document; all of it where it is damaged."""
    stream = InPlace(content)
    try:
        read_dataset(
            cast(BinaryIO, stream),
            is_implicit(content, transfer_syntax == IMPLICIT_VR_LITTLE_ENDIAN),
            transfer_syntax != EXPLICIT_VR_BIG_ENDIAN,
            stop_when=_is_bulk,
        )
    except Exception:  # pydicom raises whatever its parsing stumbles over
        return bytes(content)
    return bytes(memoryview(content)[: stream.tell()])


def _is_bulk(tag: int, vr: str | None, length: int) -> bool:  # noqa: ARG001 - pydicom's shape
    return tag >= _PIXELS or (tag == _DOCUMENT and length >= _LARGE)


class InPlace:
    """A file that is somebody's bytes, of which nothing large is copied: what is read of it is a
    view of it (`Elements.bulk`)."""

    def __init__(self, content: "bytes | bytearray | memoryview[int]") -> None:
        self._view = memoryview(content)
        self._place = 0

    def read(self, size: int = -1) -> bytes | memoryview:
        end = len(self._view) if size < 0 else self._place + size
        found = self._view[self._place : end]
        self._place += len(found)
        return found if len(found) >= _LARGE else bytes(found)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._place = offset + (0, self._place, len(self._view))[whence]
        return self._place

    def tell(self) -> int:
        return self._place


def _without_meta(content: bytes | bytearray) -> tuple[bytes | bytearray, str]:
    """The data set of a DICOM file and its transfer syntax (PS3.10 7.1)."""
    try:
        found = file_meta(content)
    except ValueError as trouble:
        raise ContentError(str(trouble)) from trouble
    return content[found.length :], found.transfer_syntax
