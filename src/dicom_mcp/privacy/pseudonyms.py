"""Pseudonyms: what patients, studies and their numbers are called where their names are not told.

One is made of its value and the operator's key alone (HMAC-SHA256 of 80 bits, in Crockford's
letters), so that it is the same in every answer of every server that has the key, and tells nothing
to who has not. Which value is behind one stands in a map, encrypted under the same key: only of
those that were given out.
"""

import base64
import hmac
import json
import os
import re
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadArgument, BadConfiguration
from ..machine import keep_to_owner

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# What one may be of, by its first letters.
KINDS: Mapping[str, str] = {
    "PAT": "patient",
    "STU": "study",
    "SER": "series",
    "IMG": "instance",
    "ACC": "accession number",
    "UID": "UID",
    "PER": "person",
}

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_DIGITS, _GROUP = 16, 4
PATTERN = re.compile(
    rf"\b(?:{'|'.join(KINDS)})(?:-[0-9A-HJKMNP-TV-Z]{{4}}){{4}}(?![\w-])", re.IGNORECASE
)

# The file of the map.
MAP = "pseudonyms.sqlite"
_SECONDS = 10.0  # that a server waits for another one to write
_NONCE = 12

# Those that are known to stand in the map; more are written again, which changes nothing.
_MOST_REMEMBERED = 200_000


def derived(key: str, purpose: str) -> bytes:
    """A key for one purpose, of the operator's own (in Base64)."""
    return hmac.digest(base64.b64decode(key), f"dicom-mcp {purpose}".encode(), "sha256")


class Pseudonyms:
    """The pseudonyms of one key, and the map in a folder. Safe to use from several threads, and
    beside other servers.

    Raises BadConfiguration for a map that another key made, that cannot be opened or written, and
    where nothing can be encrypted.
    """

    def __init__(self, key: str, folder: Path) -> None:
        self._naming = derived(key, "pseudonyms")
        self._sealing = derived(key, "map of pseudonyms")
        self._path = folder / MAP
        self._lock = threading.Lock()
        self._written: dict[str, int] = {}  # and how much stands beside each
        check_installed()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            keep_to_owner(folder, 0o700)
            self._rows = sqlite3.connect(
                self._path, timeout=_SECONDS, isolation_level=None, check_same_thread=False
            )
            keep_to_owner(self._path, 0o600)
            self._rows.executescript(
                "CREATE TABLE IF NOT EXISTS named (pseudonym TEXT PRIMARY KEY, sealed BLOB) "
                "WITHOUT ROWID; CREATE TABLE IF NOT EXISTS made (mark TEXT)"
            )
            mark = derived(key, "mark").hex()
            self._rows.execute(
                "INSERT INTO made SELECT ? WHERE NOT EXISTS (SELECT * FROM made)", (mark,)
            )
            ((other,),) = self._rows.execute("SELECT mark FROM made LIMIT 1").fetchall()
        except (OSError, sqlite3.Error) as error:
            raise BadConfiguration(
                f"the map of pseudonyms {self._path} cannot be used: {error}",
                "Name another folder under [privacy], or bring back its backup",
            ) from None
        if other != mark:
            raise BadConfiguration(
                f"the map of pseudonyms {self._path} was made with another key",
                "Give that key, or another folder under [privacy]",
            )

    def of(self, kind: str, value: str, **beside: str) -> str:
        """The pseudonym of a value, a name that `KINDS` has for its kind; from now on it can be
        read, with what stands `beside` the value."""
        return self.of_several(kind, [(value, beside)])[0]

    def of_several(self, kind: str, values: Iterable[tuple[str, Mapping[str, str]]]) -> list[str]:
        """The same for several at once."""
        made = [(self._made(kind, value), value, beside) for value, beside in values]
        with self._lock:
            new = {
                name: (value, beside)
                for name, value, beside in made
                if self._written.get(name, -1) < len(beside)
            }
            if new:
                self._put(new)
        return [name for name, *_ in made]

    def read(self, pseudonym: str) -> dict[str, str]:
        """What is behind it: its `kind`, its `value`, and what was known beside it.

        Raises BadArgument for one that this key did not give out, and BadConfiguration for an
        entry that was changed.
        """
        name = pseudonym.upper()
        with self._lock:
            found = self._rows.execute(
                "SELECT sealed FROM named WHERE pseudonym = ?", (name,)
            ).fetchone()
        if found is None:
            raise BadArgument(
                f"{name} is no pseudonym that was given out here", "Copy it from an earlier answer"
            )
        sealed: bytes = found[0]
        from cryptography.exceptions import InvalidTag

        try:
            plain = self._cipher().decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode())
        except InvalidTag:
            raise BadConfiguration(
                f"what stands under {name} in the map of pseudonyms {self._path} was changed",
                "Bring back its backup",
            ) from None
        return {"kind": KINDS[name[:3]], **json.loads(plain)}

    def number(self, value: str) -> int:
        """A number that is always the same for this value, and tells nothing of it."""
        return int.from_bytes(hmac.digest(self._naming, f"number\0{value}".encode(), "sha256"))

    def replaced(self, text: str, put: Callable[[dict[str, str]], str]) -> str:
        """The text with what `put` makes of each pseudonym in it. Raises as `read` does."""
        return PATTERN.sub(lambda found: put(self.read(found[0])), text)

    def close(self) -> None:
        """Close the map."""
        with self._lock:
            self._rows.close()

    def _made(self, kind: str, value: str) -> str:
        digest = hmac.digest(self._naming, f"{kind}\0{value}".encode("utf-8", "replace"), "sha256")
        number = int.from_bytes(digest[: _DIGITS * 5 // 8])
        digits = "".join(_LETTERS[number >> 5 * place & 31] for place in range(_DIGITS))
        groups = (digits[at : at + _GROUP] for at in range(0, _DIGITS, _GROUP))
        return "-".join((kind, *groups))

    def _put(self, new: Mapping[str, tuple[str, Mapping[str, str]]]) -> None:
        cipher, rows = self._cipher(), list[dict[str, str | bytes | bool]]()
        for name, (value, beside) in new.items():
            nonce = os.urandom(_NONCE)
            plain = json.dumps({"value": value, **beside}).encode()
            sealed = nonce + cipher.encrypt(nonce, plain, name.encode())
            rows.append({"name": name, "sealed": sealed, "better": bool(beside)})
        try:
            with closing(self._rows.cursor()) as cursor:
                cursor.execute("BEGIN IMMEDIATE")
                cursor.executemany(
                    "INSERT INTO named VALUES (:name, :sealed) "
                    "ON CONFLICT DO UPDATE SET sealed = :sealed WHERE :better",
                    rows,
                )
                cursor.execute("COMMIT")
        except sqlite3.Error as error:
            if self._rows.in_transaction:
                self._rows.execute("ROLLBACK")
            raise BadConfiguration(
                f"the map of pseudonyms {self._path} cannot be written: {error}",
                "Have the operator of this server look at its disk and its rights",
            ) from None
        if len(self._written) > _MOST_REMEMBERED:
            self._written.clear()
        self._written |= {name: len(beside) for name, (_, beside) in new.items()}

    def _cipher(self) -> "AESGCM":
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._sealing)


def check_installed() -> None:
    """Raise BadConfiguration where nothing can be encrypted."""
    if find_spec("cryptography") is None:
        raise BadConfiguration(
            "pseudonyms need cryptography, which is not installed",
            "Install dicom-archive-mcp with the extra private: dicom-archive-mcp[private]",
        )
