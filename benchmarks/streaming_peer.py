"""An archive without a time of its own: every answer was encoded before it was asked for.

`python -m benchmarks.streaming_peer 1 100` listens on a port for each number of matches, prints
the ports, and leaves when its stdin is closed. `streaming_peer` does that from Python.
"""

import json
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle, groupby, islice

from pydicom.dataset import Dataset
from pynetdicom.dsutils import encode

from benchmarks import pdu
from benchmarks.hospital_year import studies
from dicom_mcp.attributes import preset_keywords
from dicom_mcp.dimse import command
from dicom_mcp.dimse.command import NO_DATA_SET, RESPONSE, Field, Operation
from dicom_mcp.standard.levels import Level

# Different answers; more than these would only take longer to make up.
DISTINCT = 5_000

_PENDING, _SUCCESS = 0xFF00, 0x0000
_MESSAGE_ID = struct.Struct("<HHIH")
_SILENCE_SECONDS = 300


@contextmanager
def streaming_peer(counts: Sequence[int]) -> Generator[dict[int, int]]:
    """The peer in a process of its own: number of matches to port."""
    command_line = [sys.executable, "-m", "benchmarks.streaming_peer", *map(str, counts)]
    with subprocess.Popen(
        command_line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            ports = json.loads(process.stdout.readline())
            yield {int(count): port for count, port in ports.items()}
        finally:
            process.kill()


def main() -> None:
    """Listen until stdin is closed."""
    counts = [int(argument) for argument in sys.argv[1:]]
    rows = [_row(study) for study in _studies(min(max(counts), DISTINCT))]
    ports: dict[int, int] = {}
    for count in counts:
        listener = socket.create_server(("127.0.0.1", 0))
        ports[count] = listener.getsockname()[1]
        answers = {id_: _answers(id_, list(islice(cycle(rows), count))) for id_ in (1, 3, 5)}
        threading.Thread(target=_accept, args=(listener, answers), daemon=True).start()
    print(json.dumps(ports), flush=True)
    sys.stdin.read()


def _studies(count: int) -> list[Dataset]:
    """The first image of each of `count` studies."""
    return [next(images) for _, images in groupby(studies(count), lambda one: one.StudyInstanceUID)]


def _row(study: Dataset) -> bytes:
    """What an archive answers about a study asked with the standard preset."""
    answer = Dataset()
    answer.SpecificCharacterSet = study.SpecificCharacterSet
    answer.QueryRetrieveLevel = "STUDY"
    answer.RetrieveAETitle = "STREAM"
    answer.ModalitiesInStudy = study.Modality
    answer.NumberOfStudyRelatedInstances = 1
    for keyword in preset_keywords(Level.STUDY, "standard"):
        if keyword in study:
            answer[keyword] = study[keyword]
    encoded = encode(answer, False, True)
    assert encoded
    return encoded


def _answers(context_id: int, rows: Sequence[bytes]) -> bytes:
    pending = _response(_PENDING, has_data_set=True)
    end = pdu.message(context_id, _response(_SUCCESS, has_data_set=False))
    return b"".join(pdu.message(context_id, pending, row) for row in rows) + end


def _response(status: int, *, has_data_set: bool) -> bytes:
    return command.encode(
        {
            Field.AFFECTED_SOP_CLASS_UID: pdu.STUDY_ROOT,
            Field.COMMAND_FIELD: Operation.C_FIND_RQ | RESPONSE,
            Field.MESSAGE_ID_BEING_RESPONDED_TO: 0,
            Field.COMMAND_DATA_SET_TYPE: 1 if has_data_set else NO_DATA_SET,
            Field.STATUS: status,
        }
    )


def _addressed(answers: bytes, message_id: int) -> bytes:
    """The answers with the message id they answer."""
    field = Field.MESSAGE_ID_BEING_RESPONDED_TO
    return answers.replace(
        _MESSAGE_ID.pack(0, field, 2, 0), _MESSAGE_ID.pack(0, field, 2, message_id)
    )


def _accept(listener: socket.socket, answers: dict[int, bytes]) -> None:
    while True:
        connected, _ = listener.accept()
        threading.Thread(target=_serve, args=(connected, answers), daemon=True).start()


def _serve(connected: socket.socket, answers: dict[int, bytes]) -> None:
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connected.settimeout(_SILENCE_SECONDS)
    asked: dict[int, int | str] = {}
    with connected, suppress(OSError):
        while True:
            kind, body = _read(connected)
            if kind == pdu.ASSOCIATE_RQ:
                connected.sendall(pdu.associate_accept(body))
            elif kind == pdu.DATA_TF:
                context_id, control = body[4], body[5]
                if control & 1:
                    asked = command.decode(body[6:])
                elif control & 2:
                    message_id = asked[Field.MESSAGE_ID]
                    assert isinstance(message_id, int)
                    connected.sendall(_addressed(answers[context_id], message_id))
            else:
                if kind == pdu.RELEASE_RQ:
                    connected.sendall(pdu.release(pdu.RELEASE_RP))
                return


def _read(connected: socket.socket) -> tuple[int, bytes]:
    kind, length = pdu.header(_exactly(connected, 6))
    return kind, _exactly(connected, length)


def _exactly(connected: socket.socket, length: int) -> bytes:
    received = bytearray()
    while len(received) < length:
        piece = connected.recv(length - len(received))
        if not piece:
            raise ConnectionResetError
        received += piece
    return bytes(received)


if __name__ == "__main__":
    main()
