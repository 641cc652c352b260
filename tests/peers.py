"""Real archives as peers, each filled with the demo hospital: embedded, Orthanc, dcmqrscp."""

import functools
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.find import Hierarchy
from dicom_mcp.demo.habits import NONE, Habits
from dicom_mcp.node import AnyNode, Node, Receiver
from dicom_mcp.standard.dictionary import keywords
from dicom_mcp.standard.levels import UNIQUE_KEY, Model
from tests.bounds import PATIENCE
from tests.dcmtk import dcmtk

# DCMTK without Nagle's algorithm, which waits 40 ms for each delayed acknowledgement.
_AT_ONCE = {"TCP_NODELAY": "1"}


@dataclass(frozen=True, slots=True)
class Peer:
    """A running archive and what it is not capable of (words of the expectation tables)."""

    name: str
    node: AnyNode
    lacks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Kind:
    """How our own archive is to behave."""

    habits: Habits = NONE
    hierarchy: Hierarchy = "relational"


def _ignoring(*keywords: str, returned: bool = True) -> Kind:
    keys = frozenset(keywords)
    return Kind(Habits(ignored_keys=keys, unreturned=frozenset() if returned else keys))


def _without(*keywords: str) -> Kind:
    return Kind(Habits(unreturned=frozenset(keywords)))


def capped(most: int, status: int = 0x0000) -> Kind:
    """Gives at most so many matches and ends longer answers with this status."""
    return Kind(Habits(most_matches=most, cap_status=status))


_COUNTS = (
    *("NumberOfPatientRelatedStudies", "NumberOfPatientRelatedSeries"),
    *("NumberOfPatientRelatedInstances", "NumberOfStudyRelatedSeries"),
    *("NumberOfStudyRelatedInstances", "NumberOfSeriesRelatedInstances"),
)

_BELOW = frozenset({"ModalitiesInStudy", "NumberOfStudyRelatedSeries"})
_NOT_INDEXED = frozenset({"PatientName", "StudyDescription", "StudyTime", "SeriesDescription"})

# Archives that cut by something else than the rows of an answer, and mostly without a word.
CUTTING_BELOW: dict[str, Kind] = {
    "looks at 13 series for a modality": Kind(Habits(most_below=13)),
    # Orthanc 1.10.1 with LimitFindResults 20, and its orthanc-dicomweb.
    "cuts like Orthanc": Kind(Habits(most_matches=20, cap_status=0xFE00, most_below=21)),
    "cuts like Orthanc's DICOMweb": Kind(Habits(most_of_all_pages=21, most_below=21)),
    "looks at 15 series for what it is asked to tell": Kind(
        Habits(most_below=15, below_keys=_BELOW, joined=True)
    ),
    "compares the first 17 and says so": Kind(
        Habits(most_candidates=17, late_keys=_NOT_INDEXED, cap_status=0xFE00)
    ),
    "compares the first 17 silently": Kind(Habits(most_candidates=17, late_keys=_NOT_INDEXED)),
    "reads 3 values of a list": Kind(Habits(most_values=3)),
}

# Our own archive as others are, by what is wrong with it.
MISBEHAVING: dict[str, Kind] = {
    "ignores modalities": _ignoring("ModalitiesInStudy", "Modality"),
    "ignores modalities and keeps none": _ignoring("ModalitiesInStudy", returned=False),
    "ignores descriptions": _ignoring("StudyDescription", "SeriesDescription"),
    "ignores and keeps back descriptions": _ignoring(
        "StudyDescription", "SeriesDescription", returned=False
    ),
    "ignores dates": _ignoring("StudyDate", "PatientBirthDate"),
    "ignores names": _ignoring("PatientName"),
    "ignores and keeps back names": _ignoring("PatientName", returned=False),
    "ignores numbers": _ignoring("AccessionNumber", "SeriesNumber", "InstanceNumber"),
    "ignores unique keys": _ignoring(*UNIQUE_KEY.values()),
    "keeps no counts": _without(*_COUNTS),
    "keeps back dates": _without("StudyDate", "PatientBirthDate"),
    "keeps back the UIDs above": _without("PatientID", "StudyInstanceUID", "SeriesInstanceUID"),
    "calls every key unsupported": Kind(Habits(optional_keys_status=True)),
    "is out of resources after 7": capped(7, 0xA700),
    "cancels after 7": capped(7, 0xFE00),
    "stops silently after 10": capped(10),
    "stops silently after 20": capped(20),
    "calls UTF-8 Latin-1": Kind(Habits(utf_8_declared="as Latin-1")),
    "does not declare UTF-8": Kind(Habits(utf_8_declared="not at all")),
    "compares bytes": Kind(Habits(by_bytes=True, case_sensitive=True)),
    "minds the case of names": Kind(Habits(case_sensitive=True)),
    "compares keys as written": Kind(Habits(literal_keys=frozenset(keywords()))),
    "has wildcards at the end only": Kind(
        Habits(not_wild=frozenset({"at the start", "inside", "?"}), open_ranges=False)
    ),
    "says everything twice": Kind(Habits(duplicated=True)),
    "has Study Root only": Kind(Habits(models=frozenset({Model.STUDY_ROOT}))),
    "has Patient Root only": Kind(Habits(models=frozenset({Model.PATIENT_ROOT}))),
    "has Patient Root only and is silent": Kind(
        Habits(models=frozenset({Model.PATIENT_ROOT})), "silent"
    ),
    "finds nothing without the keys above": Kind(hierarchy="silent"),
    "has several habits": Kind(
        Habits(
            ignored_keys=frozenset({"ModalitiesInStudy", "StudyDescription"}),
            unreturned=frozenset({"ModalitiesInStudy", *_COUNTS}),
            models=frozenset({Model.STUDY_ROOT}),
            most_matches=20,
            by_bytes=True,
            case_sensitive=True,
            duplicated=True,
        ),
        "silent",
    ),
}


@contextmanager
def embedded(
    objects: Sequence[Dataset],
    kind: Kind = Kind(),
    *,
    name: str = "embedded",
    database: str = ":memory:",
    receiver: Receiver | None = None,
) -> Generator[Peer]:
    """Our own archive, asked relationally unless its kind says otherwise.

    `database` may be a file that another embedded archive has filled.
    """
    with EmbeddedArchive(
        objects,
        ae_title="EMBEDDED",
        hierarchy=kind.hierarchy,
        habits=kind.habits,
        database=database,
        destinations={receiver.ae_title: (receiver.host, receiver.port)} if receiver else None,
    ) as archive:
        lacks = {"case"} if kind.habits.case_sensitive else set[str]()
        node = Node(port=archive.port, called_ae_title="EMBEDDED", receiver=receiver)
        yield Peer(name, node, frozenset({*lacks, "case of text", "accents"}))


@contextmanager
def orthanc(
    objects: Sequence[Dataset],
    directory: Path,
    receiver: Receiver | None = None,
    *,
    limit: int = 0,
) -> Generator[Peer]:
    """Debian's Orthanc without plugins; answers in UTF-8, and so much at once (0: everything)."""
    program = orthanc_program()
    port = free_port()
    configuration = directory / "orthanc.json"
    configuration.write_text(
        json.dumps(
            {
                "Name": "test",
                "StorageDirectory": str(directory / "storage"),
                "IndexDirectory": str(directory / "index"),
                "Plugins": [],
                "HttpServerEnabled": False,
                "DicomAet": "ORTHANC",
                "DicomPort": port,
                "DicomAlwaysAllowFind": True,
                "DicomAlwaysAllowGet": True,
                "DicomAlwaysAllowMove": True,
                "DicomModalities": {"receiver": _place(receiver)} if receiver else {},
                "DicomAlwaysAllowStore": True,
                "DefaultEncoding": "Utf8",
                "LimitFindResults": limit,
            }
        )
    )
    with running([str(program), str(configuration)], port, _AT_ONCE):
        store(map(_in_utf_8, objects), port, "ORTHANC", directory)
        yield Peer("orthanc", Node(port=port, called_ae_title="ORTHANC", receiver=receiver))


@contextmanager
def dcmqrscp(
    objects: Sequence[Dataset], directory: Path, receiver: Receiver | None = None
) -> Generator[Peer]:
    """DCMTK's archive: hierarchical, byte for byte in text, without counts."""
    port = free_port()
    storage = directory / "storage"
    storage.mkdir()
    configuration = directory / "dcmqrscp.cfg"
    host = "receiver = ({}, {}, {})\n".format(*_place(receiver)) if receiver else ""
    configuration.write_text(
        f"NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n"
        f"HostTable BEGIN\n{host}HostTable END\nVendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\nDCMQRSCP {storage} RW (9999, 1024mb) ANY\nAETable END\n"
    )
    command = [str(dcmtk("dcmqrscp")), "-c", str(configuration), str(port)]
    with running(command, port, _AT_ONCE):
        store(map(_uncompressed, objects), port, "DCMQRSCP", directory)
        yield Peer(
            "dcmqrscp",
            Node(port=port, called_ae_title="DCMQRSCP", receiver=receiver),
            lacks=frozenset({"case", "case of text", "accents"}),
        )


def _place(receiver: Receiver) -> tuple[str, str, int]:
    """A receiver as an archive is told of it."""
    return receiver.ae_title, receiver.host, receiver.port


def store(objects: Iterable[Dataset], port: int, ae_title: str, directory: Path) -> None:
    """Send every object in the transfer syntax it is in; each must be stored.

    With DCMTK's sender: pynetdicom 3.0.4 takes 50 ms an object here, and where the archive is
    quicker it misses an answer now and then.
    """
    sent = directory / "sent"
    sent.mkdir()
    for number, one in enumerate(objects):
        one.save_as(sent / f"{number}.dcm", enforce_file_format=True)
    program = str(dcmtk("dcmsend"))
    stored = subprocess.run(
        [program, "+sd", "-dn", "-aec", ae_title, "127.0.0.1", str(port), str(sent)],
        env={**os.environ, **_AT_ONCE},
        timeout=PATIENCE,
        capture_output=True,
        check=False,
    )
    assert stored.returncode == 0, stored.stderr
    shutil.rmtree(sent)


def _in_utf_8(one: Dataset) -> Dataset:
    """Orthanc 1.10 loses the escape sequences of ISO 2022 text in what it indexes."""
    copy = deepcopy(one)
    copy.decode()
    copy.SpecificCharacterSet = "ISO_IR 192"
    return copy


def _uncompressed(one: Dataset) -> Dataset:
    """dcmqrscp accepts uncompressed objects only; a query needs no pixels."""
    if not one.file_meta.TransferSyntaxUID.is_compressed:
        return one
    copy = deepcopy(one)
    del copy.PixelData
    copy.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return copy


def free_port() -> int:
    """A port nothing listens on right now."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        return held.getsockname()[1]


@functools.cache
def orthanc_program() -> Path:
    """The program; without it the test is skipped, or fails where DICOM_MCP_REQUIRE_PEERS=1."""
    found = shutil.which("Orthanc", path=os.pathsep.join([*os.get_exec_path(), "/usr/sbin"]))
    if found:
        return Path(found)
    if os.environ.get("DICOM_MCP_REQUIRE_PEERS") == "1":
        pytest.fail("Orthanc is not installed")
    pytest.skip("Orthanc is not installed")


@contextmanager
def running(
    command: Sequence[str], port: int, environment: Mapping[str, str] | None = None
) -> Generator[None]:
    """A program that listens at the port, until the block ends."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
    ) as process:
        try:
            _await(port, process)
            yield
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until something listens at the port; each attempt waits for the process a little."""
    for _ in range(int(PATIENCE / 0.1)):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        except ConnectionRefusedError:
            try:
                process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            pytest.fail(f"{process.args} ended with status {process.returncode}")
        else:
            return
    pytest.fail(f"nothing listens on port {port}")
