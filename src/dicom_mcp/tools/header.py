"""Headers: the attributes of an object."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from ..attributes import keyword_of
from ..budgets import MOST_ROWS_OF_HEADER
from ..content.error import ContentError
from ..door.account import Account
from ..door.answer import Findings, fitting
from ..door.call import Call
from ..door.rows import NamedRow, Row, Rows, filled
from ..errors import BadArgument, BadAttribute
from ..objects.bulk import completed, untold
from ..objects.image_choice import ImageChoice, at_share
from ..objects.objects import Member, SeriesUid, fetch_one, members, opened
from ..objects.order import ordered_members
from ..objects.shown import row_of
from ..standard.note import Note, incomplete

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from ..content import header as contents

_At = Annotated[
    str | int | float,
    Field(description='Which object: "middle", "first", "last", "30 %", instance number 12'),
]
Attributes = Annotated[
    list[str], Field(description="Keywords, tags or plain words; also private tags")
]


class Headers(Findings):
    """What `read_header` answers."""

    returned: int
    object: NamedRow = Field(description="Which object it is")
    records: Rows = Field(description="Attributes; in: the sequence items it lies in")


def read_header(
    call: Call,
    series_instance_uid: SeriesUid,
    attributes: Attributes = [],  # noqa: B006
    at: _At = "middle",
    sop_instance_uid: str = "",
    study_instance_uid: str = "",
) -> Headers:
    """Read the DICOM header of one object of a series: all attributes or chosen ones, sequences and
    private ones included. For what queries cannot return: kVp, dose, kernel, geometry."""
    wanted, choice = wanted_attributes(attributes), ImageChoice.of(at)
    if sop_instance_uid.strip():
        found = members(call, series_instance_uid, study_instance_uid, sop_instance_uid)
    else:
        found = ordered_members(call, series_instance_uid, study_instance_uid)
    chosen = _pick(found.objects, choice)
    instance, fetched = fetch_one(call, chosen, headers=True)
    dataset = opened(instance)
    whole, lacks = completed(call, chosen, instance, dataset, wanted)
    told = [*fetched.told(1), *lacks]
    notes: list[Note | str] = [*told, *fetched.remarks(), *found.notes]
    if whole is not dataset:
        dataset = whole
    elif instance.without_bulk:
        notes += _pixels_elsewhere(dataset, chosen)
    if (number := choice.number) is not None and not sop_instance_uid.strip():
        several = sum(member.number == number for member in found.objects)
        if several > 1:
            notes.append(f"{several} instances have the number {number}: this is the first.")
    from ..content.header import header

    read = header(dataset, wanted)
    rows = [_record(row) for row in read.rows]
    kept = fitting(rows, MOST_ROWS_OF_HEADER)
    if len(kept) < len(rows) or not read.complete:
        notes.append(
            incomplete(
                f"these are the first {len(kept)} attributes; name those that are wanted "
                "(attributes)."
            )
        )
    if absent := untold(read.rows, wanted):
        notes.append(f"Not in this header: {', '.join(absent)}.")
    known = found.is_ordered and found.whole  # so that it is the object that was meant
    complete = len(kept) == len(rows) and read.complete and known and not told
    doubt = "the series may have objects the archive did not give."
    place = "" if sop_instance_uid.strip() else found.place_of(chosen)
    account = Account(complete=complete, doubt=doubt)
    account.note(*notes)
    return call.answer(
        Headers,
        account,
        returned=len(kept),
        object=filled({**row_of(found, chosen), "place": place}),
        records=kept,
    )


def _record(row: "contents.Row") -> Row:
    return filled(
        {
            "tag": row.tag,
            "keyword": row.keyword or row.name,
            "vr": "" if row.keyword else row.vr,
            "value": row.value,
            "in": row.place,
        }
    )


def wanted_attributes(attributes: Sequence[str]) -> list[str]:
    """Keywords, or tags of private attributes. Raises BadAttribute for what is neither."""
    wanted: list[str] = []
    for name in attributes:
        try:
            wanted.append(keyword_of(name))
        except BadAttribute:
            digits = _digits(name)
            if len(digits) != _TAG_DIGITS or not digits.isalnum():
                raise
            wanted.append(f"{digits[:4]},{digits[4:]}")
    return wanted


_TAG_DIGITS = 8


def _digits(tag: str) -> str:
    return tag.strip().strip("()").replace(",", "").replace(" ", "").upper()


def _pick(objects: Sequence[Member], choice: ImageChoice) -> Member:
    if choice.millimetres is not None:
        raise BadArgument(
            "a header is not chosen by its position", "Give an instance number, or a share (30 %)"
        )
    if choice.number is None:
        return at_share(objects, 0.5 if choice.share is None else choice.share)
    for member in objects:
        if member.number == choice.number:
            return member
    raise ContentError(f"The series has no instance number {choice.number}")


def _pixels_elsewhere(dataset: "Dataset", member: Member) -> list[str]:
    """What is to be said where only the header came: it was written anew on the way, and its
    transfer syntax is not the object's."""
    del dataset.file_meta
    known = ", ".join(member.reference.transfer_syntaxes)
    told = f" Transfer syntax by the archive's account: {known}." if known else ""
    return [
        "The header came without pixels and other bulk data, and is the server's metadata, not the "
        "object: SpecificCharacterSet is what the server wrote it in, and values, private "
        f"attributes and order may be otherwise in the object.{told}"
    ]
