"""Whatever an archive put into an answer, every client can read it."""

import json
import math
from typing import Any

import pytest
from mcp.types import CallToolResult

from dicom_mcp.door.telling import told
from dicom_mcp.server import _result  # pyright: ignore[reportPrivateUsage] - what clients are sent
from dicom_mcp.tools.query import Records
from tests.bounds import in_time


def records(value: object) -> Records:
    """An answer with this value."""
    return Records(
        returned=1,
        complete=True,
        notes=["half a character: \ud800"],
        archive={},
        sent={"\udfff": "1"},
        queries=1,
        common={},
        records=[{"x": value}],
    )


def sent(value: object) -> Any:
    """The value as a client reads it, after the journey as bytes; text and structure agree."""
    journey = _result(records(value)).model_dump_json(by_alias=True).encode()
    came = CallToolResult.model_validate_json(journey)
    assert came.structured_content is not None
    assert json.loads(came.content[0].text) == came.structured_content  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
    assert came.structured_content["notes"] == ["half a character: \ufffd"]
    return came.structured_content["records"][0]["x"]


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("a\ud800b", "a\ufffdb"),
        ("\ud83d\ude00 Müller 山田", "😀 Müller 山田"),
        ("a\x00b\x1b", "a\\u{0}b\\u{1B}"),
        ("x\u202ey\u200bz\U000e0041", "x\\u{202E}y\\u{200B}z\\u{E0041}"),
        ("two\nlines\tand more", "two\nlines\tand more"),
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
        (2**53, "9007199254740992"),
        (-(2**53) + 1, -(2**53) + 1),
        (10**400, "1" + "0" * 400),
        (b"\xff\x00", "ff 00"),
        ((1, 2.5, None, True), [1, 2.5, None, True]),
        ({"\udc00": {1}}, {"\ufffd": [1]}),
    ],
    ids=ascii,
)
def test_every_value_comes_through(value: object, read: object) -> None:
    assert sent(value) == read


@pytest.mark.parametrize("text", ["x" * 60_001, "\u202e" * 20_000])
def test_a_text_that_is_too_long_as_it_is_shown_is_cut_and_the_answer_marked(text: str) -> None:
    journey = in_time(lambda: told(records(text)))
    assert journey["complete"] is False
    assert "longer than an answer has room for" in journey["notes"][0]


def test_what_is_nested_too_deeply_is_cut_and_said() -> None:
    deep: list[Any] = []
    for _ in range(5_000):
        deep = [deep]
    assert "nested too deeply" in json.dumps(sent(deep))


def test_a_field_that_has_nothing_to_say_is_not_sent() -> None:
    """A model pays for each; an empty list of records or notes says something."""
    answer = told(
        Records(
            returned=0,
            complete=True,
            notes=[],
            archive={},
            sent={},
            queries=1,
            common={},
            records=[],
        )
    )
    assert answer["records"] == answer["notes"] == []
    assert "missing" not in answer
    some = records("1")
    some.missing = {"PatientID": ["7"]}
    assert told(some)["missing"] == {"PatientID": ["7"]}
