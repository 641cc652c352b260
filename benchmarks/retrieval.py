"""C-GET of 300 CT slices (158 MB) from Orthanc: dicom-mcp, a bare probe, getscu, pynetdicom.

`python -m benchmarks.retrieval`; the goal is at most 1.5 times the probe.
"""

import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, build_role, evt

from benchmarks import peers
from benchmarks.hospital_year import series
from dicom_mcp.deadline import Deadline
from dicom_mcp.dimse import association, command
from dicom_mcp.dimse.command import NO_DATA_SET, RESPONSE, Field, Operation
from dicom_mcp.dimse.connection import Connection
from dicom_mcp.dimse.exchange import DimseExchange
from dicom_mcp.dimse.get import GetModel
from dicom_mcp.dimse.negotiation import Storage
from dicom_mcp.dimse.upper_layer import UpperLayer
from dicom_mcp.node import Node
from dicom_mcp.standard import syntaxes
from dicom_mcp.standard.instance import Instance, Reference
from dicom_mcp.standard.keys import encode
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Query

SLICES, ROUNDS, PATIENCE = 300, 5, 120
GOAL = 1.5

_CT = Storage("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1")


def main() -> None:
    """Ask in turn and print seconds and ratios."""
    images = list(_slices())
    study = str(images[0].StudyInstanceUID)
    with peers.orthanc_holding(images) as port:
        contestants: dict[str, Callable[[], int]] = {
            "dicom-mcp": lambda: _ours(port, images),
            "kinds not known": lambda: _ours(port, images, kind=""),
            "probe": lambda: _probe(port, study),
            "getscu": lambda: _getscu(port, study),
            "plain pynetdicom": lambda: _pynetdicom(port, study),
        }
        rounds = [
            {name: _seconds(ask) for name, ask in contestants.items()} for _ in range(ROUNDS + 1)
        ][1:]
    megabytes = SLICES * 512 * 512 * 2 / 1e6
    print(f"C-GET of {SLICES} CT slices, {megabytes:.0f} MB, Orthanc, median of {ROUNDS}")
    for name in contestants:
        seconds = median(one[name] for one in rounds)
        ratio = median(one[name] / one["probe"] for one in rounds)
        print(f"  {name:18} {seconds:6.2f} s  {ratio:5.2f} x the probe")
    ours = median(one["dicom-mcp"] / one["probe"] for one in rounds)
    print(f"  goal: at most {GOAL} x the probe: {'met' if ours <= GOAL else 'not met'}")


def _slices() -> Iterator[Dataset]:
    for image in series(SLICES):
        image.BitsAllocated, image.BitsStored, image.HighBit = 16, 12, 11
        image.SamplesPerPixel, image.PixelRepresentation = 1, 0
        image.PhotometricInterpretation = "MONOCHROME2"
        image.add_new(0x7FE00010, "OW", bytes(512 * 512 * 2))
        yield image


def _seconds(ask: Callable[[], int]) -> float:
    start = perf_counter()
    assert ask() == SLICES
    return perf_counter() - start


def _query(study: str) -> Query:
    return Query(Level.STUDY, {"StudyInstanceUID": study})


def _ours(port: int, images: Sequence[Dataset], *, kind: str = _CT.sop_class) -> int:
    """As a tool fetches them: by reference, over an association of its own."""
    wanted = [
        Reference(
            str(one.StudyInstanceUID), str(one.SeriesInstanceUID), str(one.SOPInstanceUID), kind
        )
        for one in images
    ]
    sizes: list[int] = []

    def take(instance: Instance) -> bool:
        sizes.append(len(instance.data_set))
        return True

    exchange = DimseExchange(Node(port=port, called_ae_title="ORTHANC"))
    exchange.retrieve(wanted, take, deadline=Deadline(PATIENCE))
    exchange.close()
    return len(sizes)


def _probe(port: int, study: str) -> int:
    """Reads and counts; acknowledges each object without looking at it or keeping it."""
    layer = UpperLayer()
    deadline = Deadline(PATIENCE)
    connection = Connection.open(Node("127.0.0.1", port), deadline=deadline)
    request_pdu = association.request_pdu(
        Node(port=port, called_ae_title="ORTHANC"),
        [GetModel.STUDY_ROOT],
        [_CT],
        layer.maximum_length,
    )
    connection.send(layer.associate(request_pdu), deadline=deadline)
    while layer.next_event() is None:
        layer.receive(connection.receive(deadline=deadline))
    request: command.Command = {
        Field.AFFECTED_SOP_CLASS_UID: GetModel.STUDY_ROOT.value,
        Field.COMMAND_FIELD: Operation.C_GET_RQ,
        Field.PRIORITY: 0,
        Field.COMMAND_DATA_SET_TYPE: 1,
        Field.MESSAGE_ID: 1,
    }
    data_set = encode(_query(study), syntaxes.EXPLICIT_VR_LITTLE_ENDIAN)
    connection.send(layer.message(1, request, data_set), deadline=deadline)
    received, at, stored = bytearray(), 0, 0
    store: dict[int, int | str] = {}
    while True:
        received += connection.receive(deadline=deadline)
        while len(received) - at >= 12:
            (length,) = struct.unpack_from(">I", received, at + 2)
            if len(received) - at < 6 + length:
                break
            control = received[at + 11]
            if control & 1:
                said = command.decode(bytes(received[at + 12 : at + 6 + length]))
                if said[Field.COMMAND_FIELD] == Operation.C_GET_RQ | RESPONSE:
                    if said[Field.STATUS] != 0xFF00:
                        connection.close(farewell=layer.abort())
                        return stored
                else:
                    store = said
            elif control & 2:
                stored += 1
                connection.send(layer.message(3, _stored(store), b""), deadline=deadline)
            at += 6 + length
        del received[:at]
        at = 0


def _stored(request: dict[int, int | str]) -> dict[int, int | str]:
    return {
        Field.AFFECTED_SOP_CLASS_UID: request[Field.AFFECTED_SOP_CLASS_UID],
        Field.COMMAND_FIELD: Operation.C_STORE_RQ | RESPONSE,
        Field.MESSAGE_ID_BEING_RESPONDED_TO: request[Field.MESSAGE_ID],
        Field.COMMAND_DATA_SET_TYPE: NO_DATA_SET,
        Field.STATUS: 0,
        Field.AFFECTED_SOP_INSTANCE_UID: request[Field.AFFECTED_SOP_INSTANCE_UID],
    }


def _getscu(port: int, study: str) -> int:
    """DCMTK's getscu as a whole process, ignoring what it receives; TCP_NODELAY by its variable."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [
                *(peers.program("getscu") or "getscu", "-S", "-aec", "ORTHANC", "-od", folder),
                *("-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}"),
                *("127.0.0.1", str(port)),
            ],
            timeout=PATIENCE,
            check=True,
            env={"TCP_NODELAY": "1"},
        )
        return len(list(Path(folder).iterdir()))


def _pynetdicom(port: int, study: str) -> int:
    stored = 0

    def store(_: evt.Event) -> int:
        nonlocal stored
        stored += 1
        return 0x0000

    ae = AE()
    ae.add_requested_context(GetModel.STUDY_ROOT.value)
    ae.add_requested_context(_CT.sop_class, _CT.transfer_syntax)
    role = build_role(_CT.sop_class, scp_role=True)
    handlers: list[Any] = [(evt.EVT_C_STORE, store)]
    asked: Any = ae.associate(  # pyright: ignore[reportUnknownMemberType]
        "127.0.0.1", port, ae_title="ORTHANC", ext_neg=[role], evt_handlers=handlers
    )
    wanted = Dataset()
    wanted.QueryRetrieveLevel = "STUDY"
    wanted.StudyInstanceUID = study
    for _ in asked.send_c_get(wanted, GetModel.STUDY_ROOT.value):
        pass
    asked.release()
    return stored


if __name__ == "__main__":
    main()
