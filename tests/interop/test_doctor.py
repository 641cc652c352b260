"""What is found of other people's archives."""

import json
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.deadline import Deadline
from dicom_mcp.diagnosis import Diagnosis, diagnose
from dicom_mcp.node import AnyNode, Node, WebNode
from dicom_mcp.truth.habits import Habits
from tests.bounds import in_time
from tests.peers.dcmqrscp import dcmqrscp
from tests.peers.dcmtk import dcmtk
from tests.peers.orthanc import orthanc, orthanc_program, orthanc_web
from tests.peers.program import free_port, running


def readable(held: list[Dataset]) -> list[Dataset]:
    """Those whose patient has a name in ASCII."""
    return [one for one in held if str(one.PatientName).isascii()]


def diagnosed(node: AnyNode, habits: Habits | None = None) -> Diagnosis:
    return in_time(lambda: diagnose(node, habits or Habits(), deadline=Deadline(25)))


def capabilities(found: Diagnosis) -> dict[str, str]:
    return {one.name: one.found for one in found.capabilities}


@pytest.mark.orthanc
def test_orthanc(held: list[Dataset], tmp_path: Path) -> None:
    with orthanc(readable(held), tmp_path) as peer:
        found = diagnosed(peer.node)
    told = capabilities(found)
    assert found.works, found.steps
    assert told["C-GET Study Root"] == "accepted"
    assert told["gives an object"].startswith("yes, by C-GET")
    assert told["most matches at once"].startswith("no cap met")
    assert told["finds names in other case"] == "yes"
    assert "keys ignored" not in told


@pytest.mark.orthanc
def test_orthanc_that_minds_titles(tmp_path: Path) -> None:
    port = free_port()
    configuration = tmp_path / "orthanc.json"
    configuration.write_text(
        json.dumps(
            {
                "StorageDirectory": str(tmp_path / "storage"),
                "Plugins": [],
                "HttpServerEnabled": False,
                "DicomAet": "ORTHANC",
                "DicomPort": port,
                "DicomCheckCalledAet": True,
            }
        )
    )
    with running([str(orthanc_program()), str(configuration)], port):
        wrong = diagnosed(Node(port=port, called_ae_title="PACS"))
        unknown = diagnosed(Node(port=port, called_ae_title="ORTHANC"))
    assert wrong.failure
    assert wrong.failure.name == "association"
    assert "called_ae_title PACS is not its title" in wrong.failure.said
    # Orthanc lets a stranger in, and refuses questions.
    assert unknown.failure
    assert unknown.failure.name == "query", unknown.failure
    assert unknown.failure.remedy


@pytest.mark.orthanc
def test_orthanc_over_dicomweb(held: list[Dataset], tmp_path: Path) -> None:
    with orthanc_web(readable(held), tmp_path) as url:
        found = diagnosed(WebNode(url))
        wrong = diagnosed(WebNode(url.replace("dicom-web", "dicomweb")))
    told = capabilities(found)
    assert found.works, found.steps
    assert told["gives an object"].startswith("yes, by WADO-RS")
    assert wrong.failure
    assert wrong.failure.name == "QIDO-RS"
    assert "404" in wrong.failure.said


@pytest.mark.dcmtk
def test_dcmqrscp(held: list[Dataset], tmp_path: Path) -> None:
    habits = Habits()
    with dcmqrscp(held, tmp_path) as peer:
        found = diagnosed(peer.node, habits)
        title = diagnosed(Node(port=peer.node.port, called_ae_title="PACS"))
    told = capabilities(found)
    assert found.works, found.steps
    # Asked for StudyInstanceUID too, as every question of ours does, it finds a series without it.
    assert told["levels"].startswith("relational")
    assert habits.relational
    assert "ModalitiesInStudy" in told["keys ignored"]
    assert "NumberOfStudyRelatedInstances" in told["not returned for a study"]
    assert told["C-FIND Modality Worklist"] == "not accepted"
    assert title.failure
    assert title.failure.name == "association"
    assert "called_ae_title PACS is not its title" in title.failure.said


@pytest.mark.dcmtk
def test_dcmqrscp_that_does_not_know_us(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "storage").mkdir()
    configuration = tmp_path / "dcmqrscp.cfg"
    configuration.write_text(
        f"NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n"
        "HostTable BEGIN\nviewer = (VIEWER, viewer.example.org, 104)\nHostTable END\n"
        "VendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\nDCMQRSCP {tmp_path / 'storage'} RW (9, 1mb) viewer\nAETable END\n"
    )
    command = [str(dcmtk("dcmqrscp")), "-c", str(configuration), str(port)]
    with running(command, port):
        found = diagnosed(Node(port=port, called_ae_title="DCMQRSCP"))
    assert found.failure, found.steps
    assert found.failure.remedy


@contextmanager
def wlmscpfs(directory: Path) -> Generator[int]:
    """DCMTK's worklist, empty."""
    port = free_port()
    worklist = directory / "WORKLIST"
    worklist.mkdir()
    (worklist / "lockfile").touch()
    with running([str(dcmtk("wlmscpfs")), "-dfp", str(directory), str(port)], port):
        yield port


@pytest.mark.dcmtk
def test_wlmscpfs_is_a_worklist_and_no_archive(tmp_path: Path) -> None:
    with wlmscpfs(tmp_path) as port:
        found = diagnosed(Node(port=port, called_ae_title="WORKLIST"))
        title = diagnosed(Node(port=port, called_ae_title="PACS"))
    assert found.works, found.steps
    by_name = {step.name: step for step in found.steps}
    assert by_name["services"].said.endswith(
        "It is a worklist, and no archive to search for studies"
    )
    assert by_name["query"].passed is None
    assert by_name["worklist"].said == "answered, 0 entries for today"
    assert title.failure


@pytest.mark.dcmtk
def test_the_commands_shown_do_the_same(held: list[Dataset], tmp_path: Path) -> None:
    with dcmqrscp(held, tmp_path) as peer:
        found = diagnosed(peer.node)
        told = (*found.steps, *found.capabilities)
        commands = {one.name: one.command for one in told if one.command}
        for name in ("C-ECHO", "query", "keys honoured"):
            program, _, options = commands[name].partition(" ")
            again = subprocess.run(
                f"{dcmtk(program)} {options}",
                shell=True,
                capture_output=True,
                timeout=60,
                check=False,
            )
            assert again.returncode == 0, (commands[name], again.stderr)
