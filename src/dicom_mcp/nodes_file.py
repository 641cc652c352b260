"""The configuration file: TOML that names the archives there are.

The tables below are its whole grammar and say of themselves what each setting means; a wrong file
is told with every mistake in it, each with its line. Secrets are not in the file: it says which
environment variable or other file they are in.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import BadConfiguration
from .node import (
    DEFAULT_CALLED_AE_TITLE,
    DEFAULT_CALLING_AE_TITLE,
    DEFAULT_CONNECTIONS,
    DEFAULT_TIMEOUT,
    DEFAULT_WEB_CONNECTIONS,
    AnyNode,
    Auth,
    Basic,
    Bearer,
    Certificate,
    Node,
    Receiver,
    Tls,
    WebNode,
)
from .words.near import did_you_mean


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class TlsTable(_Table):
    """`tls = true`, or these."""

    ca_file: str = Field("", description="PEM file of the authority to trust; else the system's")
    certificate: str = Field("", description="PEM file of our own certificate")
    key: str = Field("", description="Its key, unless it is in the same file")
    server_name: str = Field("", description="Name in the archive's certificate, if not its host")


class ReceiverTable(_Table):
    """Where the archive may send objects to when asked to (C-MOVE)."""

    ae_title: str = Field(description="Our title as the archive knows it as a destination")
    port: int = Field(description="Port we listen on while objects are fetched")
    host: str = Field("", description="Address to listen at; else that by which it is reached")
    senders: list[str] = Field([], description="Others that send for it, as TITLE@host")


class _AnyTable(_Table):
    timeout: float = Field(DEFAULT_TIMEOUT, description="Seconds a question may take in all")
    connections: int = Field(0, description="Connections held at a time (2; DICOMweb 4)")
    time_zone: str = Field("", description='Where its "today" is, such as "Europe/Berlin"')
    objects_from: str = Field("", description="Node to fetch its objects from instead")


class DimseTable(_AnyTable):
    """A node that speaks the DICOM network protocol."""

    host: str = Field(description="Host name or address")
    port: int = Field(description="DICOM port, often 104, 4242 or 11112")
    called_ae_title: str = Field(DEFAULT_CALLED_AE_TITLE, description="The archive's AE title")
    calling_ae_title: str = Field("", description="Our AE title to it")
    tls: bool | TlsTable = Field(
        False, description="Encrypted, the archive verified: true, or the settings of `tls`"
    )
    character_set: str = Field(
        "", description='What its text is in where it does not say, such as "ISO_IR 100"'
    )
    receiver: ReceiverTable | None = Field(
        None, description="Where it may send objects to when asked to (C-MOVE): see `receiver`"
    )


class WebTable(_AnyTable):
    """A node that speaks DICOMweb."""

    url: str = Field(description="What stands before /studies, https://pacs.example.org/dicom-web")
    username: str = Field("", description="User name, with password_env or password_file")
    password_env: str = Field("", description="Environment variable that holds the password")
    password_file: str = Field("", description="File that holds the password")
    token_env: str = Field("", description="Environment variable that holds a bearer token")
    token_file: str = Field("", description="File that holds a bearer token")
    certificate: str = Field("", description="PEM file of our own certificate")
    key: str = Field("", description="Its key, unless it is in the same file")
    ca_file: str = Field("", description="PEM file of the authority to trust; else the system's")


class TopTable(_Table):
    """What stands before the first node."""

    default: str = Field("", description="Node that is asked when a question names none")
    calling_ae_title: str = Field(
        DEFAULT_CALLING_AE_TITLE, description="Our AE title, unless a node says another one"
    )
    time_zone: str = Field("", description='Where "today" is; else this machine\'s')
    configurable_hosts: Literal["any", "none", ""] | list[str] = Field(
        "", description='Where configure_dicom_server may point: "any", "none" or a list of hosts'
    )
    nodes: dict[str, dict[str, Any]] = Field(description="Tables [nodes.NAME]")


type Hosts = frozenset[str] | Literal[""] | None


@dataclass(frozen=True, slots=True)
class NodesFile:
    """What a configuration file says; the default node is the first. `configurable_hosts` is None
    for anywhere, and "" when the file does not say."""

    nodes: tuple[AnyNode, ...]
    calling_ae_title: str
    time_zone: tzinfo | None
    configurable_hosts: Hosts


def read_nodes_file(path: Path, environ: Mapping[str, str]) -> NodesFile:
    """Read the file. Raises BadConfiguration that names every mistake with its line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise BadConfiguration(
            f"the configuration file {path} cannot be read: {reason}",
            "dicom-mcp init writes one; DICOM_HOST and DICOM_PORT need none",
        ) from None
    reading = _Reading(path, text, environ)
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadConfiguration(
            f"the configuration file {path} is not TOML: {error}", "See https://toml.io"
        ) from None
    found = reading.file(content)
    if reading.mistakes or found is None:
        count = len(reading.mistakes)
        told = "\n".join(f"  {one}" for one in sorted(reading.mistakes))
        raise BadConfiguration(
            f"the configuration file {path} has {count} mistake{'s' * (count != 1)}:\n{told}\n"
            "Nothing of it is used until all are mended"
        )
    return found


# Keys somebody may try, and what to write.
_SECRETS = {"password": "password_env or password_file", "token": "token_env or token_file"}

_HOSTS: Mapping[str, Hosts] = {"any": None, "none": frozenset(), "": ""}

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")

type _Where = tuple[str, ...]


@dataclass(order=True, frozen=True, slots=True)
class _Mistake:
    line: int
    where: str
    said: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.where}: {self.said}"


@dataclass(slots=True)
class _Reading:
    """Reads one file and collects what is wrong with it."""

    path: Path
    text: str
    environ: Mapping[str, str]
    mistakes: list[_Mistake] = field(default_factory=list[_Mistake])

    def file(self, content: Mapping[str, Any]) -> NodesFile | None:
        """What it says; None when that cannot be told for its mistakes."""
        top = self._table(TopTable, content, ())
        if top is None:
            return None
        if not top.nodes:
            self._wrong(("nodes",), "there is no node. Write [nodes.pacs] with host and port")
        self._check(("calling_ae_title",), lambda: Node(calling_ae_title=top.calling_ae_title))
        zone = self._zone(("time_zone",), top.time_zone)
        nodes = [self._node(name, table, top) for name, table in top.nodes.items()]
        self._names(top)
        default = top.default or next(iter(top.nodes), "")
        ordered = sorted(filter(None, nodes), key=lambda one: one.name != default)
        hosts = top.configurable_hosts
        return NodesFile(
            tuple(ordered),
            top.calling_ae_title,
            zone,
            _HOSTS[hosts] if isinstance(hosts, str) else frozenset(map(str.lower, hosts)),
        )

    def _names(self, top: TopTable) -> None:
        named = {("default",): top.default} | {
            ("nodes", name, "objects_from"): str(table.get("objects_from", ""))
            for name, table in top.nodes.items()
        }
        for where, name in named.items():
            if name and name not in top.nodes:
                self._wrong(where, f"there is no node {name!r}. Known: {', '.join(top.nodes)}")
        for name in top.nodes:
            if not _NAME.fullmatch(name) or name.casefold() == "all":
                self._wrong(
                    ("nodes", name),
                    "a node's name has up to 32 letters, digits, dots, hyphens and underscores, "
                    'and is not "all"',
                )

    def _node(self, name: str, content: Mapping[str, Any], top: TopTable) -> AnyNode | None:
        where = ("nodes", name)
        if "url" in content:
            table = self._table(WebTable, content, where)
            return self._web(where, table) if table else None
        if "host" not in content:
            self._wrong(
                where,
                "neither host (DICOM) nor url (DICOMweb) is given. Write host and port of the "
                "archive, or the url that /studies comes after",
            )
            return None
        table = self._table(DimseTable, content, where)
        return self._dimse(where, table, top) if table else None

    def _dimse(self, where: _Where, table: DimseTable, top: TopTable) -> AnyNode | None:
        plain: dict[str, Any] = table.model_dump(
            include={"host", "port", "called_ae_title", "timeout", "connections", "objects_from"}
        )
        plain["connections"] = table.connections or DEFAULT_CONNECTIONS
        if table.calling_ae_title:
            plain["calling_ae_title"] = table.calling_ae_title
        checked = [
            self._check((*where, key), lambda key=key: Node(**{key: plain[key]})) for key in plain
        ]
        good = None not in checked
        receiver = None
        if table.receiver:
            fields = table.receiver.model_dump()
            receiver = self._check((*where, "receiver"), lambda: Receiver(**fields))
            good = good and receiver is not None
        tls = table.tls
        secured = self._tls(where, tls) if isinstance(tls, TlsTable) else Tls() if tls else None
        zone = self._zone((*where, "time_zone"), table.time_zone)
        charset = table.character_set
        if charset and not _is_character_set(charset):
            self._wrong(
                (*where, "character_set"),
                f"{charset!r} is no defined term. Such as ISO_IR 100 (Western European), ISO_IR "
                "144 (Cyrillic), ISO_IR 192 (UTF-8), GB18030 (PS3.3 C.12.1.1.2)",
            )
        if not good:
            return None
        plain.setdefault("calling_ae_title", top.calling_ae_title)
        return self._check(
            where,
            lambda: Node(
                **plain,
                name=where[-1],
                tls=secured,
                receiver=receiver,
                time_zone=zone,
                character_set=charset,
            ),
        )

    def _web(self, where: _Where, table: WebTable) -> AnyNode | None:
        plain: dict[str, Any] = {
            "base_url": table.url,
            "connections": table.connections or DEFAULT_WEB_CONNECTIONS,
            **table.model_dump(include={"timeout", "objects_from"}),
        }
        checked = [
            self._check(
                (*where, "url" if key == "base_url" else key),
                lambda key=key: WebNode(**dict[str, Any]({"base_url": _ANY_URL, key: plain[key]})),
            )
            for key in plain
        ]
        ways = [
            key
            for key in ("username", "token_env", "token_file", "certificate")
            if getattr(table, key)
        ]
        if len(ways) > 1:
            self._wrong(
                (*where, ways[1]), f"there are two ways to authenticate: {' and '.join(ways)}"
            )
            return None
        auth = self._auth(where, table)
        zone = self._zone((*where, "time_zone"), table.time_zone)
        ca_file = self._file((*where, "ca_file"), table.ca_file)
        if None in checked:
            return None
        return self._check(
            where,
            lambda: WebNode(**plain, name=where[-1], auth=auth, ca_file=ca_file, time_zone=zone),
        )

    def _auth(self, where: _Where, table: WebTable) -> Auth:
        if table.username:
            password = self._secret(where, table, "password")
            if password is None:
                return None
            return self._check((*where, "username"), lambda: Basic(table.username, password))
        if table.token_env or table.token_file:
            token = self._secret(where, table, "token")
            key = "token_env" if table.token_env else "token_file"
            return self._check((*where, key), lambda: Bearer(token)) if token is not None else None
        if table.certificate:
            return self._certificate(where, table)
        return None

    def _secret(self, where: _Where, table: WebTable, what: str) -> str | None:
        """The secret from where the table says it is; its value is in no message."""
        variable, file = getattr(table, f"{what}_env"), getattr(table, f"{what}_file")
        if variable:
            if variable not in self.environ:
                self._wrong(
                    (*where, f"{what}_env"), f"the environment variable {variable} is not set"
                )
                return None
            return self.environ[variable]
        if not file:
            self._wrong(where, f"{what}_env or {what}_file is missing")
            return None
        name = self._file((*where, f"{what}_file"), file)
        try:
            return Path(name).read_text(encoding="utf-8").strip() if name else None
        except (OSError, UnicodeDecodeError):
            self._wrong((*where, f"{what}_file"), f"{name} cannot be read")
            return None

    def _tls(self, where: _Where, table: TlsTable) -> Tls:
        return Tls(
            self._file((*where, "tls", "ca_file"), table.ca_file),
            self._certificate((*where, "tls"), table) if table.certificate else None,
            table.server_name,
        )

    def _certificate(self, where: _Where, table: "TlsTable | WebTable") -> Certificate:
        return Certificate(
            self._file((*where, "certificate"), table.certificate),
            self._file((*where, "key"), table.key),
        )

    def _file(self, where: _Where, name: str) -> str:
        """A file named in the configuration, relative to it."""
        if not name:
            return ""
        path = (self.path.parent / Path(name).expanduser()).resolve()
        if not path.is_file():
            self._wrong(where, f"there is no file {path}")
        return str(path)

    def _zone(self, where: _Where, name: str) -> tzinfo | None:
        try:
            return ZoneInfo(name) if name else None
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self._wrong(where, f"{name!r} is not a time zone known here, such as Europe/Berlin")
            return None

    def _table[T: _Table](self, kind: type[T], content: Mapping[str, Any], at: _Where) -> T | None:
        """The table, and mistakes where it is not as it should be: then without what is wrong, or
        None when too little is left to look further."""
        try:
            return kind.model_validate(content)
        except ValidationError as error:
            for one in error.errors(include_url=False, include_input=False, include_context=False):
                where = (*at, *(str(part) for part in one["loc"] if part not in _UNION_PARTS))
                if any(known.where == ".".join(where) for known in self.mistakes):
                    continue  # left out above
                self._wrong(where, _said(where[-1] if where else "", one["type"], one["msg"], kind))
            wrong = {one["loc"][0] for one in error.errors() if one["loc"]}
            left = {key: value for key, value in content.items() if key not in wrong}
            return self._table(kind, left, at) if len(left) < len(content) else None

    def _check[T](self, where: _Where, make: Callable[[], T]) -> T | None:
        """What is made so; None, and the mistake, where its rules do not allow it."""
        try:
            return make()
        except BadConfiguration as error:
            self._wrong(where, str(error).rstrip("."))
            return None

    def _wrong(self, where: _Where, said: str) -> None:
        mistake = _Mistake(_line(self.text, where), ".".join(where) or "the file", said)
        if mistake not in self.mistakes:
            self.mistakes.append(mistake)


# What pydantic puts into a place for the branch of a union.
_UNION_PARTS = frozenset({"bool", "TlsTable", "ReceiverTable", "literal['any','none','']"})

_ANY_URL = "http://localhost"


def _said(key: str, kind: str, message: str, table: type[_Table]) -> str:
    if kind == "missing":
        return "missing"
    if kind != "extra_forbidden":
        return message[:1].lower() + message[1:]
    if key in _SECRETS:
        return f"a secret does not belong in this file. Use {_SECRETS[key]}"
    near = did_you_mean(key, table.model_fields)
    known = f"Did you mean {near}?" if near else f"Known: {', '.join(table.model_fields)}"
    return f"there is no such setting. {known}"


def _is_character_set(text: str) -> bool:
    from pydicom.charset import python_encoding

    return all(one.strip() in python_encoding for one in text.split("\\"))


_HEADER = re.compile(r"^\s*\[+([^\[\]]+)\]+\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:"[^"]*"|'[^']*'|[\w.-])+)\s*=""")


def _line(text: str, where: _Where) -> int:
    """The line, from 1, of the setting at this place, or of the closest table around it."""
    best, longest = 1, 0
    for number, path in _places(text):
        if path == where[: len(path)] and len(path) > longest:
            best, longest = number, len(path)
    return best


def _places(text: str) -> Iterator[tuple[int, _Where]]:
    """Each line that begins a table or a setting, with its place."""
    table: _Where = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _HEADER.match(line):
            table = _parts(found[1])
            yield number, table
        elif found := _KEY.match(line):
            yield number, (*table, *_parts(found[1]))


def _parts(dotted: str) -> _Where:
    found = cast("Sequence[str]", re.findall(r""""[^"]*"|'[^']*'|[^.\s]+""", dotted))
    return tuple(one.strip("\"'") for one in found)
