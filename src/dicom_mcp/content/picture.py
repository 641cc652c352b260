"""Pictures a model can be shown: PNG or JPEG, sides marked, with a caption that says what they are.

Letters stand in a margin, never on the image: nothing of it is covered.
"""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset

from ..standard.counted import counted
from ..words.letters import in_ascii
from .apart import Apart
from .caption import caption, frame_sides, label_of, millimetres, remarks, shown_how
from .error import ContentError
from .frame import Frame, render
from .layers import Colour, Source, drawn_on, layered
from .segmentation import Segmentation, is_label_map
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
_RUNS = 3  # zlib's Z_RLE

# Names below a picture; the caption has them all.
_MOST_NAMES = 30


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
    sides, what is to be said about it, and how many mm it is high and wide, where it says so.
    `frame` is there where all of its values are shown, from its own least to its own largest."""

    pixels: "Pixels"
    label: str
    sides: tuple[str, str, str, str] | None = None
    said: tuple[str, ...] = ()
    millimetres: tuple[float, float] | None = None
    frame: Frame | None = None
    legend: tuple[tuple[str, Colour], ...] = ()


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
    layers: Sequence[Source] = (),
    of: int = 0,
) -> Picture:
    """Frame `number` of an image with its sides marked, neither side longer than `longest_side`,
    and with what `layers` draw on it (`of`: as frame of that number, where it was fetched alone).

    Raises ContentError as `frame.render` does.
    """
    frame = _rendered(dataset, number, window, transfer_syntax, apart, overlays, layers, of)
    inner = _sized(frame, max(longest_side - 2 * _MARGIN, 16))
    shown = _explained(_marked(inner, frame_sides(dataset, number)), frame.legend)
    size = f"{frame.pixels.shape[1]} × {frame.pixels.shape[0]} pixels"
    scale = round(max(inner.size) / max(_square(frame)), 2)
    if scale != 1:
        size += f", shown at {scale:.3g} of that" if scale < 1 else f", shown {scale:.3g} times"
    return encoded(shown, mime, f"{caption(dataset, frame)}\n{size}.")


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
    layers: Sequence[Source] = (),
) -> Cell:
    """A frame for `contact_sheet` or `side_by_side`, neither side longer than `longest_side`; the
    label says instance, frame and place."""
    frame = _rendered(dataset, number, window, transfer_syntax, apart, overlays, layers)
    fitted = frame.fitted(longest_side)
    scaled = frame if frame.scaled_by_itself else None
    return Cell(
        fitted,
        label or label_of(dataset, frame),
        frame_sides(dataset, number),
        remarks(dataset, frame),
        millimetres(dataset, frame),
        scaled and replace(scaled, pixels=fitted),
        frame.legend,
    )


def _rendered(
    dataset: Dataset,
    number: int,
    window: Window | str,
    transfer_syntax: str,
    apart: Apart | None,
    overlays: bool,
    layers: Sequence[Source],
    of: int = 0,
) -> Frame:
    """The frame with all that is drawn on it; a label map in the colours of its segments."""
    with nullcontext(apart) if apart else Apart() as decoding:
        frame = render(
            dataset,
            number,
            window=window,
            transfer_syntax=transfer_syntax,
            apart=decoding,
            overlays=overlays,
            of=of,
        )
        if not frame.colour and is_label_map(dataset):
            frame = drawn_on(frame, [Segmentation(dataset).itself(number, decoding)])
        return layered(frame, dataset, layers, decoding, of)


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
    cells, told = _one_scale(cells)
    columns = min(columns or round((len(cells) * 1.1) ** 0.5) or 1, len(cells))
    rows = -(-len(cells) // columns)
    side = (longest_side // max(columns, rows)) - 4
    shared, labels = _told_apart([shown.label for shown in cells])
    tiles = [_tile(cell, label, side) for cell, label in zip(cells, labels, strict=True)]
    width, height = max(tile.width for tile in tiles), max(tile.height for tile in tiles)
    sheet = _blank(columns * (width + 4), rows * (height + 4))
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        sheet.paste(tile, (column * (width + 4) + 2, row * (height + 4) + 2))
    sheet = _explained(sheet, [line for shown in cells for line in shown.legend])
    head = f"{shared + ': ' if shared else ''}{counted(len(cells), 'image')} in rows of {columns}"
    listed = [f"{place}. {label}" for place, label in enumerate(labels, start=1)]
    return encoded(
        sheet,
        mime,
        "\n".join([f"{head}, from the top left:", *listed, *told, *_all(cells), *_scales(cells)]),
    )


def side_by_side(left: Cell, right: Cell, *, longest_side: int = 1568, mime: str = PNG) -> Picture:
    """Two frames next to each other, as large as fits."""
    tiles = [_tile(cell, cell.label, longest_side // 2 - 4) for cell in (left, right)]
    height = max(tile.height for tile in tiles)
    both = _blank(sum(tile.width + 4 for tile in tiles), height)
    place = 2
    for tile in tiles:
        both.paste(tile, (place, (height - tile.height) // 2))
        place += tile.width + 4
    both = _explained(both, [*left.legend, *right.legend])
    said = [
        f"{word}: {cell.label}. {' '.join(cell.said)}"
        for word, cell in (("Left", left), ("Right", right))
    ]
    said += _scales((left, right))
    return encoded(both, mime, "\n".join(said))


def _one_scale(cells: Sequence[Cell]) -> tuple[list[Cell], list[str]]:
    """The cells with all their values on one scale, where each would have its own: 0.5 Gy must not
    look like 54. And what is to be said of it."""
    import numpy as np

    frames = [shown.frame for shown in cells if shown.frame]
    if len(frames) < 2 or len({frame.unit for frame in frames}) > 1:
        return [*cells], []
    lows = [frame.low for frame in frames if frame.low is not None]
    highs = [frame.high for frame in frames if frame.high is not None]
    low, high = min(lows), max(highs)
    if (max(lows), min(highs)) == (low, high):
        return [*cells], []
    span = high - low
    scaled: list[Cell] = []
    for shown in cells:
        if (frame := shown.frame) is None or frame.low is None or frame.high is None:
            scaled.append(shown)
            continue
        shares = frame.pixels / 255.0
        if frame.inverted:
            shares = 1.0 - shares
        values = (frame.low - low + shares * (frame.high - frame.low)) / span
        greys = np.rint((1.0 - values if frame.inverted else values) * 255.0).astype(np.uint8)
        said = tuple(line for line in shown.said if line != shown_how(frame))
        scaled.append(replace(shown, pixels=greys, said=said))
    unit = f" {frames[0].unit}" if frames[0].unit else ""
    return scaled, [
        f"Shown: all {len(frames)} images without a window of their own on one scale, from "
        f"{low:g} to {high:g}{unit}."
    ]


def _told_apart(labels: Sequence[str]) -> tuple[str, list[str]]:
    """The parts all labels share, and each label without them."""
    parted = [label.split(", ") for label in labels]
    shared = [part for part in parted[0] if all(part in parts for parts in parted)]
    rests = [", ".join(part for part in parts if part not in shared) for parts in parted]
    return (", ".join(shared), rests) if all(rests) else ("", list(labels))


def _all(cells: Sequence[Cell]) -> list[str]:
    """What is to be said about the cells, each thing once, with their numbers where it is not said
    about all; ranges of values left out."""
    about: dict[str, list[int]] = defaultdict(list)
    for place, cell in enumerate(cells, start=1):
        for line in cell.said:
            about[line.partition(" Values in")[0]].append(place)
    return [
        line if len(places) == len(cells) else f"{', '.join(map(str, places))}: {line}"
        for line, places in about.items()
    ]


def _scales(cells: Sequence[Cell]) -> list[str]:
    """What is to be said where images of different sizes are drawn equally large."""
    known = [shown.millimetres for shown in cells if shown.millimetres]
    longest = [max(size) for size in known]
    if len(known) < len(cells):
        return ["Not all images say how large a pixel is: they may not be to one scale."] * bool(
            known
        )
    if max(longest) - min(longest) <= _SAME_SIZE * max(longest):
        return []
    sizes = dict.fromkeys(f"{height:.0f} × {width:.0f} mm" for height, width in known)
    return [f"Not to one scale: the images are of {', '.join([*sizes][:6])}."]


# Sizes that differ by less are one.
_SAME_SIZE = 0.01


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
            draw.text(place, letters[:2], fill=_INK[framed.mode], font=font(), anchor="mm")
    return framed


_INK = {"L": 255, "RGB": (255, 255, 255)}


def _tile(cell: Cell, label: str, side: int) -> "Image.Image":
    """A cell's image as large as fits, in a margin of its own, its label below."""
    from PIL import Image, ImageDraw

    room = max(side - 2 * _MARGIN - _LABEL, 16)
    inner = Image.fromarray(cell.pixels)
    scale = room / max(inner.size)
    size = max(1, round(inner.width * scale)), max(1, round(inner.height * scale))
    filtered = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
    marked = _marked(inner.resize(size, filtered), cell.sides)
    tile = _blank(max(marked.width, side), marked.height + _LABEL)
    tile.paste(marked.convert("RGB"), ((tile.width - marked.width) // 2, 0))
    words, letters = in_font(label), font(12)
    while words and letters.getlength(words) > tile.width:
        words = words.partition(" ")[2]
    place = tile.width // 2, tile.height - _LABEL // 2
    ImageDraw.Draw(tile).text(place, words, fill=(255, 255, 160), font=letters, anchor="mm")
    return tile


def _explained(shown: "Image.Image", legend: Sequence[tuple[str, Colour]]) -> "Image.Image":
    """The picture with the names of what is drawn in it below, each beside its colour."""
    from PIL import ImageDraw

    if not (names := [*dict.fromkeys(legend)]):
        return shown
    if more := len(names) - _MOST_NAMES:
        names[_MOST_NAMES:] = [(f"and {more} more", (0, 0, 0))] * (more > 0)
    letters = font(12)
    places: list[tuple[int, int]] = []
    right = row = 0
    for name, _ in names:
        width = round(letters.getlength(in_font(name))) + 2 * _LABEL
        if right and right + width > shown.width:
            right, row = 0, row + 1
        places.append((right, shown.height + row * _LABEL))
        right += width
    found = _blank(shown.width, shown.height + (row + 1) * _LABEL)
    found.paste(shown.convert("RGB"), (0, 0))
    pen = ImageDraw.Draw(found)
    for (name, colour), (x, y) in zip(names, places, strict=True):
        pen.rectangle((x + 4, y + 4, x + 13, y + 13), fill=colour)
        pen.text((x + _LABEL, y + _LABEL // 2), in_font(name), font=letters, anchor="lm")
    return found


def in_font(words: str) -> str:
    """In the letters that the font has, which are ASCII's and few others: those of other scripts,
    and with marks, in these."""
    return "".join(
        character if character.isascii() or character in "…·°" else in_ascii(character)
        for character in words
    )


def _blank(width: int, height: int, *, colour: bool = True) -> "Image.Image":
    from PIL import Image

    return Image.new("RGB" if colour else "L", (width, height))


def font(size: int = _LETTERS):
    """The font of letters and labels."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


def encoded(shown: "Image.Image", mime: str, said: str) -> Picture:
    """The picture in a file. Raises ContentError for another media type."""
    file = BytesIO()
    if mime == JPEG:
        shown.save(file, "JPEG", quality=_QUALITY, subsampling=0)
    elif mime == PNG:
        # Bodies repeat next to nothing that is farther away: as small, and four times as fast.
        shown.save(file, "PNG", compress_type=_RUNS)
    else:
        raise ContentError(f"A picture is {PNG} or {JPEG}, not {mime}")
    return Picture(file.getvalue(), mime, shown.width, shown.height, said)
