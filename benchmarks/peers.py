"""Debian's Orthanc and DCMTK's dcmqrscp in temporary folders on free ports, filled and bounded."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from time import monotonic, sleep

from pydicom.dataset import Dataset

from benchmarks.hospital_year import series, studies
from benchmarks.streaming_peer import streaming_peer
from dicom_mcp.attributes import preset_keywords
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Query

# Longer than any of them ever takes to start or to leave.
PATIENCE = 20

# dcmqridx compares each image with all before it: 5,000 take a minute.
_FILL_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Question:
    """A query to a peer, and how many matches it has there."""

    peer: str
    port: int
    called_ae_title: str
    query: Query
    matches: int


def program(name: str) -> str | None:
    """The program of this name outside our own environment, where dicom3tools has a findscu too."""
    own = Path(sys.prefix) / "bin"
    elsewhere = [folder for folder in os.get_exec_path() if Path(folder).resolve() != own.resolve()]
    return shutil.which(name, path=os.pathsep.join([*elsewhere, "/usr/sbin"]))


@contextmanager
def streaming(sizes: Sequence[int]) -> Generator[list[Question]]:
    """The streaming peer, one port for each size."""
    with streaming_peer(sizes) as ports:
        query = _study_query("RAD2026*")
        yield [Question("streaming", ports[size], "STREAM", query, size) for size in sizes]


@contextmanager
def orthanc(sizes: Sequence[int]) -> Generator[list[Question]]:
    """Orthanc with `max(sizes)` studies of one image; an accession number's pattern for each size.

    Sizes are 1 and powers of ten, or all.
    """
    with orthanc_holding(_first_images(max(sizes))) as port:
        yield [
            Question("Orthanc", port, "ORTHANC", _study_query(_pattern(size)), size)
            for size in sizes
        ]


@contextmanager
def orthanc_holding(images: Iterable[Dataset]) -> Generator[int]:
    """Orthanc with these images; yields its DICOM port."""
    dicom, web = _free_port(), _free_port()
    with tempfile.TemporaryDirectory(prefix="benchmark") as folder:
        settings: dict[str, object] = {
            "StorageDirectory": folder,
            "IndexDirectory": folder,
            "DicomPort": dicom,
            "DicomAet": "ORTHANC",
            "DicomAlwaysAllowFind": True,
            "DicomAlwaysAllowGet": True,
            "DicomScpTimeout": 600,
            "HttpPort": web,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "DefaultEncoding": "Utf8",
            "LimitFindResults": 0,
            "Plugins": [],
        }
        written = Path(folder) / "orthanc.json"
        written.write_text(json.dumps(settings))
        with _running([program("Orthanc") or "", str(written)], (dicom, web)):
            _upload(web, images)
            yield dicom


@contextmanager
def dcmqrscp(sizes: Sequence[int]) -> Generator[list[Question]]:
    """dcmqrscp with a series of images for each size: it holds no more than 500 studies.

    Each size has an area (a called AE title) to itself; the single match is one of the largest.
    """
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="benchmark") as folder:
        areas = {size: f"SERIES{size}" for size in sizes if size > 1}
        questions = [_area(Path(folder) / areas[size], port, size) for size in areas]
        settings = Path(folder) / "dcmqrscp.cfg"
        settings.write_text(_configuration(port, folder, areas.values()))
        if 1 in sizes:
            questions.insert(0, _one_of(questions[-1]))
        with _running([program("dcmqrscp") or "", "-c", str(settings)], (port,)):
            yield questions


def _study_query(accession_number: str) -> Query:
    wanted = preset_keywords(Level.STUDY, "standard")
    return Query(Level.STUDY, {"AccessionNumber": accession_number}, wanted)


def _pattern(size: int) -> str:
    """The accession numbers RAD20260000, … of the first `size` studies."""
    if size == 1:
        return "RAD20260000"
    digits = len(str(size - 1))
    return f"RAD{20_260_000:08}"[: 11 - digits] + "*"


def _first_images(count: int) -> Iterable[Dataset]:
    for _, images in groupby(studies(count), lambda one: one.StudyInstanceUID):
        yield next(images)


def _upload(port: int, images: Iterable[Dataset]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with tempfile.TemporaryDirectory() as folder:
        for image in images:
            connection.request("POST", "/instances", _saved(image, Path(folder) / "image.dcm"))
            response = connection.getresponse()
            response.read()
            if response.status != 200:
                raise RuntimeError(f"Orthanc refused an image ({response.status})")
    connection.close()


def _saved(image: Dataset, path: Path) -> bytes:
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    image.save_as(path, enforce_file_format=True)
    return path.read_bytes()


def _area(folder: Path, port: int, size: int) -> Question:
    folder.mkdir()
    images = list(series(size))
    names = [f"{number:05}.dcm" for number in range(size)]
    for image, name in zip(images, names, strict=True):
        _saved(image, folder / name)
    subprocess.run(
        [program("dcmqridx") or "", ".", *names],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=_FILL_SECONDS,
        check=True,
    )
    keys = {
        keyword: str(images[0][keyword].value)
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID")
    }
    query = Query(Level.IMAGE, keys, preset_keywords(Level.IMAGE, "standard"))
    return Question("dcmqrscp", port, folder.name, query, size)


def _one_of(question: Question) -> Question:
    query = question.query
    one = Query(query.level, {**query.keys, "InstanceNumber": "50"}, query.wanted)
    return Question(question.peer, question.port, question.called_ae_title, one, 1)


def _configuration(port: int, folder: str, titles: Iterable[str]) -> str:
    areas = "\n".join(f"{title} {folder}/{title} R (500, 1024mb) ANY" for title in titles)
    return (
        f"NetworkTCPPort = {port}\nMaxPDUSize = 131072\nMaxAssociations = 32\n"
        "HostTable BEGIN\nHostTable END\nVendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\n{areas}\nAETable END\n"
    )


@contextmanager
def _running(command: list[str], ports: Sequence[int]) -> Generator[None]:
    """The program while the block runs, from when it listens."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for port in ports:
                _await(port)
            yield
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE)
            process.kill()


def _await(port: int) -> None:
    until = monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if monotonic() > until:
                raise
            sleep(0.1)
        else:
            return


def _free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]
