"""Which archive is asked, and whether it answers."""

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from ..archives import Archives
from ..node import AnyNode, Node, WebNode
from .answer import Configured, Verified, asked
from .call import CONFIGURED, Call


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
    return Configured(archive=asked(replace(node, name=name)), notes=notes)


def verify_connection(call: Call) -> Verified:
    """Say which archive is asked and test with C-ECHO whether it answers; if not, why not."""
    archive = call.archive
    if isinstance(archive, Archives):
        found = archive.verify(deadline=call.deadline)
        answered = {name: one for name, one in found.items() if isinstance(one, float)}
        return Verified(
            works=len(answered) == len(found),
            milliseconds=round(max(answered.values(), default=0), 1),
            archive=asked(archive.node),
            notes=[
                f"{name}: answered in {one:.0f} ms." if isinstance(one, float) else f"Failed: {one}"
                for name, one in found.items()
            ],
        )
    milliseconds = archive.verify(deadline=call.deadline)
    return Verified(
        works=True,
        milliseconds=round(milliseconds, 1),
        archive=asked(archive.node),
        notes=[_answered(archive.node)],
    )


def _answered(node: AnyNode) -> str:
    if isinstance(node, WebNode):
        return "The DICOMweb server answered a search for a study."
    return (
        f"The archive answered a C-ECHO. It was called {node.called_ae_title} "
        f"(called_ae_title) by {node.calling_ae_title} (calling_ae_title, that is us)."
    )
