"""C-FIND: a query on the wire, its answers one by one, its end (PS3.4 C.4.1, PS3.7 9.1.2)."""

import logging
from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from .. import journal
from ..deadline import Deadline
from ..errors import (
    ArchiveError,
    AssociationAborted,
    Cancelled,
    ConnectionLost,
    DeadlinePassed,
    NoAcceptedContext,
    ProtocolViolation,
)
from ..standard import identifier
from ..standard.dictionary import attribute_of_tag
from ..standard.keys import encode
from ..standard.levels import MODALITY_WORKLIST, Model
from ..standard.query import Match, Query, Row
from ..standard.status import Kind, Status, status
from .association import Association
from .command import MEDIUM_PRIORITY, Command, Field, Operation, number
from .negotiation import Context

# How long a cancelled archive may go on before it is cut off: a C-CANCEL that works keeps the
# association for the next question, one that doesn't costs more than a new association.
_DRAIN_SECONDS = 0.25

# A last C-CANCEL fits any socket buffer that still works.
_FAREWELL_SECONDS = 0.1

_IDENTIFIER_PRESENT = 0x0001

# Matches in a row of which nothing can be read; who sends more is stopped.
_MOST_UNREADABLE = 1000

_WITH_MATCH = (Kind.PENDING, Kind.SUCCESS, Kind.WARNING)

# Of a damaged answer this alone is nothing to show.
_NOT_CONTENT = frozenset({"QueryRetrieveLevel", "SpecificCharacterSet"})


# What the models are called in errors.
_NAMES: Mapping[str, str] = {
    Model.PATIENT_ROOT: "Patient Root",
    Model.STUDY_ROOT: "Study Root",
    MODALITY_WORKLIST: "Modality Worklist",
}


@dataclass(slots=True)
class Answered:
    """How an answer ended: the final status, None when we stopped it; and whether some rows said
    that optional keys were not supported (0xFF01); how many could not be decoded to their end; and
    which attributes (by keyword) a failure is said to be about."""

    status: Status | None = None
    optional_keys_unsupported: bool = False
    damaged: int = 0
    offending: tuple[str, ...] = ()


def find(
    association: Association,
    query: Query,
    model: str,
    answered: Answered,
    *,
    deadline: Deadline,
) -> Generator[Row]:
    """Send the query; its rows as they arrive, and in `answered` how it ended.

    Closed before that, the archive is asked to stop too. Raises the ArchiveError that ended the
    association; statuses, failures among them, are in `answered`.
    """
    context = _context(association, model)
    data_set = encode(query, context.transfer_syntax)
    command: Command = {
        Field.AFFECTED_SOP_CLASS_UID: model,
        Field.COMMAND_FIELD: Operation.C_FIND_RQ,
        Field.PRIORITY: MEDIUM_PRIORITY,
        Field.COMMAND_DATA_SET_TYPE: _IDENTIFIER_PRESENT,
    }
    message_id = association.send(context, command, data_set, deadline=deadline)
    if journal.debugging():
        journal.event(
            logging.DEBUG,
            "C-FIND-RQ",
            message_id=message_id,
            transfer_syntax=context.transfer_syntax,
            level=query.level,
            identifier=_masked(query),
        )
    try:
        yield from _rows(association, context, message_id, data_set, answered, deadline)
    except (Cancelled, DeadlinePassed):
        # Nobody waits any longer; an archive that reads this can stop searching.
        with suppress(ArchiveError):
            association.cancel(context, message_id, deadline=Deadline(_FAREWELL_SECONDS))
        raise
    except GeneratorExit:
        if not association.clean:
            _stop(association, context, message_id, deadline.at_most(_DRAIN_SECONDS))
        raise


def _context(association: Association, model: str) -> Context:
    """Where a query of this model goes."""
    try:
        return association.context(model, f"C-FIND ({_NAMES[model]})")
    except NoAcceptedContext as error:
        if model != MODALITY_WORKLIST:
            raise
        raise NoAcceptedContext(
            error.happened,
            "A worklist is usually served by another system than the archive, the RIS or a broker, "
            "under a host, port and called_ae_title of its own; ask the administrator for them",
        ) from error


def _rows(
    association: Association,
    context: Context,
    message_id: int,
    asked: bytes,
    answered: Answered,
    deadline: Deadline,
) -> Generator[Row]:
    taken = unreadable = 0
    damage: ProtocolViolation | None = None
    said = status(0x0000)
    command: Mapping[int, int | str] | None = None
    debugging = journal.debugging()  # asked once: 1 us saved of 14 for each match
    while True:
        answer = association.receive(context, message_id, Operation.C_FIND_RQ, deadline=deadline)
        if answer.command is not command:  # most answers have the same one
            command = answer.command
            said = status(number(command, Field.STATUS))
        if debugging:
            journal.event(
                logging.DEBUG,
                "C-FIND-RSP",
                message_id=message_id,
                status=f"0x{said.code:04X}",
                bytes=len(answer.data_set),
            )
        is_last = said.kind is not Kind.PENDING
        association.clean = is_last
        if not is_last:
            answered.optional_keys_unsupported |= said.code == 0xFF01
            if not answer.data_set:
                raise ProtocolViolation(
                    "it announced a match without an identifier (PS3.7 9.1.2.1)"
                )
        # An identifier has no place in a final answer (PS3.7 9.1.2.1.6). It may be a match there
        # too, or only the question repeated.
        if answer.data_set and said.kind in _WITH_MATCH:
            encoded = bytes(answer.data_set), context.transfer_syntax, association.character_set
            try:
                match = identifier.decode(*encoded, association.seen)
            except ProtocolViolation as violation:  # costs this row, not those after it
                damage = violation.again()
                answered.damaged += 1
                match = identifier.decode_what_is_whole(*encoded)
                if not match.keys() - _NOT_CONTENT:
                    match = None
            if match is not None and is_last:
                keys = identifier.decode(asked, context.transfer_syntax, association.character_set)
                match = match if _tells(match, keys) else None
            unreadable = unreadable + 1 if match is None else 0
            if match is not None:
                taken += 1
                yield match, len(answer.data_set)
        if is_last or unreadable > _MOST_UNREADABLE:
            if damage and not taken:
                raise damage.again()
            answered.status = said if is_last else None
            answered.offending = _offending(answer.command)
            return


def _tells(match: Match, asked: Match) -> bool:
    """Whether an identifier says more than the question."""
    return any(
        value not in ("", [], asked.get(keyword))
        for keyword, value in match.items()
        if keyword not in _NOT_CONTENT
    )


def _offending(command: Mapping[int, int | str]) -> tuple[str, ...]:
    tags = str(command.get(Field.OFFENDING_ELEMENT, ""))
    known = [attribute_of_tag(int(tag, 16)) for tag in tags.split("\\") if tag]
    return tuple(attribute.keyword for attribute in known if attribute)


def _stop(association: Association, context: Context, message_id: int, deadline: Deadline) -> None:
    """C-CANCEL, and read on to the end if it comes soon; else the association stays unclean and
    its lender aborts it. What was asked for is there already, so nothing here is a failure."""
    with suppress(DeadlinePassed, ConnectionLost, AssociationAborted, ProtocolViolation):
        association.cancel(context, message_id, deadline=deadline)
        while not association.clean:
            answer = association.receive(
                context, message_id, Operation.C_FIND_RQ, deadline=deadline
            )
            said = status(number(answer.command, Field.STATUS))
            association.clean = said.kind is not Kind.PENDING


def _masked(query: Query) -> str:
    """The identifier's keywords; of a key only how long it is, for it may name a patient."""
    return " ".join(
        f"{attribute.keyword}=<{len(key)}>" if key else attribute.keyword
        for attribute, key in query.elements()
    )
