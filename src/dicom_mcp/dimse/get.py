"""C-GET: objects sent back over the association that asked for them (PS3.4 C.4.3, PS3.7 9.1.3)."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum

from ..deadline import Deadline
from ..errors import (
    ArchiveError,
    AssociationAborted,
    Cancelled,
    ConnectionLost,
    DeadlinePassed,
    ProtocolViolation,
)
from ..standard import identifier
from ..standard.comment import without_names
from ..standard.identity import identity
from ..standard.instance import Instance
from ..standard.keys import encode
from ..standard.query import Query
from ..standard.status import Kind, Status, status
from .association import Association
from .command import (
    FAILED_UIDS,
    MEDIUM_PRIORITY,
    NO_DATA_SET,
    RESPONSE,
    Command,
    Field,
    Operation,
    number,
)
from .negotiation import Context
from .pdu import Message
from .visit import Visit

# How long a cancelled archive may go on before it is cut off (as in find).
_DRAIN_SECONDS = 0.25

# A last C-CANCEL fits any socket buffer that still works.
_FAREWELL_SECONDS = 0.1

_IDENTIFIER_PRESENT = 0x0001
_SUCCESS = 0x0000


class GetModel(StrEnum):
    """A Query/Retrieve information model by its C-GET SOP class UID (PS3.4 C.6.1.3, C.6.2.3, Z)."""

    PATIENT_ROOT = "1.2.840.10008.5.1.4.1.2.1.3"
    STUDY_ROOT = "1.2.840.10008.5.1.4.1.2.2.3"
    WITHOUT_BULK_DATA = "1.2.840.10008.5.1.4.1.2.5.3"


@dataclass(frozen=True, slots=True)
class GetEnding:
    """How a retrieval ended: its final status, or None when we ended it; how many objects came
    and did not come, and which the archive says it could not send.

    `too_large` is the SOP instance UID of an object at which the association was given up, and
    `beginning` what came of it; `comment` the archive's own words for the status, without names,
    and `visit` what it did at our receiver when it was asked to move them there.
    """

    status: Status | None
    completed: int = 0
    failed: int = 0
    warning: int = 0
    failed_uids: tuple[str, ...] = ()
    too_large: str = ""
    beginning: Instance | None = None
    comment: str = ""
    visit: Visit = field(default_factory=Visit)

    @property
    def told(self) -> str:
        """The status, in how many sub-operations it ended, and what the archive says of it."""
        parts = [str(self.status)]
        if self.completed or self.failed or self.warning:
            parts.append(
                f"{self.completed} completed, {self.failed} failed, {self.warning} with warnings"
            )
        if self.comment:
            parts.append(f'it says "{self.comment}"')
        return "; ".join(parts)


def get(
    association: Association,
    query: Query,
    model: GetModel,
    take: Callable[[Instance], bool],
    *,
    deadline: Deadline,
) -> GetEnding:
    """Ask for what the query's unique keys name and hand each object to `take` as it arrives,
    until that returns False.

    The association must have been requested for the model and with `storage` for every kind of
    object wanted; what has no context counts as failed. Raises the ArchiveError that ended the
    association; statuses, failures among them, are in the answer.
    """
    context = association.context(model, f"C-GET ({model.name.replace('_', ' ').title()})")
    command: Command = {
        Field.AFFECTED_SOP_CLASS_UID: model.value,
        Field.COMMAND_FIELD: Operation.C_GET_RQ,
        Field.PRIORITY: MEDIUM_PRIORITY,
        Field.COMMAND_DATA_SET_TYPE: _IDENTIFIER_PRESENT,
    }
    data_set = encode(query, context.transfer_syntax)
    message_id = association.send(context, command, data_set, deadline=deadline)
    try:
        return _objects(association, context, message_id, take, deadline)
    except ProtocolViolation:
        cut = association.too_large
        if cut is None or cut.command.get(Field.COMMAND_FIELD) != Operation.C_STORE_RQ:
            raise
        beginning = replace(_object_of(association, cut), is_beginning=True)
        return GetEnding(None, too_large=beginning.sop_instance_uid, beginning=beginning)
    except (Cancelled, DeadlinePassed):
        with suppress(ArchiveError):
            association.cancel(context, message_id, deadline=Deadline(_FAREWELL_SECONDS))
        raise


def _objects(
    association: Association,
    context: Context,
    message_id: int,
    take: Callable[[Instance], bool],
    deadline: Deadline,
) -> GetEnding:
    while True:
        message = association.next_message(deadline=deadline)
        if message.command.get(Field.COMMAND_FIELD) == Operation.C_STORE_RQ:
            if take(_stored(association, message, deadline)):
                continue
            _stop(association, context, message_id, deadline.at_most(_DRAIN_SECONDS))
            return GetEnding(None)
        if ending := ending_of(message, context, message_id):
            association.clean = True
            return ending


def _stop(association: Association, context: Context, message_id: int, deadline: Deadline) -> None:
    """C-CANCEL, and read on to the end if it comes soon; else the association stays unclean and
    its lender aborts it. What was asked for is there already, so nothing here is a failure."""
    with suppress(DeadlinePassed, ConnectionLost, AssociationAborted, ProtocolViolation):
        association.cancel(context, message_id, deadline=deadline)
        _objects(association, context, message_id, lambda _: True, deadline)


def _stored(association: Association, message: Message, deadline: Deadline) -> Instance:
    """The object of a C-STORE-RQ, acknowledged (PS3.7 9.1.1). Raises as `_object_of` does."""
    instance = _object_of(association, message)
    answer: Command = {
        Field.AFFECTED_SOP_CLASS_UID: instance.sop_class_uid,
        Field.COMMAND_FIELD: Operation.C_STORE_RQ | RESPONSE,
        Field.MESSAGE_ID_BEING_RESPONDED_TO: number(message.command, Field.MESSAGE_ID),
        Field.COMMAND_DATA_SET_TYPE: NO_DATA_SET,
        Field.STATUS: _SUCCESS,
        Field.AFFECTED_SOP_INSTANCE_UID: instance.sop_instance_uid,
    }
    association.reply(message.context_id, answer, deadline=deadline)
    return instance


def _object_of(association: Association, message: Message) -> Instance:
    """The object that a C-STORE-RQ sends. Raises ProtocolViolation for one that was not asked
    for."""
    command = message.command
    offered = association.storage.get(message.context_id)
    sop_class = str(command.get(Field.AFFECTED_SOP_CLASS_UID, ""))
    if offered is None or offered.sop_class != sop_class:
        raise ProtocolViolation("it sent an object of a kind that was not agreed on (PS3.8 9.3.3)")
    uid = str(command.get(Field.AFFECTED_SOP_INSTANCE_UID, ""))
    if not uid:  # left out of the command, it stands in the object
        uid = identity(message.data_set, offered.transfer_syntax).sop_instance_uid
    return Instance(sop_class, uid, offered.transfer_syntax, message.data_set)


def ending_of(
    message: Message,
    context: Context,
    message_id: int,
    operation: Operation = Operation.C_GET_RQ,
) -> GetEnding | None:
    """The end of the retrieval; None while it goes on. Raises ProtocolViolation for an answer to
    anything else."""
    command = message.command
    if (
        message.context_id != context.id
        or command.get(Field.COMMAND_FIELD) != operation | RESPONSE
        or command.get(Field.MESSAGE_ID_BEING_RESPONDED_TO) != message_id
    ):
        raise ProtocolViolation(
            "it answered a question that was not asked (PS3.7 9.1)", "Ask again"
        )
    said = status(number(command, Field.STATUS))
    if said.kind is Kind.PENDING:
        return None
    completed, failed, warning = (
        int(command.get(field, 0))
        for field in (
            Field.NUMBER_OF_COMPLETED_SUBOPERATIONS,
            Field.NUMBER_OF_FAILED_SUBOPERATIONS,
            Field.NUMBER_OF_WARNING_SUBOPERATIONS,
        )
    )
    return GetEnding(
        said,
        completed,
        failed,
        warning,
        _failed_uids(message, context),
        comment=without_names(str(command.get(Field.ERROR_COMMENT, ""))),
    )


def _failed_uids(message: Message, context: Context) -> tuple[str, ...]:
    """What a final answer says could not be sent (PS3.4 C.4.3.1.3.2); it need not say."""
    if within := str(message.command.get(FAILED_UIDS, "")):
        return tuple(filter(None, within.split("\\")))
    try:
        told = identifier.decode(bytes(message.data_set), context.transfer_syntax)
    except ProtocolViolation:
        return ()
    uids = told.get("FailedSOPInstanceUIDList", "")
    return tuple(str(uid) for uid in (uids if isinstance(uids, list) else [uids]) if uid)
