import struct
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_mcp.dimse.command import (
    MEDIUM_PRIORITY,
    NO_DATA_SET,
    Command,
    Field,
    Operation,
    decode,
    encode,
)
from dicom_mcp.dimse.pdu import (
    PDU,
    Aborted,
    Accepted,
    Event,
    Message,
    Rejected,
    Released,
    ReleaseRequested,
)
from dicom_mcp.dimse.upper_layer import State
from dicom_mcp.errors import ProtocolViolation
from tests.dimse import codecs
from tests.dimse.layers import associated, events, layer_in, p_data

# PS3.8 Table 9-10 for a requestor: what each PDU means in each state; everything else is a
# violation.
ALLOWED: dict[tuple[State, PDU], tuple[bytes, type[Event], State]] = {
    (State.ASSOCIATING, PDU.ASSOCIATE_AC): (codecs.accept(), Accepted, State.ESTABLISHED),
    (State.ASSOCIATING, PDU.ASSOCIATE_RJ): (codecs.reject(1, 1, 7), Rejected, State.CLOSED),
    (State.ASSOCIATING, PDU.ABORT): (codecs.abort(), Aborted, State.CLOSED),
    (State.ESTABLISHED, PDU.DATA_TF): (codecs.find_response(1, 0), Message, State.ESTABLISHED),
    (State.ESTABLISHED, PDU.RELEASE_RQ): (codecs.release_request(), ReleaseRequested, State.CLOSED),
    (State.ESTABLISHED, PDU.ABORT): (codecs.abort(), Aborted, State.CLOSED),
    (State.RELEASING, PDU.DATA_TF): (codecs.find_response(1, 0), Message, State.RELEASING),
    (State.RELEASING, PDU.RELEASE_RQ): (codecs.release_request(), ReleaseRequested, State.CLOSED),
    (State.RELEASING, PDU.RELEASE_RP): (codecs.release_reply(), Released, State.CLOSED),
    (State.RELEASING, PDU.ABORT): (codecs.abort(), Aborted, State.CLOSED),
}
SAMPLE = {kind: pdu for (_, kind), (pdu, _, _) in ALLOWED.items()} | {PDU.ASSOCIATE_RQ: b""}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("kind", PDU)
def test_every_pdu_in_every_state_means_what_the_table_of_the_standard_says(
    state: State, kind: PDU
) -> None:
    layer = layer_in(state)
    assert layer.state is state
    layer.receive(SAMPLE[kind] or struct.pack(">BxI", kind, 4) + bytes(4))
    expected = ALLOWED.get((state, kind))
    if expected is None:
        with pytest.raises(ProtocolViolation, match=f"{kind.name}.*{state.value}"):
            layer.next_event()
        return
    _, event, after = expected
    assert isinstance(layer.next_event(), event)
    assert layer.state is after
    assert layer.next_event() is None


def test_an_answer_in_tls_is_called_so() -> None:
    layer = layer_in(State.ASSOCIATING)
    layer.receive(b"\x15\x03\x03\x00\x02\x02\x28")
    with pytest.raises(ProtocolViolation, match="it answered in TLS"):
        layer.next_event()


@pytest.mark.parametrize("kind", sorted(set(range(256)) - set(PDU) - {0x15, 0x16}))
def test_a_pdu_type_that_does_not_exist_is_refused_by_its_first_six_bytes(kind: int) -> None:
    layer = associated()
    layer.receive(struct.pack(">BxI", kind, 2**31))
    with pytest.raises(ProtocolViolation, match=f"0x{kind:02X}"):
        layer.next_event()


@pytest.mark.parametrize("state", State)
def test_each_state_lets_us_say_only_what_it_allows(state: State) -> None:
    if state is not State.ESTABLISHED:
        with pytest.raises(ProtocolViolation):
            layer_in(state).message(1, {Field.MESSAGE_ID: 1}, b"")
        with pytest.raises(ProtocolViolation):
            layer_in(state).release()
    assert layer_in(state).abort() == codecs.abort()


def test_release_and_abort_are_written_as_pynetdicom_writes_them() -> None:
    assert associated().release() == codecs.release_request()
    assert associated().release_reply() == codecs.release_reply()
    assert associated().abort() == codecs.abort()


@pytest.mark.parametrize("longest", [8, 10, 16, 64, 128, 1024, 16382, 131072])
def test_messages_are_fragmented_byte_for_byte_as_pynetdicom_does(longest: int) -> None:
    layer = associated(maximum_length=longest)
    identifier = bytes(range(256)) * 20
    find: Command = {
        Field.AFFECTED_SOP_CLASS_UID: codecs.FIND,
        Field.COMMAND_FIELD: Operation.C_FIND_RQ,
        Field.MESSAGE_ID: 7,
        Field.PRIORITY: MEDIUM_PRIORITY,
        Field.COMMAND_DATA_SET_TYPE: 1,
    }
    echo: Command = {
        Field.AFFECTED_SOP_CLASS_UID: codecs.VERIFICATION,
        Field.COMMAND_FIELD: Operation.C_ECHO_RQ,
        Field.MESSAGE_ID: 65535,
        Field.COMMAND_DATA_SET_TYPE: NO_DATA_SET,
    }
    cancel: Command = {
        Field.COMMAND_FIELD: Operation.C_CANCEL_RQ,
        Field.MESSAGE_ID_BEING_RESPONDED_TO: 7,
        Field.COMMAND_DATA_SET_TYPE: NO_DATA_SET,
    }
    assert layer.message(3, find, identifier) == codecs.find_request(
        7, identifier, context=3, longest=longest
    )
    assert layer.message(1, echo, b"") == codecs.echo_request(65535, context=1, longest=longest)
    assert layer.message(3, cancel, b"") == codecs.cancel_request(7, context=3, longest=longest)


@given(longest=st.integers(1, 200), size=st.integers(1, 300).map(lambda half: 2 * half))
def test_fragments_fit_the_peer_and_are_even(longest: int, size: int) -> None:
    # PS3.8 E.1. A limit under 8 leaves no room for even one pair of bytes and is not kept.
    sent = associated(maximum_length=longest).message(1, {Field.MESSAGE_ID: 1}, bytes(size))
    at = 0
    while at < len(sent):
        _, length = struct.unpack_from(">BxI", sent, at)
        assert length <= max(longest, 8)
        assert length % 2 == 0
        at += 6 + length
    assert at == len(sent)


def test_a_peer_without_a_limit_gets_everything_in_one_pdu() -> None:
    sent = associated(maximum_length=0).message(1, {Field.MESSAGE_ID: 1}, bytes(60_000))
    assert [kind for kind, _ in pdus(sent)] == [PDU.DATA_TF, PDU.DATA_TF]


@given(st.binary(max_size=400).filter(lambda data: len(data) % 2 == 0), st.integers(6, 70))
def test_what_pynetdicom_fragments_is_put_together_again(data: bytes, longest: int) -> None:
    layer = associated()
    layer.receive(codecs.find_response(9, 0xFF00, data, context=5, longest=longest + 6))
    message = layer.next_event()
    assert isinstance(message, Message)
    assert message.context_id == 5
    assert message.data_set == data
    assert message.command[Field.STATUS] == 0xFF00
    assert message.command[Field.MESSAGE_ID_BEING_RESPONDED_TO] == 9
    assert layer.at_rest


# A conversation of every kind of PDU a requestor reads, as one stream.
CONVERSATION = b"".join(
    (
        codecs.accept({1: codecs.IMPLICIT, 5: codecs.EXPLICIT}, refused={3: 3}),
        codecs.find_response(1, 0xFF00, b"ab" * 30, longest=32),
        codecs.find_response(1, 0xFF01, b"cd" * 7),
        codecs.find_response(1, 0x0000),
        codecs.abort(2, 6),
    )
)


def test_a_stream_cut_at_any_byte_means_the_same() -> None:
    def conversation(*parts: bytes) -> list[Event]:
        layer = layer_in(State.ASSOCIATING)
        return [event for part in parts for event in events(layer, part)]

    whole = conversation(CONVERSATION)
    assert [type(event) for event in whole] == [Accepted, Message, Message, Message, Aborted]
    assert whole[-1] == Aborted(source=2, reason=6)
    for cut in range(len(CONVERSATION)):
        assert conversation(CONVERSATION[:cut], CONVERSATION[cut:]) == whole
    assert conversation(*(bytes([one]) for one in CONVERSATION)) == whole


@given(st.lists(st.integers(0, len(CONVERSATION)), max_size=20))
def test_a_stream_cut_anywhere_and_often_means_the_same(cuts: list[int]) -> None:
    layer = layer_in(State.ASSOCIATING)
    places = [0, *sorted(cuts), len(CONVERSATION)]
    found = [event for a, b in pairwise(places) for event in events(layer, CONVERSATION[a:b])]
    assert found == events(layer_in(State.ASSOCIATING), CONVERSATION)


def test_several_items_in_one_pdu_and_one_item_in_several_pdus_are_one_message() -> None:
    command = encode({Field.STATUS: 0, Field.COMMAND_DATA_SET_TYPE: 1})
    together = p_data((1, 1, command[:7]), (1, 3, command[7:]), (1, 0, b"ab"), (1, 2, b"cd"))
    apart = b"".join(
        p_data(item) for item in ((1, 1, command[:7]), (1, 3, command[7:]), (1, 2, b"abcd"))
    )
    assert events(associated(), together) == events(associated(), apart)


def test_two_messages_in_one_pdu_are_two_messages() -> None:
    command = encode({Field.STATUS: 0, Field.COMMAND_DATA_SET_TYPE: NO_DATA_SET})
    found = events(associated(), p_data((1, 3, command), (3, 3, command)))
    assert [one.context_id for one in found if isinstance(one, Message)] == [1, 3]


def test_an_empty_data_set_is_an_empty_data_set() -> None:
    command = encode({Field.STATUS: 0xFF00, Field.COMMAND_DATA_SET_TYPE: 1})
    (message,) = events(associated(), p_data((1, 3, command), (1, 2, b"")))
    assert isinstance(message, Message)
    assert message.data_set == b""


COMMAND = encode({Field.STATUS: 0xFF00, Field.COMMAND_DATA_SET_TYPE: 1})

BROKEN: dict[str, bytes] = {
    "fragments of two contexts interleaved": p_data((1, 3, COMMAND), (3, 2, b"ab")),
    "a command's fragments on two contexts": p_data((1, 1, COMMAND[:8]), (3, 3, COMMAND[8:])),
    "a data set without a command": p_data((1, 2, b"ab")),
    "a data set inside a command": p_data((1, 1, COMMAND[:8]), (1, 2, b"ab")),
    "a command inside a data set": p_data((1, 3, COMMAND), (1, 0, b"ab"), (1, 3, COMMAND)),
    "a PDU without an item": struct.pack(">BxI", 4, 0),
    "an item longer than its PDU": struct.pack(">BxIIBB", 4, 6, 100, 1, 3),
    "an item shorter than its own header": struct.pack(">BxIIBB", 4, 6, 1, 1, 3),
    "an item cut short": struct.pack(">BxIIB", 4, 5, 2, 1),
    "rubbish after the last item": struct.pack(">BxI", 4, 9) + p_data((1, 3, b""))[6:] + b"abc",
    "a command that is empty": p_data((1, 3, b"")),
    "a command without a data set type": p_data((1, 3, encode({Field.STATUS: 0}))),
    "a command cut inside an element": p_data((1, 3, COMMAND[:-1])),
    "a command cut inside a header": p_data((1, 3, COMMAND[:-6])),
    "a command of another group": p_data((1, 3, b"\x08\0" + COMMAND[2:])),
    "a status of four bytes": p_data((1, 3, struct.pack("<HHII", 0, 0x0900, 4, 0))),
    "a release request of eight bytes": struct.pack(">BxI", 5, 8) + bytes(8),
    "an abort without a body": struct.pack(">BxI", 7, 0),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_broken_pdus_are_violations(broken: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        events(associated(), broken)


@pytest.mark.parametrize(
    ("state", "kind", "length"),
    [
        (State.ASSOCIATING, PDU.ASSOCIATE_AC, 64 * 1024 + 1),
        (State.ASSOCIATING, PDU.ASSOCIATE_AC, 0xFFFFFFFF),
        (State.ESTABLISHED, PDU.DATA_TF, 1024 + 65),
        (State.ESTABLISHED, PDU.DATA_TF, 0xFFFFFFFF),
        (State.ESTABLISHED, PDU.ABORT, 0xFFFFFFFF),
    ],
)
def test_a_pdu_that_is_too_long_is_refused_by_its_header(
    state: State, kind: PDU, length: int
) -> None:
    layer = layer_in(state)
    layer.receive(struct.pack(">BxI", kind, length))
    with pytest.raises(ProtocolViolation, match=f"{length} bytes exceeds"):
        layer.next_event()


def test_a_command_and_a_data_set_have_a_longest_size() -> None:
    layer = associated()
    assert events(layer, 32 * p_data((1, 1, bytes(512)))) == []
    with pytest.raises(ProtocolViolation, match="command exceeds"):
        events(layer, p_data((1, 1, bytes(2))))
    layer = associated()
    assert events(layer, p_data((1, 3, COMMAND)) + 1024 * p_data((1, 0, bytes(1024)))) == []
    with pytest.raises(ProtocolViolation, match="data set exceeds"):
        events(layer, p_data((1, 2, bytes(2))))


def test_a_layer_knows_whether_something_is_left_over() -> None:
    layer = associated()
    answer = codecs.find_response(1, 0)
    assert layer.at_rest
    layer.receive(answer)
    assert not layer.at_rest
    assert layer.next_event()
    assert layer.at_rest
    layer.receive(answer + answer[:3])
    assert layer.next_event()
    assert not layer.at_rest
    for odd in (p_data((1, 1, COMMAND[:8])), p_data((1, 3, COMMAND))):
        layer = associated()
        assert events(layer, odd) == []
        assert not layer.at_rest


def test_the_answer_to_an_association_request_is_read_whole() -> None:
    layer = layer_in(State.ASSOCIATING)
    (accepted,) = events(
        layer,
        codecs.accept(
            {1: codecs.IMPLICIT, 5: codecs.EXPLICIT}, refused={3: 4}, maximum_length=4096
        ),
    )
    assert accepted == Accepted({1: codecs.IMPLICIT, 5: codecs.EXPLICIT}, {3: 4}, 4096)
    (rejected,) = events(layer_in(State.ASSOCIATING), codecs.reject(2, 3, 2))
    assert rejected == Rejected(result=2, source=3, reason=2)


ACCEPT = codecs.accept({1: codecs.IMPLICIT, 3: codecs.EXPLICIT})


@given(
    st.lists(st.tuples(st.integers(6, len(ACCEPT) - 1), st.integers(0, 255)), min_size=1),
    st.integers(0, 40),
)
def test_a_damaged_acceptance_is_read_or_refused(damage: list[tuple[int, int]], cut: int) -> None:
    damaged = bytearray(ACCEPT[: len(ACCEPT) - cut])
    for at, byte in damage:
        damaged[at % len(damaged)] = byte
    damaged[:6] = struct.pack(">BxI", PDU.ASSOCIATE_AC, len(damaged) - 6)
    layer = layer_in(State.ASSOCIATING)
    layer.receive(bytes(damaged))
    with suppress(ProtocolViolation):
        assert isinstance(layer.next_event(), Accepted)


@given(st.sampled_from(State), st.binary(max_size=200))
def test_random_bytes_are_events_or_violations(state: State, data: bytes) -> None:
    with suppress(ProtocolViolation):
        events(layer_in(state), data)


@given(st.binary(max_size=60).map(lambda body: p_data((1, 3, body))))
def test_random_commands_are_events_or_violations(data: bytes) -> None:
    with suppress(ProtocolViolation):
        events(associated(), data)


@given(
    st.dictionaries(
        st.sampled_from([Field.COMMAND_FIELD, Field.MESSAGE_ID, Field.STATUS, Field.PRIORITY]),
        st.integers(0, 0xFFFF),
    )
)
def test_a_command_survives_being_written_and_read(command: dict[int, int | str]) -> None:
    command[Field.AFFECTED_SOP_CLASS_UID] = codecs.FIND
    assert decode(encode(command)) == command


def test_our_commands_are_read_by_pynetdicom() -> None:
    sent = associated().message(
        1, {Field.COMMAND_FIELD: Operation.C_ECHO_RQ, Field.COMMAND_DATA_SET_TYPE: 0x0101}, b""
    )
    read = codecs.command_of(sent)
    assert read["CommandField"] == Operation.C_ECHO_RQ
    assert read["CommandGroupLength"] == 20


def pdus(data: bytes) -> list[tuple[int, int]]:
    """Type and length of each PDU."""
    found: list[tuple[int, int]] = []
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from(">BxI", data, at)
        found.append((kind, length))
        at += 6 + length
    return found
