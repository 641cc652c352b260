"""`dicom-mcp connect`: tell the assistants on this machine to start dicom-mcp.

Their configuration belongs to somebody: a change is shown and asked for, one member is written and
everything else stays as it is, a copy is kept beside it, and `--undo` takes the change back. A file
that cannot be understood is refused, never mended.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config import file_in_force, load, variables_set
from ..errors import BadConfiguration
from ..words.near import did_you_mean
from .ask import is_yes
from .clients import CLIENTS, NAME, Client, from_here, starts_us
from .jsonc import NotJson, Value, read, without, written

# What a copy of a file is called, beside it.
_COPY = ".before-dicom-mcp"

_MARK = b"\xef\xbb\xbf"

type Ask = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class _Change:
    """What a file holds, None where there is none, and what it is to hold (None: nothing); and the
    entry in it that goes and comes."""

    path: Path
    before: bytes | None
    after: bytes | None
    was: Any = None
    becomes: Any = None

    def shown(self) -> str:
        """What goes and comes; nothing else of the file, which may hold secrets."""
        lines = [f"- {line}" for line in _lines(self.was)]
        return "\n".join([*lines, *(f"+ {line}" for line in _lines(self.becomes))])

    def make(self) -> None:
        """All of it or nothing. Raises BadConfiguration where it cannot be written, or has changed
        meanwhile."""
        path = self.path.resolve()
        try:
            if _content(path) != self.before:
                raise BadConfiguration(f"{path} has just been changed", "Try again")
            if self.after is None:
                path.unlink()
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            made, name = tempfile.mkstemp(prefix=".dicom-mcp-", dir=path.parent)
            try:
                with os.fdopen(made, "wb") as file:
                    file.write(self.after)
                if self.before is not None:
                    with suppress(OSError):
                        Path(name).chmod(path.stat().st_mode & 0o777)
                Path(name).replace(path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise _unwritable(path, error) from None


def connect(
    names: Sequence[str], config: str = "", *, demo: bool, undo: bool, yes: bool, ask: Ask
) -> int:
    """Write dicom-mcp into the configuration of these assistants, or of all that are found, or take
    it out again; returns the exit status. Raises BadConfiguration."""
    chosen = [_client(name) for name in names]
    found = [(client, path) for client in chosen or CLIENTS if (path := client.path())]
    entry = None if undo else _entry(config, demo=demo)
    for client in chosen:
        if client not in [client for client, _ in found]:
            sys.stdout.write(f"{client.name} is not found on this machine: {_looked(client)}\n")
    if not found:
        if not chosen:
            known = ", ".join(client.name for client in CLIENTS)
            sys.stdout.write(f"None of these assistants is found on this machine: {known}.\n")
        if entry:
            _show(chosen or CLIENTS, *entry)
        return 1
    done = [_connect_one(client, path, entry, ask if not yes else None) for client, path in found]
    return 0 if all(done) and len(found) >= len(chosen) else 1


def show_clients(*, demo: bool) -> None:
    """How to do it by hand."""
    _show(CLIENTS, ("serve", "--demo") if demo else (), {})


def _connect_one(
    client: Client,
    path: Path,
    entry: tuple[tuple[str, ...], dict[str, str]] | None,
    ask: Ask | None,
) -> bool:
    """Whether it is as it should be now."""
    sys.stdout.write(f"\n{client.name}: {path}\n")
    try:
        change = _undone(client, path) if entry is None else _written(client, path, *entry)
        if change is None or change.before == change.after:
            sys.stdout.write("Nothing to take out.\n" if entry is None else "It is connected.\n")
            return True
        sys.stdout.write(f"{change.shown()}\n")
        if ask and not is_yes(ask("Change it so", "no")):
            sys.stdout.write("Left as it is.\n")
            return False
        _make(change, is_undo=entry is None)
    except (BadConfiguration, NotJson, ValueError) as error:
        why = str(error) if isinstance(error, BadConfiguration) else f"{path} {error}."
        sys.stdout.write(f"{why} It is left as it is.\n")
        if entry is not None:
            _show((client,), *entry)
        return False
    sys.stdout.write(f"Done. Start {client.name} anew.\n")
    return True


def _entry(config: str, *, demo: bool) -> tuple[tuple[str, ...], dict[str, str]]:
    """Arguments and environment of the server, as it is configured here."""
    if demo:
        return ("serve", "--demo"), {}
    load(config)  # what is wrong is told here, and not by an assistant that does not start
    path = file_in_force(config)
    environment = variables_set()
    if not path and not environment:
        raise BadConfiguration(
            "no archive is configured here",
            "Name one: dicom-mcp init. Or try it with invented patients: dicom-mcp connect --demo",
        )
    return (("--config", str(path.resolve())) if path else ()), environment


def _written(
    client: Client, path: Path, arguments: tuple[str, ...], environment: dict[str, str]
) -> _Change:
    """The change that connects it. Raises NotJson or ValueError for a file that is no such one."""
    before = _content(path)
    text = _text(before or b"")
    entry = client.entry(from_here(*arguments, **environment))
    old = read(text if text.strip() else "{}")
    was = _member(old, client)
    if was == entry:
        return _Change(path, before, before)
    after = written(text if text.strip() else "{}\n", (client.servers, NAME), entry)
    _check(old, after, client, entry)
    return _Change(path, before, _bytes(after, before), was, entry)


def _undone(client: Client, path: Path) -> _Change | None:
    """The change that takes it out: what was there before comes back."""
    before = _content(path)
    if before is None:
        return None
    text, copy = _text(before), _content(_copy_of(path))
    old = read(text if text.strip() else "{}")
    ours = _member(old, client)
    if ours is None:
        return None
    if not starts_us(ours):
        raise ValueError(f'starts something else than dicom-mcp as "{NAME}"')
    previous = _previous(copy)
    was = _member(previous, client) if previous else None
    place = (client.servers, NAME)
    after = without(text, place) if was is None else written(text, place, was)
    _check(old, after, client, was)
    left = dict(read(after).plain)
    had_servers = client.servers in previous.plain if previous else False
    if not left[client.servers] and not had_servers:
        del left[client.servers]
    became: bytes | None = _bytes(after, before)
    if left == (previous.plain if previous else {}):
        became = copy  # every byte as it was; None where the file was made for this
    return _Change(path, before, became, ours, was)


def _previous(copy: bytes | None) -> Value | None:
    """What the copy holds; None where there is none, or where it can no longer be read."""
    with suppress(ValueError):
        if copy and (text := _text(copy)).strip():
            return read(text)
    return None


def _check(old: Value, after: str, client: Client, entry: Any) -> None:
    """Raise ValueError unless the change does this and nothing else."""
    expected: dict[str, Any] = dict(old.plain)
    servers = {**expected.get(client.servers, {}), NAME: entry}
    if entry is None:
        del servers[NAME]
    if read(after).plain != {**expected, client.servers: servers}:
        raise ValueError("cannot be changed without changing more than that")


def _member(whole: Value, client: Client) -> Any:
    """The entry that is there; None where there is none. Raises ValueError for what holds none."""
    if not whole.is_object:
        raise ValueError("holds no object")
    servers = whole.plain.get(client.servers, {})
    if not isinstance(servers, dict):
        raise ValueError(f'has something else than an object as "{client.servers}"')
    return whole.plain.get(client.servers, {}).get(NAME)


def _make(change: _Change, *, is_undo: bool) -> None:
    path = change.path.resolve()
    copy = _copy_of(path)
    if change.before is not None and not os.access(path, os.W_OK):
        raise _unwritable(path, PermissionError(13, "it is read-only"))
    if change.before is not None and path.stat().st_mode & 0o222 == 0:
        raise _unwritable(path, PermissionError(13, "it is read-only"))
    if not is_undo and change.before is not None and (change.was is None or not copy.exists()):
        _Change(copy, _content(copy), change.before).make()
    change.make()
    if is_undo:
        with suppress(OSError):
            copy.unlink(missing_ok=True)
    elif change.before is not None:
        sys.stdout.write(f"As it was: {copy}\n")


def _copy_of(path: Path) -> Path:
    path = path.resolve()
    return path.with_name(path.name + _COPY)


def _content(path: Path) -> bytes | None:
    """What the file holds, None where there is none. Raises BadConfiguration where it cannot be
    read."""
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise BadConfiguration(f"{path} cannot be read: it is no file")
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadConfiguration(f"{path} cannot be read: {error.strerror}") from None


def _text(content: bytes) -> str:
    """Raises ValueError for other encodings than UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None


def _bytes(text: str, before: bytes | None) -> bytes:
    return (_MARK if (before or b"").startswith(_MARK) else b"") + text.encode()


def _lines(entry: Any) -> list[str]:
    told = json.dumps({NAME: entry}, indent=2, ensure_ascii=False).splitlines()
    return told[1:-1] if entry is not None else []


def _unwritable(path: Path, error: OSError) -> BadConfiguration:
    return BadConfiguration(
        f"{path} cannot be written: {error.strerror}", "Change it by hand, or have it made writable"
    )


def _client(name: str) -> Client:
    known = {client.name.lower().replace(" ", "-"): client for client in CLIENTS}
    plain = name.strip().lower().replace(" ", "-").replace("_", "-")
    found = known.get(plain) or {key.replace("-", ""): client for key, client in known.items()}.get(
        plain
    )
    if found:
        return found
    near = did_you_mean(plain, known)
    raise BadConfiguration(
        f"there is no assistant {name[:80]!r} known here",
        (f"Did you mean {near}? " if near else "") + f"Known: {', '.join(known)}",
    )


def _looked(client: Client) -> str:
    return f"there is none of {', '.join(map(str, dict.fromkeys(client.paths())))}."


def _show(
    clients: Sequence[Client], arguments: Sequence[str], environment: Mapping[str, str]
) -> None:
    """How to do it by hand; assistants that take the same configuration together."""
    launch = from_here(*arguments, **environment)
    alike: dict[str, list[str]] = {}
    for client in clients:
        places = alike.setdefault(client.configuration(launch), [])
        places.append(f"{client.name}: {client.place}")
    for configuration, places in alike.items():
        sys.stdout.write("\n".join(["", *places, configuration, ""]))
