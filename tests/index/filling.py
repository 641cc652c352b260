"""A process that fills an index, and is killed at one of the moments at which its files change."""

import json
import os
import signal
import sys
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC
from pathlib import Path
from subprocess import PIPE, Popen

from dicom_mcp.dicom_api import connect
from dicom_mcp.index.ledger import Ledger
from dicom_mcp.index.store import Store
from dicom_mcp.index.sync import Sync
from dicom_mcp.node import node_at

# What Python tells of before it does it (PEP 578): a file takes its place, goes, is read for its
# digest; or the ledger is opened to note that.
_MOMENTS = ("os.rename", "os.remove", "sqlite3.connect")


@dataclass(frozen=True, slots=True)
class Filling:
    """An index, the archive that it is filled from, at a time that stands still, and the moment at
    which the process is killed."""

    folder: str
    address: str
    now: float
    depth: Sequence[str] = ()
    key: str = ""
    moment: int = 1_000_000

    @contextmanager
    def process(self) -> Generator[Popen[str]]:
        """The process, as soon as it has begun."""
        command = [sys.executable, "-m", __name__, json.dumps(asdict(self))]
        root = Path(__file__).parents[2]
        with Popen(command, stdout=PIPE, text=True, cwd=root) as process:
            assert process.stdout
            assert process.stdout.readline() == "begins\n"
            try:
                yield process
            finally:
                process.kill()

    def run(self) -> None:
        """Fill it until nothing is due."""
        store = Store(Path(self.folder), self.key)
        store.prepare()
        store.tidy()
        ledger = Ledger(Path(self.folder) / "ledger.sqlite")
        archive = connect(node_at(self.address))
        sync = Sync(archive, store, ledger, zone=UTC, depth=self.depth, now=lambda: self.now)
        self._end_at_the_moment()
        print("begins", flush=True)  # noqa: T201
        with closing(sync):
            while step := sync.step():
                if step.table:
                    print("reads", flush=True)  # noqa: T201

    def _end_at_the_moment(self) -> None:
        left = self.moment

        def hook(event: str, _: object) -> None:
            nonlocal left
            if event in _MOMENTS:
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)


if __name__ == "__main__":
    Filling(**json.loads(sys.argv[1])).run()
