"""A call that is over, because its time is or because nobody waits any longer, ends at once; so
does the association, whatever the peer does."""

import gc
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from types import FrameType

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import Archive, connect
from dicom_mcp.errors import ArchiveError, Cancelled, DeadlinePassed
from dicom_mcp.node import Node
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Query
from tests.bounds import PATIENCE, in_time
from tests.pace import within
from tests.peers.misbehaviours import MISBEHAVIOURS, PARTINGS
from tests.peers.scripted import (
    CANCEL_REQUEST,
    Peer,
    Script,
    Talk,
    accept,
    hear_cancel,
    hear_question,
    hear_request,
    hold,
)

pytestmark = pytest.mark.usefixtures("tidy")

SHORT = 0.3
LEAVES = 0.1

# The promise: seconds after which a call that is over has ended.
GRACE = 1.0

QUERY = Query(Level.STUDY, {"PatientID": "7"})

ASSOCIATE, DATA, ABORT = 0x01, 0x04, 0x07


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_a_call_whose_time_is_over_ends_within_a_second(name: str) -> None:
    with Peer(MISBEHAVIOURS[name]) as peer, archive_at(peer) as archive, within(SHORT + GRACE):
        ask(archive, Deadline(SHORT))


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_a_cancelled_call_ends_within_a_second(name: str) -> None:
    with Peer(MISBEHAVIOURS[name]) as peer, archive_at(peer) as archive:
        deadline = Deadline(10 * PATIENCE)
        leaves = threading.Timer(LEAVES, deadline.cancel)
        with within(LEAVES + GRACE):
            leaves.start()
            ask(archive, deadline)
        leaves.join(PATIENCE)


@pytest.mark.parametrize("cancelled", [False, True], ids=["time is over", "cancelled"])
@pytest.mark.parametrize(
    ("script", "heard"),
    [
        ((hear_request, hold), [ASSOCIATE, ABORT]),
        ((accept, hear_question, hear_cancel, hold), [ASSOCIATE, DATA, DATA, DATA, ABORT]),
    ],
    ids=["associating", "asking"],
)
def test_the_archive_hears_a_cancel_where_that_helps_and_then_an_abort(
    script: Script, heard: list[int], cancelled: bool
) -> None:
    begun = threading.Event()

    def begin(talk: Talk) -> None:  # noqa: ARG001 - a step's shape
        begun.set()

    *before, last = script
    steps = (*before[:2], begin, *before[2:], last)
    with Peer(steps) as peer, archive_at(peer) as archive:
        deadline = Deadline(PATIENCE if cancelled else SHORT)
        if cancelled:
            canceller = threading.Thread(target=lambda: begun.wait(PATIENCE) and deadline.cancel())
            canceller.start()
        with pytest.raises(Cancelled if cancelled else DeadlinePassed):
            in_time(lambda: archive.find(QUERY, limit=5, deadline=deadline))
        (talk,) = peer.talks
        assert talk.ended.wait(PATIENCE)
        assert talk.heard == heard
        assert (talk.operation == CANCEL_REQUEST) is (DATA in heard)


@pytest.mark.parametrize("name", PARTINGS)
def test_an_archive_that_parts_badly_is_left_within_a_second(name: str) -> None:
    with Peer(PARTINGS[name]) as peer, archive_at(peer) as archive:
        answer = in_time(lambda: archive.find(QUERY, limit=5, deadline=Deadline(PATIENCE)))
        assert (len(answer.matches), answer.complete) == (3, True)
        with within(GRACE):
            in_time(archive.close)


def ask(archive: Archive, deadline: Deadline) -> None:
    """One question, however it ends as long as that is a way a question may end."""
    with suppress(ArchiveError, Cancelled):
        in_time(lambda: archive.find(QUERY, limit=5, deadline=deadline))


@contextmanager
def archive_at(peer: Peer) -> Generator[Archive]:
    """The archive at this peer, closed at the end."""
    archive = connect(Node("127.0.0.1", peer.port))
    try:
        yield archive
    finally:
        in_time(archive.close)


@pytest.mark.parametrize("name", ["closes midway", "is out of resources", "is congested"])
def test_an_error_keeps_nothing_of_what_it_came_through(name: str) -> None:
    """Frames hold answers, and a cycle of them waits for a garbage collector that comes seldom."""
    with Peer(MISBEHAVIOURS[name]) as peer, archive_at(peer) as archive:
        ask(archive, Deadline(PATIENCE))  # what is imported first leaves garbage of its own
        gc.collect()
        gc.disable()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            with suppress(ArchiveError, Cancelled):
                archive.find(QUERY, limit=5, deadline=Deadline(PATIENCE))
            gc.collect()
            kept = {one.f_code.co_name for one in gc.garbage if isinstance(one, FrameType)}
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
        assert "find" not in kept
