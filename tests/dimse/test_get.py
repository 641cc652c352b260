"""C-GET of the demo hospital's objects from the embedded archive and from a real Orthanc."""

from collections.abc import Iterator
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite  # pyright: ignore[reportUnknownVariableType]

from dicom_mcp.deadline import Deadline
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.hospital import hospital
from dicom_mcp.demo.objects import study_uid
from dicom_mcp.dimse.association import Association
from dicom_mcp.dimse.get import GetEnding, GetModel, get
from dicom_mcp.dimse.negotiation import Storage
from dicom_mcp.errors import Cancelled
from dicom_mcp.node import Node
from dicom_mcp.standard.instance import Instance
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Query
from dicom_mcp.standard.status import Kind
from tests.bounds import PATIENCE
from tests.peers.orthanc import orthanc

STUDIES = ("nodule ct follow-up", "brain mr second", "heart echo", "trauma x-ray")


@pytest.fixture(scope="module")
def held() -> list[Dataset]:
    uids = {study_uid(study) for study in STUDIES}
    return [one for one in hospital(date(2026, 3, 31)).pacs() if one.StudyInstanceUID in uids]


@pytest.fixture(scope="module")
def archive(held: list[Dataset]) -> Iterator[EmbeddedArchive]:
    with EmbeddedArchive(held, ae_title="GET") as running:
        yield running


def _get(node: Node, study: str, storage: set[Storage]) -> tuple[list[Instance], GetEnding]:
    deadline = Deadline(PATIENCE)
    association = Association.request(
        node, [GetModel.STUDY_ROOT], storage=sorted(storage, key=str), deadline=deadline
    )
    instances: list[Instance] = []
    query = Query(Level.STUDY, {"StudyInstanceUID": study_uid(study)})

    def take(instance: Instance) -> bool:
        instances.append(instance)
        return True

    try:
        retrieved = get(association, query, GetModel.STUDY_ROOT, take, deadline=deadline)
        assert association.clean
    finally:
        association.release()
    return instances, retrieved


def _storage(objects: list[Dataset]) -> set[Storage]:
    return {Storage(str(one.SOPClassUID), str(one.file_meta.TransferSyntaxUID)) for one in objects}


def _encoded(one: Dataset) -> bytes:
    """The data set as its transfer syntax writes it, without file meta information."""
    out = BytesIO()
    bare = Dataset(one)
    syntax = one.file_meta.TransferSyntaxUID
    dcmwrite(out, bare, implicit_vr=syntax.is_implicit_VR, little_endian=True)
    return out.getvalue()


@pytest.mark.parametrize("study", STUDIES)
def test_every_object_comes_byte_for_byte_in_its_own_transfer_syntax(
    archive: EmbeddedArchive, held: list[Dataset], study: str
) -> None:
    wanted = {
        str(one.SOPInstanceUID): one for one in held if one.StudyInstanceUID == study_uid(study)
    }
    instances, retrieved = _get(Node(port=archive.port), study, _storage(held))
    assert retrieved.status
    assert retrieved.status.kind is Kind.SUCCESS
    assert (retrieved.completed, retrieved.failed) == (len(wanted), 0)
    assert {one.sop_instance_uid for one in instances} == wanted.keys()
    for one in instances:
        original = wanted[one.sop_instance_uid]
        assert one.sop_class_uid == original.SOPClassUID
        assert one.transfer_syntax == original.file_meta.TransferSyntaxUID
        assert one.data_set == _encoded(original)


@pytest.mark.orthanc
def test_orthanc_sends_compressed_and_plain_objects_over_one_association(
    held: list[Dataset], tmp_path: Path
) -> None:
    with orthanc(held, tmp_path) as peer:
        assert isinstance(peer.node, Node)
        for study in STUDIES:
            wanted = {
                str(one.SOPInstanceUID) for one in held if one.StudyInstanceUID == study_uid(study)
            }
            instances, retrieved = _get(peer.node, study, _storage(held))
            assert retrieved.failed == 0
            assert {one.sop_instance_uid for one in instances} == wanted


def test_what_was_not_offered_counts_as_failed(
    archive: EmbeddedArchive, held: list[Dataset]
) -> None:
    plain = {one for one in _storage(held) if one.transfer_syntax == "1.2.840.10008.1.2.1"}
    instances, retrieved = _get(Node(port=archive.port), "brain mr second", plain)
    assert {one.sop_class_uid for one in instances} == {"1.2.840.10008.5.1.4.1.1.88.11"}
    assert (retrieved.completed, retrieved.failed) == (1, 20)


def test_an_object_larger_than_agreed_ends_the_association_and_is_named(
    archive: EmbeddedArchive, held: list[Dataset]
) -> None:
    deadline = Deadline(PATIENCE)
    association = _associated(archive, held, deadline, largest=10_000)
    query = Query(Level.STUDY, {"StudyInstanceUID": study_uid("trauma x-ray")})
    ending = get(association, query, GetModel.STUDY_ROOT, lambda _: True, deadline=deadline)
    assert ending.status is None
    assert ending.too_large in {str(one.SOPInstanceUID) for one in held}
    assert not association.clean
    association.abort()


def test_a_retrieval_that_is_stopped_is_cancelled_and_its_association_drained_or_dead(
    archive: EmbeddedArchive, held: list[Dataset]
) -> None:
    deadline = Deadline(PATIENCE)
    association = _associated(archive, held, deadline)
    query = Query(Level.STUDY, {"StudyInstanceUID": study_uid("nodule ct follow-up")})
    taken: list[Instance] = []

    def take(instance: Instance) -> bool:
        taken.append(instance)
        return len(taken) < 3

    ending = get(association, query, GetModel.STUDY_ROOT, take, deadline=deadline)
    assert (ending.status, len(taken)) == (None, 3)
    if association.clean:
        association.release()
    else:
        association.abort()


def test_a_cancelled_retrieval_ends(archive: EmbeddedArchive, held: list[Dataset]) -> None:
    deadline = Deadline(PATIENCE)
    association = _associated(archive, held, deadline)
    query = Query(Level.STUDY, {"StudyInstanceUID": study_uid("nodule ct follow-up")})

    def take(_: Instance) -> bool:
        deadline.cancel()
        return True

    with pytest.raises(Cancelled), deadline.interrupting(association.interrupt):
        get(association, query, GetModel.STUDY_ROOT, take, deadline=deadline)
    association.abort()


def _associated(
    archive: EmbeddedArchive, held: list[Dataset], deadline: Deadline, *, largest: int = 1 << 24
) -> Association:
    return Association.request(
        Node(port=archive.port),
        [GetModel.STUDY_ROOT],
        storage=sorted(_storage(held), key=str),
        largest=largest,
        deadline=deadline,
    )
