"""The protocol data units of PS3.8 9.3, and what those that are not P-DATA mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from ..errors import ProtocolViolation


class PDU(IntEnum):
    """PDU types (PS3.8 9.3.1)."""

    ASSOCIATE_RQ = 0x01
    ASSOCIATE_AC = 0x02
    ASSOCIATE_RJ = 0x03
    DATA_TF = 0x04
    RELEASE_RQ = 0x05
    RELEASE_RP = 0x06
    ABORT = 0x07


@dataclass(frozen=True, slots=True)
class Accepted:
    """A-ASSOCIATE-AC: accepted contexts (id to transfer syntax) and the peer's largest PDU."""

    contexts: Mapping[int, str]
    refused: Mapping[int, int]
    maximum_length: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """A-ASSOCIATE-RJ with result, source and reason (PS3.8 9.3.4)."""

    result: int
    source: int
    reason: int


class Message(NamedTuple):
    """A whole DIMSE message: its context, its command and its data set, still encoded."""

    context_id: int
    command: Mapping[int, int | str]
    data_set: bytearray


@dataclass(frozen=True, slots=True)
class ReleaseRequested:
    """A-RELEASE-RQ: the peer wants to end."""


@dataclass(frozen=True, slots=True)
class Released:
    """A-RELEASE-RP: our release is answered."""


@dataclass(frozen=True, slots=True)
class Aborted:
    """A-ABORT with source and reason (PS3.8 9.3.8)."""

    source: int
    reason: int


type Event = Accepted | Rejected | Message | ReleaseRequested | Released | Aborted


def event_of(kind: PDU, pdu: bytes) -> Event:
    """The event of a PDU that is not P-DATA. The fixed ones have four bytes after the header."""
    if kind is PDU.ASSOCIATE_AC:
        return _accept(pdu)
    if len(pdu) != 10:
        raise ProtocolViolation(
            f"a PDU of type {kind.name} has {len(pdu)} bytes instead of 10 (PS3.8 9.3)"
        )
    if kind is PDU.ASSOCIATE_RJ:
        return Rejected(result=pdu[7], source=pdu[8], reason=pdu[9])
    if kind is PDU.ABORT:
        return Aborted(source=pdu[8], reason=pdu[9])
    return Released() if kind is PDU.RELEASE_RP else ReleaseRequested()


def _accept(pdu: bytes) -> Accepted:
    from pynetdicom.pdu import A_ASSOCIATE_AC

    accept = A_ASSOCIATE_AC()
    try:
        accept.decode(pdu)
        contexts = [
            (context.context_id or 0, context.result, str(context.transfer_syntax))
            for context in accept.presentation_context
        ]
        accepted = {id_: syntax for id_, result, syntax in contexts if result == 0}
        refused = {id_: result for id_, result, _ in contexts if result}
        user_information = accept.user_information
        maximum = user_information.maximum_length if user_information else 0
    except Exception as error:  # a damaged PDU breaks pynetdicom's decoder in many ways
        raise ProtocolViolation("an A-ASSOCIATE-AC could not be decoded (PS3.8 9.3.3)") from error
    if not accepted and not refused:
        raise ProtocolViolation("an A-ASSOCIATE-AC answers no presentation context (PS3.8 9.3.3)")
    return Accepted(accepted, refused, maximum or 0)
