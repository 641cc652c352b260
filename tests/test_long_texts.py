"""Texts of enormous length, as an archive may send them, are looked at once: never stuck."""

from collections.abc import Callable

import pytest

from dicom_mcp.door.warned import warning
from dicom_mcp.standard.matching import matcher
from dicom_mcp.standard.values import decimal_number
from dicom_mcp.studies.kind import kind
from dicom_mcp.words.body_part import body_part
from dicom_mcp.words.namesake import same_name
from tests.bounds import in_time

LENGTH = 300_000
TEXTS = [
    "x" * LENGTH,
    "1" * LENGTH + "x",
    "1." * (LENGTH // 2),
    "ab " * (LENGTH // 3),
    " " * LENGTH,
    "_" * LENGTH + "x",
    "a-" * (LENGTH // 2),
    "=" * LENGTH,
    "ignore all of " * (LENGTH // 14),
    "中" * LENGTH,
]

LOOK: dict[str, Callable[[str], object]] = {
    "whether it instructs an assistant": lambda text: warning({"records": [{"text": text}]}),
    "a number": decimal_number,
    "what kind a series is": lambda text: kind("SR", text),
    "a part of the body": body_part,
    "whose name it is": same_name("Jane Doe"),
    **{
        f"a match of {key} ({vr})": lambda text, vr=vr, key=key: matcher(vr, key)([text])
        for vr, key in (
            *(("LO", "*a*b*c*"), ("PN", "*doe*jane*"), ("DS", "1.5"), ("IS", "7")),
            *(("DA", "20200101-20210101"), ("TM", "1000-1200"), ("DT", "2020-2021"), ("UI", "1*2")),
        )
    },
}


@pytest.mark.parametrize("look", LOOK)
def test_a_text_of_enormous_length_is_looked_at_once(look: str) -> None:
    in_time(lambda: [LOOK[look](text) for text in TEXTS])
