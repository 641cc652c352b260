"""The edge: an answer as it leaves the house."""

from typing import Any

from .answer import Answer
from .sendable import sendable
from .warned import warning


def told(answer: Answer) -> dict[str, Any]:
    """The answer as JSON, with a warning of what in it gives instructions to its reader."""
    structured: dict[str, Any] = sendable(answer)
    if warned := warning(structured):
        structured["notes"] = [warned, *structured["notes"]]
    return structured
