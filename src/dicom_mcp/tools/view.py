"""Pictures for a model to look at: one image, a contact sheet of a series, two series compared."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from ..budgets import LARGEST_PICTURE
from ..content.error import ContentError
from ..door.account import Account
from ..door.answer import Findings, Pictures, Rank, mime_of
from ..door.call import Call
from ..door.rows import NamedRow, filled
from ..errors import ProtocolViolation
from ..objects.beside import notes_beside
from ..objects.choosing import Choosing, remarks_of
from ..objects.drawing import drawn_where, sources
from ..objects.image_choice import At, ImageChoice, spread
from ..objects.matching import Matching
from ..objects.objects import Member, Members, SeriesUid, fetch, fetch_one, members, opened
from ..objects.order import ordered_members
from ..objects.shown import frame_meant, frames_of, rank_of, row_of, row_of_place
from ..objects.single_frame import Single, single
from ..objects.windowing import window_of
from ..standard.instance import Instance
from ..standard.lists import Several, values_of
from ..standard.note import remark
from ..standard.sop_classes import PDF
from .query import Listed

if TYPE_CHECKING:
    from ..content.apart import Apart
    from ..content.layers import Source
    from ..content.picture import Cell, Picture
    from ..content.window import Window

_TOO_LARGE = "Shown as JPEG, reduced if needed: as PNG it would exceed what an assistant accepts."
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
_Overlays = Annotated[bool, Field(description="Draw overlay planes over the image")]
_Draw = Annotated[
    Listed,
    Field(description="Series of a segmentation, RT structure set or RT dose to draw on it"),
]
_Format = Literal["png", "jpeg"]


class Shown(Findings):
    """What `view_image` and `view_series` say of their picture."""

    caption: list[str] = Field(description="What is shown and how")
    image: NamedRow


def view_image(
    call: Call,
    series_instance_uid: SeriesUid,
    at: At = "middle",
    window: _Window = "",
    frame: Annotated[int, Field(ge=0, description="Frame, or page of a PDF or ECG; 0: by at")] = 0,
    sop_instance_uid: str = "",
    study_instance_uid: str = "",
    size: _Size = 1024,
    overlays: _Overlays = False,
    draw: _Draw = "",
    format: _Format = "png",  # noqa: A002 - the name a model expects
) -> Pictures:
    """Look at one image of a series as a picture, sides marked, with a caption. Not for diagnosis.
    Also shows pages of a PDF, ECGs and other curves."""
    choice, using = ImageChoice.of(at), window_of(window)
    if sop_instance_uid.strip():
        found = members(call, series_instance_uid, study_instance_uid, sop_instance_uid)
    else:
        found = ordered_members(call, series_instance_uid, study_instance_uid)
    making = _Making(call, using, size, _MIME[format], remarks_of(found), overlays)
    making.draws(draw)
    member, number = Choosing(call, making.remarks).pick(found, choice, frame)
    return making.picture(found, member, number, choice)


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
    overlays: _Overlays = False,
    draw: _Draw = "",
    format: _Format = "png",  # noqa: A002 - the name a model expects
) -> Pictures:
    """Look at a series as a contact sheet of evenly spread images; or, with compare_with, at two
    series beside each other at the matching position (at). Not for diagnosis."""
    choice, using = ImageChoice.of(at), window_of(window)
    found = ordered_members(call, series_instance_uid, study_instance_uid)
    making = _Making(call, using, size, _MIME[format], remarks_of(found), overlays)
    making.draws(draw)
    if not compare_with.strip():
        return making.sheet(found, images)
    return making.compared(found, ordered_members(call, compare_with), choice)


_MIME = {"png": _PNG, "jpeg": _JPEG}


@dataclass(slots=True)
class _Making:
    """A picture in the making."""

    call: Call
    window: "Window | str"
    size: int
    mime: str
    remarks: Account
    overlays: bool
    drawn: Sequence[str] = ()
    layers: Sequence["Source"] = ()

    def draws(self, series: Several) -> None:
        """What these series draw is drawn too."""
        if wanted := values_of("SeriesInstanceUID", series, argument="draw"):
            self.drawn = wanted
            self.layers = sources(self.call, wanted, self.remarks)

    def _beside(self, found: Members, those: Sequence[Member]) -> None:
        self.remarks.note(*notes_beside(self.call, found, those, self.drawn))

    def picture(self, found: Members, member: Member, number: int, choice: ImageChoice) -> Pictures:
        """One image, or a page of a PDF."""
        from ..content.report import is_report
        from ..content.waveform import has_waveform

        try:
            instance = self._fetched(member)
        except (ContentError, ProtocolViolation) as trouble:
            return self._single(found, member, single(self.call, member, number, choice, trouble))
        if instance.sop_class_uid == PDF:
            return self._page(found, member, number or 1, instance)
        dataset = opened(instance)
        if is_report(instance.sop_class_uid):
            raise ContentError("The object is a report and no picture", "Use read_report")
        self.remarks.note(*drawn_where(dataset))
        if has_waveform(dataset):
            return self._curves(found, member, number or 1, dataset)
        number = number or frame_meant(dataset, choice)
        drawn = self._picture(dataset, number)
        self._beside(found, [member])
        rank = rank_of(found, member, number, frames=frames_of(dataset))
        return self._answer(
            [drawn], drawn.caption, row_of_place(found, member, number, member.frames), rank
        )

    def _curves(self, found: Members, member: Member, page: int, dataset: Any) -> Pictures:
        """Curves over time: an ECG, a pressure."""
        from ..content.plot import plot
        from ..content.waveform import lacking

        if lacks := [*lacking(dataset)]:
            self.remarks.lack(*lacks)
        drawn = self._bounded(lambda side, mime: plot(dataset, page, longest_side=side, mime=mime))
        return self._answer(
            [drawn],
            drawn.caption,
            {**row_of(found, member), "page": page},
            rank_of(found, member, 1),
        )

    def _picture(self, dataset: Any, number: int, of: int = 0) -> "Picture":
        from ..content.picture import picture

        with self.call.decoder() as apart:

            def made(side: int, mime: str) -> "Picture":
                return picture(
                    dataset,
                    number,
                    window=self.window,
                    longest_side=side,
                    mime=mime,
                    apart=apart,
                    overlays=self.overlays,
                    layers=self.layers,
                    of=of,
                )

            return self._bounded(made)

    def _single(self, found: Members, member: Member, its: Single) -> Pictures:
        """A frame that was fetched alone."""
        self.remarks.notes.insert(0, remark(its.note))
        self._beside(found, [member])
        row = row_of_place(found, member, its.number, its.frames)
        rank = rank_of(found, member, its.number, frames=its.frames)
        if its.frame.transfer_syntax:
            drawn = self._picture(its.dataset, 1, its.number)
            return self._answer([drawn], drawn.caption, row, rank)
        if self.window:
            self.remarks.lack("the archive's own picture has no other window.")
        said = self._said("A picture that the archive made.", row)
        return Pictures(said, [(its.frame.content, its.frame.mime)], rank)

    def _fetched(self, member: Member) -> Instance:
        """The object; what is wrong with it is remarked."""
        instance, fetched = fetch_one(self.call, member)
        self.remarks.note(*fetched.remarks())
        if told := fetched.told(1):
            self.remarks.lack(*told)
        return instance

    def sheet(self, found: Members, count: int) -> Pictures:
        """A contact sheet of the series."""
        from ..content.picture import contact_sheet

        every = found.frames
        wanted = spread(every, count)
        side = min(512, round(self.size / max(1.0, len(wanted) ** 0.5 - 1)))
        cells = self._cells(found, wanted, count, side)
        drawn = self._bounded(lambda side, mime: contact_sheet(cells, longest_side=side, mime=mime))
        self._beside(found, [member for member, _ in wanted])
        if len(cells) < len(every):
            self.remarks.note(f"{len(cells)} of {len(every)} images, evenly spread.")
        return self._answer([drawn], drawn.caption, row_of(found), Rank(0, len(every)))

    def compared(self, left: Members, right: Members, choice: ImageChoice) -> Pictures:
        """An image of each series, at the same place."""
        from ..content.picture import side_by_side

        self.remarks.note(*right.notes)
        self.remarks.complete = self.remarks.complete and right.whole and right.is_ordered
        pair = Matching(Choosing(self.call, self.remarks), left, right).pair(choice)
        (member, frame), (other, its_frame) = pair.left, pair.right
        first, whose = self._cell(member, frame)
        if pair.made is None:
            second, whose_other = self._cell(other, its_frame)
        else:
            second, whose_other = self._dated(pair.made, 1, pair.how)
        if whose != whose_other:
            self.remarks.notes.insert(0, remark("The two series have different Patient IDs."))
        drawn = self._bounded(
            lambda side, mime: side_by_side(first, second, longest_side=side, mime=mime)
        )
        for side, shown in ((left, member), (right, other)):
            self._beside(side, [shown])
        rows = {
            "left": row_of(left, member),
            "right": filled({**row_of(right, other), "made": pair.how}),
        }
        return self._answer([drawn], drawn.caption, rows, rank_of(left, member, frame))

    def _cells(
        self, found: Members, wanted: Sequence[tuple[Member, int]], count: int, side: int
    ) -> list["Cell"]:
        """The images of a sheet, those left out that cannot be shown."""

        frames: dict[str, list[int]] = defaultdict(list)
        for member, number in wanted:
            frames[member.uid].append(number)
        objects = {member.uid: member for member, _ in wanted}
        cells: dict[str, list[Cell]] = {}
        faults: dict[str, list[str]] = defaultdict(list)
        with self.call.decoder() as apart:

            def take(member: Member, instance: Instance) -> bool:
                self.call.check()
                at = 1
                try:
                    dataset = opened(instance)
                    known = frames_of(dataset)
                    if len(found.objects) == 1 and member.frames != known:
                        frames[member.uid] = spread(range(1, known + 1), count)
                    cells[member.uid] = []
                    for number in frames[member.uid]:
                        at = number
                        cells[member.uid].append(self._drawn(dataset, number, apart, side))
                except ContentError as trouble:
                    begun = bool(cells.get(member.uid))
                    faults[str(trouble)].append(member.name + f" from frame {at} on" * begun)
                return True

            fetched = fetch(self.call, list(objects.values()), take)
        told = fetched.told(len(objects))
        self.remarks.note(*fetched.remarks())
        drawn = [cell for uid in objects for cell in cells.get(uid, ())]
        if not drawn:
            raise ContentError(next(iter(faults), " ".join(map(str, told)) or "There is no image"))
        for trouble, names in faults.items():
            self.remarks.lack(f"Not shown: {', '.join(names)}. {trouble}")
        if told:
            self.remarks.lack(*told)
        return drawn

    def _cell(self, member: Member, number: int) -> tuple["Cell", str]:
        """An image to be compared, with its day in the label, and whose it is."""
        return self._dated(opened(self._fetched(member)), number or 1)

    def _dated(self, dataset: Any, number: int, how: str = "") -> tuple["Cell", str]:
        from ..content.elements import Elements

        elements = Elements.of(dataset)
        with self.call.decoder() as apart:
            drawn = self._drawn(dataset, number, apart, 1024)
        label = ", ".join(filter(None, [elements.text("StudyDate"), how, drawn.label]))
        return replace(drawn, label=label), elements.text("PatientID")

    def _drawn(self, dataset: Any, number: int, apart: "Apart", side: int) -> "Cell":
        from ..content.picture import cell

        return cell(
            dataset,
            number,
            window=self.window,
            apart=apart,
            longest_side=side,
            overlays=self.overlays,
            layers=self.layers,
        )

    def _page(self, found: Members, member: Member, page: int, instance: Instance) -> Pictures:
        from ..content.report import report_pages

        (drawn,) = self.call.read(
            report_pages,
            opened(instance),
            first=page,
            longest_side=self.size,
            most=LARGEST_PICTURE,
        )
        said = self.call.answer(
            Shown,
            self.remarks,
            caption=[f"Page {page} of a PDF; read_report has its text."],
            image={**row_of(found, member), "page": page},
        )
        return Pictures(said, [(drawn, mime_of(drawn))])

    def _bounded(self, draw: "Callable[[int, str], Picture]") -> "Picture":
        """The picture as an assistant accepts it: as JPEG, and then smaller, where it must be."""
        drawn, side = draw(self.size, self.mime), self.size
        while len(drawn.content) > LARGEST_PICTURE and side >= _SMALLEST:
            side = side if drawn.mime == _PNG else side * 3 // 4
            drawn = draw(side, _JPEG)
            self.remarks.note(_TOO_LARGE)
        return drawn

    def _answer(
        self, drawn: Sequence["Picture"], caption: str, row: dict[str, Any], rank: Rank
    ) -> Pictures:
        said = self._said(caption, row)
        return Pictures(said, [(picture.content, picture.mime) for picture in drawn], rank)

    def _said(self, caption: str, row: dict[str, Any]) -> Shown:
        return self.call.answer(Shown, self.remarks, caption=caption.split("\n"), image=filled(row))
