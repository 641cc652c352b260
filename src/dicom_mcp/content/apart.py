"""A process apart, in which libraries in C meet what strangers wrote (decisions/0009).

pdfium, gdcm and openjpeg parse formats that anybody can send. What makes one of them abort, loop or
eat memory ends that process and one call, not the server.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Timer
from typing import Any, Self

from ..config import needed_by_python
from ..deadline import Deadline
from ..errors import DeadlinePassed
from .apart_process import OUT_OF_MEMORY, READY
from .error import ContentError

# Seconds for one wish, unless the call ends before.
PATIENCE = 20.0

# Address space: the interpreter and a library take 100 to 200 MiB of it before they begin.
_MEMORY = 1 << 30

# Processor time of a process; it serves one call.
_SECONDS = 300

# Bytes of an answer: 40 million samples of 16 bits, or eight pages of a PDF.
_MOST_ANSWER = 96 << 20


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
    "memory": ("needs more memory than is allowed", "Open it with another program"),
    "slow": ("took too long to read", "Open it with another program"),
}


class Apart:
    """A process that is started by the first wish and ends with the block.

        with Apart(deadline) as apart:
            facts, files = apart.ask("text", content, pages=3)

    After a failure the next wish has a new process. Not to be used by two threads.
    """

    def __init__(self, deadline: Deadline | None = None, *, patience: float = PATIENCE) -> None:
        self._deadline = deadline or Deadline(_SECONDS)
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._has_begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def ask(self, task: str, content: bytes, **wish: object) -> tuple[dict[str, Any], list[bytes]]:
        """The facts and files the process answers with.

        Raises Failed; Cancelled and DeadlinePassed of the call's own deadline.
        """
        self._deadline.remaining()
        process = self._process or self._start()
        step = self._deadline.at_most(self._patience)
        wish |= {"task": task, "length": len(content), "memory": _MEMORY, "seconds": _SECONDS}
        wish["path"] = _packages()
        with step.interrupting(process.kill):
            clock = Timer(step.remaining(), process.kill)
            clock.daemon = True
            clock.start()
            try:
                self._greet(process)
                return _exchange(process, json.dumps(wish).encode() + b"\n", content)
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

    def _start(self) -> subprocess.Popen[bytes]:
        script = Path(__file__).with_name("apart_process.py")
        # Nothing of ours: what takes over the process finds no password there. One thread of
        # numpy's, as each takes address space. Windows starts no Python without SYSTEMROOT.
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", script],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"OPENBLAS_NUM_THREADS": "1", **needed_by_python()},
            )
        except OSError as error:
            raise Failed("unstarted") from error
        self._has_begun = False
        return self._process

    def _greet(self, process: subprocess.Popen[bytes]) -> None:
        """Read the first line of a new process. Raises Failed where there is none."""
        assert process.stdout
        if not self._has_begun and process.stdout.readline(len(READY)) != READY:
            raise Failed("unstarted")
        self._has_begun = True

    def _end(self) -> int:
        """End the process; returns how it ended, if it did so by itself."""
        process, self._process = self._process, None
        if not process:
            return 0
        process.kill()  # does nothing where it has ended
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                if pipe:
                    pipe.close()
        return process.wait()


def _exchange(
    process: subprocess.Popen[bytes], head: bytes, content: bytes
) -> tuple[dict[str, Any], list[bytes]]:
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(head)
        process.stdin.write(content)
        process.stdin.flush()
        answer: dict[str, Any] = json.loads(process.stdout.readline(_MOST_ANSWER))
        lengths: Sequence[int] = answer["lengths"]
        if sum(lengths) > _MOST_ANSWER:
            raise Failed("crashed")
        files = [process.stdout.read(length) for length in lengths]
    except (OSError, ValueError, KeyError, TypeError) as trouble:
        raise Failed("crashed") from trouble
    if "fault" in answer:
        raise Failed(answer["fault"])
    if [len(one) for one in files] != lengths:
        raise Failed("crashed")
    return answer, files


@cache
def _packages() -> list[str]:
    """Where the libraries are installed: the isolated process does not look for them."""
    names = "pypdfium2", "pypdfium2_raw", "PIL", "numpy", "gdcm", "openjpeg"
    found = [find_spec(name) for name in names]
    folders: list[Path] = []
    for spec in found:
        if spec and spec.origin:
            place = Path(spec.origin)
            folders.append(place.parents[1] if place.name == "__init__.py" else place.parent)
    return list(dict.fromkeys(map(str, folders)))
