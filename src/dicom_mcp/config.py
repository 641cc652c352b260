"""What the operator set: archives and permissions, from a file and the environment, once, and
frozen.

The environment alone is enough for one archive. A file names any number of them; then DICOM_HOST,
DICOM_PORT and DICOM_CALLED_AE_TITLE, where one is set, tell of one more, which is the default.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path

from .errors import BadConfiguration
from .index_settings import IndexSettings
from .machine import at_home, is_file, others_may_read, others_may_write, settings_folder
from .node import (
    DEFAULT_CALLED_AE_TITLE,
    DEFAULT_CALLING_AE_TITLE,
    DEFAULT_HOST,
    DEFAULT_PORT,
    AnyNode,
    Certificate,
    Node,
    WebNode,
)
from .nodes_file import read_nodes_file
from .privacy.settings import PrivacySettings
from .setting import TOOLSETS, a_time_zone, some_toolsets

# What a node is called that has no name of its own, and the environment's beside those of a file.
DEFAULT_NAME = "default"
ENVIRONMENT = "environment"

# Variables that speak of a node of their own when there is a file too.
_OF_A_NODE = ("DICOM_HOST", "DICOM_PORT", "DICOM_CALLED_AE_TITLE")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the operator decided.

    `node` is asked unless a question names another one of `nodes`. `configurable_hosts` says where
    `configure_dicom_server` may point: None is anywhere, an empty set nowhere. `time_zone` decides
    which day "today" is; None is this machine's. Assistants are not offered the `toolsets_off`.
    """

    node: AnyNode
    configurable_hosts: frozenset[str] | None = None
    time_zone: tzinfo | None = None
    others: tuple[AnyNode, ...] = ()
    # The file they are from, if any, and those that it names for a password or a token.
    file: Path | None = None
    secret_files: tuple[Path, ...] = ()
    toolsets_off: frozenset[str] = frozenset()
    # How an index is kept, if one is.
    index: IndexSettings | None = None
    # What assistants may know of patients; all where it is not set.
    privacy: PrivacySettings | None = None

    @property
    def nodes(self) -> dict[str, AnyNode]:
        """Every node by its name, the default one first."""
        return {node.name or DEFAULT_NAME: node for node in (self.node, *self.others)}


def load(
    file: str = "", environ: Mapping[str, str] = os.environ, *, shared: bool = False
) -> Settings:
    """The settings in a file and these environment variables; `VARIABLES` says what each means.

    The file is `file`, else DICOM_MCP_CONFIG, else `usual_file` if there is one. `shared` is True
    where several people use one server (HTTP): then nobody may point it elsewhere unless the
    operator names the hosts. Raises BadConfiguration naming the variable, or file and line.
    """
    path = file_in_force(file, environ)
    if path is None:
        return from_environment(environ, shared=shared)
    read = read_nodes_file(path, environ)
    settings = from_environment(environ, shared=shared, calling_ae_title=read.calling_ae_title)
    if any(environ.get(name) for name in _OF_A_NODE):
        nodes = (replace(settings.node, name=ENVIRONMENT), *read.nodes)
    else:
        nodes = read.nodes
    hosts = settings.configurable_hosts
    if read.configurable_hosts != "" and "DICOM_CONFIGURABLE_HOSTS" not in environ:
        hosts = read.configurable_hosts
    return Settings(
        nodes[0],
        hosts,
        settings.time_zone or read.time_zone,
        nodes[1:],
        read.path,
        read.secret_files,
        settings.toolsets_off | read.toolsets_off,
        read.index,
        read.privacy,
    )


def file_in_force(file: str = "", environ: Mapping[str, str] = os.environ) -> Path | None:
    """The configuration file that is read: the one that is named, else the usual one if it is
    there."""
    named = file or environ.get("DICOM_MCP_CONFIG", "").strip()
    path = at_home(named) if named else usual_file(environ)
    return path if named or is_file(path) else None


def nodes_in(path: Path, environ: Mapping[str, str] = os.environ) -> tuple[AnyNode, ...]:
    """The nodes that a file names. Raises BadConfiguration with every mistake in it."""
    return read_nodes_file(path, environ).nodes


def usual_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the configuration file is looked for when nobody says."""
    return settings_folder(environ) / "dicom-mcp" / "config.toml"


def folders_of_programs(environ: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Where other programs may keep their settings, the likeliest first."""
    return settings_folder(environ), at_home("~/Library/Application Support")


def wants_demo(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the demo archives are to be asked, as the switch of a desktop bundle says."""
    return environ.get("DICOM_MCP_DEMO", "").strip().lower() in ("true", "1", "yes", "on")


def variables_set(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Those of `VARIABLES` that are set, but for the file."""
    return {
        name: environ[name]
        for name in VARIABLES
        if name != "DICOM_MCP_CONFIG" and environ.get(name)
    }


def from_environment(
    environ: Mapping[str, str] = os.environ,
    *,
    shared: bool = False,
    calling_ae_title: str = DEFAULT_CALLING_AE_TITLE,
) -> Settings:
    """The settings in these environment variables alone; our title unless they say another.

    Raises BadConfiguration naming the variable.
    """

    def number(name: str, default: float) -> float:
        text = environ.get(name, "").strip()
        try:
            return float(text) if text else default
        except ValueError:
            raise BadConfiguration(f"{name}={text!r} is not a number", VARIABLES[name]) from None

    port = number("DICOM_PORT", float(DEFAULT_PORT))
    if not port.is_integer():
        raise BadConfiguration(
            f"DICOM_PORT={port:g} is not a whole number", VARIABLES["DICOM_PORT"]
        )
    hosts = environ.get("DICOM_CONFIGURABLE_HOSTS", "none" if shared else "any").strip().lower()
    return Settings(
        node=Node(
            host=environ.get("DICOM_HOST") or DEFAULT_HOST,
            port=int(port),
            called_ae_title=environ.get("DICOM_CALLED_AE_TITLE") or DEFAULT_CALLED_AE_TITLE,
            calling_ae_title=environ.get("DICOM_AE_TITLE") or calling_ae_title,
            timeout=number("DICOM_TIMEOUT", 30.0),
        ),
        configurable_hosts=_hosts(hosts),
        time_zone=_time_zone(environ.get("DICOM_TIME_ZONE", "").strip()),
        toolsets_off=_toolsets(environ.get("DICOM_MCP_TOOLSETS_OFF", "")),
    )


def needed_by_python(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables without which no Python starts (Windows has one, other systems none), or does
    not know which time it is here."""
    return {name: environ[name] for name in ("SYSTEMROOT", "TZ") if name in environ}


def exposures(settings: Settings) -> list[str]:
    """What of the settings gives secrets away, as sentences without the secrets."""
    told: list[str] = []
    for name, node in settings.nodes.items():
        auth = node.auth if isinstance(node, WebNode) else node.tls and node.tls.certificate
        if isinstance(node, WebNode) and auth and node.base_url.lower().startswith("http://"):
            told.append(
                f"{name}: credentials are sent over http://, where anybody on the way reads them. "
                "Give the server's https:// address"
            )
        if isinstance(auth, Certificate) and others_may_read(at_home(auth.key or auth.certificate)):
            told.append(f"{name}: the file of our key can be read by {_OTHERS}")
    told += [
        f"{path}: the secret in it can be read by {_OTHERS}"
        for path in settings.secret_files
        if others_may_read(path)
    ]
    if settings.file and others_may_write(settings.file):
        told.append(f"{settings.file}: where questions are sent can be changed by {_OTHERS}")
    return told


_OTHERS = "others on this machine. Allow the file to its owner only (chmod 600)"


# The environment variables, in the order the README shows them.
VARIABLES: dict[str, str] = {
    "DICOM_MCP_CONFIG": "A file that names several archives (see `dicom-mcp init`)",
    "DICOM_HOST": f"The archive's host name or address (default {DEFAULT_HOST})",
    "DICOM_PORT": f"Its DICOM port, 1 to 65535 (default {DEFAULT_PORT})",
    "DICOM_AE_TITLE": f"Our own title, calling_ae_title (default {DEFAULT_CALLING_AE_TITLE})",
    "DICOM_CALLED_AE_TITLE": (
        f"The archive's title, called_ae_title (default {DEFAULT_CALLED_AE_TITLE})"
    ),
    "DICOM_TIMEOUT": "Seconds one question may take in all (default 30)",
    "DICOM_TIME_ZONE": 'Where "today" is, such as Europe/Berlin (default this machine\'s)',
    "DICOM_MCP_DEMO": "true: the demo archives are asked, as with serve --demo",
    "DICOM_MCP_TOOLSETS_OFF": (
        f"What assistants are not offered, separated by commas: {', '.join(TOOLSETS)}"
    ),
    "DICOM_CONFIGURABLE_HOSTS": (
        "Where configure_dicom_server may point: any, none, or host names separated by commas "
        "(default any on stdio, none over HTTP)"
    ),
}


def _time_zone(name: str) -> tzinfo | None:
    try:
        return a_time_zone(name)
    except BadConfiguration as error:
        remedy = VARIABLES["DICOM_TIME_ZONE"]
        raise BadConfiguration(f"DICOM_TIME_ZONE={error.happened}", remedy) from None


def _toolsets(names: str) -> frozenset[str]:
    try:
        return some_toolsets(names.split(","))
    except BadConfiguration as error:
        raise BadConfiguration(f"DICOM_MCP_TOOLSETS_OFF: {error.happened}", error.remedy) from None


def _hosts(text: str) -> frozenset[str] | None:
    if text == "any":
        return None
    if text in ("", "none"):
        return frozenset()
    return frozenset(host.strip() for host in text.split(",") if host.strip())
