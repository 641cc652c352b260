"""An archive over DIMSE: questions as they are meant, answers as they can be trusted."""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import perf_counter

from .. import journal
from ..config import Node
from ..deadline import Deadline
from ..errors import (
    ArchiveError,
    AssociationAborted,
    BadArgument,
    ConnectionLost,
    DeadlinePassed,
    StatusFailure,
    Unreachable,
)
from ..standard.levels import MODEL, NOUN, Level, Model
from ..standard.query import Match, Matches, Query
from ..standard.recheck import Recheck
from ..standard.status import Kind
from .association import Association
from .breaker import Breaker
from .echo import VERIFICATION, echo
from .find import Ending, find
from .parents import Parents
from .pool import Lease, Pool

# One association serves every kind of question.
_ABSTRACT_SYNTAXES = (VERIFICATION, *(model.value for model in Model))


# What may be held of one answer, as it came. 500 matches with every attribute of the extended
# preset are under 2 MiB; as Python objects bytes take up to ten times their room.
_MOST_HELD = 8 * 1024 * 1024


class DimseArchive:
    """The archive at a node, asked over at most two kept associations."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._pool = Pool(self._associate)
        self._breaker = Breaker()
        self._parents = Parents(self._matches)

    def verify(self, *, deadline: Deadline) -> float:
        """C-ECHO; returns the milliseconds it took, without associating when that was done."""

        def ask(association: Association) -> float:
            start = perf_counter()
            echo(association, deadline=deadline)
            return (perf_counter() - start) * 1000

        with self._located():
            self._breaker.reached()  # somebody asks on purpose
            return self._asking(ask, deadline)

    def find(
        self,
        query: Query,
        *,
        limit: int,
        deadline: Deadline,
        arrived: Callable[[], None] = lambda: None,
    ) -> Matches:
        """C-FIND; every match is checked against the keys again before it counts."""
        with self._located():
            return self._find(query, limit, deadline, arrived)

    def close(self) -> None:
        """Release the associations."""
        self._pool.close()

    def _find(
        self, query: Query, limit: int, deadline: Deadline, arrived: Callable[[], None]
    ) -> Matches:
        if query.level is Level.IMAGE and not query.keys.get("StudyInstanceUID"):
            study = self._parents.study_of_series(_one_series(query), deadline)
            if study is None:
                return Matches(query, [], notes=("The archive holds no series with this UID.",))
            query = Query(query.level, {**query.keys, "StudyInstanceUID": study}, query.wanted)
        answer = self._matches(query, limit, deadline, arrived)
        self._parents.learn(query, answer.matches)
        return answer

    def _matches(
        self,
        query: Query,
        limit: int,
        deadline: Deadline,
        arrived: Callable[[], None] = lambda: None,
    ) -> Matches:
        """The query as it stands, its answers checked and counted."""
        recheck = Recheck(query)
        matches: list[Match] = []
        started = perf_counter()

        held = 0

        def take(match: Match, size: int) -> bool:
            nonlocal held
            arrived()
            if recheck.holds(match):
                matches.append(match)
                held += size
            return len(matches) <= limit and held <= _MOST_HELD

        def ask(association: Association) -> Ending:
            nonlocal recheck, held
            recheck, held = Recheck(query), 0
            matches.clear()
            return find(association, query, MODEL[query.level], take, deadline=deadline)

        notes: list[str] = []
        complete = True
        outcome = "failed"
        try:
            ending = self._asking(ask, deadline)
            outcome = f"0x{ending.status.code:04X}" if ending.status else "stopped"
            complete, notes = _said(ending, query, len(matches))
        except DeadlinePassed as passed:
            outcome = "deadline"
            if not matches:
                raise
            notes.append(f"Not complete: {passed}")
            complete = False
        except ArchiveError as error:
            outcome = type(error).__name__
            raise
        finally:
            self._log("C-FIND", query.level, outcome, len(matches), started)
        if len(matches) > limit:
            del matches[limit:]
            complete = False
            notes.append(
                f"Not complete: these are the first {limit} {NOUN[query.level][1]} the archive "
                "gave; there are more. Narrow the question, or raise limit (at most 500)."
            )
        elif held > _MOST_HELD:
            complete = False
            notes.append(
                f"Not complete: the answer grew beyond {_MOST_HELD // 1024**2} MiB and was cut "
                "here. Ask for fewer attributes (attribute_preset=minimal) or narrow the question."
            )
        return Matches(query, matches, complete, (*notes, *recheck.notes()))

    def _asking[T](self, ask: Callable[[Association], T], deadline: Deadline) -> T:
        """Ask over a lent association. One that went stale while it was kept (the archive
        restarted, say) shows at the first use; then, once, over a new one."""
        lease: Lease | None = None
        try:
            with self._pool.lease(deadline=deadline) as lease:
                return ask(lease.association)
        except (ConnectionLost, AssociationAborted):
            if lease is None or not lease.used_before:
                raise
        with self._pool.lease(deadline=deadline, fresh=True) as lease:
            return ask(lease.association)

    def _associate(self, deadline: Deadline) -> Association:
        self._breaker.check()
        try:
            association = Association.request(self.node, _ABSTRACT_SYNTAXES, deadline=deadline)
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
            archive=f"{self.node.host}:{self.node.port}",
            called_ae_title=self.node.called_ae_title,
            calling_ae_title=self.node.calling_ae_title,
            level=level,
            outcome=outcome,
            rows=rows,
            ms=(perf_counter() - started) * 1000,
        )

    @contextmanager
    def _located(self) -> Generator[None]:
        try:
            yield
        except ArchiveError as error:
            error.at = str(self.node)
            raise


def _one_series(query: Query) -> str:
    """The series whose study must be found. Raises BadArgument unless the query names just one."""
    series = query.keys.get("SeriesInstanceUID", "")
    if not series or "\\" in series:
        raise BadArgument(
            "instances can only be found in one series, or with their study",
            "Give one series_instance_uid, or study_instance_uid too",
        )
    return series


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
