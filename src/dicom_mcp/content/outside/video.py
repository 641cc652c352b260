"""What the process apart does with a video: one frame of it, as red, green and blue."""

import io
from typing import Any

from .fault import Answer, Fault

# How each kind of stream begins (ISO/IEC 13818-1, 14496-12). No other demuxer is asked: some open
# files and addresses that a document names.
_TRANSPORT, _PACK, _SEQUENCE = b"\x47", b"\0\0\1\xba", b"\0\0\1\xb3"
_START = (b"\0\0\1", b"\0\0\0\1")

# Bytes of a packet of a transport stream.
_PACKET = 188

# The video that was asked for last, its kind and the times of its frames: others of it follow.
_KEPT: dict[str, tuple[bytes, str, list[int | None]]] = {}


def video(content: bytes, wish: dict[str, Any]) -> Answer:
    """Frame `number` (from 1) in the order in which they are shown; how many there are."""
    if (called := wish["called"]) not in _KEPT:
        _KEPT.clear()
        kind = _kind(content, is_hevc=wish["hevc"])
        _KEPT[called] = content, kind, _times(content, kind)
    content, kind, times = _KEPT[called]
    number = wish["number"]
    if number > len(times):
        return {"frames": len(times)}, [b""]
    picture = _at(content, kind, times, number) or _counted(content, kind, number)
    if picture is None:
        raise Fault("damaged")
    size = {"frames": len(times), "rows": picture.height, "columns": picture.width}
    if (picture.height, picture.width) != (wish["rows"], wish["columns"]):
        return size, [b""]
    return size, [picture.to_ndarray(format="rgb24").tobytes()]


def _kind(content: bytes, *, is_hevc: bool) -> str:
    if content[:1] == _TRANSPORT and content[_PACKET : _PACKET + 1] == _TRANSPORT:
        return "mpegts"
    if content[4:8] == b"ftyp":
        return "mp4"
    if content.startswith(_PACK):
        return "mpeg"
    if content.startswith(_SEQUENCE):
        return "mpegvideo"
    if content.startswith(_START):
        return "hevc" if is_hevc else "h264"
    raise Fault("damaged")


def _opened(content: bytes, kind: str) -> Any:
    import av

    library: Any = av
    container = library.open(io.BytesIO(content), format=kind)
    if not container.streams.video:
        raise Fault("damaged")
    container.streams.video[0].codec_context.thread_count = 1
    return container


def _times(content: bytes, kind: str) -> list[int | None]:
    """When each frame is shown, in that order; not known where a stream does not say."""
    with _opened(content, kind) as container:
        found = [
            packet.pts for packet in container.demux(container.streams.video[0]) if packet.size
        ]
    known = [time for time in found if time is not None]
    return [*sorted(known)] if len({*known}) == len(found) else [None] * len(found)


def _at(content: bytes, kind: str, times: list[int | None], number: int) -> Any:
    """The frame shown at the time of this number, decoded from the last key frame before it."""
    time = times[number - 1]
    if time is None:
        return None
    with _opened(content, kind) as container:
        stream = container.streams.video[0]
        if number > 1:
            container.seek(time, stream=stream)
        for frame in container.decode(stream):
            if frame.pts == time:
                return frame
            if frame.pts is None or frame.pts > time:
                return None
    return None


def _counted(content: bytes, kind: str, number: int) -> Any:
    """The frame of this number, decoded from the first on."""
    with _opened(content, kind) as container:
        for place, frame in enumerate(container.decode(container.streams.video[0]), start=1):
            if place == number:
                return frame
    return None
