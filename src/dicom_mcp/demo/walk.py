"""`dicom-mcp demo`: a real client asks the real server, and every answer is checked and shown."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import anyio
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.types import TextContent
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from ..standard.counted import counted
from .awaited import PACS
from .hospital import hospital
from .loopback import demo_archives
from .questions import QUESTIONS, Question, Walk

# As many rows as show what an answer looks like.
_ROWS_SHOWN = 8
_LINES_SHOWN = 6

_INDENT = 2

# Rows as lines of a table of so many cells.
type Draw = Callable[[Sequence[Mapping[str, Any]], int], list[str]]


def walk(draw: Draw, console: Console | None = None) -> int:
    """Ask the questions and show the answers, their rows by `draw`.

    Returns the exit status: 0, or 1 when an answer is not what the archive holds.
    """
    console = console or Console()
    today = date.today()  # noqa: DTZ011 - the hospital is where the person is
    house = hospital(today)
    objects = list(house.pacs())
    started = perf_counter()
    with demo_archives(house) as (pacs, vna), TemporaryDirectory() as folder:
        seconds = perf_counter() - started
        console.print(
            f"[bold]An embedded archive of {len(objects)} objects[/] ({seconds:.1f} s): {PACS} at "
            f"{pacs.host}:{pacs.port},\nand a second one over DICOMweb: {vna.url}.\n"
            "A real MCP client starts the real server on stdio and asks it:\n"
        )
        file = Path(folder, "config.toml")
        file.write_text(
            f'[nodes.pacs]\nhost = "{pacs.host}"\nport = {pacs.port}\n'
            f'called_ae_title = "{pacs.ae_title}"\n\n[nodes.vna]\nurl = "{vna.url}"\n'
        )
        asked = {
            "host": pacs.host,
            "port": pacs.port,
            "called_ae_title": pacs.ae_title,
        }
        try:
            faults = anyio.run(_ask_all, console, draw, Walk(asked, str(file), objects, today))
        except BaseExceptionGroup as group:
            # Nobody reads our output any more: rich leaves, and the client's tasks wrap that.
            if group.subgroup(SystemExit):
                return 1
            raise
    for words, fault in faults:
        console.print(Text.assemble(("Wrong: ", "bold red"), f"{words} {fault}"))
    if not faults:
        console.print(f"All {len(QUESTIONS)} answers are what the archive holds.\n")
    return 1 if faults else 0


async def _ask_all(console: Console, draw: Draw, walk: Walk) -> list[tuple[str, str]]:
    """Put every question to the server; returns those with a wrong answer, and the fault."""
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "dicom_mcp"], env=_environment(walk)
    )
    faults: list[tuple[str, str]] = []
    async with Client(stdio_client(server)) as client:
        for number, question in enumerate(QUESTIONS, start=1):
            console.print(Text(f"{number}. {question.words}", style="bold cyan"))
            try:
                arguments = question.arguments(walk)
            except (LookupError, ValueError):
                faults.append((question.words, "could not be asked after that answer"))
                continue
            started = perf_counter()
            result = await client.call_tool(question.tool, arguments)
            milliseconds = (perf_counter() - started) * 1000
            said = "".join(block.text for block in result.content if isinstance(block, TextContent))
            answer: dict[str, Any] = result.structured_content or {}
            if not answer and not result.is_error:  # words and pictures
                answer = json.loads(said)
                answer["pictures"] = [block for block in result.content if block.type == "image"]
            walk.answers.append(answer)
            error = said if result.is_error else ""
            if fault := question.fault(walk, answer, error):
                faults.append((question.words, fault))
            _show_call(console, question.tool, arguments, milliseconds)
            _show_answer(console, draw, answer, error, question)
    return faults


def _environment(walk: Walk) -> dict[str, str]:
    """What the server is told; beside it, the client passes on little more than PATH and HOME."""
    told = {"DICOM_MCP_CONFIG": walk.file}
    # Its "today" must be ours.
    return told | {name: os.environ[name] for name in ("TZ",) if name in os.environ}


def _show_call(console: Console, tool: str, arguments: dict[str, Any], ms: float) -> None:
    written = [
        f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in arguments.items()
    ]
    line = f"{tool}({', '.join(written)})  {ms:.0f} ms"
    if cell_len(line) > console.width - _INDENT:
        line = f"{tool}(\n  " + ",\n  ".join(written) + f"\n)  {ms:.0f} ms"
    _say(console, line, "dim")


def _show_answer(
    console: Console, draw: Draw, answer: dict[str, Any], error: str, question: Question
) -> None:
    if error:
        panel = Panel.fit(Text(error), title="error", title_align="left", border_style="red")
        console.print(Padding(panel, (0, 0, 0, _INDENT)))
    elif "fence" in answer:
        for record in answer["records"]:
            _show_report(console, record)
    elif answer.get("pictures"):
        for line in answer["caption"]:
            _say(console, line)
        kilobytes = sum(len(picture.data) for picture in answer["pictures"]) * 3 // 4000
        _say(console, f"and the picture, {kilobytes} kB", "bold")
    elif "records" in answer:
        _show_records(console, draw, answer, question)
    elif "groups" in answer:
        _say(console, f"{answer['total']} {answer['counted']}, {_whole(answer)}", "bold")
        for group in answer["groups"]:
            *names, count = group.values()
            _say(console, f"{', '.join(names)}: {count}")
    elif "presets" in answer:
        for level, keywords in answer["presets"][answer["default"]].items():
            _say(console, f"{level}: {', '.join(keywords)}")
    for note in answer.get("notes", []):
        _say(console, note, "yellow")
    console.print()


def _show_report(console: Console, record: dict[str, Any]) -> None:
    """Its head and first lines, without the fence that tells an assistant what is not ours."""
    _say(console, f"{record['title']}, {record['date']}", "bold")
    _, *lines, _ = record["text"].splitlines()
    for line in lines[:_LINES_SHOWN]:
        _say(console, line)
    if len(lines) > _LINES_SHOWN:
        _say(console, f"… {counted(len(lines) - _LINES_SHOWN, 'line')} more", "dim")


def _show_records(console: Console, draw: Draw, answer: dict[str, Any], question: Question) -> None:
    records: list[dict[str, Any]] = answer["records"]
    count = len(records)
    _say(console, f"{counted(count, 'record')}, {_whole(answer)}", "bold")
    # Every UID is long and none is read by a person; the rest explains itself better.
    common = [
        f"{name}={_plain(value)}"
        for name, value in answer.get("common", {}).items()
        if _is_read(name)
    ]
    if common:
        _say(console, f"in all: {', '.join(common)}")
    if not records:
        return
    every = dict.fromkeys(name for record in records for name in record)
    columns = [name for name in every if _is_read(name)] or [question.unique]
    if "common" not in answer:  # more columns than a terminal has room for
        columns = list(question.shown)
    rows = [{name: record.get(name, "") for name in columns} for record in records[:_ROWS_SHOWN]]
    for line in draw(rows, console.width - _INDENT):
        _say(console, line)
    if len(records) > _ROWS_SHOWN:
        _say(console, f"… and {len(records) - _ROWS_SHOWN} more")


def _whole(answer: dict[str, Any]) -> str:
    return "complete" if answer["complete"] else "not complete"


def _say(console: Console, words: str, style: str = "") -> None:
    console.print(Padding(Text(words, style=style), (0, 0, 0, _INDENT), expand=False))


def _is_read(name: str) -> bool:
    return not name.lower().endswith("uid")


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(part)}" for name, part in value.items())  # pyright: ignore
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)  # pyright: ignore
