"""Text of an object as text to be read: nothing in it hides, moves or repeats the reader's eye.

What an archive holds is data for whoever reads it. A character that cannot be seen, or that changes
the order of those that can, is shown as `\\u{…}`; none is dropped.
"""

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
_JOINERS = frozenset("\u200c\u200d")
_CASELESS = frozenset({"Lo", "Mn", "Mc"})


def plain_text(text: str, *, lines: bool = False) -> str:
    """The text with every character that cannot be seen shown as `\\u{…}`.

    With `lines`, line ends of any kind become `\\n` and tabs stay; without, they are shown too:
    a value of one line can not look like two.
    """
    text = visible(text)
    if text.isprintable() and text.isascii():
        return text
    if lines:
        text = text.replace("\r\n", "\n")
        for end in "\r\f\v\x85\u2028\u2029":
            text = text.replace(end, "\n")
    return "".join(
        letter if _is_plain(text, place, lines) else f"\\u{{{ord(letter):X}}}"
        for place, letter in enumerate(text)
    )


def capped(text: str, most: int) -> str:
    """The first `most` characters, with a mark that says how many were left out."""
    left = len(text) - most
    return text if left <= 0 else f"{text[:most]}… [{left:,} more characters left out]"


def _is_plain(text: str, place: int, lines: bool) -> bool:
    letter = text[place]
    if " " <= letter <= "~":
        return True
    if lines and letter in "\n\t":
        return True
    if letter in _JOINERS:
        around = text[max(place - 1, 0) : place] + text[place + 1 : place + 2]
        return len(around) == 2 and all(unicodedata.category(one) in _CASELESS for one in around)
    return ord(letter) not in _INVISIBLE and unicodedata.category(letter) not in _SHOWN
