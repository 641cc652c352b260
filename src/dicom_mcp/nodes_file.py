"""The configuration file: TOML that names the archives there are.

What may stand in it is what the classes of `node`, and `NodesFile` below, say of their fields; a
wrong file is told with every mistake in it, each with its line. Secrets are not in the file: it
says which environment variable or other file they are in.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import ConfigDict, TypeAdapter, ValidationError

from .errors import BadConfiguration
from .index_settings import IndexSettings
from .machine import at_home, is_file
from .node import DEFAULT_CALLING_AE_TITLE, AnyNode, Node, WebNode
from .privacy.settings import PrivacySettings
from .setting import (
    Setting,
    a_time_zone,
    an_ae_title,
    classes_of,
    settings_of,
    some_toolsets,
)
from .standard.counted import counted
from .words.near import did_you_mean

type Hosts = frozenset[str] | Literal[""] | None

_HOSTS: Mapping[str, Hosts] = {"any": None, "none": frozenset(), "": ""}


def _hosts(written: str | list[str]) -> Hosts:
    return _HOSTS[written] if isinstance(written, str) else frozenset(map(str.lower, written))


@dataclass(frozen=True, slots=True)
class NodesFile:
    """What a configuration file says; the default node is the first. `configurable_hosts` is None
    for anywhere, and "" when the file does not say."""

    default: Annotated[str, Setting("Node that is asked when a question names none")] = ""
    calling_ae_title: Annotated[
        str,
        Setting("Our AE title, unless a node says another one", an_ae_title("calling_ae_title")),
    ] = DEFAULT_CALLING_AE_TITLE
    time_zone: Annotated[
        tzinfo | None,
        Setting('Where "today" is; else this machine\'s', a_time_zone, form=str),
    ] = None
    configurable_hosts: Annotated[
        Hosts,
        Setting(
            'Where configure_dicom_server may point: "any", "none" or a list of hosts',
            _hosts,
            form=Literal["any", "none", ""] | list[str],
        ),
    ] = ""
    toolsets_off: Annotated[
        frozenset[str],
        Setting(
            "Toolsets that assistants are not offered, such as images",
            some_toolsets,
            form=list[str],
        ),
    ] = frozenset()
    nodes: Annotated[
        tuple[AnyNode, ...],
        Setting("Tables [nodes.NAME]", form=dict[str, dict[str, Any]], needed=True),
    ] = ()
    index: Annotated[
        IndexSettings | None,
        Setting("An index is kept: true, or the settings of `index`", form=bool | IndexSettings),
    ] = None
    privacy: Annotated[
        PrivacySettings | None,
        Setting(
            "What assistants may know of patients: true, or the settings of `privacy`",
            form=bool | PrivacySettings,
        ),
    ] = None
    # Itself, and the files that it names for a password or a token.
    path: Path | None = None
    secret_files: tuple[Path, ...] = ()


def keys_of(shape: type) -> dict[str, Setting]:
    """The keys of a table that tells of this class."""
    keys: dict[str, Setting] = {}
    for setting in settings_of(shape).values():
        if setting.how == "among":
            for part in classes_of(setting):
                keys |= keys_of(part)
        elif setting.how == "secret":
            keys |= {
                f"{setting.key}_{end}": Setting(f"{holder} {setting.description}", form=str)
                for end, holder in _HOLDERS.items()
            }
        else:
            keys[setting.key] = setting
    return keys


# What holds a secret, by the end of the key that names it.
_HOLDERS = {"env": "Environment variable that holds", "file": "File that holds"}


def read_nodes_file(path: Path, environ: Mapping[str, str]) -> NodesFile:
    """Read the file. Raises BadConfiguration that names every mistake with its line."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # Notepad marks it
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
        lines = "\n".join(f"  {mistake}" for mistake in sorted(reading.mistakes))
        raise BadConfiguration(
            f"the configuration file {path} has {counted(count, 'mistake')}:\n{lines}\n"
            "Nothing of it is used until all are mended"
        )
    return found


# Keys somebody may try, and what to write.
_SECRETS = {key: f"{key}_env or {key}_file" for key in ("password", "token")}

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")

type _Where = tuple[str, ...]
type _Table = Mapping[str, Any]


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
    secret_files: list[Path] = field(default_factory=list[Path])

    def file(self, content: _Table) -> NodesFile | None:
        """What it says; None when that cannot be told for its mistakes."""
        values = self._values(NodesFile, content, ())
        tables: dict[str, _Table] = values.get("nodes", {})
        if "nodes" in values and not tables:
            self._wrong(("nodes",), "there is no node. Write [nodes.pacs] with host and port")
        title = values.get("calling_ae_title", DEFAULT_CALLING_AE_TITLE)
        nodes = [self._node(name, table, title) for name, table in tables.items()]
        self._names(values.get("default", ""), tables)
        if self.mistakes:
            return None
        default = values.get("default") or next(iter(tables))
        values["nodes"] = sorted(filter(None, nodes), key=lambda node: node.name != default)
        return NodesFile(**values, path=self.path, secret_files=tuple(self.secret_files))

    def _names(self, default: str, tables: Mapping[str, _Table]) -> None:
        named = {("default",): default} | {
            ("nodes", name, "objects_from"): str(table.get("objects_from", ""))
            for name, table in tables.items()
        }
        for where, name in named.items():
            if name and name not in tables:
                self._wrong(where, f"there is no node {name!r}. Known: {', '.join(tables)}")
        for name in tables:
            if not _NAME.fullmatch(name) or name.casefold() == "all":
                self._wrong(
                    ("nodes", name),
                    "a node's name has up to 32 letters, digits, dots, hyphens and underscores, "
                    'and is not "all"',
                )

    def _node(self, name: str, content: _Table, title: str) -> AnyNode | None:
        where = ("nodes", name)
        if "url" in content:
            return self._object(WebNode, content, where, name=name)
        if "host" in content:
            return self._object(Node, content, where, name=name, calling_ae_title=title)
        self._wrong(
            where,
            "neither host (DICOM) nor url (DICOMweb) is given. Write host and port of the "
            "archive, or the url that /studies comes after",
        )
        return None

    def _object[T](self, shape: type[T], content: _Table, where: _Where, **values: Any) -> T | None:
        """What a table tells of; None, and its mistakes, where it is not as it should be."""
        before = len(self.mistakes)
        values |= self._values(shape, content, where)
        if len(self.mistakes) > before:
            return None
        return self._kept(where, lambda: shape(**values))

    def _values(self, shape: type, content: _Table, where: _Where) -> dict[str, Any]:
        """The values of the fields that the table has; those that cannot be are mistakes."""
        known = keys_of(shape)
        for key in content:
            if key not in known:
                self._wrong((*where, key), _not_known(key, known))
        values: dict[str, Any] = {}
        for name, setting in settings_of(shape).items():
            at = (*where, setting.key)
            if setting.how == "among":
                values[name] = self._one_of(classes_of(setting), content, where)
            elif setting.how == "secret":
                values[name] = self._secret(setting, content, where)
            elif setting.key in content:
                values[name] = self._value(setting, content[setting.key], at)
            elif setting.needed:
                self._wrong(at, "missing")
        return values

    def _value(self, setting: Setting, value: Any, where: _Where) -> Any:
        """A value as it is kept; None, and the mistake, where it cannot be."""
        shapes = classes_of(setting)
        if shapes and isinstance(value, bool) and bool in get_args(setting.form):
            return shapes[0]() if value else None
        value = self._typed(dict[str, Any] if shapes else setting.form, value, where)
        if value is None:
            return None
        if shapes:
            return self._object(shapes[0], value, where)
        return (
            self._file(where, value)
            if setting.how == "file"
            else self._kept(where, setting.rule, value)
        )

    def _typed(self, form: Any, value: Any, where: _Where) -> Any:
        try:
            return TypeAdapter[Any](form, config=ConfigDict(strict=True)).validate_python(value)
        except ValidationError as error:
            said = error.errors()[0]["msg"].replace("dictionary", "table")
            self._wrong(where, said[:1].lower() + said[1:])

    def _kept[T](self, where: _Where, rule: Callable[..., T], *values: Any) -> T | None:
        try:
            return rule(*values)
        except BadConfiguration as error:
            self._wrong(where, str(error).rstrip("."))

    def _one_of(self, shapes: Sequence[type[Any]], content: _Table, where: _Where) -> Any:
        """The one of these of which the table tells, if any."""
        given = {
            shape: keys
            for shape in shapes
            if (keys := [key for key in keys_of(shape) if content.get(key)])
        }
        if len(given) > 1:
            first, second, *_ = (keys[0] for keys in given.values())
            self._wrong(
                (*where, second), f"there are two ways to authenticate: {first} and {second}"
            )
            return None
        for shape, keys in given.items():
            return self._object(shape, {key: content[key] for key in keys}, where)
        return None

    def _secret(self, setting: Setting, content: _Table, where: _Where) -> str | None:
        """The secret from where the table says it is; its value is in no message."""
        keys = [key for end in _HOLDERS if content.get(key := f"{setting.key}_{end}")]
        if len(keys) != 1:
            both = " or ".join(f"{setting.key}_{end}" for end in _HOLDERS)
            self._wrong(where, f"{both}, not both" if keys else f"{both} is missing")
            return None
        where = (*where, keys[0])
        holder = self._typed(str, content[keys[0]], where)
        secret = None
        if holder and keys[0].endswith("_env"):
            secret = self.environ.get(holder)
            if secret is None:
                self._wrong(where, f"the environment variable {holder} is not set")
        elif path := holder and self._file(where, holder):
            try:
                secret = Path(path).read_text(encoding="utf-8-sig").strip()
                self.secret_files.append(Path(path))
            except (OSError, UnicodeDecodeError):
                self._wrong(where, f"{path} cannot be read")
        return None if secret is None else self._kept(where, setting.rule, secret)

    def _file(self, where: _Where, name: str) -> str:
        """A file named in the configuration, relative to it."""
        if not name:
            return ""
        path = (self.path.parent / at_home(name)).resolve()
        if not is_file(path):
            self._wrong(where, f"there is no file {path}")
        return str(path)

    def _wrong(self, where: _Where, said: str) -> None:
        mistake = _Mistake(_line(self.text, where), ".".join(where) or "the file", said)
        if mistake not in self.mistakes:
            self.mistakes.append(mistake)


def _not_known(key: str, known: Mapping[str, Setting]) -> str:
    if key in _SECRETS:
        return f"a secret does not belong in this file. Use {_SECRETS[key]}"
    near = did_you_mean(key, known)
    return "there is no such setting. " + (
        f"Did you mean {near}?" if near else f"Known: {', '.join(known)}"
    )


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
    return tuple(part.strip("\"'") for part in found)
