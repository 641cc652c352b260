"""A web server on a raw socket that misbehaves as it is told."""

import gzip
import json
import re
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

# Seconds any write or read of it may take.
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its number from 0, path, the page it asks for, its whole header, its body."""

    number: int
    target: str
    limit: int
    offset: int
    head: str
    body: bytes = b""


# Answers one request over the socket; False closes the connection.
type Behaviour = Callable[[socket.socket, Asked], bool]


class WebPeer:
    """Listens on loopback, a thread for each connection, and answers by its behaviour."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self.asked: list[Asked] = []
        self.connections = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}/web"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        with self._lock:
            still_open = list(self._open)
        for one in still_open:
            _end(one)
        for thread in self._threads:
            thread.join(_PATIENCE)

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connected, _ = self._listening.accept()
            except OSError:
                return
            connected.settimeout(_PATIENCE)
            with self._lock:
                self._open.append(connected)
                self.connections += 1
            self._start(lambda connected=connected: self._serve(connected))

    def _serve(self, connected: socket.socket) -> None:
        try:
            while head := _head(connected):
                body = _body(connected, head)
                with self._lock:
                    asked = _asked(len(self.asked), head, body)
                    self.asked.append(asked)
                if not self._behaviour(connected, asked):
                    break
        except OSError:
            pass
        finally:
            _end(connected)
            connected.close()


def rows(count: int, first: int = 0) -> list[dict[str, object]]:
    """Studies by their UIDs."""
    return [
        {
            "0020000D": {"vr": "UI", "Value": [f"1.2.{number + 1}"]},
            "00100020": {"vr": "LO", "Value": [f"P{number}"]},
        }
        for number in range(first, first + count)
    ]


def answer(
    body: bytes | Sequence[dict[str, object]],
    *,
    status: str = "200 OK",
    kind: str = "application/dicom+json",
    fields: str = "",
) -> bytes:
    """A whole answer."""
    content = body if isinstance(body, bytes) else json.dumps(list(body)).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{fields}Content-Length: {len(content)}"
    return head.encode() + b"\r\n\r\n" + content


def says(*parts: bytes, close: bool = False) -> Behaviour:
    """Sends these to every request."""

    def behave(connected: socket.socket, asked: Asked) -> bool:  # noqa: ARG001 - one shape
        for part in parts:
            connected.sendall(part)
        return not close

    return behave


def pages(held: int, cap: int = 10**9, **how: str) -> Behaviour:
    """Holds so many studies, gives as many as asked for but at most `cap` at once."""

    def behave(connected: socket.socket, asked: Asked) -> bool:
        count = max(0, min(asked.limit, cap, held - asked.offset))
        connected.sendall(answer(rows(count, asked.offset), **how))
        return True

    return behave


def then(*behaviours: Behaviour) -> Behaviour:
    """One after the other; the last one from then on."""

    def behave(connected: socket.socket, asked: Asked) -> bool:
        return behaviours[min(asked.number, len(behaviours) - 1)](connected, asked)

    return behave


def zipped(body: bytes) -> bytes:
    """An answer that is compressed, though nobody asked for it."""
    return answer(gzip.compress(body), fields="Content-Encoding: gzip\r\n")


def _head(connected: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        read = connected.recv(1)
        if not read:
            return b""
        head += read
    return head


def _body(connected: socket.socket, head: bytes) -> bytes:
    announced = re.search(rb"\r\nContent-Length: (\d+)", head)
    left = int(announced[1]) if announced else 0
    body = b""
    while left > len(body):
        body += connected.recv(left - len(body))
    return body


def _asked(number: int, head: bytes, body: bytes) -> Asked:
    target = head.split(b" ", 2)[1].decode()

    def option(name: str, default: int) -> int:
        found = re.search(rf"[?&]{name}=(\d+)", target)
        return int(found[1]) if found else default

    return Asked(number, target, option("limit", 10**9), option("offset", 0), head.decode(), body)


def _end(connected: socket.socket) -> None:
    try:
        connected.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
