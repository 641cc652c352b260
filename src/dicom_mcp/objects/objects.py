"""The objects of a series for tools that look inside them: which there are, which is meant, and
their bytes from the archive or the shelf."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Annotated, overload

from pydantic import Field

from ..budgets import LARGEST_OBJECT
from ..content.error import ContentError
from ..door.call import Call
from ..door.rows import text
from ..errors import BadArgument
from ..node import WebNode
from ..standard import values
from ..standard.instance import Instance, Reference
from ..standard.levels import Level
from ..standard.note import Named, Note, each_named, incomplete, remark
from ..standard.query import Match, Query, texts
from ..standard.values import whole_number
from ..studies.listing import listing
from .received import Objections, Received, patients_of, received

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

SeriesUid = Annotated[str, Field(description="UID from an earlier answer")]
WANTED = ("InstanceNumber", "SOPClassUID", "NumberOfFrames", "AvailableTransferSyntaxUID")


@dataclass(frozen=True, slots=True)
class Member:
    """An object of a series: how it is fetched, its number, and how many frames it is said to
    have (1 where nothing is said)."""

    reference: Reference
    number: int | None
    frames: int
    match: Match

    @property
    def uid(self) -> str:
        return self.reference.sop_instance_uid

    @property
    def name(self) -> str:
        """How a note calls it."""
        return f"instance {self.uid if self.number is None else self.number}"


@dataclass(frozen=True, slots=True)
class Members:
    """The objects of one series in the order of their numbers, or in what `order` says; `whole`
    says that they are all, `is_ordered` that there is an order."""

    study_instance_uid: str
    series_instance_uid: str
    objects: tuple[Member, ...]
    whole: bool
    notes: tuple[Note, ...]
    order: str = "by instance number"
    is_ordered: bool = True

    @property
    def frames(self) -> "Frames":
        """Every picture of the series."""
        return Frames(self.objects)

    def place_of(self, member: Member) -> str:
        """Where the object stands in that order, in words."""
        return f"{self.objects.index(member) + 1} of {len(self.objects)} {self.order}"


class Frames(Sequence[tuple[Member, int]]):
    """Every picture of some objects: the object, and the frame of it. As many as are claimed, of
    which none is held."""

    def __init__(self, objects: Sequence[Member]) -> None:
        self._objects = objects
        self._ends = [*accumulate(member.frames for member in objects)]

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> tuple[Member, int]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[Member, int]]: ...
    def __getitem__(self, index: int | slice) -> tuple[Member, int] | list[tuple[Member, int]]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        place = bisect_right(self._ends, index)
        before = self._ends[place - 1] if place else 0
        return self._objects[place], index - before + 1


@dataclass(slots=True)
class Fetched:
    """How fetching ended: which objects did not come and why, what is wrong with the others."""

    missing: list[str] = field(default_factory=list[str])
    notes: list[Note] = field(default_factory=list[Note])
    objections: Objections = field(default_factory=Objections)

    def lose(self, reference: Reference, why: str) -> None:
        """An object did not come as one that can be read."""
        self.missing.append(reference.sop_instance_uid)
        self.notes.append(remark(why))

    def told(self, wanted: int) -> list[Note]:
        """What is to be said where not all came, or not whole."""
        told = self.objections.incomplete()
        if self.missing:
            what = f"{len(self.missing)} of {wanted} objects did not come from the archive."
            told += [incomplete(what), *self.notes]
        return told

    def remarks(self) -> list[Note]:
        """What is to be known of those that came whole."""
        return self.objections.told()


def members(call: Call, series: str, study: str = "", instance: str = "") -> Members:
    """The objects of a series, or only the one named; a study not given is looked up.

    Raises BadArgument for what is no UID, ContentError where the archive holds nothing of it.
    """
    series = one_uid(series, "series_instance_uid")
    study = one_uid(study, "study_instance_uid") if study.strip() else ""
    if instance.strip():
        above = {"StudyInstanceUID": study} if study else {}
        uid = one_uid(instance, "sop_instance_uid")
        keys = {**above, "SeriesInstanceUID": series, "SOPInstanceUID": uid}
        answer = call.find(Query(Level.IMAGE, keys, WANTED), limit=2)
        found, whole, notes = answer.matches, answer.complete or bool(answer.matches), ()
        study = study or (text(found[0], "StudyInstanceUID") if found else "")
    else:
        found, whole, notes = [], True, ()
        studies = [study]
        if not study:
            answer = call.studies_of(series)
            studies = [text(match, "StudyInstanceUID") for match in answer.matches]
            study, whole = next(iter(studies), ""), answer.complete
        if study:
            listed = listing(call, study, series, said=None, also=WANTED[3:])
            found, whole, notes = listed.instances, listed.whole, listed.notes
        if len(studies) > 1:
            whole, notes = False, (_of_the_first(series, studies), *notes)
    if not found and not whole:
        raise ContentError("The archive's answer ended before it named an object", "Ask again")
    if not found:
        what = "object" if instance else "series"
        raise ContentError(
            f"The archive holds no {what} with this UID",
            f"Copy it from {'query_instances' if instance else 'query_series'}",
        )
    uids = Counter(text(match, "SOPInstanceUID") for match in found)
    if several := [uid for uid, count in uids.items() if count > 1]:
        whole, notes = False, (_of_one_of(several), *notes)
    some = [member(study, series, match) for match in found]
    some.sort(key=lambda member: (member.number is None, member.number or 0, member.uid))
    return Members(study, series, tuple(some), whole, notes)


def _of_the_first(series: str, studies: Sequence[str]) -> Note:
    """A UID is to be that of one series; here it is not known which of several is meant."""
    return incomplete(
        "SeriesInstanceUID ",
        Named("SeriesInstanceUID", series),
        f" is that of {len(studies)} series, in the studies ",
        *each_named("StudyInstanceUID", studies),
        ". This is of the first of them: say with study_instance_uid which is meant. An "
        "administrator should look at it.",
    )


def _of_one_of(several: Sequence[str]) -> Note:
    """An archive gives one object for a UID, and does not say which."""
    return incomplete(
        "each of these UIDs is that of several objects of the series: ",
        *each_named("SOPInstanceUID", several[:_MOST_NAMED]),
        ". The archive gives one of them for it, and which it is cannot be chosen. An "
        "administrator should look at it.",
    )


_MOST_NAMED = 5


def member(study: str, series: str, match: Match) -> Member:
    """The object that this answer to a query tells of."""
    number, frames = text(match, "InstanceNumber"), text(match, "NumberOfFrames")
    return Member(
        Reference(
            study,
            series,
            text(match, "SOPInstanceUID"),
            text(match, "SOPClassUID"),
            tuple(texts(match.get("AvailableTransferSyntaxUID", ""))),
        ),
        whole_number(number),
        min(max(whole_number(frames) or 1, 1), _MOST_FRAMES),
        match,
    )


def one_uid(uid: str, argument: str) -> str:
    """The UID. Raises BadArgument for none and for what is no single one."""
    found = values.key(uid, "UI", argument=argument)
    if not found or "\\" in found:
        raise BadArgument(
            f"{argument} must be one UID",
            "Copy it from an earlier answer; sample_headers and query_* take several",
        )
    return found


def fetch(
    call: Call,
    some: Sequence[Member],
    take: Callable[[Member, Instance], bool],
    *,
    headers: bool = False,
) -> Fetched:
    """Each of these objects goes to `take` as it comes, from the shelf or the archive, until that
    returns False. With `headers` pixels may be left out.

    What did not come, or is too large, is in the answer.
    """
    shelf, where = call.house.shelf, call.source
    whose = patients_of(call, dict.fromkeys(member.reference.study_instance_uid for member in some))
    found = Fetched()
    wanted: dict[_Place, Member] = {}

    def hand(member: Member, came: Received) -> bool:
        found.objections.learn(member.name, came)
        call.saw(came.instance)
        return take(member, came.instance)

    kinds = _kept_kinds(call, headers=headers)
    for member in some:
        kept = (shelf.get((where, *_place(member.reference), kind)) for kind in kinds)
        if (held := next(filter(None, kept), None)) is None:
            wanted[_place(member.reference)] = member
        else:
            call.hold(len(held.data_set))
            if not hand(member, held):
                return found
    if not wanted:
        return found

    by_uid = {member.uid: member.reference for member in wanted.values()}

    def keep(instance: Instance) -> bool:
        reference = instance.asked or by_uid[instance.sop_instance_uid]
        readable = _readable(instance, headers=headers)
        if readable is None:
            found.lose(reference, _too_large(len(instance.data_set)))
            return True
        came = received(readable, reference, whose[reference.study_instance_uid], apart)
        if came.stranger:
            found.lose(
                reference, f"For one object another one came: {came.stranger}. It is dropped."
            )
            return True
        if not came.faults and instance.is_ended:  # else it may come whole when asked for again
            kept = replace(came, instance=head(came.instance)) if headers else came
            shelf.put((where, *_place(reference), headers), kept)
        return hand(wanted[_place(reference)], came)

    references = [member.reference for member in wanted.values()]
    with call.decoder() as apart:
        answer = call.fetch(references, keep, headers=headers)
    found.missing += [reference.sop_instance_uid for reference in answer.missing]
    found.notes += answer.notes
    return found


def _kept_kinds(call: Call, *, headers: bool) -> list[bool]:
    """Whether what is kept are headers: a web server writes them anew, the same whether or not the
    object was seen."""
    is_web = all(isinstance(node, WebNode) for node in call.nodes)
    return [True] if headers and is_web else [True, False] if headers else [False]


def _too_large(size: int) -> str:
    return f"An object of {size:,} bytes is too large: at most {LARGEST_OBJECT:,} are read here."


def _readable(instance: Instance, *, headers: bool) -> Instance | None:
    """The object, or of one that is too large its header, where that is wanted; None where neither
    can be read."""
    size = len(instance.data_set)
    if headers and (instance.is_beginning or size > LARGEST_OBJECT):
        cut = replace(head(instance), without_bulk=True)
        return cut if len(cut.data_set) < size else None
    return instance if size <= LARGEST_OBJECT else None


# The study, the series and the object.
type _Place = tuple[str, str, str]


def _place(reference: Reference) -> _Place:
    return reference.study_instance_uid, reference.series_instance_uid, reference.sop_instance_uid


def fetch_one(call: Call, member: Member, *, headers: bool = False) -> tuple[Instance, Fetched]:
    """The object, and what is to be said of it.

    Raises ContentError with the reason where it does not come.
    """
    came: list[Instance] = []

    def take(_: Member, instance: Instance) -> bool:
        came.append(instance)
        return False

    found = fetch(call, [member], take, headers=headers)
    if not came:
        raise ContentError("The archive did not give the object", " ".join(map(str, found.notes)))
    return came[0], found


def head(instance: Instance) -> Instance:
    """The object as far as its pixels or a large document."""
    from ..content.read import without_pixels

    cut = without_pixels(instance.data_set, instance.transfer_syntax)
    return replace(instance, data_set=bytearray(cut))


def opened(instance: Instance) -> "Dataset":
    """An object that was fetched as a data set, as far as it is sound. Raises ContentError for one
    that cannot be read at all."""
    from ..content.read import read_inspected

    return read_inspected(
        instance.data_set, instance.transfer_syntax, most=LARGEST_OBJECT, came_in=instance.came_in
    )


# Frames of one object that can be told apart here.
_MOST_FRAMES = 20_000
