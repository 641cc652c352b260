"""`dicom-mcp doctor`: what is wrong with the connection to an archive, and what that can do."""

import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..config import load
from ..content.plain import plain_text
from ..deadline import Deadline
from ..diagnosis import SECONDS, Diagnosis, diagnose
from ..dicom_api import prepare
from ..errors import BadConfiguration
from ..node import AnyNode, node_at
from ..truth.habits import Habits
from ..words.near import did_you_mean

_MARKS = {True: ("ok", "green"), False: ("FAILED", "bold red"), None: ("-", "dim")}


def doctor(where: str = "", config: str = "", *, as_json: bool = False) -> int:
    """Diagnose every configured node, or the one named or at an address; returns the exit status.

    Raises BadConfiguration for what is neither a name nor an address.
    """
    nodes = chosen(load(config).nodes, where)
    prepare()
    with ThreadPoolExecutor(len(nodes)) as threads:
        found = list(threads.map(_diagnosed, nodes))
    if as_json:
        sys.stdout.write(json.dumps([facts(one) for one in found], indent=2) + "\n")
    else:
        console = Console(highlight=False)
        for one in found:
            show(one, console)
    return 0 if all(one.works for one in found) else 1


def chosen(nodes: dict[str, AnyNode], where: str) -> Sequence[AnyNode]:
    """The nodes that are meant, each with its name."""
    if not where:
        return [replace(node, name=name) for name, node in nodes.items()]
    for name, node in nodes.items():
        if name.casefold() == where.casefold():
            return [replace(node, name=name)]
    if "@" in where or ":" in where:
        return [node_at(where)]
    near = did_you_mean(where, nodes)
    raise BadConfiguration(
        f"there is no node {where[:80]!r}",
        (f"Did you mean {near}? " if near else "")
        + f"Known: {', '.join(nodes)}; or give TITLE@host:port or the URL of a DICOMweb server",
    )


def facts(found: Diagnosis) -> dict[str, Any]:
    """A diagnosis as JSON."""
    return {
        "node": str(found.node),
        "works": found.works,
        "steps": [asdict(step) for step in found.steps],
        "capabilities": [asdict(one) for one in found.capabilities],
    }


def show(found: Diagnosis, console: Console) -> None:
    """A diagnosis as a person reads it, and sends it to the archive's vendor."""
    console.print(Text(str(found.node), style="bold"))
    steps = _table("step", "", "ms", "what was found")
    for step in found.steps:
        word, style = _MARKS[step.passed]
        took = "" if step.milliseconds is None else f"{step.milliseconds:.0f}"
        steps.add_row(step.name, Text(word, style=style), took, _plain(step.said))
    console.print(steps)
    for step in found.steps:
        if step.passed is False:
            remedy = f"{step.remedy.rstrip('.')}." if step.remedy else "Nothing to try is known."
            console.print(Text(f"{step.name}: {plain_text(remedy)}", style="yellow"))
            if step.command:
                console.print(Text(f"To repeat it: {step.command}"), soft_wrap=True)
    if found.capabilities:
        table = _table("capability", "what was found")
        for one in found.capabilities:
            table.add_row(one.name, _plain(one.found))
        console.print(table)
        console.print("To repeat these with other programs:")
        commands = {step.command: step.name for step in found.steps if step.command}
        commands |= {one.command: one.name for one in found.capabilities if one.command}
        for command, name in commands.items():
            console.print(Text(f"  {name}: {command}"), soft_wrap=True)
    console.print()


def _diagnosed(node: AnyNode) -> Diagnosis:
    return diagnose(node, Habits(), deadline=Deadline(SECONDS))


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _plain(said: str) -> Text:
    return Text(plain_text(said))
