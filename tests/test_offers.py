"""What a client offers to a person beside the tools: a menu of questions, resources, completion."""

import json
import re
from collections.abc import Awaitable, Callable, Generator
from dataclasses import replace
from typing import Any

import anyio
import pytest
from mcp.client import Client
from mcp.shared.exceptions import MCPError
from mcp.types import PromptReference, ResourceTemplateReference, TextContent, TextResourceContents

from dicom_mcp.config import Settings
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.node import Node
from dicom_mcp.prompts import QUESTIONS
from dicom_mcp.server import create_server
from dicom_mcp.tools import TOOLS
from tests.demo_hospital import pacs


@pytest.fixture(scope="module")
def settings() -> Generator[Settings]:
    with EmbeddedArchive(pacs(), ae_title="ARCHIVE") as archive:
        node = Node(archive.host, archive.port, "ARCHIVE", name="pacs")
        yield Settings(node, others=(Node(port=1, name="vna"),))


def over[T](settings: Settings, work: Callable[[Client], Awaitable[T]]) -> T:
    async def once() -> T:
        async with Client(create_server(settings)) as client:
            return await work(client)

    return anyio.run(once)


def test_every_question_of_the_menu_names_tools_that_there_are(settings: Settings) -> None:
    async def work(client: Client) -> None:
        listed = {one.name: one for one in (await client.list_prompts()).prompts}
        assert listed.keys() == {question.name for question in QUESTIONS}
        for question in QUESTIONS:
            given = {gap.name: f"[{gap.name}]" for gap in question.gaps}
            got = await client.get_prompt(question.name, given)
            (message,) = got.messages
            assert isinstance(message.content, TextContent)
            for value in given.values():
                assert value in message.content.text
            words = set(re.findall(r"\b[a-z_]+\b", message.content.text))
            known = {entry.function.__name__ for entry in TOOLS}
            assert words & known
            tools = {word for word in words if "_" in word}
            assert tools - known <= {"group_by", "prior_to", "compare_with"}
            required = {one.name for one in listed[question.name].arguments or () if one.required}
            assert required == {gap.name for gap in question.gaps if not gap.otherwise}

    over(settings, work)


def test_what_is_left_open_in_a_question_is_said_in_words(settings: Settings) -> None:
    async def work(client: Client) -> str:
        (message,) = (await client.get_prompt("not_arrived", {"day": "tomorrow"})).messages
        assert isinstance(message.content, TextContent)
        with pytest.raises(MCPError):
            await client.get_prompt("priors_for_study", {})
        return message.content.text

    text = over(settings, work)
    assert "scheduled for tomorrow" in text
    assert "{" not in text


def test_a_study_is_a_resource_of_its_archive(settings: Settings) -> None:
    async def work(client: Client) -> None:
        templates = (await client.list_resource_templates()).resource_templates
        assert "dicom://{node}/studies/{study_instance_uid}" in {t.uri_template for t in templates}
        answer = await client.call_tool("query_studies", {"patient_id": "00104217"})
        assert answer.structured_content
        uid = answer.structured_content["records"][0]["StudyInstanceUID"]
        asked = {"node": "pacs", "study_instance_uid": uid}
        overview = await client.call_tool("study_overview", asked)
        assert overview.structured_content
        read = await _read(client, f"dicom://pacs/studies/{uid}")
        assert read["complete"] is True
        told = {name: value for name, value in read.items() if name != "queries"}
        assert told == {name: overview.structured_content[name] for name in told}
        for uri, words in (
            (f"dicom://nowhere/studies/{uid}", "there is no node"),
            ("dicom://pacs/studies/nonsense", "is not a DICOM UID"),
            (f"dicom://vna/studies/{uid}", "connection refused"),
        ):
            with pytest.raises(MCPError, match=words):
                await client.read_resource(uri)

    over(settings, work)


def test_presets_and_the_dictionary_are_resources(settings: Settings) -> None:
    async def work(client: Client) -> None:
        assert "PatientName" in str(await _read(client, "dicom://presets/minimal"))
        found = await _read(client, "dicom://dictionary/KVP")
        assert found == {"keyword": "KVP", "tag": "(0018,0060)", "vr": "DS"}

    over(settings, work)


def test_what_is_filled_in_stays_what_it_is(settings: Settings) -> None:
    """One line, whatever its letters; blank is not filled in; an unknown gap is nothing."""

    async def work(client: Client) -> None:
        async def text(name: str, **given: str) -> str:
            (message,) = (await client.get_prompt(name, given)).messages
            assert isinstance(message.content, TextContent)
            return message.content.text

        assert "for {node} {0} {{?" in await text("priors_for_study", study="{node} {0} {{")
        assert "in Doe John between" in await text(
            "what_changed", patient=" Doe\n\nJohn ", question="x"
        )
        assert "not arrived at all" not in await text("not_arrived", node="all")
        with pytest.raises(MCPError, match="study is blank"):
            await text("priors_for_study", study=" \n")

    over(settings, work)


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("dicom://presets/minimla", "There is no preset 'minimla'. Did you mean minimal"),
        ("dicom://presets/all", "There is no preset"),
        ("dicom://dictionary/PatientNme", "There is no attribute 'PatientNme'. Did you mean Patie"),
        ("dicom://dictionary/..%2Fpresets%2Fminimal", "Unknown resource"),
        ("dicom://pacs/studies/%2A", "is not a DICOM UID"),
    ],
)
def test_what_there_is_not_is_no_empty_resource(settings: Settings, uri: str, words: str) -> None:
    async def work(client: Client) -> None:
        with pytest.raises(MCPError, match=words):
            await client.read_resource(uri)
        assert (await _read(client, "dicom://dictionary/kvp"))["keyword"] == "KVP"

    over(settings, work)


@pytest.mark.parametrize(
    ("argument", "begun", "found"),
    [
        ("node", "", ["pacs", "vna", "all"]),
        ("node", "V", ["vna"]),
        ("preset", "st", ["standard"]),
        ("modality", "ct", ["CT"]),
        ("keyword", "kvp", ["KVP"]),
        ("patient", "Br", []),
    ],
)
def test_words_complete_themselves(
    settings: Settings, argument: str, begun: str, found: list[str]
) -> None:
    async def work(client: Client) -> None:
        for ref in (
            PromptReference(name="morning_check"),
            ResourceTemplateReference(uri="dicom://{node}/studies/{study_instance_uid}"),
        ):
            told = await client.complete(ref, {"name": argument, "value": begun})
            assert told.completion.values[: len(found)] == found
            assert bool(told.completion.values) is bool(found)

    over(settings, work)


async def _read(client: Client, uri: str) -> dict[str, Any]:
    (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    assert content.mime_type == "application/json"
    return json.loads(content.text)


@pytest.mark.parametrize(
    ("begun", "node", "found"),
    [
        ("Brü", "", ["Brückner, Jürgen, ID 00104217"]),
        ("schm", "pacs", ["Schmidt, Anna, ID 00500417", "Schmidt, Anna, ID 00500983"]),
        ("Соко", "", ["Соколова, Ирина, ID 00318805"]),
        ("Br", "", []),  # may be anybody
        ("*", "", []),
        ("?????", "", []),
        ("Nobody", "", []),
        ("Brü", "vna", []),  # it does not answer
        ("Brü", "nowhere", []),
    ],
)
def test_a_patients_name_is_completed_from_its_third_letter(
    settings: Settings, begun: str, node: str, found: list[str]
) -> None:
    ref = PromptReference(name="what_changed")

    async def work(client: Client) -> list[str]:
        asked = {"name": "patient", "value": begun}
        told = await client.complete(ref, asked, context_arguments={"node": node} if node else None)
        return sorted(told.completion.values)

    assert over(settings, work) == found


def test_no_name_is_completed_where_patients_are_not_to_be_found(settings: Settings) -> None:
    async def work(client: Client) -> list[str]:
        ref = PromptReference(name="morning_check")
        told = await client.complete(ref, {"name": "patient", "value": "Brü"})
        return told.completion.values

    assert over(replace(settings, toolsets_off=frozenset({"queries"})), work) == []
