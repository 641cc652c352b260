"""A running server keeps its indexes up to date, and people's questions go first."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dicom_mcp.config import Settings
from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import Archive, connect
from dicom_mcp.door.house import House
from dicom_mcp.errors import Cancelled
from dicom_mcp.index.keeper import STATE, said_by_keeper
from dicom_mcp.index.kept import Kept, has_index, opened, written
from dicom_mcp.index.turns import InTurn, Turns
from dicom_mcp.index_settings import IndexSettings
from dicom_mcp.node import AnyNode, Node
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Match, Query
from tests.bounds import PATIENCE, in_time, nothing_left_behind
from tests.peers.embedded import embedded
from tests.truth.archives import images

OBJECTS = [d for n in range(1, 6) for d in images(1, study=n)]
STUDIES = Query(Level.STUDY, wanted=("StudyInstanceUID",))


def kept_in(folder: Path, node: AnyNode, **polite: Any) -> Settings:
    return Settings(node, index=IndexSettings(folder=str(folder), pause=0.001, **polite))


def until(settings: Settings, holds: Callable[[Kept], bool]) -> None:
    """Wait until something holds of the index."""

    def wait() -> None:
        pause = threading.Event()
        while True:
            if has_index(settings, settings.node):
                with opened(settings, settings.node) as kept:
                    if holds(kept):
                        return
            pause.wait(0.02)

    in_time(wait)


def has_all(kept: Kept) -> bool:
    return sum(entry.studies for entry in kept.ledger.days().values()) == 5


def test_a_running_server_fills_its_index_and_ends_at_once(tmp_path: Path) -> None:
    with embedded(OBJECTS) as peer, nothing_left_behind():
        settings = kept_in(tmp_path, peer.node)
        house = House(settings)
        house.keep_index()
        until(settings, has_all)
        house.close()
        with opened(settings, peer.node) as kept:
            assert said_by_keeper(kept.ledger.told(STATE))[0].startswith("a server (process ")


def test_without_keep_or_an_index_nothing_is_asked(tmp_path: Path) -> None:
    node = Node("192.0.2.1")
    with nothing_left_behind():
        for settings in (kept_in(tmp_path, node, keep=False), Settings(node)):
            house = House(settings)
            house.keep_index()
            house.close()
    assert not has_index(kept_in(tmp_path, node), node)


def test_an_archive_that_is_down_is_left_alone_and_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dicom_mcp.index.keeper._FIRST_PAUSE", 0.2)
    with embedded(OBJECTS) as peer:
        node = peer.node
    settings = kept_in(tmp_path, node)
    house = House(settings)
    house.keep_index()
    until(settings, lambda kept: "left alone" in kept.ledger.told(STATE))
    house.close()
    with opened(settings, node) as kept:
        _, _, trouble = json.loads(kept.ledger.told(STATE))
        assert "refused" in trouble
        assert not kept.ledger.days()


def test_who_finds_it_written_by_another_comes_back_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dicom_mcp.index.keeper._IDLE_SECONDS", 0.1)
    with embedded(OBJECTS) as peer:
        settings = kept_in(tmp_path, peer.node)
        house = House(settings)
        with written(settings, peer.node) as kept:
            house.keep_index()
            assert not threading.Event().wait(0.5)
            assert not kept.ledger.days()
        until(settings, has_all)
        house.close()


@pytest.mark.parametrize("connections", [1, 2])
def test_what_is_asked_for_the_index_gives_way_to_a_person(connections: int) -> None:
    turns, begun = Turns(), threading.Event()
    gave_way: list[str] = []
    with embedded(OBJECTS) as peer:
        node = replace(peer.node, connections=connections)
        person = connect(node)
        person = Archive(person.exchange, while_asked=lambda _: turns.person())
        worker = Archive(InTurn(person.exchange, turns))
        deadline = Deadline(PATIENCE)

        def keep(_: Match) -> None:
            begun.set()
            deadline.wait(PATIENCE)

        def work() -> None:
            try:
                worker.each(STUDIES, keep, limit=100, deadline=deadline)
            except Cancelled:
                gave_way.append("yes")

        thread = threading.Thread(target=work)
        thread.start()
        assert begun.wait(PATIENCE)
        answer = in_time(lambda: person.find(STUDIES, limit=100, deadline=Deadline(PATIENCE)))
        assert len(answer.matches) == 5
        thread.join(PATIENCE)
        assert gave_way == ["yes"]
        person.close()


def test_nothing_begins_while_a_person_asks_and_what_insists_goes_on() -> None:
    turns = Turns()
    with turns.person():
        begun = threading.Event()

        def work() -> None:
            with turns.work(Deadline(PATIENCE)):
                begun.set()

        thread = threading.Thread(target=work)
        thread.start()
        assert not begun.wait(0.3)
    thread.join(PATIENCE)
    assert begun.is_set()
    turns.insists = True
    deadline = Deadline(PATIENCE)
    with turns.work(deadline), turns.person():
        deadline.check()
    turns.end()
    with pytest.raises(Cancelled), turns.work(Deadline(PATIENCE)):
        pass
