"""Who is meant by a name that nobody has as it was written: in other letters, or by mistake.

No key finds a letter with any mark, or of any alphabet. So keys are sent with the letters left
open that may have marks, and what they bring is compared here; where an archive has few people
that may be meant, with all of them.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from ..door.account import Account
from ..door.call import Call
from ..errors import ArchiveError
from ..standard.levels import Level
from ..standard.note import each_named, perhaps, remark
from ..standard.query import Match, texts
from ..standard.record import identity
from ..words.name_words import is_dicom_form
from ..words.namesake import narrow_keys, same_letters, same_name, wide_keys
from ..words.scripts import SCRIPTS, only_script
from .question import NAME, Question, query_of

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
        return repr([match.get(keyword, "") for keyword in _OF_ONE])
    return identity(level, match)


def in_other_letters(
    call: Call,
    question: Question,
    wanted: Sequence[str],
    keep: Callable[[Match], None],
    known: Collection[str] = (),
) -> Account:
    """Whoever has the name in other letters, besides those who are known to have it as written.
    Where nobody has it so, the answer is not complete unless it is shown that there is nobody."""
    looking = _Looking(call.within(_SECONDS), question, wanted, keep, known)
    try:
        whole = looking.ask_all()
    except ArchiveError:
        whole = False
    looking.tell(whole=whole)
    return looking.found


class _Looking:
    """Who has the name of a question in other letters, as far as they came."""

    def __init__(
        self,
        step: Call,
        question: Question,
        wanted: Sequence[str],
        keep: Callable[[Match], None],
        known: Collection[str],
    ) -> None:
        self.found = Account()
        self._step = step
        self._level = question.level
        self._name = question.name
        self._others = question.without(NAME)
        self._wanted = tuple(dict.fromkeys((*wanted, NAME)))
        self._keep = keep
        self._known = known
        same = same_letters if is_dicom_form(question.name) else same_name
        self._is_same = same(question.name)
        self._seen: set[str] = set()
        self._names: set[str] = set()
        # Scripts that somebody's name is written in alone, and that it cannot be compared with.
        self._foreign: set[str] = set()

    def ask_all(self) -> bool:
        """Ask by one key after the other, until somebody has the name; whether that is all."""
        steps = [((key,), _MANY, False) for key in narrow_keys(self._name)]
        if not self._known:
            steps += [(("",), _FEW, True), (wide_keys(self._name), _MANY, True)]
        whole = not steps
        for keys, limit, is_proof in steps:
            came = [self._ask(key, limit) for key in keys]  # each, whatever one lacks
            whole = all(came)
            if is_proof and whole and keys == ("",):
                return True  # everybody was looked at
            if not self._known and (self._seen or (is_proof and whole)):
                break
        return self._ask_in_scripts(whole=whole) if self._known or not self._seen else whole

    def _ask_in_scripts(self, *, whole: bool) -> bool:
        for script in (one for one in SCRIPTS if one.letters or not self._known):
            for key in script.keys(self._name):
                came = self._ask(key, _MANY if script.letters else _SOME, as_it_stands=True)
                whole = whole and (came or not script.letters)
        return whole

    def _ask(self, key: str, limit: int, *, as_it_stands: bool = False) -> bool:
        """Whether all came that such a key brings."""
        whole = True
        for way in self._others.ways()[0]:
            query = query_of(self._level, way, self._wanted)
            answer = self._step.each(
                replace(query, keys={**query.keys, NAME: key}) if key else query,
                self._take,
                limit=limit,
                as_it_stands=as_it_stands,
            )
            whole = whole and answer.complete
        return whole

    def _take(self, match: Match) -> None:
        who = who_is(self._level, match)
        names = texts(match.get(NAME, ""))
        self._foreign.update(script.name for script in map(only_script, names) if script)
        if self._known and all(map(str.isascii, names)):
            return  # whoever is written so was looked for as people mean it
        if who not in self._seen and who not in self._known and any(map(self._is_same, names)):
            self._seen.add(who)
            self._names.update(names)
            self._keep(match)

    def tell(self, *, whole: bool) -> None:
        """Say who was understood, and who may be missing."""
        if self._seen:
            names = each_named(NAME, sorted(self._names)[:5])
            self.found.note(remark(f"Understood: {NAME} in other letters, ", *names, "."))
        if self._known:
            return
        is_latin = self._name.isascii() or not only_script(self._name)
        if self._foreign and is_latin and not self._seen:
            self.found.lack(
                perhaps(
                    f"names here are in {' and '.join(sorted(self._foreign))} "
                    "letters only, which cannot be compared with Latin ones. Ask by the name in "
                    "those letters, an ID or a birth date."
                )
            )
        if not whole:
            self.found.lack(
                perhaps(
                    "not everybody could be looked at who may have the name "
                    "in other letters (Łukasz for Lukasz). Ask by birth date or part of the name."
                )
            )
