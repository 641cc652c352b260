"""What is asked and answered in one call, between real values and those that whoever asks may know.

Nothing else of the house knows of it: arguments are understood before a tool gets them, an answer
is translated when it is made. Who is meant in texts is learned from what an archive tells the call.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import BaseModel

from ..errors import BadArgument, DicomMcpError, NotAllowed
from ..standard.dictionary import attribute
from ..standard.note import Named, Note
from ..standard.query import texts
from ..standard.shapes import SEPARATOR
from .cleaning import cleaned, said
from .naming import ABOUT_SOMEBODY, ATTRIBUTES, CONDITIONS, FIELDS, IDENTIFYING, keyword_of
from .people import NAME, NUMBER, People, texts_of
from .pseudonyms import PATTERN, Pseudonyms
from .rules import treatment_of
from .settings import PrivacySettings, Text
from .terms import is_term
from .treatment import Mode, Treatment

# The pseudonym that each is, by what a pseudonym begins with.
_KINDS: Mapping[Treatment, str] = {
    Treatment.PATIENT: "PAT",
    Treatment.STUDY: "STU",
    Treatment.SERIES: "SER",
    Treatment.INSTANCE: "IMG",
    Treatment.ACCESSION: "ACC",
    Treatment.UID: "UID",
    Treatment.PERSON: "PER",
}

# What else than names of people is taken out of texts.
_PLACES = frozenset({
    *("InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "PatientAddress"),
})  # fmt: skip
_NUMBERS = frozenset({
    *("PatientID", "OtherPatientIDs", "IssuerOfPatientID", "PatientTelephoneNumbers", "StudyID"),
    *("AccessionNumber", "AdmissionID", "RequestedProcedureID", "ScheduledProcedureStepID"),
})  # fmt: skip
_UIDS = frozenset({"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"})

# Arguments in which a patient may be named, and the one for the ID that is behind a pseudonym.
_BY_NAME = frozenset({"patient_name", "name_pattern"})
_BY_ID = "patient_id"

# Numbers, dates, times and ages as DICOM and answers write them, and UIDs that the standard gives
# out, with their names.
_NUMBER = re.compile(r"[\d.,:+\-\\/ TeEWDMY]+|1\.2\.840\.10008(?:\.\d+)*(?: \([\w ,\-/&.]+\))?")

# In the place of a value that is not told.
_NOT_TOLD = object()

# Attributes that a note names.
_MOST_NAMED = 12

_CLEANED = "Free text was cleaned by rules; a name that no rule knows stays."
_NAMED = "Patients and studies have pseudonyms here: go on asking with them."


@dataclass(slots=True)
class Translation:
    """That of one call, as the operator set it; `pseudonyms` is None in the mode none."""

    settings: PrivacySettings
    pseudonyms: Pseudonyms | None
    people: People = field(init=False)
    # Studies whose people are known, and those that an answer is about.
    known: set[str] = field(default_factory=set[str])
    # Real values that came as pseudonyms, with those; and those that were written as they are.
    _typed: dict[str, str] = field(default_factory=dict[str, str])
    _given: set[str] = field(default_factory=set[str])
    _withheld: set[str] = field(default_factory=set[str])
    _was_cleaned: bool = False
    _was_named: bool = False

    def __post_init__(self) -> None:
        self.people = People(self._called)

    def understood(self, given: Mapping[str, Any], takes: Collection[str]) -> dict[str, Any]:
        """The arguments of a tool that `takes` these, with real values for pseudonyms.

        Raises BadArgument for a pseudonym that was not given out here, and NotAllowed where the
        mode lets nobody be asked for.
        """
        meant: dict[str, Any] = {}
        for name, value in given.items():
            if self.settings.mode is Mode.NONE and _is_about_somebody(name, value):
                raise NotAllowed(
                    f"this server tells nothing of single patients, so that {name} is not taken",
                    "Ask for counts, or for what scanners and protocols there are",
                )
            real = self._real(value) if name in IDENTIFYING | CONDITIONS else value
            if name in _BY_NAME and isinstance(value, str) and value.strip()[:4].upper() == "PAT-":
                if _BY_ID not in takes or given.get(_BY_ID):
                    raise BadArgument(f"{name} is a pseudonym", f"Give it as {_BY_ID}")
                meant[_BY_ID] = real
                continue
            meant[name] = real
            if real == value:
                self._given.update(texts_of(value))
            keyword = "PatientName" if name in _BY_NAME else ATTRIBUTES.get(name, "")
            for text in texts_of(real):
                for part in text.split(SEPARATOR):
                    self._learn(keyword, part)
        return meant

    def learn(self, match: Mapping[str, Any]) -> None:
        """Who is told of in an answer of an archive, or in an object."""
        patient_id = "".join(texts(match.get("PatientID", ""))[:1])
        for keyword, value in match.items():
            for text in texts_of(value):
                self._learn(keyword, text, patient_id)
        if "PatientName" in match:
            self.known.update(texts(match.get("StudyInstanceUID", "")))

    def answer[T: BaseModel](self, answer: T, look_up: Callable[[Sequence[str]], None]) -> T:
        """The answer as whoever asks may know it. `look_up` learns the people of studies of which
        it tells."""
        held = _parts(answer)
        studies = self._learn_row(held, "", "")
        if unknown := [*dict.fromkeys(uid for uid in studies if uid not in self.known)]:
            look_up(unknown)
        fields = type(answer).model_fields
        told: dict[str, Any] = {}
        for name, value in held.items():
            made = self._value(name, value, held, Treatment.ITEMS, "")
            told[name] = made if made is not _NOT_TOLD else _empty(value)
        of_itself = [_NAMED] if self._was_named else []
        of_itself += [_CLEANED] if self._was_cleaned else []
        if self._withheld:
            names = sorted(self._withheld)
            more = [f"{len(names) - _MOST_NAMED} more"] if len(names) > _MOST_NAMED else []
            of_itself.append(
                f"Not told by this server: {', '.join((*names[:_MOST_NAMED], *more))}."
            )
        if "notes" in fields:
            told["notes"] = [*told["notes"], *of_itself]
        return type(answer).model_construct(**told)

    def note(self, note: Note) -> str:
        """A note, with pseudonyms for the values of records in it."""
        if self.settings.mode is Mode.NONE:
            return note.kind.value + self.sentence(note.unnamed)
        parts = [
            self._named(part) if isinstance(part, Named) else self.sentence(part)
            for part in note.parts
        ]
        return note.kind.value + "".join(parts)

    def sentence(self, text: str) -> str:
        """A sentence of ours, without what is known of people."""
        return said(text, self.people)

    def failure[E: DicomMcpError](self, error: E) -> E:
        """The same failure, in a sentence that tells of nobody."""
        error.happened, error.remedy = self.sentence(error.happened), self.sentence(error.remedy)
        error.args = (error.happened,)
        return error

    # What is asked.

    def _real(self, value: Any) -> Any:
        if isinstance(value, str):
            return PATTERN.sub(lambda found: self._behind(found[0]), value)
        if isinstance(value, list):
            return [self._real(part) for part in cast("list[Any]", value)]
        if isinstance(value, dict):
            return {key: self._real(part) for key, part in cast("dict[str, Any]", value).items()}
        return value

    def _behind(self, pseudonym: str) -> str:
        if self.pseudonyms is None:
            raise BadArgument("this server knows no pseudonyms", "Ask for counts")
        read = self.pseudonyms.read(pseudonym)
        self._typed[read["value"]] = pseudonym.upper()
        self.people.exactly(read["value"], pseudonym.upper())
        if name := read.get("name"):
            self.people.name(name, read["value"])
        return read["value"]

    # Who is meant.

    def _learn(self, keyword: str, text: str, patient_id: str = "") -> None:
        if not keyword or not text:
            return
        if keyword == "PatientName":
            self.people.name(text, patient_id)
        elif keyword == "PatientBirthDate":
            self.people.birth_date(text)
        elif keyword in _PLACES:
            self.people.place(text)
        elif keyword in _NUMBERS:
            self.people.number(text, (keyword, text))
        elif keyword in _UIDS:
            self.people.uid(text, (keyword, text))
        elif (found := attribute(keyword)) and found.vr == "PN":
            self.people.name(text)

    def _learn_row(self, value: Any, keyword: str, patient_id: str) -> list[str]:
        """Learn what an answer tells itself; the studies that it is about."""
        studies: list[str] = []
        if isinstance(value, BaseModel | Mapping):
            row = _parts(cast("BaseModel | Mapping[str, Any]", value))
            own = row.get("PatientID") or row.get("patient_id")
            patient_id = own if isinstance(own, str) else patient_id
            of_header = str(row.get("keyword") or row.get("attribute") or "")
            for key, part in row.items():
                inner = of_header if of_header and key == "value" else keyword_of(key)
                studies += self._learn_row(part, inner or keyword, patient_id)
        elif isinstance(value, list | tuple):
            for part in cast("Sequence[Any]", value):
                studies += self._learn_row(part, keyword, patient_id)
        elif isinstance(value, str):
            for part in value.split(SEPARATOR):
                self._learn(keyword, part, patient_id)
                studies += [part] if keyword == "StudyInstanceUID" and part else []
        return studies

    # What is answered.

    def _value(
        self, name: str, value: Any, row: Mapping[str, Any], above: Treatment, keyword: str
    ) -> Any:
        """A value under this name beside the others of its row, in a field of the treatment and
        keyword that are `above` it."""
        if above is not Treatment.ITEMS:
            return self._treated(above, keyword, value)
        if name in ("sent", "missing") and isinstance(value, Mapping):
            return self._looked_for(cast("Mapping[str, Any]", value))
        if name == "value" and (row.get("tag") or row.get("attribute")):
            keyword = str(row.get("keyword") or row.get("attribute") or "")
            is_private = int(str(row.get("tag") or "(0")[1:5], 16) % 2 == 1
            treatment = Treatment.WITHHELD if is_private else self._treatment(keyword)
            return self._treated(treatment, keyword, value)
        if keyword := keyword_of(name):
            return self._treated(self._treatment(keyword), keyword, value)
        treatment = FIELDS.get(name, Treatment.WITHHELD)
        if treatment is Treatment.WITHHELD and _has_rows(value):
            treatment = Treatment.ITEMS
        return self._treated(treatment, name, value)

    def _looked_for(self, keys: Mapping[str, Any]) -> dict[str, Any]:
        """What was asked for, by attribute: as whoever asks wrote it, else by its rule."""
        told: dict[str, Any] = {}
        for name, value in keys.items():
            if _vr(name) == "PN":
                told[name] = [NAME] if isinstance(value, list) else NAME
            elif isinstance(value, list):
                parts = cast("list[Any]", value)
                told[name] = [self._echo(name, part) for part in parts]
            else:
                told[name] = self._echo(name, value)
        return {name: value for name, value in told.items() if value is not _NOT_TOLD}

    def _echo(self, name: str, value: Any) -> Any:
        if value in self._given:
            return value
        return self._value(name, value, {}, Treatment.ITEMS, "")

    def _treated(self, treatment: Treatment, keyword: str, value: Any) -> Any:
        if isinstance(value, BaseModel | Mapping):
            row = _parts(cast("BaseModel | Mapping[str, Any]", value))
            told = {
                self._clean(key) if treatment is Treatment.TEXTS else key: self._value(
                    key, part, row, treatment, keyword
                )
                for key, part in row.items()
            }
            return {key: part for key, part in told.items() if part is not _NOT_TOLD}
        if isinstance(value, list | tuple):
            several = cast("Sequence[Any]", value)
            made = [self._treated(treatment, keyword, part) for part in several]
            kept = [part for part in made if part is not _NOT_TOLD]
            return kept if kept or not several else _NOT_TOLD
        if treatment is Treatment.WITHHELD or (
            treatment is Treatment.ITEMS and isinstance(value, str)
        ):
            if value not in ("", None):
                self._withheld.add(keyword)
            return _NOT_TOLD
        if not isinstance(value, str) or not value:
            return value
        return self._text(treatment, keyword, value)

    def _text(self, treatment: Treatment, keyword: str, text: str) -> Any:
        match treatment:
            case Treatment.OURS:
                return text
            case _ if text == NAME:
                return text
            case Treatment.SAID:
                return self.sentence(text)
            case Treatment.KEPT | Treatment.DATE if _NUMBER.fullmatch(text):
                return text
            case Treatment.ECHO:
                return self._typed.get(text, text)
            case Treatment.TERM if is_term(keyword, text):
                return text
            case (
                Treatment.TERM
                | Treatment.CLEANED
                | Treatment.TEXTS
                | Treatment.KEPT
                | Treatment.DATE
            ):
                if self._withholds_text:
                    self._withheld.add(keyword)
                    return _NOT_TOLD
                return self._clean(text)
            case _:  # a pseudonym for each value, as keys are shown: between bars, and in lists
                return " | ".join(
                    SEPARATOR.join(self._called(keyword, value) for value in part.split(SEPARATOR))
                    for part in text.split(" | ")
                )

    @property
    def _withholds_text(self) -> bool:
        is_none = self.settings.mode is Mode.NONE
        return is_none or self.settings.text is Text.WITHHELD or self.people.is_crowd

    def _clean(self, text: str) -> str:
        self._was_cleaned = True
        return cleaned(text, self.people)

    def _called(self, keyword: str, value: str) -> str:
        """What this value of an attribute is called."""
        kind = _KINDS.get(self._treatment(keyword), "")
        if not kind or self.pseudonyms is None:
            return NUMBER
        self._was_named = True
        if keyword != "PatientName":
            return self.pseudonyms.of(kind, value) if value.strip(" …") else value
        if {"*", "?"} & set(value):
            return NAME
        ids = self.people.ids_of(value)
        if len(ids) == 1:
            return self.pseudonyms.of("PAT", *ids, name=value)
        return self.pseudonyms.of("PER", value)

    def _named(self, part: Named) -> str:
        made = self._treated(self._treatment(part.keyword), part.keyword, part.value)
        return "…" if made is _NOT_TOLD else str(made)

    def _treatment(self, keyword: str) -> Treatment:
        found = attribute(keyword)
        if found is None:
            return Treatment.WITHHELD
        return treatment_of(keyword, found.vr, self.settings.mode, self.settings.retain)


def _is_about_somebody(name: str, value: Any) -> bool:
    """Whether an argument says who or which one is meant, also in a condition in words."""
    if isinstance(value, dict):
        return any(
            _is_about_somebody(key, part) for key, part in cast("dict[str, Any]", value).items()
        )
    if name in IDENTIFYING or ATTRIBUTES.get(name) in (*_UIDS, *_NUMBERS, "PatientName"):
        return bool(value)
    if isinstance(value, list):
        return any(_is_about_somebody(name, part) for part in cast("list[Any]", value))
    if name != "where" or not isinstance(value, str):
        return False
    plain = "".join(filter(str.isalnum, value)).lower()
    return any(word in plain for word in ABOUT_SOMEBODY)


def _vr(name: str) -> str:
    found = attribute(keyword_of(name))
    return found.vr if found else ""


def _parts(value: BaseModel | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(value, BaseModel):
        return {name: getattr(value, name) for name in type(value).model_fields}
    return {str(key): part for key, part in value.items()}


def _has_rows(value: Any) -> bool:
    """Whether all there is has names of its own."""
    if isinstance(value, list | tuple):
        return all(isinstance(part, BaseModel | Mapping) for part in cast("Sequence[Any]", value))
    return isinstance(value, BaseModel | Mapping)


def _empty(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {}
    return [] if isinstance(value, list | tuple) else "" if isinstance(value, str) else None
