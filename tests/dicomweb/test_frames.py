"""A frame of an object that is too large to be fetched is shown alone, where the archive can give
one, and said to have been; else the reason is told."""

import json
import socket
from copy import deepcopy
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from dicom_mcp.content.frame import render
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.node import Node, WebNode
from dicom_mcp.objects import objects as fetching
from tests.asking import fail, look
from tests.content.drawing import item, segmentation
from tests.content.samples import image
from tests.notes import the_note
from tests.peers.orthanc import orthanc_web
from tests.peers.web import Asked, WebPeer, answer, says

SIZE = 64


@pytest.fixture(name="cine")
def _cine(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Five frames of their own grey each, more than may be fetched."""
    monkeypatch.setattr(fetching, "LARGEST_OBJECT", 3 * SIZE * SIZE)
    frames = np.stack([np.full((SIZE, SIZE), level, np.uint8) for level in range(50, 100, 10)])
    frames[:, :8, :8] = 0
    return image(frames, NumberOfFrames=5, SOPClassUID="1.2.840.10008.5.1.4.1.1.7.2")


def test_a_frame_of_an_object_too_large_is_fetched_alone(cine: Dataset, tmp_path: Path) -> None:
    with orthanc_web([cine], tmp_path) as url:
        for frame in (1, 4):
            said, (shown,) = look(
                WebNode(url), "view_image", series_instance_uid="2.25.3", frame=frame
            )
            assert the_note(said["notes"], f"frame {frame} of 5 was fetched alone, as it is stored")
            assert said["image"]["frame"] == frame
            assert said["image"]["place"] == f"{frame} of 5 frames"
            told = f"Values in the frame: 0 to {40 + frame * 10}"
            assert any(told in line for line in said["caption"])
            assert shown.startswith(b"\x89PNG")
        said, _ = look(WebNode(url), "view_image", series_instance_uid="2.25.3", at="last")
        assert said["image"]["frame"] == 5
    assert render(cine, 4).high == 80


def test_a_frame_that_is_fetched_alone_is_called_and_drawn_on_by_its_own_number(
    cine: Dataset, tmp_path: Path
) -> None:
    cine.SOPInstanceUID, cine.StudyInstanceUID, cine.SeriesInstanceUID = (
        "2.25.6",
        "2.25.1",
        "2.25.2",
    )
    cine.TotalPixelMatrixColumns, cine.TotalPixelMatrixRows = 5 * SIZE, SIZE
    cine.DimensionOrganizationType, cine.ImageType = "TILED_FULL", ["DERIVED", "PRIMARY", "VOLUME"]
    marked = np.zeros((SIZE, SIZE), bool)
    marked[8:16, 8:16] = True
    drawn = segmentation({0.0: {1: marked}, 1.0: {2: marked}}, frame_of_reference="2.25.10")
    drawn.Rows = drawn.Columns = SIZE
    for place, group in zip((1, 4), drawn.PerFrameFunctionalGroupsSequence, strict=True):
        source = item(ReferencedSOPInstanceUID="2.25.6", ReferencedFrameNumber=place)
        group.DerivationImageSequence = Items([item(SourceImageSequence=Items([source]))])
    with orthanc_web([cine, drawn], tmp_path) as url:
        said, _ = look(
            WebNode(url), "view_image", series_instance_uid="2.25.2", frame=4, draw="2.25.3"
        )
    told = the_note(said["notes"], "frame 4 of 5 was fetched alone")
    assert "It is tile 4 of 5 across" in told
    caption = " ".join(said["caption"])
    assert "tile 1" not in caption
    assert "Spleen (" in caption
    assert "Liver" not in caption


def test_where_no_frame_can_be_had_alone_the_reason_is_told(cine: Dataset) -> None:
    with EmbeddedArchive([cine], ae_title="WHOLE") as archive:
        node = Node(port=archive.port, called_ae_title="WHOLE")
        told = fail(node, "view_image", series_instance_uid="2.25.3", frame=2)
    assert "too large" in told


def test_a_picture_that_the_archive_made_is_said_to_be_its_own(cine: Dataset) -> None:
    picture = BytesIO()
    Image.new("L", (40, 30), 7).save(picture, "PNG")
    whole = _part(_file(cine), "application/dicom")
    header = deepcopy(cine)
    del header.PixelData

    def behave(connected: socket.socket, asked: Asked) -> bool:
        target = asked.target.partition("?")[0]
        content, kind, status = b"[]", "application/dicom+json", "200 OK"
        if target.endswith("/frames/2/rendered"):
            content, kind = picture.getvalue(), "image/png"
        elif "/frames/" in target:
            status = "404 Not Found"
        elif target.endswith("/metadata") or (target.endswith("s") and not asked.offset):
            content = json.dumps([header.to_json_dict()]).encode()
        elif not target.endswith("s"):
            content, kind = whole, 'multipart/related; type="application/dicom"; boundary=b0'
        return says(answer(content, kind=kind, status=status))(connected, asked)

    with WebPeer(behave) as peer:
        node = WebNode(peer.url)
        said, (shown,) = look(node, "view_image", series_instance_uid="2.25.3", frame=2)
        assert shown == picture.getvalue()
        assert said["caption"] == ["A picture that the archive made."]
        assert the_note(
            said["notes"],
            "frame 2 of 5 was fetched alone, as a picture (/rendered)",
            "The picture is the archive's, not ours",
        )
        told = fail(node, "view_image", series_instance_uid="2.25.3", frame=3)
        assert "too large" in told
        assert "gives no single frames" in told


def _file(dataset: Dataset) -> bytes:
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _part(content: bytes, kind: str) -> bytes:
    return f"--b0\r\nContent-Type: {kind}\r\n\r\n".encode() + content + b"\r\n--b0--"
