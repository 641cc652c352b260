"""What has already arrived of what is scheduled.

A study is the scheduled one when it has its StudyInstanceUID, which modalities copy from the
worklist. Others invent a UID, and the accession number tells; and where nobody typed that either,
the same patient's study of that day and modality is most likely the one.
"""

from collections.abc import Callable, Collection, Iterator, Sequence

from ..errors import ArchiveError, NoAcceptedContext, StatusFailure
from ..standard.levels import Level
from ..standard.note import Note, remark
from ..standard.query import Match, Matches, Query
from ..standard.worklist import NOUN, is_of_patient, is_one, may_be_the_one
from ..words.schedule import Arrival
from .parents import uid_in

# Asks for studies: the query, and how many matches are wanted at most.
type Find = Callable[[Query, int], Matches]

MOST_ENTRIES = 100

# More studies than a patient has of one day, or an order has brought about.
_MOST_STUDIES = 20

_WANTED = (
    *("StudyInstanceUID", "AccessionNumber", "PatientID", "StudyDate", "ModalitiesInStudy"),
    "NumberOfStudyRelatedInstances",
)

_UID = "StudyInstanceUID"
BY_PATIENT = "patient_id and date"

type _Way = tuple[str, dict[str, str], Callable[[Match], bool]]


def arrivals(rows: Sequence[Match], find: Find) -> tuple[list[Arrival], list[Note]]:
    """What has arrived for each row, in order, and what to know.

    There are fewer than rows when not all could be looked up; a note then says why.
    """
    found: list[Arrival] = []
    notes: list[Note] = []
    try:
        for arrival in _each(rows[:MOST_ENTRIES], find):
            found.append(arrival)  # noqa: PERF402 - keeps what came before a failure
    except NoAcceptedContext:
        notes.append(
            remark(
                "What has arrived could not be looked up: this system has a worklist but answers "
                "no questions about studies. Ask the archive with query_studies."
            )
        )
        return found, notes
    except ArchiveError as error:
        notes.append(remark(f"Looking up what has arrived ended early: {error}"))
    if len(found) < len(rows):
        notes.append(
            remark(
                f"What has arrived was looked up for the first {len(found)} of {len(rows)} "
                f"{NOUN[1]}. Narrow the question by date, modality or station."
            )
        )
    if any(study.by == BY_PATIENT for study in found):
        notes.append(
            remark(
                f"arrived_by {BY_PATIENT}: a study of the same patient, day and modality, which "
                "is most likely the one that was scheduled; neither UID nor accession number say "
                "so."
            )
        )
    return found, notes


def _each(rows: Sequence[Match], find: Find) -> Iterator[Arrival]:
    scheduled = {uid_in(row, _UID) for row in rows}
    by_uid, certain = _by_uids(sorted(scheduled - {""}), find)
    for row in rows:
        if uid_in(row, _UID) in by_uid:
            yield Arrival.of("study_instance_uid", [by_uid[uid_in(row, _UID)]])
            continue
        sure = True
        for by, keys, is_meant in _ways(row, scheduled):
            if not all(map(is_one, keys.values())) or (certain and _UID in keys):
                continue
            answer = find(Query(Level.STUDY, keys, _WANTED), _MOST_STUDIES)
            if studies := [study for study in answer.matches if is_meant(study)]:
                yield Arrival.of(by, studies)
                break
            sure = sure and answer.complete
        else:
            yield Arrival() if sure else Arrival(instances=None)


def _ways(row: Match, scheduled: Collection[str]) -> Iterator[_Way]:
    """How a row's study is looked for, most certain first: what finds it, the keys, and which of
    the studies they bring are meant."""
    day = str(row.get("ScheduledProcedureStepStartDate", "")).replace(".", "")
    patient = str(row.get("PatientID", ""))
    yield "study_instance_uid", {_UID: uid_in(row, _UID)}, lambda _: True
    yield (
        "accession_number",
        {"AccessionNumber": str(row.get("AccessionNumber", ""))},
        lambda study: is_of_patient(study, row),
    )
    yield (
        BY_PATIENT,
        {"PatientID": patient, "StudyDate": day},
        lambda study: uid_in(study, _UID) not in scheduled and may_be_the_one(study, row),
    )


def _by_uids(uids: Sequence[str], find: Find) -> tuple[dict[str, Match], bool]:
    """The studies with one of these UIDs, as far as one question tells, and whether it tells all.

    An archive that does not know lists of UIDs (PS3.4 C.2.2.2.2) finds none of them, or one.
    """
    if len(uids) < 2:
        return {}, False
    try:
        answer = find(Query(Level.STUDY, {_UID: "\\".join(uids)}, _WANTED), len(uids))
    except StatusFailure:
        return {}, False
    found = {uid_in(study, _UID): study for study in answer.matches}
    return found, answer.complete and len(found) > 1
