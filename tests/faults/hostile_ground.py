"""A running server, and archives that give it one hostile object after the other.

python -m tests.faults.hostile_ground --objects 100000 --seed 1
"""

import argparse
import json
import os
import socket
import sys
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import monotonic
from typing import Any

from pydicom.dataset import Dataset

from dicom_mcp.demo.index import Index
from dicom_mcp.demo.web import EmbeddedWeb
from dicom_mcp.node import Receiver
from tests.faults.hostile_objects import DEFLATED, JSON, Hostile, encoded, hostile
from tests.pace import scaled
from tests.peers.program import free_port
from tests.peers.raw_objects import accept_each, deliver, stored, syntaxes_of
from tests.peers.scripted import FIND_REQUEST, Peer, Talk
from tests.peers.scripted_sender import MOVE, finish, hear, serve
from tests.peers.web import Asked, Behaviour, WebPeer, answer
from tests.stdio import HANDSHAKES, Child, child

# Seconds of a call, and after them.
DEADLINE = 10.0
GRACE = 1.0

# Bytes that the server and its processes apart may hold together.
MOST_MEMORY = 400 << 20

# After so many objects the long run says how far it is.
_PROGRESS = 1000

# How often that is looked at; a process takes longer to fill so much.
_LOOK_SECONDS = 0.05

WAYS = ("web", "get", "move")
IMPLICIT = "1.2.840.10008.1.2"

# What a list of C-FIND has of an object.
_LISTED = (
    *("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "Modality"),
    *("PatientID", "StudyDate", "SeriesNumber", "InstanceNumber"),
)
# C-GET's SOP classes (PS3.4 C.6.3), which an archive that only moves has none of.
_GETS = b"1.2.840.10008.5.1.4.1.2.2.3"


class AsItIs(Index):
    """An index that tells of objects and gives the bytes of the last ones as they are."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: dict[str, Hostile] = {}

    @property
    def now(self) -> Hostile:
        """The last one."""
        return self.shown[next(reversed(self.shown))]

    def show(self, *several: Hostile) -> None:
        self.shown = {str(one.told.SOPInstanceUID): one for one in several}
        self.add_all(one.told for one in several)

    def object(self, sop_instance_uid: str) -> tuple[bytes, str] | None:
        found = self.shown.get(sop_instance_uid)
        return (found.content, found.syntax) if found else None

    def data_set(self, sop_instance_uid: str) -> Dataset | None:
        found = self.shown.get(sop_instance_uid)
        return found.told if found else None


class OneObjectArchive:
    """The last of them over DIMSE: to the association, or to a receiver."""

    def __init__(self, index: AsItIs, receiver: Receiver | None = None) -> None:
        self._index = index
        self._receiver = receiver
        refused = _GETS if receiver else b"none"
        self.peer = Peer((partial(accept_each, refused=refused), serve(self._answer)))

    def _answer(self, talk: Talk, _: bytes) -> None:
        now = self._index.now
        uids = str(now.told.SOPClassUID), str(now.told.SOPInstanceUID)
        if talk.operation == FIND_REQUEST:
            row = Dataset()
            for keyword in _LISTED:
                setattr(row, keyword, now.told.get(keyword, ""))
            talk.answering = FIND_REQUEST
            talk.send(talk.row(data_set=encoded(row, IMPLICIT)))
            finish()(talk)
            return
        if talk.operation == MOVE:
            assert self._receiver
            said = stored(*uids, now.content, 1)
            finish(completed=deliver(self._receiver, (uids[0], now.syntax), said))(talk)
            return
        kind = [uids[0].encode(), now.syntax.encode()]
        found = [id_ for id_, one in talk.contexts.items() if syntaxes_of(one) == kind]
        if found:
            talk.send(stored(*uids, now.content, found[0]))
            hear(talk)
        finish(completed=len(found), failed=1 - len(found))(talk)


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of looking at an object: how it ended, and in which rules that is against."""

    how: str
    faults: list[str]


@dataclass(slots=True)
class Ground:
    """The server, what it is given, and the most memory it was seen to hold."""

    server: Child
    index: AsItIs
    most_memory: int = 0
    told_memory: int = 0

    def look(self, seed: int, way: str) -> list[Looked]:
        """Give the object of this seed this way, and ask for what is in it."""
        now = hostile(seed)
        self.index.show(now)
        # An object that is deflated comes over DICOMweb only, and metadata in no other way.
        way = {JSON: "metadata", DEFLATED: "web"}.get(now.syntax, way)
        return [self._ask(now, tool, way) for tool in now.tools]

    def look_at_once(self, several: Sequence[Hostile]) -> list[Looked]:
        """Ask for all of these at the same time, of the web server."""
        self.index.show(*several)
        began = monotonic()
        waiting = {
            self.server.send("tools/call", {"name": tool, "arguments": _asked(now, "web")}): now
            for now in several
            for tool in now.tools
        }
        looked: list[Looked] = []
        while waiting:
            message = self.server.heard()
            if now := waiting.pop(message.get("id", 0), None):
                looked.append(self._judge(now, message["result"], began))
        return looked

    def _ask(self, now: Hostile, tool: str, way: str) -> Looked:
        began = monotonic()
        return self._judge(now, self.server.call(tool, **_asked(now, way)), began)

    def _judge(self, now: Hostile, result: dict[str, Any], began: float) -> Looked:
        took = monotonic() - began
        said = result["content"][0]["text"]
        faults: list[str] = []
        if took > scaled(DEADLINE) + GRACE:
            faults.append(f"took {took:.1f} s")
        if "took too long" in said and "scans" not in now.kind:
            faults.append("nothing in it takes so long")
        if "a defect of the server" in said:
            faults.append("crashed")
        if self.most_memory > max(self.told_memory, MOST_MEMORY):
            self.told_memory = self.most_memory
            faults.append(f"holds {self.most_memory >> 20} MiB")
        if now.is_sound and '"complete":true' not in said:
            faults.append(f"it is sound, and was not called complete: {said[:300]}")
        if result.get("isError"):
            return Looked("error", faults)
        answer: dict[str, Any] = json.loads(said)
        if answer["complete"]:
            if now.is_cut:
                faults.append("its end is missing, and it was called complete")
            # Pages without text are shown as pictures.
            words = [] if '"scanned":true' in said else now.there
            faults += [f"{word} is missing" for word in words if word not in said]
        return Looked("complete" if answer["complete"] else "not complete", faults)

    def watch(self, over: Event) -> None:
        """See how much memory the server and its processes apart hold, until that is over."""
        pid = self.server.process.pid
        while not over.wait(_LOOK_SECONDS):
            tasks = Path(f"/proc/{pid}/task").glob("*/children")
            # Until it is another program, a new process has the memory of the one that starts it.
            this = _words(Path(f"/proc/{pid}/cmdline"))
            others = chain.from_iterable(map(_words, tasks))
            begun = [one for one in others if _words(Path(f"/proc/{one}/cmdline")) != this]
            self.most_memory = max(self.most_memory, sum(map(held, (str(pid), *begun))))


def _asked(now: Hostile, way: str) -> dict[str, str]:
    return {"series_instance_uid": str(now.told.SeriesInstanceUID), "node": way}


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []  # it has ended


def held(pid: str) -> int:
    """Bytes that a process alone holds: what it shares with another is counted there."""
    _, resident, shared, *_ = map(int, _words(Path(f"/proc/{pid}/statm")) or "000")
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")


def _metadata(index: AsItIs) -> Behaviour:
    """A server that has no more of an object than its metadata."""

    def behave(connected: socket.socket, asked: Asked) -> bool:
        now, path = index.now, asked.target.partition("?")[0]
        if path.endswith("/metadata"):
            connected.sendall(answer(now.content))
        elif path.rsplit("/", 1)[1] in ("studies", "series", "instances"):
            row = Dataset()
            for keyword in _LISTED:
                setattr(row, keyword, now.told.get(keyword, ""))
            connected.sendall(answer([] if asked.offset else [row.to_json_dict()]))
        else:
            connected.sendall(answer(b"", status="404 Not Found"))
        return True

    return behave


@contextmanager
def ground() -> Generator[Ground]:
    """A server whose nodes are the three ways to an object."""
    index = AsItIs()
    receiver = Receiver("RECEIVER", free_port(), "127.0.0.1")
    get, move = OneObjectArchive(index), OneObjectArchive(index, receiver)
    metadata = WebPeer(_metadata(index))
    with TemporaryDirectory() as folder, EmbeddedWeb(index) as web, get.peer, move.peer, metadata:
        file = Path(folder) / "nodes.toml"
        node = '[nodes.{}]\nhost = "127.0.0.1"\nport = {}\ntimeout = {}\n'
        seconds = scaled(DEADLINE)
        file.write_text(
            f'[nodes.web]\nurl = "{web.url}"\ntimeout = {seconds}\n'
            f'[nodes.metadata]\nurl = "{metadata.url}"\ntimeout = {seconds}\n'
            + node.format("get", get.peer.port, seconds)
            + node.format("move", move.peer.port, seconds)
            + f'[nodes.move.receiver]\nae_title = "RECEIVER"\nport = {receiver.port}\n'
            + 'host = "127.0.0.1"\n'
        )
        with child("--config", str(file)) as server:
            server.initialize(HANDSHAKES[-1])
            ground, over = Ground(server, index), Event()
            watching = Thread(target=ground.watch, args=(over,))
            watching.start()
            try:
                yield ground
            finally:
                over.set()
                watching.join()
    index.close()


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--objects", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    ended, wrong = Counter[str](), 0
    with ground() as there:
        for seed in range(chosen.seed, chosen.seed + chosen.objects):
            way = WAYS[seed % len(WAYS)]
            for looked in there.look(seed, way):
                ended[f"{looked.how} ({way})"] += 1
                wrong += len(looked.faults)
                for fault in looked.faults:
                    say(f"seed {seed} ({hostile(seed).kind}, {way}): {fault}")
            if (seed - chosen.seed + 1) % _PROGRESS == 0:
                say(f"up to seed {seed}: {dict(ended)}, at most {there.most_memory >> 20} MiB")
    say(f"{dict(ended)}, {wrong} wrong, at most {there.most_memory >> 20} MiB")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
