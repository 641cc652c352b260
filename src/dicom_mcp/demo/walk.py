"""`dicom-mcp demo`: a real client asks the real server, and every answer is checked and shown."""

import json
import re
import sys
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Any

import anyio
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.types import TextContent
from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from .archive import EmbeddedArchive
from .clients import CLIENTS, Launch
from .hospital import hospital
from .loopback import PACS
from .questions import QUESTIONS, Question, Walk

# As many rows as show what an answer looks like.
_ROWS_SHOWN = 8


def walk(console: Console | None = None) -> int:
    """Ask the questions, show the answers, tell how to connect an assistant.

    Returns the exit status: 0, or 1 when an answer is not what the archive holds.
    """
    console = console or Console()
    today = date.today()  # noqa: DTZ011 - the hospital is where the person is
    house = hospital(today)
    objects = list(house.pacs())
    started = perf_counter()
    with EmbeddedArchive(objects, ae_title=PACS, worklist=house.worklist()) as archive:
        console.print(
            f"[bold]An embedded archive of {len(objects)} objects[/] listens at {archive.host}:"
            f"{archive.port} (called_ae_title {PACS}), {perf_counter() - started:.1f} s.\n"
            "A real MCP client starts the real server on stdio and asks it:\n"
        )
        faults = anyio.run(_ask_all, console, archive, Walk(objects, today))
    for words, fault in faults:
        console.print(f"[bold red]Wrong:[/] {words} {fault}")
    if not faults:
        console.print(f"All {len(QUESTIONS)} answers are what the archive holds.\n")
    _show_clients(console)
    return 1 if faults else 0


async def _ask_all(
    console: Console, archive: EmbeddedArchive, so_far: Walk
) -> list[tuple[str, str]]:
    """Put every question to the server; returns those with a wrong answer, and the fault."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "dicom_mcp"],
        env={
            "DICOM_HOST": archive.host,
            "DICOM_PORT": str(archive.port),
            "DICOM_CALLED_AE_TITLE": archive.ae_title,
        },
    )
    faults: list[tuple[str, str]] = []
    async with Client(stdio_client(server)) as client:
        for number, question in enumerate(QUESTIONS, start=1):
            arguments = question.arguments(so_far)
            started = perf_counter()
            result = await client.call_tool(question.tool, arguments)
            milliseconds = (perf_counter() - started) * 1000
            said = "".join(one.text for one in result.content if isinstance(one, TextContent))
            answer: dict[str, Any] = result.structured_content or {}
            so_far.answers.append(answer)
            fault = question.fault(so_far, answer, said if result.is_error else "")
            if fault:
                faults.append((question.words, fault))
            _show_question(console, number, question, arguments, milliseconds)
            _show_answer(console, answer, said if result.is_error else "", question.unique)
    return faults


def _show_question(
    console: Console, number: int, question: Question, arguments: dict[str, Any], ms: float
) -> None:
    console.print(Text(f"{number}. {question.words}", style="bold cyan"))
    written = ", ".join(
        f"{name}={json.dumps(v, ensure_ascii=False)}" for name, v in arguments.items()
    )
    console.print(Text(f"   {question.tool}({written})  {ms:.0f} ms", style="dim"))


def _show_answer(console: Console, answer: dict[str, Any], error: str, unique: str) -> None:
    if error:
        console.print(Panel(Text(error), title="error", title_align="left", border_style="red"))
    elif "records" in answer:
        _show_records(console, answer, unique)
    elif "presets" in answer:
        for preset, levels in answer["presets"].items():
            counts = ", ".join(f"{level} {len(names)}" for level, names in levels.items())
            console.print(f"   {preset}: {counts} attributes")
    for note in answer.get("notes", []):
        console.print(Text(f"   {note}", style="yellow"))
    console.print()


def _show_records(console: Console, answer: dict[str, Any], unique: str) -> None:
    records = answer["records"]
    whole = "complete" if answer["complete"] else "[bold yellow]not complete[/]"
    count = answer["returned"]
    console.print(f"   {count} record{'s' if count != 1 else ''}, {whole}")
    common = {name: one for name, one in answer["common"].items() if not name.endswith("UID")}
    if common:
        shared = ", ".join(f"{name}={_plain(value)}" for name, value in common.items())
        console.print(Text(f"   in all: {shared}"))
    columns = list(dict.fromkeys(name for record in records for name in record))
    # Every UID is long and none is read by a person; the rest explains itself better.
    columns = [name for name in columns if not name.endswith("UID")] or [unique]
    if not records:
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    for name in columns:
        table.add_column(_words(name), overflow="fold")
    for record in records[:_ROWS_SHOWN]:
        table.add_row(*(_plain(record.get(name, "")) for name in columns))
    console.print(table)
    if len(records) > _ROWS_SHOWN:
        console.print(f"   … and {len(records) - _ROWS_SHOWN} more")


def _words(keyword: str) -> str:
    """A keyword that can be broken over lines: Patient Birth Date."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", keyword)


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)  # pyright: ignore


def _show_clients(console: Console) -> None:
    """How to get the same answers in an assistant of one's own."""
    console.rule("Connect your own assistant to this archive")
    launch = Launch(str(Path(sys.executable).parent / "dicom-mcp"), ("serve", "--demo"), {})
    for client in CLIENTS:
        console.print(f"\n[bold]{client.name}[/]: {client.place}")
        console.print(Text(client.configuration(launch)), soft_wrap=True)
