"""Whatever an archive holds and however much it is, a client is sent an answer that it takes, or a
sentence; never an error of its own."""

import json
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

import anyio
import numpy as np
import pytest
from mcp.client import Client
from mcp.types import CallToolResult, TextContent
from PIL import Image
from pydicom.dataset import Dataset

from dicom_mcp import server
from dicom_mcp.config import Settings
from dicom_mcp.demo.web import EmbeddedWeb
from dicom_mcp.door.call import Call
from dicom_mcp.node import Node
from dicom_mcp.server import create_server
from dicom_mcp.tools import Entry
from dicom_mcp.tools.presets import Presets
from tests.content import documents as made
from tests.content.samples import gradient, image
from tests.hostile import PATIENCE, Hostile, document, encoded
from tests.peers.program import free_port, running
from tests.stdio import HANDSHAKES, Child, child

pytestmark = pytest.mark.filterwarnings("ignore")  # pydicom's, about what is odd

SERVER = """
import sys
from dicom_mcp import journal
from dicom_mcp.config import Settings
from dicom_mcp.node import WebNode
from dicom_mcp.server import create_server
journal.to_stderr(debug=False)
server = create_server(Settings(WebNode(sys.argv[1])))
if len(sys.argv) > 2:
    server.run("streamable-http", port=int(sys.argv[2]))
else:
    server.run("stdio")
"""

# Ends of lines that are none in JSON, controls, marks of order and of nothing, a character beyond
# 16 bits, one that is none.
ODD = "a\u2028b\u2029c\x85d\x00e\x1bf\x7fg\ufeffh\u202ei\U0001f600j\ufffek\x0b\x0c\x1c\x1d\x1e\rl"
FINITE = "1.5555"
HEADERS = 16
LARGE, SCANNED, REPORT = 30, 31, 32


def noise() -> "np.ndarray[Any, Any]":
    """What no format makes small."""
    return np.random.default_rng(1).integers(0, 255, (1000, 1000), dtype="u1")


def noisy_pages(count: int) -> bytes:
    """A PDF as scanners make it of photographs."""
    pictures = [Image.fromarray(noise()) for _ in range(count)]
    file = BytesIO()
    pictures[0].save(file, "PDF", save_all=True, append_images=pictures[1:])
    return file.getvalue()


def odd(number: int) -> Dataset:
    """An image with values that nobody expects, and long ones."""
    one = image(gradient(0, 200, "u1"))
    one.SpecificCharacterSet = "ISO_IR 192"
    one.StudyDescription, one.PatientName = ODD, f"ODD^{ODD[:20]}"
    one.PatientComments = f"{number} {ODD * 60}"
    one.AcquisitionDuration = [float("nan"), float("inf"), -float("inf"), 1e308][number % 4]
    one.SliceThickness = FINITE
    one.add_new(0x00291010, "UN", bytes(range(256)) * 4)
    one.add_new(0x00080056, "CS", "\\..\\")
    nested = one
    for _ in range(50):
        item = Dataset()
        item.PatientComments = ODD
        nested.RequestAttributesSequence = [item]
        nested = item
    return one


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    index = Hostile()
    for number in range(HEADERS):
        index.put(number, one := odd(number), encoded(one).replace(FINITE.encode(), b"1e9999"))
    index.put(LARGE, one := image(noise()), encoded(one))
    index.put(SCANNED, one := document(noisy_pages(3)), encoded(one))
    index.put(REPORT, one := made.document(made.text(ODD * 3_000)), encoded(one))
    with EmbeddedWeb(index) as web:
        yield web.url
    index.close()


@pytest.fixture(scope="module")
def port(web: str) -> Iterator[int]:
    port = free_port()
    with running([sys.executable, "-c", SERVER, web, str(port)], port):
        yield port


@pytest.fixture(scope="module")
def stdio(web: str) -> Iterator[Child]:
    with child(command=[sys.executable, "-c", SERVER, web]) as server:
        server.initialize(HANDSHAKES[-1])
        yield server


SERIES = [f"2.25.8{number}" for number in range(HEADERS)]
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "studies": ("query_studies", {"attribute_preset": "extended", "limit": 500}),
    "series": ("query_series", {"study_instance_uid": "2.25.71"}),
    "instances": ("query_instances", {"series_instance_uid": "2.25.81"}),
    "patients": ("query_patients", {}),
    "counts": ("count_studies", {"group_by": ["StudyDescription"]}),
    "overview": ("study_overview", {"study_instance_uid": "2.25.71"}),
    "timeline": ("patient_timeline", {"patient_name": "ODD*"}),
    "a header": ("read_header", {"series_instance_uid": "2.25.81"}),
    "sixteen headers": (
        "sample_headers",
        {
            "series_instance_uids": SERIES,
            "attributes": [
                *("PatientComments", "StudyDescription", "AcquisitionDuration", "SliceThickness"),
                *("0029,1010", "InstanceAvailability"),
            ],
        },
    ),
    "how they lie": ("sample_headers", {"series_instance_uids": SERIES[:4], "geometry": True}),
    "a large picture": ("view_image", {"series_instance_uid": f"2.25.8{LARGE}", "size": 1568}),
    "a contact sheet": ("view_series", {"series_instance_uid": f"2.25.8{LARGE}"}),
    "scanned pages": ("read_report", {"study_instance_uid": f"2.25.7{SCANNED}"}),
    "a page": ("view_image", {"series_instance_uid": f"2.25.8{SCANNED}", "size": 1568}),
    "a report": ("read_report", {"study_instance_uid": f"2.25.7{REPORT}"}),
    "what is not there": ("read_header", {"series_instance_uid": "2.25.999"}),
    "an argument that is none": ("query_studies", {"patient_name": ["\u2028"], "\x85": 1}),
}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_client_over_http_takes_every_answer(port: int, mode: str) -> None:
    async def ask() -> None:
        async with Client(f"http://127.0.0.1:{port}/mcp", mode=mode) as client:
            await client.list_tools()  # whose schemas the client holds answers against
            for name, (tool, arguments) in CALLS.items():
                if mode == "legacy" or name not in PICTURES:  # the others take longer
                    look_at(name, await client.call_tool(tool, arguments))

    anyio.run(ask)


def look_at(name: str, result: CallToolResult) -> None:
    words, *pictures = result.content
    assert isinstance(words, TextContent)
    assert len(words.text.splitlines()) == 1 or "\n" in words.text
    assert result.is_error is ("not" in name or "none" in name), (name, words.text)
    assert "defect" not in words.text
    if not result.is_error:
        answer = json.loads(words.text)
        assert not pictures or result.structured_content is None
        assert pictures or result.structured_content in (None, answer)
        assert bool(pictures) is (name in PICTURES), name


PICTURES = {"a large picture", "a contact sheet", "scanned pages", "a page"}


def test_a_message_on_stdio_is_one_line_for_whoever_reads_lines(stdio: Child) -> None:
    for name, (tool, arguments) in CALLS.items():
        if name in PICTURES:  # in base64
            continue
        stdio.lines.clear()
        stdio.call(tool, **arguments)
        for line in stdio.lines:
            assert line.splitlines() == [line.removesuffix("\n")]
            assert len(line.encode()) < 1 << 20


@asynccontextmanager
async def serving(
    monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any]
) -> AsyncGenerator[Client]:
    """A client of a server whose only tool is this function."""
    monkeypatch.setattr(server, "TOOLS", (Entry(function, "A tool", "queries"),))
    settings = Settings(Node(timeout=0.05))
    async with Client(create_server(settings)) as client:
        yield client


@pytest.mark.parametrize("size", [1_000, 400_000, 600_000, 2_000_000])
def test_an_answer_that_is_too_long_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    def tool(call: Call) -> Presets:  # noqa: ARG001 - the shape of a tool
        return Presets(default="", presets={"x": {"y": ["x" * 1_000] * (size // 1_000)}}, notes=[])

    async def ask() -> CallToolResult:
        async with serving(monkeypatch, tool) as client:
            return await client.call_tool("tool", {})

    result = anyio.run(ask)
    (words,) = result.content
    assert isinstance(words, TextContent)
    assert result.is_error is (size > 500_000)
    if result.is_error:
        assert words.text.startswith("the answer would be ")
        assert "Ask for less at once" in words.text


def test_a_call_that_does_not_end_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def tool(call: Call) -> Presets:  # noqa: ARG001
        over.wait(PATIENCE)
        raise AssertionError

    async def ask() -> CallToolResult:
        monkeypatch.setattr(server, "_GRACE", 0.05)
        async with serving(monkeypatch, tool) as client:
            try:
                return await client.call_tool("tool", {})
            finally:
                over.set()

    result = anyio.run(ask)
    assert result.is_error
    (words,) = result.content
    assert isinstance(words, TextContent)
    assert words.text.startswith("the call did not end within 0.05 seconds, nor soon after.")


class Panic(BaseException):
    """As libraries in Rust raise it."""


def test_whatever_a_library_raises_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def tool(call: Call) -> Presets:  # noqa: ARG001
        raise Panic

    async def ask() -> CallToolResult:
        async with serving(monkeypatch, tool) as client:
            return await client.call_tool("tool", {})

    (words,) = anyio.run(ask).content
    assert isinstance(words, TextContent)
    assert "a defect of the server" in words.text
