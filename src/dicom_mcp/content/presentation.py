"""The words of a presentation state (PS3.3 A.33): label, layers, the text drawn on images."""

from .elements import Elements
from .error import ContentError
from .tree import reference


def text(elements: Elements) -> str:
    """Label, description, the images it is for, and every text object with what it stands on."""
    lines: list[str] = []
    for word, keyword in _FACTS.items():
        if value := elements.text(keyword):
            lines.append(f"{word}: {value}")
    for series in _items(elements, "ReferencedSeriesSequence"):
        lines += [f"For {reference(item)}" for item in _items(series, "ReferencedImageSequence")]
    for layer in _items(elements, "GraphicLayerSequence"):
        if description := layer.text("GraphicLayerDescription"):
            lines.append(f"Layer {layer.text('GraphicLayer')}: {description}")
    annotations = _items(elements, "GraphicAnnotationSequence")
    for annotation in annotations:
        lines += _annotation(annotation)
    if not annotations:
        lines.append("No text is drawn on the images.")
    return "\n".join(lines)


_FACTS = {
    "Label": "ContentLabel",
    "Description": "ContentDescription",
    "Made on": "PresentationCreationDate",
    "at": "PresentationCreationTime",
}


def _annotation(annotation: Elements) -> list[str]:
    """Text objects and how many lines or shapes go with them (PS3.3 C.10.5)."""
    images = _items(annotation, "ReferencedImageSequence")
    where = "; ".join(map(reference, images)) or "every image"
    lines = [f"On {where}, layer {annotation.text('GraphicLayer')}:"]
    for item in _items(annotation, "TextObjectSequence"):
        first, *others = item.text("UnformattedTextValue").split("\n")
        lines += [f"  text: {first}", *(f"    {other}" for other in others)]
    for item in _items(annotation, "CompoundGraphicSequence"):
        kind = item.text("CompoundGraphicType")
        label = item.text("UnformattedTextValue")
        lines.append(f"  {kind}: {label}" if label else f"  {kind}")
    if shapes := [item.text("GraphicType") for item in _items(annotation, "GraphicObjectSequence")]:
        lines.append(f"  {len(shapes)} drawn: {', '.join(sorted(set(shapes)))}")
    return lines


def _items(elements: Elements, keyword: str) -> list[Elements]:
    try:
        return elements.items(keyword)
    except ContentError:
        return []
