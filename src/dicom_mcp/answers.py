"""What several archives answered to one question, as one answer."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from .errors import ArchiveError
from .standard.note import Note, incomplete
from .standard.query import Matches, Query
from .words.schedule import Worklist


@dataclass(slots=True)
class Ended[T]:
    """How asking one archive ended."""

    answer: T | None = None
    error: BaseException | None = None


@dataclass(slots=True)
class Answers[T]:
    """What every archive answered, or why it did not, in the order they were named; `counts` is
    how many matches came from each."""

    counts: Counter[str]
    given: list[tuple[str, T]] = field(default_factory=list[tuple[str, T]])
    failed: list[tuple[str, ArchiveError]] = field(default_factory=list[tuple[str, ArchiveError]])
    notes: list[Note] = field(default_factory=list[Note])

    def add(self, name: str, ended: Ended[T]) -> None:
        """Raises what was no failure of the archive: a refused argument, a cancelled call."""
        if ended.answer is not None:
            self.given.append((name, ended.answer))
        elif isinstance(ended.error, ArchiveError):
            self.failed.append((name, ended.error))
        elif ended.error is not None:
            raise ended.error

    def joined(
        self: "Answers[Matches] | Answers[Worklist]", query: Query, notes: Sequence[Note]
    ) -> Matches:
        """What they say of themselves, as one answer without matches.

        Raises the error of the first when all of them failed.
        """
        if not self.given:
            raise one_of([error for _, error in self.failed])
        told = [incomplete(f"{name} did not answer. {error}") for name, error in self.failed]
        answers = [answer for _, answer in self.given]
        absent = [
            set(answer.absent)
            for name, answer in self.given
            if isinstance(answer, Matches) and self.counts[name]
        ]
        return Matches(
            query=next((answer.query for answer in answers if isinstance(answer, Matches)), query),
            matches=[],
            complete=not self.failed and all(answered.complete for answered in answers),
            notes=(*told, *self.notes, *self._said(), *notes),
            absent=tuple(sorted(absent[0].intersection(*absent))) if absent else (),
            queries=sum(answered.queries for answered in answers),
            beside=frozenset[str]().union(
                *(answered.beside for answered in answers if isinstance(answered, Matches))
            ),
            left=frozenset[tuple[str, str]]().union(
                *(answered.left for answered in answers if isinstance(answered, Matches))
            ),
        )

    def _said(self: "Answers[Matches] | Answers[Worklist]") -> list[Note]:
        """Each note once, with the names of those who said it unless all did. What an archive has
        to say of finding nothing is left out where another one found something."""
        any_found = any(self.counts.values())
        speakers: dict[Note, list[str]] = {}
        for name, answer in self.given:
            if self.counts[name] or not answer.complete or not any_found:
                for note in answer.notes:
                    speakers.setdefault(note, []).append(name)
        everyone = len(self.given) + len(self.failed)
        return [
            note if len(names) == everyone else note.within(", ".join(names))
            for note, names in speakers.items()
        ]


def one_of(failures: Sequence[ArchiveError]) -> ArchiveError:
    """The first failure, which tells of the other ones too."""
    first, *others = failures
    first.remedy = " ".join((first.remedy, *(f"Also {error}" for error in others))).strip()
    return first
