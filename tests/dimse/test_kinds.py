"""Objects of kinds that few know, retired and private ones: they come, over C-GET and C-MOVE; where
they do not, the reason is the right one."""

import socket
import struct
from collections.abc import Iterator
from contextlib import closing
from typing import Any, cast

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
)
from pynetdicom import AE

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.dicom_api import Archive, connect
from dicom_mcp.dimse.contexts import shares_of_rare
from dicom_mcp.dimse.exchange import DimseExchange
from dicom_mcp.errors import StatusFailure
from dicom_mcp.node import Node, Receiver
from dicom_mcp.standard.comment import without_names
from dicom_mcp.standard.instance import Reference
from tests.bounds import PATIENCE
from tests.dimse.fetching import ONE, TWO, ct, fetch, reference
from tests.peers.delivering import ARCHIVE, image, store
from tests.peers.program import free_port
from tests.peers.scripted import (
    IMPLICIT,
    Peer,
    Talk,
    accept,
    acceptance,
    command,
    element,
    hold,
    p_data,
    pdu,
)
from tests.peers.scripted import hear_request as hear_association
from tests.peers.scripted_sender import CT, finish, hear, hear_request, send, serve, storage_context

pytestmark = pytest.mark.usefixtures("tidy")

ULTRASOUND, NUCLEAR = "1.2.840.10008.5.1.4.1.1.6", "1.2.840.10008.5.1.4.1.1.5"
CURVE = "1.2.840.10008.5.1.4.1.1.9"
PRIVATE = ("1.2.276.0.7230010.3.1.0.1", "1.3.12.2.1107.5.9.1", "2.25.42")
# Newer than any dictionary here.
UNHEARD_OF = "1.2.840.10008.5.1.4.1.1.999.1"
KINDS = (ULTRASOUND, NUCLEAR, CURVE, *PRIVATE, UNHEARD_OF)


def of_kind(sop_class: str, number: int) -> Dataset:
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = UID(sop_class), UID(f"1.2.3.{number}")
    made.StudyInstanceUID, made.SeriesInstanceUID = "1.2", "1.2.3"
    made.PatientID, made.PatientName = "7", "Doe^Jane"
    made.Modality, made.InstanceNumber = "OT", number
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    return made


HELD = [of_kind(kind, number) for number, kind in enumerate(KINDS, 1)]


@pytest.fixture
def destination() -> Receiver:
    return Receiver("RECEIVER", free_port(), "127.0.0.1")


@pytest.fixture
def embedded(destination: Receiver) -> Iterator[EmbeddedArchive]:
    where = {destination.ae_title: (destination.host, destination.port)}
    with EmbeddedArchive(HELD, ae_title="KINDS", destinations=where) as running:
        yield running


@pytest.mark.parametrize("service", ["C-GET", "C-MOVE"])
@pytest.mark.parametrize("known", [True, False])
def test_retired_and_private_kinds_come_where_the_archive_names_them(
    embedded: EmbeddedArchive, destination: Receiver, service: str, known: bool
) -> None:
    node = Node(port=embedded.port, called_ae_title=embedded.ae_title, receiver=destination)
    exchange = DimseExchange(node)
    exchange.manners.offers_get = service == "C-GET"
    with closing(Archive(exchange)) as archive:
        came, retrieved = fetch(archive, [reference(held, kind=known) for held in HELD])
    assert {(one.sop_instance_uid, one.sop_class_uid) for one in came} == {
        (str(held.SOPInstanceUID), str(held.SOPClassUID)) for held in HELD
    }
    assert (retrieved.service, retrieved.missing, retrieved.notes) == (service, (), ())


@pytest.mark.parametrize("count", [1, 9, 40])
def test_however_many_kinds_there_are_no_request_has_more_than_128_contexts(count: int) -> None:
    kinds = [f"1.2.3.4.{number}" for number in range(count)]
    held = [of_kind(kind, number) for number, kind in enumerate(kinds, 1)]
    with (
        EmbeddedArchive(held, ae_title="KINDS") as running,
        closing(connect(Node(port=running.port))) as archive,
    ):
        came, retrieved = fetch(archive, [reference(one, kind=False) for one in held])
    assert (len(came), retrieved.missing) == (count, ())


def test_retired_kinds_are_tried_where_the_archive_names_none() -> None:
    tried = {storage.sop_class for share in shares_of_rare(ct(ONE)) for storage in share.storage}
    assert {ULTRASOUND, NUCLEAR, CURVE} <= tried


@pytest.mark.parametrize("sop_class", ["1.2." + "3" * 70, "1.2.é", "a b", "CT\\MR", " "])
def test_a_kind_that_is_no_uid_is_as_good_as_none(sop_class: str) -> None:
    script = (accept, hear_request, send(ONE), finish(completed=1), hold)
    with Peer(script) as peer, closing(connect(Node(port=peer.port))) as archive:
        came, _ = fetch(archive, [Reference("1.2", "1.2.3", ONE, sop_class)])
    assert [one.sop_instance_uid for one in came] == [ONE]


# --- why they did not come


def refuse_private(talk: Talk) -> None:
    """Accept all contexts but those of the first private SOP class."""
    sop_class = PRIVATE[0]
    hear_association(talk)
    said = acceptance(talk)
    for id_, content in talk.contexts.items():
        if sop_class.encode() + b"\x40" in content:
            item = bytes([id_, 0, 0, 0, 0x40])
            said = said.replace(item, bytes([id_, 0, 3, 0, 0x40]))
    talk.send(said)


def test_what_has_no_context_is_told_so_and_the_sub_operations_are_counted() -> None:
    private = Reference("1.2", "1.2.3", TWO, PRIVATE[0])
    end = finish(0xB000, completed=1, failed=1, failed_uids=TWO)
    script = (refuse_private, hear_request, send(ONE), end, hold)
    with Peer(script) as peer, closing(connect(Node(port=peer.port))) as archive:
        came, retrieved = fetch(archive, [*ct(ONE), private])
    assert [one.sop_instance_uid for one in came] == [ONE]
    assert retrieved.missing == (private,)
    (note,) = map(str, retrieved.notes)
    assert f"it accepts no presentation context for {PRIVATE[0]}" in note
    assert "1 completed, 1 failed, 0 with warnings" in note
    assert "sent objects of this kind" in note
    assert "register" not in note


@pytest.mark.parametrize("status", [0xA702, 0xC000, 0xB000])
def test_a_failure_tells_the_sub_operations_and_what_the_archive_says_of_it(status: int) -> None:
    comment = "Unable to read file of ZZSECRET^JANE from disk"
    ending = finish(status, failed=1, failed_uids=ONE, comment=comment)
    with (
        Peer((accept, serve(lambda talk, _: ending(talk)))) as peer,
        closing(connect(Node(port=peer.port))) as archive,
    ):
        try:
            told = " ".join(map(str, fetch(archive, ct(ONE))[1].notes))
        except StatusFailure as failure:
            told = str(failure)
    assert "0 completed, 1 failed, 0 with warnings" in told
    assert 'it says "Unable to read file of … from disk"' in told
    assert "ZZSECRET" not in told


def pushed(place: Receiver, sop_class: str, syntax: UID) -> None:
    """An association as an archive opens one that has only this to offer."""
    ae = AE(ARCHIVE)
    ae.add_requested_context(sop_class, syntax)
    sending = cast("Any", ae).associate(place.host, place.port, ae_title=place.ae_title)
    connection = sending.dul.socket.socket
    sending.abort()
    if sending.ident:
        sending.join(PATIENCE)
    if connection:
        connection.close()


def test_a_move_that_offers_no_transfer_syntax_of_ours_is_not_told_to_register(
    destination: Receiver,
) -> None:
    def offers(_: Talk) -> None:
        pushed(destination, CT, DeflatedExplicitVRLittleEndian)

    script = (accept, hear_request, offers, finish(0xA702, failed=1), hold)
    with Peer(script) as peer:
        exchange = DimseExchange(Node(port=peer.port, receiver=destination))
        exchange.manners.offers_get = False
        with closing(Archive(exchange)) as archive, pytest.raises(StatusFailure) as failure:
            fetch(archive, ct(ONE))
    told = str(failure.value)
    assert "it offered CT Image Storage in no transfer syntax that is taken there" in told
    assert "0 completed, 1 failed" in told
    assert "register" not in told


@pytest.mark.parametrize("where", ["in the object", "nowhere"])
@pytest.mark.parametrize("service", ["C-GET", "C-MOVE"])
def test_an_object_sent_without_its_uid_is_answered_and_has_the_one_that_is_in_it(
    destination: Receiver, service: str, where: str
) -> None:
    uid = ONE if where == "in the object" else ""
    answered: list[int] = []

    def answer(talk: Talk, identifier: bytes) -> None:  # noqa: ARG001 - what `serve` calls
        asked = talk.message_id, talk.context_id
        if service == "C-GET":
            talk.send(nameless(storage_context(talk), uid))
            hear(talk)
            talk.message_id, talk.context_id = asked
        else:
            answered.append(stored_raw(destination, nameless(1, uid)))
        finish(completed=1)(talk)

    with Peer((accept, serve(answer))) as peer:
        exchange = DimseExchange(Node(port=peer.port, receiver=destination))
        exchange.manners.offers_get = service == "C-GET"
        with closing(Archive(exchange)) as archive:
            came, retrieved = fetch(archive, ct(ONE))
    assert [one.sop_instance_uid for one in came] == ([ONE] if uid else [])
    assert len(retrieved.missing) == (0 if uid else 1)
    assert "register" not in " ".join(map(str, retrieved.notes))
    assert set(answered) <= {0x0000 if uid else 0x0124}


def nameless(context_id: int, uid: str) -> bytes:
    """A C-STORE-RQ without Affected SOP Instance UID, its object with this one."""
    request = {0x0002: CT.encode() + b"\0", 0x0100: 1, 0x0110: 7, 0x0700: 0, 0x0800: 1}
    body = element(8, 0x18, uid.encode() + b"\0") if uid else b""
    body += element(0x7FE0, 0x10, bytes(100))
    return p_data((context_id, 3, command({**request}))) + p_data((context_id, 2, body))


def stored_raw(place: Receiver, message: bytes) -> int:
    """The status of the C-STORE-RSP to this message, on an association for CT images."""

    def item(kind: int, body: bytes) -> bytes:
        return struct.pack(">BxH", kind, len(body)) + body

    context = item(0x20, bytes([1, 0, 0, 0]) + item(0x30, CT.encode()) + item(0x40, IMPLICIT))
    user = item(0x50, item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3"))
    titles = place.ae_title.encode().ljust(16) + ARCHIVE.encode().ljust(16)
    name = item(0x10, b"1.2.840.10008.3.1.1.1")
    with socket.create_connection((place.host, place.port), PATIENCE) as connection:
        connection.sendall(pdu(0x01, b"\0\1\0\0" + titles + bytes(32) + name + context + user))
        read_pdu(connection)
        connection.sendall(message)
        said = read_pdu(connection)
    at = said.index(struct.pack("<HHI", 0, 0x0900, 2)) + 8
    return struct.unpack_from("<H", said, at)[0]


def read_pdu(connection: socket.socket) -> bytes:
    with connection.makefile("rb", buffering=0) as stream:
        _, length = struct.unpack(">BxI", stream.read(6) or b"")
        body = b""
        while len(body) < length:
            body += stream.read(length - len(body)) or b""
    return body


def test_our_receiver_takes_a_private_kind(destination: Receiver) -> None:
    def sends(talk: Talk) -> None:
        private = image(ONE)
        private.SOPClassUID = UID(PRIVATE[1])
        assert store(destination, private, origin=talk.message_id) == [0x0000]

    with Peer((accept, hear_request, sends, finish(completed=1), hold)) as peer:
        exchange = DimseExchange(Node(port=peer.port, receiver=destination))
        exchange.manners.offers_get = False
        with closing(Archive(exchange)) as archive:
            came, retrieved = fetch(archive, ct(ONE))
    assert [one.sop_class_uid for one in came] == [PRIVATE[1]]
    assert retrieved.missing == ()


@pytest.mark.parametrize(
    ("comment", "told"),
    [
        ("Unable to find matching presentation context", None),
        ("Move Destination: STORESCP unknown", "Move Destination: … unknown"),
        ("Patient DOE^JANE, 12345 not found", "Patient …, … not found"),
        ("DOE^JANE", ""),
        ("", ""),
    ],
)
def test_of_a_comment_only_words_are_told_that_name_nobody(comment: str, told: str | None) -> None:
    assert without_names(comment) == (comment if told is None else told)
