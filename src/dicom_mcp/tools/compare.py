"""What one archive holds and another one does not, or holds otherwise.

A study that one node did not give may lie there under another patient or date; so it is asked for
by its UID before it is called missing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from pydantic import BaseModel, Field

from ..archives import Archives
from ..deadline import Deadline
from ..dicom_api import Archive
from ..errors import ArchiveError, BadArgument
from ..standard.levels import UNIQUE_KEY, Level
from ..standard.query import Match, Query
from .answer import Asked, asked
from .asking import Found, Question, find
from .call import Call, Progress
from .query import Days, Ids, Modality, Name, Uids

# What two nodes should say alike of a study and of a series.
_OF_STUDY = (
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"),
    *("AccessionNumber", "StudyDescription", "ModalitiesInStudy"),
    *("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
)
_OF_SERIES = (
    *("Modality", "SeriesNumber", "SeriesDescription", "BodyPartExamined"),
    "NumberOfSeriesRelatedInstances",
)
# What names a study or series to a person.
_NAMES_STUDY = ("PatientID", "StudyDate", "StudyDescription", "AccessionNumber")
_NAMES_SERIES = ("Modality", "SeriesNumber", "SeriesDescription", "NumberOfSeriesRelatedInstances")

# A node's studies are compared as far as one question may bring them.
_MOST_STUDIES = 5000

# Differing studies whose series are looked at, and series whose images are.
_MOST_LOOKED_INTO = 40
_MOST_SERIES = 10
_MOST_IMAGES = 2000

# UIDs in one key, and how many are asked alone where a list did not bring them.
_BATCH = 50
_MOST_ALONE = 50

# Words a record has room for, of the numbers of images that only one node holds.
_MOST_NUMBERS = 20

_STUDY = UNIQUE_KEY[Level.STUDY]
_SERIES = UNIQUE_KEY[Level.SERIES]


class Compared(BaseModel):
    """What `compare_nodes` answers."""

    complete: bool = Field(description="False: more may differ; notes say why")
    notes: list[str]
    archive: Asked
    sent: dict[str, str] = Field(description="Level and keys as sent to each node")
    queries: int = Field(description="Queries it took")
    compared: dict[str, int] = Field(description="Studies found at each node")
    same: int = Field(description="Studies that all nodes hold alike")
    different: int = Field(description="Studies that are not")
    records: list[dict[str, Any]] = Field(
        description="Of each such study: only_on, not_known_on or differs, and the series behind it"
    )


def compare_nodes(
    call: Call,
    patient_id: Ids = "",
    patient_name: Name = "",
    study_date: Days = "",
    study_instance_uid: Uids = "",
    modality_in_study: Modality = "",
    limit: Annotated[int, Field(ge=1, le=200, description="Most differences to return")] = 50,
) -> Compared:
    """Compare what two or more archives (node; all if not given) hold of a patient, study or date
    range: studies only one has, counts and attributes that differ, with the series behind it."""
    archives = call.archive
    if not isinstance(archives, Archives):
        names = list(call.session.nodes)
        if len(names) < 2:
            raise BadArgument(
                "there is only one node to compare",
                "The operator names more in the configuration file (dicom-mcp init)",
            )
        archives = call.session.archive(names)
        assert isinstance(archives, Archives)
    question = Question.of(
        call,
        Level.STUDY,
        {
            "patient_id": ("PatientID", patient_id),
            "patient_name": ("PatientName", patient_name),
            "study_date": ("StudyDate", study_date),
            "study_instance_uid": (_STUDY, study_instance_uid),
            "modality_in_study": ("ModalitiesInStudy", modality_in_study),
        },
    )
    return _Comparison(call, archives).of(question, limit)


@dataclass(slots=True)
class _Held:
    """What one node gave."""

    studies: dict[str, Match] = field(default_factory=dict[str, Match])
    # UIDs it could not be asked for, so that nobody knows whether it holds them.
    unproved: set[str] = field(default_factory=set[str])
    whole: bool = True
    absent: set[str] = field(default_factory=set[str])


class _Comparison:
    def __init__(self, call: Call, archives: Archives) -> None:
        self._call = call
        self._archives = archives
        self._told = Found()
        self._held: dict[str, _Held] = {}

    def of(self, question: Question, limit: int) -> Compared:
        """The differences between what the nodes answer to this question.

        Raises the error of a node when fewer than two answered.
        """
        self._ask(question)
        matched = {name: len(held.studies) for name, held in self._held.items()}
        self._prove_missing(set(question.meanings) == {_STUDY})
        every = dict.fromkeys(uid for held in self._held.values() for uid in held.studies)
        rows = [row for uid in every if (row := self._row(uid))]
        if len(rows) > limit:
            self._told.complete = False
            self._told.note(
                f"Not complete: the first {limit} of {len(rows)} studies that differ; raise limit "
                "or narrow the question."
            )
        self._look_into(rows[:limit])
        return Compared(
            complete=self._told.complete,
            notes=self._told.notes,
            archive=asked(self._archives.node),
            sent={"QueryRetrieveLevel": Level.STUDY.value, **self._told.keys()},
            queries=self._told.queries,
            compared=matched,
            same=len(every) - len(rows),
            different=len(rows),
            records=rows[:limit],
        )

    def _ask(self, question: Question) -> None:
        def ask(_: str, archive: Archive, step: Deadline) -> Found:
            return find(self._at(archive, step), question, _OF_STUDY, limit=_MOST_STUDIES)

        answers = self._archives.apart(ask, deadline=self._call.deadline)
        failures = {n: one for n, one in answers.items() if isinstance(one, ArchiveError)}
        for name, answer in answers.items():
            if isinstance(answer, ArchiveError):
                self._told.complete = False
                self._told.note(f"Not complete: {name} did not answer. {answer}")
                continue
            self._join(name, answer)
            held = self._held[name] = _Held(whole=answer.complete)
            held.studies = {str(one.get(_STUDY, "")): one for one in answer.matches}
            held.absent = {
                keyword
                for keyword in _OF_STUDY
                if answer.matches and not any(keyword in one for one in answer.matches)
            }
            if held.absent:
                self._told.note(
                    f"{name} does not tell {', '.join(sorted(held.absent))}: not compared."
                )
        if len(self._held) < 2:
            raise next(iter(failures.values()))

    def _prove_missing(self, by_uid: bool) -> None:
        """Ask each node by UID for the studies it did not give but another one did."""
        every = {uid for held in self._held.values() for uid in held.studies}
        for name, held in self._held.items():
            missing = sorted(every - set(held.studies))
            if by_uid:  # then that was asked just now
                held.unproved = set() if held.whole else set(missing)
                continue
            found = self._by_uid(name, missing) if missing else []
            for match in found:
                held.studies[str(match[_STUDY])] = match
            if found:
                self._told.note(
                    f"{name} holds {len(found)} of these studies with other values than asked "
                    "for; their records say which."
                )

    def _by_uid(self, name: str, uids: Sequence[str]) -> list[Match]:
        """Those of these studies that the node holds. What a list of UIDs does not bring is asked
        for alone, since some archives do not read lists; what that leaves open is `unproved`."""
        held = self._held[name]
        held.unproved = set(uids)
        found: list[Match] = []

        def put(some: Sequence[str], archive: Archive, step: Deadline) -> None:
            key = "\\".join(some)
            answer = archive.find(
                Query(Level.STUDY, {_STUDY: key}, _OF_STUDY), limit=_BATCH, deadline=step
            )
            self._told.queries += answer.queries
            found.extend(answer.matches)
            held.unproved -= {str(one.get(_STUDY, "")) for one in answer.matches}
            if len(some) == 1 and answer.complete:
                held.unproved -= {*some}

        def ask(one: str, archive: Archive, step: Deadline) -> None:
            if one != name:
                return
            for start in range(0, len(uids), _BATCH):
                put(uids[start : start + _BATCH], archive, step)
            for uid in sorted(held.unproved)[:_MOST_ALONE]:
                put([uid], archive, step)

        trouble = self._archives.apart(ask, deadline=self._call.deadline).get(name)
        if held.unproved:
            self._told.complete = False
            self._told.note(
                f"Not complete: whether {name} holds {len(held.unproved)} of these studies could "
                f"not be asked (not_known_on). {trouble or 'Narrow the question.'}"
            )
        return found

    def _row(self, uid: str) -> dict[str, Any] | None:
        """What differs of one study; None when nothing does."""
        held = {name: one.studies[uid] for name, one in self._held.items() if uid in one.studies}
        absent = {keyword for one in self._held.values() for keyword in one.absent}
        differs = _differing(held, [one for one in _OF_STUDY if one not in absent])
        row: dict[str, Any] = {_STUDY: uid, **_named(held, _NAMES_STUDY, differs)}
        if unknown := [name for name, one in self._held.items() if uid in one.unproved]:
            row["not_known_on"] = unknown
        elif len(held) < len(self._held):
            row["only_on"] = list(held)
        elif not differs:
            return None
        if differs:
            row["differs"] = differs
        return row

    def _look_into(self, rows: Sequence[dict[str, Any]]) -> None:
        """Add the series behind the counts that differ."""
        counted = [row for row in rows if _is_of_counts(row.get("differs", {}))]
        left = _MOST_SERIES
        for row in counted[:_MOST_LOOKED_INTO]:
            holding = [name for name, one in self._held.items() if row[_STUDY] in one.studies]
            series = self._series_of(row[_STUDY], holding)
            if series is None:
                continue
            row["series"] = series
            for one in series:
                if left and "only_on" not in one:
                    left -= 1
                    self._images(row[_STUDY], one)
        if len(counted) > _MOST_LOOKED_INTO:
            self._told.note(
                f"The series behind the differences are told for the first {_MOST_LOOKED_INTO} of "
                f"{len(counted)} studies; ask for the others by study_instance_uid."
            )

    def _series_of(self, study: str, names: Sequence[str]) -> list[dict[str, Any]] | None:
        found = self._below(Query(Level.SERIES, {_STUDY: study}, _OF_SERIES), names)
        if found is None:
            return None
        rows: list[dict[str, Any]] = []
        for uid in dict.fromkeys(uid for held in found.values() for uid in held):
            held = {name: one[uid] for name, one in found.items() if uid in one}
            differs = _differing(held, _OF_SERIES)
            row: dict[str, Any] = {_SERIES: uid, **_named(held, _NAMES_SERIES, differs)}
            if len(held) < len(names):
                row["only_on"] = list(held)
            elif not differs:
                continue
            if differs:
                row["differs"] = differs
            rows.append(row)
        return rows

    def _images(self, study: str, row: dict[str, Any]) -> None:
        """Add which images of a series only one of the nodes holds, by their numbers."""
        counts = row["differs"].get("NumberOfSeriesRelatedInstances", {})
        if not counts or sum(map(_count, counts.values())) > _MOST_IMAGES:
            return
        keys = {_STUDY: study, _SERIES: row[_SERIES]}
        found = self._below(Query(Level.IMAGE, keys, ("InstanceNumber",)), list(counts))
        if found is None:
            return
        everywhere = set[str].intersection(*(set(held) for held in found.values()))
        row["images_only_on"] = {
            name: _numbers(held[uid] for uid in held if uid not in everywhere)
            for name, held in found.items()
            if set(held) - everywhere
        }

    def _below(self, query: Query, names: Sequence[str]) -> dict[str, dict[str, Match]] | None:
        """What each node holds below, by UID; None, and a note, where that is not all known."""
        unique = UNIQUE_KEY[query.level]

        def ask(name: str, archive: Archive, step: Deadline) -> Found:
            found = Found()
            if name in names:
                answer = archive.find(query, limit=_MOST_IMAGES, deadline=step)
                found.join(answer)
                found.matches = answer.matches
            return found

        answers = self._archives.apart(ask, deadline=self._call.deadline)
        told: dict[str, dict[str, Match]] = {}
        for name in names:
            answer = answers[name]
            if isinstance(answer, ArchiveError) or not answer.complete:
                reason = answer if isinstance(answer, ArchiveError) else " ".join(answer.notes)
                self._told.complete = False
                self._told.note(f"Not complete: series could not be compared at {name}. {reason}")
                return None
            self._told.queries += answer.queries
            told[name] = {str(one.get(unique, "")): one for one in answer.matches}
        return told

    def _at(self, archive: Archive, step: Deadline) -> Call:
        """The call, at one of the nodes; it runs in another thread, which reports nothing."""
        return replace(
            self._call, archive=archive, deadline=step, progress=Progress(lambda _: None)
        )

    def _join(self, name: str, answer: Found) -> None:
        self._told.queries += answer.queries
        self._told.complete = self._told.complete and answer.complete
        self._told.note(*(f"{name}: {note}" for note in answer.notes))
        for keyword, keys in answer.sent.items():
            known = self._told.sent.setdefault(keyword, [])
            known += [key for key in keys if key not in known]


def _differing(held: Mapping[str, Match], keywords: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The attributes of one thing that its nodes do not say alike, with what each says."""
    differs: dict[str, dict[str, Any]] = {}
    for keyword in keywords:
        said = {name: match.get(keyword, "") for name, match in held.items()}
        if len({_comparable(value) for value in said.values()}) > 1:
            differs[keyword] = said
    return differs


def _comparable(value: Any) -> str:
    """The value without what is only another way to write it: order, spaces, trailing carets."""
    if isinstance(value, list):
        return "\\".join(sorted(str(one) for one in value))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return str(value).rstrip("^= ").strip()


def _named(
    held: Mapping[str, Match], keywords: Sequence[str], differs: Mapping[str, Any]
) -> dict[str, Any]:
    first = next(iter(held.values()))
    return {
        keyword: first[keyword]
        for keyword in keywords
        if first.get(keyword, "") != "" and keyword not in differs
    }


def _is_of_counts(differs: Mapping[str, Any]) -> bool:
    return any(one.startswith("Number") or one == "ModalitiesInStudy" for one in differs)


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _numbers(matches: Iterable[Match]) -> list[Any]:
    found = [one.get("InstanceNumber", "?") for one in matches]
    found.sort(key=lambda one: (not isinstance(one, int), str(one).zfill(9)))
    return [*found[:_MOST_NUMBERS], f"and {len(found) - _MOST_NUMBERS} more"][
        : min(len(found), _MOST_NUMBERS) + (len(found) > _MOST_NUMBERS)
    ]
