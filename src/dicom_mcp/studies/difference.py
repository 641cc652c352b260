"""How one study differs between the nodes that were compared, as a row of the answer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..standard.alike import COMPUTED, differing
from ..standard.person import Person
from ..standard.query import Match, texts
from .holding import (
    IMAGE_COUNT,
    IMAGES,
    OF_SERIES,
    OF_STUDY,
    SERIES,
    SERIES_COUNT,
    STUDY,
    Holding,
)

# What names a study or series to a person.
_NAMES_STUDY = ("PatientID", "StudyDate", "StudyDescription", "AccessionNumber")
_NAMES_SERIES = ("Modality", "SeriesNumber", "SeriesDescription", IMAGES)

# Words a row has room for, of the numbers of images that only one node holds.
_MOST_NUMBERS = 20

# What each node gave, by its name.
type Holdings = Mapping[str, Holding]


@dataclass(frozen=True, slots=True)
class Difference:
    """A study that is not alike everywhere, or may not be; `untold` says what these nodes do not
    tell of it: a node's name, and what is counted."""

    study: str
    held: Mapping[str, Match]
    row: dict[str, Any]
    untold: Sequence[tuple[str, str]] = ()

    @classmethod
    def of(cls, uid: str, held: Mapping[str, Match], holdings: Holdings) -> "Difference":
        """What differs of one study that these nodes hold."""
        alone = all(len(holding.studies.get(uid, ())) < 2 for holding in holdings.values())
        below = {name: holdings[name].counts(uid) if alone else {} for name in held}
        known: dict[str, Match] = {name: {**held[name], **below[name]} for name in held}
        differs = differing(known, OF_STUDY, {name: holdings[name].tells for name in held})
        row: dict[str, Any] = {STUDY: uid, **_named(held, _NAMES_STUDY, differs)}
        if unknown := [name for name, holding in holdings.items() if uid in holding.unproved]:
            row["not_known_on"] = unknown
        elif len(held) < len(holdings):
            row["only_on"] = list(held)
        if differs:
            row["differs"] = differs
        if len(held) > 1 and all(below.values()) and (rows := series(uid, [*held], holdings)):
            row["series"] = rows
        untold = [
            (name, what)
            for name, match in known.items()
            for what in (SERIES_COUNT, IMAGE_COUNT)
            if len(held) > 1 and not texts(match.get(what, ""))
        ]
        return cls(uid, held, row, untold)

    @property
    def differs(self) -> bool:
        """Whether something does; not, what a node does not tell."""
        return bool(self.row.keys() & {"only_on", "differs", "series"})

    @property
    def not_known(self) -> bool:
        """Whether a node could not be asked whether it holds the study."""
        return "not_known_on" in self.row

    @property
    def rank(self) -> int:
        """What is on one side only comes first, then what lacks something."""
        if "only_on" in self.row:
            return 0
        if self.not_known:
            return 1
        return 2 if "series" in self.row or self.counts_differ else 3

    @property
    def counts_differ(self) -> bool:
        """Whether it is what is below the study that differs."""
        return bool(self.row.get("differs", {}).keys() & COMPUTED)

    @property
    def day(self) -> str:
        """The study's date, as the first node that holds it says."""
        return str(next(iter(self.held.values())).get("StudyDate", ""))


def things(uid: str, holdings: Holdings) -> list[dict[str, Match]]:
    """Each study with this UID, by the nodes that hold it: more than one only where a node has
    several itself, of several patients."""
    held = {name: holding.studies.get(uid, []) for name, holding in holdings.items()}
    if all(len(matches) < 2 for matches in held.values()):
        return [{name: match for name, matches in held.items() for match in matches}]
    found: list[tuple[Person, dict[str, Match]]] = []
    for name, matches in held.items():
        for match in matches:
            person = Person.of(match)
            for other, thing in found:
                if name not in thing and person.is_the_same(other):
                    thing[name] = match
                    break
            else:
                found.append((person, {name: match}))
    return [thing for _, thing in found]


def series(study: str, names: Sequence[str], holdings: Holdings) -> list[dict[str, Any]]:
    """The series of a study that these nodes do not hold alike."""
    rows: list[dict[str, Any]] = []
    several = {name: holdings[name].series[study] for name in names}
    tells = {name: holdings[name].tells for name in names}
    for uid in dict.fromkeys(uid for found in several.values() for uid in found):
        held = {name: found[uid] for name, found in several.items() if uid in found}
        differs = differing(held, OF_SERIES, tells)
        row: dict[str, Any] = {SERIES: uid, **_named(held, _NAMES_SERIES, differs)}
        if len(held) < len(names):
            row["only_on"] = list(held)
        if differs:
            row["differs"] = differs
        if len(held) < len(names) or differs:
            rows.append(row)
    return rows


def numbers(matches: Iterable[Match]) -> list[Any]:
    """The instance numbers of these images, in order, as many as there is room for."""
    found = [match.get("InstanceNumber", "?") for match in matches]
    found.sort(key=lambda value: (not isinstance(value, int), str(value).zfill(9)))
    return [*found[:_MOST_NUMBERS], f"and {len(found) - _MOST_NUMBERS} more"][
        : min(len(found), _MOST_NUMBERS) + (len(found) > _MOST_NUMBERS)
    ]


def _named(
    held: Mapping[str, Match], keywords: Sequence[str], differs: Mapping[str, Any]
) -> dict[str, Any]:
    first = next(iter(held.values()))
    return {
        keyword: first[keyword]
        for keyword in keywords
        if first.get(keyword, "") != "" and keyword not in differs
    }
