"""`dicom-mcp init`: a configuration file, written by asking, each node tried as it is told."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

from pydantic.fields import FieldInfo

from ..config import nodes_in, usual_file
from ..deadline import Deadline
from ..dicom_api import connect, prepare
from ..errors import BadConfiguration, DicomMcpError
from ..node import AnyNode
from ..nodes_file import DimseTable, ReceiverTable, TlsTable, TopTable, WebTable

# What is asked of each kind of node; the other settings stand in the file as comments.
_ASKED: Mapping[str, tuple[str, ...]] = {
    "dicom": ("host", "port", "called_ae_title"),
    "dicomweb": ("url", "username", "password_env", "token_env"),
}
_TABLES: Mapping[str, type[DimseTable | WebTable]] = {"dicom": DimseTable, "dicomweb": WebTable}

# How long a person waits to hear that a node does not answer.
_PATIENCE = 10.0

type Ask = Callable[[str, str], str]


def init(file: str = "", ask: Ask | None = None) -> int:
    """Ask for the archives and write the file; returns the exit status."""
    ask = ask or _asked
    path = Path(file).expanduser() if file else usual_file()
    if path.exists() and not _yes(ask(f"{path} exists. Write it anew", "no")):
        return 1
    sys.stdout.write(
        "Every archive gets a short name, by which questions can name it. Enter keeps what is in "
        "brackets.\n"
    )
    calling = ask("Our own AE title, as archives know us", "MCPSCU")
    tables: dict[str, str] = {}
    while True:
        name = ask("Name of an archive" if not tables else "Name of another one (none: done)", "")
        if not name:
            if tables:
                break
            continue
        told = _node(name, ask)
        trying = _text(calling, {name: told}, "")
        if _try(trying, path, ask):
            tables[name] = told
    default = ask("Asked when a question names none", next(iter(tables)))
    _write(path, _text(calling, tables, default))
    sys.stdout.write(f"{path} is written. dicom-mcp nodes shows what is in force.\n")
    return 0


def _node(name: str, ask: Ask) -> str:
    """The table of one node."""
    kind = ask("Does it speak dicom or dicomweb", "dicom").strip().lower()
    kind = "dicomweb" if "web" in kind else "dicom"
    fields = _TABLES[kind].model_fields
    lines = [f"[nodes.{name}]"]
    given: dict[str, str] = {}
    for key in _ASKED[kind]:
        if key == "password_env" and not given.get("username"):
            continue
        if key == "token_env" and given.get("username"):
            continue
        default = fields[key].default if fields[key].default else ""
        given[key] = ask(fields[key].description or key, str(default) if _is_text(default) else "")
        if given[key]:
            lines.append(f"{key} = {_value(key, given[key])}")
    lines += _comments(fields, given)
    if kind == "dicom":
        for table in (TlsTable, ReceiverTable):
            word = "tls" if table is TlsTable else "receiver"
            inside = ", ".join(table.model_fields)
            lines.append(f"# {word} = {{ … }}  # {(table.__doc__ or '').strip()} Of: {inside}")
    return "\n".join(lines)


def _comments(fields: Mapping[str, FieldInfo], given: Mapping[str, str]) -> Iterator[str]:
    for key, one in fields.items():
        if given.get(key) or key in ("tls", "receiver"):
            continue
        shown = one.default if isinstance(one.default, int | float) else '""'
        yield f"# {key} = {shown}  # {one.description}"


def _text(calling: str, tables: Mapping[str, str], default: str) -> str:
    top = TopTable.model_fields
    lines = [
        "# Archives for dicom-mcp. Secrets are not in this file: it names environment variables",
        "# or files that hold them.",
        *([f'default = "{_escaped(default)}"'] if default else []),
        f'calling_ae_title = "{_escaped(calling)}"  # {top["calling_ae_title"].description}',
        f'# time_zone = ""  # {top["time_zone"].description}',
        f'# configurable_hosts = "any"  # {top["configurable_hosts"].description}',
    ]
    return "\n".join([*lines, "", "\n\n".join(tables.values()), ""])


def _try(text: str, path: Path, ask: Ask) -> bool:
    """Whether this node is to be in the file: it answers, or the person wants it all the same."""
    trial = path.with_name(f".{path.name}.trial")
    _write(trial, text)
    try:
        (node,) = nodes_in(trial)
        milliseconds = _verified(node)
    except BadConfiguration as error:
        sys.stdout.write(f"{str(error).replace(str(trial), 'this')}\n")
        return False
    except DicomMcpError as error:
        sys.stdout.write(f"{error}\n")
        return _yes(ask("Keep it in the file all the same", "no"))
    finally:
        trial.unlink()
    sys.stdout.write(f"It answers ({milliseconds:.0f} ms).\n")
    return True


def _verified(node: AnyNode) -> float:
    prepare()
    with closing(connect(node)) as archive:
        return archive.verify(deadline=Deadline(min(_PATIENCE, node.timeout)))


def _write(path: Path, text: str) -> None:
    """For its owner only: it says where archives are, and where secrets lie."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(made, "w", encoding="utf-8") as file:
        file.write(text)


def _asked(question: str, default: str) -> str:
    shown = f" [{default}]" if default else ""
    try:
        return input(f"{question}{shown}: ").strip() or default
    except EOFError:
        raise BadConfiguration(
            "the questions were not answered to their end", "Nothing was written"
        ) from None


def _yes(answer: str) -> bool:
    return answer.strip().lower() in ("y", "yes", "j", "ja", "o", "oui", "s", "si", "sí")


def _value(key: str, text: str) -> str:
    return text if key == "port" and text.isdecimal() else f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)
