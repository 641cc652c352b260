"""pynetdicom's own acceptor as a real archive, for tests of the requestor."""

import socket
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, cast

from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.transport import AssociationServer, ThreadedAssociationServer

from dicom_mcp.dicom_api import Archive, connect
from dicom_mcp.node import Node
from dicom_mcp.standard.levels import Model
from tests.bounds import PATIENCE, in_time

VERIFICATION = "1.2.840.10008.1.1"
MODELS = (VERIFICATION, *(model.value for model in Model))

type Answers = Iterator[tuple[int, Dataset | None]]


# How often it looks whether it is to stop; pynetdicom's own `start_server` does twice a second.
_STOP_INTERVAL = 0.01


class _Server(ThreadedAssociationServer):
    def service_actions(self) -> None:
        """Nothing; pynetdicom collects garbage here, several times a second at our interval."""

    def shutdown(self) -> None:
        """Stop listening; pynetdicom's own also looks for a server it has started itself."""
        super(AssociationServer, self).shutdown()
        self.server_close()


class Acceptor:
    """What happened at the acceptor, and where it is."""

    def __init__(self) -> None:
        self.port = 0
        self.requested: list[bytes] = []
        self.asked: list[int] = []
        self.released = threading.Event()
        self.aborted = threading.Event()
        self.most_at_once = 0
        self.sockets: list[socket.socket] = []
        self._now = 0
        self._lock = threading.Lock()

    @property
    def associations(self) -> int:
        """How many were ever accepted."""
        return len(self.requested)

    def node(self, *, called: str = "ACCEPTOR", calling: str = "TESTER") -> Node:
        return Node("127.0.0.1", self.port, called_ae_title=called, calling_ae_title=calling)

    def opened(self, event: Any) -> None:
        with self._lock:
            self.sockets.append(event.assoc.dul.socket.socket)

    def accepted(self, event: Any) -> None:
        with self._lock:
            self.requested.append(event.assoc.requestor.ae_title)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)

    def ended(self, event: Any) -> None:
        with self._lock:
            self._now -= 1
        (self.released if event.event is evt.EVT_RELEASED else self.aborted).set()

    def asked_by(self, event: Any) -> None:
        """Note over which association a question came."""
        with self._lock:
            self.asked.append(id(event.assoc))


def one_of_the_patient(event: Any) -> Answers:
    """Three studies of whatever patient is asked for."""
    for number in range(3):
        if event.is_cancelled:
            yield 0xFE00, None
            return
        yield 0xFF00, study(event, number)


def study(event: Any, number: int) -> Dataset:
    answer = Dataset()
    answer.QueryRetrieveLevel = event.identifier.QueryRetrieveLevel
    answer.PatientID = event.identifier.get("PatientID", "")
    answer.StudyInstanceUID = f"1.2.{number}"
    return answer


@contextmanager
def accepting(
    find: Callable[[Any], Answers] = one_of_the_patient,
    *,
    models: tuple[str, ...] = MODELS,
    syntaxes: list[str] | None = None,
    maximum_pdu: int = 16382,
    maximum_associations: int = 50,
    called: bool = False,
    calling: list[str] | None = None,
) -> Generator[Acceptor]:
    """Accept associations until the block ends; C-FIND is answered by `find`."""
    seen = Acceptor()

    def answer(event: Any) -> Answers:
        seen.asked_by(event)
        yield from find(event)

    ae = AE("ACCEPTOR")
    for model in models:
        ae.add_supported_context(model, syntaxes)
    ae.maximum_pdu_size = maximum_pdu
    ae.maximum_associations = maximum_associations
    ae.require_called_aet = called
    ae.require_calling_aet = calling or []
    handlers = [
        (evt.EVT_CONN_OPEN, seen.opened),
        (evt.EVT_ACCEPTED, seen.accepted),
        (evt.EVT_RELEASED, seen.ended),
        (evt.EVT_ABORTED, seen.ended),
        (evt.EVT_C_FIND, answer),
    ]
    server = cast("Any", ae).make_server(
        ("127.0.0.1", 0), evt_handlers=handlers, server_class=_Server
    )
    seen.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(_STOP_INTERVAL,), daemon=True).start()
    try:
        yield seen
    finally:
        running = server.active_associations
        in_time(server.shutdown)
        for association in running:
            # One that was never requested waits for its request as long as pynetdicom lets it.
            association.dul.to_user_queue.put(None)
            association.join(PATIENCE)
        for connection in seen.sockets:
            connection.close()  # pynetdicom leaves one open that was reset


@contextmanager
def archive_of(acceptor: Acceptor, **titles: str) -> Generator[Archive]:
    """The archive at this acceptor, closed at the end."""
    archive = connect(acceptor.node(**titles))
    try:
        yield archive
    finally:
        in_time(archive.close)
