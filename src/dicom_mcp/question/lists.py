"""Which values of a list that was asked for had a match, and which had none."""

from collections.abc import Mapping
from dataclasses import replace

from ..door.account import Account
from ..door.call import Call
from ..errors import ArchiveError
from ..standard.levels import Level
from ..standard.lists import LISTED, normal, parts_of
from ..standard.note import Parts, each_named, remark
from ..standard.query import Match, Query, texts
from ..standard.shapes import SEPARATOR
from ..words.meaning import identifiers
from .question import Question

# Values in a note; `missing` has them all.
_MOST_NAMED = 20

# Values that are looked for with zeros before them, and matches that are looked at for each.
_MOST_LOOKED_FOR = 5
_LOOKED_AT = 20


class Tally:
    """The values asked for by lists, and those of them that came."""

    def __init__(self) -> None:
        self._asked: dict[str, list[str]] = {}
        self._came: dict[str, set[str]] = {}
        self._taken = False

    def ask(self, keys: Mapping[str, str]) -> None:
        """These keys are asked for."""
        for keyword in LISTED & keys.keys():
            asked = self._asked.setdefault(keyword, [])
            asked += [value for value in keys[keyword].split(SEPARATOR) if value not in asked]

    def take(self, match: Match) -> None:
        """A match of the question came."""
        self._taken = True
        for keyword in self._asked:
            came = self._came.setdefault(keyword, set())
            came.update(map(normal, texts(match.get(keyword, ""))))

    def learn(self, other: "Tally") -> None:
        """What another one asks for is what is asked for."""
        self._asked = other._asked

    @property
    def longest(self) -> int:
        """How many values the longest list has."""
        return max((len(values) for values in self._asked.values() if len(values) > 1), default=0)

    @property
    def lists(self) -> int:
        """How many attributes are asked for by what can be a list."""
        return len(self._asked)

    def reread(self, question: Question, told: Account) -> Question | None:
        """The question for what those of its values that nothing matches may be instead: several
        values, where a text is read as one first. None where they can't be."""
        meanings = dict(question.meanings)
        for keyword, values in self._asked.items():
            if keyword.endswith("UID") or (self._taken and not self._came.get(keyword)):
                continue
            parts = {value: parts_of(value) for value in self._missing(keyword)}
            parts = {value: several for value, several in parts.items() if several}
            if not parts:
                continue
            left = [value for value in values if value not in parts]
            new = [value for several in parts.values() for value in several if value not in left]
            single = all(len(several) == 1 for several in parts.values())
            read = _named(keyword, [*new]) if single else ["several values"]
            whole = _named(keyword, [*parts])
            told.note(remark(f"No {keyword} is ", *whole, " as a whole: read as ", *read, "."))
            self._asked[keyword] = [*dict.fromkeys((*left, *new))]
            # Beside another list each of its values may be meant with each of this one.
            asked = new if self.lists == 1 else self._asked[keyword]
            if asked:
                meanings[keyword] = identifiers(keyword, asked, argument=keyword)
        if meanings == dict(question.meanings):
            return None
        return replace(question, meanings=meanings)

    def _missing(self, keyword: str) -> list[str]:
        came = self._came.get(keyword, set())
        return [value for value in self._asked[keyword] if normal(value) not in came]

    def tell(self, told: Account) -> None:
        """Say which have no match, as far as that is known."""
        for keyword, values in self._asked.items():
            missing = self._missing(keyword)
            if not missing or len(values) < 2:
                continue
            if keyword in told.absent:
                told.note(
                    f"The archive does not return {keyword}, so that nobody can tell which of the "
                    f"{len(values)} values have a match."
                )
            elif told.complete:
                told.missing[keyword] = missing
                told.note(
                    remark(
                        f"{len(values) - len(missing)} of {len(values)} values of {keyword} have a "
                        f"match, {len(missing)} have none: ",
                        *_named(keyword, missing),
                        ".",
                    )
                )
            else:
                told.note(
                    remark(
                        f"Of {len(missing)} of {len(values)} values of {keyword} it is not known "
                        "whether they have a match: ",
                        *_named(keyword, missing),
                        ".",
                    )
                )


def tell_lost_zeros(call: Call, level: Level, told: Account) -> None:
    """Of numbers that nothing has say which there are with zeros before them, which spreadsheets
    drop."""
    for keyword, missing in [*told.missing.items()]:
        numbers = [value for value in missing if value.isdecimal() and value[0] != "0"]
        longer: list[str] = []
        for number in numbers[:_MOST_LOOKED_FOR]:
            try:
                answer = call.find(Query(level, {keyword: f"*{number}"}), limit=_LOOKED_AT)
            except ArchiveError:
                return  # what is missing is told all the same
            found = {text for match in answer.matches for text in texts(match.get(keyword, ""))}
            longer += sorted(value for value in found if value.lstrip("0") == number)
        if longer:
            only = f"; only {_MOST_LOOKED_FOR} were looked for" * (len(numbers) > _MOST_LOOKED_FOR)
            told.note(
                remark(
                    "There are ",
                    *_named(keyword, longer),
                    ": a spreadsheet drops the zeros that a number begins with. Ask for these if "
                    f"they are meant{only}.",
                )
            )


def _named(keyword: str, several: list[str]) -> Parts:
    left = len(several) - _MOST_NAMED
    return [
        *each_named(keyword, several[:_MOST_NAMED]),
        *([f" and {left} more"] if left > 0 else []),
    ]
