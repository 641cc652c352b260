"""The suite's fixtures that ask back before they answer (SEP-2322, protocol 2026-07-28): the first
round asks, the client calls again with what was answered."""

from typing import Any, cast

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.shared.exceptions import MCPError
from mcp.types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    InputRequest,
    InputRequiredResult,
    ListRootsRequest,
    SamplingMessage,
    TextContent,
)

_Call = Context[Any, Any]  # no `type`: the SDK looks for the class itself
_ABOUT = "Of the conformance suite"


def add_asking_back(server: MCPServer[Any]) -> None:
    """Register them."""
    _one_question(server)
    _with_state(server)
    _by_capability(server)


def _form(message: str, field: str, kind: str = "string") -> ElicitRequest:
    schema = {"type": "object", "properties": {field: {"type": kind}}, "required": [field]}
    params = ElicitRequestFormParams(message=message, requested_schema=cast("Any", schema))
    return ElicitRequest(params=params)


def _sampling(words: str) -> CreateMessageRequest:
    message = SamplingMessage(role="user", content=TextContent(type="text", text=words))
    return CreateMessageRequest(
        params=CreateMessageRequestParams(messages=[message], max_tokens=100)
    )


def _ask(state: str | None = None, /, **requests: InputRequest) -> InputRequiredResult:
    return InputRequiredResult(input_requests=requests, request_state=state)


def _is_answered(call: _Call, *names: str) -> bool:
    return all(name in (call.input_responses or {}) for name in names)


def _one_question(server: MCPServer[Any]) -> None:
    @server.tool(description=_ABOUT)
    def test_input_required_result_elicitation(call: _Call) -> str | InputRequiredResult:
        if _is_answered(call, "user_name"):
            return "Hello!"
        return _ask(user_name=_form("What is your name?", "name"))

    @server.tool(description=_ABOUT)
    def test_input_required_result_sampling(call: _Call) -> str | InputRequiredResult:
        if _is_answered(call, "capital_question"):
            return "sampled"
        return _ask(capital_question=_sampling("What is the capital of France?"))

    @server.tool(description=_ABOUT)
    def test_input_required_result_list_roots(call: _Call) -> str | InputRequiredResult:
        if _is_answered(call, "client_roots"):
            return "rooted"
        return _ask(client_roots=ListRootsRequest())

    @server.prompt(description=_ABOUT)
    def test_input_required_result_prompt(
        call: _Call,
    ) -> list[UserMessage] | InputRequiredResult:
        if _is_answered(call, "user_context"):
            return [UserMessage("With that context.")]
        return _ask(user_context=_form("What context should the prompt use?", "context"))


def _with_state(server: MCPServer[Any]) -> None:
    @server.tool(description=_ABOUT)
    def test_input_required_result_request_state(call: _Call) -> str | InputRequiredResult:
        if _is_answered(call, "confirm") and call.request_state == "waits":
            return "state-ok"
        return _ask("waits", confirm=_form("Please confirm", "ok", "boolean"))

    @server.tool(description=_ABOUT)
    def test_input_required_result_tampered_state(call: _Call) -> str | InputRequiredResult:
        if _is_answered(call, "confirm") and call.request_state == "sealed":
            return "state-ok"
        return _ask("sealed", confirm=_form("Please confirm", "ok", "boolean"))

    @server.tool(description=_ABOUT)
    def test_input_required_result_multiple_inputs(call: _Call) -> str | InputRequiredResult:
        if _is_answered(call, "user_name", "greeting", "client_roots"):
            return "all there"
        return _ask(
            "three",
            user_name=_form("What is your name?", "name"),
            greeting=_sampling("Generate a greeting"),
            client_roots=ListRootsRequest(),
        )

    @server.tool(description=_ABOUT)
    def test_input_required_result_multi_round(call: _Call) -> str | InputRequiredResult:
        if call.request_state == "second" and _is_answered(call, "step2"):
            return "done"
        if call.request_state == "first" and _is_answered(call, "step1"):
            return _ask("second", step2=_form("Step 2: What is your favorite color?", "color"))
        return _ask("first", step1=_form("Step 1: What is your name?", "name"))


def _by_capability(server: MCPServer[Any]) -> None:
    @server.tool(description=_ABOUT)
    def test_input_required_result_capabilities(call: _Call) -> str | InputRequiredResult:
        able = call.client_capabilities
        requests: dict[str, InputRequest] = {}
        if able and able.sampling:
            requests["question"] = _sampling("What is the capital of France?")
        if able and able.elicitation:
            requests["user_name"] = _form("What is your name?", "name")
        return _ask(**requests) if requests and not call.input_responses else "nothing to ask"

    @server.tool(description=_ABOUT)
    def test_missing_capability(call: _Call) -> str:
        able = call.client_capabilities
        if able is None or able.sampling is None:
            raise MCPError(
                MISSING_REQUIRED_CLIENT_CAPABILITY,
                "This tool needs a client with sampling",
                {"requiredCapabilities": {"sampling": {}}},
            )
        return "sampling is there"

    @server.tool(description=_ABOUT)
    def test_streaming_elicitation(call: _Call) -> str | InputRequiredResult:
        if _is_answered(call, "user_name"):
            return "Hello!"
        return _ask(user_name=_form("What is your name?", "name"))

    @server.tool(description=_ABOUT)
    async def test_logging_tool(call: _Call) -> str:
        await call.info("working")  # pyright: ignore[reportDeprecated]
        return "logged"
