"""What no date tells apart, asked by how its other keys end.

Every UID ends in one of ten digits, so that ten wildcards are all there is, where an archive takes
wildcards in UIDs (PS3.4 C.2.2.2.4 does not ask for it). Other identifiers end in anything, or are
empty: what they bring is more, but no proof.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from string import ascii_lowercase, ascii_uppercase, digits

from ..standard.levels import HIERARCHY, UNIQUE_KEY, Level
from ..standard.query import Ending, Query
from .asking import Asking, Part

# By what the matches of a level are told apart, the surest first.
TOLD_APART_BY: dict[Level, tuple[str, ...]] = {
    Level.PATIENT: ("PatientID", "PatientName"),
    Level.STUDY: ("StudyInstanceUID", "PatientID", "AccessionNumber", "PatientName"),
    Level.SERIES: ("SeriesInstanceUID", "PatientID", "AccessionNumber", "PatientName"),
    Level.IMAGE: ("SOPInstanceUID", "PatientID", "AccessionNumber", "PatientName"),
}

_UIDS = frozenset({UNIQUE_KEY[level] for level in HIERARCHY if level is not Level.PATIENT})

# Ends are made longer at most so often: a thousand parts of one day.
_LONGEST = 3


class Endings:
    """A part of a question, whose `keys` are kept, in parts by the ends of another key.

    `put` asks one part, several side by side, and `is_cut` says whether its answer was too long.
    """

    def __init__(
        self,
        query: Query,
        keys: Mapping[str, str],
        put: Callable[[Mapping[str, str]], Part | None],
        is_cut: Callable[[Part], bool],
        asking: Asking,
    ) -> None:
        self._query = query
        self._keys = keys
        self._put = put
        self._is_cut = is_cut
        self._most = asking.exchange.node.connections
        found_nothing = asking.deadline.allowance.barren
        self._barren = found_nothing.setdefault((id(asking.habits), query.level), set())
        # How many matches the parts had that were not cut; what they were split by.
        self.rows = 0
        self.by = ""
        self._small = ""

    def ask_all(self, cut: Part) -> bool:
        """Ask by whichever key tells apart; whether all that it reaches came. `cut` is the answer
        that was too long."""
        return any(self.ask_by(keyword, cut) for keyword in TOLD_APART_BY[self._query.level])

    def ask_by(self, keyword: str, cut: Part) -> bool:
        """Ask by one key; False when the archive does not take it so, or does not return it."""
        self.by, self.rows = keyword, 0
        values = [row.get(keyword, "") for row in cut.told]
        written_small = keyword == "PatientID" and any(map(str.islower, "".join(values)))
        self._small = ascii_lowercase if written_small else ""
        if self._query.keys.get(keyword) or len(set(values) - {""}) < 2:
            return False
        return self._ask(keyword, "", [value for value in values if value])

    def _ask(self, keyword: str, end: str, known: Sequence[str]) -> bool:
        at_start = keyword == "PatientName"
        ends = [
            end + character if at_start else character + end
            for character in self._characters(keyword, end, known)
        ]
        keys = [{**self._keys, keyword: f"{value}*" if at_start else f"*{value}"} for value in ends]
        for longer, part in zip(ends, self._put_each(keys), strict=True):
            meant = [value for value in known if _has(value, longer, at_start=at_start)]
            if part is None:
                return False
            values = [row.get(keyword, "") for row in part.told]
            if any(not _has(value, longer, at_start=at_start) for value in values):
                return False  # it ignores the key
            if not self._is_cut(part):
                if not part.ending.whole or part.rows < len(set(meant)):
                    return False  # it takes the wildcard for a character
                self.rows += part.rows
            elif len(longer) >= _LONGEST or not self._ask(keyword, longer, values):
                return False
        # What is no longer than that end.
        return not end or keyword in _UIDS or self._put({**self._keys, keyword: end}) is not None

    def _put_each(self, keys: Sequence[Mapping[str, str]]) -> Iterator[Part | None]:
        """The answers to these, in order; the first tells whether the others are worth asking."""
        yield self._put_once(keys[0])
        context = copy_context()

        def put(key_set: Mapping[str, str]) -> Part | None:
            return context.copy().run(self._put_once, key_set)

        with ThreadPoolExecutor(self._most) as pool:
            yield from pool.map(put, keys[1:])

    def _put_once(self, keys: Mapping[str, str]) -> Part | None:
        """The answer to these; none that brought nothing in this call with fewer keys."""
        meant = frozenset({**self._query.keys, **keys}.items())
        if any(barren <= meant for barren in [*self._barren]):
            return Part(Ending(whole=True), 0, [], frozenset())
        part = self._put(keys)
        if part and part.ending.whole and not part.rows:
            self._barren.add(meant)
        return part

    def _characters(self, keyword: str, end: str, known: Sequence[str]) -> str:
        """What may stand before the end (or after the beginning) of a value, most likely first."""
        if keyword in _UIDS:
            return digits + "." if end else digits
        at = len(end) if keyword == "PatientName" else -1 - len(end)
        seen = {value[at] for value in known if len(value) > len(end)} - set("*?\\")
        return "".join(dict.fromkeys([*sorted(seen), *digits, *ascii_uppercase, *self._small]))


def _has(value: str, end: str, *, at_start: bool) -> bool:
    value, end = value.upper(), end.upper()
    return value.startswith(end) if at_start else value.endswith(end)
