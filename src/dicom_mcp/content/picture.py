"""Pictures a model can be shown: PNG or JPEG, sides marked, with a caption that says what they are.

Letters stand in a margin, never on the image: nothing of it is covered.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset

from .apart import Apart
from .elements import Elements
from .error import ContentError
from .frame import Frame, render
from .geometry import orientation, position, sides
from .groups import placed
from .plain import capped
from .window import Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    type Pixels = NDArray[np.uint8]

LONGEST_SIDE = 1024
MOST_CELLS = 64
PNG, JPEG = "image/png", "image/jpeg"

# Below this an image is enlarged: a model sees little of 64 pixels.
_SMALLEST = 512

# Half of the longest side two images beside each other may have.
_LARGEST_CELL = 1024

_MARGIN = 22
_LABEL = 18
_LETTERS = 16
_QUALITY = 90

# PS3.3 C.7.6.1.1.1: directions in the patient; those of animals are not marked.
_DIRECTIONS = frozenset("RLAPHF")


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture, its size in pixels and what is to be said beside it."""

    content: bytes
    mime: str
    width: int
    height: int
    caption: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One of several images in a picture: its pixels, no larger than a cell can be, what it is, its
    sides, and what is to be said about it."""

    pixels: "Pixels"
    label: str
    sides: tuple[str, str, str, str] | None = None
    said: tuple[str, ...] = ()


def picture(
    dataset: Dataset,
    number: int = 1,
    *,
    window: Window | str = "",
    longest_side: int = LONGEST_SIDE,
    mime: str = PNG,
    transfer_syntax: str = "",
    apart: Apart | None = None,
    overlays: bool = False,
) -> Picture:
    """Frame `number` of an image with its sides marked, neither side longer than `longest_side`.

    Raises ContentError as `frame.render` does.
    """
    frame = render(
        dataset,
        number,
        window=window,
        transfer_syntax=transfer_syntax,
        apart=apart,
        overlays=overlays,
    )
    inner = _sized(frame, max(longest_side - 2 * _MARGIN, 16))
    shown = _marked(inner, frame_sides(dataset, number))
    size = f"{frame.pixels.shape[1]} × {frame.pixels.shape[0]} pixels"
    scale = round(max(inner.size) / max(_square(frame)), 2)
    if scale != 1:
        size += f", shown at {scale:.3g} of that" if scale < 1 else f", shown {scale:.3g} times"
    return _encoded(shown, mime, f"{caption(dataset, frame)}\n{size}.")


def cell(
    dataset: Dataset,
    number: int = 1,
    *,
    label: str = "",
    window: Window | str = "",
    transfer_syntax: str = "",
    apart: Apart | None = None,
    longest_side: int = _LARGEST_CELL,
    overlays: bool = False,
) -> Cell:
    """A frame for `contact_sheet` or `side_by_side`, neither side longer than `longest_side`; the
    label says instance, frame and place."""
    frame = render(
        dataset,
        number,
        window=window,
        transfer_syntax=transfer_syntax,
        apart=apart,
        overlays=overlays,
    )
    return Cell(
        frame.fitted(longest_side),
        label or _label(dataset, frame),
        frame_sides(dataset, number),
        _said(dataset, frame),
    )


def contact_sheet(
    cells: Sequence[Cell],
    *,
    columns: int = 0,
    longest_side: int = 1568,
    mime: str = PNG,
) -> Picture:
    """Many frames in rows, each with its label; at most MOST_CELLS of them.

    `columns` 0 makes the sheet about square. Raises ContentError for none and for too many.
    """
    if not 1 <= len(cells) <= MOST_CELLS:
        raise ContentError(f"A contact sheet has 1 to {MOST_CELLS} images, not {len(cells)}")
    columns = min(columns or round((len(cells) * 1.1) ** 0.5) or 1, len(cells))
    rows = -(-len(cells) // columns)
    side = (longest_side // max(columns, rows)) - 4
    shared, labels = _told_apart([one.label for one in cells])
    tiles = [_tile(one, label, side) for one, label in zip(cells, labels, strict=True)]
    width, height = max(tile.width for tile in tiles), max(tile.height for tile in tiles)
    sheet = _blank(columns * (width + 4), rows * (height + 4))
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        sheet.paste(tile, (column * (width + 4) + 2, row * (height + 4) + 2))
    head = f"{shared + ': ' if shared else ''}{len(cells)} images in rows of {columns}"
    listed = [f"{place}. {label}" for place, label in enumerate(labels, start=1)]
    return _encoded(sheet, mime, "\n".join([f"{head}, from the top left:", *listed, *_all(cells)]))


def side_by_side(left: Cell, right: Cell, *, longest_side: int = 1568, mime: str = PNG) -> Picture:
    """Two frames next to each other, as large as fits."""
    tiles = [_tile(one, one.label, longest_side // 2 - 4) for one in (left, right)]
    height = max(tile.height for tile in tiles)
    both = _blank(sum(tile.width + 4 for tile in tiles), height)
    place = 2
    for tile in tiles:
        both.paste(tile, (place, (height - tile.height) // 2))
        place += tile.width + 4
    said = [
        f"{word}: {one.label}. {' '.join(one.said)}"
        for word, one in (("Left", left), ("Right", right))
    ]
    return _encoded(both, mime, "\n".join(said))


def caption(dataset: Dataset, frame: Frame) -> str:
    """What a rendered frame is and how it is shown, as sentences; nothing that names the patient.

    Says so where names may be burned into the picture, unless the file says there are none.
    """
    return "\n".join([f"{_label(dataset, frame)}.", *_said(dataset, frame)])


def frame_sides(dataset: Dataset, number: int = 1) -> tuple[str, str, str, str] | None:
    """What lies left, right, top and bottom of a frame: from Image Orientation (Patient), else from
    Patient Orientation; None where neither says."""
    elements = Elements.of(dataset)
    plane = placed(elements, number, "PlaneOrientationSequence", "ImageOrientationPatient")
    if found := sides(plane.numbers("ImageOrientationPatient")):
        return found
    towards = [one.upper() for one in elements.values("PatientOrientation")]
    if len(towards) != 2 or not all(one and set(one) <= _DIRECTIONS for one in towards):
        return None
    right, bottom = towards
    return right.translate(_OPPOSITE), right, bottom.translate(_OPPOSITE), bottom


_OPPOSITE = str.maketrans("RLAPFH", "LRPAHF")


def _label(dataset: Dataset, frame: Frame) -> str:
    """Modality, series, instance, frame and place in the patient."""
    elements = Elements.of(dataset)
    series = " ".join(filter(None, (elements.text("SeriesNumber"), _description(elements))))
    parts = [
        elements.text("Modality"),
        series and f"series {series}",
        (instance := elements.text("InstanceNumber")) and f"instance {instance}",
        f"frame {frame.number} of {frame.frames:,}" if frame.frames > 1 else "",
        _place(elements, frame.number),
    ]
    return ", ".join(capped(part, 100) for part in parts if part) or "Image"


def _said(dataset: Dataset, frame: Frame) -> tuple[str, ...]:
    """Sides, window, compression, what may be burned in, and the frame's own notes."""
    elements = Elements.of(dataset)
    said = (
        _sides_in_words(frame_sides(dataset, frame.number)),
        f"Shown: {frame.shown}." + _values(frame),
        _lossy(elements),
        _burned_in(elements),
        *(f"{note}." for note in frame.notes),
    )
    return tuple(filter(None, said))


def _told_apart(labels: Sequence[str]) -> tuple[str, list[str]]:
    """The parts all labels share, and each label without them."""
    parted = [label.split(", ") for label in labels]
    shared = [part for part in parted[0] if all(part in parts for parts in parted)]
    apart = [", ".join(part for part in parts if part not in shared) for parts in parted]
    return (", ".join(shared), apart) if all(apart) else ("", list(labels))


def _description(elements: Elements) -> str:
    return capped(elements.text("SeriesDescription"), 64)


def _place(elements: Elements, number: int) -> str:
    """The plane and how far along its normal the frame lies."""
    plane = placed(elements, number, "PlaneOrientationSequence", "ImageOrientationPatient")
    words = orientation(plane.numbers("ImageOrientationPatient"))
    where = position(elements.dataset, number)
    return words if where is None else f"{words} at {where:.1f} mm"


def _sides_in_words(found: tuple[str, str, str, str] | None) -> str:
    if found is None:
        return "Which side of the patient is where, the file does not say."
    left, right, top, bottom = found
    return f"Left of the picture {left}, right {right}, top {top}, bottom {bottom} of the patient."


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


def _all(cells: Sequence[Cell]) -> list[str]:
    """What is to be said about the cells, each thing once, with their numbers where it is not said
    about all; ranges of values left out."""
    about: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(cells, start=1):
        for line in one.said:
            about[line.partition(" Values in")[0]].append(place)
    return [
        line if len(places) == len(cells) else f"{', '.join(map(str, places))}: {line}"
        for line, places in about.items()
    ]


def _square(frame: Frame) -> tuple[float, float]:
    """Height and width with square pixels."""
    rows, columns = frame.pixels.shape[:2]
    return (rows * frame.ratio, columns) if frame.ratio > 1 else (rows, columns / frame.ratio)


def _sized(frame: Frame, longest_side: int) -> "Image.Image":
    """With square pixels, no larger than asked, and a small one enlarged."""
    from PIL import Image

    found = Image.fromarray(frame.fitted(longest_side))
    scale = min(_SMALLEST, longest_side) / max(found.size)
    if scale <= 1:
        return found
    size = max(1, round(found.width * scale)), max(1, round(found.height * scale))
    return found.resize(size, Image.Resampling.BICUBIC)


def _marked(inner: "Image.Image", found: tuple[str, str, str, str] | None) -> "Image.Image":
    """The image in a black margin with the letters of its sides."""
    from PIL import ImageDraw

    width, height = inner.width + 2 * _MARGIN, inner.height + 2 * _MARGIN
    framed = _blank(width, height, colour=inner.mode == "RGB")
    framed.paste(inner, (_MARGIN, _MARGIN))
    if found:
        draw = ImageDraw.Draw(framed)
        half = _MARGIN // 2
        middle, centre = height // 2, width // 2
        places = (half, middle), (width - half, middle), (centre, half), (centre, height - half)
        for letters, place in zip(found, places, strict=True):
            draw.text(place, letters[:2], fill=_INK[framed.mode], font=_font(), anchor="mm")
    return framed


_INK = {"L": 255, "RGB": (255, 255, 255)}


def _tile(one: Cell, label: str, side: int) -> "Image.Image":
    """A cell's image as large as fits, in a margin of its own, its label below."""
    from PIL import Image, ImageDraw

    room = max(side - 2 * _MARGIN - _LABEL, 16)
    inner = Image.fromarray(one.pixels)
    scale = room / max(inner.size)
    size = max(1, round(inner.width * scale)), max(1, round(inner.height * scale))
    filtered = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
    marked = _marked(inner.resize(size, filtered), one.sides)
    tile = _blank(max(marked.width, side), marked.height + _LABEL)
    tile.paste(marked.convert("RGB"), ((tile.width - marked.width) // 2, 0))
    words, font = label.encode("ascii", "replace").decode(), _font(12)
    while words and font.getlength(words) > tile.width:
        words = words.partition(" ")[2]
    place = tile.width // 2, tile.height - _LABEL // 2
    ImageDraw.Draw(tile).text(place, words, fill=(255, 255, 160), font=font, anchor="mm")
    return tile


def _blank(width: int, height: int, *, colour: bool = True) -> "Image.Image":
    from PIL import Image

    return Image.new("RGB" if colour else "L", (width, height))


def _font(size: int = _LETTERS):
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _encoded(shown: "Image.Image", mime: str, said: str) -> Picture:
    file = BytesIO()
    if mime == JPEG:
        shown.save(file, "JPEG", quality=_QUALITY, subsampling=0)
    elif mime == PNG:
        shown.save(file, "PNG")
    else:
        raise ContentError(f"A picture is {PNG} or {JPEG}, not {mime}")
    return Picture(file.getvalue(), mime, shown.width, shown.height, said)
