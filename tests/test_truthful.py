"""What watches every test's answers and questions sees what is wrong."""

import json
import re
from collections.abc import Iterator

import pytest

from dicom_mcp.allowance import MOST_FAILED, MOST_IN_VAIN, Allowance
from dicom_mcp.deadline import Deadline
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.dimse.exchange import DimseExchange
from dicom_mcp.node import AnyNode, Node, WebNode
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Query
from tests import truthful
from tests.asking import ask
from tests.peers.misbehaviours import MISBEHAVIOURS
from tests.peers.scripted import Peer, Talk, accept, end, hear_question
from tests.peers.web import WebPeer, pages
from tests.stdio import HANDSHAKES, child
from tests.truth.archives import studies
from tests.truthful import Watch


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    assert watch.take() == []


@pytest.mark.parametrize(
    ("complete", "note", "wrong"),
    [
        (False, "Not complete: these are 3 of 5 studies; raise limit.", False),
        (False, "Not complete, perhaps: studies without a date cannot be asked for.", False),
        (False, "pacs: Not complete: it did not answer.", False),
        (False, "The document ends at a fault.", True),
        (True, "Of some studies the modality is not known.", False),
        (True, "Not complete, perhaps: studies without a date cannot be asked for.", True),
    ],
)
def test_an_answer_is_complete_or_says_why_it_is_not(
    watch: Watch, complete: bool, note: str, wrong: bool
) -> None:
    watch.look_at("query_studies", json.dumps({"complete": complete, "notes": [note]}))
    assert bool(watch.take()) is wrong


def test_an_error_is_no_answer(watch: Watch) -> None:
    watch.look_at("query_studies", "127.0.0.1:104: the connection was refused.")


@pytest.mark.parametrize(("failed", "most"), [(False, MOST_IN_VAIN), (True, MOST_FAILED)])
def test_a_call_that_floods_an_archive_is_seen(watch: Watch, failed: bool, most: int) -> None:
    allowance = Allowance()
    for _ in range(most):
        watch.count(allowance, failed=failed)
    assert watch.take() == []
    for _ in range(most):
        watch.count(allowance, failed=failed)
    assert watch.take()


def test_what_tools_answer_is_looked_at(
    every_answer: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(truthful, "_NOT_COMPLETE", re.compile("nothing begins so"))
    with Peer(MISBEHAVIOURS["cuts an identifier short"]) as peer:
        answer = ask(Node(port=peer.port), "query_studies", patient_id="7")
    assert not answer["complete"]
    assert "query_studies is not complete and says not why" in every_answer.take()[0]


def test_what_a_server_of_its_own_answers_is_looked_at(
    every_answer: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(truthful, "_NOT_COMPLETE", re.compile("nothing begins so"))
    peer = Peer(MISBEHAVIOURS["cuts an identifier short"])
    with peer, child(DICOM_PORT=str(peer.port), DICOM_CALLED_AE_TITLE="PEER") as server:
        server.initialize(HANDSHAKES[-1])
        server.call("query_studies", patient_id="7")
    assert "query_studies is not complete and says not why" in every_answer.take()[0]


def find_nothing(talk: Talk) -> None:
    while True:
        hear_question(talk)
        end()(talk)


@pytest.mark.parametrize("is_web", [False, True])
def test_what_is_asked_in_vain_is_counted(
    every_answer: Watch, monkeypatch: pytest.MonkeyPatch, is_web: bool
) -> None:
    monkeypatch.setattr(truthful, "MOST_IN_VAIN", -truthful.AT_ONCE)
    with Peer((accept, find_nothing)) as peer, WebPeer(pages(0)) as web:
        node: AnyNode = WebNode(web.url) if is_web else Node(port=peer.port)
        assert ask(node, "query_studies", patient_id="7")["returned"] == 0
    assert "1 queries of one call brought nothing" in every_answer.take()


def test_who_asks_while_an_answer_is_in_hand_is_seen(every_answer: Watch) -> None:
    with EmbeddedArchive(studies(2), ae_title="PACS") as archive:
        exchange = DimseExchange(Node(port=archive.port, called_ae_title="PACS"))
        query = Query(Level.STUDY)

        with exchange.ask(query, deadline=Deadline(5)) as answer:
            next(answer)
            with exchange.ask(query, deadline=Deadline(5)) as another:
                next(another)
        exchange.close()
    assert every_answer.take() == ["an archive was asked while its answer was being taken"]
