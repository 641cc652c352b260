"""What a process that asks costs: its peak memory and, idle, its processor time.

`python -m benchmarks.footprint held|counted|idle|idle-pynetdicom PORT` prints one figure. Each is
a process of its own, so that nothing else counts.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time, sleep

from dicom_mcp.attributes import preset_keywords
from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import connect
from dicom_mcp.node import Node
from dicom_mcp.standard.levels import MODEL, Level
from dicom_mcp.standard.query import Query

# Shorter than an association is kept (20 s), so it is there all the time.
IDLE_SECONDS = 15.0

_PATIENCE = 120
_LIMIT = 1_000_000
_QUERY = Query(Level.STUDY, {}, preset_keywords(Level.STUDY, "standard"))


def footprint(what: str, port: int) -> float:
    """One of the figures, measured in a new process."""
    command = [sys.executable, "-m", "benchmarks.footprint", what, str(port)]
    run = subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=True, text=True)
    return float(run.stdout)


def main() -> None:
    """Print the figure asked for."""
    what, port = sys.argv[1:]
    print(_FIGURES[what](int(port)))


def _held(port: int) -> float:
    """MiB after `Archive.find` that returns every match."""
    archive = connect(Node(port=port))
    archive.find(_QUERY, limit=_LIMIT, deadline=Deadline(_PATIENCE))
    archive.close()
    return _peak()


def _counted(port: int) -> float:
    """MiB after every match has been decoded and counted but not kept."""
    from dicom_mcp.dimse.association import Association
    from dicom_mcp.dimse.find import Answered, find

    deadline = Deadline(_PATIENCE)
    model = MODEL[_QUERY.level]
    association = Association.request(Node(port=port), [model], deadline=deadline)
    for _ in find(association, _QUERY, model, Answered(), deadline=deadline):
        pass
    association.release()
    return _peak()


def _idle(port: int) -> float:
    """Processor seconds of an idle minute with a kept association."""
    archive = connect(Node(port=port))
    archive.find(_QUERY, limit=_LIMIT, deadline=Deadline(_PATIENCE))
    seconds = _idle_minute()
    archive.close()
    return seconds


def _idle_pynetdicom(port: int) -> float:
    """The same of pynetdicom's association."""
    from pynetdicom import AE

    entity = AE()
    entity.add_requested_context(MODEL[_QUERY.level])
    association = entity.associate("127.0.0.1", port)  # pyright: ignore[reportUnknownMemberType]
    seconds = _idle_minute()
    association.release()
    return seconds


_FIGURES: dict[str, Callable[[int], float]] = {
    "held": _held,
    "counted": _counted,
    "idle": _idle,
    "idle-pynetdicom": _idle_pynetdicom,
}


def _idle_minute() -> float:
    before = process_time()
    sleep(IDLE_SECONDS)
    return (process_time() - before) * 60 / IDLE_SECONDS


def _peak() -> float:
    """The largest resident set so far, in MiB; getrusage would count the parent's too."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
