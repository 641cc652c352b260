"""Cohorts of small archives made at random, where many values are missing, against an evaluation
of the same criteria patient by patient."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

import duckdb
import pytest

from dicom_mcp.errors import BadArgument
from dicom_mcp.index.columns import TABLES
from dicom_mcp.index.criterion import criterion
from dicom_mcp.index.examination import examination
from dicom_mcp.index.funnel import funnel

TODAY = date(2026, 3, 31)

type Truth = bool | None
type Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Study:
    """One study, its series, and what was read of their objects."""

    row: Row
    series: list[Row]
    headers: list[Row] = field(default_factory=list[Row])
    reports: list[Row] = field(default_factory=list[Row])


# Criteria, and what they mean of a study and one of its series.
CRITERIA: dict[tuple[str, Any], Callable[[Row, Row], Truth]] = {
    ("modality", "CT"): lambda _, series: same(series["modality"], "CT"),
    ("modality", "MR or US"): lambda _, series: among(series["modality"], ("MR", "US")),
    ("modality", "not CT"): lambda _, series: negated(same(series["modality"], "CT")),
    ("body_part", "chest"): lambda _, series: same(series["body_part"], "CHEST"),
    ("sex", "female"): lambda study, _: same(study["sex"], "F"),
    ("age", ">=60"): lambda study, _: aged(study, 60, 999),
    ("age", "18-65"): lambda study, _: aged(study, 18, 65),
    ("study_date", "February 2026"): lambda study, _: within(
        study["study_date"], date(2026, 2, 1), date(2026, 2, 28)
    ),
    ("image_count", ">100"): lambda study, _: within(study["image_count"], 101, 10**9),
    ("study_description", "THÓRAX"): lambda study, _: holds(study["study_description"], "thorax"),
}
OF_SERIES = ("modality", "body_part")


def same(value: Any, wanted: Any) -> Truth:
    return None if value is None else value == wanted


def among(value: Any, wanted: Sequence[Any]) -> Truth:
    return None if value is None else value in wanted


def negated(truth: Truth) -> Truth:
    return None if truth is None else not truth


def within(value: Any, low: Any, high: Any) -> Truth:
    return None if value is None else low <= value <= high


def holds(value: str | None, part: str) -> Truth:
    return None if value is None else part in value.lower()


def aged(study: Row, low: int, high: int) -> Truth:
    born, on = study["birth_date"], study["study_date"]
    if born is None or on is None or on < born:
        return None
    years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return low <= years <= high


def every(truths: Sequence[Truth]) -> Truth:
    return False if False in truths else None if None in truths else True


def at_least(truths: Sequence[Truth], count: int) -> Truth:
    if truths.count(True) >= count:
        return True
    return None if truths.count(True) + truths.count(None) >= count else False


def fulfils(study: Study, criteria: Sequence[tuple[str, Any]]) -> Truth:
    """By one series of the study."""
    own = [CRITERIA[item](study.row, {}) for item in criteria if item[0] not in OF_SERIES]
    of_series = [item for item in criteria if item[0] in OF_SERIES]
    if not of_series:
        return every(own)
    one = [every([CRITERIA[item](study.row, row) for item in of_series]) for row in study.series]
    return every([*own, at_least(one, 1) if study.series else None])


def archive(random: Random) -> list[Study]:
    """Some patients' studies, of which much is unknown."""

    def some(*values: Any) -> Any:
        return random.choice([*values, None])

    made: list[Study] = []
    for patient in range(random.randint(2, 7)):
        identified = some(f"P{patient}", f"P{patient}", f"P{patient}")
        about = {
            "patient_id": identified,
            "issuer": None,
            "sex": some("F", "M"),
            "birth_date": some(date(1950, 3, 1), date(1990, 2, 10), date(2020, 1, 1)),
        }
        for _ in range(random.randint(1, 4)):
            uid = f"1.2.{len(made)}"
            row = {
                **about,
                "study_uid": uid,
                "study_date": some(*(date(2026, 1, 20) + timedelta(days=7 * n) for n in range(6))),
                "study_description": some("CT Thorax", "Schädel", "Knee"),
                "image_count": some(1, 100, 101, 900),
            }
            series = [
                {
                    "series_uid": f"{uid}.{number}",
                    "study_uid": uid,
                    "modality": some("CT", "MR", "US"),
                    "body_part": some("CHEST", "HEAD"),
                }
                for number in range(random.randint(0, 3))
            ]
            made.append(Study(row, series))
    return made


def tables(studies: Sequence[Study]) -> duckdb.DuckDBPyConnection:
    engine = duckdb.connect(":memory:")
    rows = {
        "studies": [study.row for study in studies],
        "series": [row for study in studies for row in study.series],
        "headers": [row for study in studies for row in study.headers],
        "reports": [row for study in studies for row in study.reports],
    }
    for table, several in rows.items():
        columns = TABLES[table]
        declared = ", ".join(f"{column.name} {column.type}" for column in columns)
        engine.execute(f"CREATE TABLE {table} ({declared})")
        for row in several:
            values = [row.get(column.name) for column in columns]
            marks = ", ".join("?" * len(values))
            engine.execute(f"INSERT INTO {table} VALUES ({marks})", values)
    return engine


def asked(random: Random, *, anchored: bool) -> dict[str, Any]:
    wanted: dict[str, Any] = dict(random.sample(sorted(CRITERIA, key=str), random.randint(1, 3)))
    if random.random() < 0.3:
        wanted["at_least"] = 2
    if not anchored and random.random() < 0.6:
        wanted["days"] = random.choice(["14", "0..21", "-30..-1"])
    if random.random() < 0.3:
        which = random.choice(["last_of", "first_of"])
        wanted[which] = dict([random.choice([*CRITERIA])]) if random.random() < 0.7 else {}
    return wanted


def span(days: str) -> tuple[int, int]:
    low, _, high = days.partition("..")
    return (int(low), int(high)) if high else (-int(low), int(low))


def truth_of(study: Study, mine: Sequence[Study], wanted: dict[str, Any]) -> Truth:
    """Whether a study is such an examination, among all studies of its patient."""
    criteria = [item for item in CRITERIA if wanted.get(item[0]) == item[1]]
    found = fulfils(study, criteria) if criteria else True
    for which in ("last_of", "first_of"):
        if which in wanted:
            among_them = [*wanted[which].items()]
            found = every([outermost(study, mine, among_them, which), found])
    return found


def outermost(
    study: Study, mine: Sequence[Study], criteria: Sequence[tuple[str, Any]], which: str
) -> Truth:
    own = fulfils(study, criteria) if criteria else True
    if own is False:
        return False
    on = study.row["study_date"]
    doubt = on is None
    for other in mine:
        truth = fulfils(other, criteria) if criteria else True
        when = other.row["study_date"]
        if truth is False or other is study:
            continue
        if when is None or on is None:
            doubt = True
        elif (when > on) if which == "last_of" else (when < on):
            if truth:
                return False
            doubt = True
    return None if doubt else own


def patients_of(
    studies: Sequence[Study], has: Sequence[dict[str, Any]], without: Sequence[dict[str, Any]]
) -> tuple[int, int, set[str]]:
    """How many patients have all, of how many that is not known, and the studies meant."""
    others_of = [*((wanted, False) for wanted in has[1:]), *((wanted, True) for wanted in without)]
    whose: dict[str, list[Study]] = defaultdict(list)
    for study in studies:
        whose[study.row["patient_id"] or study.row["study_uid"]].append(study)
    left, unsure, meant = 0, 0, set[str]()
    for mine in whose.values():
        anchors: list[Truth] = []
        pairs: list[list[tuple[Study, Truth]]] = []
        for first in mine:
            parts = [truth_of(first, mine, has[0])]
            others: list[tuple[Study, Truth]] = []
            for wanted, is_without in others_of:
                if "days" not in wanted:
                    continue
                near = [
                    (other, every([truth_of(other, mine, wanted), apart(first, other, wanted)]))
                    for other in mine
                ]
                truth = at_least([t for _, t in near], wanted.get("at_least", 1))
                parts.append(negated(truth) if is_without else truth)
                others += [] if is_without else near
            anchors.append(every(parts))
            pairs.append(others)
        states = [at_least(anchors, has[0].get("at_least", 1))]
        elsewhere: list[tuple[Study, Truth]] = []
        for wanted, is_without in others_of:
            if "days" in wanted:
                continue
            truths = [(study, truth_of(study, mine, wanted)) for study in mine]
            truth = at_least([t for _, t in truths], wanted.get("at_least", 1))
            states.append(negated(truth) if is_without else truth)
            elsewhere += [] if is_without else truths
        state = every(states)
        left += state is True
        unsure += state is None
        if state:
            for first, truth, others in zip(mine, anchors, pairs, strict=True):
                if truth:
                    meant |= {first.row["study_uid"], *(o.row["study_uid"] for o, t in others if t)}
            meant |= {study.row["study_uid"] for study, truth in elsewhere if truth}
    return left, unsure, meant


def apart(first: Study, other: Study, wanted: dict[str, Any]) -> Truth:
    """Whether the other one is so many days from the first."""
    low, high = span(wanted["days"])
    on, when = first.row["study_date"], other.row["study_date"]
    return None if on is None or when is None else low <= (when - on).days <= high


@pytest.mark.parametrize("seed", range(40))
def test_a_cohort_is_what_its_criteria_say_of_each_patient(seed: int) -> None:
    random = Random(seed)
    for _ in range(4):
        studies = archive(random)
        has = [asked(random, anchored=True)]
        has += [asked(random, anchored=False) for _ in range(random.randint(0, 2))]
        without = [asked(random, anchored=False) for _ in range(random.randint(0, 1))]
        read = [[examination(item, TODAY) for item in some] for some in (has, without)]
        made = funnel(read[0], read[1])
        with tables(studies) as engine:
            ((everybody, left, undecided, meant, _),) = engine.execute(made.sql).fetchall()
        told = (left[-1], undecided[-1], set[str](meant or ()))
        assert told == patients_of(studies, has, without), (has, without)
        assert len(made.steps) == len(left)
        assert [*left] == sorted(left, reverse=True)
        assert left[0] + undecided[0] <= everybody


@pytest.mark.parametrize(
    ("name", "value", "held", "truth"),
    [
        ("sex", "f", {"sex": "F"}, True),
        ("sex", "women", {"sex": "F"}, True),
        ("manufacturer", "acme", {"manufacturer": "ACME Imaging"}, True),
        ("manufacturer", "toshiba", {"manufacturer": "Canon"}, True),
        ("manufacturer", "GE", {"manufacturer": "Agfa"}, False),
        ("manufacturer", "Sie*", {"manufacturer": "Siemens"}, True),
        ("body_part", "head", {"body_part": "BRAIN"}, True),
        ("body_part", "brain", {"body_part": "HEAD"}, None),
        ("body_part", "chest", {"body_part": "WHOLEBODY"}, None),
        ("body_part", "chest", {"body_part": "CHEST, ABDOMEN"}, True),
        ("body_part", "chest and abdomen", {"body_part": "CHEST"}, False),
        ("body_part", "chest", {}, None),
        ("study_description", "thorax ct", {"study_description": "CT Thorax"}, True),
        ("study_description", "Schaedel", {"study_description": "CT SCHÄDEL nativ"}, True),
        ("study_description", "=ct", {"study_description": "CT Thorax"}, False),
        ("study_description", "CT*nativ", {"study_description": "ct schädel NATIV"}, True),
        ("study_description", "100%", {"study_description": "1000"}, False),
        ("study_description", "without contrast", {"study_description": "CT with contrast"}, False),
        ("study_description", ["", "thorax"], {"study_description": "Knee"}, False),
        ("description", "angio", {"series_description": "MR Angio"}, True),
        (
            "description",
            "not angio",
            {"study_description": "MR", "series_description": "Angio"},
            False,
        ),
        ("description", "not angio", {"study_description": "MR"}, True),
        ("description", "none", {}, True),
        ("description", "angio", {}, None),
        ("patient_name", "jane mueller", {"patient_name": "Müller^Jane"}, True),
        ("accession_number", "a-1", {"accession_number": "A-1"}, True),
        ("accession_number", "1", {"accession_number": "01"}, False),
        ("image_count", ">1000", {"image_count": 1000}, False),
        ("image_count", "more than 999", {"image_count": 1000}, True),
        ("study_time", "18:00-06:00", {"study_time": "23:30:00"}, True),
        ("study_time", "18:00-06:00", {"study_time": "12:00:00"}, False),
        ("age", "1", {"birth_date": "2020-02-29", "study_date": "2021-02-28"}, True),
        ("age", "<6 months", {"birth_date": "2025-09-02", "study_date": "2026-03-01"}, True),
        ("age", "<6 months", {"birth_date": "2025-09-01", "study_date": "2026-03-01"}, False),
        ("age", "over 60", {"birth_date": "1966-01-01", "study_date": "2026-03-01"}, False),
        ("age", "60 or older", {"birth_date": "1966-01-01", "study_date": "2026-03-01"}, True),
        ("age", "60", {"birth_date": "2027-01-01", "study_date": "2026-03-01"}, None),
    ],
)
def test_a_criterion_is_what_people_mean_by_it(
    name: str, value: object, held: dict[str, Any], truth: Truth
) -> None:
    """Of one study with one series, which have these values and no others."""
    study = {key: held.get(key) for key in (column.name for column in TABLES["studies"])}
    series = {key: held.get(key) for key in (column.name for column in TABLES["series"])}
    row = Study({**study, "study_uid": "1"}, [{**series, "study_uid": "1", "series_uid": "2"}])
    with tables([row]) as engine:
        made = funnel([examination({name: value}, TODAY)])
        ((_, left, undecided, _, _),) = engine.execute(made.sql).fetchall()
    assert (left, undecided) == ([int(truth is True)], [int(truth is None)])


def test_only_the_patients_of_a_cohort_are_looked_at() -> None:
    random = Random(3)
    studies = archive(random)
    chosen = studies[0].row["study_uid"]
    mine = (
        [study for study in studies if study.row["patient_id"] == studies[0].row["patient_id"]]
        if studies[0].row["patient_id"]
        else [studies[0]]
    )
    for among, count in (([chosen], len(mine)), ([], 0), (["'"], 0)):
        made = funnel([examination({"study_uid": "not 1"}, TODAY)], (), among)
        with tables(studies) as engine:
            ((every, _, _, meant, _),) = engine.execute(made.sql, [*made.values]).fetchall()
        assert every == (1 if count else 0)
        assert len(meant or ()) == count


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (30, "within 30 days of the first"),
        ("within 1 day", "within 1 day of the first"),
        ("0..30", "from day 0 to day 30 after the first"),
        ("-30 to 0", "from day -30 to day 0 after the first"),
        ("30..", "from day 30 after the first on"),
        ("after", "from day 1 after the first on"),
        ("before", "up to day -1 after the first"),
    ],
)
def test_an_interval_says_how_it_was_understood(days: object, said: str) -> None:
    assert examination({"modality": "MR", "days": days}, TODAY).said == [f"modality MR, {said}"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("Body Part", "Thorax", "body part CHEST"),
        ("modality", ["CT", "MR"], "modality CT or MR"),
        ("modality", "ultrasound", "modality US"),
        ("age", "<6 months", "age <6 months"),
        ("study_date", "2025", "study date 20250101-20251231"),
        ("accession_number", 104217, "accession number 104217"),
        ("study_description", ["not angio", "not PET"], "study description not angio and not PET"),
        ("manufacturer", "toshiba medical", "manufacturer Canon"),
        ("birth_date", "none", "birth date none"),
    ],
)
def test_a_criterion_says_how_it_was_understood(name: str, value: object, said: str) -> None:
    assert criterion(name, value, TODAY).said == said


@pytest.mark.parametrize(
    ("asked_for", "told"),
    [
        ({"modalty": "CT"}, "Did you mean modality"),
        ({"colour": "red"}, "there is no criterion"),
        ({}, "has no criterion"),
        ({"modality": "CT", "days": "30..1"}, "ends before it begins"),
        ({"modality": "CT", "days": "soon"}, "is no interval"),
        ({"modality": "CT", "days": "-30"}, "is no interval"),
        ({"modality": "CT", "days": "<30"}, "is no interval"),
        ({"image_count": "1,000"}, "is no number"),
        ({"age": "6 months - 2 years"}, "has two units"),
        ({"age": "4.5-6"}, "has two units"),
        ({"modality": "CT", "at_least": 0}, "no number of studies"),
        ({"modality": ""}, "is empty"),
        ({"modality": []}, "is empty"),
        ({"modality": {"is": "CT"}}, "neither text nor number"),
        ({"age": "old"}, "age='old' is none"),
        ({"age": "60-50"}, "ends before it begins"),
        ({"image_count": "many"}, "is no number"),
        ({"study_date": "20261340"}, "is not a date"),
        ({"study_time": "25:00"}, "is no time of day"),
        ({"body_part": "qwxz"}, "body_part='qwxz' is none"),
        ({"last_of": "CT"}, "is not criteria"),
        ({"last_of": {}, "first_of": {}}, "Give one of them"),
        ({"last_of": {"which": "CT"}}, "there is no criterion"),
    ],
)
def test_what_is_no_criterion_gets_a_sentence(asked_for: dict[str, Any], told: str) -> None:
    with pytest.raises(BadArgument) as error:
        examination(asked_for, TODAY)
    assert told in str(error.value)


def test_text_of_a_criterion_is_never_sql() -> None:
    nasty = "x') OR true; DROP TABLE studies; --"
    studies = archive(Random(1))
    for name in ("study_description", "patient_name", "accession_number", "station"):
        with tables(studies) as engine:
            made = funnel([examination({name: nasty}, TODAY)])
            ((_, left, _, _, _),) = engine.execute(made.sql).fetchall()
            assert left == [0]
            assert engine.execute("SELECT count(*) FROM studies").fetchone() == (len(studies),)
