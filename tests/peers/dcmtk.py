"""DCMTK's command-line programs as peers: found, run with an end, and read."""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType]
from pydicom.dataset import Dataset

from tests.bounds import PATIENCE
from tests.peers.program import AT_ONCE


@functools.cache
def dcmtk(name: str) -> Path:
    """DCMTK's program of this name.

    Other packages install programs with the same names into the environment; those are passed
    over. Without DCMTK the test is skipped, or fails where DICOM_MCP_REQUIRE_PEERS=1.
    """
    own = Path(sys.prefix) / "bin"
    elsewhere = [folder for folder in os.get_exec_path() if Path(folder).resolve() != own.resolve()]
    found = shutil.which(name, path=os.pathsep.join(elsewhere))
    if found and "dcmtk" in _output([found, "--version"]).stdout:
        return Path(found)
    complaint = f"DCMTK's {name} is not installed"
    if os.environ.get("DICOM_MCP_REQUIRE_PEERS") == "1":
        pytest.fail(complaint)
    pytest.skip(complaint)


def run(name: str, *arguments: str | bytes | Path) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; its messages, both streams together, are in `stdout`."""
    return _output([dcmtk(name), *arguments])


def find(
    port: int,
    *options: str,
    keys: Mapping[str, str | bytes],
    into: Path,
) -> list[Dataset]:
    """The identifiers that findscu receives for these keys (keyword to text)."""
    into.mkdir()
    result = run("findscu", "-v", "-X", "-od", into, *options, *key_options(keys), *to(port))
    assert result.returncode == 0, result.stdout
    assert "Received Final Find Response (Success)" in result.stdout, result.stdout
    return [dcmread(path, force=True) for path in sorted(into.glob("rsp*.dcm"))]


def key_options(keys: Mapping[str, str | bytes]) -> Iterator[str | bytes]:
    """Keys as DCMTK's programs take them; a value in bytes is sent as it is."""
    for keyword, value in keys.items():
        yield "-k"
        yield keyword.encode() + b"=" + (value if isinstance(value, bytes) else value.encode())


def to(port: int) -> tuple[str, str]:
    """The address of a peer on this machine."""
    return "127.0.0.1", str(port)


def store(objects: Iterable[Dataset], port: int, ae_title: str, directory: Path) -> None:
    """Send every object in the transfer syntax it is in; each must be stored.

    With DCMTK's sender: pynetdicom 3.0.4 takes 50 ms an object here, and where the archive is
    quicker it misses an answer now and then.
    """
    sent = directory / "sent"
    sent.mkdir()
    for number, instance in enumerate(objects):
        instance.save_as(sent / f"{number}.dcm", enforce_file_format=True)
    program = str(dcmtk("dcmsend"))
    stored = subprocess.run(
        [program, "+sd", "-dn", "-aec", ae_title, "127.0.0.1", str(port), str(sent)],
        env={**os.environ, **AT_ONCE},
        timeout=PATIENCE,
        capture_output=True,
        check=False,
    )
    assert stored.returncode == 0, stored.stderr
    shutil.rmtree(sent)


@contextmanager
def storescp(port: int, into: Path, *options: str) -> Generator[None]:
    """A storage SCP that accepts every transfer syntax and writes what it gets into a folder."""
    into.mkdir()
    command = [dcmtk("storescp"), "+xa", "--bit-preserving", "-od", into, *options, str(port)]
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _await_echo(port)
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _await_echo(port: int) -> None:
    for _ in range(100):
        if run("echoscu", "-to", "5", *to(port)).returncode == 0:
            return
    pytest.fail(f"storescp does not answer on port {port}")


def _output(command: list[str | bytes | Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="backslashreplace",
        timeout=PATIENCE,
        check=False,
    )
