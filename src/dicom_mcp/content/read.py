"""The bytes of an object as a Dataset, when nobody knows whether they are honest (PS3.5 7, PS3.10).

pydicom inflates a deflated data set as far as it goes and follows sequences as deep as Python
lets it; both ends are set here.
"""

import zlib
from io import BytesIO

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_dataset  # pyright: ignore[reportUnknownVariableType]
from pydicom.uid import UID

from ..standard.part10 import file_meta
from .error import ContentError

# Bytes an object may have: a tomosynthesis of 60 views has 400 MiB.
MOST_BYTES = 512 << 20

# A deflated data set is one of text, or a small image: what it unpacks to stays below this.
MOST_INFLATED = 128 << 20

IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
EXPLICIT_VR_BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = frozenset({"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95"})


def read_object(content: bytes, transfer_syntax: str = "", *, most: int = MOST_BYTES) -> Dataset:
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
            BytesIO(content),
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


def _without_meta(content: bytes) -> tuple[bytes, str]:
    """The data set of a DICOM file and its transfer syntax (PS3.10 7.1)."""
    try:
        found = file_meta(content)
    except ValueError as trouble:
        raise ContentError(str(trouble)) from trouble
    return content[found.length :], found.transfer_syntax


def _inflated(content: bytes, most: int) -> bytes:
    """A deflated data set (PS3.5 A.5), no larger than this."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        found = inflate.decompress(content, most + 1)
    except zlib.error as trouble:
        raise ContentError("The deflated object is damaged", "Retrieve it again") from trouble
    if len(found) > most:
        raise ContentError(
            f"The deflated object of {len(content):,} bytes inflates to more than {most:,}",
            "No honest object does; tell whoever made it",
        )
    return found
