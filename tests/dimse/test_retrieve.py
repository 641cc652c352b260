"""Objects fetched by reference: from the embedded archive, and from peers that do it wrong."""

import logging
from collections.abc import Iterator
from contextlib import closing
from datetime import date

import pytest
from pydicom.dataset import Dataset
from pynetdicom.presentation import AllStoragePresentationContexts

from dicom_mcp.content.read import read_object
from dicom_mcp.deadline import Deadline
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.hospital import hospital
from dicom_mcp.demo.objects import study_uid
from dicom_mcp.dicom_api import Archive, connect
from dicom_mcp.dimse import unasked
from dicom_mcp.dimse.contexts import (
    MOST_STORAGE,
    MOST_UIDS,
    UNCOMPRESSED,
    shares,
    shares_of_rare,
)
from dicom_mcp.dimse.negotiation import Storage
from dicom_mcp.errors import (
    ArchiveError,
    AssociationAborted,
    Cancelled,
    DeadlinePassed,
    NoAcceptedContext,
    StatusFailure,
)
from dicom_mcp.node import Node
from dicom_mcp.standard.instance import Instance, Reference, Retrieved
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Query
from dicom_mcp.standard.syntaxes import EXPLICIT_VR_BIG_ENDIAN
from tests.bounds import PATIENCE, in_time
from tests.dimse.fetching import ONE, THREE, TWO, ct, fetch, reference
from tests.notes import the_note
from tests.peers.pynetdicom_scp import accepting, archive_of
from tests.peers.scripted import (
    CANCEL_REQUEST,
    FIND_REQUEST,
    Peer,
    Script,
    Talk,
    accept,
    acceptance,
    give,
    hold,
    match,
)
from tests.peers.scripted import hear_request as hear_association
from tests.peers.scripted_sender import (
    CT,
    GET,
    abort,
    finish,
    hear,
    hear_request,
    send,
    serve,
    stored,
)

pytestmark = pytest.mark.usefixtures("tidy")

STUDY_ROOT = b"1.2.840.10008.5.1.4.1.2.2."
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
    assert the_note(retrieved.notes, "1 of 2 objects did not come: the archive sent nothing")


def test_headers_come_without_what_is_large_and_from_others_whole(
    archive: Archive, held: list[Dataset]
) -> None:
    came, retrieved = fetch(archive, [reference(one) for one in held], headers=True)
    assert retrieved == Retrieved("C-GET", len(held))
    for one in came:
        found = read_object(bytes(one.data_set), one.transfer_syntax)
        assert found.SOPInstanceUID == one.sop_instance_uid
        assert "PixelData" not in found
        assert "WaveformData" not in str(found)


def test_an_archive_that_accepts_headers_but_sends_none_is_asked_for_whole_objects() -> None:
    asked_for: list[bytes] = []

    def answer(talk: Talk, identifier: bytes) -> None:
        asked_for.append(identifier)
        if b"1.2.3\0" in identifier:  # the series: an ordinary C-GET
            send(ONE)(talk)
            finish(completed=1)(talk)
        else:
            finish(0xA900)(talk)

    with Peer((accept, serve(answer))) as peer, closing(connect(Node(port=peer.port))) as archive:
        came, retrieved = fetch(archive, ct(ONE), headers=True)
    assert [one.sop_instance_uid for one in came] == [ONE]
    assert (retrieved.missing, len(asked_for)) == ((), 2)


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


# --- peers that do it wrong


def asked(script: Script, *uids: str, seconds: float = PATIENCE) -> tuple[list[str], Retrieved]:
    """What came of asking a peer with this script for these objects."""
    with Peer((accept, *script)) as peer, closing(connect(Node(port=peer.port))) as archive:
        came, retrieved = fetch(archive, ct(*uids), seconds=seconds)
    return [one.sop_instance_uid for one in came], retrieved


def test_an_object_nobody_asked_for_is_dropped_and_told() -> None:
    script = (hear_request, send(ONE), send("9.9"), send(TWO), finish(completed=3), hold)
    came, retrieved = asked(script, ONE, TWO)
    assert came == [ONE, TWO]
    assert not retrieved.missing
    assert the_note(retrieved.notes, "1 object came that nobody had asked for")


def test_an_archive_that_sends_what_nobody_asked_for_without_end_is_stopped_and_said_to_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unasked, "MOST_UNASKED", 20)

    def flood(talk: Talk) -> None:
        number = 0
        while talk.operation != CANCEL_REQUEST:
            number += 1
            talk.send(stored(talk, f"9.{number}"))
            hear(talk)
        talk.operation = GET

    came, retrieved = asked((hear_request, send(ONE), flood, finish(0xFE00), hold), ONE, TWO)
    assert came == [ONE]
    assert [one.sop_instance_uid for one in retrieved.missing] == [TWO]
    the_note(retrieved.notes, "1 of 2 objects did not come: the archive sent more than")


def test_an_archive_that_sends_the_whole_series_is_stopped_when_all_is_there() -> None:
    stopped: list[int] = []

    def hear_cancel(talk: Talk) -> None:
        for number in range(1000):
            talk.send(stored(talk, f"9.{number}"))
            hear(talk)
            if talk.operation == CANCEL_REQUEST:
                stopped.append(number)
                talk.operation = GET
                return

    came, retrieved = asked((hear_request, send(ONE), hear_cancel, finish(0xFE00), hold), ONE)
    assert came == [ONE]
    assert not retrieved.missing
    assert stopped[0] < 10


def test_an_abort_midway_names_what_is_missing() -> None:
    came, retrieved = asked((hear_request, send(ONE), abort), ONE, TWO)
    assert came == [ONE]
    assert [one.sop_instance_uid for one in retrieved.missing] == [TWO]
    assert the_note(retrieved.notes, "1 of 2 objects did not come: it aborted the association")


def test_an_abort_before_the_first_object_is_an_error() -> None:
    with pytest.raises(AssociationAborted):
        asked((hear_request, abort), ONE)


@pytest.mark.parametrize(
    "script",
    [
        (hear_request, hold),
        (hear_request, give(lambda talk: stored(talk, ONE, 100_000)[:50_000]), hold),
    ],
    ids=["says nothing", "stops within an object"],
)
def test_a_peer_that_hangs_is_left_at_the_deadline(script: Script) -> None:
    with pytest.raises(DeadlinePassed):
        asked(script, ONE, seconds=0.5)


def test_a_peer_that_hangs_midway_loses_only_the_rest() -> None:
    came, retrieved = asked((hear_request, send(ONE), hold), ONE, TWO, seconds=0.5)
    assert came == [ONE]
    assert [one.sop_instance_uid for one in retrieved.missing] == [TWO]
    assert the_note(retrieved.notes, "within 0.5 seconds")


def test_a_cancelled_call_ends_at_once() -> None:
    with (
        Peer((accept, hear_request, send(ONE), hold)) as peer,
        closing(connect(Node(port=peer.port))) as archive,
    ):
        deadline = Deadline(PATIENCE)

        def take(_: Instance) -> bool:
            deadline.cancel()
            return True

        with pytest.raises(Cancelled):
            in_time(lambda: archive.objects(ct(ONE, TWO), take, deadline=deadline))


def test_objects_that_are_too_large_are_named_and_the_others_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dicom_mcp.dimse.exchange.LARGEST_OBJECT", 50_000)

    def answer(talk: Talk, identifier: bytes) -> None:
        for uid, size in ((ONE, 100_000), (TWO, 100)):
            if uid.encode() in identifier:
                send(uid, size=size)(talk)
        finish(completed=1)(talk)

    came, retrieved = asked((serve(answer),), ONE, TWO)
    assert came == [TWO]
    assert [one.sop_instance_uid for one in retrieved.missing] == [ONE]
    assert the_note(retrieved.notes, "larger than the 80 MiB")
    with pytest.raises(ArchiveError, match="larger than the 80 MiB"):
        asked((serve(answer),), ONE)


def test_failed_sub_operations_are_missing_with_the_status_and_what_to_do() -> None:
    script = (
        hear_request,
        send(ONE),
        finish(0xB000, completed=1, failed=2, failed_uids=f"{TWO}\\{THREE}"),
        hold,
    )
    came, retrieved = asked(script, ONE, TWO, THREE)
    assert came == [ONE]
    assert [one.sop_instance_uid for one in retrieved.missing] == [TWO, THREE]
    assert the_note(retrieved.notes, "2 of 3 objects did not come", "0xB000", "objects_from")


def test_a_failure_without_an_object_is_an_error_with_what_to_do() -> None:
    with pytest.raises(StatusFailure, match="0xA702") as failure:
        asked((hear_request, finish(0xA702, failed=1), hold), ONE)
    assert failure.value.status == 0xA702
    assert "objects_from" in str(failure.value)


def test_an_archive_that_reads_no_lists_is_asked_one_by_one_and_remembered() -> None:
    identifiers: list[bytes] = []

    def answer(talk: Talk, identifier: bytes) -> None:
        identifiers.append(identifier)
        if b"\\" not in identifier:
            send(next(uid for uid in (ONE, TWO, THREE) if uid.encode() in identifier))(talk)
        finish(0xA900 if b"\\" in identifier else 0x0000)(talk)

    with (
        Peer((accept, serve(answer))) as peer,
        closing(connect(Node(port=peer.port))) as archive,
    ):
        for _ in range(2):
            came, retrieved = fetch(archive, ct(ONE, TWO, THREE))
            assert [one.sop_instance_uid for one in came] == [ONE, TWO, THREE]
            assert (retrieved.missing, retrieved.notes) == ((), ())
        assert len(peer.talks) == 1  # the association is kept for the next slices
    assert len(identifiers) == 1 + 3 + 3


def test_one_by_one_an_archive_is_not_asked_for_ever() -> None:
    identifiers: list[bytes] = []

    def answer(talk: Talk, identifier: bytes) -> None:
        identifiers.append(identifier)
        finish()(talk)

    came, retrieved = asked((serve(answer),), *(f"1.2.3.{number}" for number in range(100)))
    assert (came, len(retrieved.missing)) == ([], 100)
    assert len(identifiers) == 1 + 3
    assert "97 of 100 objects did not come: not asked for" in " ".join(map(str, retrieved.notes))


def test_an_archive_without_c_get_says_what_to_do_instead() -> None:
    with (
        accepting() as acceptor,
        archive_of(acceptor) as archive,
        pytest.raises(NoAcceptedContext, match="no receiver is configured") as failure,
    ):
        fetch(archive, ct(ONE))
    for remedy in ("C-GET enabled", "configure a receiver", "objects_from"):
        assert remedy in str(failure.value)


def test_a_uid_that_would_name_other_objects_is_never_sent() -> None:
    identifiers: list[bytes] = []

    def answer(talk: Talk, identifier: bytes) -> None:
        identifiers.append(identifier)
        finish()(talk)

    _, retrieved = asked((serve(answer),), "*", "1.2\\1.3", "")
    assert not identifiers
    assert len(retrieved.missing) == 3
    assert the_note(retrieved.notes, "their UIDs are not valid")


def test_the_log_says_how_it_ended_and_names_nobody(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "dicom_mcp"):
        asked((hear_request, send(ONE), finish(completed=1), hold), ONE)
    (line,) = (one for one in caplog.messages if one.startswith("C-GET"))
    assert "rows=1" in line
    assert "outcome=0x0000" in line
    assert ONE not in caplog.text


def test_an_archive_with_one_association_for_us_gives_it_to_the_objects() -> None:
    query = Query(Level.STUDY, {"PatientID": "7"})
    with accepting(maximum_associations=1) as acceptor, archive_of(acceptor) as archive:
        assert archive.find(query, limit=5, deadline=Deadline(PATIENCE)).matches
        with pytest.raises(NoAcceptedContext):  # and not TooManyAssociations
            fetch(archive, ct(ONE))
        assert archive.find(query, limit=5, deadline=Deadline(PATIENCE)).matches


def test_an_archive_with_patient_root_only_is_told_the_patient() -> None:
    def accept_patient_root(talk: Talk) -> None:
        hear_association(talk)
        said = acceptance(talk)
        for id_, content in talk.contexts.items():
            if STUDY_ROOT in content:
                item = bytes([id_, 0, 0, 0, 0x40])
                assert item in said
                said = said.replace(item, bytes([id_, 0, 3, 0, 0x40]))
        talk.send(said)

    identifiers: list[bytes] = []

    def answer(talk: Talk, identifier: bytes) -> None:
        identifiers.append(identifier)
        if talk.operation == FIND_REQUEST:
            talk.answering = FIND_REQUEST
            talk.send(talk.row(data_set=match(2, patient_id=b"PAT7")))
        else:
            send(ONE)(talk)
        finish(completed=1)(talk)

    with (
        Peer((accept_patient_root, serve(answer))) as peer,
        closing(connect(Node(port=peer.port))) as archive,
    ):
        came, retrieved = fetch(archive, [Reference("1.2.2", "1.2.3", ONE, CT)])
    assert [one.sop_instance_uid for one in came] == [ONE]
    assert not retrieved.missing
    assert len(identifiers) == 2
    assert b"PAT7" in identifiers[1]


# --- contexts


def test_every_reference_is_in_one_share_whose_contexts_fit_one_association() -> None:
    wanted = [
        Reference("1.2", f"1.3.{kind}", f"1.4.{kind}.{number}", f"1.5.{kind}")
        for kind in range(20)
        for number in range(600)
    ]
    found = shares(wanted)
    assert all(len(share.storage) <= MOST_STORAGE for share in found)
    batches = [batch for share in found for batch in share.batches]
    assert sorted(one.sop_instance_uid for batch in batches for one in batch) == sorted(
        one.sop_instance_uid for one in wanted
    )
    for batch in batches:
        assert len({one.series_instance_uid for one in batch}) == 1
        assert len(batch) <= MOST_UIDS


def test_only_the_syntaxes_an_object_is_kept_in_and_the_uncompressed_ones_are_offered() -> None:
    kept = Reference("1", "1.2", ONE, CT, ("1.2.840.10008.1.2.4.70",))
    report = Reference("1", "1.3", TWO, "1.2.840.10008.5.1.4.1.1.88.33")
    (share,) = shares([kept, report])
    assert share.storage == {
        *(Storage(CT, one) for one in (*UNCOMPRESSED, "1.2.840.10008.1.2.4.70")),
        *(Storage(report.sop_class_uid, one) for one in (*UNCOMPRESSED, EXPLICIT_VR_BIG_ENDIAN)),
    }


def test_every_storage_class_is_offered_when_nothing_is_known_of_an_object() -> None:
    unknown = [Reference("1", "1.2", ONE)]
    offered = {one.sop_class for share in shares(unknown) for one in share.storage}
    offered |= {one.sop_class for share in shares_of_rare(unknown) for one in share.storage}
    assert offered >= {str(one.abstract_syntax) for one in AllStoragePresentationContexts}
