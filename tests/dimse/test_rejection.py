"""An association rejected for the moment is requested once more; one rejected for good is not."""

from collections.abc import Callable
from contextlib import closing
from datetime import date

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import Archive
from dicom_mcp.dimse.exchange import DimseExchange
from dicom_mcp.errors import AssociationRejected
from dicom_mcp.node import Node, Receiver
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Query
from dicom_mcp.words.schedule import WorklistQuestion
from tests.bounds import PATIENCE, in_time
from tests.dimse.fetching import ONE, ct, fetch
from tests.peers.delivering import deliver
from tests.peers.misbehaviours import rejected
from tests.peers.program import free_port
from tests.peers.scripted import (
    Peer,
    Script,
    Talk,
    accept,
    at_first,
    behave,
    element,
    end,
    hear_question,
)
from tests.peers.scripted import row as give_row
from tests.peers.scripted_sender import finish, send, serve

pytestmark = pytest.mark.usefixtures("tidy")

CONGESTED, NO_MORE_ASSOCIATIONS = (3, 1), (3, 2)
BY_PROVIDER, BY_USER = (2, 1), (1, 1)
PERMANENT, TRANSIENT = 1, 2

ENTRY = element(0x10, 0x10, b"ZZSECRET^JANE") + element(0x10, 0x20, b"7")


def place(port: int) -> Receiver:
    return Receiver("RECEIVER", port, "127.0.0.1")


def sends(talk: Talk, identifier: bytes) -> None:  # noqa: ARG001 - what `serve` calls
    send(ONE)(talk)
    finish(completed=1)(talk)


def moves(port: int) -> Callable[[Talk, bytes], None]:
    def answer(talk: Talk, identifier: bytes) -> None:  # noqa: ARG001
        deliver(place(port), ONE)(talk)
        finish(completed=1)(talk)

    return answer


def finds(archive: Archive) -> None:
    query = Query(Level.STUDY, {"PatientID": "7"})
    answer = archive.find(query, limit=5, deadline=Deadline(PATIENCE))
    assert (len(answer.matches), answer.complete, answer.notes) == (3, True, ())


def fetches(archive: Archive) -> None:
    came, retrieved = fetch(archive, ct(ONE))
    assert (len(came), retrieved.missing, retrieved.notes) == (1, (), ())


def asks_worklist(archive: Archive) -> None:
    question = WorklistQuestion.of(today=date(2026, 1, 2), patient_id="7")
    answer = archive.worklist(question, limit=5, deadline=Deadline(PATIENCE))
    assert (len(answer.rows), answer.complete) == (1, True)


# Each service: what the archive does once it accepts, and what is asked of it.
SERVICES: dict[str, tuple[Callable[[int], Script], Callable[[Archive], object]]] = {
    "C-ECHO": (lambda _: (behave,), lambda archive: archive.verify(deadline=Deadline(PATIENCE))),
    "C-FIND": (lambda _: (behave,), finds),
    "C-FIND of a worklist": (
        lambda _: (hear_question, give_row(data_set=ENTRY), end(), behave),
        asks_worklist,
    ),
    "C-GET": (lambda _: (serve(sends),), fetches),
    "C-MOVE": (lambda port: (serve(moves(port)),), fetches),
}


@pytest.mark.parametrize("reason", [CONGESTED, NO_MORE_ASSOCIATIONS, BY_PROVIDER, BY_USER])
@pytest.mark.parametrize("service", SERVICES)
def test_what_was_rejected_for_the_moment_is_asked_once_more_and_answered(
    service: str, reason: tuple[int, int]
) -> None:
    port = free_port()
    behaves, asks = SERVICES[service]
    script = (at_first(*rejected(TRANSIENT, *reason)), accept, *behaves(port))
    with Peer(script) as peer:
        receiver = place(port) if service == "C-MOVE" else None
        exchange = DimseExchange(Node(port=peer.port, receiver=receiver))
        exchange.manners.offers_get = service != "C-MOVE"
        with closing(Archive(exchange)) as archive:
            in_time(lambda: asks(archive))
        assert len(peer.talks) == 2


@pytest.mark.parametrize("reason", [CONGESTED, NO_MORE_ASSOCIATIONS, BY_USER])
@pytest.mark.parametrize(("result", "requests"), [(PERMANENT, 1), (TRANSIENT, 2)])
def test_what_is_rejected_for_good_is_requested_once_and_what_stays_rejected_twice(
    reason: tuple[int, int], result: int, requests: int
) -> None:
    with (
        Peer(rejected(result, *reason)) as peer,
        closing(Archive(DimseExchange(Node(port=peer.port)))) as archive,
    ):
        with pytest.raises(AssociationRejected, match=f"source {reason[0]}, reason {reason[1]}"):
            in_time(lambda: finds(archive))
        assert len(peer.talks) == requests
