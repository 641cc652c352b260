"""Conditions DICOM has no key for: a value is empty, does not contain, is longer than."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..attributes import keyword_of
from ..errors import BadArgument
from ..standard.entities import level_of
from ..standard.levels import Level
from ..standard.query import Match, Value
from ..standard.values import shown


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on one attribute, compared here; values of an attribute it does not have are
    none, so that it is empty."""

    text: str
    keyword: str
    level: Level
    _holds: Callable[[Sequence[str]], bool]

    @classmethod
    def of(cls, text: str) -> "Condition":
        """From words such as "AccessionNumber is empty". Raises BadArgument for other ones."""
        for pattern, test in _TESTS:
            if found := pattern.fullmatch(text.strip()):
                keyword = keyword_of(found["attribute"])
                value = (found.groupdict().get("value") or "").strip(" \"'")
                return cls(text, keyword, level_of(keyword), test(value))
        raise BadArgument(
            f"where={shown(text)} is not understood",
            "Write an attribute and one of: is empty, is not empty, contains X, does not contain "
            "X, is X, is not X, longer than N, shorter than N, more than N, less than N",
        )

    def holds(self, match: Match) -> bool:
        """Whether this match fulfils it."""
        return self._holds(texts(match.get(self.keyword, "")))


def texts(value: Value) -> list[str]:
    """The values of an attribute as text, none when it is empty."""
    several = value if isinstance(value, list) else [value]
    return [str(one) for one in several if one not in ("", None)]


type _Test = Callable[[str], Callable[[Sequence[str]], bool]]


def _empty(value: str) -> Callable[[Sequence[str]], bool]:  # noqa: ARG001 - as the others
    return lambda values: not values


def _present(value: str) -> Callable[[Sequence[str]], bool]:  # noqa: ARG001 - as the others
    return lambda values: bool(values)


def _any(test: Callable[[str, str], bool]) -> _Test:
    return lambda value: (
        lambda values: any(test(one.casefold(), value.casefold()) for one in values)
    )


def _none(test: Callable[[str, str], bool]) -> _Test:
    return lambda value: (
        lambda values: not any(test(one.casefold(), value.casefold()) for one in values)
    )


def _number(test: Callable[[float, float], bool]) -> _Test:
    def of(value: str) -> Callable[[Sequence[str]], bool]:
        limit = float(value)
        return lambda values: any(test(number, limit) for number in map(_float, values))

    return of


def _length(test: Callable[[float, float], bool]) -> _Test:
    """The length of a text; an empty one has none, so that it is shorter than any."""

    def of(value: str) -> Callable[[Sequence[str]], bool]:
        limit = float(value)
        return lambda values: test(max(map(len, values), default=0), limit)

    return of


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")  # compares as neither more nor less


_VALUE = r"(?P<value>.+)"
_COUNT = r"(?P<value>\d+(?:\.\d+)?)(?: characters)?"
_BE = r"(?:is |are |has |was )?"

_TESTS: tuple[tuple[re.Pattern[str], _Test], ...] = tuple(
    (re.compile(rf"(?P<attribute>[\w (),'’]+?) {words}", re.IGNORECASE), test)
    for words, test in (
        (r"(?:is )?(?:empty|missing|blank)", _empty),
        (r"(?:is )?not (?:empty|missing|blank)", _present),
        (rf"(?:does not contain|not contains?|lacks|without) {_VALUE}", _none(lambda a, b: b in a)),
        (rf"contains? {_VALUE}", _any(lambda a, b: b in a)),
        (rf"{_BE}longer than {_COUNT}", _length(lambda a, b: a > b)),
        (rf"{_BE}shorter than {_COUNT}", _length(lambda a, b: a < b)),
        (rf"(?:{_BE}(?:more|greater|larger|higher) than|>) {_COUNT}", _number(lambda a, b: a > b)),
        (rf"(?:{_BE}at least|>=) {_COUNT}", _number(lambda a, b: a >= b)),
        (rf"(?:{_BE}(?:less|smaller|fewer|lower) than|<) {_COUNT}", _number(lambda a, b: a < b)),
        (rf"(?:{_BE}at most|<=) {_COUNT}", _number(lambda a, b: a <= b)),
        (rf"(?:is not|!=) {_VALUE}", _none(lambda a, b: a == b)),
        (rf"(?:is|equals|=) {_VALUE}", _any(lambda a, b: a == b)),
    )
)
