"""The studies of one patient over time, and those that a study is worth comparing with."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from ..door.account import Account
from ..door.answer import NONE_MISSING, Findings, Missing, fitting
from ..door.call import Call
from ..door.rows import NamedRow, NamedRows, Row, each_named, text
from ..errors import BadArgument
from ..question.asking import Question
from ..question.relaxing import hints
from ..standard import values
from ..standard.counted import agreeing
from ..standard.levels import Level
from ..standard.lists import values_of
from ..standard.note import Named, incomplete, joined, perhaps, remark
from ..standard.query import Match, Matches, Query
from ..studies.contents import contents, studies_meant
from ..studies.interval import Intervals
from ..studies.people import choices_of, people_of
from ..studies.study import PERSON, Study, relevance
from ..studies.wanted import Wanted
from .query import Listed

_OF_STUDY = (
    *("StudyInstanceUID", "PatientID", "PatientName", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "StudyDescription", "ModalitiesInStudy", "AccessionNumber"),
    *("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
)

# What the series tell where the archive does not keep it.
_FOUND_BELOW = frozenset(
    {"ModalitiesInStudy", "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"}
)

AsInStudies = Annotated[str, Field(description="As in query_studies")]


class Timeline(Findings):
    """What `patient_timeline` answers."""

    returned: int
    sent: Row
    patient: NamedRow
    choices: NamedRows = Field(description="Who may be meant: use patient_id")
    missing: Missing = NONE_MISSING
    study: NamedRow = Field(description="That of prior_to")
    records: NamedRows = Field(description="Studies; what is empty is left out")


def patient_timeline(
    call: Call,
    patient_id: Listed = "",
    patient_name: AsInStudies = "",
    study_date: AsInStudies = "",
    modality: Annotated[str, Field(description="Code or word")] = "",
    body_part: Annotated[str, Field(description="In any language")] = "",
    prior_to: Annotated[
        str, Field(description='StudyInstanceUID or "last": what to compare it with')
    ] = "",
    limit: Annotated[int, Field(ge=1, le=500)] = 100,
) -> Timeline:
    """All studies of one patient, newest first: modality, body part, images, reports, days between.
    With prior_to: the relevant priors of a study."""
    wanted = Wanted.of(call, study_date, modality, body_part)
    is_last = prior_to.strip().lower() == "last"
    uid = "" if is_last else values.key(prior_to, "UI", argument="prior_to")
    named = values_of("PatientID", patient_id, argument="patient_id")
    if not (any(name.strip("*") for name in named) or patient_name.strip(" *") or uid):
        raise BadArgument("no patient is named", "Give patient_id or patient_name")
    question = Question.of(
        call,
        Level.STUDY,
        {
            "patient_id": ("PatientID", named),
            "patient_name": ("PatientName", patient_name),
            "prior_to": ("StudyInstanceUID", uid),
        },
    )
    found, studies = studies_meant(call, question, _OF_STUDY)
    people = people_of(studies)
    if len(people) != 1:
        return _undecided(call, question, found, people)
    (patient,) = people
    if patient and (uid or "PatientID" not in question.meanings):
        # Only one study is known, or others of the same ID are under another name.
        known = Question.of(call, Level.STUDY, {"patient_id": ("PatientID", [patient])})
        again, studies = studies_meant(call, known, _OF_STUDY)
        studies = [study for study in studies if study.get("PatientID") == patient]
        again.join(Matches(Query(Level.STUDY), [], found.complete, (*found.notes,)))
        again.sent = {**found.sent, **again.sent}
        found = again
    elif uid:
        found.lack("this study has no PatientID, by which others could be found.")
    making = _Making(call, found, patient, studies, wanted)
    if is_last or uid:
        return making.priors(uid, limit)
    return making.timeline(limit)


class _Making:
    """One patient's timeline in the making."""

    def __init__(
        self,
        call: Call,
        found: Account,
        patient: str,
        matches: Sequence[Match],
        wanted: Wanted,
    ) -> None:
        self._call = call
        self._found = found
        self._patient = patient
        self._wanted = wanted
        # Newest first; those without a date last.
        self._matches = sorted(matches, key=_when, reverse=True)
        self._differing = self._discrepancies()
        if absent := [keyword for keyword in _OF_STUDY if keyword in found.absent - _FOUND_BELOW]:
            found.note(f"The archive does not return {', '.join(absent)}.")
        if undated := sum(not _when(match)[0] for match in matches):
            found.note(
                f"{undated} of {len(matches)} studies came without a date: they stand last, and no "
                "days between are told."
            )

    def timeline(self, limit: int) -> Timeline:
        """The studies that are wanted, newest first."""
        kept = self._of_days(self._matches)
        looked = kept if self._wanted.needs_series else kept[: limit + 1]
        # What came before is told of all studies, whichever are wanted.
        others = [study for study in self._matches if all(study is not match for match in looked)]
        every = contents(self._call, self._found, self._patient, looked, also=others)
        intervals = Intervals(sorted(every, key=lambda study: study.when, reverse=True))
        studies = [study for study in every[: len(looked)] if self._is_wanted(study)]
        more = len(kept) - len(looked)
        rows = [
            {**study.row(*self._differing), **intervals.row(study)} for study in studies[:limit]
        ]
        if intervals.untold and len(self._matches) > 1:
            self._found.note(
                f"Of {intervals.untold} studies the modality or body part is not known: "
                "days_since_same_kind passes over them."
            )
        self._cut(len(rows), len(studies) + more)
        if said := self._wanted.said():
            self._found.note(
                f"{len(studies) + more} of {len(self._matches)} studies of this patient are of "
                f"{said}; compared here."
            )
        return self._answer(rows)

    def priors(self, uid: str, limit: int) -> Timeline:
        """What came before a study, the most relevant first; "" for the last one."""
        named = [match for match in self._matches if match.get("StudyInstanceUID") == uid]
        if not named and uid:
            self._found.lack("prior_to names no study of this patient, so no priors can be told.")
            return self._answer([])
        chosen = (named or self._matches)[0]
        kept = self._of_days([match for match in self._matches if match is not chosen])
        current, *others = contents(self._call, self._found, self._patient, [chosen, *kept])
        if not current.day:
            self._found.note("The study has no date: which studies came before cannot be told.")
        earlier = [study for study in others if study.is_before(current)]
        ranked = sorted(
            ((*relevance(current, study), study) for study in earlier if self._is_wanted(study)),
            key=lambda entry: entry[0],  # stable: newest first within a rank
        )
        rows = [
            {
                "reason": reason,
                **(
                    {"days_before": (current.day - study.day).days}
                    if current.day and study.day
                    else {}
                ),
                **study.row(*self._differing),
            }
            for _, reason, study in ranked[:limit]
        ]
        if len(others) > len(earlier):
            later = len(others) - len(earlier)
            self._found.note(agreeing(later, "later study", "is no prior.", "are no priors."))
        if said := self._wanted.said():
            self._found.note(f"Only priors of {said} are given; compared here.")
        self._cut(len(rows), len(ranked))
        return self._answer(rows, current.row(*self._differing))

    def _of_days(self, matches: Sequence[Match]) -> list[Match]:
        if self._wanted.days and any(not _when(match)[0] for match in matches):
            self._found.lack(
                perhaps("studies without a date are left out; study_date=none has them.")
            )
        return [match for match in matches if self._wanted.is_day(match)]

    def _is_wanted(self, study: Study) -> bool:
        if self._wanted.cannot_tell(study):
            self._found.lack(
                perhaps(
                    "studies of which modality or body part is not known are "
                    "left out; ask without these to see them."
                )
            )
        return self._wanted.holds(study)

    def _cut(self, given: int, there: int) -> None:
        if given < there:
            self._found.lack(
                f"these are {given} of {there} studies; raise limit (at most 500) or "
                "narrow the question."
            )

    def _discrepancies(self) -> list[str]:
        """Attributes in which studies of this one ID differ; each is said."""
        differing: list[str] = []
        for keyword, noun in (
            ("PatientName", "names"),
            ("PatientBirthDate", "birth dates"),
            ("PatientSex", "sexes"),
        ):
            counts = Counter(text(match, keyword) for match in self._matches)
            del counts[""]
            if len({_alike(value) for value in counts}) > 1:
                differing.append(keyword)
                several = (
                    [Named(keyword, value), f" in {n}"] for value, n in counts.most_common(5)
                )
                self._found.note(
                    remark(
                        "Patient ID ",
                        Named("PatientID", self._patient),
                        f" has {len(counts)} {noun} here (",
                        *joined(", ", several),
                        " of the studies): a mistake, or two people. Say so; each record has its "
                        "own.",
                    )
                )
        return differing

    def _answer(self, rows: list[dict[str, Any]], study: dict[str, Any] | None = None) -> Timeline:
        kept = rows[: len(fitting(each_named(rows)))]
        if len(kept) < len(rows):
            self._found.lack(
                f"{len(rows)} studies were found, of which {len(kept)} fit an "
                "answer; narrow the question by study_date."
            )
        person: dict[str, Any] = {}
        for keyword in PERSON:
            several = [*dict.fromkeys(text(match, keyword) for match in self._matches)]
            held = [value for value in several if value]
            if held:
                person[keyword] = held[0] if len(held) == 1 else held
        person["studies"] = len(self._matches)
        return _answered(self._call, self._found, patient=person, study=study or {}, records=kept)


def _answered(
    call: Call,
    found: Account,
    *,
    patient: dict[str, Any] | None = None,
    choices: list[dict[str, Any]] | None = None,
    study: dict[str, Any] | None = None,
    records: Sequence[dict[str, Any]] = (),
) -> Timeline:
    return call.answer(
        Timeline,
        found,
        returned=len(records),
        sent={"QueryRetrieveLevel": "STUDY", **found.keys()},
        patient=patient or {},
        choices=choices or [],
        study=study or {},
        records=[*records],
    )


def _undecided(
    call: Call, question: Question, found: Account, people: Mapping[str, Sequence[Match]]
) -> Timeline:
    """Nobody, or several."""
    if not people:
        if found.complete or question.name:
            told = hints(call, question)
            found.note("No study in this archive matches these keys.", *told)
        return _answered(call, found)
    found.note(
        incomplete(
            f"{len(people)} patients match, so there is no timeline: ask which of "
            "`choices` is meant, then ask again with that patient_id."
        )
    )
    choices = choices_of(people, found)
    return _answered(call, found, choices=choices)


def _when(match: Match) -> tuple[str, str]:
    return Study(match, (), False, None, {}).when


def _alike(value: str) -> str:
    """A name without what differs between spellings of one: case, empty ends, other scripts."""
    return value.partition("=")[0].rstrip("^ ").casefold() or value
