"""C-ECHO: does the archive answer at all (PS3.7 9.1.5)."""

from ..deadline import Deadline
from ..errors import ProtocolViolation, StatusFailure
from ..standard.status import Kind, status
from .association import Association
from .command import NO_DATA_SET, Command, Field, Operation, number

VERIFICATION = "1.2.840.10008.1.1"


def echo(association: Association, *, deadline: Deadline) -> None:
    """Ask for a C-ECHO response. Raises StatusFailure when its status is a failure."""
    context = association.context(VERIFICATION, "C-ECHO (Verification)")
    command: Command = {
        Field.AFFECTED_SOP_CLASS_UID: VERIFICATION,
        Field.COMMAND_FIELD: Operation.C_ECHO_RQ,
        Field.COMMAND_DATA_SET_TYPE: NO_DATA_SET,
    }
    message_id = association.send(context, command, b"", deadline=deadline)
    answer = association.receive(context, message_id, Operation.C_ECHO_RQ, deadline=deadline)
    said = status(number(answer.command, Field.STATUS))
    if said.kind is Kind.PENDING:
        raise ProtocolViolation("it announced more answers to a C-ECHO (PS3.7 9.1.5)")
    association.clean = True
    if said.kind is Kind.FAILURE:
        raise StatusFailure(f"C-ECHO failed with status {said}", said.remedy, status=said.code)
