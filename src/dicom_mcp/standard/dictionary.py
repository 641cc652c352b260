"""The data dictionary (PS3.6), as far as questions need it.

pydicom's tables stand behind it and are read at the first look-up: importing them takes longer
than everything else a server does before its first answer.
"""

from dataclasses import dataclass
from functools import cache, lru_cache


@dataclass(frozen=True, slots=True)
class Attribute:
    """One data element: its keyword, tag, value representation and name."""

    keyword: str
    tag: int
    vr: str
    name: str


@lru_cache(maxsize=8192)  # bounded: keywords come from questions, right ones or not
def attribute(keyword: str) -> Attribute | None:
    """The attribute with this exact keyword; None when the dictionary has none.

    Where the standard leaves a choice of VR it is that of Implicit VR (PS3.5 A.1): OW; of "US or
    SS" US, which `is_either_sign` tells and Pixel Representation decides.
    """
    from pydicom.datadict import dictionary_description, tag_for_keyword

    tag = tag_for_keyword(keyword)
    if tag is None or not keyword:  # retired entries share the keyword ""
        return None
    return Attribute(keyword, tag, _vr(tag), dictionary_description(tag))


def attribute_of_tag(tag: int) -> Attribute | None:
    """The attribute with this tag; None for private and unknown tags."""
    from pydicom.datadict import dictionary_description, keyword_for_tag

    keyword = keyword_for_tag(tag)
    if (known := attribute(keyword)) or not keyword:
        return known
    # One of a repeating group, such as overlays (PS3.5 7.6): several tags have its keyword.
    return Attribute(keyword, tag, _vr(tag), dictionary_description(tag))


@lru_cache(maxsize=8192)
def is_either_sign(tag: int) -> bool:
    """Whether values of this attribute are US or SS, as Pixel Representation (0028,0103) says."""
    from pydicom.datadict import dictionary_has_tag, dictionary_VR

    return dictionary_has_tag(tag) and dictionary_VR(tag).startswith("US or SS")


def _vr(tag: int) -> str:
    from pydicom.datadict import dictionary_VR

    choice = dictionary_VR(tag).split(" or ")
    return "OW" if "OW" in choice else choice[0]


@cache
def keywords() -> tuple[str, ...]:
    """Every keyword of the dictionary that stands for one attribute."""
    from pydicom.datadict import keyword_dict

    return tuple(keyword for keyword in keyword_dict if keyword)
