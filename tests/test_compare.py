"""Comparing the demo's two archives finds what was planted and nothing else."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.config import Settings
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.hospital import DIFFERENCES, hospital
from dicom_mcp.demo.objects import study_uid
from dicom_mcp.node import Node, WebNode
from tests.acceptor import Answers, accepting
from tests.dicomweb.servers import embedded
from tests.test_nodes import ask, fail

TODAY = date(2026, 3, 31)


@pytest.fixture(scope="module", params=["DIMSE", "strict", "DICOMweb"])
def settings(request: pytest.FixtureRequest) -> Iterator[Settings]:
    """The PACS over DIMSE and the VNA in three ways."""
    house = hospital(TODAY)
    with EmbeddedArchive(house.pacs(), ae_title="PACS") as pacs:
        first = Node(port=pacs.port, called_ae_title="PACS", name="pacs")
        if request.param == "DICOMweb":
            with embedded(list(house.vna())) as vna:
                yield Settings(first, others=(WebNode(vna, name="vna"),))
            return
        hierarchy = "strict" if request.param == "strict" else "relational"
        with EmbeddedArchive(house.vna(), ae_title="VNA", hierarchy=hierarchy) as vna:
            yield Settings(first, others=(Node(port=vna.port, name="vna"),))


def test_every_planted_difference_is_found_and_nothing_else(settings: Settings) -> None:
    answer = ask(settings, "compare_nodes")
    assert answer["complete"], answer["notes"]
    found = {row["StudyInstanceUID"]: row for row in answer["records"]}
    assert set(found) == {one.study_instance_uid for one in DIFFERENCES}
    assert answer["different"] == len(DIFFERENCES) == 6
    every = {one.StudyInstanceUID for one in (*hospital(TODAY).pacs(), *hospital(TODAY).vna())}
    assert answer["same"] == len(every) - 6

    def row(study: str) -> dict[str, Any]:
        return found[study_uid(study)]

    assert row("heart ecg second")["only_on"] == ["pacs"]
    assert row("trauma x-ray outside")["only_on"] == ["vna"]
    assert row("klaus x-ray")["differs"] == {
        "PatientBirthDate": {"pacs": "19641203", "vna": "19640312"}
    }
    (described,) = row("smoker ct last year")["differs"].items()
    assert described[0] == "StudyDescription"
    assert described[1]["vna"] == "CT Thorax low dose" != described[1]["pacs"]
    lacks_dose = row("nodule ct follow-up")
    (dose,) = lacks_dose["series"]
    assert (dose["Modality"], dose["only_on"]) == ("SR", ["pacs"])
    (ct,) = row("anna elder ct")["series"]
    assert ct["differs"] == {"NumberOfSeriesRelatedInstances": {"pacs": 24, "vna": 22}}
    assert ct["images_only_on"] == {"pacs": [23, 24]}


def test_a_study_under_another_date_is_not_called_missing() -> None:
    moved = study_uid("smoker ct last year")

    def elsewhere() -> Iterator[Dataset]:
        for one in hospital(TODAY).pacs():
            if one.StudyInstanceUID == moved:
                one.StudyDate = "19990101"
            yield one

    (true,) = {one.StudyDate for one in hospital(TODAY).pacs() if one.StudyInstanceUID == moved}
    with (
        EmbeddedArchive(hospital(TODAY).pacs(), ae_title="ONE") as one,
        EmbeddedArchive(elsewhere(), ae_title="TWO") as two,
    ):
        nodes = (Node(port=one.port, name="one"), Node(port=two.port, name="two"))
        answer = ask(Settings(nodes[0], others=nodes[1:]), "compare_nodes", study_date=true)
    (row,) = answer["records"]
    assert row["differs"] == {"StudyDate": {"one": true, "two": "19990101"}}
    assert "only_on" not in row
    assert answer["compared"]["two"] == answer["compared"]["one"] - 1


def test_one_patient_that_is_the_same_everywhere_has_no_records(settings: Settings) -> None:
    answer = ask(settings, "compare_nodes", patient_id="104217")
    assert answer["records"] == []
    assert answer["complete"]
    assert answer["compared"]["pacs"] == answer["compared"]["vna"] == answer["same"] > 0


def test_more_differences_than_asked_for_are_said(settings: Settings) -> None:
    answer = ask(settings, "compare_nodes", limit=2)
    assert len(answer["records"]) == 2
    assert answer["different"] == 6
    assert not answer["complete"]


def test_a_node_that_is_down_is_no_difference() -> None:
    house = hospital(TODAY)
    with EmbeddedArchive(house.pacs(), ae_title="PACS") as pacs:
        one = Node(port=pacs.port, name="one")
        sentence = fail(Settings(one, others=(Node(port=1, name="down"),)), "compare_nodes")
        assert "down, 127.0.0.1:1" in sentence
        three = Settings(one, others=(Node(port=1, name="down"), Node(port=pacs.port, name="two")))
        answer = ask(three, "compare_nodes")
        assert answer["records"] == []
        assert not answer["complete"]
        assert any(note.startswith("Not complete: down did not answer") for note in answer["notes"])
        assert "only one node" in fail(Settings(one), "compare_nodes")


def deaf_to_lists(
    moved: set[str], date_now: str, *, failing: bool = False
) -> Callable[[Any], Answers]:
    """An archive of these studies, under another date, that reads no list of UIDs."""

    def find(event: Any) -> Answers:
        asked = event.identifier.get("StudyInstanceUID", "")
        if failing and asked:
            yield 0xC000, None
        if failing or event.identifier.QueryRetrieveLevel != "STUDY":
            return
        for uid in sorted(moved):
            if str(asked) == uid or (not asked and event.identifier.StudyDate == date_now):
                row = Dataset()
                row.QueryRetrieveLevel, row.StudyInstanceUID = "STUDY", uid
                row.StudyDate = date_now
                yield 0xFF00, row

    return find


def test_an_archive_that_reads_no_list_of_uids_is_asked_for_each() -> None:
    held = [one for one in hospital(TODAY).pacs() if one.Modality == "CT"]
    day = next(str(one.StudyDate) for one in held)
    first = {str(one.StudyInstanceUID) for one in held}
    for one in held:
        one.StudyDate = day
    with EmbeddedArchive(held, ae_title="ONE") as one:
        for failing, said in ((False, "differs"), (True, "not_known_on")):
            with accepting(deaf_to_lists(first, "19990101", failing=failing)) as deaf:
                nodes = Settings(
                    Node(port=one.port, name="one"), others=(replace(deaf.node(), name="deaf"),)
                )
                answer = ask(nodes, "compare_nodes", study_date=day)
            rows = answer["records"]
            assert len(rows) == len(first) > 1
            assert all(said in row and "only_on" not in row for row in rows), rows
            assert answer["complete"] is not failing, answer["notes"]
            told = [one for one in answer["notes"] if one.startswith("Not complete: whether deaf")]
            assert bool(told) is failing
