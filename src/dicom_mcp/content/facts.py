"""The values of some attributes of an object, wherever objects of its kind have them."""

from collections.abc import Iterable, Mapping

from pydicom.dataset import Dataset

from .elements import Elements
from .error import ContentError

_SHARED, _PER_FRAME = "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"

# Macros of functional groups (PS3.3 C.7.6.16.2, C.8.13 to C.8.15) and sequences at the top whose
# first item tells of the image as a whole.
_MACROS = (
    *("PixelMeasuresSequence", "PlaneOrientationSequence", "CTExposureSequence"),
    *("CTXRayDetailsSequence", "CTReconstructionSequence", "CTAcquisitionDetailsSequence"),
    *("CTTableDynamicsSequence", "MRTimingAndRelatedParametersSequence", "MREchoSequence"),
    *("MRModifierSequence", "MRDiffusionSequence", "MRFOVGeometrySequence"),
    *("XRay3DAcquisitionSequence", "ContrastBolusAgentSequence"),
    "RadiopharmaceuticalInformationSequence",
)


def facts(
    dataset: Dataset, keywords: Iterable[str], also: Mapping[str, Iterable[str]]
) -> dict[str, list[str]]:
    """The values of each of these attributes, or of what is `also` called so; of an object of
    several frames those of all its frames, else of the middle one. What it has not is not there."""
    places = _places(Elements.of(dataset))
    found: dict[str, list[str]] = {}
    for keyword in keywords:
        for name in (keyword, *also.get(keyword, ())):
            values = next(filter(None, (place.values(name) for place in places)), None)
            if values and any(values):
                found[keyword] = values
                break
    return found


def _places(elements: Elements) -> list[Elements]:
    """The object itself, and the items where else its values may be."""
    shared, frames = _items(elements, _SHARED), _items(elements, _PER_FRAME)
    above = [elements, *shared[:1], *frames[len(frames) // 2 :][:1]]
    return [
        elements,
        *(item for part in above for name in _MACROS for item in _items(part, name)[:1]),
    ]


def _items(elements: Elements, keyword: str) -> list[Elements]:
    try:
        return elements.items(keyword)
    except ContentError:
        return []
