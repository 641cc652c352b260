"""Which archives there are to ask."""

from typing import Any

from pydantic import BaseModel, Field

from ..node import AnyNode, WebNode
from .answer import asked
from .call import Call


class Nodes(BaseModel):
    """What `list_dicom_nodes` answers."""

    default: str = Field(description="Asked when a question names no node")
    nodes: list[dict[str, Any]] = Field(description="Name, address, and what is known of each")
    notes: list[str]


def list_dicom_nodes(call: Call) -> Nodes:
    """List the archives that can be asked, by the name every tool's `node` takes. Sends nothing."""
    session = call.session
    several = len(session.nodes) > 1
    return Nodes(
        default=session.default,
        nodes=[
            {
                **asked(node),
                "node": name,
                "speaks": "DICOMweb" if isinstance(node, WebNode) else "DIMSE",
                "can": _can(node),
                **({"known": known} if (known := session.known(name)) else {}),
            }
            for name, node in session.nodes.items()
        ],
        notes=[
            'node="all" asks every one at once and merges the answers; each record then names its '
            "nodes."
            if several
            else "There is one archive; node need not be given."
        ],
    )


def _can(node: AnyNode) -> str:
    if isinstance(node, WebNode):
        return "studies, series, instances, objects (WADO-RS); no worklist"
    objects = "objects (C-GET)"
    if node.objects_from:
        objects = f"objects (from {node.objects_from})"
    elif node.receiver:
        objects = "objects (C-GET or C-MOVE)"
    return f"patients, studies, series, instances, {objects}, worklist: as far as it offers them"
