"""`dicom-mcp index`: fill the index of an archive, see what it covers, check it, drop it."""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ..config import Settings, load
from ..dicom_api import Archive, exchange_with
from ..errors import ArchiveError, TooManyAssociations
from ..index.digests import told_damaged
from ..index.keeper import STATE, said_by_keeper
from ..index.kept import Kept, drop, has_index, nodes_of, opened, written
from ..index.ledger import Entry
from ..index.resident import looked_at
from ..index.sync import Sync, differing
from ..index_settings import IndexSettings
from ..node import AnyNode
from ..standard.counted import counted

# What an archive that fails after it answered is left alone for, and how often it is tried again.
_PAUSES = (5.0, 30.0, 120.0)

_COUNTED = ("studies", "series")
_MONTHS = ("", *"JFMAMJJASOND")


def sync(file: str, name: str, *, keep_going: bool) -> int:
    """Fill the index, or bring it up to date; `keep_going` until Ctrl-C. Returns the status."""
    settings = load(file)
    for node in nodes_of(settings, name).values():
        with written(settings, node) as kept, _archive(settings, node) as archive:
            _tell_damaged(kept)
            polite = settings.index or IndexSettings()
            zone, since, depth = node.time_zone or settings.time_zone, polite.since, polite.depth
            syncing = Sync(archive, kept.store, kept.ledger, zone=zone, since=since, depth=depth)
            with closing(syncing):
                _run(syncing, node, polite, zone, keep_going=keep_going)
    return 0


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
    began: float = field(default_factory=time.monotonic)

    def __str__(self) -> str:
        pace = self.done / max(time.monotonic() - self.began, 0.001)
        said = f", {pace * 60:,.0f} a minute"
        if not self.left or not pace:
            return said
        seconds = max(self.left - self.done, 0) / pace
        few = "less than a minute" if seconds < 60 else counted(round(seconds / 60), "minute")
        return f" of {self.left:,}{said}, about {few} left"


def _run(
    syncing: Sync, node: AnyNode, polite: IndexSettings, zone: tzinfo | None, *, keep_going: bool
) -> None:
    """Ask one question after the other, politely, and show how far it is."""
    console = Console(stderr=True)
    series, failures, has_answered = 0, 0, False
    studies, objects = _Course(None), _Course(None)
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            if not polite.may_ask(datetime.now(zone).time()):
                live.update(Text("waiting for the hours in which it may ask"), refresh=True)
                time.sleep(30)
                continue
            try:
                if console.is_terminal and studies.left is None:
                    live.update(Text("counting what there is"), refresh=True)
                    studies = _Course(syncing.left() or 0)
                step = syncing.step()
            except ArchiveError as error:
                is_over = failures == len(_PAUSES) or isinstance(error, TooManyAssociations)
                if is_over or not (has_answered or keep_going):
                    raise
                pause = _PAUSES[failures]
                console.print(Text(f"{error} Trying again in {pause:g} seconds."))
                time.sleep(pause)
                failures += 1
                continue
            failures, has_answered = 0, True
            if step is None:
                if not keep_going:
                    break
                time.sleep(10)
                continue
            if step.table:
                if objects.left is None:
                    objects = _Course(syncing.unread() + 1)
                objects.done += 1
                said = f"{step.table} of {objects.done:,} series{objects}"
            else:
                studies.done, series = studies.done + step.studies, series + step.series
                said = f"{counted(studies.done, 'study')}{studies}; {series:,} series"
                said += "" if step.whole else f"; not shown to be whole: {step.why}"
            live.update(Text(f"{node.name or node}: {step.span}  {said}"), refresh=True)
            time.sleep(polite.pause)
    read = f", {objects.done:,} series read" if objects.done else ""
    console.print(
        f"{node.name or node}: {counted(studies.done, 'study')} and {series:,} series asked for"
        f"{read}."
    )


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
        console.print(_calendar(days))
    return 0


def _said(days: Mapping[str, Entry], beginning: str) -> str:
    dated = [day for day, entry in days.items() if day and entry.studies]
    asked = [entry.asked for entry in days.values() if entry.asked]
    studies, series = (sum(getattr(entry, of) for entry in days.values()) for of in _COUNTED)
    lines = [f"{studies:,} studies, {series:,} series"]
    if dated:
        lines.append(f"from {min(dated)} to {max(dated)}")
    if asked:
        lines.append(f"last asked {time.strftime('%Y-%m-%d %H:%M', time.localtime(max(asked)))}")
    so_far = f"back to {min(filter(None, days), default='no day')} so far"
    lines.append("back to the beginning" if beginning else so_far)
    if wanting := sum(not entry.whole for entry in days.values()):
        lines.append(f"{counted(wanting, 'day')} not shown to be whole")
    return "; ".join(lines) + "."


def _said_of(table: str, read: int, of: int, failed: int) -> str:
    """How much of what it takes objects to know is there."""
    why = f", {failed:,} could not be (`fault` says why)" if failed else ""
    return f"{table}: {read:,} of {of:,} series read{why}."


def _calendar(days: Mapping[str, Entry]) -> Table:
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
    table = Table(box=None, caption="█ whole, ▒ in part or not shown to be whole, · nothing")
    for heading in ("year", *_MONTHS[1:], "studies"):
        table.add_column(heading, justify="right" if heading == "studies" else "center")
    for year in sorted(covered, reverse=True):
        if not studies[year]:
            continue
        cells = [
            "·"
            if not covered[year][month]
            else "▒"
            if (year, month) in lacking or covered[year][month] < _length(year, month)
            else "█"
            for month in range(1, 13)
        ]
        table.add_row(year, *cells, f"{studies[year]:,}")
    return table


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
