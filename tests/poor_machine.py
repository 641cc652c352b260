"""The real server on a machine that has less: what Windows or macOS lack is taken away first.

    python -m tests.poor_machine serve --demo

There is no Windows here, so this simulates what is known of it: no `poll`, no `resource`, no
TCP_QUICKACK, no `fork`, a connect in progress that answers WSAEWOULDBLOCK, a shutdown that wakes
nobody, and a terminal of code page 1252. The process apart has less, too.
"""

import errno
import os
import select
import socket
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


_WSAEWOULDBLOCK = 10035


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
