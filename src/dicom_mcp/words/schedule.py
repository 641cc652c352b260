"""What people ask about what is scheduled, and what they are told of it."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import product

from ..errors import BadArgument
from ..standard import values
from ..standard.levels import Level
from ..standard.lists import Several, is_wild, parts_of, values_of
from ..standard.matching import Predicate, matcher
from ..standard.note import Note, incomplete, perhaps, remark
from ..standard.query import Match, Query, texts
from ..standard.reading import agrees
from ..standard.recheck import LOOSEST
from ..standard.worklist import NOUN, entries, vr_of
from .days import day_range
from .letters import in_other_case
from .modalities import any_of
from .names import readings
from .namesake import same_name

_DATE, _TIME = "ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime"
_STATION_AE_TITLE, _STATION_NAME = "ScheduledStationAETitle", "ScheduledStationName"

# Lists of these are no keys (PS3.4 K.2.2.1.2), and of more values than so many what there is on
# these days is asked for instead, and compared: a query each would take longer.
_IDENTIFIERS = frozenset({"AccessionNumber", "PatientID"})
_MOST_VALUES = 5
_MOST_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Condition:
    """What a question demands: one of these keys (keyword and text), whichever.

    A text is written in more ways than are asked for: it is also what `written` holds for, and is
    looked for once more in all that `wider` keys find, or, within certain days, in everything. Of
    what a key that begins with `*` finds, only that is meant.
    """

    keys: tuple[tuple[str, str], ...]
    is_text: bool = False
    wider: tuple[tuple[str, str], ...] = ()
    written: Callable[[str], bool] | None = None

    @property
    def is_compared(self) -> bool:
        """Whether these are so many values that what there is comes at once, to be compared."""
        return not self.is_text and len(self.keys) > _MOST_VALUES and self._is_identifier

    @property
    def sent(self) -> tuple[tuple[str, str], ...]:
        """The keys that are asked for, one query each."""
        return ((self.keywords[0], ""),) if self.is_compared else self.keys

    @property
    def _is_identifier(self) -> bool:
        return self.keywords[0] in _IDENTIFIERS

    @property
    def keywords(self) -> tuple[str, ...]:
        """The attributes it is about, each once."""
        return tuple(dict.fromkeys(keyword for keyword, _ in self.keys))


@dataclass(frozen=True, slots=True)
class WorklistQuestion:
    """What to look for on a worklist: every one of the conditions."""

    conditions: tuple[Condition, ...] = ()

    @classmethod
    def of(
        cls,
        *,
        today: date,
        date: str = "",
        station: str = "",
        modality: str = "",
        patient_name: str = "",
        patient_id: Several = "",
        accession_number: Several = "",
    ) -> "WorklistQuestion":
        """From the words of a person. A station may be meant by its AE title or its name.

        Raises BadArgument for what cannot be asked.
        """
        days = day_range(date, today=today, argument="date") if date.strip() else ""
        modalities = tuple(("Modality", code) for code in any_of(modality, argument="modality"))
        conditions = (
            Condition(((_DATE, days),) if days else ()),
            Condition(modalities),
            _station(values.text(station.strip(), "SH", argument="station")),
            _name(values.text(patient_name.strip(), "PN", argument="patient_name")),
            _identified("PatientID", patient_id, "patient_id"),
            _identified("AccessionNumber", accession_number, "accession_number"),
        )
        return cls(tuple(condition for condition in conditions if condition.keys))

    def queries(self) -> Iterator[Query]:
        """The queries whose answers together hold every entry that is meant."""
        for keys in product(*(condition.sent for condition in self.conditions)):
            yield entries({keyword: key for keyword, key in keys if key})

    def wider(self) -> "WorklistQuestion | None":
        """The question with what it says of names and stations widened, for what it finds to be
        compared here; None when that says no more."""
        if not any(condition.is_text for condition in self.conditions):
            return None
        if self._is_of_certain_days:
            return WorklistQuestion(
                tuple(condition for condition in self.conditions if not condition.is_text)
            )
        if not any(condition.wider for condition in self.conditions):
            return None
        return WorklistQuestion(
            tuple(
                replace(condition, keys=condition.wider or condition.keys)
                for condition in self.conditions
            )
        )

    def undated(self) -> "WorklistQuestion | None":
        """The question without its days and its texts, where its days are a range; else None."""
        if not any(
            keyword == _DATE and "-" in key
            for condition in self.conditions
            for keyword, key in condition.keys
        ):
            return None
        return WorklistQuestion(
            tuple(
                condition
                for condition in self.conditions
                if not condition.is_text and _DATE not in condition.keywords
            )
        )

    @property
    def sent(self) -> dict[str, str]:
        """The keys as an answer shows them."""
        return {
            " or ".join(condition.keywords): " or ".join(_few([key for _, key in condition.keys]))
            for condition in self.conditions
        }

    @property
    def identifiers(self) -> dict[str, str]:
        """The identifiers asked for by lists, without what is one or several."""
        lists: dict[str, str] = {}
        for condition in self.conditions:
            keys = [key for _, key in condition.keys if not parts_of(key)]
            if len(condition.keys) > 1 and condition.keywords[0] in _IDENTIFIERS:
                lists[condition.keywords[0]] = "\\".join(keys)
        return lists

    @property
    def _is_of_certain_days(self) -> bool:
        return any(
            keyword == _DATE and not key.startswith("-") and not key.endswith("-")
            for condition in self.conditions
            for keyword, key in condition.keys
        )


@dataclass(frozen=True, slots=True)
class Arrival:
    """What an archive already holds of an entry: in which studies, how many instances, and by which
    of the entry's fields they were found, "" for nothing found. `instances` is None where the
    archive does not count them or did not answer in full."""

    by: str = ""
    studies: tuple[str, ...] = ()
    instances: int | None = 0

    @classmethod
    def of(cls, by: str, studies: Sequence[Match]) -> "Arrival":
        """These studies, as matches."""
        counts = (study.get("NumberOfStudyRelatedInstances", "") for study in studies)
        known = [told for count in counts if (told := values.count_of(count)) is not None]
        uids = tuple(str(study.get("StudyInstanceUID", "")) for study in studies)
        return cls(by, uids, sum(known) if len(known) == len(studies) else None)


@dataclass(frozen=True, slots=True)
class Worklist:
    """The answer to a question: its rows in the order of time, whether that is all, what to know,
    how many queries it took, and if that was asked what has arrived for the first of the rows."""

    question: WorklistQuestion
    rows: list[Match]
    complete: bool = True
    notes: tuple[Note, ...] = ()
    queries: int = 0
    arrivals: tuple[Arrival, ...] | None = None


class WorklistRecheck:
    """Checks the rows of an answer against the question; remembers what was wrong with them."""

    def __init__(self, question: WorklistQuestion) -> None:
        # The query that is being answered, and whether its texts are wider than they are meant.
        self.asked = entries({})
        self.loosened = False
        self._ignored = Counter[str]()
        # Other stations with entries that are what was asked for but for the station.
        self.stations: set[str] = set()
        self._conditions = [_Compiled(condition) for condition in question.conditions]
        self._checked = 0

    def holds(self, row: Match) -> bool:
        """Whether the row may be what was asked for: no condition is contradicted."""
        self._checked += 1
        contradicted = [condition for condition in self._conditions if not condition.holds(row)]
        if not contradicted:
            return True
        for condition in contradicted:
            if not (self.loosened and condition.is_text):
                sent = (keyword for keyword in condition.keywords if keyword in self.asked.keys)
                self._ignored.update(sent)
        if len(contradicted) == 1 and _STATION_NAME in contradicted[0].keywords:
            self.stations.update(texts(row.get(_STATION_NAME) or row.get(_STATION_AE_TITLE, "")))
        return False

    def doubts(self) -> list[Note]:
        """Why it cannot be told whether all that holds is what was asked for."""
        return [
            perhaps(
                f"{condition.unread} {NOUN[condition.unread != 1]} of these came with a "
                f"value as {condition.name} that cannot be read, so that nobody can tell whether "
                "it is what was asked for."
            )
            for condition in self._conditions
            if condition.unread
        ] + [
            incomplete(
                f"{condition.untold} {NOUN[condition.untold != 1]} came without {condition.name}, "
                "by which many were to be compared here; ask for fewer values."
            )
            for condition in self._conditions
            if condition.untold
        ]

    def notes(self) -> list[Note]:
        """What the person asking must know about how the keys were treated."""
        ignored = [
            remark(
                f"The archive ignored {keyword}: {count} {NOUN[count != 1]} that did not match "
                f"{'were' if count != 1 else 'was'} left out here."
            )
            for keyword, count in self._ignored.items()
        ]
        return ignored + [
            remark(
                f"The archive does not return {condition.name}, so it may have ignored it: "
                "entries that do not match it may be among these."
            )
            for condition in self._conditions
            if self._checked and not condition.returned
        ]


class _Compiled:
    def __init__(self, condition: Condition) -> None:
        self.is_text = condition.is_text
        self.keywords = condition.keywords
        self.returned = 0
        written = condition.written
        self.unread = 0
        # Entries that do not tell what had to be compared here.
        self.untold = 0
        self._is_compared = condition.is_compared
        self._predicates: list[tuple[str, Predicate]] = [
            (keyword, matcher(vr_of(keyword), key, comparison=LOOSEST))
            for keyword, key in condition.keys
            if not (written and key.startswith("*"))
        ]
        if written:
            also: Predicate = lambda values: any(map(written, values))  # noqa: E731
            self._predicates += [(keyword, also) for keyword in condition.keywords]

    @property
    def name(self) -> str:
        return " or ".join(self.keywords)

    def holds(self, row: Match) -> bool:
        carried = [
            (keyword, predicate) for keyword, predicate in self._predicates if keyword in row
        ]
        if not carried and self._is_compared:
            self.untold += 1
            return False
        if not carried:
            return True
        self.returned += 1
        said = [
            agrees(vr_of(keyword), keyword, predicate, texts(row[keyword]))
            for keyword, predicate in carried
        ]
        if True in said or None not in said:
            return True in said
        self.unread += 1
        return True


def _identified(keyword: str, text: Several, argument: str) -> Condition:
    """One identifier or several; of what may be one or several both."""
    listed = values_of(keyword, text, argument=argument)
    every = [written for value in listed for written in (value, *_leaves(value))]
    keys = [values.identifier(written, vr_of(keyword), argument=argument) for written in every]
    if len(listed) > 1 and any(is_wild(key) or not key for key in keys):
        raise BadArgument(
            f"{argument} has wildcards among several values",
            "Ask for values with * or ? one at a time",
        )
    return Condition(tuple((keyword, key) for key in dict.fromkeys(keys) if key))


def _few(keys: Sequence[str]) -> list[str]:
    different = [*dict.fromkeys(keys)]
    if len(different) <= _MOST_SHOWN:
        return different
    return [*different[:2], f"… ({len(different)} values)"]


def _leaves(value: str) -> list[str]:
    return [text for part in parts_of(value) for text in (part, *_leaves(part))]


def _station(text: str) -> Condition:
    """An AE title cannot hold all that a name can (PS3.5 6.2)."""
    ways = (text, *in_other_case(text))
    titles, names = (
        tuple((keyword, way) for way in ways) for keyword in (_STATION_AE_TITLE, _STATION_NAME)
    )
    asked = ((*titles[:1], *names[:1]), (*titles, *names)) if text.isascii() else (names[:1], names)
    keys, wider = asked if text else ((), ())
    return Condition(keys, is_text=True, wider=wider)


def _name(text: str) -> Condition:
    ranks = [[reading.key for reading in rank] for rank in readings(text)] if text else []
    keys = ranks[0] if ranks else []
    wider = dict.fromkeys(map(_open, ranks[-1] if ranks else ()))
    return Condition(
        tuple(("PatientName", key) for key in keys),
        is_text=True,
        wider=tuple(("PatientName", key) for key in ([""] if "" in wider else wider)),
        written=None if keys == [text] else same_name(text),
    )


def _open(key: str) -> str:
    """The key with * for what is beyond ASCII and ? for letters that may be written in another
    case; "" when no letter is left."""
    ascii_only = Query(Level.PATIENT, {"PatientName": key}).in_ascii().keys.get("PatientName", "")
    if not any(map(str.isalnum, ascii_only)):
        return ""
    return next(iter(in_other_case(ascii_only)), ascii_only)
