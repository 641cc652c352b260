"""What goes out on the wire, and where the end of a conversation is."""

import struct

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.dimse.association import Association
from dicom_mcp.dimse.echo import VERIFICATION, echo
from dicom_mcp.dimse.negotiation import IMPLEMENTATION_VERSION_NAME
from dicom_mcp.errors import ConnectionLost, ProtocolViolation, StatusFailure
from dicom_mcp.node import Node
from dicom_mcp.standard.levels import Model
from dicom_mcp.standard.part10 import IMPLEMENTATION_CLASS_UID
from tests.bounds import PATIENCE, in_time
from tests.dimse import codecs
from tests.peers.misbehaviours import rejected
from tests.peers.scripted import HEALTHY, Peer, Script, accept, end, hear_question, hold, pdu, row

pytestmark = pytest.mark.usefixtures("tidy")

SYNTAXES = (VERIFICATION, Model.PATIENT_ROOT.value, Model.STUDY_ROOT.value)
ABORT, RELEASE = 0x07, 0x05


def test_the_association_request_is_as_ps3_8_9_3_2_says_byte_for_byte() -> None:
    def item(kind: int, body: bytes) -> bytes:
        return struct.pack(">BxH", kind, len(body)) + body

    def context(id_: int, sop_class: str) -> bytes:
        syntaxes = item(0x40, codecs.EXPLICIT.encode()) + item(0x40, codecs.IMPLICIT.encode())
        return item(0x20, bytes([id_, 0, 0, 0]) + item(0x30, sop_class.encode()) + syntaxes)

    with Peer(HEALTHY) as peer:
        associate(peer).release()
        request = peer.talks[0].request
    assert request == (
        b"\0\1\0\0PEER            TESTER          "
        + bytes(32)
        + item(0x10, b"1.2.840.10008.3.1.1.1")
        + context(1, "1.2.840.10008.1.1")
        + context(3, "1.2.840.10008.5.1.4.1.2.1.1")
        + context(5, "1.2.840.10008.5.1.4.1.2.2.1")
        + item(
            0x50,
            item(0x51, struct.pack(">I", 128 * 1024))
            + item(0x52, IMPLEMENTATION_CLASS_UID.encode())
            + item(0x55, IMPLEMENTATION_VERSION_NAME.encode()),
        )
    )
    assert codecs.reencoded(pdu(0x01, request)) == pdu(0x01, request)


def test_release_is_said_and_its_answer_awaited() -> None:
    with Peer(HEALTHY) as peer:
        association = associate(peer)
        in_time(lambda: echo(association, deadline=Deadline(PATIENCE)))
        in_time(association.release)
        assert peer.talks[0].heard[-1] == RELEASE


def test_abort_is_said() -> None:
    with Peer((accept, hold)) as peer:
        associate(peer).abort()
        in_time(peer.talks[0].ended.wait)
        assert peer.talks[0].heard[-1] == ABORT


@pytest.mark.parametrize("reason", [(1, 1, 3), (2, 3, 2)])
def test_after_a_rejection_nothing_more_is_said(reason: tuple[int, int, int]) -> None:
    with Peer(rejected(*reason)) as peer:
        with pytest.raises(Exception, match="A-ASSOCIATE-RJ"):
            associate(peer)
        in_time(peer.talks[0].ended.wait)
        assert peer.talks[0].heard == [0x01]


@pytest.mark.parametrize(
    ("script", "error", "says"),
    [
        ((accept, hear_question, end(0x0122), hold), StatusFailure, "0x0122"),
        ((accept, hear_question, end(0x0211), hold), StatusFailure, "0x0211"),
        ((accept, hear_question, row(), hold), ProtocolViolation, "more answers to a C-ECHO"),
        ((accept, hear_question, row(message_id=9), hold), ProtocolViolation, "was not asked"),
        ((accept, hear_question), ConnectionLost, "before the answer was complete"),
    ],
)
def test_an_echo_that_fails_says_why(script: Script, error: type[Exception], says: str) -> None:
    with Peer(script) as peer:
        association = associate(peer)
        with pytest.raises(error, match=says):
            in_time(lambda: echo(association, deadline=Deadline(PATIENCE)))
        assert association.clean is (error is StatusFailure)
        association.abort()


def test_message_ids_begin_again_after_the_last() -> None:
    with Peer(HEALTHY) as peer:
        association = associate(peer)
        deadline = Deadline(10 * PATIENCE)
        context = association.context(VERIFICATION, "C-ECHO")
        sent = [association.send(context, {0x0100: 0x0FFF}, b"", deadline=deadline) for _ in "12"]
        assert sent == [1, 2]
        association._message_id = 0xFFFE  # pyright: ignore[reportPrivateUsage]
        sent = [association.send(context, {0x0100: 0x0FFF}, b"", deadline=deadline) for _ in "12"]
        assert sent == [0xFFFF, 1]
        association.abort()


def associate(peer: Peer) -> Association:
    node = Node("127.0.0.1", peer.port, called_ae_title="PEER", calling_ae_title="TESTER")
    return in_time(lambda: Association.request(node, SYNTAXES, deadline=Deadline(PATIENCE)))
