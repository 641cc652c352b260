"""Objects are read for an index over each way of fetching, one that fails beside the others, and
whatever ends the process."""

import sqlite3
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.demo.index import Index as Archived
from dicom_mcp.node import AnyNode, Receiver, WebNode
from tests.index.deep import enhanced, fill
from tests.index.filled import index_in
from tests.peers.embedded import embedded, embedded_web
from tests.peers.program import free_port
from tests.truth.archives import images

OBJECTS = [*images(3, study=1, KVP="120", SliceThickness="2.5"), *enhanced(2)]
HEADERS = [["1.2.1", 120.0, 2.5, None, None], ["1.2.2", 140.0, 1.25, 3, ["B30f"]]]
ASKED = "SELECT study_uid, kvp, slice_thickness, frame_count, kernel FROM headers ORDER BY 1"


@contextmanager
def holding(way: str, objects: list[Dataset], database: str = ":memory:") -> Generator[AnyNode]:
    """An archive of these objects that gives them in this way."""
    with ExitStack() as stack:
        if way == "DICOMweb":
            yield WebNode(stack.enter_context(embedded_web(objects, database=database)))
            return
        receiver = Receiver("RECEIVER", free_port(), "127.0.0.1") if way == "C-MOVE" else None
        yield stack.enter_context(embedded(objects, receiver=receiver, database=database)).node


@pytest.mark.parametrize("way", ["C-GET", "C-MOVE", "DICOMweb"])
def test_headers_come_in_every_way_and_of_every_kind(tmp_path: Path, way: str) -> None:
    with index_in(tmp_path) as index, holding(way, OBJECTS) as node:
        fill(index, node)
        assert index.rows(ASKED) == HEADERS
        assert index.ledger.read_so_far("headers") == (2, 2, 0)


@pytest.mark.parametrize("way", ["C-GET", "C-MOVE", "DICOMweb"])
def test_one_that_cannot_be_read_leaves_the_others(tmp_path: Path, way: str) -> None:
    database = str(tmp_path / "archive.sqlite")
    with closing(Archived(database)) as archived:
        archived.add_all(OBJECTS)
    with closing(sqlite3.connect(database, isolation_level=None)) as rows:  # which is cut
        rows.execute(
            "UPDATE instance SET object = substr(object, 1, 105) WHERE sop_instance_uid = ?",
            ("1.2.1.1.2",),
        )
    with index_in(tmp_path / "index") as index, holding(way, [], database) as node:
        fill(index, node)
        assert index.rows("SELECT study_uid, fault IS NULL, kvp FROM headers ORDER BY 1") == [
            ["1.2.1", False, None],
            ["1.2.2", True, 140.0],
        ]
        assert index.ledger.read_so_far("headers") == (2, 2, 1)


# Reads objects until it is killed.
_READING = """
import sys
from contextlib import closing
from datetime import UTC
from pathlib import Path
from dicom_mcp.dicom_api import connect
from dicom_mcp.index.ledger import Ledger
from dicom_mcp.index.store import Store
from dicom_mcp.index.sync import Sync
from dicom_mcp.node import node_at

folder, address, now = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
ledger = Ledger(folder / "ledger.sqlite")
deep = ("headers",)
sync = Sync(connect(node_at(address)), Store(folder), ledger, zone=UTC, depth=deep, now=lambda: now)
while step := sync.step():
    if step.table:
        print("reads", flush=True)
"""


def test_killed_while_it_reads_objects_it_goes_on(tmp_path: Path) -> None:
    objects = [
        made
        for number in range(1, 7)
        for made in images(1, study=number, KVP="120", StudyDate=f"202601{number:02}")
    ]
    with index_in(tmp_path) as index, embedded(objects) as peer:
        address = f"EMBEDDED@{peer.node.host}:{peer.node.port}"
        with subprocess.Popen(
            [sys.executable, "-c", _READING, str(tmp_path), address, str(index.clock.now)],
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdout
            assert process.stdout.readline() == b"reads\n"
            process.kill()
        index.store.tidy()
        read, of, _ = index.ledger.read_so_far("headers")
        assert read <= len(index.rows("SELECT * FROM headers"))
        assert of == 6
        fill(index, peer.node)
        assert index.rows("SELECT count(*), count(kvp) FROM headers") == [[6, 6]]
        assert index.ledger.read_so_far("headers") == (6, 6, 0)
