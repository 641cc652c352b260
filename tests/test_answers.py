"""docs/answers.md against the code it describes."""

import re
from dataclasses import fields
from pathlib import Path

from dicom_mcp.demo.habits import Habits
from dicom_mcp.tools.answer import Records
from dicom_mcp.tools.count import Counted

TEXT = (Path(__file__).parents[1] / "docs" / "answers.md").read_text()
FIRST_CELLS = set(re.findall(r"^\| `(\w+)` \|", TEXT, flags=re.MULTILINE))


def test_every_field_of_an_answer_is_explained() -> None:
    assert {*Records.model_fields, *Counted.model_fields} <= FIRST_CELLS


def test_every_habit_an_archive_can_take_on_is_explained() -> None:
    assert {one.name for one in fields(Habits)} <= FIRST_CELLS


def test_nothing_is_explained_that_is_not_there() -> None:
    known = {*Records.model_fields, *Counted.model_fields, *(one.name for one in fields(Habits))}
    assert known >= FIRST_CELLS
