"""What a protocol has to offer for questions to be asked over it."""

from collections.abc import Callable
from typing import Protocol

from ..config import Node
from ..deadline import Deadline
from ..standard.query import Ending, Match, Query
from ..standard.worklist import WorklistQuery


class Exchange(Protocol):
    """One archive as a protocol reaches it: a single query, its matches as they come, its end.

    Every method may raise an ArchiveError.
    """

    @property
    def node(self) -> Node:
        """Where it is and who we say we are."""
        ...

    @property
    def patient_root_only(self) -> bool:
        """Whether it turned out to have no Study Root, so that a study may need its patient."""
        ...

    def verify(self, deadline: Deadline) -> float:
        """Ask whether it answers at all; the answer took this many milliseconds."""
        ...

    def ask(
        self, query: Query, take: Callable[[Match, int], bool], *, deadline: Deadline
    ) -> Ending:
        """Send one query; each match, and the bytes it came in, goes to `take` as it arrives, in
        the calling thread, until that returns False.

        Raises StatusFailure when the archive refuses, or fails before its first match.
        """
        ...

    def ask_worklist(
        self, query: WorklistQuery, take: Callable[[Match, int], bool], *, deadline: Deadline
    ) -> Ending:
        """The same for a query to the Modality Worklist.

        Raises NoAcceptedContext when there is none here.
        """
        ...

    def close(self) -> None:
        """Give back every connection."""
        ...
