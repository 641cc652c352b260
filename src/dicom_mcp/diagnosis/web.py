"""The steps to a DICOMweb server: name, TCP, TLS, a search, and what it offers (PS3.18 8 to 10)."""

from contextlib import closing, nullcontext, suppress
from time import perf_counter

from ..deadline import Deadline
from ..dicomweb.exchange import WebExchange
from ..errors import ArchiveError, ConnectionLost, DeadlinePassed
from ..node import Certificate, Tls, WebNode
from ..truth.habits import Habits
from . import command
from .asking import Asker
from .probe import Probe
from .reach import handshake, reach, speaks_tls
from .step import Capability, Diagnosis, Walk, Watch, words_of

_CONNECTING = 10.0
_SEARCHING = 10.0
_LOOKING = 5.0


def walk(
    node: WebNode, habits: Habits, deadline: Deadline, shared: WebExchange | None, watch: Watch
) -> Diagnosis:
    """Every step, and what the server can do as far as they came."""
    steps = Walk(deadline, watch=watch)
    with shared.place(deadline) if shared else nullcontext():
        _connect(steps, node)
    capabilities: list[Capability] = []
    with nullcontext(shared) if shared else closing(WebExchange(node)) as exchange:
        if steps.take(
            "QIDO-RS",
            lambda step: _searched(exchange, step),
            seconds=_SEARCHING,
            command=command.fetch(node, "/studies?limit=1"),
        ):
            asker = Asker(exchange, steps)
            Probe(asker, habits).run(objects=True)
            capabilities = asker.capabilities
            capabilities.append(_storing(exchange, deadline))
        else:
            _explain(steps, node)
    return Diagnosis(node, tuple(steps.steps), tuple(capabilities))


def _connect(steps: Walk, node: WebNode) -> None:
    """Name, TCP and TLS, over connections of their own."""
    reach(steps, node)
    if node.is_tls:
        tls = Tls(node.ca_file, node.auth if isinstance(node.auth, Certificate) else None)
        steps.take(
            "TLS",
            lambda step: handshake(node.host, node.port, tls, step),
            seconds=_CONNECTING,
            command=command.handshake(node),
        )
    elif not steps.stopped_by:
        steps.skip("TLS", "base_url begins with http://: the connection is not encrypted")


def _searched(exchange: WebExchange, step: Deadline) -> tuple[str, float]:
    start = perf_counter()
    exchange.verify(step)
    milliseconds = (perf_counter() - start) * 1000
    return f"a search for one study was answered in {milliseconds:.0f} ms", milliseconds


def _explain(steps: Walk, node: WebNode) -> None:
    """Why a connection was closed instead of an answer."""
    if not isinstance(steps.failure, ConnectionLost):
        return
    with suppress(DeadlinePassed):
        step = steps.deadline.at_most(_LOOKING)
        if not node.is_tls and speaks_tls(node.host, node.port, step):
            steps.amend(
                f"port {node.port} speaks TLS, and base_url begins with http://",
                "Begin base_url with https://",
            )
            return
    steps.amend(
        steps.steps[-1].said,
        "Check that the port of base_url is the one of DICOMweb and not of DICOM itself; else look "
        "for this question in the log of the server or of the proxy before it",
    )


def _storing(exchange: WebExchange, deadline: Deadline) -> Capability:
    """What OPTIONS says of storing; nothing is stored."""
    shown = command.fetch(exchange.node, "/studies", method="OPTIONS")
    told = "not known: it does not say, and nothing is stored to find out"
    try:
        if allowed := exchange.methods(deadline.at_most(_LOOKING)):
            verb = "yes" if "POST" in allowed.upper() else "no"
            told = f"{verb}, as it answers to OPTIONS"
    except ArchiveError as error:
        told = f"not known: {words_of(error)[0]}"
    return Capability("STOW-RS", told, shown)
