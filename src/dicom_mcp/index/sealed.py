"""Encrypted files, as an engine reads and writes them: what it takes for a file is parted into
blocks, each encrypted by itself (AES-256-GCM), so that any part of it can be read alone.

A file begins with a salt, from which and the index's key its own key is made; its blocks are
numbered, and know the name of the file and whether they are the last, so that none can be left out,
moved, or taken from elsewhere. The engine's own encryption of Parquet was tried (decisions/0038).
"""

import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .encryption import key_of_file

# Its types are not told.
_FILE_SYSTEM: Any = import_module("fsspec").AbstractFileSystem

# What the name of an encrypted file begins with, for an engine.
SCHEME = "sealed"

_SALT, _TAG, _BLOCK = 32, 16, 1 << 16
_WHOLE = _BLOCK + _TAG


class _Sealed:
    """What is common to a file that is read and one that is written."""

    def __init__(self, path: Path, key: str, salt: bytes) -> None:
        self._cipher = AESGCM(key_of_file(key, salt))
        self._name = f"{path.parent.name}/{path.stem}"

    def _place(self, number: int, *, is_last: bool) -> tuple[bytes, bytes]:
        """The nonce of a block, and what is authenticated with it."""
        return number.to_bytes(12, "big"), f"{self._name} {is_last:d}".encode()


class Reading(_Sealed):
    """A file that is read, by any number of threads; each has a position of its own."""

    def __init__(self, path: Path, key: str) -> None:
        self._file = path.open("rb")
        self._lock = threading.Lock()
        self._at = threading.local()
        super().__init__(path, key, self._file.read(_SALT))
        length = path.stat().st_size - _SALT
        self._blocks = -(-length // _WHOLE)
        self.size = max(length - self._blocks * _TAG, 0)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Where this thread reads next."""
        self._at.here = offset + {os.SEEK_CUR: self.tell(), os.SEEK_END: self.size}.get(whence, 0)
        return self._at.here

    def tell(self) -> int:
        """Where this thread reads next."""
        return getattr(self._at, "here", 0)

    def read(self, count: int = -1) -> bytes:
        """So many bytes from there on, or all; none of what was changed, which an engine tells as a
        file that cannot be read."""
        here = self.tell()
        end = self.size if count < 0 else min(here + count, self.size)
        first = here // _BLOCK
        several = range(first, max(-(-end // _BLOCK), first))
        with self._lock:
            self._file.seek(_SALT + first * _WHOLE)
            raw = memoryview(self._file.read(len(several) * _WHOLE))
        plain = bytearray()
        try:
            for number in several:
                place = self._place(number, is_last=number == self._blocks - 1)
                block = raw[(number - first) * _WHOLE :][:_WHOLE]
                plain += self._cipher.decrypt(place[0], block, place[1])
        except (InvalidTag, ValueError):
            return b""
        self._at.here = max(end, here)
        return bytes(plain[here - first * _BLOCK : end - first * _BLOCK])

    def close(self) -> None:
        """Close it."""
        self._file.close()

    def __del__(self) -> None:  # an engine closes none
        with suppress(AttributeError):  # that could not be opened
            self.close()


class Writing(_Sealed):
    """A file that is written from its beginning to its end."""

    def __init__(self, path: Path, key: str) -> None:
        salt = os.urandom(_SALT)
        super().__init__(path, key, salt)
        self._file = path.open("wb")
        self._file.write(salt)
        self._left = bytearray()
        self._written = 0

    def write(self, plain: bytes) -> int:
        """Go on with this."""
        self._left += plain
        while len(self._left) > _BLOCK:  # the last one is written when it is known to be
            self._put(is_last=False)
        return len(plain)

    def tell(self) -> int:
        """How much was written."""
        return self._written * _BLOCK + len(self._left)

    def flush(self) -> None:
        """Nothing: a block is written when it is whole."""

    def close(self) -> None:
        """Write what is left, and close it."""
        if self._file.closed:
            return
        try:
            self._put(is_last=True)
        finally:
            self._file.close()

    def _put(self, *, is_last: bool) -> None:
        nonce, beside = self._place(self._written, is_last=is_last)
        self._file.write(self._cipher.encrypt(nonce, bytes(self._left[:_BLOCK]), beside))
        del self._left[:_BLOCK]
        self._written += 1


class SealedFiles(_FILE_SYSTEM):
    """The files that are encrypted with one key, for an engine."""

    protocol = SCHEME
    cachable = False

    def __init__(self, key: str) -> None:
        self._key = key

    def open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        """The file, to be read or written."""
        return (Writing if "w" in mode else Reading)(_path(path), self._key)

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """How large it is when it is decrypted."""
        file = Reading(_path(path), self._key)
        file.close()
        return {"name": path, "size": file.size, "type": "file"}

    def exists(self, path: str, **_: Any) -> bool:
        """Whether it is there."""
        return _path(path).exists()

    def isfile(self, path: str) -> bool:
        """Whether it is there."""
        return _path(path).is_file()

    def glob(self, path: str, **_: Any) -> Iterable[str]:
        """This one: its name is no pattern."""
        return [path]

    def modified(self, path: str) -> datetime:
        """When it was written."""
        return datetime.fromtimestamp(_path(path).stat().st_mtime, UTC)


def _path(name: str) -> Path:
    return Path(name.removeprefix(f"{SCHEME}://"))
