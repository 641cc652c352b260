"""C-MOVE: an archive asked to send objects to our receiver (PS3.4 C.4.2, PS3.7 9.1.4)."""

import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from ..deadline import Deadline
from ..errors import ArchiveError, Cancelled, DeadlinePassed, ProtocolViolation
from ..node import Node
from ..standard.instance import Instance
from ..standard.keys import encode
from ..standard.query import Query
from .association import Association
from .command import MEDIUM_PRIORITY, Command, Field, Operation
from .get import GetEnding, ending_of
from .inbox import Senders
from .unasked import FLOOD

if TYPE_CHECKING:
    from .inbox import Inbox

# How long a cancelled archive may go on before it is cut off (as in find).
_DRAIN_SECONDS = 0.25

# A last C-CANCEL fits any socket buffer that still works.
_FAREWELL_SECONDS = 0.1

_IDENTIFIER_PRESENT = 0x0001


class MoveModel(StrEnum):
    """A Query/Retrieve information model by its C-MOVE SOP class UID (PS3.4 C.6.1.3, C.6.2.3)."""

    PATIENT_ROOT = "1.2.840.10008.5.1.4.1.2.1.2"
    STUDY_ROOT = "1.2.840.10008.5.1.4.1.2.2.2"


def move(
    association: Association,
    query: Query,
    model: MoveModel,
    node: Node,
    uids: Collection[str],
    take: Callable[[Instance], bool],
    *,
    deadline: Deadline,
    largest: int,
) -> GetEnding:
    """Ask the archive to send what the query's unique keys name to our receiver, and hand each
    object to `take`, in this thread, as it arrives, until that returns False.

    Only objects with these `uids` are accepted, from the node itself or who sends for it, none over
    `largest` bytes. Raises as `get` does,
    and ArchiveError when nothing can be received.
    """
    from .receiver import receiving  # pynetdicom, only when asked

    receiver, (ours, theirs) = node.receiver, association.ends
    assert receiver
    place = replace(receiver, host=receiver.host or ours)
    senders = Senders.of(node, theirs, deadline)
    with receiving(place, uids, largest, senders, deadline, node.tls) as inbox:
        under_way = _Move(association, query, model, receiver.ae_title, deadline)
        inbox.message_id = under_way.message_id
        reader = threading.Thread(target=under_way.read, args=(inbox,), daemon=True)
        reader.start()
        try:
            for instance in inbox.instances(deadline):
                if not take(instance):
                    under_way.unwanted = True
                    break
            if inbox.is_flooded:
                raise ProtocolViolation(f"it {FLOOD}", "Ask its administrator what it does")
        finally:
            inbox.close()
            reader.join(_DRAIN_SECONDS)
            if reader.is_alive():  # the association stays unclean, and its lender aborts it
                association.interrupt()
                reader.join()
    if isinstance(under_way.outcome, GetEnding):
        return replace(under_way.outcome, too_large=inbox.too_large, visit=inbox.visit)
    if under_way.unwanted and not isinstance(under_way.outcome, Cancelled):
        return GetEnding(None)
    raise under_way.outcome


class _Move:
    """One C-MOVE, read to its end in a thread of its own: the caller's takes what arrives."""

    def __init__(
        self,
        association: Association,
        query: Query,
        model: MoveModel,
        destination: str,
        deadline: Deadline,
    ) -> None:
        context = association.context(model, f"C-MOVE ({model.name.replace('_', ' ').title()})")
        self.outcome: GetEnding | BaseException = GetEnding(None)
        self.unwanted = False
        self._association = association
        self._context = context
        self._deadline = deadline
        command: Command = {
            Field.AFFECTED_SOP_CLASS_UID: model.value,
            Field.COMMAND_FIELD: Operation.C_MOVE_RQ,
            Field.PRIORITY: MEDIUM_PRIORITY,
            Field.COMMAND_DATA_SET_TYPE: _IDENTIFIER_PRESENT,
            # An AE is padded with a space (PS3.5 6.2), a UID with a zero.
            Field.MOVE_DESTINATION: destination + " " * (len(destination) % 2),
        }
        data_set = encode(query, context.transfer_syntax)
        self.message_id = association.send(context, command, data_set, deadline=deadline)

    def read(self, inbox: "Inbox") -> None:
        """Read to the end, whatever it is, and tell the inbox."""
        end = inbox.close
        try:
            self.outcome = ending = self._read()
            if ending.completed:
                end = inbox.sent
        except BaseException as error:
            self.outcome = error
        finally:
            end()

    def _read(self) -> GetEnding:
        cancelled = False
        try:
            while True:
                message = self._association.next_message(deadline=self._deadline)
                ending = ending_of(message, self._context, self.message_id, Operation.C_MOVE_RQ)
                if ending:
                    self._association.clean = True
                    return ending
                if self.unwanted and not cancelled:
                    self._cancel(self._deadline)
                    cancelled = True
        except (Cancelled, DeadlinePassed):
            with suppress(ArchiveError):
                self._cancel(Deadline(_FAREWELL_SECONDS))
            raise

    def _cancel(self, deadline: Deadline) -> None:
        self._association.cancel(self._context, self.message_id, deadline=deadline)
