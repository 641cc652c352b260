"""Archives with one of the two Query/Retrieve models only (PS3.4 C.6.1, C.6.2).

Without Patient Root there is no PATIENT level: patients are collected from their studies. Without
Study Root a hierarchical archive wants the patient of every study, so patients are asked first.
"""

from collections.abc import Callable, MutableMapping

from ..standard.levels import NOUN, UNIQUE_KEY, Level
from ..standard.note import incomplete, remark
from ..standard.query import Ending, Match, Matches, Query, is_one
from .steps import Step

type Ask = Callable[[Query, Callable[[Match, int], bool]], Step[Ending]]

# What a patient's record has besides its counts (PS3.4 C.6.1.1.2); all may stand with a study too.
OF_PATIENT = frozenset({
    "EthnicGroup", "IssuerOfPatientID", "OtherPatientIDs", "OtherPatientNames", "PatientBirthDate",
    "PatientBirthTime", "PatientComments", "PatientID", "PatientName", "PatientSex",
})  # fmt: skip

_DESCRIBED = tuple(sorted(OF_PATIENT))

_TELLING = ("PatientID", "PatientName", "IssuerOfPatientID")

NO_PATIENT_ROOT = (
    "This archive has no Patient Root queries; the patients were collected from their studies."
)

# Studies looked through for patients, and patients asked one by one for their studies.
MOST_STUDIES = 5_000
_MOST_PATIENTS = 500
_REMEMBERED = 10_000

_STUDIES_COUNT = "NumberOfPatientRelatedStudies"


def studies_of_patients(query: Query) -> Query:
    """The STUDY query whose matches tell the patients that this PATIENT query asks for."""
    wanted = [keyword for keyword in query.wanted if keyword in OF_PATIENT]
    return Query(Level.STUDY, query.keys, (*_TELLING, *wanted), empty=query.empty)


def patients_of_studies(query: Query, studies: Matches, limit: int, why: str) -> Matches:
    """The patients a PATIENT query asks for, collected from the answer to `studies_of_patients`,
    and why they were.

    Studies of one ID, issuer and name are one patient's, who is described by the first of them.
    """
    wanted = [keyword for keyword in query.wanted if keyword in OF_PATIENT]
    found: dict[tuple[str, ...], Match] = {}
    counts: dict[tuple[str, ...], int] = {}
    differing: set[str] = set()
    for study in studies.matches:
        who = tuple(str(study.get(keyword, "")) for keyword in _TELLING)
        told = {keyword: study[keyword] for keyword in wanted if keyword in study}
        first = found.setdefault(who, told)
        differing |= {keyword for keyword in told if first.get(keyword) != told[keyword]}
        counts[who] = counts.get(who, 0) + 1
    if studies.complete and _STUDIES_COUNT in query.wanted:
        for who, patient in found.items():
            patient[_STUDIES_COUNT] = counts[who]
    patients = list(found.values())
    notes = [remark(why), *studies.notes]
    if differing:
        notes.append(
            remark(
                f"Studies of one patient differ in {', '.join(sorted(differing))}; that of one of "
                "them is shown."
            )
        )
    if len(patients) > limit:
        notes.append(incomplete(f"these are {limit} of {len(patients)} patients; raise limit."))
    whole = studies.complete and len(patients) <= limit
    absent = [
        keyword for keyword in query.wanted if not any(keyword in patient for patient in patients)
    ]
    return Matches(query, patients[:limit], whole, tuple(notes), tuple(absent))


def ask_by_patient(
    query: Query,
    take: Callable[[Match, int], bool],
    ask: Ask,
    known: MutableMapping[str, tuple[str, ...]],
) -> Step[Ending]:
    """A query below the patient, asked once for each patient it may be about.

    `ask` sends one query; `known` remembers the patients of each study that was asked about: the
    UID of a study that is one patient's may be another's too, by a fault of whoever gave it.
    """
    stopped = False
    study = query.keys.get(UNIQUE_KEY[Level.STUDY], "")
    study = study if is_one(study) else ""  # of several, each may be another patient's
    patients: list[Match] = []

    def note_patient(match: Match, size: int) -> bool:  # noqa: ARG001 - the shape of `take`
        patients.append(match)
        return len(patients) <= _MOST_PATIENTS

    if study in known:
        patients.extend({"PatientID": who} for who in known[study])
        ending = Ending()
    else:
        keys = {keyword: key for keyword, key in query.keys.items() if keyword in OF_PATIENT}
        ending: Ending = yield ask(Query(Level.PATIENT, keys, _DESCRIBED), note_patient)
    whole, notes = ending.whole and len(patients) <= _MOST_PATIENTS, list(ending.notes)
    rest = {keyword: key for keyword, key in query.keys.items() if keyword not in OF_PATIENT}
    owners: list[str] = []
    for patient in patients[:_MOST_PATIENTS]:
        who = patient.get("PatientID")
        if not isinstance(who, str) or not is_one(who):
            whole = False
            continue
        count = 0

        def take_his(match: Match, size: int, patient: Match = patient) -> bool:
            nonlocal stopped, count
            count += 1
            stopped = not take({**patient, **match}, size)
            return not stopped

        ending = yield ask(Query(query.level, {**rest, "PatientID": who}, query.wanted), take_his)
        whole = whole and ending.whole
        notes += ending.notes
        owners += [who] if count else []
        if stopped:
            break
    if study and owners and whole and not stopped:
        if len(known) >= _REMEMBERED:
            known.clear()
        known[study] = tuple(owners)
    if not whole:
        notes.append(
            incomplete(
                f"this archive must be told the patient of every study, and not every "
                f"one of the {len(patients)} {NOUN[Level.PATIENT][1]} could be asked about."
            )
        )
    return Ending(whole, ending.capped, tuple(dict.fromkeys(notes)))
