"""The embedded archive as a peer sees it: what it promises beyond the answers to queries."""

import logging
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from queue import Queue
from typing import Any, Literal, cast

import pytest
from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType]
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_FIND
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation
from pynetdicom.presentation import build_context

from dicom_mcp.demo.acceptor import MAXIMUM_ASSOCIATIONS
from dicom_mcp.demo.archive import (
    MODALITY_WORKLIST,
    EmbeddedArchive,
)
from tests.demo.objects import MR_IMAGE, ROOT, hospital, instance, worklist
from tests.peers.pynetdicom_scu import (
    PATIENCE,
    STUDY_ROOT,
    ask,
    associated,
    request,
    requesting,
    statuses,
)

OPEN_FILES = Path("/proc/self/fd")
IMPLICIT = "1.2.840.10008.1.2"


@pytest.fixture
def archive() -> Iterator[EmbeddedArchive]:
    with EmbeddedArchive(hospital(), ae_title="DEMO", worklist=worklist()) as running:
        yield running


def test_nothing_is_left_running_after_stop() -> None:
    before = set(threading.enumerate())
    archive = EmbeddedArchive(hospital(), ae_title="DEMO")
    archive.start()
    # One association in use, one connection that says nothing, one that breaks off in a PDU.
    with associated(archive) as idle, ExitStack() as connections:
        for said in (b"", b"\x01\x00\x00\x00\x10\x00half"):
            connection = connections.enter_context(connected(archive.port))
            connection.sendall(said)
        assert ask(idle, STUDY_ROOT, QueryRetrieveLevel="STUDY", PatientID="7")
        archive.stop()
        left = set(threading.enumerate()) - before
        assert [thread.name for thread in left if serves(thread)] == []
        with pytest.raises(ConnectionRefusedError):
            connected(archive.port)
    archive.stop()


@pytest.mark.skipif(not OPEN_FILES.exists(), reason="needs a list of open files")
def test_no_socket_is_left_open_by_peers_that_vanish() -> None:
    archive = EmbeddedArchive([], ae_title="DEMO")
    before = len(list(OPEN_FILES.iterdir()))
    with archive:
        for said in (b"", b"\x01", b"\x01\x00\x00\x00\x10\x00half", b"\x09" * 6):
            connection = connected(archive.port)
            # Closed with a reset instead of an end.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(said)
            connection.close()
        with associated(archive):
            pass
    assert len(list(OPEN_FILES.iterdir())) == before


def test_it_can_be_started_again_on_the_same_port(archive: EmbeddedArchive) -> None:
    port = archive.port
    archive.stop()
    archive.start()
    assert archive.port == port
    with associated(archive) as association:
        assert len(ask(association, STUDY_ROOT, QueryRetrieveLevel="STUDY", PatientID="007")) == 2


def test_more_associations_than_allowed_are_rejected_and_the_rest_goes_on(
    archive: EmbeddedArchive,
) -> None:
    with ExitStack() as held:
        all_of_them = [held.enter_context(associated(archive)) for _ in range(MAXIMUM_ASSOCIATIONS)]
        one_more = request(archive)
        assert one_more.is_rejected
        assert cast("Any", one_more.acceptor.primitive).result_str == "Rejected Transient"
        assert ask(all_of_them[-1], STUDY_ROOT, QueryRetrieveLevel="STUDY", PatientID="7")


def test_titles_are_accepted_as_they_come_unless_required() -> None:
    with EmbeddedArchive([], ae_title="DEMO") as lenient, associated(lenient, called="WHOEVER"):
        pass
    with EmbeddedArchive(
        [], ae_title="DEMO", require_called_ae_title=True, require_calling_ae_title=("FRIEND",)
    ) as strict:
        for called, calling, reason in (
            ("OTHER", "FRIEND", "Called AE title not recognised"),
            ("DEMO", "STRANGER", "Calling AE title not recognised"),
        ):
            refused = request(strict, called=called, calling=calling)
            assert refused.is_rejected
            assert cast("Any", refused.acceptor.primitive).reason_str == reason
        with associated(strict, called="DEMO", calling="FRIEND"):
            pass


def test_no_patient_is_logged_and_nothing_is_printed(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = instance(1, PatientName="ZZSECRET^Name", PatientID="ZZSECRET")
    with caplog.at_level(logging.DEBUG), EmbeddedArchive([secret], ae_title="DEMO") as holder:
        with associated(holder) as association:
            (found,) = ask(
                association, STUDY_ROOT, QueryRetrieveLevel="STUDY", PatientName="ZZSECRET*"
            )
        assert found.PatientName == "ZZSECRET^Name"
    served = [record for record in caplog.records if record.threadName != "MainThread"]
    assert not any("ZZSECRET" in record.getMessage() for record in served)
    assert capfd.readouterr().out == ""


def test_an_undecodable_identifier_is_refused_and_the_next_query_answered(
    archive: EmbeddedArchive,
) -> None:
    answers: Queue[Any] = Queue()

    def keep(event: evt.Event) -> None:
        answers.put(cast("Any", event).message)

    broken = C_FIND()
    broken.MessageID = 1
    broken.AffectedSOPClassUID = STUDY_ROOT
    broken.Priority = 2
    broken.Identifier = BytesIO(b"\x08\x00\x52\x00CS\xff\xff")
    with associated(archive) as association:
        cast("Any", association).bind(evt.EVT_DIMSE_RECV, keep)
        (context,) = (c for c in association.accepted_contexts if c.abstract_syntax == STUDY_ROOT)
        cast("Any", association.dimse).send_msg(broken, context.context_id)
        assert answers.get(timeout=PATIENCE).command_set.Status in (0xA900, 0xC000)
    with associated(archive) as association:
        assert ask(association, STUDY_ROOT, QueryRetrieveLevel="STUDY", PatientID="7")


def test_a_pdu_of_impossible_length_ends_the_connection(archive: EmbeddedArchive) -> None:
    with connected(archive.port) as connection:
        connection.sendall(b"\x01\x00\xff\xff\xff\xff" + bytes(1000))
        assert ends(connection)
    with associated(archive) as association:
        assert ask(association, STUDY_ROOT, QueryRetrieveLevel="STUDY", PatientID="7")


@pytest.mark.parametrize("name", ["MR_small_bigendian.dcm", "image_dfl.dcm", "MR_small_RLE.dcm"])
def test_objects_of_every_encoding_are_read_for_what_they_hold(name: str) -> None:
    stored = dcmread(cast("str", get_testdata_file(name)))
    expected = {
        keyword: stored[keyword].value for keyword in ("Rows", "Columns", "SOPClassUID", "Modality")
    }
    with EmbeddedArchive([stored], ae_title="DEMO") as holder, associated(holder) as association:
        (found,) = ask(
            association, STUDY_ROOT, QueryRetrieveLevel="IMAGE", **dict.fromkeys(expected)
        )
    assert {keyword: found[keyword].value for keyword in expected} == expected


@pytest.mark.parametrize("syntaxes", [[IMPLICIT], None])
@pytest.mark.parametrize("longest_pdu", [64, 16_382, 0])
def test_answers_fit_the_pdus_and_the_syntax_the_requestor_accepts(
    archive: EmbeddedArchive, syntaxes: list[str] | None, longest_pdu: int
) -> None:
    with associated(archive, syntaxes=syntaxes, longest_pdu=longest_pdu) as association:
        (found,) = ask(
            association,
            STUDY_ROOT,
            SpecificCharacterSet="ISO_IR 192",
            QueryRetrieveLevel="STUDY",
            PatientName="*山田*",
            StudyDescription="",
            NumberOfStudyRelatedInstances=None,
        )
    assert found.PatientName == "Yamada^Tarou=山田^太郎=やまだ^たろう"
    assert found.NumberOfStudyRelatedInstances == 2


def test_text_of_two_character_sets_comes_in_one_that_has_both() -> None:
    objects = [
        instance(1, PatientName="Иванов^Иван", SpecificCharacterSet="ISO_IR 144"),
        instance(
            2,
            PatientName="Ivanov^Ivan",
            SeriesDescription="Schädel",
            SpecificCharacterSet="ISO_IR 100",
            SeriesInstanceUID=f"{ROOT}.1.2",
        ),
    ]
    with EmbeddedArchive(objects, ae_title="DEMO") as holder, associated(holder) as association:
        (found,) = ask(
            association,
            STUDY_ROOT,
            QueryRetrieveLevel="SERIES",
            SeriesInstanceUID=f"{ROOT}.1.2",
            PatientName="",
            SeriesDescription="",
        )
    assert found.SpecificCharacterSet == "ISO_IR 192"
    assert (found.PatientName, found.SeriesDescription) == ("Иванов^Иван", "Schädel")


def test_only_what_was_asked_for_and_the_unique_key_is_returned(archive: EmbeddedArchive) -> None:
    with associated(archive) as association:
        (found,) = ask(association, STUDY_ROOT, QueryRetrieveLevel="STUDY", PatientID="7")
    assert {element.keyword for element in found} == {
        "QueryRetrieveLevel",
        "RetrieveAETitle",
        "PatientID",
        "StudyInstanceUID",
    }


def test_a_known_attribute_without_a_value_comes_back_empty(archive: EmbeddedArchive) -> None:
    with associated(archive) as association:
        (found,) = ask(
            association,
            STUDY_ROOT,
            QueryRetrieveLevel="STUDY",
            PatientID="7",
            ReferringPhysicianName="",
        )
    assert found["ReferringPhysicianName"].is_empty


@pytest.mark.parametrize(
    ("keyword", "status"),
    [("StudyDate", 0xFF00), ("ReferringPhysicianName", 0xFF00), ("Manufacturer", 0xFF01)],
)
def test_the_status_says_whether_every_key_is_supported(
    archive: EmbeddedArchive, keyword: str, status: int
) -> None:
    with associated(archive) as association:
        answers = statuses(
            association, STUDY_ROOT, QueryRetrieveLevel="STUDY", PatientID="7", **{keyword: ""}
        )
    assert answers == [status, 0x0000]


@pytest.mark.parametrize(
    "keys",
    [
        {"QueryRetrieveLevel": "PATIENT", "PatientID": "7"},
        {"QueryRetrieveLevel": "NOWHERE", "PatientID": "7"},
        {"PatientID": "7"},
    ],
)
def test_a_level_the_model_does_not_have_is_refused(
    archive: EmbeddedArchive, keys: dict[str, str]
) -> None:
    with associated(archive) as association:
        assert statuses(association, STUDY_ROOT, **keys) == [0xA900]


@pytest.mark.parametrize("above", [{}, {"StudyInstanceUID": "1.2\\1.3"}, {"StudyInstanceUID": ""}])
def test_a_strict_hierarchy_wants_one_value_of_each_unique_key_above(
    above: dict[str, str],
) -> None:
    with (
        EmbeddedArchive(hospital(), ae_title="STRICT", hierarchy="strict") as strict,
        associated(strict) as association,
    ):
        assert statuses(association, STUDY_ROOT, QueryRetrieveLevel="SERIES", **above) == [0xA900]


@pytest.mark.parametrize(("hierarchy", "given"), [("relational", b"\1\0"), ("strict", b"\0\0")])
def test_relational_queries_are_negotiated(
    hierarchy: Literal["relational", "strict"], given: bytes
) -> None:
    proposal = SOPClassExtendedNegotiation()
    proposal.sop_class_uid = UID(STUDY_ROOT)
    proposal.service_class_application_information = b"\1\1"
    with EmbeddedArchive([], ae_title="DEMO", hierarchy=hierarchy) as negotiating:
        association = requesting(AE("TESTER"))(
            negotiating.host,
            negotiating.port,
            contexts=[build_context(STUDY_ROOT)],
            ext_neg=[proposal],
        )
        assert association.acceptor.sop_class_extended == {STUDY_ROOT: given}
        association.release()


def test_every_worklist_attribute_can_be_asked_for(archive: EmbeddedArchive) -> None:
    step = Dataset()
    step.Modality = "MR"
    with associated(archive) as association:
        (found,) = ask(
            association,
            MODALITY_WORKLIST,
            PatientName="",
            ScheduledProcedureStepSequence=[step],
            RequestedProcedureDescription="",
        )
    assert found.PatientName == "Müller^Jürgen"
    assert [item.Modality for item in found.ScheduledProcedureStepSequence] == ["MR"]
    assert found["RequestedProcedureDescription"].is_empty


def test_an_object_without_its_uids_is_refused_at_the_door() -> None:
    nameless = instance(1)
    del nameless.StudyInstanceUID
    with pytest.raises(ValueError, match="UID"):
        EmbeddedArchive([nameless], ae_title="DEMO")
    with EmbeddedArchive([], ae_title="DEMO") as empty:
        nameless.SOPClassUID = MR_IMAGE
        ae = AE("STORER")
        ae.add_requested_context(MR_IMAGE)
        association = requesting(ae)(empty.host, empty.port)
        assert association.send_c_store(nameless).Status == 0xA900
        association.release()


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def ends(connection: socket.socket) -> bool:
    """Whether the peer closes the connection, after whatever it has to say."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        pass
    return True


def serves(thread: threading.Thread) -> bool:
    """Whether this is a thread of an acceptor."""
    acceptor = isinstance(thread, Association) and thread.is_acceptor
    return acceptor or thread.name.startswith("embedded archive")
