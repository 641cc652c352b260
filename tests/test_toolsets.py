"""What the operator switches off: not listed, not offered, and a call of it is told so."""

from base64 import b64decode
from pathlib import Path
from xml.etree import ElementTree

import anyio
import pytest
from mcp.client import Client

from dicom_mcp.config import Settings, from_environment, load
from dicom_mcp.errors import BadConfiguration
from dicom_mcp.node import Node
from dicom_mcp.server import create_server
from dicom_mcp.setting import TOOLSETS
from dicom_mcp.tools import TOOLS
from tests.asking import fail, listed

SETTINGS = Settings(Node(port=1), toolsets_off=frozenset({"images", "worklist"}))


def test_every_tool_is_of_a_toolset_and_every_toolset_has_tools() -> None:
    assert {entry.toolset for entry in TOOLS} == TOOLSETS.keys()


def test_what_is_switched_off_is_neither_listed_nor_offered_nor_done() -> None:
    async def ask() -> tuple[set[str], set[str], str | None]:
        async with Client(create_server(SETTINGS)) as client:
            tools = {tool.name for tool in (await client.list_tools()).tools}
            prompts = {prompt.name for prompt in (await client.list_prompts()).prompts}
            return tools, prompts, client.instructions

    tools, prompts, instructions = anyio.run(ask)
    off = {"view_image", "view_series", "query_worklist"}
    assert tools == {entry.function.__name__ for entry in TOOLS if not entry.needs_index} - off
    assert "not_arrived" not in prompts
    assert "what_changed" not in prompts  # it shows pictures
    assert "morning_check" in prompts
    assert instructions
    assert "Switched off here by the operator: images, worklist." in instructions
    for tool in off:
        told = fail(SETTINGS, tool)
        assert told.startswith(f"the operator of this server switched {tool} off.")


def test_a_file_and_a_variable_say_what_is_off(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('toolsets_off = ["images"]\n[nodes.pacs]\nhost = "127.0.0.1"\nport = 104\n')
    read = load(str(file), {"DICOM_MCP_TOOLSETS_OFF": "Reports, counts"})
    assert read.toolsets_off == {"images", "reports", "counts"}
    with pytest.raises(BadConfiguration, match=r"DICOM_MCP_TOOLSETS_OFF: 'pixels' is no toolset"):
        from_environment({"DICOM_MCP_TOOLSETS_OFF": "pixels"})
    file.write_text('toolsets_off = ["pixels"]\n[nodes.pacs]\nhost = "127.0.0.1"\nport = 104\n')
    with pytest.raises(BadConfiguration, match="line 1, toolsets_off: 'pixels' is no toolset"):
        load(str(file), {})


def test_the_server_and_every_tool_have_an_icon_in_themselves() -> None:
    async def ask() -> str:
        async with Client(create_server(SETTINGS)) as client:
            assert client.server_info
            (icon,) = client.server_info.icons or []
            return icon.src

    kind, _, data = anyio.run(ask).partition(",")
    assert kind == "data:image/png;base64"
    assert b64decode(data).startswith(b"\x89PNG")
    for tool in listed():
        (icon,) = tool.icons or []
        kind, _, data = icon.src.partition(",")
        assert kind == "data:image/svg+xml;base64"
        assert ElementTree.fromstring(b64decode(data)).tag == "{http://www.w3.org/2000/svg}svg"


def test_what_is_listed_may_be_kept_and_what_is_read_may_not() -> None:
    async def ask() -> tuple[tuple[int, str], int]:
        async with Client(create_server(SETTINGS)) as client:
            tools = await client.list_tools()
            read = await client.read_resource("dicom://dictionary/PatientID")
            return (tools.ttl_ms, tools.cache_scope), read.ttl_ms

    assert anyio.run(ask) == ((3_600_000, "private"), 0)


def test_the_page_of_settings_tells_which_tools_are_in_which_toolset() -> None:
    page = (Path(__file__).parents[1] / "docs" / "configuration.md").read_text()
    for toolset in TOOLSETS:
        tools = [f"`{one.function.__name__}`" for one in TOOLS if one.toolset == toolset]
        assert f"| {toolset} | {', '.join(tools)} |" in page
