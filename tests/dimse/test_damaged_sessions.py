"""Whole sessions with bytes changed, lost and doubled: an answer or an error of the tree."""

import json
from random import Random

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import connect
from dicom_mcp.errors import ArchiveError
from dicom_mcp.node import Node
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Query
from tests.bounds import in_time
from tests.peers import scripted as wire
from tests.peers.scripted import Peer, Talk, acceptance, hear_question, hear_request

pytestmark = pytest.mark.usefixtures("tidy")

SESSIONS = 500
SHORT = 0.25  # for those that wait for bytes that were lost


def test_a_damaged_session_ends_with_an_answer_or_an_error_of_the_tree() -> None:
    random = Random(20260331)

    def damaged_acceptance(talk: Talk) -> None:
        whole = acceptance(talk)
        talk.send(damaged(whole, random) if random.random() < 0.15 else whole)

    def damaged_answer(talk: Talk) -> None:
        rows = b"".join(talk.row(data_set=wire.match(number)) for number in range(3))
        talk.send(damaged(rows + talk.answer(0), random))

    ended: dict[str, int] = {}
    with Peer((hear_request, damaged_acceptance, hear_question, damaged_answer)) as peer:
        for _ in range(SESSIONS):
            how = in_time(lambda: session(peer.port))
            ended[how] = ended.get(how, 0) + 1
    assert "speechless" not in ended
    # If one of these ends is missing, too little was damaged, or too much.
    assert {"answered", "ProtocolViolation", "ConnectionLost"} <= set(ended)


def session(port: int) -> str:
    """How one session ends."""
    archive = connect(Node("127.0.0.1", port))
    try:
        query = Query(Level.STUDY, {"PatientID": "7"})
        answer = archive.find(query, limit=50, deadline=Deadline(SHORT))
    except ArchiveError as error:
        return type(error).__name__ if error.remedy else "speechless"
    else:
        json.dumps([answer.matches, *map(str, answer.notes)], allow_nan=False).encode()
        return "answered"
    finally:
        archive.close()


def damaged(data: bytes, random: Random) -> bytes:
    """The bytes with some of them changed, lost or doubled."""
    result = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 5))):
        at, count = random.randrange(len(result)), random.randrange(1, 9)
        match random.randrange(4):
            case 0 | 1:
                result[at] = random.choice((0, 255, random.randrange(256)))
            case 2:
                del result[at : at + count]
            case _:
                result[at:at] = result[at : at + count]
    return bytes(result)
