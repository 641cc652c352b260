"""C-MOVE to our receiver: what it accepts, what it refuses, and how a move ends."""

import socket
import struct
import threading
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from pydicom.uid import ImplicitVRLittleEndian

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import Archive
from dicom_mcp.dimse import unasked
from dicom_mcp.dimse.exchange import DimseExchange
from dicom_mcp.dimse.inbox import Inbox, Senders
from dicom_mcp.dimse.receiver import receiving
from dicom_mcp.errors import ArchiveError, Cancelled, DeadlinePassed, NoAcceptedContext
from dicom_mcp.node import Node, Receiver
from dicom_mcp.standard.instance import Instance, Retrieved
from tests.bounds import PATIENCE, in_time
from tests.dimse.fetching import ONE, TWO, ct, fetch
from tests.notes import the_note
from tests.peers.delivering import ARCHIVE, SENDERS, deliver, image, store
from tests.peers.program import free_port
from tests.peers.pynetdicom_scp import accepting
from tests.peers.scripted import CANCEL_REQUEST, Peer, Script, Talk, accept, hold
from tests.peers.scripted_sender import CT, GET, finish, hear, hear_request, send, serve

pytestmark = pytest.mark.usefixtures("tidy")

NOT_AUTHORISED, OUT_OF_RESOURCES = 0x0124, 0xA700


@pytest.fixture
def place() -> Receiver:
    return Receiver("RECEIVER", free_port(), "127.0.0.1")


def emptied(inbox: Inbox) -> list[Instance]:
    inbox.close()
    return list(inbox.instances(Deadline(PATIENCE)))


def test_an_object_that_is_waited_for_arrives_as_it_travelled(place: Receiver) -> None:
    with receiving(place, {ONE}, 1000, SENDERS, Deadline(PATIENCE)) as inbox:
        assert store(place, image(ONE), origin=3) == [0x0000]
        (came,) = emptied(inbox)
    assert (came.sop_class_uid, came.sop_instance_uid) == (CT, ONE)
    assert came.transfer_syntax == ImplicitVRLittleEndian
    assert came.data_set.endswith(struct.pack("<HHI", 0x7FE0, 0x10, 100) + bytes(100))


def test_what_nobody_asked_for_is_refused(place: Receiver) -> None:
    with receiving(place, {ONE}, 1000, SENDERS, Deadline(PATIENCE)) as inbox:
        inbox.message_id = 3
        assert store(place, image(TWO)) == [NOT_AUTHORISED]
        assert emptied(inbox) == []


@pytest.mark.parametrize("origin", [None, 3, 4])
def test_what_was_asked_for_is_taken_whatever_move_it_names(
    place: Receiver, origin: int | None
) -> None:
    with receiving(place, {ONE}, 1000, SENDERS, Deadline(PATIENCE)) as inbox:
        inbox.message_id = 3
        assert store(place, image(ONE), origin=origin) == [0x0000]
        assert len(emptied(inbox)) == 1


def test_an_object_that_is_too_large_ends_its_association_and_is_named(place: Receiver) -> None:
    with receiving(place, {ONE}, 1000, SENDERS, Deadline(PATIENCE)) as inbox:
        assert store(place, image(ONE, size=3_000_000)) == [None]
        assert inbox.too_large == ONE
        assert emptied(inbox) == []


def test_what_is_no_longer_wanted_is_refused(place: Receiver) -> None:
    with receiving(place, {ONE}, 1000, SENDERS, Deadline(PATIENCE)) as inbox:
        inbox.close()
        assert store(place, image(ONE)) == [OUT_OF_RESOURCES]


def test_a_pdu_that_is_too_long_to_be_one_ends_the_connection(place: Receiver) -> None:
    with (
        receiving(place, {ONE}, 1000, SENDERS, Deadline(PATIENCE)),
        socket.create_connection((place.host, place.port), PATIENCE) as stranger,
    ):
        stranger.sendall(struct.pack(">BxI", 0x01, 0xFFFFFFF0))
        assert stranger.recv(100) == b"" or stranger.recv(100) == b""


@pytest.mark.parametrize(
    ("title", "called", "reason"),
    [("STRANGER", "RECEIVER", 3), (ARCHIVE, "SOMEONE", 7), ("", "RECEIVER", 3)],
)
def test_one_that_is_not_the_archive_is_rejected_and_counted(
    place: Receiver, title: str, called: str, reason: int
) -> None:
    titles = f"{called:16}{title:16}".encode()
    request = struct.pack(">BxIHxx", 0x01, 68, 1) + titles + bytes(32)
    with receiving(place, {ONE}, 1000, SENDERS, Deadline(PATIENCE)) as inbox:
        with socket.create_connection((place.host, place.port), PATIENCE) as stranger:
            stranger.sendall(request)
            rejected = stranger.recv(100)
        assert rejected == bytes([0x03, 0, 0, 0, 0, 4, 0, 1, 1, reason])  # PS3.8 9.3.4
        assert sum(inbox.visit.strangers.values()) == 1
        assert store(place, image(ONE)) == [0x0000]
        assert len(emptied(inbox)) == 1


def test_one_who_comes_from_elsewhere_is_closed_at_once(place: Receiver) -> None:
    elsewhere = Senders(frozenset({"192.0.2.7"}), SENDERS.titles, SENDERS.originator)
    with (
        receiving(place, {ONE}, 1000, elsewhere, Deadline(PATIENCE)) as inbox,
        socket.create_connection((place.host, place.port), PATIENCE) as stranger,
    ):
        assert stranger.recv(1) == b""
        assert inbox.visit.strangers == {"127.0.0.1": 1}
        assert "127.0.0.1 (1)" in inbox.visit.others


def test_an_object_of_another_move_is_refused(place: Receiver) -> None:
    others = Senders(SENDERS.addresses, SENDERS.titles, "ANOTHER")
    with receiving(place, {ONE}, 1000, others, Deadline(PATIENCE)) as inbox:
        assert store(place, image(ONE), origin=3) == [NOT_AUTHORISED]
        assert store(place, image(ONE)) == [0x0000]  # many archives name no move
        assert len(emptied(inbox)) == 1


def test_one_who_requests_nothing_is_closed_after_a_second_and_counted(place: Receiver) -> None:
    with (
        receiving(place, {ONE}, 1000, SENDERS, Deadline(PATIENCE)) as inbox,
        socket.create_connection((place.host, place.port), PATIENCE) as stranger,
    ):
        assert stranger.recv(1) == b""
        assert inbox.visit.strangers == {"127.0.0.1, requesting nothing": 1}


def test_sixty_who_say_nothing_keep_no_archive_out(place: Receiver) -> None:
    with receiving(place, {ONE}, 1000, SENDERS, Deadline(PATIENCE)) as inbox, ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(socket.create_connection((place.host, place.port), PATIENCE))
        assert store(place, image(ONE)) == [0x0000]
        assert len(emptied(inbox)) == 1


def test_the_port_is_open_only_while_something_is_waited_for(place: Receiver) -> None:
    with receiving(place, {ONE}, 1000, SENDERS, Deadline(PATIENCE)) as first:
        with receiving(place, {TWO}, 1000, SENDERS, Deadline(PATIENCE)) as second:
            assert store(place, image(ONE), image(TWO)) == [0x0000, 0x0000]
            assert [one.sop_instance_uid for one in emptied(second)] == [TWO]
        assert [one.sop_instance_uid for one in emptied(first)] == [ONE]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((place.host, place.port), PATIENCE)


def test_a_port_that_is_taken_is_an_error_that_names_it(place: Receiver) -> None:
    with (
        socket.create_server((place.host, place.port)),
        pytest.raises(ArchiveError, match=f"port {place.port} cannot be listened on"),
        receiving(place, {ONE}, 1000, SENDERS, Deadline(PATIENCE)),
    ):
        pass


# --- whole moves


def moved(
    place: Receiver, script: Script, *uids: str, seconds: float = PATIENCE, most: int = 100
) -> tuple[list[str], Retrieved]:
    """What came of asking a peer with this script to move these objects to us."""
    with Peer((accept, *script)) as peer:
        exchange = DimseExchange(Node(port=peer.port, receiver=place))
        exchange.manners.offers_get = False
        with closing(Archive(exchange)) as archive:
            came, retrieved = fetch(archive, ct(*uids), seconds=seconds, most=most)
    return [one.sop_instance_uid for one in came], retrieved


def test_a_move_brings_what_the_archive_sends(place: Receiver) -> None:
    script = (hear_request, deliver(place, ONE, TWO), finish(completed=2), hold)
    came, retrieved = moved(place, script, ONE, TWO)
    assert came == [ONE, TWO]
    assert retrieved == Retrieved("C-MOVE", 2)


def test_an_archive_that_answers_before_it_sends_is_waited_for(place: Receiver) -> None:
    script = (hear_request, finish(completed=1), deliver(place, ONE), deliver(place, TWO), hold)
    came, retrieved = moved(place, script, ONE, TWO)
    assert came == [ONE, TWO]
    assert retrieved == Retrieved("C-MOVE", 2)


def test_nothing_is_written_to_disk(
    place: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    there: list[Path] = []

    def look(talk: Talk) -> None:  # noqa: ARG001 - the shape of a step
        there.extend(tmp_path.rglob("*"))

    script = (hear_request, deliver(place, ONE), look, finish(completed=1), hold)
    came, _ = moved(place, script, ONE)
    assert came == [ONE]
    assert [*there, *tmp_path.rglob("*")] == []


def test_what_c_get_cannot_bring_is_moved(place: Receiver) -> None:
    def answer(talk: Talk, identifier: bytes) -> None:
        if talk.operation == GET:
            send(ONE)(talk)
            finish(0xB000, completed=1, failed=1)(talk)
        else:
            assert ONE.encode() not in identifier
            deliver(place, TWO)(talk)
            finish(completed=1)(talk)

    with Peer((accept, serve(answer))) as peer:
        exchange = DimseExchange(Node(port=peer.port, receiver=place))
        with closing(Archive(exchange)) as archive:
            came, retrieved = fetch(archive, ct(ONE, TWO))
    assert [one.sop_instance_uid for one in came] == [ONE, TWO]
    assert retrieved == Retrieved("C-GET, C-MOVE", 2)


def test_a_port_that_is_taken_is_told_for_what_c_get_could_not_bring(place: Receiver) -> None:
    def answer(talk: Talk, identifier: bytes) -> None:  # noqa: ARG001
        send(ONE)(talk)
        finish(0xB000, completed=1, failed=1)(talk)

    with (
        Peer((accept, serve(answer))) as peer,
        socket.create_server((place.host, place.port)),
        closing(Archive(DimseExchange(Node(port=peer.port, receiver=place)))) as archive,
    ):
        came, retrieved = fetch(archive, ct(ONE, TWO))
    assert [one.sop_instance_uid for one in came] == [ONE]
    assert the_note(retrieved.notes, f"port {place.port} cannot be listened on")


def test_an_archive_that_sends_them_elsewhere_is_told_our_title_and_port(place: Receiver) -> None:
    came, retrieved = moved(place, (hear_request, finish(completed=1), hold), ONE)
    assert came == []
    assert the_note(
        retrieved.notes, f"register RECEIVER at this machine's address, port {place.port}"
    )


def test_an_archive_that_came_to_our_receiver_is_not_told_to_register_it(place: Receiver) -> None:
    def sends_another(_: Talk) -> None:
        assert store(place, image(TWO)) == [NOT_AUTHORISED]

    came, retrieved = moved(place, (hear_request, sends_another, finish(completed=1), hold), ONE)
    assert came == []
    note = the_note(retrieved.notes, "came to our receiver")
    assert "register" not in note


def test_an_unknown_destination_is_answered_with_what_to_register(place: Receiver) -> None:
    with pytest.raises(ArchiveError) as failure:
        moved(place, (hear_request, finish(0xA801), hold), ONE)
    assert failure.value.remedy == (
        f"register RECEIVER at this machine's address, port {place.port}"
    )


def test_a_move_that_hangs_is_left_at_the_deadline(place: Receiver) -> None:
    with pytest.raises(DeadlinePassed):
        moved(place, (hear_request, hold), ONE, seconds=0.5)
    script = (hear_request, deliver(place, ONE), hold)
    came, retrieved = moved(place, script, ONE, TWO, seconds=2)
    assert came == [ONE]
    assert [one.sop_instance_uid for one in retrieved.missing] == [TWO]


def test_a_move_of_which_no_more_is_wanted_is_stopped(place: Receiver) -> None:
    over = threading.Event()

    def hear_cancel(talk: Talk) -> None:
        finish(0xFF00)(talk)
        while talk.operation != CANCEL_REQUEST:
            hear(talk)
        over.set()

    script = (hear_request, deliver(place, ONE), hear_cancel, hold)
    came, retrieved = moved(place, script, ONE, TWO, most=1)
    assert came == [ONE]
    assert retrieved.missing == ()
    assert over.wait(PATIENCE)


def test_an_archive_that_moves_what_nobody_asked_for_without_end_is_stopped_and_said_to_be(
    place: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unasked, "MOST_UNASKED", 5)
    taken: list[int | None] = []

    def flood(_: Talk) -> None:
        taken.extend(store(place, *(image(f"9.{number}") for number in range(1, 1000))))

    script = (hear_request, deliver(place, ONE), flood, hold)
    came, retrieved = moved(place, script, ONE, TWO)
    assert came == [ONE]
    assert [one.sop_instance_uid for one in retrieved.missing] == [TWO]
    the_note(retrieved.notes, "1 of 2 objects did not come: it sent more than")
    assert taken[:5] == [NOT_AUTHORISED] * 5
    assert len(taken) < 20


def test_a_cancelled_move_ends_at_once(place: Receiver) -> None:
    with Peer((accept, hear_request, deliver(place, ONE), hold)) as peer:
        exchange = DimseExchange(Node(port=peer.port, receiver=place))
        exchange.manners.offers_get = False
        deadline = Deadline(PATIENCE)

        def take(_: Instance) -> bool:
            deadline.cancel()
            return True

        with closing(Archive(exchange)) as archive, pytest.raises(Cancelled):
            in_time(lambda: archive.objects(ct(ONE, TWO), take, deadline=deadline))


def test_an_archive_with_neither_service_says_so(place: Receiver) -> None:
    with accepting() as acceptor:
        exchange = DimseExchange(Node(port=acceptor.port, receiver=place))
        with (
            closing(Archive(exchange)) as archive,
            pytest.raises(NoAcceptedContext, match="neither C-GET nor C-MOVE"),
        ):
            fetch(archive, ct(ONE))
