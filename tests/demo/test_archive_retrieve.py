"""C-GET and C-MOVE from the embedded archive: what travels, and what the counts say."""

import socket
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, build_role, evt
from pynetdicom.presentation import build_context

from dicom_mcp.demo.archive import (
    VERIFICATION,
    EmbeddedArchive,
)
from tests.demo.objects import BASIC_TEXT_SR, CT_IMAGE, ROOT, compressed, hospital
from tests.peers.pynetdicom_scu import (
    STUDY_ROOT,
    STUDY_ROOT_GET,
    STUDY_ROOT_MOVE,
    ask,
    associated,
    identifier,
    requesting,
)


@pytest.fixture
def archive() -> Iterator[EmbeddedArchive]:
    with EmbeddedArchive(hospital(), ae_title="DEMO") as running:
        yield running


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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
