"""Objects fetched by reference: from the embedded archive, and from peers that do it wrong."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.deadline import Deadline
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.hospital import hospital
from dicom_mcp.demo.objects import study_uid
from dicom_mcp.dicom_api import Archive, connect
from dicom_mcp.node import Node
from dicom_mcp.standard.instance import Instance, Reference, Retrieved
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Query
from tests.bounds import PATIENCE, in_time

pytestmark = pytest.mark.usefixtures("tidy")

STUDIES = ("nodule ct follow-up", "brain mr second", "heart echo", "trauma x-ray")


@pytest.fixture(scope="module")
def held() -> list[Dataset]:
    uids = {study_uid(study) for study in STUDIES}
    return [one for one in hospital(date(2026, 3, 31)).pacs() if one.StudyInstanceUID in uids]


@pytest.fixture(scope="module")
def embedded(held: list[Dataset]) -> Iterator[EmbeddedArchive]:
    with EmbeddedArchive(held, ae_title="HELD") as running:
        yield running


@pytest.fixture
def archive(embedded: EmbeddedArchive) -> Iterator[Archive]:
    with closing(connect(Node(port=embedded.port))) as archive:
        yield archive


def reference(one: Dataset, *, kind: bool = True) -> Reference:
    return Reference(
        str(one.StudyInstanceUID),
        str(one.SeriesInstanceUID),
        str(one.SOPInstanceUID),
        str(one.SOPClassUID) if kind else "",
    )


def fetch(
    archive: Archive,
    references: list[Reference],
    *,
    most: int = 1_000_000,
    seconds: float = PATIENCE,
    headers: bool = False,
) -> tuple[list[Instance], Retrieved]:
    """At most so many objects, and how fetching them ended."""
    came: list[Instance] = []

    def take(instance: Instance) -> bool:
        came.append(instance)
        return len(came) < most

    deadline = Deadline(seconds)
    retrieved = in_time(
        lambda: archive.objects(references, take, deadline=deadline, headers=headers)
    )
    assert retrieved.count == len(came)
    return came, retrieved


@pytest.mark.parametrize("kind", [True, False])
def test_objects_of_several_studies_all_come_whether_their_kind_is_known_or_not(
    archive: Archive, held: list[Dataset], kind: bool
) -> None:
    came, retrieved = fetch(archive, [reference(one, kind=kind) for one in held])
    assert retrieved == Retrieved("C-GET", len(held))
    syntaxes = {str(one.SOPInstanceUID): one.file_meta.TransferSyntaxUID for one in held}
    assert {one.sop_instance_uid: one.transfer_syntax for one in came} == syntaxes


def test_only_what_was_asked_for_comes(archive: Archive, held: list[Dataset]) -> None:
    some = held[::3]
    came, retrieved = fetch(archive, [reference(one) for one in some])
    assert not retrieved.missing
    assert {one.sop_instance_uid for one in came} == {str(one.SOPInstanceUID) for one in some}


def test_fetching_ends_when_no_more_are_wanted(archive: Archive, held: list[Dataset]) -> None:
    came, retrieved = fetch(archive, [reference(one) for one in held], most=2)
    assert (len(came), retrieved.missing, retrieved.notes) == (2, (), ())


def test_what_an_archive_does_not_hold_is_missing_with_its_reason(
    archive: Archive, held: list[Dataset]
) -> None:
    known = reference(held[0])
    unknown = Reference(known.study_instance_uid, known.series_instance_uid, "1.2.3")
    came, retrieved = fetch(archive, [known, unknown])
    assert [one.sop_instance_uid for one in came] == [known.sop_instance_uid]
    assert retrieved.missing == (unknown,)
    assert "1 of 2 objects did not come: the archive sent nothing" in retrieved.notes[0]


def test_one_connection_serves_queries_and_objects_in_turn(
    embedded: EmbeddedArchive, held: list[Dataset]
) -> None:
    node = Node(port=embedded.port, connections=1)
    with closing(connect(node)) as archive:
        for one in held[:3]:
            keys = {"StudyInstanceUID": str(one.StudyInstanceUID)}
            deadline = Deadline(PATIENCE)
            assert archive.find(Query(Level.STUDY, keys), limit=5, deadline=deadline).matches
            assert len(fetch(archive, [reference(one)])[0]) == 1
