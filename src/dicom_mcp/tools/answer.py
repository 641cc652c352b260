"""The shapes of answers. What a model must know is a field here: some clients show nothing else."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, WithJsonSchema

from ..config import DEFAULT_NAME
from ..node import AnyNode, WebNode
from ..standard.levels import NOUN, Level
from ..standard.record import records
from .asking import Found

# 500 study rows of the standard preset take 150 kB; assistants refuse answers that are much longer.
MOST_BYTES = 200_000

# What is asked: one node, or several.
type Asking = AnyNode | tuple[AnyNode, ...]

# Which archive answered: host, port, called_ae_title (the archive's), calling_ae_title (ours).
Asked = Annotated[
    dict[str, str | int],
    WithJsonSchema({"type": "object"}),
]


# Which values of a list, by keyword, nothing matches.
Missing = Annotated[
    dict[str, list[str]],
    WithJsonSchema({"type": "object", "description": "Listed values without a match"}),
]


def asked(node: Asking) -> Asked:
    """The node, or the nodes, as an answer names them."""
    if isinstance(node, tuple):
        return {"nodes": ", ".join(one.name or DEFAULT_NAME for one in node)}
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


def honest(notes: Sequence[str], why: str, *, complete: bool) -> list[str]:
    """The notes of an answer, each once; of one that is not complete one says so, if need be
    first and for this reason."""
    told = [*dict.fromkeys(notes)]
    if complete or any(note.startswith("Not complete") for note in told):
        return told
    return [f"Not complete, perhaps: {why}", *told]


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures and what is said of them: a client shows both, and there is no other content. Each
    picture is its bytes and their media type."""

    said: BaseModel
    pictures: Sequence[tuple[bytes, str]]
    place: "Rank | None" = None


def mime_of(picture: bytes) -> str:
    """The media type of a PNG or JPEG."""
    return "image/jpeg" if picture.startswith(b"\xff\xd8") else "image/png"


@dataclass(frozen=True, slots=True)
class Rank:
    """Which picture of how many of its series, for a viewer that scrolls: models are not shown it.
    Index 0 is all of them."""

    index: int
    count: int


class Configured(BaseModel):
    """What `configure_dicom_server` answers."""

    archive: Asked
    notes: list[str]


class Verified(BaseModel):
    """What `verify_connection` answers when it works; otherwise it is an error that says why."""

    works: bool
    milliseconds: float = Field(description="Duration of the C-ECHO")
    archive: Asked
    notes: list[str]


class Records(BaseModel):
    """What every query answers."""

    returned: int = Field(description="Number of records")
    complete: bool = Field(description="False: there may be more; see notes")
    notes: list[str]
    archive: Asked
    sent: dict[str, str] = Field(description="Level and keys as sent to the archive")
    queries: int = Field(description="Queries it took")
    common: dict[str, Any] = Field(description="Attributes with the same value in every record")
    missing: Missing = {}
    records: list[dict[str, Any]] = Field(description="Empty attributes are left out")

    @classmethod
    def of(
        cls, found: Found, level: Level, wanted: Sequence[str], node: AnyNode | tuple[AnyNode, ...]
    ) -> Self:
        """The answer with the `wanted` keywords of each match."""
        rows, common = records(level, found.matches, wanted)
        notes = list(found.notes)
        if not rows and found.complete:
            notes.insert(0, f"No {NOUN[level][0]} in this archive matches these keys.")
        kept = fitting(rows)
        if len(kept) < len(rows):
            notes.insert(
                0,
                f"Not complete: {len(rows)} records were found, of which {len(kept)} fit an "
                "answer. Ask for fewer attributes (attribute_preset=minimal) or narrow the "
                "question.",
            )
        return cls(
            returned=len(kept),
            complete=found.complete and len(kept) == len(rows),
            notes=notes,
            archive=asked(node),
            sent={"QueryRetrieveLevel": level.value, **found.keys()},
            queries=found.queries,
            common=common,
            missing=found.missing,
            records=kept,
        )


class Counted(BaseModel):
    """What `count_studies` answers."""

    counted: str
    total: int
    complete: bool = Field(description="False: there may be more; see notes")
    notes: list[str]
    archive: Asked
    sent: dict[str, str] = Field(description="Keys as sent")
    compared: list[str] = Field(description="What was compared here, as it was understood")
    queries: int = Field(description="Queries it took")
    missing: Missing = {}
    of: int | None = Field(default=None, description="With share: what total is a part of")
    percent: float | None = None
    groups_in_all: int
    groups: list[dict[str, Any]] = Field(description="Each with its count")


def fitting[T: Mapping[str, Any]](rows: Sequence[T], most: int = 0) -> list[T]:
    """As many records, from the first, as an answer has room for, or as `most` bytes have."""
    most = most or MOST_BYTES
    if len(json.dumps(rows, ensure_ascii=False).encode()) <= most:
        return list(rows)
    room = most
    for number, row in enumerate(rows):
        room -= len(json.dumps(row, ensure_ascii=False).encode())
        if room < 0:
            return list(rows[:number])
    return list(rows)


class Presets(BaseModel):
    """What `get_attribute_presets` answers: preset, level, keywords."""

    default: str
    presets: dict[str, dict[str, list[str]]]
    notes: list[str]
