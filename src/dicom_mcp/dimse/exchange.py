"""Putting one query to one archive: an association is lent, used, and told about."""

import logging
from collections.abc import Callable
from time import perf_counter

from .. import journal
from ..config import Node
from ..deadline import Deadline
from ..errors import (
    ArchiveError,
    AssociationAborted,
    ConnectionLost,
    DeadlinePassed,
    StatusFailure,
    Unreachable,
)
from ..standard.levels import MODEL, NOUN, Model
from ..standard.query import Matches, Query
from ..standard.status import Kind
from .association import Association
from .breaker import Breaker
from .echo import VERIFICATION, echo
from .find import Ending, find
from .gathering import Gathering
from .pool import Lease, Pool

# One association serves every kind of question.
_ABSTRACT_SYNTAXES = (VERIFICATION, *(model.value for model in Model))


class Exchange:
    """The associations to one node and what is asked over them, a query at a time."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._pool = Pool(self._associate)
        self._breaker = Breaker()

    def verify(self, deadline: Deadline) -> float:
        """C-ECHO; returns the milliseconds it took, without associating when that was done."""

        def ask(association: Association) -> float:
            start = perf_counter()
            echo(association, deadline=deadline)
            return (perf_counter() - start) * 1000

        self._breaker.reached()  # somebody asks on purpose
        return self._asking(ask, deadline)

    def close(self) -> None:
        """Release the associations."""
        self._pool.close()

    def gathered(self, query: Query, gathering: Gathering, deadline: Deadline) -> Matches:
        """Send the query and let `gathering` take its answers.

        Matches that came before a failure status or the deadline are given, marked incomplete; a
        broken association is an error whatever came before.
        """
        started = perf_counter()
        notes: list[str] = []
        whole = True
        outcome = "failed"
        try:
            ending = self._asking(
                lambda association: find(
                    association, query, MODEL[query.level], gathering.take, deadline=deadline
                ),
                deadline,
                again=lambda: not gathering.examined,
            )
            outcome = f"0x{ending.status.code:04X}" if ending.status else "stopped"
            whole, notes = _said(ending, query, len(gathering.matches))
        except DeadlinePassed as passed:
            outcome = "deadline"
            if not gathering.matches:
                raise
            notes.append(f"Not complete: {passed}")
            whole = False
        except ArchiveError as error:
            outcome = type(error).__name__
            raise
        finally:
            self._log("C-FIND", query.level, outcome, len(gathering.matches), started)
        uncut, more = gathering.close()
        return Matches(query, gathering.matches, whole and uncut, (*notes, *more))

    def _asking[T](
        self,
        ask: Callable[[Association], T],
        deadline: Deadline,
        *,
        again: Callable[[], bool] = lambda: True,
    ) -> T:
        """Ask over a lent association. One that went stale while it was kept (the archive
        restarted, say) shows at the first use; then, once and if `again` allows, over a new one."""
        lease: Lease | None = None
        try:
            with self._pool.lease(deadline=deadline) as lease:
                return ask(lease.association)
        except (ConnectionLost, AssociationAborted):
            if lease is None or not lease.used_before or not again():
                raise
        with self._pool.lease(deadline=deadline, fresh=True) as lease:
            return ask(lease.association)

    def _associate(self, deadline: Deadline) -> Association:
        self._breaker.check()
        try:
            association = Association.request(self._node, _ABSTRACT_SYNTAXES, deadline=deadline)
        except (Unreachable, DeadlinePassed) as error:
            self._breaker.failed(error)
            raise
        self._breaker.reached()
        return association

    def _log(self, service: str, level: str, outcome: str, rows: int, started: float) -> None:
        """Where, under which titles, what, how it ended; the keys' names but never their values."""
        journal.event(
            logging.INFO,
            service,
            archive=f"{self._node.host}:{self._node.port}",
            called_ae_title=self._node.called_ae_title,
            calling_ae_title=self._node.calling_ae_title,
            level=level,
            outcome=outcome,
            rows=rows,
            ms=(perf_counter() - started) * 1000,
        )


def _said(ending: Ending, query: Query, count: int) -> tuple[bool, list[str]]:
    """Whether an answer with this ending is whole, and what to say about it.

    Raises StatusFailure when the archive failed without giving a match.
    """
    notes: list[str] = []
    if ending.optional_keys_unsupported:
        notes.append(
            "The archive said that it does not support some of the keys (status 0xFF01); what it "
            "left out is missing from the records."
        )
    said = ending.status
    if said is None or said.kind is Kind.SUCCESS:
        return True, notes
    if said.kind is Kind.FAILURE and not count:
        noun = NOUN[query.level][1]
        raise StatusFailure(
            f"the query for {noun} failed with status {said}", said.remedy, status=said.code
        )
    notes.append(
        f"Not complete: the archive ended its answer with status {said} after {count} "
        f"{NOUN[query.level][count != 1]}. {said.remedy}".rstrip()
    )
    return False, notes
