"""Asking the real server through the SDK's in-memory client."""

import json
from base64 import b64decode
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import anyio
from anyio.from_thread import start_blocking_portal
from mcp.client import Client
from mcp.types import CallToolResult, ImageContent, TextContent, Tool

from dicom_mcp.config import Settings
from dicom_mcp.node import DEFAULT_TIMEOUT, AnyNode, Node
from dicom_mcp.server import create_server
from tests.pace import scaled


def ask(asked: AnyNode | Settings, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """One call that must succeed: its answer, the same as text and as structured content."""
    result = call(asked, tool, **arguments)
    assert not result.is_error, said(result)
    answer = json.loads(said(result))
    assert answer == result.structured_content
    return answer


def fail(asked: AnyNode | Settings, tool: str, /, **arguments: Any) -> str:
    """One call that must fail: the sentence a model is given."""
    result = call(asked, tool, **arguments)
    assert result.is_error, said(result)
    assert result.structured_content is None
    return said(result)


def look(node: AnyNode, tool: str, /, **arguments: Any) -> tuple[dict[str, Any], list[bytes]]:
    """One call that must answer with pictures: what is said of them, and their bytes."""
    result = call(node, tool, **arguments)
    words, *pictures = result.content
    assert isinstance(words, TextContent)
    assert not result.is_error, words.text
    assert result.structured_content is None
    assert pictures
    return json.loads(words.text), [
        b64decode(one.data) for one in pictures if isinstance(one, ImageContent)
    ]


def call(asked: AnyNode | Settings, tool: str, /, **arguments: Any) -> CallToolResult:
    """One call of one tool by a client of its own: of one node, or of those that are set."""
    settings = asked if isinstance(asked, Settings) else Settings(asked)
    patient = replace(
        settings,
        node=_at_this_pace(settings.node),
        others=tuple(_at_this_pace(node) for node in settings.others),
    )

    async def once() -> CallToolResult:
        async with Client(create_server(patient)) as client:
            return await client.call_tool(tool, arguments)

    return anyio.run(once)


def answers(
    asked: AnyNode | Settings, questions: Iterable[tuple[str, dict[str, Any]]]
) -> Iterator[dict[str, Any]]:
    """The answer to each question (tool and arguments), of one server that remembers."""
    settings = asked if isinstance(asked, Settings) else Settings(asked)
    with ExitStack() as stack:
        portal = stack.enter_context(start_blocking_portal())
        client = stack.enter_context(
            portal.wrap_async_context_manager(Client(create_server(settings)))
        )
        for tool, arguments in questions:
            result: CallToolResult = portal.call(client.call_tool, tool, arguments)
            assert not result.is_error, f"{arguments}: {said(result)}"
            yield json.loads(said(result))


def _at_this_pace(node: AnyNode) -> AnyNode:
    """The node, with the usual time for an answer as long as this machine makes it; a test that
    chose a shorter one is about that."""
    if node.timeout != DEFAULT_TIMEOUT:
        return node
    return replace(node, timeout=min(scaled(node.timeout), 3600.0))  # the most a node may have


def listed(settings: Settings | None = None) -> list[Tool]:
    """The tools as a client is given them."""

    async def once() -> list[Tool]:
        async with Client(create_server(settings or Settings(Node()))) as client:
            return (await client.list_tools()).tools

    return anyio.run(once)


def said(result: CallToolResult) -> str:
    """The text content, which there is exactly one of."""
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def text_of(answer: dict[str, Any], record: dict[str, Any]) -> str:
    """The text of a record, out of its fence."""
    mark = answer["fence"].partition("<<")[2].partition(" ")[0]
    text = record["text"]
    assert text.startswith(f"<<{mark}\n")
    assert text.endswith(f"\n{mark}>>")
    return text.removeprefix(f"<<{mark}\n").removesuffix(f"\n{mark}>>")
