"""What an association is requested for, and which of it the archive accepts (PS3.8 9.3.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..node import Node
from ..standard.part10 import IMPLEMENTATION_CLASS_UID
from ..standard.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from .pdu import Accepted

if TYPE_CHECKING:
    from pynetdicom.pdu import A_ASSOCIATE_RQ

# It may have 16 characters (PS3.7 D.3.3.2).
IMPLEMENTATION_VERSION_NAME = "DICOM_MCP"

_APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"  # PS3.7 A.2.1


@dataclass(frozen=True, slots=True)
class Context:
    """A presentation context: its id, and its transfer syntax or why there is none."""

    id: int
    transfer_syntax: str
    refusal: str


@dataclass(frozen=True, slots=True)
class Storage:
    """A SOP class we are willing to be sent, in one transfer syntax: a context of its own, since a
    context has one transfer syntax and an archive does not transcode (PS3.8 9.3.2.2)."""

    sop_class: str
    transfer_syntax: str


def request_pdu(
    node: Node,
    abstract_syntaxes: Sequence[str],
    storage: Sequence[Storage],
    maximum_length: int,
) -> "A_ASSOCIATE_RQ":
    """The A-ASSOCIATE-RQ (PS3.8 9.3.2): a context for each SOP class, both Little Endians; one for
    each kind of object to be sent, with us as its SCP (PS3.7 D.3.3.4)."""
    from pydicom.uid import UID
    from pynetdicom.pdu import A_ASSOCIATE_RQ
    from pynetdicom.pdu_primitives import (
        A_ASSOCIATE,
        ImplementationClassUIDNotification,
        ImplementationVersionNameNotification,
        MaximumLengthNotification,
    )
    from pynetdicom.presentation import build_context, build_role

    longest = MaximumLengthNotification()
    longest.maximum_length_received = maximum_length
    implementation = ImplementationClassUIDNotification()
    implementation.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
    version = ImplementationVersionNameNotification()
    version.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    request = A_ASSOCIATE()
    request.application_context_name = UID(_APPLICATION_CONTEXT)
    request.calling_ae_title = node.calling_ae_title
    request.called_ae_title = node.called_ae_title
    classes = dict.fromkeys(offered.sop_class for offered in storage)
    roles = [build_role(UID(sop_class), scp_role=True) for sop_class in classes]
    request.user_information = [longest, implementation, version, *roles]
    contexts = [build_context(uid, _TRANSFER_SYNTAXES) for uid in abstract_syntaxes]
    contexts += [build_context(offered.sop_class, offered.transfer_syntax) for offered in storage]
    for number, context in enumerate(contexts):
        context.context_id = 2 * number + 1
    request.presentation_context_definition_list = contexts
    return A_ASSOCIATE_RQ(request)


def contexts_of(abstract_syntaxes: Sequence[str], accepted: Accepted) -> dict[str, Context]:
    """Context ids are odd (PS3.8 9.3.2.2); ours are 1, 3, 5, … in the order asked."""
    contexts: dict[str, Context] = {}
    for number, abstract_syntax in enumerate(abstract_syntaxes):
        id_ = 2 * number + 1
        refusal = _REFUSALS.get(accepted.refused.get(id_, 0), "refused without a reason")
        transfer_syntax = accepted.contexts.get(id_, "")
        if transfer_syntax and transfer_syntax not in _TRANSFER_SYNTAXES:
            transfer_syntax, refusal = "", "accepted in a transfer syntax that was not offered"
        contexts[abstract_syntax] = Context(id_, transfer_syntax, refusal)
    return contexts


def storage_of(offered: Sequence[Storage], before: int, accepted: Accepted) -> dict[int, Storage]:
    """The accepted storage contexts by id; theirs follow those of the `before` other ones."""
    ids = {2 * (before + number) + 1: storage for number, storage in enumerate(offered)}
    return {
        id_: storage
        for id_, storage in ids.items()
        if accepted.contexts.get(id_) == storage.transfer_syntax
    }


# Big Endian is retired and Deflated hides how much it holds: neither is offered for a query.
_TRANSFER_SYNTAXES = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN]


# Result/Reason of a presentation context that was not accepted (PS3.8 Table 9-18).
_REFUSALS = {
    1: "refused by the application",
    2: "refused without a reason",
    3: "this SOP class is not supported",
    4: "none of the transfer syntaxes is supported",
}
