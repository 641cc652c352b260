"""The table of questions with their true answers, asked over DICOMweb through the same server."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.demo.habits import Habits
from dicom_mcp.node import WebNode
from dicom_mcp.truth.roots import OF_PATIENT
from tests.asking import ask
from tests.interop.expectations import (
    test_every_series_shows_its_instances_with_and_without_the_study,
    test_modalities_and_counts_are_those_of_the_study,
    test_names_come_back_as_they_were_written,
    test_no_answer_of_a_misbehaving_archive_is_wrong_without_a_word,
    test_nothing_is_learned_of_an_archive_that_makes_an_answer_wrong,
    test_the_answer_is_the_true_one,
    truth,
)
from tests.interop.questions import PATIENT, STUDY
from tests.peers.archive import Peer
from tests.peers.embedded import MISBEHAVING, embedded_web
from tests.peers.orthanc import orthanc_web

# Asked here with other archives.
__all__ = (
    "test_every_series_shows_its_instances_with_and_without_the_study",
    "test_modalities_and_counts_are_those_of_the_study",
    "test_names_come_back_as_they_were_written",
    "test_no_answer_of_a_misbehaving_archive_is_wrong_without_a_word",
    "test_nothing_is_learned_of_an_archive_that_makes_an_answer_wrong",
    "test_the_answer_is_the_true_one",
    "truth",
)

# Bad habits that a web server has too: no roots, no statuses, no character sets. Of patients that
# are collected from studies nobody says yet what these studies keep back (truth/roots).
WEB_HABITS: dict[str, Habits] = {
    name: kind.habits
    for name, kind in MISBEHAVING.items()
    if kind.habits
    == Habits(
        ignored_keys=kind.habits.ignored_keys,
        unreturned=kind.habits.unreturned,
        most_matches=kind.habits.most_matches,
        most_below=kind.habits.most_below,
        below_keys=kind.habits.below_keys,
        joined=kind.habits.joined,
        most_candidates=kind.habits.most_candidates,
        late_keys=kind.habits.late_keys,
        most_values=kind.habits.most_values,
        most_of_all_pages=kind.habits.most_of_all_pages,
        case_sensitive=kind.habits.case_sensitive,
        undated_in_ranges=kind.habits.undated_in_ranges,
        duplicated=kind.habits.duplicated,
    )
    and kind.hierarchy == "relational"
    and not kind.habits.unreturned & OF_PATIENT
}


@pytest.fixture(
    scope="module", params=["embedded", pytest.param("orthanc", marks=pytest.mark.orthanc)]
)
def peer(
    request: pytest.FixtureRequest,
    held: list[Dataset],
    database: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Peer]:
    """One server after the other, as they are."""
    if request.param == "embedded":
        with (
            embedded_web([], database=database) as url,
            _reached("embedded", url, lacks={"case of text", "accents"}) as peer,
        ):
            yield peer
        return
    with (
        orthanc_web(held, tmp_path_factory.mktemp("web")) as url,
        _reached("orthanc", url) as peer,
    ):
        yield peer


@pytest.fixture(scope="module", params=list(WEB_HABITS))
def misbehaving(request: pytest.FixtureRequest, database: str) -> Iterator[Peer]:
    """Our own server with one bad habit after the other."""
    habits = WEB_HABITS[request.param]
    lacks = {"case of text", "accents"} | ({"case"} if habits.case_sensitive else set[str]())
    with (
        embedded_web([], habits, database=database) as url,
        _reached(request.param, url, lacks=lacks) as peer,
    ):
        yield peer


def test_the_habits_of_web_servers_are_in_the_menu() -> None:
    assert len(WEB_HABITS) >= 12


def test_a_limit_is_kept_and_said(peer: Peer) -> None:
    for tool, unique in (("query_patients", PATIENT), ("query_studies", STUDY)):
        answer = ask(peer.node, tool, limit=5)
        assert len({record[unique] for record in answer["records"]}) == 5
        assert answer["complete"] is False
        assert "Not complete" in " ".join(answer["notes"])


@contextmanager
def _reached(name: str, url: str, *, lacks: set[str] = set()) -> Generator[Peer]:  # noqa: B006
    """The server as a peer of the table."""
    yield Peer(name, WebNode(url), frozenset(lacks))
