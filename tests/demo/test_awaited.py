"""The demo archives beside a server cost nothing until they are asked."""

import json
import subprocess
import sys
from datetime import date
from time import monotonic
from urllib.request import urlopen

from mcp.types import CallToolResult
from pynetdicom import AE

from dicom_mcp.demo.awaited import PACS, awaited_archives
from dicom_mcp.node import Node
from tests.asking import ask, call
from tests.bounds import PATIENCE, nothing_left_behind


def test_a_server_with_the_demo_has_nothing_of_dicom_before_it_is_asked() -> None:
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "dicom_mcp", "serve", "--demo"],
        input=json.dumps(hello) + "\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert "serverInfo" in json.loads(ended.stdout)["result"]
    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert "dicom_mcp.demo.awaited" in imported
    assert not imported & {"pydicom", "pynetdicom", "numpy", "dicom_mcp.demo.hospital"}


def test_who_asks_first_waits_for_the_archive_to_be_built_and_is_answered() -> None:
    with nothing_left_behind(), awaited_archives() as ((host, port), url):
        with urlopen(f"{url}/studies?limit=1", timeout=PATIENCE) as answer:
            assert len(json.load(answer)) == 1
        requestor = AE("TEST")
        requestor.add_requested_context("1.2.840.10008.1.1")
        requestor.acse_timeout = PATIENCE
        association = requestor.associate(host, port, ae_title=PACS)  # pyright: ignore
        assert association.is_established
        assert association.send_c_echo().Status == 0
        association.release()


def test_archives_that_nobody_asks_end_at_once() -> None:
    with nothing_left_behind(), awaited_archives():
        pass


def test_when_the_day_has_ended_the_archive_is_that_of_the_next() -> None:
    days = [date(2026, 3, 31)]
    with (
        nothing_left_behind(),
        awaited_archives(lambda: days[-1], look_seconds=0.01) as ((host, port), _),
    ):
        node = Node(host, port, PACS)
        asked = {"date": "20260401"}
        assert ask(node, "query_worklist", **asked)["returned"] == 0
        days.append(date(2026, 4, 1))
        end = monotonic() + PATIENCE
        while returned(call(node, "query_worklist", **asked)) != 10:  # one stops, the next starts
            assert monotonic() < end


def returned(result: CallToolResult) -> object:
    return result.structured_content and result.structured_content["returned"]
