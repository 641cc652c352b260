"""Storage SOP classes (PS3.4 B.5, PS3.6 A): what objects of a class are, and what each of them has
(PS3.3 A)."""

from dataclasses import dataclass
from functools import lru_cache, partial

STORAGE = "1.2.840.10008.5.1.4.1.1."
PDF = f"{STORAGE}104.1"

# What is drawn on images of others is called.
DRAWING = ("segmentation", "structure set", "dose")

# Kinds whose objects hold values over time.
CURVES = ("waveform", "sound")

IMAGES, REPORT, DOSE = "images", "report", "dose report"

# Structured, and no report on what was seen.
OTHER_DOCUMENT = "other structured document"


@dataclass(frozen=True, slots=True)
class SopClass:
    """`kind` is what its objects are, in words; `report` what one that holds text for a reader is
    called, `draws` one that is drawn on images of others. Each object has what it `needs`, near its
    end; `in_bulk` where that goes with the bulk data."""

    kind: str
    report: str = ""
    draws: str = ""
    needs: str = ""
    in_bulk: bool = False
    has_pixels: bool = True


_Report = partial(SopClass, report="structured report", needs="ContentSequence", has_pixels=False)
_Document = partial(
    SopClass, needs="MIMETypeOfEncapsulatedDocument", in_bulk=True, has_pixels=False
)
_State = partial(
    SopClass, report="presentation state", needs="PresentationCreationDate", has_pixels=False
)
_Therapy = partial(SopClass, has_pixels=False)
_DOSE = _Report(DOSE, report="radiation dose report")

# By what stands behind STORAGE: the longest beginning that fits; with a dot at its end, only what
# stands below it.
_CLASSES: dict[str, SopClass] = {
    "": SopClass(IMAGES),
    "4.2": SopClass("spectroscopy", needs="SpectroscopyData", in_bulk=True, has_pixels=False),
    "7": SopClass("secondary capture"),
    "8": SopClass("overlay"),
    "9": SopClass("waveform"),
    "9.": SopClass("waveform", needs="WaveformSequence", has_pixels=False),
    "9.4": SopClass("sound", needs="WaveformSequence", has_pixels=False),
    "11": SopClass("presentation state"),
    "11.": _State("presentation state"),
    "66": SopClass("raw data"),
    "66.1": SopClass("registration", needs="RegistrationSequence", has_pixels=False),
    "66.2": SopClass("fiducials", needs="FiducialSetSequence"),
    "66.3": SopClass("registration", needs="DeformableRegistrationSequence", has_pixels=False),
    "66.4": SopClass("segmentation", draws="segmentation"),
    "66.5": SopClass("segmentation", needs="SurfaceSequence", has_pixels=False),  # PS3.3 A.57
    "66.6": SopClass("tractography"),
    "66.7": SopClass("segmentation", draws="segmentation"),
    "67": SopClass("real world value map", needs="ReferencedImageRealWorldValueMappingSequence"),
    "68": SopClass("surface scan"),
    "77.1.5.3": SopClass("registration"),
    **dict.fromkeys(("77.1.5.8", "78", "79", "80"), SopClass("eye measurements")),
    "88.": _Report(REPORT),
    "88.40": _Report("procedure log", report="procedure log"),
    "88.59": _Report("key images", report="key object selection"),
    **dict.fromkeys(("88.50", "88.65", "88.69"), _Report("CAD report")),
    **dict.fromkeys(("88.67", "88.68", "88.73", "88.76"), _DOSE),
    **dict.fromkeys(("88.71", "88.74", "88.75", "88.77"), _Report(OTHER_DOCUMENT)),
    "90": SopClass("assessment"),
    "91": SopClass("annotation"),
    "104.": _Document("document"),
    "104.1": _Document("document", report="PDF"),
    "104.2": _Document("document", report="CDA"),
    **dict.fromkeys(("104.3", "104.4", "104.5"), _Document("3D model")),
    "131": SopClass("display layout"),
    "200": SopClass("scan protocol"),
    "201": SopClass("inventory"),
    "481": SopClass("radiotherapy object"),
    **dict.fromkeys(("481.1", "481.23", "481.24"), SopClass("radiotherapy images")),
    "481.2": SopClass("radiotherapy dose", draws="dose", needs="DoseUnits"),
    "481.3": _Therapy("radiotherapy structures", draws="structure set", needs="ApprovalStatus"),
    **dict.fromkeys(("481.4", "481.6", "481.7", "481.9"), _Therapy("radiotherapy record")),
    **dict.fromkeys(("481.5", "481.8"), _Therapy("radiotherapy plan", needs="ApprovalStatus")),
}
_NO_STORAGE, _PRIVATE = SopClass("objects"), SopClass("private objects")


@lru_cache(maxsize=1024)  # bounded: an archive chooses what it names
def sop_class(uid: str) -> SopClass:
    """What the objects of a SOP class are, be it private, or newer than the table."""
    if not uid.startswith(STORAGE):
        return _NO_STORAGE if uid.startswith("1.2.840.10008.") else _PRIVATE
    number = uid.removeprefix(STORAGE)
    keys, above = [number], number
    while above:
        above = above.rpartition(".")[0]
        keys += [f"{above}.", above]
    return next(_CLASSES[key] for key in keys if key in _CLASSES)
