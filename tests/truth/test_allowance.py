"""An archive that has nothing to give is not flooded: what any tool sends it is counted."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

from dicom_mcp.allowance import MOST_FAILED, MOST_IN_VAIN, MOST_REFUSED
from dicom_mcp.config import Settings
from dicom_mcp.node import Node, WebNode
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Match, Query
from dicom_mcp.truth.gathering import Gathering, Outcome
from tests.asking import call, fail
from tests.peers.scripted import (
    FIND_REQUEST,
    Peer,
    Script,
    Talk,
    accept,
    end,
    forever,
    hear_question,
)
from tests.peers.web import Asked, WebPeer, answer, rows

pytestmark = pytest.mark.usefixtures("tidy")

# Every tool that asks an archive, and questions that become many queries.
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "patients by name": ("query_patients", {"name_pattern": "Jürgen Brückner"}),
    "patients by birth date": ("query_patients", {"birth_date": "19700101"}),
    "studies of a patient": ("query_studies", {"patient_id": "7"}),
    "studies of a name": ("query_studies", {"patient_name": "Doe Jane"}),
    "studies of a day": ("query_studies", {"study_date": "20260101"}),
    "studies of a modality": (
        "query_studies",
        {"modality_in_study": "ultrasound", "study_date": "20200101-20261231"},
    ),
    "series of a study": ("query_series", {"study_instance_uid": "1.2.3"}),
    "instances of a series": ("query_instances", {"series_instance_uid": "1.2.3.1"}),
    "a count": ("count_studies", {}),
    "a count by scanner": ("count_studies", {"group_by": ["station", "modality"]}),
    "a worklist": ("query_worklist", {}),
    "a worklist by name": ("query_worklist", {"patient_name": "Doe Jane", "arrived": True}),
    "a timeline": ("patient_timeline", {"patient_name": "Doe Jane"}),
    "a timeline before a study": ("patient_timeline", {"prior_to": "1.2.3"}),
    "an overview": ("study_overview", {"accession_number": "A1"}),
    "reports": ("read_report", {"study_instance_uid": "1.2.3"}),
    "headers": ("sample_headers", {"study_instance_uids": ["1.2.3"]}),
    "a picture": ("view_image", {"series_instance_uid": "1.2.3.1"}),
}


def answering(status: int, *, once: bool = False) -> Script:
    """Ends every C-FIND so, without a row; or one on each connection, which it then closes."""

    def answer(talk: Talk) -> None:
        while True:
            hear_question(talk)
            end(status if talk.operation == FIND_REQUEST else 0x0000)(talk)
            if once:
                return

    return (accept, answer)


@pytest.mark.parametrize("name", CALLS)
def test_no_tool_floods_an_overloaded_archive(name: str) -> None:
    tool, arguments = CALLS[name]
    assert_spared(0xA700, tool, arguments)


@pytest.mark.parametrize("closes", [False, True], ids=["keeps on", "closes each time"])
@pytest.mark.parametrize("status", [0xA700, 0x0213, 0xFE00], ids=hex)
@pytest.mark.parametrize("name", ["a count", "a worklist"])
def test_an_overloaded_archive_is_asked_again_once_and_then_it_is_an_error(
    name: str, status: int, closes: bool
) -> None:
    tool, arguments = CALLS[name]
    assert_spared(status, tool, arguments, closes=closes)


def assert_spared(
    status: int, tool: str, arguments: dict[str, Any], *, closes: bool = False
) -> None:
    with Peer(answering(status, once=closes)) as peer:
        sentence = fail(Node("127.0.0.1", peer.port, called_ae_title="PEER"), tool, **arguments)
        assert f"0x{status:04X}" in sentence
        assert "overloaded" in sentence
        assert 1 <= peer.questions <= MOST_REFUSED == 3
        assert len(peer.talks) <= MOST_REFUSED


@pytest.mark.parametrize("status", [0x0000, 0xA900, 0xC000, 0x0122], ids=hex)
@pytest.mark.parametrize("name", CALLS)
def test_what_brings_nothing_ends_soon(name: str, status: int) -> None:
    tool, arguments = CALLS[name]
    with Peer(answering(status)) as peer:
        settings = Settings(Node("127.0.0.1", peer.port, called_ae_title="PEER"))
        assert call(settings, tool, **arguments).is_error or not status
        assert peer.questions <= (MOST_FAILED if status else MOST_IN_VAIN)


TELLS_OF_MORE = 'Warning: 299 pacs "there are more results"\r\n'
PAGES: dict[str, Callable[[Asked], list[dict[str, object]]]] = {
    "one new study a page": lambda asked: rows(1, asked.offset),
    "one new study and one that is known": lambda asked: [*rows(1, asked.number), *rows(1)],
    "nothing": lambda _: [],
    "the same study": lambda _: rows(1),
    "another and the first again": lambda asked: rows(1, asked.number % 2),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_server_that_always_says_that_there_is_more_is_not_asked_without_end(name: str) -> None:
    def behave(connected: socket.socket, asked: Asked) -> bool:
        connected.sendall(answer(PAGES[name](asked), fields=TELLS_OF_MORE))
        return True

    for tool, arguments in (("count_studies", {}), ("query_studies", {"patient_id": "7"})):
        with WebPeer(behave) as peer:
            told = call(Settings(WebNode(peer.url)), tool, **arguments)
            assert told.is_error or told.structured_content["complete"] is False
            assert len(peer.asked) <= MOST_IN_VAIN + 10


def test_a_server_that_ignores_the_question_is_not_asked_for_page_after_page() -> None:
    def behave(connected: socket.socket, asked: Asked) -> bool:
        connected.sendall(answer(rows(20, 20 * asked.number), fields=TELLS_OF_MORE))
        return True

    with WebPeer(behave) as peer:
        told = call(Settings(WebNode(peer.url)), "query_studies", patient_id="7")
        assert told.is_error
        assert f"{MOST_IN_VAIN} requests of this call brought nothing" in str(told.content[0])
        assert len(peer.asked) <= MOST_IN_VAIN + 10


def test_rows_without_end_that_are_not_what_was_asked_for_are_stopped() -> None:
    gathering = Gathering(Query(Level.STUDY, {"PatientID": "7"}), 10)
    other: Match = {"StudyInstanceUID": "1.2", "PatientID": "8"}
    count = 0
    while gathering.take(other, 300):
        count += 1
    assert count == 50_000
    said = gathering.close(Outcome(True, []))
    assert not said.complete
    assert "50,001 studies in a row that are not what was asked for" in str(said.notes[0])


def test_matches_without_end_that_cannot_be_read_are_stopped() -> None:
    unread = forever(lambda talk: talk.row(data_set=b"\xff" * 20))
    with Peer((accept, hear_question, unread)) as peer:
        sentence = fail(Node("127.0.0.1", peer.port, called_ae_title="PEER"), "count_studies")
        assert "seconds" not in sentence


def test_what_is_left_out_to_be_compared_here_is_no_sign_of_an_archive_gone_astray() -> None:
    query = Query(Level.STUDY, {"StudyDescription": "knee"})
    gathering = Gathering(query, 10)
    gathering.compare(["StudyDescription"], most_examined=100_000)
    for number in range(60_000):
        other: Match = {"StudyInstanceUID": f"1.2.{number}", "StudyDescription": "chest"}
        assert gathering.take(other, 100)
    assert gathering.take({"StudyInstanceUID": "1.3", "StudyDescription": "knee"}, 100)
    assert gathering.close(Outcome(whole=True, notes=[])).complete


def test_what_has_a_date_is_no_sign_of_that_either_where_the_undated_are_wanted() -> None:
    gathering = Gathering(Query(Level.STUDY, empty=frozenset({"StudyDate"})), 10)
    for number in range(60_000):
        assert gathering.take({"StudyInstanceUID": f"1.2.{number}", "StudyDate": "20260101"}, 100)
    assert gathering.take({"StudyInstanceUID": "1.3", "StudyDate": ""}, 100)
    assert gathering.close(Outcome(whole=True, notes=[])).complete
