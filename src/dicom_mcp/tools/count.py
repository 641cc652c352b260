"""How many: studies, series, images or patients, by anything, without a row to the model."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Annotated

from pydantic import Field

from ..errors import BadArgument
from ..standard.levels import UNIQUE_KEY, Level
from ..standard.matching import matcher
from ..standard.modalities import any_of
from ..standard.near import did_you_mean
from ..standard.person import Person, several_people
from ..standard.query import TELLING, Match, Matches, Query
from ..standard.record import identity
from ..standard.values import is_uid, shown
from .answer import Counted, asked
from .asking import EVERYTHING, Found, Question, each
from .call import Call
from .condition import Condition, texts
from .dimension import Dimension, dimensions
from .query import Days, Ids, Modality, Name, Words
from .relaxing import hints
from .sieve import Sieve

_WHAT = ("studies", "series", "images", "patients")

# Groups in an answer, and what is beyond them in one line.
_MOST_GROUPS = 200

# Patient IDs of several people that are told one by one.
_MOST_SHARED = 3

_MODALITIES = "ModalitiesInStudy"
_IMAGES = "NumberOfSeriesRelatedInstances"
_IMAGES_OF_STUDY = "NumberOfStudyRelatedInstances"

_COUNTED: dict[str, Level] = dict(
    zip(_WHAT, (Level.STUDY, Level.SERIES, Level.IMAGE, Level.PATIENT), strict=True)
)

_OF_STUDY = frozenset({Level.PATIENT, Level.STUDY})
_BELOW_STUDY = frozenset({Level.SERIES, Level.IMAGE})

# Keys of a study by which its series can be asked for in a relational archive.
_NARROWING = ("AccessionNumber", "PatientID", "StudyDate")

# A group of one thing counted: a value for each dimension.
type _Group = tuple[str, ...]

# What is known of one study: the values of each attribute that matters, in their order.
type _Known = tuple[tuple[str, ...], ...]


def count_studies(
    call: Call,
    group_by: Annotated[
        list[str],
        Field(
            description="modality, year, quarter, month, week, day, weekday, hour, age, "
            "age decade, station, any attribute; several together"
        ),
    ] = [],  # noqa: B006
    count: Annotated[str, Field(json_schema_extra={"enum": [*_WHAT]})] = "studies",
    study_date: Days = "",
    modality: Modality = "",
    patient_id: Ids = "",
    patient_name: Name = "",
    study_description: Words = "",
    accession_number: Ids = "",
    where: Annotated[
        list[str],
        Field(description='More: "age > 60", "AccessionNumber is empty", "modality is not CT"'),
    ] = [],  # noqa: B006
) -> Counted:
    """Count studies, series, images or patients, grouped, in one call: how many CTs per scanner."""
    if count not in _WHAT:
        near = did_you_mean(count, _WHAT)
        raise BadArgument(f"count={shown(count)} is not known", f"Use {near or ', '.join(_WHAT)}")
    asked_for = {
        "study_date": ("StudyDate", study_date),
        "modality": (_MODALITIES, modality),
        "patient_id": ("PatientID", patient_id),
        "patient_name": ("PatientName", patient_name),
        "study_description": ("StudyDescription", study_description),
        "accession_number": ("AccessionNumber", accession_number),
    }
    if count in ("series", "images"):
        any_of(modality, argument="modality")  # raises, where one of these can't be meant
    counting = _Counting(
        call,
        Question.of(call, Level.STUDY, asked_for),
        by=dimensions(group_by),
        where=[Condition.of(text, today=call.today) for text in where],
        count=count,
    )
    counting.ask_studies()
    if counting.needs_series:
        counting.ask_series()
    else:
        counting.count_studies()
    return counting.answer()


class _Counting:
    """One count: the studies first, then what only their series or images know."""

    def __init__(
        self,
        call: Call,
        question: Question,
        *,
        by: Sequence[Dimension],
        where: Sequence[Condition],
        count: str,
    ) -> None:
        self._call = call
        self._question = question
        self._by = by
        self._where = where
        self._count = count
        self._sieve = Sieve(where, _COUNTED[count])
        self._seen = 0
        meant = question.meanings.get(_MODALITIES, ())
        keys = [one.key for rank in meant for one in rank]
        self._modality_keys = keys or list(question.modalities.codes)
        self._modalities = [matcher("CS", key) for key in self._modality_keys]
        # Of each study (by UID) only the values that are counted by: there may be 100,000.
        self._known = self._wanted(Level.STUDY)
        self._studies: dict[str, _Known] = {}
        self._keeps_modalities = True
        self._named: dict[_Group, set[str]] = defaultdict(set)
        self._sums: dict[_Group, int] = defaultdict(int)
        self._everything: set[str] = set()
        self._people: dict[str, list[Person]] = defaultdict(list)
        self._total = 0
        self._not_counted = 0
        self._found = Found()

    def ask_studies(self) -> None:
        """Every study that is meant, with what is known of it."""
        alike: dict[_Known, _Known] = {}

        def keep(match: Match) -> None:
            study = identity(Level.STUDY, match)
            self._seen += bool(study)
            thing = (study, Level.STUDY)
            if self._count == "patients":
                thing = (self._patient(match), Level.PATIENT)
            if study and self._sieve.passes(match, _OF_STUDY, *thing):
                known = tuple(tuple(texts(match.get(one, ""))) for one in self._known)
                self._studies[study] = alike.setdefault(known, known)

        patient = self._patient if self._count == "patients" else None
        self._found = each(self._call, self._question, self._known, keep, patient=patient)
        if _MODALITIES in self._known:
            at = self._known.index(_MODALITIES)
            self._keeps_modalities = all(known[at] for known in self._studies.values())

    @property
    def needs_series(self) -> bool:
        """Whether the studies alone cannot tell."""
        return bool(self._studies) and (
            self._count == "series"
            or any(one.level in _BELOW_STUDY and one.keyword != "Modality" for one in self._by)
            or any(one.level in _BELOW_STUDY for one in self._where)
            or (self._asks_modality and not self._keeps_modalities)
            or (self._count == "images" and (self._asks_modality or not self._keeps_counts))
        )

    def count_studies(self) -> None:
        """Count by what the studies say of themselves."""
        for study, known in self._studies.items():
            match = self._match(known)
            modalities = [one for one in texts(match.get(_MODALITIES, "")) if self._is_meant(one)]
            match["Modality"] = [*modalities]
            if self._count == "studies":  # each comes once, so that nothing has to be remembered
                self._total += 1
                for group in self._groups(match):
                    self._sums[group] += 1
            else:
                self._add(study, "", [match], "".join(texts(match.get(_IMAGES_OF_STUDY, ""))))

    def ask_series(self) -> None:
        """Count by what the series of these studies say, and where it is asked for, the images."""
        self._found.notes = [note for note in self._found.notes if _MODALITIES not in note]
        query = Query(Level.SERIES, self._relational_keys(), tuple(self._wanted(Level.SERIES)))
        uids = {who.partition(" ")[0]: known for who, known in self._studies.items()}
        if len(uids) < len(self._studies):
            self._found.complete = False
            self._found.note(
                "Not complete: several studies have one StudyInstanceUID; their series cannot be "
                "told apart, and were counted as one study's."
            )
        self._studies = uids
        answer = self._call.archive.each_series(
            uids,
            query,
            self._add_series,
            deadline=self._call.deadline,
            arrived=self._call.progress.advance,
        )
        self._join(answer)

    def answer(self) -> Counted:
        """The groups, most first; days and months in their order."""
        found = self._found
        refuted = self._sieve.refuted
        sums = {**self._sums, **_sizes(self._named, refuted)} if self._by else {}
        total = self._total + len(self._everything - refuted)
        chronological = bool(self._by) and self._by[0].is_period
        ranked = sorted(
            sums.items(), key=lambda one: one[0] if chronological else (-one[1], one[0])
        )
        notes = list(found.notes)
        if not self._seen and found.complete:
            told, queries = hints(self._call, self._question)
            notes += ["No study in this archive matches these keys.", *told]
            found.queries += queries
        elif not total:
            notes += self._sieve.instead()
        doubts, in_doubt = self._sieve.doubts(self._everything)
        notes += doubts
        found.complete = found.complete and not in_doubt
        if absent := sorted(
            {one.keyword for one in (*self._by, *self._where) if not one.is_told(found.absent)}
        ):
            found.complete = False
            notes.append(
                f"Not complete: the archive does not return {', '.join(absent)}, so that nothing "
                "can be told by it."
            )
        shared = [people for number, people in self._people.items() if number and len(people) > 1]
        notes += [several_people(people) for people in shared[:_MOST_SHARED]]
        if len(shared) > _MOST_SHARED:
            notes.append(f"So are {len(shared) - _MOST_SHARED} more Patient IDs.")
        if self._not_counted:
            found.complete = False
            lacking = "PatientID" if self._count == "patients" else "a count of images"
            notes.append(
                f"Not complete: {self._not_counted} studies or series could not be counted, "
                f"because they have no {lacking}."
            )
        if len(ranked) > _MOST_GROUPS:
            rest = sum(number for _, number in ranked[_MOST_GROUPS:])
            found.complete = False
            notes.append(
                f"Not complete: {len(ranked) - _MOST_GROUPS} more groups with {rest} in all are "
                "not shown; group by less. The total counts them."
            )
        if sum(sums.values()) > total:
            notes.append("Some belong to several groups, so the groups add up to more than total.")
        return Counted(
            counted=self._count,
            total=total,
            complete=found.complete,
            notes=notes,
            archive=asked(self._call.archive.node),
            sent={"QueryRetrieveLevel": "STUDY", **found.keys()},
            compared=self._sieve.compared(),
            queries=found.queries,
            missing=found.missing,
            groups=[
                {
                    **{one.name: value for one, value in zip(self._by, group, strict=True)},
                    "count": n,
                }
                for group, n in ranked[:_MOST_GROUPS]
            ]
            if self._by
            else [],
        )

    @property
    def _asks_modality(self) -> bool:
        return bool(self._modalities) or any(one.keyword == "Modality" for one in self._by)

    @property
    def _keeps_counts(self) -> bool:
        at = self._known.index(_IMAGES_OF_STUDY)
        return all("".join(known[at]).isdecimal() for known in self._studies.values())

    def _wanted(self, level: Level) -> list[str]:
        """What must be known of each record of a level."""
        levels = _OF_STUDY if level is Level.STUDY else {level}
        asked = [one for one in (*self._by, *self._where) if one.level in levels]
        known = [keyword for one in asked for keyword in one.reads]
        if level is Level.STUDY:
            known += [_MODALITIES] if self._asks_modality else []
            known += ["PatientID", *TELLING] if self._count == "patients" else []
            known += [_IMAGES_OF_STUDY] if self._count == "images" else []
        elif level is Level.SERIES:
            known += ["Modality"] if self._asks_modality else []
            known += [_IMAGES] if self._count == "images" else []
        return list(dict.fromkeys(known))

    def _match(self, known: _Known) -> Match:
        """What is known of a study, as it came."""
        return {one: [*values] for one, values in zip(self._known, known, strict=True)}

    def _relational_keys(self) -> dict[str, str]:
        """Keys by which the series of these studies, and not too many others, can be asked for."""
        sent = self._found.sent
        keys = {one: sent[one][0] for one in _NARROWING if len(sent.get(one, ())) == 1}
        if self._keeps_modalities and len(self._modality_keys) == 1:
            keys["Modality"] = self._modality_keys[0]
        return keys

    def _add_series(self, match: Match) -> None:
        study = self._match(self._studies[str(match["StudyInstanceUID"])])
        if self._modalities and not any(map(self._is_meant, texts(match.get("Modality", "")))):
            return
        series = str(match.get("SeriesInstanceUID", ""))
        known = {**study, **match}
        if not self._sieve.passes(match, {Level.SERIES}, *self._thing(known, Level.SERIES)):
            return
        count = str(match.get(_IMAGES, ""))
        below = self._wanted(Level.IMAGE)
        uncounted = self._count == "images" and not count.isdecimal()
        images = self._images_of(known, below) if below or uncounted else [known]
        if images:
            self._add(str(match["StudyInstanceUID"]), series, images, count)

    def _images_of(self, series: Match, wanted: Sequence[str]) -> list[Match]:
        """What the images of a series say of themselves, each with what is known above it."""
        uids = ("StudyInstanceUID", "SeriesInstanceUID")
        keys = {one: str(series.get(one, "")) for one in uids}
        if not all(map(is_uid, keys.values())):  # a list, or what would match anything else
            self._not_counted += 1
            return []
        found: list[Match] = []

        def keep(match: Match) -> None:
            known = {**series, **match}
            if self._sieve.passes(match, {Level.IMAGE}, *self._thing(known, Level.IMAGE)):
                found.append(known)

        self._join(
            self._call.archive.each(
                Query(Level.IMAGE, keys, tuple(wanted)),
                keep,
                limit=EVERYTHING,
                deadline=self._call.deadline,
                arrived=self._call.progress.advance,
            )
        )
        return found

    def _add(self, study: str, series: str, known: Iterable[Match], images: str) -> None:
        """Count one study or series under each group it belongs to."""
        several = [dict(one) for one in known]
        groups = {group for one in several for group in self._groups(one)}
        if self._count == "images":
            for one in several:
                number = "1" if "SOPInstanceUID" in one else images
                if number.isdecimal():
                    for group in self._groups(one):
                        self._sums[group] += int(number)
                    self._total += int(number)
                else:
                    self._not_counted += 1
            return
        named = {"studies": study, "series": series}
        what = named[self._count] if self._count in named else self._patient(several[0])
        if not what:
            self._not_counted += 1
            return
        self._everything.add(what)
        for group in groups:
            self._named[group].add(what)

    def _patient(self, match: Match) -> str:
        """Who it is: an ID is one person's only beside its issuer."""
        person = Person.of(match)
        known = self._people[person.patient_id]
        for number, other in enumerate(known):
            if not person.is_another(other):
                return f"{person.patient_id} {number}" if person.patient_id else ""
        known.append(person)
        return f"{person.patient_id} {len(known) - 1}" if person.patient_id else ""

    def _thing(self, match: Match, part: Level) -> tuple[str, Level]:
        """What is counted by a series or image: the thing it belongs to, and its level."""
        if self._count == "patients":
            return self._patient(match), Level.PATIENT
        level = part if self._count == "images" else _COUNTED[self._count]
        return str(match.get(UNIQUE_KEY[level], "")), level

    def _groups(self, match: Match) -> list[_Group]:
        return list(product(*(one.groups(match) for one in self._by)))

    def _is_meant(self, modality: str) -> bool:
        return not self._modalities or any(meant([modality]) for meant in self._modalities)

    def _join(self, answer: Matches) -> None:
        """Add what an answer says of itself, but not its keys."""
        self._found.absent.update(answer.absent)
        self._found.queries += answer.queries
        self._found.complete = self._found.complete and answer.complete
        self._found.note(*answer.notes)


def _sizes(named: dict[_Group, set[str]], refuted: set[str]) -> dict[_Group, int]:
    sizes = {group: len(names - refuted) for group, names in named.items()}
    return {group: size for group, size in sizes.items() if size}
