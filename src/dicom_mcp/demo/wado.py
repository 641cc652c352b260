"""The embedded archive's objects over WADO-RS (PS3.18 10.4), in the transfer syntax they are in."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset

from ..standard.instance import Instance
from ..standard.levels import UNIQUE_KEY, Level
from ..standard.part10 import heading
from .index import Held, Index

_RESOURCES: Mapping[str, Level] = {
    "studies": Level.STUDY,
    "series": Level.SERIES,
    "instances": Level.IMAGE,
}

_EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_BOUNDARY = "a-boundary-of-the-demo"

# Values of more bytes are bulk data, left out of metadata.
_BULK = 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with content: its media type, and the content in pieces."""

    kind: str
    pieces: Iterator[bytes]


def retrieve(index: Index, path: str, accept: str) -> Answer | int:
    """What `path` names, below the root of the services: objects or their metadata. An HTTP status
    where there is nothing to give."""
    *_, last = path.split("/")
    found = _objects(index, path.removesuffix("/metadata"))
    if not found:
        return 404
    if last == "metadata":
        if not any(form in accept for form in ("json", "*/*")):
            return 406
        return Answer("application/dicom+json", _metadata(index, found))
    if not any(form in accept for form in ("multipart/related", "*/*")):
        return 406
    # Nothing is transcoded, and who names no syntax wants this one (PS3.18 8.7.3.5.2).
    if not any(form in accept for form in ("transfer-syntax=*", "*/*")) and any(
        instance.transfer_syntax_uid not in accept
        and instance.transfer_syntax_uid != _EXPLICIT_VR_LITTLE_ENDIAN
        for instance in found
    ):
        return 406
    kind = f'multipart/related; type="application/dicom"; boundary="{_BOUNDARY}"'
    return Answer(kind, _parts(index, found))


def is_retrieval(path: str) -> bool:
    """Whether a path names objects, and is no search."""
    return path.strip("/").count("/") % 2 == 1 or path.endswith("/metadata")


def _objects(index: Index, path: str) -> list[Held]:
    """What is held below the study, series or instance that a path names."""
    named = path.strip("/").split("/")
    keys: dict[str, list[str]] = {}
    for (resource, level), name, uid in zip(
        _RESOURCES.items(), named[::2], named[1::2], strict=False
    ):
        if name != resource:
            return []
        keys[UNIQUE_KEY[level]] = [uid]
    return index.held(keys) if len(named) == 2 * len(keys) else []


def _parts(index: Index, found: list[Held]) -> Iterator[bytes]:
    for instance in found:
        held = index.object(instance.sop_instance_uid)
        if held is None:  # gone meanwhile
            continue
        encoded, syntax = held
        told = Instance(instance.sop_class_uid, instance.sop_instance_uid, syntax, bytearray())
        head = f"\r\n--{_BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n"
        yield head.encode() + heading(told)
        yield encoded
    yield f"\r\n--{_BOUNDARY}--\r\n".encode()


def _metadata(index: Index, found: list[Held]) -> Iterator[bytes]:
    opened = b"["
    for instance in found:
        data_set = index.data_set(instance.sop_instance_uid)
        if data_set is not None:
            yield opened + json.dumps(_json(data_set), ensure_ascii=False).encode()
            opened = b","
    yield b"]" if opened == b"," else b"[]"


def _json(data_set: Dataset) -> dict[str, Any]:
    """A data set in the DICOM JSON Model, which is in UTF-8 (PS3.18 F.2.2)."""
    data_set.decode()
    data_set.SpecificCharacterSet = "ISO_IR 192"
    return data_set.to_json_dict(
        bulk_data_threshold=_BULK,
        bulk_data_element_handler=lambda element: f"bulkdata/{element.tag:08X}",
        suppress_invalid_tags=True,
    )
