"""The real server on a machine that has less: what Windows or macOS lack is taken away first.

    python -m tests.poor_machine serve --demo

There is no Windows here, so this simulates what is known of it: no `poll`, no `resource`, no
TCP_QUICKACK, no `fork`, no modes of files but "read only", a connect in progress that answers
WSAEWOULDBLOCK, a shutdown that wakes nobody, and a terminal of code page 1252. The process apart
has less, too. Below the folder that POOR_READ_ONLY names nothing can be written; POOR_MODES=refused
is a share of a network that refuses every change of a mode.
"""

import errno
import os
import select
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def take_away() -> None:
    """Must run before anything that looks for these is imported."""
    kit: Any = select
    for name in ("poll", "epoll", "devpoll", "kqueue"):
        if hasattr(kit, name):
            delattr(kit, name)
    sys.modules["resource"] = None  # pyright: ignore[reportArgumentType]
    system: Any = os
    for name in ("fork", "forkpty", "setsid", "killpg", "getuid", "geteuid"):
        if hasattr(system, name):
            delattr(system, name)
    network: Any = socket
    if hasattr(network, "TCP_QUICKACK"):
        del network.TCP_QUICKACK
    network.socket = _Socket
    kit = subprocess
    kit.Popen = _Process
    _take_modes_away()
    if folder := os.environ.get("POOR_READ_ONLY"):
        sys.addaudithook(_Refusing(os.path.realpath(folder)))


_WSAEWOULDBLOCK = 10035

# What a file is opened with to write it, and what else of Python's audit events changes one.
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.link", "os.symlink")


def _take_modes_away() -> None:
    """As Windows has them: a file is read-only or not, and that is all its mode says."""
    system: Any = os
    set_mode, status = os.chmod, os.stat

    def chmod(path: Any, mode: int, **more: Any) -> None:
        if os.environ.get("POOR_MODES") == "refused":
            raise PermissionError(errno.EPERM, "Operation not permitted", path)
        is_folder = stat.S_ISDIR(status(path).st_mode)
        set_mode(path, (0o666 if mode & stat.S_IWRITE else 0o444) | (0o111 * is_folder), **more)

    def seen(path: Any, **more: Any) -> os.stat_result:
        found = status(path, **more)
        may_write = bool(found.st_mode & stat.S_IWRITE)
        shown = stat.S_IFMT(found.st_mode) | (0o666 if may_write else 0o444)
        return os.stat_result((shown, *found[1:]), dict[str, Any](found.__reduce__()[1][1]))  # pyright: ignore

    system.chmod, system.stat = chmod, seen


class _Refusing:
    """An audit hook: whatever would change something below a folder ends as in a file system that
    is read-only. SQLite says the same in its own words."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            is_change = bool(flags & _WRITING)
        else:
            path, is_change = (arguments or (None,))[0], event in _CHANGES
        if event == "sqlite3.connect" and self._holds(path):
            raise sqlite3.OperationalError("unable to open database file")
        if is_change and self._holds(path):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    def _holds(self, path: Any) -> bool:
        names: Any = (str, os.PathLike)
        return isinstance(path, names) and os.path.abspath(path).startswith(self._folder)


class _Process(subprocess.Popen[Any]):
    """One that runs the process apart without what it looks for."""

    def __init__(self, command: Sequence[str], **more: Any) -> None:
        *python, script = command
        if script.endswith("process.py"):
            poor = str(Path(__file__).with_name("poor_process.py"))
            command = [*python, poor, "bare", script]
        super().__init__(command, **more)


class _Socket(socket.socket):
    def connect_ex(self, address: Any, /) -> int:
        error = super().connect_ex(address)
        return _WSAEWOULDBLOCK if error == errno.EINPROGRESS else error

    def shutdown(self, how: int, /) -> None:
        """Wakes no reader."""


if __name__ == "__main__":
    take_away()
    from dicom_mcp.cli import main

    sys.argv[0] = "dicom-mcp"
    main()
