"""Data sets to be cut, and where: the demo hospital's and those of pydicom's own test files.

Every test run cuts one of each kind at a few places; `make scale` cuts them all at 200.
"""

import atexit
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from io import BytesIO
from random import Random

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import data_element_generator
from pydicom.filewriter import write_dataset

from dicom_mcp.content.apart import Apart
from dicom_mcp.content.error import ContentError
from dicom_mcp.content.inspection import inspected
from dicom_mcp.deadline import Deadline
from dicom_mcp.demo.hospital import hospital
from dicom_mcp.objects.received import received
from dicom_mcp.standard.instance import Instance, Reference
from dicom_mcp.standard.part10 import file_meta, heading
from dicom_mcp.standard.syntaxes import DEFLATED
from tests.content.samples import PYDICOM

IS_AT_SCALE = os.environ.get("DICOM_MCP_SCALE") == "1"

MOST = 64 << 20

# What follows is nothing that was stored (PS3.3 C.12.1.1.1: it pads the file).
_PADDING = (b"\xfc\xff\xfc\xff", b"\xff\xfc\xff\xfc")

# In these something stands behind all that their kind must have, and no length tells of it.
_BEHIND = ("waveform_ecg.dcm", "reportsi_with_empty_number_tags.dcm", "Encapsulated PDF")


@dataclass(frozen=True, slots=True)
class Sample:
    """A data set that is whole, and how it is asked for."""

    name: str
    content: bytes
    syntax: str
    reference: Reference

    def __str__(self) -> str:
        return self.name

    @property
    def heading(self) -> bytes:
        """What stands before it in a file."""
        one = self.reference
        return heading(Instance(one.sop_class_uid, one.sop_instance_uid, self.syntax, bytearray()))

    def places(self, count: int, way: str = "", at_scale: int = 200) -> Iterator[int]:
        """So many random places at which something of it is lost, other ones for each way."""
        random, unseen = Random(f"{self.name} {way}"), self._unseen()
        for _ in range(at_scale if IS_AT_SCALE else count):
            place = random.randrange(1, len(self.content))
            if place not in unseen:
                yield place

    def _unseen(self) -> set[int]:
        """Where what is left is all that there is to be known."""
        if self.syntax in DEFLATED:  # what a file has after the stream's own end is not read
            return {*range(len(self.content) - 8, len(self.content))}
        ends = ends_of_elements(self.content, self.syntax)
        if self.name.startswith(_BEHIND):
            return {place for place in ends if is_sound(self.content[:place], self.syntax)}
        return {one for one in ends if self.content[one : one + 4] in _PADDING}


@cache
def samples(*, every: bool = False) -> tuple[Sample, ...]:
    """Every file of pydicom's that is whole, and an object of each kind of the hospital, or every
    object."""
    found = (*of_pydicom(), *of_hospital(every=every))
    return tuple(one for one in found if is_sound(one.content, one.syntax))


def of_pydicom() -> Iterator[Sample]:
    """pydicom's files, without what stands before their data sets."""
    for path in sorted(PYDICOM.glob("*.dcm")):
        content = path.read_bytes()
        try:
            meta = file_meta(content)
        except ValueError:
            continue
        yield _sample(path.name, content[meta.length :], meta.transfer_syntax)


def of_hospital(*, every: bool) -> Iterator[Sample]:
    """Every object of the hospital, or one of each kind."""
    kinds: set[str] = set()
    for number, dataset in enumerate(hospital(date(2026, 3, 31)).pacs()):
        syntax = str(dataset.file_meta.TransferSyntaxUID)
        if every or f"{dataset.SOPClassUID} {syntax}" not in kinds:
            kinds.add(f"{dataset.SOPClassUID} {syntax}")
            yield _sample(f"{dataset.SOPClassUID.name} {number}", encoded(dataset), syntax)


def _sample(name: str, content: bytes, syntax: str) -> Sample:
    who = inspected(content, syntax, most=MOST).identity
    reference = Reference(
        who.study_instance_uid,
        who.series_instance_uid,
        who.sop_instance_uid,
        who.sop_class_uid,
        (syntax,),
    )
    return Sample(name, content, syntax, reference)


def encoded(dataset: Dataset) -> bytes:
    """The data set as its own transfer syntax has it."""
    file = DicomBytesIO()
    file.is_implicit_VR = dataset.file_meta.TransferSyntaxUID.is_implicit_VR
    file.is_little_endian = dataset.file_meta.TransferSyntaxUID.is_little_endian
    write_dataset(file, dataset)
    return file.getvalue()


def is_sound(content: bytes, syntax: str) -> bool:
    """Whether nothing is seen to be wrong with it."""
    try:
        found = inspected(content, syntax, most=MOST, apart=_apart())
    except ContentError:
        return False
    return not found.faults and not found.doubts


@cache
def _apart() -> Apart:
    """What inflates, for as long as the tests run."""
    apart = Apart(Deadline(86_400))
    atexit.register(apart.__exit__)
    return apart


def ends_of_elements(content: bytes, syntax: str) -> set[int]:
    """Where a cut leaves a shorter data set that is sound: between two elements at the top."""
    file = BytesIO(content)
    is_implicit, is_little = syntax == "1.2.840.10008.1.2", syntax != "1.2.840.10008.1.2.2"
    return {file.tell() for _ in data_element_generator(file, is_implicit, is_little)}


def is_called_whole(came: Instance, sample: Sample) -> bool:
    """Whether a tool would call what came complete."""
    found = received(came, sample.reference, ())
    return not (found.faults or found.doubts or found.stranger)
