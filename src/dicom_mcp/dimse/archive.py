"""An archive over DIMSE: questions as they are meant, answers as they can be trusted.

`Exchange` puts a single query to the archive. Here stands what makes its answer true where the
archive, rightly or wrongly, does not answer what was meant: a parent it insists on is found, text
it compares as bytes is compared here, modalities it does not keep are asked of the series.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace

from ..config import Node
from ..deadline import Deadline
from ..errors import ArchiveError, BadArgument
from ..standard.levels import NOUN, Level
from ..standard.query import Matches, Query
from ..standard.recheck import Recheck
from .descent import MOST_STUDIES, Descent
from .exchange import Exchange
from .gathering import Gathering
from .parents import Parents

# How many answers to a widened key are compared here: a second's worth on a slow archive.
_MOST_COMPARED = 2000

_MODALITIES = "ModalitiesInStudy"

type _Arrived = Callable[[], None]


def _nobody() -> None:
    """Nobody wants to know that a match has arrived."""


class DimseArchive:
    """The archive at a node, asked over at most two kept associations."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._exchange = Exchange(node)
        self._parents = Parents(self._matches)
        self._descent = Descent(self._matches)
        self._reads_utf_8 = False
        self._keeps_modalities = True

    def verify(self, *, deadline: Deadline) -> float:
        """C-ECHO; returns the milliseconds it took, without associating when that was done."""
        with self._located():
            return self._exchange.verify(deadline)

    def find(
        self, query: Query, *, limit: int, deadline: Deadline, arrived: _Arrived = _nobody
    ) -> Matches:
        """C-FIND; every match is checked against the keys again before it counts."""
        with self._located():
            if query.level is Level.IMAGE and not query.keys.get("StudyInstanceUID"):
                study = self._parents.study_of_series(_one_series(query), deadline)
                if study is None:
                    told = "The archive holds no series with this UID."
                    return Matches(query, [], notes=(told,))
                query = Query(query.level, {**query.keys, "StudyInstanceUID": study}, query.wanted)
            if query.level is Level.STUDY and _MODALITIES in query.wanted:
                return self._studies(query, limit, deadline, arrived)
            answer = self._in_any_script(query, limit, deadline, arrived)
            self._parents.learn(query, answer.matches)
            return answer

    def close(self) -> None:
        """Release the associations."""
        self._exchange.close()

    def _studies(self, query: Query, limit: int, deadline: Deadline, arrived: _Arrived) -> Matches:
        """Studies with their modalities, found one level down where the archive does not keep
        them. As a key they are then compared here, among the studies that match the other keys."""
        asked_by = _MODALITIES in query.keys
        if self._keeps_modalities or not asked_by:
            answer = self._in_any_script(query, limit, deadline, arrived)
            if not answer.matches or any(match.get(_MODALITIES) for match in answer.matches):
                return answer
            self._keeps_modalities = False
            if not asked_by:
                filled = self._descent.fill(answer.matches, deadline)
                told = _found_below(filled, len(answer.matches))
                return replace(answer, notes=(*answer.notes, told))
        others = {keyword: key for keyword, key in query.keys.items() if keyword != _MODALITIES}
        wider = Query(query.level, others, query.wanted)
        answer = self._in_any_script(wider, MOST_STUDIES, deadline, arrived)
        filled = self._descent.fill(answer.matches, deadline)
        recheck = Recheck(query)
        found = [match for match in answer.matches[:filled] if recheck.holds(match)]
        told = _found_below(filled, len(answer.matches))
        notes = [*answer.notes, f"{told} {_MODALITIES} was compared here."]
        whole = answer.complete and filled == len(answer.matches)
        if not whole:
            notes.append(
                "Not complete: there are more studies than could be asked. Narrow the question "
                "by study_date or patient_id."
            )
        elif len(found) > limit:
            notes.append(f"Not complete: these are {limit} of {len(found)} studies; raise limit.")
        return replace(
            answer,
            matches=found[:limit],
            complete=whole and len(found) <= limit,
            notes=tuple(notes),
        )

    def _in_any_script(
        self, query: Query, limit: int, deadline: Deadline, arrived: _Arrived
    ) -> Matches:
        """The answer to a query whose text may have characters beyond ASCII.

        It goes out in UTF-8. An archive that compares bytes finds nothing when it holds the name
        in another character set; asked with * for those characters, and compared here, it does.
        """
        answer = self._matches(query, limit, deadline, arrived)
        if query.is_ascii or self._reads_utf_8 or not answer.complete:
            return answer
        if answer.matches:
            # A key that does not come back may have been ignored, and proves nothing.
            beyond_ascii = [keyword for keyword, key in query.keys.items() if not key.isascii()]
            self._reads_utf_8 = any(
                match.get(keyword) for match in answer.matches for keyword in beyond_ascii
            )
            return answer
        wider = query.in_ascii()
        gathering = Gathering(
            query,
            limit,
            arrived,
            loosened=[name for name, key in query.keys.items() if wider.keys.get(name) != key],
            most_examined=_MOST_COMPARED,
        )
        compared = self._exchange.gathered(wider, gathering, deadline)
        if not compared.matches and compared.complete:
            return answer
        told = (
            "Nothing matched the text as written: this archive does not compare it as Unicode. It "
            "was asked with * for the characters beyond ASCII, and the answers were compared here."
        )
        return replace(compared, notes=(told, *compared.notes))

    def _matches(
        self, query: Query, limit: int, deadline: Deadline, arrived: _Arrived = _nobody
    ) -> Matches:
        """The query as it stands, its answers checked and counted."""
        return self._exchange.gathered(query, Gathering(query, limit, arrived), deadline)

    @contextmanager
    def _located(self) -> Generator[None]:
        try:
            yield
        except ArchiveError as error:
            error.at = str(self.node)
            raise


def _found_below(filled: int, count: int) -> str:
    asked = f"{filled}" if filled == count else f"{filled} of {count}"
    return (
        f"This archive does not keep {_MODALITIES}; it was found by asking {asked} "
        f"{NOUN[Level.STUDY][count != 1]} for their series."
    )


def _one_series(query: Query) -> str:
    """The series whose study must be found. Raises BadArgument unless the query names just one."""
    series = query.keys.get("SeriesInstanceUID", "")
    if not series or "\\" in series:
        raise BadArgument(
            "instances can only be found in one series, or with their study",
            "Give one series_instance_uid, or study_instance_uid too",
        )
    return series
