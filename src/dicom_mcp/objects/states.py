"""Presentation states of a study: who drew on an image or wants it shown otherwise (PS3.3 A.33)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..content.error import ContentError
from ..door.call import Call
from ..door.rows import text
from ..errors import ArchiveError
from ..standard.instance import Instance
from ..standard.levels import Level
from ..standard.query import Match, Query
from .objects import Member, Members, fetch, members, opened

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Series and objects that are looked into, and for how long: a picture waits for it.
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


def state_notes(call: Call, found: Members, shown: Sequence[Member]) -> list[str]:
    """What is to be said of presentation states that are for these images of a series; that they
    could not be asked for is said too."""
    study, series = found.study_instance_uid, found.series_instance_uid
    if not study:
        return []
    key = (call.source, study, "presentation states")
    states: tuple[_State, ...] | None = call.house.lists.get(key)
    told: list[str] = []
    if states is None:
        try:
            states, told = _states(call.within(_SECONDS), study)
        except (ArchiveError, ContentError) as error:
            return [f"Whether presentation states draw on this image is not known: {error}"]
        if not told:
            call.house.lists.put(key, states)
    mine = [each for each in states if each.is_for(series, frozenset(one.uid for one in shown))]
    if mine:
        labels = ", ".join(dict.fromkeys(state.label or "without a label" for state in mine))
        kept_in = ", ".join(dict.fromkeys(state.kept_in for state in mine))
        told.insert(
            0,
            f"{len(mine)} presentation states of the study are for what is shown ({labels}) and "
            "not applied: they may draw on it, turn it, hide parts or change the window. "
            f"read_report reads the words of series {kept_in}.",
        )
    return told


def _states(call: Call, study: str) -> tuple[tuple[_State, ...], list[str]]:
    """All of a study, and which could not be looked into."""
    several: list[Match] = []
    keys = {"StudyInstanceUID": study, "Modality": "PR"}
    call.each(
        Query(Level.SERIES, keys, ("SeriesInstanceUID",)),
        several.append,
        limit=_MOST_SERIES,
    )
    states: list[_State] = []
    told: list[str] = []
    for match in several[:_MOST_SERIES]:
        series = text(match, "SeriesInstanceUID")
        found = members(call, series, study)

        def take(_: Member, instance: Instance, series: str = series) -> bool:
            try:
                states.append(_state(opened(instance), series))
            except ContentError as trouble:
                told.append(f"A presentation state of the study cannot be read: {trouble}")
            return True

        some = found.objects[: max(0, _MOST_STATES - len(states))]
        fetched = fetch(call, some, take, headers=True)
        if fetched.missing or len(some) < len(found.objects) or not found.whole:
            told.append(
                "Not all presentation states of the study were read: others may draw on this image."
            )
    return tuple(states), told


def _state(dataset: "Dataset", kept_in: str) -> _State:
    from ..content.elements import Elements
    from ..content.plain import capped

    images: set[str] = set()
    whole: set[str] = set()
    elements = Elements.of(dataset)
    for series in elements.items("ReferencedSeriesSequence"):
        named = [each.text("ReferencedSOPInstanceUID") for each in series.items(_IMAGES)]
        images.update(named)
        if not named:
            whole.add(series.text("SeriesInstanceUID"))
    label = elements.text("ContentLabel") or elements.text("ContentDescription")
    return _State(capped(label, 64), kept_in, frozenset(images), frozenset(whole))


_IMAGES = "ReferencedImageSequence"
