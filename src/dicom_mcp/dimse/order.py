"""What one call wants to fetch: what is still to come, what came, and why the rest did not."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from ..standard.instance import Instance, Reference, Retrieved, TakeInstance

NOTHING = "the archive sent nothing for them and reported no failure: it does not hold them"
_NO_UID = "their UIDs are none (PS3.5 9.1)"

# With zeros at the front of components, as careless software writes them. A list or a wildcard
# would name other objects too.
_UID = re.compile(r"[0-9][0-9.]{0,63}")


class Order:
    """The references of one call, and what became of each; `take` gets every object once.

    `usable` are those that can be asked for, `stopped` says that `take` wants no more.
    """

    def __init__(self, references: Iterable[Reference], take: TakeInstance) -> None:
        self.count = 0
        self.stopped = False
        self._take = take
        self._wanted = {one.sop_instance_uid: one for one in references}
        self._left = dict(self._wanted)
        self._reasons: dict[str, str] = {}
        self._unasked = 0
        self.usable = [one for one in self._wanted.values() if _is_usable(one)]
        usable = {one.sop_instance_uid for one in self.usable}
        self.give_up((one for uid, one in self._left.items() if uid not in usable), _NO_UID)

    def left(self, references: Iterable[Reference]) -> list[Reference]:
        """Those of the references that did not come yet."""
        return [one for one in references if one.sop_instance_uid in self._left]

    def waiting(self) -> list[Reference]:
        """Those that did not come yet and were not given up."""
        return [one for uid, one in self._left.items() if uid not in self._reasons]

    def taker(self, references: Iterable[Reference]) -> Callable[[Instance], bool]:
        """What takes the objects of one request for these, until nothing more is wanted of it.

        What was not asked for is dropped: an archive may send a whole series.
        """
        coming = {one.sop_instance_uid for one in references if one.sop_instance_uid in self._left}

        def take(instance: Instance) -> bool:
            uid = instance.sop_instance_uid
            if uid not in coming:
                self._unasked += 1
                return bool(coming)
            coming.remove(uid)
            del self._left[uid]
            self._reasons.pop(uid, None)
            self.count += 1
            self.stopped = not self._take(instance)
            return not (self.stopped and coming)  # there is nothing to cancel when all has come

        return take

    def give_up(self, references: Iterable[Reference], reason: str) -> None:
        """Say why these did not come; they still may, by another way."""
        self._reasons.update((one.sop_instance_uid, reason) for one in references)

    def retrieved(self, service: str) -> Retrieved:
        """How it ended."""
        missing = [
            one for uid, one in self._left.items() if uid in self._reasons or not self.stopped
        ]
        reasons = Counter(self._reasons.get(one.sop_instance_uid, NOTHING) for one in missing)
        notes = [_did_not_come(number, len(self._wanted), why) for why, number in reasons.items()]
        if self._unasked:
            noun = "object" if self._unasked == 1 else "objects"
            notes.append(f"{self._unasked} {noun} came that nobody had asked for; dropped.")
        return Retrieved(service, self.count, tuple(missing), tuple(notes))


def _did_not_come(number: int, whole: int, reason: str) -> str:
    noun = "object" if whole == 1 else "objects"
    return f"{number} of {whole} {noun} did not come: {reason}."


def _is_usable(one: Reference) -> bool:
    uids: Sequence[str] = (one.study_instance_uid, one.series_instance_uid, one.sop_instance_uid)
    return all(map(_UID.fullmatch, uids))
