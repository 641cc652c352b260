"""How an element of a data set is encoded, by its VR and its tag (PS3.5 6.2, 7.1)."""

from functools import lru_cache

from .dictionary import attribute_of_tag

UNDEFINED = 0xFFFFFFFF

# PS3.5 6.2, by whether the length takes 32 bits after two reserved bytes (7.1.2).
LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())

VRS = LONG | SHORT


def is_sequence(tag: int, vr: bytes, length: int) -> bool:
    if vr == b"SQ":
        return True
    if vr == b"UN":  # PS3.5 6.2.2; one of undefined length can be nothing else
        return length == UNDEFINED or (length > 0 and dictionary_vr(tag) == "SQ")
    return not vr and dictionary_vr(tag) == "SQ"


@lru_cache(maxsize=8192)  # bounded: whoever made the object chose its tags
def dictionary_vr(tag: int) -> str:
    found = None if tag >> 16 & 1 else attribute_of_tag(tag)
    return found.vr if found else ""


def named(tag: int) -> str:
    known = attribute_of_tag(tag) if not tag >> 16 & 1 else None
    return known.keyword if known else f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
