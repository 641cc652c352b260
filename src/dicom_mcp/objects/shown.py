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


def rank_of(found: Members, member: Member, number: int, *, frames: int = 1) -> Rank:
    """Where a share of the way (at) finds a picture again. Frames counts where the archive did not
    say how many the only object has."""
    if len(found.objects) == 1:
        return Rank(number or 1, max(frames, member.frames))
    before = sum(earlier.frames for earlier in found.objects[: found.objects.index(member)])
    return Rank(before + (number or 1), len(found.frames))


def row_of(found: Members, member: Member | None = None) -> dict[str, Any]:
    """The UIDs of the series, and of one of its objects."""
    row: dict[str, Any] = {
        "StudyInstanceUID": found.study_instance_uid,
        "SeriesInstanceUID": found.series_instance_uid,
    }
    if member:
        row |= {"SOPInstanceUID": member.uid, "InstanceNumber": member.number}
    return filled(row)


def row_of_place(found: Members, member: Member, number: int, frames: int) -> dict[str, Any]:
    """Which picture it is, and which of how many."""
    place = f"{number} of {frames} frames" if frames > 1 else ""
    if len(found.objects) > 1:
        place = found.place_of(member)
    frame = number if number > 1 or frames > 1 else ""
    return {**row_of(found, member), "frame": frame, "place": place}
