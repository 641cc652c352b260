"""What peers do wrong, by name: scripts for `tests.peers.scripted.Peer`."""

import struct
from itertools import count

from tests.peers.scripted import (
    HEALTHY,
    Script,
    Step,
    Talk,
    accept,
    acceptance,
    at_first,
    behave,
    drip,
    element,
    end,
    forever,
    give,
    give_rows,
    hear_question,
    hear_release,
    hear_request,
    hold,
    match,
    p_data,
    pdu,
    reset,
    row,
    say,
)

ABORT = pdu(0x07, bytes(4))
RELEASE = pdu(0x05, bytes(4))
RELEASED = pdu(0x06, bytes(4))


def rejected(result: int, source: int, reason: int) -> Script:
    return (hear_request, say(pdu(0x03, bytes([0, result, source, reason]))), hold)


def accepted(**how: int | bytes | bool) -> Script:
    """Accepted in an odd way, and silent."""
    return (hear_request, give(lambda talk: acceptance(talk, **how)), hold)  # pyright: ignore


def answered(*steps: Step) -> Script:
    """The first question heard, then these."""
    return (accept, hear_question, *steps)


def half(talk: Talk) -> bytes:
    return (whole := talk.row())[: len(whole) // 2]


DEEP = struct.pack("<HHIHHI", 8, 0x1110, 0xFFFFFFFF, 0xFFFE, 0xE000, 0xFFFFFFFF) * 1000


def enormous(talk: Talk) -> bytes:
    """A match of 900 kB, in PDUs of 60 kB."""
    data_set = match(next(_NUMBERS), more=element(0x0010, 0x4000, b"x" * 900_000))
    places = range(0, len(data_set), 60_000)
    return talk.announcement() + b"".join(
        p_data((talk.context_id, 2 if at == places[-1] else 0, data_set[at : at + 60_000]))
        for at in places
    )


def another(talk: Talk) -> bytes:
    """A match that was not there before."""
    return talk.row(data_set=match(next(_NUMBERS)))


_NUMBERS = count(1000)

# None refuses the connection.
MISBEHAVIOURS: dict[str, Script | None] = {
    # connecting
    "refuses TCP": None,
    "accepts and says nothing": (hold,),
    "closes on accept": (),
    "resets on accept": (reset,),
    "closes after reading the request": (hear_request,),
    "resets after reading the request": (hear_request, reset),
    "is a web server": (hear_request, say(b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n")),
    "is an SSH server": (say(b"SSH-2.0-OpenSSH_9.6\r\n"), hold),
    "wants TLS": (hear_request, say(b"\x15\x03\x01\x00\x02\x02\x46")),
    "sends garbage": (say(bytes(range(0x80, 0x100)) * 100), hold),
    # negotiating
    "rejects without a reason": rejected(1, 1, 1),
    "does not know the application context": rejected(1, 1, 2),
    "does not know our title": rejected(1, 1, 3),
    "has another title": rejected(1, 1, 7),
    "rejects as provider without a reason": rejected(1, 2, 1),
    "does not know the protocol version": rejected(1, 2, 2),
    "is congested": rejected(2, 3, 1),
    "has too many associations": rejected(2, 3, 2),
    "rejects for a reason that does not exist": rejected(9, 9, 9),
    "is congested at first": (at_first(*rejected(2, 3, 1)), *HEALTHY),
    "has too many associations at first": (at_first(*rejected(2, 3, 2)), *HEALTHY),
    "aborts instead of accepting": (hear_request, say(ABORT)),
    "releases instead of accepting": (hear_request, say(RELEASE), hold),
    "answers with a request": (hear_request, give(lambda talk: pdu(0x01, talk.request)), hold),
    "sends data instead of accepting": (hear_request, say(p_data((1, 3, b""))), hold),
    "accepts no context": accepted(result=3),
    "accepts none of the transfer syntaxes": accepted(result=4),
    "accepts other contexts": accepted(shift=100),
    "accepts in Deflated": accepted(syntax=b"1.2.840.10008.1.2.1.99"),
    "accepts in Big Endian": accepted(syntax=b"1.2.840.10008.1.2.2"),
    "accepts without any item": accepted(items=False),
    "accepts twice": (hear_request, give(acceptance), give(acceptance), hold),
    "accepts in rubbish": (hear_request, say(pdu(0x02, b"\xff" * 500)), hold),
    "accepts at enormous length": (hear_request, say(struct.pack(">BxI", 2, 2**32 - 1)), hold),
    "accepts halfway": (hear_request, give(lambda talk: acceptance(talk)[:100]), hold),
    "accepts slowly": (hear_request, drip(acceptance, 0.05), hold),
    # PDUs
    "sends half a PDU and falls silent": answered(give_rows(2), give(half), hold),
    "sends half a PDU and closes": answered(give_rows(2), give(half)),
    "sends one byte and falls silent": answered(say(b"\x04"), hold),
    "announces an enormous PDU": answered(say(struct.pack(">BxI", 4, 2**32 - 1)), hold),
    "sends a PDU type that does not exist": answered(give_rows(1), say(pdu(0x42, bytes(4))), hold),
    "sends an empty item": answered(say(struct.pack(">BxII", 4, 4, 0)), hold),
    "sends an item beyond its PDU": answered(say(struct.pack(">BxIIBB", 4, 6, 99, 1, 3)), hold),
    "sends empty fragments forever": answered(forever(lambda _: p_data((5, 1, b"")))),
    "sends empty PDUs forever": answered(forever(lambda _: pdu(0x04, b""))),
    "mixes two messages": answered(
        give(Talk.announcement),
        say(p_data((99, 2, match(1)))),
        hold,
    ),
    "sends an endless command": answered(forever(lambda _: p_data((1, 1, bytes(1000))))),
    "sends an endless data set": answered(
        give(Talk.announcement),
        forever(lambda talk: p_data((talk.context_id, 0, bytes(60_000)))),
    ),
    "drips its answer": answered(drip(lambda talk: talk.row() + talk.answer(0), 0), behave),
    # DIMSE
    "answers another message": answered(give_rows(1), row(message_id=4711), hold),
    "answers on another context": answered(give_rows(1), row(context_id=1), hold),
    "answers with a C-ECHO": answered(row(operation=0x8030), hold),
    "answers with a request of its own": answered(row(operation=0x0020), hold),
    "answers without a status": answered(give(lambda talk: talk.answer(None)), hold),
    "answers without a message id": answered(row(message_id=None), hold),
    "answers with a status of four bytes": answered(
        give(lambda talk: talk.answer(None, operation=b"\x20\x80\0\0")), hold
    ),
    "gives a match without an identifier": answered(give(lambda talk: talk.answer(0xFF00)), hold),
    "gives a match with an empty identifier": answered(row(data_set=b""), hold),
    "gives matches forever": answered(forever(another)),
    "repeats a match forever": answered(forever(lambda talk: talk.row())),
    "gives other matches forever": answered(
        forever(lambda talk: talk.row(data_set=match(1, patient_id=b"8")))
    ),
    "gives enormous matches forever": answered(forever(enormous)),
    "resets midway": answered(give_rows(3), reset),
    "closes midway": answered(give_rows(3)),
    "aborts midway": answered(give_rows(3), say(ABORT)),
    "aborts midway because of us": answered(give_rows(3), say(pdu(0x07, bytes([0, 0, 2, 6])))),
    "releases midway": answered(give_rows(3), say(RELEASE), hold),
    "falls silent after the question": answered(hold),
    "falls silent after three rows": answered(give_rows(3), hold),
    "is out of resources": answered(end(0xA700)),
    "is out of resources after three rows": answered(give_rows(3), end(0xA700), behave),
    "does not like the identifier": answered(end(0xA900)),
    "cannot process": answered(end(0xC000)),
    "cannot process after three rows": answered(give_rows(3), end(0xC001), behave),
    "does not support the SOP class": answered(end(0x0122)),
    "does not allow it": answered(end(0x0124)),
    "ends with a status that does not exist": answered(end(0x1234)),
    "cancels unasked": answered(end(0xFE00), behave),
    "cancels unasked after three rows": answered(give_rows(3), end(0xFE00), behave),
    "ends with a warning": answered(give_rows(3), end(0xB000), behave),
    "does not support optional keys": answered(
        give(lambda talk: talk.answer(0xFF01, match(1))), end(), behave
    ),
    "gives a final answer with an identifier": answered(
        give(lambda talk: talk.answer(0x0000, match(1))), behave
    ),
    "gives an answer too many": answered(
        give(lambda talk: talk.row() + talk.answer(0) + talk.row() + talk.answer(0)), hold
    ),
    # data sets
    "cuts an identifier short": answered(give_rows(1), row(data_set=match(2)[:-3]), end(), behave),
    "gives an attribute two values": answered(
        row(data_set=match(1, more=element(0x0010, 0x0020, b"8") + element(0x20, 0x1206, b"5"))),
        row(data_set=match(2)),
        end(),
        behave,
    ),
    "gives bytes that are no identifier": answered(row(data_set=b"\xff" * 50), end(), behave),
    "nests without end": answered(row(data_set=match(1, more=DEEP)), end(), behave),
    "gives a bad value": answered(
        row(data_set=match(1, more=struct.pack("<HHI", 0x20, 0x1208, 4) + b"four")),
        row(data_set=match(2, more=struct.pack("<HHI", 0x28, 0x10, 3) + b"abc")),
        end(),
        behave,
    ),
    # between questions
    "closes a kept association": answered(give_rows(3), end()),
    "resets a kept association": answered(give_rows(3), end(), reset),
    "aborts a kept association": answered(give_rows(3), end(), say(ABORT)),
    "releases a kept association": answered(give_rows(3), end(), say(RELEASE), hold),
    "closes at the second question": answered(give_rows(3), end(), hear_question),
    "resets at the second question": answered(give_rows(3), end(), hear_question, reset),
    "answers the second question with the first one's rows": answered(
        give_rows(3), end(), hear_question, row(message_id=1), end(), hold
    ),
}


def parted(*steps: Step) -> Script:
    """The first question answered, a release heard, then these."""
    return (accept, hear_question, give_rows(3), end(), hear_release, *steps)


# What an archive does when it is released (PS3.8 7.2), instead of saying A-RELEASE-RP.
PARTINGS: dict[str, Script] = {
    "does not answer a release": parted(hold),
    "closes at a release": parted(),
    "resets at a release": parted(reset),
    "aborts at a release": parted(say(ABORT), hold),
    "wants to release as well": parted(say(RELEASE), hold),
    "goes on answering at a release": parted(forever(Talk.row)),
    "answers a release halfway": parted(say(RELEASED[:5]), hold),
    "drips its answer to a release": parted(drip(lambda _: RELEASED, 0.2), hold),
    "answers a release at enormous length": parted(say(struct.pack(">BxI", 6, 2**32 - 1)), hold),
}
