"""Days, and how many matches are to be expected of them: pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from threading import Lock

from ..standard import reading

# Where a calendar is halved when no match has told which dates there are.
_EARLIEST, _LATEST = date(1985, 1, 1), date(2045, 1, 1)

DAY = timedelta(days=1)

# Fewer dates tell nothing of how weekdays differ from weekends.
_ENOUGH = 100


@dataclass(frozen=True, slots=True)
class Span:
    """Days from first to last, None where it is open; `asked` when these were, and were cut."""

    first: date | None
    last: date | None
    asked: bool = False

    @classmethod
    def of(cls, key: str) -> "Span":
        """The span of a date key."""
        first, hyphen, last = key.partition("-")
        return cls(day_of(first), day_of(last if hyphen else first), asked=True)

    @property
    def key(self) -> str:
        """The span as a date key."""
        if self.first == self.last:
            return _written(self.first)
        return f"{_written(self.first)}-{_written(self.last)}"

    @property
    def is_day(self) -> bool:
        """Whether it is one day."""
        return self.first is not None and self.first == self.last

    def has(self, day: date) -> bool:
        """Whether a day lies in it."""
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)


class Density:
    """How many matches a day is expected to have, by the days that matches were of."""

    def __init__(self) -> None:
        # Matches that a day of usual weight had, last; None as long as nothing was asked.
        self.rate: float | None = None
        self._rates: tuple[float, ...] = ()
        # Whether of what was cut the oldest came.
        self._forward = False
        # Parts that are asked side by side learn and look at once, so it is replaced, not changed.
        self._days: Counter[date] = Counter()
        self._learning = Lock()
        # How many times as many as a usual day a weekday has.
        self._weights = [1.0] * 7

    @property
    def is_known(self) -> bool:
        """Whether two parts told it: the last days of an archive are unlike the others."""
        return len(self._rates) > 1

    def learn(self, days: Sequence[date], *, cut: bool) -> None:
        """Matches of these days came, in this order; `cut` when there are more."""
        if cut and days and days[0] < days[-1]:
            # Which there are more of are the newest, where they came in the order of their days.
            self._forward = all(day <= after for day, after in pairwise(days))
        with self._learning:
            known = self._days | Counter(days)  # some came before
            self._days = known
        if known.total() < _ENOUGH:
            return
        usual = known.total() / len(known)
        means = [usual] * 7
        for weekday in range(7):
            if counts := [n for day, n in known.items() if day.weekday() == weekday]:
                means[weekday] = sum(counts) / len(counts)
        self._weights = [7 * mean / sum(means) for mean in means]

    def came(self, span: Span, rows: int, room: float, *, cut: bool) -> None:
        """A part had so many matches, or more; the next one is no more than eight times as long."""
        known = self._known(span)
        last = span.last or (known[-1] if known else date.today())  # noqa: DTZ011 - a guess only
        first = span.first or (known[0] if known else last)
        if cut and known:
            first, last = max(first, known[0]), min(last, known[-1])
        weight = max(self._weight(first, last), 0.1)
        more = 1.25 if cut and not self._forward else 1
        # Too long costs two questions more, too short a part of one.
        self._rates = (*self._rates[-1:], max(rows * more, room / 8) / weight)
        self.rate = max(self._rates)

    def carve(self, span: Span, room: float) -> tuple[Span, Span | None] | None:
        """A part of a span of which about so many matches are expected, and the rest; None when it
        was asked as it is and cannot be parted."""
        known = self._known(span)
        part, rest = (
            self._oldest(span, known, room) if self._forward else (self._newest(span, known, room))
        )
        if part.key != span.key or not span.asked:
            return part, rest
        middle = _middle(span, known)
        if middle is None or middle == date.max:
            return None
        return Span(middle + DAY, span.last), Span(span.first, middle)

    def _newest(self, span: Span, known: list[date], room: float) -> tuple[Span, Span | None]:
        end = span.last or max(date.today(), span.first or _EARLIEST)  # noqa: DTZ011 - a guess only
        anchor = min(end, known[-1]) if known else end
        oldest = span.first or (known[0] if known else _EARLIEST)
        start = self._reach(anchor, oldest, room, -1, known=bool(known))
        if start <= oldest:
            return Span(span.first, span.last), None
        return Span(start, span.last), Span(span.first, start - DAY)

    def _oldest(self, span: Span, known: list[date], room: float) -> tuple[Span, Span | None]:
        newest = span.last or max(date.today(), known[-1] if known else _EARLIEST)  # noqa: DTZ011
        anchor = known[0] if known else span.first or _EARLIEST
        end = self._reach(anchor, newest, room, 1, known=bool(known))
        if end >= newest:
            return Span(span.first, span.last), None
        return Span(span.first, end), Span(end + DAY, span.last)

    def halves(self, span: Span) -> tuple[Span, Span] | None:
        """Both halves of a span, newer first, each with matches if there are any."""
        middle = _middle(span, self._known(span, counted=True))
        if middle is None or middle == date.max:
            return None
        return Span(middle + DAY, span.last), Span(span.first, middle)

    def even(self, span: Span, room: float) -> list[Span]:
        """The span in parts, the newest last, that each had about so many matches at most."""
        days = self._known(span, counted=True)
        size = max(1, int(room))
        firsts = [day for day in dict.fromkeys(days[size::size]) if day > days[0]]
        lasts = [day - DAY for day in firsts]
        return [*map(Span, [span.first, *firsts], [*lasts, span.last])]

    def _reach(self, day: date, last: date, room: float, step: int, *, known: bool) -> date:
        """How far from a day one may go, and no farther than the last, for so many matches."""
        if self.rate is None:
            return day + (1 if known else 6) * step * DAY
        expected = self._weights[day.weekday()] * self.rate
        while day != last and (day < last) is (step > 0):
            expected += self._weights[(day + step * DAY).weekday()] * self.rate
            if expected > room:
                break
            day += step * DAY
        return day

    def _known(self, span: Span, *, counted: bool = False) -> list[date]:
        """The days of a span that matches were of, in order; `counted` as often as they were."""
        days = self._days.elements() if counted else self._days
        return sorted(day for day in days if span.has(day))

    def _weight(self, first: date, last: date) -> float:
        weeks, days = divmod((last - first).days + 1, 7)
        return 7 * weeks + sum(
            self._weights[(first.weekday() + number) % 7] for number in range(days)
        )


def day_of(text: str) -> date | None:
    """A day as a match or a key writes it; None for what is none."""
    found = reading.day(text)
    return date(int(found[:4]), int(found[4:6]), int(found[6:])) if found else None


def _middle(span: Span, days: list[date]) -> date | None:
    """The last day of the older half of a span; None when there is nothing to halve."""
    if days:
        middle = days[len(days) // 2]
        if middle < days[-1]:
            return middle
        if days[0] < days[-1] or span.first != middle:
            return middle - DAY
        return None if span.last == middle else middle  # it, and what comes after
    low = span.first or min(_EARLIEST, span.last or _EARLIEST)
    high = span.last or max(_LATEST, span.first or _LATEST)
    return low + (high - low) // 2 if low < high else None


def _written(day: date | None) -> str:
    return day.isoformat().replace("-", "") if day else ""
