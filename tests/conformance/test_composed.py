"""What the conformance suite is run against is our server, with nothing of it replaced."""

import anyio
from mcp.client import Client
from mcp.types import ListToolsResult

from tests.asking import listed
from tests.conformance.__main__ import composed


def test_the_fixtures_stand_beside_our_tools() -> None:
    async def tools() -> ListToolsResult:
        async with Client(composed()) as client:
            return await client.list_tools()

    names = [tool.name for tool in anyio.run(tools).tools]
    ours = [tool.name for tool in listed()]
    assert names[: len(ours)] == ours
    assert all(name.startswith("test_") for name in names[len(ours) :])
    assert len(names) > len(ours)
