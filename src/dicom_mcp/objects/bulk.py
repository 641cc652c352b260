"""Attributes that the metadata of an object leave out: they are in the object itself."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..content.error import ContentError
from ..door.call import Call
from ..errors import ArchiveError
from ..standard.instance import Instance
from ..standard.note import Note, perhaps
from .objects import Member, fetch_one, opened

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from ..content.header import Row


def completed(
    call: Call, member: Member, instance: Instance, dataset: "Dataset", wanted: Sequence[str]
) -> tuple["Dataset", list[Note]]:
    """The data set that tells of each attribute that is wanted: where a header lacks some, which
    its archive may have kept apart (PS3.18 F.2.2), the whole object's. And why it is not to be had.
    """
    absent = lacking(dataset, wanted) if instance.without_bulk else []
    if not absent:
        return dataset, []
    try:
        whole, fetched = fetch_one(call, member)
        return opened(whole), fetched.told(1)
    except (ArchiveError, ContentError) as trouble:
        return dataset, [
            perhaps(
                f"{', '.join(absent)} may be in the object, whose header came "
                f"without bulk data, and the object did not come whole. {trouble}"
            )
        ]


def lacking(dataset: "Dataset", wanted: Sequence[str]) -> list[str]:
    """Which of these keywords or tags ("0018,0060") a data set lacks at every depth."""
    from ..content.header import header

    return untold(header(dataset, wanted).rows, wanted) if wanted else []


def untold(rows: Iterable["Row"], wanted: Sequence[str]) -> list[str]:
    """Which of these keywords or tags no row is of."""
    present = {row.keyword for row in rows} | {row.tag.strip("()").upper() for row in rows}
    return [name for name in wanted if name not in present and name.upper() not in present]


def may_lack(instance: Instance, dataset: "Dataset", wanted: Sequence[str]) -> bool:
    """Whether one of these is surely kept apart from this header."""
    from ..standard.dictionary import attribute

    if not instance.kept_apart:
        return False
    tags = {
        found.tag if (found := attribute(name)) else int(name.replace(",", ""), 16)
        for name in lacking(dataset, wanted)
    }
    return bool(tags & instance.kept_apart)
