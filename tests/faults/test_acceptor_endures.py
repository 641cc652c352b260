"""The embedded archive's acceptor ends whatever a peer leaves hanging, and serves the next one."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.demo import acceptor
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.dicom_api import connect
from dicom_mcp.dimse.negotiation import request_pdu
from dicom_mcp.node import Node
from dicom_mcp.standard.levels import Model
from tests.bounds import PATIENCE, nothing_left_behind
from tests.peers.scripted import FIND_REQUEST, command, p_data

# Seconds the acceptor waits here instead of 10 to 60.
SHORT = 0.3

# More than it takes at once.
CONNECTIONS = 3 * acceptor.MAXIMUM_ASSOCIATIONS

# Bytes, more than any message to it needs.
MOST = 96 * 1024 * 1024

QUERY = Model.STUDY_ROOT.encode() + b"\0"


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedArchive]:
    for wait in ("_ACSE_TIMEOUT", "_DIMSE_TIMEOUT", "_NETWORK_TIMEOUT"):
        monkeypatch.setattr(acceptor, wait, SHORT)
    with nothing_left_behind(), EmbeddedArchive([], ae_title="DEMO") as running:
        yield running


def test_connections_that_say_nothing_are_closed_and_keep_nobody_out(
    archive: EmbeddedArchive,
) -> None:
    with ExitStack() as silent:
        connections = [silent.enter_context(connected(archive)) for _ in range(CONNECTIONS)]
        for connection in connections:
            assert_ended(connection)
        assert_answers(archive)


@pytest.mark.parametrize(
    ("requested", "said"),
    [
        (False, b"\x01"),
        (False, b"\x01\0\0\0\x10\0half"),
        (True, b""),
        (True, b"\x04\0\0\0\x10\0half"),
        (True, b"\x05\0\0\0\0\4"),
    ],
    ids=["a byte", "half a request", "a request", "half a message", "half a release"],
)
def test_a_peer_that_falls_silent_is_left(
    requested: bool, said: bytes, archive: EmbeddedArchive
) -> None:
    with connected(archive) as connection:
        connection.sendall((association_request() if requested else b"") + said)
        assert_ended(connection)
    assert_answers(archive)


@pytest.mark.parametrize("is_command", [True, False], ids=["command", "identifier"])
def test_a_message_without_end_is_cut_off(is_command: bool, archive: EmbeddedArchive) -> None:
    begun = command({0x0002: QUERY, 0x0100: FIND_REQUEST, 0x0110: 1, 0x0700: 0, 0x0800: 1})
    fragment = p_data((1, is_command, bytes(60_000)))
    with connected(archive) as connection:
        connection.sendall(association_request())
        assert connection.recv(4096)[0] == 0x02
        if not is_command:
            connection.sendall(p_data((1, 3, begun)))
        with pytest.raises(ConnectionError):
            send_again_and_again(connection, fragment)
    assert_answers(archive)


def connected(archive: EmbeddedArchive) -> socket.socket:
    return socket.create_connection((archive.host, archive.port), timeout=PATIENCE)


def send_again_and_again(connection: socket.socket, fragment: bytes) -> None:
    for _ in range(MOST // len(fragment)):
        connection.sendall(fragment)


def association_request() -> bytes:
    return request_pdu(Node(), (Model.STUDY_ROOT,), (), 16_384).encode()


def assert_ended(connection: socket.socket) -> None:
    """The acceptor closes the connection, after whatever it has to say."""
    with suppress(ConnectionResetError):
        while connection.recv(4096):
            pass


def assert_answers(archive: EmbeddedArchive) -> None:
    with closing(connect(Node(archive.host, archive.port))) as asked:
        assert 0 < asked.verify(deadline=Deadline(PATIENCE)) < 1000 * PATIENCE
