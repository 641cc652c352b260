"""Whether an index is kept, where, and how politely it is filled."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, time
from typing import Annotated

from .errors import BadConfiguration
from .setting import Setting, a_key, a_number, obey_rules

_HOURS = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})", re.ASCII)

type Hours = tuple[time, time]


def some_hours(written: str | Hours | None) -> Hours | None:
    """From "20:00-06:00"; None for always."""
    if not isinstance(written, str):
        return written
    if not written:
        return None
    found = _HOURS.fullmatch(written.strip())
    try:
        if found:
            begin, begin_minute, end, end_minute = map(int, found.groups())
            return time(begin, begin_minute), time(end, end_minute)
    except ValueError:
        pass
    raise BadConfiguration(f"hours {written!r} is not written as 20:00-06:00")


def a_day(written: str | date | None) -> date | None:
    """From "2015-01-01"; None for no bound."""
    if not isinstance(written, str):
        return written
    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        raise BadConfiguration(f"since {written!r} is not a day such as 2015-01-01") from None


# What objects are read for, if they are.
DEPTHS = ("headers", "reports")


def some_depths(written: str | Iterable[str]) -> tuple[str, ...]:
    """Those of `DEPTHS` that are named; none for "studies"."""
    several = written.replace(",", " ").split() if isinstance(written, str) else [*written]
    named = [part.strip().lower() for part in several if part.strip()]
    if unknown := [part for part in named if part not in ("studies", *DEPTHS)]:
        raise BadConfiguration(
            f"depth {unknown[0][:40]!r} is none", f"It is studies, {' or '.join(DEPTHS)}, or both"
        )
    return tuple(part for part in DEPTHS if part in named)


@dataclass(frozen=True, slots=True)
class Encryption:
    """What the files of an index are encrypted with (AES-256)."""

    key: Annotated[
        str,
        Setting(
            "the key that its files are encrypted with", a_key("the index's key"), how="secret"
        ),
    ] = field(repr=False)

    def __post_init__(self) -> None:
        obey_rules(self)


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """What [index] of the configuration file says; where it stands not, there is no index."""

    folder: Annotated[
        str, Setting("Where it is kept; else beside the usual configuration file")
    ] = ""
    nodes: Annotated[
        tuple[str, ...], Setting("Nodes that have one; else every node", tuple, form=list[str])
    ] = ()
    since: Annotated[
        date | None, Setting("Earliest day, such as 2015-01-01; else all", a_day, form=str)
    ] = None
    depth: Annotated[
        tuple[str, ...],
        Setting(
            "What is read of objects: headers, reports, or both; else nothing",
            some_depths,
            form=str | list[str],
        ),
    ] = ()
    pause: Annotated[
        float,
        Setting(
            "Seconds between two questions", a_number("pause", 0, 3600, unit=" seconds"), form=float
        ),
    ] = 0.2
    fresh: Annotated[
        float,
        Setting(
            "Hours after which a day is asked for at the archive instead",
            a_number("fresh", 0, 10_000, unit=" hours"),
            form=float,
        ),
    ] = 36
    hours: Annotated[
        Hours | None,
        Setting("When it may ask, such as 20:00-06:00; else always", some_hours, form=str),
    ] = None
    encryption: Annotated[Encryption | None, Setting(how="among")] = None
    keep: Annotated[bool, Setting("Whether a running server keeps it up to date")] = True

    def __post_init__(self) -> None:
        obey_rules(self)

    @property
    def key(self) -> str:
        """What its files are encrypted with, in Base64; "" where they are not."""
        return self.encryption.key if self.encryption else ""

    def may_ask(self, now: time) -> bool:
        """Whether the archive may be asked at this time of day."""
        if self.hours is None:
            return True
        begin, end = self.hours
        return begin <= now < end if begin <= end else not end <= now < begin
