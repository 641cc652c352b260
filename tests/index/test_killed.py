"""A process that fills an index is killed at any moment, and the archive changes meanwhile."""

import os
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.errors import IndexUnavailable
from tests.index.changing import by_day_of, change, check_claims, kept_at
from tests.index.filled import DAY, index_in
from tests.peers.embedded import embedded

# Fills the index in a folder from the archive at a port, at a time that stands still.
_FILLING = """
import sys
from datetime import UTC
from pathlib import Path
from dicom_mcp.dicom_api import connect
from dicom_mcp.index.ledger import Ledger
from dicom_mcp.index.store import Store
from dicom_mcp.index.sync import Sync
from dicom_mcp.node import node_at

folder, address, now = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
store = Store(folder)
store.prepare()
store.tidy()
ledger = Ledger(folder / "ledger.sqlite")
sync = Sync(connect(node_at(address)), store, ledger, zone=UTC, now=lambda: now)
print("begins", flush=True)
while sync.step():
    pass
"""

_WITHOUT_STUDY = "SELECT count(*) FROM series ANTI JOIN studies USING (study_uid)"


@pytest.mark.parametrize("seed", range(20 if os.environ.get("DICOM_MCP_SCALE") == "1" else 1))
def test_killed_at_any_moment_no_more_is_claimed_than_is_true(tmp_path: Path, seed: int) -> None:
    random_ = random.Random(seed)
    held: dict[int, tuple[int, int]] = {}
    history: list[tuple[float, dict[str, set[tuple[str, str]]]]] = []
    objects: list[Dataset] = []
    with index_in(tmp_path / "index") as index:
        for version in range(3):
            for _ in range(3):
                change(random_, held, version)
            index.clock.now += 3 * DAY
            history.append((index.clock.now, by_day_of(held)))
            objects = [d for study, (day, made) in held.items() for d in kept_at(day, made, study)]
            with embedded(objects) as peer:
                address = f"EMBEDDED@{peer.node.host}:{peer.node.port}"
                folder = str(index.store.folder)
                process = subprocess.Popen(
                    [sys.executable, "-c", _FILLING, folder, address, str(index.clock.now)],
                    stdout=subprocess.PIPE,
                )
                with process:
                    assert process.stdout
                    assert process.stdout.readline() == b"begins\n"
                    Event().wait(random_.uniform(0.0, 0.8))
                    with suppress(IndexUnavailable):  # where each try met another write
                        assert index.rows(_WITHOUT_STUDY) == [[0]]
                    process.kill()
            check_claims(index, history)
        index.store.tidy()
        index.clock.now += 3 * DAY
        index.fill(objects)
        history.append((index.clock.now, by_day_of(held)))
        check_claims(index, history)
        found = index.rows("SELECT study_uid, study_description FROM studies")
        assert sorted(map(tuple, found)) == sorted(
            one for day in by_day_of(held).values() for one in day
        )
        assert not [*index.store.folder.rglob("*.partial")]
