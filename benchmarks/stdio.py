"""The real server as a child process that is asked over stdio, without a client library."""

import json
import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from benchmarks.startup import HELLO

_PATIENCE = 20


class Server:
    """A running server that has been said hello to."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._id = 100
        for message in HELLO:
            self._write(json.dumps(message).encode())
            if "id" in message:
                self._read()

    def seconds(self, tool: str, arguments: Mapping[str, object], records: int) -> float:
        """How long this call takes that must be answered with so many records."""
        seconds, result = self.timed(tool, arguments)
        returned = result["structuredContent"]["returned"]
        if returned != records:
            raise RuntimeError(f"{returned} records instead of {records}: nothing was measured")
        return seconds

    def timed(self, tool: str, arguments: Mapping[str, object]) -> tuple[float, dict[str, Any]]:
        """How long this call takes, from its bytes written to the bytes of its answer read, and
        its result."""
        self._id += 1
        params = {"name": tool, "arguments": arguments}
        call = {"jsonrpc": "2.0", "id": self._id, "method": "tools/call", "params": params}
        line = json.dumps(call).encode()
        start = perf_counter()
        self._write(line)
        answer = self._read()
        seconds = perf_counter() - start
        return seconds, json.loads(answer)["result"]

    def _write(self, line: bytes) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()

    def _read(self) -> bytes:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the server left")
        return line


@contextmanager
def server(port: int, called_ae_title: str) -> Generator[Server]:
    """The server with this archive, gone when the block ends."""
    environment = {
        **os.environ,
        "DICOM_HOST": "127.0.0.1",
        "DICOM_PORT": str(port),
        "DICOM_CALLED_AE_TITLE": called_ae_title,
    }
    with subprocess.Popen(
        [sys.executable, "-m", "dicom_mcp"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as process:
        try:
            yield Server(process)
            assert process.stdin
            process.stdin.close()
            process.wait(_PATIENCE)
        finally:
            process.kill()
