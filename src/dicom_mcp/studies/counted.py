"""What a count answers."""

from typing import Any

from pydantic import Field

from ..door.answer import NONE_MISSING, Findings, Missing


class Counted(Findings):
    """What `count_studies` answers."""

    counted: str
    total: int
    sent: dict[str, str] = Field(description="Keys as sent")
    compared: list[str] = Field(description="What was compared here, as it was understood")
    missing: Missing = NONE_MISSING
    of: int | None = Field(default=None, description="With share: what total is a part of")
    percent: float | None = None
    groups_in_all: int
    groups: list[dict[str, Any]] = Field(description="Each with its count")
