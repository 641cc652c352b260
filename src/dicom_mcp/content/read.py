"""The bytes of an object as a Dataset, when nobody knows whether they are honest (PS3.5 7, PS3.10).

pydicom inflates a deflated data set as far as it goes and follows sequences as deep as Python
lets it; both ends are set here.
"""

import zlib
from io import BytesIO
from typing import BinaryIO, cast

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_dataset  # pyright: ignore[reportUnknownVariableType]
from pydicom.uid import UID

from ..standard.part10 import file_meta
from .error import ContentError

# Bytes an object may have: a tomosynthesis of 60 views has 400 MiB.
MOST_BYTES = 512 << 20

# A deflated data set is one of text, or a small image: what it unpacks to stays below this.
MOST_INFLATED = 64 << 20

# From here on a data set is read where it is, without a copy of all of it.
_LARGE = 4 << 20

# Of a deflated data set.
_PIECE = 1 << 20

# The group of pixel data in all its forms (PS3.3 C.7.6.3).
_PIXELS = 0x7FE00000

# Encapsulated Document (PS3.3 C.24.2).
_DOCUMENT = 0x00420011

IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
EXPLICIT_VR_BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = frozenset({"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95"})


def read_object(
    content: bytes | bytearray, transfer_syntax: str = "", *, most: int = MOST_BYTES
) -> Dataset:
    """A data set in this transfer syntax, or a DICOM file where none is given.

    The result has file meta information with the transfer syntax. Raises ContentError for what is
    damaged, inflates to more than `most` bytes or is nested deeper than can be followed.
    """
    if not transfer_syntax:
        content, transfer_syntax = _without_meta(content)
    if transfer_syntax in DEFLATED:
        content = _inflated(content, min(most, MOST_INFLATED))
    if len(content) > most:
        raise ContentError(
            f"The object has {len(content):,} bytes; more than {most:,} are not read here"
        )
    try:
        found = read_dataset(
            BytesIO(content) if len(content) < _LARGE else cast(BinaryIO, InPlace(content)),
            transfer_syntax == IMPLICIT_VR_LITTLE_ENDIAN,
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
    found.file_meta.TransferSyntaxUID = UID(transfer_syntax)
    return found


def without_pixels(content: bytes | bytearray, transfer_syntax: str) -> bytes:
    """The data set as far as its pixel data or a large document; all of it where it is deflated or
    damaged."""
    if transfer_syntax in DEFLATED:
        return bytes(content)
    stream = InPlace(content)
    try:
        read_dataset(
            cast(BinaryIO, stream),
            transfer_syntax == IMPLICIT_VR_LITTLE_ENDIAN,
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


def _inflated(content: bytes | bytearray, most: int) -> bytes:
    """A deflated data set (PS3.5 A.5), no larger than this."""
    try:
        if _inflated_size(content, most) > most:
            raise ContentError(
                f"The deflated object of {len(content):,} bytes inflates to more than {most:,}",
                "No honest object does; tell whoever made it",
            )
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(content)
    except zlib.error as trouble:
        raise ContentError("The deflated object is damaged", "Retrieve it again") from trouble


def _inflated_size(content: bytes | bytearray, most: int) -> int:
    """How long it gets, as far as it matters: a bomb is counted, not held."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    size, left = 0, bytes(content)
    while left and size <= most:
        size += len(inflate.decompress(left, _PIECE))
        left = inflate.unconsumed_tail
    return size
