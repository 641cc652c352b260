"""How much an archive gives at once, and whether it says so.

Theory. A list that was cut is found out by its parts: two halves of the time that together have
what the whole had not. That holds for a limit that counts something else than rows too: series of
which the studies are shown, studies of patients, or candidates that are looked at before some keys
are compared. Such a list has any length, and calls itself whole (Orthanc 1.10.1 with
LimitFindResults: 417 of 1,338 CT studies).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

from ..dicomweb.exchange import WebExchange
from ..errors import DeadlinePassed
from ..standard.levels import UNIQUE_KEY, Level
from ..standard.query import Ending, Match
from ..truth.habits import Habits
from .asking import HIDDEN, MOST, UNKNOWN, WANTED, Asker, Got

# Rows of only an identifier and a date: of a limit of 2,000 series a question should meet it.
_MOST_BELOW = 5_000

# Keys that archives compare themselves, perhaps only in what they have looked at before.
_LATE = ("PatientName", "StudyDescription", "AccessionNumber")

_MODALITIES = "ModalitiesInStudy"


@dataclass(frozen=True, slots=True)
class Limits:
    """Asks for wholes and parts; what it finds is told by `asker` and kept in the habits."""

    asker: Asker
    habits: Habits

    def of_rows(self, rows: list[Match], ending: Ending | None) -> None:
        """Limits on the rows of an answer, of which these came with all that can be told."""
        if ending and ending.whole and 0 < len(rows) < MOST:
            rows, ending = self._of_what_is_told(rows, ending)
        name = "most matches at once"
        count = len(rows)
        if ending is None:
            self.asker.tell(name, f"{UNKNOWN}: only {count} came in time")
            return
        if count >= MOST:
            self.asker.tell(name, f"{MOST} or more")
            return
        if ending.capped or self._has_more(rows):
            self.habits.cap = count
        if self.habits.cap == count and count:
            told = "it says so" if ending.capped else "without a word; there are more"
            self.asker.tell(name, f"{count}, {told}")
        else:
            self.asker.tell(name, f"no cap met: it gave all {count}")

    def of_what_is_looked_at(self, rows: list[Match], ignored: frozenset[str]) -> None:
        """Limits that bite on something else than the rows of an answer. `rows` are some studies,
        `ignored` the keys that do not tell them apart."""
        if _MODALITIES not in ignored:
            self._of_series(rows)
        if not isinstance(self.asker.exchange, WebExchange) and not self.asker.above:
            self._of_studies(rows)
        self._of_candidates(rows, ignored)

    def _of_what_is_told(
        self, rows: list[Match], ending: Ending
    ) -> tuple[list[Match], Ending | None]:
        """Whether studies are left out because counts and modalities are asked for; what comes
        without these, if it is more."""
        name = "studies with counts and modalities"
        shown = self.asker.shown(Level.STUDY, {}, WANTED[Level.STUDY])
        got = self.asker.ask(Level.STUDY, {}, wanted=("StudyDate",))
        if got.ending is None:
            self.asker.tell(name, f"{UNKNOWN}: without them not all came in time", shown)
            return rows, ending
        unique = UNIQUE_KEY[Level.STUDY]
        given = {str(row.get(unique, "")) for row in rows}
        if not {str(row.get(unique, "")) for row in got.rows} - given:
            self.asker.tell(name, "no cap met: without them there are no more", shown)
            return rows, ending
        self.habits.cuts_told = True
        told = f"{len(given)}, without a word; without them there are more"
        self.asker.tell(name, told, shown)
        return got.rows, got.ending

    def _of_series(self, rows: list[Match]) -> None:
        """Whether studies of the commonest modality are cut by how many series they have."""
        name = "studies of a modality"
        common = Counter(text for row in rows for text in _texts(row.get(_MODALITIES, "")))
        if not common:
            self.asker.tell(name, f"{UNKNOWN}: no study says its modalities")
            return
        modality = common.most_common(1)[0][0]
        keys = {_MODALITIES: modality}
        known = [row for row in rows if modality in _texts(row.get(_MODALITIES, ""))]
        shown = self.asker.shown(Level.STUDY, keys, ("StudyDate",))
        self._compare(name, Level.STUDY, keys, known, _MODALITIES, shown)

    def _of_studies(self, rows: list[Match]) -> None:
        """Whether patients are cut by how many studies they have."""
        known = [row for row in rows if row.get("PatientID")]
        shown = self.asker.shown(Level.PATIENT, {}, ("PatientBirthDate",))
        self._compare("patients", Level.PATIENT, {}, known, Level.PATIENT, shown)

    def _compare(
        self,
        name: str,
        level: Level,
        keys: Mapping[str, str],
        known: list[Match],
        remembered: str,
        shown: str,
    ) -> None:
        """The whole list of these keys with what was `known` of it before, and with its parts."""
        unique, day = UNIQUE_KEY[level], _DAY_OF[level]
        got = self.asker.ask(level, keys, wanted=(day,), most=_MOST_BELOW)
        if got.ending is None or not got.ending.whole:
            if got.ending and got.ending.capped:
                self.asker.tell(name, f"cut after {len(got.rows)}, it says so", shown)
            elif len(got.rows) >= _MOST_BELOW:
                self.asker.tell(name, f"no cap met: it gave {_MOST_BELOW}", shown)
            else:
                self.asker.tell(name, f"{UNKNOWN}: only {len(got.rows)} came in time", shown)
            return
        given = {str(row.get(unique, "")) for row in got.rows}
        lacked = {str(row.get(unique, "")) for row in known} - given
        if lacked or self._has_more([*got.rows, *known], level, keys, given=given):
            self.habits.cut_unseen.add(remembered)
            told = f"{len(given)}, without a word; parts of the time have more"
            self.asker.tell(name, told, shown)
            return
        self.habits.cut_unseen.discard(remembered)
        self.asker.tell(
            name, f"no cap met: parts of the time have no more than {len(given)}", shown
        )

    def _of_candidates(self, rows: list[Match], ignored: frozenset[str]) -> None:
        """Whether a study is found by each of its keys alone, wherever in the archive it is."""
        row = self._far_from(rows)
        cut: list[str] = []
        for keyword in _LATE:
            value = row.get(keyword, "")
            if keyword in ignored or not isinstance(value, str) or not _is_plain(value):
                continue
            study = str(row.get("StudyInstanceUID", ""))
            alone = self.asker.ask(Level.STUDY, {keyword: value}, wanted=(), most=_MOST_BELOW)
            if not _is_whole(alone) or alone.has("StudyInstanceUID", study):
                continue
            narrow = {keyword: value, "StudyDate": str(row.get("StudyDate", ""))}
            if self.asker.ask(Level.STUDY, narrow, wanted=()).has("StudyInstanceUID", study):
                cut.append(keyword)
        self.habits.cut_unseen -= {*_LATE}
        self.habits.cut_unseen |= {*cut}
        name = "studies found by one key alone"
        if cut:
            shown = self.asker.shown(Level.STUDY, {cut[0]: HIDDEN}, ())
            self.asker.tell(name, f"not all by {', '.join(cut)}, without a word", shown)
        else:
            self.asker.tell(name, "no cap met: one more is found")

    def _far_from(self, rows: list[Match]) -> Match:
        """A study outside the days of these, or the last of them."""
        days = sorted(filter(None, (_date(row.get("StudyDate", "")) for row in rows)))
        if (days and len(rows) >= MOST) or (self.habits.cap is not None and days):
            newer = f"{days[-1] + timedelta(days=1):%Y%m%d}-29991231"
            older = f"19000101-{days[0] - timedelta(days=1):%Y%m%d}"
            for span in (newer, older):
                if found := self.asker.ask(Level.STUDY, {"StudyDate": span}, most=20).rows:
                    return found[-1]
        return rows[-1]

    def _has_more(
        self,
        rows: list[Match],
        level: Level = Level.STUDY,
        keys: Mapping[str, str] = {},
        *,
        given: set[str] | None = None,
    ) -> bool:
        """Whether two halves of the time have more than the whole had."""
        unique, day = UNIQUE_KEY[level], _DAY_OF[level]
        if given is None:
            given = {str(row.get(unique, "")) for row in rows}
        for span in _halves(sorted(text for row in rows if (text := str(row.get(day, ""))))):
            with suppress(DeadlinePassed):
                got = self.asker.ask(level, {**keys, day: span}, wanted=(day,), most=_MOST_BELOW)
                if {str(row.get(unique, "")) for row in got.rows} - given:
                    return True
        return False


_DAY_OF = {Level.STUDY: "StudyDate", Level.PATIENT: "PatientBirthDate"}


def _halves(days: list[str]) -> Iterator[str]:
    """Two halves of the time, and the day between."""
    if not days:
        return
    middle = days[len(days) // 2]
    yield f"19000101-{middle}"
    yield f"{middle}-29991231"
    yield middle


def _date(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _texts(value: object) -> list[str]:
    return [*map(str, value)] if isinstance(value, list) else [str(value)] if value else []  # pyright: ignore


def _is_plain(value: str) -> bool:
    """Whether a value is a key that means itself alone."""
    return bool(value) and value.isascii() and not set("*?\\") & set(value)


def _is_whole(got: Got) -> bool:
    return got.ending is not None and got.ending.whole
