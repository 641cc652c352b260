"""The archives every expectation is asked of, each started once with the same objects."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from tests.peers.archive import Peer
from tests.peers.dcmqrscp import dcmqrscp
from tests.peers.embedded import MISBEHAVING, Kind, embedded
from tests.peers.orthanc import orthanc


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
    request: pytest.FixtureRequest,
    held: list[Dataset],
    database: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Peer]:
    """One archive after the other, as they are."""
    directory: Path = tmp_path_factory.mktemp("peer")
    match request.param:
        case "embedded":
            started = embedded([], database=database)
        case "embedded strict":
            started = embedded([], Kind(hierarchy="strict"), database=database)
        case "orthanc":
            started = orthanc(held, directory)
        case _:
            started = dcmqrscp(held, directory)
    with started as peer:
        yield peer


@pytest.fixture(scope="session", params=list(MISBEHAVING))
def misbehaving(request: pytest.FixtureRequest, database: str) -> Iterator[Peer]:
    """Our own archive with one bad habit after the other."""
    with embedded([], MISBEHAVING[request.param], name=request.param, database=database) as peer:
        yield peer
