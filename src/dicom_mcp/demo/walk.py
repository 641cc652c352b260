"""`dicom-mcp demo`: a real client asks the real server, and every answer is checked and shown."""

import json
import signal
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any

import anyio
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.types import TextContent
from pydicom.dataset import Dataset
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from .archive import EmbeddedArchive
from .clients import CLIENTS, from_checkout
from .hospital import hospital
from .questions import QUESTIONS, Question, Walk

PACS, VNA = "DEMO_PACS", "DEMO_VNA"

# Where `demo --keep` listens unless something else does: the port a DICOM client tries first.
_PORTS = {PACS: 11112, VNA: 11113}

# As many rows as show what an answer looks like.
_ROWS_SHOWN = 8


@contextmanager
def demo_archive() -> Generator[EmbeddedArchive]:
    """The hospital's PACS on a free loopback port, for as long as the block runs."""
    house = hospital(_today())
    with EmbeddedArchive(house.pacs(), ae_title=PACS, worklist=house.worklist()) as archive:
        yield archive


def walk(console: Console | None = None) -> int:
    """Ask the questions, show the answers, tell how to connect an assistant.

    Returns the exit status: 0, or 1 when an answer is not what the archive holds.
    """
    console = console or Console()
    today = _today()
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


def keep(console: Console | None = None) -> int:
    """Run both archives until interrupted and tell how to reach them."""
    console = console or Console()
    house = hospital(_today())
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: stop.set())  # noqa: ARG005
    with (
        _kept(PACS, house.pacs(), house.worklist()) as pacs,
        _kept(VNA, house.vna()) as vna,
    ):
        table = Table("archive", "host", "port", "AE title")
        for name, archive in (("the hospital's PACS", pacs), ("its second archive", vna)):
            table.add_row(name, archive.host, str(archive.port), archive.ae_title)
        console.print(table)
        console.print(
            f"echoscu -aec {PACS} {pacs.host} {pacs.port}\n"
            f"findscu -S -aec {PACS} -k QueryRetrieveLevel=STUDY -k PatientName -k StudyDate "
            f"{pacs.host} {pacs.port}\n"
            f"DICOM_HOST={pacs.host} DICOM_PORT={pacs.port} DICOM_CALLED_AE_TITLE={PACS} dicom-mcp",
            soft_wrap=True,
        )
        console.print("Both run until Ctrl-C; nothing is kept on disk.")
        stop.wait()
    return 0


@contextmanager
def _kept(
    ae_title: str, objects: Iterable[Dataset], worklist: Iterable[Dataset] = ()
) -> Generator[EmbeddedArchive]:
    """An archive on its usual port, or on a free one when that is taken."""
    objects, worklist = list(objects), list(worklist)
    archive = EmbeddedArchive(objects, ae_title=ae_title, worklist=worklist, port=_PORTS[ae_title])
    try:
        archive.start()
    except OSError:
        archive = EmbeddedArchive(objects, ae_title=ae_title, worklist=worklist)
        archive.start()
    try:
        yield archive
    finally:
        archive.stop()


async def _ask_all(
    console: Console, archive: EmbeddedArchive, so_far: Walk
) -> list[tuple[str, str]]:
    """Put every question to the server; returns the questions with a wrong answer, and the fault."""
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
    console.print(f"   {answer['returned']} records, {whole}")
    if answer["common"]:
        shared = ", ".join(f"{name}={_plain(value)}" for name, value in answer["common"].items())
        console.print(Text(f"   in all: {shared}"))
    columns = list(dict.fromkeys(name for record in records for name in record))
    # Every UID is long and none is read by a person; the rest explains itself better.
    columns = [name for name in columns if not name.endswith("UID")] or [unique]
    if not records:
        return
    table = Table(*columns, show_lines=False)
    for record in records[:_ROWS_SHOWN]:
        table.add_row(*(_plain(record.get(name, "")) for name in columns))
    console.print(table)
    if len(records) > _ROWS_SHOWN:
        console.print(f"   … and {len(records) - _ROWS_SHOWN} more")


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)  # pyright: ignore


def _show_clients(console: Console) -> None:
    """How to get the same answers in an assistant of one's own."""
    console.rule("Connect your own assistant to this archive")
    launch = from_checkout(_checkout(), "serve", "--demo")
    for client in CLIENTS:
        console.print(f"\n[bold]{client.name}[/]: {client.place}")
        console.print(Text(client.configuration(launch)), soft_wrap=True)


def _checkout() -> str:
    """The directory to start from: the checkout this runs in, if it runs in one."""
    root = Path(__file__).resolve().parents[3]
    return str(root if (root / "pyproject.toml").exists() else Path.cwd())


def _today() -> date:
    return date.today()  # noqa: DTZ011 - the demo's hospital is where the person is
