"""Reports as text: those of a study, of a series, of an order or of a person, or one of its own."""

from typing import Annotated

from pydantic import Field

from ..errors import BadArgument
from ..standard.levels import Level
from ..standard.query import Match
from .answer import Pictures
from .asking import Question
from .call import Call
from .contents import studies_meant
from .objects import one_uid
from .people import people_of, said_of
from .reading import Reading, Reports
from .relaxing import hints
from .rows import text
from .search import Search

_OF_STUDY = (
    *("StudyInstanceUID", "PatientID", "PatientName", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "NumberOfStudyRelatedSeries"),
)


def read_report(
    call: Call,
    study_instance_uid: str = "",
    series_instance_uid: str = "",
    sop_instance_uid: Annotated[str, Field(description="With series_instance_uid")] = "",
    accession_number: Annotated[str, Field(description="Instead of a UID")] = "",
    patient_id: Annotated[str, Field(description="All reports of one patient")] = "",
    limit: Annotated[int, Field(ge=1, le=50, description="Most reports to read")] = 10,
    page: Annotated[int, Field(ge=1, description="2: the next so many")] = 1,
    start: Annotated[int, Field(ge=0, description="Go on in a long text at this character")] = 0,
) -> Reports | Pictures:
    """Read the reports of a study, an order or a patient, newest first, in full: structured reports
    (also measurements and dose as tables), PDF, CDA, key object notes, presentation states. Pages
    of scanned documents come as pictures."""
    named = study_instance_uid.strip() or series_instance_uid.strip()
    if not (named or accession_number.strip() or patient_id.strip()):
        raise BadArgument(
            "no study is named",
            "Give study_instance_uid, series_instance_uid, accession_number or patient_id",
        )
    if sop_instance_uid.strip() and not series_instance_uid.strip():
        raise BadArgument(
            "sop_instance_uid needs its series", "Give series_instance_uid too (study_overview)"
        )
    if named and (accession_number.strip() or patient_id.strip()):
        raise BadArgument(
            "a UID and an accession number or a patient are named",
            "Give the UID alone, or without it accession_number, patient_id or both",
        )
    search = Search(call)
    if series_instance_uid.strip():
        search.in_series(series_instance_uid, study_instance_uid, sop_instance_uid)
    elif named:
        search.in_study(one_uid(study_instance_uid, "study_instance_uid"))
    else:
        _search(search, call, accession_number, patient_id)
    reading = Reading(call, search, limit, page)
    reading.read()
    return reading.answer(start)


def _search(search: Search, call: Call, accession_number: str, patient_id: str) -> None:
    """Look into every study of this order or patient."""
    question = Question.of(
        call,
        Level.STUDY,
        {
            "accession_number": ("AccessionNumber", accession_number),
            "patient_id": ("PatientID", patient_id),
        },
    )
    if not question.meanings:
        raise BadArgument("nothing is named", "Give accession_number or patient_id without a *")
    found, studies = studies_meant(call, question, _OF_STUDY)
    if not studies:
        if found.complete:
            told, queries = hints(call, question)
            found.note("No study in this archive matches these keys.", *told)
            found.queries += queries
        search.learn(found, "")
        return
    people = people_of(studies)
    if len(people) > 1:
        told = "; ".join(said_of(several) for several in people.values())
        found.note(f"These are the reports of {len(people)} patients: {told}. Say whose is whose.")
    studies.sort(key=_when, reverse=True)
    by_uid = {uid: one for one in studies if (uid := text(one, "StudyInstanceUID"))}
    search.in_studies(found, next(iter(people)) if len(people) == 1 else "", by_uid)


def _when(study: Match) -> str:
    return text(study, "StudyDate") + text(study, "StudyTime")
