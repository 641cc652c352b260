"""The tools as a client sees them, through the SDK's in-memory client to the embedded archive."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client import Client
from mcp.types import Tool

from dicom_mcp.config import Settings
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.index_settings import IndexSettings
from dicom_mcp.node import Node
from dicom_mcp.server import INSTRUCTIONS, create_server
from dicom_mcp.tools import TOOLS
from tests import ward
from tests.asking import ask, call, fail, listed, said
from tests.notes import the_note

GOLDEN = Path(__file__).parent / "golden"
CONTRACT: dict[str, tuple[set[str], set[str]]] = {
    "configure_dicom_server": ({"host", "port"}, {"ae_title"}),
    "verify_connection": (set(), set()),
    "query_patients": (set(), {"name_pattern", "patient_id", "birth_date"}),
    "query_studies": (
        set(),
        {
            "patient_id",
            "study_date",
            "modality_in_study",
            "study_description",
            "accession_number",
            "study_instance_uid",
        },
    ),
    "query_series": (
        {"study_instance_uid"},
        {"modality", "series_number", "series_description", "series_instance_uid"},
    ),
    "query_instances": ({"series_instance_uid"}, {"instance_number", "sop_instance_uid"}),
    "get_attribute_presets": (set(), set()),
}
SHOWS_PICTURES = {entry.function.__name__: entry.shows_pictures for entry in TOOLS}
LEVEL_OF_DETAIL = {"attribute_preset", "additional_attributes", "exclude_attributes"}


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with EmbeddedArchive(ward.objects(), ae_title="WARD") as archive:
        yield Node(port=archive.port, called_ae_title="WARD")


@pytest.fixture(scope="module")
def tools() -> list[Tool]:
    return listed()


# The contract


def test_the_contracts_seven_tools_are_listed_in_its_order(tools: list[Tool]) -> None:
    assert [tool.name for tool in tools if tool.name in CONTRACT] == list(CONTRACT)


@pytest.mark.parametrize("name", list(CONTRACT))
def test_a_tool_has_the_contracts_arguments(tools: list[Tool], name: str) -> None:
    schema = next(tool for tool in tools if tool.name == name).input_schema
    required, optional = CONTRACT[name]
    assert set(schema.get("required", [])) == required
    assert required | optional <= set(schema["properties"])
    if name.startswith("query_"):
        assert set(schema["properties"]) >= LEVEL_OF_DETAIL
        assert schema["properties"]["attribute_preset"]["default"] == "standard"
    assert schema["additionalProperties"] is False


def test_a_changed_schema_is_a_reviewed_change(tools: list[Tool]) -> None:
    """To accept a change on purpose: delete tests/golden/tools.json, run this test, review."""
    golden = GOLDEN / "tools.json"
    now = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    if not golden.exists():
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(json.dumps(now, indent=1) + "\n")
        pytest.fail(f"{golden.name} was missing and has been written; review and commit it")
    assert now == json.loads(golden.read_text())


def test_definitions_are_small_enough_to_be_always_in_a_models_context(tools: list[Tool]) -> None:
    """Icons are drawn by the client: no model is shown them."""
    sizes = _sizes(tools)
    assert sum(sizes) < 1_500 * len(sizes)
    assert max(sizes) < 2_900
    assert len(INSTRUCTIONS) < 2_048


def test_definitions_are_small_where_an_index_is_kept_too(tmp_path: Path) -> None:
    """Some tools have one argument more, or two."""
    index = IndexSettings(folder=str(tmp_path), keep=False)
    sizes = _sizes(listed(Settings(Node(port=1), index=index)))
    assert len(sizes) == len(TOOLS)
    assert sum(sizes) < 1_500 * len(sizes)
    assert max(sizes) < 3_100


def _sizes(tools: list[Tool]) -> list[int]:
    now = [
        tool.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"icons"})
        for tool in tools
    ]
    return [len(json.dumps(tool, separators=(",", ":")).encode()) for tool in now]


def test_every_tool_has_title_description_and_truthful_annotations(tools: list[Tool]) -> None:
    for tool in tools:
        assert tool.title
        assert tool.description
        assert bool(tool.output_schema) is not SHOWS_PICTURES[tool.name]
        assert tool.annotations
        assert tool.annotations.read_only_hint is (tool.name != "configure_dicom_server")
        assert tool.annotations.destructive_hint is False


# Answers


def test_every_query_answers_with_an_object_that_says_what_was_asked(node: Node) -> None:
    answer = ask(node, "query_studies", patient_id="007", study_date="20260101-20260131")
    assert answer["returned"] == 1
    assert answer["complete"] is True
    assert answer["notes"] == []
    assert answer["archive"] == {
        "host": "127.0.0.1",
        "port": node.port,
        "called_ae_title": "WARD",
        "calling_ae_title": "MCPSCU",
    }
    assert answer["sent"] == {
        "QueryRetrieveLevel": "STUDY",
        "PatientID": "007",
        "StudyDate": "20260101-20260131",
    }
    assert answer["records"] == [
        {
            "StudyInstanceUID": ward.STUDIES[0].uid,
            "PatientID": "007",
            "StudyDate": "20260110",
            "StudyDescription": "CT Chest",
            "PatientName": "Doe^Jane",
            "ModalitiesInStudy": "CT",
            "AccessionNumber": "A1",
            "NumberOfStudyRelatedInstances": 5,
        }
    ]


def test_what_all_records_share_stands_once_and_what_is_empty_is_left_out(node: Node) -> None:
    answer = ask(node, "query_studies", patient_name="Doe*")
    assert answer["common"] == {}
    by_accession = [record.get("AccessionNumber") for record in answer["records"]]
    assert sorted(by_accession, key=str) == ["A1", "A2", None]
    instances = ask(node, "query_instances", series_instance_uid=ward.STUDIES[0].series_uid("CT"))
    assert instances["common"] == {
        "SeriesInstanceUID": ward.STUDIES[0].series_uid("CT"),
        "StudyInstanceUID": ward.STUDIES[0].uid,
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
        "Rows": 64,
        "Columns": 64,
    }
    assert {tuple(record) for record in instances["records"]} == {
        ("SOPInstanceUID", "InstanceNumber")
    }
    assert sorted(record["InstanceNumber"] for record in instances["records"]) == [1, 2, 3, 4, 5]


def test_a_study_of_two_modalities_shows_both(node: Node) -> None:
    answer = ask(node, "query_studies", accession_number="A2")
    (record,) = answer["records"]
    assert sorted(record["ModalitiesInStudy"]) == ["CT", "US"]
    assert record["NumberOfStudyRelatedInstances"] == 5


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("Müller*", {"9"}),
        ("*太郎*", {"10"}),
        ("山田^太郎", {"10"}),
        ("*ジョン*", set[str]()),
        ("doe^j*", {"007", "8"}),
        ("Doe^J?ne", {"007"}),
        ("*", {"007", "8", "9", "10"}),
    ],
)
def test_patients_are_found_by_name_in_any_script(
    node: Node, pattern: str, found: set[str]
) -> None:
    answer = ask(node, "query_patients", name_pattern=pattern, attribute_preset="minimal")
    assert {record["PatientID"] for record in answer["records"]} == found
    assert answer["complete"] is True


def test_what_came_back_can_be_pasted_into_the_next_question(node: Node) -> None:
    (patient,) = ask(node, "query_patients", name_pattern="Yamada*")["records"]
    again = ask(node, "query_patients", name_pattern=patient["PatientName"])
    assert again["records"] == [patient]
    series = ask(node, "query_series", study_instance_uid=ward.STUDIES[1].uid)
    for record in series["records"]:
        (same,) = ask(
            node,
            "query_series",
            study_instance_uid=ward.STUDIES[1].uid,
            series_number=record["SeriesNumber"],
        )["records"]
        assert same["SeriesInstanceUID"] == record["SeriesInstanceUID"]


def test_leading_zeros_of_an_id_stay(node: Node) -> None:
    (record,) = ask(node, "query_patients", patient_id="007")["records"]
    assert record["PatientID"] == "007"
    assert ask(node, "query_patients", patient_id="7")["returned"] == 0


def test_numbers_may_be_given_as_numbers_or_text_and_null_means_not_given(node: Node) -> None:
    series = ward.STUDIES[0].series_uid("CT")
    for number in (3, "3", "03"):
        answer = ask(
            node, "query_instances", series_instance_uid=series, instance_number=number, limit=None
        )
        assert [record["InstanceNumber"] for record in answer["records"]] == [3]


def test_the_text_null_is_a_text_and_not_a_missing_filter(node: Node) -> None:
    assert ask(node, "query_studies", patient_id="null")["returned"] == 0


def test_a_limit_cuts_and_says_so(node: Node) -> None:
    answer = ask(node, "query_studies", limit=2)
    assert answer["returned"] == 2
    assert answer["complete"] is False
    assert the_note(answer["notes"], "there are more")
    assert ask(node, "query_studies", limit=5)["complete"] is True


def test_an_answer_too_long_for_an_assistant_is_cut_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every patient has comments of 10,000 characters; an answer has room for some, each cut."""
    long = [one for one in ward.objects() if one.InstanceNumber == 1]
    for number, one in enumerate(long):
        one.PatientComments = f"{one.PatientID}-{number}".ljust(10_000, "x")
    monkeypatch.setattr("dicom_mcp.door.answer.MOST_ROWS", 2_500)
    with EmbeddedArchive(long, ae_title="LONG") as archive:
        answer = ask(
            Node(port=archive.port), "query_patients", additional_attributes=["PatientComments"]
        )
    assert answer["complete"] is False
    assert answer["returned"] == len(answer["records"]) < 4
    assert the_note(answer["notes"], "fit an answer")
    assert answer["records"][0]["PatientComments"].endswith("xxx… (10000 characters)")


def test_who_waits_is_told_what_has_arrived(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dicom_mcp.door.progress._REPORT_SECONDS", 0.0)
    told: list[tuple[float, str | None]] = []

    async def progressed(progress: float, total: float | None, message: str | None) -> None:
        assert total is None
        told.append((progress, message))

    async def scenario() -> Any:
        async with Client(create_server(Settings(node))) as client:
            return await client.call_tool("query_studies", {}, progress_callback=progressed)

    assert anyio.run(scenario).structured_content["returned"] == 5
    assert told == [(count, f"Studies found: {count} so far") for count in range(1, 6)]


def test_no_match_is_said_in_words(node: Node) -> None:
    answer = ask(node, "query_studies", patient_name="Nobody")
    assert (answer["returned"], answer["complete"], answer["records"]) == (0, True, [])
    assert the_note(answer["notes"], "No study in this archive matches")


def test_instances_are_found_without_the_study_uid_in_a_strict_archive() -> None:
    with EmbeddedArchive(ward.objects(), ae_title="STRICT", hierarchy="strict") as archive:
        strict = Node(port=archive.port, called_ae_title="STRICT")
        for study in ward.STUDIES:
            for modality, count in study.series.items():
                answer = ask(
                    strict, "query_instances", series_instance_uid=study.series_uid(modality)
                )
                assert answer["returned"] == count
        nothing = ask(strict, "query_instances", series_instance_uid="1.2.3")
        assert nothing["notes"] != []
        assert nothing["complete"] is True


def test_detail_is_chosen_by_preset_additional_and_excluded_attributes(node: Node) -> None:
    (record,) = ask(
        node,
        "query_series",
        study_instance_uid=ward.STUDIES[0].uid,
        attribute_preset="minimal",
        additional_attributes=["StationName", "(0008,103E)"],
        exclude_attributes=["Modality"],
    )["records"]
    assert set(record) == {
        "SeriesInstanceUID",
        "StudyInstanceUID",
        "SeriesNumber",
        "StationName",
        "SeriesDescription",
    }


def test_the_presets_are_told(node: Node) -> None:
    answer = ask(node, "get_attribute_presets")
    assert set(answer["presets"]) == {"minimal", "standard", "extended"}
    assert set(answer["presets"]["standard"]) == {"patient", "study", "series", "image"}


# Configuration


def test_verify_says_which_archive_by_both_titles(node: Node) -> None:
    answer = ask(node, "verify_connection")
    assert answer["works"] is True
    assert the_note(answer["notes"], "WARD (called_ae_title)", "MCPSCU (calling_ae_title")


def test_configuring_points_the_next_question_elsewhere(node: Node) -> None:
    async def scenario() -> list[Any]:
        async with Client(create_server(Settings(Node(port=1)))) as client:
            before = await client.call_tool("verify_connection", {})
            changed = await client.call_tool(
                "configure_dicom_server",
                {
                    "host": "127.0.0.1",
                    "port": node.port,
                    "ae_title": "WE",
                    "called_ae_title": "WARD",
                },
            )
            return [before, changed, await client.call_tool("verify_connection", {})]

    before, changed, after = anyio.run(scenario)
    assert before.is_error
    assert changed.structured_content["archive"] == {
        "node": "configured",
        "host": "127.0.0.1",
        "port": node.port,
        "called_ae_title": "WARD",
        "calling_ae_title": "WE",
    }
    assert after.structured_content["works"] is True


def test_the_operator_can_restrict_where_a_model_may_point(node: Node) -> None:
    closed = Settings(node, configurable_hosts=frozenset())
    refused = call(closed, "configure_dicom_server", host="10.0.0.1", port=104)
    assert refused.is_error
    assert "does not allow" in said(refused)
    named = Settings(node, configurable_hosts=frozenset({"pacs.example.org"}))
    assert call(named, "configure_dicom_server", host="10.0.0.1", port=104).is_error
    assert not call(named, "configure_dicom_server", host="PACS.example.org", port=104).is_error


# What is refused, and how


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("query_patients", {"name_patern": "x"}, "Did you mean name_pattern?"),
        (
            "query_studies",
            {"study_date": "yesterday-ish"},
            "is not a date. Write YYYYMMDD for one day",
        ),
        ("query_studies", {"study_date": "20260231"}, "is not a date"),
        ("query_studies", {"study_date": "20260210-20260101"}, "Did you mean 20260101-20260210"),
        ("query_studies", {"attribute_preset": "extnded"}, "Use extended"),
        ("query_studies", {"additional_attributes": ["PatientAgee"]}, "Did you mean PatientAge"),
        ("query_studies", {"study_instance_uid": "1.2.840.x"}, "is not a DICOM UID"),
        ("query_studies", {"modality_in_study": "ultrasond"}, "ultrasound"),
        ("query_studies", {"limit": 501}, "less than or equal to 500"),
        ("query_studies", {"limit": 0}, "greater than or equal to 1"),
        ("query_studies", {"patient_id": {"is": 7}}, "patient_id"),
        (
            "query_studies",
            {"patient_name": ["Doe", "Roe"]},
            "one value is wanted, not a list of 2",
        ),
        (
            "query_studies",
            {"modality": "CT", "modality_in_study": "MR"},
            "was given 'modality' and 'modality_in_study'",
        ),
        ("query_studies", {"study_description": "a\\b"}, "backslash"),
        ("query_series", {}, "study_instance_uid"),
        ("query_series", {"study_instance_uid": " "}, "is empty"),
        ("query_instances", {"series_instance_uid": "1.2.*"}, "is not a DICOM UID"),
        (
            "query_instances",
            {"series_instance_uid": "1.2", "instance_number": "two"},
            "is not a whole number",
        ),
        ("configure_dicom_server", {"host": "pacs", "port": 70000}, "not between 1 and 65535"),
        (
            "configure_dicom_server",
            {"host": "pacs", "port": 104, "ae_title": "SEVENTEEN_LETTERS"},
            "calling_ae_title 'SEVENTEEN_LETTERS' has 17 characters",
        ),
        ("get_attribute_presets", {"level": "study"}, "It has none"),
    ],
)
def test_bad_input_is_refused_with_what_to_write_instead(
    tool: str, arguments: dict[str, Any], told: str
) -> None:
    """Nothing listens at port 1: had anything been sent, the error would be another."""
    sentence = fail(Node(port=1), tool, **arguments)
    assert told in sentence
    assert "refused, nothing listens" not in sentence
    assert "validation error" not in sentence


def test_an_archive_that_is_down_is_an_error_that_names_it_and_what_to_try() -> None:
    sentence = fail(Node(port=1, called_ae_title="PACS"), "query_studies")
    assert sentence == (
        "127.0.0.1:1 (called_ae_title PACS, calling_ae_title MCPSCU): connection refused, nothing "
        "listens on that port. Check that the archive is running and that host and port are right."
    )


def test_a_host_without_address_is_an_error_that_says_so() -> None:
    sentence = fail(Node(host="no-such-host.invalid"), "verify_connection")
    assert "the host name no-such-host.invalid has no address" in sentence


# Nothing of a patient in the log


def test_debugging_shows_the_exchange_with_masked_values(
    node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "dicom_mcp")
    ask(node, "query_studies", patient_name="doe^jane", attribute_preset="minimal")
    lines = [record.getMessage() for record in caplog.records]
    request, *proofs = (line for line in lines if line.startswith("C-FIND-RQ"))
    assert len(proofs) <= 4  # that nobody has the name in other letters, and nothing was cut
    assert "PatientName=<8>" in request
    assert "StudyDate " in request
    assert "oe^" not in "".join(lines)
    answers = [line for line in lines if line.startswith("C-FIND-RSP")]
    assert ["status=0xFF00" in line for line in answers[:3]] == [True, True, False]
    (call,) = {line.split("call=")[1].split()[0] for line in lines if "call=" in line}
    assert len(call) == 8


def test_no_patient_value_reaches_a_log_line_on_success_failure_or_crash(
    node: Node, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = ward.Study(6, "ZZSECRET^Nora", "ZZSECRET-1", "20260303", "ZZSECRET", "", {"CT": 1})
    monkeypatch.setattr(ward, "STUDIES", (secret,))
    with EmbeddedArchive(ward.objects(), ae_title="SECRET") as archive:
        private = Node(port=archive.port)
        found = ask(private, "query_patients", name_pattern="ZZSECRET*")
        assert found["records"][0]["PatientID"] == "ZZSECRET-1"
        fail(private, "query_patients", name_pattern="ZZSECRET\\x")
        fail(private, "query_patients", name_pattern=["ZZSECRET", "ZZSECRET"])
        fail(private, "query_patients", ZZSECRET="ZZSECRET")
    fail(replace(node, port=1), "query_patients", name_pattern="ZZSECRET*")

    def crash(*_: Any, **__: Any) -> None:
        raise RuntimeError("ZZSECRET in an unexpected error")

    monkeypatch.setattr("dicom_mcp.dicom_api.Archive.find", crash)
    sentence = fail(private, "query_patients", name_pattern="ZZSECRET*")
    assert "defect of the server" in sentence
    assert "ZZSECRET" not in sentence
    assert any("crash" in record.getMessage() for record in caplog.records)
    assert not [record for record in caplog.records if "ZZSECRET" in record.getMessage()]


def test_of_objects_that_are_fetched_it_is_told_how_many_of_how_many(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dicom_mcp.door.progress._REPORT_SECONDS", 0.0)
    told: list[tuple[float, float | None, str | None]] = []

    async def progressed(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    async def scenario() -> None:
        async with Client(create_server(Settings(node))) as client:
            asked = {"series_instance_uid": str(next(iter(ward.objects())).SeriesInstanceUID)}
            await client.call_tool("read_header", asked, progress_callback=progressed)

    anyio.run(scenario)
    assert [count for count, _, _ in told] == sorted({count for count, _, _ in told})
    fetched = [entry for entry in told if (entry[2] or "").startswith("Objects fetched")]
    assert fetched[-1][2] == "Objects fetched: 1 of 1"
    assert fetched[-1][0] == fetched[-1][1]
