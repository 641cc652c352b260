"""Who may be meant by a name that nobody has: those whose names are nearly that."""

from ..door.call import Call
from ..door.rows import text
from ..errors import ArchiveError
from ..standard.levels import Level
from ..standard.note import Named, Note, Parts, joined, remark
from ..standard.query import Match
from ..words.meaning import Meaning
from ..words.nearly import near_keys, nearness
from .question import NAME, Question, query_of

# How long may be looked, at how many names for each key, and how many people are told.
_SECONDS = 5.0
_MOST_COMPARED = 1_000
_FEW = 500
_MOST_TOLD = 5

_WANTED = ("PatientID", NAME, "PatientBirthDate")


def nearly_of(call: Call, question: Question) -> list[Note]:
    """A note on who may be meant, whatever else was asked."""
    if not question.name:
        return []
    near = nearness(question.name)
    people: dict[tuple[str, str], tuple[float, Parts]] = {}
    whole = False
    step = call.within(_SECONDS)

    def take(match: Match) -> None:
        name = text(match, NAME)
        if nearly := near(name):
            born = text(match, "PatientBirthDate")
            number = text(match, "PatientID")
            known: list[str | Named] = [Named(NAME, name), " (", Named("PatientID", number)]
            known += [", born ", Named("PatientBirthDate", born)] if born else []
            people[name, number] = nearly, (*known, ")")

    try:
        for key, limit in (
            ("", _FEW),
            *((key, _MOST_COMPARED) for key in near_keys(question.name)),
        ):
            level = question.level if question.level is Level.PATIENT else Level.STUDY
            query = query_of(level, {NAME: Meaning(key)} if key else {}, _WANTED)
            answer = step.each(query, take, limit=limit)
            whole = whole or (not key and answer.complete)
            if whole:
                break
    except ArchiveError:
        pass  # what came before is told
    if not people:
        return []
    ranked = sorted(people.values(), key=lambda person: (-person[0], [*map(str, person[1])]))
    told = joined("; ", (said for _, said in ranked[:_MOST_TOLD]))
    more = f"; and {len(ranked) - _MOST_TOLD} more" if len(ranked) > _MOST_TOLD else ""
    looked = "" if whole else " (not everybody's name was compared)"
    return [
        remark(
            f"Nobody here has that name; who may be meant{looked}: ",
            *told,
            f"{more}. Ask which, then use patient_id.",
        )
    ]
