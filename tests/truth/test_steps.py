"""Steps wait for one another without standing on the stack."""

import traceback
from collections.abc import Generator
from typing import Any

import pytest

from dicom_mcp.truth.steps import Step, result_of


def depth() -> Step[int]:
    return len(traceback.extract_stack())
    yield


def below(levels: int) -> Generator[Step[Any], Any, int]:
    if levels == 0:
        return (yield depth())
    return (yield below(levels - 1))


def test_a_thousand_steps_are_no_deeper_than_one():
    assert result_of(below(1_000)) == result_of(below(0))


def test_what_a_step_raises_is_raised_where_it_was_yielded():
    cleared: list[str] = []

    def refused() -> Step[int]:
        raise ValueError("refused")
        yield

    def careful() -> Step[int]:
        try:
            return (yield refused())
        except ValueError:
            return 7
        finally:
            cleared.append("careful")

    def careless() -> Step[int]:
        try:
            return (yield refused())
        finally:
            cleared.append("careless")

    assert result_of(careful()) == 7
    with pytest.raises(ValueError, match="refused") as raised:
        result_of(careless())
    assert cleared == ["careful", "careless"]
    named = [frame.name for frame in traceback.extract_tb(raised.value.__traceback__)]
    assert named[-1] == "refused"
    assert "careless" in named
