"""What a tool is given besides its arguments."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from time import monotonic
from typing import Any

from ..archives import Archives
from ..config import Settings
from ..deadline import Deadline
from ..dicom_api import Archive, connect
from ..errors import BadArgument, NotAllowed
from ..node import Node
from ..standard.near import did_you_mean
from ..standard.values import shown
from .shelf import Lists, Shelf

# How `configure_dicom_server` names what it was given.
CONFIGURED = "configured"

# How a question names every node there is.
ALL = "all"


class House:
    """The archives there are and what the operator allows; one for the life of the server."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.nodes = settings.nodes
        self.default = next(iter(self.nodes))
        self.shelf = Shelf()
        self.lists: Lists[Any] = Lists()
        self._archives: dict[str, Archive] = {}
        self._lock = threading.Lock()

    def names(self, where: str = "") -> list[str]:
        """The nodes that a question's `node` means: one, several separated by commas, or all.

        Raises BadArgument for a name that is not known.
        """
        asked = [one.strip() for one in where.split(",") if one.strip()] or [self.default]
        if asked == [ALL] and ALL not in self.nodes:
            return list(self.nodes)
        return list(dict.fromkeys(self._name(one) for one in asked))

    def seconds(self, names: Sequence[str]) -> float:
        """How long a question to these nodes may take."""
        return max(self.nodes[name].timeout for name in names)

    def archive(self, names: Sequence[str]) -> Archive | Archives:
        """What is asked at these nodes."""
        if len(names) == 1:
            return self._archive(names[0])
        return Archives({name: self._archive(name) for name in names})

    def known(self, name: str) -> list[str]:
        """What was learned of a node since it was first asked."""
        archive = self._archives.get(name)
        return archive.habits.told() if archive else []

    def configure(self, node: Node) -> None:
        """Ask another archive from now on. Raises NotAllowed when the operator forbids it."""
        allowed = self.settings.configurable_hosts
        if allowed is not None and node.host.lower() not in allowed:
            raise NotAllowed(
                "the operator of this server does not allow it to be pointed at that host",
                f"Allowed: {', '.join(sorted(allowed)) or 'no host'} (DICOM_CONFIGURABLE_HOSTS)",
            )
        with self._lock:
            previous = self._archives.pop(CONFIGURED, None)
            self.nodes = {**self.nodes, CONFIGURED: node}
            self.default = CONFIGURED
        if previous:
            previous.close()

    def close(self) -> None:
        """Give back every connection and forget every object."""
        self.shelf.clear()
        self.lists.clear()
        for archive in self._archives.values():
            archive.close()

    def _archive(self, name: str) -> Archive:
        with self._lock:
            if name not in self._archives:
                node = self.nodes[name]
                from_node = self.nodes[node.objects_from] if node.objects_from else None
                self._archives[name] = connect(node, from_node)
            return self._archives[name]

    def _name(self, asked: str) -> str:
        known = {one.casefold(): one for one in self.nodes}
        if asked.casefold() in known:
            return known[asked.casefold()]
        near = did_you_mean(asked, self.nodes)
        raise BadArgument(
            f"there is no node {shown(asked)}",
            (f"Did you mean {near}? " if near else "")
            + f"Known: {', '.join(self.nodes)}; or {ALL}, or several separated by commas",
        )


# Often enough to see that something happens, too seldom to cost anything.
_REPORT_SECONDS = 1.0


class Progress:
    """Counts what a call has received and reports the count at most once a second."""

    def __init__(self, report: Callable[[int], None]) -> None:
        self._report = report
        self._count = 0
        self._next = monotonic() + _REPORT_SECONDS

    def advance(self) -> None:
        """One more match has arrived."""
        self._count += 1
        if monotonic() >= self._next:
            self._next = monotonic() + _REPORT_SECONDS
            self._report(self._count)


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call: the house it happens in, the archive it asks, how long it may take, whom to
    tell how it goes."""

    house: House
    archive: Archive | Archives
    deadline: Deadline
    progress: Progress

    def within(self, seconds: float) -> "Call":
        """The same call, with at most so long for a step of it."""
        return replace(self, deadline=self.deadline.at_most(seconds))

    @property
    def today(self) -> date:
        """Which day it is where the archive's users are."""
        node = self.archive.node
        first = node[0] if isinstance(node, tuple) else node
        return datetime.now(first.time_zone or self.house.settings.time_zone).date()
