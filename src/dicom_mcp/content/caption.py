"""What is said beside a picture: what it is, where its sides are, how it is shown."""

from contextlib import suppress

from pydicom.dataset import Dataset

from .elements import Elements
from .error import ContentError
from .frame import Frame
from .geometry import orientation, sides
from .groups import group, placed
from .placing import Placing, is_mosaic
from .plain import capped
from .tiles import tile_of

# PS3.3 C.7.6.1.1.1: directions in the patient; those of animals are not marked.
_DIRECTIONS = frozenset("RLAPHF")


def caption(dataset: Dataset, frame: Frame) -> str:
    """What a rendered frame is and how it is shown, as sentences; nothing that names the patient.

    Says so where names may be burned into the picture, unless the file says there are none.
    """
    return "\n".join([f"{label_of(dataset, frame)}.", *remarks(dataset, frame)])


def frame_sides(dataset: Dataset, number: int = 1) -> tuple[str, str, str, str] | None:
    """What lies left, right, top and bottom of a frame: from Image Orientation (Patient), else from
    Patient Orientation; None where neither says, or both say the opposite."""
    elements = Elements.of(dataset)
    first, second = _by_cosines(elements, number), _by_letters(elements)
    return None if _contradict(first, second) else first or second


def _by_cosines(elements: Elements, number: int) -> tuple[str, str, str, str] | None:
    plane = Placing(elements).plane(number)
    if plane and not plane.in_volume:
        return sides(plane.cosines)
    found = placed(elements, number, "PlaneOrientationSequence", "ImageOrientationPatient")
    return sides(found.numbers("ImageOrientationPatient"))


def _by_letters(elements: Elements) -> tuple[str, str, str, str] | None:
    towards = [value.upper() for value in elements.values("PatientOrientation")]
    if len(towards) != 2 or not all(
        direction and set(direction) <= _DIRECTIONS for direction in towards
    ):
        return None
    right, bottom = towards
    return right.translate(_OPPOSITE), right, bottom.translate(_OPPOSITE), bottom


def _contradict(
    first: tuple[str, str, str, str] | None, second: tuple[str, str, str, str] | None
) -> bool:
    """Whether one says left where the other says right, or the like."""
    pairs = zip(first or (), second or (), strict=False)
    return any(letters[0] == other[0].translate(_OPPOSITE) for letters, other in pairs)


_OPPOSITE = str.maketrans("RLAPFH", "LRPAHF")


def label_of(dataset: Dataset, frame: Frame) -> str:
    """Modality, series, instance, frame and place in the patient."""
    elements = Elements.of(dataset)
    series = " ".join(filter(None, (elements.text("SeriesNumber"), _description(elements))))
    parts = [
        elements.text("Modality"),
        series and f"series {series}",
        (instance := elements.text("InstanceNumber")) and f"instance {instance}",
        f"frame {frame.number} of {frame.frames:,}" if frame.frames > 1 else "",
        _place(elements, frame.number),
        *_kinds(elements, frame.number),
    ]
    return ", ".join(capped(part, 160) for part in parts if part) or "Image"


def remarks(dataset: Dataset, frame: Frame) -> tuple[str, ...]:
    """Sides, window, compression, what may be burned in, and the frame's own notes."""
    elements = Elements.of(dataset)
    said = (
        _sides_in_words(elements, frame.number, frame_sides(dataset, frame.number)),
        shown_how(frame),
        _lossy(elements),
        _burned_in(elements),
        *(f"{note}." for note in frame.notes),
    )
    return tuple(filter(None, said))


def _description(elements: Elements) -> str:
    return capped(elements.text("SeriesDescription"), 64)


def _place(elements: Elements, number: int) -> str:
    """The plane and how far along its normal the frame lies, or which tile of a slide it is."""
    if tile := tile_of(elements, number):
        return tile
    if plane := Placing(elements).plane(number):
        words = "in the volume" if plane.in_volume else orientation(plane.cosines)
        return f"{words} at {plane.along:.1f} mm"
    found = placed(elements, number, "PlaneOrientationSequence", "ImageOrientationPatient")
    words = orientation(found.numbers("ImageOrientationPatient"))
    if is_mosaic(elements):
        return f"{words} mosaic of many slices side by side".strip()
    return words


def _kinds(elements: Elements, number: int) -> list[str]:
    """What tells images apart that stand beside each other: side of the body, segment, localizers,
    components of complex images."""
    sides_of_body = (
        elements.text(keyword).upper() for keyword in ("ImageLaterality", "Laterality")
    )
    laterality = next(filter(None, sides_of_body), "")
    kinds = [f"laterality {capped(laterality, 16)}"] if laterality else []
    segment = group(elements, number, "SegmentIdentificationSequence")
    if place := segment.integer("ReferencedSegmentNumber"):
        label = _segment(elements, place)
        kinds.append(f"segment {place}{f' ({capped(label, 64)})' if label else ''}")
    frame_type = group(elements, number, "MRImageFrameTypeSequence")
    component = frame_type.text("ComplexImageComponent") or elements.text("ComplexImageComponent")
    types = [value.upper() for value in elements.values("ImageType")]
    if "LOCALIZER" in types:
        kinds.append("localizer")
    if elements.text("Modality") == "MR":
        words = [_COMPONENTS[value] for value in (component, *types[2:3]) if value in _COMPONENTS]
        kinds += words[:1]
    return kinds


def _segment(elements: Elements, number: int) -> str:
    """The label of a segment (PS3.3 C.8.20.2); numbers need not be places."""
    with suppress(ContentError):
        for segment in elements.items("SegmentSequence"):
            if segment.integer("SegmentNumber") == number:
                return segment.text("SegmentLabel")
    return ""


# PS3.3 C.8.3.1.1.1, C.8.13.3.1.1; magnitude is what is expected.
_COMPONENTS = {
    **dict.fromkeys(("P", "PHASE", "PHASE MAP"), "phase image"),
    **dict.fromkeys(("R", "REAL"), "real part"),
    **dict.fromkeys(("I", "IMAGINARY"), "imaginary part"),
}


def millimetres(dataset: Dataset, frame: Frame) -> tuple[float, float] | None:
    """Height and width of a frame in the patient, in mm; None where it does not say."""
    elements = Elements.of(dataset)
    measures = placed(elements, frame.number, "PixelMeasuresSequence", "PixelSpacing")
    spacing = measures.numbers("PixelSpacing")
    if len(spacing) != 2 or min(spacing) <= 0:
        return None
    rows, columns = frame.pixels.shape[:2]
    return rows * spacing[0], columns * spacing[1]


def _sides_in_words(
    elements: Elements, number: int, found: tuple[str, str, str, str] | None
) -> str:
    if found is None and _by_cosines(elements, number) and _by_letters(elements):
        return (
            "Image Orientation (Patient) and Patient Orientation contradict each other: which side "
            "of the patient is where is not known."
        )
    if found is None:
        return "Which side of the patient is where, the file does not say."
    left, right, top, bottom = found
    return f"Left of the picture {left}, right {right}, top {top}, bottom {bottom} of the patient."


def shown_how(frame: Frame) -> str:
    """How values became greys, and which there are."""
    return f"Shown: {frame.shown}.{_values(frame)}"


def _values(frame: Frame) -> str:
    if frame.low is None or frame.high is None:
        return ""
    unit = f" {frame.unit}" if frame.unit else ""
    return f" Values in the frame: {frame.low:g} to {frame.high:g}{unit}."


def _lossy(elements: Elements) -> str:
    if elements.text("LossyImageCompression") != "01":
        return ""
    ratio = elements.text("LossyImageCompressionRatio")
    return f"Lossy compression{f', ratio {ratio}' if ratio else ''}."


def _burned_in(elements: Elements) -> str:
    """PS3.3 C.7.6.1: whether the picture itself names somebody."""
    match elements.text("BurnedInAnnotation").upper():
        case "NO":
            return ""
        case "YES":
            return "Text that may identify the patient is burned into the picture."
        case _:
            return (
                "Text that may identify the patient may be burned into the picture: "
                "the file does not say that there is none."
            )
