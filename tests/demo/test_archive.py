"""The embedded archive as a peer sees it: what it promises beyond the answers to queries."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import BytesIO
from queue import Queue
from typing import Any, cast

import pytest
from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType]
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pynetdicom import AE, build_role, evt
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_FIND
from pynetdicom.presentation import build_context

from dicom_mcp.demo.acceptor import MAXIMUM_ASSOCIATIONS
from dicom_mcp.demo.archive import (
    GET,
    MODALITY_WORKLIST,
    MOVE,
    VERIFICATION,
    EmbeddedArchive,
)
from dicom_mcp.standard.levels import Model
from tests.demo.objects import (
    BASIC_TEXT_SR,
    CT_IMAGE,
    MR_IMAGE,
    ROOT,
    compressed,
    hospital,
    instance,
    worklist,
)

STUDY_ROOT = Model.STUDY_ROOT.value
STUDY_ROOT_GET = next(uid for uid, model in GET.items() if model is Model.STUDY_ROOT)
STUDY_ROOT_MOVE = next(uid for uid, model in MOVE.items() if model is Model.STUDY_ROOT)
IMPLICIT = "1.2.840.10008.1.2"

# Seconds after which something that should have ended has not.
PATIENCE = 20


@pytest.fixture
def archive() -> Iterator[EmbeddedArchive]:
    with EmbeddedArchive(hospital(), ae_title="DEMO", worklist=worklist()) as running:
        yield running


def test_nothing_is_left_running_after_stop(archive: EmbeddedArchive) -> None:
    # One association in use, one connection that says nothing, one that breaks off in a PDU.
    with associated(archive) as idle, ExitStack() as connections:
        for said in (b"", b"\x01\x00\x00\x00\x10\x00half"):
            connection = connections.enter_context(connected(archive.port))
            connection.sendall(said)
        assert ask(idle, STUDY_ROOT, QueryRetrieveLevel="STUDY", PatientID="7")
        archive.stop()
        assert [thread.name for thread in threading.enumerate() if serves(thread)] == []
        with pytest.raises(ConnectionRefusedError):
            connected(archive.port)
    archive.stop()


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


def test_get_brings_every_image_over_one_context_for_each_syntax() -> None:
    images = list(compressed())
    expected = {str(one.SOPInstanceUID): one.PixelData for one in images}
    received: dict[str, bytes] = {}

    def keep(event: evt.Event) -> int:
        received[str(event.dataset.SOPInstanceUID)] = event.dataset.PixelData
        return 0x0000

    pairs = {(one.SOPClassUID, one.file_meta.TransferSyntaxUID) for one in images}
    with EmbeddedArchive(images, ae_title="DEMO") as holder:
        association = requesting(AE("GETTER"))(
            holder.host,
            holder.port,
            contexts=[build_context(STUDY_ROOT_GET), *(build_context(*pair) for pair in pairs)],
            ext_neg=[build_role(uid, scp_role=True) for uid, _ in pairs],
            evt_handlers=[(evt.EVT_C_STORE, keep)],
        )
        keys = identifier(QueryRetrieveLevel="STUDY", StudyInstanceUID=f"{ROOT}.20")
        *_, (status, _) = association.send_c_get(keys, STUDY_ROOT_GET)
        association.release()
    assert status.Status == 0x0000
    assert status.NumberOfCompletedSuboperations == len(images)
    assert received == expected


@pytest.mark.parametrize(
    ("keys", "status"),
    [
        ({"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": "1.2.3"}, 0x0000),
        ({"QueryRetrieveLevel": "STUDY"}, 0xA900),
        ({"QueryRetrieveLevel": "SERIES", "StudyInstanceUID": f"{ROOT}.1"}, 0xA900),
        ({"QueryRetrieveLevel": "PATIENT", "PatientID": "7"}, 0xA900),
        (
            {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": f"{ROOT}.1", "PatientID": "*"},
            0xA900,
        ),
    ],
)
@pytest.mark.parametrize("service", ["get", "move"])
def test_retrieving_needs_the_unique_key_of_its_level(
    archive: EmbeddedArchive, service: str, keys: dict[str, str], status: int
) -> None:
    with EmbeddedArchive([], ae_title="THERE") as there, associated(archive) as association:
        archive.destinations["THERE"] = (there.host, there.port)
        if service == "get":
            answers = association.send_c_get(identifier(**keys), STUDY_ROOT_GET)
        else:
            answers = association.send_c_move(identifier(**keys), "THERE", STUDY_ROOT_MOVE)
        *_, (last, _) = answers
    assert last.Status == status


def test_a_destination_that_is_down_is_a_failure(archive: EmbeddedArchive) -> None:
    archive.destinations["DOWN"] = ("127.0.0.1", free_port())
    keys = identifier(QueryRetrieveLevel="STUDY", StudyInstanceUID=f"{ROOT}.1")
    with associated(archive) as association:
        *_, (last, _) = association.send_c_move(keys, "DOWN", STUDY_ROOT_MOVE)
        assert last.Status == 0xA801
        assert ask(association, STUDY_ROOT, QueryRetrieveLevel="STUDY", PatientID="7")


def test_move_counts_what_arrived_with_a_warning_and_what_was_refused(
    archive: EmbeddedArchive,
) -> None:
    answers = {f"{ROOT}.1.1.1": 0xB000, f"{ROOT}.1.1.2": 0xA700}

    def keep(event: evt.Event) -> int:
        return answers.get(cast("Any", event.request).AffectedSOPInstanceUID, 0x0000)

    keys = identifier(QueryRetrieveLevel="SERIES", SeriesInstanceUID=f"{ROOT}.1.1")
    with listening(keep) as there, associated(archive) as association:
        archive.destinations["THERE"] = ("127.0.0.1", there)
        *_, (last, failed) = association.send_c_move(keys, "THERE", STUDY_ROOT_MOVE)
    assert last.Status == 0xB000
    assert last.NumberOfCompletedSuboperations == 3
    assert last.NumberOfWarningSuboperations == 1
    assert last.NumberOfFailedSuboperations == 1
    assert cast("Dataset", failed).FailedSOPInstanceUIDList == f"{ROOT}.1.1.2"


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


class associated:  # noqa: N801 - reads as what it does
    """An association with the archive, released at the end."""

    def __init__(
        self,
        archive: EmbeddedArchive,
        *,
        called: str = "ANY-SCP",
        calling: str = "TESTER",
        syntaxes: list[str] | None = None,
        longest_pdu: int = 16_382,
    ) -> None:
        self.association = request(
            archive, called=called, calling=calling, syntaxes=syntaxes, longest_pdu=longest_pdu
        )

    def __enter__(self) -> Association:
        assert self.association.is_established
        return self.association

    def __exit__(self, *_: object) -> None:
        if self.association.is_established:
            self.association.release()
        self.association.join(PATIENCE)


def request(
    archive: EmbeddedArchive,
    *,
    called: str = "ANY-SCP",
    calling: str = "TESTER",
    syntaxes: list[str] | None = None,
    longest_pdu: int = 16_382,
) -> Association:
    ae = AE(calling)
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = ae.connection_timeout = PATIENCE
    for uid in (STUDY_ROOT, MODALITY_WORKLIST, STUDY_ROOT_GET, STUDY_ROOT_MOVE):
        ae.add_requested_context(uid, syntaxes)
    return requesting(ae)(archive.host, archive.port, ae_title=called, max_pdu=longest_pdu)


def requesting(ae: AE) -> Callable[..., Association]:
    """pynetdicom's associate with the types it leaves out."""
    return cast("Any", ae).associate


def identifier(**keys: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in keys.items():
        setattr(dataset, keyword, value)
    return dataset


def ask(association: Association, model: str, **keys: object) -> list[Dataset]:
    """The identifiers of all matches; every other status but success fails the test."""
    answers = list(association.send_c_find(identifier(**keys), model))
    assert answers[-1][0].Status == 0x0000
    return [cast("Dataset", found) for _, found in answers[:-1]]


def statuses(association: Association, model: str, **keys: object) -> list[int]:
    return [status.Status for status, _ in association.send_c_find(identifier(**keys), model)]


class listening:  # noqa: N801 - reads as what it does
    """A storage SCP for CT and SR objects; entering gives its port."""

    def __init__(self, keep: Callable[[evt.Event], int]) -> None:
        self.ae = AE("THERE")
        for uid in (VERIFICATION, CT_IMAGE, BASIC_TEXT_SR):
            self.ae.add_supported_context(uid)
        self.keep = keep

    def __enter__(self) -> int:
        server = cast("Any", self.ae).start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, self.keep)]
        )
        return server.server_address[1]

    def __exit__(self, *_: object) -> None:
        self.ae.shutdown()


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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serves(thread: threading.Thread) -> bool:
    """Whether this is a thread of an acceptor."""
    acceptor = isinstance(thread, Association) and thread.is_acceptor
    return acceptor or thread.name.startswith("embedded archive")
