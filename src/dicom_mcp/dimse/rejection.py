"""Why an association did not come about, or ended before an answer was whole, as errors."""

from ..errors import (
    ArchiveError,
    AssociationAborted,
    AssociationRejected,
    CalledTitleNotRecognised,
    CallingTitleNotRecognised,
    ProtocolViolation,
    RejectedWithoutReason,
    TooManyAssociations,
)
from ..node import Node
from .pdu import Aborted, Event, Rejected, ReleaseRequested

_TRANSIENT = 2  # PS3.8 Table 9-21; 1 is permanent

_TRY_LATER = "It may be busy; try again in a moment"
_OUR_TITLE = "Have {calling} and this machine's address registered there as a query client"

# A-ASSOCIATE-RJ by source and reason (PS3.8 Table 9-21): type, what happened, what to try.
_REJECTIONS: dict[tuple[int, int], tuple[type[AssociationRejected], str, str]] = {
    (1, 1): (RejectedWithoutReason, "rejected the association without a reason", _OUR_TITLE),
    (1, 2): (
        AssociationRejected,
        "application context not supported",
        "Check host and port: no DICOM archive answers so",
    ),
    (1, 3): (
        CallingTitleNotRecognised,
        "it does not know our calling_ae_title {calling}",
        _OUR_TITLE + ", or set DICOM_AE_TITLE to a title it knows",
    ),
    (1, 7): (
        CalledTitleNotRecognised,
        "called_ae_title {called} is not its title",
        "Set DICOM_CALLED_AE_TITLE (or called_ae_title of configure_dicom_server) to the "
        "archive's own AE title, as its administrator names it",
    ),
    (2, 1): (TooManyAssociations, "rejected the association without a reason", _TRY_LATER),
    (2, 2): (
        AssociationRejected,
        "protocol version not supported",
        "Check host and port: no DICOM archive answers so",
    ),
    (3, 1): (TooManyAssociations, "temporarily congested", _TRY_LATER),
    (3, 2): (TooManyAssociations, "its limit of associations is reached", _TRY_LATER),
}


def rejection(rejected: Rejected, node: Node) -> AssociationRejected:
    type_, happened, remedy = _REJECTIONS.get(
        (rejected.source, rejected.reason),
        (RejectedWithoutReason, "rejected the association", _OUR_TITLE),
    )
    titles = {"called": node.called_ae_title, "calling": node.calling_ae_title}
    return type_(
        f"{happened.format(**titles)} (A-ASSOCIATE-RJ, source {rejected.source}, "
        f"reason {rejected.reason})",
        remedy.format(**titles),
        transient=rejected.result == _TRANSIENT,
    )


# A-ABORT by the service-provider, by reason (PS3.8 Table 9-26).
_ABORTS = {
    1: "it did not recognise one of our PDUs",
    2: "it did not expect one of our PDUs",
    4: "it did not recognise a parameter of one of our PDUs",
    5: "it did not expect a parameter of one of our PDUs",
    6: "it found an invalid parameter in one of our PDUs",
}


def ending(event: Event) -> ArchiveError:
    """What ended an association that should have answered."""
    if isinstance(event, Aborted):
        reason = _ABORTS.get(event.reason, "no reason given") if event.source == 2 else ""
        return AssociationAborted(
            f"it aborted the association{f': {reason}' if reason else ''}",
            "Try again; if it stays so, ask for less at once or look into the archive's log",
        )
    if isinstance(event, ReleaseRequested):
        return AssociationAborted("it ended the association before it had answered", "Try again")
    return ProtocolViolation(f"an unexpected {type(event).__name__} (PS3.8 9.2)", "Try again")
