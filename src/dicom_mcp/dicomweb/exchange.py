"""One DICOMweb server, and what is asked of it."""

import logging
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any

from .. import journal
from ..deadline import Deadline
from ..errors import (
    ArchiveError,
    Cancelled,
    ConnectionLost,
    DeadlinePassed,
    NoAcceptedContext,
    ProtocolViolation,
    StatusFailure,
)
from ..node import WebNode
from ..standard.instance import Instance, Reference, Retrieved, TakeInstance
from ..standard.levels import UNIQUE_KEY, Level
from ..standard.note import remark
from ..standard.one_frame import OneFrame
from ..standard.query import Answer, Ending, Query, Row, Rows
from ..standard.recheck import Recheck
from .frames import one_frame
from .lists import Lists, is_listable
from .pages import NOT_THERE, Pages, Told, rows_of
from .qido import (
    ACCEPT,
    STANDARD,
    Manner,
    Search,
    escaped_uid,
    needs_escapes,
    search,
    tells_of_more,
    without_escapes,
)
from .server import Refused, Server, check
from .tree import Tree, not_offered
from .wado import Wado

_SIZE = "NumberOfSeriesRelatedInstances"

# How servers, and stores of plain files, say that they have no such list.
_NOT_LISTED = NOT_THERE | {403, 405, 501}

_UNUSABLE_FIELDS = frozenset({400, 414, 431})

# Questions that were refused in every manner; then it is not the manner.
_MOST_IN_VAIN = 3

# Orthanc with its plugin of 2022 and older finds nothing for an escaped space or letter.
_DOES_NOT_DECODE = remark(
    "This server does not decode what a URL has to escape, such as spaces and letters beyond ASCII "
    "(RFC 3986 2.1); it was asked more widely, and what came was compared here."
)


class WebExchange:
    """The connections to one server and what is asked over them, a query at a time."""

    # There are no information models; what a study's patient is, is an ordinary key.
    patient_root_only = False

    def __init__(self, node: WebNode) -> None:
        self.node = node
        self._server = Server(node)
        self._wado = Wado(self._server, self._verify_once, self._size_of_series)
        # Whether a search was answered here, so that base_url is right.
        self._answered = False
        # Whether it decodes what a URL escapes; None as long as nothing depended on it.
        self._decodes: bool | None = None
        # How it takes parameters; whether it took keys and what to include that way; how often it
        # took them in none.
        self._manner = STANDARD
        self._is_proven = False
        self._in_vain = 0
        self._lists = Lists()
        # The longest page it gave at each level: no page is cut at less.
        self._longest: dict[Level, int] = {}
        # How long a page it is asked for at each level, once it refused a longer one.
        self.most_asked: dict[Level, int] = {}

    def verify(self, deadline: Deadline) -> float:
        """Search for one study, which has to be understood; returns the milliseconds it took."""
        self._server.breaker.reached()  # somebody asks on purpose
        start = perf_counter()
        asked = Query(Level.STUDY, {}, ("StudyInstanceUID",))
        target = search(asked).target(limit=1, offset=0)
        try:
            with self._server.ask(target, ACCEPT, deadline=deadline) as answer:
                check(answer)
                for _ in rows_of(answer):
                    break
        except Refused as refused:
            raise refused.failure from None
        self._answered = True
        return (perf_counter() - start) * 1000

    def _verify_once(self, deadline: Deadline) -> None:
        if not self._answered:
            self.verify(deadline)

    def methods(self, deadline: Deadline) -> str:
        """The methods that the server says it allows for studies (OPTIONS), "" if it says none."""
        target = "/studies"
        with self._server.ask(target, "*/*", deadline=deadline, method="OPTIONS") as answer:
            for _ in answer.content:
                pass
            fields = answer.headers
            return fields.get("allow") or fields.get("access-control-allow-methods", "")

    def place(self, deadline: Deadline) -> AbstractContextManager[None]:
        """One connection of those it may hold is made elsewhere, while the block runs."""
        self._server.breaker.reached()  # somebody asks on purpose
        return self._server.place(deadline)

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def ask(self, query: Query, *, deadline: Deadline) -> Answer:
        """Put one query to it.

        Its rows raise NoAcceptedContext for what DICOMweb does not have, patients and worklists,
        StatusFailure when the server refuses, and the ArchiveError that ended a connection,
        whatever came before.
        """
        return Answer(self._rows(query, deadline))

    def _rows(self, query: Query, deadline: Deadline) -> Rows:
        if query.level is Level.WORKLIST:
            raise NoAcceptedContext(
                "DICOMweb has no search in a modality worklist",
                "Ask the worklist over DIMSE, at a node of its own",
            )
        if query.level is Level.PATIENT:
            raise NoAcceptedContext(
                "DICOMweb has no search for patients (PS3.18 10.6)", "Ask for their studies"
            )
        rows = self._lists.ask(query, partial(self._ask, deadline=deadline))
        with self._journal("QIDO-RS", level=query.level, rows=0) as told, Answer(rows) as answer:
            for row in answer:
                told["rows"] += 1
                yield row
            told["outcome"] = "200" if answer.ending.whole else "cut"
        return answer.ending

    is_listable = staticmethod(is_listable)

    def retrieve(
        self,
        references: Sequence[Reference],
        take: TakeInstance,
        *,
        deadline: Deadline,
        headers: bool = False,
    ) -> Retrieved:
        """Fetch these objects (WADO-RS), each handed to `take` as it arrives, until that returns
        False; with `headers` their metadata only, where the server has that.

        What did not come, and why, is in the answer. Raises NoAcceptedContext where nothing can be
        fetched, the ArchiveError that kept every one of them from coming, and Cancelled.
        """
        level = "HEADER" if headers else "IMAGE"
        with self._journal("WADO-RS", level=level, objects=0, bytes=0) as told:

            def counted(instance: Instance) -> bool:
                told["objects"] += 1
                told["bytes"] += len(instance.data_set)
                return take(instance)

            found = self._wado.retrieve(references, counted, deadline=deadline, headers=headers)
            told["outcome"] = "cut" if found.missing else "200"
            return found

    def frame(self, reference: Reference, number: int, *, deadline: Deadline) -> OneFrame:
        """One frame of an object (WADO-RS)."""
        with self._journal("WADO-RS", level="FRAME", bytes=0) as told:
            found = one_frame(self._server, reference, number, deadline=deadline)
            told["bytes"], told["outcome"] = len(found.content), "200"
            return found

    @contextmanager
    def _journal(self, service: str, **facts: Any) -> Generator[dict[str, Any]]:
        """A line of the log when the block ends: what, how it ended, and these facts."""
        started = perf_counter()
        facts["outcome"] = "failed"
        try:
            yield facts
        except StatusFailure as error:
            facts["outcome"] = f"0x{error.status:04X}"
            raise
        except (ArchiveError, Cancelled) as error:
            late = isinstance(error, DeadlinePassed)
            facts["outcome"] = "deadline" if late else type(error).__name__
            raise
        finally:
            milliseconds = (perf_counter() - started) * 1000
            where = f"{self.node.host}:{self.node.port}"
            journal.event(logging.INFO, service, archive=where, **facts, ms=milliseconds)

    def _size_of_series(self, series: Reference, deadline: Deadline) -> int:
        """How many objects a series has; 0 where nobody says so."""
        keys = {
            "StudyInstanceUID": series.study_instance_uid,
            "SeriesInstanceUID": series.series_instance_uid,
        }
        page = self.page(Query(Level.SERIES, keys, (_SIZE,)), Told(), deadline, limit=1, offset=0)
        with suppress(Refused, ConnectionLost, ProtocolViolation), closing(page):
            for match, _ in page:
                size = match.get(_SIZE, 0)
                if match.get("SeriesInstanceUID") == series.series_instance_uid:
                    return size if isinstance(size, int) else 0
        return 0

    def _ask(self, query: Query, deadline: Deadline) -> Rows:
        """The query, and wider if the server turns out not to read the keys as they were meant."""
        if not needs_escapes(query):
            return (yield from self._ask_pages(query, deadline))
        if self._decodes is not False:
            count = 0
            with Answer(self._ask_pages(query, deadline)) as answer:
                for row in answer:
                    count += 1
                    yield row
            if count or self._decodes:
                return answer.ending
            self._decodes = self._does_decode(deadline)
            if self._decodes is not False:
                return answer.ending
        recheck = Recheck(query)
        with Answer(self._ask_pages(without_escapes(query), deadline)) as answer:
            for match, size in answer:
                deadline.remaining()
                if recheck.holds(match):
                    yield match, size
        return answer.ending.noted(_DOES_NOT_DECODE)

    def _does_decode(self, deadline: Deadline) -> bool | None:
        """Whether the server finds a study it holds by a UID with an escape in it; None when it
        holds none."""
        uid = ""
        any_one = Query(Level.STUDY, {}, ("StudyInstanceUID",))
        page = self.page(any_one, Told(), deadline, limit=1, offset=0)
        with suppress(Refused), closing(page):
            uid = next((str(match.get("StudyInstanceUID", "")) for match, _ in page), "")
        if not uid[:1].isdecimal():
            return None
        with self._server.ask(escaped_uid(uid), ACCEPT, deadline=deadline) as answer:
            return answer.status in (200, 206) and any(True for _ in rows_of(answer))

    def _ask_pages(self, query: Query, deadline: Deadline) -> Rows:
        try:
            return (yield from Pages(self, query, deadline).read())
        except Refused as refused:
            failure, status = refused.failure, refused.status
        asked = search(query)
        if status not in _NOT_LISTED or not (asked.in_path or asked.is_across):
            raise failure
        if asked.in_path:
            return (yield from self._ask_tree(query, deadline, failure, status))
        if status not in NOT_THERE:
            raise failure
        self._verify_once(deadline)
        raise StatusFailure(
            "the server has no search across studies or series",
            "Give study_instance_uid, and series_instance_uid for instances",
            status=0xA900,
        )

    def _ask_tree(
        self, query: Query, deadline: Deadline, failure: StatusFailure, status: int
    ) -> Rows:
        """What is in a study or series that the server has no list for: it may not hold the
        parent, or have other ways to tell."""
        tree = Tree(self._server, self._ask_pages)
        if (ending := (yield from tree.read(query, deadline))) is not None:
            return ending
        if status not in NOT_THERE:
            raise failure
        if tree.has_parent(query, deadline):
            raise not_offered(query)
        return Ending()

    def page(
        self, query: Query, told: Told, deadline: Deadline, *, limit: int, offset: int
    ) -> Generator[Row]:
        """One page's rows, and in `told` what the server told of it.

        Raises Refused for a status that is no answer.
        """
        asked = search(query, self._lists.separator)
        target = asked.target(limit=limit, offset=offset, manner=self._manner)
        try:
            yield from self._page(asked, target, told, deadline, self._manner)
            return
        except Refused as refused:
            if offset or refused.status not in _UNUSABLE_FIELDS:
                raise
            first = refused
        # It may be the attributes to include that it does not know, or how many they are, or how
        # anything is put to it.
        tried = {target}
        for manner in self._others(first.status):
            target = asked.target(limit=limit, offset=0, manner=manner)
            if target in tried:
                continue
            tried.add(target)
            try:
                is_new = first.status == 400
                yield from self._page(asked, target, told, deadline, manner, is_new=is_new)
                return
            except Refused as refused:
                if refused.status not in _UNUSABLE_FIELDS:
                    raise
        self._in_vain += 1
        raise first

    def _others(self, status: int) -> Generator[Manner]:
        """The other manners that are worth trying with a server that refused the known one."""
        known = self._manner
        yield replace(known, with_fields=False)
        if status != 400 or self._is_proven or self._in_vain >= _MOST_IN_VAIN:
            return
        for manner in (Manner(by_tag=True), Manner(with_page=False)):
            yield manner
            yield replace(manner, with_fields=False)

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
        target: str,
        told: Told,
        deadline: Deadline,
        manner: Manner,
        *,
        is_new: bool = False,
    ) -> Generator[Row]:
        """The rows of what stands at `target`; that it is answered shows that this server takes a
        manner that `is_new`."""
        with self._server.ask(target, ACCEPT, deadline=deadline) as answer:
            check(answer)
            self._answered = True
            self._is_proven = self._is_proven or bool(asked.keys and manner.with_fields)
            if is_new:
                self._manner = manner
            told.more = tells_of_more(answer.status, answer.headers.get("warning", ""))
            with closing(rows_of(answer, told.damage)) as rows:
                for match, size in rows:
                    try:
                        yield {**asked.in_path, **match}, size
                    except GeneratorExit:
                        break  # no failure: the connection goes on, if the rest comes soon
