"""What an answer must say of itself: a sentence, what it means for the answer, and whom it names.

Whoever reads a note to decide something reads its kind. Its text is made at the very end, where
values of patients' records can still be told from our own words.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum


class Kind(Enum):
    """What a note means for the answer: how its text begins."""

    REMARK = ""
    MISSING = "Not complete: "
    PERHAPS = "Not complete, perhaps: "  # nothing is known to be missing, but it can't be proved


@dataclass(frozen=True, slots=True)
class Named:
    """The value of an attribute (by keyword) of a patient's record, in a sentence."""

    keyword: str
    value: str

    def __str__(self) -> str:
        return self.value


type Parts = Sequence[str | Named]


def joined(separator: str, several: Iterable[Parts]) -> list[str | Named]:
    """The parts of several things, with this between them."""
    parts: list[str | Named] = []
    for note in several:
        parts += [separator, *note] if parts else note
    return parts


def each_named(keyword: str, several: Iterable[str]) -> list[str | Named]:
    """Values of one attribute, with commas between them."""
    return joined(", ", ([Named(keyword, value)] for value in several))


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence, in parts: our own words, and values of records."""

    parts: tuple[str | Named, ...]
    kind: Kind = Kind.REMARK
    # The attributes (by keyword) whose treatment by the archive it tells.
    keywords: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return self.kind.value + "".join(map(str, self.parts))

    @property
    def unnamed(self) -> str:
        """What it says, without the values of records."""
        return "".join("…" if isinstance(part, Named) else part for part in self.parts)

    @property
    def lacks(self) -> bool:
        """Whether it says why the answer is, or may be, not complete."""
        return self.kind is not Kind.REMARK

    def within(self, name: str) -> "Note":
        """The same, said of the part of the answer that has this name."""
        return replace(self, parts=(f"{name}: ", *self.parts))

    def about(self, *keywords: str) -> "Note":
        """The same, known to tell how the archive treats these attributes."""
        return replace(self, keywords=self.keywords | {*keywords})


def remark(*parts: str | Named) -> Note:
    """What to know of an answer."""
    return Note(parts)


def incomplete(*parts: str | Named) -> Note:
    """What is known to be missing from an answer, and why."""
    return Note(parts, Kind.MISSING)


def perhaps(*parts: str | Named) -> Note:
    """Why something may be missing from an answer."""
    return Note(parts, Kind.PERHAPS)
