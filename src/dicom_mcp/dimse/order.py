"""What one call wants to fetch: what is still to come, what came, and why the rest did not."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ..budgets import MOST_SET_ASIDE
from ..standard.identity import identity
from ..standard.instance import Instance, Reference, Retrieved, TakeInstance
from ..standard.note import Note, remark
from ..standard.values import is_uid
from .unasked import FLOOD, Unasked

NOTHING = "the archive sent nothing for them and reported no failure: it does not hold them"
_NO_UID = "their UIDs are not valid (PS3.5 9.1)"


# Study, series and object: two series may hold objects of one UID.
type _Place = tuple[str, str, str]


class Order:
    """The references of one call, and what became of each; `take` gets every object once.

    `usable` are those that can be asked for, `stopped` says that `take` wants no more.
    """

    def __init__(self, references: Iterable[Reference], take: TakeInstance) -> None:
        self.count = 0
        self.stopped = False
        self._take = take
        self._wanted = {_place(reference): reference for reference in references}
        self._left = dict(self._wanted)
        self._reasons: dict[_Place, str] = {}
        self._unasked = 0
        self._in_a_row = Unasked()
        self._aside: dict[_Place, Instance] = {}
        self.usable = [reference for reference in self._wanted.values() if _is_usable(reference)]
        self.give_up(
            (reference for reference in self._wanted.values() if not _is_usable(reference)), _NO_UID
        )

    def left(self, references: Iterable[Reference]) -> list[Reference]:
        """Those of the references that did not come yet."""
        return [reference for reference in references if _place(reference) in self._left]

    def waiting(self) -> list[Reference]:
        """Those that did not come yet and were not given up."""
        return [reference for place, reference in self._left.items() if place not in self._reasons]

    def taker(self, references: Iterable[Reference]) -> Callable[[Instance], bool]:
        """What takes the objects of one request for these, until nothing more is wanted of it.

        What was not asked for is dropped: an archive may send a whole series. One that says it is
        of another series stands aside until the request has ended: the right one may follow.
        """
        coming = {reference.sop_instance_uid: reference for reference in self.left(references)}

        def take(instance: Instance) -> bool:
            uid = instance.sop_instance_uid
            if uid not in coming:
                return self._drop(instance) and bool(coming)
            wanted = coming[uid]
            if _is_elsewhere(instance, wanted) and self._has_room(instance):
                if _place(wanted) in self._aside:
                    self._unasked += 1
                else:
                    self._aside[_place(wanted)] = instance
                return True
            del coming[uid]
            if self._aside.pop(_place(wanted), None):
                self._unasked += 1
            self._hand(wanted, instance)
            return not (self.stopped and coming)  # there is nothing to cancel when all has come

        return take

    def _drop(self, instance: Instance) -> bool:
        """Count one that nobody asked for; False when an archive goes on and on with such ones."""
        self._unasked += 1
        if not self._in_a_row.is_flood(len(instance.data_set)):
            return True
        self.give_up(self.waiting(), f"the archive {FLOOD}")
        self.stopped = True
        return False

    def settle(self) -> None:
        """The request has ended: what stood aside is all there is under its UID."""
        while self._aside and not self.stopped:
            place, instance = self._aside.popitem()
            self._hand(self._wanted[place], instance)
        self._aside.clear()

    def _hand(self, wanted: Reference, instance: Instance) -> None:
        del self._left[_place(wanted)]
        self._reasons.pop(_place(wanted), None)
        self.count += 1
        self._in_a_row.over()
        self.stopped = not self._take(replace(instance, asked=wanted))

    def _has_room(self, instance: Instance) -> bool:
        held = sum(len(kept.data_set) for kept in self._aside.values())
        return held + len(instance.data_set) <= MOST_SET_ASIDE

    def give_up(self, references: Iterable[Reference], reason: str) -> None:
        """Say why these did not come; they still may, by another way."""
        self._reasons.update((_place(reference), reason) for reference in references)

    def retrieved(self, service: str) -> Retrieved:
        """How it ended."""
        missing = [
            reference
            for place, reference in self._left.items()
            if place in self._reasons or not self.stopped
        ]
        reasons = Counter(self._reasons.get(_place(reference), NOTHING) for reference in missing)
        notes = [_did_not_come(number, len(self._wanted), why) for why, number in reasons.items()]
        if self._unasked:
            noun = "object" if self._unasked == 1 else "objects"
            notes.append(remark(f"{self._unasked} {noun} came that nobody had asked for; dropped."))
        return Retrieved(service, self.count, tuple(missing), tuple(notes))


def _did_not_come(number: int, whole: int, reason: str) -> Note:
    noun = "object" if whole == 1 else "objects"
    return remark(f"{number} of {whole} {noun} did not come: {reason}.")


def _place(reference: Reference) -> _Place:
    return reference.study_instance_uid, reference.series_instance_uid, reference.sop_instance_uid


def _is_elsewhere(instance: Instance, wanted: Reference) -> bool:
    """Whether it says itself that it is of another study or series."""
    who = identity(instance.data_set, instance.transfer_syntax)
    its = who.study_instance_uid, who.series_instance_uid
    asked = wanted.study_instance_uid, wanted.series_instance_uid
    return any(uid not in ("", other) for uid, other in zip(its, asked, strict=True))


def _is_usable(reference: Reference) -> bool:
    uids: Sequence[str] = (
        reference.study_instance_uid,
        reference.series_instance_uid,
        reference.sop_instance_uid,
    )
    return all(map(is_uid, uids))
