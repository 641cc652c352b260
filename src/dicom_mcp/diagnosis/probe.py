"""What an archive makes of questions: few, each with an end, and none of them shows a patient.

Theory. First some studies are asked for, with everything a record may have: what they lack is not
returned. A key is honoured when a value that no study has brings none. The values that studies do
have are sent as wildcards, in other case, in UTF-8 and without the keys above; each must bring the
study it was taken from. Values stay here: only keywords and counts are told.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..deadline import Deadline
from ..dicomweb.exchange import WebExchange
from ..errors import ArchiveError, DeadlinePassed, NoAcceptedContext, StatusFailure
from ..node import Node
from ..standard.instance import Instance, Reference
from ..standard.levels import Level
from ..standard.query import Ending, Match
from ..truth.habits import Habits
from . import command
from .asking import HIDDEN, MOST, SECONDS, UNKNOWN, WANTED, Asker, Got
from .limits import Limits
from .shapes import literal_keys
from .step import words_of

_FETCH_SECONDS = 10.0

# Keys with a value that no study has.
_NOBODY: Mapping[str, str] = {
    "PatientID": "ZZQX0000ZZ",
    "PatientName": "ZZQXZZ^ZZQXZZ",
    "PatientBirthDate": "17530101",
    "StudyDate": "17530101",
    "ModalitiesInStudy": "ZQ",
    "AccessionNumber": "ZZQX0000ZZ",
    "StudyDescription": "ZZQXZZ",
    "ReferringPhysicianName": "ZZQXZZ^ZZQXZZ",
    "StudyInstanceUID": "2.25.1",
}


@dataclass(slots=True)
class Probe:
    """Asks the questions; what it finds is told by `asker` and kept in the habits."""

    asker: Asker
    habits: Habits
    _ending: Ending | None = None
    _ignored: frozenset[str] = frozenset()

    def run(self, *, objects: bool) -> None:
        """Every question, as long as there is time; `objects` where one is to be fetched."""
        asked = self.asker.shown(Level.STUDY, {}, WANTED[Level.STUDY])
        rows = self.asker.walk.take("query", self._studies, seconds=SECONDS, command=asked)
        if rows is None:
            return
        limits = Limits(self.asker, self.habits)
        limits.of_rows(rows, self._ending)
        if not rows:
            self.asker.tell("answers to other questions", f"{UNKNOWN}: it gave no study to ask by")
            return
        self._returned(Level.STUDY, rows)
        self._character_sets(rows)
        try:
            self._keys()
            self._texts(rows)
            literal_keys(self.asker, self.habits, rows, self._ignored)
            limits.of_what_is_looked_at(rows, self._ignored)
            series = self._below(rows)
            if series and objects:
                self._fetch(*series)
        except DeadlinePassed:
            self.asker.tell("the rest", f"{UNKNOWN}: there was no time left to ask")

    def _studies(self, step: Deadline) -> tuple[str, list[Match]]:
        got = self.asker.ask(Level.STUDY, {}, step=step)
        web = isinstance(self.asker.exchange, WebExchange)
        if self.asker.exchange.patient_root_only and (got.error or not got.rows):
            self.habits.needs_patient = True
            patients = self.asker.ask(Level.PATIENT, {}, wanted=("PatientID",), step=step, most=1)
            if patients.rows and (known := str(patients.rows[0].get("PatientID", ""))):
                self.asker.above = {"PatientID": known}
                got = self.asker.ask(Level.STUDY, {}, step=step)
        if got.error and not got.rows:
            raise got.error
        self._ending = got.ending
        more = " or more" if len(got.rows) >= MOST else ""
        asked = "the patient's ID" if self.asker.above else "no key"
        service = "QIDO-RS" if web else "C-FIND"
        return f"{service} for studies by {asked} gave {len(got.rows)}{more}", got.rows

    def _returned(self, level: Level, rows: list[Match]) -> None:
        absent = [keyword for keyword in WANTED[level] if not any(keyword in row for row in rows)]
        noun = level.lower() if level is not Level.IMAGE else "instance"
        if level is Level.STUDY:
            self.habits.left_out.update(absent)
        self.asker.tell(
            f"not returned for a {noun}" if noun[0] not in "ai" else f"not returned for an {noun}",
            ", ".join(absent) or "nothing: it returns every attribute asked for",
            self.asker.shown(level, {}, WANTED[level]),
        )

    def _character_sets(self, rows: list[Match]) -> None:
        sets = sorted({_text(row.get("SpecificCharacterSet", "")) for row in rows} - {""})
        self.asker.tell("character sets of its answers", ", ".join(sets) or "ASCII, or none named")

    def _keys(self) -> None:
        found: dict[str, list[str]] = {"honoured": [], "ignored": [], "refused": [], UNKNOWN: []}
        for keyword, nobody in _NOBODY.items():
            if self.asker.above and keyword == "PatientID":
                continue
            got = self.asker.ask(Level.STUDY, {keyword: nobody}, wanted=(keyword,), most=1)
            if isinstance(got.error, StatusFailure):
                word = "refused"
            elif got.error:
                word = UNKNOWN
            else:
                word = "ignored" if got.rows else "honoured"
            found[word].append(keyword)
        self._ignored = frozenset(found["ignored"])
        for word, keywords in found.items():
            if keywords or word == "honoured":
                shown = (
                    self.asker.shown(Level.STUDY, {keywords[0]: _NOBODY[keywords[0]]}, ())
                    if keywords
                    else ""
                )
                self.asker.tell(f"keys {word}", ", ".join(keywords) or "none", shown)

    def _texts(self, rows: list[Match]) -> None:
        name = "PatientName"
        if name in self._ignored:
            self.asker.tell("wildcards and UTF-8 keys", f"{UNKNOWN}: {name} is ignored as a key")
            return
        plain = _first(rows, lambda text: text.isascii() and len(text.split("^")[0]) > 2)
        if plain is None:
            self.asker.tell("wildcards", f"{UNKNOWN}: no name to try them with")
        else:
            text = str(plain[name])
            star = self._finds(plain, text[: max(3, len(text) // 2)] + "*")
            mark = self._finds(plain, text[:1] + "?" + text[2:])
            self.asker.tell(
                "wildcard *", star, self.asker.shown(Level.STUDY, {name: f"{HIDDEN}*"}, ())
            )
            self.asker.tell(
                "wildcard ?", mark, self.asker.shown(Level.STUDY, {name: f"{HIDDEN}?"}, ())
            )
            other = text.swapcase()
            ignores = self._finds(plain, other) if other != text else UNKNOWN
            if ignores in ("yes", "no") and self._finds(plain, text) == "yes":
                self.habits.ignores_case[name] = ignores == "yes"
                self.asker.tell("finds names in other case", ignores)
        beyond = _first(rows, lambda text: not text.isascii())
        if beyond is None:
            self.asker.tell("UTF-8 keys", f"{UNKNOWN}: no name beyond ASCII came to try them with")
            return
        first = str(beyond[name]).split("=")
        group = next(part for part in first if not part.isascii())
        key = group if len(first) == 1 else f"*{group}*"
        found = self._finds(beyond, key)
        if found == "yes":
            self.habits.reads_utf_8 = True
        self.asker.tell(
            "UTF-8 keys",
            found,
            self.asker.shown(Level.STUDY, {"SpecificCharacterSet": "ISO_IR 192", name: HIDDEN}, ()),
        )

    def _finds(self, row: Match, key: str) -> str:
        """Whether this key for the name, which is none that is ignored, brings the study it was
        taken from."""
        keys = {"PatientName": key}
        if date := str(row.get("StudyDate", "")):
            keys["StudyDate"] = date
        got = self.asker.ask(Level.STUDY, keys, wanted=("PatientName",))
        if isinstance(got.error, StatusFailure):
            return "refused"
        if got.has("StudyInstanceUID", str(row.get("StudyInstanceUID"))):
            return "yes"
        cut = got.error or got.ending is None or not got.ending.whole or len(got.rows) >= MOST
        return UNKNOWN if cut or not got.ending else "no"

    def _below(self, rows: list[Match]) -> tuple[Match, Match] | None:
        """The levels below, with and without the keys above; a series and one of its objects."""
        study = {"StudyInstanceUID": str(rows[0].get("StudyInstanceUID", ""))}
        if self.asker.above:
            study = {**self.asker.above, **study}
        got = self.asker.ask(Level.SERIES, study)
        if not got.rows:
            self.asker.tell("series of a study", _what(got))
            return None
        self._returned(Level.SERIES, got.rows)
        series = min(got.rows, key=_size)
        uid = {"SeriesInstanceUID": str(series.get("SeriesInstanceUID", ""))}
        alone = self.asker.ask(Level.SERIES, uid, most=5, above=False)
        if alone.error and not isinstance(alone.error, StatusFailure | NoAcceptedContext):
            told = f"{UNKNOWN}: {words_of(alone.error)[0]}"
        else:
            relational = alone.has("SeriesInstanceUID", uid["SeriesInstanceUID"])
            self.habits.relational = relational
            told = (
                "relational: a series is found without its study"
                if relational
                else "hierarchical: a series is found only with its study"
            )
        self.asker.tell(
            "levels", told, self.asker.shown(Level.SERIES, {"SeriesInstanceUID": "UID"}, ())
        )
        images = self.asker.ask(Level.IMAGE, {**study, **uid}, most=20)
        if not images.rows:
            self.asker.tell("instances of a series", _what(images))
            return None
        self._returned(Level.IMAGE, images.rows)
        return {**series, **study, **uid}, images.rows[0]

    def _fetch(self, series: Match, image: Match) -> None:
        """One object, thrown away: what is promised is not always kept."""
        node = self.asker.exchange.node
        reference = Reference(
            str(series["StudyInstanceUID"]),
            str(series["SeriesInstanceUID"]),
            str(image.get("SOPInstanceUID", "")),
            str(image.get("SOPClassUID", "")),
        )
        shown = (
            command.get(node)
            if isinstance(node, Node)
            else command.fetch(
                node,
                "/studies/UID/series/UID/instances/UID",
                accept='Accept: multipart/related; type="application/dicom"',
            )
        )
        size = 0

        def take(instance: Instance) -> bool:
            nonlocal size
            size = len(instance.data_set)
            return False

        step = self.asker.walk.deadline.at_most(_FETCH_SECONDS)
        try:
            got = self.asker.exchange.retrieve((reference,), take, deadline=step)
        except ArchiveError as error:
            self.asker.tell("gives an object", f"no: {words_of(error)[0]}", shown)
            return
        if isinstance(node, Node) and got.service == "C-MOVE":
            shown = command.move(node)
        told = (
            f"yes, by {got.service} ({size} bytes)"
            if got.count
            else f"no: {' '.join(map(str, got.notes)) or 'it did not come'}"
        )
        self.asker.tell("gives an object", told, shown)


def _first(rows: list[Match], holds: Callable[[str], bool]) -> Match | None:
    """The first study whose patient's name is one to try with."""
    for row in rows:
        name = row.get("PatientName", "")
        if isinstance(name, str) and name and not set("*?\\") & set(name) and holds(name):
            return row
    return None


def _size(series: Match) -> int:
    count = series.get("NumberOfSeriesRelatedInstances", 0)
    return count if isinstance(count, int) and count > 0 else 1_000_000


def _what(got: Got) -> str:
    return f"no: {words_of(got.error)[0]}" if got.error else "none came"


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)  # pyright: ignore
