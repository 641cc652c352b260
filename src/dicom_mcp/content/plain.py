"""Text of an object as text to be read: nothing in it hides, moves or repeats the reader's eye.

What an archive holds is data for whoever reads it. A character that cannot be seen, or that changes
the order of those that can, is shown as `\\u{…}`; none is dropped.
"""

import re
import unicodedata

from ..standard.charset import visible

# Invisible although their category says letter or mark (Unicode's Default_Ignorable_Code_Point).
_INVISIBLE = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0}
    | set(range(0x180B, 0x1810))
    | set(range(0xFE00, 0xFE10))
    | set(range(0xE0100, 0xE01F0))
)

# Control, format, surrogate, private, unassigned, line and paragraph separator.
_SHOWN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

# Joiners are spelling in Persian and in the scripts of India, between two letters.
_JOINER = re.compile("[\u200c\u200d]")
_CASELESS = frozenset({"Lo", "Mn", "Mc"})

_LINE_END = re.compile("\r\n|[\r\f\v\x85\u2028\u2029]")


class _Letters(dict[int, str]):
    """How each character is written, worked out when it is first met; for str.translate."""

    def __init__(self, *kept: str) -> None:
        super().__init__((ord(character), character) for character in (*kept, "\u200c", "\u200d"))

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        hidden = code in _INVISIBLE or unicodedata.category(letter) in _SHOWN
        shown = f"\\u{{{code:X}}}" if hidden else letter
        if len(self) < _MOST_LETTERS:  # bounded: whoever wrote the text chose its characters
            self[code] = shown
        return shown


_MOST_LETTERS = 16_384
_IN_LINES, _IN_A_LINE = _Letters("\n", "\t"), _Letters()


def plain_text(text: str, *, lines: bool = False) -> str:
    """The text with every character that cannot be seen shown as `\\u{…}`.

    With `lines`, line ends of any kind become `\\n` and tabs stay; without, they are shown too:
    a value of one line can not look like two.
    """
    if text.isprintable() and text.isascii():
        return text
    text = visible(text)
    if lines:
        text = _LINE_END.sub("\n", text)
    text = text.translate(_IN_LINES if lines else _IN_A_LINE)
    return _JOINER.sub(_joiner, text)


def capped(text: str, most: int) -> str:
    """The first `most` characters, with a mark that says how many were left out."""
    left = len(text) - most
    return text if left <= 0 else f"{text[:most]}… [{left:,} more characters left out]"


def _joiner(found: re.Match[str]) -> str:
    """A joiner as it is between two letters that have no case, else shown."""
    place = found.start()
    around = found.string[max(place - 1, 0) : place] + found.string[place + 1 : place + 2]
    joins = len(around) == 2 and all(
        unicodedata.category(character) in _CASELESS for character in around
    )
    return found[0] if joins else f"\\u{{{ord(found[0]):X}}}"
