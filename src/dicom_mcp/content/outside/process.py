"""The process apart: parses documents and decodes compressed frames, away from the server.

Started by path, isolated, with nothing of the house imported but its tasks; apart.py says why. It
reads from stdin where the libraries are and how much it may take, and then wishes, each a line of
JSON and the bytes it speaks of; it answers the same way on stdout until stdin ends. A line of its
own comes first, so that a process that never began is not taken for what the bytes did to it. Who
started it kills it when it takes too long.
"""

import ctypes
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

try:
    import resource as _found
except ImportError:
    _found = None
_resource: ModuleType | None = _found

READY = b"ready\n"

# How the process ends when it holds too much memory where the system sets no bound.
OUT_OF_MEMORY = 77

# How often it looks: a decoder fills 100 MiB meanwhile, at most.
_LOOK_SECONDS = 0.02

_HERE = "dicom_mcp.content.outside"

# Where each wish is fulfilled, and the libraries it takes.
_TASKS = {
    "text": ("pdf", "pypdfium2"),
    "pages": ("pdf", "pypdfium2", "PIL.Image"),
    "jpeg": ("frames", "PIL.JpegImagePlugin"),
    "openjpeg": ("frames", "openjpeg"),
    "gdcm": ("frames", "gdcm"),
    "rle": ("frames", "rle.utils"),
    "video": ("video", "av"),
    "inflate": ("deflated",),
    "cda": ("documents",),
    "markup": ("documents",),
}

type Answer = tuple[dict[str, Any], list[bytes | bytearray]]
# glibc's mallopt(3): large blocks are given back to the system when they are freed.
_M_MMAP_THRESHOLD, _BLOCK = -3, 1 << 20

type Task = Callable[[bytes, dict[str, Any]], Answer]


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
    with suppress(OSError, TypeError, AttributeError):  # as in the server (machine.py)
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _BLOCK)
    with suppress(Exception):  # what most pictures need, while nobody waits for it
        import_module(f"{_HERE}.frames")
        import_module("PIL.Image").preinit()
    while line := sys.stdin.buffer.readline():
        wish: dict[str, Any] = json.loads(line)
        content = sys.stdin.buffer.read(wish["length"])
        answer, files = _fulfilled(wish, content, bounds)
        answer["lengths"] = [len(file) for file in files]
        answers.write(json.dumps(answer).encode() + b"\n")
        while files:  # what was sent is held no longer: a frame has 60 MB
            answers.write(files.pop(0))
        answers.flush()
        del content, answer


def _fulfilled(wish: dict[str, Any], content: bytes, bounds: "Bounds") -> Answer:
    task = _task(wish["task"])
    if task is None:
        return {"fault": "missing"}, []
    bounds.allow(wish["memory"], wish.get("unused", 0))
    try:
        return task(content, wish)
    except MemoryError:
        return {"fault": "memory"}, []
    except ImportError:
        return {"fault": "missing"}, []
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as fault:  # a library raises whatever it stumbles over, Rust its panics
        is_ours = isinstance(fault, import_module(f"{_HERE}.fault").Fault)
        return {"fault": str(fault) if is_ours else "damaged"}, []


def _task(name: str) -> Task | None:
    """What fulfils such a wish, its libraries loaded: what they take is not of the object, nor is
    it the object's fault where one does not load (None), which each says in its own way."""
    where, *libraries = _TASKS[name]
    try:
        found = import_module(f"{_HERE}.{where}")
        for library in libraries:
            import_module(library)
    except Exception:
        return None
    return getattr(found, name)


class Bounds:
    """At most so much processor time, no file and no core; and memory, wish by wish, by what this
    machine has for that.

    Where the system bounds the address space, a library that asks for too much is told so. Where it
    does not (Windows has no `resource`, macOS refuses the limit, OpenBSD has none), the process
    looks at what it holds and ends itself. Where it cannot even see that, what is left are the
    sizes that are checked before anything is decoded, and the parent's clock.
    """

    def __init__(self, seconds: int) -> None:
        self._watch = Watch()
        self._may_write = True
        limit("RLIMIT_CPU", seconds)
        limit("RLIMIT_CORE", 0)

    def allow(self, memory: int, unused: int = 0) -> None:
        """So many bytes more than the process has now, and so much address space beyond that will
        not be touched; and no file: until the first wish is looked
        at, libraries may keep what Python made of them, which takes longer than all else here."""
        if self._may_write:
            self._may_write, sys.dont_write_bytecode = False, True
            limit("RLIMIT_FSIZE", 0)
        taken = _address_space()
        if not (taken and limit("RLIMIT_AS", taken + memory + unused, is_final=False)):
            self._watch.allow(held() + memory)


class Watch:
    """Ends this process when it holds more than it is allowed, where the system tells how much it
    holds."""

    def __init__(self) -> None:
        self._most = 0

    def allow(self, most: int) -> None:
        """So many bytes in all, from now on."""
        is_new, self._most = not self._most, most
        if is_new and held():
            threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while held() < self._most:
            time.sleep(_LOOK_SECONDS)
        os._exit(OUT_OF_MEMORY)


def limit(name: str, most: int, *, is_final: bool = True) -> bool:
    """Whether the system has this limit and took it."""
    what: int | None = getattr(_resource, name, None)
    if _resource is None or what is None:
        return False
    try:
        _, hard = _resource.getrlimit(what)
        _resource.setrlimit(what, (most, most if is_final else hard))
    except (OSError, ValueError):
        return False
    return True


def _address_space() -> int:
    """Bytes of it that are taken; 0 where the system does not tell."""
    return _statm(0)


def private() -> int:
    """Bytes of address space that are this process's own, to be written; 0 where the system does
    not tell."""
    return _statm(5)


def held() -> int:
    """Bytes of memory that are held, or the most that ever were; 0 where the system does not
    tell."""
    for way in (lambda: _statm(1), _private_bytes, _most_resident):
        if amount := way():
            return amount
    return 0


def _statm(field: int) -> int:
    """Linux: bytes of address space (0), of memory (1), or of data and stacks (5)."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[field]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return 0


def _most_resident() -> int:
    """macOS and others: the most that was ever held."""
    if _resource is None:
        return 0
    return _resource.getrusage(_resource.RUSAGE_SELF).ru_maxrss * _unit()


@cache
def _unit() -> int:
    """What that is counted in, as the system likes, KiB or bytes; learned while little is held: a
    process that has just loaded a decoder holds between 4 MiB and 4 GiB."""
    assert _resource
    return 1024 if _resource.getrusage(_resource.RUSAGE_SELF).ru_maxrss < 1 << 22 else 1


class _Counters(ctypes.Structure):
    """PROCESS_MEMORY_COUNTERS_EX of Windows."""

    _fields_ = (
        ("cb", ctypes.c_uint32),
        ("PageFaultCount", ctypes.c_uint32),
        *(
            (name, ctypes.c_size_t)
            for name in (
                *("PeakWorkingSetSize", "WorkingSetSize", "QuotaPeakPagedPoolUsage"),
                *("QuotaPagedPoolUsage", "QuotaPeakNonPagedPoolUsage", "QuotaNonPagedPoolUsage"),
                *("PagefileUsage", "PeakPagefileUsage", "PrivateUsage"),
            )
        ),
    )


def _private_bytes() -> int:
    """Windows: what is held and shared with nobody."""
    windows: Any = getattr(ctypes, "windll", None)
    if windows is None:
        return 0
    counters = _Counters()
    counters.cb = ctypes.sizeof(counters)
    with suppress(AttributeError, OSError):
        this, tell = windows.kernel32.GetCurrentProcess, windows.kernel32.K32GetProcessMemoryInfo
        this.restype = ctypes.c_void_p
        tell.argtypes = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32
        if tell(this(), ctypes.byref(counters), counters.cb):
            return int(counters.PrivateUsage)
    return 0


if __name__ == "__main__":
    main()
