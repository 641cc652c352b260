"""Lists of values that are no UIDs, in a search.

PS3.18 8.3.4.1 has lists of UIDs only, separated by commas. Orthanc takes commas for that in other
values too, be it one value with a comma in it; other servers read the backslash of DICOM, most
neither: what a list brought tells which.
"""

from collections.abc import Callable
from urllib.parse import quote

from ..standard.dictionary import attribute
from ..standard.query import Answer, Match, Query, Rows, texts
from ..standard.recheck import Recheck
from ..standard.values import WILDCARD_VRS

COMMA, BACKSLASH = ",", "\\"


class Lists:
    """How one server wants them separated; the comma is tried first."""

    def __init__(self) -> None:
        self.separator = COMMA
        self._is_known = False

    def ask(self, query: Query, ask: Callable[[Query], Rows]) -> Rows:
        """Ask, and otherwise where that brought nothing: a list with the other separator as long as
        it is not known, and a value with a comma in it, which may have been read as a list, with a
        wildcard for that."""
        if not any(_splits(*key) for key in query.keys.items()):
            return (yield from ask(query))
        wider = query
        if commas := {
            keyword: key for keyword, key in query.keys.items() if _has_comma(keyword, key)
        }:
            replaced = {keyword: key.replace(COMMA, "?") for keyword, key in commas.items()}
            wider = Query(query.level, {**query.keys, **replaced}, query.wanted)
        elif self._is_known:
            return (yield from ask(query))
        rows = 0
        with Answer(self._learning(query, ask(query), is_wider=wider is not query)) as answer:
            for row in answer:
                rows += 1
                yield row
        if rows or not answer.ending.whole:
            return answer.ending
        if wider is not query:
            return (yield from self._learning(query, ask(wider), is_wider=True))
        self.separator = BACKSLASH
        try:
            return (yield from self._learning(query, ask(query), is_wider=False))
        finally:
            if not self._is_known:
                self.separator = COMMA

    def _learning(self, query: Query, rows: Rows, *, is_wider: bool) -> Rows:
        """The rows, which tell how lists are separated. Of a value with a comma in it, one half may
        have been asked for: what has that alone is left out."""
        recheck = Recheck(query)
        with Answer(rows) as answer:
            for match, size in answer:
                is_meant = recheck.holds(match)
                if is_meant or not is_wider:
                    self._is_known = self._is_known or (is_meant and _came(query, match))
                    yield match, size
        return answer.ending


def _splits(keyword: str, key: str) -> bool:
    """Whether a server may read this key as several values."""
    return not _is_uid(keyword) and (BACKSLASH in key or COMMA in key)


def _has_comma(keyword: str, key: str) -> bool:
    found = attribute(keyword)
    is_text = found is not None and found.vr in WILDCARD_VRS
    return is_text and COMMA in key and BACKSLASH not in key


def _came(query: Query, match: Match) -> bool:
    """Whether a match has one of several values that were asked for."""
    return any(
        BACKSLASH in key and not _is_uid(keyword) and not {*key.split(BACKSLASH)}.isdisjoint(values)
        for keyword, key in query.keys.items()
        if (values := texts(match.get(keyword, "")))
    )


def is_listable(keyword: str, value: str) -> bool:
    """Whether a value can stand in a list that every server reads alike: none that holds a
    separator itself, or that has to be escaped."""
    return _is_uid(keyword) or (COMMA not in value and quote(value, safe="-._~:/") == value)


def _is_uid(keyword: str) -> bool:
    found = attribute(keyword)
    return found is not None and found.vr == "UI"
