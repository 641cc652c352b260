"""An archive over DIMSE: questions as they are meant, answers as they can be trusted."""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
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
from ..standard.query import Matches, Query
from ..standard.recheck import Recheck
from ..standard.status import Kind
from .association import Association
from .breaker import Breaker
from .descent import MOST_STUDIES, Descent
from .echo import VERIFICATION, echo
from .find import Ending, find
from .gathering import Gathering
from .parents import Parents
from .pool import Lease, Pool

# One association serves every kind of question.
_ABSTRACT_SYNTAXES = (VERIFICATION, *(model.value for model in Model))


# How many answers to a widened key are compared here: a second's worth on a slow archive.
_MOST_COMPARED = 2000


_MODALITIES = "ModalitiesInStudy"


class DimseArchive:
    """The archive at a node, asked over at most two kept associations."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._pool = Pool(self._associate)
        self._breaker = Breaker()
        self._parents = Parents(self._matches)
        self._reads_utf_8 = False
        self._modalities_untold = False

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
        if query.level is Level.STUDY and self._modalities_untold and _MODALITIES in query.keys:
            return self._with_modalities(
                self._candidates(query, deadline, arrived), limit, deadline
            )
        answer = self._matches(query, limit, deadline, arrived)
        if query.level is Level.STUDY and _leaves_out_modalities(answer):
            self._modalities_untold = True
            if _MODALITIES in query.keys:
                answer = self._candidates(query, deadline, arrived)
            return self._with_modalities(answer, limit, deadline)
        if not answer.matches and answer.complete:
            answer = self._in_ascii(answer, limit, deadline, arrived)
        elif not query.is_ascii:
            self._reads_utf_8 = True
        self._parents.learn(query, answer.matches)
        return answer

    def _candidates(self, query: Query, deadline: Deadline, arrived: Callable[[], None]) -> Matches:
        """The studies that may have the modality, which the archive cannot tell: all that match
        the other keys."""
        others = {keyword: key for keyword, key in query.keys.items() if keyword != _MODALITIES}
        wider = Query(query.level, others, query.wanted)
        answer = self._matches(wider, MOST_STUDIES, deadline, arrived)
        return replace(answer, query=query)

    def _with_modalities(self, answer: Matches, limit: int, deadline: Deadline) -> Matches:
        """The answer with the modalities its series show, and by them if they were asked for."""
        filled = Descent(self._matches).fill(answer.matches, deadline)
        notes = [
            f"This archive does not keep {_MODALITIES}; it was found by asking {filled} "
            f"{NOUN[Level.STUDY][filled != 1]} for their series."
        ]
        if _MODALITIES not in answer.query.keys:
            return replace(answer, notes=(*answer.notes, *notes))
        recheck = Recheck(answer.query)
        found = [match for match in answer.matches[:filled] if recheck.holds(match)]
        if filled < len(answer.matches) or not answer.complete:
            notes.append(
                "Not complete: there are more studies than could be asked. Narrow the question "
                "by study_date or patient_id."
            )
        elif len(found) > limit:
            notes.append(f"Not complete: these are {limit} of {len(found)} studies; raise limit.")
        whole = answer.complete and filled == len(answer.matches) and len(found) <= limit
        return Matches(answer.query, found[:limit], whole, tuple(notes))

    def _in_ascii(
        self, empty: Matches, limit: int, deadline: Deadline, arrived: Callable[[], None]
    ) -> Matches:
        """An archive that compares bytes finds nothing for a key in UTF-8 when it holds the name
        in another character set. Asked with * for those characters, and compared here, it does."""
        query = empty.query
        if query.is_ascii or self._reads_utf_8:
            return empty
        wider = query.in_ascii()
        gathering = Gathering(
            query,
            limit,
            arrived,
            loosened=[name for name, key in query.keys.items() if wider.keys.get(name) != key],
            most_examined=_MOST_COMPARED,
        )
        answer = self._gathered(wider, gathering, deadline)
        if not answer.matches and answer.complete:
            return empty
        told = (
            "Nothing matched the text as written: this archive does not compare it as Unicode. It "
            "was asked with * for the characters beyond ASCII, and the answers were compared here."
        )
        return Matches(wider, answer.matches, answer.complete, (told, *answer.notes))

    def _matches(
        self,
        query: Query,
        limit: int,
        deadline: Deadline,
        arrived: Callable[[], None] = lambda: None,
    ) -> Matches:
        """The query as it stands, its answers checked and counted."""
        return self._gathered(query, Gathering(query, limit, arrived), deadline)

    def _gathered(self, query: Query, gathering: Gathering, deadline: Deadline) -> Matches:
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


def _leaves_out_modalities(answer: Matches) -> bool:
    """Whether modalities were asked for and no match of several, or of one, tells them."""
    return (
        _MODALITIES in answer.query.wanted
        and bool(answer.matches)
        and not any(_MODALITIES in match for match in answer.matches)
    )


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
