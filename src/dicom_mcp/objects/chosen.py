"""Series of which something is asked, by their studies' UIDs and their own."""

from collections.abc import Sequence

from ..door.account import Account
from ..door.call import Call
from ..door.rows import text
from ..standard.levels import Level
from ..standard.note import Note, incomplete
from ..standard.query import Match, Query
from ..standard.shapes import SEPARATOR
from .objects import WANTED

# More series than are looked at.
_MOST_SERIES = 5_000

_OF_SERIES = ("SeriesInstanceUID", "SeriesNumber", "Modality", "SeriesDescription")


class Chosen:
    """The series that are meant, each with what the archive tells of it; `found` is told the cost,
    and what is missing. `also` is wanted of each beside what names it."""

    def __init__(self, call: Call, found: Account, also: Sequence[str]) -> None:
        self._call = call
        self._found = found
        self._of_series = (*_OF_SERIES, *also)
        self.series: list[Match] = []

    def add_studies(self, studies: Sequence[str]) -> None:
        """Every series of these studies."""
        if not studies:
            return
        answer = self._call.each_series(
            studies,
            Query(Level.SERIES, {}, self._of_series),
            self.series.append,
        )
        self._learn(answer.complete, answer.notes)
        came = {text(series, "StudyInstanceUID") for series in self.series}
        if answer.complete and (missing := [study for study in studies if study not in came]):
            self._found.missing["StudyInstanceUID"] = missing
            self._learn(False, [incomplete("the archive holds no study with one of these UIDs.")])

    def add_several(self, uids: Sequence[str]) -> None:
        """These series, whose studies are looked up. The first shows whether they can be asked for
        together."""
        known = {text(series, "SeriesInstanceUID") for series in self.series}
        new = [uid for uid in uids if uid not in known]
        for number, uid in enumerate(new):
            self._add_series(uid)
            learned = self._call.learned
            if not number and learned and learned.relational:
                self._add_together(new)
                return

    def _add_together(self, uids: Sequence[str]) -> None:
        """These series, by one list; what is known of the first is known better then."""
        found: list[Match] = []
        answer = self._call.each(
            Query(
                Level.SERIES,
                {"SeriesInstanceUID": SEPARATOR.join(uids)},
                ("StudyInstanceUID", *self._of_series),
            ),
            found.append,
            limit=_MOST_SERIES,
        )
        self._learn(answer.complete, answer.notes)
        came = {text(match, "SeriesInstanceUID") for match in found}
        before = {text(series, "SeriesInstanceUID"): series for series in self.series}
        self.series = [series for uid, series in before.items() if uid not in came]
        self.series += [
            {**before.get(text(series, "SeriesInstanceUID"), {}), **series} for series in found
        ]
        asked = {uid: number for number, uid in enumerate(uids)}
        self.series.sort(key=lambda series: asked.get(text(series, "SeriesInstanceUID"), -1))
        known = {*came, *self._found.missing.get("SeriesInstanceUID", ()), *before}
        for uid in uids:
            if uid not in known:
                self._not_there(uid, is_known=answer.complete)

    def _add_series(self, series: str) -> None:
        """One series, whose study is looked up."""
        answer = self._call.find(
            Query(
                Level.IMAGE,
                {"SeriesInstanceUID": series},
                (*WANTED, "Modality", "SeriesDescription", "SeriesNumber"),
            ),
            limit=1,
        )
        if not answer.matches:
            self._not_there(series, is_known=answer.complete)
        self.series += [{**match, "SeriesInstanceUID": series} for match in answer.matches]

    def _not_there(self, series: str, *, is_known: bool) -> None:
        if is_known:
            self._found.missing.setdefault("SeriesInstanceUID", []).append(series)
        self._learn(False, [incomplete("the archive holds no series with one of the UIDs.")])

    def choose(self, modalities: Sequence[str], limit: int) -> None:
        """Those of these modalities, as many as are wanted."""
        if modalities:
            known = {"", *modalities}
            there = sorted({text(series, "Modality") for series in self.series})
            self.series = [series for series in self.series if text(series, "Modality") in known]
            if there and not self.series:
                self._found.note(
                    f"None of these series is {' or '.join(modalities)}; there are "
                    f"{', '.join(there)}."
                )
        if len(self.series) > limit:
            told = incomplete(f"these are {limit} of {len(self.series)} series; raise limit.")
            self._learn(False, [told])
            del self.series[limit:]

    def _learn(self, complete: bool, notes: Sequence[Note]) -> None:
        self._found.complete = self._found.complete and complete
        self._found.note(*notes)
