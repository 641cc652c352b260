"""What an archive tells of its series is taken there; objects are fetched for the rest only."""

import logging
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.habits import Habits
from dicom_mcp.node import AnyNode, Node, WebNode
from tests.asking import answers
from tests.content.samples import image
from tests.peers.embedded import embedded_web

pytestmark = pytest.mark.usefixtures("tidy")

ASKED = ["KVP", "ConvolutionKernel"]
TOLD = frozenset(ASKED)


def held() -> list[Dataset]:
    """Eight series in four studies, two of them without a kernel."""
    pixels = np.zeros((4, 4), np.uint8)
    return [
        image(
            pixels,
            modality="CT",
            PatientID="P1",
            StudyInstanceUID=f"1.2.{study}",
            SeriesInstanceUID=f"1.2.{study}.{series}",
            SOPInstanceUID=f"1.2.{study}.{series}.{number}",
            SeriesNumber=series,
            InstanceNumber=number,
            KVP="120" if series == 1 else "80",
            ConvolutionKernel=f"B{study}0f" if study < 4 else "",
        )
        for study in range(1, 5)
        for series in (1, 2)
        for number in (1, 2)
    ]


OBJECTS = held()
STUDIES = [f"1.2.{study}" for study in range(1, 5)]
SERIES = [f"1.2.{study}.{series}" for study in range(1, 5) for series in (1, 2)]


@contextmanager
def asked(way: str, habits: Habits) -> Generator[AnyNode]:
    if way == "DICOMweb":
        with embedded_web(OBJECTS, habits) as url:
            yield WebNode(url)
        return
    hierarchy = "silent" if way == "hierarchical" else "relational"
    with EmbeddedArchive(OBJECTS, ae_title="TELLS", habits=habits, hierarchy=hierarchy) as embedded:
        yield Node(port=embedded.port, called_ae_title="TELLS")


def fetched(caplog: pytest.LogCaptureFixture) -> int:
    """How many objects were fetched, by what the journal says of it."""
    lines = [record.getMessage() for record in caplog.records]
    lines = [line for line in lines if line.startswith(("C-GET", "WADO-RS"))]
    return sum(
        int(count) for line in lines for count in re.findall(r"(?:objects|rows)=(\d+)", line)
    )


def same(answer: dict[str, Any]) -> dict[str, Any]:
    """What two answers to one question share, wherever the values are from."""
    rows = [{**answer["common"], **row} for row in answer["records"]]
    counts = sorted(
        (row["attribute"], row["value"].removesuffix(".0"), row["series"])
        for row in answer["counts"]
    )
    for row in rows:
        row["KVP"] = row["KVP"].removesuffix(".0")
    return {
        "complete": answer["complete"],
        "counts": counts,
        "records": sorted(rows, key=lambda row: row["series_instance_uid"]),
    }


@pytest.mark.parametrize("way", ["DIMSE", "hierarchical", "DICOMweb"])
@pytest.mark.parametrize(
    "uids", [{"study_instance_uids": STUDIES}, {"series_instance_uids": SERIES}]
)
def test_objects_are_fetched_of_those_series_only_of_which_the_archive_does_not_tell_all(
    way: str, uids: dict[str, list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dicom_mcp")
    whole = ("sample_headers", {**uids, "attributes": ASKED})
    kvp = ("sample_headers", {**uids, "attributes": ["kVp"]})
    told: dict[bool, list[dict[str, Any]]] = {}
    objects: dict[bool, list[int]] = {}
    for tells in (True, False):
        habits = Habits(told_of_series=TOLD if tells else frozenset())
        told[tells], objects[tells] = [], []
        with asked(way, habits) as node:
            for answer in answers(node, [kvp, whole]):
                told[tells].append(same(answer))
                objects[tells].append(fetched(caplog))
                caplog.clear()
    for telling, silent in zip(told[True], told[False], strict=True):
        assert telling == silent
    assert objects[False][0] == len(SERIES)
    # Over a hierarchical archive series are asked for by their study only.
    if "study_instance_uids" in uids or way != "hierarchical":
        assert objects[True] == [0, 2]  # of two series the archive has no kernel to tell
