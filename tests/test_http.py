"""The server on local HTTP, where several people may share it."""

import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import httpx2
import pytest
from mcp.client import Client
from mcp.types import CallToolResult, PromptReference

from benchmarks.startup import HELLO
from dicom_mcp.demo.archive import EmbeddedArchive
from tests import ward
from tests.asking import said
from tests.bounds import PATIENCE
from tests.peers.program import await_port, free_port, running

# Whom the ward completes "Doe" to.
DOES = ["Doe, Jane, ID 007", "Doe, John, ID 8"]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    port = free_port()
    with EmbeddedArchive(ward.objects(), ae_title="WARD") as archive:
        command = [sys.executable, "-m", "dicom_mcp", "serve", "--http", str(port)]
        with running(command, port, environment={"DICOM_PORT": str(archive.port)}):
            yield port


def _ask(port: int, tool: str, /, **arguments: Any) -> CallToolResult:
    async def once() -> CallToolResult:
        async with Client(f"http://127.0.0.1:{port}/mcp") as client:
            return await client.call_tool(tool, arguments)

    return anyio.run(once)


def test_it_answers_as_on_stdio(port: int) -> None:
    found = _ask(port, "query_patients", patient_id="007")
    assert found.structured_content
    assert found.structured_content["records"][0]["PatientName"] == "Doe^Jane"


def test_nobody_may_point_a_shared_server_elsewhere(port: int) -> None:
    refused = _ask(port, "configure_dicom_server", host="127.0.0.1", port=1)
    assert refused.is_error
    assert "does not allow" in said(refused)
    assert not _ask(port, "verify_connection").is_error


def test_what_one_session_configures_is_no_other_sessions_archive() -> None:
    async def ask(port: int, elsewhere: int) -> None:
        url = f"http://127.0.0.1:{port}/mcp"
        async with Client(url, mode="legacy") as mine, Client(url, mode="legacy") as yours:
            told = await mine.call_tool(
                "configure_dicom_server",
                {"host": "127.0.0.1", "port": elsewhere, "called_ae_title": "OTHER"},
            )
            assert not told.is_error, said(told)
            assert await _patients(mine) == 0
            assert await _patients(yours) == 1
            assert "configured" not in said(await yours.call_tool("list_dicom_nodes", {}))

    with _two_archives() as (port, other):
        anyio.run(ask, port, other)


def test_a_client_without_a_session_names_what_it_configured_and_moves_nobody() -> None:
    async def ask(port: int, elsewhere: int) -> None:
        url = f"http://127.0.0.1:{port}/mcp"
        async with Client(url) as mine, Client(url) as yours:
            told = await mine.call_tool(
                "configure_dicom_server",
                {"host": "127.0.0.1", "port": elsewhere, "called_ae_title": "OTHER"},
            )
            assert told.structured_content
            node = told.structured_content["archive"]["node"]
            assert f'Give node="{node}" with every question' in said(told).replace('\\"', '"')
            assert await _patients(mine) == await _patients(yours) == 1
            assert await _patients(mine, node=node) == 0

    with _two_archives() as (port, other):
        anyio.run(ask, port, other)


def test_names_are_completed_from_the_archive_of_the_session() -> None:
    async def ask(port: int, elsewhere: int) -> None:
        url = f"http://127.0.0.1:{port}/mcp"
        async with Client(url, mode="legacy") as mine, Client(url, mode="legacy") as yours:
            there = {"host": "127.0.0.1", "port": elsewhere, "called_ae_title": "OTHER"}
            await mine.call_tool("configure_dicom_server", there)
            assert await _completed(mine, "patient", "Doe") == []
            assert await _completed(mine, "node", "conf") == ["configured"]
            assert await _completed(yours, "patient", "Doe") == DOES
            assert await _completed(yours, "node", "conf") == []
        async with Client(url) as somebody:
            assert await _completed(somebody, "patient", "Doe") == DOES

    with _two_archives() as (port, other):
        anyio.run(ask, port, other)


async def _completed(client: Client, argument: str, begun: str) -> list[str]:
    told = await client.complete(
        PromptReference(name="what_changed"), {"name": argument, "value": begun}
    )
    return sorted(told.completion.values)


def test_it_says_where_it_waits() -> None:
    """Otherwise whoever starts it in a terminal sees nothing at all."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "dicom_mcp", "serve", "--http", str(port)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stderr
        told = server.stderr.readline()
        server.terminate()
    assert f"http://127.0.0.1:{port}/mcp; Ctrl-C ends it" in told


def test_it_ends_at_ctrl_c_without_a_word_though_a_client_listens() -> None:
    """A client of 2025 keeps a stream open, whose end uvicorn called an error."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "dicom_mcp", "serve", "--http", str(port)],
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    ) as server:
        await_port(port, server)
        url = f"http://127.0.0.1:{port}/mcp"
        headers = {"Accept": "application/json, text/event-stream"}
        with httpx2.Client(headers=headers, timeout=PATIENCE) as client:
            began = client.post(url, json=HELLO[0])
            session = {"Mcp-Session-Id": began.headers["Mcp-Session-Id"]}
            client.post(url, json=HELLO[1], headers=session)
            with client.stream("GET", url, headers=session) as listening:
                assert listening.status_code == 200
                server.send_signal(signal.SIGINT)
                _, told = server.communicate(timeout=PATIENCE)
    assert server.returncode == 130
    assert len(told.splitlines()) == 1, told


async def _patients(client: Client, **arguments: str) -> int:
    """How many patients have the ward's ID 007 where this client's questions go."""
    found = await client.call_tool("query_patients", {"patient_id": "007", **arguments})
    assert found.structured_content, said(found)
    return found.structured_content["returned"]


@contextmanager
def _two_archives() -> Generator[tuple[int, int]]:
    """The ports of a server whose archive has the ward, where it may be pointed elsewhere, and of
    another archive, which is empty."""
    port = free_port()
    with (
        EmbeddedArchive(ward.objects(), ae_title="WARD") as archive,
        EmbeddedArchive([], ae_title="OTHER") as other,
    ):
        command = [sys.executable, "-m", "dicom_mcp", "serve", "--http", str(port)]
        environment = {
            "DICOM_PORT": str(archive.port),
            "DICOM_CONFIGURABLE_HOSTS": "127.0.0.1",
        }
        with running(command, port, environment=environment):
            yield port, other.port


@pytest.mark.parametrize("header", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
def test_a_web_page_cannot_reach_it(port: int, header: dict[str, str]) -> None:
    """Neither by a name that was rebound to this machine nor from another origin."""
    answer = httpx2.post(
        f"http://127.0.0.1:{port}/mcp",
        json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
        headers={"Accept": "application/json, text/event-stream", **header},
        timeout=30,
    )
    assert answer.status_code in (403, 421)


def test_it_listens_on_this_machine_only(port: int) -> None:
    addresses = subprocess.run(
        ["cat", "/proc/net/tcp"], capture_output=True, text=True, check=True
    ).stdout
    local = [line.split()[1] for line in addresses.splitlines()[1:] if line.split()[3] == "0A"]
    assert [one for one in local if one.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]
