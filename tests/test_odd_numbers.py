"""Numbers that an archive gave and that are none cost neither the answer nor its truth."""

import json
import socket
from dataclasses import replace
from typing import Any

import pytest
from mcp.types import TextContent

from dicom_mcp.config import Settings
from dicom_mcp.node import AnyNode, Node, WebNode
from dicom_mcp.standard.values import count_of, decimal_number, whole_number
from tests.asking import call
from tests.peers.scripted import FIND_REQUEST, Peer, Talk, accept, element, end, hear_question
from tests.peers.web import Asked, WebPeer, answer

STUDY, SERIES = "1.2.3", "1.2.3.4"
# Digits of other scripts, of which Python makes a number; more digits than it makes one of.
ODD = (
    "9" * 5000,
    "٣",
    "３",
    "²",
    "3.0",
    "1e3",
    "1_000",
    "2147483648",
    "0x10",
    " ",
    "--",
)

NUMBERS = {
    0x00201206: "NumberOfStudyRelatedSeries",
    0x00201208: "NumberOfStudyRelatedInstances",
    0x00201209: "NumberOfSeriesRelatedInstances",
    0x00200011: "SeriesNumber",
    0x00200013: "InstanceNumber",
    0x00280008: "NumberOfFrames",
}
CALLS: dict[str, dict[str, Any]] = {
    "query_studies": {"study_instance_uid": STUDY, "attribute_preset": "extended"},
    "count_studies": {"count": "images", "group_by": ["modality"]},
    "patient_timeline": {"patient_id": "7"},
    "study_overview": {"study_instance_uid": STUDY, "gaps": True},
    "compare_nodes": {"node": "a, b"},
    "view_series": {"series_instance_uid": SERIES},
    "sample_headers": {"series_instance_uids": [SERIES], "geometry": True},
}

# Those that the scripted peer can answer, which knows one question at a time.
OF_ONE_QUESTION = ("query_studies", "count_studies", "view_series", "sample_headers")


@pytest.mark.parametrize(
    ("text", "number"),
    [("3", 3), ("+3", 3), ("-3", -3), ("007", 7), ("2147483647", 2147483647), (" 3 ", 3), (3, 3)],
)
def test_a_whole_number_is_what_the_standard_calls_one(text: object, number: int) -> None:
    assert whole_number(text) == number
    assert count_of(text) == (number if number >= 0 else None)


@pytest.mark.parametrize("text", ODD)
def test_what_is_no_whole_number_is_none(text: str) -> None:
    assert whole_number(text) is None


@pytest.mark.parametrize("text", ["1_0", "٣", "nan", "inf", "1e999", "", "9" * 5000, "0x1"])
def test_what_is_no_decimal_is_none(text: str) -> None:
    assert decimal_number(text) is None


# As they stand in JSON, and as they stand in an identifier.
ON_THE_WAY = ('"' + "9" * 5000 + '"', "9" * 5000, '"٣"', "-3")


@pytest.mark.usefixtures("tidy")
@pytest.mark.parametrize("written", ON_THE_WAY, ids=range(len(ON_THE_WAY)))
def test_no_number_of_a_web_server_crashes_a_tool(written: str) -> None:
    value = written if written.startswith("[") else f"[{written}]"
    uids = {"0020000D": STUDY, "0020000E": SERIES, "00080018": f"{SERIES}.5", "00100020": "7"}
    told = [f'"{tag}":{{"vr":"UI","Value":["{uid}"]}}' for tag, uid in uids.items()]
    told += [f'"{tag:08X}":{{"vr":"IS","Value":{value}}}' for tag in NUMBERS]
    told += [f'"{tag}":{{"vr":"CS","Value":["CT"]}}' for tag in ("00080060", "00080061")]
    body = f"[{{{','.join(told)}}}]".encode()

    def behave(connected: socket.socket, asked: Asked) -> bool:
        connected.sendall(answer(body if not asked.offset else b"[]"))
        return True

    with WebPeer(behave) as peer:
        node = WebNode(peer.url, name="a")
        for tool in CALLS:
            assert_sound(node, tool)


@pytest.mark.usefixtures("tidy")
@pytest.mark.parametrize("written", ["9" * 5000, "-3", "1\\2"], ids=len)
def test_no_number_of_an_archive_crashes_a_tool(written: str) -> None:
    raw = written.encode("latin-1")

    def answer_all(talk: Talk) -> None:
        while True:
            hear_question(talk)
            told = element(8, 0x18, f"{SERIES}.5".encode())
            told += element(8, 0x60, b"CT") + element(8, 0x61, b"CT") + element(0x10, 0x20, b"7")
            told += element(0x20, 0xD, STUDY.encode()) + element(0x20, 0xE, SERIES.encode())
            for tag in NUMBERS:
                told += element(tag >> 16, tag & 0xFFFF, raw)
            if talk.operation == FIND_REQUEST:
                talk.send(talk.row(data_set=told))
            end()(talk)

    with Peer((accept, answer_all)) as peer:
        node = Node("127.0.0.1", peer.port, called_ae_title="PEER", name="a")
        for tool in OF_ONE_QUESTION:
            assert_sound(node, tool)


def assert_sound(node: AnyNode, tool: str) -> None:
    settings = Settings(node, others=(replace(node, name="b"),))
    told = call(settings, tool, **CALLS[tool])
    words = told.content[0]
    assert isinstance(words, TextContent)
    said = words.text
    assert "a defect of the server" not in said, (tool, said)
    if tool == "view_series":  # neither peer has the object itself
        assert told.is_error
        assert "1 of 1 objects did not come" in said
        return
    assert not told.is_error, (tool, said)
    assert json.loads(said)["complete"] is (tool != "sample_headers"), (tool, said)
