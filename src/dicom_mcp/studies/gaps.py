"""Which of several studies lack something: series or images that the archive itself counts, or
numbers between the first and the last."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..door.account import Account
from ..door.call import Call
from ..door.rows import text
from ..errors import ArchiveError
from ..standard.levels import Level
from ..standard.note import Note, incomplete
from ..standard.query import Match, Query
from ..standard.values import count_of
from .below import narrowing
from .listing import lacking, listings, ranges
from .series import Series, remarks

# Studies that are looked into, and series whose instances are listed in all.
_MOST_STUDIES = 300
_MOST_LISTED = 2_000

# Of the call's time.
_SECONDS = 20.0

# UIDs of studies that were not looked into, which the next call takes.
_MOST_NAMED = 20

_OF_SERIES = ("SeriesNumber", "Modality", "SeriesDescription", "NumberOfSeriesRelatedInstances")


class Gaps:
    """Looks into studies; `found` is told the cost, and what could not be looked into."""

    def __init__(self, call: Call, found: Account, studies: Sequence[Match]) -> None:
        self._found = found
        self._step = call.within(_SECONDS)
        newest = sorted(studies, key=lambda study: text(study, "StudyDate"), reverse=True)
        self._studies = {text(match, "StudyInstanceUID"): match for match in newest}
        self._series: dict[str, list[Series]] = {uid: [] for uid in self._studies}
        # Studies of which it is known whether anything is lacking.
        self._known: set[str] = set()

    def look(self) -> None:
        """Ask for the series of all, and list the instances of each, study by study."""
        try:
            self._ask_series()
            self._list(self._chosen())
        except ArchiveError as error:
            self._found.note(f"Looking for gaps ended early: {error}")

    def _chosen(self) -> list[str]:
        """The studies whose instances are listed, as many as there may be."""
        left = _MOST_LISTED
        chosen: list[str] = []
        for uid in [*self._studies][:_MOST_STUDIES]:
            left -= len(self._series[uid])
            if left >= 0 and self._series[uid]:
                chosen.append(uid)
        return chosen

    def records(self, keywords: Sequence[str]) -> list[dict[str, Any]]:
        """The studies that lack something or may, with these of their attributes."""
        rows: list[dict[str, Any]] = []
        for uid, study in self._studies.items():
            told = self._remarks(uid)
            numbers = lacking(
                number
                for series in self._series[uid]
                if (number := count_of(text(series.match, "SeriesNumber"))) is not None
            )
            if told or numbers:
                row = {
                    **{keyword: text(study, keyword) for keyword in keywords},
                    "lacks": [*map(str, told)],
                    "series_numbers_not_there": ranges(numbers) if numbers else "",
                }
                rows.append({name: value for name, value in row.items() if value})
        return rows

    def totals(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        """How many there are, were looked into, and lack something."""
        return {
            "studies": len(self._studies),
            "looked_into": len(self._known),
            "with_gaps": sum("lacks" in row for row in rows),
        }

    def tell(self) -> None:
        """What was not looked into, and what the numbers are worth."""
        left = [uid for uid in self._studies if uid not in self._known]
        if left:
            self._found.complete = False
            more = f" and {len(left) - _MOST_NAMED} more" if len(left) > _MOST_NAMED else ""
            self._found.note(
                incomplete(
                    f"{len(left)} of {len(self._studies)} studies could not be looked "
                    f"into to the end; ask again with their study_instance_uid: "
                    f"{', '.join(left[:_MOST_NAMED])}{more}."
                )
            )
        self._found.note(
            "`lacks` is what the archive counts and does not give, and image numbers missing "
            "between others. Numbers of series are often left out on purpose: "
            "series_numbers_not_there alone is no fault. What is missing after the last number "
            "shows only where the archive counts."
        )

    def _ask_series(self) -> None:

        def keep(match: Match) -> None:
            self._series.setdefault(text(match, "StudyInstanceUID"), []).append(Series(match))

        answer = self._step.each_series(
            [*self._studies],
            Query(Level.SERIES, narrowing(self._found), _OF_SERIES),
            keep,
        )
        self._found.complete = self._found.complete and answer.complete
        self._found.note(*answer.notes)

    def _list(self, studies: Sequence[str]) -> None:
        by_place = {(uid, series.uid): series for uid in studies for series in self._series[uid]}
        left = Counter(uid for uid, _ in by_place)
        counts = {place: series.said for place, series in by_place.items()}
        for place, listed in listings(self._step, counts):
            series, uid = by_place[place], place[0]
            series.listed = listed
            left[uid] -= listed.whole or self._lacks(series)
            if not left[uid]:
                self._known.add(uid)

    @staticmethod
    def _lacks(series: Series) -> bool:
        """Whether the archive counts more than it gives, and was not merely cut short."""
        listed = series.listed
        return bool(listed and not listed.whole and not listed.cut and series.said is not None)

    def _remarks(self, uid: str) -> list[Note | str]:
        series = self._series[uid]
        told: list[Note | str] = []
        for part in series:
            if self._lacks(part):
                given = len(part.listed.instances) if part.listed else 0
                told.append(
                    f"{part.name}: the archive counts {part.said} instances, but gives {given}."
                )
            elif part.listed and part.listed.whole:
                told += remarks(part)
        if uid not in self._known:
            return told
        study = self._studies[uid]
        for keyword, noun, here in (
            ("NumberOfStudyRelatedSeries", "series", len(series)),
            (
                "NumberOfStudyRelatedInstances",
                "instances",
                sum(len(part.listed.instances) for part in series if part.listed),
            ),
        ):
            said = count_of(text(study, keyword))
            if said is not None and said > here:
                told.append(f"The archive counts {said} {noun} in the study, but gives {here}.")
        return told
