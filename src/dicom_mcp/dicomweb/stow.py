"""STOW-RS: objects given to one server (PS3.18 10.5)."""

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from ..deadline import Deadline
from ..errors import ProtocolViolation
from ..standard.instance import Instance
from ..standard.part10 import heading
from ..standard.query import Match, Value
from ..standard.status import status
from .connection import Body
from .model import data_set
from .multipart import whole
from .server import Refused, Server, check
from .status import STORAGE

_ACCEPT = "application/dicom+json"
_MOST_ANSWER = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stored:
    """The SOP instance UIDs of what was stored, and of what was not with the reason."""

    stored: tuple[str, ...]
    failed: tuple[tuple[str, str], ...] = ()


def store(server: Server, instances: Sequence[Instance], *, deadline: Deadline) -> Stored:
    """Store these objects; which were, and why others were not. They are sent once.

    Raises StatusFailure when the server refuses all of them, and the ArchiveError that ended the
    connection: then nobody knows what was stored.
    """
    boundary = secrets.token_hex(16)
    pieces: list[bytes | bytearray] = []
    for one in instances:
        pieces.append(f"\r\n--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode())
        pieces += [heading(one), one.data_set]
    pieces.append(f"\r\n--{boundary}--\r\n".encode())
    kind = f'multipart/related; type="application/dicom"; boundary={boundary}'
    with server.send("/studies", Body(kind, pieces), _ACCEPT, deadline=deadline) as answer:
        # PS3.18 10.5.3.1: with 202 some were stored, with 409 none was; both say which and why.
        if answer.status not in (202, 409):
            try:
                check(answer, STORAGE)
            except Refused as refused:
                raise refused.failure from None
        told = _told(whole(answer.content, most_bytes=_MOST_ANSWER))
    stored = {uid for uid, _ in _items(told, "ReferencedSOPSequence")}
    reasons = dict(_items(told, "FailedSOPSequence"))
    return Stored(
        tuple(one.sop_instance_uid for one in instances if one.sop_instance_uid in stored),
        tuple(
            (one.sop_instance_uid, _reason(reasons.get(one.sop_instance_uid)))
            for one in instances
            if one.sop_instance_uid not in stored
        ),
    )


def _reason(code: Value | None) -> str:
    """A Failure Reason (PS3.3 C.34.1.1) in words."""
    return status(code).meaning if isinstance(code, int) else "the server does not say why"


def _told(content: bytearray) -> Match:
    """The Store Instances Response (PS3.18 10.5.3.2, PS3.3 C.34), which some put in an array."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, list) and found:
        found = cast("list[object]", found)[0]
    if not isinstance(found, dict):
        raise ProtocolViolation(
            "what it says of the objects it was sent is not a data set in JSON (PS3.18 10.5.3.2)",
            "Look for the objects there: they may have been stored",
        )
    return data_set(cast("dict[str, object]", found))


def _items(told: Match, keyword: str) -> Iterator[tuple[str, Value]]:
    for one in cast("list[Value]", told.get(keyword) or []):
        if isinstance(one, dict):
            yield str(one.get("ReferencedSOPInstanceUID", "")), one.get("FailureReason", "")
