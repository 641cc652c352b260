"""Whose turn it is to ask an archive: people first, then what keeps the index up to date."""

import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic

from ..deadline import Deadline
from ..errors import Cancelled
from ..node import AnyNode
from ..standard.instance import Reference, Retrieved, TakeInstance
from ..standard.one_frame import OneFrame
from ..standard.query import Answer, Query, Rows
from ..truth.exchange import Exchange

# One question of a person is several of ours, one after the other.
_QUIET_SECONDS = 0.5

# How soon what waits notices that its call was cancelled.
_WAKE_SECONDS = 0.2


class Turns:
    """The turns at one archive. A person never waits; whoever works by itself begins nothing while
    a person asks, and what it is asking just then is given up.

    With `insists` that is asked to its end: else what takes long would never be done where people
    ask often.
    """

    def __init__(self) -> None:
        self.insists = False
        self._people = 0
        self._quiet_from = 0.0
        self._work: Deadline | None = None
        self._ended = False
        self._free = threading.Condition()

    @contextmanager
    def person(self) -> Generator[None]:
        """While a person's question asks the archive."""
        with self._free:
            self._people += 1
            work = None if self.insists else self._work
        if work:
            work.cancel()
        try:
            yield
        finally:
            with self._free:
                self._people -= 1
                self._quiet_from = monotonic() + _QUIET_SECONDS
                self._free.notify_all()

    @contextmanager
    def work(self, deadline: Deadline) -> Generator[None]:
        """While one query of what works by itself is asked, which a person's question cancels."""
        with self._free:
            while self._people or (not self.insists and monotonic() < self._quiet_from):
                self._free.wait(min(_WAKE_SECONDS, deadline.remaining()))
                self._check()
            self._check()
            self._work = deadline
        try:
            yield
        finally:
            with self._free:
                self._work = None

    def end(self) -> None:
        """Nothing works by itself any longer; what does is cancelled."""
        with self._free:
            self._ended = True
            work = self._work
            self._free.notify_all()
        if work:
            work.cancel()

    def _check(self) -> None:
        if self._ended:
            raise Cancelled("the server ends")


class InTurn:
    """An exchange as whatever works by itself may use it: over one association of those that
    people's questions use, when it is its turn."""

    def __init__(self, exchange: Exchange, turns: Turns) -> None:
        self._exchange = exchange
        self._turns = turns
        self._node = replace(exchange.node, connections=1)

    @property
    def node(self) -> AnyNode:
        """Where it is, with one association."""
        return self._node

    @property
    def patient_root_only(self) -> bool:
        """As the exchange found out."""
        return self._exchange.patient_root_only

    def verify(self, deadline: Deadline) -> float:
        """Ask whether it answers, in turn."""
        with self._turns.work(deadline):
            return self._exchange.verify(deadline)

    def ask(self, query: Query, *, deadline: Deadline) -> Answer:
        """Put one query to it, in turn."""
        return Answer(self._rows(query, deadline))

    def _rows(self, query: Query, deadline: Deadline) -> Rows:
        with (
            self._turns.work(deadline),
            self._exchange.ask(query, deadline=deadline) as answer,
        ):
            yield from answer
        return answer.ending

    def is_listable(self, keyword: str, value: str) -> bool:
        """As the exchange says."""
        return self._exchange.is_listable(keyword, value)

    def retrieve(
        self,
        references: Sequence[Reference],
        take: TakeInstance,
        *,
        deadline: Deadline,
        headers: bool = False,
    ) -> Retrieved:
        """Fetch objects, in turn."""
        with self._turns.work(deadline):
            return self._exchange.retrieve(references, take, deadline=deadline, headers=headers)

    def frame(self, reference: Reference, number: int, *, deadline: Deadline) -> OneFrame:
        """One frame, in turn."""
        with self._turns.work(deadline):
            return self._exchange.frame(reference, number, deadline=deadline)

    def close(self) -> None:
        """Nothing: the associations are those of people's questions."""
