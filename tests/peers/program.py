"""Programs of others that listen at a port."""

import os
import socket
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from tests.bounds import PATIENCE

# DCMTK and Orthanc without Nagle's algorithm, which waits 40 ms for each delayed acknowledgement.
AT_ONCE = {"TCP_NODELAY": "1"}


def free_port() -> int:
    """A port nothing listens on right now."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        return held.getsockname()[1]


@contextmanager
def running(
    command: Sequence[str], port: int, environment: Mapping[str, str] | None = None
) -> Generator[None]:
    """A program that listens at the port, until the block ends."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
    ) as process:
        try:
            await_port(port, process)
            yield
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def await_port(port: int, process: subprocess.Popen[Any]) -> None:
    """Until something listens at the port; each attempt waits for the process a little."""
    for _ in range(int(PATIENCE / 0.1)):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        except ConnectionRefusedError:
            try:
                process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            pytest.fail(f"{process.args} ended with status {process.returncode}")
        else:
            return
    pytest.fail(f"nothing listens on port {port}")
