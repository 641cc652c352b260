"""An object or a header that a server sends cut is never called whole: however WADO-RS carries it,
whether the connection ends early or the server holds it so (RFC 9112 6.3, 8; RFC 2046 5.1)."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType]
from pydicom.filebase import DicomBytesIO

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicomweb.exchange import WebExchange
from dicom_mcp.errors import ArchiveError
from dicom_mcp.node import WebNode
from dicom_mcp.standard.instance import Instance
from tests.bounds import PATIENCE
from tests.cuts import IS_AT_SCALE, Sample, is_called_whole, is_sound, samples
from tests.peers.web import Asked, WebPeer, answer

RELATED = 'multipart/related; type="application/dicom"; boundary=b0'
ALONE = "application/dicom"
JSON = "application/dicom+json"
NOT_FOUND = answer(b"", status="404 Not Found")

type Framing = Callable[[bytes, str], bytes]


def with_length(body: bytes, kind: str) -> bytes:
    return answer(body, kind=kind)


def without_length(body: bytes, kind: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n".encode() + body


def in_chunks(body: bytes, kind: str) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
    size = len(body) // 3 + 1
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return head.encode() + b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in pieces) + END


END = b"0\r\n\r\n"
FRAMINGS: dict[str, Framing] = {
    "with Content-Length": with_length,
    "without Content-Length": without_length,
    "in chunks": in_chunks,
}


def alone(file: bytes) -> bytes:
    return file


def part(file: bytes) -> bytes:
    return b"\r\n--b0\r\nContent-Type: application/dicom\r\n\r\n" + file + b"\r\n--b0--\r\n"


def part_with_length(file: bytes) -> bytes:
    fields = f"Content-Type: application/dicom\r\nContent-Length: {len(file)}\r\n\r\n"
    return b"\r\n--b0\r\n" + fields.encode() + file + b"\r\n--b0--\r\n"


def last_part(file: bytes) -> bytes:
    """As servers write it that leave out the last boundary."""
    return b"\r\n--b0\r\nContent-Type: application/dicom\r\n\r\n" + file + b"\r\n"


CRLF = b"\r\n"
NO_LAST_BOUNDARY = "in parts without the last boundary"
FORMS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "alone": (alone, ALONE),
    "in parts": (part, RELATED),
    "in parts with a length": (part_with_length, RELATED),
    NO_LAST_BOUNDARY: (last_part, RELATED),
}


class Sending:
    """A server that sends `said` for an object, `told` for its metadata, and closes."""

    def __init__(self) -> None:
        self.said, self.told = NOT_FOUND, NOT_FOUND
        self._peer = WebPeer(self._behave)

    def __enter__(self) -> "Sending":
        self._peer.__enter__()
        self._exchange = WebExchange(WebNode(self._peer.url))
        return self

    def __exit__(self, *error: Any) -> None:
        with closing(self._exchange):
            pass
        self._peer.__exit__(*error)

    def send(self, sample: Sample, *, headers: bool = False) -> list[Instance]:
        """What came of asking for the sample."""
        came: list[Instance] = []

        def take(one: Instance) -> bool:
            came.append(one)
            return True

        deadline = Deadline(PATIENCE)
        with suppress(ArchiveError):
            found = self._exchange.retrieve(
                [sample.reference], take, deadline=deadline, headers=headers
            )
            assert found.count == len(came)
            assert bool(found.missing) is not bool(came)
        return came

    def _behave(self, connected: socket.socket, asked: Asked) -> bool:
        connected.sendall(self.told if asked.target.endswith("/metadata") else self.said)
        return False


@pytest.fixture
def sending() -> Iterator[Sending]:
    with Sending() as sending:
        yield sending


def metadata_of(sample: Sample, content: bytes) -> bytes:
    """What a server says of the object whose data set is this."""
    with_head = DicomBytesIO(sample.heading + content)
    found = dcmread(with_head, force=True)
    found.decode()
    found.SpecificCharacterSet = "ISO_IR 192"
    told = found.to_json_dict(
        bulk_data_threshold=1024,
        bulk_data_element_handler=lambda one: f"bulk/{one.tag:08X}",
        suppress_invalid_tags=True,
    )
    return json.dumps([told]).encode()


def cut(said: bytes, content: bytes, place: int) -> bytes:
    """As much of an answer as has about so many bytes of the content, and not its last one."""
    last = said.rindex(content[-8:]) + 7
    return said[: min(last, len(said) * place // len(content))]


SOME = slice(None, None, 1 if IS_AT_SCALE else 2)


@pytest.mark.filterwarnings("ignore")  # pydicom's, about odd files
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("framing", FRAMINGS)
def test_an_object_cut_anywhere_is_never_called_whole(
    sending: Sending, form: str, framing: str
) -> None:
    (write, kind), send = FORMS[form], FRAMINGS[framing]
    for sample in samples(every=IS_AT_SCALE)[SOME]:
        sending.told = answer(metadata_of(sample, sample.content))
        body = write(sample.heading + sample.content)
        sending.said = send(body, kind)
        came = sending.send(sample)
        # Where neither a boundary nor a length ends it nothing comes.
        assert came or (framing == "without Content-Length" and form == NO_LAST_BOUNDARY)
        assert all(is_called_whole(one, sample) for one in came), sample
        for place in sample.places(1, f"{form} {framing}", 200 // len(FORMS) // len(FRAMINGS) + 1):
            if form == NO_LAST_BOUNDARY and is_sound(sample.content[:place] + CRLF, sample.syntax):
                continue  # the line's end stands for what was cut: the length of an end, no value
            # As the server holds it, then as much of it as comes.
            held = send(write(sample.heading + sample.content[:place]), kind)
            for said in (held, cut(send(body, kind), sample.content, place)):
                sending.said = said
                came = sending.send(sample)
                assert not any(is_called_whole(one, sample) for one in came), (sample.name, place)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("framing", FRAMINGS)
def test_metadata_cut_anywhere_are_never_called_whole(sending: Sending, framing: str) -> None:
    send = FRAMINGS[framing]
    for sample in samples()[SOME]:
        told = metadata_of(sample, sample.content)
        sending.told = send(told, JSON)
        (came,) = sending.send(sample, headers=True)
        assert came.without_bulk
        assert is_called_whole(came, sample), sample
        for place in sample.places(1, framing, 200 // len(FRAMINGS) + 1):
            at = 1 + place * (len(told) - 2) // len(sample.content)
            sending.told = send(told[:at], JSON)  # the last brace is missing
            assert not sending.send(sample, headers=True), (sample.name, at)
            sending.told = cut(send(told, JSON), told[:-1], at)
            assert not sending.send(sample, headers=True), (sample.name, at)
