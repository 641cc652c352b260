"""The real server as a child process on stdio."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.tools import TOOLS
from tests import ward
from tests.bounds import PATIENCE
from tests.pace import scaled
from tests.stdio import HANDSHAKES, STATELESS, child

# Where there is no index.
LISTED = sum(not entry.needs_index for entry in TOOLS)

# The promise: the server leaves within 2 s when its client goes.
LEAVES_WITHIN = 2.0

# There nothing may be missing, Orthanc and DCMTK as little as uv and PyPI.
IN_CI = os.environ.get("DICOM_MCP_REQUIRE_PEERS") == "1"


@pytest.fixture(scope="module")
def archive() -> Iterator[EmbeddedArchive]:
    with EmbeddedArchive(ward.objects(), ae_title="WARD") as running:
        yield running


@pytest.fixture
def environment(archive: EmbeddedArchive) -> dict[str, str]:
    return {"DICOM_PORT": str(archive.port), "DICOM_CALLED_AE_TITLE": "WARD"}


@pytest.mark.parametrize("version", HANDSHAKES)
def test_a_client_of_an_older_protocol_lists_and_calls(
    version: str, environment: dict[str, str]
) -> None:
    with child(**environment) as server:
        assert server.initialize(version)["protocolVersion"] == version
        assert len(server.request("tools/list")["result"]["tools"]) == LISTED
        result = server.call("query_patients", patient_id="007")
        assert json.loads(result["content"][0]["text"])["returned"] == 1
        assert result["structuredContent"]["records"][0]["PatientName"] == "Doe^Jane"
        server.leave(scaled(LEAVES_WITHIN))


@pytest.mark.parametrize("mode", [STATELESS, "auto", "legacy"])
def test_the_sdks_client_lists_and_calls_in_every_mode(
    mode: str, environment: dict[str, str]
) -> None:
    async def ask() -> Any:
        parameters = StdioServerParameters(
            command=sys.executable, args=["-m", "dicom_mcp"], env=environment
        )
        async with Client(stdio_client(parameters), mode=mode) as client:
            assert len((await client.list_tools()).tools) == LISTED
            return await client.call_tool("query_patients", {"patient_id": "007"})

    assert anyio.run(ask).structured_content["returned"] == 1


def test_a_client_of_the_sdks_first_version_lists_and_calls(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """In an environment of its own, made from PyPI: mcp 1.30 cannot live beside ours."""
    script = tmp_path / "old_client.py"
    script.write_text(_OLD_CLIENT)
    done = subprocess.run(
        [
            *(_uv(), "run", "--no-project", "--quiet", "--python", sys.executable),
            *("--with", "mcp==1.30.0", "python", str(script), sys.executable),
            json.dumps(environment),
        ],
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE,
        check=False,
    )
    unreached = ("Failed to fetch", "the network was disabled")
    if not IN_CI and any(words in done.stderr for words in unreached):
        pytest.skip("PyPI was not reached")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "sdk": "1.30.0",
        "tools": LISTED,
        "returned": 1,
        "error": True,
    }


def _uv() -> str:
    """The uv that `make` uses; what it starts is told by UV where that is."""
    ours = Path(__file__).parents[1] / ".tools" / "bin" / "uv"
    found = os.environ.get("UV") or shutil.which("uv") or (str(ours) if ours.exists() else "")
    if not found and not IN_CI:
        pytest.skip("uv is not installed; `make test` brings it")
    return found or pytest.fail("uv is missing")


_OLD_CLIENT = """
import asyncio, json, sys
from importlib.metadata import version
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

async def main():
    server = StdioServerParameters(
        command=sys.argv[1], args=["-m", "dicom_mcp"], env=json.loads(sys.argv[2])
    )
    async with stdio_client(server) as streams, ClientSession(*streams) as session:
        await session.initialize()
        tools = (await session.list_tools()).tools
        found = await session.call_tool("query_patients", {"patient_id": "007"})
        wrong = await session.call_tool("query_patients", {"patient_nam": "x"})
        print(json.dumps({
            "sdk": version("mcp"),
            "tools": len(tools),
            "returned": found.structuredContent["returned"],
            "error": wrong.isError,
        }))

asyncio.run(main())
"""


def test_stdout_carries_only_the_protocol_whatever_happens(environment: dict[str, str]) -> None:
    with child("--debug", **environment) as server:
        server.initialize(HANDSHAKES[-1])
        assert not server.call("query_studies").get("isError")
        assert server.call("query_studies", study_date="yesterday-ish")["isError"]
        assert server.call("no_such_tool")["isError"]
        server.call("configure_dicom_server", host="127.0.0.1", port=1)
        assert server.call("verify_connection")["isError"]
        assert "error" in server.request("no/such/method")
        server.leave(scaled(LEAVES_WITHIN))
        assert all(json.loads(line)["jsonrpc"] == "2.0" for line in server.lines)


def test_a_crash_inside_a_tool_leaves_stdout_clean_and_the_server_running() -> None:
    program = (
        "import dicom_mcp.tools.nodes as broken; broken.named = None;"
        "from dicom_mcp.cli import main; main(['--debug'])"
    )
    with child(command=[sys.executable, "-c", program]) as server:
        server.initialize(HANDSHAKES[-1])
        crashed = server.call("configure_dicom_server", host="127.0.0.1", port=1)
        assert crashed["isError"]
        assert "a defect of the server" in crashed["content"][0]["text"]
        assert "presets" in server.call("get_attribute_presets")["structuredContent"]
        server.leave(scaled(LEAVES_WITHIN))
        assert all(json.loads(line)["jsonrpc"] == "2.0" for line in server.lines)


def test_ctrl_c_ends_the_server_without_a_word_on_stdout() -> None:
    with child() as server:
        server.initialize(HANDSHAKES[-1])
        server.process.send_signal(signal.SIGINT)
        assert server.leave(scaled(LEAVES_WITHIN)) == ""
        assert server.process.returncode == -signal.SIGINT


def test_the_console_command_is_the_server_too(environment: dict[str, str]) -> None:
    with child(command=[str(Path(sys.executable).parent / "dicom-mcp")], **environment) as server:
        server.initialize(HANDSHAKES[-1])
        assert server.call("verify_connection")["structuredContent"]["works"] is True


def test_the_server_leaves_when_its_client_goes_even_while_an_archive_is_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = str(silent.getsockname()[1])
        with child(DICOM_PORT=port) as server:
            server.initialize(HANDSHAKES[-1])
            server.send("tools/call", {"name": "verify_connection", "arguments": {}})
            silent.settimeout(PATIENCE)
            connection, _ = silent.accept()
            with connection:
                connection.settimeout(PATIENCE)
                assert connection.recv(1) == b"\x01"  # the call hangs on an A-ASSOCIATE-RQ
                server.leave(scaled(LEAVES_WITHIN))
                assert server.process.returncode == 0


def test_a_cancelled_call_reaches_the_wire_and_the_log_and_the_next_one_is_answered(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    shell = f"exec {sys.executable} -m dicom_mcp --debug 2>{log}"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = str(silent.getsockname()[1])
        with child(command=["/bin/sh", "-c", shell], DICOM_PORT=port) as server:
            server.initialize(HANDSHAKES[-1])
            hanging = server.send("tools/call", {"name": "verify_connection", "arguments": {}})
            silent.settimeout(PATIENCE)
            connection, _ = silent.accept()
            with connection:
                connection.settimeout(PATIENCE)
                received = connection.recv(1)
                assert len(server.request("tools/list")["result"]["tools"]) == LISTED
                server.notify("notifications/cancelled", {"requestId": hanging})
                while piece := connection.recv(4096):
                    received += piece
            assert received.endswith(bytes.fromhex("0700 00000004 00000000"))  # A-ABORT
            assert "presets" in server.call("get_attribute_presets")["structuredContent"]
    assert "name=verify_connection outcome=cancelled" in log.read_text()


def test_a_setting_that_cannot_work_is_told_on_stderr_and_nothing_on_stdout() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dicom_mcp"],
        input="",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={"DICOM_PORT": "70000"},
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "dicom-mcp: port 70000 is not between 1 and 65535. DICOM archives often use 104, 4242 or "
        "11112.\n"
    )


def test_the_name_of_a_prompt_that_nobody_has_is_not_logged(tmp_path: Path) -> None:
    log = tmp_path / "log"
    shell = f"exec {sys.executable} -m dicom_mcp 2>{log}"
    with child(command=["/bin/sh", "-c", shell]) as server:
        server.initialize(HANDSHAKES[-1])
        assert "error" in server.request("prompts/get", {"name": "ZZSECRET"})
        server.request("tools/list")
    assert "ZZSECRET" not in log.read_text()
