"""Headers of many series: what one object of each says, and how its images lie.

What the archive tells of a series beyond the standard (kVp, kernel: PS3.4 C.6.1.1.4 leaves that to
it) is taken from there; an object is fetched of those series of which it does not tell all.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from ..budgets import MOST_ROWS_OF_HEADER
from ..content.error import ContentError
from ..door.account import Account
from ..door.answer import NONE_MISSING, Findings, Missing, fitting
from ..door.call import Call
from ..door.rows import NamedRows, Row, Rows, filled, named, text
from ..errors import ArchiveError, BadArgument
from ..objects.bulk import may_lack
from ..objects.chosen import Chosen
from ..objects.lying import lying
from ..objects.objects import WANTED, Member, fetch, member, one_uid, opened
from ..objects.told import Told
from ..standard.dictionary import attribute
from ..standard.instance import Instance
from ..standard.levels import Level
from ..standard.lists import values_of
from ..standard.note import Note, perhaps
from ..standard.query import Match, Query
from ..studies.together import Place
from ..words.modalities import any_of
from .header import Attributes, wanted_attributes
from .query import Listed

# Values that are spelled in more than one way.
_NUMBERS = frozenset({"DS", "FD", "FL", "IS"})

# What questions of protocol and dose are about, where nothing else is asked for.
_PROTOCOL = (
    *("Manufacturer", "ManufacturerModelName", "StationName", "SoftwareVersions", "ProtocolName"),
    *("BodyPartExamined", "KVP", "XRayTubeCurrent", "Exposure", "CTDIvol", "ConvolutionKernel"),
    *("SliceThickness", "PixelSpacing", "ContrastBolusAgent", "MagneticFieldStrength"),
    *("RepetitionTime", "EchoTime", "FlipAngle"),
)


class Sampled(Findings):
    """What `sample_headers` answers."""

    returned: int
    counts: Rows = Field(description="Series having each value of each attribute")
    common: Row = Field(description="What all records share")
    missing: Missing = NONE_MISSING
    records: Rows = Field(description="Series; what is empty is left out")
    geometry: NamedRows


def sample_headers(
    call: Call,
    study_instance_uids: Listed = "",
    series_instance_uids: Listed = "",
    attributes: Attributes = [],  # noqa: B006
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
    wanted = wanted_attributes(attributes) or _PROTOCOL
    found, told = Account(), Told(call, wanted)
    chosen = Chosen(call, found, told.asked)
    chosen.add_studies([one_uid(uid, "study_instance_uids") for uid in studies])
    chosen.add_several([one_uid(uid, "series_instance_uids") for uid in several])
    chosen.choose(modalities, limit)
    stacks = lying(call, found, chosen.series) if geometry else []
    sampling = _Sampling(call, found, chosen.series, told, wanted)
    sampling.sample()
    return sampling.answer(stacks)


class _Sampling:
    """What the headers of several series say."""

    def __init__(
        self,
        call: Call,
        found: Account,
        series: Sequence[Match],
        told: Told,
        attributes: Sequence[str],
    ) -> None:
        self._call = call
        self._found = found
        self._series = series
        self._told = told
        self._attributes = attributes
        # Series of which an object was fetched.
        self._fetched: set[str] = set()
        self._values: dict[str, dict[str, list[str]]] = {}

    def sample(self) -> None:
        """What the archive tells of each series, and the values of one object of each of which it
        does not tell all."""
        untold: list[Match] = []
        for series in self._series:
            told = self._told.values(series)
            values = {keyword: [value] for keyword, value in told.items()}
            uid = text(series, "SeriesInstanceUID")
            if len(told) < len(self._attributes):
                untold.append(series)
            else:
                self._values[uid] = {**values, "Modality": [text(series, "Modality")]}
        self._read(self._objects_of(untold))
        for match in untold:
            uid = text(match, "SeriesInstanceUID")
            if uid in self._values:
                values = self._values[uid]
                self._told.learn(match, values)
                for keyword, value in self._told.values(match).items():
                    if not any(values.get(keyword, ())):
                        values[keyword] = [value]
        self._spell_alike()

    def _spell_alike(self) -> None:
        """One number is one value, be it 120 in an answer and 120.0 in a header in JSON."""
        for name in self._attributes:
            found = attribute(name)
            if not found or found.vr not in _NUMBERS:
                continue
            spelled: dict[str, str] = {}
            for values in self._values.values():
                texts = values.get(name, [])
                values[name] = [spelled.setdefault(_number(text), text) for text in texts]

    def _objects_of(self, series: Sequence[Match]) -> list[Member]:
        """An object of each, that with the number 1 where they can be asked for together."""
        numbered = self._numbered(series)
        some: list[Member] = []
        for match in series:
            place = text(match, "StudyInstanceUID"), text(match, "SeriesInstanceUID")
            try:
                found = member(*place, numbered[place]) if place in numbered else self._first(match)
                if found:
                    some.append(found)
            except ArchiveError as error:
                self._lack(f"asking for objects ended early. {error}")
                break
        return some

    def _numbered(self, series: Sequence[Match]) -> dict[Place, Match]:
        places: dict[Place, None] = {
            (text(match, "StudyInstanceUID"), text(match, "SeriesInstanceUID")): None
            for match in series
            if not text(match, "SOPInstanceUID")
        }
        found: dict[Place, Match] = {}

        def keep(match: Match) -> None:
            place = text(match, "StudyInstanceUID"), text(match, "SeriesInstanceUID")
            found.setdefault(place, match)

        try:
            self._call.each_image(
                places,
                Query(Level.IMAGE, {"InstanceNumber": "1"}, WANTED),
                keep,
            )
        except ArchiveError:
            return found  # each is asked for itself
        return found

    def _read(self, some: Sequence[Member]) -> None:
        """The headers of these objects."""
        from ..content.header import value_counts

        without_bulk: list[Member] = []
        headers: list[Member] = []

        def take(member: Member, instance: Instance) -> bool:
            try:
                dataset = opened(instance)
            except ContentError as trouble:
                self._lack(f"a header cannot be read. {trouble}")
                return True
            if instance.without_bulk:
                headers.append(member)
            if may_lack(instance, dataset, self._attributes):
                without_bulk.append(member)
            values: dict[str, list[str]] = {}
            for counted in value_counts([dataset], self._attributes):
                values.setdefault(counted.attribute, []).append(counted.value)
            values["Modality"] = [count.value for count in value_counts([dataset], ["Modality"])]
            # A number is written otherwise in JSON: what was known stays as it was.
            known = self._values.get(member.reference.series_instance_uid, {})
            values |= {name: texts for name, texts in known.items() if any(texts)}
            self._values[member.reference.series_instance_uid] = values
            self._fetched.add(member.reference.series_instance_uid)
            return True

        self._fetch(some, take, headers=True)
        try:
            if without_bulk:
                self._fetch(without_bulk, take, headers=False)
            elif absent := self._absent() if headers else []:
                # Metadata may leave out what is bulk and say nothing of it: one object shows.
                self._fetch(headers[:1], take, headers=False)
                if self._absent() != absent:
                    self._fetch(headers[1:], take, headers=False)
        except ArchiveError as trouble:
            told = "headers came without bulk data, and the objects did not come whole"
            self._lack(perhaps(f"{told}. {trouble}"))

    def _fetch(
        self, some: Sequence[Member], take: Callable[[Member, Instance], bool], *, headers: bool
    ) -> None:
        fetched = fetch(self._call, some, take, headers=headers)
        told = fetched.told(len(some))
        self._found.complete = self._found.complete and not told
        self._found.note(*told, *fetched.remarks())

    def _absent(self) -> list[str]:
        """The attributes that no header has a value of."""
        return [
            name
            for name in self._attributes
            if not any(any(values.get(name, ())) for values in self._values.values())
        ]

    def answer(self, stacks: Sequence[dict[str, Any]]) -> Sampled:
        """One record for each series, and the counts over all."""
        rows: list[dict[str, Any]] = []
        counts: list[dict[str, Any]] = []
        for name in self._attributes:
            values = [self._values[uid].get(name, [""]) for uid in self._values]
            counted = Counter(value or "(empty)" for several in values for value in several)
            if set(counted) == {"(empty)"}:
                continue
            counts += [
                {"attribute": name, "value": value, "series": count}
                for value, count in counted.most_common()
            ]
        for series in self._series:
            uid = text(series, "SeriesInstanceUID")
            if uid not in self._values:
                continue
            values = self._values[uid]
            known = {
                "SeriesInstanceUID": uid,
                "StudyInstanceUID": text(series, "StudyInstanceUID"),
                "SeriesNumber": text(series, "SeriesNumber"),
                "Modality": text(series, "Modality") or " ".join(values["Modality"]),
                "SeriesDescription": text(series, "SeriesDescription"),
            }
            row = {
                **named(known),
                **{name: " | ".join(values.get(name, [])) for name in self._attributes},
            }
            rows.append(filled(row))
        absent = [
            attribute
            for attribute in self._attributes
            if not any(c["attribute"] == attribute for c in counts)
        ]
        if absent and self._values:
            self._found.note(f"In none of these headers: {', '.join(absent)}.")
        self._found.note(*self._sources())
        common = _common(rows)
        rows = [{k: v for k, v in row.items() if k not in common} for row in rows]
        kept = fitting(rows, MOST_ROWS_OF_HEADER)
        if len(kept) < len(rows):
            self._lack(f"{len(kept)} of {len(rows)} records fit; counts are of all.")
        return self._call.answer(
            Sampled,
            self._found,
            returned=len(kept),
            counts=fitting(counts, MOST_ROWS_OF_HEADER),
            common=common,
            records=kept,
            geometry=[*stacks],
        )

    def _sources(self) -> list[str]:
        """Where the values are from."""
        told = len(self._values) - len(self._fetched)
        notes = [
            "One object of each series was read: the others of a series may have other values."
        ] * bool(self._fetched and not told)
        if told:
            read = f", of the other {len(self._fetched)} one object was read" * bool(self._fetched)
            notes.append(
                f"Of {told} series the values are what the archive tells of the series{read}: "
                "single objects of a series may have other values."
            )
        return notes

    def _first(self, series: Match) -> Member | None:
        """An object of the series: the first one the archive gives."""
        study, uid = text(series, "StudyInstanceUID"), text(series, "SeriesInstanceUID")
        if text(series, "SOPInstanceUID"):
            return member(study, uid, series)
        keys = {"StudyInstanceUID": study, "SeriesInstanceUID": uid}
        answer = self._call.find(Query(Level.IMAGE, keys, WANTED), limit=1)
        if not answer.matches:
            self._lack("the archive gives no object of one of the series.")
            return None
        return member(study, uid, answer.matches[0])

    def _lack(self, *notes: Note | str) -> None:
        self._found.complete = False
        self._found.note(*notes)


def _number(text: str) -> str:
    """What texts of one number, or of several, have in common."""
    try:
        return "\\".join(f"{float(value):.12g}" for value in text.split("\\"))
    except ValueError:
        return text


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
