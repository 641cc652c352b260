"""Identifiers to damage: some of every kind an archive gives, and bytes that never were any."""

import struct
from functools import cache
from random import Random

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.valuerep import VR

from dicom_mcp.standard.dictionary import attribute, keywords
from dicom_mcp.standard.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from tests.faults.mutations import LENGTHS, damaged

_VRS = sorted({vr.value for vr in VR if len(vr.value) == 2})
_LONG_VRS = frozenset(
    {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}
)

# Not-a-numbers and infinities of both sizes, the largest numbers, separators alone, an escape that
# leads nowhere, a byte that no character set has, and a text in UTF-16.
_PECULIAR = (
    struct.pack("<d", float("nan")),
    struct.pack("<d", float("-inf")),
    struct.pack("<ff", float("nan"), float("inf")),
    b"\xff" * 8,
    b"\\\\",
    b"^^=^=",
    b"\x1b$)C\x1b",
    b"\xed\xa0\x80\xff",
    "Doe^Jane".encode("utf-16"),
)

# Specific Character Set and a name in it; what comes of bytes that are none in it is shown.
_NAMES = {
    "ISO_IR 6": "Doe^Jane",
    "ISO_IR 100": "Müller^Änne",
    "ISO_IR 144": "Люкceмбypг",
    "ISO_IR 192": "山田^太郎",
    "GB18030": "王^小东",
    "\\ISO 2022 IR 87": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "\\ISO 2022 IR 149": "Hong^Gildong=洪^吉洞=홍^길동",
    "ISO 2022 IR 13\\ISO 2022 IR 87": "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
}


@cache
def healthy_identifiers() -> dict[str, list[bytes]]:
    """Valid answers to a study query by transfer syntax, all of the patient 7."""
    return {
        syntax: [_written(dataset, syntax) for dataset in _data_sets()]
        for syntax in (IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN)
    }


def damaged_identifier(random: Random, syntax: str) -> bytes:
    """Bytes that are no identifier any more, or hardly."""
    healthy = healthy_identifiers()[syntax]
    match random.randrange(8):
        case 0:
            return random.randbytes(random.randrange(200))
        case 1:  # well-formed elements whose values are anything
            return b"".join(_element(random, syntax) for _ in range(random.randrange(1, 12)))
        case 2:  # values of all kinds where they belong, and something wrong
            elements = b"".join(_element(random, syntax) for _ in range(random.randrange(1, 12)))
            return damaged(elements + random.choice(healthy), random)
        case 3:  # two identifiers grown together
            one, other = random.choice(healthy), random.choice(healthy)
            return one[: random.randrange(len(one))] + other[random.randrange(len(other)) :]
        case 4:  # in the other syntax
            other = healthy_identifiers()
            return random.choice(other[random.choice(list(other))])
        case _:
            return damaged(random.choice(healthy), random)


def _element(random: Random, syntax: str, depth: int = 0) -> bytes:
    """An element of any tag and VR with any value, its length now and then a lie."""
    known = random.choice(_dictionary())
    tag, vr = known if random.random() < 0.9 else (random.randrange(2**32), "UN")
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    vr = random.choice((vr[:2], random.choice(_VRS)))
    if vr == "SQ" and depth < 12:
        inner = b"".join(_element(random, syntax, depth + 1) for _ in range(random.randrange(3)))
        value = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(inner)) + inner
    else:
        anything = random.randbytes(random.choice((0, 1, 2, 4, 8, random.randrange(40))))
        value = random.choice((anything, anything, *_PECULIAR))
    length = len(value) if random.random() < 0.95 else random.choice(LENGTHS)
    if syntax == IMPLICIT_VR_LITTLE_ENDIAN:
        return head + struct.pack("<I", length) + value
    if vr in _LONG_VRS:
        return head + vr.encode() + struct.pack("<HI", 0, length) + value
    return head + vr.encode() + struct.pack("<H", length & 0xFFFF) + value


@cache
def _dictionary() -> list[tuple[int, str]]:
    """Every tag and its VR."""
    return [(found.tag, found.vr) for one in keywords() if (found := attribute(one))]


def _data_sets() -> list[Dataset]:
    found: list[Dataset] = []
    for number, (character_set, name) in enumerate(_NAMES.items()):
        dataset = Dataset()
        dataset.SpecificCharacterSet = character_set.split("\\")
        dataset.QueryRetrieveLevel = "STUDY"
        dataset.StudyDate = "20240229"
        dataset.StudyTime = "101500.5"
        dataset.AccessionNumber = f"A{number}"
        dataset.ModalitiesInStudy = ["CT", "SR"][: 1 + number % 2]
        dataset.PatientName = name
        dataset.PatientID = "7"
        dataset.StudyInstanceUID = f"1.2.826.0.1.{number}"
        dataset.NumberOfStudyRelatedSeries = number
        dataset.ReferencedStudySequence = _items(name, number)
        if number % 2:
            dataset["ReferencedStudySequence"].is_undefined_length = True
            for item in dataset.ReferencedStudySequence:
                item.is_undefined_length_sequence_item = True
        found.append(dataset)
    return [*found, *_rich(found)]


def _items(name: str, count: int) -> list[Dataset]:
    items: list[Dataset] = []
    for number in range(count % 4):
        item = Dataset()
        item.ReferencedSOPInstanceUID = f"1.2.3.{number}"
        item.PatientName = name
        if number:
            item.PurposeOfReferenceCodeSequence = _items(name, number)
        items.append(item)
    return items


def _rich(found: list[Dataset]) -> list[Dataset]:
    """Two of them with binary numbers and long texts too."""
    rich = [Dataset(one) for one in found[:2]]
    for dataset in rich:
        dataset.Rows = 512
        dataset.FrameIncrementPointer = [0x00181063, 0x7FE00010]
        dataset.RealWorldValueIntercept = -0.1
        dataset.SelectorUVValue = 2**64 - 1
        dataset.TextValue = "long\\text\r\n" * 20
        dataset.PixelSpacing = ["0.50", "0.5"]
        dataset.AcquisitionDateTime = "20240229101530.5+0100"
        dataset.PatientAge = "042Y"
    return rich


def _written(dataset: Dataset, syntax: str) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_implicit_VR = syntax == IMPLICIT_VR_LITTLE_ENDIAN
    buffer.is_little_endian = True
    write_dataset(buffer, dataset, dataset.SpecificCharacterSet)
    return buffer.getvalue()
