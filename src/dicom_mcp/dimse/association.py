"""One association as its requestor (PS3.8): one socket, one thread at a time, one question."""

import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..deadline import Deadline
from ..errors import (
    ArchiveError,
    AssociationAborted,
    AssociationRejected,
    CalledTitleNotRecognised,
    CallingTitleNotRecognised,
    ConnectionLost,
    DicomMcpError,
    NoAcceptedContext,
    ProtocolViolation,
    TooManyAssociations,
)
from ..node import Node
from ..standard.identifier import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from ..standard.part10 import IMPLEMENTATION_CLASS_UID
from .command import NO_DATA_SET, RESPONSE, Command, Field, Operation
from .connection import Connection
from .upper_layer import (
    LARGEST_IDENTIFIER,
    Aborted,
    Accepted,
    Event,
    Message,
    Rejected,
    ReleaseRequested,
    State,
    UpperLayer,
)

if TYPE_CHECKING:
    from pynetdicom.pdu import A_ASSOCIATE_RQ

# It may have 16 characters (PS3.7 D.3.3.2).
IMPLEMENTATION_VERSION_NAME = "DICOM_MCP"

_APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"  # PS3.7 A.2.1

# A peer that does not answer a release is not worth waiting for.
_RELEASE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Context:
    """A presentation context: its id, and its transfer syntax or why there is none."""

    id: int
    transfer_syntax: str
    refusal: str


@dataclass(frozen=True, slots=True)
class Storage:
    """A SOP class we are willing to be sent, in one transfer syntax: a context of its own, since a
    context has one transfer syntax and an archive does not transcode (PS3.8 9.3.2.2)."""

    sop_class: str
    transfer_syntax: str


class Association:
    """An established association, used by one thread at a time.

    `clean` says whether every answer asked for has been read to its end: one that is not may
    never be used for another question (drained or dead).
    """

    def __init__(
        self,
        connection: Connection,
        layer: UpperLayer,
        contexts: Mapping[str, Context],
        storage: Mapping[int, Storage],
    ) -> None:
        self.clean = True
        self.storage = storage
        # The kinds of object it was requested for, whatever was accepted.
        self.proposed: frozenset[Storage] = frozenset()
        # What text is in that comes without saying so.
        self.character_set = ""
        self._connection = connection
        self._layer = layer
        self._contexts = contexts
        self._message_id = 0
        # The command of the last answer, found to be one to the last request: most answers have
        # the very same one.
        self._answering: Mapping[int, int | str] | None = None

    @property
    def used(self) -> bool:
        """Whether anything was ever asked over it, so that it may have gone stale since."""
        return self._message_id != 0

    @property
    def secured_by(self) -> str:
        """The TLS version and cipher, and until when the archive's certificate is valid."""
        return self._connection.secured_by

    @property
    def too_large(self) -> Mapping[int, int | str] | None:
        """The command of the message that ended the association because it was too large."""
        return self._layer.too_large

    @classmethod
    def request(
        cls,
        node: Node,
        abstract_syntaxes: Sequence[str],
        *,
        deadline: Deadline,
        storage: Sequence[Storage] = (),
        largest: int = LARGEST_IDENTIFIER,
        context: ssl.SSLContext | None = None,
    ) -> "Association":
        """Connect to the node and associate for these SOP classes, and to be sent these objects,
        none over `largest` bytes (PS3.4 C.5.3; at most 128 contexts in all, PS3.8 9.3.2.2).

        Raises the ArchiveError that says why not: Unreachable, AssociationRejected, …
        """
        connection = Connection.open(node, context, deadline=deadline)
        layer = UpperLayer(maximum_data_set=largest)
        try:
            with deadline.interrupting(connection.interrupt):
                request = request_pdu(node, abstract_syntaxes, storage, layer.maximum_length)
                connection.send(layer.associate(request), deadline=deadline)
                event = _next_event(connection, layer, deadline)
            if isinstance(event, Rejected):
                raise _rejection(event, node)
            if not isinstance(event, Accepted):
                raise _ending(event)
        except ConnectionLost as error:
            connection.close()
            raise ConnectionLost(
                "the connection was closed in answer to the association request",
                "Check that the port is the archive's DICOM port, that it "
                + ("wants no other client certificate, " if context else "doesn't want TLS, ")
                + "and that our calling_ae_title and address are registered there",
            ) from error
        except BaseException:
            # After A-ASSOCIATE-RJ and A-ABORT there is nothing left to abort (PS3.8 9.2.2).
            connection.close(farewell=b"" if layer.state is State.CLOSED else layer.abort())
            raise
        made = cls(
            connection,
            layer,
            _contexts(abstract_syntaxes, event),
            _storage(storage, len(abstract_syntaxes), event),
        )
        made.character_set = node.character_set
        made.proposed = frozenset(storage)
        return made

    def offers(self, abstract_syntax: str) -> bool:
        """Whether the archive accepted this SOP class."""
        return bool(self._contexts[abstract_syntax].transfer_syntax)

    def context(self, abstract_syntax: str, service: str) -> Context:
        """The accepted context of a SOP class. Raises NoAcceptedContext, naming the service."""
        context = self._contexts[abstract_syntax]
        if not context.transfer_syntax:
            self.clean = False  # not kept: the next question finds out whether that has changed
            raise NoAcceptedContext(
                f"it accepts the association but not {service} ({context.refusal})",
                "Ask its administrator to enable this service for our calling_ae_title, and "
                "check that host and port are the archive's",
            )
        return context

    def send(
        self, context: Context, command: Command, data_set: bytes, *, deadline: Deadline
    ) -> int:
        """Send a request; returns the message id its answers carry. From here on not clean."""
        self._message_id = self._message_id % 0xFFFF + 1
        self.clean = False
        self._answering = None
        request = {**command, Field.MESSAGE_ID: self._message_id}
        self._send(self._layer.message(context.id, request, data_set), deadline)
        return self._message_id

    def cancel(self, context: Context, message_id: int, *, deadline: Deadline) -> None:
        """Send C-CANCEL-RQ (PS3.7 9.3.2.3); the final answer is still to be read."""
        command: Command = {
            Field.COMMAND_FIELD: Operation.C_CANCEL_RQ,
            Field.MESSAGE_ID_BEING_RESPONDED_TO: message_id,
            Field.COMMAND_DATA_SET_TYPE: NO_DATA_SET,
        }
        self._send(self._layer.message(context.id, command, b""), deadline)

    def receive(
        self, context: Context, message_id: int, operation: Operation, *, deadline: Deadline
    ) -> Message:
        """The next answer to this request.

        Raises ProtocolViolation for an answer to anything else, AssociationAborted or
        ConnectionLost when the association ended.
        """
        event = self.next_message(deadline=deadline)
        command = event.command
        if command is self._answering and event.context_id == context.id:
            return event
        if (
            event.context_id != context.id
            or command.get(Field.MESSAGE_ID_BEING_RESPONDED_TO) != message_id
            or command.get(Field.COMMAND_FIELD) != operation | RESPONSE
        ):
            raise ProtocolViolation(
                "it answered a question that was not asked (PS3.7 9.1)",
                "The answer was thrown away; ask again",
            )
        self._answering = command
        return event

    def next_message(self, *, deadline: Deadline) -> Message:
        """The next message, whatever it is. Raises as `receive` does when the association ended."""
        event = _next_event(self._connection, self._layer, deadline)
        if not isinstance(event, Message):
            if isinstance(event, ReleaseRequested):
                self._send(self._layer.release_reply(), deadline)
            raise _ending(event)
        return event

    def reply(self, context_id: int, command: Command, *, deadline: Deadline) -> None:
        """Send a response without a data set."""
        self._send(self._layer.message(context_id, command, b""), deadline)

    def is_alive(self) -> bool:
        """Whether an idle association still stands: nothing has arrived on it, neither an answer
        too many nor its end."""
        return self._layer.at_rest and self._connection.is_quiet()

    def release(self) -> None:
        """End in order (PS3.8 7.2): A-RELEASE, its answer if it comes soon, close."""
        deadline = Deadline(_RELEASE_SECONDS)
        with suppress(DicomMcpError):
            self._send(self._layer.release(), deadline)
            event = _next_event(self._connection, self._layer, deadline)
            if isinstance(event, ReleaseRequested):
                self._send(self._layer.release_reply(), deadline)
        self._connection.close()

    def abort(self) -> None:
        """End at once (PS3.8 7.3): A-ABORT if that needs no waiting, close."""
        self._connection.close(farewell=self._layer.abort())

    def interrupt(self) -> None:
        """End a wait of another thread on this association."""
        self._connection.interrupt()

    def _send(self, data: bytes, deadline: Deadline) -> None:
        self._connection.send(data, deadline=deadline)


def _next_event(connection: Connection, layer: UpperLayer, deadline: Deadline) -> Event:
    event = layer.next_event()
    while event is None:
        layer.receive(connection.receive(deadline=deadline))
        event = layer.next_event()
    return event


def _contexts(abstract_syntaxes: Sequence[str], accepted: Accepted) -> dict[str, Context]:
    """Context ids are odd (PS3.8 9.3.2.2); ours are 1, 3, 5, … in the order asked."""
    contexts: dict[str, Context] = {}
    for number, abstract_syntax in enumerate(abstract_syntaxes):
        id_ = 2 * number + 1
        refusal = _REFUSALS.get(accepted.refused.get(id_, 0), "refused without a reason")
        transfer_syntax = accepted.contexts.get(id_, "")
        if transfer_syntax and transfer_syntax not in _TRANSFER_SYNTAXES:
            transfer_syntax, refusal = "", "accepted in a transfer syntax that was not offered"
        contexts[abstract_syntax] = Context(id_, transfer_syntax, refusal)
    return contexts


def _storage(offered: Sequence[Storage], before: int, accepted: Accepted) -> dict[int, Storage]:
    """The accepted storage contexts by id; theirs follow those of the `before` other ones."""
    ids = {2 * (before + number) + 1: one for number, one in enumerate(offered)}
    return {
        id_: one for id_, one in ids.items() if accepted.contexts.get(id_) == one.transfer_syntax
    }


# Big Endian is retired and Deflated hides how much it holds: neither is offered for a query.
_TRANSFER_SYNTAXES = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN]


# Result/Reason of a presentation context that was not accepted (PS3.8 Table 9-18).
_REFUSALS = {
    1: "refused by the application",
    2: "refused without a reason",
    3: "this SOP class is not supported",
    4: "none of the transfer syntaxes is supported",
}

_TRY_LATER = "It may be busy; try again in a moment"
_OUR_TITLE = "Have {calling} and this machine's address registered there as a query client"

# A-ASSOCIATE-RJ by source and reason (PS3.8 Table 9-21): type, what happened, what to try.
_REJECTIONS: dict[tuple[int, int], tuple[type[AssociationRejected], str, str]] = {
    (1, 1): (AssociationRejected, "rejected the association without a reason", _OUR_TITLE),
    (1, 2): (
        AssociationRejected,
        "application context not supported",
        "Check host and port: no DICOM archive answers so",
    ),
    (1, 3): (
        CallingTitleNotRecognised,
        "it does not know our calling_ae_title {calling}",
        _OUR_TITLE + ", or set DICOM_AE_TITLE to a title it knows",
    ),
    (1, 7): (
        CalledTitleNotRecognised,
        "called_ae_title {called} is not its title",
        "Set DICOM_CALLED_AE_TITLE (or called_ae_title of configure_dicom_server) to the "
        "archive's own AE title, as its administrator names it",
    ),
    (2, 1): (TooManyAssociations, "rejected the association without a reason", _TRY_LATER),
    (2, 2): (
        AssociationRejected,
        "protocol version not supported",
        "Check host and port: no DICOM archive answers so",
    ),
    (3, 1): (TooManyAssociations, "temporarily congested", _TRY_LATER),
    (3, 2): (TooManyAssociations, "its limit of associations is reached", _TRY_LATER),
}


def _rejection(rejected: Rejected, node: Node) -> AssociationRejected:
    type_, happened, remedy = _REJECTIONS.get(
        (rejected.source, rejected.reason),
        (AssociationRejected, "rejected the association", _OUR_TITLE),
    )
    titles = {"called": node.called_ae_title, "calling": node.calling_ae_title}
    return type_(
        f"{happened.format(**titles)} (A-ASSOCIATE-RJ, source {rejected.source}, "
        f"reason {rejected.reason})",
        remedy.format(**titles),
    )


# A-ABORT by the service-provider, by reason (PS3.8 Table 9-26).
_ABORTS = {
    1: "it did not recognise one of our PDUs",
    2: "it did not expect one of our PDUs",
    4: "it did not recognise a parameter of one of our PDUs",
    5: "it did not expect a parameter of one of our PDUs",
    6: "it found an invalid parameter in one of our PDUs",
}


def _ending(event: Event) -> ArchiveError:
    """What ended an association that should have answered."""
    if isinstance(event, Aborted):
        reason = _ABORTS.get(event.reason, "no reason given") if event.source == 2 else ""
        return AssociationAborted(
            f"it aborted the association{f': {reason}' if reason else ''}",
            "Try again; if it stays so, ask for less at once or look into the archive's log",
        )
    if isinstance(event, ReleaseRequested):
        return AssociationAborted("it ended the association before it had answered", "Try again")
    return ProtocolViolation(f"an unexpected {type(event).__name__} (PS3.8 9.2)", "Try again")


def request_pdu(
    node: Node,
    abstract_syntaxes: Sequence[str],
    storage: Sequence[Storage],
    maximum_length: int,
) -> "A_ASSOCIATE_RQ":
    """The A-ASSOCIATE-RQ (PS3.8 9.3.2): a context for each SOP class, both Little Endians; one for
    each kind of object to be sent, with us as its SCP (PS3.7 D.3.3.4)."""
    from pydicom.uid import UID
    from pynetdicom.pdu import A_ASSOCIATE_RQ
    from pynetdicom.pdu_primitives import (
        A_ASSOCIATE,
        ImplementationClassUIDNotification,
        ImplementationVersionNameNotification,
        MaximumLengthNotification,
    )
    from pynetdicom.presentation import build_context, build_role

    longest = MaximumLengthNotification()
    longest.maximum_length_received = maximum_length
    implementation = ImplementationClassUIDNotification()
    implementation.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
    version = ImplementationVersionNameNotification()
    version.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    request = A_ASSOCIATE()
    request.application_context_name = UID(_APPLICATION_CONTEXT)
    request.calling_ae_title = node.calling_ae_title
    request.called_ae_title = node.called_ae_title
    classes = dict.fromkeys(one.sop_class for one in storage)
    roles = [build_role(UID(one), scp_role=True) for one in classes]
    request.user_information = [longest, implementation, version, *roles]
    contexts = [build_context(one, _TRANSFER_SYNTAXES) for one in abstract_syntaxes]
    contexts += [build_context(one.sop_class, one.transfer_syntax) for one in storage]
    for number, context in enumerate(contexts):
        context.context_id = 2 * number + 1
    request.presentation_context_definition_list = contexts
    return A_ASSOCIATE_RQ(request)
