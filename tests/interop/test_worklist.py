"""query_worklist asked of DCMTK's wlmscpfs and of Orthanc, which hold the demo hospital's worklist
as files. wlmscpfs compares names with regard to case and knows no station names; Orthanc answers
about studies too."""

import json
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from dicom_mcp.demo.hospital import hospital
from dicom_mcp.node import Node
from tests.asking import ask
from tests.peers.dcmtk import dcmtk, store
from tests.peers.program import free_port, running
from tests.worklists import DAY, QUESTIONS, TODAY, Asked, accessions, records_of, study

_PLUGIN = Path("/usr/share/orthanc/plugins/libModalityWorklists.so")


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("wlmscpfs", marks=pytest.mark.dcmtk),
        pytest.param("orthanc", marks=pytest.mark.orthanc),
    ],
)
def node(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Node]:
    """One worklist after the other."""
    directory = tmp_path_factory.mktemp("worklist")
    serving = {"wlmscpfs": wlmscpfs, "orthanc": orthanc}[request.param]
    with serving(directory) as node:
        yield node


@pytest.mark.parametrize("days", [DAY, "March 2026", ""])
@pytest.mark.parametrize(
    ("asked", "is_meant"), QUESTIONS, ids=[" ".join(map(str, one)) for one, _ in QUESTIONS]
)
def test_every_entry_that_is_meant_and_no_other(
    node: Node, days: str, asked: Asked, is_meant: Callable[[Dataset], bool]
) -> None:
    answer = ask(node, "query_worklist", date=days, **asked)
    meant = [entry.AccessionNumber for entry in hospital(TODAY).worklist() if is_meant(entry)]
    assert accessions(answer) == meant
    assert answer["complete"] is True


def test_entries_of_other_days_are_not_todays(node: Node) -> None:
    answer = ask(node, "query_worklist", date="2026-03-03")
    assert answer["returned"] == 0
    assert answer["notes"] == ["Nothing is scheduled that matches these keys."]


@pytest.mark.dcmtk
def test_a_key_that_wlmscpfs_does_not_know_is_named(tmp_path: Path) -> None:
    with wlmscpfs(tmp_path) as node:
        answer = ask(node, "query_worklist", date=DAY, station="CT1")
    assert accessions(answer) == ["W26030201", "A46579736"]
    assert answer["notes"] == [
        "The archive ignored ScheduledStationName: 8 worklist entries that did not match were left "
        "out here."
    ]


@pytest.mark.dcmtk
def test_names_that_wlmscpfs_sends_without_their_character_set_are_not_taken_for_others(
    tmp_path: Path,
) -> None:
    with wlmscpfs(tmp_path, "--return-no-char-set") as node:
        answer = ask(node, "query_worklist", date=DAY, patient_name="山田太郎")
    assert answer["returned"] == 0
    assert answer["complete"] is False
    assert any("without a character set" in note for note in answer["notes"])


@pytest.mark.dcmtk
def test_a_worklist_without_an_archive_says_that_nothing_can_be_looked_up(tmp_path: Path) -> None:
    with wlmscpfs(tmp_path) as node:
        answer = ask(node, "query_worklist", date=DAY, arrived=True)
    assert answer["returned"] == 10
    assert answer["waiting"] is None
    assert any("answers no questions about studies" in note for note in answer["notes"])


@pytest.mark.dcmtk
@pytest.mark.orthanc
def test_what_has_arrived_in_orthanc_is_found(tmp_path: Path) -> None:
    entries = hospital(TODAY).worklist()
    objects = [
        *study(entries[0], 4),
        *study(entries[4], 3, StudyInstanceUID="1.3.2"),
        *study(entries[6], 2, StudyInstanceUID="1.3.3", AccessionNumber=""),
    ]
    with orthanc(tmp_path) as node:
        store(objects, node.port, "ORTHANC", tmp_path)
        answer = ask(node, "query_worklist", date=DAY, arrived=True)
    arrived = [record["arrived"] for record in records_of(answer, "arrived")]
    assert arrived == [4, 0, 0, 0, 3, 0, 2, 0, 0, 0]
    assert answer["waiting"] == 7


@contextmanager
def wlmscpfs(directory: Path, option: str = "--keep-char-set") -> Generator[Node]:
    """DCMTK's worklist: a folder for each called AE title, with a file to lock."""
    held = directory / "WLMSCPFS"
    write(held)
    (held / "lockfile").touch()
    port = free_port()
    command = [str(dcmtk("wlmscpfs")), "--data-files-path", str(directory), option, str(port)]
    with running(command, port, {"TCP_NODELAY": "1"}):
        yield Node(port=port, called_ae_title="WLMSCPFS")


@contextmanager
def orthanc(directory: Path) -> Generator[Node]:
    """Debian's Orthanc with the worklist plugin that comes with it.

    Its entries are in UTF-8: Orthanc 1.10 loses the escape sequences of ISO 2022 text.
    """
    program = shutil.which("Orthanc", path=os.pathsep.join([*os.get_exec_path(), "/usr/sbin"]))
    if not program or not _PLUGIN.exists():
        if os.environ.get("DICOM_MCP_REQUIRE_PEERS") == "1":
            pytest.fail("Orthanc is not installed")
        pytest.skip("Orthanc is not installed")
    write(directory / "worklist", in_utf_8=True)
    port = free_port()
    settings: dict[str, Any] = {
        "StorageDirectory": str(directory / "storage"),
        "IndexDirectory": str(directory / "index"),
        "Plugins": [str(_PLUGIN)],
        "Worklists": {"Enable": True, "Database": str(directory / "worklist")},
        "HttpServerEnabled": False,
        "DicomAet": "ORTHANC",
        "DicomPort": port,
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowFindWorklist": True,
        "DicomAlwaysAllowStore": True,
        "DefaultEncoding": "Utf8",
    }
    configuration = directory / "orthanc.json"
    configuration.write_text(json.dumps(settings))
    with running([program, str(configuration)], port, {"TCP_NODELAY": "1"}):
        yield Node(port=port, called_ae_title="ORTHANC")


def write(folder: Path, *, in_utf_8: bool = False) -> None:
    """The worklist as files."""
    folder.mkdir()
    for number, entry in enumerate(hospital(TODAY).worklist()):
        if in_utf_8:
            entry.SpecificCharacterSet = "ISO_IR 192"
            entry.PatientName = str(entry.PatientName)
        entry.file_meta = FileMetaDataset()
        entry.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        entry.file_meta.MediaStorageSOPClassUID = UID("1.2.276.0.7230010.3.1.0.1")
        entry.file_meta.MediaStorageSOPInstanceUID = UID(f"1.2.3.{number}")
        entry.save_as(folder / f"{number}.wl", enforce_file_format=True)
