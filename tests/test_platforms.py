"""What works where a system has less than Linux, with the real server (tests/poor_machine.py).

Nothing here ran on Windows or macOS: these are simulations of what is known of them.
"""

import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from dicom_mcp import machine
from dicom_mcp.deadline import Deadline
from dicom_mcp.errors import MachineLacks
from dicom_mcp.network.connect import connect
from tests.bounds import PATIENCE
from tests.stdio import HANDSHAKES, Child, child

# Where Windows and XDG keep settings.
NOWHERE = {"APPDATA": "", "XDG_CONFIG_HOME": ""}

POOR = (sys.executable, "-m", "tests.poor_machine")


@pytest.fixture(scope="module")
def poor() -> Generator[Child]:
    """A server beside the demo archives, on a machine that has less."""
    with child("serve", "--demo", command=POOR, PYTHONIOENCODING="cp1252") as server:
        server.initialize(HANDSHAKES[-1])
        yield server


@pytest.mark.parametrize("node", ["pacs", "vna"])
def test_an_archive_answers(poor: Child, node: str) -> None:
    assert poor.call("verify_connection", node=node)["structuredContent"]["works"]
    counted = poor.call("count_studies", node=node, group_by=["modality"])["structuredContent"]
    assert counted["complete"]
    assert counted["total"] >= 30


def test_names_outside_the_code_page_arrive(poor: Child) -> None:
    found = poor.call("query_patients", node="pacs", name_pattern="山田")["structuredContent"]
    assert "山田" in str(found["records"])


@pytest.mark.parametrize("node", ["pacs", "vna"])
def test_pictures_and_reports_arrive(poor: Child, node: str) -> None:
    """JPEG 2000 and PDF are read in the process apart, which has no limits of memory there."""
    asked = {"node": node, "modality_in_study": "CR", "limit": 1}
    study = poor.call("query_studies", **asked)["structuredContent"]["records"][0]
    uids = {"study_instance_uid": study["StudyInstanceUID"]}
    series = poor.call("query_series", node=node, modality="CR", **uids)["structuredContent"]
    uids["series_instance_uid"] = series["records"][0]["SeriesInstanceUID"]
    shown = poor.call("view_image", node=node, **uids)
    assert [block["type"] for block in shown["content"]] == ["text", "image"], shown

    study = poor.call("query_studies", node=node, modality_in_study="DOC")["structuredContent"]
    uid = study["records"][0]["StudyInstanceUID"]
    report = poor.call("read_report", node=node, study_instance_uid=uid)["structuredContent"]
    assert report["complete"], report["notes"]
    assert "page 1" in str(report)


@pytest.mark.parametrize(
    "address",
    [
        'host = "127.0.0.1"\nport = PORT\ncalled_ae_title = "SILENT"',
        'url = "http://127.0.0.1:PORT/dicom-web"',
    ],
)
def test_a_question_that_hangs_can_be_cancelled(address: str, tmp_path: Path) -> None:
    """Where a shutdown wakes no reader, the reader looks by itself."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        config = tmp_path / "config.toml"
        config.write_text(f"[nodes.silent]\n{address}\n".replace("PORT", str(port)))
        with child("--config", str(config), "serve", command=POOR) as server:
            server.initialize(HANDSHAKES[-1])
            asked = server.send("tools/call", {"name": "query_patients", "arguments": {}})
            server.notify("notifications/cancelled", {"requestId": asked})
            server.request("ping")
            server.leave(PATIENCE)


def test_a_terminal_that_knows_few_letters_shows_the_rest_escaped() -> None:
    shown = _shown("demo", PYTHONIOENCODING="cp1252")
    assert b"\\u5c71" in shown


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_json_is_json_in_every_encoding(encoding: str, tmp_path: Path) -> None:
    config = tmp_path / "Größe und 山 😀.toml"
    config.write_text('[nodes.pacs]\nhost = "127.0.0.1"\nport = 104\n', "utf-8-sig")
    command = "--config", str(config), "nodes"
    shown = _shown(*command, "--json", PYTHONIOENCODING=encoding)
    assert json.loads(shown.decode(encoding))["from"] == str(config)
    told = b"".join(_shown(*command, PYTHONIOENCODING=encoding).split())
    assert rb"\U0001f600" in told


def test_who_has_no_home_has_no_configuration_file() -> None:
    """As in a container with any user, or a service of Windows."""
    nobody = (
        "import os, pathlib, runpy\n"
        "def nobody(*_): raise RuntimeError('Could not determine home directory.')\n"
        "pathlib.Path.expanduser = nobody\n"
        "runpy.run_module('dicom_mcp', run_name='__main__')"
    )
    assert b"127.0.0.1:11112" in _shown("nodes", command=(sys.executable, "-c", nobody), **NOWHERE)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errno.EMFILE, "no room for another connection"),
        (errno.EADDRNOTAVAIL, "no free port"),
        (errno.EACCES, "does not let dicom-mcp connect"),
    ],
)
def test_what_our_machine_lacks_is_not_told_as_the_networks_fault(
    error: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refusing(socket.socket):
        def connect_ex(self, address: Any, /) -> int:  # noqa: ARG002
            return error

    monkeypatch.setattr(socket, "socket", Refusing)
    with pytest.raises(MachineLacks, match=words) as told:
        connect("127.0.0.1", 104, deadline=Deadline(5))
    assert "network" not in str(told.value)


def test_an_acknowledgement_that_the_system_refuses_is_done_without() -> None:
    class Refusing(socket.socket):
        def setsockopt(self, *_: Any) -> None:
            raise OSError(errno.ENOPROTOOPT, "Protocol not available")

    with Refusing() as refusing:
        machine.acknowledge_at_once(refusing)


def _shown(*arguments: str, command: Sequence[str] = POOR, **environment: str) -> bytes:
    ended = subprocess.run(
        [*command, *arguments], capture_output=True, check=False, env=os.environ | environment
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
