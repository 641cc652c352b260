"""What is wrong with a connection, and what an archive can do."""

from typing import Any

from pydantic import Field

from ..diagnosis import Diagnosis
from ..door.answer import Answer, named
from ..door.call import Call
from ..errors import ArchiveError


class Diagnosed(Answer):
    """What `diagnose` answers."""

    works: bool = Field(description="Whether every step worked at every node")
    diagnoses: list[dict[str, Any]] = Field(
        description="For each node its steps in order and its capabilities, with commands that "
        "repeat them without us"
    )


def diagnose(call: Call) -> Diagnosed:
    """Find out why an archive does not answer, or what it can do: name, TCP, TLS, association,
    services, C-ECHO, then which keys, wildcards and character sets it honours. It only reads and
    shows nothing of a patient. Use it when a question failed or its answer is doubted."""
    found = call.at_each_node(lambda _, archive: archive.diagnose())
    told = [result for result in found.values() if isinstance(result, Diagnosis)]
    notes = [str(result) for result in found.values() if isinstance(result, ArchiveError)]
    notes += [_failure(diagnosis) for diagnosis in told if not diagnosis.works]
    return Diagnosed(
        works=len(told) == len(found) and all(diagnosis.works for diagnosis in told),
        diagnoses=[_facts(diagnosis) for diagnosis in told],
        notes=notes or ["Every step worked. What was learned is used in later questions."],
    )


def _failure(found: Diagnosis) -> str:
    step = found.failure
    assert step
    parts = (f"{found.node}: {step.name} failed: {step.said}", step.remedy)
    return " ".join(f"{part.rstrip('.')}." for part in parts if part)


def _facts(found: Diagnosis) -> dict[str, Any]:
    return {
        **named([found.node]),
        "works": found.works,
        "steps": [
            _said(
                name=step.name,
                result={True: "works", False: "failed", None: "not tried"}[step.passed],
                said=step.said,
                remedy=step.remedy,
                command=step.command,
                milliseconds=None if step.milliseconds is None else round(step.milliseconds, 1),
            )
            for step in found.steps
        ],
        "capabilities": [
            _said(name=capability.name, found=capability.found, command=capability.command)
            for capability in found.capabilities
        ],
    }


def _said(**facts: Any) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value not in (None, "")}
