"""The demo archives beside a server cost nothing until they are asked."""

import json
import subprocess
import sys
from urllib.request import urlopen

from pynetdicom import AE

from dicom_mcp.demo.awaited import PACS, awaited_archives
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
