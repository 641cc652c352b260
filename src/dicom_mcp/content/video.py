"""Frames of a video (PS3.5 8.2.5 to 8.2.10), where a library for videos is installed
(decisions/0031)."""

import hashlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ..standard.counted import counted
from .apart import Apart, Failed
from .elements import Elements
from .encapsulated import fragments
from .error import ContentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# H.265 (PS3.5 8.2.9); what does not say what it is may be either.
_HEVC = ("1.2.840.10008.1.2.4.107", "1.2.840.10008.1.2.4.108")

# Bytes a decoder takes beside the video: some, and for each sample of a frame those it refers to.
_LEAST, _COPIES = 128 << 20, 20

_MOST_PIXELS = 4096 * 2304


def frame_of(
    elements: Elements, number: int, syntax: str, name: str, apart: Apart
) -> "tuple[NDArray[Any], int, tuple[str, ...]]":
    """Frame `number` (from 1) in RGB, how many frames there are, and what is to be said.

    Raises ContentError where it cannot be decoded, and where the library is not installed.
    """
    import numpy as np

    if find_spec("av") is None:
        raise ContentError(
            f"The pixels are a video ({name}), and the library that decodes videos is not "
            "installed here",
            'Have dicom-mcp installed with its extra "video", or PyAV (av) beside it',
        )
    rows, columns = elements.integer("Rows"), elements.integer("Columns")
    items = fragments(elements.bulk("PixelData"))
    if items is None or not 0 < rows * columns <= _MOST_PIXELS:
        raise ContentError(f"The video ({name}) is {columns} by {rows} pixels, or in no fragments")
    content = items.joined(0, len(items.places))
    called = hashlib.blake2b(content, digest_size=16).hexdigest()
    memory = _LEAST + 3 * len(content) + _COPIES * 3 * rows * columns
    wish: dict[str, Any] = {
        "called": called,
        "number": number,
        "rows": rows,
        "columns": columns,
        "hevc": syntax.startswith(_HEVC),
    }
    try:
        facts, (pixels,) = apart.ask(
            "video", content, memory=memory, answer=3 * rows * columns, **wish
        )
    except Failed as failure:
        raise failure.refusal(f"The video ({name})") or ContentError(
            f"The pixels are a video ({name}) that is damaged, or of a kind its decoder does not "
            "know",
            "Retrieve it again, or open it with another program",
        ) from failure
    frames: int = facts["frames"]
    if number > frames:
        raise ContentError(f"The video holds {counted(frames, 'frame')}, not {number}")
    if len(pixels) != rows * columns * 3:
        raise ContentError(
            f"The video is {facts['rows']} by {facts['columns']} pixels, the data set says {rows} "
            f"by {columns}",
            "One of them is wrong; ask whoever made it",
        )
    said = elements.integer("NumberOfFrames", 1)
    told = f"The video holds {frames:,} frames, NumberOfFrames says {said:,}"
    notes = (told,) if said != frames else ()
    return np.frombuffer(pixels, np.uint8).reshape(rows, columns, 3), frames, notes
