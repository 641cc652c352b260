"""HTTPS: who is trusted, and the reason when it is not to be."""

import socket
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicomweb.exchange import WebExchange
from dicom_mcp.errors import ArchiveError, BadConfiguration, ConnectionLost, Unreachable
from dicom_mcp.node import Certificate, WebNode
from tests.bounds import in_time
from tests.peers.certificates import Certificates, make
from tests.peers.tls_front import server_context
from tests.peers.web import answer, rows


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make(tmp_path_factory.mktemp("tls"))


def test_a_server_of_the_named_ca_is_asked(certificates: Certificates) -> None:
    with _server(certificates, "server") as url:
        assert _verify(WebNode(url, ca_file=certificates["ca"])) > 0


def test_one_of_an_unknown_ca_is_not(certificates: Certificates) -> None:
    with _server(certificates, "server") as url:
        for ca_file in ("", certificates["other-ca"]):
            with pytest.raises(Unreachable, match="signed by nobody known"):
                _verify(WebNode(url, ca_file=ca_file))


@pytest.mark.parametrize(
    ("name", "said"), [("elsewhere", "for another IP address"), ("expired", "has expired")]
)
def test_a_certificate_that_does_not_hold_is_named(
    certificates: Certificates, name: str, said: str
) -> None:
    with _server(certificates, name) as url, pytest.raises(Unreachable, match=said):
        _verify(WebNode(url, ca_file=certificates["ca"]))


def test_a_server_that_wants_a_client_certificate_gets_it(certificates: Certificates) -> None:
    ours = Certificate(certificates["client"], str(certificates.directory / "client.key"))
    with _server(certificates, "server", wants_client=True) as url:
        assert _verify(WebNode(url, ours, ca_file=certificates["ca"])) > 0
        with pytest.raises(Unreachable, match="client certificate"):
            _verify(WebNode(url, ca_file=certificates["ca"]))


def test_a_plain_server_is_named(certificates: Certificates) -> None:
    with (
        _server(certificates, "") as url,
        pytest.raises(Unreachable, match="does not speak TLS"),
    ):
        _verify(WebNode(url.replace("http:", "https:")))


def test_a_server_with_tls_is_not_asked_without(certificates: Certificates) -> None:
    with _server(certificates, "server") as url, pytest.raises(ArchiveError) as caught:
        _verify(WebNode(url.replace("https:", "http:")))
    assert not isinstance(caught.value, ConnectionLost) or caught.value.remedy


def test_files_that_cannot_be_used_are_refused_before_anything_is_sent(
    certificates: Certificates,
) -> None:
    other_key = str(certificates.directory / "server.key")
    for auth, ca_file, said in (
        (None, "/nowhere/ca.pem", "there is no file /nowhere/ca.pem"),
        (None, other_key, "server.key cannot be used as a certificate authority"),
        (Certificate("/nowhere/client.pem"), "", "there is no file /nowhere/client.pem"),
        (Certificate(certificates["client"], other_key), "", "does not belong to the certificate"),
    ):
        with pytest.raises(BadConfiguration, match=said):
            WebExchange(WebNode("https://127.0.0.1:1", auth, ca_file=ca_file))


def _verify(node: WebNode) -> float:
    with closing(WebExchange(node)) as exchange:
        return in_time(lambda: exchange.verify(Deadline(10)))


@contextmanager
def _server(certificates: Certificates, name: str, *, wants_client: bool = False) -> Generator[str]:
    """Answers one search to each connection, with TLS if it has a certificate."""
    context = server_context(certificates, name, wants_client=wants_client) if name else None
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connected, _ = listening.accept()
            except OSError:
                return
            connected.settimeout(10)
            try:
                if context:
                    connected = context.wrap_socket(connected, server_side=True)
                connected.recv(65536)
                connected.sendall(answer(rows(1), fields="Connection: close\r\n"))
            except OSError:
                pass
            connected.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        scheme = "https" if context else "http"
        yield f"{scheme}://127.0.0.1:{listening.getsockname()[1]}/web"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)
