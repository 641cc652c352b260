"""What keeps every index up to date while a server runs: one thread, which asks in turn.

Of several servers one writes an index at a time, for a shift: whoever finds it written by another
process comes back later. An archive that fails is left alone, each time for longer.
"""

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, tzinfo

from .. import journal
from ..config import Settings
from ..dicom_api import Archive, prepare
from ..errors import ArchiveError, BadConfiguration, Cancelled, DicomMcpError
from ..node import AnyNode
from .kept import Kept, nodes_of, written
from .ledger import Ledger
from .sync import Sync
from .turns import Turns

# How long an index is written at a time, and how soon it is looked at again when nothing was due.
_SHIFT_SECONDS = 60.0
_IDLE_SECONDS = 30.0

# What an archive is left alone for that failed, at first and at most.
_FIRST_PAUSE = 15.0
_LONGEST_PAUSE = 1_800.0

# What gave way to people so often in a row is asked to its end.
_PATIENCE = 3

# Under which key the ledger says how it goes.
STATE = "keeper"


@dataclass(slots=True)
class _Index:
    """One archive's index, and when to look at it again."""

    node: AnyNode
    archive: Archive
    turns: Turns
    due: float = 0.0
    pause: float = _FIRST_PAUSE


class Keeper:
    """Keeps the indexes of these settings; `asked_in_turn` gives each node's archive, and whose
    turn it is there. Raises BadConfiguration for nodes that there are not."""

    def __init__(
        self, settings: Settings, asked_in_turn: Callable[[AnyNode], tuple[Archive, Turns]]
    ) -> None:
        assert settings.index
        self._settings = settings
        self._polite = settings.index
        self._asked_in_turn = asked_in_turn
        self._nodes = [*nodes_of(settings).values()]
        self._indexes: list[_Index] = []
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="index", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop at once; what was being written is entered or asked for again."""
        self._ends.set()
        for index in self._indexes:
            index.turns.end()
        self._thread.join(_FIRST_PAUSE)

    def _run(self) -> None:
        prepare()
        self._indexes = [_Index(node, *self._asked_in_turn(node)) for node in self._nodes]
        while not self._ends.is_set():
            for index in self._indexes:
                if index.due <= time.monotonic():
                    index.due = time.monotonic() + self._look_after(index)
            first = min(index.due for index in self._indexes)
            self._ends.wait(max(first - time.monotonic(), 0))

    def _look_after(self, index: _Index) -> float:
        """Bring one index up to date, as far as a shift goes; returns the seconds until the
        next."""
        zone = index.node.time_zone or self._settings.time_zone
        if self._ends.is_set() or not self._polite.may_ask(datetime.now(zone).time()):
            return _IDLE_SECONDS
        try:
            with written(self._settings, index.node) as kept:
                if kept.damaged:
                    journal.event(logging.WARNING, "index", outcome="damaged files, asked anew")
                return self._shift(index, kept)
        except BadConfiguration:  # another process writes it, or it cannot be written here
            return _IDLE_SECONDS
        except Cancelled:
            return 0.0
        except DicomMcpError as error:
            journal.event(logging.WARNING, "index", outcome=type(error).__name__)
        except Exception as error:
            journal.event(logging.ERROR, "index", outcome=f"crash ({journal.places(error)})")
        return self._left_alone(index)

    def _shift(self, index: _Index, kept: Kept) -> float:
        zone = index.node.time_zone or self._settings.time_zone
        since = self._polite.since
        depth = self._polite.depth
        sync = Sync(index.archive, kept.store, kept.ledger, zone=zone, since=since, depth=depth)
        with closing(sync):
            return self._steps(index, kept, sync, zone)

    def _steps(self, index: _Index, kept: Kept, sync: Sync, zone: tzinfo | None) -> float:
        """One question after the other, for the time of a shift; the seconds until the next."""
        begin, gave_way = time.monotonic(), 0
        while time.monotonic() - begin < _SHIFT_SECONDS and not self._ends.is_set():
            if not self._polite.may_ask(datetime.now(zone).time()):
                return _IDLE_SECONDS
            index.turns.insists = gave_way >= _PATIENCE
            try:
                step = sync.step()
            except Cancelled:
                gave_way += 1
                continue
            except ArchiveError as error:
                pause = self._left_alone(index)
                # What an archive says of itself may name whom it was asked about.
                why = type(error).__name__ if kept.store.key else error
                _note(kept.ledger, f"left alone for {pause:g} seconds: {why}")
                return pause
            finally:
                index.turns.insists = False
            gave_way, index.pause = 0, _FIRST_PAUSE
            _note(kept.ledger, "")
            if step is None:
                return _IDLE_SECONDS
            self._ends.wait(self._polite.pause)
        return 0.0

    def _left_alone(self, index: _Index) -> float:
        pause, index.pause = index.pause, min(2 * index.pause, _LONGEST_PAUSE)
        return pause


def _note(ledger: Ledger, trouble: str) -> None:
    """Say in the ledger who keeps it, when it last asked, and why it could not."""
    ledger.tell(STATE, json.dumps([time.time(), os.getpid(), trouble]))


def said_by_keeper(told: str) -> Sequence[str]:
    """What a person is told of a running server that keeps an index; nothing of none."""
    if not told:
        return ()
    at, process, trouble = json.loads(told)
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
    return (f"a server (process {process}) asked {when}", *([trouble] if trouble else ()))
