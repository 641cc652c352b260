"""DICOM over TLS: who is trusted, the reason when it is not to be, never a fall-back to plain."""

import json
import socket
import ssl
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from copy import deepcopy
from pathlib import Path
from time import monotonic

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.dicom_api import connect
from dicom_mcp.errors import (
    ArchiveError,
    BadConfiguration,
    Cancelled,
    ConnectionTimedOut,
    TlsFailure,
)
from dicom_mcp.node import Certificate, Node, Tls
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Query
from tests.bounds import in_time
from tests.peers.certificates import Certificates, make
from tests.peers.dcmtk import dcmtk
from tests.peers.orthanc import orthanc, orthanc_program
from tests.peers.program import free_port, running
from tests.peers.pynetdicom_scp import accepting
from tests.peers.tls_front import front, server_context
from tests.ward import STUDIES, objects

QUERY = Query(Level.STUDY, {}, ("StudyInstanceUID", "PatientID"))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def plain() -> Iterator[int]:
    """The port of an embedded archive that knows nothing of TLS."""
    with EmbeddedArchive(objects(), ae_title="WARD") as archive:
        yield archive.port


def trusting(certificates: Certificates, **more: object) -> Tls:
    return Tls(**{"ca_file": certificates["ca"], **more})  # type: ignore[arg-type]


def certificate(certificates: Certificates, name: str) -> Certificate:
    return Certificate(certificates[name], certificates.key(name))


def verify(port: int, tls: Tls | None, *, timeout: float = 10, host: str = "127.0.0.1") -> float:
    with closing(connect(Node(host, port, tls=tls))) as archive:
        return in_time(lambda: archive.verify(deadline=Deadline(timeout)))


def refused(port: int, tls: Tls | None, *, host: str = "127.0.0.1") -> str:
    with pytest.raises(ArchiveError) as caught:
        verify(port, tls, host=host)
    assert isinstance(caught.value, TlsFailure), repr(caught.value)
    assert caught.value.remedy
    return str(caught.value)


def test_an_archive_of_the_named_authority_answers_everything(
    plain: int, certificates: Certificates
) -> None:
    with (
        front(plain, server_context(certificates)) as port,
        closing(connect(Node(port=port, tls=trusting(certificates)))) as archive,
    ):
        assert archive.verify(deadline=Deadline(10)) > 0
        for _ in range(3):  # over the association that is kept
            found = archive.find(QUERY, limit=100, deadline=Deadline(10))
            assert {str(one["StudyInstanceUID"]) for one in found.matches} == {
                s.uid for s in STUDIES
            }


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_an_idle_association_is_used_again_whatever_tickets_came(
    certificates: Certificates, version: ssl.TLSVersion
) -> None:
    context = server_context(certificates)
    context.minimum_version = context.maximum_version = version
    with (
        accepting() as acceptor,
        front(acceptor.port, context) as port,
        closing(connect(Node(port=port, tls=trusting(certificates)))) as archive,
    ):
        archive.verify(deadline=Deadline(10))
        for _ in range(3):
            assert len(archive.find(QUERY, limit=9, deadline=Deadline(10)).matches) == 3
        assert acceptor.associations == 1


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_that_bcp_195_allows_are_spoken(
    plain: int, certificates: Certificates, version: ssl.TLSVersion
) -> None:
    context = server_context(certificates)
    context.minimum_version = context.maximum_version = version
    with front(plain, context) as port:
        assert verify(port, trusting(certificates)) > 0


@pytest.mark.parametrize("ca", ["", "other-ca"])
def test_one_that_nobody_known_signed_is_not_trusted(
    plain: int, certificates: Certificates, ca: str
) -> None:
    with front(plain, server_context(certificates)) as port:
        told = refused(port, Tls(ca_file=certificates[ca] if ca else ""))
    assert "was signed by nobody known here. Name the hospital's own CA in ca_file" in told


def test_one_that_has_expired_is_named(plain: int, certificates: Certificates) -> None:
    with front(plain, server_context(certificates, "expired")) as port:
        assert "has expired" in refused(port, trusting(certificates))


def test_one_for_another_host_is_named_and_a_server_name_settles_it(
    plain: int, certificates: Certificates
) -> None:
    with front(plain, server_context(certificates, "elsewhere")) as port:
        assert "is for another IP address" in refused(port, trusting(certificates))
        assert "for another host name" in refused(port, trusting(certificates), host="localhost")
        named = trusting(certificates, server_name="elsewhere.example.org")
        assert verify(port, named) > 0


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_one_that_wants_a_client_certificate_gets_it_or_says_so(
    plain: int, certificates: Certificates, version: ssl.TLSVersion
) -> None:
    context = server_context(certificates, wants_client=True)
    context.minimum_version = context.maximum_version = version
    with front(plain, context) as port:
        ours = certificate(certificates, "client")
        assert verify(port, trusting(certificates, certificate=ours)) > 0
        assert "for want of a client certificate" in refused(port, trusting(certificates))
        stranger = trusting(certificates, certificate=certificate(certificates, "stranger"))
        assert "does not accept our client certificate" in refused(port, stranger)


def test_a_plain_archive_is_not_spoken_to_in_the_clear(
    plain: int, certificates: Certificates
) -> None:
    told = refused(plain, trusting(certificates))
    assert "does not speak TLS on that port" in told or "during the TLS handshake" in told


def test_an_archive_with_tls_that_is_asked_without_says_what_may_be_wrong(
    plain: int, certificates: Certificates
) -> None:
    with (
        front(plain, server_context(certificates)) as port,
        pytest.raises(ArchiveError, match="TLS"),
    ):
        verify(port, None)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
def test_one_with_only_an_old_version_is_named(plain: int, certificates: Certificates) -> None:
    context = server_context(certificates)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with front(plain, context) as port:
        assert "no version of TLS that is still allowed" in refused(port, trusting(certificates))


@contextmanager
def silent() -> Generator[int]:
    """Accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_a_port_that_stays_silent_is_left_at_the_deadline(certificates: Certificates) -> None:
    with silent() as port:
        started = monotonic()
        with pytest.raises(ConnectionTimedOut, match="TLS handshake did not end in time"):
            verify(port, trusting(certificates), timeout=0.5)
        assert monotonic() - started < 10  # not the kernel's minutes


def test_a_handshake_that_hangs_can_be_cancelled(certificates: Certificates) -> None:
    deadline = Deadline(60)
    with (
        silent() as port,
        closing(connect(Node(port=port, tls=trusting(certificates)))) as archive,
    ):
        timer = threading.Timer(0.2, deadline.cancel)
        timer.start()
        with pytest.raises(Cancelled):
            in_time(lambda: archive.verify(deadline=deadline))
        timer.join()


def test_a_peer_that_hangs_up_in_the_handshake_is_named(certificates: Certificates) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            listening.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        told = refused(listening.getsockname()[1], trusting(certificates))
        thread.join(10)
    assert "closed during the TLS handshake" in told


def test_files_that_cannot_be_used_are_named_before_anything_is_sent(
    certificates: Certificates,
) -> None:
    for tls, said in (
        (Tls("/nowhere/ca.pem"), "there is no file /nowhere/ca.pem"),
        (Tls(certificates.key("ca")), "ca.key cannot be used as a certificate authority"),
        (Tls(certificate=Certificate("/nowhere/us.pem")), "there is no file /nowhere/us.pem"),
        (
            Tls(certificate=Certificate(certificates["client"], certificates.key("server"))),
            "server.key does not belong to the certificate in",
        ),
    ):
        with pytest.raises(BadConfiguration, match=said):
            connect(Node(tls=tls))


def test_dcmtk_with_tls_is_verified(certificates: Certificates, tmp_path: Path) -> None:
    port = free_port()
    command = [
        *(str(dcmtk("storescp")), "+tls", certificates.key("server"), certificates["server"]),
        *("--add-cert-file", certificates["ca"], "--require-peer-cert", "-od", str(tmp_path)),
        str(port),
    ]
    with running(command, port):
        ours = trusting(certificates, certificate=certificate(certificates, "client"))
        assert verify(port, ours) > 0
        assert "client certificate" in refused(port, trusting(certificates))


def test_orthanc_with_tls_answers_questions(certificates: Certificates, tmp_path: Path) -> None:
    jane = [one for one in objects() if one.PatientID == "007"]
    with orthanc(jane, tmp_path):
        """Only to fill its storage: dcmsend is not asked to speak TLS."""
    port = free_port()
    told = json.loads((tmp_path / "orthanc.json").read_text()) | {
        "DicomPort": port,
        "DicomTlsEnabled": True,
        "DicomTlsCertificate": certificates["server"],
        "DicomTlsPrivateKey": certificates.key("server"),
        "DicomTlsTrustedCertificates": certificates["ca"],
        "DicomTlsRemoteCertificateRequired": True,
    }
    (tmp_path / "tls.json").write_text(json.dumps(told))
    ours = trusting(certificates, certificate=certificate(certificates, "client"))
    with (
        running([str(orthanc_program()), str(tmp_path / "tls.json")], port),
        closing(
            connect(Node(port=port, called_ae_title="ORTHANC", tls=ours, timeout=20))
        ) as archive,
    ):
        found = archive.find(QUERY, limit=100, deadline=Deadline(20))
        assert {str(one["StudyInstanceUID"]) for one in found.matches} == {
            str(one.StudyInstanceUID) for one in jane
        }
        assert "client certificate" in refused(port, trusting(certificates))


def test_a_long_answer_over_tls_is_whole(certificates: Certificates) -> None:
    """More bytes than fit one TLS record or one read, over one association that is then reused."""
    base = next(objects())
    many = [base]
    for number in range(1_209):  # no length that a limit may have
        one = deepcopy(base)
        one.SOPInstanceUID = f"1.2.3.{number}"
        one.StudyInstanceUID, one.SeriesInstanceUID = f"1.2.4.{number}", f"1.2.5.{number}"
        many.append(one)
    with (
        EmbeddedArchive(many, ae_title="MANY") as held,
        front(held.port, server_context(certificates)) as port,
        closing(connect(Node(port=port, tls=trusting(certificates)))) as archive,
    ):
        for _ in range(2):
            found = archive.find(QUERY, limit=5_000, deadline=Deadline(30))
            assert len({str(one["StudyInstanceUID"]) for one in found.matches}) == len(many)
            assert found.complete
