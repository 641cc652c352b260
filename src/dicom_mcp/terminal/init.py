"""`dicom-mcp init`: a configuration file, written by asking, each node tried as it is told."""

import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path

from ..config import file_in_force, nodes_in, usual_file
from ..content.plain import plain_text
from ..deadline import Deadline
from ..dicom_api import connect, prepare
from ..errors import BadConfiguration, DicomMcpError
from ..node import AnyNode, Node, Receiver, Tls, WebNode
from ..nodes_file import NodesFile, keys_of
from ..setting import Setting, an_ae_title
from .ask import asked, is_yes

# What is asked of each kind of node; the other settings stand in the file as comments.
_ASKED: Mapping[str, tuple[str, ...]] = {
    "dicom": ("host", "port", "called_ae_title"),
    "dicomweb": (
        *("url", "username", "password_env", "password_file"),
        *("token_env", "token_file"),
    ),
}
# Asked only after these were given, or not given.
_AFTER: Mapping[str, str] = {"password_env": "username", "password_file": "username"}
_UNLESS: Mapping[str, tuple[str, ...]] = {
    "password_file": ("password_env",),
    "token_env": ("username",),
    "token_file": ("username", "token_env"),
}
_SHAPES: Mapping[str, type[AnyNode]] = {"dicom": Node, "dicomweb": WebNode}

_INSIDE: Mapping[str, type[Tls | Receiver]] = {"tls": Tls, "receiver": Receiver}

# How long a person waits to hear that a node does not answer.
_PATIENCE = 10.0

type Ask = Callable[[str, str], str]


def init(file: str = "", ask: Ask | None = None) -> int:
    """Ask for the archives and write the file; returns the exit status."""
    ask = ask or asked
    path = file_in_force(file) or usual_file()
    if path.exists() and not is_yes(ask(f"{path} exists. Write it anew", "no")):
        return 1
    sys.stdout.write(
        "Every archive gets a short name, by which questions can name it. Enter keeps what is in "
        "brackets, a hyphen empties it.\n"
    )
    calling = _calling(ask)
    tables: dict[str, str] = {}
    while True:
        name = ask("Name of an archive" if not tables else "Name of another one (none: done)", "")
        if name in tables:
            sys.stdout.write(f"{name} is there already.\n")
        elif name:
            if told := _node_kept(name, calling, path, ask):
                tables[name] = told
        elif tables:
            break
    default = ""
    while default not in tables:
        default = ask(f"Asked when a question names none ({', '.join(tables)})", next(iter(tables)))
    _write(path, _text(calling, tables, default))
    sys.stdout.write(f"{path} is written. dicom-mcp nodes shows what is in force.\n")
    return 0


def _calling(ask: Ask) -> str:
    while True:
        title = ask("Our own AE title, as archives know us", "MCPSCU")
        try:
            return an_ae_title("calling_ae_title")(title)
        except BadConfiguration as error:
            sys.stdout.write(f"{error}\n")


def _node_kept(name: str, calling: str, path: Path, ask: Ask) -> str:
    """The table of a node, asked until it is good or as the person wants it; "" to leave it out."""
    given: dict[str, str] = {}
    while True:
        told = _node(name, ask, given)
        loads, answers, said = _tried(_text(calling, {name: told}, ""), path, given)
        sys.stdout.write(f"{said}\n")
        if answers:
            return told
        keep = " keep it all the same," if loads else ""
        chosen = ask(f"Correct it,{keep} or leave it out", "correct").strip().lower()
        if chosen.startswith("keep") and loads:
            return told
        if chosen.startswith("leave"):
            return ""


def _node(name: str, ask: Ask, given: dict[str, str]) -> str:
    """The table of one node; `given` are the answers of before, and becomes those of now."""
    kind = ask("Does it speak dicom or dicomweb", given.get("kind", "dicom")).strip().lower()
    kind = "dicomweb" if "web" in kind else "dicom"
    keys = keys_of(_SHAPES[kind])
    lines = [f"[nodes.{name if _BARE.fullmatch(name) else _quoted(name)}]"]
    before = dict(given)
    given.clear()
    given["kind"] = kind
    for key in _ASKED[kind]:
        if key in _AFTER and not given.get(_AFTER[key]):
            continue
        if any(given.get(other) for other in _UNLESS.get(key, ())):
            continue
        default = keys[key].default if _is_offered(keys[key]) else ""
        given[key] = ask(keys[key].description, before.get(key) or str(default))
        if given[key]:
            lines.append(f"{key} = {_value(key, given[key])}")
    lines += _comments(keys, given)
    return "\n".join(lines)


def _comments(keys: Mapping[str, Setting], given: Mapping[str, str]) -> Iterator[str]:
    for key, setting in keys.items():
        if key in _INSIDE:
            inside = ", ".join(keys_of(_INSIDE[key]))
            yield f"# {key} = {{ … }}  # {setting.description}. Of: {inside}"
        elif not given.get(key):
            shown = setting.default if isinstance(setting.default, int | float) else '""'
            yield f"# {key} = {shown}  # {setting.description}"


def _text(calling: str, tables: Mapping[str, str], default: str) -> str:
    top = keys_of(NodesFile)
    lines = [
        "# Archives for dicom-mcp. Secrets are not in this file: it names environment variables",
        "# or files that hold them.",
        *([f"default = {_quoted(default)}"] if default else []),
        f"calling_ae_title = {_quoted(calling)}  # {top['calling_ae_title'].description}",
        f'# time_zone = ""  # {top["time_zone"].description}',
        f'# configurable_hosts = "any"  # {top["configurable_hosts"].description}',
    ]
    return "\n".join([*lines, "", "\n\n".join(tables.values()), ""])


def _tried(text: str, path: Path, given: Mapping[str, str]) -> tuple[bool, bool, str]:
    """Whether a file of this text loads, whether its node answers, and what to say of it.

    A secret that is not in this shell's environment may be in the assistant's: such a node loads.
    """
    trial = _beside(path, text)  # beside it, for the files it names are relative to it
    try:
        (node,) = nodes_in(trial)
        return True, True, f"It answers ({_verified(node):.0f} ms)."
    except BadConfiguration as error:
        said = "\n".join(_MISTAKE.findall(str(error))) or str(error).replace(str(trial), "of this")
        elsewhere = {given.get(key, ""): "secret" for key in ("password_env", "token_env")}
        with suppress(BadConfiguration):
            nodes_in(trial, elsewhere)
            return True, False, f"{said}. It can not be tried."
        return False, False, said
    except DicomMcpError as error:
        return True, False, plain_text(str(error), lines=True)
    finally:
        trial.unlink()


# A mistake as it is told of a file, without its line: nobody has seen the lines.
_MISTAKE = re.compile(r"^ +line \d+, (.+)$", re.MULTILINE)


def _verified(node: AnyNode) -> float:
    prepare()
    with closing(connect(node)) as archive:
        return archive.verify(deadline=Deadline(min(_PATIENCE, node.timeout)))


def _write(path: Path, text: str) -> None:
    """All of it or nothing; where it is a link, what that leads to."""
    _beside(path, text).replace(path.resolve())


def _beside(path: Path, text: str) -> Path:
    """A new file in the same folder, for its owner only: it says where archives are, and where
    secrets lie."""
    try:
        folder = path.resolve().parent
        folder.mkdir(parents=True, exist_ok=True)
        made, name = tempfile.mkstemp(prefix=".config-", suffix=".toml", dir=folder)
    except OSError as error:
        raise BadConfiguration(
            f"{path} cannot be written: {error.strerror}", "Name another one with --config FILE"
        ) from None
    with os.fdopen(made, "w", encoding="utf-8") as file:
        file.write(text)
    return Path(name)


def _value(key: str, text: str) -> str:
    return text if key == "port" and _NUMBER.fullmatch(text) else _quoted(text)


_BARE = re.compile("[A-Za-z0-9_-]+")  # of TOML: what needs no quotes as a key
_NUMBER = re.compile("0|[1-9][0-9]*")  # of TOML: no leading zeros


def _quoted(text: str) -> str:
    """As TOML writes it: JSON's escapes are its own too, and it wants one more."""
    whole = text.encode("utf-8", "replace").decode()
    return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")


def _is_offered(setting: Setting) -> bool:
    return isinstance(setting.default, str) and not setting.needed
