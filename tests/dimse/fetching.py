"""Objects fetched from an archive, with an end to the wait."""

from pydicom.dataset import Dataset

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import Archive
from dicom_mcp.standard.instance import Instance, Reference, Retrieved
from tests.bounds import PATIENCE, in_time
from tests.peers.scripted_sender import (
    CT,
)


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


ONE, TWO, THREE = "1.2.3.1", "1.2.3.2", "1.2.3.3"


def ct(*uids: str) -> list[Reference]:
    return [Reference("1.2", "1.2.3", uid, CT) for uid in uids]
