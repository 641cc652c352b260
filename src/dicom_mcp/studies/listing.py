"""The instances of series, and what their numbers tell: gaps, repetitions."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..door.call import Call
from ..standard.levels import Level
from ..standard.note import Note
from ..standard.query import Match, Query
from ..standard.values import count_of, whole_number
from .together import Place, together

# More than any series has.
_MOST = 20_000

# What is known of an instance in a list, besides its UID.
_NUMBERED = ("InstanceNumber", "SOPClassUID", "NumberOfFrames")

# Ranges of numbers written out; a series without an order has as many as images.
_MOST_RANGES = 12


@dataclass(frozen=True, slots=True)
class Listing:
    """The instances of one series; `whole` says that they are all, `cut` that the archive may have
    more than it gave at once."""

    instances: list[Match]
    whole: bool
    notes: tuple[Note, ...]
    cut: bool = False

    @property
    def numbers(self) -> list[int]:
        """The instance numbers, in order, of all that have one."""
        found = (whole_number(instance.get("InstanceNumber", "")) for instance in self.instances)
        return sorted(number for number in found if number is not None)

    @property
    def unnumbered(self) -> int:
        """How many have no number: which are missing is then not to be told."""
        return len(self.instances) - len(self.numbers)

    @property
    def frames(self) -> int:
        """Pictures in all: an instance without a number of frames is one."""
        return sum(count_of(instance.get("NumberOfFrames", "")) or 1 for instance in self.instances)


def listing(
    call: Call, study: str, series: str, *, said: int | None, also: Sequence[str] = ()
) -> Listing:
    """The instances of one series, of which the archive `said` how many there are, each with its
    number, class and frames and what `also` names.

    That many are all. Where it said nothing, a list of a length at which archives cut without a
    word is doubted: it is whole if its numbers are without a gap and there is none after the last.
    """
    found: list[Match] = []
    keys = {"StudyInstanceUID": study, "SeriesInstanceUID": series}
    wanted = (*_NUMBERED, *also)
    answer = call.each(Query(Level.IMAGE, keys, wanted), found.append, limit=_MOST)
    listed = Listing(found, answer.complete, answer.notes)
    if said is not None:
        whole = len(found) >= said
        notes = tuple(note for note in answer.notes if not (whole and note.lacks))
        cut = not whole and not answer.complete
        return Listing(found, whole, notes, cut)
    if not answer.complete or not _may_be_cut(len(found)):
        return listed
    numbers = listed.numbers
    if len(numbers) < len(found) or lacking(numbers) or numbers[0] > 1:
        return Listing(found, False, answer.notes)
    beyond: list[Match] = []
    after = Query(Level.IMAGE, {**keys, "InstanceNumber": str(numbers[-1] + 1)}, wanted)
    second = call.each(after, beyond.append, limit=_MOST)
    return Listing(found, second.complete and not beyond, answer.notes)


def listings(
    call: Call, counts: Mapping[Place, int | None], *, also: Sequence[str] = ()
) -> Iterator[tuple[Place, Listing]]:
    """The instances of each of these series, in order, as `listing` has them: asked for together
    where the archive gives them so. `counts` is how many there are by its own account."""
    for some in together(call, counts, (*_NUMBERED, *also)):
        for place, count in some.asked.items():
            if place in some.instances:
                listed = Listing(some.instances[place], True, some.answer.notes)
            else:
                listed = listing(call, *place, said=count, also=also)
            yield place, listed


def lacking(numbers: Iterable[int]) -> list[int]:
    """The numbers between the first and the last that are not there; none where so many are
    lacking that they don't count one by one."""
    known = set(numbers)
    if not known or max(known) - min(known) + 1 > 2 * len(known):
        return []
    return [number for number in range(min(known), max(known)) if number not in known]


def repeated(numbers: Iterable[int]) -> list[int]:
    """The numbers that several instances have."""
    return sorted(number for number, count in Counter(numbers).items() if count > 1)


def ranges(numbers: Iterable[int]) -> str:
    """Numbers as people write them: 1-4, 7-10."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    written = [f"{first}-{last}" if last > first else f"{first}" for first, last in runs]
    if len(written) > _MOST_RANGES:
        written = [*written[: _MOST_RANGES - 1], "…", written[-1]]
    return ", ".join(written)


def _may_be_cut(rows: int) -> bool:
    """Whether an answer is as long as archives are configured to give at most."""
    return rows >= 10 and (rows % 10 == 0 or rows % 25 == 0 or rows & (rows - 1) == 0)
