"""One association as its requestor (PS3.8): one socket, one thread at a time, one question."""

import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from ..budgets import LARGEST_MATCH
from ..deadline import Deadline
from ..errors import (
    AssociationRejected,
    ConnectionLost,
    DicomMcpError,
    NoAcceptedContext,
    ProtocolViolation,
)
from ..in_hand import IN_HAND
from ..node import Node
from ..standard.identifier import Seen
from .command import NO_DATA_SET, RESPONSE, Command, Field, Operation
from .connection import Connection
from .negotiation import Context, Storage, contexts_of, request_pdu, storage_of
from .pdu import Accepted, Event, Message, Rejected, ReleaseRequested
from .rejection import ending, rejection
from .upper_layer import State, UpperLayer

# An archive that says it is congested, or has no association left, may have one in a moment.
_PAUSE_SECONDS = 0.5

# A peer that does not answer a release is not worth waiting for.
_RELEASE_SECONDS = 0.5


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
        # Values that came over it, as short as those that repeat from match to match.
        self.seen: Seen = {}
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
    def ends(self) -> tuple[str, str]:
        """Our address and the archive's."""
        return self._connection.ends

    @property
    def secured_by(self) -> str:
        """The TLS version and cipher, and until when the archive's certificate is valid."""
        return self._connection.secured_by

    @property
    def too_large(self) -> Message | None:
        """The message that ended the association because it was too large, as far as it came."""
        return self._layer.too_large

    @classmethod
    def request(
        cls,
        node: Node,
        abstract_syntaxes: Sequence[str],
        *,
        deadline: Deadline,
        storage: Sequence[Storage] = (),
        largest: int = LARGEST_MATCH,
        context: ssl.SSLContext | None = None,
        connected: Callable[[], None] = lambda: None,
    ) -> "Association":
        """Connect to the node and associate for these SOP classes, and to be sent these objects,
        none over `largest` bytes (PS3.4 C.5.3; at most 128 contexts in all, PS3.8 9.3.2.2). Where
        that is rejected for the moment it is asked once more, after a pause.

        `connected` is called when there is a connection.
        Raises the ArchiveError that says why not: Unreachable, AssociationRejected, …
        """
        request = partial(
            cls._request,
            node,
            abstract_syntaxes,
            deadline=deadline,
            storage=storage,
            largest=largest,
            context=context,
            connected=connected,
        )
        try:
            return request()
        except AssociationRejected as rejected:
            if not rejected.transient:
                raise
        deadline.pause(_PAUSE_SECONDS)
        return request()

    @classmethod
    def _request(
        cls,
        node: Node,
        abstract_syntaxes: Sequence[str],
        *,
        deadline: Deadline,
        storage: Sequence[Storage],
        largest: int,
        context: ssl.SSLContext | None,
        connected: Callable[[], None],
    ) -> "Association":
        connection = Connection.open(node, context, deadline=deadline)
        connected()
        layer = UpperLayer(maximum_data_set=largest)
        try:
            with deadline.interrupting(connection.interrupt):
                request = request_pdu(node, abstract_syntaxes, storage, layer.maximum_length)
                connection.send(layer.associate(request), deadline=deadline)
                event = _next_event(connection, layer, deadline)
            if isinstance(event, Rejected):
                raise rejection(event, node)
            if not isinstance(event, Accepted):
                raise ending(event)
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
            contexts_of(abstract_syntaxes, event),
            storage_of(storage, len(abstract_syntaxes), event),
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
        self._connection.send(self._layer.message(context.id, request, data_set), deadline=deadline)
        return self._message_id

    def cancel(self, context: Context, message_id: int, *, deadline: Deadline) -> None:
        """Send C-CANCEL-RQ (PS3.7 9.3.2.3); the final answer is still to be read."""
        command: Command = {
            Field.COMMAND_FIELD: Operation.C_CANCEL_RQ,
            Field.MESSAGE_ID_BEING_RESPONDED_TO: message_id,
            Field.COMMAND_DATA_SET_TYPE: NO_DATA_SET,
        }
        self._connection.send(self._layer.message(context.id, command, b""), deadline=deadline)

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
                self._connection.send(self._layer.release_reply(), deadline=deadline)
            raise ending(event)
        return event

    def reply(self, context_id: int, command: Command, *, deadline: Deadline) -> None:
        """Send a response without a data set."""
        self._connection.send(self._layer.message(context_id, command, b""), deadline=deadline)

    def is_alive(self) -> bool:
        """Whether an idle association still stands: nothing has arrived on it, neither an answer
        too many nor its end."""
        return self._layer.at_rest and self._connection.is_quiet()

    def release(self) -> None:
        """End in order (PS3.8 7.2): A-RELEASE, its answer if it comes soon, close."""
        release_all([self])

    def abort(self) -> None:
        """End at once (PS3.8 7.3): A-ABORT if that needs no waiting, close."""
        self._connection.close(farewell=self._layer.abort())

    def request_release(self, deadline: Deadline) -> None:
        """Say A-RELEASE; `await_release` is to follow."""
        with suppress(DicomMcpError):
            self._connection.send(self._layer.release(), deadline=deadline)

    def await_release(self, deadline: Deadline) -> None:
        """Close when the answer to `request_release` is there, or does not come."""
        with suppress(DicomMcpError):
            event = _next_event(self._connection, self._layer, deadline)
            if isinstance(event, ReleaseRequested):
                self._connection.send(self._layer.release_reply(), deadline=deadline)
        self._connection.close()

    def interrupt(self) -> None:
        """End a wait of another thread on this association."""
        self._connection.interrupt()


def release_all(associations: Sequence[Association]) -> None:
    """End them in order, waiting for their answers together: whoever leaves with several has no
    more time than with one."""
    deadline = Deadline(_RELEASE_SECONDS)
    for association in associations:
        association.request_release(deadline)
    for association in associations:
        association.await_release(deadline)


def _next_event(connection: Connection, layer: UpperLayer, deadline: Deadline) -> Event:
    event = layer.next_event()
    while event is None:
        layer.receive(connection.receive(deadline=deadline))
        IN_HAND.need(layer.held, deadline)
        event = layer.next_event()
    return event
