"""WADO-RS: objects, or their headers, fetched from one server (PS3.18 10.4).

Theory. Every object has a place of its own, so it is asked for there, and what keeps one from
coming keeps none of the others. Where many of one series are wanted, and the series has few others,
one request brings them all; what did not come with it is asked for alone. Servers differ in what
they understand of Accept: the forms are tried in turn, and the one that was answered is remembered.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import starmap

from ..budgets import LARGEST_METADATA
from ..deadline import Deadline
from ..errors import (
    ArchiveError,
    ConnectionLost,
    NoAcceptedContext,
    ProtocolViolation,
    StatusFailure,
)
from ..in_hand import IN_HAND
from ..standard.identity import identity
from ..standard.instance import Instance, Reference, Retrieved, TakeInstance
from ..standard.note import remark
from ..standard.part10 import file_meta
from ..standard.values import is_uid
from .connection import Response
from .ending import settled
from .header import header
from .model import TAG, objects
from .multipart import media_type, parts, whole
from .server import Refused, Server, check
from .status import RETRIEVAL

SERVICE = "WADO-RS"

# Objects in the transfer syntax they are kept in (PS3.18 8.7.3.5.2); servers that know no such
# parameter may transcode; a few do not know parts (PS3.18 8.7.3.4 allows that).
FORMS = (
    'multipart/related; type="application/dicom"; transfer-syntax=*',
    'multipart/related; type="application/dicom"',
    "application/dicom",
)
_METADATA = "application/dicom+json"

# A request costs a way there and back. From ten objects on it is worth one to know whether the
# whole series can be asked for, of which at most a third may be others (docs/decisions/0023).
MANY = 10
_MOST_OTHERS = 0.5

# Failures in a row after which a server is left alone.
MOST_FAILURES = 3

_WRONG_FORM = frozenset({400, 406, 415, 501})
_NOT_OFFERED = frozenset({405, 501})
_ABSENT = frozenset({404, 410})
# The same will be said of every object.
_OF_THE_SERVER = frozenset({401, 407, 429, 503})

_NOT_DICOM = "what it sent is not a DICOM file (PS3.10)"
_ANOTHER = "it sent another object than the one that was asked for"

type _Kept = dict[str, Reference]


class Wado:
    """Fetching from one server, and how that server wants to be asked.

    `verify` raises an ArchiveError where base_url is wrong; `size_of_series` says how many objects
    the series of a reference has, 0 if that is not known.
    """

    def __init__(
        self,
        server: Server,
        verify: Callable[[Deadline], object],
        size_of_series: Callable[[Reference, Deadline], int],
    ) -> None:
        self.server = server
        self.verify = verify
        self.size_of_series = size_of_series
        # How it is asked first; the form that it answered first.
        self.form = FORMS[0]
        self.is_proven = False
        # Whether something was fetched here, so that base_url is right.
        self.answered = False
        self.has_series = True
        self.has_metadata = True

    def retrieve(
        self,
        references: Sequence[Reference],
        take: TakeInstance,
        *,
        deadline: Deadline,
        headers: bool,
    ) -> Retrieved:
        """Fetch these objects, as `Exchange.retrieve` says."""
        return _Retrieval(self, references, take, deadline).run(headers=headers)


class _Retrieval:
    """One call: what is still wanted, what came, and why others did not."""

    def __init__(
        self, wado: Wado, references: Sequence[Reference], take: TakeInstance, deadline: Deadline
    ) -> None:
        self._wado = wado
        self._take = take
        self._deadline = deadline
        self._grown = partial(IN_HAND.need, deadline=deadline)
        self._wanted = {_place(reference): reference for reference in references}
        self._left = dict(self._wanted)
        self._reasons: Counter[str] = Counter()
        self._failure: ArchiveError | None = None
        self._in_a_row = 0
        self._tried: set[tuple[str, str]] = set()
        self._count = 0
        self._stopped = False

    def run(self, *, headers: bool) -> Retrieved:
        usable = [reference for reference in self._wanted.values() if _is_usable(reference)]
        if len(usable) < len(self._wanted):
            self._reasons["their UIDs are not valid (PS3.5 9.1)"] = len(self._wanted) - len(usable)
        groups: dict[str, _Kept] = {}
        for reference in usable:
            groups.setdefault(_series(reference), {})[reference.sop_instance_uid] = reference
        try:
            for group in groups.values():
                self._fetch(group, headers=headers)
                if self._stopped:
                    break
        except ArchiveError as error:
            self._failure = self._failure or error
            self._reasons[str(error).rstrip(".")] += len(self._left) - self._reasons.total()
        if self._failure and not self._count:
            raise self._failure
        return self._retrieved()

    def _retrieved(self) -> Retrieved:
        tried = self._tried if self._stopped else self._left.keys()
        missing = [reference for place, reference in self._left.items() if place in tried]
        whole = len(self._wanted)
        notes = [
            remark(f"{number} of {whole} objects did not come: {reason}.")
            for reason, number in self._reasons.items()
            if number and missing
        ]
        return Retrieved(SERVICE, self._count, tuple(missing), tuple(notes))

    def _fetch(self, group: _Kept, *, headers: bool) -> None:
        """The objects of one series."""
        if len(group) >= MANY and self._wado.has_series:
            self._series(group, headers=headers)
        for reference in group.values():
            if self._stopped:
                return
            if _place(reference) in self._left:
                self._alone(reference, headers=headers)

    def _series(self, group: _Kept, *, headers: bool) -> None:
        """As many of them as one request for the whole series brings, if that is worth it."""
        first = next(iter(group.values()))
        size = self._wado.size_of_series(first, self._deadline)
        if not 0 < size <= len(group) * (1 + _MOST_OTHERS):
            return
        try:
            self._get(_series(first), group, headers=headers)
        except Refused as refused:
            if refused.status in _OF_THE_SERVER:
                raise refused.failure from None
            if refused.status in _NOT_OFFERED | _WRONG_FORM:
                self._wado.has_series = False
        except (ConnectionLost, ProtocolViolation):
            return  # each of them will say for itself

    def _alone(self, reference: Reference, *, headers: bool) -> None:
        target = f"{_series(reference)}/instances/{reference.sop_instance_uid}"
        uid = reference.sop_instance_uid
        self._tried.add(_place(reference))
        try:
            others = self._get(target, {uid: reference}, headers=headers)
        except Refused as refused:
            if refused.status in _OF_THE_SERVER:
                raise refused.failure from None
            if refused.status in _NOT_OFFERED:
                failure = refused.failure
                raise NoAcceptedContext(failure.happened, failure.remedy) from None
            if refused.status in _ABSENT:
                self._absent(refused.failure)
            else:
                self._failed(refused.failure)
        except (ConnectionLost, ProtocolViolation) as error:
            self._failed(error)
        else:
            self._in_a_row = 0
            if _place(reference) in self._left and not self._stopped:
                self._reasons[others] += 1

    def _absent(self, failure: StatusFailure) -> None:
        """One that the server does not hold, unless there is no such server."""
        if not self._wado.answered:
            self._wado.verify(self._deadline)
            self._wado.answered = True
        self._in_a_row = 0
        self._reasons[failure.happened] += 1

    def _failed(self, error: ArchiveError) -> None:
        self._failure = self._failure or error
        self._reasons[str(error).rstrip(".")] += 1
        self._in_a_row += 1
        if self._in_a_row >= MOST_FAILURES:
            raise error

    def _get(self, target: str, wanted: _Kept, *, headers: bool) -> str:
        """What one resource has of what is wanted; why it has no more."""
        lacks_metadata = False
        if headers and self._wado.has_metadata:
            try:
                reason = self._get_metadata(target, wanted)
                if len(wanted) > 1 or not self._waiting(wanted):
                    return reason
            except Refused as refused:
                if refused.status in _OF_THE_SERVER:
                    raise
                lacks_metadata = refused.status in _ABSENT | _NOT_OFFERED | _WRONG_FORM
            except ProtocolViolation:
                pass  # the object itself tells
        try:
            reason = self._get_objects(target, wanted)
        except Refused as refused:
            if not (lacks_metadata and len(wanted) == 1 and refused.status in _ABSENT):
                raise
            # Trees of plain files have the metadata of a series, and no objects.
            return self._get_metadata(_series(next(iter(wanted.values()))), wanted)
        if lacks_metadata:
            self._wado.has_metadata = False
        return reason

    def _get_metadata(self, target: str, wanted: _Kept) -> str:
        asked = self._wado.server.ask(f"{target}/metadata", _METADATA, deadline=self._deadline)
        with asked as answer:
            check(answer, RETRIEVAL)
            if answer.status == 204:
                raise Refused(404, _nothing())
            _refuse_page(answer)
            coming = objects(answer.content, most=LARGEST_METADATA, grown=self._grown)
            with closing(coming) as found:
                return self._give((header(row) for row, _ in found), wanted, [])

    def _get_objects(self, target: str, wanted: _Kept) -> str:
        first: Refused | None = None
        form = self._wado.form
        for candidate in (form, *(other for other in FORMS if other != form)):
            try:
                reason = self._get_in(candidate, target, wanted)
            except Refused as refused:
                if refused.status not in _WRONG_FORM:
                    raise
                first = first or refused
            else:
                # Later ones are for single objects: one that may transcode is not kept for them.
                if not self._wado.is_proven:
                    self._wado.form, self._wado.is_proven = candidate, True
                return reason
        assert first is not None
        raise first

    def _get_in(self, form: str, target: str, wanted: _Kept) -> str:
        unsettled: list[Instance] = []
        with self._wado.server.ask(target, form, deadline=self._deadline) as answer:
            check(answer, RETRIEVAL)
            if answer.status == 204:
                raise Refused(404, _nothing())
            with closing(_files(answer, self._grown)) as found:
                reason = self._give(starmap(_instance, found), wanted, unsettled)
        for reference in unsettled:
            self._hand(settled(reference, lambda: self._last_tag(target)), *wanted.values())
        return reason

    def _last_tag(self, target: str) -> int:
        """The last tag of an object's metadata; 0 where there is none."""
        if not self._wado.has_metadata:
            return 0
        asked = self._wado.server.ask(f"{target}/metadata", _METADATA, deadline=self._deadline)
        try:
            with asked as answer:
                check(answer, RETRIEVAL)
                _refuse_page(answer)
                with closing(objects(answer.content, most=LARGEST_METADATA)) as found:
                    (row,) = [row for row, _ in found]
        except (Refused, ProtocolViolation, ConnectionLost, ValueError):
            return 0
        return max((int(name, 16) for name in row if TAG.fullmatch(name)), default=0)

    def _waiting(self, wanted: _Kept) -> set[str]:
        """Which of these did not come yet."""
        return {uid for uid, reference in wanted.items() if _place(reference) in self._left}

    def _give(
        self, found: Iterable[Instance | None], wanted: _Kept, unsettled: list[Instance]
    ) -> str:
        """Hand over what is wanted, each once, until there is no more of it; why it is not all.
        One whose end is not known is put aside, or left to be asked for alone."""
        reason = "the server sent no object"
        coming = self._waiting(wanted)
        for instance in found:
            self._deadline.remaining()
            if instance is None:
                reason = _NOT_DICOM
            elif (uid := _uid_among(coming, instance)) not in coming:
                reason = _ANOTHER
            else:
                coming.remove(uid)
                if instance.is_ended:
                    self._hand(instance, wanted[uid])
                elif len(wanted) == 1:
                    unsettled.append(instance)
            if self._stopped or not coming:
                break
        return reason

    def _hand(self, instance: Instance, asked: Reference) -> None:
        del self._left[_place(asked)]
        self._wado.answered = True
        self._count += 1
        self._stopped = not self._take(replace(instance, asked=asked))


def _files(answer: Response, grown: Callable[[int], None]) -> Generator[tuple[bytearray, bool]]:
    """The files of an answer, in parts or alone, and whether each is known to be whole."""
    kind, parameters = media_type(answer.headers.get("content-type", ""))
    boundary = parameters.get("boundary", "")
    if kind.startswith("multipart/"):
        told = answer.tells_its_end
        with closing(parts(answer.content, boundary, tells_its_end=told, grown=grown)) as found:
            for part in found:
                yield part.content, part.is_ended
        return
    _refuse_page(answer)
    yield whole(answer.content, grown=grown), answer.tells_its_end


def _refuse_page(answer: Response) -> None:
    kind, _ = media_type(answer.headers.get("content-type", ""))
    if any(other in kind for other in ("html", "xml", "text/", "image/", "video/")):
        what = "a web page" if "html" in kind else "another kind of content"
        raise ProtocolViolation(
            f"it answered a request for objects with {what}",
            "Check that base_url is what stands before /studies at this server, and that no page "
            "to log in stands before it",
        )


def _instance(content: bytearray, is_ended: bool) -> Instance | None:
    """The object in a DICOM file; None if it is none."""
    try:
        found = file_meta(content)
    except ValueError:
        return None
    del content[: found.length]
    return Instance(
        found.sop_class_uid,
        found.sop_instance_uid,
        found.transfer_syntax,
        content,
        is_ended=is_ended,
    )


def _uid_among(coming: set[str], instance: Instance) -> str:
    """Which of these it is: the data set is the object, what stands before it in its file may have
    been written by anybody."""
    if instance.sop_instance_uid in coming:
        return instance.sop_instance_uid
    return identity(instance.data_set, instance.transfer_syntax).sop_instance_uid


def _is_usable(reference: Reference) -> bool:
    uids = (reference.study_instance_uid, reference.series_instance_uid, reference.sop_instance_uid)
    return all(map(is_uid, uids))


def _place(reference: Reference) -> tuple[str, str]:
    """Two series may hold objects of one UID."""
    return _series(reference), reference.sop_instance_uid


def _series(reference: Reference) -> str:
    """Where a series stands (PS3.18 10.4.1.1)."""
    return f"/studies/{reference.study_instance_uid}/series/{reference.series_instance_uid}"


def _nothing() -> StatusFailure:
    return StatusFailure("the server has no content for this object", status=0x0112)
