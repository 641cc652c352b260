"""Whatever a server does when objects are fetched, what came is right and the rest is told."""

import gzip
import json
import logging
import re
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset  # pyright: ignore[reportUnknownVariableType]

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicomweb.exchange import WebExchange
from dicom_mcp.dicomweb.header import header
from dicom_mcp.dicomweb.status import RETRIEVAL
from dicom_mcp.dicomweb.wado import FORMS
from dicom_mcp.errors import (
    ArchiveError,
    Cancelled,
    ConnectionLost,
    DeadlinePassed,
    NoAcceptedContext,
    ProtocolViolation,
    StatusFailure,
)
from dicom_mcp.node import WebNode
from dicom_mcp.standard.instance import Instance, Reference, Retrieved
from dicom_mcp.standard.part10 import element, heading
from tests.bounds import in_time
from tests.notes import the_note
from tests.pace import scaled
from tests.peers.web import Asked, Behaviour, WebPeer, answer, rows, says, then

# Seconds, where the peer is never going to answer.
SOON = 0.5

CT = "1.2.840.10008.5.1.4.1.1.2"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
STUDY, SERIES = "1.2.3", "1.2.3.4"
RELATED = 'multipart/related; type="application/dicom"; boundary=b0'
HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: {RELATED}\r\n".encode()
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
NOT_FOUND = answer(b"", status="404 Not Found")


def _held(number: int) -> Instance:
    data_set = element(0x00080018, "UI", f"{SERIES}.{number}".encode())
    data_set += element(0x00100020, "LO", b"ZZSECRET") + element(0x00110010, "LO", b"X" * number)
    return Instance(CT, f"{SERIES}.{number}", JPEG_2000, bytearray(data_set))


def _file(number: int) -> bytes:
    return heading(_held(number)) + _held(number).data_set


def _parts(*contents: bytes, fields: bytes = b"Content-Type: application/dicom\r\n") -> bytes:
    parts = b"".join(b"\r\n--b0\r\n" + fields + b"\r\n" + content for content in contents)
    return parts + b"\r\n--b0--\r\n"


def _reference(number: int) -> Reference:
    return Reference(STUDY, SERIES, f"{SERIES}.{number}", CT)


ONE = _parts(_file(1))
RIGHT = answer(ONE, kind=RELATED)


def _drips(head: bytes, part: bytes) -> Behaviour:
    def behave(connected: socket.socket, asked: Asked) -> bool:  # noqa: ARG001 - one shape
        connected.sendall(head)
        for _ in range(1_000_000):
            connected.sendall(part)
        return False

    return behave


def _stalls(*parts: bytes) -> Behaviour:
    def behave(connected: socket.socket, asked: Asked) -> bool:  # noqa: ARG001 - one shape
        for part in parts:
            connected.sendall(part)
        connected.recv(1)
        return False

    return behave


def _to_searches(found: Behaviour, otherwise: Behaviour) -> Behaviour:
    """One behaviour for searches, another one for objects."""

    def behave(connected: socket.socket, asked: Asked) -> bool:
        path = asked.target.partition("?")[0]
        is_search = path.count("/") % 2 == 0 and not path.endswith("metadata")
        return (found if is_search else otherwise)(connected, asked)

    return behave


def _sent(content: Callable[[Asked], bytes]) -> Behaviour:
    def behave(connected: socket.socket, asked: Asked) -> bool:
        connected.sendall(content(asked))
        return True

    return behave


FOUND = says(answer(rows(1)))

# What it does when it is asked for one object, and how that must end.
FAILURES: dict[str, tuple[Behaviour, type[ArchiveError]]] = {
    "closes without a word": (says(close=True), ConnectionLost),
    "closes in a part": (says(RIGHT[:-60], close=True), ConnectionLost),
    "closes in a chunk": (says(CHUNKED, b"400\r\n" + ONE[:90], close=True), ConnectionLost),
    "forgets the last boundary and its length": (
        says(HEAD + b"Connection: close\r\n\r\n", ONE[:-10], close=True),
        ProtocolViolation,
    ),
    "ends a body without length in a part": (
        says(HEAD + b"Connection: close\r\n\r\n", ONE[:-60], close=True),
        ProtocolViolation,
    ),
    "announces another boundary": (
        says(answer(ONE, kind=RELATED.replace("b0", "b1"))),
        ProtocolViolation,
    ),
    "announces no boundary": (says(answer(ONE, kind="multipart/related")), ProtocolViolation),
    "sends nothing in parts": (says(answer(b"", kind=RELATED)), ProtocolViolation),
    "sends a web page": (says(answer(b"<html>log in</html>", kind="text/html")), ProtocolViolation),
    "sends a picture": (says(answer(b"\xff\xd8\xff", kind="image/jpeg")), ProtocolViolation),
    "announces a part that is too large": (
        says(answer(_parts(b"", fields=b"Content-Length: 201326593\r\n"), kind=RELATED)),
        ProtocolViolation,
    ),
    "sends less than a part's length": (
        says(answer(_parts(_file(1), fields=b"Content-Length: 5000\r\n"), kind=RELATED)),
        ProtocolViolation,
    ),
    "sends an object without end": (
        _drips(CHUNKED, b"100000\r\n" + bytes(0x100000) + b"\r\n"),
        ProtocolViolation,
    ),
    "sends a bomb": (
        says(
            answer(
                gzip.compress(bytes(193 << 20), 1),
                kind="application/dicom",
                fields="Content-Encoding: gzip\r\n",
            )
        ),
        ProtocolViolation,
    ),
    "sends parts without end": (
        _drips(CHUNKED, b"1700\r\n" + (b"\r\n--b0\r\n\r\n" + bytes(82)) * 64 + b"\r\n"),
        ProtocolViolation,
    ),
    "says nothing": (_stalls(), DeadlinePassed),
    "stalls in a part": (_stalls(RIGHT[:-60]), DeadlinePassed),
    "drips fields of a part": (
        _drips(CHUNKED + b"8\r\n\r\n--b0\r\n\r\n", b"1\r\nA\r\n"),
        ProtocolViolation,
    ),
    "redirects to another server": (
        says(answer(b"", status="302 Found", fields="Location: http://192.0.2.1/\r\n")),
        ProtocolViolation,
    ),
    "breaks off compressed": (
        says(answer(gzip.compress(ONE)[:-20], kind=RELATED, fields="Content-Encoding: gzip\r\n")),
        ConnectionLost,
    ),
}

_CLOSED_EARLY = "the connection was closed before the answer was complete"
_NO_LAST_BOUNDARY = "its answer breaks off before its last boundary"
_OTHER_PARTS = "its answer is not in the parts that it announced"
_TOO_LARGE = "it sent an object of more than 80 MiB"
_TOO_LATE = f"no complete answer within {SOON} seconds"
REASONS: dict[str, str] = {
    "closes without a word": _CLOSED_EARLY,
    "closes in a part": _CLOSED_EARLY,
    "closes in a chunk": _CLOSED_EARLY,
    "forgets the last boundary and its length": _NO_LAST_BOUNDARY,
    "ends a body without length in a part": _NO_LAST_BOUNDARY,
    "announces another boundary": _NO_LAST_BOUNDARY,
    "announces no boundary": "its answer has parts without a usable boundary",
    "sends nothing in parts": _NO_LAST_BOUNDARY,
    "sends a web page": "it answered a request for objects with a web page",
    "sends a picture": "it answered a request for objects with another kind of content",
    "announces a part that is too large": _TOO_LARGE,
    "sends less than a part's length": "a part of its answer is shorter than it says",
    "sends an object without end": _OTHER_PARTS,
    "sends a bomb": _TOO_LARGE,
    "sends parts without end": "its answer has more than 20,000 parts",
    "says nothing": _TOO_LATE,
    "stalls in a part": _TOO_LATE,
    "drips fields of a part": _OTHER_PARTS,
    "redirects to another server": "it redirects the question to another server, which is not",
    "breaks off compressed": _CLOSED_EARLY,
}

# What it does when it is asked for one object that then is missing, and what is said of it.
MISSING: dict[str, tuple[Behaviour, str]] = {
    "does not hold it": (says(NOT_FOUND), "does not hold"),
    "held it once": (says(answer(b"", status="410 Gone")), "any longer"),
    "has nothing to say": (says(b"HTTP/1.1 204 No Content\r\n\r\n"), "no content"),
    "sends no part": (says(answer(b"--b0--", kind=RELATED)), "no object"),
    "sends another object": (says(answer(_parts(_file(2)), kind=RELATED)), "another object"),
    "sends what is not DICOM": (says(answer(_parts(b"x" * 500), kind=RELATED)), "not a DICOM"),
    "sends an error in a part": (
        says(answer(_parts(b"<html>ZZSECRET</html>"), kind=RELATED)),
        "not a DICOM",
    ),
    "sends an error in JSON": (
        says(answer(b'{"error": "ZZSECRET"}', kind="application/json")),
        "not a DICOM",
    ),
    "sends a data set without file meta information": (
        says(answer(_parts(bytes(_held(1).data_set)), kind=RELATED)),
        "not a DICOM",
    ),
}

# What it does when it is asked for one object, which must come.
ANSWERS: dict[str, Behaviour] = {
    "behaves": says(RIGHT),
    "sends a byte in each chunk": says(
        CHUNKED + b"".join(b"1\r\n%c\r\n" % one for one in ONE) + b"0\r\n\r\n"
    ),
    "sends it alone": says(answer(_file(1), kind="application/dicom")),
    "calls it octets": says(answer(_file(1), kind="application/octet-stream")),
    "sends it alone without a length": says(
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + _file(1), close=True
    ),
    "quotes its boundary": says(answer(ONE, kind=RELATED.replace("b0", '"b0"'))),
    "calls it mixed": says(answer(ONE, kind="Multipart/Mixed; Boundary=b0")),
    "compresses unasked": says(
        answer(gzip.compress(ONE), kind=RELATED, fields="Content-Encoding: gzip\r\n")
    ),
    "sends others too": says(answer(_parts(_file(2), b"x", _file(1), _file(3)), kind=RELATED)),
    "sends it twice": says(answer(_parts(_file(1), _file(1)), kind=RELATED)),
    "has a preamble and an epilogue": says(
        answer(b"This is MIME." + ONE + b"x" * 99, kind=RELATED)
    ),
    "forgets the last boundary": says(answer(ONE[:-10], kind=RELATED)),
    "compresses in two members": says(
        answer(
            gzip.compress(ONE[:90]) + gzip.compress(ONE[90:]),
            kind=RELATED,
            fields="Content-Encoding: gzip\r\n",
        )
    ),
    "breaks off after it": says(answer(ONE[:-4] + b"\r\n", kind=RELATED)),
    "drips an epilogue": _drips(CHUNKED + b"%x\r\n" % len(ONE) + ONE + b"\r\n", b"1\r\n-\r\n"),
    "answers partially": says(answer(ONE, kind=RELATED, status="206 Partial Content")),
    "redirects within itself": then(
        says(answer(b"", status="307 X", fields="Location: /else\r\n")), says(RIGHT)
    ),
    "closes each connection": says(RIGHT, close=True),
    "knows no transfer-syntax": _sent(
        lambda asked: answer(b"", status="406 X") if "syntax=*" in asked.head else RIGHT
    ),
    "knows no parts": _sent(
        lambda asked: (
            answer(b"", status="400 X")
            if "multipart" in asked.head
            else answer(_file(1), kind="application/dicom")
        )
    ),
}


type Reach = Callable[[str], WebExchange]


@pytest.fixture
def reach(tidy: None) -> Iterator[Reach]:  # noqa: ARG001
    """Exchanges with servers, closed in the end."""
    with ExitStack() as stack:

        def made(url: str) -> WebExchange:
            return stack.enter_context(closing(WebExchange(WebNode(url))))

        yield made


@pytest.mark.parametrize("name", FAILURES)
def test_it_fails_in_time_with_the_reason(reach: Reach, name: str) -> None:
    behaviour, expected = FAILURES[name]
    with WebPeer(behaviour) as peer:
        seconds = SOON if expected is DeadlinePassed else scaled(20.0)
        with pytest.raises(expected, match=re.escape(REASONS[name])) as caught:
            in_time(lambda: _fetch(reach(peer.url), [_reference(1)], seconds))
        assert caught.value.remedy
        assert "ZZSECRET" not in str(caught.value)


@pytest.mark.parametrize("name", MISSING)
def test_an_object_that_does_not_come_is_missing(reach: Reach, name: str) -> None:
    behaviour, told = MISSING[name]
    with WebPeer(_to_searches(FOUND, behaviour)) as peer:
        got, found = in_time(lambda: _fetch(reach(peer.url), [_reference(1)]))
        assert not got
        assert found.missing == (_reference(1),)
        assert told in " ".join(map(str, found.notes))
        assert "ZZSECRET" not in str(found)


@pytest.mark.parametrize("name", ANSWERS)
def test_it_comes_as_it_was_stored(reach: Reach, name: str) -> None:
    with WebPeer(ANSWERS[name]) as peer:
        exchange = reach(peer.url)
        for _ in range(2):
            got, found = in_time(lambda: _fetch(exchange, [_reference(1)]))
            assert got == [_held(1)]
            assert found == Retrieved("WADO-RS", 1)


_CLOSED = b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom\r\n\r\n"
_TAGS: dict[str, object] = {tag: {"vr": "LO"} for tag in ("00080018", "00100020", "00110010")}


@pytest.mark.parametrize("metadata", [[_TAGS], []])
def test_an_object_cut_between_elements_by_a_closed_connection_is_not_taken_for_whole(
    reach: Reach, metadata: list[dict[str, object]]
) -> None:
    last = len(element(0x00110010, "LO", b"X"))
    for cut in (0, last):

        def behave(connected: socket.socket, asked: Asked, cut: int = cut) -> bool:
            if "metadata" in asked.target:
                connected.sendall(answer(metadata))
                return True
            connected.sendall(_CLOSED + _file(1)[: len(_file(1)) - cut])
            return False

        with WebPeer(behave) as peer:
            ((one,), _) = _fetch(reach(peer.url), [_reference(1)])
            assert one.is_ended is (bool(metadata) and not cut)


@pytest.mark.parametrize("size", [len(_file(1)), 0])
def test_the_last_part_is_whole_by_its_length_where_the_last_boundary_is_missing(
    reach: Reach, size: int
) -> None:
    fields = f"Content-Length: {size}\r\n".encode() if size else b""
    whole = answer(_parts(_file(1), fields=fields)[:-10], kind=RELATED)
    with WebPeer(_sent(lambda asked: NOT_FOUND if "meta" in asked.target else whole)) as peer:
        (got, _) = _fetch(reach(peer.url), [_reference(1)])
        assert got == [_held(1)]
        assert got[0].is_ended is bool(size)


@pytest.mark.parametrize("status", sorted({*RETRIEVAL, 402, 418, 507, 599, 226} - {404, 410}))
def test_every_status_is_a_sentence_with_a_remedy(reach: Reach, status: int) -> None:
    refused = answer(b"<html>ZZSECRET</html>", status=f"{status} X", kind="text/html")
    with WebPeer(says(refused)) as peer:
        expected = NoAcceptedContext if status in (405, 501) else StatusFailure
        with pytest.raises(expected, match=f"HTTP status {status}") as caught:
            _fetch(reach(peer.url), [_reference(one) for one in range(1, 9)])
        assert caught.value.remedy
        assert "ZZSECRET" not in str(caught.value)
        assert len(peer.asked) <= 3 * len(FORMS)  # a server that fails is left alone


def test_an_object_that_cannot_come_as_it_is_kept_changes_nothing_for_others(reach: Reach) -> None:
    def content(asked: Asked) -> bytes:
        refused = _number(asked) == 2 and "syntax=*" in asked.head
        return answer(b"", status="406 X") if refused else _right(_number(asked))

    with WebPeer(_sent(content)) as peer:
        assert len(_fetch(reach(peer.url), [_reference(one) for one in (1, 2, 3)])[0]) == 3
        assert ["syntax=*" in asked.head for asked in peer.asked] == [True, True, False, True]


def test_of_a_long_series_no_more_than_an_object_is_held(reach: Reach) -> None:
    count, size = 40, 4 << 20

    def behave(connected: socket.socket, asked: Asked) -> bool:
        if "?" in asked.target:
            return _series([], says_size=count)(connected, asked)
        connected.sendall(HEAD + b"Connection: close\r\n\r\n")
        for number in range(count):
            connected.sendall(b"\r\n--b0\r\n\r\n" + _file(number))
            connected.sendall(bytes(size))
        connected.sendall(b"\r\n--b0--")
        return False

    with WebPeer(behave) as peer:
        exchange = reach(peer.url)
        tracemalloc.start()
        try:
            found = exchange.retrieve(
                [_reference(one) for one in range(count)],
                lambda one: len(one.data_set) > size,
                deadline=Deadline(20),
            )
            assert found == Retrieved("WADO-RS", count)
            assert tracemalloc.get_traced_memory()[1] < 5 * size
        finally:
            tracemalloc.stop()
        assert len(peer.asked) == 2


def test_a_wrong_base_url_is_not_an_archive_without_the_object(reach: Reach) -> None:
    with (
        WebPeer(says(NOT_FOUND)) as peer,
        pytest.raises(StatusFailure, match="base_url"),
    ):
        _fetch(reach(peer.url), [_reference(1)])


def test_what_keeps_one_from_coming_keeps_none_of_the_others(reach: Reach) -> None:
    bad = {2: NOT_FOUND, 4: answer(b"", status="500 X"), 5: answer(_parts(b"x"), kind=RELATED)}
    with WebPeer(_sent(lambda asked: bad.get(_number(asked)) or _right(_number(asked)))) as peer:
        got, found = _fetch(reach(peer.url), [_reference(one) for one in range(1, 8)])
        assert got == [_held(one) for one in (1, 3, 6, 7)]
        assert found.missing == tuple(_reference(one) for one in (2, 4, 5))
        assert len(found.notes) == 3
        assert all("1 of 7" in str(note) for note in found.notes)


def test_a_server_that_goes_away_leaves_what_came_and_the_rest_is_missing(reach: Reach) -> None:
    with WebPeer(then(_sent(lambda asked: _right(_number(asked))), says(close=True))) as peer:
        got, found = _fetch(reach(peer.url), [_reference(one) for one in range(1, 8)])
        assert got == [_held(1)]
        assert len(found.missing) == 6
        assert sum(int(str(note).split()[0]) for note in found.notes) == 6


def test_time_that_is_up_leaves_what_came(reach: Reach) -> None:
    with WebPeer(then(_sent(lambda asked: _right(_number(asked))), _stalls())) as peer:
        got, found = _fetch(reach(peer.url), [_reference(1), _reference(2)], SOON)
        assert got == [_held(1)]
        assert found.missing == (_reference(2),)
        assert the_note(found.notes, "within 0.5 seconds")


def test_a_connection_that_went_stale_is_replaced(reach: Reach) -> None:
    with WebPeer(then(says(RIGHT), says(close=True), says(RIGHT))) as peer:
        exchange = reach(peer.url)
        for _ in range(2):
            assert _fetch(exchange, [_reference(1)])[0] == [_held(1)]
        assert peer.connections == 2


def test_who_has_enough_is_sent_no_more(reach: Reach) -> None:
    with WebPeer(_sent(lambda asked: _right(_number(asked)))) as peer:
        got: list[Instance] = []
        found = reach(peer.url).retrieve(
            [_reference(one) for one in range(1, 8)],
            lambda one: got.append(one) or len(got) < 2,
            deadline=Deadline(20),
        )
        assert found == Retrieved("WADO-RS", 2)
        assert len(peer.asked) == 2


def test_a_cancelled_call_ends_at_once(reach: Reach) -> None:
    asked = threading.Event()

    def silent(connected: socket.socket, _: Asked) -> bool:
        connected.sendall(RIGHT[:-60])
        asked.set()
        connected.recv(1)
        return False

    with WebPeer(silent) as peer:
        exchange = reach(peer.url)
        deadline = Deadline(60)
        canceller = threading.Thread(target=lambda: (asked.wait(10), deadline.cancel()))
        canceller.start()
        with pytest.raises(Cancelled):
            in_time(lambda: exchange.retrieve([_reference(1)], bool, deadline=deadline))
        canceller.join()


@pytest.mark.parametrize(
    "uid",
    ["", "..", ".1", "../studies", "1.2/3", "1.2%2f3", "1.2?x", "1.2 3", "1" * 129, "1.2\r\nX: 1"],
)
def test_what_is_no_uid_never_stands_in_a_path(reach: Reach, uid: str) -> None:
    wrong = [
        Reference(uid, SERIES, "1.1"),
        Reference(STUDY, uid, "1.2"),
        Reference(STUDY, SERIES, uid),
    ]
    with WebPeer(says(RIGHT)) as peer:
        got, found = _fetch(reach(peer.url), [*wrong, _reference(1)])
        assert got == [_held(1)]
        assert found.missing == tuple(wrong)
        assert [asked.target for asked in peer.asked] == [
            f"/web/studies/{STUDY}/series/{SERIES}/instances/{SERIES}.1"
        ]


def test_a_series_comes_with_one_request(reach: Reach) -> None:
    with WebPeer(_series(range(1, 401), says_size=400)) as peer:
        got, found = _fetch(reach(peer.url), [_reference(one) for one in range(1, 301)])
        assert got == [_held(one) for one in range(1, 301)]
        assert found == Retrieved("WADO-RS", 300)
        assert len(peer.asked) == 2


@pytest.mark.parametrize("size", [0, 50])
def test_a_series_of_many_others_is_not_asked_for(reach: Reach, size: int) -> None:
    with WebPeer(_series(range(1, 401), says_size=size)) as peer:
        got, _ = _fetch(reach(peer.url), [_reference(one) for one in range(1, 31)])
        assert len(got) == 30
        assert len(peer.asked) == 31


@pytest.mark.parametrize(
    "series",
    [
        answer(b"", status="406 X"),
        answer(b"", status="500 X"),
        NOT_FOUND,
        answer(_parts(*map(_file, range(1, 9))), kind=RELATED),
        answer(_parts(*map(_file, range(1, 9)))[:-30], kind=RELATED),
        answer(_parts(*map(_file, range(1, 9))), kind=RELATED)[:-30],
        answer(b"<html>", kind="text/html"),
    ],
)
def test_what_does_not_come_with_its_series_is_asked_for_alone(reach: Reach, series: bytes) -> None:
    def behave(connected: socket.socket, asked: Asked) -> bool:
        if asked.target.endswith(f"/series/{SERIES}"):
            connected.sendall(series)
            return False
        return _series(range(1, 13), says_size=12)(connected, asked)

    with WebPeer(behave) as peer:
        got, found = _fetch(reach(peer.url), [_reference(one) for one in range(1, 13)])
        assert got == [_held(one) for one in range(1, 13)]
        assert found == Retrieved("WADO-RS", 12)


METADATA: dict[str, Any] = {
    "00020010": {"vr": "UI", "Value": [JPEG_2000]},
    "00080005": {"vr": "CS", "Value": ["ISO_IR 100"]},
    "00080008": {"vr": "CS", "Value": ["ORIGINAL", None, "AXIAL"]},
    "00080016": {"vr": "UI", "Value": [CT]},
    "00080018": {"vr": "UI", "Value": [f"{SERIES}.1"]},
    "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎"}]},
    "00280010": {"vr": "US", "Value": [512]},
    "00280030": {"vr": "DS", "Value": [0.7, "0.70"]},
    "00281050": {"vr": "DS", "Value": [0.123456789012345678]},
    "00280009": {"vr": "AT", "Value": ["00181063"]},
    "00089215": {
        "vr": "SQ",
        "Value": [{"00080104": {"vr": "LO", "Value": ["ö"]}, "00080005": {"vr": "CS"}}, {}],
    },
    "00189087": {"vr": "FD", "Value": [1000.5]},
    "00200013": {"vr": "IS", "Value": [1]},
    "00204000": {"vr": "LT"},
    "00291010": {"vr": "OB", "InlineBinary": "AQI="},
    "00291020": {"vr": "UN", "BulkDataURI": "../bulk"},
    "7FE00010": {"vr": "OW", "InlineBinary": "AAAA"},
    "not an attribute": {"url": "x"},
}


def test_metadata_is_an_object_without_bulk_data(reach: Reach) -> None:
    with WebPeer(says(answer([METADATA]))) as peer:
        got, found = _fetch(reach(peer.url), [_reference(1)], headers=True)
        assert found == Retrieved("WADO-RS", 1)
        assert peer.asked[0].target.endswith(f"/instances/{SERIES}.1/metadata")
    (one,) = got
    assert (one.sop_class_uid, one.sop_instance_uid) == (CT, f"{SERIES}.1")
    dataset = _decoded(one)
    assert dataset.SpecificCharacterSet == "ISO_IR 192"
    assert list(dataset.ImageType) == ["ORIGINAL", "", "AXIAL"]
    assert str(dataset.PatientName) == "Yamada^Tarou=山田^太郎"
    assert dataset.Rows == 512
    assert [str(one) for one in dataset.PixelSpacing] == ["0.7", "0.70"]
    assert str(dataset.WindowCenter) == "0.12345678901234568"  # with all the digits it has
    assert dataset.FrameIncrementPointer == 0x00181063
    assert [len(one) for one in dataset.DerivationCodeSequence] == [1, 0]
    assert dataset.DerivationCodeSequence[0].CodeMeaning == "ö"
    assert dataset.DiffusionBValue == 1000.5
    assert dataset.InstanceNumber == 1
    assert dataset.ImageComments == ""
    assert dataset[0x00291010].value == b"\1\2"
    assert {0x00291020, 0x7FE00010, 0x00020010}.isdisjoint(dataset.keys())


@pytest.mark.parametrize(
    "metadata",
    [
        NOT_FOUND,
        answer(b"", status="406 X"),
        answer(b"", status="500 X"),
        answer(b"<html>", kind="text/html"),
        answer(b"[{"),
        answer(rows(1)),
        answer([{**METADATA, "00280010": {"vr": "US", "Value": ["many"]}}]),
        answer([{**METADATA, "00280010": {"vr": "US", "Value": [70_000]}}]),
        answer([{**METADATA, "00281052": {"vr": "DS", "Value": [{}]}}]),
        answer([{**METADATA, "00081030": {"vr": "LO", "Va|ue": ["x"]}}]),
        answer([{**METADATA, "\x1b0081030": {"vr": "LO", "Value": ["x"]}}]),
        answer(b'[{"00280010":{"Value":[1]},' + json.dumps(METADATA).encode()[1:] + b"]"),
        answer([{**METADATA, "0020000E": {"Value": ["1.2"]}, "0020000e": {"Value": ["1.3"]}}]),
    ],
)
def test_where_there_is_no_usable_metadata_the_object_itself_comes(
    reach: Reach, metadata: bytes
) -> None:
    with WebPeer(_sent(lambda asked: metadata if "metadata" in asked.target else RIGHT)) as peer:
        got, found = _fetch(reach(peer.url), [_reference(1)], headers=True)
        assert got == [_held(1)]
        assert found == Retrieved("WADO-RS", 1)


def test_metadata_of_a_server_that_has_none_is_asked_for_once(reach: Reach) -> None:
    content = _sent(
        lambda asked: NOT_FOUND if "metadata" in asked.target else _right(_number(asked))
    )
    with WebPeer(content) as peer:
        got, _ = _fetch(reach(peer.url), [_reference(one) for one in range(1, 6)], headers=True)
        assert len(got) == 5
        assert len(peer.asked) == 6


_ANY = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("1e999")
_VALUES = st.lists(_ANY | st.dictionaries(st.sampled_from(["Alphabetic", "x"]), _ANY), max_size=3)
_ELEMENTS = st.fixed_dictionaries(
    {"vr": st.sampled_from(["AT", "DS", "FD", "LO", "OB", "PN", "SQ", "UI", "UN", "US"]) | _ANY},
    optional={"Value": _VALUES | _ANY, "InlineBinary": _ANY, "BulkDataURI": _ANY},
)
_DATA_SETS = st.recursive(
    st.dictionaries(st.sampled_from([*METADATA, "00020000", "FFFEE000", ""]), _ELEMENTS | _ANY),
    lambda items: st.dictionaries(
        st.just("00089215"),
        st.fixed_dictionaries({"vr": st.just("SQ"), "Value": st.lists(items | _ANY, max_size=2)}),
    ),
    max_leaves=4,
)


@given(_DATA_SETS)
def test_any_json_is_a_data_set_or_refused(one: dict[str, Any]) -> None:
    with suppress(ProtocolViolation):
        tags = list(_decoded(header(one)).keys())
        assert tags == sorted(tags)
        assert set(tags) <= {0x00080005, *(int(name, 16) for name in one if name.isalnum())}


def test_nesting_without_end_is_no_metadata() -> None:
    nested: dict[str, Any] = {}
    for _ in range(101):
        nested = {"00089215": {"vr": "SQ", "Value": [nested]}}
    with pytest.raises(ProtocolViolation):
        header(nested)


def test_the_log_has_a_line_and_no_value(reach: Reach, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "dicom_mcp")
    with WebPeer(says(RIGHT)) as peer:
        _fetch(reach(peer.url), [_reference(1)])
    (line,) = [record.getMessage() for record in caplog.records if record.name == "dicom_mcp"]
    assert re.search(r"WADO-RS .*level=IMAGE objects=1 bytes=\d+ outcome=200 ms=", line)
    assert "ZZSECRET" not in line


def _series(numbers: Sequence[int], *, says_size: int) -> Behaviour:
    """Holds a series of these instances."""
    row: dict[str, object] = {
        "0020000E": {"vr": "UI", "Value": [SERIES]},
        "00201209": {"vr": "IS", "Value": [says_size] if says_size else []},
    }

    def content(asked: Asked) -> bytes:
        if "?" in asked.target:
            return answer([row])
        if asked.target.endswith(f"/series/{SERIES}"):
            return answer(_parts(*map(_file, numbers)), kind=RELATED)
        return _right(_number(asked))

    return _sent(content)


def _number(asked: Asked) -> int:
    found = re.search(rf"/instances/{SERIES}\.(\d+)", asked.target)
    return int(found[1]) if found else 0


def _right(number: int) -> bytes:
    return answer(_parts(_file(number)), kind=RELATED)


def _decoded(one: Instance) -> Dataset:
    return read_dataset(BytesIO(one.data_set), False, True)


def _fetch(
    exchange: WebExchange,
    references: Sequence[Reference],
    seconds: float = 20.0,
    *,
    headers: bool = False,
) -> tuple[list[Instance], Retrieved]:
    got: list[Instance] = []

    def take(one: Instance) -> bool:
        got.append(one)
        return True

    found = exchange.retrieve(references, take, deadline=Deadline(seconds), headers=headers)
    assert found.count == len(got)
    return got, found
