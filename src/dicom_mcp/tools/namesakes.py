"""Who is meant by a name that nobody has as it was written: in other letters, or by mistake.

No key finds a letter with any mark, or of any alphabet. So keys are sent with the letters left
open that may have marks, and what they bring is compared here; where an archive has few people
that may be meant, with all of them.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from ..errors import ArchiveError
from ..standard.levels import Level
from ..standard.name_words import is_dicom_form
from ..standard.namesake import narrow_keys, same_letters, same_name, wide_keys
from ..standard.query import Match
from ..standard.recheck import texts
from ..standard.record import identity
from ..standard.scripts import SCRIPTS, only_script
from .call import Call
from .question import NAME, Found, Question, query_of

# Of so many people all names are compared; a wide key may bring so many.
_FEW = 500
_MANY = 5_000
_SECONDS = 8.0

# Names in a script that are looked at for one that is in no other.
_SOME = 50

_OF_ONE = ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate")


def who_is(level: Level, match: Match) -> str:
    """What tells this match from another one; of a patient, what does not depend on how much else
    was asked for or found below."""
    if level is Level.PATIENT:
        return repr([match.get(one, "") for one in _OF_ONE])
    return identity(level, match)


def in_other_letters(
    call: Call,
    question: Question,
    wanted: Sequence[str],
    keep: Callable[[Match], None],
    known: Collection[str] = (),
) -> Found:
    """Whoever has the name in other letters, besides those who are known to have it as written.
    Where nobody has it so, the answer is not complete unless it is shown that there is nobody."""
    is_latin = question.name.isascii() or not only_script(question.name)
    is_same = (
        same_letters(question.name) if is_dicom_form(question.name) else same_name(question.name)
    )
    found = Found()
    step = call.within(_SECONDS)
    others = question.without(NAME)
    seen: set[str] = set()
    came: set[str] = set()
    # Scripts that somebody's name is written in alone, and that it cannot be compared with.
    foreign: set[str] = set()

    def take(match: Match) -> None:
        who = who_is(question.level, match)
        names = texts(match.get(NAME, ""))
        foreign.update(script.name for script in map(only_script, names) if script)
        if known and all(map(str.isascii, names)):
            return  # whoever is written so was looked for as people mean it
        if who not in seen and who not in known and any(map(is_same, names)):
            seen.add(who)
            came.update(names)
            keep(match)

    def asked(key: str, limit: int, *, as_it_stands: bool = False) -> bool:
        """Whether all came that such a key brings."""
        whole = True
        for way in others.ways()[0]:
            query = query_of(question.level, way, tuple(dict.fromkeys((*wanted, NAME))))
            answer = call.archive.each(
                replace(query, keys={**query.keys, NAME: key}) if key else query,
                take,
                limit=limit,
                deadline=step.deadline,
                arrived=step.progress.advance,
                as_it_stands=as_it_stands,
            )
            found.queries += answer.queries
            whole = whole and answer.complete
        return whole

    steps = [((key,), _MANY, False) for key in narrow_keys(question.name)]
    if not known:
        steps += [(("",), _FEW, True), (wide_keys(question.name), _MANY, True)]
    whole = not steps
    everybody = False
    try:
        for keys, limit, is_proof in steps:
            answers = [asked(key, limit) for key in keys]
            whole = all(answers)
            everybody = is_proof and whole and keys == ("",)
            if not known and (seen or (is_proof and whole)):
                break
        if not everybody and (known or not seen):
            for script in (one for one in SCRIPTS if one.letters or not known):
                for key in script.keys(question.name):
                    came_all = asked(key, _MANY if script.letters else _SOME, as_it_stands=True)
                    whole = whole and (came_all or not script.letters)
    except ArchiveError:
        whole = False
    if seen:
        found.note(f"Understood: {NAME} in other letters, {', '.join(sorted(came)[:5])}.")
    if foreign and is_latin and not known and not seen:
        found.complete = False
        found.note(
            f"Not complete, perhaps: names here are in {' and '.join(sorted(foreign))} letters "
            "only, which cannot be compared with Latin ones. Ask by the name in those letters, an "
            "ID or a birth date."
        )
    if not whole and not known:
        found.complete = False
        found.note(
            "Not complete, perhaps: not everybody could be looked at who may have the name "
            "in other letters (Łukasz for Lukasz). Ask by birth date or part of the name."
        )
    return found
