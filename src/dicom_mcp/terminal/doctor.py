"""`dicom-mcp doctor`: what is wrong with the connection to an archive, and what that can do."""

import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from queue import Empty, Queue
from threading import Thread
from typing import Any

from rich.console import Console
from rich.text import Text

from ..config import Settings, load
from ..content.plain import plain_text
from ..deadline import Deadline
from ..diagnosis import SECONDS, Diagnosis, Step, diagnose
from ..dicom_api import prepare
from ..errors import BadConfiguration, ended
from ..node import AnyNode, node_at
from ..truth.habits import Habits
from ..words.near import did_you_mean
from .table import folded, placed, rule

# Cells of a step's name, its mark and its milliseconds, and what the rest gets at least.
_WIDTHS = (13, 6, 5)
_LEAST_ROOM = 20

# Cells of the name of what an archive can do.
_CAPABILITY = 24

# How soon Ctrl-C is noticed where it interrupts no wait (Windows).
_LOOK_SECONDS = 0.5

_MARKS = {True: ("ok", "green"), False: ("FAILED", "bold red"), None: ("-", "dim")}


def doctor(where: str = "", settings: Settings | None = None, *, as_json: bool = False) -> int:
    """Diagnose every configured node, or the one named or at an address; returns the exit status.

    Raises BadConfiguration for what is neither a name nor an address.
    """
    watched = [_Watched(node) for node in chosen((settings or load()).nodes, where)]
    prepare()
    for watch in watched:
        watch.start()
    if as_json:
        found = [watch.ended() for watch in watched]
        sys.stdout.write(json.dumps([facts(diagnosis) for diagnosis in found], indent=2) + "\n")
    else:
        console = Console(highlight=False)
        found = [watch.shown(console) for watch in watched]
    return 0 if all(diagnosis.works for diagnosis in found) else 1


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
        "capabilities": [asdict(capability) for capability in found.capabilities],
    }


def show(found: Diagnosis, console: Console) -> None:
    """A diagnosis as a person reads it, and sends it to the archive's vendor."""
    _head(found.node, console)
    for step in found.steps:
        _line(step, console)
    _rest(found, console)


class _Watched:
    """A diagnosis under way, in a thread that Ctrl-C leaves behind."""

    def __init__(self, node: AnyNode) -> None:
        self._node = node
        self._told: Queue[Step | Diagnosis | BaseException] = Queue()

    def start(self) -> None:
        Thread(target=self._run, daemon=True).start()

    def shown(self, console: Console) -> Diagnosis:
        """The diagnosis; each step is shown when it was taken, one that failed when it is known
        that nothing more exact can be said of it."""
        _head(self._node, console)
        failed: Step | None = None
        while isinstance(told := self._next(), Step):
            if failed and failed.name != told.name:
                _line(failed, console)
            failed = told if told.passed is False else None
            if not failed:
                _line(told, console)
        if failed:
            _line(failed, console)
        _rest(told, console)
        return told

    def ended(self) -> Diagnosis:
        """The diagnosis, when it is over."""
        while isinstance(told := self._next(), Step):
            pass
        return told

    def _next(self) -> Step | Diagnosis:
        while True:
            with suppress(Empty):
                told = self._told.get(timeout=_LOOK_SECONDS)
                if isinstance(told, BaseException):
                    raise told
                return told

    def _run(self) -> None:
        try:
            deadline = Deadline(SECONDS)
            self._told.put(diagnose(self._node, Habits(), deadline=deadline, watch=self._told.put))
        except BaseException as error:
            self._told.put(error)


def _head(node: AnyNode, console: Console) -> None:
    console.print(Text(str(node), style="bold"))
    for line in placed([["step"], [""], ["ms"], ["what was found"]], (*_WIDTHS, 0)):
        console.print(Text(line))
    console.print(rule(console.width))


def _line(step: Step, console: Console) -> None:
    word, style = _MARKS[step.passed]
    took = "" if step.milliseconds is None else f"{step.milliseconds:.0f}"
    room = max(_LEAST_ROOM, console.width - sum(_WIDTHS) - 2 * len(_WIDTHS))
    name, said = folded(step.name, _WIDTHS[0]), folded(plain_text(step.said), room)
    for number, line in enumerate(placed([name, [word], [took], said], (*_WIDTHS, room))):
        text = Text(line)
        if not number:
            text.stylize(style, _WIDTHS[0] + 2, _WIDTHS[0] + 2 + len(word))
        console.print(text, soft_wrap=True)


def _rest(found: Diagnosis, console: Console) -> None:
    """What comes below the steps."""
    for step in found.steps:
        if step.passed is False:
            remedy = ended(step.remedy or "Nothing to try is known")
            console.print(Text(f"{step.name}: {plain_text(remedy)}", style="yellow"))
            if step.command:
                console.print(Text(f"To repeat it: {step.command}"), soft_wrap=True)
    if found.capabilities:
        room = max(_LEAST_ROOM, console.width - _CAPABILITY - 2)
        console.print()
        for line in placed([["capability"], ["what was found"]], (_CAPABILITY, room)):
            console.print(Text(line))
        console.print(rule(console.width))
        for capability in found.capabilities:
            name = folded(capability.name, _CAPABILITY)
            said = folded(plain_text(capability.found), room)
            for line in placed([name, said], (_CAPABILITY, room)):
                console.print(Text(line), soft_wrap=True)
        console.print()
        console.print("To repeat these with other programs:")
        commands = {step.command: step.name for step in found.steps if step.command}
        commands |= {
            capability.command: capability.name
            for capability in found.capabilities
            if capability.command
        }
        for command, name in commands.items():
            console.print(Text(f"  {name}: {command}"), soft_wrap=True)
    console.print()
