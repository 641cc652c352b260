"""Which picture of a series is meant, and which of another series fits it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from ..content.error import ContentError
from ..door.account import Account
from ..door.call import Call
from ..errors import ArchiveError
from ..standard.instance import Instance
from ..standard.sop_classes import PDF
from .image_choice import ImageChoice, at_share
from .objects import Member, Members, fetch, opened

if TYPE_CHECKING:
    from ..content import geometry

# Images whose headers are read to find one by its position.
_MOST_PLACED = 1000
_MOST_FRAMES = 20_000

# Millimetres below which two positions are one; of repeats that were planned anew.
_SAME_PLACE = 0.01
_NEAR = 0.05

# Series of fewer images are not looked into for volumes; how long that may take; how much wider
# than usual a gap within one may be.
_FEWEST = 7
_SECONDS = 15.0
_FAR = 2.5


# Why a picture may not be all.
_DOUBT = "not all that was asked for is shown, or surely in order."


def remarks_of(found: Members) -> Account:
    """What is to be said of the objects of a series, beside a picture."""
    complete = found.whole and found.is_ordered
    return Account(complete=complete, notes=[*found.notes], doubt=_DOUBT)


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture of a series, and where it lies."""

    member: Member
    position: "geometry.Position"


@dataclass(frozen=True, slots=True)
class Choosing:
    """Finds the picture that is meant; what is odd about it goes to `remarks`."""

    call: Call
    remarks: Account

    def pick(self, found: Members, choice: ImageChoice, frame: int) -> tuple[Member, int]:
        """The object and the frame that are meant; frame 0 where the object has to tell."""
        if len(found.objects) == 1 and found.objects[0].reference.sop_class_uid == PDF:
            return found.objects[0], frame or 1
        if choice.millimetres is not None:
            nearest = self.nearest(self.stack(found), choice.millimetres)
            return nearest.member, frame or nearest.position.frame
        if choice.number is not None:
            several = [image for image in found.objects if image.number == choice.number]
            if not several:
                raise ContentError(
                    f"The series has no instance number {choice.number}", _numbers(found)
                )
            if len(several) > 1:
                self.remarks.note(
                    f"{len(several)} instances have the number {choice.number}: this is the first; "
                    "choose by sop_instance_uid."
                )
            return several[0], frame or 1
        share = 0.5 if choice.share is None else choice.share
        if frame:
            return at_share(found.objects, share), frame
        if len(found.objects) == 1 and 0 < share < 1:
            return found.objects[0], 0
        if member := self._in_first_volume(found, share):
            return member, 0
        member, number = at_share(found.frames, share)
        return member, number if member.frames > 1 else 0

    def _in_first_volume(self, found: Members, share: float) -> Member | None:
        """The image this share of the way through the first of several volumes (phases, echoes,
        repeats) that are numbered one after the other; None where the series is but one."""
        objects, last = found.objects, len(found.objects) - 1
        if last < _FEWEST or not 0 < share < 1 or any(image.frames > 1 for image in objects):
            return None
        probed = sorted({0, last // 4, last // 2, last // 2 + 1, last * 3 // 4, last})
        if _is_one_volume(probed, self._places([objects[at] for at in probed])):
            return None
        several = self._places(objects) if last < _MOST_PLACED else []
        from ..content.geometry import at_share_of_volume

        chosen = at_share_of_volume([image.position for image in several], share)
        member = next((image.member for image in several if image.position is chosen), None)
        there = sum(abs(image.position.along - chosen.along) < _NEAR for image in several if chosen)
        if member:
            self.remarks.note(
                f"The series holds several volumes or orientations ({there} images lie at this "
                "place): this one is that share of the way through the first."
            )
        return member

    def _places(self, some: Sequence[Member]) -> list[Placed]:
        """Where these lie, in their order; those left out that do not say so, or not in time."""
        from ..content.geometry import places

        found: dict[str, Placed] = {}
        step = self.call.within(_SECONDS)

        def take(member: Member, instance: Instance) -> bool:
            step.check()
            with suppress(ContentError):
                for position in places(opened(instance))[:1]:
                    found[member.uid] = Placed(member, position)
            return True

        with suppress(ArchiveError):
            fetch(step, some, take, headers=True)
        return [found[member.uid] for member in some if member.uid in found]

    def stack(self, found: Members) -> list[Placed]:
        """The pictures of a series along their normal.

        Raises ContentError where they are too many, lie nowhere, or do not lie behind each other.
        """
        placed = self.placed(found)
        first = placed[0].position
        if not all(
            first.faces(image.position)
            and image.position.frame_of_reference == first.frame_of_reference
            for image in placed
        ):
            raise ContentError(
                "The series holds images of several orientations or frames of reference",
                "Choose by instance number",
            )
        return along_normal(placed)

    def placed(self, found: Members) -> list[Placed]:
        """The pictures of a series that say where they lie.

        Raises ContentError where none does, and where they are too many.
        """
        if len(found.objects) > _MOST_PLACED:
            raise ContentError(
                f"The series has {len(found.objects)} images; positions are read of {_MOST_PLACED}",
                "Choose by instance number or by a share such as 30 %",
            )
        from ..content.geometry import places

        placed: list[Placed] = []
        faults: list[str] = []

        def take(member: Member, instance: Instance) -> bool:
            self.call.check()
            if len(placed) > _MOST_FRAMES:
                raise ContentError(
                    f"The series has more than {_MOST_FRAMES} frames", "Choose by instance number"
                )
            try:
                placed.extend(Placed(member, position) for position in places(opened(instance)))
            except ContentError as trouble:
                faults.append(str(trouble))
            return True

        fetched = fetch(self.call, found.objects, take, headers=True)
        self.remarks.note(*fetched.remarks())
        told = fetched.told(len(found.objects))
        if told or faults:
            self.remarks.lack(*told, *dict.fromkeys(faults))
        if not placed:
            raise ContentError(
                "The images do not say where they lie in the patient",
                "Choose by a share such as 30 %",
            )
        return placed

    def nearest(self, stack: Sequence[Placed], wanted: float, called: str = "The series") -> Placed:
        """The picture nearest to a position.

        Raises ContentError where the series does not reach there.
        """
        first, last = stack[0].position.along, stack[-1].position.along
        steps = [after.position.along - before.position.along for before, after in pairwise(stack)]
        reach = max(median([step for step in steps if step > _SAME_PLACE] or [1.0]), 1.0)
        if not first - reach <= wanted <= last + reach:
            raise ContentError(
                f"{called} does not reach {wanted:.1f} mm: it lies between {first:.1f} and "
                f"{last:.1f} mm"
            )
        nearest = min(stack, key=lambda placed: abs(placed.position.along - wanted))
        if (off := abs(nearest.position.along - wanted)) > reach:
            self.remarks.note(f"There is a gap: the nearest image lies {off:.1f} mm away.")
        there = sum(
            abs(placed.position.along - nearest.position.along) < _SAME_PLACE for placed in stack
        )
        if there > 1:
            self.remarks.note(
                f"{there} images lie there (phases, echoes or repeats): this is the first."
            )
        return nearest


def along_normal(placed: Sequence[Placed]) -> list[Placed]:
    """Pictures of one orientation in the order in which they lie."""
    return sorted(placed, key=lambda image: (image.position.along, image.member.number or 0))


def _is_one_volume(probed: Sequence[int], placed: Sequence[Placed]) -> bool:
    """Whether images of these numbers lie as those of one stack do: all the way in one direction,
    and neighbours no further apart than the whole tells. Where it is not known it is taken so."""
    if len(placed) < len(probed):
        return True
    first = placed[0].position
    if not all(first.faces(image.position) for image in placed):
        return False
    along = [image.position.along for image in placed]
    steps = [after - before for before, after in pairwise(along)]
    if min(steps) < -_SAME_PLACE and max(steps) > _SAME_PLACE:
        return False
    usual = abs(along[-1] - along[0]) / (probed[-1] - probed[0])
    numbers = [after - before for before, after in pairwise(probed)]
    return all(
        abs(step) <= _FAR * usual * number + _SAME_PLACE
        for step, number in zip(steps, numbers, strict=True)
    )


def share_of[T](several: Sequence[T], chosen: T) -> float:
    """How far from the first to the last one lies."""
    return several.index(chosen) / max(1, len(several) - 1)


def _numbers(found: Members) -> str:
    """Which instance numbers there are, for whoever asked for another."""
    numbers = [member.number for member in found.objects if member.number is not None]
    if not numbers:
        return "Its instances have no numbers; choose by a share such as 30 %"
    return f"It has {len(numbers)} from {min(numbers)} to {max(numbers)}"
