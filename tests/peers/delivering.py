"""pynetdicom as the archive that sends what was asked for to our receiver."""

import ssl
from typing import Any, cast

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ImplicitVRLittleEndian
from pynetdicom import AE

from dicom_mcp.dimse.inbox import Senders
from dicom_mcp.node import Node, Receiver
from tests.bounds import PATIENCE
from tests.peers.scripted import Step, Talk
from tests.peers.scripted_sender import CT


def image(uid: str, *, size: int = 100) -> Dataset:
    one = Dataset()
    one.SOPClassUID, one.SOPInstanceUID = UID(CT), UID(uid)
    one.add_new(0x7FE00010, "OW", bytes(size))
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return one


# Who sends: the archive that a node without further settings is.
ARCHIVE = Node().called_ae_title
SENDERS = Senders(frozenset({"127.0.0.1"}), frozenset({ARCHIVE}), Node().calling_ae_title)


def store(
    place: Receiver,
    *images: Dataset,
    origin: int | None = None,
    title: str = ARCHIVE,
    tls: ssl.SSLContext | None = None,
) -> list[int | None]:
    """Send them as an archive does, in TLS where there is a context for it; the status of each,
    None where the association ended."""
    ae = AE(title)
    for sop_class in {one.SOPClassUID for one in images}:
        ae.add_requested_context(sop_class, ImplicitVRLittleEndian)
    told = {"ae_title": place.ae_title, "tls_args": (tls, place.host) if tls else None}
    held = cast("Any", ae).associate(place.host, place.port, **told)
    assert held.is_established
    connection = held.dul.socket.socket
    said: list[int | None] = []
    for one in images:
        if held.is_established:
            mover = None if origin is None else SENDERS.originator
            answer = held.send_c_store(one, originator_aet=mover, originator_id=origin)
            said.append(answer.get("Status"))
    if held.is_established:
        held.release()
    held.join(PATIENCE)
    connection.close()  # pynetdicom leaves one open that the other side has ended
    return said


def deliver(place: Receiver, *uids: str) -> Step:
    """A step that sends these objects, one association each time it is made."""

    def step(talk: Talk) -> None:
        assert store(place, *map(image, uids), origin=talk.message_id) == [0x0000] * len(uids)

    return step
