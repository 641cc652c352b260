"""pynetdicom as a requestor, with an end to every wait and the types it leaves out."""

from collections.abc import Callable
from typing import Any, cast

from pydicom.dataset import Dataset
from pynetdicom import AE
from pynetdicom.association import Association

from dicom_mcp.demo.archive import GET, MODALITY_WORKLIST, MOVE, EmbeddedArchive
from dicom_mcp.standard.levels import Model
from tests.bounds import PATIENCE

STUDY_ROOT = Model.STUDY_ROOT.value
STUDY_ROOT_GET = next(uid for uid, model in GET.items() if model is Model.STUDY_ROOT)
STUDY_ROOT_MOVE = next(uid for uid, model in MOVE.items() if model is Model.STUDY_ROOT)


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
