"""Name, TCP and TLS by themselves, where a connection costs the other side nothing."""

import ssl
from time import perf_counter

from ..deadline import Deadline
from ..errors import ArchiveError, NameNotResolved, TlsFailure
from ..network.connect import connect
from ..network.tls import described, end, secured, tls_context
from ..node import Tls, WebNode
from . import command
from .step import Step, Walk, words_of

_CONNECTING = 10.0


def reach(steps: Walk, node: WebNode) -> None:
    """Name and TCP."""
    start = perf_counter()
    failure: ArchiveError | None = None
    try:
        step = steps.deadline.at_most(_CONNECTING)
        connect(node.host, node.port, deadline=step).close()
    except ArchiveError as error:
        failure = error
    took = (perf_counter() - start) * 1000
    looking_up, connecting = command.resolve(node), command.reach(node)
    if isinstance(failure, NameNotResolved):
        steps.add(Step("name", False, *words_of(failure), looking_up, took))
        steps.skip("TCP", "not tried", command=connecting)
        steps.stopped_by = "name"
        return
    steps.add(Step("name", True, f"{node.host} has an address", "", looking_up))
    if failure:
        steps.add(Step("TCP", False, *words_of(failure), connecting, took))
        steps.stopped_by = "TCP"
        return
    steps.add(Step("TCP", True, f"port {node.port} is open", "", connecting, took))


def handshake(host: str, port: int, tls: Tls, step: Deadline) -> tuple[str, bool]:
    """A TLS handshake and what came of it. Raises TlsFailure, and BadConfiguration for a file."""
    context = tls_context(tls.ca_file, tls.certificate)
    connected = connect(host, port, deadline=step)
    secure = secured(connected, context, tls.server_name or host, deadline=step)
    said = described(secure)
    end(secure)
    return said, True


def speaks_tls(host: str, port: int, step: Deadline) -> bool:
    """Whether something there answers a TLS handshake, trusted or not."""
    try:
        handshake(host, port, Tls(), step)
    except TlsFailure as failure:
        return isinstance(failure.__cause__, ssl.SSLCertVerificationError)
    except ArchiveError:
        return False
    return True
