"""What is counted: studies, series, images, objects, patients, or the values of an attribute."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..door.rows import filled
from ..errors import BadArgument, BadAttribute
from ..standard.levels import UNIQUE_KEY, Level
from ..standard.note import Note
from ..standard.person import Person, several_people
from ..standard.query import TELLING, Match, texts
from ..standard.values import shown
from ..words.near import did_you_mean
from .dimension import EMPTY, Dimension
from .groups import Groups, Page

STUDY = UNIQUE_KEY[Level.STUDY]
SERIES = UNIQUE_KEY[Level.SERIES]

# What can be counted, and of which level it is; anything else is an attribute's different values.
COUNTED: dict[str, Level] = {
    "studies": Level.STUDY,
    "series": Level.SERIES,
    "images": Level.IMAGE,
    "objects": Level.IMAGE,
    "patients": Level.PATIENT,
}

OF_STUDY = frozenset({Level.PATIENT, Level.STUDY})

# What names a member of a group.
NAMES: dict[Level, tuple[str, ...]] = {
    Level.PATIENT: ("PatientID", *TELLING),
    Level.STUDY: ("StudyDate", "AccessionNumber", "PatientID", *TELLING, "StudyDescription"),
    Level.SERIES: ("Modality", "SeriesDescription"),
    Level.IMAGE: (),
}

# Patient IDs of several people that are told one by one.
_MOST_SHARED = 3


@dataclass(frozen=True, slots=True)
class What:
    """What is counted: things of a level, or the values of an attribute (`values`), which are
    looked at study by study, or below."""

    name: str
    level: Level
    values: Dimension | None = None

    @classmethod
    def of(cls, count: str) -> "What":
        """Raises BadArgument for what is neither."""
        if count in COUNTED:
            return cls(count, COUNTED[count])
        try:
            found = Dimension.of(count)
        except (BadArgument, BadAttribute):
            near = did_you_mean(count, COUNTED)
            raise BadArgument(
                f"count={shown(count)} is not known",
                f"Use {near or ', '.join(COUNTED)}, or an attribute's keyword",
            ) from None
        level = Level.STUDY if found.level in OF_STUDY else found.level
        return cls(f"different values of {found.name}", level, found)


class Things:
    """Takes what is counted, each under its name; with `naming` they are members of their groups.

    A study is called by its UID, or where several have it by that and its patient's ID.
    """

    def __init__(
        self, what: What, by: Sequence[Dimension], *, naming: bool, numbers: Mapping[str, int]
    ) -> None:
        self.naming = naming
        # The values of an attribute are counted, whatever has them.
        self.groups = Groups(by, {} if what.values else numbers)
        self.without_id = 0
        self._what = what
        self._people: dict[str, list[Person]] = defaultdict(list)
        # Members by what they are counted under, and what has values by its name.
        self._members: dict[str, Match] = {}
        self._values: list[tuple[str, Sequence[Match]]] = []

    @property
    def names(self) -> set[str]:
        """What was counted, by name; of values, what has them."""
        return {thing for thing, _ in self._values} | self.groups.things

    def of(self, study: str, series: str, match: Match) -> tuple[str, Level]:
        """The thing that is counted by a series, and its level."""
        if self._what.name == "patients":
            return self.patient(match), Level.PATIENT
        return (study, Level.STUDY) if self._what.level is Level.STUDY else (series, Level.SERIES)

    def add(self, thing: str, matches: Sequence[Match]) -> None:
        """A thing, under each group that one of these matches of it belongs to."""
        if not matches:
            return
        if self._what.values:
            self._values.append((thing, matches))
            return
        if self._what.name == "patients":
            thing = self.patient(matches[0])
        if not thing:
            self.without_id += 1
            return
        if self.naming and thing not in self._members:
            names = (STUDY, SERIES, *NAMES[self._what.level])
            self._members[thing] = {name: matches[0].get(name, "") for name in names}
        self.groups.add(thing, matches)

    def patient(self, match: Match) -> str:
        """Who it is: an ID is one person's only beside its issuer. "" without an ID."""
        person = Person.of(match)
        known = self._people[person.patient_id]
        for number, other in enumerate(known):
            if not person.is_another(other):
                return f"{person.patient_id} {number}" if person.patient_id else ""
        known.append(person)
        return f"{person.patient_id} {len(known) - 1}" if person.patient_id else ""

    def close(self, refuted: set[str]) -> None:
        """Everything is there, and these are not meant."""
        if not self._what.values:
            self.groups.refuted = refuted
            return
        for thing, matches in self._values:
            for match in matches if thing not in refuted else ():
                for value in self._what.values.groups(match):
                    if value != EMPTY:
                        self.groups.add(value, [match])

    def page(self, first: int, at_least: int, *, share: bool) -> Page:
        """The groups from the `first` of those that have `at_least` so many."""
        member = self._member if self.naming else None
        return self.groups.page(first, at_least, share=share, member=member)

    def several_people(self) -> list[Note | str]:
        """Notes on Patient IDs that are those of several people."""
        shared = [people for number, people in self._people.items() if number and len(people) > 1]
        told = (several_people(people) for people in shared[:_MOST_SHARED])
        notes: list[Note | str] = [note for note in told if note]
        if len(shared) > _MOST_SHARED:
            notes.append(f"So are {len(shared) - _MOST_SHARED} more Patient IDs.")
        return notes

    def _member(self, thing: str) -> dict[str, Any]:
        """What a member of a group is called in the answer."""
        if self._what.values:
            return {self._what.values.name: thing}
        member = dict(self._members[thing])
        if self._what.name == "studies":
            member[STUDY] = thing.partition(" ")[0]
        return filled({name: "\\".join(texts(value)) for name, value in member.items()})
