"""The process apart: parses documents and decodes compressed frames, away from the server.

Started by path, isolated, with nothing of the house imported but its tasks; apart.py says why. It
reads from stdin where the libraries are and how much it may take, and then wishes, each a line of
JSON and the bytes it speaks of; it answers the same way on stdout until stdin ends. A line of its
own comes first, so that a process that never began is not taken for what the bytes did to it. Who
started it kills it when it takes too long.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any

READY = b"ready\n"

# How the process ends when it holds too much memory where the system sets no bound.
OUT_OF_MEMORY = 77

_HERE = "dicom_mcp.content.outside"

# Where each wish is fulfilled, and the libraries it takes.
_TASKS = {
    "text": ("pdf", "pypdfium2"),
    "pages": ("pdf", "pypdfium2", "PIL.Image"),
    "jpeg": ("frames", "PIL.JpegImagePlugin"),
    "openjpeg": ("frames", "openjpeg"),
    "gdcm": ("frames", "gdcm"),
    "rle": ("frames", "rle.utils"),
    "inflate": ("documents",),
    "cda": ("documents",),
    "markup": ("documents",),
}

type Answer = tuple[dict[str, Any], list[bytes]]


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # libraries in C write there what they think
    answers.write(READY)
    answers.flush()
    setting: dict[str, Any] = json.loads(sys.stdin.buffer.readline() or b"null")
    if not setting:
        return
    sys.path[:0] = setting["path"]
    bounds = Bounds(setting["seconds"])
    with suppress(ImportError):  # what most pictures need, while nobody waits for it
        import_module("PIL.JpegImagePlugin")
    while line := sys.stdin.buffer.readline():
        wish: dict[str, Any] = json.loads(line)
        content = sys.stdin.buffer.read(wish["length"])
        answer, files = _fulfilled(wish, content, bounds)
        answer["lengths"] = [len(file) for file in files]
        answers.write(json.dumps(answer).encode() + b"\n")
        for file in files:
            answers.write(file)
        answers.flush()
        del content, answer, files


def _fulfilled(wish: dict[str, Any], content: bytes, bounds: "Bounds") -> Answer:
    try:
        return _task(wish["task"])(content, wish, lambda: bounds.allow(wish["memory"]))
    except MemoryError:
        return {"fault": "memory"}, []
    except ImportError:
        return {"fault": "missing"}, []
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as fault:  # a library raises whatever it stumbles over, Rust its panics
        is_ours = isinstance(fault, import_module(f"{_HERE}.fault").Fault)
        return {"fault": str(fault) if is_ours else "damaged"}, []


def _task(name: str) -> Callable[[bytes, dict[str, Any], Callable[[], None]], Answer]:
    """What fulfils such a wish, its libraries loaded: what they take is not of the object."""
    where, *libraries = _TASKS[name]
    found = import_module(f"{_HERE}.{where}")

    def run(content: bytes, wish: dict[str, Any], allow: Callable[[], None]) -> Answer:
        for library in libraries:
            import_module(library)
        allow()
        return getattr(found, name)(content, wish)

    return run


class Bounds:
    """At most so much processor time, no file and no core; and memory, wish by wish. Each as far
    as the system has such a limit; the clock of the parent remains everywhere."""

    def __init__(self, seconds: int) -> None:
        self.most = 0
        self._is_watched = False
        with suppress(ImportError):
            import resource

            self._limit(resource.RLIMIT_CPU, seconds)
            self._limit(resource.RLIMIT_FSIZE, 0)
            self._limit(resource.RLIMIT_CORE, 0)

    def allow(self, memory: int) -> None:
        """So many bytes more than the process has now."""
        try:
            import resource
        except ImportError:
            return
        if self._limit(resource.RLIMIT_AS, _address_space() + memory, is_final=False):
            return
        self.most = _most_held() + memory  # macOS refuses
        if not self._is_watched:
            self._is_watched = True
            threading.Thread(target=self._watch, daemon=True).start()

    def _limit(self, what: int, most: int, *, is_final: bool = True) -> bool:
        import resource

        try:
            _, hard = resource.getrlimit(what)
            resource.setrlimit(what, (most, most if is_final else hard))
        except (OSError, ValueError):
            return False
        return True

    def _watch(self) -> None:
        """End this process when it takes more than it may, looking twenty times a second."""
        while _most_held() < self.most:
            time.sleep(0.05)
        os._exit(OUT_OF_MEMORY)


def _address_space() -> int:
    """Bytes of it that are taken; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _most_held() -> int:
    """The most bytes of memory that were held at once."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _unit()


@cache
def _unit() -> int:
    """What the most that was held is counted in, as the system likes: KiB or bytes. An interpreter
    that has just begun holds between 2 MiB and 2 GiB."""
    import resource

    return 1024 if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1 << 21 else 1


if __name__ == "__main__":
    main()
