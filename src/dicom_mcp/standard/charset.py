"""Text as bytes: Specific Character Set (0008,0005), PS3.3 C.12.1.1.2 and PS3.5 6.1."""

import re
from collections.abc import Callable
from functools import lru_cache

# A question with other than ASCII text goes out in UTF-8: every character has a place in it.
UTF_8 = "ISO_IR 192"

# Characters after which code extensions fall back to the first set (PS3.5 6.1.2.5.3).
_DELIMITERS = {ord(character) for character in "\\\t\n\f\r"}
_PN_DELIMITERS = _DELIMITERS | {ord("^"), ord("=")}

# As a number: `b"\x1b" in raw` takes 250 ns, this 15, and every text of every row is asked.
_ESCAPE = 0x1B


@lru_cache(maxsize=256)  # bounded: an archive chooses what it declares
def decoder(declared: str) -> Callable[[bytes, str], str]:
    """How to read text under this value of Specific Character Set (backslash-separated).

    The returned function takes a raw value and its VR. A byte the declared set has no character
    for becomes a lone surrogate, which `visible` shows once values are told apart; nothing is
    dropped. Text that is not ASCII and undeclared, or declared as Latin-1, is read as UTF-8 if it
    is that, else as Latin-1.
    """
    if not declared.strip("\\ \0"):
        return _undeclared
    encodings = _encodings(declared)

    def decode(raw: bytes, vr: str) -> str:
        if _ESCAPE not in raw:
            if raw.isascii():
                return raw.decode("ascii")
            if encodings[0] == _DEFAULT:  # a lie: there are only ASCII characters in it
                return _undeclared(raw, vr)
            if encodings[0] == _LATIN_1:
                return _latin_1(raw)
            return raw.decode(encodings[0], errors="surrogateescape")
        from pydicom.charset import decode_bytes

        try:
            text = decode_bytes(raw, encodings, _PN_DELIMITERS if vr == "PN" else _DELIMITERS)
        except (UnicodeError, LookupError, UserWarning):
            text = "\ufffd"
        return raw.decode("ascii", errors="surrogateescape") if "\ufffd" in text else text

    return decode


def visible(text: str) -> str:
    """The text with every byte that is no character shown as `\\xNN`."""
    if text.isascii() or text.isprintable():  # a lone surrogate is neither
        return text
    return _NO_CHARACTER.sub(lambda found: f"\\x{ord(found[0]) - 0xDC00:02x}", text)


_NO_CHARACTER = re.compile("[\udc80-\udcff]")


def _undeclared(raw: bytes, vr: str) -> str:  # noqa: ARG001 - one shape for every decoder
    return _latin_1(raw)


def _latin_1(raw: bytes) -> str:
    """Archives that were moved to UTF-8 often go on declaring Latin-1, in which such bytes would be
    letters followed by symbols and controls: no text anybody wrote."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _encodings(declared: str) -> list[str]:
    """Python's codec for each declared set, `_DEFAULT` for one that nobody defined."""
    from pydicom.charset import STAND_ALONE_ENCODINGS, python_encoding

    first, *others = (_defined_term(name.strip(" \0")) for name in declared.split("\\"))
    if first in STAND_ALONE_ENCODINGS:  # these know no code extensions (PS3.3 C.12.1.1.2)
        others = []
    names = [first, *(name for name in others if name not in STAND_ALONE_ENCODINGS)]
    return [python_encoding.get(name, _DEFAULT) for name in names]


def _defined_term(name: str) -> str:
    """The defined term a common misspelling stands for: `ISO IR 100`, `ISO_2022_IR_87`."""
    found = _MISSPELT.fullmatch(name)
    return f"ISO{' 2022 ' if found[1] else '_'}IR {found[2]}" if found else name


_MISSPELT = re.compile(r"ISO[ _-]?(2022)?[ _-]?IR[ _-]?([0-9]{1,3})", re.IGNORECASE | re.ASCII)

# pydicom's codec of ISO_IR 100.
_LATIN_1 = "latin_1"

# pydicom's codec of the default repertoire, ISO-IR 6.
_DEFAULT = "iso8859"
