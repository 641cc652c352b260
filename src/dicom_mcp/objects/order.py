"""In which order the images of a series are: by their numbers, or where these don't tell, by where
they lie in the patient, or by when they were taken (PS3.3 C.7.6.2, C.7.6.1)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..content.error import ContentError
from ..door.call import Call
from ..errors import ArchiveError
from ..standard.counted import agreeing
from ..standard.instance import Instance
from ..standard.levels import Level
from ..standard.note import Note, perhaps, remark
from ..standard.query import Match, Query, texts
from ..standard.values import decimal_number
from .objects import Member, Members, fetch, members, opened

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Objects whose headers are read where the archive's answers don't say where they lie, and how long
# that may take: by C-GET all of an object comes.
_MOST_READ = 1000
_SECONDS = 15.0

# More than any series has.
_MOST = 20_000

# Cosines that differ by less are one orientation: scanners write six digits.
_DIGITS = 2

_POSITION, _ORIENTATION = "ImagePositionPatient", "ImageOrientationPatient"

# What orders images that say nothing of their position, the best first, in words of the answer.
_OTHERWISE = {
    "SliceLocation": "by slice location",
    "AcquisitionDateTime": "by acquisition time",
    "AcquisitionTime": "by acquisition time",
    "TemporalPositionIdentifier": "by temporal position",
    "TriggerTime": "by trigger time",
    "ContentTime": "by content time",
}
_WANTED = (_POSITION, _ORIENTATION, *_OTHERWISE)

# What tells images at one position apart, with the number after them.
_TIMES = ("TemporalPositionIdentifier", "AcquisitionDateTime", "AcquisitionTime", "TriggerTime")

# What one object says of its place: values by keyword.
type _Facts = dict[str, Sequence[str]]


def ordered_members(call: Call, series: str, study: str = "") -> Members:
    """All of a series in its order, for somebody who scrolls through it: perhaps as it was listed
    half a minute ago."""
    series, study = series.strip(), study.strip()
    key = (call.source, series)
    known: Members | None = call.house.lists.get(key)
    if known and (not study or study == known.study_instance_uid):
        return known
    found = ordered(call, members(call, series, study))
    if found.whole:
        call.house.lists.put(key, found)
    return found


def ordered(call: Call, found: Members) -> Members:
    """The objects in the order that can be told, which their numbers need not tell; how, and that
    it cannot be told, is said."""
    numbers = [member.number for member in found.objects]
    if len(numbers) < 2 or (None not in numbers and len(set(numbers)) == len(numbers)):
        return found
    facts, fault = _facts(call, found)
    why = "are absent" if None in numbers else "repeat"
    return _sorted(found, facts, why, fault)


def _facts(call: Call, found: Members) -> tuple[dict[str, _Facts], str]:
    """What is known of each object's place: by the archive's answers if they tell the positions of
    all, else by headers. With why headers could not be read."""
    facts: dict[str, _Facts] = {}

    def keep(match: Match) -> None:
        uid = " ".join(texts(match.get("SOPInstanceUID", "")))
        facts[uid] = {keyword: texts(match.get(keyword, "")) for keyword in _WANTED}

    keys = {
        "StudyInstanceUID": found.study_instance_uid,
        "SeriesInstanceUID": found.series_instance_uid,
    }
    step, fault = call.within(_SECONDS), ""
    try:
        query = Query(Level.IMAGE, keys, _WANTED)
        step.each(query, keep, limit=_MOST)
    except ArchiveError:
        pass  # headers tell more, and tell why they can't be had
    if all(_place(facts.get(member.uid, {})) for member in found.objects):
        return facts, ""
    if len(found.objects) > _MOST_READ:
        return facts, f"headers are read of at most {_MOST_READ:,} images"
    try:
        fault = _read(step, found, facts)
    except ArchiveError as error:
        fault = str(error)
    return facts, fault


def _read(call: Call, found: Members, facts: dict[str, _Facts]) -> str:
    """What the headers say, into `facts`; why some could not be read."""
    faults: list[str] = []

    def take(member: Member, instance: Instance) -> bool:
        call.check()
        try:
            facts[member.uid] = _of_header(opened(instance))
        except ContentError as trouble:
            faults.append(str(trouble))
        return True

    told = fetch(call, found.objects, take, headers=True).told(len(found.objects))
    return " ".join(dict.fromkeys([*faults, *map(str, told)]))


def _of_header(dataset: "Dataset") -> _Facts:
    """Of the first frame, where there are several."""
    from ..content.elements import Elements
    from ..content.groups import placed

    elements = Elements.of(dataset)
    where = {keyword: elements.values(keyword) for keyword in _WANTED if keyword in elements}
    plane = placed(elements, 1, "PlaneOrientationSequence", _ORIENTATION)
    position = placed(elements, 1, "PlanePositionSequence", _POSITION)
    return {
        **where,
        _ORIENTATION: plane.values(_ORIENTATION),
        _POSITION: position.values(_POSITION),
    }


def _sorted(found: Members, facts: dict[str, _Facts], why: str, fault: str) -> Members:
    """The objects by what their facts tell, the same order whichever way they were found."""
    about = {member.uid: facts.get(member.uid, {}) for member in found.objects}
    places = {uid: place for uid, fact in about.items() if (place := _place(fact))}
    if len(set(places.values())) > 1:
        return _by_position(found, about, places, why)
    for keyword, words in _OTHERWISE.items():
        values = {uid: _number(fact.get(keyword, ())) for uid, fact in about.items()}
        if None not in values.values() and len(set(values.values())) > 1:
            keyed = _keyed(found, about, lambda uid, values=values: (values[uid] or 0.0,))
            told = remark(f"Instance numbers {why}, and positions too: the images are {words}.")
            return replace(
                found, objects=keyed.objects, order=words, notes=(*found.notes, told, *keyed.notes)
            )
    alike = "say neither where they lie nor when they were taken"
    if len(places) == len(found.objects):
        alike = "lie at one place, and no time tells them apart"
    told = perhaps(
        f"instance numbers {why}, and the images {alike}: which is the first or the last is not "
        "known.",
        f" Headers could not be read: {fault}" if fault else "",
    )
    return replace(found, order="in no known order", notes=(*found.notes, told), is_ordered=False)


def _by_position(
    found: Members,
    about: dict[str, _Facts],
    places: dict[str, tuple[tuple[float, ...], float]],
    why: str,
) -> Members:
    """By orientation, that of most images first, and along its normal; those without a position
    come last."""
    sizes: dict[tuple[float, ...], int] = {}
    for plane, _ in places.values():
        sizes[plane] = sizes.get(plane, 0) + 1
    planes = sorted(sizes, key=lambda plane: (-sizes[plane], plane))

    def key(uid: str) -> tuple[float, ...]:
        if uid not in places:
            return (len(planes), 0.0)
        plane, along = places[uid]
        return (planes.index(plane), along)

    keyed = _keyed(found, about, key)
    first, last = (places[uid][1] for uid in _ends(keyed, places, planes[0]))
    notes = [
        remark(
            f"Instance numbers {why}: the images are by position, from {first:.1f} to {last:.1f} "
            "mm."
        )
    ]
    if len(planes) > 1:
        notes.append(
            remark(
                f"They have {len(planes)} orientations: each lies by itself, that of "
                f"{sizes[planes[0]]} images first."
            )
        )
    if lost := len(about) - len(places):
        alone = "does not say where it lies: it comes last."
        together = "do not say where they lie: they come last."
        notes.append(remark(agreeing(lost, "image", alone, together)))
    return replace(
        found,
        objects=keyed.objects,
        order="by position",
        notes=(*found.notes, *notes, *keyed.notes),
    )


def _ends(
    keyed: "_Keyed", places: dict[str, tuple[tuple[float, ...], float]], plane: tuple[float, ...]
) -> tuple[str, str]:
    """The first and the last image of this orientation."""
    uids = [member.uid for member in keyed.objects if places.get(member.uid, ((), 0.0))[0] == plane]
    return uids[0], uids[-1]


@dataclass(frozen=True, slots=True)
class _Keyed:
    objects: tuple[Member, ...]
    notes: tuple[Note, ...]


def _keyed(
    found: Members, about: dict[str, _Facts], key: Callable[[str], tuple[float, ...]]
) -> _Keyed:
    """The objects by this key, then by time and number; what nothing tells apart is said."""

    def whole(member: Member) -> tuple[float, ...]:
        times = (_number(about[member.uid].get(keyword, ())) or 0.0 for keyword in _TIMES)
        return (
            *key(member.uid),
            *times,
            member.number if member.number is not None else float("inf"),
        )

    several = sorted(found.objects, key=lambda member: (whole(member), member.uid))
    keys = [key(member.uid) for member in several]
    shared = sum(keys.count(value) > 1 for value in keys) if len(keys) <= _MOST_READ else 0
    alike = len(several) - len({whole(member) for member in several})
    notes: list[Note] = []
    if shared:
        notes.append(remark(f"{shared} of {len(several)} images share their place with others."))
    if alike:
        notes.append(
            remark(f"The order of {alike + 1} images that are alike in all of this is not known.")
        )
    return _Keyed(tuple(several), tuple(notes))


def _place(facts: _Facts) -> tuple[tuple[float, ...], float] | None:
    """The orientation, rounded, and how far along its normal the image lies."""
    from ..content.geometry import along

    cosines = [_decimal(value) for value in facts.get(_ORIENTATION, ())]
    where = [_decimal(value) for value in facts.get(_POSITION, ())]
    known = [value for value in (*cosines, *where) if value is not None]
    if len(known) != 9 or len(cosines) != 6:
        return None
    distance = along(known[:6], known[6:])
    if distance is None:
        return None
    return tuple(round(value, _DIGITS) + 0.0 for value in known[:6]), round(distance, 3)


def _number(values: Sequence[str]) -> float | None:
    return _decimal(values[0]) if values else None


def _decimal(value: str) -> float | None:
    found = decimal_number(value)
    return found if found is not None and abs(found) < 1e15 else None
