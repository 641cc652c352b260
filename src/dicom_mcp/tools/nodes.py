"""Which archives there are to ask, which one is asked, and whether it answers."""

from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from ..door.answer import Answer, Asked, named
from ..door.call import Call
from ..door.house import CONFIGURED
from ..node import AnyNode, Node, WebNode


class Configured(Answer):
    """What `configure_dicom_server` answers."""

    archive: Asked


class Verified(Answer):
    """What `verify_connection` answers when it works; otherwise it is an error that says why."""

    works: bool
    milliseconds: float = Field(description="Duration of the C-ECHO")
    archive: Asked


class Nodes(Answer):
    """What `list_dicom_nodes` answers."""

    default: str = Field(description="Asked when a question names no node")
    nodes: list[dict[str, Any]] = Field(description="Name, address, and what is known of each")


def configure_dicom_server(
    call: Call,
    host: Annotated[str, Field(description="Host name or IP address of the archive")],
    port: Annotated[int, Field(description="Its DICOM port, 1 to 65535")],
    ae_title: Annotated[
        str, Field(description="Our own AE title (calling); unchanged if empty")
    ] = "",
    called_ae_title: Annotated[
        str, Field(description="The archive's AE title; unchanged if empty")
    ] = "",
) -> Configured:
    """Ask another archive from now on. Only when the user names one; then verify_connection."""
    now = call.session.nodes[call.session.default]
    node = replace(
        now if isinstance(now, Node) else Node(),
        host=host,
        port=port,
        **{
            title: text
            for title, text in (
                ("calling_ae_title", ae_title),
                ("called_ae_title", called_ae_title),
            )
            if text
        },
    )
    name = call.session.configure(node)
    notes = ["Nothing was sent yet. verify_connection tells whether this archive answers."]
    if name != CONFIGURED:
        notes.append(
            "This client has no session on this shared server, so its other questions still go to "
            f'{call.session.default}. Give node="{name}" with every question to this archive.'
        )
    return Configured(archive=named([replace(node, name=name)]), notes=notes)


def verify_connection(call: Call) -> Verified:
    """Say which archive is asked and test with C-ECHO whether it answers; if not, why not."""
    found = call.at_each_node(lambda _, archive: archive.verify())
    answered = {name: ms for name, ms in found.items() if isinstance(ms, float)}
    notes = (
        [_answered(call.nodes[0])]
        if len(found) == 1
        else [
            f"{name}: answered in {ms:.0f} ms." if isinstance(ms, float) else f"Failed: {ms}"
            for name, ms in found.items()
        ]
    )
    return Verified(
        works=len(answered) == len(found),
        milliseconds=round(max(answered.values(), default=0), 1),
        archive=named(call.nodes),
        notes=notes,
    )


def _answered(node: AnyNode) -> str:
    if isinstance(node, WebNode):
        return "The DICOMweb server answered a search for a study."
    return (
        f"The archive answered a C-ECHO. It was called {node.called_ae_title} "
        f"(called_ae_title) by {node.calling_ae_title} (calling_ae_title, that is us)."
    )


def list_dicom_nodes(call: Call) -> Nodes:
    """List the archives that can be asked, by the name every tool's `node` takes. Sends nothing."""
    session = call.session
    several = len(session.nodes) > 1
    return Nodes(
        default=session.default,
        nodes=[
            {
                **named([node]),
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
