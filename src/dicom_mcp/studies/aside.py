"""Series of which only the images tell what is counted, put aside to ask for many at once."""

from collections.abc import Callable, Sequence

from ..standard.query import Match
from ..standard.values import count_of, is_uid
from .below import Below
from .things import SERIES
from .together import Place

# Series whose images are asked for: more than any call has time for.
_MOST = 20_000

# How many images a series has.
COUNT = "NumberOfSeriesRelatedInstances"


class Aside:
    """Takes series, each with what its study is called, and hands them to `add` with their images,
    of which `wanted` is known."""

    def __init__(
        self,
        below: Below,
        wanted: Sequence[str],
        add: Callable[[str, Match, Sequence[Match]], None],
    ) -> None:
        self._below = below
        self._wanted = wanted
        self._add = add
        # What each is called, and the series itself.
        self._series: dict[Place, list[tuple[str, Match]]] = {}
        self._count = 0
        # Series that cannot be asked for.
        self.nameless = 0

    def put(self, study: str, series: Match) -> None:
        """One more series."""
        place = study.partition(" ")[0], str(series.get(SERIES, ""))
        if not all(map(is_uid, place)):  # a list, or what would match anything else
            self.nameless += 1
            return
        self._count += 1
        if self._count <= _MOST:
            self._series.setdefault(place, []).append((study, series))

    def ask(self) -> None:
        """Ask for the images of all that were put aside. Only then, because an archive may have no
        association for another question while series come."""
        counts = {place: _count(several[0][1]) for place, several in self._series.items()}
        for place, images in self._below.images(counts, self._wanted):
            for study, series in self._series.pop(place):
                self._add(study, series, images)

    @property
    def left(self) -> int:
        """How many were not asked for, because they are too many."""
        return max(0, self._count - _MOST)


def _count(series: Match) -> int | None:
    """How many images it has by the archive's account."""
    return count_of(series.get(COUNT, ""))
