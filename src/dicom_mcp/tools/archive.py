"""Which archive is asked, and whether it answers."""

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from ..config import Node
from .answer import Configured, Verified, asked
from .call import Call


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
    now = call.archive.node
    node = replace(
        now,
        host=host,
        port=port,
        calling_ae_title=ae_title or now.calling_ae_title,
        called_ae_title=called_ae_title or now.called_ae_title,
    )
    call.house.configure(node)
    return Configured(
        archive=asked(node),
        notes=["Nothing was sent yet. verify_connection tells whether this archive answers."],
    )


def verify_connection(call: Call) -> Verified:
    """Say which archive is asked and test with C-ECHO whether it answers; if not, why not."""
    archive = call.archive
    milliseconds = archive.verify(deadline=call.deadline)
    node: Node = archive.node
    return Verified(
        works=True,
        milliseconds=round(milliseconds, 1),
        archive=asked(node),
        notes=[
            f"The archive answered a C-ECHO. It was called {node.called_ae_title} "
            f"(called_ae_title) by {node.calling_ae_title} (calling_ae_title, that is us)."
        ],
    )
