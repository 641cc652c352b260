"""Frames that a process apart decodes: how much memory each decoder takes for one, and what is said
where it makes nothing of it."""

from dataclasses import dataclass

from .apart import Apart, Failed
from .elements import Bytes
from .error import ContentError
from .layout import Layout


@dataclass(frozen=True, slots=True)
class Takes:
    """Bytes a decoder takes: so often the frame as it came, so often what comes out, and for each
    value what it keeps itself; `unused` is address space, so often what comes out, that it never
    touches (a stream of C++ is doubled as it grows). Measured with 31 million values each."""

    frame: float
    out: float
    value: float = 0.0
    unused: float = 0.0


TAKES = {
    "jpeg": Takes(frame=2, out=4),
    "rle": Takes(frame=1, out=2),
    "JPEG 2000": Takes(frame=2, out=1, value=4),
    "JPEG": Takes(frame=3, out=4.1, unused=2),
    "JPEG-LS": Takes(frame=3, out=2.7, unused=2),
}

# And some whatever the frame.
_LEAST = 16 << 20


def asked(
    apart: Apart,
    kit: str,
    frame: Bytes,
    layout: Layout,
    name: str,
    length: int,
    takes: Takes,
    **wish: object,
) -> bytearray:
    """So many bytes that a library makes of a frame.

    Raises ContentError where it makes none, or others.
    """
    memory = int(_LEAST + takes.frame * len(frame) + takes.out * length)
    memory += int(takes.value * layout.values)
    wish |= {"rows": layout.rows, "columns": layout.columns, "samples": layout.samples}
    wish["unused"] = int(takes.unused * length)
    try:
        _, (content,) = apart.ask(
            kit, frame, memory=memory, least=memory - _LEAST, answer=length, **wish
        )
    except Failed as failure:
        raise failure.refusal(f"The frame ({name})") or undecodable(name) from failure
    if len(content) != length:
        raise undecodable(name)
    return content


def undecodable(name: str) -> ContentError:
    return ContentError(
        f"The frame ({name}) is damaged, or of a kind its decoder does not know",
        "Ask the archive for the image uncompressed (Explicit VR Little Endian)",
    )
