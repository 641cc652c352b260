"""Questions as people put them, asked of the real server."""

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.habits import Habits
from dicom_mcp.node import Node
from tests.asking import ask, fail
from tests.truth.archives import images

# Names and descriptions as archives hold them.
PEOPLE = {
    "1": "Doe^Jane",
    "2": "Jane^Doe",
    "3": "DOE^JANE^MARY",
    "4": "Müller^Jürgen",
    "5": "Mueller^Juergen",
    "6": "MULLER^JURGEN",
    "7": "Millner^Anna",
    "8": "García López^María José",
    "9": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "007": "Weber^Klaus",
    "0070": "Berg^Anna^^Dr.",
    "van": "van der Berg^Jan",
}
WHAT = {
    "1": ("CT Chest with contrast", "CT", "20260101"),
    "2": ("Thorax ap", "CR", "20260102"),
    "3": ("Contrast CT of the chest", "CT", "20260103"),
    "4": ("Abdomen", "US", "20260104"),
    "5": ("CHEST", "DX", "20260105"),
    "6": ("Chest", "MR", "20260106"),
}


def held() -> Iterator[Dataset]:
    for number, (patient_id, name) in enumerate(PEOPLE.items(), start=1):
        description, modality, day = WHAT.get(patient_id, ("MR Head", "MR", "20251224"))
        yield from images(
            1,
            study=number,
            PatientID=patient_id,
            PatientName=name,
            StudyDescription=description,
            Modality=modality,
            StudyDate=day,
            AccessionNumber=f"A00{number}",
        )


@pytest.fixture(scope="module", params=["by the standard", "letter by letter"])
def node(request: pytest.FixtureRequest) -> Iterator[Node]:
    exact = request.param == "letter by letter"
    with EmbeddedArchive(
        held(), ae_title="PEOPLE", habits=Habits(case_sensitive=exact, by_bytes=exact)
    ) as archive:
        yield Node(port=archive.port, called_ae_title="PEOPLE")


def patients(answer: dict[str, Any]) -> set[str]:
    return {{**answer["common"], **record}["PatientID"] for record in answer["records"]}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Jane Doe", {"1", "2", "3"}),
        ("jane doe", {"1", "2", "3"}),
        ("Doe, Jane", {"1", "3"}),
        ("DOE^JANE", {"1"}),
        ("Doe^Jane*", {"1", "3"}),
        ("Müller", {"4", "5", "6"}),
        ("Mueller", {"4", "5", "6"}),
        ("MULLER", {"4", "5", "6"}),
        ("Jürgen Müller", {"4", "5", "6"}),
        ("Frau Dr. Anna Berg", {"0070"}),
        ("Berg", {"0070"}),
        ("Jan van der Berg", {"van"}),
        ("van der Berg, Jan", {"van"}),
        ("Maria José García López", {"8"}),
        ("López", {"8"}),
        ("Klaus", {"007"}),
        ("山田太郎", {"9"}),
        ("Tarou Yamada", {"9"}),
        ("Weber*", {"007"}),
        ("Nemo", set[str]()),
        ("Doe^Nemo", set[str]()),
    ],
)
def test_a_name_is_understood_as_people_write_it(node: Node, written: str, meant: set[str]) -> None:
    for tool, argument in (("query_patients", "name_pattern"), ("query_studies", "patient_name")):
        answer = ask(node, tool, **{argument: written})
        assert patients(answer) == meant
        assert answer["complete"] is True


def test_how_a_name_was_understood_and_whom_it_may_mean_is_said(node: Node) -> None:
    answer = ask(node, "query_studies", patient_name="Jane Doe")
    notes = " ".join(answer["notes"])
    assert "family name Doe, given name Jane (2)" in notes
    assert "family name Jane, given name Doe (1)" in notes
    assert "3 patients" in notes
    assert "Doe^Jane (1)" in notes
    assert answer["sent"]["PatientName"] == "Doe^Jane* | Jane^Doe* | Jane Doe*"
    assert answer["queries"] >= 3


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("chest", {"1", "3", "5", "6"}),
        ("CT chest", {"1"}),
        ("chest CT", {"1", "3"}),
        ("=Chest", {"6", "5"}),
        ('"CHEST"', {"5", "6"}),
        ("CT*", {"1"}),
        ("chest contrast", {"1", "3"}),
    ],
)
def test_a_description_is_found_by_its_words(node: Node, written: str, meant: set[str]) -> None:
    assert patients(ask(node, "query_studies", study_description=written)) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ct", {"1", "3"}),
        ("ultrasound", {"4"}),
        ("x-ray", {"2", "5"}),
        ("CT or ultrasound", {"1", "3", "4"}),
        ("Röntgen", {"2", "5"}),
    ],
)
def test_modalities_are_found_by_their_words(node: Node, written: str, meant: set[str]) -> None:
    answer = ask(node, "query_studies", modality_in_study=written)
    assert patients(answer) == meant
    assert answer["complete"] is True


def test_leading_zeros_are_part_of_an_id(node: Node) -> None:
    assert patients(ask(node, "query_studies", patient_id="007")) == {"007"}
    answer = ask(node, "query_studies", patient_id="70")
    assert answer["records"] == []
    assert "PatientID=*70*: 1 study" in " ".join(answer["notes"])


def test_an_attribute_is_named_in_plain_words(node: Node) -> None:
    answer = ask(
        node, "query_studies", patient_id="007", additional_attributes=["date of birth", "sex"]
    )
    assert answer["records"][0]["PatientBirthDate"] == "19700101"
    assert "Did you mean" in fail(
        node, "query_studies", additional_attributes=["referring phisician nam"]
    )


def test_what_excluded_everything_is_named_and_never_presented_as_the_answer(node: Node) -> None:
    answer = ask(
        node, "query_studies", patient_name="Doe, Jane", modality_in_study="CT", study_date="2025"
    )
    assert answer["records"] == []
    assert answer["complete"] is True
    notes = " ".join(answer["notes"])
    assert "without StudyDate: 2 studies (nearest StudyDate 20260101)" in notes
    assert "without ModalitiesInStudy: none" in notes
    assert "without PatientName: none" in notes
    assert "not part of this answer" in notes
    assert answer["queries"] > 3


def test_a_study_nobody_has_is_told_from_one_without_such_series(node: Node) -> None:
    nowhere = ask(node, "query_series", study_instance_uid="1.2.3.4.5")
    assert "studies with that StudyInstanceUID: none" in " ".join(nowhere["notes"])
    other = ask(node, "query_series", study_instance_uid="1.2.1", modality="MR")
    assert "without Modality: 1 series" in " ".join(other["notes"])


def test_a_question_with_too_many_meanings_is_refused(node: Node) -> None:
    sentence = fail(
        node,
        "query_studies",
        patient_name="María José García López",
        modality_in_study="CT, MR, US, CR, DX",
    )
    assert "can be understood in" in sentence
    assert "Family^Given" in sentence


@pytest.mark.parametrize(
    ("argument", "text"), [("patient_name", "^"), ("patient_name", "="), ("study_description", "=")]
)
def test_text_that_says_nothing_is_refused_and_never_asks_for_everything(
    node: Node, argument: str, text: str
) -> None:
    assert argument in fail(node, "query_studies", **{argument: text})


@pytest.mark.parametrize("text", ["-", "12", "...", "·"])
def test_a_name_without_a_letter_is_still_a_key(node: Node, text: str) -> None:
    assert ask(node, "query_studies", patient_name=text)["records"] == []


def test_a_question_by_name_is_few_frames_from_the_socket() -> None:
    # In a process of its own: here every answer is watched by frames of the tests.
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.frames"], capture_output=True, text=True, check=True
    )
    count = re.search(r"^(\d+) frames", told.stdout, re.MULTILINE)
    assert count, told.stdout
    assert int(count[1]) <= 14, told.stdout
