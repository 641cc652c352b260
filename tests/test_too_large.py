"""Of an object that is too large, the header is read and no more is fetched than that takes."""

from collections.abc import Iterator

import numpy as np
import pytest

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.node import Node
from tests.asking import ask, fail
from tests.content.samples import image

# Bytes of a data set that come at most here.
MOST = 30_000


@pytest.fixture(name="node")
def _node(monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    """A series of three small objects and two that are too large."""
    monkeypatch.setattr("dicom_mcp.dimse.exchange.LARGEST_OBJECT", MOST)
    held = [
        image(
            np.zeros((side, side), "u2"),
            modality="CT",
            StudyInstanceUID="2.25.1",
            SeriesInstanceUID="2.25.2",
            SOPInstanceUID=f"2.25.3{number}",
            InstanceNumber=number,
            KVP=str(100 + number),
            ImagePositionPatient=[0, 0, number],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        )
        for number, side in enumerate((16, 16, 400, 16, 300), start=1)
    ]
    with EmbeddedArchive(held, ae_title="LARGE") as archive:
        yield Node(port=archive.port, called_ae_title="LARGE")


def test_the_header_of_an_object_that_is_too_large_is_read(node: Node) -> None:
    answer = ask(node, "read_header", series_instance_uid="2.25.2", sop_instance_uid="2.25.33")
    assert answer["complete"] is True
    rows = {row["keyword"]: row.get("value") for row in answer["records"]}
    assert rows["KVP"] == "103"
    assert rows["Rows"] == "400"


def test_one_that_is_too_large_costs_the_others_nothing(node: Node) -> None:
    answer = ask(
        node,
        "sample_headers",
        series_instance_uids="2.25.2",
        geometry=True,
    )
    assert answer["complete"] is True
    (lies,) = answer["geometry"]
    assert sum(stack["images"] for stack in lies["stacks"]) == 5


def test_its_picture_is_refused_with_the_reason(node: Node) -> None:
    told = fail(node, "view_image", series_instance_uid="2.25.2", sop_instance_uid="2.25.33")
    assert "larger than" in told
