"""Every misbehaviour of a web server ends in time, with the truth, and hurts no later question."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import islice
from typing import Any

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import Archive
from dicom_mcp.dicomweb.exchange import WebExchange
from dicom_mcp.dicomweb.status import REFUSALS
from dicom_mcp.errors import (
    ArchiveError,
    Cancelled,
    ConnectionLost,
    ConnectionRefused,
    DeadlinePassed,
    NameNotResolved,
    NoAcceptedContext,
    ProtocolViolation,
    StatusFailure,
)
from dicom_mcp.node import Basic, Bearer, WebNode
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Ending, Match, Query
from dicom_mcp.standard.status import TOO_MANY
from tests.bounds import in_time
from tests.notes import the_note
from tests.pace import scaled
from tests.peers.web import Asked, Behaviour, WebPeer, answer, pages, rows, says, then, zipped

# Seconds, where the peer is never going to answer.
SOON = 0.5

STUDIES = Query(Level.STUDY, {}, ("StudyInstanceUID", "PatientID"))
SERIES = Query(Level.SERIES, {"StudyInstanceUID": "1.2.3"}, ("SeriesInstanceUID",))

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
TEN = json.dumps(rows(10)).encode()


def _drips(head: bytes, part: bytes) -> Behaviour:
    def behave(connected: socket.socket, asked: Asked) -> bool:  # noqa: ARG001 - one shape
        connected.sendall(head)
        for _ in range(1_000_000):
            connected.sendall(part)
        return False

    return behave


def _is_silent(connected: socket.socket, asked: Asked) -> bool:  # noqa: ARG001 - one shape
    connected.recv(1)
    return False


def _redirects(status: str, location: str) -> bytes:
    return answer(b"", status=status, fields=f"Location: {location}\r\n")


# What it does, and how that must end.
FAILURES: dict[str, tuple[Behaviour, type[ArchiveError]]] = {
    "closes without a word": (says(close=True), ConnectionLost),
    "closes in the header": (says(OK[:30], close=True), ConnectionLost),
    "closes in the body": (says(answer(rows(3))[:-30], close=True), ConnectionLost),
    "closes in a chunk": (says(CHUNKED, b"400\r\n[{", close=True), ConnectionLost),
    "ends a body without length in a row": (
        says(OK + b"Connection: close\r\n\r\n", TEN[:-30], close=True),
        ProtocolViolation,
    ),
    "ends a compressed body early": (
        says(answer(b"\x1f\x8b\x08\0\0\0\0\0\0\3", fields="Content-Encoding: gzip\r\n")),
        ConnectionLost,
    ),
    "compresses what is no gzip": (
        says(answer(TEN, fields="Content-Encoding: gzip\r\n")),
        ProtocolViolation,
    ),
    "compresses in a way nobody asked for": (
        says(answer(TEN, fields="Content-Encoding: br\r\n")),
        ProtocolViolation,
    ),
    "sends a gzip bomb": (says(zipped(b'[{"' + b"a" * 50_000_000)), ProtocolViolation),
    "speaks another protocol": (says(b"SSH-2.0-OpenSSH_9.2\r\n"), ProtocolViolation),
    "speaks HTTP/2 unasked": (says(b"\0\0\6\4\0\0\0\0\0\0\5\0\0\x40\0"), ProtocolViolation),
    "switches protocols": (
        says(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"),
        ProtocolViolation,
    ),
    "says nothing": (_is_silent, DeadlinePassed),
    "drips header fields": (_drips(OK, b"X-Nothing: 1\r\n"), ProtocolViolation),
    "drips early hints": (_drips(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"), DeadlinePassed),
    "drips spaces": (_drips(CHUNKED, b"1\r\n \r\n"), DeadlinePassed),
    "sends a row without end": (
        _drips(CHUNKED + b'3\r\n[{"\r\n', b"10000\r\n" + b"a" * 65536 + b"\r\n"),
        ProtocolViolation,
    ),
    "repeats a row without end": (
        _drips(CHUNKED + b"1\r\n[\r\n", b"12\r\n" + b'{"0020000D":{}},\r\n'.ljust(18) + b"\r\n"),
        DeadlinePassed,
    ),
    "sends a web page": (says(answer(b"<html>", kind="text/html")), ProtocolViolation),
    "sends XML": (says(answer(b"<x/>", kind="multipart/related")), ProtocolViolation),
    "sends an object for a list": (says(answer(b'{"error": "x"}')), ProtocolViolation),
    "sends an empty body": (says(answer(b"")), ProtocolViolation),
    "sends text for rows": (says(answer(b'["a", "b"]')), ProtocolViolation),
    "sends more after the list": (says(answer(TEN + b"[]")), ProtocolViolation),
    "forgets a comma": (says(answer(TEN.replace(b"}, {", b"} {"))), ProtocolViolation),
    "forgets the end of the list": (says(answer(TEN[:-1])), ProtocolViolation),
    "sends sequences without end": (
        says(answer(b'[{"00081199":' * 100_000)),
        ProtocolViolation,
    ),
    "redirects to another server": (
        says(_redirects("302 Found", "http://192.0.2.1/web/studies")),
        ProtocolViolation,
    ),
    "redirects to a log-in with TLS": (
        says(_redirects("301 Moved Permanently", "https://127.0.0.1/login")),
        ProtocolViolation,
    ),
    "redirects without end": (
        says(_redirects("307 Temporary Redirect", "/web/studies?limit=1")),
        ProtocolViolation,
    ),
    "redirects to nowhere": (says(answer(b"", status="302 Found")), ProtocolViolation),
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
        exchange = reach(peer.url)
        seconds = SOON if expected is DeadlinePassed else scaled(20.0)
        with pytest.raises(expected) as caught:
            in_time(lambda: _ask(exchange, STUDIES, seconds, most=10**9))
        assert caught.value.remedy


@pytest.mark.parametrize("status", sorted({*REFUSALS, 402, 418, 507, 599, 226}))
def test_every_status_is_a_sentence_with_a_remedy(reach: Reach, status: int) -> None:
    body = answer(b"<html>P1234 secret</html>", status=f"{status} X", kind="text/html")
    with WebPeer(says(body)) as peer:
        exchange = reach(peer.url)
        with pytest.raises(StatusFailure, match=f"HTTP status {status}") as caught:
            _ask(exchange, STUDIES, 5)
        assert caught.value.remedy
        assert "secret" not in str(caught.value)
        assert (caught.value.status in TOO_MANY) is (status == 413)
        with pytest.raises(StatusFailure):
            exchange.verify(Deadline(5))


def _put_off(status: str, *fields: str) -> bytes:
    return answer(b"", status=status, fields="".join(f"{field}\r\n" for field in fields))


def test_a_server_that_says_when_to_come_back_is_quoted(reach: Reach) -> None:
    busy = _put_off("503 Busy", "Retry-After: 120")
    with WebPeer(says(busy)) as peer:
        with pytest.raises(StatusFailure, match=r"overloaded.*in 120 seconds"):
            _ask(reach(peer.url), STUDIES, 5)
        assert len(peer.asked) == 1


@pytest.mark.parametrize("status", ["429 Slow Down", "503 Busy"])
@pytest.mark.parametrize(
    "fields",
    [
        ("Retry-After: 0",),
        ("Retry-After: 1",),
        ("Date: Sat, 28 Nov 2026 10:00:00 GMT", "Retry-After: Sat, 28 Nov 2026 10:00:01 GMT"),
        ("Retry-After: Sat, 28 Nov 2020 10:00:00 GMT",),
    ],
)
def test_an_overloaded_server_is_waited_for_as_long_as_it_says(
    reach: Reach, status: str, fields: tuple[str, ...]
) -> None:
    busy = says(_put_off(status, *fields))
    with WebPeer(then(busy, busy, pages(3))) as peer:
        found, ending = _ask(reach(peer.url), STUDIES, scaled(20))
        assert len(found) == 3
        assert ending == Ending()
        assert len(peer.asked) == 4


@pytest.mark.parametrize("fields", [(), ("Retry-After: 0",), ("Retry-After: soon",)])
def test_an_overloaded_server_gets_three_requests_of_one_question(
    reach: Reach, fields: tuple[str, ...]
) -> None:
    with WebPeer(says(_put_off("429 Slow Down", *fields))) as peer:
        archive = Archive(reach(peer.url))
        deadline = Deadline(scaled(20))
        for query in (STUDIES, SERIES, Query(Level.IMAGE, {"SeriesInstanceUID": "1.2.3.4"})):
            with pytest.raises(StatusFailure, match="overloaded"):
                archive.find(query, limit=50, deadline=deadline)
        assert len(peer.asked) <= 3
        assert archive.habits.relational is None


def test_a_wait_longer_than_the_deadline_is_not_begun(reach: Reach) -> None:
    with WebPeer(then(pages(200), says(_put_off("503 Busy", "Retry-After: 50")))) as peer:
        found, ending = _ask(reach(peer.url), STUDIES, 20)
        assert len(found) == 100
        assert not ending.whole
        assert the_note(ending.notes, "503")
        assert len(peer.asked) == 2


DEEP = b'{"00081115":{"vr":"SQ","Value":[' * 12 + b"{}" + b"]}}" * 12


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        (b'{"0020000D":{"vr":"UI","Value":["1.2.99"]},' + DEEP[1:], 21),
        (b'{"0020000D":{"Value":["1.2.99"]},"00100020":{},"00100020":{"Value":["1"]}}', 21),
        (b'{"0020000D":{"Value":["1.2.99"]},"00080061":{"Value":["CT"],"Value":["MR"]}}', 21),
        (b"null", 20),
        (b'"a study"', 20),
        (b"17", 20),
    ],
)
def test_a_row_that_cannot_be_decoded_costs_that_row_and_is_told(
    reach: Reach, row: bytes, kept: int
) -> None:
    ten, others = json.dumps(rows(10)).encode(), json.dumps(rows(10, 50)).encode()
    body = ten[:-1] + b"," + row + b"," + others[1:]
    with WebPeer(then(says(answer(body)), pages(0))) as peer:
        found, ending = _ask(reach(peer.url), STUDIES, 20)
        assert len(found) == kept
        assert not ending.whole
        assert the_note(ending.notes, "1 study came damaged")


@pytest.mark.parametrize("places", [(0,), (0, 1), (700,), (99, 100, 1_699)])
def test_a_row_that_is_none_has_its_place_in_a_list_of_many_pages(
    reach: Reach, places: tuple[int, ...]
) -> None:
    held: list[Any] = rows(1_700)
    for place in places:
        held[place] = None

    def behave(connected: socket.socket, asked: Asked) -> bool:
        some = held[asked.offset : asked.offset + asked.limit]
        return says(answer(json.dumps(some).encode()))(connected, asked)

    with WebPeer(behave) as peer:
        found, ending = _ask(reach(peer.url), STUDIES, 2_000)
        assert len(found) == 1_700 - len(places)
        assert not ending.whole
        assert the_note(ending.notes, "came damaged")


def test_a_single_study_without_its_array_is_read(reach: Reach) -> None:
    one = json.dumps(rows(1)[0]).encode()
    with WebPeer(then(says(answer(one)), pages(0))) as peer:
        found, ending = _ask(reach(peer.url), STUDIES, 20)
        assert [match["PatientID"] for match in found] == ["P0"]
        assert ending == Ending()


def test_a_server_that_has_xml_only_is_refused_in_so_many_words(reach: Reach) -> None:
    for kind in ('multipart/related; type="application/dicom+xml"', "application/dicom+xml"):
        with (
            WebPeer(says(answer(b"<NativeDicomModel/>", kind=kind))) as peer,
            pytest.raises(ProtocolViolation, match="XML instead of DICOM JSON"),
        ):
            _ask(reach(peer.url), STUDIES, 20)


# What it does, how many studies must come, and whether that is all.
ANSWERS: dict[str, tuple[Behaviour, int, bool]] = {
    "behaves": (pages(20), 20, True),
    "has nothing": (says(b"HTTP/1.1 204 No Content\r\n\r\n"), 0, True),
    "has an empty list": (says(answer(b" [ ] ")), 0, True),
    "has many pages": (pages(1234), 1234, True),
    "has pages that are just full": (pages(600), 600, True),
    "caps pages at 7": (pages(20, 7), 20, True),
    "caps pages at 1": (pages(5, 1), 5, True),
    "ignores limit": (
        lambda s, a: s.sendall(answer(rows(700 - a.offset, a.offset))) is None,
        700,
        True,
    ),
    "ignores limit and offset": (says(answer(rows(700))), 700, True),
    "ignores offset and has one": (says(answer(rows(1))), 1, True),
    "ignores offset": (says(answer(rows(30))), 30, True),
    "ignores offset and has more": (
        lambda s, a: s.sendall(answer(rows(min(a.limit, 1000)))) is None,
        500,
        False,
    ),
    "ignores offset and has a page of the larger size": (
        lambda s, a: s.sendall(answer(rows(min(a.limit, 430)))) is None,
        430,
        True,
    ),
    "shuffles its pages": (
        lambda s, a: s.sendall(answer(rows(100, a.offset - 3 if a.offset else 0)[::-1])) is None,
        0,
        False,
    ),
    "tells of more and does not give it": (
        then(
            pages(20, fields='Warning: 299 x "There are 5 additional results"\r\n'),
            pages(20),
        ),
        20,
        False,
    ),
    "tells of more and gives it": (
        then(
            pages(20, 10, fields='Warning: 299 x "There are additional results"\r\n'),
            pages(20),
        ),
        20,
        True,
    ),
    "tells that fuzzy matching is not supported": (
        pages(20, fields='Warning: 299 x "The fuzzymatching parameter is not supported."\r\n'),
        20,
        True,
    ),
    "answers partially": (
        then(pages(20, status="206 Partial Content"), pages(20)),
        20,
        False,
    ),
    "has no page after the last": (
        then(pages(20), says(answer(b"", status="404 Not Found"))),
        20,
        True,
    ),
    "fails over the second page": (
        then(pages(200), says(answer(b"", status="500 Oops"))),
        100,
        False,
    ),
    "refuses to include fields": (
        lambda s, a: (
            s.sendall(
                answer(b"", status="400 Bad Request")
                if "includefield" in a.target
                else answer(rows(0 if a.offset else 5))
            )
            is None
        ),
        5,
        True,
    ),
    "sends early hints": (
        then(says(b"HTTP/1.1 103 Early Hints\r\n\r\n", answer(rows(3))), pages(0)),
        3,
        True,
    ),
    "sends a chunk for each byte": (
        then(
            says(CHUNKED, *(b"1\r\n%c\r\n" % one for one in TEN), b"0\r\n\r\n"),
            pages(0),
        ),
        10,
        True,
    ),
    "compresses unasked": (then(says(zipped(TEN)), pages(0)), 10, True),
    "begins with a byte order mark": (
        then(says(answer(b"\xef\xbb\xbf" + TEN)), pages(0)),
        10,
        True,
    ),
    "calls it octets": (
        then(says(answer(TEN, kind="application/octet-stream")), pages(0)),
        10,
        True,
    ),
    "closes each connection": (
        lambda s, a: (
            s.sendall(answer(rows(max(0, 20 - a.offset), a.offset), fields="Connection: close\r\n"))
            is not None
        ),
        20,
        True,
    ),
    "closes each connection without saying so": (
        lambda s, a: s.sendall(answer(rows(max(0, 20 - a.offset), a.offset))) is not None,
        20,
        True,
    ),
    "redirects within itself": (
        then(says(_redirects("308 Permanent Redirect", "/other/studies?limit=9")), pages(9)),
        9,
        True,
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_it_gives_the_whole_answer_or_says_so(reach: Reach, name: str) -> None:
    behaviour, expected, whole = ANSWERS[name]
    with WebPeer(behaviour) as peer:
        exchange = reach(peer.url)
        found, ending = in_time(lambda: _ask(exchange, STUDIES, 20, most=3000))
        uids = [match["StudyInstanceUID"] for match in found]
        assert len(uids) == len(set(uids))
        assert not expected or len(found) == expected
        assert ending.whole is whole or len(found) > 3000
        assert ending.capped is not whole or len(found) > 3000
        assert bool(ending.notes) is not whole or len(found) > 3000


@pytest.mark.parametrize("status", ["400 Bad Request", "413 Too Large"])
@pytest.mark.parametrize("held", [100, 101, 130, 730])
def test_a_server_that_refuses_long_pages_gives_a_whole_list_in_short_ones(
    reach: Reach, held: int, status: str
) -> None:
    def behave(connected: socket.socket, asked: Asked) -> bool:
        if asked.limit > 200:  # the most Azure's DICOM service gives at once
            connected.sendall(answer(b"", status=status))
            return True
        return pages(held)(connected, asked)

    with WebPeer(behave) as peer:
        exchange = reach(peer.url)
        for _ in range(2):
            found, ending = _ask(exchange, STUDIES, 20)
            assert len(found) == held
            assert ending == Ending()
        refused = [asked for asked in peer.asked if asked.limit > 200]
        assert len(refused) <= 2  # with and without the attributes to include; then it is known


def test_an_answer_nobody_asked_for_is_not_taken_for_the_next_one(reach: Reach) -> None:
    # Both arrive in one read, so that the second stands in the reader's buffer already.
    two = answer(rows(1)) + answer(rows(1, 900))
    with WebPeer(then(says(two), pages(3))) as peer:
        exchange = reach(peer.url)
        exchange.verify(Deadline(5))
        found, _ = _ask(exchange, STUDIES, 5)
        assert [match["PatientID"] for match in found] == ["P0", "P1", "P2"]
        assert peer.connections == 2


def test_connections_are_kept_and_one_that_went_stale_is_replaced(reach: Reach) -> None:
    closing = then(pages(3), pages(3), pages(3), says(close=True), pages(3))
    with WebPeer(closing) as peer:
        exchange = reach(peer.url)
        for _ in range(2):
            assert len(_ask(exchange, STUDIES, 5)[0]) == 3
        assert peer.connections == 2


def test_a_new_connection_that_fails_is_not_tried_again(reach: Reach) -> None:
    with WebPeer(says(close=True)) as peer:
        exchange = reach(peer.url)
        with pytest.raises(ConnectionLost):
            _ask(exchange, STUDIES, 5)
        assert len(peer.asked) == 1


def test_a_question_that_has_enough_stops_reading(reach: Reach) -> None:
    with WebPeer(pages(100_000)) as peer:
        exchange = reach(peer.url)
        found, _ = _ask(exchange, STUDIES, 20, most=50)
        assert len(found) == 51
        assert len(peer.asked) == 1


def test_a_study_that_is_not_found_has_no_series(reach: Reach) -> None:
    def behave(connected: socket.socket, asked: Asked) -> bool:
        below = "/studies/" in asked.target
        whole = answer(b"", status="404 Not Found") if below else answer(rows(1))
        connected.sendall(whole)
        return True

    with WebPeer(behave) as peer:
        assert _ask(reach(peer.url), SERIES, 5) == ([], Ending())


def test_a_wrong_base_url_is_not_a_study_without_series(reach: Reach) -> None:
    with WebPeer(says(answer(b"", status="404 Not Found"))) as peer:
        exchange = reach(peer.url)
        with pytest.raises(StatusFailure, match="base_url"):
            _ask(exchange, SERIES, 5)


def test_what_the_path_says_is_part_of_the_match(reach: Reach) -> None:
    series: dict[str, object] = {"0020000E": {"vr": "UI", "Value": ["1.2.3.4"]}}
    with WebPeer(then(says(answer([series])), pages(0))) as peer:
        found, _ = _ask(reach(peer.url), SERIES, 5)
        assert found == [{"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4"}]


def test_a_server_that_does_not_decode_escapes_is_asked_more_widely(reach: Reach) -> None:
    def behave(connected: socket.socket, asked: Asked) -> bool:
        held = rows(3)
        for one, name in zip(held, ("García^Eva", "Gracia^Eva", "Ortiz^Eva"), strict=True):
            one["00100010"] = {"vr": "PN", "Value": [{"Alphabetic": name}]}
        connected.sendall(answer([] if "%" in asked.target or asked.offset else held))
        return True

    query = Query(Level.STUDY, {"PatientName": "García*"}, ("PatientID",))
    with WebPeer(behave) as peer:
        exchange = reach(peer.url)
        found, ending = _ask(exchange, query, 5)
        assert [match["PatientID"] for match in found] == ["P0"]
        assert the_note(ending.notes, "does not decode")


def test_a_cancelled_question_ends_at_once(reach: Reach) -> None:
    asked = threading.Event()

    def silent(connected: socket.socket, _: Asked) -> bool:
        asked.set()
        connected.recv(1)
        return False

    with WebPeer(silent) as peer:
        exchange = reach(peer.url)
        deadline = Deadline(60)
        canceller = threading.Thread(target=lambda: (asked.wait(10), deadline.cancel()))
        canceller.start()
        with pytest.raises(Cancelled):
            in_time(lambda: next(exchange.ask(STUDIES, deadline=deadline)))
        canceller.join()


def test_who_leaves_an_answer_keeps_its_connection(reach: Reach) -> None:
    with WebPeer(pages(10)) as peer:
        exchange = reach(peer.url)
        for _ in range(3):
            found, _ = _ask(exchange, STUDIES, 5, most=0)
            assert len(found) == 1
        assert peer.connections == 1


def test_there_are_no_patients_and_no_worklist(reach: Reach) -> None:
    exchange = reach("http://127.0.0.1:1/web")
    with pytest.raises(NoAcceptedContext):
        _ask(exchange, Query(Level.PATIENT, {}), 5)


def test_where_nothing_listens_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    with pytest.raises(ConnectionRefused):
        WebExchange(WebNode(f"http://127.0.0.1:{port}")).verify(Deadline(5))
    with pytest.raises(NameNotResolved):
        WebExchange(WebNode("http://nowhere.invalid/web")).verify(Deadline(5))


@pytest.mark.parametrize(
    ("auth", "sent"),
    [
        (Basic("zz-user", "zz-secret"), "Basic enotdXNlcjp6ei1zZWNyZXQ="),
        (Bearer("zz-secret"), "Bearer zz-secret"),
    ],
)
def test_proof_of_who_we_are_goes_to_the_server_and_into_no_text(
    auth: Basic | Bearer, sent: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with WebPeer(says(answer(b"", status="401 Unauthorized"))) as peer:
        node = WebNode(peer.url, auth)
        with (
            closing(WebExchange(node)) as exchange,
            pytest.raises(StatusFailure) as caught,
        ):
            _ask(exchange, STUDIES, 5)
        assert f"Authorization: {sent}" in peer.asked[0].head
    told = f"{node} {node!r} {auth!r} {caught.value} {caplog.text}"
    assert "zz-secret" not in told
    assert sent not in told


def _ask(
    exchange: WebExchange, query: Query, seconds: float, *, most: int = 10_000
) -> tuple[list[Match], Ending]:
    with exchange.ask(query, deadline=Deadline(seconds)) as answer:
        rows = [*islice(answer, most + 1)]
    assert all(size > 0 for _, size in rows)
    return [match for match, _ in rows], answer.ending
