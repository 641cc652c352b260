"""Objects that draw on images of others: segmentations, structure sets and doses."""

from collections.abc import Sequence

from pydicom.dataset import Dataset

from ..standard.sop_classes import sop_class
from .dose import Dose
from .elements import Elements, uid_name
from .error import ContentError
from .layers import Source
from .segmentation import Segmentation
from .structure_set import StructureSet

# By the modality of a series (PS3.3 C.7.3.1.1.1).
MODALITIES = {"SEG": "segmentation", "RTSTRUCT": "structure set", "RTDOSE": "dose"}


def source_of(dataset: Dataset) -> Source:
    """What this object draws. Raises ContentError for one of another kind."""
    match sop_class(Elements.of(dataset).text("SOPClassUID")).draws:
        case "segmentation":
            return Segmentation(dataset)
        case "structure set":
            return StructureSet(dataset)
        case "dose":
            return Dose(dataset)
        case _:
            pass
    name = uid_name(Elements.of(dataset).text("SOPClassUID")) or "of a SOP class unknown here"
    raise ContentError(
        f"What is to be drawn ({name}) is no segmentation by pixels, structure set or dose",
        "Give the series UID of one as draw; study_overview lists them",
    )


def drawn_for(dataset: Dataset) -> Sequence[str]:
    """The series whose images it was made from, by its own account."""
    elements = Elements.of(dataset)
    found = [
        item.text("SeriesInstanceUID") for item in _items(elements, "ReferencedSeriesSequence")
    ]
    for frame in _items(elements, "ReferencedFrameOfReferenceSequence"):
        for study in _items(frame, "RTReferencedStudySequence"):
            several = _items(study, "RTReferencedSeriesSequence")
            found += [source.text("SeriesInstanceUID") for source in several]
    return [*dict.fromkeys(filter(None, found))]


def _items(elements: Elements, keyword: str) -> list[Elements]:
    try:
        return elements.items(keyword)
    except ContentError:
        return []
