"""The embedded archive over DICOMweb: QIDO-RS (PS3.18 10.6) and WADO-RS (10.4) from the same index,
on loopback."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import islice
from socketserver import ThreadingMixIn
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from ..standard.dictionary import Attribute, attribute, attribute_of_tag
from ..standard.levels import UNIQUE_KEY, Level
from ..standard.matching import Key, Record
from .awaited import WEB_ROOT
from .comparing import as_kept, comparer
from .entities import EVERYWHERE, is_supported
from .habits import NONE, Habits
from .index import Index
from .search import Search, told_with, with_told
from .wado import Answer, is_retrieval, retrieve

ROOT = WEB_ROOT

# Connections at a time, seconds one may be silent, and the longest request line there is.
_MOST_CONNECTIONS = 16
_SILENCE_SECONDS = 30
_STOP_SECONDS = 5.0

# What an answer has when nobody says how much, and at most.
_MOST_ROWS = 10_000

_LEVELS: Mapping[str, Level] = {
    "studies": Level.STUDY,
    "series": Level.SERIES,
    "instances": Level.IMAGE,
}

# Attributes of an answer that need not be asked for (PS3.18 tables 10.6.3-3 to 10.6.3-5).
_ALWAYS: Mapping[Level, tuple[str, ...]] = {
    Level.STUDY: (
        *("StudyDate", "StudyTime", "AccessionNumber", "InstanceAvailability"),
        *("ModalitiesInStudy", "ReferringPhysicianName", "PatientName", "PatientID"),
        *("PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID"),
        *("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
    ),
    Level.SERIES: (
        *("Modality", "SeriesDescription", "SeriesInstanceUID", "SeriesNumber"),
        *("NumberOfSeriesRelatedInstances", "StudyInstanceUID"),
        *("PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime"),
    ),
    Level.IMAGE: (
        *("SOPClassUID", "SOPInstanceUID", "InstanceAvailability", "InstanceNumber", "Rows"),
        *("Columns", "BitsAllocated", "NumberOfFrames", "StudyInstanceUID", "SeriesInstanceUID"),
    ),
}

# PS3.18 8.3.4: parameters that are no attributes.
_OPTIONS = frozenset({"includefield", "fuzzymatching", "limit", "offset"})

_NUMBERS = frozenset({"FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"})
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")


class EmbeddedWeb:
    """Answers searches for what `index` holds, and gives it, at `url`.

    `habits` are how it answers otherwise than the standard says: keys it ignores, attributes it
    keeps back, rows it gives twice, how many of them at most (of a page, or of all pages, without
    a word), what it looks at for them, and how letters are compared. Listening begins with `start`,
    or on entering the context.
    """

    def __init__(
        self, index: Index, *, host: str = "127.0.0.1", port: int = 0, habits: Habits = NONE
    ) -> None:
        self._index = index
        self._host = host
        self._port = port
        self._habits = habits
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The base URL of its services."""
        return f"http://{self._host}:{self._port}{ROOT}"

    def start(self, listening: socket.socket | None = None) -> None:
        """Listen, with this socket if there is one. Raises OSError when the host or port cannot be
        used."""
        self._server = _Server((self._host, self._port), self, listening)
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True, name="embedded web"
        )
        self._thread.start()

    def stop(self) -> None:
        """Close what is open and stop listening."""
        if self._server and self._thread:
            self._server.shutdown()
            self._server.close_all()
            self._thread.join(_STOP_SECONDS)
            self._server = self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def search(self, target: str) -> list[dict[str, Any]] | None:
        """The answer to a search; None where nothing can be searched.

        Raises ValueError for parameters that cannot be understood.
        """
        parts = urlsplit(target)
        found = _resource(parts.path.removeprefix(ROOT)) if parts.path.startswith(ROOT) else None
        if found is None:
            return None
        level, keys = found
        options: dict[str, list[str]] = {}
        for name, text in parse_qsl(parts.query, keep_blank_values=True, errors="strict"):
            if name in _OPTIONS:
                options.setdefault(name, []).append(text)
                continue
            known = _attribute(name)
            listed = text.replace(",", "\\") if known.vr == "UI" else text
            keys[known.keyword] = (known.vr, listed)
        wanted = _wanted(level, options.get("includefield", []))
        wanted |= dict.fromkeys(keys)
        first = _number(options, "offset", 0)
        most = _number(options, "limit", _MOST_ROWS)
        if self._habits.most_matches is not None:
            most = min(most, self._habits.most_matches)
        rows = islice(self._rows(level, keys, list(wanted)), self._habits.most_of_all_pages)
        return [row for number, row in enumerate(rows) if first <= number < first + most]

    def retrieve(self, target: str, accept: str) -> Answer | int | None:
        """The objects that `target` names, or a status; None where it names none."""
        path = urlsplit(target).path
        below = path.removeprefix(ROOT)
        if below == path or not is_retrieval(below):
            return None
        return retrieve(self._index, below, accept)

    def _rows(
        self, level: Level, keys: Mapping[str, Key], wanted: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        habits = self._habits
        supported = {keyword: key for keyword, key in keys.items() if is_supported(keyword, level)}
        matched: dict[str, Key] = {
            keyword: ("", "") if keyword in habits.ignored_keys else key
            for keyword, key in supported.items()
            if keyword not in EVERYWHERE
        }
        universal = {
            keyword: ("", "")
            for keyword in wanted
            if is_supported(keyword, level) and keyword not in EVERYWHERE
        }
        kept_back = habits.unreturned - {UNIQUE_KEY[level]}
        told = [*told_with(dict.fromkeys(wanted, ("", "")), level, habits)]
        returned = [
            keyword
            for keyword in wanted
            if keyword not in kept_back and is_supported(keyword, level)
        ]
        returned += told
        asked: dict[str, Key] = {**universal, **matched}
        search = Search(self._index, level, asked, habits, lambda keys: comparer(keys, habits))
        for record in search:
            record = with_told(self._index, record, told)
            whole = {**as_kept(record, habits), "InstanceAvailability": ["ONLINE"]}
            row = _json(
                {keyword: whole.get(keyword, ()) for keyword in returned if keyword in whole}
            )
            row["00081190"] = {"vr": "UR", "Value": [self._retrieve_url(level, record)]}
            for _ in range(1 + habits.duplicated):
                yield row

    def _retrieve_url(self, level: Level, record: Record) -> str:
        path = ""
        for name, known in _LEVELS.items():
            if known is level or known in level.above:
                path += f"/{name}/{quote(str(next(iter(record.get(UNIQUE_KEY[known], ())), '')))}"
        return self.url + path


class _Server(ThreadingMixIn, HTTPServer):
    """A thread for each connection, so many at a time; the next one waits to be accepted."""

    daemon_threads = True
    block_on_close = False

    def __init__(
        self, address: tuple[str, int], web: EmbeddedWeb, listening: socket.socket | None
    ) -> None:
        self.web = web
        self._listening = listening
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._slots = threading.Semaphore(_MOST_CONNECTIONS)
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        if self._listening is None:
            super().server_bind()
            return
        self.socket.close()
        self.socket = self._listening
        self.server_address = self.socket.getsockname()

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._slots.acquire(timeout=1):
            self.shutdown_request(request)
            return
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.discard(request)
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke off is nobody's concern here."""

    def close_all(self) -> None:
        """Stop listening and end every connection."""
        self.server_close()
        with self._lock:
            still_open = list(self._open)
        for connection in still_open:
            self.shutdown_request(connection)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _SILENCE_SECONDS
    disable_nagle_algorithm = True
    # One write for the head and the body of an answer.
    wbufsize = -1

    def do_GET(self) -> None:
        accepted = self.headers.get("Accept", "*/*")
        found = cast("_Server", self.server).web.retrieve(self.path, accepted)
        if isinstance(found, Answer):
            self._give(found)
            return
        if found is not None:
            self._answer(found)
            return
        if not any(form in accepted for form in ("json", "*/*")):
            self._answer(406)
            return
        try:
            rows = cast("_Server", self.server).web.search(self.path)
        except ValueError:
            self._answer(400)
            return
        if rows is None:
            self._answer(404)
        elif not rows:
            self._answer(204)
        else:
            self._answer(200, json.dumps(rows, ensure_ascii=False).encode())

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        if body:
            self.send_header("Content-Type", "application/dicom+json")
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _give(self, found: Answer) -> None:
        """An answer whose length nobody knows before its end (RFC 9112 7.1)."""
        self.send_response(200)
        self.send_header("Content-Type", found.kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in found.pieces:
            self.wfile.write(f"{len(piece):x}\r\n".encode())
            self.wfile.write(piece)
            self.wfile.write(b"\r\n")
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: a query names patients."""


def _resource(path: str) -> tuple[Level, dict[str, Key]] | None:
    """What a path searches for (PS3.18 10.6.1.1), and the unique keys in it."""
    *above, last = path.strip("/").split("/")
    level = _LEVELS.get(last)
    if level is None or len(above) % 2 or not path.startswith("/"):
        return None
    keys: dict[str, Key] = {}
    for name, uid in zip(above[::2], above[1::2], strict=True):
        named = _LEVELS.get(name)
        if named is None or named not in level.above:
            return None
        keys[UNIQUE_KEY[named]] = ("UI", unquote(uid))
    return level, keys


def _wanted(level: Level, fields: Sequence[str]) -> dict[str, None]:
    """The attributes to return; of a search across studies or series those of them too."""
    above = [keyword for upper in level.above for keyword in _ALWAYS.get(upper, ())]
    wanted = dict.fromkeys((*_ALWAYS[level], *above))
    for field in (part for listed in fields for part in listed.split(",")):
        if field.strip() and field != "all":
            wanted[_attribute(field.strip()).keyword] = None
    return wanted


def _attribute(name: str) -> Attribute:
    """An attribute by keyword or tag (PS3.18 8.3.4.1). Raises ValueError for another name."""
    is_tag = len(name) == 8 and not set(name) - set("0123456789abcdefABCDEF")
    found = attribute_of_tag(int(name, 16)) if is_tag else attribute(name)
    if found is None:
        raise ValueError(f"{name} is no attribute")
    return found


def _number(options: Mapping[str, list[str]], name: str, default: int) -> int:
    text = options.get(name, [str(default)])[-1]
    if not text.isdecimal() or len(text) > 9:
        raise ValueError(f"{name} is no number")
    return int(text)


def _json(record: Record) -> dict[str, Any]:
    """A record in the DICOM JSON Model (PS3.18 F.2)."""
    found = [(known, record[keyword]) for keyword in record if (known := attribute(keyword))]
    return {
        f"{known.tag:08X}": _element(known.vr, values)
        for known, values in sorted(found, key=lambda known: known[0].tag)
    }


def _element(vr: str, values: Sequence[str] | Sequence[Record]) -> dict[str, Any]:
    listed = [_value(vr, value) if isinstance(value, str) else _json(value) for value in values]
    return {"vr": vr, "Value": listed} if listed else {"vr": vr}


def _value(vr: str, text: str) -> Any:
    """One value; a number as such if that is what it is."""
    if not text:
        return None
    if vr == "PN":
        groups = zip(_GROUPS, text.split("="), strict=False)
        return {name: group for name, group in groups if group}
    if vr in _NUMBERS:
        try:
            return float(text) if vr in ("FD", "FL") else int(text)
        except ValueError:
            return text
    return text
