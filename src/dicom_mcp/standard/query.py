"""One question to an archive, and its answer, independent of how it travels."""

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace

from ..errors import BadAttribute
from .dictionary import Attribute, attribute
from .levels import ABOVE, MODEL, NOUN, UNIQUE_KEY, Level
from .note import Note, incomplete
from .values import ANY_SCRIPT_VRS

# One value of a match: text, number, several of them, or the items of a sequence.
type Value = str | int | float | list["Value"] | dict[str, "Value"]

# A C-FIND answer: keyword to value. A zero-length value is "", a key that was not returned is
# absent: archives say different things with the two.
type Match = dict[str, Value]


# What tells one person from another who have the same Patient ID (see `person`).
TELLING = ("IssuerOfPatientID", "PatientName", "PatientBirthDate")

_BEYOND_ASCII = re.compile(r"(?:[^\x00-\x7f]|\?)+")


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for at one level: `keys` (keyword to key text, PS3.4 C.2.2.2) and `wanted`,
    the keywords to return.

    Zero-length keys are moved to `wanted`: they match everything and ask for the value. The
    level's unique key is always wanted. Raises BadAttribute for a keyword the dictionary lacks.
    """

    level: Level
    keys: Mapping[str, str] = field(default_factory=dict[str, str])
    wanted: tuple[str, ...] = ()
    # What is wanted and not asked for, because the archive refuses questions that do.
    refused: frozenset[str] = frozenset()
    # Attributes that a match has no value for. No key asks for that (PS3.4 C.2.2.2.3: one of zero
    # length matches everything), so that it is compared here.
    empty: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        keys = {keyword: text for keyword, text in self.keys.items() if text}
        asked = dict.fromkeys(
            (UNIQUE_KEY[self.level], *self.wanted, *self.keys, *sorted(self.empty))
        )
        for keyword in asked:
            if attribute(keyword) is None:
                raise BadAttribute(f"{keyword} is not an attribute of the DICOM dictionary")
        object.__setattr__(self, "keys", keys)
        object.__setattr__(self, "wanted", tuple(asked))

    @property
    def model(self) -> str:
        """The information model that it is a query of, where an archive has both."""
        return MODEL[self.level]

    @property
    def nouns(self) -> tuple[str, str]:
        """What one of its matches is called in sentences, and several."""
        return NOUN[self.level]

    @property
    def returned(self) -> tuple[str, ...]:
        """What is asked for in all: what is wanted, and what tells one match from another."""
        telling = TELLING if self.level is Level.STUDY and "PatientID" in self.keys else ()
        every = dict.fromkeys((*self.wanted, *ABOVE[self.level], *telling))
        return tuple(keyword for keyword in every if keyword not in self.refused)

    @property
    def is_ascii(self) -> bool:
        """Whether every key can be sent without declaring a character set."""
        return all(key.isascii() for key in self.keys.values())

    def in_ascii(self) -> "Query":
        """The same query, wider: in text `*` for each run of characters beyond ASCII, and for `?`,
        which stands for one of their bytes where an archive counts those. No value of a list can
        be wider (PS3.4 C.2.2.2.2), so that a list is not sent."""
        keys = {
            keyword: _BEYOND_ASCII.sub("*", key) if self._is_text(keyword) else key
            for keyword, key in self.keys.items()
        }
        keys = {
            keyword: "" if set(key) == {"*"} or ("\\" in key and "*" in key) else key
            for keyword, key in keys.items()
        }
        return Query(self.level, keys, self.wanted)

    @staticmethod
    def _is_text(keyword: str) -> bool:
        found = attribute(keyword)
        return found is not None and found.vr in ANY_SCRIPT_VRS

    def elements(self) -> list[tuple[Attribute, str]]:
        """Every element of the identifier's data, in tag order, with its key text or ""."""
        found = [attribute(keyword) for keyword in self.returned]
        return [
            (element, self.keys.get(element.keyword, ""))
            for element in sorted(
                (element for element in found if element), key=lambda element: element.tag
            )
        ]


def texts(value: Value) -> list[str]:
    """The values of an attribute as text, none when it is empty."""
    several = value if isinstance(value, list) else [value]
    return [str(single) for single in several if single not in ("", None)]


def is_one(key: str) -> bool:
    """Whether a key, or a value that is to be one, means just this value."""
    return bool(key) and not {"*", "?", "\\"} & set(key)


@dataclass(frozen=True, slots=True)
class Ending:
    """How an archive ended its answer to one query, by its own account.

    `whole` is False when it stopped before its end, `capped` when it did so because there are
    more matches than it gives at once. `gave` is how many it gave at once, where that is not how
    many came.
    """

    whole: bool = True
    capped: bool = False
    notes: tuple[Note, ...] = ()
    gave: int | None = None

    def noted(self, *notes: Note) -> "Ending":
        """The same, with these to know too."""
        return replace(self, notes=(*self.notes, *notes))


# A match, and how many bytes it came in; the matches of an answer, and how it ended.
type Row = tuple[Match, int]
type Rows = Generator[Row, None, Ending]


class Answer:
    """The answer to one query, row by row as it comes.

    It is sent when the first row is asked for. Whoever leaves before the end leaves the `with`
    block: what is under way is stopped then. `ending` holds once the last row has come.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.ending = Ending()

    def __enter__(self) -> "Answer":
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.close()

    def __iter__(self) -> "Answer":
        return self

    def __next__(self) -> Row:
        try:
            return next(self._rows)
        except StopIteration as end:
            self.ending = end.value
            raise


def damaged(count: int, nouns: tuple[str, str]) -> Note:
    """The note for rows of an answer that cannot be decoded to their end, or say two things."""
    return incomplete(
        f"{count} {nouns[count != 1]} came damaged: cut, not to be decoded, or with "
        "two values for one attribute. What can be read of each is here if it says anything, of "
        "two values the first. The archive's administrator should look at it."
    )


@dataclass(frozen=True, slots=True, repr=False)
class Matches:
    """The answer to a question: the query as it was meant, what was found, whether that is all,
    what to know, and how many queries it took.

    `complete` is False whenever more may exist than `matches` holds; a note then says why. What
    was wanted and came with none of them, not even empty, is `absent`.
    """

    query: Query
    matches: list[Match]
    complete: bool = True
    notes: tuple[Note, ...] = ()
    absent: tuple[str, ...] = ()
    queries: int = 0
    # Of an answer about the series of some studies: others that rows of it were of.
    beside: frozenset[str] = frozenset()
    # Of one about the instances of some series: those (study, series) of which not all surely came.
    left: frozenset[tuple[str, str]] = frozenset()

    def __repr__(self) -> str:
        """How many, without a value of a patient: it may come into a log."""
        found = f"{len(self.matches)} at level {self.query.level}"
        asked = f"by {', '.join(self.query.keys) or 'nothing'}"
        return f"<Matches: {found} {asked}, {'' if self.complete else 'not '}complete>"
