"""Questions of hospital life to a busy archive, each with its true answer by plain loops.

The table knows neither an archive nor the server. Groups are called as `count_studies` calls them.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from tests.busy import Series, Study

EMPTY = "(empty)"

type Holds = Callable[[Study], bool]
type Groups = dict[tuple[str, ...], int]


@dataclass(frozen=True, slots=True)
class Truth:
    """How many, and of a list the studies (or patients) themselves."""

    total: int
    groups: Groups
    ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of which tool, and what is true."""

    tool: str
    arguments: dict[str, Any]
    true: Callable[[Sequence[Study]], Truth]


def _between(first: date, last: date) -> Holds:
    return lambda study: study.day is not None and first <= study.day <= last


def _any(_: Study) -> bool:
    return True


def _has(*modalities: str) -> Holds:
    return lambda study: bool(study.modalities & {*modalities})


def _all(*several: Holds) -> Holds:
    return lambda study: all(holds(study) for holds in several)


# What a study or one of its series is counted by.
_BY: dict[str, Callable[[Study, Series], str]] = {
    "modality": lambda _, series: series.modality,
    "station": lambda _, series: series.station,
    "Manufacturer": lambda _, series: series.manufacturer,
    "BodyPartExamined": lambda _, series: series.body_part,
    "PatientSex": lambda study, _: study.patient.sex,
    "StudyDescription": lambda study, _: study.description,
    "day": lambda study, _: study.day.isoformat() if study.day else EMPTY,
    "week": lambda study, _: "{}-W{:02}".format(*study.day.isocalendar()) if study.day else EMPTY,
    "month": lambda study, _: f"{study.day:%Y-%m}" if study.day else EMPTY,
    "year": lambda study, _: f"{study.day:%Y}" if study.day else EMPTY,
    "weekday": lambda study, _: f"{study.day:%A}" if study.day else EMPTY,
    "hour": lambda study, _: f"{study.hour:02}",
}


def _counted(
    what: str = "studies",
    by: Sequence[str] = (),
    *,
    holds: Holds = _any,
    modalities: Sequence[str] = (),
    series_holds: Callable[[Series], bool] = lambda _: True,
) -> Callable[[Sequence[Study]], Truth]:
    """How many of `what` in studies that hold; of modalities only series of theirs count."""

    def count(held: Sequence[Study]) -> Truth:
        everything: set[str] = set()
        groups: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for study in held:
            if not holds(study):
                continue
            for series in study.series:
                if (modalities and series.modality not in modalities) or not series_holds(series):
                    continue
                names = {
                    "studies": [study.uid],
                    "patients": [study.patient.patient_id],
                    "series": [series.uid],
                    "images": [f"{series.uid}.{n}" for n in range(series.images)],
                }[what]
                everything.update(names)
                groups[tuple(_BY[name](study, series) for name in by)].update(names)
        sizes = {group: len(names) for group, names in groups.items()} if by else {}
        return Truth(len(everything), sizes)

    return count


def _listed(holds: Holds, *, patients: bool = False) -> Callable[[Sequence[Study]], Truth]:
    def collect(held: Sequence[Study]) -> Truth:
        ids = frozenset(
            study.patient.patient_id if patients else study.uid for study in held if holds(study)
        )
        return Truth(len(ids), {}, ids)

    return collect


def _count(
    true: Callable[[Sequence[Study]], Truth], group_by: Sequence[str] = (), **arguments: Any
) -> Question:
    return Question("count_studies", {"group_by": [*group_by], **arguments}, true)


def _studies(holds: Holds, **arguments: Any) -> Question:
    return Question("query_studies", {"limit": 500, **arguments}, _listed(holds))


def _patients(holds: Holds, **arguments: Any) -> Question:
    return Question("query_patients", {"limit": 500, **arguments}, _listed(holds, patients=True))


_DAY, _WEEK, _MONTH = "2026-03-10", "20260309-20260315", "20260301-20260331"
_on_day = _between(date(2026, 3, 10), date(2026, 3, 10))
_in_week = _between(date(2026, 3, 9), date(2026, 3, 15))
_in_month = _between(date(2026, 3, 1), date(2026, 3, 31))
_since = _between(date(2026, 3, 24), date.max)

# The month is one question each; the rest has nothing to do with how much a month is.
SPANS: dict[str, tuple[str, Holds]] = {
    "a day": (_DAY, _on_day),
    "a week": (_WEEK, _in_week),
    "a month": (_MONTH, _in_month),
    "since Tuesday": ("20260324-", _since),
    "until the middle of March": ("-20260315", _between(date.min, date(2026, 3, 15))),
    "ever": ("", _any),
}


def _aged(years: int) -> Holds:
    """Born at least so many years before 31 March 2026."""
    return lambda study: study.patient.age(date(2026, 3, 31)) >= years


def _called(family: str, given: str = "") -> Holds:
    return lambda study: study.patient.name.startswith(f"{family}^{given}")


def _of_modality() -> dict[str, Question]:
    """Each span with each modality, whole and by everything it may be counted by."""
    questions: dict[str, Question] = {}
    for span, (days, holds) in SPANS.items():
        for modality in ("CT", "MR", "SR", "DX", "PT"):
            questions[f"{modality} studies of {span}"] = _count(
                _counted(holds=_all(holds, _has(modality))), study_date=days, modality=modality
            )
        for by in (
            *(["station"], ["Manufacturer"], ["BodyPartExamined"], ["hour"], ["week"], ["day"]),
            *(["station", "week"], ["PatientSex"], ["weekday"], ["modality", "month"]),
        ):
            questions[f"CT of {span} by {' and '.join(by)}"] = _count(
                _counted(by=by, holds=holds, modalities=["CT"]),
                by,
                study_date=days,
                modality="CT",
            )
        questions[f"studies of {span}"] = _count(_counted(holds=holds), study_date=days)
        questions[f"studies of {span} by modality"] = _count(
            _counted(by=["modality"], holds=holds), ["modality"], study_date=days
        )
        questions[f"patients of {span} with a CT"] = _count(
            _counted("patients", holds=holds, modalities=["CT"]),
            study_date=days,
            modality="CT",
            count="patients",
        )
        questions[f"patients of {span} of 75 and over with a CT"] = _count(
            _counted("patients", holds=_all(holds, _aged(75)), modalities=["CT"]),
            study_date=days,
            modality="CT",
            count="patients",
            where=["PatientBirthDate <= 19510331"],
        )
        questions[f"CT series of {span}"] = _count(
            _counted("series", holds=holds, modalities=["CT"]),
            study_date=days,
            modality="CT",
            count="series",
        )
        questions[f"MR images of {span} by body part"] = _count(
            _counted("images", ["BodyPartExamined"], holds=holds, modalities=["MR"]),
            ["BodyPartExamined"],
            study_date=days,
            modality="MR",
            count="images",
        )
    return questions


# What a person asks of one archive in one call.
LIFE: dict[str, Question] = {
    "how many CTs today": _count(
        _counted(holds=_all(_on_day, _has("CT"))), study_date=_DAY, modality="CT"
    ),
    "CTs and MRs of the week": _count(
        _counted(holds=_all(_in_week, _has("CT", "MR"))), study_date=_WEEK, modality="CT or MR"
    ),
    "CT per scanner this week": _count(
        _counted(by=["station"], holds=_in_week, modalities=["CT"]),
        ["station"],
        study_date=_WEEK,
        modality="CT",
    ),
    "CT per scanner and day this week": _count(
        _counted(by=["station", "day"], holds=_in_week, modalities=["CT"]),
        ["station", "day"],
        study_date=_WEEK,
        modality="CT",
    ),
    "studies per modality and month": _count(
        _counted(by=["modality", "month"]), ["modality", "month"]
    ),
    "patients of 75 and over with a CT": _count(
        _counted("patients", holds=_aged(75), modalities=["CT"]),
        count="patients",
        modality="CT",
        where=["PatientBirthDate <= 19510331"],
    ),
    "patients of 75 and over with a CT this month, by sex": _count(
        _counted("patients", ["PatientSex"], holds=_all(_in_month, _aged(75)), modalities=["CT"]),
        ["PatientSex"],
        count="patients",
        modality="CT",
        study_date=_MONTH,
        where=["PatientBirthDate <= 19510331"],
    ),
    "MRs without an accession number": _count(
        _counted(holds=_all(_has("MR"), lambda study: not study.accession)),
        modality="MR",
        where=["AccessionNumber is empty"],
    ),
    "CTs of the month without an accession number, by scanner": _count(
        _counted(
            by=["station"],
            holds=_all(_in_month, lambda study: not study.accession),
            modalities=["CT"],
        ),
        ["station"],
        modality="CT",
        study_date=_MONTH,
        where=["AccessionNumber is empty"],
    ),
    "which days of the month had no CT": _count(
        _counted(by=["day"], holds=_in_month, modalities=["CT"]),
        ["day"],
        modality="CT",
        study_date=_MONTH,
    ),
    "the busiest hour": _count(_counted(by=["hour"], holds=_in_month), ["hour"], study_date=_MONTH),
    "the busiest hour of the CTs": _count(
        _counted(by=["hour"], holds=_in_month, modalities=["CT"]),
        ["hour"],
        study_date=_MONTH,
        modality="CT",
    ),
    "the busiest weekday": _count(
        _counted(by=["weekday"], holds=_in_month), ["weekday"], study_date=_MONTH
    ),
    "series per scanner": _count(
        _counted("series", ["station"], holds=_in_week),
        ["station"],
        count="series",
        study_date=_WEEK,
    ),
    "images per modality": _count(
        _counted("images", ["modality"], holds=_in_week),
        ["modality"],
        count="objects",
        study_date=_WEEK,
    ),
    "chest CTs by maker": _count(
        _counted(
            by=["Manufacturer"],
            holds=_in_month,
            modalities=["CT"],
            series_holds=lambda series: series.body_part == "CHEST",
        ),
        ["Manufacturer"],
        study_date=_MONTH,
        modality="CT",
        where=["BodyPartExamined is CHEST"],
    ),
    "studies made on CT1": _count(
        _counted(holds=_in_month, series_holds=lambda series: series.station == "CT1"),
        study_date=_MONTH,
        where=["StationName is CT1"],
    ),
    "studies of heads": _count(
        _counted(series_holds=lambda series: series.body_part == "HEAD"),
        where=["BodyPartExamined is HEAD"],
    ),
    "women and men with a mammography": _count(
        _counted("patients", ["PatientSex"], modalities=["MG"]),
        ["PatientSex"],
        count="patients",
        modality="MG",
    ),
    "reported studies of the week": _count(
        _counted(holds=_all(_in_week, _has("SR"))), study_date=_WEEK, modality="SR"
    ),
    "PETs by week": _count(_counted(by=["week"], modalities=["PT"]), ["week"], modality="PT"),
    "ultrasounds by day": _count(
        _counted(by=["day"], holds=_in_week, modalities=["US"]),
        ["day"],
        study_date=_WEEK,
        modality="ultrasound",
    ),
    "CTs of the Bergers": _count(
        _counted(holds=_all(_has("CT"), _called("Berger"))), modality="CT", patient_name="Berger^*"
    ),
    "CTs of the Bergers of the month": _count(
        _counted(holds=_all(_in_month, _has("CT"), _called("Berger"))),
        modality="CT",
        patient_name="Berger^*",
        study_date=_MONTH,
    ),
    "studies by description": _count(
        _counted(by=["StudyDescription"], holds=_in_month),
        ["StudyDescription"],
        study_date=_MONTH,
    ),
    "CT descriptions": _count(
        _counted(by=["StudyDescription"], modalities=["CT"]), ["StudyDescription"], modality="CT"
    ),
    "studies called CT Chest": _count(
        _counted(holds=_all(_in_month, lambda study: study.description == "CT Chest")),
        study_description="=CT Chest",
        study_date=_MONTH,
    ),
    "all studies": _count(_counted()),
    "all patients": _count(_counted("patients"), count="patients"),
    "all series": _count(_counted("series"), count="series"),
    "all images": _count(_counted("images"), count="objects"),
    "everything by modality": _count(_counted(by=["modality"]), ["modality"]),
    "everything by year": _count(_counted(by=["year"]), ["year"]),
    "the CTs of a day": _studies(
        _all(_on_day, _has("CT")), study_date=_DAY, modality_in_study="CT"
    ),
    "the CTs of a week": _studies(
        _all(_in_week, _has("CT")), study_date=_WEEK, modality_in_study="CT"
    ),
    "the MRs of a week": _studies(
        _all(_in_week, _has("MR")), study_date=_WEEK, modality_in_study="MR"
    ),
    "the PETs": _studies(_has("PT"), modality_in_study="PT"),
    "the studies of a day": _studies(_on_day, study_date=_DAY),
    "the studies of a week": _studies(_in_week, study_date=_WEEK),
    "the studies of Anna Berger": _studies(_called("Berger", "Anna"), patient_name="Anna Berger"),
    "the CTs of Anna Berger": _studies(
        _all(_called("Berger", "Anna"), _has("CT")),
        patient_name="Anna Berger",
        modality_in_study="CT",
    ),
    "the studies of one patient": _studies(
        lambda study: study.patient.patient_id == "P00007", patient_id="P00007"
    ),
    "the CTs of one patient": _studies(
        _all(lambda study: study.patient.patient_id == "P00007", _has("CT")),
        patient_id="P00007",
        modality_in_study="CT",
    ),
    "one accession number": _studies(
        lambda study: study.accession == "A000123", accession_number="A000123"
    ),
    "the patients called Berger": _patients(_called("Berger"), name_pattern="Berger^*"),
    "the patients born in March 1950": _patients(
        lambda study: f"{study.patient.born:%Y%m}" == "195003", birth_date="19500301-19500331"
    ),
    "the patients born since 1990": _patients(
        lambda study: study.patient.born >= date(1990, 1, 1), birth_date="19900101-"
    ),
    "the patient with an ID": _patients(
        lambda study: study.patient.patient_id == "P00011", patient_id="P00011"
    ),
}

QUESTIONS: dict[str, Question] = {**_of_modality(), **LIFE}


def is_too_long(question: Question, held: Sequence[Study]) -> bool:
    """Whether an answer cannot have room for all that is true, so that it must be marked."""
    truth = question.true(held)
    most = question.arguments.get("limit", truth.total)
    return truth.total > most or len(truth.groups) > 200


def faults(question: Question, answer: dict[str, Any], held: Sequence[Study]) -> list[str]:
    """What is wrong with an answer: what is not true, and what is missing without a word."""
    truth = question.true(held)
    marked = answer["complete"] is False and any("Not complete" in note for note in answer["notes"])
    if answer["complete"] is False and not marked:
        return ["not complete, and no note says why"]
    if question.tool != "count_studies":
        key = "PatientID" if question.tool == "query_patients" else "StudyInstanceUID"
        told = {**answer.get("common", {})}
        given = {str({**told, **record}.get(key)) for record in answer["records"]}
        if given - truth.ids:
            return [f"{len(given - truth.ids)} records that do not match"]
        missing = len(truth.ids - given)
        return (
            [f"{missing} of {truth.total} left out without a word"]
            if missing and not marked
            else []
        )
    return _faults_of_count(question, answer, truth, marked=marked)


def _faults_of_count(
    question: Question, answer: dict[str, Any], truth: Truth, *, marked: bool
) -> list[str]:
    told = _groups_of(question, answer)
    untrue = [group for group, number in told.items() if number > truth.groups.get(group, 0)]
    if answer["total"] > truth.total or untrue:
        return [f"{answer['total']} of {truth.total}; too many in {untrue}"]
    if marked:
        return []
    if answer["total"] != truth.total:
        return [f"{answer['total']} of {truth.total} without a word"]
    if told != truth.groups:
        return [f"{len(truth.groups)} groups are {len(told)} or smaller, without a word"]
    return []


def _groups_of(question: Question, answer: dict[str, Any]) -> Groups:
    names = {"station": "StationName", "date": "day"}
    by = [names.get(name, name) for name in question.arguments["group_by"]]
    return {tuple(str(group[name]) for name in by): group["count"] for group in answer["groups"]}
