"""`dicom-mcp whois` and what an operator does with the key and the map of pseudonyms: make, change,
back up, destroy."""

import base64
import getpass
import json
import os
import shutil
import sqlite3
import sys
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from ..config import Settings, load
from ..content.plain import plain_text
from ..door.keeping import folder_of
from ..errors import BadConfiguration
from ..machine import keep_to_owner
from ..privacy.pseudonyms import MAP, Pseudonyms
from ..privacy.settings import PrivacySettings
from ..setting import a_key
from .ask import asked, is_yes

# Who was looked up, by whom, when and why: a line of JSON each.
_LOG = "whois.jsonl"
_KEY = "key"


def whois(config: str, pseudonym: str, reason: str, backup: str = "") -> int:
    """Say who or what is behind a pseudonym; that it was asked is written down first."""
    if not reason.strip():
        raise BadConfiguration("--reason is empty", "Say what it is looked up for: it is kept")
    settings = load(config)
    privacy = _privacy(settings)
    key, folder = privacy.key, folder_of(privacy)
    _write_down(folder, pseudonym=pseudonym.upper(), reason=reason)
    if backup:
        folder = Path(backup)
        key = _read_key(folder / _KEY)
    with closing(Pseudonyms(key, folder)) as pseudonyms:
        read = pseudonyms.read(pseudonym)
    beside = "".join(f", {plain_text(value)}" for name, value in read.items() if name == "name")
    sys.stdout.write(f"{read['kind']} {plain_text(read['value'])}{beside}\n")
    return 0


def make_key(file: str) -> int:
    """Make a key, and say how the configuration file names it."""
    path = Path(file).expanduser().absolute()
    _write_key(path)
    sys.stdout.write(
        f"{path} is the key of the pseudonyms: whoever has it and the map can tell who they are. "
        "Keep a copy of it where patients' records are kept. In the configuration file:\n\n"
        f'[privacy]\nmode = "pseudonym"\nkey_file = "{path.as_posix()}"\n'
    )
    return 0


def back_up(config: str, folder: str) -> int:
    """Copy the key and the map into a new folder."""
    privacy = _privacy(settings := load(config))
    into = Path(folder).expanduser()
    _copy(privacy, into)
    sys.stdout.write(f"{into} has the map and the key: keep it as you keep patients' records.\n")
    if _key_file(settings) is None:
        sys.stdout.write("The key came from a variable; it is in the backup all the same.\n")
    return 0


def rotate(config: str) -> int:
    """Go on with a new key, under which everybody has another pseudonym."""
    settings = load(config)
    privacy = _privacy(settings)
    file = _key_file(settings)
    if file is None:
        raise BadConfiguration(
            "the key is in a variable, which this command cannot change",
            "Back up with `dicom-mcp privacy backup`, put another key there, and name another "
            "folder under [privacy]",
        )
    folder = folder_of(privacy)
    old = folder / f"until-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    _copy(privacy, old)
    file.unlink()
    _write_key(file)
    _remove_map(folder)
    sys.stdout.write(
        f"There is a new key. Restart the servers that use it: pseudonyms given out before are not "
        f"understood any longer. Who they are: dicom-mcp whois … --backup {old}\n"
    )
    return 0


def destroy(config: str, *, yes: bool) -> int:
    """Remove the key and the map: nobody can tell any longer who had which pseudonym."""
    settings = load(config)
    privacy = _privacy(settings)
    folder, file = folder_of(privacy), _key_file(settings)
    question = f"Remove the map in {folder}" + (f" and the key {file}" if file else "")
    if not yes and not is_yes(asked(f"{question}? Nothing brings them back", "no")):
        return 1
    _remove_map(folder)
    if file:
        _overwrite(file)
    sys.stdout.write(
        "Removed. Backups, and copies of the key elsewhere, are yours to remove."
        + ("" if file else " The key is in a variable: take it out of there.")
        + "\n"
    )
    return 0


def _privacy(settings: Settings) -> PrivacySettings:
    privacy = settings.privacy
    if privacy is None or not privacy.key:
        raise BadConfiguration(
            "no pseudonyms are set up: [privacy] of the configuration file names no key",
            "Make one: dicom-mcp privacy key FILE",
        )
    return privacy


def _key_file(settings: Settings) -> Path | None:
    """The file that the key is from, if it is from one."""
    key = _privacy(settings).key
    for path in settings.secret_files:
        with suppress(BadConfiguration):
            if _read_key(path) == key:
                return path
    return None


def _read_key(path: Path) -> str:
    try:
        return a_key(str(path))(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"the key {path} cannot be read: {error}") from None


def _write_key(path: Path) -> None:
    """Write a new one. Raises BadConfiguration where something is there already."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(base64.b64encode(os.urandom(32)).decode() + "\n")
    except FileExistsError:
        raise BadConfiguration(f"{path} exists", "Name a file that does not") from None
    except OSError as error:
        raise BadConfiguration(f"{path} cannot be written: {error.strerror}") from None


def _copy(privacy: PrivacySettings, into: Path) -> None:
    """The key and the map, as they are now, into a folder that is new."""
    source = folder_of(privacy) / MAP
    try:
        into.mkdir(parents=True)
        keep_to_owner(into, 0o700)
        if source.exists():
            with (
                closing(sqlite3.connect(source)) as old,
                closing(sqlite3.connect(into / MAP)) as new,
            ):
                old.backup(new)
            keep_to_owner(into / MAP, 0o600)
        (into / _KEY).write_text(privacy.key + "\n")
        keep_to_owner(into / _KEY, 0o600)
    except (OSError, sqlite3.Error) as error:
        raise BadConfiguration(f"{into} cannot be written: {error}") from None


def _remove_map(folder: Path) -> None:
    for path in folder.glob(f"{MAP}*"):
        _overwrite(path)


def _overwrite(path: Path) -> None:
    """Remove a file, and first what is in it: as far as a file system writes where it wrote."""
    try:
        size = path.stat().st_size
        with path.open("r+b") as file:
            shutil.copyfileobj(_Noise(size), file)
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except OSError as error:
        raise BadConfiguration(f"{path} cannot be removed: {error.strerror}") from None


class _Noise:
    """So many random bytes."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1) -> bytes:
        count = self._left if size < 0 else min(size, self._left)
        self._left -= count
        return os.urandom(count)


def _write_down(folder: Path, **facts: str) -> None:
    line = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "who": _user(), **facts}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / _LOG).open("a", encoding="utf-8") as file:
            keep_to_owner(folder / _LOG, 0o600)
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    except OSError as error:
        raise BadConfiguration(
            f"{folder / _LOG} cannot be written: {error.strerror}",
            "Nobody is looked up without its being written down there",
        ) from None


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"
