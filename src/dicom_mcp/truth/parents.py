"""Which study a series belongs to, for archives that must be told (PS3.4 C.4.1.2.1).

A hierarchical archive answers an IMAGE query without StudyInstanceUID with 0xA900 or, worse, with
an empty list. So it is never asked that: the parent is taken from what earlier answers taught, or
looked up.
"""

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock

from ..errors import StatusFailure
from ..standard.levels import NOUN, Level
from ..standard.query import Match, Query
from ..standard.status import NO_RESOURCES
from ..standard.values import is_uid
from .asking import Asking
from .whole import matches

# Two UIDs of 64 bytes each: some megabytes at most.
_REMEMBERED = 20_000

# Studies to walk through when an archive cannot be asked for the series alone. A kept association
# asks about 50 to 1,000 times a second, so this stays within the deadline of a question.
_STUDIES_WALKED = 500

# More studies than one series is in, whatever went wrong.
_MOST_STUDIES = 20

# More series than any study has.
_MOST_SERIES = 2000


class Parents:
    """What is known of one archive's hierarchy; safe to use from several threads."""

    def __init__(self) -> None:
        self._studies_of: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        # Series of which a relational archive has told every study: their UID may be that of two.
        self._told: set[str] = set()
        self._lock = Lock()

    def learn(self, query: Query, found: Iterable[Match]) -> None:
        """Remember the parents an answer shows."""
        asked = query.keys.get("StudyInstanceUID", "")
        if "\\" in asked:  # several, so which one it is was not said
            asked = ""
        with self._lock:
            for match in found:
                series = uid_in(match, "SeriesInstanceUID")
                study = uid_in(match, "StudyInstanceUID") or asked
                if series and study:
                    known = self._studies_of.get(series, ())
                    self._studies_of[series] = (*known, *({study} - {*known}))
            while len(self._studies_of) > _REMEMBERED:
                self._told.discard(self._studies_of.popitem(last=False)[0])

    def studies_of_series(self, series: str, asking: Asking) -> tuple[str, ...]:
        """The StudyInstanceUID of a series, or of several that were given the same UID; () when the
        archive surely has no such series.

        Raises StatusFailure when the archive has more studies than can be searched.
        """
        with self._lock:
            known = self._studies_of.get(series, ())
            told = series in self._told or not asking.habits.relational
        if known and told:
            return known
        studies = self._ask_relationally(series, asking)
        if studies or asking.habits.relational:
            return studies or known
        return self._walk(series, asking)

    def _ask_relationally(self, series: str, asking: Asking) -> tuple[str, ...]:
        """One SERIES query with the series alone, which relational archives answer."""
        if asking.habits.relational is False:
            return ()
        query = Query(Level.SERIES, {"SeriesInstanceUID": series}, ("StudyInstanceUID",))
        try:
            found = matches(asking, query, _MOST_STUDIES).matches
        except StatusFailure as failure:
            if failure.status in NO_RESOURCES:
                raise  # which says nothing of the key
            asking.habits.relational = False
            return ()
        if not any(uid_in(match, "StudyInstanceUID") for match in found):
            return ()
        asking.habits.relational = True
        self.learn(query, found)
        with self._lock:
            self._told.add(series)
            return self._studies_of.get(series, ())

    def _walk(self, series: str, asking: Asking) -> tuple[str, ...]:
        """Ask the studies, newest first, for their series."""
        every = Query(Level.STUDY, {}, ("StudyInstanceUID", "StudyDate"))
        studies = matches(asking, every, _STUDIES_WALKED)
        newest_first = sorted(
            studies.matches, key=lambda match: str(match.get("StudyDate", "")), reverse=True
        )
        complete = studies.complete
        for match in newest_first:
            study = uid_in(match, "StudyInstanceUID")
            if not study:
                complete = False
                continue
            query = Query(Level.SERIES, {"StudyInstanceUID": study}, ("SeriesInstanceUID",))
            answer = matches(asking, query, _MOST_SERIES)
            found, complete = answer.matches, complete and answer.complete
            self.learn(query, found)
            if any(row.get("SeriesInstanceUID") == series for row in found):
                return (study,)
            known = uid_in(found[0], "SeriesInstanceUID") if found else ""
            if known and asking.habits.relational is None:
                # Would it have found one that exists? Then an empty answer meant none.
                self._ask_relationally(known, asking)
                if asking.habits.relational:
                    return ()
                asking.habits.relational = False
        if complete:
            return ()
        raise StatusFailure(
            f"this archive must be told which study a series belongs to, and the series is in "
            f"none of the {len(newest_first)} {NOUN[Level.STUDY][1]} that could be searched",
            "Give study_instance_uid too",
            status=0xA900,
        )


def uid_in(match: Match, keyword: str) -> str:
    """The UID in a match that can be asked with again, be it against PS3.5 9.1; "" when there is
    none, or what is there would match anything else."""
    value = match.get(keyword)
    return value if isinstance(value, str) and is_uid(value) else ""
