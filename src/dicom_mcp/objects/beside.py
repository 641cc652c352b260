"""What a study has beside its images that is for them: presentation states, which draw on them or
want them shown otherwise (PS3.3 A.33), and what may be drawn: segmentations, contours, dose."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..content.error import ContentError
from ..door.call import Call
from ..door.rows import text
from ..errors import ArchiveError
from ..standard.instance import Instance
from ..standard.levels import Level
from ..standard.note import Note, remark
from ..standard.query import Match, Query
from ..standard.sop_classes import sop_class
from .objects import Member, Members, fetch, members, opened

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Series of a study that are listed, series and objects that are looked into, and for how long: a
# picture waits for it.
_MOST_LISTED = 500
_MOST_SERIES = 10
_MOST_STATES = 30
_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _State:
    """One of them: its label, the series it is kept in, and the images it is for (all of a series
    where it names none)."""

    label: str
    kept_in: str
    images: frozenset[str]
    series: frozenset[str]

    def is_for(self, series: str, images: frozenset[str]) -> bool:
        return bool(self.images & images) or series in self.series


@dataclass(frozen=True, slots=True)
class _Beside:
    """What a study has: its presentation states, and series that draw, by UID with their names."""

    states: tuple[_State, ...] = ()
    drawing: Mapping[str, str] = field(default_factory=dict[str, str])


def notes_beside(
    call: Call, found: Members, those: Sequence[Member], drawn: Collection[str] = ()
) -> list[Note]:
    """What is to be said of presentation states that are for these images of a series, and of what
    may be drawn on them and is not among those `drawn`; that they could not be asked for, too."""
    study, series = found.study_instance_uid, found.series_instance_uid
    if not study:
        return []
    key = (call.source, study, "beside")
    beside: _Beside | None = call.house.lists.get(key)
    told: list[Note] = []
    if beside is None:
        try:
            beside, told = _beside(call.within(_SECONDS), study)
        except (ArchiveError, ContentError) as error:
            return [remark(f"Whether presentation states draw on this image is not known: {error}")]
        if not told:
            call.house.lists.put(key, beside)
    told += _to_draw(beside.drawing, series, drawn)
    mine = [
        state
        for state in beside.states
        if state.is_for(series, frozenset(member.uid for member in those))
    ]
    if mine:
        labels = ", ".join(dict.fromkeys(state.label or "without a label" for state in mine))
        kept_in = ", ".join(dict.fromkeys(state.kept_in for state in mine))
        told.insert(
            0,
            remark(
                f"{len(mine)} presentation states of the study are for what is shown ({labels}) "
                "and not applied: they may draw on it, turn it, hide parts or change the window. "
                f"read_report reads the words of series {kept_in}."
            ),
        )
    return told


def _to_draw(drawing: Mapping[str, str], series: str, drawn: Collection[str]) -> list[Note]:
    left = {uid: name for uid, name in drawing.items() if uid not in drawn}
    if series in drawing or not left:
        return []
    several = "; ".join(f"{name} (draw={uid})" for uid, name in [*left.items()][:_MOST_SERIES])
    return [
        remark(f"Not drawn, and may be of these images, as they are of their study: {several}.")
    ]


def _beside(call: Call, study: str) -> tuple[_Beside, list[Note]]:
    """All of a study, and what could not be looked into."""
    from ..content.sources import MODALITIES

    listed: list[Match] = []
    answer = call.each(
        Query(
            Level.SERIES,
            {"StudyInstanceUID": study},
            ("SeriesInstanceUID", "Modality", "SeriesDescription"),
        ),
        listed.append,
        limit=_MOST_LISTED,
    )
    told: list[Note] = []
    if not answer.complete or not all(text(match, "Modality") for match in listed):
        told.append(
            remark(
                "Not all series of the study could be looked at: whether others draw on this image "
                "is not known."
            )
        )
    drawing = [match for match in listed if text(match, "Modality") in MODALITIES]
    for match in [match for match in drawing if text(match, "Modality") == "SEG"][:_MOST_SERIES]:
        if _is_of_surfaces(call, study, match):
            drawing.remove(match)
    names = {text(match, "SeriesInstanceUID"): _name(match) for match in drawing}
    several = [match for match in listed if text(match, "Modality") == "PR"]
    states, unread = _states(call, study, several)
    return _Beside(states, names), told + unread


def _name(match: Match) -> str:
    """What a series that draws is called."""
    from ..content.plain import capped, plain_text
    from ..content.sources import MODALITIES

    name = capped(plain_text(text(match, "SeriesDescription")), 64)
    return f"{MODALITIES[text(match, 'Modality')]}{f' "{name}"' if name else ''}"


def _is_of_surfaces(call: Call, study: str, match: Match) -> bool:
    """Whether a series of segmentations holds surfaces, which are not drawn."""
    keys = {"StudyInstanceUID": study, "SeriesInstanceUID": text(match, "SeriesInstanceUID")}
    answer = call.find(Query(Level.IMAGE, keys, ("SOPClassUID",)), limit=1)
    known = sop_class(next((text(instance, "SOPClassUID") for instance in answer.matches), ""))
    return known.kind == "segmentation" and not known.draws


def _states(
    call: Call, study: str, several: Sequence[Match]
) -> tuple[tuple[_State, ...], list[Note]]:
    """The presentation states of these series, and which could not be looked into."""
    states: list[_State] = []
    told: list[Note] = []
    for match in several[:_MOST_SERIES]:
        series = text(match, "SeriesInstanceUID")
        found = members(call, series, study)

        def take(_: Member, instance: Instance, series: str = series) -> bool:
            try:
                states.append(_state(opened(instance), series))
            except ContentError as trouble:
                told.append(remark(f"A presentation state of the study cannot be read: {trouble}"))
            return True

        some = found.objects[: max(0, _MOST_STATES - len(states))]
        fetched = fetch(call, some, take, headers=True)
        if fetched.missing or len(some) < len(found.objects) or not found.whole:
            told.append(
                remark(
                    "Not all presentation states of the study were read: others may draw on this "
                    "image."
                )
            )
    return tuple(states), told


def _state(dataset: "Dataset", kept_in: str) -> _State:
    from ..content.elements import Elements
    from ..content.plain import capped

    images: set[str] = set()
    whole: set[str] = set()
    elements = Elements.of(dataset)
    for series in elements.items("ReferencedSeriesSequence"):
        named = [item.text("ReferencedSOPInstanceUID") for item in series.items(_IMAGES)]
        images.update(named)
        if not named:
            whole.add(series.text("SeriesInstanceUID"))
    label = elements.text("ContentLabel") or elements.text("ContentDescription")
    return _State(capped(label, 64), kept_in, frozenset(images), frozenset(whole))


_IMAGES = "ReferencedImageSequence"
