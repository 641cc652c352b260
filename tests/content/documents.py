"""Documents to be read: structured reports by pieces, PDFs, CDAs, presentation states; and hostile
ones."""

import io
from pathlib import Path
from random import Random

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

COMPREHENSIVE_3D = "1.2.840.10008.5.1.4.1.1.88.34"
KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.88.59"
PDF = "1.2.840.10008.5.1.4.1.1.104.1"
CDA = "1.2.840.10008.5.1.4.1.1.104.2"
PRESENTATION_STATE = "1.2.840.10008.5.1.4.1.1.11.1"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"

RELATIONSHIPS = ("CONTAINS", "HAS OBS CONTEXT", "HAS CONCEPT MOD", "HAS PROPERTIES")


def instance(sop_class: str) -> Dataset:
    """An object of this class with the least a file of it needs."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    made.file_meta.MediaStorageSOPInstanceUID = UID("2.25.1")
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID, made.SOPInstanceUID = sop_class, "2.25.1"
    made.StudyInstanceUID, made.SeriesInstanceUID = "2.25.2", "2.25.3"
    made.PatientName, made.PatientID = "Vermeer^Jan", "V1"
    made.Modality, made.SeriesNumber, made.InstanceNumber = "SR", 1, 1
    made.ContentDate, made.ContentTime = "20260102", "030405"
    made.StudyDate, made.StudyTime = "20260102", "030000"
    made.AccessionNumber = made.StudyID = made.ReferringPhysicianName = ""
    made.PatientBirthDate = made.PatientSex = made.Manufacturer = ""
    made.ReferencedPerformedProcedureStepSequence = Sequence()
    return made


def document(*content: Dataset, sop_class: str = COMPREHENSIVE_3D) -> Dataset:
    """A structured report with these content items below its title."""
    made = instance(sop_class)
    made.CompletionFlag, made.VerificationFlag = "PARTIAL", "UNVERIFIED"
    made.PerformedProcedureCodeSequence = Sequence()
    made.ValueType, made.ContinuityOfContent = "CONTAINER", "SEPARATE"
    made.ConceptNameCodeSequence = Sequence([code("Imaging Report", "18748-4", "LN")])
    made.ContentSequence = Sequence(content)
    return made


def code(meaning: str, value: str = "T-1", scheme: str = "99TEST") -> Dataset:
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = value, scheme, meaning
    return made


def item(value_type: str, name: Dataset, relationship: str = "CONTAINS") -> Dataset:
    made = Dataset()
    made.RelationshipType, made.ValueType = relationship, value_type
    made.ConceptNameCodeSequence = Sequence([name])
    if value_type == "CONTAINER":
        made.ContinuityOfContent = "SEPARATE"
    return made


def text(value: str, name: str = "Finding", relationship: str = "CONTAINS") -> Dataset:
    made = item("TEXT", code(name), relationship)
    made.TextValue = value
    return made


def number(value: str, unit: str, name: Dataset) -> Dataset:
    made = item("NUM", name)
    measured = Dataset()
    measured.NumericValue = value
    measured.MeasurementUnitsCodeSequence = Sequence([code(unit, unit, "UCUM")])
    made.MeasuredValueSequence = Sequence([measured])
    return made


def container(name: Dataset, *content: Dataset) -> Dataset:
    made = item("CONTAINER", name)
    made.ContentSequence = Sequence(content)
    return made


def irradiations(*, events: int, numbers: int) -> Dataset:
    """A radiation dose report: so many numbers, and a long comment, of each irradiation event."""
    return document(
        *(
            container(
                code("Irradiation Event X-Ray Data", "113706", "DCM"),
                *(
                    number(f"{event}.{place}", "mGy", code(f"Measure {place}", f"M{place}"))
                    for place in range(numbers)
                ),
                text("long words " * 40 + "end", "Comment"),
            )
            for event in range(events)
        ),
        sop_class="1.2.840.10008.5.1.4.1.1.88.67",
    )


def referenced(sop_class: str, instance_uid: str) -> Dataset:
    made = Dataset()
    made.ReferencedSOPClassUID, made.ReferencedSOPInstanceUID = sop_class, instance_uid
    return made


def anything(random: Random, depth: int = 4) -> Dataset:
    """A content item of a random kind with random words, and random ones below it."""
    kind = random.choice(_KINDS if depth else _KINDS[1:])
    name = code(_words(random), f"N{random.randrange(10**6)}")
    made = item(kind, name, random.choice(RELATIONSHIPS))
    match kind:
        case "TEXT":
            made.TextValue = "\r\n".join(_words(random) for _ in range(random.randint(1, 3)))
        case "PNAME":
            made.PersonName = "Müller^Ünal" if random.random() < 0.5 else "Doe^Jane"
        case "CODE":
            made.ConceptCodeSequence = Sequence([code(_words(random), f"V{random.random():.5f}")])
        case "NUM":
            measured = Dataset()
            measured.NumericValue = f"{random.uniform(-9, 9):.4g}"
            measured.MeasurementUnitsCodeSequence = Sequence([code("per mm", "/mm", "UCUM")])
            made.MeasuredValueSequence = Sequence([measured])
        case "DATE":
            made.Date = "20260131"
        case "TIME":
            made.Time = "235959.25"
        case "DATETIME":
            made.DateTime = "20260131235959"
        case "UIDREF":
            made.UID = f"2.25.{random.randrange(10**30)}"
        case "IMAGE":
            image = referenced(CT_IMAGE, f"2.25.{random.randrange(10**30)}")
            image.ReferencedFrameNumber = sorted(random.sample(range(1, 99), 3))
            made.ReferencedSOPSequence = Sequence([image])
        case "SCOORD":
            made.GraphicType = "POLYLINE"
            made.GraphicData = [float(random.randrange(512)) for _ in range(8)]
        case _:
            below = [anything(random, depth - 1) for _ in range(random.randint(1, 5))]
            made.ContentSequence = Sequence(below)
    if depth and kind in ("TEXT", "NUM") and random.random() < 0.5:
        made.ContentSequence = Sequence([anything(random, depth - 1)])
    return made


_KINDS = (
    *("CONTAINER", "TEXT", "PNAME", "CODE", "NUM", "DATE"),
    *("TIME", "DATETIME", "UIDREF", "IMAGE", "SCOORD"),
)


def _words(random: Random) -> str:
    return " ".join(random.sample(_WORDS, random.randint(1, 4)))


_WORDS = ("lung", "größer", "(left)", "5<6", '"quoted"', "μ", "山田", "& no", "likely;", "a, b")


def nested(depth: int) -> Dataset:
    """A report whose items stand one in the other, this deep."""
    innermost = text("the bottom")
    for level in range(depth):
        innermost = container(code(f"Level {depth - level}"), innermost)
    return document(innermost)


def nested_bytes(depth: int) -> bytes:
    """The data set of such a report in Explicit VR Little Endian, undefined lengths throughout."""
    sequence = b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    ends = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    head = b"\x08\x00\x16\x00UI\x1e\0" + b"1.2.840.10008.5.1.4.1.1.88.34\0"
    kind = b"\x40\x00\x40\xa0CS\x0a\0CONTAINER "
    return head + kind + sequence * depth + ends * depth


def encapsulated(content: bytes, sop_class: str, mime: str) -> Dataset:
    made = instance(sop_class)
    made.Modality, made.DocumentTitle = "DOC", "A letter"
    made.MIMETypeOfEncapsulatedDocument = mime
    made.EncapsulatedDocumentLength = len(content)
    made.EncapsulatedDocument = content + b"\0" * (len(content) % 2)
    return made


def scanned_pdf(pages: int = 1) -> bytes:
    """A PDF of pictures without a word of text."""
    from PIL import Image

    pictures = [Image.new("L", (200, 280), 200 + number % 40) for number in range(pages)]
    file = io.BytesIO()
    pictures[0].save(file, "PDF", save_all=True, append_images=pictures[1:])
    return file.getvalue()


def presentation_state() -> Dataset:
    made = instance(PRESENTATION_STATE)
    made.Modality, made.ContentLabel = "PR", "NODULE"
    made.ContentDescription, made.ContentCreatorName = "The nodule marked", "Lund^Karin"
    image = referenced(CT_IMAGE, "2.25.77")
    words, shape, annotation = Dataset(), Dataset(), Dataset()
    words.UnformattedTextValue = "grows:\r\n6 mm, now 9 mm"
    shape.GraphicType = "CIRCLE"
    annotation.GraphicLayer = "MARKS"
    annotation.ReferencedImageSequence = Sequence([image])
    annotation.TextObjectSequence = Sequence([words])
    annotation.GraphicObjectSequence = Sequence([shape])
    made.GraphicAnnotationSequence = Sequence([annotation])
    return made


def saved(dataset: Dataset, folder: Path, name: str = "document.dcm") -> Path:
    path = folder / name
    dataset.save_as(path, enforce_file_format=True)
    return path


CONCLUSION = ("Conclusions", "121076", "DCM")


def report(study: int, day: str, says: str, *, patient: str = "P1", number: int = 1) -> Dataset:
    """A report of a study, which finds and concludes something."""
    concluding = container(code(*CONCLUSION), text(says, "Conclusion"))
    made = document(text(f"A finding on {day}."), concluding)
    made.StudyInstanceUID = f"1.2.{study}"
    made.SeriesInstanceUID = f"1.2.{study}.9{number}"
    made.SOPInstanceUID = f"1.2.{study}.9{number}.1"
    made.PatientID, made.PatientName = patient, "Doe^Jane"
    made.PatientBirthDate = "19700101"
    made.StudyDate = made.ContentDate = made.SeriesDate = day
    made.StudyTime = made.ContentTime = "120000"
    made.AccessionNumber = f"A{study}"
    made.Modality = "SR"
    made.CompletionFlag, made.VerificationFlag = "COMPLETE", "UNVERIFIED"
    return made
