"""What changes the picture a reader is meant to see, and is not applied here: it is told (PS3.3
C.7.6.16.2.11, C.8.7.10, C.9.2, C.11.15)."""

from collections.abc import Iterator

from .elements import Elements, held
from .groups import group
from .overlay import Overlay
from .plain import capped

# Curves have groups of their own, retired but alive (PS3.3-2004 C.10.2).
_CURVES = range(0x5000, 0x5020, 2)
_CURVE_DATA = 0x3000

# Values of Pixel Presentation that ask for colours over greys (PS3.3 C.8.16.2.1.1.3).
_COLOURED = frozenset({"COLOR", "MIXED", "TRUE_COLOR", "COLOR_RANGE", "COLOR_REF"})

_TURNED = ("ImageRotation", "ImageHorizontalFlip", "DisplayedAreaSelectionSequence")


def not_applied(elements: Elements, number: int, *, colour: bool) -> Iterator[str]:
    """What frame `number` asks for and does not get, in sentences without a full stop."""
    if any(held(elements.dataset, group << 16 | _CURVE_DATA) is not None for group in _CURVES):
        yield "The file has curves (group 50xx), which are not drawn"
    if "GraphicAnnotationSequence" in elements:
        yield "The file has graphic annotations, which are not drawn; read_header has them"
    if any(_asks(elements, keyword) for keyword in _TURNED):
        yield "The file asks to be shown turned, flipped or in part: it is shown as it is stored"
    if elements.text("RecommendedViewingMode") == "SUB" or "MaskSubtractionSequence" in elements:
        yield "The file asks for subtraction of a mask (DSA): the frame is shown unsubtracted"
    if colour:
        optical = elements.first("OpticalPathSequence")
        if "ICCProfile" in elements or "ICCProfile" in optical:
            yield "The file's ICC profile is not applied: colours may look otherwise than meant"
        return
    if elements.text("PixelPresentation") in _COLOURED or (
        "RedPaletteColorLookupTableDescriptor" in elements
        and elements.text("PhotometricInterpretation") != "PALETTE COLOR"
    ):
        yield "The colours of the supplemental palette are not shown"
    if "PresentationLUTSequence" in elements:
        yield "The file's presentation look-up table is not applied"
    yield from _real_world(elements, number)


def overlay_notes(
    overlays: list[Overlay], shown: set[int], faults: dict[int, str], number: int
) -> Iterator[str]:
    """What is to be said of overlay planes: those drawn, those not, those of other frames."""
    drawn = [str(overlay) for overlay in overlays if overlay.group in shown]
    if drawn:
        told = "Drawn over the image, graphics in yellow, regions in cyan"
        yield f"{told}: overlays {', '.join(drawn)}"
    here = [overlay for overlay in overlays if overlay.is_on(number) and overlay.group not in shown]
    if left := [str(overlay) for overlay in here if overlay.group not in faults]:
        yield (
            f"Not drawn: overlays {', '.join(left)}, which may hold text, arrows or findings; "
            "overlays=true draws them"
        )
    for overlay in here:
        if fault := faults.get(overlay.group):
            yield f"Overlay {overlay} is not drawn: {fault}"
    if others := [str(overlay) for overlay in overlays if not overlay.is_on(number)]:
        yield f"Other frames have overlays: {', '.join(others)}"


def _asks(elements: Elements, keyword: str) -> bool:
    return keyword in elements and elements.text(keyword) not in ("0", "N")


def _real_world(elements: Elements, number: int) -> Iterator[str]:
    mapping = group(elements, number, "RealWorldValueMappingSequence")
    if not len(mapping.dataset):
        mapping = elements.first("RealWorldValueMappingSequence")
    if len(mapping.dataset):
        unit = mapping.first("MeasurementUnitsCodeSequence").text("CodeMeaning")
        yield (
            "The file maps stored values to real world values"
            f"{f' ({capped(unit, 64)})' if unit else ''}, which are not those told here"
        )
