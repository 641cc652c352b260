"""One table of questions with their true answers, asked of every archive through the real server.

What an answer says must be true, and what it leaves out must be said. An archive as it should be
gives whole answers; one with a bad habit may have to be excused in a note, or end in an error that
says why; a wrong answer without a word fails, whoever gave it.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from mcp.client import Client
from mcp.types import CallToolResult
from pydicom.dataset import Dataset

from dicom_mcp.attributes import returned_keywords
from dicom_mcp.config import Settings
from dicom_mcp.demo.objects import study_uid
from dicom_mcp.demo.truth import untrue
from dicom_mcp.server import create_server
from dicom_mcp.standard.levels import UNIQUE_KEY
from tests.asking import ask, said
from tests.interop.questions import IMAGE, NODULE_CT, PATIENT, QUESTIONS, STUDY, Question, Truth
from tests.notes import the_note
from tests.peers.archive import Peer

type Answers = Mapping[str, CallToolResult]

# The word a note must have where an archive rightly does otherwise than was meant.
TOLD = {"case": " case", "case of text": " case", "letters": "?", "accents": ""}

# What a note says of a key that the archive does not return and may have ignored, and of
# attributes that it says it does not support.
MAY_BE_OTHERS = "records that do not match it may be among these"
UNSUPPORTED = "0xFF01"


@pytest.fixture(scope="session")
def truth(held: list[Dataset]) -> Truth:
    return Truth(held)


@pytest.mark.parametrize("name", list(QUESTIONS))
def test_the_answer_is_the_true_one(peer: Peer, truth: Truth, name: str) -> None:
    question = QUESTIONS[name]
    answer = ask(peer.node, question.tool, **question.arguments)
    whole = truth.whole(question)
    given = set(keys(question, answer))
    assert faults(question, answer, truth) == []
    assert left_out(question, answer, truth) == []
    told = " ".join(answer["notes"])
    if question.needs in peer.lacks and not whole <= given:
        assert TOLD[question.needs] in told
        return
    if MAY_BE_OTHERS in told:
        assert whole <= given
        return
    limit = question.arguments.get("limit", 50)
    assert len(answer["records"]) == min(len(whole), limit)
    assert answer["complete"] is (len(whole) <= limit)


def test_no_answer_of_a_misbehaving_archive_is_wrong_without_a_word(
    misbehaving: Peer, truth: Truth
) -> None:
    assert _wrong_answers(misbehaving, truth) == {}


def test_nothing_is_learned_of_an_archive_that_makes_an_answer_wrong(
    peer: Peer, truth: Truth
) -> None:
    assert _wrong_answers(peer, truth) == {}


def test_every_series_shows_its_instances_with_and_without_the_study(
    peer: Peer, held: list[Dataset]
) -> None:
    for study in ("back mr", "nodule ct follow-up", "heart echo"):
        series = {
            str(one.SeriesInstanceUID) for one in held if one.StudyInstanceUID == study_uid(study)
        }
        for uid in series:
            true = {str(one.SOPInstanceUID) for one in held if one.SeriesInstanceUID == uid}
            for more in ({}, {"study_instance_uid": study_uid(study)}):
                answer = ask(peer.node, "query_instances", series_instance_uid=uid, **more)
                assert {record[IMAGE] for record in answer["records"]} == true
                assert answer["complete"] is True


def test_modalities_and_counts_are_those_of_the_study(peer: Peer, held: list[Dataset]) -> None:
    (record,) = ask(peer.node, "query_studies", study_instance_uid=NODULE_CT)["records"]
    inside = [one for one in held if one.StudyInstanceUID == NODULE_CT]
    assert set(record["ModalitiesInStudy"]) == {one.Modality for one in inside}
    assert record["NumberOfStudyRelatedInstances"] == len(inside)


def test_names_come_back_as_they_were_written(peer: Peer, held: list[Dataset]) -> None:
    records = ask(peer.node, "query_patients", attribute_preset="minimal")["records"]
    names = {record["PatientID"]: record["PatientName"] for record in records}
    for one in held:
        assert names[one.PatientID] == str(one.PatientName)


def test_a_limit_is_kept_and_said(peer: Peer) -> None:
    for tool, unique in (("query_patients", PATIENT), ("query_studies", STUDY)):
        answer = ask(peer.node, tool, limit=5)
        assert len({record[unique] for record in answer["records"]}) == 5
        assert answer["complete"] is False
        assert the_note(answer["notes"], "there are more")


def test_it_answers_a_c_echo(peer: Peer) -> None:
    assert ask(peer.node, "verify_connection")["works"] is True


def wrong(question: Question, peer: Peer, result: CallToolResult, truth: Truth) -> list[str]:
    """What is wrong with the answer of an archive that may have to be excused, in a word."""
    text = said(result)
    if result.is_error:
        return [] if str(peer.node) in text else [f"an error that does not say where: {text}"]
    answer = json.loads(text)
    told = " ".join(answer["notes"])
    found = faults(question, answer, truth) + left_out(question, answer, truth)
    missing = truth.whole(question) - set(keys(question, answer))
    excused = question.needs in peer.lacks and TOLD[question.needs] in told
    if missing and (answer["complete"] or not told) and not excused:
        found.append(f"{len(missing)} {question.unique} left out without a word")
    return found


def faults(question: Question, answer: dict[str, Any], truth: Truth) -> list[str]:
    """What an answer says that is not true."""
    found: list[str] = []
    unique = keys(question, answer)
    told = " ".join(answer["notes"])
    for key, record in zip(unique, answer["records"], strict=True):
        whole = {**answer["common"], **record}
        about = truth.about(question.unique, key)
        lies = untrue(whole, about, question.unique)
        found += [f"{keyword} of {key} is not {whole[keyword]!r}" for keyword in lies]
    if (extra := set(unique) - truth.whole(question)) and MAY_BE_OTHERS not in told:
        found.append(f"{len(extra)} {question.unique} that do not match")
    if len(unique) != len(set(unique)):
        found.append("records twice")
    if len(unique) != answer["returned"]:
        found.append(f"{answer['returned']} said to be returned")
    return found


def left_out(question: Question, answer: dict[str, Any], truth: Truth) -> list[str]:
    """Attributes that were asked for, have a value, and are neither in the answer nor its notes."""
    level = next(level for level, unique in UNIQUE_KEY.items() if unique == question.unique)
    preset = question.arguments.get("attribute_preset", "standard")
    more = question.arguments.get("additional_attributes", [])
    told = " ".join(answer["notes"])
    found: list[str] = []
    for keyword in returned_keywords(level, preset, additional=more, exclude=[]):
        if keyword in answer["common"] or keyword in told or UNSUPPORTED in told:
            continue
        lacking = [record for record in answer["records"] if keyword not in record]
        about = [truth.about(question.unique, record[question.unique]) for record in lacking]
        if any(_has(one, keyword) for objects in about for one in objects):
            found.append(f"{keyword} is missing in {len(lacking)} records without a word")
    return found


def keys(question: Question, answer: dict[str, Any]) -> list[str]:
    return [str(record[question.unique]) for record in answer["records"]]


def _has(one: Dataset, keyword: str) -> bool:
    computed = "Related" in keyword or keyword.endswith("InStudy")
    return computed or bool(str(one.get(keyword, "")))


def _wrong_answers(peer: Peer, truth: Truth) -> dict[str, list[str]]:
    """What is wrong with the answers of one server to all questions, one after the other."""
    found: dict[str, list[str]] = {}
    for name, result in _answers(peer).items():
        what = wrong(QUESTIONS[name], peer, result, truth)
        if what:
            found[name] = what
    return found


def _answers(peer: Peer) -> Answers:
    server = create_server(Settings(peer.node))
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Client(server)) as client,
    ):
        return {
            name: portal.call(client.call_tool, question.tool, question.arguments)
            for name, question in QUESTIONS.items()
        }
