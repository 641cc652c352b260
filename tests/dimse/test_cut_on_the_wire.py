"""An object that an archive sends cut, in messages that are right, is never called whole; one whose
connection breaks off never comes. Over C-GET, and over C-MOVE to our receiver."""

from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import Archive
from dicom_mcp.dimse.contexts import EVERY
from dicom_mcp.dimse.exchange import DimseExchange
from dicom_mcp.dimse.receiver import receiving
from dicom_mcp.errors import ArchiveError
from dicom_mcp.node import Node, Receiver
from dicom_mcp.standard.instance import Instance, Retrieved
from tests.cuts import IS_AT_SCALE, Sample, is_called_whole, samples
from tests.dimse.fetching import fetch
from tests.peers.delivering import SENDERS
from tests.peers.program import free_port
from tests.peers.raw_objects import accept_each, deliver, stored, syntaxes_of
from tests.peers.scripted import Over, Peer, Talk
from tests.peers.scripted_sender import MOVE, finish, hear, serve

pytestmark = pytest.mark.usefixtures("tidy")

# What our requestor asks for; in other transfer syntaxes no object comes over DIMSE.
SYNTAXES = {*EVERY}


class Sending:
    """An archive that sends `sample` with `content` as its data set, or of that message `share`
    before the connection ends; over C-GET, or to our receiver."""

    sample: Sample
    content: bytes

    def __init__(self, place: Receiver | None = None) -> None:
        self.place = place
        self.share = 1.0
        self._peer = Peer((accept_each, serve(self._answer)))

    def __enter__(self) -> "Sending":
        self._peer.__enter__()
        exchange = DimseExchange(Node(port=self._peer.port, receiver=self.place))
        exchange.manners.offers_get = not self.place
        self._archive = Archive(exchange)
        return self

    def __exit__(self, *error: Any) -> None:
        with closing(self._archive):
            pass
        self._peer.__exit__(*error)

    def send(
        self, sample: Sample, content: bytes, share: float = 1.0
    ) -> tuple[list[Instance], Retrieved]:
        """What came of asking for the sample."""
        self.sample, self.content, self.share = sample, content, share
        return fetch(self._archive, [sample.reference])

    def _answer(self, talk: Talk, _: bytes) -> None:
        if talk.operation == MOVE:
            came = self._store()
            finish(completed=came, failed=1 - came)(talk)
            return
        kind = [self.sample.reference.sop_class_uid.encode(), self.sample.syntax.encode()]
        context_id = next(i for i, one in talk.contexts.items() if syntaxes_of(one) == kind)
        said = self._stored(context_id)
        talk.send(said[: int(len(said) * self.share)])
        if self.share < 1:
            raise Over
        hear(talk)
        finish(completed=1)(talk)

    def _store(self) -> int:
        """Send it to our receiver; how many were taken."""
        assert self.place
        kind = self.sample.reference.sop_class_uid, self.sample.syntax
        return deliver(self.place, kind, self._stored(1), share=self.share)

    def _stored(self, context_id: int) -> bytes:
        one = self.sample.reference
        return stored(one.sop_class_uid, one.sop_instance_uid, self.content, context_id)


def some(way: str) -> list[Sample]:
    """What is cut; a move takes ten times as long."""
    several = samples(every=IS_AT_SCALE and way == "C-GET")
    return [one for one in several if one.syntax in SYNTAXES]


@pytest.fixture(params=["C-GET", "C-MOVE"])
def way(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def sending(way: str) -> Iterator[Sending]:
    if way == "C-GET":
        with Sending() as sending:
            yield sending
        return
    place = Receiver("RECEIVER", free_port(), "127.0.0.1")
    with (
        receiving(place, {"0"}, 1, SENDERS, Deadline(60)),
        Sending(place) as sending,
    ):  # so that the port stays open
        yield sending


def test_an_object_cut_anywhere_is_never_called_whole(sending: Sending, way: str) -> None:
    for sample in some(way):
        ((came,), retrieved) = sending.send(sample, sample.content)
        assert not retrieved.missing, sample
        assert is_called_whole(came, sample), sample
        for place in sample.places(2, way):
            ((came,), retrieved) = sending.send(sample, sample.content[:place])
            assert not retrieved.missing, (sample.name, place)
            assert not is_called_whole(came, sample), (sample.name, place)


def test_an_object_whose_connection_breaks_off_does_not_come(sending: Sending, way: str) -> None:
    for sample in some(way)[:: 1 if IS_AT_SCALE else 6]:
        for place in sample.places(1, "broken off"):
            with suppress(ArchiveError):
                came, retrieved = sending.send(sample, sample.content, place / len(sample.content))
                assert not came, (sample.name, place)
                assert retrieved.missing == (sample.reference,)
