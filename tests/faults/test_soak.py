"""Sixteen callers through a failing network; and the proxy that fails for them."""

import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from functools import partial

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import Archive, connect
from dicom_mcp.dimse.association import Association
from dicom_mcp.dimse.echo import VERIFICATION
from dicom_mcp.dimse.pool import Pool
from dicom_mcp.errors import ConnectionRefused
from dicom_mcp.node import Node
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Query
from tests.bounds import PATIENCE, in_time, nothing_left_behind
from tests.faults.soak import ASSOCIATIONS, CALLERS, soak
from tests.peers.bad_network import CALM, Proxy, Weather
from tests.peers.scripted import HEALTHY, Peer, Talk, accept, hold

SECONDS = 60
SEED = 20260402


def test_every_call_of_sixteen_callers_ends_in_time_with_the_truth() -> None:
    # In a process of its own: memory and threads are not those of the tests before.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
        report = alone.submit(soak, SECONDS, SEED).result()
    assert not report.wrong, str(report)
    # If one of these ends is missing, the network was too good, or too bad.
    assert {"answered", "answered in part", "verified", "cancelled"} <= set(report.ended)
    assert {"ConnectionLost", "ConnectionRefused", "DeadlinePassed"} <= set(report.ended)
    assert report.ended["answered"] > 10 * CALLERS
    assert report.connections > 10


def test_associations_that_are_being_released_count_until_they_are_gone() -> None:
    released = threading.Event()

    def hear_release(talk: Talk) -> None:
        talk.read_pdu()
        released.set()

    with (
        nothing_left_behind(),
        Peer((accept, hear_release, hold)) as peer,
        Proxy("127.0.0.1", peer.port, seed=1) as proxy,
    ):
        node = Node("127.0.0.1", proxy.port)
        associate = partial(_associate, node)
        pool = Pool(associate, size=ASSOCIATIONS, idle_seconds=0.05)
        for _ in range(2):
            deadline = Deadline(PATIENCE)
            with pool.lease(deadline=deadline), pool.lease(deadline=deadline):
                pass
            assert released.wait(PATIENCE)
        pool.close()
        assert proxy.most_at_once == ASSOCIATIONS


def _associate(node: Node, deadline: Deadline) -> Association:
    return Association.request(node, (VERIFICATION,), deadline=deadline)


@pytest.mark.parametrize(
    "weather",
    [CALM, Weather(latency=0.001), Weather(rate=50_000)],
    ids=["calm", "late", "slow"],
)
def test_what_passes_the_proxy_unharmed_arrives_as_it_was(weather: Weather) -> None:
    with (
        nothing_left_behind(),
        Peer(HEALTHY) as peer,
        Proxy("127.0.0.1", peer.port, seed=1) as proxy,
    ):
        proxy.weather = weather
        with closing(connect(Node("127.0.0.1", proxy.port))) as archive:
            for _ in range(3):
                assert studies(archive) == ["1.2.0", "1.2.1", "1.2.2"]
        assert (proxy.connections, proxy.most_at_once) == (1, 1)


def test_a_proxy_that_was_down_is_up_again_at_the_same_port() -> None:
    with (
        nothing_left_behind(),
        Peer(HEALTHY) as peer,
        Proxy("127.0.0.1", peer.port, seed=1) as proxy,
        closing(connect(Node("127.0.0.1", proxy.port))) as archive,
    ):
        for _ in range(2):
            assert studies(archive)
            proxy.down()
            with pytest.raises(ConnectionRefused):
                studies(archive)
            proxy.up()
        assert studies(archive)


def studies(archive: Archive) -> list[object]:
    """The study UIDs of a complete answer."""
    query = Query(Level.STUDY, {"PatientID": "7"})
    answer = in_time(lambda: archive.find(query, limit=50, deadline=Deadline(PATIENCE)))
    assert answer.complete
    return [match["StudyInstanceUID"] for match in answer.matches]
