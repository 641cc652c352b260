"""Lists as spreadsheets, mails and web pages give them: right, or refused with what to do."""

from collections.abc import Iterator

import pytest

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.habits import Habits
from dicom_mcp.node import Node
from tests.asking import ask, fail
from tests.sixty_studies import found
from tests.truth.archives import images

pytestmark = pytest.mark.usefixtures("tidy")

NUMBERS = [
    *(f"A{1000 + number}" for number in range(9)),
    "00012345",
    "12345678",
    "2026-2031",
    "1-3",
]


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    objects = [
        one
        for study, number in enumerate(NUMBERS)
        for one in images(1, study=study + 1, AccessionNumber=number, PatientID=f"P{number}")
    ]
    habits = Habits(listed_keys=frozenset({"AccessionNumber", "PatientID"}))
    with EmbeddedArchive(objects, ae_title="PASTED", habits=habits) as embedded:
        yield Node(port=embedded.port, called_ae_title="PASTED")


# What was pasted, what is found, and what is said to be missing.
PASTED: dict[str, tuple[str, list[str], list[str]]] = {
    "a column with its head": ("AccessionNumber\r\nA1001\r\nA1002\r\n", ["A1001", "A1002"], []),
    "another head": ("Accession No.\nA1001\nB1", ["A1001"], ["B1"]),
    "a table": ("Name\tAccession #\tX\nDoe\tA1001\t1\nRoe\tB1\t2", ["A1001"], ["B1"]),
    "cells of a row": ("A1001\tA1002\tB1", ["A1001", "A1002"], ["B1"]),
    "curly quotes": ("\u201cA1001\u201d, \u201cA1002\u201d", ["A1001", "A1002"], []),
    "single curly quotes": ("\u2018A1001\u2019\n\u2018B1\u2019", ["A1001"], ["B1"]),
    "guillemets": ("\u00abA1001\u00bb \u00abA1002\u00bb", ["A1001", "A1002"], []),
    "spaces that do not break": ("A1001\u00a0A1002\u00a0\u00a0B1", ["A1001", "A1002"], ["B1"]),
    "full-width commas": ("A1001\uff0cA1002\u3001B1", ["A1001", "A1002"], ["B1"]),
    "Arabic commas": ("A1001\u060c A1002", ["A1001", "A1002"], []),
    "full-width letters": ("\uff21\uff11\uff10\uff10\uff11", ["A1001"], []),
    "what nobody sees": ("\ufeffA1001\u200b\nA1002\u200e\nB\u00ad1", ["A1001", "A1002"], ["B1"]),
    "other line ends": ("A1001\u2028A1002\x85B1", ["A1001", "A1002"], ["B1"]),
    "twice the same": ("A1001\nA1001\nB1\nB1", ["A1001"], ["B1"]),
    "formulas": ('="A1001"\n="A1002"', ["A1001", "A1002"], []),
    "apostrophes for text": ("'A1001\n'00012345", ["A1001", "00012345"], []),
    "from one to another": ("A1003\u2013A1005", ["A1003", "A1004", "A1005"], []),
    "from one to another, in words": ("A1007 to A1009", ["A1007", "A1008"], ["A1009"]),
    "with a hyphen": ("A1003-A1004", ["A1003", "A1004"], []),
    "a number with a hyphen": ("2026-2031", ["2026-2031"], []),
    "a number that looks like from one to another": ("1-3\nB1", ["1-3"], ["B1"]),
    "decimals": ("12345678.0\nA1001", ["12345678", "A1001"], []),
    "with a backslash": ("A1001\\A1002\\B1", ["A1001", "A1002"], ["B1"]),
}


@pytest.mark.parametrize("kind", list(PASTED))
def test_what_is_pasted_is_read_as_it_was_meant(node: Node, kind: str) -> None:
    pasted, there, missing = PASTED[kind]
    answer = ask(node, "query_studies", accession_number=pasted)
    rows = [{**answer["common"], **row} for row in answer["records"]]
    assert sorted(row["AccessionNumber"] for row in rows) == sorted(there)
    assert answer.get("missing", {}).get("AccessionNumber", []) == missing
    assert answer["complete"], answer["notes"]


def test_numbers_that_lost_their_zeros_are_told_with_them(node: Node) -> None:
    answer = ask(node, "query_studies", accession_number="12345\nA1001")
    assert found(answer) == {"A1001"}
    assert answer["missing"] == {"AccessionNumber": ["12345"]}
    assert any("There are 00012345: a spreadsheet drops" in note for note in answer["notes"])
    counted = ask(node, "count_studies", accession_number=["12345", "A1001"])
    assert any("00012345" in note for note in counted["notes"])


@pytest.mark.parametrize("pasted", ["1.23457E+11\nA1001", "1,23457E+11", ["A1", "2E+15"]])
def test_numbers_that_lost_their_digits_are_refused(node: Node, pasted: str | list[str]) -> None:
    said = fail(node, "query_studies", accession_number=pasted)
    assert "digits of them are lost" in said
    assert "formatted as text" in said


def test_wildcards_among_several_are_refused_with_what_to_do(node: Node) -> None:
    for pasted in ("A1001, A10*", ["A1001", "A100?"]):
        said = fail(node, "query_studies", accession_number=pasted)
        assert "one at a time" in said


@pytest.mark.parametrize(
    "pasted",
    [
        "StudyInstanceUID\r\n1.2.1\r\n1.2.2\r\n",
        "1.2.1., 1.2.2.",
        "1.2.1\u200b\n\ufeff1.2.2",
        "\u201c1.2.1\u201d\uff0c\u201c1.2.2\u201d",
        "1. 1.2.1\n2. 1.2.2",
        "UID: 1.2.1 and 1.2.2",
        "1.2.1\u00a01.2.2",
        '="1.2.1"\t="1.2.2"',
        "Name\tStudy Instance UID\nDoe\t1.2.1\nRoe\t1.2.2",
    ],
)
def test_uids_are_read_whatever_stands_around_them(node: Node, pasted: str) -> None:
    answer = ask(node, "query_studies", study_instance_uid=pasted)
    assert found(answer, "StudyInstanceUID") == {"1.2.1", "1.2.2"}
    assert "missing" not in answer


def test_two_thousand_numbers_are_told_apart(node: Node) -> None:
    numbers = [f"A{number}" for number in range(1005, 3005)]
    answer = ask(node, "query_studies", accession_number="\r\n".join(numbers))
    assert found(answer) == {*NUMBERS} & {*numbers}
    assert answer["missing"]["AccessionNumber"] == [one for one in numbers if one not in NUMBERS]
    assert answer["complete"], answer["notes"]
