"""One name for each maker of equipment, whatever it was called when the equipment was made."""

import re

# Words that tell a maker: its name today, and those of what it bought or was called before.
_MAKERS: dict[str, tuple[str, ...]] = {
    "Agfa": ("agfa",),
    "Canon": ("canon", "toshiba"),
    "Carestream": ("carestream", "kodak"),
    "Elekta": ("elekta",),
    "Esaote": ("esaote",),
    "Fujifilm": ("fujifilm", "fuji", "fujinon"),
    "GE": ("ge", "gems", "general electric", "gehc"),
    "Hitachi": ("hitachi",),
    "Hologic": ("hologic", "lorad"),
    "Konica Minolta": ("konica", "minolta"),
    "Mindray": ("mindray",),
    "Philips": ("philips", "picker", "marconi", "adac"),
    "Planmeca": ("planmeca",),
    "Samsung": ("samsung", "medison", "neurologica"),
    "Shimadzu": ("shimadzu",),
    "Siemens": ("siemens", "acuson", "cti"),
    "United Imaging": ("uih", "united imaging"),
    "Varian": ("varian",),
    "Ziehm": ("ziehm",),
}

_NAMES = {word: maker for maker, words in _MAKERS.items() for word in words}
_WORDS = re.compile("|".join(rf"\b{re.escape(word)}\b" for word in sorted(_NAMES, key=len)[::-1]))


def manufacturer(text: str) -> str:
    """The maker that a Manufacturer (PS3.3 C.7.5.1) names; as it is written where none is known."""
    return known_maker(text) or " ".join(text.split())


def known_maker(text: str) -> str:
    """The maker that a text names; "" for one that is not known."""
    found = _WORDS.search(re.sub(r"[_.,]+", " ", text.casefold()))
    return _NAMES[found[0]] if found else ""


def is_maker(text: str) -> bool:
    """Whether a text is a known maker's name and nothing but what stands beside one in trade."""
    plain = re.sub(r"[_.,&]+", " ", text.casefold())
    return bool(_WORDS.search(plain)) and set(_WORDS.sub(" ", plain).split()) <= _TRADE


_TRADE = frozenset(
    (
        *("ag", "america", "bv", "co", "company", "corp", "corporation", "diagnostic"),
        *("diagnostics", "electronics", "europe", "gmbh", "health", "healthcare", "healthineers"),
        *("imaging", "inc", "international", "japan", "kg", "kk", "limited", "llc", "ltd"),
        *("medical", "sys", "system", "systems", "technologies", "technology", "ultrasound"),
    )
)
