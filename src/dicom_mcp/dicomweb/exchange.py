"""Putting one query to one DICOMweb server: page after page of its answer, until its end.

Theory. A page (PS3.18 8.3.4.4) that is shorter than was asked for may be the last one, or all that
a server gives at once. So the next one is asked for until an empty page proves the end; a page
shorter than one this server gave before proves it too. A server that ignores the offset repeats
its first page, and one whose pages overlap has no order to page by: both are told to whoever asks,
as answers that were cut.
"""

import logging
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from time import perf_counter
from urllib.parse import urljoin, urlsplit

from .. import journal
from ..deadline import Deadline
from ..errors import (
    ArchiveError,
    ConnectionLost,
    DeadlinePassed,
    NoAcceptedContext,
    ProtocolViolation,
    StatusFailure,
)
from ..node import WebNode
from ..standard.instance import Reference, Retrieved, TakeInstance
from ..standard.levels import NOUN, UNIQUE_KEY, Level
from ..standard.query import Ending, Match, Query
from ..standard.recheck import Recheck
from ..standard.record import identity
from ..standard.worklist import WorklistQuery
from .connection import Connection, Response, tls_context
from .model import data_sets
from .pool import Pool
from .qido import (
    ACCEPT,
    Search,
    escaped_uid,
    needs_escapes,
    search,
    tells_of_more,
    without_escapes,
)
from .status import refusal

# Most questions want 50 records, so the first page is short; a long answer comes in long ones.
FIRST_PAGE = 100
PAGE = 500

# Somebody who moves a server leaves one sign behind, sometimes two.
_MOST_REDIRECTS = 3

# What statuses say that the search is not there for us (`status.REFUSALS`).
_NOT_THERE = frozenset({404, 410})
_UNUSABLE_FIELDS = frozenset({400, 414, 431})

# Orthanc with its plugin of 2022 and older finds nothing for an escaped space or letter.
_DOES_NOT_DECODE = (
    "This server does not decode what a URL has to escape, such as spaces and letters beyond ASCII "
    "(RFC 3986 2.1); it was asked more widely, and what came was compared here."
)

type Take = Callable[[Match, int], bool]


class WebExchange:
    """The connections to one server and what is asked over them, a query at a time."""

    # There are no information models; what a study's patient is, is an ordinary key.
    patient_root_only = False

    def __init__(self, node: WebNode) -> None:
        self.node = node
        context = tls_context(node)
        self._pool = Pool(lambda: Connection(node, context))
        # Whether a search was answered here, so that base_url is right.
        self._answered = False
        # Whether it decodes what a URL escapes; None as long as nothing depended on it.
        self._decodes: bool | None = None
        # Whether it refuses queries for the attributes that are to be included.
        self._no_fields = False
        # The longest page it gave at each level: no page is cut at less.
        self._longest: dict[Level, int] = {}

    def verify(self, deadline: Deadline) -> float:
        """Search for one study, which has to be understood; returns the milliseconds it took."""
        start = perf_counter()
        asked = Query(Level.STUDY, {}, ("StudyInstanceUID",))
        target = search(asked).target(limit=1, offset=0)
        try:
            with self._answer(target, deadline) as answer:
                self._check(answer)
                for _ in _rows(answer):
                    break
        except _Refused as refused:
            raise refused.failure from None
        self._answered = True
        return (perf_counter() - start) * 1000

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def ask(self, query: Query, take: Take, *, deadline: Deadline) -> Ending:
        """Send one query; every match, and its size, goes to `take` as it arrives, until that
        returns False.

        Raises NoAcceptedContext at the PATIENT level, which DICOMweb does not have, StatusFailure
        when the server refuses, and the ArchiveError that ended a connection, whatever came before.
        """
        if query.level is Level.PATIENT:
            raise NoAcceptedContext(
                "DICOMweb has no search for patients (PS3.18 10.6)", "Ask for their studies"
            )
        started = perf_counter()
        count = 0
        outcome = "failed"

        def counted(match: Match, size: int) -> bool:
            nonlocal count
            count += 1
            return take(match, size)

        try:
            ending = self._ask(query, counted, deadline)
            outcome = "200" if ending.whole else "cut"
            return ending
        except StatusFailure as error:
            outcome = f"0x{error.status:04X}"
            raise
        except ArchiveError as error:
            outcome = "deadline" if isinstance(error, DeadlinePassed) else type(error).__name__
            raise
        finally:
            journal.event(
                logging.INFO,
                "QIDO-RS",
                archive=f"{self.node.host}:{self.node.port}",
                level=query.level,
                outcome=outcome,
                rows=count,
                ms=(perf_counter() - started) * 1000,
            )

    def ask_worklist(self, query: WorklistQuery, take: Take, *, deadline: Deadline) -> Ending:  # noqa: ARG002 - the protocol's shape
        """Raises NoAcceptedContext: there is no worklist to search here."""
        raise NoAcceptedContext(
            "DICOMweb has no search in a modality worklist",
            "Ask the worklist over DIMSE, at a node of its own",
        )

    def retrieve(
        self,
        references: Sequence[Reference],
        take: TakeInstance,
        *,
        deadline: Deadline,
        headers: bool = False,
    ) -> Retrieved:
        """Fetch these objects, each handed to `take` as it arrives, until that returns False."""
        raise NotImplementedError

    def _ask(self, query: Query, take: Take, deadline: Deadline) -> Ending:
        """The query, and wider if the server turns out not to read the keys as they were meant."""
        if not needs_escapes(query):
            return self._ask_pages(query, take, deadline)
        count = 0

        def counted(match: Match, size: int) -> bool:
            nonlocal count
            count += 1
            return take(match, size)

        if self._decodes is not False:
            ending = self._ask_pages(query, counted, deadline)
            if count or self._decodes:
                return ending
            self._decodes = self._does_decode(deadline)
            if self._decodes is not False:
                return ending
        recheck = Recheck(query)

        def compared(match: Match, size: int) -> bool:
            deadline.remaining()
            return not recheck.holds(match) or take(match, size)

        ending = self._ask_pages(without_escapes(query), compared, deadline)
        return replace(ending, notes=(*ending.notes, _DOES_NOT_DECODE))

    def _does_decode(self, deadline: Deadline) -> bool | None:
        """Whether the server finds a study it holds by a UID with an escape in it; None when it
        holds none."""
        uids: list[str] = []

        def note(match: Match, size: int) -> bool:  # noqa: ARG001 - the shape of `take`
            uids.append(str(match.get("StudyInstanceUID", "")))
            return False

        with suppress(_Refused):
            any_one = Query(Level.STUDY, {}, ("StudyInstanceUID",))
            self.page(any_one, note, deadline, limit=1, offset=0)
        if not uids or not uids[0][:1].isdecimal():
            return None
        with self._answer(escaped_uid(uids[0]), deadline) as answer:
            return answer.status in (200, 206) and any(True for _ in _rows(answer))

    def _ask_pages(self, query: Query, take: Take, deadline: Deadline) -> Ending:
        try:
            return _Pages(self, query, take, deadline).read()
        except _Refused as refused:
            failure = refused.failure
            if refused.status not in _NOT_THERE:
                raise failure from None
        # A study or series that is not held may be a resource that is not found, or base_url is
        # wrong, which shows with another search.
        if search(query).in_path:
            if not self._answered:
                self.verify(deadline)
            return Ending()
        if search(query).is_across and self._answered:
            raise StatusFailure(
                "the server has no search across studies or series",
                "Give study_instance_uid, and series_instance_uid for instances",
                status=0xA900,
            )
        raise failure

    def page(
        self, query: Query, take: Take, deadline: Deadline, *, limit: int, offset: int
    ) -> bool:
        """One page's rows to `take` until it returns False; whether the server told of more.

        Raises _Refused for a status that is no answer.
        """
        asked = search(query)
        if self._no_fields or not asked.fields:
            return self._page(asked, take, deadline, limit, offset, with_fields=False)
        try:
            return self._page(asked, take, deadline, limit, offset, with_fields=True)
        except _Refused as refused:
            if refused.status not in _UNUSABLE_FIELDS:
                raise
            first = refused
        # It may be the attributes to include that it does not know, or how many they are.
        try:
            more = self._page(asked, take, deadline, limit, offset, with_fields=False)
        except _Refused:
            raise first from None
        self._no_fields = first.status == 400
        return more

    def is_end(self, query: Query, rows: int, limit: int) -> bool:
        """Whether a page of so many rows cannot be followed by another one."""
        if not rows:
            return True
        key = query.keys.get(UNIQUE_KEY[query.level], "")
        if rows == 1 and key and not {"\\", "*", "?"} & set(key):  # more of them: it is ignored
            return True
        longest = self._longest.get(query.level, 0)
        self._longest[query.level] = max(longest, rows)
        return rows < limit and rows < longest

    def _page(
        self,
        asked: Search,
        take: Take,
        deadline: Deadline,
        limit: int,
        offset: int,
        *,
        with_fields: bool,
    ) -> bool:
        target = asked.target(limit=limit, offset=offset, with_fields=with_fields)
        with self._answer(target, deadline) as answer:
            self._check(answer)
            self._answered = True
            more = tells_of_more(answer.status, answer.headers.get("warning", ""))
            for match, size in _rows(answer):
                if not take({**asked.in_path, **match}, size):
                    break
        return more

    @staticmethod
    def _check(answer: Response) -> None:
        if answer.status not in (200, 204, 206):
            raise _Refused(
                answer.status,
                refusal(answer.status, retry_after=answer.headers.get("retry-after", "").strip()),
            )

    @contextmanager
    def _answer(self, target: str, deadline: Deadline) -> Generator[Response]:
        """The answer to one GET, redirected within the server if it says so."""
        path = self.node.path + target
        for _ in range(_MOST_REDIRECTS + 1):
            with self._got(path, deadline) as answer:
                if answer.status not in (301, 302, 303, 307, 308):
                    yield answer
                    return
                path = self._redirected(path, answer.headers.get("location", ""))
        raise ProtocolViolation("it redirects without end", "Give base_url as it is to be used")

    @contextmanager
    def _got(self, path: str, deadline: Deadline) -> Generator[Response]:
        """One GET. A kept connection that went stale shows at its first use; then, once and if
        nothing of an answer came, another one is made."""
        with self._pool.lease(deadline=deadline) as connection:
            was_used = connection.used
            begun = False
            try:
                with connection.get(path, ACCEPT, deadline=deadline) as answer:
                    begun = True
                    yield answer
                    return
            except ConnectionLost:
                if begun or not was_used:
                    raise
        with (
            self._pool.lease(deadline=deadline, fresh=True) as connection,
            connection.get(path, ACCEPT, deadline=deadline) as answer,
        ):
            yield answer

    def _redirected(self, path: str, location: str) -> str:
        """Where to ask instead, if that is the same server. A credential is for it alone."""
        here = urlsplit(self.node.base_url)
        try:
            there = urlsplit(urljoin(f"{here.scheme}://{here.netloc}{path}", location))
            same = (there.scheme, there.hostname, there.port) == (
                *(here.scheme, here.hostname, here.port),
            )
            target = f"{there.path}?{there.query}" if there.query else there.path
            if (
                same
                and location
                and target.isascii()
                and target.isprintable()
                and " " not in target
            ):
                return target
        except ValueError:
            pass
        raise ProtocolViolation(
            "it redirects the search to another server, which is not followed",
            "Give base_url as it is to be used; a redirection often means https:// instead of "
            "http://, or a page to log in",
        )


class _Refused(Exception):
    """A status that is no answer to a search, and what it means."""

    def __init__(self, status: int, failure: StatusFailure) -> None:
        super().__init__(str(status))
        self.status = status
        self.failure = failure


class _Pages:
    """The answer to one query, page after page."""

    def __init__(self, exchange: WebExchange, query: Query, take: Take, deadline: Deadline) -> None:
        self._exchange = exchange
        self._query = query
        self._take = take
        self._deadline = deadline
        self._seen: set[str] = set()
        self._last = ""
        self._rows = 0
        self._stopped = False

    def read(self) -> Ending:
        """Every row once to `take`; how it ended."""
        limit = limit_before = FIRST_PAGE
        more = False
        overlapping = False
        while True:
            page = _Page(self._seen, self._last)

            def take(match: Match, size: int, page: _Page = page, limit: int = limit) -> bool:
                return self._row(match, size, page, limit)

            try:
                told = self._exchange.page(
                    self._query, take, self._deadline, limit=limit, offset=self._rows
                )
            except _Refused as refused:
                if not self._rows:
                    raise
                if refused.status in _NOT_THERE:  # as some say that there is no such page
                    return self._cut("it says so itself") if more else self._ending(overlapping)
                return self._cut(f"then it failed with HTTP status {refused.status}")
            if self._stopped:
                return Ending()
            if page.repeats or (page.rows and not page.new):
                # It ignores the offset: this is all that it has, unless it says otherwise or gave
                # exactly as much as it was asked for.
                self._rows = max(self._rows, page.rows)
                full = page.rows >= limit or self._rows == limit_before
                cut = more or told or full
                return self._cut("it ignores offset") if cut else self._ending(overlapping)
            # An empty page contradicts a server that had announced more.
            more = told or (more and not page.rows)
            overlapping = overlapping or page.overlaps
            self._seen |= page.new
            self._last = page.last
            self._rows += page.rows
            if not page.rows or (not told and self._exchange.is_end(self._query, page.rows, limit)):
                return self._cut("it says so itself") if more else self._ending(overlapping)
            limit_before = limit
            limit = PAGE

    def _row(self, match: Match, size: int, page: "_Page", limit: int) -> bool:
        unique = identity(self._query.level, match)
        if not page.is_new(unique):
            # A longer page than the one it repeats may have more.
            return not page.repeats or self._rows < limit
        self._stopped = not self._take(match, size)
        return not self._stopped

    def _ending(self, overlapping: bool) -> Ending:
        if not overlapping:
            return Ending()
        return self._cut("its pages overlap")

    def _cut(self, why: str) -> Ending:
        noun = NOUN[self._query.level][self._rows != 1]
        return Ending(
            whole=False,
            capped=True,
            notes=(f"Not complete: the server gave {self._rows} {noun} of more ({why}).",),
        )


class _Page:
    """One page as it arrives: which of its rows came before, in another page."""

    def __init__(self, before: set[str], last: str) -> None:
        self.rows = 0
        self.new: set[str] = set()
        self.last = ""
        self.overlaps = False
        self.repeats = False
        self._before = before
        self._previous = last

    def is_new(self, unique: str) -> bool:
        """Whether this row did not come in an earlier page. A page that begins with one that did
        is taken for a repetition, except for a row that is given twice and fell on both sides."""
        self.rows += 1
        repeated = bool(unique) and unique in self._before
        if repeated and unique != self._previous:
            self.overlaps = True
            self.repeats = self.repeats or self.rows == 1
        self.last = unique
        if unique and not repeated:
            self.new.add(unique)
        return not repeated


def _rows(answer: Response) -> Generator[tuple[Match, int]]:
    """The data sets of an answer."""
    if answer.status == 204:
        return
    kind = answer.headers.get("content-type", "").lower()
    if any(other in kind for other in ("html", "xml", "multipart", "application/dicom;")):
        raise ProtocolViolation(
            f"it answered a search with {_known_kind(kind)} instead of DICOM JSON",
            "Check that base_url is what stands before /studies at this server, and that no page "
            "to log in stands before it",
        )
    with closing(data_sets(answer.content)) as found:
        yield from found


def _known_kind(kind: str) -> str:
    return "a web page" if "html" in kind else "another kind of content"
