"""Strangers' SQL is asked in a process apart.

No bound of the engine's holds while one function makes one value, nor while a statement is planned.
What does not end then, or takes all there is, ends that process and one question. It is kept for
the next one, with the files open, and replaced when it is ended. There is room for one question at
a time beside what else all calls hold; one that waits has no room for the process either.
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
from ..budgets import BARE_SQL, MOST_OF_SQL
from ..config import needed_by_python
from ..content.outside.process import OUT_OF_MEMORY
from ..deadline import Deadline
from ..errors import BadArgument, DeadlinePassed, IndexUnavailable
from ..in_hand import IN_HAND
from .store import Store

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
    """The process. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spare: tuple[subprocess.Popen[str], int] | None = None
        IN_HAND.keep(self)

    @property
    def size(self) -> int:
        """Bytes that a process holds which has nothing to do."""
        spare = self._spare
        return spare[1] if spare else 0

    def free(self, size: int) -> int:
        """End the process that has nothing to do, if that is to free anything; returns what it
        held."""
        spare = self._taken() if size else None
        if not spare:
            return 0
        _ended(spare[0])
        return spare[1]

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
        lent = IN_HAND.lend(BARE_SQL + MOST_OF_SQL, deadline, itself=self)
        try:
            answer = self._asked(wish, deadline)
        finally:
            IN_HAND.give_back(lent, deadline)
        if answer.get("error") == "DeadlinePassed":
            raise too_long(deadline)
        if "error" in answer:
            raise getattr(errors, answer["error"])(*answer["said"])
        return answer["names"], answer["rows"], answer["has_more"]

    def end(self) -> None:
        """End the one that has nothing to do."""
        self.free(self.size)

    def _asked(self, wish: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
        """What a process answers; one that ended while nobody asked it is replaced."""
        while True:
            spare = self._taken()
            process = spare[0] if spare else _started()
            try:
                answer = _exchanged(process, wish, deadline)
            except BaseException:
                _ended(process)
                raise
            if answer and not answer["is_last"]:
                self._keep(process, BARE_SQL + answer["holds"])
                return answer
            status = _ended(process)
            if answer is None and spare and status != OUT_OF_MEMORY and not deadline.passed:
                continue  # it may have ended before it was asked
            self._keep(_started(), BARE_SQL)
            if answer is None:
                raise _no_answer(status, deadline)
            return answer

    def _taken(self) -> "tuple[subprocess.Popen[str], int] | None":
        """The one that has nothing to do, and what it holds: the caller's from now on."""
        with self._lock:
            spare, self._spare = self._spare, None
        return spare

    def _keep(self, process: subprocess.Popen[str], holds: int) -> None:
        """Have it wait for the next question, in the place of another."""
        with self._lock:
            before, self._spare = self._spare, (process, holds)
        if before:
            _ended(before[0])


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
