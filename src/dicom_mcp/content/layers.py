"""What other objects draw on an image: segments, contours, dose; in colours that are named."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from pydicom.dataset import Dataset

from .apart import Apart
from .cutting import Grid
from .elements import Elements
from .error import ContentError
from .frame import Frame
from .placing import Placing, extent
from .tables import Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type Mask = NDArray[np.bool_]
    type Pixels = NDArray[np.uint8]

type Colour = tuple[int, int, int]

# Those given where an object names none, told apart on grey; and words for any other.
COLOURS: dict[str, Colour] = {
    "red": (255, 64, 64),
    "green": (64, 220, 64),
    "blue": (80, 120, 255),
    "yellow": (255, 230, 40),
    "magenta": (255, 70, 230),
    "cyan": (40, 230, 230),
    "orange": (255, 150, 30),
    "violet": (160, 90, 255),
    "lime": (180, 255, 60),
    "pink": (255, 160, 190),
    "brown": (170, 100, 40),
    "white": (255, 255, 255),
    "grey": (128, 128, 128),
    "black": (0, 0, 0),
}
_GIVEN = [*COLOURS.values()][:11]

# Parts of a whole that the colour of an area takes; its edge is all colour.
_FILL = 0.3

# What is darker than this cannot be seen on black.
_DARK = 64

# Lines of a legend beside a picture.
_MOST_TOLD = 40


@dataclass(frozen=True, slots=True)
class Target:
    """The frame that is drawn on: whose it is, its size, and where its pixels lie."""

    uid: str
    number: int
    rows: int
    columns: int
    grid: Grid | None
    frame_of_reference: str

    @classmethod
    def of(cls, dataset: Dataset, number: int) -> "Target":
        """A frame of an image."""
        elements = Elements.of(dataset)
        size, plane = extent(elements, number), Placing(elements).plane(number)
        return cls(
            elements.text("SOPInstanceUID"),
            number,
            size.rows,
            size.columns,
            Grid(plane, size) if plane and size.down else None,
            elements.text("FrameOfReferenceUID"),
        )


@dataclass(frozen=True, slots=True)
class Patch:
    """One thing that is drawn: its name, what is to be said of it, the pixels of the frame, and the
    part of their colour that it takes."""

    name: str
    colour: Colour
    mask: "Mask"
    words: str = ""
    fill: float = _FILL


@dataclass(slots=True)
class Layer:
    """What one object draws on a frame, and what is to be said of it."""

    title: str
    patches: list[Patch] = field(default_factory=list[Patch])
    notes: list[str] = field(default_factory=list[str])


class Source(Protocol):
    """An object that draws on images."""

    @property
    def title(self) -> str:
        """What it is called."""
        ...

    @property
    def notes(self) -> list[str]:
        """What its table lacks."""
        ...

    def on(self, target: Target, apart: Apart, /) -> Layer:
        """What it draws on a frame."""
        ...

    def rows(self, apart: Apart, /) -> list[Row]:
        """All it could draw, as a table."""
        ...


def layered(
    frame: Frame, dataset: Dataset, sources: Sequence[Source], apart: Apart, of: int = 0
) -> Frame:
    """The frame with what these draw on it; `of` is its number where the data set holds it alone,
    as others name it."""
    if not sources:
        return frame
    target = Target.of(dataset, frame.number)
    target = replace(target, number=of or target.number)
    layers: list[Layer] = []
    for source in sources:
        try:
            layers.append(source.on(target, apart))
        except ContentError as trouble:  # of what is drawn, not of the image
            raise ContentError(f"What was to be drawn, {source.title}: {trouble}") from trouble
    return drawn_on(frame, layers)


def drawn_on(frame: Frame, layers: Sequence[Layer]) -> Frame:
    """The frame with these layers, and what is said of them."""
    told = [_lightened(layers)] if any(map(_is_dark, _patches(layers))) else []
    patches = _patches(layers)
    told += [line for layer in layers for line in _told(layer)]
    if len({patch.colour for patch in patches}) < len(patches):
        told.append("Several of what is drawn have one colour, which does not tell them apart")
    return replace(
        frame,
        pixels=painted(frame.pixels, patches),
        notes=(*frame.notes, *told),
        legend=(*frame.legend, *dict.fromkeys((patch.name, patch.colour) for patch in patches)),
    )


def elsewhere(mine: str, target: Target) -> str:
    """Why positions in a frame of reference are none of the image's; "" where they are."""
    if mine and mine == target.frame_of_reference:
        return ""
    if mine and target.frame_of_reference:
        return "It has another frame of reference than the image"
    return f"{'The image' if mine else 'It'} names no frame of reference"


def painted(pixels: "Pixels", patches: Sequence[Patch]) -> "Pixels":
    """The picture with areas tinted and their edges drawn."""
    import numpy as np

    if not patches:
        return pixels
    shown: Any = (np.stack([pixels] * 3, axis=-1) if pixels.ndim == 2 else pixels).astype("f4")
    for patch in patches:
        part = np.asarray(patch.colour) * patch.fill
        shown[patch.mask] = shown[patch.mask] * (1 - patch.fill) + part
    for patch in patches:
        shown[patch.mask & ~_inside(patch.mask)] = patch.colour
    return np.rint(shown).clip(0, 255).astype(np.uint8)


def given(place: int) -> Colour:
    """A colour for the thing of this place, from 0, that has none of its own."""
    return _GIVEN[place % len(_GIVEN)]


def called(colour: Colour) -> str:
    """The word for a colour that is nearest to it."""
    return min(
        COLOURS,
        key=lambda word: sum((a - b) ** 2 for a, b in zip(COLOURS[word], colour, strict=True)),
    )


def _patches(layers: Sequence[Layer]) -> list[Patch]:
    return [patch for layer in layers for patch in layer.patches]


def _is_dark(patch: Patch) -> bool:
    return max(patch.colour) < _DARK


def _lightened(layers: Sequence[Layer]) -> str:
    """Give what nobody would see on black another colour; returns what is to be said of it."""
    free = [
        colour for colour in _GIVEN if colour not in {patch.colour for patch in _patches(layers)}
    ]
    names: list[str] = []
    for layer in layers:
        for place, patch in enumerate(layer.patches):
            if _is_dark(patch):
                colour = (free or _GIVEN)[len(names) % len(free or _GIVEN)]
                layer.patches[place] = replace(patch, colour=colour)
                names.append(patch.name)
    return f"Shown in a lighter colour than their own, which is nearly black: {', '.join(names)}"


def _inside(mask: "Mask") -> "Mask":
    """The pixels whose neighbours are all of it too; what leaves the picture goes on there."""
    import numpy as np

    padded = np.pad(mask, 1, mode="edge")
    return padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]


def _told(layer: Layer) -> Iterator[str]:
    lines = [
        f"{patch.name} ({called(patch.colour)}{f': {patch.words}' if patch.words else ''})"
        for patch in layer.patches
    ]
    if lines:
        more = [f"{len(lines) - _MOST_TOLD} more"] if len(lines) > _MOST_TOLD else []
        yield f"Drawn over the image, {layer.title}: {'; '.join([*lines[:_MOST_TOLD], *more])}"
    else:
        yield f"{layer.title} draws nothing on this image"
    yield from layer.notes
