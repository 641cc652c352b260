"""The demo archives beside a server: there at once, and built when somebody first asks them.

Building the hospital takes seconds, which no assistant waits for at the start. So the ports listen
from the beginning, and who connects waits in the kernel's queue until the archive behind the port
takes it over. Nothing of DICOM is imported before that.
"""

import selectors
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager

# Connections that wait until there is somebody to accept them.
_BACKLOG = 64

# How long whoever leaves waits for the archives to end; one that is being built is left to it.
_STOP_SECONDS = 1.0

PACS, VNA = "DEMO_PACS", "DEMO_VNA"

# Where the DICOMweb services stand below the server's root.
WEB_ROOT = "/dicom-web"


@contextmanager
def awaited_archives() -> Generator[tuple[tuple[str, int], str]]:
    """Host and port of the hospital's PACS (DIMSE, title PACS), and the URL of its VNA (DICOMweb),
    both on loopback for as long as the block runs."""
    with _Awaited(_pacs) as (host, port), _Awaited(_vna) as (web_host, web_port):
        yield (host, port), f"http://{web_host}:{web_port}{WEB_ROOT}"


def _pacs(listening: socket.socket) -> AbstractContextManager[object]:
    from .loopback import pacs_today

    return pacs_today(listening)


def _vna(listening: socket.socket) -> AbstractContextManager[object]:
    from .loopback import vna_today

    return vna_today(listening)


class _Awaited:
    """A port that listens; `build` makes what answers there of the listening socket, and its thread
    keeps that running until the block ends."""

    def __init__(self, build: Callable[[socket.socket], AbstractContextManager[object]]) -> None:
        self._build = build
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self._ends, self._end = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="demo archive", daemon=True)

    def __enter__(self) -> tuple[str, int]:
        host, port = self._listening.getsockname()
        self._thread.start()
        return host, port

    def __exit__(self, *_: object) -> None:
        self._ends.close()
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        with self._listening as listening, self._end as end:
            with selectors.DefaultSelector() as selector:
                for one in (listening, end):
                    selector.register(one, selectors.EVENT_READ)
                if any(key.fileobj is end for key, _ in selector.select()):
                    return
            with self._build(listening):
                end.recv(1)
