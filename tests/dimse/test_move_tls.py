"""C-MOVE to a receiver in TLS: the archive shows a certificate too; who shows none is told."""

import json
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import Archive
from dicom_mcp.dimse.exchange import DimseExchange
from dicom_mcp.dimse.inbox import Inbox
from dicom_mcp.dimse.receiver import receiving
from dicom_mcp.errors import ArchiveError, BadConfiguration
from dicom_mcp.node import Certificate, Node, Receiver, Tls
from tests.bounds import PATIENCE
from tests.dimse.fetching import ONE, ct, fetch, reference
from tests.notes import the_note
from tests.peers.certificates import Certificates, make
from tests.peers.dcmtk import run
from tests.peers.delivering import ARCHIVE, SENDERS, image, store
from tests.peers.orthanc import orthanc, orthanc_program
from tests.peers.program import free_port, running
from tests.peers.scripted import Peer, Talk, accept, hold
from tests.peers.scripted_sender import finish, hear_request
from tests.peers.tls_front import front, server_context
from tests.ward import objects

# An association request without TLS, as far as it is read.
REQUEST = b"\x01\0\0\0\0\x44" + bytes(68)

pytestmark = pytest.mark.usefixtures("tidy")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def place() -> Receiver:
    return Receiver("RECEIVER", free_port(), "127.0.0.1")


def ours(certificates: Certificates) -> Tls:
    server = Certificate(certificates["server"], certificates.key("server"))
    return Tls(certificates["ca"], server)


def archives(certificates: Certificates, name: str = "client", ca: str = "ca") -> ssl.SSLContext:
    """What an archive that sends in TLS shows (nothing for "") and trusts."""
    context = ssl.create_default_context(cafile=certificates[ca])
    context.check_hostname = False
    if name:
        context.load_cert_chain(certificates[name], certificates.key(name))
    return context


def knock(place: Receiver, context: ssl.SSLContext, request: bytes = b"") -> bytes:
    """Connect in TLS and send this; what comes until the receiver closes."""
    answer = b""
    with (
        socket.create_connection((place.host, place.port), PATIENCE) as plain,
        suppress(OSError),
        context.wrap_socket(plain, server_hostname=place.host) as secure,
    ):
        secure.sendall(request)
        while came := secure.recv(100):
            answer += came
    return answer


def knock_plainly(place: Receiver, sent: bytes) -> None:
    """Send this without TLS, and wait until the receiver closes."""
    with socket.create_connection((place.host, place.port), PATIENCE) as plain:
        plain.sendall(sent)
        with suppress(ConnectionResetError):  # not all of it was read
            while plain.recv(100):
                pass


def arrived(inbox: Inbox) -> list[str]:
    inbox.close()
    return [one.sop_instance_uid for one in inbox.instances(Deadline(PATIENCE))]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_an_archive_that_shows_its_certificate_is_received(
    place: Receiver, certificates: Certificates, version: ssl.TLSVersion
) -> None:
    shown = archives(certificates)
    shown.minimum_version = shown.maximum_version = version
    large = image(ONE, size=700_001 + 1)
    with receiving(
        place, {ONE}, 1_000_000, SENDERS, Deadline(PATIENCE), ours(certificates)
    ) as inbox:
        assert store(place, large, origin=3, tls=shown) == [0x0000]
        assert arrived(inbox) == [ONE]
        assert not inbox.visit.insecure


def test_dcmtk_sends_in_tls(place: Receiver, certificates: Certificates, tmp_path: Path) -> None:
    image(ONE).save_as(tmp_path / "one.dcm", enforce_file_format=True)
    secure = ("+tls", certificates.key("client"), certificates["client"])
    titles = ("-aet", ARCHIVE, "-aec", place.ae_title, "+cf", certificates["ca"])
    with receiving(place, {ONE}, 1000, SENDERS, Deadline(PATIENCE), ours(certificates)) as inbox:
        sent = run("storescu", *secure, *titles, place.host, str(place.port), tmp_path / "one.dcm")
        assert sent.returncode == 0, sent.stdout
        assert arrived(inbox) == [ONE]


@pytest.mark.parametrize(
    ("name", "ca", "why"),
    [
        ("", "ca", "which shows no TLS certificate"),
        ("stranger", "ca", "whose TLS certificate was signed by nobody known here"),
        ("expired", "ca", "whose TLS certificate has expired"),
        ("client", "other-ca", "which does not accept our TLS certificate"),
    ],
)
def test_one_whose_certificate_is_not_trusted_is_refused_and_told(
    place: Receiver, certificates: Certificates, name: str, ca: str, why: str
) -> None:
    with receiving(place, {ONE}, 1000, SENDERS, Deadline(PATIENCE), ours(certificates)) as inbox:
        assert knock(place, archives(certificates, name, ca)) == b""
        assert store(place, image(ONE), tls=archives(certificates)) == [0x0000]
        assert inbox.visit.insecure == {f"127.0.0.1, {why}": 1}
        assert arrived(inbox) == [ONE]


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (REQUEST, "which does not speak TLS"),
        (b"", "which did not end its TLS handshake"),
        (b"\x16\x03\x01\x02\0", "which did not end its TLS handshake"),
    ],
    ids=["plain", "silent", "slow"],
)
def test_one_that_speaks_no_tls_is_closed_within_a_second_and_told(
    place: Receiver, certificates: Certificates, sent: bytes, why: str
) -> None:
    with receiving(place, {ONE}, 1000, SENDERS, Deadline(PATIENCE), ours(certificates)) as inbox:
        knock_plainly(place, sent)
        assert inbox.visit.insecure == {f"127.0.0.1, {why}": 1}
        assert f"for want of TLS: 127.0.0.1, {why} (1)" in inbox.visit.others


def test_sixty_who_begin_no_handshake_keep_no_archive_out(
    place: Receiver, certificates: Certificates
) -> None:
    with (
        receiving(place, {ONE}, 1000, SENDERS, Deadline(PATIENCE), ours(certificates)) as inbox,
        ExitStack() as stack,
    ):
        for _ in range(60):
            stack.enter_context(socket.create_connection((place.host, place.port), PATIENCE))
        assert store(place, image(ONE), tls=archives(certificates)) == [0x0000]
        assert arrived(inbox) == [ONE]


def test_a_title_that_is_not_known_is_rejected_in_tls_too(
    place: Receiver, certificates: Certificates
) -> None:
    with receiving(place, {ONE}, 1000, SENDERS, Deadline(PATIENCE), ours(certificates)) as inbox:
        titles = f"{place.ae_title:16}{'STRANGER':16}".encode()
        request = struct.pack(">BxIHxx", 0x01, 68, 1) + titles + bytes(32)
        rejected = knock(place, archives(certificates), request)
        assert rejected == bytes([0x03, 0, 0, 0, 0, 4, 0, 1, 1, 3])  # PS3.8 9.3.4
        assert inbox.visit.strangers == {"STRANGER at 127.0.0.1": 1}


def moved(
    place: Receiver, certificates: Certificates, sends: Callable[[Talk], None]
) -> tuple[list[str], tuple[object, ...]]:
    """What came of a move that an archive in TLS answers by that, and what is said of it."""
    with (
        Peer((accept, hear_request, sends, finish(completed=1), hold)) as peer,
        front(peer.port, server_context(certificates)) as port,
    ):
        exchange = DimseExchange(Node(port=port, receiver=place, tls=ours(certificates)))
        exchange.manners.offers_get = False
        with closing(Archive(exchange)) as archive:
            came, retrieved = fetch(archive, ct(ONE))
    return [one.sop_instance_uid for one in came], retrieved.notes


def test_a_move_in_tls_brings_what_the_archive_sends(
    place: Receiver, certificates: Certificates
) -> None:
    def sends(_: Talk) -> None:
        assert store(place, image(ONE), tls=archives(certificates)) == [0x0000]

    assert moved(place, certificates, sends) == ([ONE], ())


def test_an_archive_that_sends_without_tls_is_told_so(
    place: Receiver, certificates: Certificates
) -> None:
    def sends(_: Talk) -> None:
        knock_plainly(place, REQUEST)

    came, notes = moved(place, certificates, sends)
    assert came == []
    assert the_note(notes, "127.0.0.1, which does not speak TLS (1)")


def test_two_nodes_with_other_certificates_need_other_ports(
    place: Receiver, certificates: Certificates
) -> None:
    with (
        receiving(place, {ONE}, 1000, SENDERS, Deadline(PATIENCE), ours(certificates)),
        pytest.raises(ArchiveError, match="a port of its own"),
        receiving(place, {ONE}, 1000, SENDERS, Deadline(PATIENCE)),
    ):
        pass


def test_tls_and_a_receiver_without_a_certificate_are_no_configuration(
    certificates: Certificates,
) -> None:
    with pytest.raises(BadConfiguration, match="no certificate to show"):
        Node(receiver=Receiver("RECEIVER", 11113), tls=Tls(certificates["ca"]))


def test_orthanc_moves_in_tls(place: Receiver, certificates: Certificates, tmp_path: Path) -> None:
    jane = [one for one in objects() if one.PatientID == "007"]
    with orthanc(jane, tmp_path):
        """Only to fill its storage."""
    port = free_port()
    us = {"AET": place.ae_title, "Host": place.host, "Port": place.port, "UseDicomTls": True}
    told = json.loads((tmp_path / "orthanc.json").read_text()) | {
        "DicomPort": port,
        "DicomTlsEnabled": True,
        "DicomTlsCertificate": certificates["server"],
        "DicomTlsPrivateKey": certificates.key("server"),
        "DicomTlsTrustedCertificates": certificates["ca"],
        "DicomTlsRemoteCertificateRequired": True,
        "DicomModalities": {"us": us},
    }
    (tmp_path / "tls.json").write_text(json.dumps(told))
    node = Node(port=port, called_ae_title="ORTHANC", receiver=place, tls=ours(certificates))
    exchange = DimseExchange(node)
    exchange.manners.offers_get = False
    with (
        running([str(orthanc_program()), str(tmp_path / "tls.json")], port),
        closing(Archive(exchange)) as archive,
    ):
        came, retrieved = fetch(archive, [reference(one) for one in jane])
    assert sorted(one.sop_instance_uid for one in came) == sorted(
        str(one.SOPInstanceUID) for one in jane
    ), retrieved.notes
    assert retrieved.service == "C-MOVE"
