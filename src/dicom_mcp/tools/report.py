"""Reports as text: those of a study, of a series, of an order or of a person, or one of its own."""

from typing import Annotated

from pydantic import Field

from ..door.answer import Pictures
from ..door.call import Call
from ..door.rows import text
from ..errors import BadArgument
from ..objects.reading import Reading, Reports
from ..objects.search import Search
from ..question.asking import Question
from ..question.relaxing import hints
from ..standard.levels import Level
from ..standard.lists import values_of
from ..standard.note import joined, remark
from ..standard.query import Match
from ..standard.values import uid
from ..studies.contents import studies_meant
from ..studies.people import people_of, said_of
from .query import Listed

_OF_STUDY = (
    *("StudyInstanceUID", "PatientID", "PatientName", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "NumberOfStudyRelatedSeries"),
)


def read_report(
    call: Call,
    study_instance_uid: Listed = "",
    series_instance_uid: str = "",
    sop_instance_uid: Annotated[str, Field(description="With series_instance_uid")] = "",
    accession_number: Annotated[Listed, Field(description="Instead of a UID")] = "",
    patient_id: Annotated[Listed, Field(description="All their reports")] = "",
    limit: Annotated[int, Field(ge=1, le=50, description="Most reports to read")] = 10,
    page: Annotated[int, Field(ge=1, description="2: the next so many")] = 1,
    start: Annotated[int, Field(ge=0, description="Go on in a long text at this character")] = 0,
    row: Annotated[int, Field(ge=0, description="Go on in long tables at this row")] = 0,
) -> Reports | Pictures:
    """Read the reports of studies, orders or a patient, newest first, in full: structured reports
    (also measurements and dose as tables), PDF, CDA, key object notes, presentation states. Pages
    of scanned documents come as pictures."""
    studies, orders, patients = (
        values_of(keyword, text, argument=argument)
        for keyword, argument, text in (
            ("StudyInstanceUID", "study_instance_uid", study_instance_uid),
            ("AccessionNumber", "accession_number", accession_number),
            ("PatientID", "patient_id", patient_id),
        )
    )
    series = series_instance_uid.strip()
    if not (series or studies or orders or patients):
        raise BadArgument(
            "no study is named",
            "Give study_instance_uid, series_instance_uid, accession_number or patient_id",
        )
    if sop_instance_uid.strip() and not series:
        raise BadArgument(
            "sop_instance_uid needs its series", "Give series_instance_uid too (study_overview)"
        )
    if (series or studies) and (orders or patients):
        raise BadArgument(
            "a UID and an accession number or a patient are named",
            "Give the UID alone, or without it accession_number, patient_id or both",
        )
    search = Search(call)
    if series:
        if len(studies) > 1:
            raise BadArgument(
                "a series and several studies are named", "Give its own study, or none"
            )
        search.in_series(series, "".join(studies), sop_instance_uid)
    elif len(studies) == 1:
        search.in_study(uid(*studies, argument="study_instance_uid"))
    else:
        _search(search, call, studies, orders, patients)
    reading = Reading(call, search, limit, page)
    reading.read()
    return reading.answer(start, row)


def _search(
    search: Search, call: Call, studies: list[str], orders: list[str], patients: list[str]
) -> None:
    """Look into every one of these studies, or every study of these orders or patients."""
    question = Question.of(
        call,
        Level.STUDY,
        {
            "study_instance_uid": ("StudyInstanceUID", studies),
            "accession_number": ("AccessionNumber", orders),
            "patient_id": ("PatientID", patients),
        },
    )
    if not question.meanings:
        raise BadArgument("nothing is named", "Give accession_number or patient_id without a *")
    found, those = studies_meant(call, question, _OF_STUDY)
    search.missing = found.missing
    if not those:
        if found.complete:
            told = hints(call, question)
            found.note("No study in this archive matches these keys.", *told)
        search.learn(found, "")
        return
    people = people_of(those)
    if len(people) > 1:
        told = joined("; ", map(said_of, people.values()))
        these = f"These are the reports of {len(people)} patients: "
        found.note(remark(these, *told, ". Say whose is whose."))
    those.sort(key=_when, reverse=True)
    by_uid = {uid: study for study in those if (uid := text(study, "StudyInstanceUID"))}
    search.in_studies(found, next(iter(people)) if len(people) == 1 else "", by_uid)


def _when(study: Match) -> str:
    return text(study, "StudyDate") + text(study, "StudyTime")
