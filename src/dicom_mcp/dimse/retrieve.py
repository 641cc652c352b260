"""Fetching objects: how they are asked for, and asked for again.

Theory. References are put together by the contexts they need and by series; one C-GET at IMAGE
level names up to 500 objects of a series. An archive is not believed: what it sends unasked is
dropped, and what neither came nor was said to have failed is asked for again, one by one, because
some archives do not read lists. What is in the end not there is named with its reason.
"""

from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ..budgets import LARGEST_OBJECT
from ..deadline import Deadline
from ..errors import ArchiveError, NoAcceptedContext, StatusFailure
from ..node import Node
from ..standard.instance import Instance, Reference, Retrieved
from ..standard.levels import Level
from ..standard.query import Query
from ..standard.sop_class import name_of
from ..standard.status import Kind, Status
from .association import Association
from .contexts import Share, batches, shares, shares_of_rare, unique_keys
from .get import GetEnding, GetModel, get
from .kinds import Find, patient_of, with_kinds
from .move import MoveModel, move
from .negotiation import Storage
from .order import NOTHING, Order

# After so many failures in a row an archive is left alone.
MOST_FAILURES = 3

_TOO_LARGE = f"an object is larger than the {LARGEST_OBJECT >> 20} MiB it may have here"
_NOT_ASKED = f"not asked for after {MOST_FAILURES} in a row had failed; ask for them alone"

# What to try, where it is not what the status's own table says (PS3.4 C.4.3.1.4).
_OTHER_WAY = "fetching over DICOMweb (objects_from) may bring them"
_REMEDIES: Mapping[int, str] = {
    0x0124: "Ask the archive's administrator to allow retrieving for our calling_ae_title",
    0xA700: "Ask for fewer objects at once, or later",
    0xA701: "Ask for fewer objects at once",
    0xA702: f"It may keep them in a form it cannot send us, which its log tells; {_OTHER_WAY}",
    0xA900: f"It does not take the UIDs of single objects; {_OTHER_WAY}",
}
_ALLOW = "Ask its administrator to allow our calling_ae_title to be sent objects of this kind"
_REGISTER = "register {title} at this machine's address, port {port}"


class Over(Protocol):
    """Lends an association over which objects of these kinds may come, for one use; when that one
    was stale, and if `again` allows, another one."""

    def __call__[T](
        self,
        use: Callable[[Association], T],
        storage: frozenset[Storage],
        again: Callable[[], bool],
    ) -> T: ...


@dataclass(slots=True)
class Manners:
    """What was learned of an archive: whether it reads a list of UIDs, and offers C-GET."""

    reads_lists: bool = True
    offers_get: bool = True


@dataclass(frozen=True, slots=True)
class _Request:
    """Objects of one series to be asked for: `single` after a list of UIDs returned nothing,
    `with_bulk_data` after the request without it failed."""

    references: tuple[Reference, ...]
    single: bool = False
    with_bulk_data: bool = False


class Retrieval:
    """One call. `over` lends associations, `find` asks a query while none is held; C-MOVE is tried
    where the `node` has a receiver.

    `service` is what was asked last, `outcome` the status that was told last.
    """

    def __init__(
        self,
        order: Order,
        over: Over,
        find: Find,
        manners: Manners,
        deadline: Deadline,
        node: Node,
    ) -> None:
        self.service = "C-GET"
        self.outcome = "stopped"
        self._node = node
        self._receiver = node.receiver
        self._order = order
        self._over = over
        self._find = find
        self._manners = manners
        self._deadline = deadline
        self._patients: dict[str, str] = {}
        self._failed: set[str] = set()
        self._failure: ArchiveError | None = None
        self._refused: set[str] = set()
        self._failures_in_a_row = 0
        self._brought: dict[str, None] = {}

    def run(self, *, headers: bool) -> Retrieved:
        """Fetch what was ordered. Raises the first failure if no object came at all."""
        order = self._order
        try:
            if self._manners.offers_get or not self._receiver:
                self._get(headers=headers)
            if self._receiver and not order.stopped:
                self._move()
        except ArchiveError as error:
            self._failure = self._failure or error
            order.give_up(order.waiting(), str(error).rstrip("."))
        if self._failure and not order.count:
            raise self._failure
        return order.retrieved(", ".join(self._brought) or self.service)

    def _get(self, *, headers: bool) -> None:
        known = with_kinds(self._order.usable, self._find)
        try:
            self._fetch(shares(known), headers=headers)
        except NoAcceptedContext as error:
            self._manners.offers_get = False
            if not self._receiver:
                raise NoAcceptedContext(
                    f"{error.happened}, and no receiver is configured for C-MOVE",
                    "Have C-GET enabled there for our calling_ae_title, or configure a receiver "
                    "for this node, or an objects_from that names a DICOMweb node",
                ) from error
            return
        self._manners.offers_get = True
        failed = _among(known, self._failed)
        # What was said of their transfer syntaxes may have been wrong.
        told = [
            replace(reference, transfer_syntaxes=())
            for reference in failed
            if reference.transfer_syntaxes
        ]
        self._fetch(shares(told), headers=headers)
        untold = [reference for reference in failed if not reference.sop_class_uid]
        self._fetch(shares_of_rare(untold), headers=headers)

    def _move(self) -> None:
        """What C-GET could not bring, or all where there is none."""
        wanted = self._order.left(self._order.usable)
        if self._manners.offers_get:
            wanted = _among(wanted, self._failed)
        if not wanted:
            return
        self.service = "C-MOVE"
        try:
            self._fetch([Share(frozenset(), batches(wanted))], headers=False)
        except NoAcceptedContext as error:
            if self._manners.offers_get:  # then C-GET has said why
                return
            self._manners.offers_get = True  # asked again next time, it may have been enabled
            raise NoAcceptedContext(
                f"it offers neither C-GET nor C-MOVE to us ({error.happened})",
                "Have one of them enabled there for our calling_ae_title, or configure an "
                "objects_from that names a DICOMweb node",
            ) from error
        except ArchiveError as error:
            self._failure = error
            self._order.give_up(self._order.left(wanted), str(error).rstrip("."))

    def _fetch(self, wanted: Sequence[Share], *, headers: bool) -> None:
        for share in wanted:
            left = [tuple(self._order.left(batch)) for batch in share.batches]
            todo = deque(_Request(batch) for batch in left if batch)
            if not self._manners.reads_lists:
                todo = deque(_Request((reference,)) for batch in left for reference in batch)
            self._failures_in_a_row = 0
            while todo and not self._order.stopped:
                study = self._over(
                    lambda association, todo=todo: self._fetch_over(association, todo, headers),
                    share.storage,
                    lambda: not self._order.count,
                )
                if study:
                    self._patients[study] = patient_of(study, self._find)

    def _fetch_over(self, association: Association, todo: deque[_Request], headers: bool) -> str:
        """As much of it as this association brings; a study whose patient must be known first."""
        ordinary = _move_model(association) if self.service == "C-MOVE" else _model(association)
        if isinstance(ordinary, GetModel) and not association.storage:
            self._give_up_all(todo)
        accepted = {offered.sop_class for offered in association.storage.values()}
        self._refused = {offered.sop_class for offered in association.proposed} - accepted
        without = headers and association.offers(GetModel.WITHOUT_BULK_DATA)
        while todo and not self._order.stopped:
            request = todo[0]
            model = (
                GetModel.WITHOUT_BULK_DATA if without and not request.with_bulk_data else ordinary
            )
            study = request.references[0].study_instance_uid
            if model in _PATIENT_ROOTS and study not in self._patients:
                return study
            ending = self._ask(association, request, model, headers)
            self._order.settle()
            todo.popleft()
            if len(self._order.left(request.references)) < len(request.references):
                self._brought[self.service] = None
            if ending.status:
                self.outcome = f"0x{ending.status.code:04X}"
            if not self._order.stopped:
                todo.extendleft(reversed(self._again(request, model, ending)))
            if self._failures_in_a_row >= MOST_FAILURES:
                self._spare(todo)
            if not association.clean:
                break
        return ""

    def _ask(
        self,
        association: Association,
        request: _Request,
        model: GetModel | MoveModel,
        headers: bool,
    ) -> GetEnding:
        query, hand = self._query(request, model), self._order.taker(request.references)

        def take(instance: Instance) -> bool:
            return hand(
                replace(instance, without_bulk=True)
                if model is GetModel.WITHOUT_BULK_DATA
                else instance
            )

        if isinstance(model, GetModel):
            ending = get(association, query, model, take, deadline=self._deadline)
            if not headers or not ending.beginning:
                return ending
            take(ending.beginning)  # whose header is wanted
            return replace(ending, too_large="")
        assert self._receiver
        return move(
            association,
            query,
            model,
            self._node,
            [reference.sop_instance_uid for reference in self._order.left(request.references)],
            take,
            deadline=self._deadline,
            largest=LARGEST_OBJECT,
        )

    def _query(self, request: _Request, model: GetModel | MoveModel) -> Query:
        keys = dict(unique_keys(request.references))
        if model is GetModel.WITHOUT_BULK_DATA:  # it has no levels above (PS3.4 Z.4.2.1.3.1)
            keys = {"SOPInstanceUID": keys["SOPInstanceUID"]}
        elif model in _PATIENT_ROOTS:
            keys["PatientID"] = self._patients[keys["StudyInstanceUID"]]
        return Query(Level.IMAGE, keys)

    def _again(
        self, request: _Request, model: GetModel | MoveModel, ending: GetEnding
    ) -> list[_Request]:
        """What of a request is to be asked for again; the rest that did not come is given up."""
        missing = tuple(self._order.left(request.references))
        came = len(request.references) - len(missing)
        if ending.too_large:
            return self._after_too_large(missing, ending.too_large)
        if came:
            self._failures_in_a_row = 0
            self._manners.reads_lists &= not request.single
        if not missing:
            return []
        if came and ending.beginning:
            return [replace(request, references=missing)]
        if model is GetModel.WITHOUT_BULK_DATA:
            return [replace(request, references=missing, with_bulk_data=True)]
        failed = _among(missing, ending.failed_uids)
        if ending.failed >= len(missing):
            failed = list(missing)
        silent = tuple(reference for reference in missing if reference not in failed)
        self._give_up(failed, ending)
        if len(request.references) > 1:
            return [
                _Request((reference,), single=came <= 1, with_bulk_data=request.with_bulk_data)
                for reference in silent
            ]
        self._give_up(silent, ending)
        self._failures_in_a_row += request.single
        return []

    def _give_up(self, references: Sequence[Reference], ending: GetEnding) -> None:
        said = ending.status
        if not references or said is None:
            return
        visit, register = ending.visit, ""
        if self._receiver and self.service == "C-MOVE" and not visit.came:
            register = _REGISTER.format(title=self._receiver.ae_title, port=self._receiver.port)
        if said.kind is Kind.SUCCESS and not ending.failed:
            told = NOTHING
            if visit.came:
                trouble = visit.trouble or "its log tells why"
                told = f"the archive came to our receiver and did not send them: {trouble}"
            elif ending.completed and register:
                told = f"the archive says that it sent them, but not to us: {register}"
            self._order.give_up(references, f"{told}{visit.others}")
            return
        for refused, some in self._by_refusal(references):
            why = f"{refused or visit.trouble}; " if refused or visit.trouble else ""
            error = StatusFailure(
                f"the archive could not send them: {why}it ended {self.service} with status "
                f"{ending.told}{visit.others}",
                _remedy(said, register) if not refused else _ALLOW,
                status=said.code,
            )
            self._order.give_up(some, str(error).rstrip("."))
            self._failed.update(reference.sop_instance_uid for reference in some)
            if said.kind is Kind.FAILURE:
                self._failure = error

    def _by_refusal(
        self, references: Sequence[Reference]
    ) -> Iterator[tuple[str, Sequence[Reference]]]:
        """The references by what was refused them: the contexts of their SOP class, or ""."""
        classes: dict[str, list[Reference]] = {}
        for reference in references:
            sop_class = reference.sop_class_uid
            refused = sop_class if sop_class in self._refused else ""
            classes.setdefault(refused, []).append(reference)
        for sop_class, some in classes.items():
            yield sop_class and f"it accepts no presentation context for {name_of(sop_class)}", some

    def _after_too_large(self, missing: tuple[Reference, ...], uid: str) -> list[_Request]:
        error = ArchiveError(_TOO_LARGE, "Its attributes can still be asked for with a query")
        self._failure = self._failure or error
        self._failures_in_a_row += 1
        rest = tuple(reference for reference in missing if reference.sop_instance_uid != uid)
        self._order.give_up(_among(missing, {uid}), _TOO_LARGE)
        if len(rest) == len(missing):  # it was not asked for and would come again
            return [_Request((reference,)) for reference in rest]
        return [_Request(rest)] if rest else []

    def _give_up_all(self, todo: deque[_Request]) -> None:
        """Nothing of this can come: the archive accepts C-GET, but no context for the objects."""
        error = NoAcceptedContext(
            "it accepts C-GET but would send us no object of the kinds asked for",
            _ALLOW,
        )
        self._failure = self._failure or error
        while todo:
            references = todo.popleft().references
            self._order.give_up(references, str(error).rstrip("."))
            self._failed.update(reference.sop_instance_uid for reference in references)

    def _spare(self, todo: deque[_Request]) -> None:
        """Ask no more for what would be in vain: every other one alone, or anything large."""
        rest = [request for request in todo if request.single] or list(todo)
        for request in rest:
            self._order.give_up(request.references, _NOT_ASKED)
            todo.remove(request)
        self._failures_in_a_row = 0


def _among(references: Iterable[Reference], uids: Container[str]) -> list[Reference]:
    return [reference for reference in references if reference.sop_instance_uid in uids]


def _model(association: Association) -> GetModel:
    """The information model to ask. Raises NoAcceptedContext where there is none."""
    if not association.offers(GetModel.STUDY_ROOT) and association.offers(GetModel.PATIENT_ROOT):
        return GetModel.PATIENT_ROOT
    association.context(GetModel.STUDY_ROOT, "C-GET")
    return GetModel.STUDY_ROOT


def _move_model(association: Association) -> MoveModel:
    if not association.offers(MoveModel.STUDY_ROOT) and association.offers(MoveModel.PATIENT_ROOT):
        return MoveModel.PATIENT_ROOT
    association.context(MoveModel.STUDY_ROOT, "C-MOVE")
    return MoveModel.STUDY_ROOT


_PATIENT_ROOTS = (GetModel.PATIENT_ROOT, MoveModel.PATIENT_ROOT)

# These are about what was asked for; other failures of a C-MOVE are mostly about where to send it:
# Orthanc calls a destination it does not know 0xC000.
_ABOUT_REQUEST = frozenset({0x0124, 0xA700, 0xA701, 0xA900})
_UNKNOWN_DESTINATION = 0xA801  # PS3.4 C.4.2.1.5


def _remedy(said: Status, register: str) -> str:
    if register and said.code == _UNKNOWN_DESTINATION:
        return register
    if register and said.code not in _ABOUT_REQUEST:
        return f"If it cannot reach or does not know our receiver, {register}; its log tells"
    return _REMEDIES.get(said.code, said.remedy) or _REMEDIES[0xA702]
