"""The DICOM side as the tools see it: the few verbs any archive understands."""

from collections.abc import Callable
from typing import Protocol

from .config import Node
from .deadline import Deadline
from .standard.query import Matches, Query


class Archive(Protocol):
    """An archive that can be asked, however it is reached.

    Every method may raise an ArchiveError that names the archive, both AE titles and what to try.
    """

    @property
    def node(self) -> Node:
        """Where it is and who we say we are."""
        ...

    def verify(self, *, deadline: Deadline) -> float:
        """Ask whether it answers at all; the answer took this many milliseconds."""
        ...

    def find(
        self,
        query: Query,
        *,
        limit: int,
        deadline: Deadline,
        arrived: Callable[[], None] = lambda: None,
    ) -> Matches:
        """At most `limit` matches of the query; incomplete answers are marked as such.

        `arrived` is called for every match the archive sends, in the calling thread.
        """
        ...

    def close(self) -> None:
        """Give back every connection."""
        ...


def connect(node: Node) -> Archive:
    """The archive at this node. Nothing is sent before the first question."""
    from .dimse.archive import DimseArchive  # pynetdicom and pydicom, only when asked

    return DimseArchive(node)
