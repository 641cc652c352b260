"""A running archive, whoever made it."""

from dataclasses import dataclass

from dicom_mcp.dicom_api import Archive
from dicom_mcp.dicomweb.exchange import WebExchange
from dicom_mcp.node import AnyNode, WebNode


@dataclass(frozen=True, slots=True)
class Peer:
    """A running archive and what it is not capable of (words of the expectation tables)."""

    name: str
    node: AnyNode
    lacks: frozenset[str] = frozenset()


def archive_at(base_url: str) -> Archive:
    """The archive behind a server, its answers made true as every archive's are."""
    return Archive(WebExchange(WebNode(base_url)))
