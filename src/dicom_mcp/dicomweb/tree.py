"""What stands below a study or a series where a server has no list of it.

Trees of plain files that are served as DICOMweb have `/metadata` (PS3.18 10.4.1.1.5) and no
`/instances`. A 404 there says nothing of what is held: so the metadata are read instead, and where
there are none the list of the level above tells whether the parent exists.
"""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace

from ..budgets import LARGEST_METADATA
from ..deadline import Deadline
from ..errors import ProtocolViolation, StatusFailure
from ..standard.levels import NOUN, UNIQUE_KEY, Level
from ..standard.note import remark
from ..standard.query import Answer, Ending, Match, Query, Row, Rows
from ..standard.recheck import Recheck
from .model import data_set, objects
from .qido import ACCEPT, search
from .server import Refused, Server, check

_SIZE = "NumberOfSeriesRelatedInstances"

# How servers say that there are no metadata to be had; anything else is a failure of its own.
_NO_METADATA = frozenset({400, 403, 404, 405, 406, 410, 415, 501})

# Puts a query to the server.
type Ask = Callable[[Query, Deadline], Rows]


@dataclass(frozen=True, slots=True)
class Tree:
    """A server that may have no lists below its studies."""

    server: Server
    ask: Ask

    def read(self, query: Query, deadline: Deadline) -> Generator[Row, None, Ending | None]:
        """The query's matches by the metadata of the study or series in its path; returns None
        where the server has no metadata of that either."""
        noun = NOUN[query.level][1]
        above = NOUN[_level_above(query)][0]
        told = f"those of each series of the {above} are here"
        found = self._of_each_series(query, deadline)
        if found is None:
            told = f"they were read from the metadata of the {above}"
            found = self._below(query, deadline)
        if found is None:
            return None
        recheck = Recheck(query)
        for match, size in found:
            deadline.remaining()
            if recheck.holds(match):
                yield match, size
        return Ending(notes=(remark(f"This server has no list of {noun} of a {above}; {told}."),))

    def has_parent(self, query: Query, deadline: Deadline) -> bool:
        """Whether the study or series in the query's path is listed one level above; of what it has
        no list of either, nobody knows.

        Raises StatusFailure where that cannot be told.
        """
        level = _level_above(query)
        keyword = UNIQUE_KEY[level]
        keys = {name: query.keys[name] for name in _unique(level) if name in query.keys}
        with Answer(self.ask(Query(level, keys), deadline)) as answer:
            if any(match.get(keyword) == keys[keyword] for match, _ in answer):
                return True
        if not answer.ending.whole:
            above, noun = NOUN[level][0], NOUN[query.level][1]
            raise StatusFailure(
                f"the server has no list of {noun} of this {above}, and gives only part of the "
                f"list in which the {above} itself would be",
                "Ask the server's vendor or administrator for these lists",
                status=0x0122,
            )
        return False

    def _below(self, query: Query, deadline: Deadline) -> list[Row] | None:
        """Every match the parent's metadata have, the keys not compared."""
        asked = search(query)
        parent = asked.path.rpartition("/")[0]
        names = {*query.returned, *query.keys, *_unique(query.level)}
        rows: list[Row] = []
        series: dict[str, Match] = {}
        try:
            for whole, size in self._metadata(parent, deadline):
                match: Match = {**asked.in_path}
                match |= {keyword: text for keyword, text in whole.items() if keyword in names}
                if query.level is Level.IMAGE:
                    rows.append((match, size))
                    continue
                first = series.setdefault(str(match.get("SeriesInstanceUID", "")), match)
                count = first.get(_SIZE, 0) if first is not match else 0
                first[_SIZE] = count + 1 if isinstance(count, int) else 1
                if first is match:
                    rows.append((match, size))
        except Refused as refused:
            if refused.status not in _NO_METADATA:
                raise refused.failure from None
            return None
        except ProtocolViolation:
            return None
        return rows

    def _of_each_series(self, query: Query, deadline: Deadline) -> list[Row] | None:
        """The instances of a study, series by series; None where that is no way to have them."""
        in_path = search(query).in_path
        if query.level is not Level.IMAGE or UNIQUE_KEY[Level.SERIES] in in_path:
            return None
        rows: list[Row] = []
        try:
            answer = Answer(self.ask(Query(Level.SERIES, in_path), deadline))
            uids = [str(match.get("SeriesInstanceUID", "")) for match, _ in answer]
            endings = [answer.ending]
            for uid in uids:
                of_series = replace(query, keys={**query.keys, UNIQUE_KEY[Level.SERIES]: uid})
                if len(search(of_series).in_path) == len(in_path):  # what stands there is no UID
                    return None
                answer = Answer(self.ask(of_series, deadline))
                rows += answer
                endings.append(answer.ending)
        except StatusFailure:
            return None
        return rows if uids and all(ending.whole for ending in endings) else None

    def _metadata(self, parent: str, deadline: Deadline) -> Generator[Row]:
        asked = self.server.ask(f"{parent}/metadata", ACCEPT, deadline=deadline)
        with asked as answer:
            check(answer)
            kind = answer.headers.get("content-type", "").lower()
            if any(other in kind for other in ("html", "xml", "multipart")):
                raise ProtocolViolation("it answered a request for metadata with something else")
            if answer.status == 204:
                return
            with closing(objects(answer.content, most=LARGEST_METADATA)) as found:
                for row, size in found:
                    yield data_set(row), size


def not_offered(query: Query) -> StatusFailure:
    """The failure of a server that lists the parent, and nothing of what is in it."""
    level = _level_above(query)
    above, noun = NOUN[level][0], NOUN[query.level][1]
    return StatusFailure(
        f"the server holds this {above} and offers neither a list of its {noun} "
        f"({search(query).path.rpartition('/')[2]}) nor its metadata, so that what is in it cannot "
        "be told",
        "Ask the server's vendor or administrator for these lists, or use another node of this "
        "archive",
        status=0x0122,
    )


def _level_above(query: Query) -> Level:
    """The lowest level of which the query's path names one."""
    return Level.STUDY if len(search(query).in_path) == 1 else Level.SERIES


def _unique(level: Level) -> tuple[str, ...]:
    return tuple(
        UNIQUE_KEY[entity] for entity in (*level.above, level) if entity is not Level.PATIENT
    )
