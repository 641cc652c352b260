"""The shapes of answers. What a model must know is a field here: some clients show nothing else."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field, WithJsonSchema

from ..budgets import MOST_ROWS
from ..config import DEFAULT_NAME
from ..node import AnyNode, WebNode

# Which archive answered: host, port, called_ae_title (the archive's), calling_ae_title (ours).
Asked = Annotated[
    dict[str, str | int],
    WithJsonSchema({"type": "object"}),
]


# Which values of a list, by keyword, nothing matches.
Missing = Annotated[
    dict[str, list[str]],
    WithJsonSchema({"type": "object", "description": "Values without a match"}),
]
NONE_MISSING: Missing = {}


def named(nodes: Sequence[AnyNode]) -> Asked:
    """The node, or the nodes, as an answer names them."""
    if len(nodes) > 1:
        return {"nodes": ", ".join(node.name or DEFAULT_NAME for node in nodes)}
    node = nodes[0]
    name: dict[str, str | int] = {"node": node.name} if node.name else {}
    if isinstance(node, WebNode):
        return {**name, "base_url": node.base_url}
    return {
        **name,
        "host": node.host,
        "port": node.port,
        "called_ae_title": node.called_ae_title,
        "calling_ae_title": node.calling_ae_title,
    }


class Answer(BaseModel):
    """What every tool answers."""

    notes: list[str]


class Findings(Answer):
    """What every question to an archive answers."""

    complete: bool = Field(description="See notes")
    archive: Asked
    queries: int


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures and what is said of them: a client shows both, and there is no other content. Each
    picture is its bytes and their media type."""

    said: Answer
    pictures: Sequence[tuple[bytes, str]]
    place: "Rank | None" = None


def mime_of(picture: bytes) -> str:
    """The media type of a PNG or JPEG."""
    return "image/jpeg" if picture.startswith(b"\xff\xd8") else "image/png"


@dataclass(frozen=True, slots=True)
class Rank:
    """Which picture of how many of its series, for a viewer that scrolls: models are not shown it.
    `index` counts from 1; 0 means that the whole series is shown."""

    index: int
    count: int


def fitting[T: Mapping[str, Any]](rows: Sequence[T], most: int = 0) -> list[T]:
    """As many records, from the first, as an answer has room for, or as `most` bytes have."""
    most = most or MOST_ROWS
    if len(json.dumps(rows, ensure_ascii=False).encode()) <= most:
        return list(rows)
    room = most
    for number, row in enumerate(rows):
        room -= len(json.dumps(row, ensure_ascii=False).encode())
        if room < 0:
            return list(rows[:number])
    return list(rows)
