"""How much of an archive its index covers, and as of when."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from ..index_settings import IndexSettings
from ..standard.counted import counted
from ..standard.note import Note, incomplete, perhaps, remark
from .ledger import Entry, Ledger

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Coverage:
    """The days that an index was asked for, and what they hold.

    `first` is the earliest day asked for and `last` the last one with studies (YYYY-MM-DD),
    `asked_first` and `asked_last` when the day asked for longest ago was, and the day asked for
    last (seconds since 1970; 0 where nothing was). `behind` are the days up to today that were not
    asked for since they were over; of today what it had when it was asked for is told.
    `reaches_back` tells whether nothing older is left to ask for.
    """

    first: str
    last: str
    studies: int
    series: int
    asked_first: float
    asked_last: float
    not_whole: tuple[str, ...]
    behind: tuple[str, ...]
    reaches_back: bool

    @classmethod
    def of(
        cls,
        days: Mapping[str, Entry],
        *,
        beginning: str,
        settings: IndexSettings,
        zone: tzinfo | None,
    ) -> "Coverage":
        """From the ledger's days, and its word on where the archive begins; `zone` is where its
        days do."""
        today = datetime.now(zone).date()
        key = (bool(beginning), settings.since, zone, today)
        for same, its, coverage in tuple(_LAST):
            if same is days and its == key:
                return coverage
        dated = [day for day in days if day]
        asked = [entry.asked for entry in days.values() if entry.asked]
        first = min(dated, default="")
        since = settings.since.isoformat() if settings.since else ""
        coverage = cls(
            first=first,
            last=max((day for day in dated if days[day].studies), default=first),
            studies=sum(entry.studies for entry in days.values()),
            series=sum(entry.series for entry in days.values()),
            asked_first=min(asked, default=0.0),
            asked_last=max(asked, default=0.0),
            not_whole=tuple(day for day, entry in sorted(days.items()) if not entry.whole),
            behind=_behind(days, first, today, zone),
            reaches_back=bool(first) and (bool(beginning) or bool(since and first <= since)),
        )
        _LAST.append((days, key, coverage))
        return coverage

    @classmethod
    def now(cls, ledger: Ledger, settings: IndexSettings, zone: tzinfo | None) -> "Coverage":
        """Of an index as it is."""
        beginning = ledger.told("beginning")
        return cls.of(ledger.days(), beginning=beginning, settings=settings, zone=zone)

    def within(self, first: date | None, last: date | None) -> "Coverage":
        """The same, for a question about some days only, both ends included; None where open."""
        if first is None and last is None:
            return self
        ends = (f"{first or date.min}", f"{last or date.max}")
        not_whole = tuple(day for day in self.not_whole if ends[0] <= day <= ends[1])
        behind = tuple(day for day in self.behind if ends[0] <= day <= ends[1])
        reaches_back = self.reaches_back or bool(self.first and self.first <= ends[0])
        return replace(self, not_whole=not_whole, behind=behind, reaches_back=reaches_back)

    def notes(self, name: str, zone: tzinfo | None) -> list[Note]:
        """What an answer from it has to say, of the archive of this name."""
        if not self.first:
            return [
                incomplete(f"the index of {name} has nothing yet; dicom-mcp index sync fills it.")
            ]
        told = [
            remark(
                f"From the index of {name}: {self.studies:,} studies, of the days {self.first} to "
                f"{self.last}, each as it was when the archive was last asked for it: "
                f"{told_at(self.asked_first, zone)} to {told_at(self.asked_last, zone)}."
            )
        ]
        if not self.reaches_back:
            told.append(
                incomplete(
                    f"the index goes back to {self.first} so far; older studies are not in it."
                )
            )
        if self.behind:
            told.append(
                incomplete(
                    f"the archive was not asked for {_some(self.behind)} since they were over; "
                    "source=live asks it now, dicom-mcp index sync for the index."
                )
            )
        if self.not_whole:
            told.append(perhaps(f"{_some(self.not_whole)} could not be shown to be whole."))
        return told


# What was found of days that did not change since.
_LAST: deque[tuple[Mapping[str, Entry], object, Coverage]] = deque(maxlen=4)


def _some(days: Sequence[str]) -> str:
    """How many days, and the last of them."""
    some = ", ".join(day or "no date" for day in days[-3:])
    return f"{counted(len(days), 'day')} ({'…, ' * (len(days) > 3)}{some})"


def _behind(
    days: Mapping[str, Entry], first: str, today: date, zone: tzinfo | None
) -> tuple[str, ...]:
    """The days before today, from the first, that were not asked for after they had ended."""
    if not first:
        return ()
    day = date.fromisoformat(first)
    behind: list[str] = []
    while day <= today:
        entry = days.get(day.isoformat())
        # Two days later it has ended wherever the archive is: the exact end is seldom looked up.
        ended = (day - _EPOCH).days * 86_400.0 + 172_800.0
        if entry is None or (
            day < today and entry.asked < ended and entry.asked < end_of(day, zone)
        ):
            behind.append(day.isoformat())
        day += timedelta(days=1)
    return tuple(behind)


def end_of(day: date, zone: tzinfo | None) -> float:
    """When a day ends there, in seconds since 1970."""
    return datetime.combine(day + timedelta(days=1), time.min, zone).timestamp()


def told_at(moment: float, zone: tzinfo | None) -> str:
    """A time as an answer tells it, where the archive is."""
    return f"{datetime.fromtimestamp(moment, zone or UTC).astimezone(zone):%Y-%m-%d %H:%M}"
