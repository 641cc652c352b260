"""How many bytes of text a model is given for a row: `python -m benchmarks.bytes`.

UIDs have 64 characters, the longest there are, so real answers are shorter.
"""

import asyncio
import json
from collections.abc import Iterable

from mcp.client import Client
from mcp.types import TextContent
from pydicom.dataset import Dataset

from benchmarks.hospital_year import series, studies
from dicom_mcp.config import Settings
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.node import Node
from dicom_mcp.server import create_server
from dicom_mcp.tools import TOOLS

STUDIES, INSTANCES = 75, 300
GOAL = {"study": 320, "instance": 110}
BEST_PEER = {"study": 508, "instance": 1000}


def main() -> None:
    """Print bytes for each row and for the tool definitions."""
    one_series = list(series(INSTANCES))
    study = asyncio.run(_bytes(studies(STUDIES), "query_studies", {"limit": 100}))
    instance = asyncio.run(
        _bytes(
            one_series,
            "query_instances",
            {"series_instance_uid": str(one_series[0].SeriesInstanceUID), "limit": 500},
        )
    )
    for noun, rows, count in (("study", study, STUDIES), ("instance", instance, INSTANCES)):
        print(
            f"{noun:8} row, standard preset, {count} rows: {rows / count:6.1f} bytes "
            f"(goal {GOAL[noun]}, best known peer {BEST_PEER[noun]})"
        )
    print(f"tool definitions: {asyncio.run(_definitions())} bytes (at most {1800 * len(TOOLS)})")


async def _bytes(objects: Iterable[Dataset], tool: str, arguments: dict[str, object]) -> int:
    with EmbeddedArchive(objects, ae_title="BENCH") as archive:
        server = create_server(Settings(Node(port=archive.port)))
        async with Client(server) as client:
            result = await client.call_tool(tool, arguments)
    (content,) = result.content
    assert isinstance(content, TextContent)
    assert json.loads(content.text)["complete"]
    return len(content.text.encode())


async def _definitions() -> int:
    async with Client(create_server(Settings(Node()))) as client:
        tools = (await client.list_tools()).tools
    shown = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    return len(json.dumps(shown, separators=(",", ":"), ensure_ascii=False).encode())


if __name__ == "__main__":
    main()
