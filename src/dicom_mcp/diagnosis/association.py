"""The steps to a DICOM archive: name, TCP, TLS, association, presentation contexts, C-ECHO, and
what it makes of questions (PS3.8, PS3.7 9.1.5, PS3.4 C and K)."""

from contextlib import closing, suppress
from datetime import date
from statistics import median
from time import perf_counter

from ..deadline import Deadline
from ..dimse.association import Association
from ..dimse.echo import VERIFICATION, echo
from ..dimse.exchange import DimseExchange
from ..dimse.get import GetModel
from ..dimse.move import MoveModel
from ..errors import (
    ArchiveError,
    Cancelled,
    DeadlinePassed,
    NameNotResolved,
    NoAcceptedContext,
    TlsFailure,
)
from ..network.connect import connect
from ..network.tls import end, secured, tls_context
from ..node import Node, Tls
from ..standard.levels import Model
from ..standard.worklist import MODALITY_WORKLIST, WorklistQuery
from ..truth.habits import Habits
from . import command
from .probe import Probe
from .step import Capability, Diagnosis, Step, Walk

# What each step may take; the whole has its own end.
_CONNECTING = 10.0
_ASSOCIATING = 10.0
_LISTENING = 2.0
_ECHOES = 3
_MOST_ENTRIES = 100

_STORAGE = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
    "US": "1.2.840.10008.5.1.4.1.1.6.1",
    "SC": "1.2.840.10008.5.1.4.1.1.7",
    "SR": "1.2.840.10008.5.1.4.1.1.88.22",
    "PDF": "1.2.840.10008.5.1.4.1.1.104.1",
}

_SERVICES: dict[str, str] = {
    "C-ECHO": VERIFICATION,
    "C-FIND Study Root": Model.STUDY_ROOT.value,
    "C-FIND Patient Root": Model.PATIENT_ROOT.value,
    "C-FIND Modality Worklist": MODALITY_WORKLIST,
    "C-GET Study Root": GetModel.STUDY_ROOT.value,
    "C-GET Patient Root": GetModel.PATIENT_ROOT.value,
    "C-GET without bulk data": GetModel.WITHOUT_BULK_DATA.value,
    "C-MOVE Study Root": MoveModel.STUDY_ROOT.value,
    "C-MOVE Patient Root": MoveModel.PATIENT_ROOT.value,
}
_QUERIES = ("C-FIND Study Root", "C-FIND Patient Root")
_WORKLIST = "C-FIND Modality Worklist"


def walk(node: Node, habits: Habits, deadline: Deadline) -> Diagnosis:
    """Every step, and what the archive can do as far as they came."""
    steps = Walk(deadline)
    here = reach(steps, node)
    if node.tls:
        steps.take(
            "TLS",
            lambda step: _secured(node, step),
            seconds=_CONNECTING,
            command=command.handshake(node),
        )
    elif not steps.stopped_by:
        steps.skip("TLS", "not configured: the connection is not encrypted")
    association = steps.take(
        "association",
        lambda step: _associated(node, step),
        seconds=_ASSOCIATING,
        command=command.echo(node),
    )
    if association is None:
        _explain(steps, node, here or "")
    accepted = steps.take("services", lambda _: _services(association), seconds=_ASSOCIATING)
    # Whoever refuses C-ECHO may answer questions.
    steps.take(
        "C-ECHO",
        lambda step: _echoed(association, step),
        seconds=_ASSOCIATING,
        command=command.echo(node),
        ends=False,
    )
    if association:
        association.release() if association.clean else association.abort()
    capabilities = (
        [
            Capability(f"{one} accepted", _word(one in (accepted or ())))
            for one in (*_SERVICES, *(f"storage of {kind}" for kind in _STORAGE))
        ]
        if accepted
        else []
    )
    with closing(DimseExchange(node)) as exchange:
        queries = any(one in (accepted or ()) for one in _QUERIES)
        if queries or accepted is None:
            probe = Probe(exchange, habits, steps)
            probe.run(objects=any("C-GET" in one for one in accepted or ()) or bool(node.receiver))
            capabilities += probe.capabilities
            if accepted is not None:
                habits.no_patient_root = _QUERIES[1] not in accepted
        else:
            steps.skip("query", "not tried, because C-FIND is not accepted")
        if _WORKLIST in (accepted or ()):
            today = {"ScheduledProcedureStepStartDate": date.today().strftime("%Y%m%d")}  # noqa: DTZ011 - only to ask for little
            steps.take(
                "worklist",
                lambda step: _worklist(exchange, today, step),
                seconds=5.0,
                command=command.worklist(node, today),
                ends=False,
            )
    return Diagnosis(node, tuple(steps.steps), tuple(capabilities))


def reach(steps: Walk, node: object) -> str | None:
    """Name and TCP; the address we have on the way there."""
    from ..node import WebNode

    assert isinstance(node, Node | WebNode)
    addresses: list[str] = []
    start = perf_counter()
    failure: ArchiveError | None = None
    try:
        connected = connect(node.host, node.port, deadline=steps.deadline.at_most(_CONNECTING))
        with connected, suppress(OSError):
            addresses += [connected.getpeername()[0], connected.getsockname()[0]]
    except Cancelled:
        raise
    except ArchiveError as error:
        failure = error
    took = (perf_counter() - start) * 1000
    if isinstance(failure, NameNotResolved):
        steps.steps.append(
            Step("name", False, failure.happened, failure.remedy, command.resolve(node), took)
        )
        steps.stopped_by = "name"
    else:
        said = f"{node.host} is {addresses[0]}" if addresses else f"{node.host} has an address"
        numeric = addresses and addresses[0] == node.host
        steps.steps.append(
            Step(
                "name",
                True,
                "an address, no name to look up" if numeric else said,
                "",
                command.resolve(node),
            )
        )
    if failure is None:
        steps.steps.append(
            Step("TCP", True, f"port {node.port} is open", "", command.reach(node), took)
        )
        return addresses[1] if addresses else ""
    if steps.stopped_by:
        steps.skip("TCP", "not tried, because of 'name'", command=command.reach(node))
    else:
        steps.steps.append(
            Step("TCP", False, failure.happened, failure.remedy, command.reach(node), took)
        )
        steps.stopped_by = "TCP"
    return None


def handshake(host: str, port: int, tls: Tls, step: Deadline) -> tuple[str, bool]:
    """A TLS handshake and what came of it. Raises TlsFailure, and BadConfiguration for a file."""
    context = tls_context(tls.ca_file, tls.certificate)
    connected = secured(
        connect(host, port, deadline=step), context, tls.server_name or host, deadline=step
    )
    cipher = (connected.cipher() or ("",))[0]
    certificate = connected.getpeercert() or {}
    said = f"{connected.version()}, {cipher}; its certificate is trusted here"
    if until := certificate.get("notAfter"):
        said += f" and valid until {until}"
    end(connected)
    return said, True


def _secured(node: Node, step: Deadline) -> tuple[str, bool]:
    assert node.tls
    return handshake(node.host, node.port, node.tls, step)


def _associated(node: Node, step: Deadline) -> tuple[str, Association]:
    context = tls_context(node.tls.ca_file, node.tls.certificate) if node.tls else None
    proposed = (*_SERVICES.values(), *_STORAGE.values())
    association = Association.request(node, proposed, deadline=step, context=context)
    said = (
        f"accepted: called_ae_title {node.called_ae_title}, calling_ae_title "
        f"{node.calling_ae_title}"
    )
    return said, association


def _explain(steps: Walk, node: Node, here: str) -> None:
    """Make the reason of a failed association one that can be acted on."""
    if steps.steps[-1].passed is not False:
        return
    step = steps.steps[-1]
    try:
        if not node.tls and (found := _what_is_there(node, steps.deadline)):
            steps.amend(*found)
            return
    except DeadlinePassed:
        pass
    if "called_ae_title" in step.said and "not its title" in step.said:
        steps.amend(
            step.said,
            f"{step.remedy}. Usual ones are the product's name in capitals (ORTHANC, DCM4CHEE, "
            "DCMQRSCP) or the host's",
        )
    elif "registered there" in step.remedy and here:
        steps.amend(
            step.said,
            f"{step.remedy}. To register: AE title {node.calling_ae_title}, address {here} (as "
            "seen from here), query and retrieve allowed",
        )


def _what_is_there(node: Node, deadline: Deadline) -> tuple[str, str] | None:
    """What listens at the port instead of an archive, if it says so."""
    step = deadline.at_most(_LISTENING)
    greeting = b""
    try:
        with connect(node.host, node.port, deadline=step) as connected:
            connected.settimeout(min(0.5, step.remaining()))
            with suppress(OSError):
                greeting = connected.recv(64)
            if not greeting:
                connected.settimeout(step.remaining())
                with suppress(OSError):
                    connected.sendall(b"OPTIONS / HTTP/1.0\r\n\r\n")
                    greeting = connected.recv(64)
    except Cancelled:
        raise
    except ArchiveError:
        return None
    for begins, what in _SERVERS.items():
        if greeting.startswith(begins):
            return (
                f"{what} answers on port {node.port}, no DICOM archive",
                "Ask the archive's administrator for its DICOM port (often 104, 4242 or 11112)"
                + (", or use its DICOMweb URL" if begins == b"HTTP/" else ""),
            )
    try:
        handshake(node.host, node.port, Tls(), deadline.at_most(_LISTENING))
    except TlsFailure as failure:
        if not failure.happened.startswith("the archive's TLS certificate"):
            return None
    except ArchiveError:
        return None
    return (
        f"port {node.port} speaks TLS, and we do not",
        "Configure tls for this node, or give the archive's unencrypted DICOM port (often 104 or "
        "11112; 2762 is the one for TLS)",
    )


_SERVERS = {
    b"HTTP/": "a web server",
    b"SSH-": "an SSH server",
    b"220 ": "a mail or FTP server",
    b"MSH|": "an HL7 interface",
}


def _services(association: Association | None) -> tuple[str, set[str]]:
    assert association
    accepted = {name for name, uid in _SERVICES.items() if association.offers(uid)}
    stores = {f"storage of {kind}" for kind, uid in _STORAGE.items() if association.offers(uid)}
    if not accepted & {*_QUERIES, _WORKLIST}:
        others = ", ".join(sorted(accepted)) or "nothing else"
        raise NoAcceptedContext(
            f"it accepts the association but no query, neither of a study nor of a worklist (it "
            f"accepts {others}{', and to store objects' if stores else ''})",
            "Ask its administrator to allow our calling_ae_title to query (C-FIND), and check "
            "that this is the archive and not a node that only receives",
        )
    said = "accepted: " + ", ".join(name for name in _SERVICES if name in accepted)
    if not accepted & set(_QUERIES):
        said += ". It is a worklist, and no archive to search for studies"
    return said, accepted | stores


def _echoed(association: Association | None, step: Deadline) -> tuple[str, float]:
    assert association
    took: list[float] = []
    with step.interrupting(association.interrupt):
        for _ in range(_ECHOES):
            start = perf_counter()
            echo(association, deadline=step)
            took.append((perf_counter() - start) * 1000)
    middle = median(took)
    return f"answered {_ECHOES} times, in {middle:.1f} ms (median)", middle


def _worklist(exchange: DimseExchange, keys: dict[str, str], step: Deadline) -> tuple[str, bool]:
    rows: list[int] = []

    def take(match: object, size: int) -> bool:  # noqa: ARG001 - the shape of `take`
        rows.append(size)
        return len(rows) < _MOST_ENTRIES

    exchange.ask_worklist(WorklistQuery(keys), take, deadline=step)
    more = " or more" if len(rows) == _MOST_ENTRIES else ""
    return f"answered, {len(rows)}{more} entries for today", True


def _word(yes: bool) -> str:
    return "yes" if yes else "no"
