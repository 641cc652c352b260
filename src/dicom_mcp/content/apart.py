"""A process apart, in which libraries meet what strangers wrote (decisions/0009).

PDF, XML and compressed frames are formats that anybody can send. What makes a library abort, loop
or eat memory ends that process and one call, not the server. One process serves one call, so that
nobody meets what another one's document left; the next one is started before anybody asks for it.
"""

import atexit
import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Timer
from typing import Any, Self, cast

from ..budgets import BARE_PROCESS, LARGEST_ANSWER_APART
from ..config import needed_by_python
from ..deadline import Deadline
from ..errors import DeadlinePassed
from ..in_hand import IN_HAND
from .error import ContentError
from .outside.process import OUT_OF_MEMORY, READY
from .room import Room

# Seconds for one wish, but no more than this share of what is left to its call, which has to say
# what became of it.
PATIENCE = 20.0
_SHARE = 0.75

# Processor time of a process; it serves one call.
_SECONDS = 300

# What is imported there of the house.
_HOUSE = "dicom_mcp.content"

_ROOM = Room()

# From here on a wish is one for whose room the idle processes of other calls are ended.
_LARGE = 128 << 20

# What the server makes of a frame: its values, those again in the bits that are used, and greys.
_MADE = 2.5


class Failed(Exception):
    """What was asked for could not be had; `fault` is what the process says of it, "crashed" when
    it said nothing, "slow" when it was killed, "unstarted" when it never began."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault

    def refusal(self, what: str) -> ContentError | None:
        """What the answer says where the fault is this machine's, or a bound of ours, and not the
        object's; `what` could not be read."""
        told = _SURROUNDINGS.get(self.fault)
        return ContentError(f"{what} {told[0]}", told[1]) if told else None


_SURROUNDINGS = {
    "unstarted": (
        "cannot be read here: the process that would do it does not start on this machine",
        "Nothing is said of the object. Ask whoever installed dicom-mcp: a protection program may "
        "stop it, or Python may be incomplete",
    ),
    "missing": (
        "cannot be read here: the library for it is missing or does not load",
        "Nothing is said of the object. Install dicom-mcp anew, with all of its packages",
    ),
    "memory": (
        "needs more memory than is allowed, and reading it was stopped",
        "Open it with another program",
    ),
    "slow": ("took too long to read, and was stopped", "Open it with another program"),
}


class Apart:
    """A process that is had by the first wish and ends with the block.

        with Apart(deadline) as apart:
            facts, files = apart.ask("text", content, memory=64 << 20, pages=3)

    After a failure the next wish has a new process. Not to be used by two threads.
    """

    def __init__(self, deadline: Deadline | None = None, *, patience: float = PATIENCE) -> None:
        self._deadline = deadline or Deadline(_SECONDS)
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._has_begun = False
        self._kept = ""

    def __enter__(self) -> Self:
        get_ready()
        return self

    def __exit__(self, *_: object) -> None:
        _ROOM.forget(self)

    def ask(
        self,
        task: str,
        content: "bytes | bytearray | memoryview[int]",
        *,
        memory: int,
        least: int = 0,
        answer: int = 0,
        **wish: object,
    ) -> tuple[dict[str, Any], list[bytearray]]:
        """The facts and files the process answers with, for which it may take so much memory (or
        all there is, if that is no less than the `least` it can do with); until there is room for
        that, and for files of so many bytes, it is waited.

        Content that a wish has a name for (`called`) is kept there by a task that can, and not sent
        again with the next. Raises Failed; Cancelled and DeadlinePassed of the call's own deadline.
        """
        self.make_room(answer)
        lent = IN_HAND.lend(memory + BARE_PROCESS, self._deadline)
        try:
            if lent < least + BARE_PROCESS:
                raise Failed("memory")
            _ROOM.enter(self, self._deadline)
            try:
                if lent > _LARGE:
                    _ROOM.end_idle()
                wish |= {"task": task, "memory": lent - BARE_PROCESS}
                return self._asked(wish, content)
            finally:
                _ROOM.leave(self, self._end if self._process else None)
        finally:
            IN_HAND.give_back(lent, self._deadline)

    def make_room(self, frame: int) -> None:
        """Wait until the server may hold what is made of a frame of so many bytes. Raises as `ask`
        does."""
        IN_HAND.make(int(_MADE * frame), self._deadline)

    def _asked(
        self, wish: dict[str, Any], content: "bytes | bytearray | memoryview[int]"
    ) -> tuple[dict[str, Any], list[bytearray]]:
        step = self._deadline.at_most(min(self._patience, self._deadline.remaining() * _SHARE))
        if self._process is None:
            self._process = _SPARE.take(step.remaining()) or _started()
            self._has_begun, self._kept = False, ""
        process, called = self._process, wish.get("called", "")
        if called and called == self._kept:
            content = b""
        wish["length"] = len(content)
        with step.interrupting(process.kill):
            clock = Timer(step.remaining(), process.kill)
            clock.daemon = True
            clock.start()
            try:
                self._greet(process)
                found = _exchange(process, json.dumps(wish).encode() + b"\n", content)
                self._kept = called or self._kept
                return found
            except Failed as failure:
                if failure.fault not in ("crashed", "unstarted"):
                    raise
                if self._end() == OUT_OF_MEMORY:
                    raise Failed("memory") from failure
                self._deadline.remaining()
                try:
                    step.remaining()
                except DeadlinePassed:
                    raise Failed("slow") from failure
                raise
            finally:
                clock.cancel()
                _SPARE.renew()

    def _greet(self, process: subprocess.Popen[bytes]) -> None:
        """Read the first line of a new process. Raises Failed where there is none."""
        assert process.stdout
        if not self._has_begun and process.stdout.readline(len(READY)) != READY:
            raise Failed("unstarted")
        self._has_begun = True

    def _end(self) -> int:
        """End the process; returns how it ended, if it did so by itself."""
        process, self._process = self._process, None
        return _ended(process) if process else 0


def get_ready() -> None:
    """Start a process while an object is still on its way, so that nobody waits for it."""
    _SPARE.renew()


class _Spare:
    """A process that has begun and waits for a call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: tuple[list[object], subprocess.Popen[bytes]] | None = None
        self._starter: threading.Thread | None = None

    def take(self, seconds: float = PATIENCE) -> subprocess.Popen[bytes] | None:
        """The process, if there is one within so long that is alive and as one would be started
        now."""
        if self._starter:
            self._starter.join(seconds)
        with self._lock:
            held, self._held = self._held, None
        if held and (held[1].poll() is not None or held[0] != _command()):
            _ended(held[1])
            return None
        return held[1] if held else None

    def renew(self) -> None:
        """Start another one, while nobody waits for it, unless there is one."""
        with self._lock:
            if self._held or (self._starter and self._starter.is_alive()):
                return
            if self._starter is None:
                atexit.register(self.end)
            self._starter = threading.Thread(target=self._start, name="spare", daemon=True)
            self._starter.start()

    def end(self) -> None:
        """End it."""
        if process := self.take():
            _ended(process)

    def _start(self) -> None:
        command = _command()
        with suppress(Failed):
            process = _started()
            with self._lock:
                self._held = command, process


_SPARE = _Spare()


def _started() -> subprocess.Popen[bytes]:
    """A process that has been told where everything is. Raises Failed where none starts."""
    setting, *command = _command()
    # Nothing of ours: what takes over the process finds no password there. One thread of numpy's,
    # as each takes address space. Windows starts no Python without SYSTEMROOT.
    try:
        process = subprocess.Popen(
            cast("list[str]", command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"OPENBLAS_NUM_THREADS": "1", **needed_by_python()},
        )
    except OSError as error:
        raise Failed("unstarted") from error
    assert process.stdin
    with suppress(OSError):  # the first wish finds that it has ended
        process.stdin.write(json.dumps(setting).encode() + b"\n")
        process.stdin.flush()
    return process


def _command() -> list[object]:
    """What the process is told, and how it is started."""
    script = Path(__file__).parent / "outside" / "process.py"
    setting = {"path": _packages(), "seconds": _SECONDS}
    return [setting, sys.executable, "-I", "-S", str(script)]


def _ended(process: subprocess.Popen[bytes]) -> int:
    process.kill()  # does nothing where it has ended
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):
            if pipe:
                pipe.close()
    return process.wait()


def _exchange(
    process: subprocess.Popen[bytes], wish: bytes, content: "bytes | bytearray | memoryview[int]"
) -> tuple[dict[str, Any], list[bytearray]]:
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(wish)
        process.stdin.write(content)
        process.stdin.flush()
        answer: dict[str, Any] = json.loads(process.stdout.readline(LARGEST_ANSWER_APART))
        lengths: Sequence[int] = answer["lengths"]
        if sum(lengths) > LARGEST_ANSWER_APART:
            raise Failed("crashed")
        files = [bytearray(length) for length in lengths]  # read into, and not put together
        came: list[int] = [cast("Any", process.stdout).readinto(file) for file in files]
    except (OSError, ValueError, KeyError, TypeError) as trouble:
        raise Failed("crashed") from trouble
    if "fault" in answer:
        raise Failed(answer["fault"])
    if came != lengths:
        raise Failed("crashed")
    return answer, files


@cache
def _packages() -> list[str]:
    """Where the libraries are installed, and what runs there: the isolated process does not look
    for them."""
    names = "pypdfium2", "pypdfium2_raw", "PIL", "numpy", "gdcm", "openjpeg", "rle", "av", _HOUSE
    folders: list[Path] = []
    for name in names:
        spec = find_spec(name)
        if spec and spec.origin:
            place = Path(spec.origin)
            above = name.count(".") + 1
            folders.append(place.parents[above] if place.name == "__init__.py" else place.parent)
    return list(dict.fromkeys(map(str, folders)))
