"""Messages put together from what a peer may cut them into (PS3.7 6.3, PS3.8 Annex E)."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_mcp.dimse import command as command_set
from dicom_mcp.dimse.get import ending_of
from dicom_mcp.dimse.negotiation import Context
from dicom_mcp.dimse.pdu import Message
from dicom_mcp.errors import ProtocolViolation
from tests.dimse.layers import associated, events, p_data
from tests.peers.scripted import command

PENDING, SUCCESS = 0xFF00, 0x0000
DATA_SET, NO_DATA_SET = 0x0001, 0x0101

# A context, a status, and a data set or none: of few kinds, so that the same come again.
type Said = tuple[int, int, bytes]

SAID = st.lists(
    st.tuples(
        st.sampled_from([1, 3]),
        st.sampled_from([PENDING, 0xFF01, SUCCESS]),
        st.sampled_from([b"", b"1234", bytes(100), bytes(5000)]),
    ),
    max_size=8,
)


def encoded(said: Said) -> bytes:
    _, status, data_set = said
    kind = DATA_SET if data_set else NO_DATA_SET
    return command({0x0100: 0x8020, 0x0120: 7, 0x0800: kind, 0x0900: status})


def items(said: Said, draw: st.DataObject) -> list[tuple[int, int, bytes]]:
    """The message in fragments, some of which may be empty."""
    context_id, _, data_set = said
    found: list[tuple[int, int, bytes]] = []
    for control, whole in ((1, encoded(said)), (0, data_set)):
        if not whole:
            continue
        places = st.lists(st.integers(0, len(whole)), max_size=3)
        cuts = [0, *sorted(draw.draw(places)), len(whole)]
        found += [(context_id, control, whole[at:end]) for at, end in pairwise(cuts)]
        found[-1] = (context_id, control | 2, found[-1][2])
    return found


@given(said=SAID, draw=st.data())
def test_messages_are_what_was_said_however_they_are_cut(
    said: list[Said], draw: st.DataObject
) -> None:
    wire = b""
    for message in said:
        fragments = items(message, draw)
        if draw.draw(st.booleans()):  # all in one PDU, as PS3.8 Annex E allows
            wire += p_data(*fragments)
        else:
            wire += b"".join(map(p_data, fragments))
    places = [0, *sorted(draw.draw(st.lists(st.integers(0, len(wire)), max_size=5))), len(wire)]
    layer = associated()
    came = [event for at, end in pairwise(places) for event in events(layer, wire[at:end])]
    assert came == [
        Message(message[0], command_set.decode(encoded(message)), bytearray(message[2]))
        for message in said
    ]


def test_a_command_that_comes_again_after_one_without_a_data_set_is_itself() -> None:
    pending = encoded((3, PENDING, b"12")), encoded((1, SUCCESS, b""))
    row = p_data((3, 3, pending[0])) + p_data((3, 2, b"12"))
    came = events(associated(), row + p_data((1, 3, pending[1])) + row)
    assert [(one.context_id, one.command[0x0900]) for one in came if isinstance(one, Message)] == [
        (3, PENDING),
        (1, SUCCESS),
        (3, PENDING),
    ]


@pytest.mark.parametrize("uids", [("2.25.71",), ("2.25.71", "2.25.82"), ()])
@pytest.mark.parametrize("failure", [0xC000, 0xA702, 0xB000])
def test_what_failed_may_stand_behind_the_command_and_costs_no_status(
    uids: tuple[str, ...], failure: int
) -> None:
    said = command_set.encode(
        {
            0x0100: 0x8010,
            0x0120: 7,
            0x0800: NO_DATA_SET,
            0x0900: failure,
            0x0902: "No suitable context",
            0x1021: 3,
            0x1022: len(uids),
        }
    )
    listed = "\\".join(uids).encode()
    listed += b"\0" * (len(listed) % 2)
    read = command_set.decode(said + struct.pack("<HHI", 0x0008, 0x0058, len(listed)) + listed)
    ending = ending_of(Message(1, read, bytearray()), Context(1, "1.2.840.10008.1.2", ""), 7)
    assert ending
    assert ending.status
    assert ending.status.code == failure
    assert (ending.completed, ending.failed, ending.failed_uids) == (3, len(uids), uids)
    assert ending.comment == "No suitable context"


def test_anything_else_behind_a_command_makes_it_none() -> None:
    said = command_set.encode({0x0100: 0x8010, 0x0120: 7, 0x0800: NO_DATA_SET, 0x0900: 0})
    for more in (b"\x08\0\x18\0\2\0\0\x001\0", b"\x08\0\x58\0\xff\0\0\x001\0"):
        with pytest.raises(ProtocolViolation):
            command_set.decode(said + more)
