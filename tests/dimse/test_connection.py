import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.dimse.connection import Connection
from dicom_mcp.errors import (
    Cancelled,
    ConnectionLost,
    ConnectionRefused,
    ConnectionTimedOut,
    DeadlinePassed,
    NameNotResolved,
)
from dicom_mcp.node import Node
from tests.bounds import PATIENCE, in_time

pytestmark = pytest.mark.usefixtures("tidy")


@pytest.mark.parametrize("host", ["a..b", "x" * 70, "a\0b", "é" * 70, ".", "999.1.1.1.1.1"])
def test_a_host_that_is_no_name_is_not_resolved(host: str) -> None:
    with pytest.raises(NameNotResolved, match="Check its spelling"):
        in_time(lambda: Connection.open(Node(host, 104), deadline=Deadline(PATIENCE)))


def test_a_port_nobody_listens_on_refuses() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        with pytest.raises(ConnectionRefused, match="Check that the archive is running"):
            in_time(lambda: Connection.open(Node("127.0.0.1", port), deadline=Deadline(PATIENCE)))


def test_a_network_that_drops_everything_ends_with_the_deadline() -> None:
    with (
        unanswering() as port,
        pytest.raises(ConnectionTimedOut, match=r"nothing answered within 0\.3 seconds"),
    ):
        in_time(lambda: Connection.open(Node("127.0.0.1", port), deadline=Deadline(0.3)))


def test_a_call_whose_time_is_over_blames_no_network() -> None:
    deadline = Deadline(0.6)
    deadline.wait(0.55)
    with unanswering() as port, pytest.raises(DeadlinePassed, match="no complete answer"):
        in_time(lambda: Connection.open(Node("127.0.0.1", port), deadline=deadline))


def test_an_attempt_to_connect_can_be_cancelled() -> None:
    deadline = Deadline(100 * PATIENCE)
    with unanswering() as port:
        threading.Timer(0.2, deadline.cancel).start()
        with pytest.raises(Cancelled):
            in_time(lambda: Connection.open(Node("127.0.0.1", port), deadline=deadline))


def test_a_name_with_several_addresses_is_tried_until_one_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:  # "localhost" may be ::1 first
        port = listening.getsockname()[1]
        connection = in_time(
            lambda: Connection.open(Node("localhost", port), deadline=Deadline(PATIENCE))
        )
        connection.close()


def test_reading_ends_with_the_deadline_and_with_cancelling() -> None:
    with connected() as (connection, _):
        with pytest.raises(DeadlinePassed):
            in_time(lambda: connection.receive(deadline=Deadline(0.2)))
        deadline = Deadline(100 * PATIENCE)
        threading.Timer(0.2, deadline.cancel).start()

        def read() -> None:
            with deadline.interrupting(connection.interrupt):
                connection.receive(deadline=deadline)

        with pytest.raises(Cancelled):
            in_time(read)


def test_writing_to_a_peer_that_does_not_read_ends_with_the_deadline_and_with_cancelling() -> None:
    flood = bytes(64 * 1024 * 1024)
    with connected() as (connection, _), pytest.raises(DeadlinePassed, match="stopped reading"):
        in_time(lambda: connection.send(flood, deadline=Deadline(0.3)))
    with connected() as (connection, _):
        deadline = Deadline(100 * PATIENCE)
        threading.Timer(0.3, deadline.cancel).start()

        def write() -> None:
            with deadline.interrupting(connection.interrupt):
                connection.send(flood, deadline=deadline)

        with pytest.raises(Cancelled):
            in_time(write)


def test_a_closed_and_a_reset_connection_are_lost() -> None:
    for linger in (False, True):
        with connected() as (connection, other):
            if linger:
                option = b"\1\0\0\0\0\0\0\0"
                other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
            other.close()
            with pytest.raises(ConnectionLost):
                in_time(lambda connection=connection: connection.receive(deadline=Deadline(9)))
            assert not connection.is_quiet()


def test_a_connection_is_quiet_until_something_arrives() -> None:
    with connected() as (connection, other):
        assert connection.is_quiet()
        other.sendall(b"x")
        assert bytes(in_time(lambda: connection.receive(deadline=Deadline(PATIENCE)))) == b"x"
        assert connection.is_quiet()
        connection.close()
        assert not connection.is_quiet()


def test_a_farewell_needs_no_waiting() -> None:
    with connected() as (connection, other):
        connection.close(farewell=b"bye")
        other.settimeout(PATIENCE)
        assert other.recv(10) == b"bye"
        in_time(lambda: connection.close(farewell=bytes(64 * 1024 * 1024)))


@contextmanager
def connected() -> Generator[tuple[Connection, socket.socket]]:
    """A connection and its other end."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        connection = in_time(
            lambda: Connection.open(Node("127.0.0.1", port), deadline=Deadline(PATIENCE))
        )
        other, _ = listening.accept()
    with other:
        try:
            yield connection, other
        finally:
            connection.close()


@contextmanager
def unanswering() -> Generator[int]:
    """A port whose queue is full, so that the kernel drops what asks to connect."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            with suppress(BlockingIOError):
                filler.connect(listening.getsockname())
        try:
            yield listening.getsockname()[1]
        finally:
            for filler in fillers:
                filler.close()
