"""The demo archives beside a server: there at once, and built when somebody first asks them.

Building the hospital takes seconds, which no assistant waits for at the start. So the ports listen
from the beginning, and who connects waits in the kernel's queue until the archive behind the port
takes it over. Nothing of DICOM is imported before that. When a day has ended, what was built is
given up, and whoever asks next waits for the hospital of the new day.
"""

import selectors
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from datetime import date

# Connections that wait until there is somebody to accept them.
_BACKLOG = 64

# How long whoever leaves waits for the archives to end; one that is being built is left to it.
_STOP_SECONDS = 1.0

# How often an archive looks whether its day has ended.
_LOOK_SECONDS = 60.0

type _Build = Callable[[socket.socket, date], AbstractContextManager[object]]

PACS, VNA = "DEMO_PACS", "DEMO_VNA"

# Where the DICOMweb services stand below the server's root.
WEB_ROOT = "/dicom-web"


@contextmanager
def awaited_archives(
    today: Callable[[], date] = date.today, look_seconds: float = _LOOK_SECONDS
) -> Generator[tuple[tuple[str, int], str]]:
    """Host and port of the hospital's PACS (DIMSE, title PACS), and the URL of its VNA (DICOMweb),
    both on loopback for as long as the block runs, each as it is on that day."""
    with (
        _Awaited(_pacs, today, look_seconds) as (host, port),
        _Awaited(_vna, today, look_seconds) as (web_host, web_port),
    ):
        yield (host, port), f"http://{web_host}:{web_port}{WEB_ROOT}"


def _pacs(listening: socket.socket, day: date) -> AbstractContextManager[object]:
    from .loopback import pacs_of

    return pacs_of(day, listening)


def _vna(listening: socket.socket, day: date) -> AbstractContextManager[object]:
    from .loopback import vna_of

    return vna_of(day, listening)


class _Awaited:
    """A port that listens; `build` makes what answers there of the listening socket and the day,
    and its thread keeps that running until the day or the block ends."""

    def __init__(self, build: _Build, today: Callable[[], date], look_seconds: float) -> None:
        self._build = build
        self._today = today
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self._ends, self._end = socket.socketpair()
        self._end.settimeout(look_seconds)
        self._thread = threading.Thread(target=self._run, name="demo archive", daemon=True)

    def __enter__(self) -> tuple[str, int]:
        host, port = self._listening.getsockname()
        self._thread.start()
        return host, port

    def __exit__(self, *_: object) -> None:
        self._ends.close()
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        address = self._listening.getsockname()
        with self._end as end:
            while self._answers_for_a_day(self._listening, end):
                self._listening = socket.create_server(address, backlog=_BACKLOG)

    def _answers_for_a_day(self, listening: socket.socket, end: socket.socket) -> bool:
        """Answer there until the day has ended; False when it has to end itself."""
        with listening:
            if not _is_asked(listening, end):
                return False
            day = self._today()
            with self._build(listening, day):
                while self._today() == day:
                    if _has_ended(end):
                        return False
        return True


def _is_asked(listening: socket.socket, end: socket.socket) -> bool:
    """Wait until somebody connects; False when it has ended instead."""
    with selectors.DefaultSelector() as selector:
        for waited in (listening, end):
            selector.register(waited, selectors.EVENT_READ)
        return not any(key.fileobj is end for key, _ in selector.select())


def _has_ended(end: socket.socket) -> bool:
    try:
        end.recv(1)
    except TimeoutError:
        return False
    return True
