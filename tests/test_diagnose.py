"""What `diagnose` finds, through the server and by itself, of archives that are known."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.config import Settings
from dicom_mcp.deadline import Deadline
from dicom_mcp.demo.hospital import hospital
from dicom_mcp.diagnosis import Diagnosis, diagnose
from dicom_mcp.errors import BadConfiguration, Cancelled
from dicom_mcp.node import AnyNode, Node, WebNode
from dicom_mcp.terminal import doctor as command
from dicom_mcp.truth.habits import Habits
from tests.asking import ask, call, said
from tests.bounds import PATIENCE, in_time
from tests.diagnosis_page import SHOWN, alike, shown, working
from tests.notes import the_note
from tests.peers import certificates
from tests.peers.embedded import MISBEHAVING, Kind, embedded, embedded_web
from tests.peers.misbehaviours import MISBEHAVIOURS
from tests.peers.mistakes import page
from tests.peers.scripted import Peer

# What is found of an archive that goes as the standard says.
GOOD = {
    "most matches at once": "no cap met: it gave all 30",
    "not returned for a study": "nothing: it returns every attribute asked for",
    "keys honoured": "PatientID, PatientName, PatientBirthDate, StudyDate, ModalitiesInStudy, "
    "AccessionNumber, StudyDescription, ReferringPhysicianName, StudyInstanceUID",
    "wildcard *": "yes",
    "wildcard ?": "yes",
    "taken as written": "nothing: wildcards, ranges and lists are understood",
    "UTF-8 keys": "yes",
    "finds names in other case": "yes",
    "levels": "relational: a series is found without its study",
    "C-FIND Patient Root": "accepted",
    "C-FIND Study Root": "accepted",
    "C-GET Study Root": "accepted",
    "C-FIND Modality Worklist": "accepted",
}

HIERARCHICAL = "hierarchical: a series is found only with its study"

# How an archive with a habit differs from that; None for what is not told.
FOUND: dict[str, dict[str, str | None]] = {
    "ignores modalities and keeps none": {
        "not returned for a study": "ModalitiesInStudy",
        "keys ignored": "ModalitiesInStudy",
    },
    "ignores descriptions": {"keys ignored": "StudyDescription"},
    "ignores dates": {"keys ignored": "PatientBirthDate, StudyDate"},
    "ignores names": {"keys ignored": "PatientName", "UTF-8 keys": None, "wildcard *": None},
    "keeps no counts": {
        "not returned for a study": "NumberOfStudyRelatedSeries, NumberOfStudyRelatedInstances"
    },
    "is out of resources after 7": {"most matches at once": "7, it says so"},
    "cancels after 7": {"most matches at once": "7, it says so"},
    "stops silently after 10": {"most matches at once": "10, without a word; there are more"},
    "stops silently after 20": {"most matches at once": "20, without a word; there are more"},
    "compares keys as written": {
        "wildcard *": "no",
        "taken as written": "wildcards in PatientID, wildcards in StudyDescription, ranges in "
        "StudyDate, lists in StudyInstanceUID",
    },
    "minds the case of names": {"finds names in other case": "no"},
    "has Study Root only": {"C-FIND Patient Root": "not accepted"},
    "has Patient Root only": {"C-FIND Study Root": "not accepted"},
    "finds nothing without the keys above": {"levels": HIERARCHICAL},
}


@pytest.fixture(scope="module")
def held() -> list[Dataset]:
    return list(hospital(date.today()).pacs())  # noqa: DTZ011 - the demo's own today


def diagnosed(node: AnyNode, habits: Habits | None = None, seconds: float = 60) -> Diagnosis:
    return in_time(lambda: diagnose(node, habits or Habits(), deadline=Deadline(seconds)))


def capabilities(found: Diagnosis) -> dict[str, str]:
    return {one.name: one.found for one in found.capabilities}


def test_of_a_good_archive_everything_is_found(held: list[Dataset]) -> None:
    with embedded(held) as peer:
        found = diagnosed(peer.node)
    assert found.works, found.steps
    assert GOOD.items() <= capabilities(found).items()
    assert capabilities(found)["gives an object"].startswith("yes, by C-GET")


@pytest.mark.parametrize("habit", FOUND)
def test_a_habit_is_found_as_it_is(habit: str, held: list[Dataset]) -> None:
    with embedded(held, MISBEHAVING[habit]) as peer:
        found = diagnosed(peer.node)
    told = capabilities(found)
    for name, value in FOUND[habit].items():
        assert told.get(name) == value, (name, told)


@pytest.mark.parametrize("hierarchy", ["strict", "silent"])
def test_what_is_found_is_what_later_questions_know(hierarchy: Any, held: list[Dataset]) -> None:
    habits = Habits()
    with embedded(held, Kind(hierarchy=hierarchy)) as peer:
        found = diagnosed(peer.node, habits)
    assert capabilities(found)["levels"] == HIERARCHICAL
    assert habits.relational is False
    assert habits.reads_utf_8
    assert habits.cap is None


def test_an_archive_that_compares_bytes_does_not_read_utf_8_for_certain(
    held: list[Dataset],
) -> None:
    habits = Habits()
    with embedded(held, MISBEHAVING["compares bytes"]) as peer:
        told = capabilities(diagnosed(peer.node, habits))
    assert habits.reads_utf_8 == (told["UTF-8 keys"] == "yes")


def test_the_tool_says_what_doctor_says(held: list[Dataset]) -> None:
    with embedded(held, MISBEHAVING["stops silently after 10"]) as peer:
        answer = ask(peer.node, "diagnose")
    assert answer["works"]
    (one,) = answer["diagnoses"]
    assert [step["name"] for step in one["steps"]][:4] == ["name", "TCP", "TLS", "association"]
    assert {"name": "most matches at once", "found": "10, without a word; there are more"} in (
        one["capabilities"]
    )


def test_nothing_of_a_patient_is_told(held: list[Dataset]) -> None:
    with embedded(held) as peer:
        told = str(ask(peer.node, "diagnose"))
    for one in held:
        assert str(one.PatientID) not in told
        assert str(one.StudyInstanceUID) not in told
        assert str(one.PatientName).split("^")[0].split("=")[0] not in told


def test_several_nodes_are_diagnosed_each(held: list[Dataset]) -> None:
    with embedded(held) as peer, Peer(None) as closed:
        node = replace(peer.node, name="good")  # pyright: ignore[reportArgumentType]
        settings = Settings(node, others=(Node(port=closed.port, name="closed"),))
        result = call(settings, "diagnose", node="all")
    assert not result.is_error, said(result)
    answer = result.structured_content
    assert answer
    assert not answer["works"]
    assert [one["works"] for one in answer["diagnoses"]] == [True, False]
    assert the_note(answer["notes"], "TCP failed: connection refused")


def test_a_dicomweb_server_is_diagnosed(held: list[Dataset]) -> None:
    with embedded_web(held) as url:
        found = diagnosed(WebNode(url))
    told = capabilities(found)
    assert found.works, found.steps
    assert told["keys honoured"] == GOOD["keys honoured"]
    assert told["UTF-8 keys"] == "yes"
    assert told["gives an object"].startswith("yes, by WADO-RS")
    assert "STOW-RS" in told


def test_an_empty_archive_works_and_tells_what_cannot_be_known() -> None:
    with embedded([]) as peer:
        found = diagnosed(peer.node)
    assert found.works
    assert "not known" in capabilities(found)["answers to other questions"]


SILENT = [name for name in MISBEHAVIOURS if not name.startswith("drips")]


@pytest.mark.parametrize("name", SILENT)
def test_no_peer_is_waited_for_beyond_the_time(name: str) -> None:
    with Peer(MISBEHAVIOURS[name]) as peer:
        found = diagnosed(Node(port=peer.port), seconds=1.0)
    assert found.steps
    times = [step.milliseconds or 0 for step in found.steps]
    assert sum(times) < 1000 * PATIENCE / 10


def test_a_cancelled_diagnosis_ends() -> None:
    deadline = Deadline(30)
    deadline.cancel()
    with Peer(MISBEHAVIOURS["accepts and says nothing"]) as peer, pytest.raises(Cancelled):
        in_time(lambda: diagnose(Node(port=peer.port), Habits(), deadline=deadline))


def test_doctor_names_what_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DICOM_HOST", "127.0.0.1")
    with pytest.raises(BadConfiguration, match="there is no node 'pacs'"):
        command.doctor("pacs")


def test_doctor_ends_with_a_status(capsys: pytest.CaptureFixture[str]) -> None:
    with Peer(None) as closed:
        assert command.doctor(f"PACS@127.0.0.1:{closed.port}") == 1
    said_of_it = capsys.readouterr().out
    assert "connection refused" in said_of_it
    assert "nc -vz" in said_of_it
    with embedded([]) as peer:
        assert command.doctor(f"EMBEDDED@127.0.0.1:{peer.node.port}", as_json=True) == 0


def test_the_page_shows_what_doctor_prints(tmp_path_factory: pytest.TempPathFactory) -> None:
    text = alike(page().read_text())
    for printed in working():
        assert alike(printed) in text
    made = certificates.make(tmp_path_factory.mktemp("certificates"))
    for what in SHOWN:
        assert alike(shown(what, made)) in text
