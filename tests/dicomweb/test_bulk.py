"""Attributes that metadata keep apart, or leave out, are fetched or doubted, never denied."""

import json
import socket
from copy import deepcopy
from io import BytesIO

import numpy as np
import pytest
from pydicom.dataset import Dataset

from dicom_mcp.node import WebNode
from tests.asking import ask
from tests.content.samples import image
from tests.notes import the_note
from tests.peers.web import Asked, Behaviour, WebPeer, answer, says

COMMENTS = "00204000"
SERIES = "2.25.3"


def _image() -> Dataset:
    pixels = np.zeros((16, 16), np.uint8)
    return image(pixels, ImageComments="A long comment", Modality="OT", KVP="120")


def _serving(one: Dataset, *, kept: str, whole: bool = True) -> Behaviour:
    """A server whose metadata keep the comments as bulk data, or leave them out."""
    header = deepcopy(one)
    del header.PixelData
    metadata = header.to_json_dict()
    del metadata[COMMENTS]
    if kept != "nowhere":
        metadata[COMMENTS] = {"vr": "LT", kept: "../bulk/1"}
    file = BytesIO()
    one.save_as(file, enforce_file_format=True)
    part = b"--b0\r\nContent-Type: application/dicom\r\n\r\n" + file.getvalue() + b"\r\n--b0--"

    def behave(connected: socket.socket, asked: Asked) -> bool:
        target = asked.target.partition("?")[0]
        content, kind, status = b"[]", "application/dicom+json", "200 OK"
        if target.endswith("/metadata") or (target.endswith("s") and not asked.offset):
            content = json.dumps([metadata]).encode()
        elif not target.endswith("s"):
            content, kind = part, 'multipart/related; type="application/dicom"; boundary=b0'
            status = "200 OK" if whole else "403 Forbidden"
        return says(answer(content, kind=kind, status=status))(connected, asked)

    return behave


@pytest.mark.parametrize("kept", ["BulkDataURI", "bulkDataURI", "nowhere"])
def test_what_metadata_lack_is_read_from_the_object(kept: str) -> None:
    with WebPeer(_serving(_image(), kept=kept)) as peer:
        node = WebNode(peer.url)
        read = ask(
            node, "read_header", series_instance_uid=SERIES, attributes=["ImageComments", "KVP"]
        )
        values = {row["keyword"]: row["value"] for row in read["records"]}
        assert values == {"ImageComments": "A long comment", "KVP": "120"}
        assert read["complete"]
        sampled = ask(
            node, "sample_headers", series_instance_uids=[SERIES], attributes=["ImageComments"]
        )
        assert "A long comment" in str(sampled["counts"])
        assert not any("In none" in note for note in sampled["notes"])


@pytest.mark.parametrize("kept", ["BulkDataURI", "bulkDataURI", "nowhere"])
def test_what_metadata_lack_is_doubted_where_the_object_cannot_be_had(kept: str) -> None:
    with WebPeer(_serving(_image(), kept=kept, whole=False)) as peer:
        node = WebNode(peer.url)
        read = ask(node, "read_header", series_instance_uid=SERIES, attributes=["ImageComments"])
        assert not read["complete"]
        assert the_note(read["notes"], "Not complete, perhaps: ImageComments may be in the object")
        sampled = ask(
            node, "sample_headers", series_instance_uids=[SERIES], attributes=["ImageComments"]
        )
        assert not sampled["complete"]
