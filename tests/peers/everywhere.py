"""The same objects in each kind of archive that a question should be answered alike by."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.demo.habits import Habits
from dicom_mcp.node import AnyNode, WebNode
from tests.peers.dcmqrscp import dcmqrscp
from tests.peers.embedded import Kind, embedded, embedded_web
from tests.peers.orthanc import orthanc

ARCHIVES = (
    "embedded",
    "embedded that keeps little",
    pytest.param("orthanc", marks=pytest.mark.orthanc),
    pytest.param("dcmqrscp", marks=pytest.mark.dcmtk),
)
OVER_DICOMWEB = "embedded over DICOMweb"


@contextmanager
def held_by(
    name: str, objects: Sequence[Dataset], directory: Path, *, absent: Sequence[str]
) -> Generator[AnyNode]:
    """The node of one of ARCHIVES, or OVER_DICOMWEB, with these objects; the one that keeps little
    returns nothing for `absent` and wants the keys above."""
    if name == OVER_DICOMWEB:
        with embedded_web(objects) as url:
            yield WebNode(url)
        return
    match name:
        case "orthanc":
            started = orthanc(objects, directory)
        case "dcmqrscp":
            started = dcmqrscp(objects, directory)
        case "embedded":
            started = embedded(objects)
        case _:
            habits = Habits(unreturned=frozenset(absent))
            started = embedded(objects, Kind(habits, "strict"))
    with started as peer:
        yield peer.node
