"""The page about the tools: what each says of itself, and what it answers the demo archives."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import anyio
from mcp.client import Client
from mcp.types import CallToolResult, TextContent, Tool

from dicom_mcp.config import Settings
from dicom_mcp.demo.awaited import PACS
from dicom_mcp.demo.hospital import hospital
from dicom_mcp.demo.loopback import demo_archives
from dicom_mcp.demo.objects import study_uid
from dicom_mcp.node import Node, WebNode
from dicom_mcp.server import create_server

# Lines of an answer that show what it looks like.
_LINES = 60

# Of a line, which may be the text of a report.
_COLUMNS = 400

_HEAD = """\
# The tools

What a model is told of each tool, and one call of it with its answer: by the demo archive
([demo](demo.md)), on the day this page was built. Answers are as they came, but for what stands
after an ellipsis. [Answers](answers.md) says what their fields mean.
"""

type Arguments = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Example:
    """What a person asks, and the arguments of the call, given UIDs of the archive."""

    words: str
    arguments: Callable[[Mapping[str, str]], Arguments] = lambda _: {}


@dataclass(frozen=True, slots=True)
class Asked:
    """A tool, and an example with its result if there is one."""

    tool: Tool
    words: str = ""
    arguments: Arguments | None = None
    result: CallToolResult | None = None


EXAMPLES: Mapping[str, Example] = {
    "list_dicom_nodes": Example("Which archives are there?"),
    "verify_connection": Example("Does it answer?"),
    "diagnose": Example("Is anything wrong with the connection?", lambda _: {"node": "vna"}),
    "query_patients": Example("Who is called Schmidt?", lambda _: {"name_pattern": "Schmidt"}),
    "query_studies": Example(
        "What was done for Mr Brückner?", lambda _: {"patient_name": "Jürgen Brückner"}
    ),
    "query_series": Example(
        "What does his last CT consist of, and which scanner was it?",
        lambda uid: {"study_instance_uid": uid["study"], "additional_attributes": ["StationName"]},
    ),
    "query_instances": Example(
        "Three images of its lung series.",
        lambda uid: {"series_instance_uid": uid["series"], "limit": 3},
    ),
    "count_studies": Example(
        "How many CTs on each scanner?",
        lambda _: {"modality": "CT", "group_by": ["station"], "share": True},
    ),
    "query_worklist": Example(
        "Which CTs are scheduled today, and who has arrived?",
        lambda _: {"date": "today", "modality": "CT", "arrived": True},
    ),
    "patient_timeline": Example(
        "What was there before Mr Brückner's last CT?",
        lambda _: {"patient_name": "Jürgen Brückner", "prior_to": "last"},
    ),
    "study_overview": Example(
        "What does this study consist of?", lambda uid: {"study_instance_uid": uid["study"]}
    ),
    "compare_nodes": Example(
        "What does one archive hold that the other does not, or otherwise?",
        lambda _: {"node": "pacs, vna"},
    ),
    "read_report": Example(
        "What did the reports say?", lambda uid: {"study_instance_uid": uid["study"]}
    ),
    "read_header": Example(
        "With which dose and kernel?",
        lambda uid: {
            "series_instance_uid": uid["series"],
            "attributes": ["kVp", "XRayTubeCurrent", "ConvolutionKernel", "SliceThickness"],
        },
    ),
    "sample_headers": Example(
        "With which settings do the two CTs differ?",
        lambda uid: {"study_instance_uids": [uid["prior"], uid["study"]], "modality": "CT"},
    ),
    "view_image": Example(
        "Let me see the middle of it in the lung window.",
        lambda uid: {"series_instance_uid": uid["series"], "window": "lung"},
    ),
    "view_series": Example(
        "And the whole series at a glance?",
        lambda uid: {"series_instance_uid": uid["series"], "window": "lung"},
    ),
    "get_attribute_presets": Example("Which attributes are returned?"),
    "configure_dicom_server": Example(
        "Ask the archive at 127.0.0.1 instead.",
        lambda _: {"host": "127.0.0.1", "port": 11112, "called_ae_title": PACS},
    ),
}  # fmt: skip


def asked() -> list[Asked]:
    """Every tool and its example, asked of demo archives that are built for it."""
    with demo_archives(hospital(date.today())) as (pacs, vna):  # noqa: DTZ011 - the day it is here
        node = Node(port=pacs.port, called_ae_title=PACS, name="pacs")
        return anyio.run(ask, Settings(node, others=(WebNode(vna.url, name="vna"),)))


async def ask(settings: Settings) -> list[Asked]:
    """Every tool and its example, asked of these archives, which hold the demo hospital."""
    found: dict[str, Asked] = {}
    async with Client(create_server(settings)) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        study, prior = study_uid("nodule ct follow-up"), study_uid("nodule ct first")
        series = await client.call_tool(
            "query_series", {"study_instance_uid": study, "modality": "CT"}
        )
        images = max(
            series.structured_content["records"],
            key=lambda one: one["NumberOfSeriesRelatedInstances"],
        )
        uids = {"study": study, "prior": prior, "series": images["SeriesInstanceUID"]}
        for name, example in EXAMPLES.items():
            arguments = example.arguments(uids)
            result = await client.call_tool(name, arguments)
            found[name] = Asked(tools[name], example.words, arguments, result)
    return [found.get(name) or Asked(tool) for name, tool in tools.items()]


def page(told: list[Asked]) -> str:
    """The page, as Markdown."""
    return _HEAD + "\n" + "\n".join(_section(one) for one in told)


def _section(one: Asked) -> str:
    tool = one.tool
    lines = [
        f"## {tool.name}",
        "",
        f"*{tool.title}.* {' '.join((tool.description or '').split())}",
        "",
    ]
    schema = tool.input_schema
    if schema["properties"]:
        lines += ["| argument | | |", "|---|---|---|"]
    for name, about in schema["properties"].items():
        needed = "required" if name in schema.get("required", ()) else _default(about)
        lines.append(
            f"| `{name}` | {needed} | {about.get('description', '').replace('|', chr(92) + '|')} |"
        )
    if one.result is not None:
        call = json.dumps(one.arguments, ensure_ascii=False)
        lines += [
            "",
            f"“{one.words}”",
            "",
            "```json",
            call,
            "```",
            "",
            "```json",
            _answer(one.result),
            "```",
        ]
        pictures = sum(block.type == "image" for block in one.result.content)
        if pictures:
            lines += [
                "",
                "After it comes the picture."
                if pictures == 1
                else f"After it come {pictures} pictures.",
            ]
    return "\n".join(lines) + "\n"


def _default(about: Mapping[str, Any]) -> str:
    default = about.get("default")
    return f"`{json.dumps(default)}`" if default not in ("", None, []) else ""


def _answer(result: CallToolResult) -> str:
    words = next(block for block in result.content if isinstance(block, TextContent))
    lines = json.dumps(json.loads(words.text), ensure_ascii=False, indent=1).splitlines()
    lines = [line if len(line) <= _COLUMNS else line[:_COLUMNS] + " …" for line in lines]
    left = len(lines) - _LINES
    return "\n".join(lines[:_LINES] + ([f"… {left} lines more"] if left > 1 else lines[_LINES:]))
