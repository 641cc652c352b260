"""What an archive makes of questions: few, each with an end, and none of them shows a patient.

Theory. First some studies are asked for, with everything a record may have: what they lack is not
returned. A key is honoured when a value that no study has brings none. The values that studies do
have are sent as wildcards, in other case, in UTF-8 and without the keys above; each must bring the
study it was taken from. Values stay here: only keywords and counts are told.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from ..deadline import Deadline
from ..dicomweb.exchange import WebExchange
from ..dimse.exchange import DimseExchange
from ..errors import ArchiveError, Cancelled, DeadlinePassed, NoAcceptedContext, StatusFailure
from ..node import Node, WebNode
from ..standard.instance import Instance, Reference
from ..standard.levels import Level
from ..standard.query import Ending, Match, Query
from ..truth.habits import Habits
from . import command
from .step import Capability, Walk, words_of

# An archive that gives more at once has no cap that a question of ours would often meet.
MOST = 500
_SECONDS = 6.0
_FETCH_SECONDS = 10.0

_WANTED = {
    Level.STUDY: (
        *("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"),
        *("AccessionNumber", "StudyID", "StudyDescription", "ReferringPhysicianName"),
        *("ModalitiesInStudy", "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
    ),
    Level.SERIES: (
        *("Modality", "SeriesNumber", "SeriesDescription", "BodyPartExamined"),
        "NumberOfSeriesRelatedInstances",
    ),
    Level.IMAGE: ("SOPClassUID", "InstanceNumber"),
}

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

# How much of a question is shown in a command: what is asked of a patient is not.
_HIDDEN = "…"

_UNKNOWN = "not known"


@dataclass(slots=True)
class _Got:
    """What came of one query."""

    rows: list[Match]
    ending: Ending | None = None
    error: ArchiveError | None = None

    def has(self, keyword: str, value: str) -> bool:
        return any(str(row.get(keyword, "")) == value for row in self.rows)


@dataclass(slots=True)
class Probe:
    """Asks the questions; what it finds is in `capabilities` and in the habits."""

    exchange: DimseExchange | WebExchange
    habits: Habits
    walk: Walk
    capabilities: list[Capability] = field(default_factory=list[Capability])
    _above: dict[str, str] = field(default_factory=dict[str, str])
    _ending: Ending | None = None
    _ignored: frozenset[str] = frozenset()

    def run(self, *, objects: bool) -> None:
        """Every question, as long as there is time; `objects` where one is to be fetched."""
        asked = self._command(Level.STUDY, {}, _WANTED[Level.STUDY])
        rows = self.walk.take("query", self._studies, seconds=_SECONDS, command=asked)
        if rows is None:
            return
        self._cap(rows)
        if not rows:
            self._tell("answers to other questions", f"{_UNKNOWN}: it gave no study to ask by")
            return
        self._returned(Level.STUDY, rows)
        self._character_sets(rows)
        try:
            self._keys()
            self._texts(rows)
            series = self._below(rows)
            if series and objects:
                self._fetch(*series)
        except DeadlinePassed:
            self._tell("the rest", f"{_UNKNOWN}: there was no time left to ask")

    def _studies(self, step: Deadline) -> tuple[str, list[Match]]:
        got = self._ask(Level.STUDY, {}, step=step)
        web = isinstance(self.exchange, WebExchange)
        if self.exchange.patient_root_only and (got.error or not got.rows):
            self.habits.needs_patient = True
            patients = self._ask(Level.PATIENT, {}, wanted=("PatientID",), step=step, most=1)
            if patients.rows and (known := str(patients.rows[0].get("PatientID", ""))):
                self._above = {"PatientID": known}
                got = self._ask(Level.STUDY, {}, step=step)
        if got.error and not got.rows:
            raise got.error
        self._ending = got.ending
        more = " or more" if len(got.rows) >= MOST else ""
        asked = "the patient's ID" if self._above else "no key"
        service = "QIDO-RS" if web else "C-FIND"
        return f"{service} for studies by {asked} gave {len(got.rows)}{more}", got.rows

    def _cap(self, rows: list[Match]) -> None:
        name = "most matches at once"
        count = len(rows)
        if self._ending is None:
            self._tell(name, f"{_UNKNOWN}: only {count} came in time")
            return
        if count >= MOST:
            self._tell(name, f"{MOST} or more")
            return
        if self._ending.capped or (self.habits.is_cut(Level.STUDY, count) and self._is_cut(rows)):
            self.habits.cap = count
        if self.habits.cap == count and count:
            told = "it says so" if self._ending.capped else "without a word; there are more"
            self._tell(name, f"{count}, {told}")
        else:
            self._tell(name, f"no cap met: it gave all {count}")

    def _is_cut(self, rows: list[Match]) -> bool:
        """Whether two halves of the time have more than the whole."""
        dates = sorted(date for row in rows if (date := str(row.get("StudyDate", ""))))
        if not dates:
            return False
        known = {str(row.get("StudyInstanceUID", "")) for row in rows}
        middle = dates[len(dates) // 2]
        for span in (f"19000101-{middle}", f"{middle}-29991231", middle):
            with suppress(DeadlinePassed):
                got = self._ask(Level.STUDY, {"StudyDate": span}, wanted=("StudyDate",))
                if {str(row.get("StudyInstanceUID", "")) for row in got.rows} - known:
                    return True
        return False

    def _returned(self, level: Level, rows: list[Match]) -> None:
        absent = [one for one in _WANTED[level] if not any(one in row for row in rows)]
        noun = level.lower() if level is not Level.IMAGE else "instance"
        if level is Level.STUDY:
            self.habits.left_out.update(absent)
        self._tell(
            f"not returned for a {noun}" if noun[0] not in "ai" else f"not returned for an {noun}",
            ", ".join(absent) or "nothing: it returns every attribute asked for",
            self._command(level, {}, _WANTED[level]),
        )

    def _character_sets(self, rows: list[Match]) -> None:
        sets = sorted({_text(row.get("SpecificCharacterSet", "")) for row in rows} - {""})
        self._tell("character sets of its answers", ", ".join(sets) or "ASCII, or none named")

    def _keys(self) -> None:
        found: dict[str, list[str]] = {"honoured": [], "ignored": [], "refused": [], _UNKNOWN: []}
        for keyword, nobody in _NOBODY.items():
            if self._above and keyword == "PatientID":
                continue
            got = self._ask(Level.STUDY, {keyword: nobody}, wanted=(keyword,), most=1)
            if isinstance(got.error, StatusFailure):
                word = "refused"
            elif got.error:
                word = _UNKNOWN
            else:
                word = "ignored" if got.rows else "honoured"
            found[word].append(keyword)
        self._ignored = frozenset(found["ignored"])
        for word, keywords in found.items():
            if keywords or word == "honoured":
                shown = (
                    self._command(Level.STUDY, {keywords[0]: _NOBODY[keywords[0]]}, ())
                    if (keywords)
                    else ""
                )
                self._tell(f"keys {word}", ", ".join(keywords) or "none", shown)

    def _texts(self, rows: list[Match]) -> None:
        name = "PatientName"
        if name in self._ignored:
            self._tell("wildcards and UTF-8 keys", f"{_UNKNOWN}: {name} is ignored as a key")
            return
        plain = _first(rows, lambda text: text.isascii() and len(text.split("^")[0]) > 2)
        if plain is None:
            self._tell("wildcards", f"{_UNKNOWN}: no name to try them with")
        else:
            text = str(plain[name])
            star = self._finds(plain, text[: max(3, len(text) // 2)] + "*")
            mark = self._finds(plain, text[:1] + "?" + text[2:])
            self._tell("wildcard *", star, self._command(Level.STUDY, {name: f"{_HIDDEN}*"}, ()))
            self._tell("wildcard ?", mark, self._command(Level.STUDY, {name: f"{_HIDDEN}?"}, ()))
            other = text.swapcase()
            ignores = self._finds(plain, other) if other != text else _UNKNOWN
            if ignores in ("yes", "no") and self._finds(plain, text) == "yes":
                self.habits.ignores_case[name] = ignores == "yes"
                self._tell("finds names in other case", ignores)
        beyond = _first(rows, lambda text: not text.isascii())
        if beyond is None:
            self._tell("UTF-8 keys", f"{_UNKNOWN}: no name beyond ASCII came to try them with")
            return
        first = str(beyond[name]).split("=")
        one = next(part for part in first if not part.isascii())
        key = one if len(first) == 1 else f"*{one}*"
        found = self._finds(beyond, key)
        if found == "yes":
            self.habits.reads_utf_8 = True
        self._tell(
            "UTF-8 keys",
            found,
            self._command(Level.STUDY, {"SpecificCharacterSet": "ISO_IR 192", name: _HIDDEN}, ()),
        )

    def _finds(self, row: Match, key: str) -> str:
        """Whether this key for the name, which is none that is ignored, brings the study it was
        taken from."""
        keys = {"PatientName": key}
        if date := str(row.get("StudyDate", "")):
            keys["StudyDate"] = date
        got = self._ask(Level.STUDY, keys, wanted=("PatientName",))
        if isinstance(got.error, StatusFailure):
            return "refused"
        if got.has("StudyInstanceUID", str(row.get("StudyInstanceUID"))):
            return "yes"
        cut = got.error or got.ending is None or not got.ending.whole or len(got.rows) >= MOST
        return _UNKNOWN if cut or not got.ending else "no"

    def _below(self, rows: list[Match]) -> tuple[Match, Match] | None:
        """The levels below, with and without the keys above; a series and one of its objects."""
        study = {"StudyInstanceUID": str(rows[0].get("StudyInstanceUID", ""))}
        if self._above:
            study = {**self._above, **study}
        got = self._ask(Level.SERIES, study)
        if not got.rows:
            self._tell("series of a study", _what(got))
            return None
        self._returned(Level.SERIES, got.rows)
        series = min(got.rows, key=_size)
        uid = {"SeriesInstanceUID": str(series.get("SeriesInstanceUID", ""))}
        alone = self._ask(Level.SERIES, uid, most=5, above=False)
        if alone.error and not isinstance(alone.error, StatusFailure | NoAcceptedContext):
            told = f"{_UNKNOWN}: {words_of(alone.error)[0]}"
        else:
            relational = alone.has("SeriesInstanceUID", uid["SeriesInstanceUID"])
            self.habits.relational = relational
            told = (
                "relational: a series is found without its study"
                if relational
                else ("hierarchical: a series is found only with its study")
            )
        self._tell("levels", told, self._command(Level.SERIES, {"SeriesInstanceUID": "UID"}, ()))
        images = self._ask(Level.IMAGE, {**study, **uid}, most=20)
        if not images.rows:
            self._tell("instances of a series", _what(images))
            return None
        self._returned(Level.IMAGE, images.rows)
        return {**series, **study, **uid}, images.rows[0]

    def _fetch(self, series: Match, image: Match) -> None:
        """One object, thrown away: what is promised is not always kept."""
        node = self.exchange.node
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

        def take(one: Instance) -> bool:
            nonlocal size
            size = len(one.data_set)
            return False

        step = self.walk.deadline.at_most(_FETCH_SECONDS)
        try:
            got = self.exchange.retrieve((reference,), take, deadline=step)
        except Cancelled:
            raise
        except ArchiveError as error:
            self._tell("gives an object", f"no: {words_of(error)[0]}", shown)
            return
        if isinstance(node, Node) and got.service == "C-MOVE":
            shown = command.move(node)
        told = (
            f"yes, by {got.service} ({size} bytes)"
            if got.count
            else (f"no: {' '.join(got.notes) or 'it did not come'}")
        )
        self._tell("gives an object", told, shown)

    def _ask(
        self,
        level: Level,
        keys: Mapping[str, str],
        *,
        wanted: tuple[str, ...] | None = None,
        most: int = MOST,
        step: Deadline | None = None,
        above: bool = True,
    ) -> _Got:
        """One query, stopped after so many rows. Raises DeadlinePassed when the whole is over."""
        self.walk.deadline.remaining()
        step = step or self.walk.deadline.at_most(_SECONDS)
        got = _Got([])

        def take(match: Match, size: int) -> bool:  # noqa: ARG001 - the shape of `take`
            got.rows.append(match)
            return len(got.rows) < most

        asked = {**(self._above if above else {}), **keys}
        query = Query(level, asked, _WANTED.get(level, ()) if wanted is None else wanted)
        try:
            got.ending = self.exchange.ask(query, take, deadline=step)
        except Cancelled:
            raise
        except ArchiveError as error:
            got.error = error
        return got

    def _tell(self, name: str, found: str, shown: str = "") -> None:
        self.capabilities.append(Capability(name, found, shown))

    def _command(self, level: Level, keys: Mapping[str, str], wanted: tuple[str, ...]) -> str:
        node = self.exchange.node
        if isinstance(node, WebNode):
            resource = "series" if level is Level.SERIES else "studies"
            if level is Level.SERIES and wanted:
                resource = "studies/UID/series"
            if level is Level.IMAGE:
                resource = "studies/UID/series/UID/instances"
            asked = [f"{one}={key}" for one, key in keys.items() if one != "SpecificCharacterSet"]
            asked += [f"includefield={one}" for one in wanted]
            return command.fetch(node, f"/{resource}?{'&'.join((*asked, 'limit=5'))}")
        above = dict.fromkeys(self._above, _HIDDEN)
        shown = {**above, **keys, **dict.fromkeys(wanted, "")}
        if level is Level.SERIES and wanted:
            shown = {"StudyInstanceUID": "UID", **shown}
        if level is Level.IMAGE:
            shown = {"StudyInstanceUID": "UID", "SeriesInstanceUID": "UID", **shown}
        root = self.exchange.patient_root_only
        return command.find(node, level.value, shown, patient_root=root)


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


def _what(got: _Got) -> str:
    return f"no: {words_of(got.error)[0]}" if got.error else "none came"


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)  # pyright: ignore
