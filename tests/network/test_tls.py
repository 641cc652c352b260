"""One secured socket: how it begins, what it says at its end, and why it does not come about."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from time import monotonic

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import connect
from dicom_mcp.dimse.connection import Connection
from dicom_mcp.errors import (
    ArchiveError,
    BadConfiguration,
    Cancelled,
    ConnectionTimedOut,
    DeadlinePassed,
    TlsFailure,
)
from dicom_mcp.network.tls import tls_context
from dicom_mcp.node import Certificate, Node, Tls
from tests.bounds import PATIENCE, in_time
from tests.pace import within
from tests.peers.certificates import Certificates, make
from tests.peers.tls_front import server_context

pytestmark = pytest.mark.usefixtures("tidy")

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
ABORT = b"\7 the end"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=VERSIONS, ids=lambda version: version.name)
def context(request: pytest.FixtureRequest, certificates: Certificates) -> ssl.SSLContext:
    made = server_context(certificates)
    made.minimum_version = made.maximum_version = request.param
    return made


def test_what_is_said_in_farewell_arrives_after_a_cancelled_read(
    certificates: Certificates, context: ssl.SSLContext
) -> None:
    deadline = Deadline(100 * PATIENCE)
    with listening(context, heard_out) as (port, heard):
        connection = opened(port, certificates)
        threading.Timer(0.1, deadline.cancel).start()

        def read() -> None:
            with deadline.interrupting(connection.interrupt):
                connection.receive(deadline=deadline)

        with pytest.raises(Cancelled):
            in_time(read)
        connection.close(farewell=ABORT)
    assert heard == [ABORT, b""]


def test_the_peer_is_told_that_nothing_more_comes(
    certificates: Certificates, context: ssl.SSLContext
) -> None:
    with listening(context, heard_out) as (port, heard):
        opened(port, certificates).close()
    assert heard == [b""]  # close_notify: an end without it is an error, see heard_out


def test_tickets_are_no_answers_but_bytes_and_an_end_are(
    certificates: Certificates, context: ssl.SSLContext
) -> None:
    go_on = threading.Event()

    def talk(connected: ssl.SSLSocket, _: list[bytes]) -> None:
        connected.sendall(b"x")
        go_on.wait(PATIENCE)
        connected.sendall(b"y")
        connected.recv(1)

    with listening(context, talk) as (port, _):
        connection = opened(port, certificates)
        assert bytes(in_time(lambda: connection.receive(deadline=Deadline(9)))) == b"x"
        assert connection.is_quiet()
        assert connection.is_quiet()
        go_on.set()
        arrived(connection)
        assert not connection.is_quiet()  # still
        connection.close()


def test_a_peer_that_reads_nothing_holds_nobody_longer_than_the_deadline(
    certificates: Certificates, context: ssl.SSLContext
) -> None:
    done = threading.Event()

    def talk(_: ssl.SSLSocket, __: list[bytes]) -> None:
        done.wait(PATIENCE)

    with listening(context, talk) as (port, _):
        connection = opened(port, certificates)
        with pytest.raises(DeadlinePassed, match="stopped reading"):
            in_time(lambda: connection.send(bytes(1 << 26), deadline=Deadline(0.3)))
        in_time(lambda: connection.close(farewell=ABORT))
        done.set()


def test_a_handshake_that_drips_ends_with_the_deadline(certificates: Certificates) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def drip() -> None:
            connected, _ = server.accept()
            with connected:
                for byte in b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb" + bytes(400):
                    if stop.wait(0.05):
                        return
                    connected.sendall(bytes([byte]))

        thread = threading.Thread(target=drip)
        thread.start()
        with within(1.5), pytest.raises(ConnectionTimedOut):
            opened(server.getsockname()[1], certificates, seconds=0.5)
        stop.set()
        thread.join(PATIENCE)


def test_a_certificate_of_tomorrow_is_named(certificates: Certificates) -> None:
    with listening(server_context(certificates, "early")) as (port, _):
        assert "is not valid yet" in refused(port, certificates)


def test_a_peer_without_a_cipher_of_today_is_told_from_one_that_wants_a_certificate(
    certificates: Certificates,
) -> None:
    old = server_context(certificates)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.set_ciphers("AES128-SHA256:@SECLEVEL=0")
    with listening(old) as (port, _):
        assert "no TLS cipher in common" in refused(port, certificates)
    wanting = server_context(certificates, wants_client=True)
    wanting.maximum_version = ssl.TLSVersion.TLSv1_2
    with listening(wanting) as (port, _):
        assert "for want of a client certificate" in refused(port, certificates)


@pytest.mark.parametrize("name", [".x", "x" * 70, "a\0b"])
def test_a_server_name_that_is_none_is_refused_and_leaves_nothing_open(
    certificates: Certificates, name: str
) -> None:
    with listening(server_context(certificates)) as (port, _):
        assert "is no host name. Check tls.server_name" in refused(port, certificates, name)


def test_a_peer_that_closes_after_the_handshake_is_not_said_to_want_tls(
    certificates: Certificates, context: ssl.SSLContext
) -> None:
    with (
        listening(context, lambda connected, _: connected.recv(9)) as (port, _),
        closing(connect(Node(port=port, tls=Tls(certificates["ca"])))) as archive,
        pytest.raises(ArchiveError, match="wants no other client certificate"),
    ):
        in_time(lambda: archive.verify(deadline=Deadline(PATIENCE)))


def test_a_key_with_a_passphrase_and_a_missing_one_are_named_by_their_files(
    certificates: Certificates,
) -> None:
    ours, key = certificates["client"], certificates.key("client")
    locked = str(certificates.directory / "locked.key")
    command = ["openssl", "rsa", "-aes128", "-passout", "pass:secret", "-in", key, "-out", locked]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
    for one, said in (
        (Certificate(ours, locked), f"the file {ours} or {locked} cannot be used"),
        (Certificate(ours), f"the file {ours} cannot be used as our certificate and its key"),
        (Certificate(ours, "/nowhere/us.key"), "there is no file /nowhere/us.key"),
    ):
        with pytest.raises(BadConfiguration, match=said) as caught:
            tls_context("", one)
        assert "key without passphrase" in caught.value.remedy or "no file" in said


def opened(
    port: int, certificates: Certificates, name: str = "", *, seconds: float = PATIENCE
) -> Connection:
    node = Node(port=port, tls=Tls(certificates["ca"], server_name=name))
    context = tls_context(certificates["ca"], None)
    return in_time(lambda: Connection.open(node, context, deadline=Deadline(seconds)))


def refused(port: int, certificates: Certificates, name: str = "") -> str:
    with pytest.raises(TlsFailure) as caught:
        opened(port, certificates, name)
    return str(caught.value)


def arrived(connection: Connection) -> None:
    """Until something can be read, or it is to be found out that nothing can."""
    end = monotonic() + PATIENCE
    while connection.is_quiet() and monotonic() < end:
        threading.Event().wait(0.01)


def heard_out(connected: ssl.SSLSocket, heard: list[bytes]) -> None:
    """Everything the peer says; b"" only when TLS said that it is all."""
    while not heard or heard[-1]:
        heard.append(connected.recv(65536))


@contextmanager
def listening(
    context: ssl.SSLContext,
    talk: Callable[[ssl.SSLSocket, list[bytes]], object] = heard_out,
) -> Generator[tuple[int, list[bytes]]]:
    """A server for one connection, and what it has heard once the block is over."""
    heard: list[bytes] = []

    def serve() -> None:
        connected, _ = server.accept()
        connected.settimeout(PATIENCE)
        try:
            with context.wrap_socket(
                connected, server_side=True, suppress_ragged_eofs=False
            ) as secured:
                talk(secured, heard)
        except OSError as error:
            connected.close()
            heard.append(repr(error).encode())

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], heard
        finally:
            thread.join(PATIENCE)
