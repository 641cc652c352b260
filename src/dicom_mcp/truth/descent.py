"""What an archive does not say of a patient, study or series, found one level down.

Counts and ModalitiesInStudy are optional (PS3.4 C.3.4): an archive may ignore them as keys and
leave them out of its answers, and then lists every study when asked for those with MR. The levels
below know.
"""

from collections.abc import Collection

from ..errors import ArchiveError, DeadlinePassed
from ..standard.levels import HIERARCHY, NOUN, UNIQUE_KEY, Level
from ..standard.note import Note, remark
from ..standard.query import Match, Query, Value, is_one
from ..standard.values import count_of
from .asking import Asking
from .gathering import Gathering
from .parents import uid_in
from .steps import result_of
from .whole import ask_whole, matches

MODALITIES = "ModalitiesInStudy"

# What can be found below, by level (PS3.4 C.3.4).
BELOW: dict[Level, tuple[str, ...]] = {
    Level.PATIENT: ("NumberOfPatientRelatedStudies",),
    Level.STUDY: (MODALITIES, "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
    Level.SERIES: ("NumberOfSeriesRelatedInstances",),
    Level.IMAGE: (),
}

# Records asked about below, at most, and for how long. A kept association asks some hundred a
# second of a quick archive and ten of a slow one.
MOST_RECORDS = 300
SECONDS = 10.0

# More than any study or series has.
_MOST_BELOW = 20_000


def lacking(level: Level, found: Collection[Match], wanted: Collection[str]) -> list[str]:
    """Which of the wanted attributes could be found below and are in none of these matches."""
    return [
        keyword
        for keyword in BELOW[level]
        if keyword in wanted and not any(match.get(keyword) not in (None, "") for match in found)
    ]


def fill(
    asking: Asking, level: Level, found: list[Match], lacks: Collection[str], *, seconds: float
) -> int:
    """Add to these matches what they lack, in order; returns how many were filled.

    Fewer than all when time or the allowance was up, or what is below one did not all come. Raises
    Cancelled when nobody waits any longer.
    """
    step = asking.within(seconds)
    for number, match in enumerate(found[:MOST_RECORDS]):
        try:
            filled = _FILLERS[level](step, match, lacks)
        except DeadlinePassed:
            filled = False
        except ArchiveError:
            if not number:
                raise
            filled = False
        if not filled:
            return number
    return min(len(found), MOST_RECORDS)


def found_below(level: Level, lacks: Collection[str], filled: int, count: int) -> Note:
    """The note that says what was found below, and of how many records."""
    nouns = NOUN[level]
    asked = f"{filled}" if filled == count else f"the first {filled} of {count}"
    below = NOUN[HIERARCHY[len(level.above) + 1]][1]
    return remark(
        f"This archive does not keep {' and '.join(lacks)}; found by asking {asked} "
        f"{nouns[count != 1]} for their {below}."
    ).about(*lacks)


def _fill_patient(asking: Asking, match: Match, lacks: Collection[str]) -> bool:
    patient = match.get("PatientID")
    if not isinstance(patient, str) or not is_one(patient):
        return False
    count = _count(asking, Query(Level.STUDY, {"PatientID": patient}))
    if count is None:
        return False
    match.update(dict.fromkeys(lacks, count))
    return True


def _fill_study(asking: Asking, match: Match, lacks: Collection[str]) -> bool:
    """Whether all its series came: some of them would be a wrong answer."""
    uid = uid_in(match, UNIQUE_KEY[Level.STUDY])
    if not uid:  # the series of every study there is would be the answer
        return False
    wanted = ("SeriesInstanceUID", "Modality", "NumberOfSeriesRelatedInstances")
    answer = matches(asking, Query(Level.SERIES, {"StudyInstanceUID": uid}, wanted), _MOST_BELOW)
    if not answer.complete:
        return False
    if MODALITIES in lacks:
        modalities = sorted({str(series.get("Modality", "")) for series in answer.matches} - {""})
        several: list[Value] = [*modalities]
        match[MODALITIES] = modalities[0] if len(modalities) == 1 else several
    if not match.get("NumberOfStudyRelatedSeries"):
        match["NumberOfStudyRelatedSeries"] = len(answer.matches)
    if "NumberOfStudyRelatedInstances" in lacks:
        images = 0
        for series in answer.matches:
            series.setdefault("StudyInstanceUID", uid)
            if not _fill_series(asking, series, ("NumberOfSeriesRelatedInstances",)):
                return False
            images += count_of(series["NumberOfSeriesRelatedInstances"]) or 0
        match["NumberOfStudyRelatedInstances"] = images
    return True


def _fill_series(asking: Asking, match: Match, lacks: Collection[str]) -> bool:
    if count_of(match.get("NumberOfSeriesRelatedInstances", "")) is not None:
        return True
    study, series = (uid_in(match, UNIQUE_KEY[level]) for level in (Level.STUDY, Level.SERIES))
    if not study or not series:
        return False
    keys = {"StudyInstanceUID": study, "SeriesInstanceUID": series}
    count = _count(asking, Query(Level.IMAGE, keys))
    if count is None:
        return False
    match.update(dict.fromkeys(lacks, count))
    return True


def _count(asking: Asking, query: Query) -> int | None:
    """How many matches there are; None when they did not all come."""
    gathering = Gathering(query, _MOST_BELOW, keep=lambda _: None)
    outcome = result_of(ask_whole(asking, query, gathering))
    return gathering.count if gathering.close(outcome).complete else None


_FILLERS = {Level.PATIENT: _fill_patient, Level.STUDY: _fill_study, Level.SERIES: _fill_series}
