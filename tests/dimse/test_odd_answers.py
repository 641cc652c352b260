"""Answers that are odd in ways real archives are: what they say is kept, and never called whole
where it may not be."""

import struct
from contextlib import closing

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import connect
from dicom_mcp.errors import ArchiveError
from dicom_mcp.node import Node
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Matches, Query
from tests.bounds import PATIENCE, in_time
from tests.peers.misbehaviours import RELEASE, answered
from tests.peers.scripted import (
    Peer,
    Script,
    Talk,
    behave,
    element,
    end,
    give,
    give_rows,
    hold,
    match,
    p_data,
    pdu,
    row,
    say,
)

QUERY = Query(Level.STUDY, {"PatientID": "7"}, ("PatientID", "PatientName"))


def identifier(number: int, *elements: bytes) -> bytes:
    """A study of the patient 7, these elements between its level and its ID."""
    return (
        element(0x0008, 0x0052, b"STUDY")
        + b"".join(elements)
        + element(0x0010, 0x0020, b"7")
        + element(0x0020, 0x000D, f"1.2.{number}".encode())
    )


def explicit(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    value += b" " * (len(value) % 2)
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value


def big_endian(group: int, number: int, value: bytes) -> bytes:
    value += b" " * (len(value) % 2)
    return struct.pack(">HHI", group, number, len(value)) + value


EXPLICIT = (
    explicit(0x0008, 0x0052, b"CS", b"STUDY")
    + explicit(0x0010, 0x0020, b"LO", b"7")
    + explicit(0x0020, 0x000D, b"UI", b"1.2.0")
)
BIG_ENDIAN = (
    big_endian(0x0008, 0x0052, b"STUDY")
    + big_endian(0x0010, 0x0020, b"7")
    + big_endian(0x0020, 0x000D, b"1.2.0")
)
NAME = "Müller^Jörg"

# What `QUERY` is sent as, whatever it asks for beside.
QUESTION = (
    element(0x0008, 0x0052, b"STUDY")
    + element(0x0010, 0x0010, b"")
    + element(0x0010, 0x0020, b"7")
    + element(0x0020, 0x000D, b"")
)


def items(*pdus: bytes) -> bytes:
    """The items of these P-DATA-TF PDUs in one PDU."""
    body = b""
    for said in pdus:
        at = 0
        while at < len(said):
            (length,) = struct.unpack_from(">I", said, at + 2)
            body += said[at + 6 : at + 6 + length]
            at += 6 + length
    return pdu(0x04, body)


def of_many_items(talk: Talk) -> bytes:
    data = match(0, more=element(0x0010, 0x4000, b"x" * 2000))
    cut = [data[at : at + 1] for at in range(len(data))]
    return talk.announcement() + p_data(
        *((talk.context_id, 2 * (at == len(cut) - 1), byte) for at, byte in enumerate(cut))
    )


def with_empty_items(talk: Talk) -> bytes:
    context_id = talk.context_id
    return talk.announcement() + p_data(
        (context_id, 0, b""), (context_id, 0, match(0)), (context_id, 2, b"")
    )


# What is whole although it is odd: its script, and how many studies it has.
WHOLE: dict[str, tuple[Script, int]] = {
    "the final status is in the PDU of the last row": (
        answered(give(lambda talk: items(talk.row(data_set=match(0)), talk.answer(0))), behave),
        1,
    ),
    "a row is in a thousand items": (answered(give(of_many_items), end(), behave), 1),
    "a row has items of no length": (answered(give(with_empty_items), end(), behave), 1),
    "the last row comes with the final status": (
        answered(give_rows(2), give(lambda talk: talk.answer(0, match(2))), behave),
        3,
    ),
    "the last row comes again with the final status": (
        answered(give_rows(2), give(lambda talk: talk.answer(0, match(1))), behave),
        2,
    ),
    "the final answer repeats the question": (
        answered(give_rows(2), give(lambda talk: talk.answer(0, QUESTION)), behave),
        2,
    ),
    "the final answer repeats the question and there is nothing": (
        answered(give(lambda talk: talk.answer(0, QUESTION)), behave),
        0,
    ),
    "a value has an odd length": (
        answered(
            row(data_set=identifier(0, struct.pack("<HHI", 0x10, 0x10, 3) + b"ABC")), end(), behave
        ),
        1,
    ),
    "a row ends in zeros": (answered(row(data_set=match(0) + bytes(8)), end(), behave), 1),
    "optional keys are not supported": (
        answered(give(lambda talk: talk.answer(0xFF01, match(0))), end(), behave),
        1,
    ),
}

# What may lack something: its script, and how many studies are there nevertheless.
NOT_WHOLE: dict[str, tuple[Script, int]] = {
    "a row is in another transfer syntax": (
        answered(give_rows(2), row(data_set=EXPLICIT), end(), behave),
        2,
    ),
    "a row is in Big Endian": (answered(give_rows(2), row(data_set=BIG_ENDIAN), end(), behave), 2),
    "a row has bytes behind it": (answered(row(data_set=match(0) + b"\0\0\0"), end(), behave), 1),
    "a row has two UIDs": (
        answered(row(data_set=identifier(0).replace(b"1.2.0 ", b"1\\2   ")), end(), behave),
        1,
    ),
    "a row has a UID of zeros": (
        answered(row(data_set=identifier(0).replace(b"1.2.0 ", bytes(6))), end(), behave),
        1,
    ),
    **{
        f"it ends with the status 0x{status:04X}": (answered(give_rows(2), end(status), behave), 2)
        for status in (0xB000, 0x0001, 0x0107, 0x0116, 0xC000, 0xC001, 0xA900, 0x0110)
    },
    **{
        f"it ends with the status 0x{status:04X} without a row": (answered(end(status), behave), 0)
        for status in (0xB000, 0x0001, 0x0107)
    },
}

REFUSED: dict[str, Script] = {
    "every row is in another transfer syntax": answered(row(data_set=EXPLICIT), end(), behave),
    "it releases midway": answered(give_rows(2), say(RELEASE)),
    "the final answer is to another question": answered(
        give_rows(2), give(lambda talk: talk.answer(0, message_id=4711)), hold
    ),
    "a row announces no identifier and has one": answered(
        give(lambda talk: talk.answer(0xFF00, match(1), data_set_type=0x0101)), end(), hold
    ),
    "a row has a status nobody defined": answered(
        give(lambda talk: talk.answer(0xFF02, match(1))), hold
    ),
}


def ask(script: Script) -> Matches:
    with (
        Peer(script) as peer,
        closing(connect(Node("127.0.0.1", peer.port))) as archive,
    ):
        return in_time(lambda: archive.find(QUERY, limit=20, deadline=Deadline(PATIENCE)))


@pytest.mark.parametrize("oddity", WHOLE)
def test_what_is_only_odd_is_whole(oddity: str) -> None:
    script, count = WHOLE[oddity]
    answer = ask(script)
    assert [row["StudyInstanceUID"] for row in answer.matches] == [f"1.2.{n}" for n in range(count)]
    assert answer.complete


@pytest.mark.parametrize("oddity", NOT_WHOLE)
def test_what_may_lack_something_is_never_called_whole(oddity: str) -> None:
    script, count = NOT_WHOLE[oddity]
    answer = ask(script)
    assert len(answer.matches) == count
    assert not answer.complete
    assert any(note.lacks for note in answer.notes)


@pytest.mark.parametrize("oddity", REFUSED)
def test_what_cannot_be_trusted_is_an_error(oddity: str) -> None:
    with pytest.raises(ArchiveError):
        ask(REFUSED[oddity])


def test_each_row_is_read_in_its_own_character_set() -> None:
    def named(number: int, encoded: bytes, charset: bytes = b"") -> bytes:
        declared = element(0x0008, 0x0005, charset) if charset else b""
        return declared + identifier(number, element(0x0010, 0x0010, encoded))

    rows = (
        named(0, NAME.encode("latin-1"), b"ISO_IR 100"),
        named(1, NAME.encode(), b"ISO_IR 192"),
        named(2, NAME.encode("iso8859-15"), b"ISO_IR 203"),
        named(3, NAME.encode("cp1252")),
    )
    answer = ask(answered(*(row(data_set=data_set) for data_set in rows), end(), behave))
    assert [match["PatientName"] for match in answer.matches] == [NAME] * 4
    assert answer.complete
