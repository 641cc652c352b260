"""Who is meant by a name that nobody has as it was written: in other letters, or by mistake.

No key finds a letter with any mark, or of any alphabet. So keys are sent with the letters left
open that may have marks, and what they bring is compared here; where an archive has few people
that may be meant, with all of them.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from ..door.account import Account
from ..door.call import Call
from ..errors import ArchiveError
from ..standard.levels import Level
from ..standard.note import each_named, perhaps, remark
from ..standard.query import Match, Query, texts
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
    looking = _Looking(question, wanted, keep, known)
    step = call.within(_SECONDS)
    try:
        for key in looking.name_keys():
            for query in looking.queries(key):
                answer = step.each(
                    query, looking.take, limit=key.limit, as_it_stands=key.as_it_stands
                )
                key.whole = key.whole and answer.complete
    except ArchiveError:
        looking.whole = False
    looking.tell()
    return looking.found


@dataclass(slots=True)
class _Key:
    """A key for the name, how many matches it may have, and whether all of them came."""

    text: str
    limit: int
    as_it_stands: bool = False
    whole: bool = True


class _Looking:
    """Who has the name of a question in other letters, as far as they came."""

    def __init__(
        self,
        question: Question,
        wanted: Sequence[str],
        keep: Callable[[Match], None],
        known: Collection[str],
    ) -> None:
        self.found = Account()
        self._level = question.level
        self._name = question.name
        self._others = question.without(NAME)
        self._wanted = tuple(dict.fromkeys((*wanted, NAME)))
        self._keep = keep
        self._known = known
        same = same_letters if is_dicom_form(question.name) else same_name
        self._is_same = same(question.name)
        # Whether all came that was asked for.
        self.whole = True
        self._seen: set[str] = set()
        self._names: set[str] = set()
        # Scripts that somebody's name is written in alone, and that it cannot be compared with.
        self._foreign: set[str] = set()

    def name_keys(self) -> Iterator[_Key]:
        """One key after the other, each made after what the ones before it brought, until somebody
        has the name."""
        steps = [((text,), _MANY, False) for text in narrow_keys(self._name)]
        if not self._known:
            steps += [(("",), _FEW, True), (wide_keys(self._name), _MANY, True)]
        self.whole = not steps
        for several, limit, is_proof in steps:
            keys = [_Key(text, limit) for text in several]
            yield from keys  # each, whatever one lacks
            self.whole = all(key.whole for key in keys)
            if is_proof and self.whole and several == ("",):
                return  # everybody was looked at
            if not self._known and (self._seen or (is_proof and self.whole)):
                break
        if not self._known and self._seen:
            return
        for script in (script for script in SCRIPTS if script.letters or not self._known):
            for text in script.keys(self._name):
                key = _Key(text, _MANY if script.letters else _SOME, as_it_stands=True)
                yield key
                self.whole = self.whole and (key.whole or not script.letters)

    def queries(self, key: _Key) -> Iterator[Query]:
        """The question by this key for the name."""
        for way in self._others.ways()[0]:
            query = query_of(self._level, way, self._wanted)
            yield replace(query, keys={**query.keys, NAME: key.text}) if key.text else query

    def take(self, match: Match) -> None:
        """Keep whoever has the name in other letters."""
        who = who_is(self._level, match)
        names = texts(match.get(NAME, ""))
        self._foreign.update(script.name for script in map(only_script, names) if script)
        if self._known and all(map(str.isascii, names)):
            return  # whoever is written so was looked for as people mean it
        if who not in self._seen and who not in self._known and any(map(self._is_same, names)):
            self._seen.add(who)
            self._names.update(names)
            self._keep(match)

    def tell(self) -> None:
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
        if not self.whole:
            self.found.lack(
                perhaps(
                    "not everybody could be looked at who may have the name "
                    "in other letters (Łukasz for Lukasz). Ask by birth date or part of the name."
                )
            )
