"""Just enough of PS3.8 by hand for the probe and the streaming peer: no library, no checks."""

import struct
from collections.abc import Iterator

from dicom_mcp.standard.part10 import IMPLEMENTATION_CLASS_UID
from dicom_mcp.standard.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN

STUDY_ROOT = "1.2.840.10008.5.1.4.1.2.2.1"

ASSOCIATE_RQ, ASSOCIATE_AC, DATA_TF, RELEASE_RQ, RELEASE_RP = 1, 2, 4, 5, 6

_APPLICATION_CONTEXT = b"1.2.840.10008.3.1.1.1"
_MAXIMUM_LENGTH = 128 * 1024

_HEADER = struct.Struct(">BxI")
_ITEM = struct.Struct(">BxH")


def pdu(kind: int, body: bytes) -> bytes:
    """A PDU with its header."""
    return _HEADER.pack(kind, len(body)) + body


def header(data: bytes) -> tuple[int, int]:
    """Type and length of the body of the PDU whose first six bytes these are."""
    kind, length = _HEADER.unpack(data)
    return kind, length


def release(kind: int) -> bytes:
    """An A-RELEASE-RQ or -RP."""
    return pdu(kind, bytes(4))


def associate_request(called_ae_title: str) -> bytes:
    """An A-ASSOCIATE-RQ with one context, id 1: study root C-FIND in Explicit VR Little Endian."""
    context = struct.pack(">BxBx", 1, 0)
    context += _item(0x30, STUDY_ROOT.encode())
    context += _item(0x40, EXPLICIT_VR_LITTLE_ENDIAN.encode())
    items = _item(0x10, _APPLICATION_CONTEXT) + _item(0x20, context) + _user_information()
    titles = called_ae_title.ljust(16).encode() + b"PROBE".ljust(16)
    return pdu(ASSOCIATE_RQ, struct.pack(">Hxx", 1) + titles + bytes(32) + items)


def associate_accept(request: bytes) -> bytes:
    """The A-ASSOCIATE-AC that accepts every context of this request's body in Explicit VR."""
    items = _item(0x10, _APPLICATION_CONTEXT)
    for context_id in context_ids(request):
        accepted = _item(0x40, EXPLICIT_VR_LITTLE_ENDIAN.encode())
        items += _item(0x21, struct.pack(">BxBx", context_id, 0) + accepted)
    return pdu(ASSOCIATE_AC, request[:68] + items + _user_information())


def context_ids(request: bytes) -> Iterator[int]:
    """The ids of the presentation contexts in an A-ASSOCIATE-RQ's body."""
    at = 68
    while at < len(request):
        kind, length = _ITEM.unpack_from(request, at)
        if kind == 0x20:
            yield request[at + 4]
        at += 4 + length


def message(context_id: int, command: bytes, data_set: bytes = b"") -> bytes:
    """A DIMSE message: a P-DATA-TF for the command and one for the data set, as archives do."""
    return _data(context_id, 0x03, command) + (
        _data(context_id, 0x02, data_set) if data_set else b""
    )


def _data(context_id: int, control: int, fragment: bytes) -> bytes:
    return pdu(DATA_TF, struct.pack(">IBB", len(fragment) + 2, context_id, control) + fragment)


def _item(kind: int, body: bytes) -> bytes:
    return _ITEM.pack(kind, len(body)) + body


def _user_information() -> bytes:
    longest = _item(0x51, struct.pack(">I", _MAXIMUM_LENGTH))
    return _item(0x50, longest + _item(0x52, IMPLEMENTATION_CLASS_UID.encode()))
