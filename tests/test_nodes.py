"""Several nodes at once: the demo's PACS over DIMSE, its VNA over DICOMweb, one that is down."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import anyio
import pytest
from mcp.client import Client

from dicom_mcp.config import Settings
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.habits import Habits
from dicom_mcp.demo.hospital import hospital
from dicom_mcp.demo.objects import study_uid
from dicom_mcp.node import Node, WebNode
from dicom_mcp.server import create_server
from tests.asking import ask, fail
from tests.demo_hospital import TODAY, pacs, vna
from tests.peers.embedded import embedded_web


@pytest.fixture(scope="module")
def settings(database: str, vna_database: str) -> Iterator[Settings]:
    planned = hospital(TODAY).worklist()
    with (
        EmbeddedArchive([], ae_title="PACS", worklist=planned, database=database) as pacs,
        embedded_web([], database=vna_database) as vna,
    ):
        yield Settings(
            Node(port=pacs.port, called_ae_title="PACS", name="pacs"),
            others=(WebNode(vna, name="vna"), Node(port=1, name="down", timeout=5)),
        )


def held(which: str) -> dict[str, int]:
    """StudyInstanceUID to number of objects, by a plain loop."""
    counts: dict[str, int] = {}
    for one in pacs() if which == "pacs" else vna():
        counts[one.StudyInstanceUID] = counts.get(one.StudyInstanceUID, 0) + 1
    return counts


def test_the_nodes_are_listed_by_name_without_asking_them(settings: Settings) -> None:
    answer = ask(settings, "list_dicom_nodes")
    assert answer["default"] == "pacs"
    assert [(one["node"], one["speaks"]) for one in answer["nodes"]] == [
        ("pacs", "DIMSE"),
        ("vna", "DICOMweb"),
        ("down", "DIMSE"),
    ]


def test_a_question_goes_to_the_default_node_unless_it_names_one(settings: Settings) -> None:
    everything = {"limit": 500}
    pacs = ask(settings, "query_studies", **everything)
    assert pacs["archive"]["node"] == "pacs"
    assert pacs["returned"] == len(held("pacs"))
    vna = ask(settings, "query_studies", node="VNA", **everything)
    assert vna["archive"] == {
        "node": "vna",
        "base_url": settings.nodes["vna"].base_url,  # type: ignore[union-attr]
    }
    assert vna["returned"] == len(held("vna"))


def test_answers_of_several_nodes_merge_by_uid_and_name_where_each_was_found(
    settings: Settings,
) -> None:
    answer = ask(settings, "query_studies", node="pacs, vna", limit=500)
    assert answer["complete"]
    assert answer["archive"] == {"nodes": "pacs, vna"}
    pacs, vna = held("pacs"), held("vna")
    found = {row["StudyInstanceUID"]: row["nodes"] for row in answer["records"]}
    assert found == {
        uid: [name for name, one in (("pacs", pacs), ("vna", vna)) if uid in one]
        for uid in (pacs | vna)
    }


def test_a_number_that_differs_is_shown_as_each_node_says_it(settings: Settings) -> None:
    answer = ask(
        settings,
        "query_studies",
        node="pacs,vna",
        study_instance_uid=study_uid("anna elder ct"),
        additional_attributes=["NumberOfStudyRelatedInstances"],
    )
    uid = study_uid("anna elder ct")
    (row,) = answer["records"]
    pacs, vna = held("pacs")[uid], held("vna")[uid]
    assert pacs != vna
    assert row["NumberOfStudyRelatedInstances"] == f"{pacs} (pacs), {vna} (vna)"
    assert any("compare_nodes" in note for note in answer["notes"])


def test_counting_over_two_nodes_counts_what_both_hold_once(settings: Settings) -> None:
    answer = ask(settings, "count_studies", node="pacs,vna")
    assert answer["complete"]
    assert answer["total"] == len(held("pacs") | held("vna"))
    assert ask(settings, "count_studies", node="vna")["total"] == len(held("vna"))


def test_what_only_one_node_tells_of_the_same_image_is_no_difference(settings: Settings) -> None:
    """A DICOMweb server answers with more attributes, and other ones, than were asked for."""
    series = next(
        str(one.SeriesInstanceUID)
        for one in pacs()
        if one.StudyInstanceUID == study_uid("therapy ct")
    )
    answer = ask(settings, "read_header", node="pacs,vna", series_instance_uid=series)
    assert not [note for note in answer["notes"] if "differ" in note]
    counted = ask(settings, "count_studies", node="pacs,vna", group_by=["StudyDescription"])
    assert [note for note in counted["notes"] if "differs between them in StudyDescription" in note]


def test_one_node_that_fails_is_a_note_and_the_answer_not_complete(settings: Settings) -> None:
    answer = ask(settings, "query_studies", node="all", limit=500)
    assert answer["returned"] == len(held("pacs") | held("vna"))
    assert not answer["complete"]
    (told,) = [note for note in answer["notes"] if "down" in note]
    assert told.startswith("Not complete: down did not answer. down, 127.0.0.1:1 ")
    assert "connection refused" in told


def test_all_nodes_that_fail_are_an_error_that_tells_of_each() -> None:
    dead = Settings(Node(port=1, name="one"), others=(Node(port=2, name="two"),))
    sentence = fail(dead, "query_studies", node="all")
    assert "one, 127.0.0.1:1" in sentence
    assert "two, 127.0.0.1:2" in sentence
    assert "one, 127.0.0.1:1" in fail(dead, "count_studies", node="all")


def test_a_node_nobody_configured_is_refused_with_the_names_there_are(settings: Settings) -> None:
    sentence = fail(settings, "query_studies", node="vnaa")
    assert "there is no node" in sentence
    assert "Did you mean vna?" in sentence
    assert "pacs, vna, down; or all" in sentence


def test_a_connection_test_of_several_tells_of_each(settings: Settings) -> None:
    answer = ask(settings, "verify_connection", node="all")
    assert answer["works"] is False
    assert [note.split(":")[0].split(",")[0] for note in answer["notes"]] == [
        "pacs",
        "vna",
        "Failed",
    ]


def test_the_worklist_of_one_node_is_joined_with_what_arrived_at_any(settings: Settings) -> None:
    alone = ask(settings, "query_worklist", date="", arrived=True)
    answer = ask(settings, "query_worklist", date="", arrived=True, node="pacs,vna")
    assert answer["complete"]
    assert answer["returned"] == alone["returned"]
    assert answer["waiting"] == alone["waiting"]
    assert any("No worklist at vna" in note for note in answer["notes"])


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("patient_timeline", {"patient_id": "00420036"}),
        ("study_overview", {"study_instance_uid": study_uid("therapy ct")}),
        ("query_patients", {"name_pattern": "Schmidt*"}),
        ("query_series", {"study_instance_uid": study_uid("therapy ct")}),
    ],
)
def test_every_question_can_go_to_several_nodes(
    settings: Settings, tool: str, arguments: dict[str, Any]
) -> None:
    answer = ask(settings, tool, node="pacs,vna", **arguments)
    assert answer["complete"]
    assert "vna" in str(answer)
    if tool == "patient_timeline":
        assert {tuple(one["nodes"]) for one in answer["records"]} == {("pacs", "vna")}


def test_a_node_that_is_configured_on_the_way_has_a_name_and_the_others_stay(
    settings: Settings,
) -> None:
    async def session() -> tuple[dict[str, Any], dict[str, Any]]:
        async with Client(create_server(settings)) as client:
            await client.call_tool("configure_dicom_server", {"host": "192.0.2.7", "port": 104})
            listed = await client.call_tool("list_dicom_nodes", {})
            asked = await client.call_tool("verify_connection", {"node": "pacs"})
            return listed.structured_content or {}, asked.structured_content or {}

    listed, asked = anyio.run(session)
    assert listed["default"] == "configured"
    assert [one["node"] for one in listed["nodes"]] == ["pacs", "vna", "down", "configured"]
    assert asked["works"] is True


def test_objects_that_cannot_be_fetched_elsewhere_name_the_place_they_were_asked_at(
    settings: Settings,
) -> None:
    uid = next(str(one.SeriesInstanceUID) for one in pacs() if one.Modality == "CT")
    asked = settings.node
    assert isinstance(asked, Node)
    nodes = Settings(replace(asked, objects_from="down"), others=(settings.nodes["down"],))
    sentence = fail(nodes, "view_image", series_instance_uid=uid)
    assert sentence.startswith("down, 127.0.0.1:1 ")


def test_what_one_node_lacks_is_said_as_every_lack_is(database: str, vna_database: str) -> None:
    cut = Habits(most_matches=10, ignored_keys=frozenset({"StudyDate"}))
    with (
        EmbeddedArchive([], ae_title="CUT", habits=cut, database=database) as pacs,
        EmbeddedArchive([], ae_title="VNA", database=vna_database) as vna,
    ):
        both = Settings(
            Node(port=pacs.port, called_ae_title="CUT", name="pacs"),
            others=(Node(port=vna.port, called_ae_title="VNA", name="vna"),),
        )
        answer = ask(both, "query_studies", node="all")
    assert answer["complete"] is False
    assert any(note.startswith("Not complete") and "pacs" in note for note in answer["notes"])
