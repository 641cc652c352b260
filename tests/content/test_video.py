"""A frame of a video is the one that is asked for, whatever its container."""

import sys
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from dicom_mcp.content import apart as module
from dicom_mcp.content.error import ContentError
from dicom_mcp.content.frame import render
from tests.content.samples import image

av: Any = pytest.importorskip("av")

MPEG2, H264, HEVC = (f"1.2.840.10008.1.2.4.{last}" for last in ("100", "102", "107"))
SIDE, COUNT = 64, 30


def encoded(codec: str, container: str) -> bytes:
    """Frames that grow lighter, whose left half is red."""
    file = BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(codec, rate=25)
        stream.width = stream.height = SIDE
        stream.pix_fmt, stream.codec_context.gop_size = "yuv420p", 10
        for number in range(COUNT):
            pixels = np.full((SIDE, SIDE, 3), 20 + number * 7, np.uint8)
            pixels[:, : SIDE // 2, 1:] = 0
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
    return file.getvalue()


def video(content: bytes, syntax: str, **attributes: Any) -> Dataset:
    made = image(np.zeros((SIDE, SIDE), np.uint8))
    made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.1.1"
    made.Rows = made.Columns = SIDE
    made.PhotometricInterpretation, made.SamplesPerPixel = "YBR_PARTIAL_420", 3
    made.PlanarConfiguration, made.NumberOfFrames = 0, COUNT
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    made.file_meta.TransferSyntaxUID = UID(syntax)
    content += b"\0" * (len(content) % 2)
    half = len(content) // 4 * 2
    made.PixelData = encapsulate([content[:half], content[half:]])
    made["PixelData"].is_undefined_length = True
    return made


@pytest.mark.parametrize(
    ("codec", "container", "syntax"),
    [
        ("mpeg2video", "mpegts", MPEG2),
        ("mpeg2video", "mpeg2video", MPEG2),
        ("libx264", "mp4", H264),
        ("libx264", "mpegts", H264),
        ("libx264", "h264", H264),
        ("libx265", "mp4", HEVC),
    ],
)
def test_each_frame_is_the_one_that_is_asked_for(codec: str, container: str, syntax: str) -> None:
    made = video(encoded(codec, container), syntax)
    for number in (1, 14, COUNT):
        shown = render(made, number)
        assert (shown.number, shown.frames) == (number, COUNT)
        light = 20 + (number - 1) * 7
        assert shown.pixels[:, 40:].mean() == pytest.approx(light, abs=4)
        assert shown.pixels[:, 4:28, 0].mean() == pytest.approx(light, abs=12)
        assert shown.pixels[:, 4:28, 1].mean() < 25
        assert shown.notes == ()


def test_a_video_is_sent_once_for_all_of_its_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    exchange = module._exchange  # pyright: ignore[reportPrivateUsage]

    def counted(process: Any, wish: bytes, content: bytes) -> Any:
        sent.append(len(content))
        return exchange(process, wish, content)

    monkeypatch.setattr(module, "_exchange", counted)
    content = encoded("libx264", "mp4")
    with module.Apart() as apart:
        for made in (video(content, H264), video(content + b"\0\0", H264)):
            for number in (3, 20):
                shown = render(made, number, apart=apart)
                assert shown.pixels[:, 40:].mean() == pytest.approx(13 + number * 7, abs=4)
    assert [bool(size) for size in sent] == [True, False, True, False]


def test_what_a_video_says_otherwise_than_its_header_is_told_or_refused() -> None:
    content = encoded("mpeg2video", "mpegts")
    told = render(video(content, MPEG2, NumberOfFrames=31), 2).notes
    assert "The video holds 30 frames, NumberOfFrames says 31" in told
    with pytest.raises(ContentError, match="holds 30 frames, not 31"):
        render(video(content, MPEG2, NumberOfFrames=31), 31)
    with pytest.raises(ContentError, match="64 by 64 pixels, the data set says 32 by 64"):
        render(video(content, MPEG2, Rows=32), 1)


@pytest.mark.parametrize(
    "content", [b"#EXTM3U\nfile:///etc/passwd\n", b"ffconcat version 1.0\nfile x\n", b"\0" * 64]
)
def test_what_is_no_video_is_not_opened(content: bytes) -> None:
    with pytest.raises(ContentError, match="that is damaged, or of a kind"):
        render(video(content, H264), 1)


def test_without_the_library_it_is_said_how_to_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.setattr("dicom_mcp.content.video.find_spec", lambda _: None)  # pyright: ignore
    with pytest.raises(ContentError, match=r'MPEG-4.*extra "video"'):
        render(video(b"\0\0\1\xba" + b"\0" * 60, H264), 1)
