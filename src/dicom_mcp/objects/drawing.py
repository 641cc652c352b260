"""Segmentations, structure sets and doses that are to be drawn on images of another series."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..content.error import ContentError
from ..door.account import Account
from ..door.call import Call
from ..standard.instance import Instance
from ..standard.note import Note, incomplete
from ..standard.sop_classes import sop_class
from .objects import Member, fetch, members, opened

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from ..content.layers import Source

# Series and objects that are drawn at once: each is held while its call lasts.
_MOST_SERIES, _MOST = 4, 6


def sources(call: Call, several: Sequence[str], remarks: Account) -> list["Source"]:
    """What the objects of these series draw; those that are left out are remarked.

    Raises ContentError where a series holds nothing that draws, or does not come.
    """
    from ..content.dose import Dose
    from ..content.sources import source_of

    found: list[Source] = []
    if len(several) > _MOST_SERIES:
        raise ContentError(f"At most {_MOST_SERIES} series are drawn at once, not {len(several)}")
    for series in several:
        some = members(call, series)
        chosen = some.objects[: _MOST - len(found)]
        faults: list[str] = []

        def take(_: Member, instance: Instance, faults: list[str] = faults) -> bool:
            call.check()
            try:
                found.append(source_of(opened(instance)))
            except ContentError as trouble:
                faults.append(str(trouble))
            return True

        before = len(found)
        fetched = fetch(call, chosen, take)
        told: list[Note] = [*fetched.told(len(chosen))]
        if len(found) == before:
            raise ContentError(
                " ".join([*dict.fromkeys(faults), *map(str, told)])
                or f"At most {_MOST} objects are drawn at once"
            )
        told = [*map(incomplete, dict.fromkeys(faults)), *told]
        if len(chosen) < len(some.objects) or not some.whole:
            told.append(
                incomplete(f"{len(chosen)} of {len(some.objects)} objects of a series are drawn.")
            )
        if told:
            remarks.lack(*told)
        remarks.note(*fetched.remarks())
    return sorted(found, key=lambda source: not isinstance(source, Dose))  # below the others


def drawn_where(dataset: "Dataset") -> list[str]:
    """How such an object is seen on the images it was made from; nothing for others.

    Raises ContentError for one that is no picture itself.
    """
    from ..content.elements import Elements
    from ..content.sources import drawn_for

    elements = Elements.of(dataset)
    series, draws = (
        elements.text("SeriesInstanceUID"),
        sop_class(elements.text("SOPClassUID")).draws,
    )
    if not draws:
        return []
    images = " or ".join(drawn_for(dataset)) or "of its images"
    told = (
        f"To see it on the images, view the series {images} with draw={series}; read_report lists "
        "what it holds"
    )
    if draws == "structure set":
        raise ContentError("The object holds contours and no picture", told)
    return [f"{told}."]
