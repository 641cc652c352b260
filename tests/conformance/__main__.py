"""Our server with the suite's fixtures, over HTTP: python -m tests.conformance PORT

What the suite calls by name (`test_simple_text` and so on) is added to the very server that
`dicom-mcp serve` runs: its transport, its sessions and its own tools stay as they are.
"""

import sys
from base64 import b64decode
from typing import Annotated, Any, Literal, cast

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.types import (
    AudioContent,
    CallToolResult,
    EmbeddedResource,
    EmptyResult,
    ImageContent,
    SamplingMessage,
    SetLevelRequestParams,
    SubscribeRequestParams,
    TextContent,
    TextResourceContents,
    UnsubscribeRequestParams,
)
from pydantic import BaseModel, Field

from dicom_mcp.config import Settings
from dicom_mcp.node import Node
from dicom_mcp.server import create_server
from tests.conformance.asking_back import add_asking_back

# One red pixel, and 8 samples of silence.
_PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGA"
    "hKmMIQAAAABJRU5ErkJggg=="
)
_ABOUT = "Of the conformance suite"
_SILENCE = "UklGRiwAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQgAAACAgICAgICAgA=="


def composed() -> MCPServer[Any]:
    """Our server and the fixtures."""
    server = create_server(Settings(Node(port=1)))
    _contents(server)
    _talks(server)
    _resources(server)
    _prompts(server)
    add_asking_back(server)
    _old_requests(server)
    return server


def _text(words: str) -> TextContent:
    return TextContent(type="text", text=words)


def _image() -> ImageContent:
    return ImageContent(type="image", data=_PIXEL, mime_type="image/png")


def _embedded(uri: str, words: str, kind: str = "text/plain") -> EmbeddedResource:
    held = TextResourceContents(uri=uri, mime_type=kind, text=words)
    return EmbeddedResource(type="resource", resource=held)


def _contents(server: MCPServer[Any]) -> None:
    @server.tool(description=_ABOUT)
    def test_simple_text() -> str:
        return "This is a simple text response for testing."

    @server.tool(description=_ABOUT)
    def test_image_content() -> list[ImageContent]:
        return [_image()]

    @server.tool(description=_ABOUT)
    def test_audio_content() -> list[AudioContent]:
        return [AudioContent(type="audio", data=_SILENCE, mime_type="audio/wav")]

    @server.tool(description=_ABOUT)
    def test_embedded_resource() -> list[EmbeddedResource]:
        return [_embedded("test://embedded-resource", "This is an embedded resource content.")]

    @server.tool(description=_ABOUT)
    def test_multiple_content_types() -> list[TextContent | ImageContent | EmbeddedResource]:
        mixed = _embedded("test://mixed-content-resource", '{"test":"data"}', "application/json")
        return [_text("Multiple content types test:"), _image(), mixed]

    @server.tool(description=_ABOUT)
    def test_error_handling() -> CallToolResult:
        words = "This tool intentionally returns an error for testing"
        return CallToolResult(content=[_text(words)], is_error=True)


class _Person(BaseModel):
    username: str = Field(description="User's response")
    email: str = Field(description="User's email address")


class _Defaults(BaseModel):
    name: str = Field("John Doe")
    age: int = Field(30)
    score: float = Field(95.5)
    status: Literal["active", "inactive", "pending"] = Field("active")
    verified: bool = Field(True)


_TITLED = [{"const": f"value{n}", "title": f"Option {n}"} for n in (1, 2, 3)]


class _Choices(BaseModel):
    """The five ways to write a choice (SEP-1330), by the suite's own names."""

    untitledSingle: Literal["option1", "option2", "option3"]  # noqa: N815
    titledSingle: str = Field(json_schema_extra={"oneOf": cast("Any", _TITLED)})  # noqa: N815
    legacyEnum: str = Field(  # noqa: N815
        json_schema_extra={"enum": ["opt1", "opt2"], "enumNames": ["Option One", "Option Two"]}
    )
    untitledMulti: list[Literal["option1", "option2", "option3"]]  # noqa: N815
    titledMulti: list[str] = Field(  # noqa: N815
        json_schema_extra={"items": {"anyOf": cast("Any", _TITLED)}}
    )


def _talks(server: MCPServer[Any]) -> None:
    @server.tool(description=_ABOUT)
    async def test_tool_with_logging(call: Context[Any, Any]) -> str:
        for words in ("started", "processing data", "completed"):
            await call.info(words)  # pyright: ignore[reportDeprecated]
        return "logged"

    @server.tool(description=_ABOUT)
    async def test_tool_with_progress(call: Context[Any, Any]) -> str:
        for part in (0, 50, 100):
            await call.report_progress(part, 100)
        return "done"

    @server.tool(description=_ABOUT)
    async def test_sampling(prompt: str, call: Context[Any, Any]) -> str:
        answer = await call.session.create_message(  # pyright: ignore[reportDeprecated]
            messages=[SamplingMessage(role="user", content=_text(prompt))], max_tokens=100
        )
        return f"LLM response: {getattr(answer.content, 'text', '')}"

    @server.tool(description=_ABOUT)
    async def test_elicitation(message: str, call: Context[Any, Any]) -> str:
        answer = await call.elicit(message, _Person)
        return f"User response: {answer.action} {getattr(answer, 'data', None)}"

    @server.tool(description=_ABOUT)
    async def test_elicitation_sep1034_defaults(call: Context[Any, Any]) -> str:
        answer = await call.elicit("Please review the defaults", _Defaults)
        return f"Elicitation completed: {answer.action}"

    @server.tool(description=_ABOUT)
    async def test_elicitation_sep1330_enums(call: Context[Any, Any]) -> str:
        answer = await call.elicit("Please choose", _Choices)
        return f"Elicitation completed: {answer.action}"


def _resources(server: MCPServer[Any]) -> None:
    @server.resource("test://static-text", mime_type="text/plain")
    def static_text() -> str:
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", mime_type="image/png")
    def static_binary() -> bytes:
        return b64decode(_PIXEL)

    @server.resource("test://template/{id}/data", mime_type="application/json")
    def template(id: str) -> str:  # noqa: A002 - the suite's own word
        return f'{{"id":"{id}","templateTest":true,"data":"Data for ID: {id}"}}'


def _prompts(server: MCPServer[Any]) -> None:
    @server.prompt(description=_ABOUT)
    def test_simple_prompt() -> str:
        return "This is a simple prompt for testing."

    @server.prompt(description=_ABOUT)
    def test_prompt_with_arguments(
        arg1: Annotated[str, Field(description="First")],
        arg2: Annotated[str, Field(description="Second")],
    ) -> str:
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @server.prompt(name="test_prompt_with_embedded_resource", description=_ABOUT)
    def embedded(resourceUri: str) -> list[UserMessage]:  # noqa: N803 - the suite's own word
        held = _embedded(resourceUri, "Embedded resource content for testing.")
        return [UserMessage(held), UserMessage(_text("Please process the embedded resource."))]

    @server.prompt(description=_ABOUT)
    def test_prompt_with_image() -> list[UserMessage]:
        return [UserMessage(_image()), UserMessage(_text("Please analyze the image above."))]


def _old_requests(server: MCPServer[Any]) -> None:
    """What 2025-11-25 asks for and the SDK answers only where a server says how."""

    async def accept(*_: object) -> EmptyResult:
        return EmptyResult()

    low = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]
    low.add_request_handler("logging/setLevel", SetLevelRequestParams, accept)
    low.add_request_handler("resources/subscribe", SubscribeRequestParams, accept)
    low.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, accept)


if __name__ == "__main__":
    composed().run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
