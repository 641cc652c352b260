"""Modality Worklist: what is scheduled, and how to ask for it (PS3.4 K.6.1.2).

An entry has attributes of the patient and the order, and those of its scheduled procedure step,
which stand in the one item of a sequence, in a question as in an answer. People don't think in
sequences: a question is keyed by keyword alone, and an entry read is a flat row.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from .dictionary import attribute
from .matching import Comparison, Key, Predicate, matcher
from .query import Match, Value

MODALITY_WORKLIST = "1.2.840.10008.5.1.4.31"  # PS3.4 K.5.1.2
STEPS = "ScheduledProcedureStepSequence"
NOUN = ("worklist entry", "worklist entries")

# What is asked for, and what it is called in a record, in its order; first what stands in the
# scheduled procedure step, then what stands beside it (PS3.4 table K.6-1).
OF_STEP: dict[str, str] = {
    "ScheduledProcedureStepStartDate": "date",
    "ScheduledProcedureStepStartTime": "time",
    "Modality": "modality",
    "ScheduledStationName": "station",
    "ScheduledStationAETitle": "station_ae_title",
    "ScheduledProcedureStepDescription": "step",
    "ScheduledProcedureStepStatus": "status",
    "ScheduledProcedureStepLocation": "location",
    "ScheduledPerformingPhysicianName": "performing_physician",
    "ScheduledProcedureStepID": "step_id",
}
OF_ENTRY: dict[str, str] = {
    "PatientName": "patient_name",
    "PatientID": "patient_id",
    "PatientBirthDate": "birth_date",
    "PatientSex": "sex",
    "RequestedProcedureDescription": "procedure",
    "RequestedProcedurePriority": "priority",
    "AccessionNumber": "accession_number",
    "RequestedProcedureID": "requested_procedure_id",
    "ReferringPhysicianName": "referring_physician",
    "StudyInstanceUID": "study_instance_uid",
}
FIELDS: dict[str, str] = {**OF_STEP, **OF_ENTRY}

_DATE, _TIME = "ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime"

# As for matches of the other models: only what contradicts the key in any reading is dropped.
_LOOSEST = Comparison(name_case=False, name_accents=False, text_case=False)


@dataclass(frozen=True, slots=True)
class WorklistQuery:
    """One C-FIND: `keys` from keyword to key text, wherever in the identifier they stand.

    Everything a record shows is asked for. A keyword must be one of FIELDS.
    """

    keys: Mapping[str, str]

    @property
    def identifier(self) -> dict[str, Key]:
        """The keys as they stand in the identifier: no level, one item in the sequence."""
        entry: dict[str, Key] = {keyword: self._key(keyword) for keyword in OF_ENTRY}
        return {**entry, STEPS: {keyword: self._key(keyword) for keyword in OF_STEP}}

    def _key(self, keyword: str) -> tuple[str, str]:
        return _vr(keyword), self.keys.get(keyword, "")


@dataclass(frozen=True, slots=True)
class Condition:
    """What a question demands: one of these keys (keyword and text), whichever.

    A text is written in more ways than are asked for: it is also what `written` holds for, and is
    looked for once more in all that `wider` keys find, or, within certain days, in everything.
    """

    keys: tuple[tuple[str, str], ...]
    is_text: bool = False
    wider: tuple[tuple[str, str], ...] = ()
    written: Callable[[str], bool] | None = None

    @property
    def keywords(self) -> tuple[str, ...]:
        """The attributes it is about, each once."""
        return tuple(dict.fromkeys(keyword for keyword, _ in self.keys))


@dataclass(frozen=True, slots=True)
class WorklistQuestion:
    """What to look for on a worklist: every one of the conditions."""

    conditions: tuple[Condition, ...] = ()

    def queries(self) -> Iterator[WorklistQuery]:
        """The queries whose answers together hold every entry that is meant."""
        for keys in product(*(condition.keys for condition in self.conditions)):
            yield WorklistQuery({keyword: key for keyword, key in keys if key})

    def wider(self) -> "WorklistQuestion | None":
        """The question with what it says of names and stations widened, for what it finds to be
        compared here; None when that says no more."""
        if not any(one.is_text for one in self.conditions):
            return None
        if self._is_of_certain_days:
            return WorklistQuestion(tuple(one for one in self.conditions if not one.is_text))
        if not any(one.wider for one in self.conditions):
            return None
        return WorklistQuestion(
            tuple(replace(one, keys=one.wider or one.keys) for one in self.conditions)
        )

    @property
    def sent(self) -> dict[str, str]:
        """The keys as an answer shows them."""
        return {
            " or ".join(one.keywords): " or ".join(dict.fromkeys(key for _, key in one.keys))
            for one in self.conditions
        }

    @property
    def _is_of_certain_days(self) -> bool:
        return any(
            keyword == _DATE and not key.startswith("-") and not key.endswith("-")
            for one in self.conditions
            for keyword, key in one.keys
        )


@dataclass(frozen=True, slots=True)
class Worklist:
    """The answer to a question: its rows in the order of time, whether that is all, what to know,
    and how many queries it took."""

    question: WorklistQuestion
    rows: list[Match]
    complete: bool = True
    notes: tuple[str, ...] = ()
    queries: int = 0


class WorklistRecheck:
    """Checks the rows of an answer against the question; remembers what was wrong with them."""

    def __init__(self, question: WorklistQuestion) -> None:
        self.loosened = False
        self._conditions = [_Compiled(one) for one in question.conditions]
        self._checked = 0

    def holds(self, row: Match) -> bool:
        """Whether the row may be what was asked for: no condition is contradicted."""
        self._checked += 1
        for condition in self._conditions:
            if not condition.holds(row):
                if not (self.loosened and condition.is_text):
                    condition.dropped += 1
                return False
        return True

    def notes(self) -> list[str]:
        """What the person asking must know about how the keys were treated."""
        ignored = [
            f"The archive ignored {one.name}: {one.dropped} {NOUN[one.dropped != 1]} that did not "
            f"match {'were' if one.dropped != 1 else 'was'} left out here."
            for one in self._conditions
            if one.dropped
        ]
        return ignored + [
            f"The archive does not return {one.name}, so it may have ignored it: entries that do "
            "not match it may be among these."
            for one in self._conditions
            if self._checked and not one.returned
        ]


class _Compiled:
    def __init__(self, condition: Condition) -> None:
        self.is_text = condition.is_text
        self.name = " or ".join(condition.keywords)
        self.dropped = 0
        self.returned = 0
        self._written = condition.written
        self._predicates: list[tuple[str, Predicate]] = [
            (keyword, matcher(_vr(keyword), key, comparison=_LOOSEST))
            for keyword, key in condition.keys
        ]

    def holds(self, row: Match) -> bool:
        carried = [(row[keyword], one) for keyword, one in self._predicates if keyword in row]
        if not carried:
            return True
        self.returned += 1
        for value, predicate in carried:
            values = _texts(value)
            if predicate(values) or (self._written and any(map(self._written, values))):
                return True
        return False


def rows(match: Match) -> list[Match]:
    """One flat row for each scheduled procedure step of an entry; there is to be just one.

    A step's attribute that an archive put beside the sequence is read there.
    """
    steps = match.get(STEPS, "")
    items = [one for one in steps if isinstance(one, dict)] if isinstance(steps, list) else []
    around = {keyword: value for keyword, value in match.items() if keyword in FIELDS}
    return [
        {**around, **{keyword: value for keyword, value in item.items() if keyword in OF_STEP}}
        for item in items or [{}]
    ]


def by_time(row: Match) -> tuple[str, str, str]:
    """What rows are sorted by: day and time of the scheduled start, then the patient."""
    date, time, name = (str(row.get(one, "")) for one in (_DATE, _TIME, "PatientName"))
    return date.replace(".", ""), time.replace(":", ""), name


def _texts(value: Value) -> Sequence[str]:
    if isinstance(value, list):
        return [str(one) for one in value if one != ""]
    return [] if value == "" else [str(value)]


def _vr(keyword: str) -> str:
    found = attribute(keyword)
    assert found is not None
    return found.vr
