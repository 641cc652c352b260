"""Sixty-four callers of one server whose archive is killed and started anew, again and again.

    python -m tests.faults.storm --seconds 180

Whatever is answered while it storms and called complete equals, to the last detail, what was
answered before; what is not complete holds nothing else.
"""

import argparse
import json
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from hashlib import sha256
from random import Random
from time import monotonic
from typing import Any

from tests.bounds import PATIENCE
from tests.demo_hospital import pacs
from tests.peers.program import free_port
from tests.stdio import HANDSHAKES, Child, child

CALLERS = 64

# Seconds between a start of the archive and its end, and the other way round.
UP, DOWN = (2.0, 6.0), (0.2, 2.0)

_ARCHIVE = """
import signal, sys
from dicom_mcp.demo.archive import EmbeddedArchive
from tests.demo_hospital import pacs
with EmbeddedArchive(pacs(), ae_title="STORM", port=int(sys.argv[1])):
    print("up", flush=True)
    signal.pause()
"""

# What no two answers have alike: marks of the fence, and what it cost.
_MARK = re.compile(r"text-[0-9a-f]{8}")
_COST = frozenset(("queries", "notes", "sent", "archive", "object"))


@contextmanager
def archive(port: int) -> Generator[None]:
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _ARCHIVE, str(port)], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        yield
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def questions() -> list[tuple[str, dict[str, Any]]]:
    """Of every study, down to the pixels and the words of its objects."""
    asked: dict[str, tuple[str, dict[str, Any]]] = {}

    def put(tool: str, **arguments: Any) -> None:
        asked.setdefault(json.dumps([tool, arguments]), (tool, arguments))

    for one in pacs()[::7]:
        study, series = str(one.StudyInstanceUID), str(one.SeriesInstanceUID)
        put("query_studies", patient_id=str(one.PatientID), attribute_preset="extended")
        put("query_series", study_instance_uid=study, attribute_preset="extended")
        put("query_instances", series_instance_uid=series, study_instance_uid=study)
        put("study_overview", study_instance_uid=study, instances=True)
        put("patient_timeline", patient_id=str(one.PatientID))
        put("count_studies", patient_id=str(one.PatientID), group_by=["modality", "description"])
        put("read_header", series_instance_uid=series)
        put("view_image" if "PixelData" in one else "read_report", series_instance_uid=series)
    return list(asked.values())


def detail(result: dict[str, Any]) -> tuple[bool, str]:
    """Whether an answer says that it is complete, and all that it says of what was asked for."""
    text, *pictures = result["content"]
    told = json.loads(_MARK.sub("text", text["text"]))
    said = {name: value for name, value in told.items() if name not in _COST}
    shown = [sha256(one["data"].encode()).hexdigest() for one in pictures]
    return bool(told["complete"]), json.dumps([said, shown], sort_keys=True)


class Storm:
    """What is asked, what was answered in calm, and what happened."""

    def __init__(self, server: Child) -> None:
        self.server = server
        self.asked = questions()
        self.ended = Counter[str]()
        self.wrong: list[str] = []
        self._calm: list[str] = []

    def ask_in_calm(self) -> None:
        """Ask everything once; what is no complete answer then is not asked any more."""
        whole: list[tuple[str, dict[str, Any]]] = []
        for tool, arguments in self.asked:
            result = self.server.call(tool, **arguments)
            complete, said = (False, "") if result.get("isError") else detail(result)
            if complete:
                whole.append((tool, arguments))
                self._calm.append(said)
        self.ended["not asked"] = len(self.asked) - len(whole)
        self.asked = whole

    def ask(self, seconds: float, random: Random) -> None:
        """Keep so many calls going, for this long, and look at each answer."""
        ends = monotonic() + seconds
        going = {self._send(at): at for at in random.choices(range(len(self.asked)), k=CALLERS)}
        while going:
            message = self.server.heard()
            at = going.pop(message.get("id", 0), None)
            if at is None:
                continue
            self._judge(at, message["result"])
            if monotonic() < ends:
                one = random.randrange(len(self.asked))
                going[self._send(one)] = one

    def _send(self, at: int) -> int:
        tool, arguments = self.asked[at]
        return self.server.send("tools/call", {"name": tool, "arguments": arguments})

    def _judge(self, at: int, result: dict[str, Any]) -> None:
        if result.get("isError"):
            self.ended["error"] += 1
            if "a defect" in result["content"][0]["text"]:
                self.wrong.append(f"{self.asked[at]}: {result['content'][0]['text']}")
            return
        complete, said = detail(result)
        self.ended["complete" if complete else "not complete"] += 1
        if complete and said != self._calm[at]:
            self.wrong.append(
                f"{self.asked[at]}: {said[:2000]}\n  in calm: {self._calm[at][:2000]}"
            )


def blow(port: int, over: threading.Event, random: Random) -> int:
    """Start the archive and kill it until that is over; how often."""
    times = 0
    while not over.is_set():
        with archive(port):
            times += 1
            over.wait(random.uniform(*UP))
        over.wait(random.uniform(*DOWN))
    return times


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    port, over, times = free_port(), threading.Event(), list[int]()
    with child(DICOM_PORT=str(port), DICOM_CALLED_AE_TITLE="STORM") as server:
        server.initialize(HANDSHAKES[-1])
        storm = Storm(server)
        with archive(port):
            storm.ask_in_calm()
        wind = threading.Thread(
            target=lambda: times.append(blow(port, over, Random(chosen.seed))), daemon=True
        )
        wind.start()
        storm.ask(chosen.seconds, Random(chosen.seed))
        over.set()
        wind.join(PATIENCE)
    told = [f"{dict(storm.ended)}, the archive was started {times} times", *storm.wrong[:10]]
    sys.stdout.write("\n".join([*told, f"{len(storm.wrong)} wrong", ""]))
    sys.exit(bool(storm.wrong))


if __name__ == "__main__":
    main()
