"""Pasted lists: what becomes of each value, at archives and in an index, is what is true."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.config import Settings
from dicom_mcp.demo.habits import Habits
from dicom_mcp.node import Node
from dicom_mcp.standard.lists import pasted
from dicom_mcp.studies import resolving
from tests.asking import answers, ask, fail
from tests.index.filled import fill, settings_of
from tests.peers.dcmqrscp import dcmqrscp
from tests.peers.embedded import Kind, embedded
from tests.peers.orthanc import orthanc
from tests.truth.archives import images

NUMBERS = ["A1", "00123", "0123", "777", "888", "00888", "00999", "D1", "D1", "5 6", "a,b"]

HELD: list[Dataset] = [
    each
    for number, accession in enumerate(NUMBERS, start=1)
    for each in images(1, study=number, AccessionNumber=accession, PatientID=f"P{number:03}")
]

LIST = (
    'Accession No.\r\nA1\r\n"123"\r\n888\t999\r\nD1\r\n 777 \r\n777\r\n1.2E+11\r\nB7, B8; 00777\nA*'
)

# By the value: its status, and the accession numbers of its studies.
TRUE: dict[str, tuple[str, list[str]]] = {
    "A1": ("found", ["A1"]),
    "123": ("ambiguous", ["00123", "0123"]),
    "888": ("ambiguous", ["888", "00888"]),
    "999": ("other zeros", ["00999"]),
    "D1": ("several studies", ["D1", "D1"]),
    "777": ("found", ["777"]),
    "1.2E+11": ("malformed", []),
    "B7": ("missing", []),
    "B8": ("missing", []),
    "00777": ("missing", []),
    "A*": ("malformed", []),
}


@pytest.fixture(
    scope="module",
    params=[
        "embedded",
        "reads lists",
        "cuts",
        "index",
        "auto",
        pytest.param("orthanc", marks=pytest.mark.orthanc),
        pytest.param("dcmqrscp", marks=pytest.mark.dcmtk),
    ],
)
def asked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Settings, dict[str, str]]]:
    folder, kind = tmp_path_factory.mktemp("lists"), request.param
    lists = Kind(Habits(listed_keys=frozenset({"AccessionNumber", "PatientID"})))
    kinds = {"reads lists": lists, "cuts": Kind(Habits(most_matches=4, cap_status=0xA700))}
    with ExitStack() as opened:
        if kind in ("orthanc", "dcmqrscp"):
            started = (orthanc if kind == "orthanc" else dcmqrscp)(HELD, folder)
        else:
            started = embedded(HELD, kinds.get(kind, Kind()))
        peer = opened.enter_context(started)
        if kind not in ("index", "auto"):
            yield Settings(peer.node), {}
            return
        settings = settings_of(peer.node, folder)
        fill(settings)
        yield settings, {"source": kind}


def became(answer: dict[str, Any], keyword: str = "accession_number") -> dict[str, Any]:
    told: dict[str, Any] = {}
    for row in answer["rows"]:
        status, studies = told.setdefault(row["asked"], (row["status"], []))
        assert status == row["status"]
        if "study_instance_uid" in row:
            studies.append(row.get(keyword, row["asked"]))
    return told


def test_each_value_of_a_list_becomes_what_is_true_of_it(
    asked: tuple[Settings, dict[str, str]],
) -> None:
    settings, source = asked
    answer = ask(settings, "resolve_list", values=LIST, **source)
    found = {value: (status, sorted(there)) for value, (status, there) in became(answer).items()}
    assert found == {value: (status, sorted(there)) for value, (status, there) in TRUE.items()}
    assert answer["kind"] == "accession number"
    assert (answer["values"], answer["asked_twice"], answer["studies"]) == (11, 1, 4)
    assert answer["counts"]["missing"] == 3
    assert answer["complete"], answer["notes"]
    alone = ask(settings, "resolve_list", values=LIST, status=["missing"], **source)
    assert [row["asked"] for row in alone["rows"]] == ["B7", "B8", "00777"]


def test_patient_ids_and_uids_are_known_as_such(asked: tuple[Settings, dict[str, str]]) -> None:
    settings, source = asked
    answer = ask(settings, "resolve_list", values="P001\nP003 P099", **source)
    assert answer["kind"] == "patient ID"
    assert {row["asked"]: row["status"] for row in answer["rows"]} == {
        "P001": "found",
        "P003": "found",
        "P099": "missing",
    }
    answer = ask(settings, "resolve_list", values="1.2.1, 1.2.2\n1.2.99", **source)
    assert answer["kind"] == "study UID"
    assert answer["counts"] == {"found": 2, "missing": 1}


def test_what_was_not_asked_for_is_not_called_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call asks so much in vain and no more, as it asks so long and no longer."""
    monkeypatch.setattr(resolving, "_AT_ONCE", 20)
    absent = [f"X{number}" for number in range(1000, 1600)]
    others = [
        each
        for study in range(100, 140)
        for each in images(1, study=study, AccessionNumber=f"C{study}")
    ]
    with embedded([*HELD, *others]) as peer:
        answer = ask(peer.node, "resolve_list", values=["A1", *absent])
    assert not answer["complete"]
    counts = answer["counts"]
    assert counts["found"] == 1
    assert counts["not asked"] > 200
    assert counts["not asked"] + counts["missing"] + counts.get("not known", 0) == len(absent)
    assert any("values were not asked for" in note for note in answer["notes"])


def test_a_list_nobody_can_mean_gets_a_sentence() -> None:
    with embedded(HELD) as peer:
        long = "\n".join(map(str, range(100_000)))
        assert "at most 5,000" in fail(peer.node, "resolve_list", values=long)
        assert "no values" in fail(peer.node, "resolve_list", values=" \n\t,")
        assert "is none" in fail(peer.node, "resolve_list", values="A1", status=["gone"])


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("A1\nA1\r\nA2", ["A1", "A1", "A2"]),
        ('="00123"\n\'00124\n12345678.0', ["00123", "00124", "12345678"]),
        ("Name\tAccession\nDoe\t17\nRoe\t18", ["17", "18"]),
        ('["A1", "A2"]', ["A1", "A2"]),
        ("A1;A2 A3|A4", ["A1", "A2", "A3", "A4"]),
        ("- A1\n- A2", ["A1", "A2"]),
        ("\ufeffA1\u00a0\nA2\u200b", ["A1", "A2"]),
    ],
)
def test_lists_are_read_as_they_come(text: str, values: list[str]) -> None:
    assert pasted("AccessionNumber", text) == values


def test_a_person_gives_a_file_or_a_column(tmp_path: Path) -> None:
    column = tmp_path / "column.csv"
    column.write_text(LIST, encoding="utf-8")
    command = [sys.executable, "-m", "dicom_mcp", "query", "list", "--csv"]
    with embedded(HELD) as peer:
        assert isinstance(peer.node, Node)
        where = ["--node", f"{peer.node.called_ae_title}@127.0.0.1:{peer.node.port}"]
        from_file, typed = (
            subprocess.run(
                [*command, *where, *more], input=given, capture_output=True, text=True, check=False
            )
            for more, given in ((["--file", str(column)], ""), ([], LIST))
        )
    assert from_file.returncode == typed.returncode == 0, from_file.stderr
    assert from_file.stdout == typed.stdout
    assert from_file.stdout.startswith("asked,status")
    assert "D1,several studies" in from_file.stdout


def test_what_was_found_is_kept_to_go_on_with() -> None:
    with embedded(HELD) as peer:
        found, counted, listed = answers(
            Settings(peer.node),
            [
                ("resolve_list", {"values": "A1, D1, B7, 999", "name": "mine"}),
                ("count_studies", {"cohort": "mine"}),
                ("query_studies", {"cohort": "mine"}),
            ],
        )
        nothing = ask(Settings(peer.node), "resolve_list", values="B7, B8")
    assert (found["cohort"], counted["total"]) == ("mine", 3)
    assert {record["AccessionNumber"] for record in listed["records"]} == {"A1", "D1"}
    assert nothing["cohort"] == ""
    assert any("Not in mine: 1 value with other zeros" in note for note in found["notes"])
