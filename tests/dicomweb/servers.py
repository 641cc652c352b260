"""DICOMweb servers to ask: our own, and Debian's Orthanc with its plugin."""

import functools
import json
import os
import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.demo.habits import NONE, Habits
from dicom_mcp.demo.index import Index
from dicom_mcp.demo.web import EmbeddedWeb
from dicom_mcp.dicom_api import Archive
from dicom_mcp.dicomweb.exchange import WebExchange
from dicom_mcp.node import WebNode
from tests import peers

# Where Debian installs it; another place can be named.
_PLUGIN = Path(
    os.environ.get("ORTHANC_DICOMWEB_PLUGIN", "/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
)


def archive(base_url: str) -> Archive:
    """The archive behind a server, its answers made true as every archive's are."""
    return Archive(WebExchange(WebNode(base_url)))


@contextmanager
def embedded(
    objects: Sequence[Dataset], habits: Habits = NONE, *, database: str = ":memory:"
) -> Generator[str]:
    """The base URL of our own. `database` may be a file that is filled already."""
    index = Index(database)
    index.add_all(objects)
    try:
        with EmbeddedWeb(index, habits=habits) as web:
            yield web.url
    finally:
        index.close()


@contextmanager
def orthanc(objects: Sequence[Dataset], directory: Path) -> Generator[str]:
    """The base URL of Debian's Orthanc with its DICOMweb plugin."""
    dicom_port, http_port = peers.free_port(), peers.free_port()
    configuration = directory / "orthanc.json"
    configuration.write_text(
        json.dumps(
            {
                "Name": "test",
                "StorageDirectory": str(directory / "storage"),
                "IndexDirectory": str(directory / "index"),
                "Plugins": [str(plugin())],
                "HttpPort": http_port,
                "RemoteAccessAllowed": False,
                "AuthenticationEnabled": False,
                "DicomAet": "ORTHANC",
                "DicomPort": dicom_port,
                "DicomAlwaysAllowStore": True,
                "DefaultEncoding": "Utf8",
                "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
            }
        )
    )
    command = [str(peers.orthanc_program()), str(configuration)]
    with peers.running(command, http_port, {"TCP_NODELAY": "1"}):
        if objects:
            peers.store(map(in_utf_8, objects), dicom_port, "ORTHANC", directory)
        yield f"http://127.0.0.1:{http_port}/dicom-web"


in_utf_8 = peers._in_utf_8  # pyright: ignore[reportPrivateUsage] - Orthanc is Orthanc


@functools.cache
def plugin() -> Path:
    """The plugin; without it the test is skipped, or fails where DICOM_MCP_REQUIRE_PEERS=1."""
    if _PLUGIN.exists() and shutil.which("dcmsend"):
        return _PLUGIN
    if os.environ.get("DICOM_MCP_REQUIRE_PEERS") == "1":
        pytest.fail("orthanc-dicomweb is not installed")
    pytest.skip("orthanc-dicomweb is not installed")
