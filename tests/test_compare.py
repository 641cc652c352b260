"""Comparing the demo's two archives finds what was planted and nothing else."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.config import Settings
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.habits import Habits
from dicom_mcp.demo.hospital import DIFFERENCES
from dicom_mcp.demo.objects import study_uid
from dicom_mcp.node import Node, WebNode
from tests.asking import ask, fail
from tests.demo_hospital import pacs, vna
from tests.notes import the_note
from tests.peers.embedded import embedded_web
from tests.peers.pynetdicom_scp import Answers, accepting
from tests.truth.archives import studies


@pytest.fixture(scope="module", params=["DIMSE", "strict", "DICOMweb"])
def settings(
    request: pytest.FixtureRequest, database: str, vna_database: str
) -> Iterator[Settings]:
    """The PACS over DIMSE and the VNA in three ways."""
    with EmbeddedArchive([], ae_title="PACS", database=database) as pacs:
        first = Node(port=pacs.port, called_ae_title="PACS", name="pacs")
        if request.param == "DICOMweb":
            with embedded_web([], database=vna_database) as vna:
                yield Settings(first, others=(WebNode(vna, name="vna"),))
            return
        hierarchy = "strict" if request.param == "strict" else "relational"
        with EmbeddedArchive([], ae_title="VNA", hierarchy=hierarchy, database=vna_database) as vna:
            yield Settings(first, others=(Node(port=vna.port, name="vna"),))


def test_every_planted_difference_is_found_and_nothing_else(settings: Settings) -> None:
    answer = ask(settings, "compare_nodes")
    assert answer["complete"], answer["notes"]
    found = {row["StudyInstanceUID"]: row for row in answer["records"]}
    assert set(found) == {one.study_instance_uid for one in DIFFERENCES}
    assert answer["different"] == len(DIFFERENCES) == 6
    every = {one.StudyInstanceUID for one in (*pacs(), *vna())}
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


def test_a_study_under_another_date_is_not_called_missing(
    held: list[Dataset], database: str
) -> None:
    moved = study_uid("smoker ct last year")

    def elsewhere() -> Iterator[Dataset]:
        for instance in held:
            if instance.StudyInstanceUID != moved:
                yield instance
                continue
            copy = deepcopy(instance)
            copy.StudyDate = "19990101"
            yield copy

    (true,) = {one.StudyDate for one in held if one.StudyInstanceUID == moved}
    with (
        EmbeddedArchive([], ae_title="ONE", database=database) as one,
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


def test_a_node_that_is_down_is_no_difference(database: str) -> None:
    with EmbeddedArchive([], ae_title="PACS", database=database) as pacs:
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


def test_an_archive_that_reads_no_list_of_uids_is_asked_for_each(held: list[Dataset]) -> None:
    scans = [deepcopy(one) for one in held if one.Modality == "CT"]
    day = str(scans[0].StudyDate)
    first = {str(scan.StudyInstanceUID) for scan in scans}
    for scan in scans:
        scan.StudyDate = day
    with EmbeddedArchive(scans, ae_title="ONE") as one:
        for failing, said in ((False, "differs"), (True, "not_known_on")):
            with accepting(deaf_to_lists(first, "19990101", failing=failing)) as deaf:
                nodes = Settings(
                    Node(port=one.port, name="one"), others=(replace(deaf.node(), name="deaf"),)
                )
                answer = ask(nodes, "compare_nodes", study_date=day)
            rows = answer["records"]
            assert len(rows) == len(first) > 1
            assert all(said in row and "only_on" not in row for row in rows), rows
            told = [one for one in answer["notes"] if one.startswith("Not complete: whether deaf")]
            assert bool(told) is failing
            assert not answer["complete"]  # it tells of no series
            assert answer["undecided"] == (len(first) if failing else 0)


def _changed(number: int, **values: Any) -> list[Dataset]:
    """Eleven studies of which one is kept with other values."""
    made = studies(11, PatientSex="F", AccessionNumber="A1", StudyDescription="Thorax")
    for keyword, value in values.items():
        setattr(made[number], keyword, value)
    return made


def _compare_with(held: list[Dataset], other: list[Dataset], **arguments: Any) -> dict[str, Any]:
    with (
        EmbeddedArchive(held, ae_title="ONE") as one,
        EmbeddedArchive(other, ae_title="TWO") as two,
    ):
        nodes = (Node(port=one.port, name="one"), Node(port=two.port, name="two"))
        return ask(Settings(nodes[0], others=nodes[1:]), "compare_nodes", **arguments)


@pytest.mark.parametrize(
    ("keyword", "value", "differs"),
    [
        ("PatientID", " P4 ", False),
        ("PatientID", "0P4", True),
        ("PatientName", "Doe^Jane^^", False),
        ("PatientName", "Doe^Jane^M", True),
        ("StudyTime", "120000.0000", False),
        ("StudyTime", "130000", True),
        ("StudyDate", "", True),
        ("PatientBirthDate", "", True),
        ("AccessionNumber", "", True),
        ("Modality", "MR", True),
    ],
)
def test_of_one_study_that_differs_just_this_is_told(
    keyword: str, value: str, differs: bool
) -> None:
    answer = _compare_with(_changed(3), _changed(3, **{keyword: value}))
    assert answer["complete"], answer["notes"]
    assert (answer["studies"], answer["different"]) == (11, int(differs))
    if differs:
        (row,) = answer["records"]
        said = {"Modality": "ModalitiesInStudy"}.get(keyword, keyword)
        assert list(row["differs"]) == [said]
        assert row["differs"][said]["two"] in (value, [value])
        assert answer["differs_in"] == {said: 1}


def test_what_an_archive_has_in_no_study_is_said_once_and_no_difference() -> None:
    bare = studies(11)
    answer = _compare_with(_changed(3), bare)
    assert (answer["same"], answer["records"]) == (11, [])
    assert (
        "two does not tell AccessionNumber, PatientSex, StudyDescription: not compared."
        in answer["notes"]
    )
    # One study alone would show nothing else; other studies of the archive show that it tells.
    answer = _compare_with(_changed(3), _changed(3, AccessionNumber=""), study_date="20260105")
    (row,) = answer["records"]
    assert row["differs"] == {"AccessionNumber": {"one": "A1", "two": ""}}


def test_another_series_in_place_of_one_is_found_though_the_numbers_agree() -> None:
    other = _changed(3)
    other[3].SeriesInstanceUID, other[3].SOPInstanceUID = "1.2.99", "1.2.99.1"
    answer = _compare_with(_changed(3), other)
    (row,) = answer["records"]
    assert "differs" not in row
    assert [series["only_on"] for series in row["series"]] == [["one"], ["two"]]
    assert answer["differs_in"] == {"series": 1}


def test_numbers_add_up_where_a_node_could_not_be_asked_for_series() -> None:
    def find(event: Any) -> Answers:
        if event.identifier.QueryRetrieveLevel != "STUDY":
            yield 0xC000, None
            return
        for one in studies(10)[:8]:
            row = Dataset()
            row.QueryRetrieveLevel = "STUDY"
            for keyword in ("StudyInstanceUID", "StudyDate", "PatientID", "PatientName"):
                setattr(row, keyword, one.get(keyword))
            yield 0xFF00, row

    with EmbeddedArchive(studies(10), ae_title="ONE") as one, accepting(find) as poor:
        nodes = Settings(
            Node(port=one.port, name="one"), others=(replace(poor.node(), name="poor"),)
        )
        answer = ask(nodes, "compare_nodes")
    assert not answer["complete"]
    assert (answer["same"], answer["different"], answer["undecided"]) == (0, 2, 8)
    assert answer["only_on"] == {"one": 2}
    assert any("poor does not tell how many series 8" in note for note in answer["notes"])
    assert len(answer["records"]) == 2


def test_of_three_nodes_it_is_told_which_hold_a_study() -> None:
    with (
        EmbeddedArchive(studies(10), ae_title="A") as a,
        EmbeddedArchive(studies(9), ae_title="B") as b,
        EmbeddedArchive(studies(8), ae_title="C") as c,
    ):
        first, *others = (
            Node(port=p.port, name=name) for p, name in ((a, "a"), (b, "b"), (c, "c"))
        )
        answer = ask(Settings(first, others=tuple(others)), "compare_nodes")
    assert answer["only_on"] == {"a": 1, "a, b": 1}
    assert (answer["same"], answer["different"]) == (8, 2)


def test_nothing_compared_is_not_nothing_that_differs(settings: Settings) -> None:
    answer = ask(settings, "compare_nodes", patient_id="nobody")
    assert answer["studies"] == 0
    assert the_note(answer["notes"], "No study at these nodes matches")


def test_what_a_silent_list_left_out_is_not_called_missing(database: str) -> None:
    """Seven is no round number: a list of any length may be cut."""
    cut = Habits(most_matches=7)
    with (
        EmbeddedArchive([], ae_title="CUT", habits=cut, database=database) as pacs,
        EmbeddedArchive([], ae_title="WHOLE", database=database) as vna,
    ):
        both = Settings(
            Node(port=pacs.port, called_ae_title="CUT", name="cut"),
            others=(Node(port=vna.port, called_ae_title="WHOLE", name="whole"),),
        )
        answer = ask(both, "compare_nodes")
    assert answer["only_on"] == {}
    assert answer["complete"] is True
