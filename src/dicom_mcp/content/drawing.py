"""Overlay planes drawn over a picture."""

from typing import TYPE_CHECKING

from ..standard.syntaxes import EXPLICIT_VR_BIG_ENDIAN
from .display import overlay_notes
from .elements import Elements
from .overlay import drawn, overlays
from .pixels import Stored

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type Pixels = NDArray[np.uint8]

# Of graphics and of regions: yellow and cyan are not among greys.
_INKS = {False: (255, 255, 0), True: (0, 255, 255)}


def overlaid(
    elements: Elements, number: int, held: Stored, pixels: "Pixels", syntax: str
) -> "tuple[Pixels, list[str]]":
    """The picture with its overlay planes drawn over it where a transfer syntax is given, and what
    is to be said of them."""
    import numpy as np

    planes = overlays(elements)
    shown: set[int] = set()
    faults: dict[int, str] = {}
    for plane in planes if syntax else ():
        if not plane.is_on(number):
            continue
        words = held.values if held.words is None else held.words
        if plane.bit is not None and (held.words is None or plane.bit >= words.itemsize * 8):
            faults[plane.group] = "it lies in bits of the pixels that did not come with them"
            continue
        mask = drawn(elements, plane, number, words, big=syntax == EXPLICIT_VR_BIG_ENDIAN)
        if mask is None:
            faults[plane.group] = "its data are too short for its size"
            continue
        if not mask.any():
            faults[plane.group] = "nothing of it lies on the image"
            continue
        if pixels.ndim == 2:
            pixels = np.stack([pixels] * 3, axis=-1)
        pixels = np.where(mask[..., None], np.asarray(_INKS[plane.is_region], np.uint8), pixels)
        shown.add(plane.group)
    return pixels, [*overlay_notes(planes, shown, faults, number)]
