"""The instances of many series, asked for together where an archive gives them so."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..door.call import Call
from ..door.rows import text
from ..standard.levels import Level
from ..standard.query import Match, Matches, Query

# The study and the series.
type Place = tuple[str, str]

# Series whose instances are held at once, about how many instances these are, and how many a series
# is taken to have where the archive does not say.
_MOST_SERIES = 100
_MOST_HELD = 20_000
_UNKNOWN = 1_000


@dataclass(frozen=True, slots=True)
class Together:
    """The instances of those of `asked` of which all came together, and what the archive says of
    its answer."""

    asked: Mapping[Place, int | None]
    instances: Mapping[Place, list[Match]]
    answer: Matches


def together(
    call: Call, counts: Mapping[Place, int | None], wanted: Sequence[str]
) -> Iterator[Together]:
    """The instances of some of these series at a time, in order. `counts` is how many each has by
    the archive's account."""
    query = Query(Level.IMAGE, {}, tuple(wanted))
    for part in _parts(counts):
        found: dict[Place, list[Match]] = {place: [] for place in part}

        def keep(match: Match, found: dict[Place, list[Match]] = found) -> None:
            found[text(match, "StudyInstanceUID"), text(match, "SeriesInstanceUID")].append(match)

        answer = call.each_image(part, query, keep)
        all_came = {place: some for place, some in found.items() if place not in answer.left}
        yield Together(part, all_came, answer)


def _parts(counts: Mapping[Place, int | None]) -> Iterator[dict[Place, int | None]]:
    part: dict[Place, int | None] = {}
    held = 0
    for place, count in counts.items():
        more = _UNKNOWN if count is None else count
        if part and (len(part) == _MOST_SERIES or held + more > _MOST_HELD):
            yield part
            part, held = {}, 0
        part[place] = count
        held += more
    if part:
        yield part
