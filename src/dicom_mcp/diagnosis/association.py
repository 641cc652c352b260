"""The steps to a DICOM archive: name, TCP, TLS, association, presentation contexts, C-ECHO, and
what it makes of questions (PS3.8, PS3.7 9.1.5, PS3.4 C and K)."""

from collections.abc import Callable
from contextlib import closing, nullcontext, suppress
from datetime import date
from itertools import islice
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
    AssociationAborted,
    AssociationRejected,
    BadConfiguration,
    BadRequest,
    CalledTitleNotRecognised,
    CallingTitleNotRecognised,
    ConnectionLost,
    DeadlinePassed,
    DicomMcpError,
    HandshakeTimedOut,
    NameNotResolved,
    NoAcceptedContext,
    RejectedWithoutReason,
    TlsFailure,
    Unreachable,
)
from ..network.connect import connect
from ..network.tls import tls_context
from ..node import Node
from ..standard.counted import counted
from ..standard.levels import MODALITY_WORKLIST, Model
from ..standard.sop_classes import STORAGE
from ..standard.worklist import entries
from ..truth.habits import Habits
from . import command
from .asking import Asker
from .probe import Probe
from .reach import speaks_tls
from .step import Capability, Diagnosis, Step, Walk, Watch, words_of

# What each step may take; the whole has its own end.
_CONNECTING = 10.0
_ASSOCIATING = 10.0
_LISTENING = 2.0
_ECHOES = 3
_MOST_ENTRIES = 100

_STORAGE = {
    name: STORAGE + number
    for name, number in (
        *(("CT", "2"), ("MR", "4"), ("CR", "1"), ("DX", "1.1"), ("US", "6.1"), ("SC", "7")),
        *(("SR", "88.22"), ("PDF", "104.1")),
    )
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


def walk(
    node: Node, habits: Habits, deadline: Deadline, shared: DimseExchange | None, watch: Watch
) -> Diagnosis:
    """Every step, and what the archive can do as far as they came."""
    steps = Walk(deadline, watch=watch)
    with shared.place(deadline) if shared else nullcontext():
        accepted = _associate(steps, node)
    capabilities = [] if accepted is None else _accepted(accepted)
    with nullcontext(shared) if shared else closing(DimseExchange(node)) as exchange:
        queries = any(service in (accepted or ()) for service in _QUERIES)
        if queries or accepted is None:
            asker = Asker(exchange, steps)
            Probe(asker, habits).run(
                objects=any("C-GET" in service for service in accepted or ()) or bool(node.receiver)
            )
            capabilities += asker.capabilities
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


def _associate(steps: Walk, node: Node) -> set[str] | None:
    """Everything that needs an association of its own; what was accepted over it."""
    association = _reach(steps, node)
    accepted = steps.take("services", lambda _: _services(association), seconds=_ASSOCIATING)
    # Whoever refuses C-ECHO may answer questions.
    steps.take(
        "C-ECHO",
        lambda step: _echoed(association, step),
        seconds=_ASSOCIATING,
        command=command.echo(node),
        ends=False,
    )
    if steps.steps[-1].passed is False and steps.steps[-1].name == "C-ECHO":
        steps.amend(
            steps.steps[-1].said,
            "It does no harm where questions are answered; else have C-ECHO (Verification) "
            "allowed for our calling_ae_title",
        )
    if association:
        association.release() if association.clean else association.abort()
    return accepted


def _reach(steps: Walk, node: Node) -> Association | None:
    """Name, TCP, TLS and association over one connection: an archive keeps a place for each, for a
    while even when nobody speaks on it."""
    # What comes to nothing leaves time to look for the reason.
    step = steps.deadline.at_most(min(_ASSOCIATING, 0.6 * steps.deadline.seconds))
    association: Association | None = None
    failure: DicomMcpError | None = None

    def connected() -> None:
        if steps.steps:  # asked once more
            return
        steps.add(Step("name", True, f"{node.host} has an address", "", command.resolve(node)))
        steps.add(Step("TCP", True, f"port {node.port} is open", "", command.reach(node)))
        # With TLS 1.3 the other side says only afterwards what it did not like.
        if not node.tls:
            steps.skip("TLS", _PLAIN, command=command.handshake(node))

    start = perf_counter()
    try:
        association = _associated(node, step, connected)
    except (ArchiveError, BadRequest) as error:
        failure = error
    took = (perf_counter() - start) * 1000
    titles = f"called_ae_title {node.called_ae_title}, calling_ae_title {node.calling_ae_title}"
    stages = {
        "name": (f"{node.host} has an address", command.resolve(node)),
        "TCP": (f"port {node.port} is open", command.reach(node)),
        "TLS": (association.secured_by if association else "agreed", command.handshake(node)),
        "association": (f"accepted: {titles}", command.echo(node)),
    }
    failed = "" if failure is None else _stage(failure)
    if any(step.name == failed for step in steps.steps):  # it worked the first time
        steps.steps.clear()
    taken = {step.name for step in steps.steps}
    for name, (said, shown) in stages.items():
        if name in taken:
            continue
        if steps.stopped_by or (name == "TLS" and not node.tls):
            steps.skip(name, "not tried" if steps.stopped_by else _PLAIN, command=shown)
        elif failure and name == failed:
            steps.add(Step(name, False, *words_of(failure), shown, took))
            steps.stopped_by = name
        else:
            milliseconds = took if name == "association" else None
            steps.add(Step(name, True, said, "", shown, milliseconds))
    if failure and failed == "association":
        _explain(steps, node, failure)
    return association


_PLAIN = "not configured: the connection is not encrypted"


def _stage(failure: DicomMcpError) -> str:
    """The step that fails with this error."""
    if isinstance(failure, NameNotResolved):
        return "name"
    if isinstance(failure, TlsFailure | HandshakeTimedOut | BadConfiguration):
        return "TLS"
    return "TCP" if isinstance(failure, Unreachable) else "association"


def _associated(node: Node, step: Deadline, connected: Callable[[], None]) -> Association:
    context = tls_context(node.tls.ca_file, node.tls.certificate) if node.tls else None
    proposed = (*_SERVICES.values(), *_STORAGE.values())
    return Association.request(node, proposed, deadline=step, context=context, connected=connected)


# What an archive does where it does not know who asks.
_MAY_NOT_KNOW_US = (
    CallingTitleNotRecognised,
    RejectedWithoutReason,
    AssociationAborted,
    ConnectionLost,
)


def _explain(steps: Walk, node: Node, failure: DicomMcpError) -> None:
    """Make the reason of a failed association one that can be acted on."""
    said, remedy = words_of(failure)
    here = _our_address(node, steps.deadline)
    if not isinstance(failure, AssociationRejected) and not node.tls:
        with suppress(DeadlinePassed):
            if found := _what_is_there(node, steps.deadline):
                steps.amend(*found)
                return
    if isinstance(failure, CalledTitleNotRecognised):
        remedy += (
            ". Usual ones are the product's name in capitals (ORTHANC, DCM4CHEE, DCMQRSCP) or the "
            "host's"
        )
    elif isinstance(failure, AssociationAborted):
        remedy = "Look into the archive's log, and have us registered there"
    if isinstance(failure, _MAY_NOT_KNOW_US):
        remedy += (
            f". To register: AE title {node.calling_ae_title}, address {here}, query and retrieve "
            "allowed"
        )
    steps.amend(said, remedy)


def _our_address(node: Node, deadline: Deadline) -> str:
    """The address this machine has on the way to the node."""
    step = deadline.at_most(_LISTENING)
    with (
        suppress(OSError, Unreachable, DeadlinePassed),
        connect(node.host, node.port, deadline=step) as connected,
    ):
        return f"{connected.getsockname()[0]} (as seen from here)"
    return "of this machine"


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
    except ArchiveError:
        return None
    for begins, what in _SERVERS.items():
        if greeting.startswith(begins):
            return (
                f"{what} answers on port {node.port}, no DICOM archive",
                "Ask the archive's administrator for its DICOM port (often 104, 4242 or 11112)"
                + (", or use its DICOMweb URL" if begins == b"HTTP/" else ""),
            )
    if not speaks_tls(node.host, node.port, deadline.at_most(_LISTENING)):
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
    with exchange.ask(entries(keys), deadline=step) as answer:
        count = sum(1 for _ in islice(answer, _MOST_ENTRIES))
    told = f"{count} or more entries" if count == _MOST_ENTRIES else counted(count, "entry")
    return f"answered, {told} for today", True


def _accepted(names: set[str]) -> list[Capability]:
    told = [
        Capability(service, "accepted" if service in names else "not accepted")
        for service in _SERVICES
    ]
    kinds = ", ".join(kind for kind in _STORAGE if f"storage of {kind}" in names)
    return [*told, Capability("storage accepted", kinds or "of none of the usual kinds")]
