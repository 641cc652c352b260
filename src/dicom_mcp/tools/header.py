"""Headers: the attributes of an object, and what those of many say together."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field

from ..attributes import keyword_of
from ..content.error import ContentError
from ..errors import ArchiveError, BadArgument, BadAttribute
from ..standard.instance import Instance
from ..standard.levels import Level
from ..standard.lists import values_of
from ..standard.modalities import any_of
from ..standard.query import Match, Query
from .answer import Asked, Missing, asked, fitting, honest
from .bulk import completed, may_lack
from .call import Call
from .objects import (
    WANTED,
    Fetched,
    Member,
    Place,
    SeriesUid,
    at_share,
    fetch,
    fetch_one,
    head,
    member,
    members,
    one_uid,
    opened,
)
from .order import ordered_members
from .query import Listed
from .rows import Row, Rows, filled, text

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Bytes of rows in an answer: a header of 500 attributes.
_MOST_BYTES = 50_000

# Images whose headers tell how a series lies.
_MOST_PLACED = 2_000
_MOST_STACKS = 4
_MOST_ODD = 20

# What questions of protocol and dose are about, where nothing else is asked for.
_PROTOCOL = (
    *("Manufacturer", "ManufacturerModelName", "StationName", "SoftwareVersions", "ProtocolName"),
    *("BodyPartExamined", "KVP", "XRayTubeCurrent", "Exposure", "CTDIvol", "ConvolutionKernel"),
    *("SliceThickness", "PixelSpacing", "ContrastBolusAgent", "MagneticFieldStrength"),
    *("RepetitionTime", "EchoTime", "FlipAngle"),
)
_OF_SERIES = ("SeriesInstanceUID", "SeriesNumber", "Modality", "SeriesDescription")

_At = Annotated[
    str | int | float,
    Field(description='Which object: "middle", "first", "last", "30 %", instance number 12'),
]
_Attributes = Annotated[
    list[str], Field(description="Keywords, tags or plain words; also private tags")
]


class Headers(BaseModel):
    """What `read_header` answers."""

    returned: int
    complete: bool
    notes: list[str]
    archive: Asked
    queries: int
    object: Row = Field(description="Which object it is")
    records: Rows = Field(description="Attributes; in: the sequence items it lies in")


class Sampled(BaseModel):
    """What `sample_headers` answers."""

    returned: int
    complete: bool
    notes: list[str]
    archive: Asked
    queries: int
    counts: Rows = Field(description="Series having each value of each attribute")
    common: Row = Field(description="What all records share")
    missing: Missing = {}
    records: Rows = Field(description="Series; what is empty is left out")
    geometry: Rows


def read_header(
    call: Call,
    series_instance_uid: SeriesUid,
    attributes: _Attributes = [],  # noqa: B006
    at: _At = "middle",
    sop_instance_uid: str = "",
    study_instance_uid: str = "",
) -> Headers:
    """Read the DICOM header of one object of a series: all attributes or chosen ones, sequences and
    private ones included. For what queries cannot return: kVp, dose, kernel, geometry."""
    wanted, place = _wanted(attributes), Place.of(at)
    if sop_instance_uid.strip():
        found = members(call, series_instance_uid, study_instance_uid, sop_instance_uid)
    else:
        found = ordered_members(call, series_instance_uid, study_instance_uid)
    one = _pick(found.objects, place)
    instance, fetched = fetch_one(call, one, headers=True)
    dataset = opened(instance)
    whole, lacks = completed(call, one, instance, dataset, wanted)
    told = [*fetched.told(1), *lacks]
    notes = [*told, *fetched.remarks(), *found.notes]
    if whole is not dataset:
        dataset = whole
    elif instance.without_bulk:
        notes += _pixels_apart(dataset, one)
    if (number := place.number) is not None and not sop_instance_uid.strip():
        several = sum(each.number == number for each in found.objects)
        if several > 1:
            notes.append(f"{several} instances have the number {number}: this is the first.")
    from ..content.header import header

    read = header(dataset, wanted)
    rows = [
        filled(
            {
                "tag": row.tag,
                "keyword": row.keyword or row.name,
                "vr": "" if row.keyword else row.vr,
                "value": row.value,
                "in": row.place,
            }
        )
        for row in read.rows
    ]
    kept = fitting(rows, _MOST_BYTES)
    if len(kept) < len(rows) or not read.complete:
        notes.append(
            f"Not complete: these are the first {len(kept)} attributes; name those that are wanted "
            "(attributes)."
        )
    present = {row.keyword for row in read.rows} | {_digits(row.tag) for row in read.rows}
    if absent := [one for one in wanted if one not in present and _digits(one) not in present]:
        notes.append(f"Not in this header: {', '.join(absent)}.")
    known = found.is_ordered and found.whole  # so that it is the object that was meant
    complete = len(kept) == len(rows) and read.complete and known and not told
    return Headers(
        returned=len(kept),
        complete=complete,
        notes=honest(
            notes, "the series may have objects the archive did not give.", complete=complete
        ),
        archive=asked(call.archive.node),
        queries=found.queries,
        object=filled(
            {
                "study_instance_uid": found.study_instance_uid,
                "series_instance_uid": found.series_instance_uid,
                "sop_instance_uid": one.uid,
                "instance_number": one.number,
                "place": f"{found.objects.index(one) + 1} of {len(found.objects)} {found.order}"
                if not sop_instance_uid.strip()
                else "",
            }
        ),
        records=kept,
    )


def sample_headers(
    call: Call,
    study_instance_uids: Listed = "",
    series_instance_uids: Listed = "",
    attributes: _Attributes = [],  # noqa: B006
    modality: Annotated[str, Field(description="Code or word; only these series")] = "",
    geometry: Annotated[
        bool, Field(description="How the images of up to 4 series lie: spacing, gaps, duplicates")
    ] = False,
    limit: Annotated[int, Field(ge=1, le=200, description="Most series")] = 60,
) -> Sampled:
    """Compare headers over studies or series, for protocol and dose questions: one object of each
    series, and how many series have each value (kVp, slice thickness, kernel, software, …)."""
    studies = values_of("StudyInstanceUID", study_instance_uids, argument="study_instance_uids")
    several = values_of("SeriesInstanceUID", series_instance_uids, argument="series_instance_uids")
    if not studies and not several:
        raise BadArgument(
            "no study and no series is named", "Give study_instance_uids or series_instance_uids"
        )
    modalities = any_of(modality, argument="modality")
    sampling = _Sampling(call, _wanted(attributes) or _PROTOCOL)
    sampling.add_studies([one_uid(uid, "study_instance_uids") for uid in studies])
    for uid in several:
        sampling.add_series(one_uid(uid, "series_instance_uids"))
    sampling.choose(modalities, limit)
    if geometry:
        sampling.place()
    sampling.sample()
    return sampling.answer()


class _Sampling:
    """What the headers of several series say."""

    def __init__(self, call: Call, attributes: Sequence[str]) -> None:
        self._call = call
        self._attributes = attributes
        self._series: list[Match] = []
        self._values: dict[str, dict[str, list[str]]] = {}
        self._geometry: list[dict[str, Any]] = []
        self._notes: list[str] = []
        self._complete = True
        self._queries = 0
        # UIDs that nothing has.
        self._missing: dict[str, list[str]] = {}

    def add_studies(self, studies: Sequence[str]) -> None:
        """Every series of these studies."""
        if not studies:
            return
        answer = self._call.archive.each_series(
            studies,
            Query(Level.SERIES, {}, _OF_SERIES),
            self._series.append,
            deadline=self._call.deadline,
            arrived=self._call.progress.advance,
        )
        self._learn(answer.complete, answer.notes, answer.queries)
        came = {text(one, "StudyInstanceUID") for one in self._series}
        if answer.complete and (missing := [one for one in studies if one not in came]):
            self._missing["StudyInstanceUID"] = missing
            self._learn(False, ["Not complete: the archive holds no study with one of these UIDs."])

    def add_series(self, series: str) -> None:
        """One series, whose study is looked up."""
        if any(text(one, "SeriesInstanceUID") == series for one in self._series):
            return
        answer = self._call.archive.find(
            Query(
                Level.IMAGE,
                {"SeriesInstanceUID": series},
                (*WANTED, "Modality", "SeriesDescription", "SeriesNumber"),
            ),
            limit=1,
            deadline=self._call.deadline,
        )
        self._learn(True, (), answer.queries)
        if not answer.matches:
            if answer.complete:
                self._missing.setdefault("SeriesInstanceUID", []).append(series)
            self._learn(False, ["Not complete: the archive holds no series with one of the UIDs."])
        self._series += [{**one, "SeriesInstanceUID": series} for one in answer.matches]

    def choose(self, modalities: Sequence[str], limit: int) -> None:
        """Those of these modalities, as many as are wanted."""
        if modalities:
            known = {"", *modalities}
            there = sorted({text(one, "Modality") for one in self._series})
            self._series = [one for one in self._series if text(one, "Modality") in known]
            if there and not self._series:
                self._notes.append(
                    f"None of these series is {' or '.join(modalities)}; there are "
                    f"{', '.join(there)}."
                )
        if len(self._series) > limit:
            told = f"Not complete: these are {limit} of {len(self._series)} series; raise limit."
            self._learn(False, [told])
            del self._series[limit:]

    def sample(self) -> None:
        """The values of one object of each series."""
        some: list[Member] = []
        for one in self._series:
            try:
                if found := self._first(one):
                    some.append(found)
            except ArchiveError as error:
                self._learn(False, [f"Not complete: asking for objects ended early. {error}"])
                break
        from ..content.header import value_counts

        apart: list[Member] = []
        headers: list[Member] = []

        def take(one: Member, instance: Instance) -> bool:
            try:
                dataset = opened(instance)
            except ContentError as trouble:
                self._learn(False, [f"Not complete: a header cannot be read. {trouble}"])
                return True
            if instance.without_bulk:
                headers.append(one)
            if may_lack(instance, dataset, self._attributes):
                apart.append(one)
            values: dict[str, list[str]] = {}
            for counted in value_counts([dataset], self._attributes):
                values.setdefault(counted.attribute, []).append(counted.value)
            values["Modality"] = [each.value for each in value_counts([dataset], ["Modality"])]
            # A number is written otherwise in JSON: what was known stays as it was.
            known = self._values.get(one.reference.series_instance_uid, {})
            values |= {name: texts for name, texts in known.items() if any(texts)}
            self._values[one.reference.series_instance_uid] = values
            return True

        self._fetch(some, take, headers=True)
        try:
            if apart:
                self._fetch(apart, take, headers=False)
            elif absent := self._absent() if headers else []:
                # Metadata may leave out what is bulk and say nothing of it: one object shows.
                self._fetch(headers[:1], take, headers=False)
                if self._absent() != absent:
                    self._fetch(headers[1:], take, headers=False)
        except ArchiveError as trouble:
            told = "headers came without bulk data, and the objects did not come whole"
            self._learn(False, [f"Not complete, perhaps: {told}. {trouble}"])

    def _fetch(
        self, some: Sequence[Member], take: Callable[[Member, Instance], bool], *, headers: bool
    ) -> None:
        fetched = fetch(self._call, some, take, headers=headers)
        told = fetched.told(len(some))
        self._learn(not told, [*told, *fetched.remarks()])

    def _absent(self) -> list[str]:
        """The attributes that no header has a value of."""
        return [
            name
            for name in self._attributes
            if not any(any(values.get(name, ())) for values in self._values.values())
        ]

    def place(self) -> None:
        """How the images of each series lie."""
        from ..content.geometry import geometry

        if len(self._series) > _MOST_STACKS:
            raise BadArgument(
                f"geometry of {len(self._series)} series would take too long",
                f"Give at most {_MOST_STACKS} series_instance_uids",
            )
        for one in self._series:
            series, study = text(one, "SeriesInstanceUID"), text(one, "StudyInstanceUID")
            found = members(self._call, series, study)
            self._queries += found.queries
            heads: list[Instance] = []
            fetched = Fetched()
            if len(found.objects) <= _MOST_PLACED:
                fetched = self._heads(found.objects, heads)
            told = fetched.told(len(found.objects))
            if len(found.objects) > _MOST_PLACED:
                told = [f"Not complete: a series of more than {_MOST_PLACED} objects is not read."]
            if told or not found.whole:
                told += [*found.notes, "What seems to be a gap may be an image that did not come."]
            self._learn(not told, [*told, *fetched.remarks()])
            if heads:
                lying = geometry(map(opened, heads))
                row = {"series_instance_uid": series, **_geometry(asdict(lying))}
                self._geometry.append(row)

    def answer(self) -> Sampled:
        """One record for each series, and the counts over all."""
        rows: list[dict[str, Any]] = []
        counts: list[dict[str, Any]] = []
        for name in self._attributes:
            values = [self._values[uid].get(name, [""]) for uid in self._values]
            counted = Counter(value or "(empty)" for each in values for value in each)
            if set(counted) == {"(empty)"}:
                continue
            counts += [
                {"attribute": name, "value": value, "series": count}
                for value, count in counted.most_common()
            ]
        for one in self._series:
            uid = text(one, "SeriesInstanceUID")
            if uid not in self._values:
                continue
            values = self._values[uid]
            row = {
                "series_instance_uid": uid,
                "study_instance_uid": text(one, "StudyInstanceUID"),
                "number": text(one, "SeriesNumber"),
                "modality": text(one, "Modality") or " ".join(values["Modality"]),
                "description": text(one, "SeriesDescription"),
                **{name: " | ".join(values.get(name, [])) for name in self._attributes},
            }
            rows.append(filled(row))
        absent = [one for one in self._attributes if not any(c["attribute"] == one for c in counts)]
        if absent and self._values:
            self._notes.append(f"In none of these headers: {', '.join(absent)}.")
        if self._values:
            self._notes.append(
                "One object of each series was read: the others of a series may have other values."
            )
        common = _common(rows)
        rows = [{k: v for k, v in row.items() if k not in common} for row in rows]
        kept = fitting(rows, _MOST_BYTES)
        if len(kept) < len(rows):
            self._learn(
                False, [f"Not complete: {len(kept)} of {len(rows)} records fit; counts are of all."]
            )
        return Sampled(
            returned=len(kept),
            complete=self._complete,
            notes=[*dict.fromkeys(self._notes)],
            archive=asked(self._call.archive.node),
            queries=self._queries,
            counts=fitting(counts, _MOST_BYTES),
            common=common,
            missing=self._missing,
            records=kept,
            geometry=self._geometry,
        )

    def _first(self, series: Match) -> Member | None:
        """An object of the series: the first one the archive gives."""
        study, uid = text(series, "StudyInstanceUID"), text(series, "SeriesInstanceUID")
        if text(series, "SOPInstanceUID"):
            return member(study, uid, series)
        keys = {"StudyInstanceUID": study, "SeriesInstanceUID": uid}
        answer = self._call.archive.find(
            Query(Level.IMAGE, keys, WANTED), limit=1, deadline=self._call.deadline
        )
        self._queries += answer.queries
        if not answer.matches:
            self._learn(False, ["Not complete: the archive gives no object of one of the series."])
            return None
        return member(study, uid, answer.matches[0])

    def _heads(self, some: Sequence[Member], heads: list[Instance]) -> Fetched:
        """The headers of these objects, without their pixels."""

        def take(_: Member, instance: Instance) -> bool:
            self._call.deadline.remaining()
            heads.append(head(instance))
            return True

        return fetch(self._call, some, take, headers=True)

    def _learn(self, complete: bool, notes: Sequence[str], queries: int = 0) -> None:
        self._complete = self._complete and complete
        self._notes += notes
        self._queries += queries


def _wanted(attributes: Sequence[str]) -> list[str]:
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


def _pick(objects: Sequence[Member], place: Place) -> Member:
    if place.millimetres is not None:
        raise BadArgument(
            "a header is not chosen by its position", "Give an instance number, or a share (30 %)"
        )
    if place.number is None:
        return at_share(objects, 0.5 if place.share is None else place.share)
    for one in objects:
        if one.number == place.number:
            return one
    raise ContentError(f"The series has no instance number {place.number}")


def _pixels_apart(dataset: "Dataset", one: Member) -> list[str]:
    """What is to be said where only the header came: it was written anew on the way, and its
    transfer syntax is not the object's."""
    del dataset.file_meta
    known = ", ".join(one.reference.transfer_syntaxes)
    told = f" Transfer syntax by the archive's account: {known}." if known else ""
    return [f"The header came without pixels and other bulk data.{told}"]


def _common(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What several records share, their own UID aside."""
    if len(rows) < 2:
        return {}
    first, *others = rows
    return {
        name: value
        for name, value in first.items()
        if name != "series_instance_uid" and all(row.get(name) == value for row in others)
    }


def _geometry(found: dict[str, Any]) -> dict[str, Any]:
    """How a series lies, long lists of what is odd about it cut."""
    for stack in found["stacks"]:
        for name in ("gaps", "duplicates"):
            odd: Sequence[Any] = stack[name]
            more = [f"… {len(odd) - _MOST_ODD} more"] if len(odd) > _MOST_ODD else []
            stack[name] = [*odd[:_MOST_ODD], *more]
    stacks = [filled(stack) for stack in found["stacks"]]
    return filled({**found, "stacks": stacks, "notes": [*found["notes"]]})
