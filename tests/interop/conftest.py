"""The archives every expectation is asked of, each started once with the same objects."""

from collections.abc import Iterator
from datetime import date

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.demo.hospital import hospital
from tests import peers
from tests.peers import Peer


@pytest.fixture(scope="session")
def held() -> list[Dataset]:
    """What every archive holds."""
    return list(hospital(date(2026, 3, 31)).pacs())


@pytest.fixture(
    scope="session",
    params=[
        "embedded",
        "embedded strict",
        pytest.param("orthanc", marks=pytest.mark.orthanc),
        pytest.param("dcmqrscp", marks=pytest.mark.dcmtk),
    ],
)
def peer(
    request: pytest.FixtureRequest, held: list[Dataset], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Peer]:
    """One archive after the other."""
    directory = tmp_path_factory.mktemp("peer")
    match request.param:
        case "embedded":
            started = peers.embedded(held)
        case "embedded strict":
            started = peers.embedded_strict(held)
        case "orthanc":
            started = peers.orthanc(held, directory)
        case _:
            started = peers.dcmqrscp(held, directory)
    with started as peer:
        yield peer
