"""Studies without a date: no key asks for them, and every archive shows them otherwise."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.demo.habits import Habits
from dicom_mcp.node import AnyNode, WebNode
from tests.asking import ask, fail
from tests.peers.dcmqrscp import dcmqrscp
from tests.peers.embedded import Kind, embedded, embedded_web
from tests.peers.orthanc import orthanc, orthanc_web
from tests.truth.archives import holding, images, studies

# Zeros are no date, and pydicom warns of them.
pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR DA")

UNDATED = {"1.2.901", "1.2.902", "1.2.903", "1.2.911", "1.2.912"}
OF_MR = {"1.2.902", "1.2.911"}


def held() -> list[Dataset]:
    """Sixty studies a day apart, and five without a date: empty, zeros, or no such attribute."""
    objects = studies(60)
    objects += images(2, study=901, StudyDate="")
    objects += images(1, study=902, StudyDate="", Modality="MR", PatientName="Roe^Richard")
    objects += images(1, study=903, StudyDate="00000000", PatientBirthDate="")
    for study, modality in ((911, "MR"), (912, "CT")):
        for image in images(1, study=study, Modality=modality, PatientName="Roe^Rita"):
            del image.StudyDate
            objects.append(image)
    return objects


@contextmanager
def _web(habits: Habits) -> Generator[AnyNode]:
    with embedded_web(held(), habits) as url:
        yield WebNode(url)


# Nodes that cut lists and bring what has no date with no range, or not all of it.
CUTTING: set[AnyNode] = set()

_NONE_KEPT = frozenset({"ModalitiesInStudy", "NumberOfStudyRelatedSeries"})

EMBEDDED: dict[str, Habits] = {
    "embedded": Habits(),
    "embedded like Orthanc": Habits(undated_in_ranges=True, most_matches=20, cap_status=0xFE00),
    "embedded with a limit": Habits(most_matches=20),
    "embedded without modalities": Habits(unreturned=_NONE_KEPT, ignored_keys=_NONE_KEPT),
    "embedded that ignores dates": Habits(ignored_keys=frozenset({"StudyDate"})),
    "embedded without open ranges": Habits(open_ranges=False),
}
REAL = [
    pytest.param("orthanc", marks=pytest.mark.orthanc),
    pytest.param("orthanc with a limit", marks=pytest.mark.orthanc),
    pytest.param("orthanc over DICOMweb", marks=pytest.mark.orthanc),
    pytest.param("dcmqrscp", marks=pytest.mark.dcmtk),
]


@pytest.fixture(scope="module", params=[*EMBEDDED, "embedded over DICOMweb", *REAL])
def node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    name: str = request.param
    if name in EMBEDDED:
        with embedded(held(), Kind(EMBEDDED[name])) as peer:
            CUTTING.update({peer.node} if name == "embedded with a limit" else ())
            yield peer.node
    elif name == "embedded over DICOMweb":
        with _web(Habits()) as web:
            yield web
    elif name == "orthanc over DICOMweb":
        with orthanc_web(held(), tmp_path_factory.mktemp("web")) as url:
            yield WebNode(url)
    elif name == "dcmqrscp":
        with dcmqrscp(held(), tmp_path_factory.mktemp("dcmqrscp")) as peer:
            yield peer.node
    else:
        limit = 20 if name.endswith("limit") else 0
        with orthanc(held(), tmp_path_factory.mktemp("orthanc"), limit=limit) as peer:
            CUTTING.update({peer.node} if limit else ())
            yield peer.node


def is_whole(node: AnyNode, answer: dict[str, Any]) -> bool:
    """Complete; or, of an archive that cuts lists and lacks some in any range, perhaps not."""
    perhaps = any(note.startswith("Not complete, perhaps") for note in answer["notes"])
    return answer["complete"] or (perhaps and node in CUTTING)


def uids(answer: dict[str, Any]) -> set[str]:
    rows: Sequence[dict[str, Any]] = answer["records"]
    return {{**answer["common"], **row}["StudyInstanceUID"] for row in rows}


@pytest.mark.parametrize("written", ["none", "without a date", "Undated"])
def test_studies_without_a_date_are_all_found(node: AnyNode, written: str) -> None:
    answer = ask(node, "query_studies", study_date=written, attribute_preset="minimal")
    assert uids(answer) == UNDATED
    assert is_whole(node, answer), answer["notes"]
    assert answer["sent"]["StudyDate"] == "(empty)"


def test_studies_without_a_date_are_counted_and_grouped(node: AnyNode) -> None:
    answer = ask(node, "count_studies", study_date="none", group_by=["modality"])
    assert answer["total"] == 5
    assert is_whole(node, answer), answer["notes"]
    assert {row["modality"]: row["count"] for row in answer["groups"]} == {"CT": 3, "MR": 2}


def test_studies_without_a_date_are_found_by_modality(node: AnyNode) -> None:
    answer = ask(node, "query_studies", study_date="none", modality_in_study="MR")
    assert uids(answer) == OF_MR
    assert is_whole(node, answer), answer["notes"]
    counted = ask(node, "count_studies", study_date="none", modality="MR")
    assert counted["total"] == 2
    assert is_whole(node, counted), counted["notes"]


def test_studies_without_a_date_are_found_by_name(node: AnyNode) -> None:
    answer = ask(node, "query_studies", study_date="none", patient_name="roe")
    assert uids(answer) == {"1.2.902", "1.2.911", "1.2.912"}
    assert answer["complete"] is True, answer["notes"]


def test_patients_without_a_birth_date_are_found(node: AnyNode) -> None:
    answer = ask(node, "query_patients", birth_date="none")
    found = [{**answer["common"], **row}["PatientID"] for row in answer["records"]]
    assert found == ["P903"]
    assert is_whole(node, answer), answer["notes"]


def test_a_limit_keeps_the_first_and_says_so(node: AnyNode) -> None:
    answer = ask(node, "query_studies", study_date="none", limit=2)
    assert answer["returned"] == 2
    assert answer["complete"] is False
    assert uids(answer) <= UNDATED


def test_a_range_open_to_the_past_lacks_none_and_brings_none_without_a_date(node: AnyNode) -> None:
    answer = ask(node, "query_studies", study_date="-20261231", limit=500)
    assert len(uids(answer)) == 60
    assert not uids(answer) & UNDATED
    assert answer["complete"] is True, answer["notes"]


def test_the_timeline_of_what_has_no_date(node: AnyNode) -> None:
    answer = ask(node, "patient_timeline", patient_id="P911", study_date="none")
    assert [row["study_instance_uid"] for row in answer["records"]] == ["1.2.911"]


@pytest.mark.orthanc
def test_what_a_limited_archive_shows_in_a_range_is_complete(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    objects = [one for one in held() if "StudyDate" in one]
    with orthanc(objects, tmp_path_factory.mktemp("orthanc"), limit=20) as peer:
        answer = ask(peer.node, "query_studies", study_date="none")
        everything = ask(peer.node, "count_studies")
    assert uids(answer) == {"1.2.901", "1.2.902", "1.2.903"}
    assert answer["complete"] is True, answer["notes"]
    assert (everything["total"], everything["complete"]) == (63, True), everything["notes"]


@pytest.mark.orthanc
def test_a_list_that_lacks_what_has_no_such_attribute_is_not_called_complete(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    objects = held()
    with orthanc(objects, tmp_path_factory.mktemp("orthanc"), limit=20) as peer:
        answer = ask(peer.node, "count_studies")
    assert answer["total"] in (63, 65)  # the two lack the attribute
    assert answer["complete"] is (answer["total"] == 65)


def test_an_archive_that_does_not_return_dates_cannot_tell() -> None:
    with holding(held(), Habits(unreturned=frozenset({"StudyDate"}))) as archive:
        answer = ask(archive.node, "query_studies", study_date="none", limit=500)
    assert answer["complete"] is False
    assert any("does not return StudyDate" in note for note in answer["notes"])


def test_whoever_writes_no_date_is_taught_how_to_ask_for_what_has_none(node: AnyNode) -> None:
    assert "What has no date: none" in fail(node, "query_studies", study_date="not known")


def test_a_list_that_is_only_doubted_for_its_length_is_proved_whole() -> None:
    """Fifty is a length that lists are cut at; this one is not cut, and there are none without."""
    with embedded(studies(50), Kind()) as peer:
        found = ask(peer.node, "query_studies", study_date="undated", modality_in_study="CT")
    assert (found["returned"], found["complete"]) == (0, True)
    assert not [note for note in found["notes"] if note.startswith(("This archive", "The archive"))]


def test_what_is_missing_of_a_list_in_parts_is_told_by_its_dates_with_the_reason() -> None:
    alike = {"PatientID": "P", "StudyTime": "120000", "AccessionNumber": "A"}
    objects = studies(40) + [
        image
        for study in range(500, 530)
        for image in images(1, study=study, StudyDate="20260601", **alike)
    ]
    with holding(objects, Habits(most_matches=20, cap_status=0xFE00)) as archive:
        answer = ask(archive.node, "count_studies")
    assert answer["complete"] is False
    (note,) = [note for note in answer["notes"] if note.startswith("Not complete: of ")]
    assert "of StudyDate 20260601" in note
    assert "because they were too long for one answer" in note
    assert "no time" not in note
