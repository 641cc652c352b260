"""Modality Worklist: what is scheduled, and how to ask for it (PS3.4 K.6.1.2).

An entry has attributes of the patient and the order, and those of its scheduled procedure step,
which stand in the one item of a sequence, in a question as in an answer. People don't think in
sequences: a question is keyed by keyword alone, and an entry read is a flat row.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from .dictionary import attribute
from .levels import NOUN as NOUNS
from .levels import Level
from .matching import matcher
from .query import Match, Query, texts
from .reading import day

STEPS = "ScheduledProcedureStepSequence"
NOUN = NOUNS[Level.WORKLIST]

# What is asked for (PS3.4 table K.6-1), in the order of a record: when, who, what, where, and what
# to ask on with.
FIELDS = (
    "ScheduledProcedureStepStartDate",
    "ScheduledProcedureStepStartTime",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "Modality",
    "ScheduledStationName",
    "ScheduledStationAETitle",
    "RequestedProcedureDescription",
    "ScheduledProcedureStepDescription",
    "ScheduledProcedureStepStatus",
    "ScheduledProcedureStepLocation",
    "RequestedProcedurePriority",
    "ScheduledPerformingPhysicianName",
    "ReferringPhysicianName",
    "AccessionNumber",
    "RequestedProcedureID",
    "ScheduledProcedureStepID",
    "StudyInstanceUID",
)

# Which of these stand in the item of the scheduled procedure step.
OF_STEP = frozenset(
    keyword for keyword in FIELDS if keyword.startswith("Scheduled") or keyword == "Modality"
)

_DATE, _TIME = "ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime"
_STATION_AE_TITLE, _STATION_NAME = "ScheduledStationAETitle", "ScheduledStationName"

_TIME_OF_DAY = re.compile("([01][0-9]|2[0-3]):?([0-5][0-9])?")

# When an entry is scheduled to begin: date and time as written.
type Start = tuple[str, str]


def entries(keys: Mapping[str, str]) -> Query:
    """The query for entries by these keys, from keyword to key text, wherever in the identifier
    they stand. Everything a record shows is asked for; a keyword must be one of FIELDS."""
    return Query(Level.WORKLIST, keys, FIELDS)


def parts(query: Query, starts: Sequence[Start]) -> list[Query]:
    """Queries for parts of the time this one is for, which together are the same; none where that
    cannot be parted. `starts` are those of its rows, so that each part has some of them."""
    first, hyphen, last = query.keys.get(_DATE, "").partition("-")
    if first and not hyphen:
        return _parts_of_day(query, [time for _, time in starts])
    days = sorted(
        day for day, _ in starts if _is_day(day) and first <= day and (not last or day <= last)
    )
    if not days and first and last:
        days = [_moved(first, (_date_of(last) - _date_of(first)).days // 2)]
    if not days:
        return []
    day = days[len(days) // 2]
    spans = [day]
    if first < day:
        spans.append(f"{first}-{_moved(day, -1)}")
    if not last or day < last:
        spans.append(f"{_moved(day, 1)}-{last}")
    return [entries({**query.keys, _DATE: span}) for span in spans]


def is_for(query: Query, start: Start) -> bool:
    """Whether an entry with this start is one the query is for, as far as the entry says."""
    return all(
        matcher(vr_of(keyword), query.keys.get(keyword, ""))([text])
        for keyword, text in zip((_DATE, _TIME), start, strict=True)
        if text
    )


def _parts_of_day(query: Query, times: Sequence[str]) -> list[Query]:
    """Two parts of the day, or of what of it is asked for, down to a minute."""
    start, _, end = query.keys.get(_TIME, "000000-235959.999999").partition("-")
    first, last = _minute(start), _minute(end)
    if first == last:
        return []
    minutes = sorted(minute for minute in map(_minute, times) if first <= minute <= last)
    middle = minutes[len(minutes) // 2] if minutes else (first + last) // 2
    middle = max(middle, first + 1)
    return [
        entries({**query.keys, _TIME: f"{_time(a)}00-{_time(b)}59.999999"})
        for a, b in ((first, middle - 1), (middle, last))
    ]


def rows(match: Match) -> list[Match]:
    """One flat row for each scheduled procedure step of an entry; there is to be just one.

    A step's attribute that an archive put beside the sequence is read there.
    """
    steps = match.get(STEPS, "")
    items = [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    around = {keyword: value for keyword, value in match.items() if keyword in FIELDS}
    return [
        {**around, **{keyword: value for keyword, value in item.items() if keyword in OF_STEP}}
        for item in items or [{}]
    ]


def start(row: Match) -> Start:
    """When a row is scheduled to begin."""
    date = str(row.get(_DATE, ""))
    return day(date) or date, str(row.get(_TIME, ""))


def by_time(row: Match) -> tuple[str, str, str]:
    """What rows are sorted by: day and time of the scheduled start, then the patient."""
    date, time, name = (str(row.get(keyword, "")) for keyword in (_DATE, _TIME, "PatientName"))
    return day(date) or date, time.replace(":", ""), name


def is_one(text: str) -> bool:
    """Whether a value can be a key that means just this value."""
    return bool(text) and not set("*?\\") & set(text)


def is_of_patient(study: Match, row: Match) -> bool:
    """Whether a study is the patient's of this row, as far as both name one: two hospitals may
    give out the same accession number."""
    patient, other = (str(match.get("PatientID", "")) for match in (study, row))
    return not patient or not other or patient == other


def may_be_the_one(study: Match, row: Match) -> bool:
    """Whether a study of the same patient and day may be what this row schedules."""
    number, other = (str(match.get("AccessionNumber", "")) for match in (study, row))
    modalities = texts(study.get("ModalitiesInStudy", ""))
    modality = str(row.get("Modality", ""))
    ordered_otherwise = number and other and number != other
    return not ordered_otherwise and (not modalities or not modality or modality in modalities)


def _is_day(text: str) -> bool:
    """Whether it is a day on which something may be scheduled."""
    try:
        return len(text) == 8 and text.isascii() and 1900 < _date_of(text).year < 2200
    except ValueError:
        return False


def _date_of(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


def _moved(day: str, days: int) -> str:
    return (_date_of(day) + timedelta(days)).isoformat().replace("-", "")


def _minute(time: str) -> int:
    """The minute of the day that a time begins in; -1 for what is no time (PS3.5 6.2, TM)."""
    found = _TIME_OF_DAY.match(time)
    return 60 * int(found[1]) + int(found[2] or 0) if found else -1


def _time(minutes: int) -> str:
    return f"{minutes // 60:02}{minutes % 60:02}"


def vr_of(keyword: str) -> str:
    found = attribute(keyword)
    assert found is not None
    return found.vr
