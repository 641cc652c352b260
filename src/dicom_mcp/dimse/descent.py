"""Modalities of a study for archives that do not keep them: found one level down.

ModalitiesInStudy is optional (PS3.4 C.3.4): an archive may ignore it as a key and leave it out of
its answers, and then lists every study when asked for those with MR. Its series know.
"""

from collections.abc import Callable

from ..deadline import Deadline
from ..errors import DeadlinePassed
from ..standard.levels import Level
from ..standard.query import Match, Matches, Query, Value
from .parents import uid_in

# Studies asked for their series, at most, and for how long. A kept association asks some hundred
# a second of a quick archive and ten of a slow one.
MOST_STUDIES = 300
SECONDS = 10.0

# More series than any study has.
_MOST_SERIES = 2000


class Descent:
    """Asks the series of studies; `matches` is how a query is asked, with limit and deadline."""

    def __init__(self, matches: Callable[[Query, int, Deadline], Matches]) -> None:
        self._matches = matches

    def fill(self, studies: list[Match], deadline: Deadline) -> int:
        """Add ModalitiesInStudy and NumberOfStudyRelatedSeries to these matches, in order.

        Returns how many were filled: fewer than all when time or the allowance was up, or the
        series of one did not all come. Raises what the archive's other failures raise.
        """
        step = deadline.at_most(SECONDS)
        for number, study in enumerate(studies[:MOST_STUDIES]):
            try:
                whole = self._fill(study, step)
            except DeadlinePassed:
                whole = False
            if not whole:
                return number
        return min(len(studies), MOST_STUDIES)

    def _fill(self, study: Match, deadline: Deadline) -> bool:
        """Whether all its series came: some of them would be a wrong answer."""
        uid = uid_in(study, "StudyInstanceUID")
        if not uid:  # the series of every study there is would be the answer
            return False
        query = Query(
            Level.SERIES,
            {"StudyInstanceUID": uid},
            ("SeriesInstanceUID", "Modality"),
        )
        answer = self._matches(query, _MOST_SERIES, deadline)
        if not answer.complete:
            return False
        series = answer.matches
        modalities = sorted({str(one.get("Modality", "")) for one in series} - {""})
        several: list[Value] = [*modalities]
        study["ModalitiesInStudy"] = modalities[0] if len(modalities) == 1 else several
        if not study.get("NumberOfStudyRelatedSeries"):
            study["NumberOfStudyRelatedSeries"] = len(series)
        return True
