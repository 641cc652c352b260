"""One UID of two things, one Patient ID of two people: what an administrator looks for."""

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from dicom_mcp.config import Settings
from dicom_mcp.deadline import Deadline
from dicom_mcp.door.call import Call
from dicom_mcp.door.house import House
from dicom_mcp.door.progress import Progress
from dicom_mcp.node import Node
from dicom_mcp.objects.objects import members
from dicom_mcp.standard.levels import Model
from tests.asking import ask, call, said
from tests.notes import the_note
from tests.peers.pynetdicom_scp import VERIFICATION, Answers, accepting
from tests.truth.rows import row

pytestmark = pytest.mark.usefixtures("tidy")

DOE = {"PatientID": "1001", "PatientName": "Doe^Jane", "PatientBirthDate": "19700101"}
ROE = {"PatientID": "2002", "PatientName": "Roe^Richard", "PatientBirthDate": "19500505"}


def study(uid: str, **values: str) -> dict[str, str]:
    return {"StudyInstanceUID": uid, "StudyDate": "20260110", "ModalitiesInStudy": "CT", **values}


@contextmanager
def holding(levels: Mapping[str, Sequence[dict[str, str]]], *models: Model) -> Generator[Node]:
    """An archive that has these rows, by level, and compares the keys of a UID or ID with them;
    if it has Patient Root only, below patients it wants to know whose."""

    def find(event: Any) -> Answers:
        keys = event.identifier
        if models and keys.QueryRetrieveLevel != "PATIENT" and not keys.get("PatientID"):
            yield 0xA900, None
            return
        for one in levels.get(keys.QueryRetrieveLevel, ()):
            wrong = [
                keyword
                for keyword, value in one.items()
                if keyword.endswith(("ID", "UID")) and keys.get(keyword) not in (None, "", value)
            ]
            if not wrong:
                asked = {k: v for k, v in one.items() if k in keys}
                yield 0xFF00, row(keys.QueryRetrieveLevel, **asked)

    with accepting(find, models=(VERIFICATION, *(models or Model))) as acceptor:
        yield acceptor.node()


@contextmanager
def calling(node: Node) -> Generator[Call]:
    """A call of a tool, to what it has of verbs."""
    house = House(Settings(node))
    session = house.session()
    yield Call(session, session.archive(session.names()), Deadline(30), Progress())
    house.close()


def test_two_patients_with_one_study_uid_are_both_listed_and_the_clash_is_told() -> None:
    with holding({"STUDY": [study("1.2.3", **DOE), study("1.2.3", **ROE)]}) as node:
        listed = ask(node, "query_studies", study_date="20260110")
        by_uid = ask(node, "query_studies", study_instance_uid="1.2.3")
        least = ask(node, "query_studies", study_date="20260110", attribute_preset="minimal")
        counted = ask(node, "count_studies", study_date="20260110")
    for answer in (listed, by_uid, least):
        assert answer["returned"] == 2
        assert answer["complete"]
        assert any("1.2.3 (PatientID 1001, 2002)" in note for note in answer["notes"])
    assert {one["PatientID"] for one in listed["records"]} == {"1001", "2002"}
    assert counted["total"] == 2


def test_one_study_uid_of_two_patients_brings_both_from_who_wants_to_know_whose() -> None:
    held = {
        "PATIENT": [DOE, ROE],
        "STUDY": [study("1.2.3", **DOE), study("1.2.3", **ROE), study("1.2.4", **ROE)],
        "SERIES": [
            {"SeriesInstanceUID": uid, "StudyInstanceUID": "1.2.3", "Modality": "CT", **whose}
            for uid, whose in (("1.2.3.1", DOE), ("1.2.3.2", ROE))
        ],
    }
    with holding(held, Model.PATIENT_ROOT) as node:
        for _ in range(2):
            studies = ask(node, "query_studies", study_instance_uid="1.2.3")
            assert {one["PatientID"] for one in studies["records"]} == {"1001", "2002"}
            assert any("1.2.3 (PatientID 1001, 2002)" in note for note in studies["notes"])
            series = ask(node, "query_series", study_instance_uid="1.2.3")
            uids = {one["SeriesInstanceUID"] for one in series["records"]}
            assert (uids, series["complete"]) == ({"1.2.3.1", "1.2.3.2"}, True)


def test_two_patients_with_one_study_uid_are_compared_with_their_own() -> None:
    counts = {"NumberOfStudyRelatedSeries": "1", "NumberOfStudyRelatedInstances": "1"}
    doe, roe = study("1.2.3", **DOE, **counts), study("1.2.3", **ROE, **counts)
    with holding({"STUDY": [doe, roe]}) as both, holding({"STUDY": [doe]}) as one:
        nodes = Settings(replace(both, name="both"), others=(replace(one, name="one"),))
        result = call(nodes, "compare_nodes", study_date="20260110")
    assert not result.is_error, said(result)
    answer = json.loads(said(result))
    (row,) = answer["records"]
    assert (row["PatientID"], row["only_on"]) == ("2002", ["both"])
    assert (answer["studies"], answer["same"], answer["different"]) == (2, 1, 1)
    assert any("1.2.3 (PatientID 1001, 2002)" in note for note in answer["notes"])


def test_one_study_that_is_given_twice_is_one() -> None:
    with holding({"STUDY": [study("1.2.3", **DOE), study("1.2.3", **DOE)]}) as node:
        answer = ask(node, "query_studies", study_date="20260110")
    assert answer["returned"] == 1
    assert not any("several" in note for note in answer["notes"])


def test_one_series_uid_in_two_studies_gives_the_images_of_both() -> None:
    series = [
        {"StudyInstanceUID": one, "SeriesInstanceUID": "1.9", "Modality": "CT"}
        for one in ("1.2.3", "1.2.4")
    ]
    images = [
        {"StudyInstanceUID": one, "SeriesInstanceUID": "1.9", "SOPInstanceUID": f"{one}.{number}"}
        for one in ("1.2.3", "1.2.4")
        for number in range(1, 4)
    ]
    with holding({"SERIES": series, "IMAGE": images}) as node:
        answer = ask(node, "query_instances", series_instance_uid="1.9")
        of_one = ask(node, "query_instances", series_instance_uid="1.9", study_instance_uid="1.2.3")
    assert (answer["returned"], answer["complete"]) == (6, True)
    assert the_note(answer["notes"], "1.2.3, 1.2.4")
    assert of_one["returned"] == 3


def test_one_series_uid_in_two_studies_is_not_opened_as_if_it_were_one() -> None:
    uids = ("1.2.3", "1.2.4")
    series = [{"SeriesInstanceUID": "1.2.9", "StudyInstanceUID": uid} for uid in uids]
    images = [{**one, "SOPInstanceUID": f"{one['StudyInstanceUID']}.1"} for one in series]
    with holding({"SERIES": series, "IMAGE": images}) as node, calling(node) as opened:
        unsaid = members(opened, "1.2.9")
        said_which = members(opened, "1.2.9", "1.2.4")
    assert unsaid.whole is False
    assert the_note(unsaid.notes, "Not complete: ", "1.2.9 is that of 2 series", "1.2.3, 1.2.4")
    assert [one.uid for one in unsaid.objects] == ["1.2.3.1"]
    assert [one.uid for one in said_which.objects] == ["1.2.4.1"]
    assert said_which.whole
    assert not said_which.notes


def test_one_object_uid_in_two_series_is_two_objects() -> None:
    images = [
        {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": one, "SOPInstanceUID": "1.2.3.1"}
        for one in ("1.9", "1.10")
    ]
    with holding({"IMAGE": images}) as node:
        answer = ask(
            node,
            "query_instances",
            series_instance_uid="1.9\\1.10",
            study_instance_uid="1.2.3",
        )
    assert answer["returned"] == 2
    assert any("SOPInstanceUID is that of several" in note for note in answer["notes"])


TWO_HOSPITALS = [
    study("1.2.3", **DOE, IssuerOfPatientID="NORTH"),
    study("1.2.4", **DOE, IssuerOfPatientID="NORTH"),
    study("1.2.5", **{**ROE, "PatientID": "1001"}, IssuerOfPatientID="SOUTH"),
]
UNTOLD = [{k: v for k, v in one.items() if k != "IssuerOfPatientID"} for one in TWO_HOSPITALS]


@pytest.mark.parametrize("studies", [TWO_HOSPITALS, UNTOLD], ids=["issuers told", "untold"])
def test_an_id_of_two_people_is_counted_as_two(studies: list[dict[str, str]]) -> None:
    with holding({"STUDY": studies}) as node:
        answer = ask(node, "count_studies", count="patients")
    assert (answer["total"], answer["complete"]) == (2, True)
    assert any("Patient ID 1001 is that of 2 people" in note for note in answer["notes"])


@pytest.mark.parametrize("studies", [TWO_HOSPITALS, UNTOLD], ids=["issuers told", "untold"])
def test_whose_studies_a_list_by_an_id_of_two_people_holds_is_told(
    studies: list[dict[str, str]],
) -> None:
    with holding({"STUDY": studies}) as node:
        answer = ask(node, "query_studies", patient_id="1001")
        least = ask(node, "query_studies", patient_id="1001", attribute_preset="minimal")
    assert answer["returned"] == least["returned"] == 3
    for one in (answer, least):
        assert any("Patient ID 1001 is that of 2 people" in note for note in one["notes"])


def test_a_married_name_makes_no_second_person() -> None:
    married = {**DOE, "PatientName": "Smith^Jane"}
    with holding({"STUDY": [study("1.2.3", **DOE), study("1.2.4", **married)]}) as node:
        counted = ask(node, "count_studies", count="patients")
        listed = ask(node, "query_studies", patient_id="1001")
    assert counted["total"] == 1
    assert not any("people" in note for note in listed["notes"])


def test_patients_of_two_issuers_are_two_rows() -> None:
    rows = [{**DOE, "IssuerOfPatientID": one} for one in ("NORTH", "SOUTH")]
    with holding({"PATIENT": rows}) as node:
        answer = ask(node, "query_patients", patient_id="1001", attribute_preset="minimal")
    assert answer["returned"] == 2


@pytest.mark.parametrize(
    ("other", "count"),
    [
        (ROE, 2),
        ({**DOE, "PatientID": "N-1001"}, 1),  # the same person under the other hospital's ID
        ({**ROE, "PatientID": "1001"}, 2),
        (DOE, 1),
    ],
    ids=["another patient", "another ID", "one ID of two", "a copy"],
)
def test_a_study_uid_on_two_nodes_is_a_copy_only_of_the_same_patient(
    other: dict[str, str], count: int
) -> None:
    with (
        holding({"STUDY": [study("1.2.3", **DOE)]}) as one,
        holding({"STUDY": [study("1.2.3", **other)]}) as two,
    ):
        answer = _ask_both(one, two, study_date="20260110")
    assert answer["returned"] == count
    assert any("as a record of its own" in note for note in answer["notes"]) is (count == 2)


def _ask_both(one: Node, two: Node, **arguments: Any) -> dict[str, Any]:
    settings = Settings(replace(one, name="one"), others=(replace(two, name="two"),))
    result = call(settings, "query_studies", node="all", **arguments)
    assert not result.is_error, said(result)
    return json.loads(said(result))


def series(study: str, uid: str, modality: str, images: str, **values: str) -> dict[str, str]:
    return {
        "StudyInstanceUID": study,
        "SeriesInstanceUID": uid,
        "Modality": modality,
        "NumberOfSeriesRelatedInstances": images,
        "StudyDate": "20260110",
        **values,
    }


CLASHING = {
    "STUDY": [study("1.2.3", **DOE), study("1.2.3", **ROE), study("1.2.4", **DOE)],
    "SERIES": [
        series("1.2.3", "1.2.3.1", "CT", "5", **DOE),
        series("1.2.3", "1.2.3.2", "MR", "7", **ROE),
        series("1.2.4", "1.2.3.1", "CT", "11", **DOE),
    ],
}


@pytest.mark.parametrize(
    ("arguments", "total", "groups"),
    [
        ({"count": "series"}, 3, {}),
        ({"count": "images"}, 23, {}),
        ({"count": "series", "group_by": ["PatientID"]}, 3, {"1001": 2, "2002": 1}),
        ({"count": "images", "group_by": ["PatientID"]}, 23, {"1001": 16, "2002": 7}),
        ({"group_by": ["SeriesInstanceUID"]}, 3, {"1.2.3.1": 2, "1.2.3.2": 1}),
        ({"count": "patients", "group_by": ["SeriesInstanceUID"]}, 2, {"1.2.3.1": 1, "1.2.3.2": 1}),
    ],
)
def test_a_count_over_clashing_uids_is_right(
    arguments: dict[str, Any], total: int, groups: dict[str, int]
) -> None:
    with holding(CLASHING) as node:
        answer = ask(node, "count_studies", study_date="20260110", **arguments)
    assert answer["complete"], answer["notes"]
    assert answer["total"] == total
    keyword = arguments.get("group_by", ["count"])[0]
    assert {one[keyword]: one["count"] for one in answer["groups"]} == groups
    assert any("1.2.3 (PatientID 1001, 2002)" in note for note in answer["notes"])


def test_series_of_clashing_studies_that_no_patient_tells_apart_are_marked() -> None:
    nameless = [series(one, uid, "CT", "5") for one, uid in (("1.2.3", "1.5"), ("1.2.4", "1.6"))]
    with holding({**CLASHING, "SERIES": nameless}) as node:
        answer = ask(node, "count_studies", study_date="20260110", count="series")
    assert (answer["total"], answer["complete"]) == (1, False)
    assert any("cannot be told apart" in note for note in answer["notes"])


def test_a_study_listed_under_a_modality_that_none_of_its_series_has_is_told() -> None:
    held = {
        "STUDY": [study("1.2.3", **DOE), study("1.2.4", **DOE)],
        "SERIES": [series("1.2.3", "1.2.3.1", "CT", "5"), series("1.2.4", "1.2.4.1", "MR", "5")],
    }
    with holding(held) as node:
        by_study = ask(node, "count_studies", modality="CT")
        by_series = ask(node, "count_studies", modality="CT", group_by=["SeriesInstanceUID"])
    assert by_study["total"] == 2
    assert by_series["total"] == 1
    assert not by_series["complete"]
    assert any("lists 1 study without a series of the mod" in one for one in by_series["notes"])


@pytest.mark.parametrize("found_by_uid", [True, False])
def test_studies_that_only_their_series_name_are_counted_or_told(found_by_uid: bool) -> None:
    uids = [f"1.2.{number}" for number in range(1, 6)]

    def find(event: Any) -> Answers:
        keys = event.identifier
        asked = str(keys.get("StudyInstanceUID", "") or "")
        for uid in uids:
            if asked and uid not in asked.split("\\"):
                continue
            if keys.QueryRetrieveLevel == "SERIES":
                found = series(uid, f"{uid}.1", "CT", "5")
            elif uid != uids[-1] or (asked and found_by_uid):
                found = study(uid, **DOE)
            else:
                continue
            yield 0xFF00, row(keys.QueryRetrieveLevel, **found)

    with accepting(find) as acceptor:
        answer = ask(acceptor.node(), "count_studies", study_date="20260110", count="series")
    assert answer["total"] == (5 if found_by_uid else 4)
    assert answer["complete"] is found_by_uid
    assert any("1 study" in note and "series" in note for note in answer["notes"])


def test_a_uid_of_two_objects_of_one_series_is_told_and_not_opened_as_if_it_were_one() -> None:
    instances = [
        {"SOPInstanceUID": uid, "SeriesInstanceUID": "1.2.3", "StudyInstanceUID": "1.2"}
        | {"InstanceNumber": number, "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}
        for uid, number in (("1.2.3.4", "1"), ("1.2.3.4", "2"), ("1.2.3.4", "2"), ("1.2.3.5", "3"))
    ]
    series = [{"SeriesInstanceUID": "1.2.3", "StudyInstanceUID": "1.2"}]
    with holding({"SERIES": series, "IMAGE": instances}) as node:
        listed = ask(node, "query_instances", series_instance_uid="1.2.3")
        with calling(node) as opened:
            for uid, count in (("", 3), ("1.2.3.4", 2), ("1.2.3.5", 1)):
                found = members(opened, "1.2.3", "1.2", uid)
                assert len(found.objects) == count
                assert found.whole is (count == 1)
                told = [str(note) for note in found.notes]
                assert any("1.2.3.4. The archive gives one" in note for note in told) is (count > 1)
    assert listed["returned"] == 3
    assert the_note(listed["notes"], "1.2.3.4 is that of 2 instances of one series (numbers 1, 2)")
