"""Whether an archive understood the keys it answered with nothing.

Wildcards and ranges are not understood by every archive (PS3.4 C.2.2.1.3): one that compares them
as plain text finds nothing and calls that success. So nothing is believed once: some of what
there is without the key is looked at, and a value known to be there is asked for by a key of the
same shape. An archive that does not find it is asked without that key from then on, and what it
gives is compared here; what can be neither shown nor compared is marked.
"""

from collections.abc import Collection, Mapping, Sequence
from enum import Enum

from ..errors import ArchiveError
from ..standard.dictionary import attribute
from ..standard.levels import UNIQUE_KEY, Level
from ..standard.note import perhaps, remark
from ..standard.query import Match, Query, texts
from ..standard.recheck import IDENTIFIERS
from ..standard.shapes import SEPARATOR, Trial, shape, trial
from ..words.letters import in_other_case
from .asking import Asking, Part
from .case import FREE_TEXT, ask_in_any_case
from .gathering import Gathering, Outcome
from .steps import Step
from .whole import ask_whole

# Matches that are looked at for a value to try a key with, and for how long all of it may take.
_LOOKED_AT = 20
_SECONDS = 6.0

# What is compared here where a key has to be left out; a slow archive's deadline passes before.
_MOST_COMPARED = 10_000


class _Undecided(Exception):
    """An answer was cut short before what was looked for could come: that teaches nothing."""


class _Verdict(Enum):
    UNDERSTOOD = "a value known to be there was found"
    NOT_UNDERSTOOD = "it was not found"
    UNKNOWN = "there was no value to try it with, or trying was cut short"


def ask_proved(asking: Asking, query: Query, gathering: Gathering) -> Step[Outcome]:
    """Ask so that what comes, nothing included, is what the keys mean."""
    understands = asking.habits.understands
    unread = [
        keyword
        for keyword, key in query.keys.items()
        if any(
            understands.get((keyword, shape)) is False for shape in _shapes(asking, keyword, key)
        )
    ]
    if unread:
        return (yield ask_without(asking, query, gathering, unread))
    outcome: Outcome = yield ask_in_any_case(asking, query, gathering)
    if asking.as_it_stands:
        return outcome
    doubted = [
        keyword
        for keyword, key in query.keys.items()
        if not gathering.examined and _unknown(asking, keyword, key)
    ]
    if not doubted or not outcome.whole or gathering.full:
        return outcome
    before = gathering.count
    try:
        proof = _Proof(asking.within(_SECONDS), query, doubted)
        if (yield proof.compare(gathering)):
            return _told(outcome, doubted) if gathering.count > before else outcome
        verdicts: dict[str, _Verdict] = yield proof.verdicts()
    except ArchiveError as error:
        return _unproved(outcome, doubted, f"trying failed: {error}")
    unread = [shape for shape, verdict in verdicts.items() if verdict is _Verdict.NOT_UNDERSTOOD]
    if unread:
        return (yield ask_without(asking, query, gathering, unread))
    unknown = [shape for shape, verdict in verdicts.items() if verdict is _Verdict.UNKNOWN]
    return _unproved(outcome, unknown, _Verdict.UNKNOWN.value) if unknown else outcome


class _Proof:
    """What shows whether the `doubted` keys of a query (by keyword) are understood."""

    def __init__(self, asking: Asking, query: Query, doubted: Sequence[str]) -> None:
        self._asking = asking
        self._query = query
        self._doubted = doubted
        self._known: list[Match] = []

    def compare(self, gathering: Gathering) -> Step[bool]:
        """Look at what there is without the keys; whether that was all there is, and could be
        compared."""
        rest = {
            keyword: key
            for keyword, key in self._query.keys.items()
            if keyword not in self._doubted
        }
        self._known, whole = yield self._look(rest)
        if not whole or any(
            keyword not in match for match in self._known for keyword in self._doubted
        ):
            return False
        before = gathering.count
        gathering.compare(self._doubted, most_examined=_MOST_COMPARED)
        for match in self._known:
            gathering.take(match, 0)
        if gathering.count > before and len(self._doubted) == 1:
            (keyword,) = self._doubted
            for shape in _unknown(self._asking, keyword, self._query.keys[keyword]):
                self._asking.habits.learn(keyword, shape, understood=False)
        return True

    def verdicts(self) -> Step[dict[str, _Verdict]]:
        """Of each keyword, by trying."""
        if any(not self._values(keyword) for keyword in self._doubted):
            above = {UNIQUE_KEY[level] for level in self._query.level.above}
            parents = {
                keyword: key for keyword, key in self._query.keys.items() if keyword in above
            }
            keys = {keyword: key for keyword, key in parents.items() if not shape("UI", key)}
            more, _ = yield self._look(keys)
            self._known += more
        verdicts: dict[str, _Verdict] = {}
        for keyword in self._doubted:
            try:
                verdicts[keyword] = yield self._verdict(keyword)
            except _Undecided:
                verdicts[keyword] = _Verdict.UNKNOWN
        return verdicts

    def _look(self, keys: Mapping[str, str]) -> Step[tuple[list[Match], bool]]:
        """Some matches of these keys, and whether they are all."""
        query = Query(self._query.level, keys, (*self._query.wanted, *self._doubted))
        gathering = Gathering(query, _LOOKED_AT)
        outcome: Outcome = yield ask_whole(self._asking, query, gathering)
        return gathering.matches, outcome.whole and not gathering.full

    def _values(self, keyword: str) -> list[str]:
        return [text for match in self._known for text in texts(match.get(keyword, ""))]

    def _verdict(self, keyword: str) -> Step[_Verdict]:
        """Tries every shape the key is sent in, in other case first: an archive that ignores case
        is sent fewer of them."""
        habits = self._asking.habits
        while pending := _unknown(self._asking, keyword, self._query.keys[keyword]):
            tried = trial(_vr(keyword), next(iter(pending.values())), self._values(keyword))
            if tried is None:
                return _Verdict.UNKNOWN
            other = tried.key.swapcase()
            if _is_free_text(keyword) and keyword not in habits.ignores_case and other != tried.key:
                habits.ignores_case[keyword] = yield self._finds(keyword, Trial(other))
                understood = habits.ignores_case[keyword] or (yield self._finds(keyword, tried))
            else:
                understood = yield self._finds(keyword, tried)
            habits.learn(keyword, next(iter(pending)), understood=understood)
            if not understood:
                return _Verdict.NOT_UNDERSTOOD
        return _Verdict.UNDERSTOOD

    def _finds(self, keyword: str, tried: Trial) -> Step[bool]:
        query = Query(self._query.level, {keyword: tried.key}, (keyword,))
        gathering = Gathering(query, 1)
        part: Part = yield self._asking.put(query, gathering)
        if not gathering.count and not part.ending.whole:
            raise _Undecided
        return bool(gathering.count)


def ask_without(
    asking: Asking, query: Query, gathering: Gathering, unread: Collection[str]
) -> Step[Outcome]:
    """Ask without these keys, and compare here."""
    gathering.compare(unread, most_examined=_MOST_COMPARED)
    rest = {keyword: key for keyword, key in query.keys.items() if keyword not in unread}
    wider = Query(query.level, rest, (*query.wanted, *unread))
    outcome: Outcome = yield ask_proved(asking, wider, gathering)
    return _told(outcome, unread)


def _told(outcome: Outcome, unread: Collection[str]) -> Outcome:
    told = remark(
        f"This archive does not understand keys for {', '.join(unread)} as the standard has them "
        "(wildcards, ranges or the parts of names); it was asked without, and what it gave was "
        "compared here."
    )
    return Outcome(outcome.whole, [told, *outcome.notes])


def _unproved(outcome: Outcome, doubted: Collection[str], why: str) -> Outcome:
    told = perhaps(
        f"nothing came, and whether this archive understands such keys for "
        f"{', '.join(doubted)} could not be shown ({why}). Ask with the whole value, or without "
        "that key."
    )
    return Outcome(False, [*outcome.notes, told])


def _shapes(asking: Asking, keyword: str, key: str) -> dict[str, str]:
    """The shapes a key is sent in, each with a key that has it: as it stands, and as letters beyond
    ASCII, or in another case, are asked for. Of lists `lists` makes sure."""
    if SEPARATOR in key:
        return {}
    habits = asking.habits
    vr = _vr(keyword)
    keys = [key]
    if not key.isascii() and not habits.reads_utf_8:
        keys.append(Query(Level.STUDY, {keyword: key}).in_ascii().keys.get(keyword, ""))
    if _is_free_text(keyword) and not habits.ignores_case.get(keyword):
        keys += in_other_case(key)
    found: dict[str, str] = {}
    for written in keys:
        found.setdefault(shape(vr, written), written)
    found.pop("", None)
    return found


def _unknown(asking: Asking, keyword: str, key: str) -> dict[str, str]:
    """Those of them of which it is not known whether they are understood."""
    known = asking.habits.understands
    return {
        s: written
        for s, written in _shapes(asking, keyword, key).items()
        if (keyword, s) not in known
    }


def _is_free_text(keyword: str) -> bool:
    return _vr(keyword) in FREE_TEXT and keyword not in IDENTIFIERS


def _vr(keyword: str) -> str:
    found = attribute(keyword)
    return found.vr if found else ""
