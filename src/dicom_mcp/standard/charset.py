"""Text as bytes: Specific Character Set (0008,0005), PS3.3 C.12.1.1.2 and PS3.5 6.1."""

import warnings
from collections.abc import Callable
from functools import cache

# A question with other than ASCII text goes out in UTF-8: every character has a place in it.
UTF_8 = "ISO_IR 192"

# Characters after which code extensions fall back to the first set (PS3.5 6.1.2.5.3).
_DELIMITERS = {ord(character) for character in "\\\t\n\f\r"}
_PN_DELIMITERS = _DELIMITERS | {ord("^"), ord("=")}

_ESCAPE = b"\x1b"


@cache
def decoder(declared: str) -> Callable[[bytes, str], str]:
    """How to read text under this value of Specific Character Set (backslash-separated).

    The returned function takes a raw value and its VR. A byte the declared set has no character
    for stays visible as `\\xNN`; nothing is dropped. Undeclared text that is not ASCII is read
    as UTF-8 if it is that, else as Latin-1.
    """
    if not declared.strip("\\ "):
        return _undeclared
    encodings = _encodings(declared)

    def decode(raw: bytes, vr: str) -> str:
        if _ESCAPE not in raw:
            if raw.isascii():
                return raw.decode("ascii")
            return raw.decode(encodings[0], errors="backslashreplace")
        from pydicom.charset import decode_bytes

        try:
            text = decode_bytes(raw, encodings, _PN_DELIMITERS if vr == "PN" else _DELIMITERS)
        except (UnicodeError, LookupError, UserWarning):
            text = "\ufffd"
        return raw.decode("ascii", errors="backslashreplace") if "\ufffd" in text else text

    return decode


def _undeclared(raw: bytes, vr: str) -> str:  # noqa: ARG001 - one shape for every decoder
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _encodings(declared: str) -> list[str]:
    from pydicom.charset import convert_encodings

    names = [name.strip() for name in declared.split("\\")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return convert_encodings(names)
