"""`dicom-mcp nodes`: what is in force, and where it comes from. Never a secret."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from ..config import ENVIRONMENT, Settings
from ..node import AnyNode, Basic, Bearer, Certificate, WebNode
from .show import as_json, words
from .table import lines_of

# What every node has; the rest stands beside it in words.
_COLUMNS = ("node", "speaks", "address")


def show_nodes(settings: Settings, *, demo: bool, json: bool) -> None:
    """Every node, the default first."""
    nodes = [facts(name, node) for name, node in settings.nodes.items()]
    path = settings.file
    variables = f"the environment ({'DICOM_MCP_DEMO' if demo else 'DICOM_HOST, DICOM_PORT, …'})"
    source = f"the file {path}" if path else variables
    if path and ENVIRONMENT in settings.nodes:
        source += f" and {variables}"
    if json:
        default = next(iter(settings.nodes))
        as_json({"from": str(path or "environment"), "default": default, "nodes": nodes})
        return
    console = Console()
    console.print(Text(f"From {source}. The first is asked when a question names none."))
    rows = [
        {
            **{name: row[name] for name in _COLUMNS},
            "settings": {name: value for name, value in row.items() if name not in _COLUMNS},
        }
        for row in nodes
    ]
    for line in lines_of(rows, words, console.width):
        console.print(Text(line), soft_wrap=True)


def facts(name: str, node: AnyNode) -> dict[str, Any]:
    """What is configured of a node, without what proves who we are."""
    limits = {"timeout": f"{node.timeout:g} s", "connections": node.connections}
    if isinstance(node, WebNode):
        trust = _file("trusts", node.ca_file)
        found = {
            "node": name,
            "speaks": "DICOMweb",
            "address": node.base_url,
            "signs_in": _signs_in(node),
            **trust,
        }
    else:
        found = {
            "node": name,
            "speaks": "DIMSE",
            "address": f"{node.host}:{node.port}",
            "called_ae_title": node.called_ae_title,
            "calling_ae_title": node.calling_ae_title,
        }
        if node.tls:
            found["TLS"] = "yes, with our certificate" if node.tls.certificate else "yes"
            found |= _file("trusts", node.tls.ca_file)
        if node.receiver:
            found["receiver"] = f"{node.receiver.ae_title} at port {node.receiver.port}"
    if node.objects_from:
        found["objects_from"] = node.objects_from
    return {**found, **limits}


def _file(what: str, name: str) -> dict[str, str]:
    return {what: str(Path(name))} if name else {}


def _signs_in(node: WebNode) -> str:
    match node.auth:
        case Basic(username):
            return f"as {username}"
        case Bearer():
            return "with a token"
        case Certificate():
            return "with a certificate"
        case None:
            return "no"
