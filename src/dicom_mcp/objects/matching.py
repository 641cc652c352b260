"""Which image of another series fits one of this: nearest along the normal, or made of several.

Two series lie alike, or angled, or turned. Where one frame of reference holds for both, positions
compare at the middle of the image that was chosen; else the share of the way through each does. A
volume of thin slices that is angled is resampled in the plane of that image; an image that is only
turned, in its own plane. Both are told, as is every angle.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

from ..content.error import ContentError
from ..errors import ArchiveError
from ..standard.counted import counted
from ..standard.instance import Instance
from .choosing import Choosing, Placed, along_normal, share_of
from .image_choice import ImageChoice, at_share
from .objects import Member, Members, fetch, fetch_one, opened

if TYPE_CHECKING:
    from ..content.cutting import Grid
    from ..content.facing import Facing
    from ..content.resampling import Resampling

# What is resampled: at most so many images, at least so many, and so far apart at most in mm that
# something between them is known; where nothing else can be shown, further.
_MOST, _FEWEST = 500, 5
_THIN, _THICK = 3.0, 10.0


@dataclass(frozen=True, slots=True)
class Pair:
    """The image of the left series that is meant, and what of the right one fits it: an image, or
    `made`, a data set that was made of several like it."""

    left: tuple[Member, int]
    right: tuple[Member, int]
    made: Any = None
    how: str = ""


@dataclass(slots=True)
class Matching:
    """Finds the pair of two series; what is to be said of it goes to the remarks of `choosing`."""

    choosing: Choosing
    left: Members
    right: Members

    def pair(self, at: ImageChoice) -> Pair:
        """The pair at this place of the left series.

        Raises ContentError where none would show the same part of the body the same way.
        """
        try:
            stack = self.choosing.stack(self.left) if at.millimetres is not None else []
            mine = stack or self.choosing.placed(self.left)
            others = self.choosing.placed(self.right)
        except ContentError as trouble:
            if at.millimetres is not None:
                raise
            return self._by_number(at, trouble)
        chosen = self._chosen(mine, at)
        stack, lies = _facing_most(chosen, others)
        mine = along_normal([image for image in mine if image.position.faces(chosen.position)])
        if said := str(lies):
            self._note(f"Right against left: {said}{_distance_at_edges(lies, chosen)}.")
        if _has_one_frame(chosen, stack[0]):
            return self._by_position(chosen, stack, lies)
        self._refuse_another_plane(lies, "")
        share = share_of(mine, chosen)
        fitting = at_share(stack, 1 - share if lies.opposite else share)
        named = all(placed.position.frame_of_reference for placed in (chosen, stack[0]))
        why = "have different frames" if named else "do not both name a frame"
        self._note(
            f"The series {why} of reference: matched by the share of the way through each stack "
            f"({share:.0%}): the anatomy may be off."
        )
        return self._turned(chosen, fitting, lies)

    def _by_number(self, at: ImageChoice, trouble: ContentError) -> Pair:
        self._note(f"Matched by image number only, not by position: {trouble}")
        member, number = self.choosing.pick(self.left, at, 0)
        share = share_of(self.left.objects, member)
        if member.frames > 1:
            share = (max(number, 1) - 1) / (member.frames - 1)
        return Pair((member, number), self.choosing.pick(self.right, ImageChoice(share=share), 0))

    def _chosen(self, mine: Sequence[Placed], at: ImageChoice) -> Placed:
        if at.millimetres is not None:
            return self.choosing.nearest(mine, at.millimetres)
        member, number = self.choosing.pick(self.left, at, 0)
        several = [image for image in mine if image.member is member]
        several = [image for image in several if not number or image.position.frame == number]
        if not several:
            raise ContentError(
                f"{member.name} does not say where it lies in the patient",
                "Choose another place (at)",
            )
        return several[0]

    def _by_position(self, chosen: Placed, stack: list[Placed], lies: "Facing") -> Pair:
        """What lies where the middle of the chosen image does."""
        from ..content.facing import ALIKE, ANOTHER_PLANE
        from ..content.placing import dot

        why = ""
        if lies.tilt > ALIKE:
            why = _not_resampled(stack, _THICK if lies.tilt > ANOTHER_PLANE else _THIN)
            try:
                if not why:
                    return self._resampled(chosen, stack)
            except ContentError as trouble:
                why = str(trouble)
        self._refuse_another_plane(lies, why)
        where = dot(stack[0].position.plane.normal, chosen.position.centre)
        fitting = self.choosing.nearest(stack, where, "The other series")
        at_middle = f", at the middle of the left {where:.1f} mm" if lies.tilt > ALIKE else ""
        self._note(
            f"Matched by position (one frame of reference): left {chosen.position.along:.1f} mm, "
            f"right {fitting.position.along:.1f} mm{at_middle}."
        )
        if distance := _distance_in_plane(chosen, fitting):
            self._note(
                f"The two images do not lie over each other: their middles are {distance:.0f} mm "
                "apart."
            )
        if why:
            self._note(f"The nearest image is shown, not one in the same plane: {why}")
        return self._turned(chosen, fitting, lies)

    def _refuse_another_plane(self, lies: "Facing", why: str) -> None:
        from ..content.facing import ANOTHER_PLANE

        if lies.tilt > ANOTHER_PLANE:
            raise ContentError(
                f"The two series have different orientations ({lies.tilt:.0f}° apart), so that no "
                f"image of one matches an image of the other. {why}".strip(),
                "Look at each with view_image",
            )

    def _turned(self, chosen: Placed, fitting: Placed, lies: "Facing") -> Pair:
        """The fitting image, turned in its own plane where it lies turned."""
        from ..content.cutting import turned
        from ..content.resampling import Resampling

        left, right = _shown(chosen), _shown(fitting)
        if not lies.is_turned:
            return Pair(left, right)
        try:
            own = self._grid(fitting)
            made = Resampling(
                turned(own, chosen.position.plane), own.plane, [fitting.position.along]
            )
            dataset = self._filled(made, [fitting])
        except ContentError as trouble:
            self._note(f"The right image is not turned, as its sides say. {trouble}")
            return Pair(left, right)
        self._note("The right image was turned in its plane to lie as the left one does.")
        return Pair(left, right, dataset, "turned")

    def _resampled(self, chosen: Placed, stack: list[Placed]) -> Pair:
        """The other series in the plane of the chosen image."""
        from ..content.placing import dot
        from ..content.resampling import Resampling

        positions: dict[float, Placed] = {}
        for placed in stack:
            positions.setdefault(round(placed.position.along, 2), placed)
        slices = stack[0].position.plane
        made = Resampling(
            self._grid(chosen), slices, [image.position.along for image in positions.values()]
        )
        wanted = [image for image in positions.values() if made.wants(image.position.along)]
        if len(wanted) > _MOST:
            raise ContentError(f"It takes {len(wanted)} images; at most {_MOST} are resampled")
        dataset = self._filled(made, wanted)
        where = dot(slices.normal, chosen.position.centre)
        nearest = min(wanted, key=lambda image: abs(image.position.along - where))
        several = " (the first of each place)" if len(positions) < len(stack) else ""
        self._note(
            "Right is no image of the archive: it was resampled in the plane of the left one from "
            f"{made.images} images{several} that lie {made.spacing:.3g} mm apart (one frame of "
            "reference); black is where there are none."
        )
        return Pair(_shown(chosen), _shown(nearest), dataset, "resampled")

    def _grid(self, placed: Placed) -> "Grid":
        from ..content.cutting import grid_of

        dataset = opened(fetch_one(self.choosing.call, placed.member, headers=True)[0])
        return grid_of(dataset, placed.position.frame)

    def _filled(self, made: "Resampling", wanted: Sequence[Placed]) -> Any:
        """The image that these pictures make. Raises ContentError where they make none."""
        call = self.choosing.call
        frames: dict[str, list[int]] = {}
        for placed in wanted:
            frames.setdefault(placed.member.uid, []).append(placed.position.frame)
        objects = {image.member.uid: image.member for image in wanted}
        with call.decoder() as apart:

            def take(member: Member, instance: Instance) -> bool:
                call.check()
                dataset = opened(instance)
                for number in frames[member.uid]:
                    made.add(dataset, number, apart)
                return True

            try:
                fetched = fetch(call, [*objects.values()], take)
            except ArchiveError as trouble:
                raise ContentError(str(trouble)) from trouble
        if told := fetched.told(len(objects)):
            self.choosing.remarks.lack(*told)
        self._note(*(f"Resampled images: {note}." for note in made.notes))
        return made.dataset()

    def _note(self, *notes: str) -> None:
        self.choosing.remarks.note(*notes)


def _shown(placed: Placed) -> tuple[Member, int]:
    return placed.member, placed.position.frame


def _facing_most(chosen: Placed, others: Sequence[Placed]) -> tuple[list[Placed], "Facing"]:
    """The images of the other series that lie most like the chosen one, in order, and how."""
    from ..content.facing import facing

    stacks: list[list[Placed]] = []
    for image in others:
        for stack in stacks:
            first = stack[0].position
            if (
                first.faces(image.position)
                and first.frame_of_reference == image.position.frame_of_reference
            ):
                stack.append(image)
                break
        else:
            stacks.append([image])
    lies = [facing(chosen.position.plane, stack[0].position.plane) for stack in stacks]
    best = min(range(len(stacks)), key=lambda at: (round(lies[at].tilt), -len(stacks[at])))
    return along_normal(stacks[best]), lies[best]


def _has_one_frame(chosen: Placed, other: Placed) -> bool:
    where = chosen.position.frame_of_reference
    return bool(where) and where == other.position.frame_of_reference


def _distance_at_edges(lies: "Facing", chosen: Placed) -> str:
    """How far two planes that meet in the middle of the image are apart at its edge."""
    from math import dist, radians, sin

    half = dist(chosen.position.centre, chosen.position.plane.position)
    off = sin(radians(lies.tilt)) * half
    return f" (up to {off:.1f} mm apart at the edge)" if lies.tilt >= 0.05 and half else ""


def _distance_in_plane(chosen: Placed, fitting: Placed) -> float:
    """How many mm apart the middles of two images are that share no point; 0 for others."""
    from math import dist

    pair = chosen.position, fitting.position
    halves = [dist(position.centre, position.plane.position) for position in pair]
    distance = dist(*(position.centre for position in pair))
    return distance if all(halves) and distance > sum(halves) else 0.0


def _not_resampled(stack: Sequence[Placed], thickest: float) -> str:
    """Why these images are not resampled; "" where they can be."""
    places = sorted({round(placed.position.along, 2) for placed in stack})
    if len(places) < _FEWEST:
        return f"The other series has {counted(len(places), 'image')}, too few to be resampled."
    spacing = median(after - before for before, after in pairwise(places))
    if spacing > thickest:
        return f"Its images lie {spacing:.3g} mm apart, too far to be resampled."
    return ""
