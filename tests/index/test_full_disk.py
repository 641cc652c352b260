"""A disk that is full while an index is filled: a sentence, nothing half there, and it goes on."""

import subprocess
import sys
from pathlib import Path

import pytest

from dicom_mcp.errors import IndexUnavailable
from tests.index.filled import DAY, index_in
from tests.peers.embedded import embedded
from tests.truth.archives import images

BEFORE = images(1, study=1)
AFTER = [d for number in range(1, 9) for d in images(1, study=number)]
KEY = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="

# Fills the index in a folder from the archive at a port, with files of so many bytes at most.
_FILLING = """
import resource, signal, sys
from datetime import UTC
from pathlib import Path
from dicom_mcp.dicom_api import connect
from dicom_mcp.errors import IndexUnavailable
from dicom_mcp.index.ledger import Ledger
from dicom_mcp.index.store import Store
from dicom_mcp.index.sync import Sync
from dicom_mcp.node import node_at

folder, address, now = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store(folder)
ledger = Ledger(folder / "ledger.sqlite")
sync = Sync(connect(node_at(address)), store, ledger, zone=UTC, now=lambda: now)
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, resource.RLIM_INFINITY))
try:
    while sync.step():
        pass
except IndexUnavailable as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX bounds the size of files")
def test_a_ledger_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with index_in(tmp_path) as index:
        index.fill(BEFORE)
        before = index.rows("SELECT * FROM studies")
        index.clock.now += DAY
        with embedded(AFTER) as peer:
            address = f"EMBEDDED@{peer.node.host}:{peer.node.port}"
            ran = subprocess.run(
                [sys.executable, "-c", _FILLING, str(tmp_path), address, str(index.clock.now)],
                capture_output=True,
                text=True,
                check=True,
            )
        assert "ledger.sqlite cannot be used" in ran.stdout
        assert "Look whether the disk is full" in ran.stdout
        assert index.rows("SELECT * FROM studies") == before
        index.fill(AFTER)
        assert index.rows("SELECT count(*) FROM studies") == [[8]]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is full")
@pytest.mark.parametrize("table", ["studies", "series"])
@pytest.mark.parametrize("key", ["", KEY])
def test_a_file_that_cannot_be_written_is_told(tmp_path: Path, key: str, table: str) -> None:
    with index_in(tmp_path) as index:
        index.store.key = key
        index.fill(BEFORE)
        before = index.rows(f"SELECT * FROM {table}")
        index.clock.now += DAY
        (tmp_path / table / "2026-01.partial").symlink_to("/dev/full")
        with pytest.raises(IndexUnavailable, match=r"not be written.*disk is full") as told:
            index.fill(AFTER)
        assert "No space left" in str(told.value)
        assert index.rows(f"SELECT * FROM {table}") == before
        assert not index.ledger.days()["2026-01-01"].whole
        assert not [*tmp_path.rglob("*.partial")]
        index.fill(AFTER)
        assert index.rows("SELECT count(*) FROM studies JOIN series USING (study_uid)") == [[8]]


def test_a_sync_over_a_damaged_file_is_told(tmp_path: Path) -> None:
    with index_in(tmp_path) as index:
        index.fill(BEFORE)
        (file,) = index.store.files("studies")
        file.write_bytes(b"PAR1" + bytes(200) + b"PAR1")
        index.clock.now += DAY
        with pytest.raises(IndexUnavailable, match=r"studies/2026-01 changed.*sync counts"):
            index.fill(AFTER)
