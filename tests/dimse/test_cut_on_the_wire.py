"""An object that an archive sends cut, in messages that are right, is never called whole; one whose
connection breaks off never comes."""

from contextlib import closing
from datetime import date
from itertools import batched
from random import Random

import pytest
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from dicom_mcp.demo.hospital import hospital
from dicom_mcp.dicom_api import connect
from dicom_mcp.errors import ArchiveError
from dicom_mcp.node import Node
from dicom_mcp.tools.arriving import arrived
from tests.peer import Peer, Script, Talk, accept, command, p_data

from .sender import CT, finish, hear, hear_request, serve, storage_context
from .test_retrieve import fetch, reference

CUTS = 200


@pytest.fixture(scope="module")
def image() -> Dataset:
    """A CT image of the hospital."""
    return next(one for one in hospital(date(2026, 3, 31)).pacs() if one.SOPClassUID == CT)


def encoded(dataset: Dataset) -> bytes:
    file = DicomBytesIO()
    file.is_implicit_VR = file.is_little_endian = True
    write_dataset(file, dataset)
    return file.getvalue()


def stored(talk: Talk, uid: str, content: bytes) -> bytes:
    """A C-STORE request whose data set is this."""
    raw = uid.encode() + b"\0" * (len(uid) % 2)
    request = {0x0002: CT.encode() + b"\0", 0x0100: 1, 0x0110: 7, 0x0700: 0, 0x0800: 1}
    context_id = storage_context(talk)
    said = p_data((context_id, 3, command({**request, 0x1000: raw})))
    pieces = [bytes(piece) for piece in batched(content, 16_000)]
    for number, piece in enumerate(pieces, 1):
        said += p_data((context_id, 2 if number == len(pieces) else 0, piece))
    return said


def test_an_object_cut_anywhere_is_never_called_whole(image: Dataset) -> None:
    content, wanted, random = encoded(image), reference(image), Random(1)
    places = iter([len(content), *(random.randrange(1, len(content)) for _ in range(CUTS))])

    def answer(talk: Talk, _: bytes) -> None:
        talk.send(stored(talk, wanted.sop_instance_uid, content[: next(places)]))
        hear(talk)
        finish(completed=1)(talk)

    with Peer((accept, serve(answer))) as peer, closing(connect(Node(port=peer.port))) as archive:
        for number in range(CUTS + 1):
            (came,), retrieved = fetch(archive, [wanted])
            assert not retrieved.missing
            found = arrived(came, wanted, ())
            assert bool(found.faults or found.doubts) is bool(number), len(came.data_set)


def test_an_object_whose_connection_breaks_off_does_not_come(image: Dataset) -> None:
    content, wanted, random = encoded(image), reference(image), Random(2)
    for _ in range(10):
        share = random.random()

        def begin(talk: Talk, share: float = share) -> None:
            whole = stored(talk, wanted.sop_instance_uid, content)
            talk.send(whole[: int(len(whole) * share)])

        script: Script = (accept, hear_request, begin)
        with (
            Peer(script) as peer,
            closing(connect(Node(port=peer.port))) as archive,
            pytest.raises(ArchiveError),
        ):
            fetch(archive, [wanted])
