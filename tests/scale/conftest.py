"""Fixtures of the suite at scale, which runs only when `make scale` asks for it."""

import os
from collections.abc import Iterator
from sqlite3 import Connection, connect

import pytest

from tests.peers.archive import Peer
from tests.peers.embedded import Kind, capped, embedded
from tests.scale.load import load

# Elsewhere its data is not even fetched.
collect_ignore_glob = [] if os.environ.get("DICOM_MCP_SCALE") == "1" else ["test_*.py"]

# What many archives give at most.
MOST_MATCHES = 500


@pytest.fixture(scope="session")
def truth() -> Iterator[Connection]:
    """Flat rows: `series` as published, `study` from the first of each."""
    database = connect(load()[1])
    yield database
    database.close()


KINDS = {
    "gives everything": Kind(),
    "stops silently after 500": capped(MOST_MATCHES),
    "is out of resources after 500": capped(MOST_MATCHES, 0xA700),
}


@pytest.fixture(scope="session", params=list(KINDS))
def archive(request: pytest.FixtureRequest) -> Iterator[Peer]:
    """All of it, in archives of three kinds."""
    kind = KINDS[request.param]
    with embedded([], kind, name=request.param, database=load()[0]) as peer:
        yield peer
