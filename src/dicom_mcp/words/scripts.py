"""Other scripts than Latin that names are held in, and by which letter such a name is found."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from .letters import in_ascii

# Latin letters that say least often who is meant stand last; those that make another sound with
# their neighbour (sh, kh, ts, ya …) say nothing.
_TELLING = "fbzpdmgvlkrtns"
_TOGETHER = re.compile(
    r"(?:shch|sch|sh|ch|kh|zh|ts|tz|th|ph|ps|dj|gh|ng|nk|mp|nt|ks|[bdfgklmnprstvz]{2})"
)


@dataclass(frozen=True, slots=True)
class Script:
    """Letters of a script, each for one Latin letter, and those that hardly any name lacks.

    Without `letters` a name in it cannot be told from how it is written in Latin letters.
    """

    name: str
    common: str
    letters: Mapping[str, str]

    def keys(self, text: str) -> tuple[str, ...]:
        """Keys that find everybody whose name in this script is this one, and others; or, of a
        script without `letters`, hardly nobody whose name is in it."""
        words = re.findall("[a-z]+", in_ascii(text).lower())
        rest = "".join(_TOGETHER.sub(" ", word) for word in words)
        telling = next(
            (letter for letter in _TELLING if letter in rest and letter in self.letters), ""
        )
        return tuple(f"*{letter}*" for letter in self.letters.get(telling, self.common))


SCRIPTS = (
    Script("Cyrillic", "а", dict(zip("bzpdmgvlkrtnsf", "бзпдмгвлкртнсф", strict=True))),
    Script("Greek", "α", dict(zip("fpmlkrtn", "φπμλκρτν", strict=True))),
    Script("Hebrew", "י", {}),
    Script("Arabic", "ا", {}),
    Script("Thai", "น", {}),
    Script("Hangul", "김이", {}),
    Script("Chinese or Japanese", "", {}),
)

# What is a letter's script by the first word of its name (Unicode), if it is not called so.
_CALLED: dict[str, str] = {
    "CJK": "Chinese or Japanese",
    "HIRAGANA": "Chinese or Japanese",
    "KATAKANA": "Chinese or Japanese",
}


def only_script(name: str) -> Script | None:
    """The script that a PN value is written in, if no group of it has Latin letters and it cannot
    be told how these would be."""
    found: Script | None = None
    for letter in filter(str.isalpha, name):
        word = unicodedata.name(letter, "").partition(" ")[0]
        if word in ("LATIN", "FULLWIDTH"):
            return None
        called = _CALLED.get(word, word.capitalize())
        found = next(
            (script for script in SCRIPTS if script.name == called and not script.letters), found
        )
    return found
