"""The process that strangers' SQL is asked in: a line of JSON in, a line of JSON out, until its
input ends. It has so much memory, and for each question so much time of the processor."""

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from ..budgets import MOST_OF_SQL
from ..content.outside.process import Watch, held, limit, private
from ..deadline import Deadline
from ..errors import BadArgument, DicomMcpError
from .sql import read_checked
from .store import Store, engine_of

# What it may go on with, beyond what Python and the engine have when they start; and what threads
# and the engine take of the system's bound without touching it: 100 MiB after a small question.
_MOST_KEPT, _UNTOUCHED = 96 << 20, 128 << 20

# Seconds after which it ends, when nobody asks.
_IDLE = 900.0


def main() -> None:
    sys.dont_write_bytecode = True
    for name in ("RLIMIT_CORE", "RLIMIT_FSIZE"):
        limit(name, 0)
    engine_of().close()
    start, own = held(), private()
    Watch().allow(start + MOST_OF_SQL)
    # What asks for more at once is told so by the system, before it is there.
    limit("RLIMIT_DATA", own + MOST_OF_SQL + _UNTOUCHED)
    while True:
        clock = threading.Timer(_IDLE, os._exit, [0])
        clock.daemon = True
        clock.start()
        line = sys.stdin.readline()
        clock.cancel()
        if not line:
            return
        wish = json.loads(line)
        # Two threads, and what it took before.
        limit("RLIMIT_CPU", int(sum(os.times()[:2]) + 2 * wish["seconds"]) + 5, is_final=False)
        answer = _answer(wish)
        holds = max(0, held() - start)
        answer["holds"] = holds
        answer["is_last"] = max(holds, private() - own - _UNTOUCHED) > _MOST_KEPT
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _answer(wish: dict[str, Any]) -> dict[str, Any]:
    try:
        names, rows, has_more = read_checked(
            Store(Path(wish["folder"]), wish["key"]),
            wish["statement"],
            wish["values"],
            wish["most_rows"],
            Deadline(wish["seconds"]),
            wish["cohort"],
        )
    except (RecursionError, MemoryError):
        error = BadArgument("sql is too long or nested too deeply", "Write it shorter and simpler")
    except DicomMcpError as failure:
        error = failure
    else:
        return {"names": names, "rows": rows, "has_more": has_more}
    return {"error": type(error).__name__, "said": [error.happened, error.remedy]}
