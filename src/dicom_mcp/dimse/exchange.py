"""Putting one query to one archive: an association is lent, used, and told about."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from functools import partial
from time import perf_counter

from .. import journal
from ..budgets import LARGEST_MATCH, LARGEST_OBJECT
from ..deadline import Deadline
from ..errors import (
    ArchiveError,
    AssociationAborted,
    Cancelled,
    ConnectionLost,
    DeadlinePassed,
    NoAcceptedContext,
    StatusFailure,
    Unreachable,
)
from ..network.breaker import Breaker
from ..network.tls import tls_context
from ..node import Node
from ..standard.instance import Reference, Retrieved, TakeInstance
from ..standard.levels import MODALITY_WORKLIST, Level, Model
from ..standard.note import Note, incomplete, remark
from ..standard.one_frame import OneFrame
from ..standard.query import Answer, Ending, Query, Rows, damaged
from ..standard.status import TOO_MANY, Kind
from .association import Association
from .echo import VERIFICATION, echo
from .find import Answered, find
from .get import GetModel
from .move import MoveModel
from .negotiation import Storage
from .order import Order
from .pool import Lease, Pool
from .retrieve import Manners, Retrieval

# One association serves every kind of question.
_ABSTRACT_SYNTAXES = (VERIFICATION, *(model.value for model in Model), MODALITY_WORKLIST)

# Objects are asked for over one that may bring them, or with C-MOVE over any.
_RETRIEVING = tuple(map(str, GetModel))
_MOVING = tuple(map(str, MoveModel))

# What to try where not what the status's own table says: a worklist has no levels (PS3.4 K.6.1.2).
_REMEDIES: Mapping[str, Mapping[int, str]] = {
    Model.PATIENT_ROOT: {},
    Model.STUDY_ROOT: {},
    MODALITY_WORKLIST: dict.fromkeys(
        (0x0105, 0x0106, 0x0115, 0x0120, 0x0121, 0x0122, 0xA900),
        "Ask with other keys, by date or station alone: a worklist need not support every one",
    ),
}


class DimseExchange:
    """The associations to one node and what is asked over them, a query at a time."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._pool = Pool(self._associate, size=node.connections)
        self._breaker = Breaker()
        tls = node.tls
        self._context = tls_context(tls.ca_file, tls.certificate) if tls else None
        # How it wants objects to be asked for; known once asked.
        self.manners = Manners()
        self._services = _ABSTRACT_SYNTAXES + (_MOVING if node.receiver else ())
        # Whether the archive offers Patient Root queries only (PS3.4 C.6.1); known once asked.
        self.patient_root_only = False

    def verify(self, deadline: Deadline) -> float:
        """C-ECHO; returns the milliseconds it took, without associating when that was done."""

        def ask(association: Association) -> float:
            start = perf_counter()
            echo(association, deadline=deadline)
            return (perf_counter() - start) * 1000

        self._breaker.reached()  # somebody asks on purpose
        started = perf_counter()
        outcome = "failed"
        try:
            milliseconds = self._asking(ask, deadline)
            outcome = "0x0000"
            return milliseconds
        except (ArchiveError, Cancelled) as error:
            outcome = _outcome(error)
            raise
        finally:
            self._log("C-ECHO", outcome, started)

    def place(self, deadline: Deadline) -> AbstractContextManager[None]:
        """One association of those it may hold is made elsewhere, while the block runs."""
        self._breaker.reached()  # somebody asks on purpose
        return self._pool.place(deadline=deadline)

    def close(self) -> None:
        """Release the associations."""
        self._pool.close()

    def ask(self, query: Query, *, deadline: Deadline) -> Answer:
        """Put one query to it, over an association that is lent as long as the answer comes.

        Its rows raise StatusFailure when the archive fails without giving a match, the ArchiveError
        that ended the association, whatever came before, and NoAcceptedContext where there is no
        such service.
        """
        return Answer(self._rows(query, deadline))

    def _rows(self, query: Query, deadline: Deadline) -> Rows:
        """The rows; the log is told how it ended. An association that went stale while it was kept
        (the archive restarted, say) shows at the first use: then over a new one, once."""
        started = perf_counter()
        count, outcome = 0, "failed"
        answered = Answered()
        lease: Lease | None = None
        try:
            for fresh in (False, True):
                try:
                    with self._pool.lease(deadline=deadline, fresh=fresh) as lease:
                        model = self._model(lease.association, query)
                        rows = find(lease.association, query, model, answered, deadline=deadline)
                        with closing(rows):
                            for row in rows:
                                count += 1
                                yield row
                    break
                except (ConnectionLost, AssociationAborted):
                    if fresh or lease is None or not lease.used_before or count:
                        raise
                    lease = None
            outcome = f"0x{answered.status.code:04X}" if answered.status else outcome
            return _ending(answered, query, count)
        except GeneratorExit:
            outcome = "stopped"
            raise
        except (ArchiveError, Cancelled) as error:
            outcome = _outcome(error)
            raise
        finally:
            self._log("C-FIND", outcome, started, level=query.level, rows=count)

    def _model(self, association: Association, query: Query) -> str:
        """The model to ask in: Patient Root where there is no other (PS3.4 C.6.1)."""
        offered = map(association.offers, (Model.PATIENT_ROOT, Model.STUDY_ROOT))
        patient_root, study_root = offered
        self.patient_root_only = patient_root and not study_root
        is_below = query.model == Model.STUDY_ROOT
        return Model.PATIENT_ROOT if self.patient_root_only and is_below else query.model

    def is_listable(self, keyword: str, value: str) -> bool:  # noqa: ARG002 - the protocol's shape
        """Every value can stand in a list: none holds a backslash (PS3.5 6.2)."""
        return True

    def frame(self, reference: Reference, number: int, *, deadline: Deadline) -> OneFrame:  # noqa: ARG002 - the protocol's shape
        """Raises NoAcceptedContext: C-GET and C-MOVE give objects, not frames of them."""
        raise NoAcceptedContext(
            "over DIMSE an archive gives whole objects only, no single frames",
            "Ask the archive over DICOMweb, if it has that, at a node of its own",
        )

    def retrieve(
        self,
        references: Sequence[Reference],
        take: TakeInstance,
        *,
        deadline: Deadline,
        headers: bool = False,
    ) -> Retrieved:
        """Fetch these objects, each handed to `take` as it arrives, until that returns False.

        Raises NoAcceptedContext where the archive sends no objects this way, and the first failure
        when no object came.
        """

        def over[T](
            use: Callable[[Association], T],
            storage: frozenset[Storage],
            again: Callable[[], bool],
        ) -> T:
            return self._asking(use, deadline, again=again, storage=storage)

        started = perf_counter()
        order = Order(references, take)
        ask = partial(self.ask, deadline=deadline)
        retrieval = Retrieval(order, over, ask, self.manners, deadline, self.node)
        outcome = "failed"
        try:
            retrieved = retrieval.run(headers=headers)
            outcome = retrieval.outcome
            return retrieved
        except (ArchiveError, Cancelled) as error:
            outcome = _outcome(error)
            raise
        finally:
            self._log(retrieval.service, outcome, started, level=Level.IMAGE, rows=order.count)

    def _asking[T](
        self,
        ask: Callable[[Association], T],
        deadline: Deadline,
        *,
        again: Callable[[], bool] = lambda: True,
        storage: frozenset[Storage] = frozenset(),
    ) -> T:
        """Ask over a lent association, one over which objects of these kinds may come. One that
        went stale while it was kept (the archive restarted, say) shows at the first use; then,
        once and if `again` allows, over a new one."""
        lease: Lease | None = None
        lend = partial(
            self._pool.lease,
            deadline=deadline,
            storage=storage,
            associate=partial(self._associate, storage=storage),
        )
        try:
            with lend() as lease:
                return ask(lease.association)
        except (ConnectionLost, AssociationAborted):
            if lease is None or not lease.used_before or not again():
                raise
        with lend(fresh=True) as lease:
            return ask(lease.association)

    def _associate(
        self, deadline: Deadline, storage: frozenset[Storage] = frozenset()
    ) -> Association:
        self._breaker.check()
        try:
            association = Association.request(
                self.node,
                self._services + (_RETRIEVING if storage else ()),
                deadline=deadline,
                storage=sorted(storage, key=str),
                largest=LARGEST_OBJECT if storage else LARGEST_MATCH,
                context=self._context,
            )
        except (Unreachable, DeadlinePassed) as error:
            self._breaker.failed(error)
            raise
        self._breaker.reached()
        return association

    def _log(self, service: str, outcome: str, started: float, **facts: object) -> None:
        """Where, under which titles, what, how it ended; the keys' names but never their values."""
        journal.event(
            logging.INFO,
            service,
            archive=f"{self.node.host}:{self.node.port}",
            called_ae_title=self.node.called_ae_title,
            calling_ae_title=self.node.calling_ae_title,
            **facts,
            outcome=outcome,
            ms=(perf_counter() - started) * 1000,
        )


def _outcome(error: ArchiveError | Cancelled) -> str:
    """How a question that failed ended, as an administrator looks it up: a status if there was
    one, else the kind of error."""
    if isinstance(error, StatusFailure):
        return f"0x{error.status:04X}"
    return "deadline" if isinstance(error, DeadlinePassed) else type(error).__name__


def _ending(answered: Answered, query: Query, count: int) -> Ending:
    """What an answer that ended so is worth.

    Raises StatusFailure when the archive failed without giving a match.
    """
    notes: list[Note] = []
    nouns = query.nouns
    if answered.optional_keys_unsupported:
        notes.append(
            remark(
                "The archive said that it does not support some of the keys (status 0xFF01); what "
                "it left out is missing from the records."
            )
        )
    if answered.damaged:
        notes.append(damaged(answered.damaged, nouns))
    said = answered.status
    if said is None or said.kind is Kind.SUCCESS:
        return Ending(whole=not answered.damaged, notes=tuple(notes))
    remedy = _REMEDIES[query.model].get(said.code, said.remedy)
    if said.kind in (Kind.FAILURE, Kind.CANCEL) and not count:
        raise StatusFailure(
            f"the query for {nouns[1]} failed with status {said}",
            remedy,
            status=said.code,
            offending=answered.offending,
        )
    notes.append(
        incomplete(
            f"the archive ended its answer with status {said} after {count} "
            f"{nouns[count != 1]}. {remedy}".rstrip()
        )
    )
    return Ending(whole=False, capped=said.code in TOO_MANY, notes=tuple(notes))
