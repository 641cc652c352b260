"""Who may be meant by a name that several people have, and what tells them apart."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..door.account import Account
from ..door.call import Call
from ..door.rows import filled, text
from ..errors import ArchiveError
from ..question.asking import Question
from ..standard.counted import counted
from ..standard.levels import Level
from ..standard.note import Named, Parts, joined, remark
from ..standard.query import Match, Query, is_one
from ..standard.shapes import SEPARATOR
from .study import PERSON, Study

_MOST_CHOICES = 50

# People that a note tells of, and how long may be looked for their last studies.
_MOST_NAMED = 8
_SECONDS = 5.0

_TOLD = ("PatientBirthDate", "PatientSex", "StudyDate")


def people_of(studies: Iterable[Match]) -> dict[str, list[Match]]:
    """The studies of each patient: by ID, and where there is none by name and birth date."""
    people: dict[str, list[Match]] = {}
    for match in studies:
        number = text(match, "PatientID")
        nameless = f"{text(match, 'PatientName')}\\{text(match, 'PatientBirthDate')}"
        people.setdefault(number or nameless, []).append(match)
    if len(people) == 1:
        (only,) = people.values()
        return {text(only[0], "PatientID"): only}
    return people


def choices_of(people: Mapping[str, Sequence[Match]], found: Account) -> list[dict[str, Any]]:
    """A record for each of several people, the one who came last first."""
    rows = [_described(studies) for studies in people.values()]
    rows.sort(key=lambda row: row["last_study"], reverse=True)
    if not found.complete:
        found.note(
            "Not all studies came: of `choices` there may be more, and of theirs later ones."
        )
    if len(rows) > _MOST_CHOICES:
        found.note(f"Not shown: {counted(len(rows) - _MOST_CHOICES, 'more patient')}.")
    found.complete = False
    return [filled(row) for row in rows[:_MOST_CHOICES]]


def said_of(studies: Sequence[Match]) -> Parts:
    """Whose these studies are, how many and the last of them, in words."""
    return _said(_described(studies), whole=True)


def several_of_a_name(call: Call, question: Question, found: Account) -> None:
    """Tell, where a name turned out to be several people's, what tells them apart; those of the
    first few are asked about where the answer lacks it."""
    keys = question.meanings
    people = people_of(found.matches)
    if "PatientName" not in keys or "PatientID" in keys or len(people) < 2:
        return
    named = dict([*people.items()][:_MOST_NAMED])
    known = set(keys) == {"PatientName"} and question.level is Level.STUDY and found.complete
    known = known and all(keyword in match for match in found.matches for keyword in _TOLD)
    whole = known or _ask_for_studies(call, named)
    told = joined("; ", (_said(_described(studies), whole=whole) for studies in named.values()))
    more = f"; and {len(people) - len(named)} more" if len(people) > len(named) else ""
    what = "These are studies of" if question.level is Level.STUDY else "These are"
    found.note(
        remark(
            f"{what} {len(people)} patients: ",
            *told,
            f"{more}. If one person is meant, ask which, then use patient_id.",
        )
    )


def _ask_for_studies(call: Call, people: dict[str, list[Match]]) -> bool:
    """Put all studies of these people in the place of what is known of them; whether they came."""
    numbers = [number for number in people if is_one(number)]
    studies: list[Match] = []
    step = call.within(_SECONDS)
    try:
        answer = step.each(
            Query(
                Level.STUDY,
                {"PatientID": SEPARATOR.join(numbers)},
                ("PatientID", "PatientName", *_TOLD),
            ),
            studies.append,
        )
    except ArchiveError:
        return False  # they are told apart by less
    for number, several in people_of(studies).items():
        if number in people:
            known = {keyword: value for keyword, value in people[number][0].items() if value}
            people[number] = [{**known, **match} for match in several]
    return answer.complete and len(numbers) == len(people)


def _described(studies: Sequence[Match]) -> dict[str, Any]:
    days = [day for study in studies if (day := Study(study, (), False, None, {}).day)]
    return {
        **{
            keyword: next((value for study in studies if (value := text(study, keyword))), "")
            for keyword in PERSON
        },
        "studies": len(studies),
        "last_study": f"{max(days):%Y%m%d}" if days else "",
    }


def _said(row: Mapping[str, Any], *, whole: bool) -> Parts:
    def named(keyword: str) -> Named | str:
        return Named(keyword, row[keyword]) if row[keyword] else ""

    day = row["last_study"]
    last: Parts = ["last ", Named("StudyDate", day)] if day else ["none with a date"]
    facts: list[Parts] = [
        ["born ", named("PatientBirthDate")] if row["PatientBirthDate"] else [],
        [named("PatientSex")] if row["PatientSex"] else [],
        [f"{row['studies']} {'studies' if row['studies'] != 1 else 'study'}, ", *last]
        if whole
        else [],
    ]
    who: Parts = [named("PatientName") or "no name", " (", named("PatientID") or "no ID", ")"]
    return joined(", ", filter(None, [who, *facts]))
