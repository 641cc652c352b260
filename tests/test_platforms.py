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


def test_what_is_escaped_has_room_in_a_table() -> None:
    asked = ("query", "patients", "--name-pattern", "Yamada")
    shown = _shown(*asked, PYTHONIOENCODING="ascii", DICOM_MCP_DEMO="true", COLUMNS="80")
    assert b"\\u5c71" in shown
    assert max(map(len, shown.decode("ascii").splitlines())) <= 80


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_json_is_json_in_every_encoding(encoding: str, tmp_path: Path) -> None:
    config = tmp_path / "Größe und 山 😀.toml"
    config.write_text('[nodes.pacs]\nhost = "127.0.0.1"\nport = 104\n', "utf-8-sig")
    command = "--config", str(config), "nodes"
    shown = _shown(*command, "--json", PYTHONIOENCODING=encoding)
    assert json.loads(shown.decode(encoding))["from"] == str(config)
    told = b"".join(_shown(*command, PYTHONIOENCODING=encoding).split())
    assert rb"\U0001f600" in told


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with an assistant's configuration, and with ours, which has an index."""
    home = tmp_path / "Frau Öz"
    (home / ".cursor").mkdir(parents=True)
    (home / ".cursor" / "mcp.json").write_text('{"mcpServers": {}}\n')
    (home / "config.toml").write_text(
        '[nodes.pacs]\nhost = "127.0.0.1"\nport = 1\n[index]\nsince = "2026-03-30"\n'
    )
    return home


def _in(home: Path, *command: str, **environment: str) -> tuple[int, str]:
    """Its exit status and all it wrote, in that home."""
    told = {"HOME": str(home), "USERPROFILE": str(home), **NOWHERE, **environment}
    ended = subprocess.run(
        [*POOR, *command],
        capture_output=True,
        check=False,
        env=os.environ | told,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        timeout=PATIENCE,
    )
    assert "Traceback" not in ended.stderr
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("connect", "--demo", "--yes", "cursor"), "before-dicom-mcp cannot be written: Read-only"),
        (("--config", "config.toml", "index", "sync"), "cannot be written: Read-only file system"),
        (("query", "pictures", "1.2", "--save", "x"), ""),
    ],
)
def test_a_home_that_cannot_be_written_to_is_said_and_nothing_else(
    command: tuple[str, ...], words: str, home: Path
) -> None:
    command = tuple(str(home / word) if word == "config.toml" else word for word in command)
    before = (home / ".cursor" / "mcp.json").read_bytes()
    status, told = _in(home, *command, POOR_READ_ONLY=str(home))
    assert status == 1
    assert words in told
    assert "defect" not in told
    assert (home / ".cursor" / "mcp.json").read_bytes() == before


def test_an_index_that_cannot_be_opened_is_not_called_damaged(home: Path) -> None:
    """Its ledger needs a file beside it to be read: nobody is told to drop what is whole."""
    file = str(home / "config.toml")
    assert "onnection refused" in _in(home, "--config", file, "index", "sync")[1]
    status, told = _in(home, "--config", file, "index", "status", POOR_READ_ONLY=str(home))
    assert status == 1
    assert "cannot be opened" in told
    assert "drop" not in told


def test_a_folder_with_a_modules_name_is_not_taken_for_it(tmp_path: Path) -> None:
    """python-gdcm imports `dl`, and to Python any folder is a module."""
    (tmp_path / "dl").mkdir()
    words = ("query", "patients", "--patient-id", "1")
    nobody = {"DICOM_HOST": "127.0.0.1", "DICOM_PORT": "1"}
    for command, told in (
        ((sys.executable, "-m", "dicom_mcp"), "connection refused"),
        ((sys.executable, "started.py"), "dl for the module 'dl' of a library"),
    ):
        (tmp_path / "started.py").write_text("from dicom_mcp.cli import main\nmain()\n")
        ended = subprocess.run(
            [*command, *words],
            cwd=tmp_path,
            capture_output=True,
            check=False,
            env=os.environ | nobody | NOWHERE,
            encoding="utf-8",
        )
        assert ended.returncode == 1
        assert told in ended.stdout + ended.stderr
        assert "defect" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("modes", ["", "refused"])
def test_a_file_is_written_where_modes_are_not_kept(home: Path, modes: str) -> None:
    mine = home / ".cursor" / "mcp.json"
    status, told = _in(home, "connect", "--demo", "--yes", "cursor", POOR_MODES=modes)
    assert status == 0, told
    assert json.loads(mine.read_text())["mcpServers"]["dicom"]
    assert _in(home, "connect", "--undo", "--yes", "cursor", POOR_MODES=modes)[0] == 0
    assert json.loads(mine.read_text()) == {"mcpServers": {}}
    # The folder of an index, too: what is told is that the archive does not answer.
    file = str(home / "config.toml")
    _, told = _in(home, "--config", file, "index", "sync", POOR_MODES=modes)
    assert "refused" in told
    assert "cannot be written" not in told


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
