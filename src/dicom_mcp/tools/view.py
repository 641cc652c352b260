"""Pictures for a model to look at: one image, a contact sheet of a series, two series compared."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, Field

from ..content.error import ContentError
from ..errors import BadArgument
from ..standard.instance import Instance
from ..standard.values import shown
from .answer import Asked, Pictures, Rank, asked
from .call import Call
from .objects import (
    At,
    Member,
    Members,
    Place,
    SeriesUid,
    at_share,
    fetch,
    fetch_one,
    members,
    opened,
    recent_members,
    spread,
)
from .rows import Row, filled

if TYPE_CHECKING:
    from ..content import geometry
    from ..content.apart import Apart
    from ..content.picture import Cell, Picture
    from ..content.window import Window

PDF = "1.2.840.10008.5.1.4.1.1.104.1"

# Images whose headers are read to find one by its position.
_MOST_PLACED = 1000
_MOST_FRAMES = 20_000

# Of a picture: assistants accept 5 MB of base64.
_MOST_BYTES = 3_700_000
_TOO_LARGE = "JPEG and perhaps smaller, because it is too large for an assistant otherwise."
_SMALLEST = 400

_PNG, _JPEG = "image/png", "image/jpeg"

_Window = Annotated[
    str,
    Field(
        description='CT: lung, mediastinum, abdomen, liver, brain, bone, …; "centre/width" as '
        '"40/400"; "2" is the file\'s second; "full"; empty: as the file asks'
    ),
]
_Size = Annotated[int, Field(ge=128, le=1568, description="Longest side in pixels")]
_Format = Literal["png", "jpeg"]


class Shown(BaseModel):
    """What `view_image` and `view_series` say of their picture."""

    caption: list[str] = Field(description="What is shown and how")
    complete: bool
    notes: list[str]
    archive: Asked
    image: Row


def view_image(
    call: Call,
    series_instance_uid: SeriesUid,
    at: At = "middle",
    window: _Window = "",
    frame: Annotated[int, Field(ge=0, description="Frame, or page of a PDF; 0: by at")] = 0,
    sop_instance_uid: str = "",
    study_instance_uid: str = "",
    size: _Size = 1024,
    format: _Format = "png",  # noqa: A002 - the name a model expects
) -> Pictures:
    """Look at one image of a series as a picture, sides marked, with a caption. Not for diagnosis.
    Also shows pages of a PDF (frame)."""
    place, using = Place.of(at), _window(window)
    if sop_instance_uid.strip():
        found = members(call, series_instance_uid, study_instance_uid, sop_instance_uid)
    else:
        found = recent_members(call, series_instance_uid, study_instance_uid)
    making = _Making(call, using, size, _MIME[format], [*found.notes], complete=found.whole)
    one, number = making.pick(found, place, frame)
    return making.picture(found, one, number, place)


def view_series(
    call: Call,
    series_instance_uid: SeriesUid,
    compare_with: Annotated[
        str, Field(description="UID of another series, of any study: both side by side")
    ] = "",
    at: At = "middle",
    images: Annotated[int, Field(ge=1, le=64, description="On the contact sheet")] = 20,
    window: _Window = "",
    study_instance_uid: str = "",
    size: _Size = 1568,
    format: _Format = "png",  # noqa: A002 - the name a model expects
) -> Pictures:
    """Look at a series as a contact sheet of evenly spread images; or, with compare_with, at two
    series beside each other at the matching position (at). Not for diagnosis."""
    place, using = Place.of(at), _window(window)
    found = recent_members(call, series_instance_uid, study_instance_uid)
    making = _Making(call, using, size, _MIME[format], [*found.notes], complete=found.whole)
    if not compare_with.strip():
        return making.sheet(found, images)
    return making.compared(found, recent_members(call, compare_with), place)


_MIME = {"png": _PNG, "jpeg": _JPEG}


@dataclass(frozen=True, slots=True)
class _Placed:
    """A picture of a series, and where it lies."""

    member: Member
    place: "geometry.Place"


@dataclass(slots=True)
class _Making:
    """A picture in the making."""

    call: Call
    window: "Window | str"
    size: int
    mime: str
    notes: list[str] = field(default_factory=list[str])
    complete: bool = True

    def pick(self, found: Members, place: Place, frame: int) -> tuple[Member, int]:
        """The object and the frame that are meant; frame 0 where the object has to tell."""
        if len(found.objects) == 1 and found.objects[0].reference.sop_class_uid == PDF:
            return found.objects[0], frame or 1
        if place.millimetres is not None:
            nearest = self._nearest(self._stack(found), place.millimetres)
            return nearest.member, frame or nearest.place.frame
        if place.number is not None:
            several = [one for one in found.objects if one.number == place.number]
            if not several:
                raise ContentError(
                    f"The series has no instance number {place.number}", _numbers(found)
                )
            if len(several) > 1:
                self.notes.append(
                    f"{len(several)} instances have the number {place.number}: this is the first; "
                    "choose by sop_instance_uid."
                )
            return several[0], frame or 1
        share = 0.5 if place.share is None else place.share
        if frame:
            return at_share(found.objects, share), frame
        one, number = at_share(found.frames, share)
        return one, number if one.frames > 1 else 0

    def picture(self, found: Members, one: Member, number: int, place: Place) -> Pictures:
        """One image, or a page of a PDF."""
        instance = fetch_one(self.call, one)
        if instance.sop_class_uid == PDF:
            return self._page(found, one, number or 1, instance)
        from ..content.apart import Apart
        from ..content.picture import picture
        from ..content.report import is_report

        dataset = opened(instance)
        if is_report(instance.sop_class_uid):
            raise ContentError("The object is a report and no picture", "Use read_report")
        number = number or _frame(dataset, place)
        rank = _rank(found, one, number, frames=_frames(dataset))
        with Apart(self.call.deadline) as apart:

            def made(side: int, mime: str) -> "Picture":
                return picture(
                    dataset,
                    number,
                    window=self.window,
                    longest_side=side,
                    mime=mime,
                    transfer_syntax=instance.transfer_syntax,
                    apart=apart,
                )

            drawn = self._bounded(made)
        nth = found.objects.index(one) + 1
        row = {
            **_row(found, one),
            "frame": number if number > 1 or one.frames > 1 else "",
            "place": f"{nth} of {len(found.objects)} by instance number"
            if len(found.objects) > 1
            else f"{number} of {one.frames} frames"
            if one.frames > 1
            else "",
        }
        return self._answer([drawn], drawn.caption, row, rank)

    def sheet(self, found: Members, count: int) -> Pictures:
        """A contact sheet of the series."""
        from ..content.picture import contact_sheet

        every = found.frames
        wanted = spread(every, count)
        side = min(512, round(self.size / max(1.0, len(wanted) ** 0.5 - 1)))
        cells = self._cells(found, wanted, count, side)
        drawn = self._bounded(lambda side, mime: contact_sheet(cells, longest_side=side, mime=mime))
        if len(cells) < len(every):
            self.notes.append(f"{len(cells)} of {len(every)} images, evenly spread.")
        return self._answer([drawn], drawn.caption, _row(found), Rank(0, len(every)))

    def compared(self, left: Members, right: Members, place: Place) -> Pictures:
        """An image of each series, at the same place."""
        from ..content.picture import side_by_side

        self.notes += right.notes
        self.complete = self.complete and right.whole
        (one, frame), (other, its_frame) = self._matched(left, right, place)
        (first, whose), (second, whose_other) = self._cell(one, frame), self._cell(other, its_frame)
        if whose != whose_other:
            self.notes.insert(0, "The two series have different Patient IDs.")
        drawn = self._bounded(
            lambda side, mime: side_by_side(first, second, longest_side=side, mime=mime)
        )
        rows = {"left": _row(left, one), "right": _row(right, other)}
        return self._answer([drawn], drawn.caption, rows, _rank(left, one, frame))

    def _matched(
        self, left: Members, right: Members, place: Place
    ) -> tuple[tuple[Member, int], tuple[Member, int]]:
        """The image of the left series that is meant, and the one of the right that fits it."""
        try:
            stacks = self._stack(left), self._stack(right)
        except ContentError as trouble:
            if place.millimetres is not None:
                raise
            self.notes.append(f"Matched by image number only, not by position: {trouble}")
            one, number = self.pick(left, place, 0)
            share = _share(left.objects, one)
            if one.frames > 1:
                share = (max(number, 1) - 1) / (one.frames - 1)
            return (one, number), self.pick(right, Place(share=share), 0)
        mine, other = stacks
        if place.millimetres is not None:
            chosen = self._nearest(mine, place.millimetres)
        else:
            member, number = self.pick(left, place, 0)
            several = [one for one in mine if one.member is member]
            several = [one for one in several if not number or one.place.frame == number]
            if not several:
                raise ContentError(
                    f"{member.name} does not say where it lies in the patient",
                    "Choose another place (at)",
                )
            chosen = several[0]
        if not mine[0].place.faces(other[0].place):
            raise ContentError(
                "The two series have different orientations, so that no image of one matches an "
                "image of the other",
                "Look at each with view_image",
            )
        where = chosen.place.frame_of_reference
        if where and where == other[0].place.frame_of_reference:
            fitting = self._nearest(other, chosen.place.along, "The other series")
            self.notes.append(
                f"Matched by position (one frame of reference): left {chosen.place.along:.1f} mm, "
                f"right {fitting.place.along:.1f} mm."
            )
        else:
            fitting = at_share(other, _share(mine, chosen))
            self.notes.append(
                "The series have different frames of reference: matched by the share of the way "
                f"through each stack ({_share(mine, chosen):.0%}), so that the anatomy may be off."
            )
        return (chosen.member, chosen.place.frame), (fitting.member, fitting.place.frame)

    def _stack(self, found: Members) -> list[_Placed]:
        """The pictures of a series along their normal.

        Raises ContentError where they are too many, lie nowhere, or do not lie behind each other.
        """
        if len(found.objects) > _MOST_PLACED:
            raise ContentError(
                f"The series has {len(found.objects)} images; positions are read of {_MOST_PLACED}",
                "Choose by instance number or by a share such as 30 %",
            )
        from ..content.geometry import places

        placed: list[_Placed] = []
        faults: list[str] = []

        def take(one: Member, instance: Instance) -> bool:
            self.call.deadline.remaining()
            if len(placed) > _MOST_FRAMES:
                raise ContentError(
                    f"The series has more than {_MOST_FRAMES} frames", "Choose by instance number"
                )
            try:
                placed.extend(_Placed(one, place) for place in places(opened(instance)))
            except ContentError as trouble:
                faults.append(str(trouble))
            return True

        told = fetch(self.call, found.objects, take, headers=True).told(len(found.objects))
        if told or faults:
            self.complete = False
            self.notes += [*told, *dict.fromkeys(faults)]
        if not placed:
            raise ContentError(
                "The images do not say where they lie in the patient", "Choose by instance number"
            )
        first = placed[0].place
        if not all(
            first.faces(one.place) and one.place.frame_of_reference == first.frame_of_reference
            for one in placed
        ):
            raise ContentError(
                "The series holds images of several orientations or frames of reference",
                "Choose by instance number",
            )
        return sorted(placed, key=lambda one: (one.place.along, one.member.number or 0))

    def _nearest(
        self, stack: Sequence[_Placed], wanted: float, called: str = "The series"
    ) -> _Placed:
        """The picture nearest to a position.

        Raises ContentError where the series does not reach there.
        """
        first, last = stack[0].place.along, stack[-1].place.along
        steps = [after.place.along - before.place.along for before, after in pairwise(stack)]
        reach = max(median([one for one in steps if one > _SAME_PLACE] or [1.0]), 1.0)
        if not first - reach <= wanted <= last + reach:
            raise ContentError(
                f"{called} does not reach {wanted:.1f} mm: it lies between {first:.1f} and "
                f"{last:.1f} mm"
            )
        nearest = min(stack, key=lambda one: abs(one.place.along - wanted))
        if (off := abs(nearest.place.along - wanted)) > reach:
            self.notes.append(f"There is a gap: the nearest image lies {off:.1f} mm away.")
        there = sum(abs(one.place.along - nearest.place.along) < _SAME_PLACE for one in stack)
        if there > 1:
            self.notes.append(
                f"{there} images lie there (phases, echoes or repeats): this is the first."
            )
        return nearest

    def _cells(
        self, found: Members, wanted: Sequence[tuple[Member, int]], count: int, side: int
    ) -> list["Cell"]:
        """The images of a sheet, those left out that cannot be shown."""
        from ..content.apart import Apart
        from ..content.elements import Elements
        from ..content.layout import frame_count

        frames: dict[str, list[int]] = defaultdict(list)
        for one, number in wanted:
            frames[one.uid].append(number)
        objects = {one.uid: one for one, _ in wanted}
        cells: dict[str, list[Cell]] = {}
        faults: dict[str, list[str]] = defaultdict(list)
        with Apart(self.call.deadline) as apart:

            def take(one: Member, instance: Instance) -> bool:
                self.call.deadline.remaining()
                try:
                    dataset = opened(instance)
                    known = frame_count(Elements.of(dataset))
                    if len(found.objects) == 1 and one.frames != known:
                        frames[one.uid] = spread(range(1, known + 1), count)
                    cells[one.uid] = [
                        self._drawn(dataset, number, instance, apart, side)
                        for number in frames[one.uid]
                    ]
                except ContentError as trouble:
                    faults[str(trouble)].append(one.name)
                return True

            told = fetch(self.call, list(objects.values()), take).told(len(objects))
        drawn = [cell for uid in objects for cell in cells.get(uid, ())]
        if not drawn:
            raise ContentError(next(iter(faults), " ".join(told) or "There is no image"))
        for trouble, names in faults.items():
            self.complete = False
            self.notes.append(f"Not shown: {', '.join(names)}. {trouble}")
        if told:
            self.complete = False
            self.notes += told
        return drawn

    def _cell(self, one: Member, number: int) -> tuple["Cell", str]:
        """An image to be compared, with its day in the label, and whose it is."""
        from ..content.apart import Apart
        from ..content.elements import Elements

        instance = fetch_one(self.call, one)
        dataset = opened(instance)
        elements = Elements.of(dataset)
        with Apart(self.call.deadline) as apart:
            drawn = self._drawn(dataset, number or 1, instance, apart, 1024)
        day = elements.text("StudyDate")
        return replace(drawn, label=f"{day}, {drawn.label}"), elements.text("PatientID")

    def _drawn(
        self, dataset: Any, number: int, instance: Instance, apart: "Apart", side: int
    ) -> "Cell":
        from ..content.picture import cell

        return cell(
            dataset,
            number,
            window=self.window,
            transfer_syntax=instance.transfer_syntax,
            apart=apart,
            longest_side=side,
        )

    def _page(self, found: Members, one: Member, page: int, instance: Instance) -> Pictures:
        from ..content.report import report_pages

        dataset, side = opened(instance), self.size
        while True:
            (png,) = report_pages(
                dataset, first=page, longest_side=side, deadline=self.call.deadline
            )
            if len(png) <= _MOST_BYTES or side < _SMALLEST:
                break
            side = side * 3 // 4
        said = Shown(
            caption=[f"Page {page} of a PDF; read_report has its text."],
            complete=True,
            notes=self.notes,
            archive=asked(self.call.archive.node),
            image={**_row(found, one), "page": page},
        )
        return Pictures(said, [(png, _PNG)])

    def _bounded(self, draw: "Callable[[int, str], Picture]") -> "Picture":
        """The picture as an assistant accepts it: as JPEG, and then smaller, where it must be."""
        drawn, side = draw(self.size, self.mime), self.size
        while len(drawn.content) > _MOST_BYTES and side >= _SMALLEST:
            side = side if drawn.mime == _PNG else side * 3 // 4
            drawn = draw(side, _JPEG)
            self.notes.append(_TOO_LARGE)
        return drawn

    def _answer(
        self, drawn: Sequence["Picture"], caption: str, row: dict[str, Any], rank: Rank
    ) -> Pictures:
        said = Shown(
            caption=caption.split("\n"),
            complete=self.complete,
            notes=[*dict.fromkeys(self.notes)],
            archive=asked(self.call.archive.node),
            image=filled(row),
        )
        return Pictures(said, [(one.content, one.mime) for one in drawn], rank)


# Millimetres below which two positions are one.
_SAME_PLACE = 0.01


def _window(words: str) -> "Window | str":
    """A window by centre and width, else the words as the renderer takes them.

    Raises BadArgument for one that shows nothing.
    """
    words = words.strip()
    found = _CENTRE_WIDTH.fullmatch(words)
    if lettered := _WIDTH_LEVEL.fullmatch(words):
        width, centre = lettered.groups()
    elif found:
        centre, width = found.groups()
    else:
        return words
    from ..content.window import Window

    try:
        return Window(float(centre), float(width))
    except ContentError as trouble:
        raise BadArgument(
            f"window={shown(words)}: {trouble.happened}", 'Write "centre/width", such as "40/400"'
        ) from None


_NUMBER = r"([+-]?\d{1,6}(?:\.\d{1,6})?)"
_CENTRE_WIDTH = re.compile(rf"{_NUMBER} ?[/,; ] ?{_NUMBER}")
_WIDTH_LEVEL = re.compile(rf"w ?[=:]? ?{_NUMBER} ?[/,; ]? ?[lc] ?[=:]? ?{_NUMBER}", re.IGNORECASE)


def _frame(dataset: Any, place: Place) -> int:
    """The frame that is meant of an object the archive did not say the frames of."""
    frames = _frames(dataset)
    return at_share(range(1, frames + 1), 0.0 if place.share is None else place.share)


def _frames(dataset: Any) -> int:
    from ..content.elements import Elements
    from ..content.layout import frame_count

    return frame_count(Elements.of(dataset))


def _rank(found: Members, one: Member, number: int, *, frames: int = 1) -> Rank:
    """Where a share of the way (at) finds a picture again. Frames counts where the archive did not
    say how many the only object has."""
    if len(found.objects) == 1:
        return Rank(number or 1, max(frames, one.frames))
    before = sum(each.frames for each in found.objects[: found.objects.index(one)])
    return Rank(before + (number or 1), len(found.frames))


def _share[T](several: Sequence[T], one: T) -> float:
    """How far from the first to the last one lies."""
    return several.index(one) / max(1, len(several) - 1)


def _numbers(found: Members) -> str:
    """Which instance numbers there are, for whoever asked for another."""
    numbers = [one.number for one in found.objects if one.number is not None]
    if not numbers:
        return "Its instances have no numbers; choose by a share such as 30 %"
    return f"It has {len(numbers)} from {min(numbers)} to {max(numbers)}"


def _row(found: Members, one: Member | None = None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "study_instance_uid": found.study_instance_uid,
        "series_instance_uid": found.series_instance_uid,
    }
    if one:
        row |= {"sop_instance_uid": one.uid, "instance_number": one.number}
    return filled(row)
