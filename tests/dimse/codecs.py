"""pynetdicom's codecs as the second opinion on our bytes."""

from io import BytesIO
from typing import Any, cast

from pydicom.uid import UID
from pynetdicom import dimse_messages, dimse_primitives, pdu, pdu_primitives
from pynetdicom.presentation import PresentationContext

APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
FIND = "1.2.840.10008.5.1.4.1.2.2.1"
VERIFICATION = "1.2.840.10008.1.1"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"

# pynetdicom's own hints leave most of this unknown.
_messages: Any = dimse_messages
_primitives: Any = dimse_primitives
_pdus: Any = pdu
_parameters: Any = pdu_primitives


def accept(
    contexts: dict[int, str] | None = None,
    *,
    refused: dict[int, int] | None = None,
    maximum_length: int = 16382,
) -> bytes:
    """An A-ASSOCIATE-AC: accepted context id to transfer syntax, refused id to its reason."""
    primitive = _parameters.A_ASSOCIATE()
    primitive.application_context_name = UID(APPLICATION_CONTEXT)
    primitive.calling_ae_title = "MCPSCU"
    primitive.called_ae_title = "ANY-SCP"
    primitive.result, primitive.result_source = 0, 1
    longest = _parameters.MaximumLengthNotification()
    longest.maximum_length_received = maximum_length
    implementation = _parameters.ImplementationClassUIDNotification()
    implementation.implementation_class_uid = UID("1.2.3.4")
    primitive.user_information = [longest, implementation]
    answers: list[PresentationContext] = []
    accepted = {1: EXPLICIT} if contexts is None else contexts
    for id_, syntax in accepted.items():
        answers.append(_context(id_, 0, syntax))
    for id_, reason in (refused or {}).items():
        answers.append(_context(id_, reason, IMPLICIT))
    primitive.presentation_context_definition_results_list = answers
    return bytes(_pdus.A_ASSOCIATE_AC(primitive).encode())


def reject(result: int, source: int, reason: int) -> bytes:
    primitive = _parameters.A_ASSOCIATE()
    primitive.result, primitive.result_source, primitive.diagnostic = result, source, reason
    return bytes(_pdus.A_ASSOCIATE_RJ(primitive).encode())


def release_request() -> bytes:
    return bytes(_pdus.A_RELEASE_RQ(_parameters.A_RELEASE()).encode())


def release_reply() -> bytes:
    primitive = _parameters.A_RELEASE()
    primitive.result = "affirmative"
    return bytes(_pdus.A_RELEASE_RP(primitive).encode())


def abort(source: int = 0, reason: int = 0) -> bytes:
    encoded = _pdus.A_ABORT_RQ()
    encoded.source, encoded.reason_diagnostic = source, reason
    return bytes(encoded.encode())


def find_request(message_id: int, identifier: bytes, *, context: int, longest: int) -> bytes:
    primitive = _primitives.C_FIND()
    primitive.MessageID, primitive.AffectedSOPClassUID, primitive.Priority = message_id, FIND, 0
    primitive.Identifier = BytesIO(identifier)
    return _p_data(_messages.C_FIND_RQ(), primitive, context, longest)


def echo_request(message_id: int, *, context: int, longest: int) -> bytes:
    primitive = _primitives.C_ECHO()
    primitive.MessageID, primitive.AffectedSOPClassUID = message_id, VERIFICATION
    return _p_data(_messages.C_ECHO_RQ(), primitive, context, longest)


def cancel_request(message_id: int, *, context: int, longest: int) -> bytes:
    primitive = _primitives.C_CANCEL()
    primitive.MessageIDBeingRespondedTo = message_id
    return _p_data(_messages.C_CANCEL_RQ(), primitive, context, longest)


def find_response(
    message_id: int, status: int, identifier: bytes = b"", *, context: int = 1, longest: int = 16382
) -> bytes:
    primitive = _primitives.C_FIND()
    primitive.MessageIDBeingRespondedTo, primitive.AffectedSOPClassUID = message_id, FIND
    primitive.Status = status
    if identifier:
        primitive.Identifier = BytesIO(identifier)
    return _p_data(_messages.C_FIND_RSP(), primitive, context, longest)


def command_of(p_data: bytes) -> dict[str, object]:
    """What pynetdicom reads in the P-DATA-TF PDUs of one message: its command, by keyword."""
    message = _messages.DIMSEMessage()
    at = 0
    while at < len(p_data):
        length = 6 + int.from_bytes(p_data[at + 2 : at + 6])
        decoded = _pdus.P_DATA_TF()
        decoded.decode(p_data[at : at + length])
        message.decode_msg(decoded.to_primitive())
        at += length
    command = cast("dict[object, Any]", message.command_set)
    return {element.keyword: element.value for element in cast("Any", command)}


def reencoded(associate: bytes) -> bytes:
    """An A-ASSOCIATE-RQ read and written again by pynetdicom."""
    decoded = _pdus.A_ASSOCIATE_RQ()
    decoded.decode(associate)
    return bytes(_pdus.A_ASSOCIATE_RQ(decoded.to_primitive()).encode())


def _context(id_: int, result: int, syntax: str) -> PresentationContext:
    context = PresentationContext()
    context.context_id, context.result = id_, result
    context.transfer_syntax = [UID(syntax)]
    return context


def _p_data(message: Any, primitive: Any, context: int, longest: int) -> bytes:
    message.primitive_to_message(primitive)
    parts = message.encode_msg(context, longest)
    return b"".join(_pdus.P_DATA_TF(part).encode() for part in parts)
