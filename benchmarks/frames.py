"""How many frames of ours lie between the SDK's worker thread and the socket: `python -m
benchmarks.frames` asks an embedded archive for studies by name and prints them, outermost first."""

import asyncio
import traceback
from collections.abc import Sequence
from typing import Any

from mcp.client import Client

from dicom_mcp.config import Settings
from dicom_mcp.deadline import Deadline
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.dimse.connection import Connection
from dicom_mcp.node import Node
from dicom_mcp.server import create_server


def frames_to_the_socket(tool: str, arguments: dict[str, Any]) -> list[list[str]]:
    """The frames of ours above each message that is sent while a tool is called."""
    found: list[list[str]] = []
    send = Connection.send

    def sending(self: Connection, data: bytes, *, deadline: Deadline) -> None:
        stack = traceback.extract_stack()[:-1]
        found.append([_name(frame) for frame in stack if "/dicom_mcp/" in frame.filename])
        send(self, data, deadline=deadline)

    async def ask(node: Node) -> None:
        async with Client(create_server(Settings(node))) as client:
            await client.call_tool(tool, arguments)  # what is learned first is not counted
            found.clear()
            await client.call_tool(tool, arguments)

    Connection.send = sending
    try:
        with EmbeddedArchive([], ae_title="FRAMES") as archive:
            asyncio.run(ask(Node(port=archive.port, called_ae_title="FRAMES")))
    finally:
        Connection.send = send
    return found


def _name(frame: traceback.FrameSummary) -> str:
    return f"{frame.filename.rpartition('/dicom_mcp/')[2]}:{frame.name}"


def main(stacks: Sequence[Sequence[str]]) -> None:
    """Print the deepest, and how deep the others are."""
    deepest = max(stacks, key=len)
    for number, name in enumerate(deepest, start=1):
        print(f"{number:3} {name}")
    print(f"{len(deepest)} frames; {len(stacks)} messages: {sorted({*map(len, stacks)})}")


if __name__ == "__main__":
    main(frames_to_the_socket("query_studies", {"patient_name": "Brückner"}))
