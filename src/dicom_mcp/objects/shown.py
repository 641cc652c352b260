"""Which picture of a series an answer shows."""

from typing import Any

from ..door.answer import Rank
from ..door.rows import filled
from .image_choice import ImageChoice
from .objects import Member, Members


def frame_meant(dataset: Any, choice: ImageChoice) -> int:
    """The frame that is meant of an object the archive did not say the frames of."""
    from ..content.geometry import frame_at

    share = 0.0 if choice.share is None else choice.share
    return frame_at(dataset, share, frames_of(dataset))


def frames_of(dataset: Any) -> int:
    """How many frames there are, whatever NumberOfFrames says."""
    from ..content.pixels import frames_held

    return frames_held(dataset)


def rank_of(found: Members, one: Member, number: int, *, frames: int = 1) -> Rank:
    """Where a share of the way (at) finds a picture again. Frames counts where the archive did not
    say how many the only object has."""
    if len(found.objects) == 1:
        return Rank(number or 1, max(frames, one.frames))
    before = sum(member.frames for member in found.objects[: found.objects.index(one)])
    return Rank(before + (number or 1), len(found.frames))


def row_of(found: Members, one: Member | None = None) -> dict[str, Any]:
    """The UIDs of the series, and of one of its objects."""
    row: dict[str, Any] = {
        "StudyInstanceUID": found.study_instance_uid,
        "SeriesInstanceUID": found.series_instance_uid,
    }
    if one:
        row |= {"SOPInstanceUID": one.uid, "InstanceNumber": one.number}
    return filled(row)


def row_of_place(found: Members, one: Member, number: int, frames: int) -> dict[str, Any]:
    """Which picture it is, and which of how many."""
    place = f"{number} of {frames} frames" if frames > 1 else ""
    if len(found.objects) > 1:
        place = found.place_of(one)
    frame = number if number > 1 or frames > 1 else ""
    return {**row_of(found, one), "frame": frame, "place": place}
