"""The server on local HTTP, where several people may share it."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import anyio
import httpx2
import pytest
from mcp.client import Client
from mcp.types import CallToolResult

from dicom_mcp.demo.archive import EmbeddedArchive
from tests import ward
from tests.asking import said
from tests.peers import free_port, running


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
