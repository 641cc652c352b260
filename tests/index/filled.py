"""An index that is filled from an archive, and what it then holds."""

import time
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from dicom_mcp.config import Settings
from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import connect
from dicom_mcp.index.kept import written
from dicom_mcp.index.ledger import Ledger
from dicom_mcp.index.sql import ask
from dicom_mcp.index.store import Store
from dicom_mcp.index.sync import Sync
from dicom_mcp.index_settings import IndexSettings
from dicom_mcp.node import AnyNode
from tests.bounds import PATIENCE
from tests.peers.embedded import Kind, embedded

PLAIN = Kind()

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC).timestamp()
DAY = 86_400.0

# More questions than any archive here needs.
_MOST_STEPS = 400


@dataclass(slots=True)
class Clock:
    """A time that goes on when it is told to."""

    now: float = NOON

    def __call__(self) -> float:
        return self.now


@dataclass(slots=True)
class Filled:
    """An index, and how to fill it from one archive after the other."""

    store: Store
    ledger: Ledger
    clock: Clock

    @contextmanager
    def syncing(
        self,
        objects: Sequence[Dataset],
        kind: Kind = PLAIN,
        since: date | None = None,
        depth: Sequence[str] = (),
    ) -> Generator[Sync]:
        """From an archive that holds these objects now."""
        with embedded(objects, kind) as peer:
            archive = connect(peer.node)
            try:
                yield Sync(
                    archive,
                    self.store,
                    self.ledger,
                    zone=UTC,
                    since=since,
                    depth=depth,
                    now=self.clock,
                )
            finally:
                archive.close()

    def fill(
        self, objects: Sequence[Dataset], kind: Kind = PLAIN, depth: Sequence[str] = ()
    ) -> None:
        """Ask until nothing is due."""
        with self.syncing(objects, kind, depth=depth) as syncing:
            assert any(syncing.step() is None for _ in range(_MOST_STEPS))

    def rows(self, statement: str, *, is_ours: bool = False) -> list[list[Any]]:
        """What a statement brings; one that is ours in this process."""
        table = ask(
            self.store,
            self.ledger,
            statement,
            most_rows=10_000,
            deadline=Deadline(PATIENCE),
            is_ours=is_ours,
        )
        return table.rows


@contextmanager
def index_in(folder: Path) -> Generator[Filled]:
    """The index in this folder."""
    store = Store(folder)
    store.prepare()
    ledger = Ledger(folder / "ledger.sqlite")
    try:
        yield Filled(store, ledger, Clock())
    finally:
        ledger.close()


def settings_of(node: AnyNode, folder: Path) -> Settings:
    return Settings(node, time_zone=UTC, index=IndexSettings(folder=str(folder), keep=False))


def fill(settings: Settings, ago: float = 0) -> None:
    """Ask until nothing is due, so many seconds ago."""
    node = settings.node
    with written(settings, node) as kept, closing(connect(node)) as archive:
        depth = settings.index.depth if settings.index else ()
        syncing = Sync(
            archive,
            kept.store,
            kept.ledger,
            zone=UTC,
            depth=depth,
            now=lambda: time.time() - ago,
        )
        assert any(syncing.step() is None for _ in range(400))
