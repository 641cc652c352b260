"""`dicom-mcp connect`: the assistants' own files are changed rightly or not at all."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom_mcp.terminal.clients import CLIENTS, DISTRIBUTION, Client, from_here
from dicom_mcp.terminal.connect import connect
from dicom_mcp.terminal.jsonc import NotJson, read, without, written
from tests.stdio import HANDSHAKES, child

COMMENTED = """\
// Settings of a person
{
    "theme": "Größe 山", // as it should be
    /* the servers */
    "SERVERS": {
        "files": {"command": "npx", "args": ["-y", "files"], "env": {"TOKEN": "s3cret"}}, // mine
    },
    "last": [1, 2.50, true,],
}
"""
SHAPES = {
    "nothing there yet": None,
    "an empty file": "",
    "an empty object": "{}",
    "on one line": '{"SERVERS":{"files":{"command":"npx"}},"n":1}',
    "with comments": COMMENTED,
    "of Windows": COMMENTED.replace("\n", "\r\n"),
    "marked": "\ufeff" + COMMENTED,
    "with tabs": '{\n\t"SERVERS": {\n\t\t"files": {\n\t\t\t"command": "npx"\n\t\t}\n\t}\n}\n',
    "a server of that name": '{\n  "SERVERS": {\n    "dicom": {"command": "old"} // mine\n  }\n}\n',
}
BROKEN = {
    "no JSON": "theme = One",
    "cut": '{"SERVERS": {',
    "a list": "[1, 2]",
    "servers that are a list": '{"SERVERS": []}',
    "servers that are null": '{"SERVERS": null}',
    "servers twice": '{"SERVERS": {}, "SERVERS": {"a": {}}}',
    "a comment without an end": "{} /* and",
    "nested without an end": "[" * 100_000,
    "another encoding": '{"a": "ä"}'.encode("latin-1"),
    "UTF-16": '{"a": 1}'.encode("utf-16"),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_an_assistant_is_connected_and_nothing_else_is_changed(
    client: Client, shape: str, home: Path
) -> None:
    path, before = _placed(client, SHAPES[shape])
    assert _connect(client) == 0
    after = path.read_bytes()
    entry = client.entry(from_here("serve", "--demo"))
    plain = read(after.decode("utf-8-sig")).plain
    assert plain[client.servers].pop("dicom") == entry
    old = read((before or b"{}").decode("utf-8-sig") or "{}").plain
    was = old.get(client.servers, {}).pop("dicom", None)
    assert plain == {**old, client.servers: old.get(client.servers, {})}
    if was is None and before:
        assert _is_within(before, after)
        (copy,) = path.parent.glob("*.before-dicom-mcp")
        assert copy.read_bytes() == before
    assert _connect(client) == 0
    assert path.read_bytes() == after, "connected twice is connected once"
    assert _connect(client, undo=True) == 0
    assert _content(path) == before
    assert [one.name for one in path.parent.iterdir()] == (
        [path.name] if before is not None else []
    )
    assert home in path.parents


@pytest.mark.parametrize("shape", BROKEN)
def test_what_cannot_be_understood_is_refused_and_left(
    shape: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for client in CLIENTS:
        path, before = _placed(client, BROKEN[shape])
        assert _connect(client) == 1
        assert path.read_bytes() == before
        assert [one.name for one in path.parent.iterdir()] in ([path.name], [path.name, ".config"])
        said = capsys.readouterr().out
        assert "left as it is" in said
        assert from_here().command in said, "how to do it by hand"
    assert home.is_dir()


@pytest.mark.usefixtures("home")
def test_a_file_that_is_read_only_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    path, before = _placed(CLIENTS[0], "{}")
    path.chmod(0o444)
    assert _connect(CLIENTS[0]) == 1
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
    assert "read-only" in capsys.readouterr().out


@pytest.mark.usefixtures("home")
def test_nothing_is_written_without_a_yes_nor_a_secret_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, before = _placed(CLIENTS[2], COMMENTED.replace("\n", " ").replace("//", "") or "")
    for answer in ("no", "", "maybe"):
        assert _connect(CLIENTS[2], answer=answer) == 1
        assert path.read_bytes() == before
    assert "s3cret" not in capsys.readouterr().out


@pytest.mark.usefixtures("home")
def test_what_somebody_changed_since_stays_when_it_is_undone() -> None:
    path, _ = _placed(CLIENTS[0], '{\n  "mcpServers": {"a": {"command": "b"}}\n}\n')
    assert _connect(CLIENTS[0]) == 0
    path.write_text(written(path.read_text(), ("later",), {"x": 1}))
    assert _connect(CLIENTS[0], undo=True) == 0
    assert json.loads(path.read_text()) == {
        "mcpServers": {"a": {"command": "b"}},
        "later": {"x": 1},
    }


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("command", ["theirs", 7, None, ["dicom-mcp"]])
def test_what_somebody_else_wrote_is_not_taken_out(
    command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be another server of that name; its file held nothing else, and would be gone."""
    text = json.dumps({"mcpServers": {"dicom": {"command": command, "args": None}}})
    path, before = _placed(CLIENTS[0], text)
    assert _connect(CLIENTS[0], undo=True) == 1
    assert path.read_bytes() == before
    assert "starts something else than dicom-mcp" in capsys.readouterr().out


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("before", ["\ufeff", " \n", "{} "])
def test_a_file_of_nothing_comes_back_as_it_was(before: str) -> None:
    path, held = _placed(CLIENTS[0], before)
    assert _connect(CLIENTS[0]) == 0
    assert _connect(CLIENTS[0], undo=True) == 0
    assert path.read_bytes() == held
    assert _connect(CLIENTS[0], undo=True) == 0, "twice is once"
    assert path.read_bytes() == held


@pytest.mark.usefixtures("home")
def test_a_copy_that_somebody_broke_keeps_nobody_from_undoing() -> None:
    path, _ = _placed(CLIENTS[0], '{"a": 1}')
    assert _connect(CLIENTS[0]) == 0
    path.with_name(path.name + ".before-dicom-mcp").write_text("{")
    assert _connect(CLIENTS[0], undo=True) == 0
    assert json.loads(path.read_text()) == {"a": 1, "mcpServers": {}}


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("make", ["mkdir", "mkfifo"])
def test_what_is_no_file_is_refused_at_once(make: str, capsys: pytest.CaptureFixture[str]) -> None:
    if not hasattr(os, make):
        pytest.skip("there are none here")
    path, _ = _placed(CLIENTS[0], None)
    getattr(os, make)(path)
    for undo in (False, True):
        assert _connect(CLIENTS[0], undo=undo) == 1
        assert "it is no file" in capsys.readouterr().out


def test_what_is_written_starts_from_a_desktop_without_a_path(home: Path) -> None:
    """By its own path, from any directory, with nothing but what the entry says."""
    path, _ = _placed(CLIENTS[0], "{}")
    done = subprocess.run(
        [sys.executable, "-m", "dicom_mcp", "connect", "claude desktop", "--yes"],
        env=_environment(home) | {"DICOM_HOST": "pacs.example.org", "DICOM_TIMEOUT": "5"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Start Claude Desktop anew" in done.stdout
    server = json.loads(path.read_text())["mcpServers"]["dicom"]
    assert server["env"] == {"DICOM_HOST": "pacs.example.org", "DICOM_TIMEOUT": "5"}
    with child(*server["args"], command=[server["command"]], PATH="", **server["env"]) as started:
        assert started.initialize(HANDSHAKES[-1])["serverInfo"]["name"] == "dicom-mcp"
        (node,) = started.call("list_dicom_nodes")["structuredContent"]["nodes"]
        assert "pacs.example.org" in str(node)


def test_what_uvx_may_clear_away_is_not_what_is_written(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uvx starts programs in a cache of its own: the entry has uvx start it anew."""
    path, _ = _placed(CLIENTS[0], "{}")
    monkeypatch.setattr(sys, "prefix", str(home / "uv" / "archive-v0" / "CG5K2TV4ZFLvb_X9"))
    assert _connect(CLIENTS[0]) == 0
    server = json.loads(path.read_text())["mcpServers"]["dicom"]
    assert Path(server["command"]).name in ("uvx", "uvx.exe")
    assert server["args"][-3:] == [DISTRIBUTION, "serve", "--demo"]
    assert server["env"] == {"UV_SYSTEM_CERTS": "true"}
    assert "archive-v0" not in path.read_text()
    assert _connect(CLIENTS[0], undo=True) == 0
    assert path.read_text() == "{}"


def test_the_archives_of_a_file_are_connected_by_it(home: Path) -> None:
    path, _ = _placed(CLIENTS[3], "{}")
    config = home / "Archive und 山.toml"
    config.write_text('[nodes.pacs]\nhost = "127.0.0.1"\nport = 104\n')
    assert _connect(CLIENTS[3], config=str(config), demo=False) == 0
    server = json.loads(path.read_text())["servers"]["dicom"]
    assert server["args"] == ["--config", str(config)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("crusor", "--demo"), "Did you mean cursor?"),
        ((), "no archive is configured here"),
        (("zed", "--demo"), "Zed is not found on this machine"),
        (("--demo",), "None of these assistants is found"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: tuple[str, ...], words: str, home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dicom_mcp", "connect", *arguments],
        env=_environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
_BLANK = st.sampled_from(["", " ", "\n", "\r\n", "\t", "/* x { */", "// y }\n", "\n  // ü\n  "])


@st.composite
def _commented(draw: st.DrawFn, plain: Any, *, trailing: bool = True) -> str:
    """A value as some program might write it."""

    def blank() -> str:
        return draw(_BLANK)

    def end() -> str:
        return draw(st.sampled_from(["", ","])) if trailing else ""

    def wrote(value: Any) -> str:
        if isinstance(value, dict) and value:
            members = [
                f"{blank()}{json.dumps(key)}{blank()}:{blank()}{wrote(one)}{blank()}"
                for key, one in value.items()  # pyright: ignore[reportUnknownVariableType]
            ]
            return "{" + ",".join(members) + end() + blank() + "}"
        if isinstance(value, list) and value:
            elements = [blank() + wrote(one) for one in value]  # pyright: ignore
            return "[" + ",".join(elements) + end() + blank() + "]"
        return json.dumps(value, ensure_ascii=draw(st.booleans()))

    return blank() + wrote(plain) + blank()


@given(st.data())
@settings(max_examples=150)
def test_whatever_is_in_a_file_stays_as_it_is(data: st.DataObject) -> None:
    servers = st.dictionaries(st.text(max_size=4), _JSON, max_size=3)
    plain: dict[str, Any] = data.draw(st.dictionaries(st.text(max_size=4), _JSON, max_size=3))
    if data.draw(st.booleans()):
        plain["servers"] = data.draw(servers)
    text = data.draw(_commented(plain))
    entry = {"command": "C:\\é\\x.exe", "args": ["a", "b c"]}
    after = written(text, ("servers", "dicom"), entry)
    held: dict[str, Any] = plain.get("servers", {})
    assert read(after).plain == {**plain, "servers": {**held, "dicom": entry}}
    if "dicom" not in held:
        assert _is_within(text.encode(), after.encode())
        again = without(after, ("servers", "dicom"))
        assert read(again).plain == {**plain, "servers": held}
        assert re.findall(r"/\* x|// [yü]", again) == re.findall(r"/\* x|// [yü]", text)


@given(st.text(alphabet='{}[]",:/* \n\\a1', max_size=30))
@settings(max_examples=300)
def test_any_text_is_read_as_json_is_or_refused(text: str) -> None:
    try:
        plain = json.loads(text)
    except ValueError:
        plain = NotJson
    try:
        found = read(text).plain
    except NotJson:
        assert plain is NotJson or _has_double_names(text)
        return
    assert plain is NotJson or found == plain


def _has_double_names(text: str) -> bool:
    doubles: list[bool] = []

    def pairs(found: list[tuple[str, Any]]) -> None:
        doubles.append(len(dict(found)) < len(found))

    json.loads(text, object_pairs_hook=pairs)
    return any(doubles)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's home, with a space and an umlaut in its name."""
    home = tmp_path / "Jürgen Groß"
    home.mkdir()
    for name in list(os.environ):
        if name.startswith("DICOM_") and name != "DICOM_MCP_REQUIRE_PEERS":
            monkeypatch.delenv(name)
    for name, value in _at_home(home).items():
        monkeypatch.setenv(name, value)
    return home


def _at_home(home: Path) -> Mapping[str, str]:
    return {"HOME": str(home), "USERPROFILE": str(home), "XDG_CONFIG_HOME": "", "APPDATA": ""}


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, **_at_home(home)}


def _placed(client: Client, content: str | bytes | None) -> tuple[Path, bytes | None]:
    """Its file, of this content, and the bytes of that."""
    path = next(iter(client.paths()))
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content.replace("SERVERS", client.servers) if isinstance(content, str) else content
    held = text.encode() if isinstance(text, str) else text
    if held is None and path.parent == Path.home():
        held = b"{}"  # an assistant that keeps it at home is found by it
    if held is not None:
        path.write_bytes(held)
    return path, held


def _connect(
    client: Client, *, undo: bool = False, answer: str = "y", config: str = "", demo: bool = True
) -> int:
    return connect(
        [client.name],
        config,
        demo=demo,
        undo=undo,
        yes=False,
        ask=lambda _question, _default: answer,
    )


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _is_within(part: bytes, whole: bytes) -> bool:
    """Whether the whole is the part with something put in."""
    letters = iter(whole)
    return all(letter in letters for letter in part)
