"""Debian's Orthanc, over DIMSE and with its DICOMweb plugin."""

import functools
import json
import os
import shutil
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType]
from pydicom.dataset import Dataset

from dicom_mcp.node import Node, Receiver
from dicom_mcp.standard.instance import Instance
from dicom_mcp.standard.part10 import heading
from tests.bounds import PATIENCE
from tests.peers.archive import Peer
from tests.peers.dcmtk import store
from tests.peers.program import AT_ONCE, free_port, running

# Where Debian installs it; another place can be named.
_PLUGIN = Path(
    os.environ.get("ORTHANC_DICOMWEB_PLUGIN", "/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
)


@contextmanager
def orthanc(
    objects: Sequence[Dataset],
    directory: Path,
    receiver: Receiver | None = None,
    *,
    limit: int = 0,
) -> Generator[Peer]:
    """Orthanc without plugins; answers in UTF-8, and so much at once (0: everything)."""
    place = (receiver.ae_title, receiver.host, receiver.port) if receiver else ()
    with configured(
        directory,
        Plugins=[],
        HttpServerEnabled=False,
        DicomAlwaysAllowGet=True,
        DicomAlwaysAllowMove=True,
        DicomModalities={"receiver": place} if place else {},
        LimitFindResults=limit,
    ) as (port, _):
        store(map(in_utf_8, objects), port, "ORTHANC", directory)
        yield Peer("orthanc", Node(port=port, called_ae_title="ORTHANC", receiver=receiver))


@contextmanager
def orthanc_web(objects: Sequence[Dataset], directory: Path) -> Generator[str]:
    """The base URL of Orthanc with its DICOMweb plugin."""
    with configured(directory, Plugins=[str(plugin())]) as (port, base_url):
        if objects:
            store(map(in_utf_8, objects), port, "ORTHANC", directory)
        yield base_url


def give_files(url: str, instances: Iterable[Instance]) -> None:
    """Objects byte for byte as they are, to the Orthanc whose DICOMweb is at `url`."""
    for instance in instances:
        file = heading(instance) + instance.data_set
        filing = Request(url.replace("/dicom-web", "/instances"), data=file)
        with urlopen(filing, timeout=PATIENCE) as answer:
            assert answer.status == 200


@contextmanager
def configured(directory: Path, **settings: Any) -> Generator[tuple[int, str]]:
    """The DICOM port and the base URL of an Orthanc that keeps its archive in the directory."""
    port, http_port = free_port(), free_port()
    configuration = directory / "orthanc.json"
    configuration.write_text(
        json.dumps(
            {
                "Name": "test",
                "StorageDirectory": str(directory / "storage"),
                "IndexDirectory": str(directory / "index"),
                "HttpPort": http_port,
                "RemoteAccessAllowed": False,
                "AuthenticationEnabled": False,
                "DicomAet": "ORTHANC",
                "DicomPort": port,
                "DicomAlwaysAllowFind": True,
                "DicomAlwaysAllowStore": True,
                "DefaultEncoding": "Utf8",
                "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
                **settings,
            }
        )
    )
    # It listens for HTTP last.
    awaited = http_port if settings.get("HttpServerEnabled", True) else port
    with running([str(orthanc_program()), str(configuration)], awaited, AT_ONCE):
        yield port, f"http://127.0.0.1:{http_port}/dicom-web"


def in_utf_8(one: Dataset) -> Dataset:
    """Orthanc 1.10 loses the escape sequences of ISO 2022 text in what it indexes."""
    copy = deepcopy(one)
    copy.decode()
    copy.SpecificCharacterSet = "ISO_IR 192"
    return copy


def read_again(objects: Iterable[Dataset]) -> list[Dataset]:
    """The objects as they are read from files, which knows their characters."""
    read: list[Dataset] = []
    for instance in objects:
        file = BytesIO()
        instance.save_as(file, enforce_file_format=True)
        file.seek(0)
        read.append(dcmread(file))
    return read


@functools.cache
def orthanc_program() -> Path:
    """The program; without it the test is skipped, or fails where DICOM_MCP_REQUIRE_PEERS=1."""
    found = shutil.which("Orthanc", path=os.pathsep.join([*os.get_exec_path(), "/usr/sbin"]))
    if found:
        return Path(found)
    if os.environ.get("DICOM_MCP_REQUIRE_PEERS") == "1":
        pytest.fail("Orthanc is not installed")
    pytest.skip("Orthanc is not installed")


@functools.cache
def plugin() -> Path:
    """The plugin; without it the test is skipped, or fails where DICOM_MCP_REQUIRE_PEERS=1."""
    if _PLUGIN.exists() and shutil.which("dcmsend"):
        return _PLUGIN
    if os.environ.get("DICOM_MCP_REQUIRE_PEERS") == "1":
        pytest.fail("orthanc-dicomweb is not installed")
    pytest.skip("orthanc-dicomweb is not installed")
