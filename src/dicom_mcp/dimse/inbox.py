"""What a C-MOVE waits for: from whom, and the objects as they come (see receiver)."""

import threading
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue

from .. import node
from ..deadline import Deadline
from ..errors import DeadlinePassed, NameNotResolved
from ..in_hand import no_room
from ..network.connect import addresses_of
from ..standard.instance import Instance
from .unasked import Unasked
from .visit import Visit

# Objects that wait to be taken.
_MOST_WAITING = 2

# What is larger waits until nothing else is in hand.
_LARGE = 8 << 20

# Some archives put a move into a queue and answer that it is done.
_LATE_SECONDS = 1.0

# How soon a wait notices that it is over.
WAKE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Senders:
    """Who may send what one move asked for: from these addresses, by these titles, and for a move
    that was asked for under `originator`."""

    addresses: frozenset[str]
    titles: frozenset[str]
    originator: str

    @property
    def movers(self) -> frozenset[str]:
        """Whom an object may name as who asked for the move: nobody, us, or (as pynetdicom's
        archives do) the archive itself, though PS3.7 9.1.1.1.4 has it be us."""
        return self.titles | {"", self.originator}

    @classmethod
    def of(cls, node: node.Node, address: str, deadline: Deadline) -> "Senders":
        """The archive at this address and its others, and who sends for it."""
        others = (
            [sender.partition("@") for sender in node.receiver.senders] if node.receiver else []
        )
        addresses = {address}
        for host in (node.host, *(host.strip() for _, _, host in others)):
            with suppress(NameNotResolved):  # who has no address here cannot be let in by it
                addresses |= addresses_of(host, deadline)
        titles = {node.called_ae_title, *(title.strip() for title, _, _ in others)}
        return cls(frozenset(addresses), frozenset(titles), node.calling_ae_title)


class Inbox:
    """What one move waits for. `message_id` is the move's, as far as it is known; `too_large`
    is the SOP instance UID of an object that was refused for its size, `visit` what anybody did who
    came to our port."""

    def __init__(
        self, uids: Collection[str], largest: int, senders: Senders, deadline: Deadline
    ) -> None:
        self.deadline = deadline
        self.uids = frozenset(uids)
        self.senders = senders
        self.largest = largest
        self.message_id: int | None = None
        self.too_large = ""
        # Whether there is no room for what is coming: other calls hold too much.
        self.is_crowded = False
        self.visit = Visit()
        # Whether the archive went on and on with objects that nobody waits for.
        self.is_flooded = False
        self._in_a_row = Unasked()
        self._missing = set(uids)
        self._arrived: Queue[Instance | None] = Queue(_MOST_WAITING)
        self._closed = threading.Event()
        self._sent = False

    def put(self, instance: Instance) -> bool:
        """Wait for a place for it; False when nobody waits for it any longer."""
        self._in_a_row.over()
        while not self._closed.is_set():
            with suppress(Full):
                self._arrived.put(instance, timeout=WAKE_SECONDS)
                break
        done, is_large = self._arrived.all_tasks_done, len(instance.data_set) > _LARGE
        while is_large and self._arrived.unfinished_tasks and not self._closed.is_set():
            with done:
                done.wait(WAKE_SECONDS)
        return not self._closed.is_set()

    def refuse(self, size: int) -> None:
        """An object of so many bytes came that nobody waits for."""
        self.visit.unwanted += 1
        if self._in_a_row.is_flood(size):
            self.is_flooded = True
            self.close()

    def close(self) -> None:
        """Nothing more is wanted, or nothing more will come."""
        self._closed.set()
        with suppress(Full):
            self._arrived.put_nowait(None)

    def sent(self) -> None:
        """The archive says that it has sent them; it may only have begun to."""
        self._sent = True
        with suppress(Full):
            self._arrived.put_nowait(None)

    def instances(self, deadline: Deadline) -> Iterator[Instance]:
        """The objects as they arrive, until it is closed, or after the archive's last word all are
        there or no more come. Raises DeadlinePassed or Cancelled."""
        heard = time.monotonic()
        while True:
            instance = None
            with suppress(Empty):
                instance = self._arrived.get(timeout=min(WAKE_SECONDS, self._left(deadline)))
                heard = time.monotonic()
                if not instance:
                    self._arrived.task_done()
            if instance:
                self._missing.discard(instance.sop_instance_uid)
                yield instance
                self._arrived.task_done()
                continue
            late = not self._missing or time.monotonic() - heard > _LATE_SECONDS
            if self._closed.is_set() or (self._sent and late):
                return

    def _left(self, deadline: Deadline) -> float:
        """Seconds there are; where others had the room of what was coming it is that which is
        told."""
        try:
            return deadline.remaining()
        except DeadlinePassed as passed:
            raise no_room(deadline) if self.is_crowded else passed from None
