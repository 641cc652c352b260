import socket

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import Archive, connect
from dicom_mcp.errors import ArchiveError, ConnectionRefused, NotAsked
from dicom_mcp.network.breaker import FAILURES, PAUSE_SECONDS, Breaker
from dicom_mcp.node import Node, WebNode
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Matches, Query
from tests.bounds import PATIENCE, in_time
from tests.peers.misbehaviours import MISBEHAVIOURS
from tests.peers.scripted import Peer

pytestmark = pytest.mark.usefixtures("tidy")


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def failed(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.check()
        breaker.failed(ConnectionRefused("connection refused", "Check the port"))


def test_an_archive_is_spared_after_some_failures_in_a_row_and_then_tried_once() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    failed(breaker, FAILURES)
    with pytest.raises(NotAsked, match=r"connection refused.*again in 5 s.*Check the port"):
        breaker.check()
    clock.now += PAUSE_SECONDS
    failed(breaker, 1)
    with pytest.raises(NotAsked, match=f"the last {FAILURES + 1} attempts"):
        breaker.check()


def test_an_archive_that_was_reached_starts_anew() -> None:
    breaker = Breaker(Clock())
    failed(breaker, FAILURES - 1)
    breaker.reached()
    failed(breaker, FAILURES - 1)
    breaker.check()


def test_an_archive_that_is_down_is_soon_not_asked_but_a_verification_always_is() -> None:
    with Peer(None) as peer:
        archive = connect(Node("127.0.0.1", peer.port))
        for error in (*[ConnectionRefused] * FAILURES, NotAsked, NotAsked):
            with pytest.raises(ArchiveError) as raised:
                find(archive)
            assert type(raised.value) is error
            assert str(raised.value).startswith(f"127.0.0.1:{peer.port} (called_ae_title")
        peer.heal()
        with pytest.raises(NotAsked, match="verify_connection tries at once"):
            find(archive)
        assert 0 < in_time(lambda: archive.verify(deadline=Deadline(PATIENCE))) < 1000 * PATIENCE
        assert len(find(archive).matches) == 3
        in_time(archive.close)


def test_a_web_server_that_is_down_is_spared_and_verified_just_the_same() -> None:
    with socket.socket() as bound:  # and nobody listens
        bound.bind(("127.0.0.1", 0))
        archive = connect(WebNode(f"http://127.0.0.1:{bound.getsockname()[1]}/web"))
        for error in (*[ConnectionRefused] * FAILURES, NotAsked, NotAsked):
            with pytest.raises(ArchiveError) as raised:
                find(archive)
            assert type(raised.value) is error
        with pytest.raises(ConnectionRefused):
            in_time(lambda: archive.verify(deadline=Deadline(PATIENCE)))
        in_time(archive.close)


def test_an_archive_that_answers_no_is_not_down() -> None:
    for name in ("has another title", "aborts instead of accepting", "does not allow it"):
        with Peer(MISBEHAVIOURS[name]) as peer:
            archive = connect(Node("127.0.0.1", peer.port))
            for _ in range(FAILURES + 1):
                with pytest.raises(ArchiveError) as raised:
                    find(archive)
                assert not isinstance(raised.value, NotAsked)
            in_time(archive.close)


def find(archive: Archive) -> Matches:
    query = Query(Level.STUDY, {"PatientID": "7"})
    return in_time(lambda: archive.find(query, limit=50, deadline=Deadline(PATIENCE)))
