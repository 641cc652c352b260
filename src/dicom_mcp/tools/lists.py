"""Which values of a list that was asked for had a match, and which had none."""

from collections.abc import Mapping

from ..standard.lists import LISTED, normal
from ..standard.meaning import Meaning
from ..standard.query import Match
from ..standard.recheck import texts
from ..standard.shapes import SEPARATOR
from .question import Found

# Values in a note; `missing` has them all.
_MOST_NAMED = 20


class Tally:
    """The values asked for by lists, and those of them that came."""

    def __init__(self) -> None:
        self._asked: dict[str, list[str]] = {}
        self._came: dict[str, set[str]] = {}

    def ask(self, way: Mapping[str, Meaning]) -> None:
        """These keys are asked for: another reading of the text than before has other values."""
        self._asked = {
            keyword: meaning.key.split(SEPARATOR)
            for keyword, meaning in way.items()
            if keyword in LISTED and SEPARATOR in meaning.key
        }
        for keyword in self._asked:
            self._came.setdefault(keyword, set())

    def take(self, match: Match) -> None:
        """A match of the question came."""
        for keyword in self._asked:
            self._came[keyword].update(map(normal, texts(match.get(keyword, ""))))

    @property
    def longest(self) -> int:
        """How many values the longest list has."""
        return max(map(len, self._asked.values()), default=0)

    def tell(self, told: Found) -> None:
        """Say which have no match, as far as that is known."""
        for keyword, values in self._asked.items():
            missing = [value for value in values if normal(value) not in self._came[keyword]]
            if not missing:
                continue
            if keyword in told.absent:
                told.note(
                    f"The archive does not return {keyword}, so that nobody can tell which of the "
                    f"{len(values)} values have a match."
                )
            elif told.complete:
                told.missing[keyword] = missing
                told.note(
                    f"{len(values) - len(missing)} of {len(values)} values of {keyword} have a "
                    f"match, {len(missing)} have none: {_named(missing)}."
                )
            else:
                told.note(
                    f"Of {len(missing)} of {len(values)} values of {keyword} it is not known "
                    f"whether they have a match: {_named(missing)}."
                )


def _named(values: list[str]) -> str:
    named = ", ".join(values[:_MOST_NAMED])
    return named if len(values) <= _MOST_NAMED else f"{named} and {len(values) - _MOST_NAMED} more"
