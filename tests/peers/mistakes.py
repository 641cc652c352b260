"""Connection mistakes, each a real peer that is there when it is made, and the step that tells."""

import socket
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.index import Index
from dicom_mcp.demo.web import EmbeddedWeb
from dicom_mcp.node import AnyNode, Basic, Node, Tls, WebNode
from dicom_mcp.standard.levels import MODALITY_WORKLIST
from tests.peers.certificates import Certificates
from tests.peers.misbehaviours import MISBEHAVIOURS
from tests.peers.pynetdicom_scp import VERIFICATION, accepting
from tests.peers.scripted import FIND_REQUEST, Peer, Talk, accept, end, hear_question
from tests.peers.tls_front import front, server_context
from tests.peers.web import Asked, WebPeer, answer

type There = Callable[[ExitStack, Certificates], AnyNode]


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong, in a few words; the step that fails over it; how to bring it about."""

    what: str
    step: str
    there: There


def peer(name: str) -> There:
    """A raw socket that follows the script of this name."""

    def there(stack: ExitStack, _: Certificates) -> AnyNode:
        return Node(
            port=stack.enter_context(Peer(MISBEHAVIOURS[name])).port, called_ae_title="PACS"
        )

    return there


def answering(find: int, echo: int) -> There:
    """Accepts everything and answers with these statuses."""

    def behave(talk: Talk) -> None:
        while True:
            hear_question(talk)
            end(find if talk.operation == FIND_REQUEST else echo)(talk)

    def there(stack: ExitStack, _: Certificates) -> AnyNode:
        return Node(port=stack.enter_context(Peer((accept, behave))).port, called_ae_title="PACS")

    return there


def archive(**how: Any) -> There:
    """The embedded archive, which minds titles as it is told."""

    def there(stack: ExitStack, _: Certificates) -> AnyNode:
        held = stack.enter_context(EmbeddedArchive([], ae_title="ARCHIVE", **how))
        return Node(port=held.port, called_ae_title="PACS")

    return there


def offering(*classes: str) -> There:
    """Accepts these SOP classes alone."""

    def there(stack: ExitStack, _: Certificates) -> AnyNode:
        return stack.enter_context(accepting(lambda _: iter(()), models=classes)).node()

    return there


def behind_tls(
    certificate: str, tls: bool = True, *, wants_client: bool = False, web: bool = False
) -> There:
    """An archive that only speaks TLS, with this certificate."""

    def there(stack: ExitStack, made: Certificates) -> AnyNode:
        held = stack.enter_context(EmbeddedArchive([], ae_title="PACS"))
        context = server_context(made, certificate, wants_client=wants_client)
        port = stack.enter_context(front(held.port, context))
        if web:
            return WebNode(f"http{'s' if tls else ''}://127.0.0.1:{port}/dicom-web")
        trusted = Tls(ca_file=made["ca"]) if tls else None
        return Node(port=port, called_ae_title="PACS", tls=trusted)

    return there


def plain_under_tls(stack: ExitStack, made: Certificates) -> AnyNode:
    held = stack.enter_context(EmbeddedArchive([], ae_title="PACS"))
    return Node(port=held.port, called_ae_title="PACS", tls=Tls(ca_file=made["ca"]))


def web(status: str = "200 OK", *, kind: str = "text/html", fields: str = "") -> There:
    """A web server that answers everything so."""

    def behave(connected: socket.socket, _: Asked) -> bool:
        connected.sendall(answer(b"<html>Log in</html>", status=status, kind=kind, fields=fields))
        return True

    def there(stack: ExitStack, _: Certificates) -> AnyNode:
        return WebNode(stack.enter_context(WebPeer(behave)).url)

    return there


def real_web(stack: ExitStack) -> EmbeddedWeb:
    index = Index()
    stack.callback(index.close)
    return stack.enter_context(EmbeddedWeb(index))


def wrong_path(stack: ExitStack, _: Certificates) -> AnyNode:
    return WebNode(real_web(stack).url + "/wado")


def web_on_dicom_port(stack: ExitStack, _: Certificates) -> AnyNode:
    return replace(Node(called_ae_title="PACS"), port=WebNode(real_web(stack).url).port)


def dicom_on_web_port(stack: ExitStack, _: Certificates) -> AnyNode:
    held = stack.enter_context(EmbeddedArchive([], ae_title="PACS"))
    return WebNode(f"http://127.0.0.1:{held.port}/dicom-web")


def https_to_plain(stack: ExitStack, _: Certificates) -> AnyNode:
    return WebNode(real_web(stack).url.replace("http:", "https:"))


def wrong_password(stack: ExitStack, made: Certificates) -> AnyNode:
    node = web("401 Unauthorized", fields="WWW-Authenticate: Basic\r\n")(stack, made)
    return replace(node, auth=Basic("reader", "wrong"))  # pyright: ignore[reportCallIssue]


def dropped(stack: ExitStack, _: Certificates) -> AnyNode:
    """A queue of connections that is full: the next SYN is dropped, as a firewall does it."""
    listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    for _number in range(4):
        waiting = stack.enter_context(socket.socket())
        waiting.setblocking(False)
        waiting.connect_ex(listening.getsockname())
    return Node(port=listening.getsockname()[1], called_ae_title="PACS")


def nowhere(_: ExitStack, __: Certificates) -> AnyNode:
    return Node("pacs.invalid", 104, called_ae_title="PACS")


MISTAKES = (
    Mistake("host name misspelt", "name", nowhere),
    Mistake("nothing listens on the port", "TCP", peer("refuses TCP")),
    Mistake("a firewall drops the packets", "TCP", dropped),
    Mistake("the archive is stuck", "association", peer("accepts and says nothing")),
    Mistake("port of a web server", "association", web_on_dicom_port),
    Mistake("port of an SSH server", "association", peer("is an SSH server")),
    Mistake("connection closed at once", "association", peer("closes on accept")),
    Mistake(
        "our address is not registered",
        "association",
        peer("closes after reading the request"),
    ),
    Mistake("called_ae_title is wrong", "association", archive(require_called_ae_title=True)),
    Mistake(
        "our title is not registered",
        "association",
        archive(require_calling_ae_title=["WORKSTATION"]),
    ),
    Mistake("rejected without a reason", "association", peer("rejects without a reason")),
    Mistake(
        "not a DICOM application", "association", peer("does not know the application context")
    ),
    Mistake(
        "rejected by its software without a reason",
        "association",
        peer("rejects as provider without a reason"),
    ),
    Mistake("another protocol version", "association", peer("does not know the protocol version")),
    Mistake("the archive is congested", "association", peer("is congested")),
    Mistake("too many associations", "association", peer("has too many associations")),
    Mistake("aborted at once", "association", peer("aborts instead of accepting")),
    Mistake(
        "the port wants TLS, tls is not configured", "association", behind_tls("server", False)
    ),
    Mistake("tls is configured, the port is plain", "TLS", plain_under_tls),
    Mistake("certificate of an unknown authority", "TLS", behind_tls("stranger")),
    Mistake("certificate has expired", "TLS", behind_tls("expired")),
    Mistake("certificate of another host", "TLS", behind_tls("elsewhere")),
    Mistake("a client certificate is wanted", "TLS", behind_tls("server", wants_client=True)),
    Mistake("no query is accepted", "services", offering(VERIFICATION)),
    Mistake(
        "worklist only, no archive",
        "services",
        offering(VERIFICATION, MODALITY_WORKLIST),
    ),
    Mistake("C-ECHO is refused", "C-ECHO", answering(0x0000, 0x0122)),
    Mistake("queries are not allowed", "query", answering(0x0124, 0x0000)),
    Mistake("the archive is out of resources", "query", answering(0xA700, 0x0000)),
    Mistake("DICOMweb: wrong path", "QIDO-RS", wrong_path),
    Mistake("DICOMweb: wrong password", "QIDO-RS", wrong_password),
    Mistake("DICOMweb: not allowed", "QIDO-RS", web("403 Forbidden")),
    Mistake("DICOMweb: a page to log in", "QIDO-RS", web()),
    Mistake(
        "DICOMweb: redirected elsewhere",
        "QIDO-RS",
        web("302 Found", fields="Location: https://login.example.org/\r\n"),
    ),
    Mistake("DICOMweb: being maintained", "QIDO-RS", web("503 Service Unavailable")),
    Mistake("DICOMweb: http:// to a TLS port", "QIDO-RS", behind_tls("server", False, web=True)),
    Mistake("DICOMweb: https:// to a plain port", "TLS", https_to_plain),
    Mistake("DICOMweb: unknown authority", "TLS", behind_tls("server", web=True)),
    Mistake("DICOMweb: the port of DICOM", "QIDO-RS", dicom_on_web_port),
)


@contextmanager
def made(mistake: Mistake, certificates: Certificates) -> Generator[AnyNode]:
    """The node with this mistake, its peer running."""
    with ExitStack() as stack:
        yield mistake.there(stack, certificates)


def page() -> Path:
    """Where all of them are told."""
    return Path(__file__).parents[2] / "docs" / "diagnosis.md"
