"""DCMTK's archive."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from dicom_mcp.node import Node, Receiver
from tests.peers.archive import Peer
from tests.peers.dcmtk import dcmtk, store
from tests.peers.program import AT_ONCE, free_port, running


@contextmanager
def dcmqrscp(
    objects: Sequence[Dataset], directory: Path, receiver: Receiver | None = None
) -> Generator[Peer]:
    """DCMTK's archive: hierarchical, byte for byte in text, without counts."""
    port = free_port()
    storage = directory / "storage"
    storage.mkdir()
    configuration = directory / "dcmqrscp.cfg"
    host = ""
    if receiver:
        host = f"receiver = ({receiver.ae_title}, {receiver.host}, {receiver.port})\n"
    configuration.write_text(
        f"NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n"
        f"HostTable BEGIN\n{host}HostTable END\nVendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\nDCMQRSCP {storage} RW (9999, 1024mb) ANY\nAETable END\n"
    )
    command = [str(dcmtk("dcmqrscp")), "-c", str(configuration), str(port)]
    with running(command, port, AT_ONCE):
        store(map(_uncompressed, objects), port, "DCMQRSCP", directory)
        yield Peer(
            "dcmqrscp",
            Node(port=port, called_ae_title="DCMQRSCP", receiver=receiver),
            lacks=frozenset({"case", "case of text", "accents"}),
        )


def _uncompressed(one: Dataset) -> Dataset:
    """dcmqrscp accepts uncompressed objects only; a query needs no pixels."""
    if not one.file_meta.TransferSyntaxUID.is_compressed:
        return one
    copy = deepcopy(one)
    del copy.PixelData
    copy.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return copy
