"""The real server as a child process, spoken to in raw JSON-RPC."""

import json
import os
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

# The handshake versions; 2026-07-28 has none and says who it is with every request.
HANDSHAKES = ("2025-06-18", "2025-11-25")
STATELESS = "2026-07-28"

_CLIENT = {"name": "test", "version": "1"}


class Child:
    """A running server and everything it has written to stdout."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._id = 0

    def request(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a request and read until its answer; returns the whole response."""
        self.send(method, params)
        return self.answer(self._id)

    def send(self, method: str, params: dict[str, Any] | None = None) -> int:
        """Send a request without waiting; returns its id."""
        self._id += 1
        self._write({"jsonrpc": "2.0", "id": self._id, "method": method, "params": params or {}})
        return self._id

    def notify(self, method: str, params: dict[str, Any] | None = None) -> None:
        self._write({"jsonrpc": "2.0", "method": method, "params": params or {}})

    def answer(self, id_: object) -> dict[str, Any]:
        """Read until the response with this id."""
        while (message := self.heard()).get("id") != id_:
            pass
        return message

    def heard(self) -> dict[str, Any]:
        """The next message, whatever it answers."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the server left"
        self.lines.append(line)
        return json.loads(line)

    def initialize(self, version: str) -> dict[str, Any]:
        """The handshake of the versions that have one."""
        said = self.request(
            "initialize",
            {"protocolVersion": version, "capabilities": {}, "clientInfo": _CLIENT},
        )
        self.notify("notifications/initialized")
        return said["result"]

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """One tool call; its result, an error result or not."""
        return self.request("tools/call", {"name": tool, "arguments": arguments})["result"]

    def leave(self, seconds: float) -> str:
        """Close stdin, as a client does that goes; returns what is left on stdout.

        Raises subprocess.TimeoutExpired when the server is still there after `seconds`.
        """
        rest, _ = self.process.communicate(timeout=seconds)
        self.lines += rest.splitlines(keepends=True)
        return rest

    def _write(self, message: dict[str, Any]) -> None:
        self.write(json.dumps(message).encode())

    def write(self, line: bytes) -> None:
        """A line as it is, message or not."""
        assert self.process.stdin
        self.process.stdin.flush()
        os.write(self.process.stdin.fileno(), line + b"\n")


@contextmanager
def child(*arguments: str, command: Sequence[str] = (), **environment: str) -> Generator[Child]:
    """A server started with these arguments and variables; killed if it outlives the block."""
    process = subprocess.Popen(
        [*(command or (sys.executable, "-m", "dicom_mcp")), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        yield Child(process)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
