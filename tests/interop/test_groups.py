"""What is registered twice, which share of all it is, and more groups than an answer holds."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.demo.habits import Habits
from dicom_mcp.demo.index import COMPUTED
from dicom_mcp.node import AnyNode
from tests.asking import ask, fail
from tests.notes import the_note
from tests.peers.dcmqrscp import dcmqrscp
from tests.peers.embedded import Kind, embedded
from tests.peers.orthanc import orthanc
from tests.truth.archives import images

KINDS = {
    "embedded": Kind(),
    "strict": Kind(hierarchy="strict"),
    "no counts": Kind(Habits(unreturned=frozenset(COMPUTED), ignored_keys=frozenset(COMPUTED))),
}


def _study(number: int, *modalities: str, **values: str) -> list[Dataset]:
    made: list[Dataset] = []
    for at, modality in enumerate(modalities or ("CT",), start=1):
        made += images(
            2,
            study=number,
            **{
                "Modality": modality,
                "SeriesNumber": at,
                "SeriesInstanceUID": f"1.2.{number}.{at}",
                "PatientName": f"Doe{number}^Jane",
                "AccessionNumber": f"A{number}",
                **values,
            },
        )
        for one in made[-2:]:
            one.SOPInstanceUID = f"1.2.{number}.{at}.{one.InstanceNumber}"
    return made


def objects() -> list[Dataset]:
    """Thirteen studies, with what an administrator looks for in them."""
    twice = {"PatientID": "P1", "PatientName": "Doe1^Jane"}
    return [
        *_study(1, "CT", "SR"),
        *_study(2, "CT", AccessionNumber="A1", **twice),
        *_study(3, "MR", AccessionNumber="A1", **twice),
        *_study(4, "MR", "PR", "KO", PatientName="Roe^Ann", StudyDate="20260103"),
        *_study(5, "US", PatientName="ROE^ANN^^", StudyDate="20260104"),
        *_study(6, "CT", "PR", PatientID="P4", PatientName="Roe^Ann", PatientBirthDate="19700102"),
        *_study(7, "ECG", AccessionNumber=""),
        *_study(8, "DOC", AccessionNumber=""),
        *_study(9, "CT", AccessionNumber="", StudyDate="20260102"),
        *(one for number in (10, 11, 12, 13) for one in _study(number, "CR")),
    ]


@pytest.fixture(
    scope="module",
    params=[
        *KINDS,
        pytest.param("orthanc", marks=pytest.mark.orthanc),
        pytest.param("dcmqrscp", marks=pytest.mark.dcmtk),
    ],
)
def node(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AnyNode]:
    match request.param:
        case "orthanc":
            started = orthanc(objects(), tmp_path_factory.mktemp("peer"))
        case "dcmqrscp":
            started = dcmqrscp(objects(), tmp_path_factory.mktemp("peer"))
        case kind:
            started = embedded(objects(), KINDS[kind])
    with started as peer:
        yield peer.node


def _counted(node: AnyNode, **arguments: Any) -> dict[str, Any]:
    answer = ask(node, "count_studies", **arguments)
    assert answer["complete"], answer["notes"]
    return answer


def test_accession_numbers_registered_twice_come_with_their_studies(node: AnyNode) -> None:
    answer = _counted(node, group_by=["AccessionNumber"], at_least=2)
    (group,) = answer["groups"]
    assert (group["AccessionNumber"], group["count"]) == ("A1", 3)
    assert [one["StudyInstanceUID"] for one in group["members"]] == ["1.2.1", "1.2.2", "1.2.3"]
    assert all(one["PatientID"] == "P1" for one in group["members"])
    assert answer["groups_in_all"] == 1
    assert answer["total"] == 13
    # Having none is no number that several have.
    assert any(note.startswith("3 have no value of AccessionNumber") for note in answer["notes"])


def test_patients_with_several_studies_are_those_and_no_others(node: AnyNode) -> None:
    answer = _counted(node, group_by=["PatientID"], at_least=2)
    assert {(one["PatientID"], one["count"]) for one in answer["groups"]} == {("P1", 3), ("P4", 2)}


def test_names_with_several_ids_are_found_however_they_are_written(node: AnyNode) -> None:
    answer = _counted(node, group_by=["PatientName"], count="patients", at_least=2)
    (group,) = answer["groups"]
    assert group["count"] == 2
    assert {one["PatientID"] for one in group["members"]} == {"P4", "P5"}


def test_ids_with_several_birth_dates_or_names_are_found(node: AnyNode) -> None:
    by_birth = _counted(node, group_by=["PatientID"], count="PatientBirthDate", at_least=2)
    (group,) = by_birth["groups"]
    assert (group["PatientID"], group["count"]) == ("P4", 2)
    assert [one["PatientBirthDate"] for one in group["members"]] == ["19700101", "19700102"]
    assert by_birth["counted"] == "different values of PatientBirthDate"
    assert not _counted(node, group_by=["PatientID"], count="PatientName", at_least=2)["groups"]


def test_series_with_many_images_are_groups_of_at_least_so_many(node: AnyNode) -> None:
    answer = _counted(node, group_by=["SeriesInstanceUID"], count="images", at_least=3)
    assert answer["groups"] == []
    studies = _counted(node, group_by=["StudyInstanceUID"], count="objects", at_least=5)
    assert [one["count"] for one in studies["groups"]] == [6]


def test_images_are_counted_without_what_is_none_and_the_answer_says_so(node: AnyNode) -> None:
    answer = _counted(node, count="images")
    by_modality = Counter(one.Modality for one in objects())
    none = {one: by_modality.pop(one) for one in ("SR", "PR", "KO", "ECG", "DOC")}
    assert answer["total"] == by_modality.total() == 22
    (told,) = [note for note in answer["notes"] if note.startswith("Images only")]
    assert "count=objects" in told
    assert all(modality in told for modality in none)
    assert _counted(node, count="objects")["total"] == len(objects())
    groups = _counted(node, count="images", group_by=["modality"])["groups"]
    assert {one["modality"]: one["count"] for one in groups} == by_modality
    of_reports = _counted(node, count="images", modality="SR")
    assert of_reports["total"] == 0
    assert any("count=objects" in note for note in of_reports["notes"])


def test_shares_come_with_the_numbers_when_they_are_asked_for(node: AnyNode) -> None:
    answer = _counted(node, group_by=["modality"], share=True)
    shares = {one["modality"]: one["percent"] for one in answer["groups"]}
    assert (shares["CT"], shares["CR"], shares["SR"]) == (30.8, 30.8, 7.7)
    one = _counted(node, modality="CT", share=True)
    assert (one["total"], one["of"], one["percent"]) == (4, 13, 30.8)
    # Which share of the CTs was on a weekend? 2026-01-03 and 04 were Saturday and Sunday.
    answer = _counted(node, modality="MR", group_by=["weekend"], share=True)
    assert {one["weekend"]: one["percent"] for one in answer["groups"]} == {
        "Monday to Friday": 50.0,
        "weekend": 50.0,
    }
    answer = _counted(node, modality="CT", where=["AccessionNumber is A1"], share=True)
    assert (answer["total"], answer["of"], answer["percent"]) == (2, 4, 50.0)
    assert "of" not in _counted(node, modality="CT")


def test_more_groups_than_an_answer_holds_are_read_on() -> None:
    held = [one for number in range(1, 451) for one in _study(number)[:1]]
    with embedded(held) as peer:
        found: list[dict[str, Any]] = []
        while True:
            answer = ask(peer.node, "count_studies", group_by=["PatientID"], first=len(found) + 1)
            assert (answer["groups_in_all"], answer["total"]) == (450, 450)
            found += answer["groups"]
            if answer["complete"]:
                break
            assert the_note(answer["notes"], f"Go on with first={len(found) + 1}")
        beyond = ask(peer.node, "count_studies", group_by=["PatientID"], first=451)
    assert len(found) == 450
    assert [one["PatientID"] for one in found] == sorted(f"P{n}" for n in range(1, 451))
    assert beyond["groups"] == []


def test_members_that_are_too_many_are_said_to_be_more() -> None:
    held = [one for n in range(1, 31) for one in _study(n, AccessionNumber="A", PatientID="P")[:1]]
    with embedded(held) as peer:
        answer = ask(peer.node, "count_studies", group_by=["AccessionNumber"], at_least=2)
    (group,) = answer["groups"]
    assert (group["count"], len(group["members"])) == (30, 20)
    assert not answer["complete"]
    assert any("first 20 members" in note for note in answer["notes"])


def test_groups_of_at_least_so_many_need_groups() -> None:
    with embedded(objects()) as peer:
        assert "group_by" in fail(peer.node, "count_studies", at_least=2)


def test_a_share_of_values_is_one_of_all_values(node: AnyNode) -> None:
    answer = _counted(node, count="AccessionNumber", modality="CT", share=True)
    assert (answer["total"], answer["of"]) == (2, 8)
    assert answer["percent"] == 25.0


def test_a_share_is_one_of_the_whole_also_where_lists_are_cut_at_an_odd_length() -> None:
    many = [
        one
        for number in range(1, 16)
        for one in _study(number, "CT" if number < 10 else "MR", StudyDate=f"202601{number:02}")
    ]
    with embedded(many, Kind(Habits(most_matches=7))) as peer:
        answer = ask(peer.node, "count_studies", modality="CT", share=True)
    assert (answer["total"], answer["of"], answer["percent"]) == (9, 15, 60.0)
    assert answer["complete"], answer["notes"]
