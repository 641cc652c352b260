"""HTTPS: who is trusted, and the reason when it is not to be."""

import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicomweb.exchange import WebExchange
from dicom_mcp.errors import ArchiveError, BadConfiguration, ConnectionLost, Unreachable
from dicom_mcp.node import Certificate, WebNode
from tests.bounds import in_time
from tests.dicomweb.web_peer import answer, rows


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM form: two CAs, and what the first of them signed."""

    directory: Path

    def __getitem__(self, name: str) -> str:
        return str(self.directory / f"{name}.pem")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    if not shutil.which("openssl"):
        if os.environ.get("DICOM_MCP_REQUIRE_PEERS") == "1":
            pytest.fail("openssl is not installed")
        pytest.skip("openssl is not installed")
    directory = tmp_path_factory.mktemp("tls")
    made = Certificates(directory)
    new = ("req", "-newkey", "rsa:2048", "-nodes")
    for ca in ("ca", "other-ca"):
        _openssl(directory, *new, "-x509", "-subj", f"/CN={ca}", "-keyout", f"{ca}.key", out=ca)
    for name, host, days in (
        ("server", "IP:127.0.0.1", "30"),
        ("elsewhere", "DNS:elsewhere.example.org", "30"),
        ("expired", "IP:127.0.0.1", "-1"),
        ("client", "DNS:client", "30"),
    ):
        request = f"{name}-request"
        _openssl(directory, *new, "-subj", f"/CN={name}", "-keyout", f"{name}.key", out=request)
        (directory / "extensions").write_text(f"subjectAltName={host}\n")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", days)
        extended = ("-in", f"{request}.pem", "-extfile", "extensions")
        _openssl(directory, "x509", "-req", *signed, *extended, out=name)
    return made


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
    for auth, ca_file in (
        (None, "/nowhere/ca.pem"),
        (Certificate("/nowhere/client.pem"), ""),
        (Certificate(certificates["client"], other_key), ""),
    ):
        with pytest.raises(BadConfiguration, match="cannot be used"):
            WebExchange(WebNode("https://127.0.0.1:1", auth, ca_file=ca_file))


def _verify(node: WebNode) -> float:
    with closing(WebExchange(node)) as exchange:
        return in_time(lambda: exchange.verify(Deadline(10)))


@contextmanager
def _server(certificates: Certificates, name: str, *, wants_client: bool = False) -> Generator[str]:
    """Answers one search to each connection, with TLS if it has a certificate."""
    context = None
    if name:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates[name], str(certificates.directory / f"{name}.key"))
        if wants_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(certificates["ca"])
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


def _openssl(directory: Path, *arguments: str, out: str) -> None:
    subprocess.run(
        ["openssl", *arguments, "-out", f"{out}.pem"],
        cwd=directory,
        capture_output=True,
        timeout=60,
        check=True,
    )
