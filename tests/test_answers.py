"""docs/answers.md against the code it describes."""

import re
from dataclasses import fields
from pathlib import Path

from dicom_mcp.demo.habits import Habits
from dicom_mcp.tools import (
    compare,
    count,
    diagnosis,
    header,
    nodes,
    overview,
    query,
    report,
    sampling,
    timeline,
    view,
    worklist,
)

TEXT = (Path(__file__).parents[1] / "docs" / "answers.md").read_text()
FIRST_CELLS = set(re.findall(r"^\| `(\w+)` \|", TEXT, flags=re.MULTILINE))
ANSWERS = (
    compare.Compared,
    count.Counted,
    diagnosis.Diagnosed,
    header.Headers,
    sampling.Sampled,
    nodes.Nodes,
    overview.Overview,
    query.Records,
    report.Reports,
    timeline.Timeline,
    view.Shown,
    worklist.Scheduled,
)
FIELDS = {field for shape in ANSWERS for field in shape.model_fields}
HABITS = {one.name for one in fields(Habits)}


def test_every_field_of_an_answer_is_explained() -> None:
    assert FIELDS <= FIRST_CELLS


def test_every_habit_an_archive_can_take_on_is_explained() -> None:
    assert HABITS <= FIRST_CELLS


def test_nothing_is_explained_that_is_not_there() -> None:
    assert FIRST_CELLS <= FIELDS | HABITS


def test_every_kind_of_silence_names_a_test_that_is_there() -> None:
    shown = re.findall(r"^\| .+ \| `(tests/\S+\.py)::(test_\w+)` \|$", TEXT, flags=re.MULTILINE)
    assert len(shown) == TEXT.partition("## Kinds of silence")[2].count("`tests/") > 40
    for path, test in shown:
        source = (Path(__file__).parents[1] / path).read_text()
        assert f"def {test}(" in source, f"{path}::{test}"
