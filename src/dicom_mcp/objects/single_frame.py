"""A frame of an object that does not come whole: asked for alone, and said to be."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..content.error import ContentError
from ..door.call import Call
from ..errors import ArchiveError
from ..standard.one_frame import OneFrame
from ..standard.syntaxes import NATIVE
from .image_choice import ImageChoice, at_share
from .objects import Member, fetch_one, opened

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


@dataclass(frozen=True, slots=True)
class Single:
    """Frame `number` of `frames`: as a data set that has only this one, or as the archive's own
    picture."""

    number: int
    frames: int
    dataset: "Dataset"
    frame: OneFrame
    note: str


def single(
    call: Call, member: Member, number: int, choice: ImageChoice, trouble: Exception
) -> Single:
    """The frame that is meant (0: by `choice`) of an object that did not come because of `trouble`.

    Raises ContentError with that and with why the frame could not be had alone.
    """
    from ..content.elements import Elements
    from ..content.tiles import tile_of

    meant = number or _meant(member.frames, choice)
    try:
        frame = call.frame(member.reference, meant)
        dataset = opened(fetch_one(call, member, headers=True)[0])
        frames = max(member.frames, _claimed(dataset))
        if not number and (again := _meant(frames, choice)) != meant:
            meant = again
            frame = call.frame(member.reference, meant)
    except (ArchiveError, ContentError) as error:
        raise ContentError(
            f"{trouble} One frame of it could not be had alone: {error}".rstrip(".")
        ) from trouble
    number = meant
    how = "as it is stored (/frames)" if frame.transfer_syntax else "as a picture (/rendered)"
    told = f"The object did not come whole: frame {number} of {frames:,} was fetched alone, {how}."
    if tile := tile_of(Elements.of(dataset), number):
        told += f" It is {tile}."
    if frame.transfer_syntax:
        _keep_only(dataset, frame, number)
    else:
        told += (
            " The picture is the archive's, not ours: window, sides and what is drawn on it are "
            "its choice, and it has no values."
        )
    return Single(number, frames, dataset, frame, told)


def _meant(frames: int, choice: ImageChoice) -> int:
    return at_share(range(1, frames + 1), 0.0 if choice.share is None else choice.share)


def _claimed(dataset: "Dataset") -> int:
    from ..content.elements import Elements
    from ..content.layout import frame_count

    return frame_count(Elements.of(dataset))


def _keep_only(dataset: "Dataset", frame: OneFrame, number: int) -> None:
    """Make it the data set of this frame alone, with what its functional groups say of it."""
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID

    from ..content.elements import Elements
    from ..content.placing import Placing

    plane = Placing(Elements.of(dataset)).plane(number)
    dataset.pop("TotalPixelMatrixColumns", None)  # by number it would be the first tile of them
    for keyword in ("GridFrameOffsetVector", "SliceLocationVector", "SliceVector"):
        if keyword in dataset:  # of all frames: the one that is kept says itself where it lies
            del dataset[keyword]
            dataset.ImagePositionPatient = list(plane.position) if plane else None
            dataset.ImageOrientationPatient = list(plane.cosines) if plane else None
    groups = dataset.get("PerFrameFunctionalGroupsSequence")
    if groups and number <= len(groups):
        dataset.PerFrameFunctionalGroupsSequence = [groups[number - 1]]
    dataset.NumberOfFrames = 1
    is_native = frame.transfer_syntax in NATIVE
    content = frame.content if is_native else encapsulate([frame.content])
    dataset.add_new(0x7FE00010, "OW" if is_native else "OB", content)
    dataset.file_meta.TransferSyntaxUID = UID(frame.transfer_syntax)
