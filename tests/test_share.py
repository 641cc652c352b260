"""An archive is asked no more at a time than its operator allows, whoever asks it for what."""

from typing import Any

import anyio
from mcp.client import Client

from dicom_mcp.config import Settings
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.node import Node, WebNode
from dicom_mcp.server import create_server
from tests.peers.bad_network import Proxy
from tests.peers.embedded import embedded_web
from tests.truth.archives import images

STUDY, SERIES = "1.2.7", "1.2.7.1"
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("query_studies", {"patient_id": "*"}),
    ("read_header", {"series_instance_uid": SERIES}),
    ("diagnose", {}),
    ("count_studies", {"count": "images", "group_by": ["SOPClassUID"]}),
)


def test_sixteen_callers_who_query_fetch_and_diagnose_hold_two_associations() -> None:
    with (
        EmbeddedArchive(images(9, study=7), ae_title="PACS") as archive,
        Proxy("127.0.0.1", archive.port, seed=1) as proxy,
    ):
        ask_at_once(Settings(Node(port=proxy.port, called_ae_title="PACS", connections=2)))
    assert proxy.most_at_once == 2


def test_the_archive_that_others_fetch_from_is_the_one_that_is_asked() -> None:
    held = images(9, study=7)
    with (
        EmbeddedArchive(held, ae_title="PACS") as archive,
        Proxy("127.0.0.1", archive.port, seed=1) as proxy,
        embedded_web(held) as url,
    ):
        pacs = Node(port=proxy.port, called_ae_title="PACS", connections=2, name="pacs")
        web = WebNode(url, name="web", objects_from="pacs")
        ask_at_once(Settings(pacs, others=(web,)), node="all")
    assert proxy.most_at_once == 2


def ask_at_once(settings: Settings, **where: str) -> None:
    """Sixteen calls to one server, none of which may fail."""
    failed: list[str] = []

    async def ask(client: Client, tool: str, arguments: dict[str, Any]) -> None:
        result = await client.call_tool(tool, {**arguments, **where})
        if result.is_error:
            failed.append(f"{tool}: {result.content}")

    async def all_of_them() -> None:
        async with Client(create_server(settings)) as client, anyio.create_task_group() as calls:
            for tool, arguments in CALLS * 4:
                calls.start_soon(ask, client, tool, arguments)

    anyio.run(all_of_them)
    assert failed == []
