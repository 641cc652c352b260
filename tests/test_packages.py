"""What package indexes and desktops read is what the project says of itself."""

import json
import os
import re
import subprocess
import sys
import zipfile
from base64 import b64decode
from importlib.metadata import files, version
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from dicom_mcp.config import VARIABLES, load, wants_demo
from dicom_mcp.terminal.clients import DISTRIBUTION, from_index, links
from scripts import manual, packages
from tests.stdio import HANDSHAKES, child

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_what_is_generated_is_as_it_would_be_generated_now() -> None:
    again = "python -m scripts.packages writes it anew"
    assert packages.MANIFEST.read_text() == packages.text(packages.manifest()), again
    assert packages.SERVER.read_text() == packages.text(packages.server()), again
    assert manual.PAGE.read_text() == manual.page(), again


def test_a_desktop_and_a_registry_offer_the_defaults_that_hold() -> None:
    (package,) = packages.server()["packages"]
    offered = {one["name"]: one["default"] for one in package["environmentVariables"]}
    for name in ("DICOM_HOST", "DICOM_PORT", "DICOM_CALLED_AE_TITLE", "DICOM_AE_TITLE"):
        assert f"(default {offered[name]})" in VARIABLES[name]
        assert str(packages.manifest()["user_config"][name.lower()]["default"]) == offered[name]


def test_the_distribution_has_one_name_everywhere() -> None:
    assert packages.project()["name"] == DISTRIBUTION
    assert version(DISTRIBUTION) == packages.project()["version"]
    assert f"uvx {DISTRIBUTION}" in README
    assert f"pip install {DISTRIBUTION}" in README
    assert "not published yet" in README
    (package,) = packages.server()["packages"]
    assert package["identifier"] == DISTRIBUTION
    assert package["version"] == packages.server()["version"] == packages.project()["version"]
    assert f"mcp-name: {packages.server()['name']} " in README, "so the registry knows who we are"
    assert len(packages.server()["description"]) <= 100, "as the registry wants it"


def test_the_bundle_has_what_it_starts_and_is_the_same_twice(tmp_path: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("what belongs to it is known to git")
    one, two = tmp_path / "one.mcpb", tmp_path / "two.mcpb"
    packages.bundle(one)
    packages.bundle(two)
    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as packed:
        names = set(packed.namelist())
        manifest = json.loads(packed.read("manifest.json"))
    assert manifest["server"]["entry_point"] in names
    assert {"pyproject.toml", "uv.lock", "README.md", "LICENSE"} <= names
    asked = set(re.findall(r"user_config\.(\w+)", json.dumps(manifest["server"])))
    assert asked == manifest["user_config"].keys()


def test_the_switch_of_a_desktop_asks_the_demo() -> None:
    settings = {"DICOM_MCP_DEMO": "true", "DICOM_HOST": "127.0.0.1", "DICOM_PORT": "104"}
    assert wants_demo(settings)
    assert not wants_demo({**settings, "DICOM_MCP_DEMO": "false"})
    assert not wants_demo({})
    assert load(environ={**settings, "DICOM_AE_TITLE": ""}).node.port == 104
    with child(**settings) as server:
        server.initialize(HANDSHAKES[-1])
        nodes = server.call("list_dicom_nodes")["structuredContent"]["nodes"]
    assert [node["node"] for node in nodes] == ["pacs", "vna"]
    command = (sys.executable, "-m", "dicom_mcp", "query", "patients", "--json", "--limit", "1")
    told = subprocess.run(command, capture_output=True, text=True, env=os.environ | settings)
    assert json.loads(told.stdout)["archive"]["called_ae_title"] == "DEMO_PACS", told.stderr


def test_the_links_of_one_click_start_the_demo() -> None:
    entry = {"command": "uvx", "args": [DISTRIBUTION, "serve", "--demo"]}
    found = links(from_index("serve", "--demo"))
    for link in found.values():
        assert link in (ROOT / "docs" / "connect.md").read_text()
    told = {name: parse_qs(urlsplit(link).query) for name, link in found.items()}
    assert json.loads(told["VS Code"]["config"][0]) == entry
    assert json.loads(b64decode(told["Cursor"]["config"][0])) == entry


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_completes_commands_and_their_options(shell: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dicom_mcp", "completion", shell],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--study-instance-uid" in done.stdout
    if shell == "bash":
        script = tmp_path / "completion"
        script.write_text(done.stdout)
        program = f'source "{script}"; COMP_WORDS=(dicom-mcp co); COMP_CWORD=1; '
        program += '_shtab_dicom_mcp dicom-mcp co dicom-mcp; echo "${COMPREPLY[@]}"'
        told = subprocess.run(
            ["bash", "-c", program], capture_output=True, text=True, check=True, env=os.environ
        )
        assert {"connect", "completion"} <= set(told.stdout.split())


def test_types_come_with_the_package() -> None:
    assert (ROOT / "src/dicom_mcp/py.typed").exists()
    assert files(DISTRIBUTION)
