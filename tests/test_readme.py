"""What README and its next pages claim and a machine can check."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from mcp.types import Tool

from dicom_mcp.config import VARIABLES
from dicom_mcp.terminal.clients import CLIENTS, Client, Launch, from_checkout
from dicom_mcp.terminal.init import init
from tests.asking import listed

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
CONNECT = (ROOT / "docs" / "connect.md").read_text()
TERMINAL = (ROOT / "docs" / "terminal.md").read_text()
ENVIRONMENT = {
    "DICOM_HOST": "pacs.example.org",
    "DICOM_PORT": "104",
    "DICOM_CALLED_AE_TITLE": "PACS",
}
WITH_UV = from_checkout("/path/to/dicom-mcp", **ENVIRONMENT)
BY_PATH = Launch("/path/to/dicom-mcp/.venv/bin/dicom-mcp", (), ENVIRONMENT)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_each_assistants_configuration_is_shown(client: Client) -> None:
    assert f"**{client.name}** ({client.place})" in CONNECT
    assert client.configuration(BY_PATH) in CONNECT


@pytest.mark.parametrize("name", ["Claude Desktop", "Zed"])
def test_readme_shows_two_of_them(name: str) -> None:
    (client,) = (one for one in CLIENTS if one.name == name)
    assert client.configuration(BY_PATH) in README


def test_uv_installs_no_tools_of_development_when_an_assistant_starts() -> None:
    assert CLIENTS[0].configuration(WITH_UV) in README
    for page in (README, CONNECT):
        assert not re.search(r"\brun\W+dicom-mcp", page)
        assert "UV_SYSTEM_CERTS" in page


def test_every_json_block_is_json() -> None:
    blocks = re.findall(r"```json\n(.*?)```", README + CONNECT, flags=re.DOTALL)
    assert len(blocks) >= 7
    for block in blocks:
        json.loads(block)


def test_every_variable_is_explained_as_the_program_explains_it() -> None:
    for name, meaning in VARIABLES.items():
        assert f"| `{name}` | {meaning} |" in README


def test_every_tool_has_an_example_call_it_would_accept() -> None:
    examples = dict(re.findall(r"^\| `(\w+)` \| `(\{.*\})` \|$", README, flags=re.MULTILINE))
    tools: dict[str, Tool] = {tool.name: tool for tool in listed()}
    assert examples.keys() == tools.keys()
    for name, example in examples.items():
        arguments = json.loads(example)
        schema = tools[name].input_schema
        assert arguments.keys() <= schema["properties"].keys()
        assert set(schema.get("required", [])) <= arguments.keys()


def test_init_asks_what_its_page_shows(tmp_path: Path) -> None:
    (shown,) = re.findall(r"\$ dicom-mcp init\n(.*?)```", TERMINAL, flags=re.DOTALL)
    questions = [line.partition(": ")[0].removesuffix(":") for line in shown.splitlines()]
    asked: list[str] = []

    def answer(question: str, default: str) -> str:
        asked.append(f"{question} [{default}]" if default else question)
        given = {"Name of an archive": "pacs", "Host name or address": "127.0.0.1"}
        return "1" if question.startswith("DICOM port") else given.get(question, default)

    with pytest.raises(RecursionError):
        init(str(tmp_path / "config.toml"), _until(answer, "Correct it"))
    assert [one for one in questions if one in asked] == asked[: len(asked)]


def _until(answer: Callable[[str, str], str], last: str) -> Callable[[str, str], str]:
    def ask(question: str, default: str) -> str:
        given = answer(question, default)
        if question.startswith(last):
            raise RecursionError
        return given

    return ask
