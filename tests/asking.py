"""Asking the real server through the SDK's in-memory client."""

import json
from typing import Any

import anyio
from mcp.client import Client
from mcp.types import CallToolResult, TextContent, Tool

from dicom_mcp.config import Settings
from dicom_mcp.node import Node
from dicom_mcp.server import create_server


def ask(node: Node, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """One call that must succeed: its answer, the same as text and as structured content."""
    result = call(Settings(node), tool, **arguments)
    assert not result.is_error, said(result)
    answer = json.loads(said(result))
    assert answer == result.structured_content
    return answer


def fail(node: Node, tool: str, /, **arguments: Any) -> str:
    """One call that must fail: the sentence a model is given."""
    result = call(Settings(node), tool, **arguments)
    assert result.is_error, said(result)
    assert result.structured_content is None
    return said(result)


def call(settings: Settings, tool: str, /, **arguments: Any) -> CallToolResult:
    """One call of one tool by a client of its own."""

    async def once() -> CallToolResult:
        async with Client(create_server(settings)) as client:
            return await client.call_tool(tool, arguments)

    return anyio.run(once)


def listed() -> list[Tool]:
    """The tools as a client is given them."""

    async def once() -> list[Tool]:
        async with Client(create_server(Settings(Node()))) as client:
            return (await client.list_tools()).tools

    return anyio.run(once)


def said(result: CallToolResult) -> str:
    """The text content, which there is exactly one of."""
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text
