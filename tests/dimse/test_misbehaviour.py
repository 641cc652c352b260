"""Every misbehaviour of the menu ends in time, with the truth, and hurts no later question."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import Archive, connect
from dicom_mcp.errors import (
    ArchiveError,
    AssociationAborted,
    AssociationRejected,
    CalledTitleNotRecognised,
    CallingTitleNotRecognised,
    ConnectionLost,
    ConnectionRefused,
    DeadlinePassed,
    NoAcceptedContext,
    ProtocolViolation,
    RejectedWithoutReason,
    StatusFailure,
    TooManyAssociations,
)
from dicom_mcp.node import Node
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Matches, Query
from tests.bounds import PATIENCE, in_time
from tests.pace import scaled
from tests.peers.misbehaviours import MISBEHAVIOURS
from tests.peers.scripted import Peer

pytestmark = pytest.mark.usefixtures("tidy")

# Enough for every peer that answers at all, short for those that never will.
SHORT = 0.5
LIMIT = 20
QUERY = Query(Level.STUDY, {"PatientID": "7"}, ("PatientID", "PatientName"))


@dataclass(frozen=True, slots=True)
class Fails:
    """Ends with an error of this very type whose sentence says this."""

    error: type[ArchiveError]
    says: str


@dataclass(frozen=True, slots=True)
class Answers:
    """Gives this many matches; incomplete ones say so in a note with these words."""

    rows: int
    unless_complete: str = ""
    note: str = ""


LOST = Fails(ConnectionLost, "Try again")
NO_ASSOCIATION = Fails(ConnectionLost, "in answer to the association request")
NO_DICOM = Fails(ProtocolViolation, "Check that the port is the archive's DICOM port")
NOT_ALLOWED = Fails(ProtocolViolation, "not allowed in state Sta")
SILENT = Fails(DeadlinePassed, "no complete answer within")
NOT_WHOLE = Fails(ProtocolViolation, "not a whole DICOM data set")
ANOTHER = Fails(ProtocolViolation, "a question that was not asked")
CUT_BY_TIME = "Not complete: no complete answer within"
KEPT = Answers(3)

# A question and one more try, or a part of it.
MOST_QUESTIONS = 3

EXPECTED: dict[str, Fails | Answers] = {
    "refuses TCP": Fails(ConnectionRefused, "Check that the archive is running"),
    "accepts and says nothing": SILENT,
    "closes on accept": NO_ASSOCIATION,
    "resets on accept": NO_ASSOCIATION,
    "closes after reading the request": NO_ASSOCIATION,
    "resets after reading the request": NO_ASSOCIATION,
    "is a web server": NO_DICOM,
    "is an SSH server": NO_DICOM,
    "wants TLS": Fails(ProtocolViolation, "This port speaks TLS: configure tls for this node"),
    "sends garbage": NO_DICOM,
    "rejects without a reason": Fails(RejectedWithoutReason, "TESTER and this machine's address"),
    "does not know the application context": Fails(AssociationRejected, "application context"),
    "does not know our title": Fails(CallingTitleNotRecognised, "calling_ae_title TESTER"),
    "has another title": Fails(CalledTitleNotRecognised, "called_ae_title PEER is not its title"),
    "rejects as provider without a reason": Fails(TooManyAssociations, "try again in a moment"),
    "does not know the protocol version": Fails(AssociationRejected, "protocol version"),
    "is congested": Fails(TooManyAssociations, "temporarily congested"),
    "has too many associations": Fails(TooManyAssociations, "limit of associations"),
    "rejects for a reason that does not exist": Fails(RejectedWithoutReason, "reason 9"),
    "is congested at first": KEPT,
    "has too many associations at first": KEPT,
    "aborts instead of accepting": Fails(AssociationAborted, "aborted the association"),
    "releases instead of accepting": NOT_ALLOWED,
    "answers with a request": NOT_ALLOWED,
    "sends data instead of accepting": NOT_ALLOWED,
    "accepts no context": Fails(NoAcceptedContext, "this SOP class is not supported"),
    "accepts none of the transfer syntaxes": Fails(NoAcceptedContext, "transfer syntaxes"),
    "accepts other contexts": Fails(NoAcceptedContext, "not C-FIND (Study Root)"),
    "accepts in Deflated": Fails(NoAcceptedContext, "a transfer syntax that was not offered"),
    "accepts in Big Endian": Fails(NoAcceptedContext, "a transfer syntax that was not offered"),
    "accepts without any item": Fails(ProtocolViolation, "A-ASSOCIATE-AC"),
    "accepts twice": NOT_ALLOWED,
    "accepts in rubbish": Fails(ProtocolViolation, "A-ASSOCIATE-AC"),
    "accepts at enormous length": Fails(ProtocolViolation, "4294967295 bytes exceeds"),
    "accepts halfway": SILENT,
    "accepts slowly": SILENT,
    "sends half a PDU and falls silent": Answers(2, CUT_BY_TIME),
    "sends half a PDU and closes": LOST,
    "sends one byte and falls silent": SILENT,
    "announces an enormous PDU": Fails(ProtocolViolation, "4294967295 bytes exceeds"),
    "sends a PDU type that does not exist": NO_DICOM,
    "sends an empty item": Fails(ProtocolViolation, "P-DATA item"),
    "sends an item beyond its PDU": Fails(ProtocolViolation, "impossible length"),
    "sends empty fragments forever": SILENT,
    "sends empty PDUs forever": Fails(ProtocolViolation, "holds no item"),
    "mixes two messages": Fails(ProtocolViolation, "fragments of two messages"),
    "sends an endless command": Fails(ProtocolViolation, "command exceeds"),
    "sends an endless data set": Fails(ProtocolViolation, "attribute_preset=minimal"),
    "drips its answer": Answers(1),
    "answers another message": ANOTHER,
    "answers on another context": ANOTHER,
    "answers with a C-ECHO": ANOTHER,
    "answers with a request of its own": ANOTHER,
    "answers without a status": Fails(ProtocolViolation, "lacks its STATUS"),
    "answers without a message id": ANOTHER,
    "answers with a status of four bytes": Fails(ProtocolViolation, "wrong size"),
    "gives a match without an identifier": Fails(ProtocolViolation, "without an identifier"),
    "gives a match with an empty identifier": Fails(ProtocolViolation, "without an identifier"),
    "gives matches forever": Answers(LIMIT, "these are the first 20 studies"),
    "repeats a match forever": Answers(1, "kept repeating studies"),
    "gives other matches forever": Answers(0, "50,001 studies in a row that are not what was"),
    "gives enormous matches forever": Answers(10, "beyond 8 MiB"),
    "resets midway": LOST,
    "closes midway": LOST,
    "aborts midway": Fails(AssociationAborted, "aborted the association"),
    "aborts midway because of us": Fails(AssociationAborted, "an invalid parameter in one of our"),
    "releases midway": Fails(AssociationAborted, "ended the association before it had answered"),
    "falls silent after the question": SILENT,
    "falls silent after three rows": Answers(3, CUT_BY_TIME),
    "is out of resources": Fails(StatusFailure, "0xA700"),
    "is out of resources after three rows": Answers(3, "0xA700 (refused: out of resources)"),
    "does not like the identifier": Fails(StatusFailure, "give the unique keys above it"),
    "cannot process": Fails(StatusFailure, "0xC000"),
    "cannot process after three rows": Answers(3, "0xC001"),
    "does not support the SOP class": Fails(StatusFailure, "0x0122"),
    "does not allow it": Fails(StatusFailure, "not authorised"),
    "ends with a status that does not exist": Fails(StatusFailure, "0x1234"),
    "cancels unasked": KEPT,
    "cancels unasked after three rows": Answers(3, "0xFE00"),
    "ends with a warning": Answers(3, "0xB000"),
    "does not support optional keys": Answers(1, note="0xFF01"),
    "gives a final answer with an identifier": Answers(1),
    "gives an answer too many": Answers(1),
    "cuts an identifier short": Answers(2, "1 study came damaged"),
    "gives an attribute two values": Answers(2, "1 study came damaged"),
    "gives bytes that are no identifier": NOT_WHOLE,
    "nests without end": Answers(1, "1 study came damaged"),
    "gives a bad value": Answers(3),  # the third when it behaves and the list is proved
    "closes a kept association": KEPT,
    "resets a kept association": KEPT,
    "aborts a kept association": KEPT,
    "releases a kept association": KEPT,
    "closes at the second question": KEPT,
    "resets at the second question": KEPT,
}
# The one misbehaviour whose next question fails: its answer is the last one's.
STALE = "answers the second question with the first one's rows"


@pytest.mark.parametrize("name", EXPECTED)
def test_it_ends_in_time_with_the_truth_and_the_next_question_is_answered(name: str) -> None:
    expected = EXPECTED[name]
    with Peer(MISBEHAVIOURS[name]) as peer, archive_at(peer) as archive:
        if isinstance(expected, Fails):
            with pytest.raises(ArchiveError) as failure:
                find(archive, seconds=scaled(SHORT) if expected is SILENT else PATIENCE)
            assert type(failure.value) is expected.error
            sentence = str(failure.value)
            assert expected.says in sentence
            where = f"127.0.0.1:{peer.port} (called_ae_title PEER, calling_ae_title TESTER): "
            assert sentence.startswith(where)
            assert failure.value.remedy
            assert "ZZSECRET" not in sentence
        else:
            short = expected.unless_complete == CUT_BY_TIME
            answer = find(archive, seconds=scaled(SHORT) if short else PATIENCE)
            assert len(answer.matches) == expected.rows
            assert answer.complete is (expected.unless_complete == "")
            notes = " ".join(map(str, answer.notes))
            assert expected.unless_complete in notes
            assert expected.note in notes
            assert "ZZSECRET" not in notes
        assert peer.questions <= MOST_QUESTIONS
        assert len(peer.talks) <= MOST_QUESTIONS
        peer.heal()
        assert_answered(find(archive))


def test_an_answer_to_an_earlier_question_is_never_given_for_a_later_one() -> None:
    with Peer(MISBEHAVIOURS[STALE]) as peer, archive_at(peer) as archive:
        assert_answered(find(archive))
        with pytest.raises(ProtocolViolation, match="a question that was not asked"):
            find(archive)
        peer.heal()
        assert_answered(find(archive))


def test_every_misbehaviour_of_the_menu_is_expected_to_end_somehow() -> None:
    assert set(EXPECTED) | {STALE} == set(MISBEHAVIOURS)
    assert len(MISBEHAVIOURS) >= 60


@pytest.mark.parametrize(
    "name", [name for name, expected in EXPECTED.items() if expected in (LOST, SILENT, ANOTHER)]
)
def test_an_echo_ends_in_time_too(name: str) -> None:
    with Peer(MISBEHAVIOURS[name]) as peer, archive_at(peer) as archive:
        with pytest.raises(ArchiveError, match="called_ae_title PEER"):
            in_time(lambda: archive.verify(deadline=Deadline(SHORT)))
        peer.heal()
        assert 0 < in_time(lambda: archive.verify(deadline=Deadline(PATIENCE))) < 1000 * PATIENCE


def test_an_archive_that_restarts_between_questions_is_found_again() -> None:
    with Peer(MISBEHAVIOURS["closes a kept association"]) as peer, archive_at(peer) as archive:
        peer.heal()
        for _ in range(5):
            assert_answered(find(archive))
            peer.hang_up()
        assert len(peer.talks) == 5


@contextmanager
def archive_at(peer: Peer) -> Generator[Archive]:
    """The archive at this peer, closed at the end."""
    archive = connect(
        Node("127.0.0.1", peer.port, called_ae_title="PEER", calling_ae_title="TESTER")
    )
    try:
        yield archive
    finally:
        in_time(archive.close)


def find(archive: Archive, *, seconds: float = PATIENCE) -> Matches:
    return in_time(lambda: archive.find(QUERY, limit=LIMIT, deadline=Deadline(seconds)))


def assert_answered(answer: Matches) -> None:
    assert [match["StudyInstanceUID"] for match in answer.matches] == ["1.2.0", "1.2.1", "1.2.2"]
    assert answer.complete
    assert answer.notes == ()
