"""The key of an index whose files are encrypted."""

import base64
import hmac
from importlib.util import find_spec

from ..errors import IndexUnavailable


def mark_of(key: str) -> str:
    """What tells whether a key is this one, and not which; "" for none."""
    return hmac.digest(base64.b64decode(key), b"dicom-mcp index", "sha256").hex() if key else ""


def key_of_file(key: str, salt: bytes) -> bytes:
    """The key of one file, 32 bytes (HMAC-SHA256 of a random salt)."""
    return hmac.digest(base64.b64decode(key), b"dicom-mcp file" + salt, "sha256")


def check_installed() -> None:
    """Raise IndexUnavailable where nothing can be encrypted."""
    if find_spec("fsspec") is None or find_spec("cryptography") is None:
        raise IndexUnavailable(
            "the index is encrypted, which needs fsspec and cryptography, and one is not installed",
            "Install dicom-archive-mcp with the extra encrypted: dicom-archive-mcp[encrypted]",
        )
