"""Where an archive sends what a C-MOVE asked for: C-STORE, accepted while a move is under way.

Theory. The port is open only while somebody waits for an object. Each waiting call has an inbox
that names the objects it wants and who may send them; anything and anybody else is refused, and
counted. An inbox holds two objects, so that an archive waits with the next until the caller has
taken one, a large one until it is done with, and nothing is written to disk. Calls to several nodes
may name the same port: they share the one who listens there.

pynetdicom accepts (decisions/0016); what surrounds it here bounds what a stranger can cost: four
associations, every wait, the length of a PDU and of a message.
"""

import os
import threading
import time
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR, socket
from threading import Thread
from typing import Any, Self, cast

from pydicom.uid import UID
from pynetdicom import (
    AE,
    _config,  # pyright: ignore[reportPrivateUsage] - its documentation describes it for users
    evt,
)
from pynetdicom.pdu_primitives import SOPClassCommonExtendedNegotiation
from pynetdicom.presentation import (
    AllStoragePresentationContexts,
    PresentationContext,
    build_context,
)
from pynetdicom.service_class import StorageServiceClass

from .. import node
from ..deadline import Deadline
from ..errors import ArchiveError
from ..in_hand import IN_HAND
from ..network.tls import tls_context
from ..standard.identity import identity
from ..standard.instance import Instance
from ..standard.sop_class import may_be_storage, name_of
from .command import Operation
from .contexts import EVERY
from .inbox import WAKE_SECONDS, Inbox, Senders
from .listener import (
    LONGEST_PDU,
    MOST_ASSOCIATIONS,
    NETWORK_TIMEOUT,
    Connection,
    Server,
    Socket,
    refused,
)

# Seconds for an association request or release.
_ACSE_TIMEOUT = 10

# PS3.8 D.1: large enough for an image in a few PDUs. A request with every context needs 200 KiB.
_MAXIMUM_PDU_SIZE = 131_072

# What is read here.
_SYNTAXES = [*EVERY]

# An object that has none must have an answer nevertheless (PS3.7 9.1.1.1).
_NO_UID = "0"

# How long the threads of a server have to end.
_STOP_SECONDS = 5.0

# PS3.4 B.2.3, PS3.7 C.
_SUCCESS, _NOT_AUTHORISED, _OUT_OF_RESOURCES = 0x0000, 0x0124, 0xA700


@contextmanager
def receiving(
    place: node.Receiver,
    uids: Collection[str],
    largest: int,
    senders: Senders,
    deadline: Deadline,
    tls: node.Tls | None = None,
) -> Generator[Inbox]:
    """Listen for these objects of these senders, none over `largest` bytes, while the block runs;
    with `tls` in TLS only, of those who show a certificate that it trusts.

    Raises ArchiveError when the port cannot be had, BadConfiguration for files of TLS that cannot
    be used.
    """
    inbox = Inbox(uids, largest, senders, deadline)
    with _LISTENING:
        door = _DOORS.get((place.host, place.port))
        if door is None:
            door = _DOORS[place.host, place.port] = _Door(place, tls)
        if door.tls != tls:
            raise ArchiveError(
                f"the receiver's port {place.port} is listened on for another node, whose TLS is "
                "another",
                "Give the receiver of each of these nodes a port of its own",
            )
        door.inboxes.append(inbox)
    try:
        yield inbox
    finally:
        inbox.close()
        with _LISTENING:
            door.inboxes.remove(inbox)
            if not door.inboxes:
                del _DOORS[place.host, place.port]
                door.close()


class _Door:
    """One port that is listened on, and the inboxes behind it."""

    def __init__(self, place: node.Receiver, tls: node.Tls | None) -> None:
        self.inboxes: list[Inbox] = []
        self.tls = tls
        secure = tls_context(tls.ca_file, tls.certificate, is_server=True) if tls else None
        _config.LOG_REQUEST_IDENTIFIERS = False  # identifiers carry patients
        _config.LOG_RESPONSE_IDENTIFIERS = False
        _config.LOG_HANDLER_LEVEL = "none"
        ae = AE(place.ae_title)
        ae.maximum_associations = MOST_ASSOCIATIONS
        ae.maximum_pdu_size = _MAXIMUM_PDU_SIZE
        ae.acse_timeout = _ACSE_TIMEOUT
        ae.dimse_timeout = ae.network_timeout = NETWORK_TIMEOUT
        make_server = cast("Callable[..., Server]", ae.make_server)  # pyright: ignore
        handlers: list[tuple[Any, Callable[[evt.Event], Any]]] = [
            (evt.EVT_SOP_COMMON, _kinds_of_storage),
            (evt.EVT_ACCEPTED, self._accepted),
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_DATA_RECV, self._received),
            (evt.EVT_DIMSE_RECV, _whole),
        ]
        try:
            self._server = make_server(
                (place.host, place.port),
                contexts=_contexts(),
                evt_handlers=handlers,
                server_class=Server,
                request_handler=Connection,
            )
        except OSError as error:
            raise ArchiveError(
                f"the receiver's port {place.port} cannot be listened on "
                f"({os.strerror(error.errno or 0).lower()})",
                "Free that port, or configure another one for the receiver and tell the archive",
            ) from error
        self._server.door, self._server.tls = self, secure
        self._ae = ae
        self._thread = Thread(
            target=self._server.serve_forever, args=(0.05,), name="receiver", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening, end what is open and wait for every thread."""
        self._server.shutdown()
        self._thread.join(_STOP_SECONDS)
        end = time.monotonic() + _STOP_SECONDS
        for association in self._ae.active_associations:
            dul = association.dul
            connected = dul.socket and cast("socket | None", cast("Any", dul.socket).socket)
            if connected:
                with suppress(OSError):
                    connected.shutdown(SHUT_RDWR)
            cast("Any", dul.to_user_queue).put(None)  # wakes a wait for an association request
            for thread in (association, dul):
                if thread.ident is not None:
                    thread.join(max(0.0, end - time.monotonic()))
            if connected:
                connected.close()  # pynetdicom forgets one that ends while it is being set up

    def knows(self, address: str) -> bool:
        """Whether anybody who may send is at this address; a stranger is counted."""
        known = any(address in inbox.senders.addresses for inbox in tuple(self.inboxes))
        if not known:
            self.count_stranger(address)
        return known

    def refusal(self, address: str, called: str, calling: str) -> bytes | None:
        """The A-ASSOCIATE-RJ for a request with these titles (PS3.8 9.3.4), None for none."""
        is_ours = called == self._ae.ae_title.strip()
        if is_ours and any(
            address in inbox.senders.addresses and calling in inbox.senders.titles
            for inbox in tuple(self.inboxes)
        ):
            return None
        self.count_stranger(f"{calling or 'no title'} at {address}")
        return refused(called=not is_ours)

    def count_stranger(self, who: str) -> None:
        """Somebody came who sends for nobody here."""
        for inbox in tuple(self.inboxes):
            inbox.visit.strangers[who] += 1

    def count_insecure(self, who: str) -> None:
        """Somebody came and there was no TLS with them."""
        for inbox in tuple(self.inboxes):
            inbox.visit.insecure[who] += 1

    def _accepted(self, event: evt.Event) -> None:
        taken = {context.abstract_syntax for context in event.assoc.accepted_contexts}
        refused = {context.abstract_syntax for context in event.assoc.rejected_contexts} - taken
        for inbox in tuple(self.inboxes):
            inbox.visit.came = True
            inbox.visit.refused |= {name_of(uid) for uid in refused if uid and may_be_storage(uid)}

    def _store(self, event: evt.Event) -> int:
        request = cast("Any", event.request)
        uid = str(request.AffectedSOPInstanceUID)
        origin = request.MoveOriginatorMessageID
        mover = str(request.MoveOriginatorApplicationEntityTitle or "").strip()
        title = str(event.assoc.requestor.ae_title).strip()
        wanting = [
            inbox
            for inbox in tuple(self.inboxes)
            if uid in inbox.uids and title in inbox.senders.titles and mover in inbox.senders.movers
        ]
        # Many archives name no move (PS3.7 9.1.1 has it optional), or another than ours.
        wanting = [inbox for inbox in wanting if inbox.message_id == origin] or wanting
        if not wanting:
            size = len(request.DataSet.getbuffer()) if request.DataSet else 0
            for inbox in tuple(self.inboxes):
                inbox.refuse(size)
            return _NOT_AUTHORISED
        instance = Instance(
            str(request.AffectedSOPClassUID),
            uid,
            str(event.context.transfer_syntax),
            bytearray(request.DataSet.getbuffer()),
        )
        request.DataSet = None  # not held twice while it waits
        taken = [inbox.put(instance) for inbox in wanting]
        return _SUCCESS if any(taken) else _OUT_OF_RESOURCES

    def _received(self, event: evt.Event) -> None:
        """Count the bytes of a message that is not whole yet, and end one that is too large."""
        inboxes = tuple(self.inboxes)
        connected = cast("Socket", cast("Any", event.assoc.dul.socket).socket)
        connected.unfinished += len(event.data)
        if (
            connected.unfinished
            > max((inbox.largest for inbox in inboxes), default=0) + LONGEST_PDU
        ):
            with suppress(AttributeError):
                command = cast("Any", event.assoc.dimse.message).command_set
                for inbox in inboxes:
                    inbox.too_large = str(command.AffectedSOPInstanceUID)
            connected.close()
            return
        while (waiting := tuple(self.inboxes)) and not self._has_room(connected, waiting[0]):
            time.sleep(WAKE_SECONDS)

    def _has_room(self, connected: Socket, inbox: Inbox) -> bool:
        """Whether no more is on its way than one object has, or most of it here."""
        inbox.is_crowded = not IN_HAND.take(connected.unfinished, inbox.deadline)
        if inbox.is_crowded:
            return False
        coming = [getattr(running.dul, "socket", None) for running in self._ae.active_associations]
        sizes = [getattr(getattr(ours, "socket", None), "unfinished", 0) for ours in coming]
        return sum(sizes) <= inbox.largest or connected.unfinished >= max(sizes)


# Everybody who listens in this process, by address and port.
_DOORS: dict[tuple[str, int], _Door] = {}
_LISTENING = threading.Lock()


def _contexts() -> "_Shared":
    """Every kind of object, in every syntax that is read here."""
    return _Shared(
        build_context(context.abstract_syntax or "", _SYNTAXES)
        for context in AllStoragePresentationContexts
    )


def _kinds_of_storage(event: evt.Event) -> dict[UID, SOPClassCommonExtendedNegotiation]:
    """Have kinds of object that pynetdicom does not know, retired or private ones, accepted as
    those it knows: that they belong to the Storage service is what this negotiation says (PS3.7
    D.3.3.6). What is sent in them is taken by its UID only."""
    taken = event.assoc.acceptor.supported_contexts
    known = {context.abstract_syntax for context in taken}
    proposed = {context.abstract_syntax for context in event.assoc.requestor.requested_contexts}
    others = [uid for uid in proposed - known if uid and may_be_storage(uid)]
    if others:
        more = (build_context(uid, _SYNTAXES) for uid in others)
        event.assoc.acceptor.supported_contexts = _Shared([*taken, *more])
    return {uid: _of_storage(uid) for uid in others}


def _of_storage(uid: UID) -> SOPClassCommonExtendedNegotiation:
    item = SOPClassCommonExtendedNegotiation()
    item.sop_class_uid = uid
    item.service_class_uid = UID(StorageServiceClass.uid)
    return item


def _whole(event: evt.Event) -> None:
    """A message is whole; the next one begins. One without a SOP instance UID, which pynetdicom
    would never answer, has that of the object."""
    cast("Socket", cast("Any", event.assoc.dul.socket).socket).unfinished = 0
    message = cast("Any", event.message)
    command = message.command_set
    if command.get("CommandField") == Operation.C_STORE_RQ:
        if command.get("AffectedSOPInstanceUID"):
            return
        accepted = {context.context_id: context for context in event.assoc.accepted_contexts}
        context = accepted.get(message.context_id)
        if context:
            found = identity(message.data_set.getvalue(), str(context.transfer_syntax[0]))
            command.AffectedSOPInstanceUID = found.sop_instance_uid or _NO_UID


class _Shared(list[PresentationContext]):
    """Contexts that pynetdicom may read but need not copy for every association (60 ms)."""

    def __deepcopy__(self, memo: object) -> Self:
        return self
