"""What a client offers to a person beside the tools: questions from a menu, things to attach to a
conversation, and words that complete themselves."""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import anyio
from anyio import to_thread
from mcp.server import MCPServer, ServerRequestContext
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceNotFoundError
from mcp.server.mcpserver.prompts import Prompt
from mcp.server.mcpserver.prompts.base import PromptArgument
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    CompletionArgument,
)

from .door.arguments import NODE, Arguments
from .door.house import ALL, House, Session, session_of
from .door.progress import unheard
from .door.request import Request, logged
from .errors import BadArgument, DicomMcpError
from .prompts import QUESTIONS, Question
from .standard.dictionary import attribute, keywords
from .standard.values import shown
from .tools.query import Records, query_patients
from .tools.sql import EXAMPLES, columns
from .words.modality import MODALITIES
from .words.near import did_you_mean

# Answers a question about one thing as JSON: the tool's name, its arguments, who asks.
type Read = Callable[[str, dict[str, Any], Context[Any, Any]], Awaitable[str]]

# Of these a protocol allows no more at a time.
_MOST_COMPLETED = 100

_JSON = "application/json"

# Letters from which a patient's name is completed; patients that are shown; seconds for it: who
# types does not wait.
_LEAST_OF_NAME, _MOST_PATIENTS, _PATIENCE = 3, 20, 3.0


def offer(
    server: MCPServer[House], house: House, read: Read, *, without: Collection[str] = ()
) -> None:
    """Register them; `read` is how an archive is asked, and tools that there are not `without`
    which a question cannot be answered."""
    for question in QUESTIONS:
        if not any(tool in question.text for tool in without):
            server.add_prompt(_prompt(question))
    _offer_schema(server, without)
    _complete_words(server, house, without)

    @server.resource(
        "dicom://{node}/studies/{study_instance_uid}",
        name="study",
        title="A study",
        description="One study of an archive: its series, with their kinds, gaps and reports",
        mime_type=_JSON,
    )
    async def study(  # pyright: ignore[reportUnusedFunction] - the decorator keeps it
        node: str, study_instance_uid: str, context: Context[Any, Any]
    ) -> str:
        asked = {"node": node, "study_instance_uid": study_instance_uid}
        return await read("study_overview", asked, context)

    @server.resource(
        "dicom://presets/{preset}",
        name="preset",
        title="An attribute preset",
        description="The attributes that a preset returns at each level",
        mime_type=_JSON,
    )
    async def preset(  # pyright: ignore[reportUnusedFunction]
        preset: str, context: Context[Any, Any]
    ) -> str:
        presets = json.loads(await read("get_attribute_presets", {}, context))["presets"]
        return json.dumps({name: presets[name] for name in [_one_of(preset, presets, "preset")]})

    @server.resource(
        "dicom://dictionary/{keyword}",
        name="attribute",
        title="An attribute of DICOM",
        description="Tag and value representation of an attribute, by its keyword (PS3.6)",
        mime_type=_JSON,
    )
    async def dictionary(keyword: str) -> str:  # pyright: ignore[reportUnusedFunction]
        known = attribute(_one_of(keyword, keywords(), "attribute"))
        assert known
        tag = f"({known.tag >> 16:04X},{known.tag & 0xFFFF:04X})"
        return json.dumps({"keyword": known.keyword, "tag": tag, "vr": known.vr})


def _complete_words(server: MCPServer[House], house: House, without: Collection[str]) -> None:
    async def complete(
        context: ServerRequestContext[House], asked: CompleteRequestParams
    ) -> CompleteResult:
        argument, session = asked.argument, house.session(session_of(context.request))
        if argument.name == "patient" and "query_patients" not in without:
            node = ((asked.context and asked.context.arguments) or {}).get(NODE, "")
            found = await _patients(session, argument.value, node)
            return CompleteResult(
                completion=Completion(values=[*found], total=len(found), has_more=False)
            )
        choices = await to_thread.run_sync(_choices, session, argument.name)
        return CompleteResult(completion=_completed(argument, choices))

    # The SDK's own decorator does not tell whose session it is, which may ask another archive.
    served = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]
    served.add_request_handler("completion/complete", CompleteRequestParams, complete)


def _offer_schema(server: MCPServer[House], without: Collection[str]) -> None:
    if "query_sql" in without:
        return

    @server.resource(
        "dicom://index/schema",
        name="schema",
        title="Tables of the index",
        description="What query_sql can ask: columns, their types and meanings, and examples",
        mime_type=_JSON,
    )
    async def schema() -> str:  # pyright: ignore[reportUnusedFunction]
        return json.dumps({"columns": columns(), "examples": EXAMPLES})


def _one_of(name: str, known: Collection[str], what: str) -> str:
    """The known name that is meant. Raises ResourceNotFoundError."""
    found = {value.casefold(): value for value in known}.get(name.casefold())
    if found is None:
        near = did_you_mean(name, known)
        raise ResourceNotFoundError(
            f"There is no {what} {shown(name)}." + (f" Did you mean {near}?" if near else "")
        )
    return found


def _prompt(question: Question) -> Prompt:
    return Prompt(
        name=question.name,
        title=question.title,
        description=question.description,
        arguments=[
            PromptArgument(name=gap.name, description=gap.description, required=not gap.otherwise)
            for gap in question.gaps
        ],
        fn=partial(_text, question),
        context_kwarg=None,
    )


def _text(question: Question, /, **given: str) -> str:
    try:
        return question.asked(given)
    except BadArgument as error:
        raise MCPError(INVALID_PARAMS, str(error)) from None


async def _patients(session: Session, begun: str, node: str) -> Sequence[str]:
    """Patients whose family name begins so, as the archive tells them within some seconds; none
    where it is not known who is meant yet. Whoever may ask the tools may ask this; like what the
    tools are asked, it is not logged."""
    if len(begun.strip()) < _LEAST_OF_NAME or set(begun) & set("*?\\^="):
        return ()
    if session.house.translation():  # what is begun would be completed to no name
        return ()
    arguments = Arguments(query_patients, asks_archive=True)
    asked = {"name_pattern": f"{begun.strip()}*", "limit": _MOST_PATIENTS, NODE: node}
    with suppress(DicomMcpError), anyio.move_on_after(_PATIENCE), logged("complete"):
        request = Request(query_patients, arguments, asked, session, unheard)
        try:
            answer = await to_thread.run_sync(request.answer, abandon_on_cancel=True)
        except anyio.get_cancelled_exc_class():
            request.cancel()
            raise
        assert isinstance(answer, Records)
        rows = [{**answer.common, **row} for row in answer.records]
        return [f"{name}, ID {row['PatientID']}" for row in rows if (name := _shown_name(row))]
    return ()


def _shown_name(row: Mapping[str, Any]) -> str:
    """Family and given name of a record; "" where one cannot be asked for by name or by ID."""
    name = str(row.get("PatientName", "")).partition("=")[0] if row.get("PatientID") else ""
    return ", ".join(part for part in name.split("^")[:2] if part)


def _choices(session: Session, name: str) -> Sequence[str]:
    """What an argument of this name may be, without asking an archive."""
    choices: Mapping[str, Sequence[str]] = {
        "node": [*session.nodes, ALL],
        "modality": sorted(MODALITIES),
        "preset": ["minimal", "standard", "extended"],
        "keyword": keywords() if name == "keyword" else (),  # half a second, once
        "day": ["today", "tomorrow", "yesterday"],
        "period": ["today", "yesterday", "last week", "last month"],
    }
    return choices.get(name, ())


def _completed(argument: CompletionArgument, choices: Sequence[str]) -> Completion:
    begun = argument.value.casefold()
    fitting = [value for value in choices if value.casefold().startswith(begun)]
    return Completion(
        values=fitting[:_MOST_COMPLETED],
        total=len(fitting),
        has_more=len(fitting) > _MOST_COMPLETED,
    )
