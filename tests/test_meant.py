"""Arguments by another word for the same thing, or in another form: understood or refused."""

from collections.abc import Generator
from typing import Any

import pytest

from dicom_mcp.config import Settings
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.node import Node
from tests.asking import call, fail, said
from tests.demo_hospital import pacs


@pytest.fixture(scope="module")
def settings() -> Generator[Settings]:
    with EmbeddedArchive(pacs(), ae_title="ARCHIVE") as archive:
        node = Node(archive.host, archive.port, "ARCHIVE", name="pacs")
        yield Settings(node, others=(Node(archive.host, archive.port, "OTHER", name="vna"),))


@pytest.mark.parametrize(
    ("tool", "meant", "usual"),
    [
        ("query_studies", {"modality": "CT"}, {"modality_in_study": "CT"}),
        ("query_studies", {"modality_in_study": ["CT", "MR"]}, {"modality_in_study": "CT, MR"}),
        ("query_studies", {"name_pattern": "Schmidt"}, {"patient_name": "Schmidt"}),
        ("query_studies", {"PatientName": "Schmidt"}, {"patient_name": "Schmidt"}),
        ("query_studies", {"patientID": "00104217"}, {"patient_id": "00104217"}),
        ("query_studies", {"patient_id": ["00104217"]}, {"patient_id": "00104217"}),
        (
            "query_studies",
            {"additional_attributes": "StationName"},
            {"additional_attributes": ["StationName"]},
        ),
        (
            "query_studies",
            {"attributes": "StudyTime, 0008,0090"},
            {"additional_attributes": ["StudyTime, 0008,0090"]},
        ),
        (
            "query_studies",
            {"additional_attributes": "StudyTime, StudyID"},
            {"additional_attributes": ["StudyTime", "StudyID"]},
        ),
        ("query_patients", {"patient_name": "Schmidt"}, {"name_pattern": "Schmidt"}),
        ("query_patients", {"name_pattern": ["Schmidt"]}, {"name_pattern": "Schmidt"}),
        ("count_studies", {"group_by": "station"}, {"group_by": ["station"]}),
        ("count_studies", {"group_by": "station, modality"}, {"group_by": ["station", "modality"]}),
        ("count_studies", {"modality_in_study": "CT"}, {"modality": "CT"}),
        ("count_studies", {"where": "PatientAge is empty"}, {"where": ["PatientAge is empty"]}),
        ("count_studies", {"node": ["pacs"]}, {"node": "pacs"}),
        ("count_studies", {"nodes": ["pacs", "vna"]}, {"node": "pacs, vna"}),
        ("patient_timeline", {"name": "Brückner"}, {"patient_name": "Brückner"}),
        ("count_studies", {"node": '["pacs", "vna"]'}, {"node": "pacs, vna"}),
        ("count_studies", {"group_by": [["station"], "sex"]}, {"group_by": ["station", "sex"]}),
        ("query_studies", {"modality": ["CT", ["MR"]]}, {"modality_in_study": "CT, MR"}),
        ("query_studies", {"patient_id": [["00104217"]]}, {"patient_id": ["00104217"]}),
        ("query_studies", {"modality": "CT", "modalities": ["CT"]}, {"modality_in_study": "CT"}),
        ("query_studies", {"modality": "CT", "modality_in_study": ""}, {"modality_in_study": "CT"}),
        ("query_studies", {"modality": [], "modality_in_study": "CT"}, {"modality_in_study": "CT"}),
    ],
)  # fmt: skip
def test_what_is_meant_is_answered_as_if_it_had_been_said(
    settings: Settings, tool: str, meant: dict[str, Any], usual: dict[str, Any]
) -> None:
    understood, expected = call(settings, tool, **meant), call(settings, tool, **usual)
    assert said(understood) == said(expected)


def test_a_number_for_a_text_is_understood_and_its_zeros_are_spoken_of(settings: Settings) -> None:
    answer = call(settings, "query_studies", patient_id=104217).structured_content
    assert answer is not None
    assert answer["sent"]["PatientID"] == "104217"
    assert "was given as a number" in " ".join(answer["notes"])
    answer = call(settings, "query_studies", study_date=20260101).structured_content
    assert answer is not None
    assert "was given as a number" not in " ".join(answer["notes"])


@pytest.mark.parametrize("given", [[104217], [[104217]], "[104217]"])
def test_a_number_in_a_list_is_spoken_of_too(settings: Settings, given: object) -> None:
    answer = call(settings, "query_studies", patient_id=given).structured_content
    assert answer is not None
    assert answer["sent"]["PatientID"] == "104217"
    assert "was given as a number" in " ".join(answer["notes"])


def test_the_title_that_is_ours_is_not_taken_for_the_archives() -> None:
    told = call(
        Settings(Node(called_ae_title="PACS")),
        "configure_dicom_server",
        host="pacs.example.org",
        port="104",
        calling_ae_title="WE",
    ).structured_content
    assert told is not None
    assert told["archive"]["calling_ae_title"] == "WE"
    assert told["archive"]["called_ae_title"] == "PACS"


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("query_studies", {"patient_name": ["Doe", "Roe"]}, "patient_name: one value is wanted"),
        ("query_studies", {"patient_name": {"family": "Doe"}}, "patient_name"),
        ("query_studies", {"patient_id": True}, "patient_id"),
        (
            "query_studies",
            {"modality": "CT", "modality_in_study": "MR"},
            "'modality' and 'modality_in_study'",
        ),
        ("query_studies", {"patient_id": []}, "patient_id: the list is empty"),
        ("query_studies", {"modality": []}, "Leave modality_in_study out"),
        ("query_studies", {"limit": True}, "limit: a number is wanted, not true"),
        ("query_studies", {"limit": [True]}, "limit: a number is wanted, not true"),
        ("view_image", {"series_instance_uid": "1.2", "at": False}, "at: a number is wanted"),
        ("query_studies", {"colour": "red"}, "no argument 'colour'"),
        ("count_studies", {"group_by": {"by": "station"}}, "group_by"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_sent(
    tool: str, arguments: dict[str, Any], told: str
) -> None:
    sentence = fail(Node(port=1), tool, **arguments)
    assert told in sentence
    assert "refused, nothing listens" not in sentence
