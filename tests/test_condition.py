"""Conditions that are compared here, against plain loops over the objects."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

import pytest
from pydicom.config import IGNORE
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.errors import BadArgument, BadAttribute
from dicom_mcp.node import Node
from dicom_mcp.studies.condition import Condition
from dicom_mcp.studies.relation import FORMS, FORMS_OF_QUANTITIES
from tests.asking import ask, fail, listed
from tests.notes import the_note
from tests.truth.archives import images

TODAY = date(2026, 3, 31)

# Ages as scanners write them, birth dates, and how old that is in years.
AGES: tuple[tuple[str, str, int], ...] = (
    ("042Y", "19840101", 42),
    ("42Y", "", 42),
    ("42", "", 42),
    ("075Y", "", 75),
    ("041Y", "", 41),
    ("040Y", "", 40),
    ("017Y", "", 17),
    ("003M", "", 0),
    ("010D", "", 0),
    ("006W", "", 0),
    ("", "20250102", 0),  # one day before the first birthday
    ("", "20250101", 1),
    ("", "19600615", 65),
    ("OLD", "19500101", 76),
)
NOT_KNOWN: tuple[tuple[str, str], ...] = (("OLD", ""), ("", ""))


def _aged(pairs: Sequence[tuple[str, str]]) -> list[Dataset]:
    made: list[Dataset] = []
    for study, (age, born) in enumerate(pairs, start=1):
        made += images(1, study=study, PatientBirthDate=born)
        made[-1]["PatientAge"] = DataElement("PatientAge", "AS", age, validation_mode=IGNORE)
    return made


@pytest.fixture(scope="module")
def ages() -> Iterator[Node]:
    held = _aged([(age, born) for age, born, _ in AGES])
    with EmbeddedArchive(held, ae_title="AGES") as archive:
        yield Node(port=archive.port, called_ae_title="AGES")


BY_AGE: dict[str, Callable[[int], bool]] = {
    "age > 40": lambda years: years > 40,
    "age>=40": lambda years: years >= 40,
    "PatientAge < 18": lambda years: years < 18,
    "PatientAge less than 1": lambda years: years < 1,
    "age more than 74": lambda years: years > 74,
    "age is 42": lambda years: years == 42,
    "age is not 42": lambda years: years != 42,
    "age is 42 or 75": lambda years: years in (42, 75),
    "age between 40 and 60": lambda years: 40 <= years <= 60,
    "age 40-60": lambda years: 40 <= years <= 60,
    "age not between 40 and 60": lambda years: not 40 <= years <= 60,
    "over 75": lambda years: years > 75,
    "under 18": lambda years: years < 18,
    "older than 41": lambda years: years > 41,
    "younger than 1": lambda years: years < 1,
    "patients aged 40 to 60": lambda years: 40 <= years <= 60,
    "age at least 75": lambda years: years >= 75,
    "age ≥ 75": lambda years: years >= 75,
    "age is 75 or older": lambda years: years >= 75,
    "age 75+": lambda years: years >= 75,
    "age at most 1": lambda years: years <= 1,
    "age is not over 40": lambda years: years <= 40,
    "age is not equal to 42": lambda years: years != 42,
    "age is equal to 42": lambda years: years == 42,
    "60 < age": lambda years: years > 60,
    "age in 40-60": lambda years: 40 <= years <= 60,
    "age under one year": lambda years: years < 1,
    "patient is older than 60": lambda years: years > 60,
    "PatientAge > 040Y": lambda years: years > 40,
}


@pytest.mark.parametrize("condition", list(BY_AGE))
def test_ages_are_compared_as_scanners_write_them_and_by_birth_date_where_there_is_none(
    ages: Node, condition: str
) -> None:
    answer = ask(ages, "count_studies", where=[condition])
    expected = sum(BY_AGE[condition](years) for *_, years in AGES)
    assert (answer["total"], answer["complete"]) == (expected, True)
    assert answer["compared"][0].startswith("PatientAge ")


def test_months_are_compared_in_months(ages: Node) -> None:
    # 1 month (6 weeks) and 3 months are told; 10 days are none, a day before one year is 11.
    answer = ask(ages, "count_studies", where=["age < 6 months"])
    assert (answer["total"], answer["complete"]) == (3, True)
    answer = ask(ages, "count_studies", where=["age between 6 and 18 months"])
    assert (answer["total"], answer["complete"]) == (2, True)


def test_an_age_that_is_not_known_is_neither_and_is_told() -> None:
    held = _aged([(age, born) for age, born, _ in AGES] + [*NOT_KNOWN])
    with EmbeddedArchive(held, ae_title="AGES") as archive:
        node = Node(port=archive.port, called_ae_title="AGES")
        for condition in ("age > 40", "age at most 1", "age is not 42"):
            answer = ask(node, "count_studies", where=[condition])
            assert answer["total"] == sum(BY_AGE[condition](years) for *_, years in AGES)
            assert not answer["complete"]
            assert any("Not complete: 2 studies" in note for note in answer["notes"])
        by_age = ask(node, "count_studies", group_by=["age"])
        groups = {group["age"]: group["count"] for group in by_age["groups"]}
        assert groups["(not readable)"] == 1
        assert groups["(empty)"] == 1


def test_an_age_that_is_too_coarse_to_compare_is_neither_and_is_told() -> None:
    held = _aged([("001Y", ""), ("001Y", "20240901"), ("002Y", "")])
    with EmbeddedArchive(held, ae_title="AGES") as archive:
        node = Node(port=archive.port, called_ae_title="AGES")
        answer = ask(node, "count_studies", where=["age >= 18 months"])
        assert answer["total"] == 1  # 001Y born in September 2024 is 16 months
        assert not answer["complete"]
        assert "Not complete: 1 studies" in " ".join(answer["notes"])


def test_ages_are_a_way_to_group(ages: Node) -> None:
    by_age = ask(ages, "count_studies", group_by=["age"])
    assert {g["age"]: g["count"] for g in by_age["groups"]} == {
        str(years): sum(other == years for *_, other in AGES) for *_, years in AGES
    }
    by_decade = ask(ages, "count_studies", group_by=["age decade"])
    groups = {g["age decade"]: g["count"] for g in by_decade["groups"]}
    assert groups["40-49"] == sum(40 <= years <= 49 for *_, years in AGES)
    assert groups["0-9"] == sum(years <= 9 for *_, years in AGES)


type Series = dict[str, Any]

# Studies, each with its series; what none of them says is absent.
STUDIES: tuple[tuple[Series, ...], ...] = (
    ({"Modality": "CT", "StationName": "CT1", "SliceThickness": "5", "KVP": "120"},),
    (
        {"Modality": "CT", "StationName": "CT2", "SliceThickness": "0.6", "KVP": "80"},
        {"Modality": "SR", "StationName": "WS"},
    ),
    ({"Modality": "MR", "StationName": "MR1", "SliceThickness": "3.0", "RepetitionTime": "2000"},),
    ({"Modality": "SR", "StationName": "WS"},),
    (
        {"Modality": "CT", "StationName": "CT1", "SliceThickness": "1.5", "KVP": "100"},
        {"Modality": "MR", "StationName": "MR1", "SliceThickness": "5"},
    ),
)
OF_STUDY: tuple[dict[str, str], ...] = (
    {"StudyDate": "20251231", "StudyTime": "175959", "StudyDescription": "CT or MR"},
    {"StudyDate": "20260101", "StudyTime": "180000", "StudyDescription": "CT Thorax w/o"},
    {"StudyDate": "20260115", "StudyTime": "1830", "StudyDescription": "MR Head and Neck"},
    {"StudyDate": "20260201", "StudyTime": "22", "StudyDescription": "T1 +C 50%"},
    {"StudyDate": "20260331", "StudyTime": "053000.12", "StudyDescription": ""},
)
BORN = ("19591231", "19600101", "19601231", "19610101", "19700101")
SEXES = ("F", "M", "M", "F", "O")


@pytest.fixture(scope="module")
def held() -> list[Dataset]:
    made: list[Dataset] = []
    for study, (several, attributes) in enumerate(zip(STUDIES, OF_STUDY, strict=True), start=1):
        for number, series in enumerate(several, start=1):
            made += images(
                1,
                study=study,
                PatientBirthDate=BORN[study - 1],
                PatientSex=SEXES[study - 1],
                **attributes,
                **series,
            )
            made[-1].SeriesInstanceUID += str(number)
            made[-1].SOPInstanceUID += str(number)
    return made


@pytest.fixture(scope="module")
def node(held: list[Dataset]) -> Iterator[Node]:
    with EmbeddedArchive(held, ae_title="MIXED") as archive:
        yield Node(port=archive.port, called_ae_title="MIXED")


def _any(keyword: str, test: Callable[[str], bool]) -> Callable[[list[Dataset]], bool]:
    return lambda series: any(test(str(one[keyword].value)) for one in series if keyword in one)


def _none(keyword: str, test: Callable[[str], bool]) -> Callable[[list[Dataset]], bool]:
    return lambda series: not _any(keyword, test)(series)


# What is asked, and of which studies it is true, told by all of a study's objects.
ASKED: dict[str, Callable[[list[Dataset]], bool]] = {
    "birth date is less than 1960": _any("PatientBirthDate", lambda day: day < "1960"),
    "PatientBirthDate > 1960": _any("PatientBirthDate", lambda day: day > "19601231"),
    "born in 1960": _any("PatientBirthDate", lambda day: day[:4] == "1960"),
    "StudyDate < 2026": _any("StudyDate", lambda day: day < "20260101"),
    "StudyDate >= 2026-01-15": _any("StudyDate", lambda day: day >= "20260115"),
    "StudyDate is 2026-01": _any("StudyDate", lambda day: day[:6] == "202601"),
    "StudyDate is not 2026-01": _any("StudyDate", lambda day: day[:6] != "202601"),
    "StudyDate between 2026-01-01 and 2026-02-01": _any(
        "StudyDate", lambda day: "20260101" <= day <= "20260201"
    ),
    "StudyTime at 18:00 or later": _any("StudyTime", lambda time: time >= "18"),
    "StudyTime after 6 pm": _any("StudyTime", lambda time: time > "180000"),
    "StudyTime before 18:00": _any("StudyTime", lambda time: time < "18"),
    "StudyTime between 22:00 and 6:00": _any("StudyTime", lambda time: time < "06" or time >= "22"),
    "SliceThickness > 3 mm": _any("SliceThickness", lambda mm: float(mm) > 3),
    "slice thickness at most 0.15 cm": _any("SliceThickness", lambda mm: float(mm) <= 1.5),
    "slice thickness is 0,6 mm": _any("SliceThickness", lambda mm: float(mm) == 0.6),
    "KVP is 120 kV": _any("KVP", lambda kv: float(kv) == 120),
    "KVP is 80 or 100": _any("KVP", lambda kv: float(kv) in (80, 100)),
    "RepetitionTime more than 1 s": _any("RepetitionTime", lambda ms: float(ms) > 1000),
    "modality is not CT": _none("Modality", lambda code: code == "CT"),
    "modality is CT or MR": _any("Modality", lambda code: code in ("CT", "MR")),
    "modality contains CT or MR": _any("Modality", lambda code: code in ("CT", "MR")),
    "modality is neither CT nor MR": _none("Modality", lambda code: code in ("CT", "MR")),
    "modality is magnetic resonance": _any("Modality", lambda code: code == "MR"),
    "station is CT*": _any("StationName", lambda name: name.startswith("CT")),
    "station is one of CT2, MR1": _any("StationName", lambda name: name in ("CT2", "MR1")),
    "station is not WS": _none("StationName", lambda name: name == "WS"),
    "station does not contain ct": _none("StationName", lambda name: "CT" in name),
    "StudyDescription contains CT or MR": _any(
        "StudyDescription", lambda text: "CT" in text or "MR" in text
    ),
    'StudyDescription is "CT or MR"': _any("StudyDescription", lambda text: text == "CT or MR"),
    "StudyDescription contains head and neck": _any(
        "StudyDescription", lambda text: "Head" in text and "Neck" in text
    ),
    "StudyDescription contains w/o": _any("StudyDescription", lambda text: "w/o" in text),
    "StudyDescription contains T1 +C": _any("StudyDescription", lambda text: "T1 +C" in text),
    "StudyDescription ends with 50%": _any("StudyDescription", lambda text: text.endswith("50%")),
    "StudyDescription starts with CT": _any("StudyDescription", lambda t: t.startswith("CT")),
    "StudyDescription is not equal to CT Thorax w/o": _none(
        "StudyDescription", lambda text: text == "CT Thorax w/o"
    ),
    "StudyDescription contains both head and neck": _any(
        "StudyDescription", lambda text: "Head" in text and "Neck" in text
    ),
    "StudyDescription is like CT*": _any("StudyDescription", lambda t: t.startswith("CT")),
    "StudyDescription does not match *or*": _none("StudyDescription", lambda t: "or" in t),
    "modality <> CT": _none("Modality", lambda code: code == "CT"),
    "StudyDescription is not empty": _any("StudyDescription", bool),
    "no study description": _any("StudyDescription", lambda text: not text),
    "sex is female": _any("PatientSex", lambda sex: sex == "F"),
    "sex is not male": _any("PatientSex", lambda sex: sex != "M"),
}


@pytest.mark.parametrize("condition", list(ASKED))
@pytest.mark.parametrize("count", ["studies", "patients"])
def test_a_condition_is_true_of_what_a_plain_loop_says(
    node: Node, held: list[Dataset], condition: str, count: str
) -> None:
    of_study: dict[str, list[Dataset]] = {}
    for one in held:
        of_study.setdefault(one.StudyInstanceUID, []).append(one)
    answer = ask(node, "count_studies", where=[condition], count=count)
    # Every study is another patient's here.
    assert answer["total"] == sum(map(ASKED[condition], of_study.values()))
    assert answer["complete"]
    assert len(answer["compared"]) == 1


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("StudyDate before last month", "before 20260201"),
        ("StudyDate after last Monday", "after 20260330"),
        ("StudyDate older than 30 days", "before 20260301"),
        ("StudyDate since Q1 2026", "from 20260101"),
        ("StudyDate until 2025", "up to 20251231"),
    ],
)
def test_days_in_words_are_told_as_the_days_that_were_compared(condition: str, said: str) -> None:
    assert Condition.of(condition, today=TODAY).said == f"StudyDate is {said}"


def test_an_answer_tells_of_which_parts_a_condition_is_true(node: Node) -> None:
    where = ["modality is not CT", "station is WS"]
    answer = ask(node, "count_studies", where=where)
    assert answer["compared"] == [
        "Modality is not CT: of all of the series of each study counted",
        "StationName is 'WS': of at least one of the series of each study counted",
    ]
    series = ask(node, "count_studies", where=["modality is not CT"], count="series")
    assert series["compared"] == ["Modality is not CT"]
    assert series["total"] == sum(one["Modality"] != "CT" for several in STUDIES for one in several)


def test_the_values_that_are_there_are_told_when_none_is_as_asked(node: Node) -> None:
    answer = ask(node, "count_studies", where=["station is Aera"])
    assert answer["total"] == 0
    assert the_note(answer["notes"], "there are", "CT1 (2)")


@pytest.mark.parametrize(
    ("condition", "remedy"),
    [
        ("StudyDescription > 5", "contains X"),
        ("PatientName < M", "is not more or less"),
        ("station greater than CT1", "is not more or less"),
        ("modality is CT and MR", "CT and MR"),
        ("StudyDescription contains a and b or c", "mixed"),
        ("StudyDescription contains chest and age > 60", "of its own"),
        ("StudyDescription is between a and b", "is not more or less"),
        ("StudyDescription = more of it", "Quote a value"),
        ("slice thickness > 1,000", "two ways"),
        ("slice thickness > 5 kV", "measured in mm"),
        ("KVP > thick", "not a number"),
        ("age > old", "18 months"),
        ("age > 18 and < 65", "between A and B"),
        ("40 < age < 60", "between A and B"),
        ("age > 60 and sex is F", "of its own"),
        ("patient older than sixty", "18 months"),
        ("age between 60 and 40", "is more than"),
        ("age between 6 months and 2 years", "different units"),
        ("StudyTime > 25:61", "18:00"),
        ("StudyDate before soon", "is not a date"),
        ("StudyDate is 03/04/2026", "is not a date"),
        ("modality is CTX scanner", "Did you mean"),
        ("AccessionNumber somehow", "is empty, is not empty"),
        ("AcessionNumber is empty", "AccessionNumber"),
        ("RequestAttributesSequence is empty", "sequence"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_sent(
    condition: str, remedy: str
) -> None:
    assert remedy in fail(Node(port=1), "count_studies", where=[condition])


# An attribute that a form can be asked of, and what stands for its letters.
TAUGHT_OF: dict[str, tuple[str, dict[str, str]]] = {
    **dict.fromkeys(FORMS, ("AccessionNumber", {"X": "A1", "A": "A1", "B": "A2", "N": "5"})),
    **dict.fromkeys(FORMS_OF_QUANTITIES, ("PatientAge", {"A": "40", "B": "60", "N": "5"})),
    **dict.fromkeys(("before X", "after X"), ("StudyDate", {"X": "2026"})),
}


@pytest.mark.parametrize("form", list(TAUGHT_OF))
def test_every_form_that_an_error_teaches_is_understood(form: str) -> None:
    keyword, values = TAUGHT_OF[form]
    text = " ".join(values.get(word, word) for word in form.split())
    condition = Condition.of(f"{keyword} {text}", today=TODAY)
    assert condition.keyword == keyword
    assert condition.is_negative == (" not " in f" {form} ")
    assert form in fail(Node(port=1), "count_studies", where=["AccessionNumber somehow"])


def test_every_condition_that_a_description_teaches_is_understood() -> None:
    (tool,) = (one for one in listed() if one.name == "count_studies")
    taught = re.findall('"([^"]+)"', tool.input_schema["properties"]["where"]["description"])
    assert len(taught) >= 2
    for text in taught:
        Condition.of(text, today=TODAY)


def test_no_attribute_has_a_comparison_that_its_vr_does_not_have() -> None:
    for keyword, operator in (("StudyDescription", ">"), ("Modality", "<"), ("StudyID", ">=")):
        with pytest.raises(BadArgument, match="not more or less"):
            Condition.of(f"{keyword} {operator} 5", today=TODAY)
    with pytest.raises(BadAttribute):
        Condition.of("Nonsense is empty", today=TODAY)
