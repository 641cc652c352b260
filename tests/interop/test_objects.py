"""Objects fetched from every archive by C-GET and C-MOVE, compressed ones as they are kept."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType]
from pydicom.data import data_manager
from pydicom.dataset import Dataset
from pydicom.uid import UID

from dicom_mcp.content.picture import picture
from dicom_mcp.content.read import read_object
from dicom_mcp.deadline import Deadline
from dicom_mcp.demo.findings import FINDINGS
from dicom_mcp.demo.objects import study_uid
from dicom_mcp.dicom_api import Archive, connect
from dicom_mcp.dimse.exchange import DimseExchange
from dicom_mcp.dimse.retrieve import Manners
from dicom_mcp.errors import StatusFailure
from dicom_mcp.node import Node, Receiver
from dicom_mcp.standard.instance import Instance, Reference, Retrieved
from tests.asking import ask, look
from tests.bounds import PATIENCE, in_time, nothing_left_behind
from tests.peers.archive import Peer
from tests.peers.dcmqrscp import dcmqrscp
from tests.peers.embedded import embedded
from tests.peers.orthanc import orthanc
from tests.peers.program import free_port

# pydicom's own files, one of each transfer syntax that can be read here.
_SYNTAXES = (".1", ".4.50", ".4.51", ".4.57", ".4.70", ".4.80", ".4.81", ".4.90", ".4.91", ".5")
SYNTAXES = frozenset(f"1.2.840.10008.1.2{one}" for one in _SYNTAXES)


@pytest.fixture
def archive(peer: Peer) -> Iterator[Archive]:
    archive = connect(peer.node)
    yield archive
    in_time(archive.close)


@pytest.mark.parametrize("kind", [True, False])
def test_every_object_of_the_hospital_can_be_fetched(
    archive: Archive, held: list[Dataset], kind: bool
) -> None:
    some = held[::7]
    came, retrieved = fetch(archive, [reference(one, kind=kind) for one in some])
    assert (retrieved.missing, retrieved.notes) == ((), ())
    assert {one.sop_instance_uid for one in came} == {str(one.SOPInstanceUID) for one in some}
    for one in came:
        found = read_object(bytes(one.data_set), one.transfer_syntax)
        assert found.SOPInstanceUID == one.sop_instance_uid


@pytest.mark.orthanc
def test_compressed_objects_come_as_they_are_kept(
    compressed: dict[str, Dataset], tmp_path: Path
) -> None:
    peer = orthanc(list(compressed.values()), tmp_path)
    with peer as running, closing(connect(running.node)) as archive:
        came, retrieved = fetch(archive, [reference(one) for one in compressed.values()])
    assert (retrieved.missing, retrieved.notes) == ((), ())
    assert {one.transfer_syntax for one in came} == set(compressed)
    for one in came:
        found = read_object(bytes(one.data_set), one.transfer_syntax)
        assert found.PixelData == compressed[one.transfer_syntax].PixelData


@pytest.fixture(
    scope="module",
    params=[
        "embedded",
        pytest.param("orthanc", marks=pytest.mark.orthanc),
        pytest.param("dcmqrscp", marks=pytest.mark.dcmtk),
    ],
)
def moving(
    request: pytest.FixtureRequest,
    held: list[Dataset],
    database: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Node]:
    """One archive after the other that knows where we receive."""
    directory: Path = tmp_path_factory.mktemp("moving")
    receiver = Receiver("RECEIVER", free_port(), "127.0.0.1")
    match request.param:
        case "embedded":
            started = embedded([], database=database, receiver=receiver)
        case "orthanc":
            started = orthanc(held, directory, receiver)
        case _:
            started = dcmqrscp(held, directory, receiver)
    with started as peer:
        assert isinstance(peer.node, Node)
        yield peer.node


def test_where_there_is_no_c_get_objects_are_moved_to_the_receiver(
    moving: Node, held: list[Dataset]
) -> None:
    exchange = DimseExchange(moving)
    exchange.manners.offers_get = False
    with nothing_left_behind(), closing(Archive(exchange)) as archive:
        some = held[::7]
        came, retrieved = fetch(archive, [reference(one) for one in some])
    assert (retrieved.service, retrieved.missing, retrieved.notes) == ("C-MOVE", (), ())
    assert {one.sop_instance_uid for one in came} == {str(one.SOPInstanceUID) for one in some}
    for one in came:
        found = read_object(bytes(one.data_set), one.transfer_syntax)
        assert found.SOPInstanceUID == one.sop_instance_uid


def test_a_report_is_read_and_a_slice_seen_by_c_move_alone(
    moving: Node, held: list[Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dicom_mcp.dimse.exchange.Manners", lambda: Manners(offers_get=False))
    study = study_uid("nodule ct follow-up")
    answer = ask(moving, "read_report", study_instance_uid=study)
    assert any(FINDINGS["nodule ct follow-up"][0] in one["text"] for one in answer["records"])
    images = [one for one in held if one.StudyInstanceUID == study and one.Modality == "CT"]
    chosen = min(images, key=lambda one: (one.SeriesNumber, one.InstanceNumber))
    uid = str(chosen.SeriesInstanceUID)
    _, (shown,) = look(moving, "view_image", series_instance_uid=uid, at="first")
    assert shown == picture(chosen).content


def test_an_archive_that_does_not_know_the_receiver_is_told_its_title_and_port(
    moving: Node, held: list[Dataset]
) -> None:
    assert moving.receiver
    port = moving.receiver.port
    exchange = DimseExchange(replace(moving, receiver=Receiver("NOBODY", port, "127.0.0.1")))
    exchange.manners.offers_get = False
    with closing(Archive(exchange)) as archive, pytest.raises(StatusFailure) as failure:
        fetch(archive, [reference(held[0])])
    assert f"register NOBODY at this machine's address, port {port}" in str(failure.value)


@pytest.fixture(scope="module")
def compressed() -> dict[str, Dataset]:
    """An object of each transfer syntax among pydicom's files."""
    found: dict[str, Dataset] = {}
    for path in sorted((Path(data_manager.__file__).parent / "test_files").glob("*.dcm")):
        try:
            one = dcmread(path)
        except Exception:  # some are broken on purpose
            continue
        syntax = str(one.file_meta.get("TransferSyntaxUID", ""))
        if syntax in SYNTAXES and all(
            one.get(uid) for uid in ("StudyInstanceUID", "SeriesInstanceUID", "PixelData")
        ):
            # Several of them are one image, compressed in one way or the other.
            uid = UID(f"2.25.7{len(found)}")
            one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = uid
            found.setdefault(syntax, one)
    return found


def reference(one: Dataset, *, kind: bool = True) -> Reference:
    return Reference(
        str(one.StudyInstanceUID),
        str(one.SeriesInstanceUID),
        str(one.SOPInstanceUID),
        str(one.SOPClassUID) if kind else "",
    )


def fetch(archive: Archive, references: list[Reference]) -> tuple[list[Instance], Retrieved]:
    came: list[Instance] = []

    def take(instance: Instance) -> bool:
        came.append(instance)
        return True

    deadline = Deadline(PATIENCE)
    return came, in_time(lambda: archive.objects(references, take, deadline=deadline))
