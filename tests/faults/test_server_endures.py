"""The real server meets every misbehaviour: it answers in time and stays as small as it was."""

import json
import os
import socket
import threading
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.bounds import PATIENCE
from tests.pace import scaled, within
from tests.peers.misbehaviours import MISBEHAVIOURS
from tests.peers.scripted import (
    CANCEL_REQUEST,
    HEALTHY,
    Peer,
    Talk,
    accept,
    end,
    hear_cancel,
    hear_question,
    hear_release,
    hold,
)
from tests.stdio import HANDSHAKES, Child, child

# Seconds: what a question may take, and how much later it may end.
SECONDS = 1.0
GRACE = 1.0

# KiB beyond what it had after a first question: the longest answer is 8 MiB, and while one is
# made it is there as rows, as text and as what is sent.
MOST_MORE = 40 * 1024

# Calls to one silent archive at the same time.
HANGING = 60

LEAVES_WITHIN = 2.0

# One after the other they would take longer than that.
ARCHIVES = 6

RELEASE = 0x05

NOBODY = 1  # a port where nobody listens


class Endurance:
    """A running server, what it gives a question, and how many threads and files it had after a
    first one."""

    def __init__(self, server: Child, seconds: float) -> None:
        self.server = server
        self.seconds = seconds
        with Peer(HEALTHY) as peer:
            aim(server, peer.port)
            assert_answered(self.ask())
            aim(server, NOBODY)
        self._threads, self._files = self._counted()
        self._memory = self._status("VmRSS")

    def ask(self) -> dict[str, Any]:
        return self.server.call("query_studies", patient_id="7")

    def has_nothing_left_over(self) -> bool:
        """Whether soon no more threads run and no more files are open than at first."""
        aim(self.server, NOBODY)  # what is kept for an archive is given back
        ends = monotonic() + PATIENCE
        while monotonic() < ends:
            threads, files = self._counted()
            if threads <= self._threads and files <= self._files:
                return True
            self.server.request("tools/list")
        return False

    @contextmanager
    def stays_small(self) -> Generator[None]:
        """Its resident set does not grow beyond MOST_MORE meanwhile."""
        Path(f"/proc/{self.server.process.pid}/clear_refs").write_text("5")  # its peak, see proc(5)
        yield
        assert self._status("VmHWM") < self._memory + MOST_MORE

    def _counted(self) -> tuple[int, int]:
        """Threads and open files."""
        return self._status("Threads"), len(os.listdir(f"/proc/{self.server.process.pid}/fd"))

    def _status(self, name: str) -> int:
        status = Path(f"/proc/{self.server.process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith(f"{name}:"))
        return int(line.split()[1])


@pytest.fixture(scope="module")
def endurance() -> Iterator[Endurance]:
    seconds = scaled(SECONDS)
    with child(DICOM_TIMEOUT=str(seconds)) as server:
        server.initialize(HANDSHAKES[-1])
        yield Endurance(server, seconds)


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_it_answers_in_time_with_the_truth_and_stays_as_small_as_it_was(
    name: str, endurance: Endurance
) -> None:
    with Peer(MISBEHAVIOURS[name]) as peer, endurance.stays_small():
        aim(endurance.server, peer.port)
        with within(endurance.seconds + GRACE):
            result = endurance.ask()
        told = json.dumps(result)
        if result.get("isError"):
            assert f"127.0.0.1:{peer.port} (called_ae_title" in told
            assert "ZZSECRET" not in told
            assert "a defect of the server" not in told
        else:
            answer = result["structuredContent"]
            assert answer["complete"] or answer["notes"]
        peer.heal()
        peer.hang_up()
        assert_answered(endurance.ask())
    assert endurance.has_nothing_left_over()


def test_other_archives_and_the_list_of_tools_are_answered_while_one_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, Peer(HEALTHY) as peer:
        silent.settimeout(PATIENCE)
        with child(DICOM_TIMEOUT=str(10 * PATIENCE)) as server:
            server.initialize(HANDSHAKES[-1])
            aim(server, peer.port)
            assert_answered(server.call("query_studies", patient_id="7"))
            aim(server, silent.getsockname()[1])
            asked = {"name": "query_studies", "arguments": {"patient_id": "7"}}
            hanging = {server.send("tools/call", asked) for _ in range(HANGING)}
            connection, _ = silent.accept()
            with connection:
                assert server.request("tools/list")["result"]["tools"]
                aim(server, peer.port)
                assert_answered(server.call("query_studies", patient_id="7"))
                answered = {json.loads(line).get("id") for line in server.lines}
                assert not answered & hanging
                server.leave(scaled(LEAVES_WITHIN))


def test_a_query_its_client_cancels_reaches_the_archive_as_a_c_cancel_and_an_abort() -> None:
    begun = threading.Event()

    def begin(talk: Talk) -> None:  # noqa: ARG001 - a step's shape
        begun.set()

    script = (accept, hear_question, begin, hear_cancel, hold)
    with (
        Peer(script) as peer,
        child(DICOM_PORT=str(peer.port), DICOM_TIMEOUT=str(10 * PATIENCE)) as server,
    ):
        server.initialize(HANDSHAKES[-1])
        asked = {"name": "query_studies", "arguments": {"patient_id": "7"}}
        hanging = server.send("tools/call", asked)
        assert begun.wait(PATIENCE)
        server.notify("notifications/cancelled", {"requestId": hanging})
        (talk,) = peer.talks
        assert talk.ended.wait(PATIENCE)
        assert talk.operation == CANCEL_REQUEST
        assert talk.heard[-1] == 0x07  # A-ABORT
        peer.heal()
        assert_answered(server.call("query_studies", patient_id="7"))


def test_a_server_leaves_in_time_however_many_archives_answer_no_release(tmp_path: Path) -> None:
    with ExitStack() as stack:
        peers = [
            stack.enter_context(Peer((accept, hear_question, end(), hear_release, hold)))
            for _ in range(ARCHIVES)
        ]
        nodes = [
            f'[nodes.n{peer.port}]\nhost = "127.0.0.1"\nport = {peer.port}\n'
            'called_ae_title = "PEER"\n'
            for peer in peers
        ]
        configuration = tmp_path / "config.toml"
        configuration.write_text("\n".join(nodes))
        with child("--config", str(configuration)) as server:
            server.initialize(HANDSHAKES[-1])
            told = server.call("verify_connection", node="all")
            assert not told.get("isError"), told
            server.leave(scaled(LEAVES_WITHIN))
            assert all(talk.heard[-1] == RELEASE for peer in peers for talk in peer.talks)


def test_the_first_calls_of_a_server_may_come_together() -> None:
    with Peer(HEALTHY) as peer, child(DICOM_PORT=str(peer.port)) as server:
        server.initialize(HANDSHAKES[-1])
        together = {
            server.send("tools/call", {"name": tool, "arguments": {}})
            for tool in ("query_studies", "verify_connection") * 4
        }
        results: dict[int, dict[str, Any]] = {}
        while waiting := together - results.keys():
            server.answer(min(waiting))
            said = (json.loads(line) for line in server.lines)
            results = {one["id"]: one["result"] for one in said if one.get("id") in together}
        assert not any(result.get("isError") for result in results.values())


def aim(server: Child, port: int) -> None:
    """From now on the server asks this port."""
    told = server.call("configure_dicom_server", host="127.0.0.1", port=port)
    assert not told.get("isError"), told


def assert_answered(result: dict[str, Any]) -> None:
    """As a healthy peer answers."""
    answer = result["structuredContent"]
    assert (answer["returned"], answer["complete"]) == (3, True)
