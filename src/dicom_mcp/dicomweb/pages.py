"""The answer to one query, page after page, until its end.

Theory. A page (PS3.18 8.3.4.4) that is shorter than was asked for may be the last one, or all that
a server gives at once. So the next one is asked for until an empty page proves the end; a page
shorter than one this server gave before proves it too. A server that refuses a page as too long is
asked for one as long as it gave before. A server that ignores the offset repeats its first page,
and one whose pages overlap has no order to page by: both are told to whoever asks, as answers that
were cut.
"""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

from ..deadline import Deadline
from ..errors import ProtocolViolation
from ..standard.levels import NOUN, Level
from ..standard.note import Note, incomplete
from ..standard.query import Ending, Query, Row, Rows, damaged
from ..standard.record import identity
from .connection import Response
from .model import Damage, data_sets
from .server import Refused

# Most questions want 50 records, so the first page is short; a long answer comes in long ones.
FIRST_PAGE = 100
PAGE = 500

# What statuses say that the search is not there for us (`status.REFUSALS`).
NOT_THERE = frozenset({404, 410})

# How servers refuse a page of more than they give at once; Azure does it with 400.
_TOO_LONG = frozenset({400, 413})

# A page of fewer new rows than this is as good as none: no server gives so few at once, and one
# that always says that there is more would be asked without end. The first two are the answer to a
# narrow question, and the proof of its end.
_FEWEST = 10
_FREE_PAGES = 2


@dataclass(slots=True)
class Told:
    """What an answer tells beside its rows: that there is more, and how many came damaged."""

    more: bool = False
    damage: Damage = field(default_factory=Damage)


class Searched(Protocol):
    """What pages are asked of."""

    # How long a page it is asked for at each level, once it refused a longer one.
    most_asked: dict[Level, int]

    def page(
        self, query: Query, told: Told, deadline: Deadline, *, limit: int, offset: int
    ) -> Generator[Row]:
        """One page's rows, and in `told` what the server told of it.

        Raises Refused for a status that is no answer.
        """
        ...

    def is_end(self, query: Query, rows: int, limit: int) -> bool:
        """Whether a page of so many rows cannot be followed by another one."""
        ...


class Pages:
    """The answer to one query, page after page."""

    def __init__(self, exchange: Searched, query: Query, deadline: Deadline) -> None:
        self._exchange = exchange
        self._query = query
        self._deadline = deadline
        self._seen: set[str] = set()
        self._last = ""
        self._rows = 0
        self._damaged = 0
        self._pages = 0

    def read(self) -> Rows:
        """Every row once; how it ended."""
        limit = limit_before = FIRST_PAGE
        more = False
        overlapping = False
        while True:
            page, told = _Page(self._seen, self._last), Told()
            meant = self._deadline.allowance.meant
            try:
                yield from self._page(page, told, limit)
            except Refused as refused:
                if not self._rows:
                    raise
                if refused.status in _TOO_LONG and limit > limit_before:
                    limit = self._exchange.most_asked[self._query.level] = limit_before
                    continue
                if refused.status in NOT_THERE:  # as some say that there is no such page
                    return self._cut("it says so itself") if more else self._ending(overlapping)
                return self._cut(f"then it failed with HTTP status {refused.status}")
            self._damaged += told.damage.rows
            page.rows += told.damage.unseen  # they have their place in the page
            if page.repeats or (page.rows and not page.new):
                # It ignores the offset: this is all that it has, unless it says otherwise or gave
                # exactly as much as it was asked for.
                self._rows = max(self._rows, page.rows)
                full = page.rows >= limit or self._rows == limit_before
                cut = more or told.more or full
                return self._cut("it ignores offset") if cut else self._ending(overlapping)
            # An empty page contradicts a server that had announced more.
            more = told.more or (more and not page.rows)
            overlapping = overlapping or page.overlaps
            self._seen |= page.new
            self._last = page.last
            self._rows += page.rows
            if not page.rows or (
                not told.more and self._exchange.is_end(self._query, page.rows, limit)
            ):
                return self._cut("it says so itself") if more else self._ending(overlapping)
            if self._is_in_vain(page, meant):
                why = "so few of what was asked for at a time"
                return self._cut(f"{why} that no more were")
            limit_before = limit
            limit = self._exchange.most_asked.get(self._query.level, PAGE)

    def _is_in_vain(self, page: "_Page", meant: int) -> bool:
        """Whether this call has asked for enough pages that bring hardly anything: before this one
        so many rows were what is asked for."""
        self._pages += 1
        allowance = self._deadline.allowance
        brings = len(page.new) >= _FEWEST and allowance.meant > meant
        if self._pages > _FREE_PAGES and not brings:
            allowance.answered(0)
        return allowance.spent

    def _page(self, page: "_Page", told: Told, limit: int) -> Generator[Row]:
        """Those rows of a page that did not come in another one."""
        rows = self._exchange.page(
            self._query, told, self._deadline, limit=limit, offset=self._rows
        )
        with closing(rows):
            for match, size in rows:
                if page.is_new(identity(self._query.level, match)):
                    yield match, size
                elif page.repeats and self._rows >= limit:
                    break  # a longer page than the one it repeats may have more

    def _ending(self, overlapping: bool) -> Ending:
        if overlapping:
            return self._cut("its pages overlap")
        notes = self._damage()
        return Ending(whole=not notes, notes=notes)

    def _damage(self) -> tuple[Note, ...]:
        return (damaged(self._damaged, NOUN[self._query.level]),) if self._damaged else ()

    def _cut(self, why: str) -> Ending:
        noun = NOUN[self._query.level][self._rows != 1]
        return Ending(
            whole=False,
            capped=True,
            notes=(
                incomplete(f"the server gave {self._rows} {noun} of more ({why})."),
                *self._damage(),
            ),
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


def rows_of(answer: Response, damage: Damage | None = None) -> Generator[Row]:
    """The data sets of an answer; those that are damaged are counted too."""
    if answer.status == 204:
        return
    kind = answer.headers.get("content-type", "").lower()
    if any(other in kind for other in ("html", "xml", "multipart", "application/dicom;")):
        raise ProtocolViolation(
            f"it answered a search with {_known_kind(kind)} instead of DICOM JSON",
            "Check that base_url is what stands before /studies at this server, and that no page "
            "to log in stands before it",
        )
    with closing(data_sets(answer.content, damage)) as found:
        yield from found


def _known_kind(kind: str) -> str:
    if "html" in kind:
        return "a web page"
    return "XML" if "xml" in kind else "another kind of content"
