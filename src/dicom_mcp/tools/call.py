"""What a tool is given besides its arguments."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from time import monotonic

from ..config import Settings
from ..deadline import Deadline
from ..dicom_api import Archive, connect
from ..errors import NotAllowed
from ..node import Node


class House:
    """The archive in force and what the operator allows; one for the life of the server."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.archive: Archive = connect(settings.node)

    def configure(self, node: Node) -> None:
        """Ask another archive from now on. Raises NotAllowed when the operator forbids it."""
        allowed = self.settings.configurable_hosts
        if allowed is not None and node.host.lower() not in allowed:
            raise NotAllowed(
                "the operator of this server does not allow it to be pointed at that host",
                f"Allowed: {', '.join(sorted(allowed)) or 'no host'} (DICOM_CONFIGURABLE_HOSTS)",
            )
        previous, self.archive = self.archive, connect(node)
        previous.close()

    def close(self) -> None:
        """Give back every connection."""
        self.archive.close()


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
    """One tool call: the house it happens in, how long it may take, whom to tell how it goes."""

    house: House
    deadline: Deadline
    progress: Progress

    def within(self, seconds: float) -> "Call":
        """The same call, with at most so long for a step of it."""
        return replace(self, deadline=self.deadline.at_most(seconds))

    @property
    def archive(self) -> Archive:
        """The archive in force."""
        return self.house.archive

    @property
    def today(self) -> date:
        """Which day it is where the archive's users are."""
        return datetime.now(self.house.settings.time_zone).date()
