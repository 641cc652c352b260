"""`dicom-mcp index`: fill the index of an archive, see what it covers, check it, drop it."""

import random
from collections import Counter, defaultdict
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo
from time import localtime, monotonic, sleep, strftime

from rich.console import Console
from rich.live import Live
from rich.text import Text

from ..config import Settings, load
from ..dicom_api import Archive, exchange_with
from ..errors import ArchiveError, TooManyAssociations
from ..index.digests import told_damaged
from ..index.keeper import STATE, said_by_keeper
from ..index.kept import Kept, drop, has_index, nodes_of, opened, written
from ..index.ledger import Entry
from ..index.resident import looked_at
from ..index.sync import Step, Sync, differing
from ..index_settings import IndexSettings
from ..node import AnyNode
from ..standard.counted import counted
from .table import mark, placed

# What an archive that fails after it answered is left alone for, and how often it is tried again.
_PAUSES = (5, 30, 120)

# How often one looks whether something is due, with --keep-going.
_IDLE = 10

_COUNTED = ("studies", "series")
_MONTHS = ("", *"JFMAMJJASOND")


def sync(file: str, name: str, *, keep_going: bool) -> int:
    """Fill the index, or bring it up to date; `keep_going` until Ctrl-C, whatever archives say.
    Returns the status."""
    settings = load(file)
    nodes = nodes_of(settings, name).values()
    if not keep_going:
        for node in nodes:
            with _filling(settings, node) as filling:
                filling.run()
                filling.sum_up()
        return 0
    with ExitStack() as stack:
        several = [stack.enter_context(_filling(settings, node)) for node in nodes]
        while True:
            sleep(max(filling.run_on() for filling in several))


def _tell_damaged(kept: Kept) -> None:
    """Say which files were damaged."""
    if kept.damaged:
        several, names = counted(len(kept.damaged), "damaged file"), ", ".join(kept.damaged)
        said = f"{several} removed ({names}): the days are asked for again."
        Console(stderr=True).print(Text(said))


def _archive(settings: Settings, node: AnyNode) -> closing[Archive]:
    """The archive, to be asked over one association; its objects come from where it says."""
    several = (node, *([settings.nodes[node.objects_from]] if node.objects_from else ()))
    return closing(Archive(*(exchange_with(replace(part, connections=1)) for part in several)))


@dataclass(slots=True)
class _Course:
    """How far something is of which so many are left, if that is known."""

    left: int | None
    done: int = 0
    began: float = field(default_factory=monotonic)

    def __str__(self) -> str:
        pace = self.done / max(monotonic() - self.began, 0.001)
        said = f", {pace * 60:,.0f} a minute"
        if not self.left or not pace:
            return said
        seconds = max(self.left - self.done, 0) / pace
        few = "less than a minute" if seconds < 60 else counted(round(seconds / 60), "minute")
        return f" of {self.left:,}{said}, about {few} left"


@contextmanager
def _filling(settings: Settings, node: AnyNode) -> "Generator[_Filling]":
    """Its index, to be written by us alone."""
    polite = settings.index or IndexSettings()
    zone = node.time_zone or settings.time_zone
    with written(settings, node) as kept, _archive(settings, node) as archive:
        _tell_damaged(kept)
        syncing = Sync(
            archive, kept.store, kept.ledger, zone=zone, since=polite.since, depth=polite.depth
        )
        with closing(syncing):
            yield _Filling(node.name or str(node), syncing, polite, zone)


@dataclass(slots=True)
class _Filling:
    """How far the index of one node is, shown while it is filled."""

    name: str
    syncing: Sync
    polite: IndexSettings
    zone: tzinfo | None
    studies: _Course = field(default_factory=lambda: _Course(None))
    objects: _Course = field(default_factory=lambda: _Course(None))
    series: int = 0
    console: Console = field(default_factory=lambda: Console(stderr=True))

    def run_on(self) -> int:
        """The same, whatever the archive says; returns after how many seconds to look again."""
        before = self.studies.done, self.objects.done
        try:
            self.run()
        except ArchiveError as error:
            self.say(f"{error} It is asked again in {counted(_PAUSES[-1], 'second')}.")
            return _PAUSES[-1]
        if before != (self.studies.done, self.objects.done):
            self.sum_up()
        return _IDLE

    def run(self) -> None:
        """Ask one question after the other, politely, until nothing is due. Raises ArchiveError
        where the archive never answers, or no longer does."""
        failures, has_answered = 0, False
        with Live(console=self.console, auto_refresh=False, transient=True) as live:
            while True:
                if not self.polite.may_ask(datetime.now(self.zone).time()):
                    live.update(Text("waiting for the hours in which it may ask"), refresh=True)
                    sleep(30)
                    continue
                try:
                    step = self._step(live)
                except ArchiveError as error:
                    is_over = failures == len(_PAUSES) or isinstance(error, TooManyAssociations)
                    if is_over or not has_answered:
                        raise
                    pause = _PAUSES[failures]
                    self.say(f"{error} Trying again in {counted(pause, 'second')}.")
                    sleep(pause)
                    failures += 1
                    continue
                if step is None:
                    break
                failures, has_answered = 0, True
                live.update(Text(f"{self.name}: {step.span}  {self._told(step)}"), refresh=True)
                sleep(self.polite.pause)

    def sum_up(self) -> None:
        """Say what was asked for since it began."""
        read = f", {self.objects.done:,} series read" if self.objects.done else ""
        self.say(
            f"{self.name}: {counted(self.studies.done, 'study')} and {self.series:,} series "
            f"asked for{read}."
        )

    def say(self, words: str) -> None:
        """A line that stays."""
        self.console.print(Text(words))

    def _step(self, live: Live) -> Step | None:
        if self.console.is_terminal and self.studies.left is None:
            live.update(Text("counting what there is"), refresh=True)
            self.studies = _Course(self.syncing.left() or 0)
        return self.syncing.step()

    def _told(self, step: Step) -> str:
        """What was asked for so far."""
        if step.table:
            if self.objects.left is None:
                self.objects = _Course(self.syncing.unread() + 1)
            self.objects.done += 1
            return f"{step.table} of {self.objects.done:,} series{self.objects}"
        self.studies.done += step.studies
        self.series += step.series
        told = f"{counted(self.studies.done, 'study')}{self.studies}; {self.series:,} series"
        return told if step.whole else f"{told}; not shown to be whole: {step.why}"


def status(file: str, name: str) -> int:
    """Show what each index covers, as a calendar."""
    settings = load(file)
    console = Console()
    for node in nodes_of(settings, name).values():
        title = Text(f"{node.name or node}", style="bold")
        if not has_index(settings, node):
            console.print(title, "nothing yet: dicom-mcp index sync")
            continue
        with opened(settings, node) as kept:
            days = kept.ledger.days()
            beginning = kept.ledger.told("beginning")
            keeping = said_by_keeper(kept.ledger.told(STATE))
            depth = settings.index.depth if settings.index else ()
            deep = [_said_of(table, *kept.ledger.read_so_far(table)) for table in depth]
            _, damaged = looked_at(kept.store)
        console.print(title)
        console.print(_said(days, beginning))
        console.print(" ".join(deep) or "depth: studies and series.")
        if damaged:
            console.print(Text(str(told_damaged(damaged)), style="red"))
        if keeping:
            console.print(Text("; ".join(keeping)))
        for line in _calendar(days):
            console.print(Text(line))
    return 0


def _said(days: Mapping[str, Entry], beginning: str) -> str:
    dated = [day for day, entry in days.items() if day and entry.studies]
    asked = [entry.asked for entry in days.values() if entry.asked]
    studies, series = (sum(getattr(entry, of) for entry in days.values()) for of in _COUNTED)
    lines = [f"{counted(studies, 'study')}, {series:,} series"]
    if dated:
        lines.append(f"from {min(dated)} to {max(dated)}")
    if asked:
        lines.append(f"last asked {strftime('%Y-%m-%d %H:%M', localtime(max(asked)))}")
    so_far = f"back to {min(filter(None, days), default='no day')} so far"
    lines.append("back to the beginning" if beginning else so_far)
    if wanting := sum(not entry.whole for entry in days.values()):
        lines.append(f"{counted(wanting, 'day')} not shown to be whole")
    return "; ".join(lines) + "."


def _said_of(table: str, read: int, of: int, failed: int) -> str:
    """How much of what it takes objects to know is there."""
    why = f", {failed:,} could not be (`fault` says why)" if failed else ""
    return f"{table}: {read:,} of {of:,} series read{why}."


def _calendar(days: Mapping[str, Entry]) -> Sequence[str]:
    """Years by months: how much of each is covered, of those that have studies."""
    covered: defaultdict[str, Counter[int]] = defaultdict(Counter)
    lacking: set[tuple[str, int]] = set()
    studies: Counter[str] = Counter()
    for day, entry in days.items():
        if not day:
            continue
        year, month = day[:4], int(day[5:7])
        covered[year][month] += 1
        studies[year] += entry.studies
        if not entry.whole:
            lacking.add((year, month))
    whole, partly, nothing = mark("█", "#"), mark("▒", "+"), mark("·", ".")
    widths = (4, *(1,) * 12, max(9, *(len(f"{count:,}") for count in studies.values())))
    lines = placed([[head] for head in ("year", *_MONTHS[1:], "studies".rjust(widths[-1]))], widths)
    for year in sorted((year for year in covered if studies[year]), reverse=True):
        cells = [
            nothing
            if not covered[year][month]
            else partly
            if (year, month) in lacking or covered[year][month] < _length(year, month)
            else whole
            for month in range(1, 13)
        ]
        told = f"{studies[year]:,}".rjust(widths[-1])
        lines += placed([[cell] for cell in (year, *cells, told)], widths)
    return [
        *lines,
        f"{whole} whole, {partly} in part or not shown to be whole, {nothing} nothing",
    ]


def _length(year: str, month: int) -> int:
    after = date(int(year) + month // 12, month % 12 + 1, 1)
    return (after - date(int(year), month, 1)).days


def check(file: str, name: str, days: int) -> int:
    """Ask the archive again for some days, chosen at random, and tell where the index differs;
    such days are asked for anew by the next sync. Returns 1 where there are any."""
    settings = load(file)
    console = Console()
    wrong = 0
    for node in nodes_of(settings, name).values():
        with written(settings, node) as kept, _archive(settings, node) as archive:
            _tell_damaged(kept)
            held = [day for day, entry in kept.ledger.days().items() if day and entry.studies]
            chosen = sorted(random.sample(held, min(days, len(held))))
            for day in chosen:
                if said := differing(archive, kept.store, date.fromisoformat(day)):
                    wrong += 1
                    kept.ledger.forget([day])
                    console.print(f"{node.name or node} {day}: {said}")
        console.print(f"{node.name or node}: {counted(len(chosen), 'day')} asked again.")
    return 1 if wrong else 0


def remove(file: str, name: str) -> int:
    """Remove the index."""
    settings: Settings = load(file)
    for node in nodes_of(settings, name).values():
        there_was = drop(settings, node)
        said = "removed" if there_was else "there was none"
        Console().print(f"{node.name or node}: {said}.")
    return 0
