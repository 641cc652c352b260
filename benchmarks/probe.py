"""The least that can ask a C-FIND: a socket that counts bytes until the final response.

What it measures is the archive and the network; nothing is decoded or checked.
"""

import socket
import struct
from types import TracebackType
from typing import Self

from benchmarks import pdu
from dicom_mcp.dimse import command
from dicom_mcp.dimse.command import MEDIUM_PRIORITY, NO_DATA_SET, Field, Operation

_READ_SIZE = 256 * 1024

# Command Data Set Type "no data set": only the final response carries it.
_FINAL = struct.pack("<HHIH", 0, Field.COMMAND_DATA_SET_TYPE, 2, NO_DATA_SET)

# How near to the end of an answer it stands; a status and perhaps a comment follow.
_TAIL = 512


class Probe:
    """An association with one context. `quick_acknowledge` sets TCP_QUICKACK before each read,
    as dicom-mcp does; without it the kernel delays acknowledgements as it likes."""

    def __init__(
        self, port: int, called_ae_title: str, *, seconds: float, quick_acknowledge: bool
    ) -> None:
        self._quick_acknowledge = quick_acknowledge
        self._socket = socket.create_connection(("127.0.0.1", port), seconds)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(_READ_SIZE)
        self._message_id = 0
        self._socket.sendall(pdu.associate_request(called_ae_title))
        if self._receive() < 6 or self._buffer[0] != pdu.ASSOCIATE_AC:
            raise ConnectionError("the probe's association was not accepted")

    def ask(self, identifier: bytes) -> int:
        """Send the identifier; how many bytes were answered."""
        self._message_id += 1
        self._socket.sendall(pdu.message(1, _request(self._message_id), identifier))
        total, tail = 0, b""
        while _FINAL not in tail:
            count = self._receive()
            total += count
            tail = (tail + self._buffer[max(count - _TAIL, 0) : count])[-_TAIL:]
        return total

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._socket.sendall(pdu.release(pdu.RELEASE_RQ))
        self._socket.close()

    def _receive(self) -> int:
        if self._quick_acknowledge:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        count = self._socket.recv_into(self._buffer)
        if not count:
            raise ConnectionResetError("the probe's connection was closed")
        return count


def _request(message_id: int) -> bytes:
    return command.encode(
        {
            Field.AFFECTED_SOP_CLASS_UID: pdu.STUDY_ROOT,
            Field.COMMAND_FIELD: Operation.C_FIND_RQ,
            Field.MESSAGE_ID: message_id,
            Field.PRIORITY: MEDIUM_PRIORITY,
            Field.COMMAND_DATA_SET_TYPE: 1,
        }
    )
