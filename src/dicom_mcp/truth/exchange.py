"""What a protocol has to offer for questions to be asked over it."""

from collections.abc import Sequence
from typing import Protocol

from ..deadline import Deadline
from ..node import AnyNode
from ..standard.instance import Reference, Retrieved, TakeInstance
from ..standard.one_frame import OneFrame
from ..standard.query import Answer, Query


class Exchange(Protocol):
    """One archive as a protocol reaches it: a single query, its matches as they come, its end.

    Every method may raise an ArchiveError.
    """

    @property
    def node(self) -> AnyNode:
        """Where it is and who we say we are."""
        ...

    @property
    def patient_root_only(self) -> bool:
        """Whether it turned out to have no Study Root, so that a study may need its patient."""
        ...

    def verify(self, deadline: Deadline) -> float:
        """Ask whether it answers at all; the answer took this many milliseconds."""
        ...

    def ask(self, query: Query, *, deadline: Deadline) -> Answer:
        """Put one query to it, be it of the archive or of the Modality Worklist.

        Its rows raise StatusFailure when the archive refuses, or fails before its first match, and
        NoAcceptedContext where there is no such service.
        """
        ...

    def is_listable(self, keyword: str, value: str) -> bool:
        """Whether a value of this attribute can stand in a list of values, as it travels."""
        ...

    def retrieve(
        self,
        references: Sequence[Reference],
        take: TakeInstance,
        *,
        deadline: Deadline,
        headers: bool = False,
    ) -> Retrieved:
        """Fetch these objects; each goes to `take` as it arrives, in the calling
        thread, until that returns False.

        With `headers` bulk data is left out where the archive can. Raises NoAcceptedContext where
        nothing can be fetched this way.
        """
        ...

    def frame(self, reference: Reference, number: int, *, deadline: Deadline) -> OneFrame:
        """One frame of an object too large to be fetched whole.

        Raises NoAcceptedContext where frames are not given one by one.
        """
        ...

    def close(self) -> None:
        """Give back every connection."""
        ...
