"""Fetching objects: how they are asked for, and asked for again.

Theory. References are put together by the contexts they need and by series; one C-GET at IMAGE
level names up to 500 objects of a series. An archive is not believed: what it sends unasked is
dropped, and what neither came nor was said to have failed is asked for again, one by one, because
some archives do not read lists. What is in the end not there is named with its reason.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from ..deadline import Deadline
from ..errors import ArchiveError, Cancelled, NoAcceptedContext, StatusFailure
from ..standard.instance import Reference, Retrieved
from ..standard.levels import Level
from ..standard.query import Ending, Match, Query
from ..standard.status import Kind
from .association import Association, Storage
from .contexts import shares, unique_keys
from .get import GetEnding, GetModel, get
from .order import Order

SERVICE = "C-GET"

# Bytes of one object. An enhanced CT of 300 slices has 157 MB; it is in memory as a whole, and
# what reads it needs as much again.
LARGEST_OBJECT = 192 << 20

# After so many failures in a row an archive is left alone.
MOST_FAILURES = 3

_TOO_LARGE = f"an object is larger than the {LARGEST_OBJECT >> 20} MiB it may have here"
_NOTHING = "the archive sent nothing for them and reported no failure: it does not hold them"
_NOT_ASKED = f"not asked for any more after {MOST_FAILURES} failures in a row"

# What to try, where it is not what the status's own table says (PS3.4 C.4.3.1.4).
_OTHER_WAY = "fetching over DICOMweb (objects_from) may bring them"
_REMEDIES: Mapping[int, str] = {
    0x0124: "Ask the archive's administrator to allow C-GET for our calling_ae_title",
    0xA700: "Ask for fewer objects at once, or later",
    0xA701: "Ask for fewer objects at once",
    0xA702: f"It may keep them in a form it cannot send us, which its log tells; {_OTHER_WAY}",
    0xA900: f"Its C-GET does not take the UIDs of single objects; {_OTHER_WAY}",
}


class Over(Protocol):
    """Lends an association over which objects of these kinds may come, for one use; when that one
    was stale, and if `again` allows, another one."""

    def __call__[T](
        self,
        use: Callable[[Association], T],
        storage: frozenset[Storage],
        again: Callable[[], bool],
    ) -> T: ...


type Find = Callable[[Query, Callable[[Match, int], bool]], Ending]


@dataclass(slots=True)
class Manners:
    """What was learned of an archive's C-GET: whether it reads a list of UIDs."""

    reads_lists: bool = True


@dataclass(frozen=True, slots=True)
class _Request:
    """Objects of one series to be asked for; `alone` after a list did not bring them, `whole` when
    it was in vain to ask without their bulk data."""

    references: tuple[Reference, ...]
    alone: bool = False
    whole: bool = False


class Retrieval:
    """One call. `over` lends associations, `find` asks a query while none is held.

    `outcome` is the status that was told last.
    """

    def __init__(
        self, order: Order, over: Over, find: Find, manners: Manners, deadline: Deadline
    ) -> None:
        self.outcome = "stopped"
        self._order = order
        self._over = over
        self._find = find
        self._manners = manners
        self._deadline = deadline
        self._patients: dict[str, str] = {}
        self._failure: ArchiveError | None = None
        self._in_vain = 0

    def run(self, *, headers: bool) -> Retrieved:
        """Fetch what was ordered. Raises the first failure if no object came at all."""
        order = self._order
        try:
            known = self._with_kinds(order.usable)
            self._get(known, headers=headers)
            # What was said of their transfer syntaxes may have been wrong.
            failed = [one for one in known if one.transfer_syntaxes]
            if failed and not order.stopped:
                again = [replace(one, transfer_syntaxes=()) for one in order.left(failed)]
                self._get(again, headers=headers)
        except Cancelled:
            raise
        except ArchiveError as error:
            self._failure = self._failure or error
            order.give_up(order.left(), _told(error))
        if self._failure and not order.count:
            raise self._failure
        return order.retrieved(SERVICE)

    def _with_kinds(self, references: Sequence[Reference]) -> list[Reference]:
        """The references with the kinds of object that were not known, as far as C-FIND tells."""
        unknown: dict[tuple[str, str], set[str]] = {}
        for one in references:
            if not one.sop_class_uid:
                series = one.study_instance_uid, one.series_instance_uid
                unknown.setdefault(series, set()).add(one.sop_instance_uid)
        kinds: dict[str, tuple[str, tuple[str, ...]]] = {}
        for (study, series), uids in unknown.items():
            # The usual kinds are offered for what cannot be learned.
            with suppress(StatusFailure, NoAcceptedContext):
                kinds |= self._kinds(study, series, uids)
        return [
            replace(one, sop_class_uid=kinds[uid][0], transfer_syntaxes=kinds[uid][1])
            if (uid := one.sop_instance_uid) in kinds
            else one
            for one in references
        ]

    def _kinds(
        self, study: str, series: str, uids: set[str]
    ) -> dict[str, tuple[str, tuple[str, ...]]]:
        keys = {"StudyInstanceUID": study, "SeriesInstanceUID": series}
        if len(uids) == 1:
            (keys["SOPInstanceUID"],) = uids
        found: dict[str, tuple[str, tuple[str, ...]]] = {}

        def note(match: Match, size: int) -> bool:  # noqa: ARG001 - the shape of `take`
            uid, kind = match.get("SOPInstanceUID"), match.get("SOPClassUID")
            if uid in uids and isinstance(kind, str) and kind:
                syntaxes = match.get("AvailableTransferSyntaxUID", "")
                told = syntaxes if isinstance(syntaxes, list) else [syntaxes]
                found[uid] = kind, tuple(str(one) for one in told if one)
            return len(found) < len(uids)

        wanted = ("SOPClassUID", "AvailableTransferSyntaxUID")
        self._find(Query(Level.IMAGE, keys, wanted), note)
        return found

    def _get(self, references: Sequence[Reference], *, headers: bool) -> None:
        for share in shares(references):
            todo = deque(map(_Request, share.batches))
            if not self._manners.reads_lists:
                todo = deque(_Request((one,)) for batch in share.batches for one in batch)
            while todo and not self._order.stopped:
                study = self._over(
                    lambda association, todo=todo: self._get_over(association, todo, headers),
                    share.storage,
                    lambda: not self._order.count,
                )
                if study:
                    self._patients[study] = self._patient_of(study)

    def _get_over(self, association: Association, todo: deque[_Request], headers: bool) -> str:
        """As much of it as this association brings; a study whose patient must be known first."""
        ordinary = _model(association)
        without = headers and association.offers(GetModel.WITHOUT_BULK_DATA)
        while todo and not self._order.stopped:
            request = todo[0]
            model = GetModel.WITHOUT_BULK_DATA if without and not request.whole else ordinary
            study = request.references[0].study_instance_uid
            if model is GetModel.PATIENT_ROOT and study not in self._patients:
                return study
            ending = get(
                association,
                self._query(request, model),
                model,
                self._order.taker(request.references),
                deadline=self._deadline,
            )
            todo.popleft()
            if ending.status:
                self.outcome = f"0x{ending.status.code:04X}"
            if not self._order.stopped:
                todo.extendleft(reversed(self._again(request, model, ending)))
            if self._in_vain >= MOST_FAILURES:
                self._order.give_up(self._order.left(), _NOT_ASKED)
                todo.clear()
            if not association.clean:
                break
        return ""

    def _query(self, request: _Request, model: GetModel) -> Query:
        keys = dict(unique_keys(request.references))
        if model is GetModel.WITHOUT_BULK_DATA:  # it has no levels above (PS3.4 Z.4.2.2.1)
            keys = {"SOPInstanceUID": keys["SOPInstanceUID"]}
        elif model is GetModel.PATIENT_ROOT:
            keys["PatientID"] = self._patients[keys["StudyInstanceUID"]]
        return Query(Level.IMAGE, keys)

    def _again(self, request: _Request, model: GetModel, ending: GetEnding) -> list[_Request]:
        """What of a request is to be asked for again; the rest that did not come is given up."""
        missing = tuple(self._order.left(request.references))
        came = len(request.references) - len(missing)
        if ending.too_large:
            return self._after_too_large(missing, ending.too_large)
        if came:
            self._in_vain = 0
            self._manners.reads_lists &= not request.alone
        if not missing:
            return []
        if model is GetModel.WITHOUT_BULK_DATA:
            return [replace(request, references=missing, whole=True)]
        failed = [one for one in missing if one.sop_instance_uid in ending.failed_uids]
        if ending.failed >= len(missing):
            failed = list(missing)
        silent = tuple(one for one in missing if one not in failed)
        self._give_up(failed, ending)
        if len(request.references) > 1:
            return [_Request((one,), alone=came <= 1, whole=request.whole) for one in silent]
        self._give_up(silent, ending)
        self._in_vain += request.alone or _kind(ending) is Kind.FAILURE
        return []

    def _give_up(self, references: Sequence[Reference], ending: GetEnding) -> None:
        said = ending.status
        if not references or said is None:
            return
        if said.kind is Kind.SUCCESS and not ending.failed:
            self._order.give_up(references, _NOTHING)
            return
        remedy = _REMEDIES.get(said.code, said.remedy) or _REMEDIES[0xA702]
        error = StatusFailure(
            f"the archive could not send them and ended {SERVICE} with status {said}",
            remedy,
            status=said.code,
        )
        self._order.give_up(references, _told(error))
        if said.kind is Kind.FAILURE:
            self._failure = self._failure or error

    def _after_too_large(self, missing: tuple[Reference, ...], uid: str) -> list[_Request]:
        error = ArchiveError(_TOO_LARGE, "Its attributes can still be asked for with a query")
        self._failure = self._failure or error
        self._in_vain += 1
        rest = tuple(one for one in missing if one.sop_instance_uid != uid)
        self._order.give_up((one for one in missing if one not in rest), _TOO_LARGE)
        if len(rest) == len(missing):  # it was not asked for and would come again
            return [_Request((one,)) for one in rest]
        return [_Request(rest)] if rest else []

    def _patient_of(self, study: str) -> str:
        """The patient a Patient Root wants to know; "" where that cannot be learned."""
        found: list[str] = []

        def note(match: Match, size: int) -> bool:  # noqa: ARG001 - the shape of `take`
            found.append(str(match.get("PatientID", "")))
            return False

        with suppress(StatusFailure, NoAcceptedContext):
            self._find(Query(Level.STUDY, {"StudyInstanceUID": study}, ("PatientID",)), note)
        return found[0] if found else ""


def _model(association: Association) -> GetModel:
    """The information model to ask. Raises NoAcceptedContext where there is none, or where no
    object could come."""
    if not association.offers(GetModel.STUDY_ROOT) and association.offers(GetModel.PATIENT_ROOT):
        model = GetModel.PATIENT_ROOT
    else:
        model = GetModel.STUDY_ROOT
    association.context(model, SERVICE)
    if not association.storage:
        association.clean = False
        raise NoAcceptedContext(
            f"it accepts {SERVICE} but would send us no object of the kinds asked for",
            "Ask its administrator to allow our calling_ae_title to be sent objects",
        )
    return model


def _kind(ending: GetEnding) -> Kind | None:
    return ending.status.kind if ending.status else None


def _told(error: ArchiveError) -> str:
    return f"{error.happened}. {error.remedy}".rstrip(". ")
