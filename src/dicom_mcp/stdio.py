"""stdin as messages: every request that can be told apart is answered, whatever is wrong with it.

The SDK passes over a line that is no message of JSON-RPC without a word, and whoever sent it waits
for ever. Here it is told apart by its id, as far as that can be read, and answered with an error.
"""

import json
import re
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, cast

import anyio
from anyio.streams.memory import MemoryObjectSendStream
from mcp.server import MCPServer
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCMessage, JSONRPCNotification, jsonrpc_message_adapter
from pydantic import ValidationError

# Codes of JSON-RPC 2.0, section 5.1.
_PARSE_ERROR, _INVALID_REQUEST = -32700, -32600

# A text, which may lack its end; a sign; or anything else.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\],:]|[^\s"{}\[\],:]+', re.DOTALL)
_FORM = (
    'it is no request of JSON-RPC: these have "jsonrpc":"2.0", an id that is text or a whole '
    "number, a method that is text, and params that are an object"
)
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is answered to a line that is no message; `id` is the JSON of its id."""

    id: str
    code: int
    reason: str

    def model_dump_json(self, **_: object) -> str:
        """As the SDK writes it, but that JSON may hold an id that no message may."""
        error = json.dumps({"code": self.code, "message": self.reason})
        return f'{{"jsonrpc":"2.0","id":{self.id},"error":{error}}}'


async def serve(server: MCPServer[Any]) -> None:
    """Serve MCP over stdin and stdout until stdin ends."""
    send, receive = anyio.create_memory_object_stream[SessionMessage | Exception]()
    # The SDK keeps stdout clean; its own reader has nothing to read.
    nothing = cast("anyio.AsyncFile[str]", _no_lines())
    async with stdio_server(stdin=nothing) as (_, write), anyio.create_task_group() as tasks:
        tasks.start_soon(_read, send, write)
        told = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]
        await told.run(receive, write, told.create_initialization_options())


async def _no_lines() -> AsyncIterator[str]:
    return
    yield


async def _read(messages: MemoryObjectSendStream[SessionMessage | Exception], write: Any) -> None:
    async with messages:
        async for line in anyio.wrap_file(sys.stdin.buffer):
            for item in messages_in(line):
                if isinstance(item, Refusal):
                    await write.send(SessionMessage(cast("JSONRPCMessage", item)))
                else:
                    await messages.send(SessionMessage(item))


def messages_in(line: bytes) -> Iterator[JSONRPCMessage | Refusal]:
    """The messages of one line, and the refusals of what is none; several where it is a batch, as
    protocol 2025-03-26 has them."""
    try:
        text = line.decode().strip("\ufeff \t\r\n")
    except UnicodeDecodeError:
        text = line.decode(errors="replace")
        yield from _refused(text, _PARSE_ERROR, "it is not UTF-8")
        return
    if not text:
        return
    try:
        message = jsonrpc_message_adapter.validate_json(text, by_name=False)
    except ValidationError as error:
        if text.startswith("["):
            yield from _in_batch(text)
            return
        (first, *_) = error.errors(include_url=False, include_input=False)
        if first["type"] == "json_invalid":
            why = str(first.get("ctx", {}).get("error", ""))
            if "surrogate" in why or "hex escape" in why:
                why = "half a surrogate pair, \\ud800 to \\udfff, is no character"
            yield from _refused(text, _PARSE_ERROR, f"it is not JSON that can be read ({why})")
        else:
            yield from _refused(text, _INVALID_REQUEST, _FORM)
        return
    # What has an id of another kind is a notification to the SDK.
    if isinstance(message, JSONRPCNotification) and "id" in _top(text):
        yield from _refused(text, _INVALID_REQUEST, _FORM)
    else:
        yield message


def _in_batch(text: str) -> Iterator[JSONRPCMessage | Refusal]:
    try:
        several = json.loads(text)
    except (ValueError, RecursionError):
        yield from _refused(text, _PARSE_ERROR, "it is not JSON that can be read")
        return
    for message in several:
        if not isinstance(message, list):  # a batch has none in it
            yield from messages_in(json.dumps(message).encode())


def _refused(text: str, code: int, why: str) -> Iterator[Refusal]:
    """The refusal of a request. Who sends a notification or an answer waits for nothing."""
    top = _top(text)
    is_whole = code == _INVALID_REQUEST
    if "method" not in top and ("result" in top or "error" in top):
        return
    if "id" not in top and "method" in top and is_whole:
        return
    yield Refusal(
        _as_sent(top.get("id", "")), code, f"The request was not carried out: {why}. Mend it"
    )


def _as_sent(token: str) -> str:
    """The id as JSON; null where it is none, or cannot be read."""
    if _NUMBER.fullmatch(token):
        return token
    try:
        value = json.loads(token, strict=False)
    except ValueError:
        return "null"
    return json.dumps(value) if isinstance(value, str) and "\ufffd" not in value else "null"


def _top(text: str) -> dict[str, str]:
    """The members of the outermost object, whatever stands in them or follows; of one that is an
    object or a list itself its first character."""
    found: dict[str, str] = {}
    depth, key, before = 0, "", ""
    for token in _TOKEN.findall(text):
        if depth == 1 and before == ":" and token not in (",", "}", "]"):
            found[key.strip('"')] = token
        if token in ("{", "["):
            depth += 1
        elif token in ("}", "]"):
            depth -= 1
        elif depth == 1 and token == ":":
            key = before
        before = token
    return found
