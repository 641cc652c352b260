"""Which study a series belongs to, for archives that must be told (PS3.4 C.4.1.2.1).

A hierarchical archive answers an IMAGE query without StudyInstanceUID with 0xA900 or, worse, with
an empty list. So it is never asked that: the parent is taken from what earlier answers taught, or
looked up.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock

from ..errors import StatusFailure
from ..standard.levels import NOUN, Level
from ..standard.query import Match, Query
from ..standard.status import TOO_MANY
from .asking import Asking
from .whole import matches

# What can be asked with again. Zeros at the front of a component, as careless software writes them,
# are let through: the object has no other UID (PS3.5 9.1).
_UID = re.compile(r"[0-9.]{1,64}")

# Two UIDs of 64 bytes each: some megabytes at most.
_REMEMBERED = 20_000

# Studies to walk through when an archive cannot be asked for the series alone. A kept association
# asks about 50 to 1,000 times a second, so this stays within the deadline of a question.
_STUDIES_WALKED = 500

# More series than any study has.
_MOST_SERIES = 2000


class Parents:
    """What is known of one archive's hierarchy; safe to use from several threads."""

    def __init__(self) -> None:
        self._study_of: OrderedDict[str, str] = OrderedDict()
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
                    self._study_of[series] = study
            while len(self._study_of) > _REMEMBERED:
                self._study_of.popitem(last=False)

    def study_of_series(self, series: str, asking: Asking) -> str | None:
        """The StudyInstanceUID of a series; None when the archive surely has no such series.

        Raises StatusFailure when the archive has more studies than can be searched.
        """
        with self._lock:
            if series in self._study_of:
                return self._study_of[series]
        study = self._ask_relationally(series, asking)
        if study or asking.habits.relational:
            return study
        return self._walk(series, asking)

    def _ask_relationally(self, series: str, asking: Asking) -> str | None:
        """One SERIES query with the series alone, which relational archives answer."""
        if asking.habits.relational is False:
            return None
        query = Query(Level.SERIES, {"SeriesInstanceUID": series}, ("StudyInstanceUID",))
        try:
            found = matches(asking, query, 1).matches
        except StatusFailure as failure:
            if failure.status in TOO_MANY:
                raise  # which says nothing of the key
            asking.habits.relational = False
            return None
        study = uid_in(found[0], "StudyInstanceUID") if found else ""
        if not study:
            return None
        asking.habits.relational = True
        self.learn(query, found)
        return study

    def _walk(self, series: str, asking: Asking) -> str | None:
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
            if any(one.get("SeriesInstanceUID") == series for one in found):
                return study
            known = uid_in(found[0], "SeriesInstanceUID") if found else ""
            if known and asking.habits.relational is None:
                # Would it have found one that exists? Then an empty answer meant none.
                self._ask_relationally(known, asking)
                if asking.habits.relational:
                    return None
                asking.habits.relational = False
        if complete:
            return None
        raise StatusFailure(
            f"this archive must be told which study a series belongs to, and the series is in "
            f"none of the {len(newest_first)} {NOUN[Level.STUDY][1]} that could be searched",
            "Give study_instance_uid too",
            status=0xA900,
        )


def uid_in(match: Match, keyword: str) -> str:
    """The UID in a match; "" when there is none, or what is there would match anything else."""
    value = match.get(keyword)
    return value if isinstance(value, str) and _UID.fullmatch(value) else ""
