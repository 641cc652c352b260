"""The edge: an answer as it leaves the house."""

from typing import Any

from ..standard.note import incomplete
from .answer import Answer
from .sendable import sendable
from .warned import warning


def told(answer: Answer) -> dict[str, Any]:
    """The answer as JSON, with a warning of what in it gives instructions to its reader."""
    cut: list[int] = []
    structured: dict[str, Any] = sendable(answer, cut=cut)
    if cut and "complete" in structured:
        structured["complete"] = False
        short = incomplete(
            f"{len(cut)} texts are longer than an answer has room for; they end with "
            "a mark. Ask for fewer attributes, or read a report by `start`."
        )
        structured["notes"] = [str(short), *structured["notes"]]
    if warned := warning(structured):
        structured["notes"] = [warned, *structured["notes"]]
    return structured
