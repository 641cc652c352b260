"""Strangers' SQL is asked in a process apart.

No bound of the engine's holds while one function makes one value, nor while a statement is planned.
What does not end then, or takes all there is, ends that process and one question. It is kept for
the next one, with the files open, and replaced when it is ended.
"""

import atexit
import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import Any

from .. import errors
from ..config import needed_by_python
from ..content.outside.process import OUT_OF_MEMORY
from ..deadline import Deadline
from ..errors import BadArgument, DeadlinePassed, IndexUnavailable
from .store import Store

# Questions at a time, each in a process of its own.
_MOST = 2

# The share of a question's time that is left to say that it is over.
_SHARE = 0.1

_PROGRAM = """
import json, sys
sys.path[:] = json.loads(sys.stdin.readline())
from dicom_mcp.index.outside import main
main()
"""

# Columns, rows, and whether there are more.
type Rows = tuple[list[str], list[list[Any]], bool]


class Apart:
    """The processes. Safe to use from several threads."""

    def __init__(self) -> None:
        self._spare: list[subprocess.Popen[str]] = []
        self._places = threading.BoundedSemaphore(_MOST)

    def ask(
        self,
        store: Store,
        statement: str,
        values: Sequence[Any],
        most_rows: int,
        deadline: Deadline,
        cohort: Sequence[str] | None = None,
    ) -> Rows:
        """What sql.read_checked brings, and raises."""
        wish = {
            "folder": str(store.folder),
            "key": store.key,
            "statement": statement,
            "values": values,
            "most_rows": most_rows,
            "cohort": cohort,
        }
        while not self._places.acquire(timeout=min(0.1, deadline.remaining())):
            pass
        try:
            answer = self._asked(wish, deadline)
        finally:
            self._places.release()
        if answer.get("error") == "DeadlinePassed":
            raise too_long(deadline)
        if "error" in answer:
            raise getattr(errors, answer["error"])(*answer["said"])
        return answer["names"], answer["rows"], answer["has_more"]

    def end(self) -> None:
        """End those that have nothing to do."""
        while self._spare:
            _ended(self._spare.pop())

    def _asked(self, wish: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
        """What a process answers; one that ended while nobody asked it is replaced."""
        while True:
            try:
                process, is_new = self._spare.pop(), False
            except IndexError:
                process, is_new = _started(), True
            try:
                answer = _exchanged(process, wish, deadline)
            except BaseException:
                _ended(process)
                raise
            if answer and not answer.pop("is_last"):
                self._spare.append(process)
                return answer
            status = _ended(process)
            if answer is None and not is_new and status != OUT_OF_MEMORY and not deadline.passed:
                continue  # it may have ended before it was asked
            self._spare.append(_started())
            if answer is None:
                raise _no_answer(status, deadline)
            return answer


def too_long(deadline: Deadline) -> DeadlinePassed:
    """What to say of a question whose time is over."""
    return DeadlinePassed(
        f"the question took longer than {deadline.seconds:g} seconds",
        "Ask about fewer days, or without joining so much",
    )


def too_large() -> BadArgument:
    """What to say of a question that does not fit the memory."""
    return BadArgument(
        "the question needs more memory than a question may have",
        "Group or filter earlier, ask about fewer days, and make no long texts or lists",
    )


def _no_answer(status: int, deadline: Deadline) -> Exception:
    """Why a process ended without one. Raises Cancelled."""
    if deadline.passed:
        return too_long(deadline)
    if status == OUT_OF_MEMORY:
        return too_large()
    return BadArgument(
        "the statement ended the process that it was asked in", "Write it shorter and simpler"
    )


def _exchanged(
    process: subprocess.Popen[str], wish: dict[str, Any], deadline: Deadline
) -> dict[str, Any] | None:
    """What it answers; None where it ends, as it does when there is no time left."""
    assert process.stdin
    assert process.stdout
    left = deadline.remaining()
    clock = Timer(left, process.kill)
    clock.daemon = True
    with deadline.interrupting(process.kill):
        clock.start()
        try:
            process.stdin.write(json.dumps({**wish, "seconds": left * (1 - _SHARE)}) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline() or "null")
        except (OSError, ValueError):
            return None
        finally:
            clock.cancel()


def _started() -> subprocess.Popen[str]:
    """A process that waits for a question. Raises IndexUnavailable where none starts."""
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=needed_by_python(),
            text=True,
            encoding="utf-8",
        )
    except OSError as error:
        raise IndexUnavailable(
            f"the process that SQL is asked in does not start ({error.strerror})",
            "Ask whoever installed dicom-mcp: a protection program may stop it",
        ) from None
    assert process.stdin
    path = [str(Path(__file__).parents[2]), *filter(None, sys.path)]
    with suppress(OSError):  # the question finds that it has ended
        process.stdin.write(json.dumps(path) + "\n")
        process.stdin.flush()
    return process


def _ended(process: subprocess.Popen[str]) -> int:
    """End it; how it ended, if it did so by itself."""
    process.kill()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):
            if pipe:
                pipe.close()
    return process.wait()


APART = Apart()
atexit.register(APART.end)
