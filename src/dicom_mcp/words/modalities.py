"""What a person means who names several modalities: any of them, all of them, or none.

"CT or MR", "CT, MR" and "x-ray" are any of some codes; "CT and MR", "CT/MR" and "PET/CT" are asked
of a study (or a patient) that has both; "not CT" and "CT without MR" of one without such a series.
The last word of a list is that of its commas. What can be read in two ways is refused.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

from ..errors import BadArgument
from ..standard.matching import Predicate, matcher
from ..standard.values import shown
from .modality import ALTERNATIVES, HYBRIDS, codes, known, plain

# One of each group of codes.
type _Groups = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Modalities:
    """`every`: one of each of these groups of codes; `none`: none of these. Neither: any at all."""

    every: _Groups = ()
    none: tuple[str, ...] = ()

    @property
    def is_one(self) -> bool:
        """Whether a single series can be what is meant: any of some codes, or no restriction."""
        return len(self.every) < 2 and not self.none

    @property
    def codes(self) -> tuple[str, ...]:
        """All codes that are asked for."""
        return tuple(dict.fromkeys(code for group in self.every for code in group))

    @property
    def said(self) -> str:
        """In words: CT and MR, not US."""
        groups = [" or ".join(group) for group in self.every]
        if len(groups) > 1:
            groups = [f"({group})" if " or " in group else group for group in groups]
        lacks = f"not {' or '.join(self.none)}" if self.none else ""
        return ", ".join(part for part in (" and ".join(groups), lacks) if part)

    def hold(self, values: Collection[str]) -> bool:
        """Whether these are the modalities of what is meant."""
        several = list(values)
        has_every = all(any(is_code(several) for is_code in group) for group in self._every)
        return has_every and not any(is_code(several) for is_code in self._none)

    @cached_property
    def _every(self) -> list[list[Predicate]]:
        return [[matcher("CS", code) for code in group] for group in self.every]

    @cached_property
    def _none(self) -> list[Predicate]:
        return [matcher("CS", code) for code in self.none]


ANY = Modalities()

# A code of an archive's own, where it stands among others.
_OWN_CODE = re.compile(r"[A-Z]{2,5}|[A-Z0-9_]*[0-9_][A-Z0-9_]*|.*[*?].*|", re.DOTALL)
_LIKE = "Give a code or word, such as CT"


def modalities(text: str, *, argument: str) -> Modalities:
    """What a text means. Raises BadArgument, with the nearest that is right, for other words and
    for what can be meant in two ways."""
    if known(text) and not _SYMBOL.search(text):
        return Modalities((codes(text, argument=argument),))
    reading = _Reading(text, argument)
    for name, signs in _names(text):
        reading.add(name, signs)
    return reading.result()


def any_of(text: str, *, argument: str) -> tuple[str, ...]:
    """The codes any of which is meant, where one thing has one modality only.

    Raises BadArgument, with what can be asked, for several together and for "not".
    """
    found = modalities(text, argument=argument)
    if found.is_one:
        return found.codes
    raise BadArgument(
        f"{argument}={shown(text)} is {shown(found.said)}, which is asked of studies or patients; "
        "each series has one modality",
        f"Ask {argument}={shown(' or '.join(found.codes))}, or for studies"
        if found.every
        else f'Ask count_studies(where=["modality is {found.said}"]), or for studies',
    )


# Words between names, in English, German, French, Spanish, Italian, Portuguese and Dutch. The
# longer come first: "and/or" is no "and", and "anything but" no "but".
_ALL = r"\b(?:all|any|every|everything|anything|alles?|tout|todo|tutto)\b"
_WORDS: tuple[tuple[str, str], ...] = (
    ("|", r"\b(?:and|und|et|y|e)\s*/\s*(?:or|oder|ou|o)\b|\b(?:or|oder)\s*/\s*(?:and|und)\b"),
    ("!", rf"{_ALL}\s+(?:\w+\s+)?(?:but|except(?:\s+for)?|other\s+than|außer|sauf|salvo|tranne)\b"),
    ("all", r"\b(?:both|all(?: three)? of|sowohl)\b"),
    ("any", r"\b(?:any of|one of|either|entweder)\b"),
    ("&", r"\b(?:as well as|together with|combined with|along with|plus|with)\b"),
    ("!", r"\b(?:other than|except for|except|excluding|without|lacking|minus|neither|not|no)\b"),
    ("!", r"\bw/o\b|\b(?:ohne|nicht|weder|keine?|außer|sans|sauf|sin|senza|non|sem|zonder|geen)\b"),
    ("!", r"!=?|≠|<>"),
    ("|", r"\b(?:or|nor|noch|oder|ou|o|of)\b|\|+|\\|;|\n"),
    ("&", r"\b(?:and|und|et|y|e|en|mit|avec|con|com|met|als auch)\b|\bw/|&+|\+"),
    ("but", r"\b(?:but|aber|mais|pero|ma|mas|maar)\b"),
    (",", r","),
)
_SYMBOL = re.compile(r"[!&+/|\\;,≠<>=\n]")
_SIGN = re.compile("|".join(f"({words})" for _, words in _WORDS), re.IGNORECASE)


def _names(text: str) -> Iterator[tuple[str, set[str]]]:
    """Each name and the signs before it; at last "" with what stands behind all of them."""
    signs: set[str] = set()
    at = 0
    for found in _SIGN.finditer(text):
        if name := _name(text[at : found.start()]):
            yield name, signs
            signs = set()
        signs.add(_WORDS[(found.lastindex or 1) - 1][0])
        at = found.end()
    if name := _name(text[at:]):
        yield name, signs
        signs = set()
    yield "", signs


def _name(text: str) -> str:
    name = text.strip(" -()[]{}\"'\t")
    return name if plain(name, noise=False) or set(name) & set("*?") else ""


class _Reading:
    """The names one after the other, what is meant by them so far."""

    def __init__(self, text: str, argument: str) -> None:
        self._text = text
        self._argument = argument
        self._wanted: list[_Groups] = []
        self._none: list[str] = []
        self._joints: set[str] = set()
        self._is_negative = False
        self._all = self._any = False

    def add(self, name: str, signs: set[str]) -> None:
        """The next name, and the signs between it and the one before."""
        self._all = self._all or "all" in signs
        self._any = self._any or "any" in signs
        joints: set[str] = signs & {"|", "&", ",", "but"}
        if not name:
            if signs & {"&", "!", "|"}:
                raise self._refused("a modality is missing", _LIKE)
            return
        if "only" in name.casefold().split():
            raise self._refused(
                '"only" cannot be asked',
                'Name what must not be there: "CT without MR or US"',
            )
        groups = self._groups(name)
        if "!" in signs:
            if "|" in joints and self._wanted:
                raise self._two_ways()
            self._is_negative = True
        elif self._is_negative and "but" in joints:
            self._is_negative = False
            joints.clear()
        elif self._is_negative and "&" in joints:
            raise self._two_ways()
        if not self._is_negative:
            if self._wanted:
                is_more = bool(joints & {"&", "but"}) or "!" in signs
                self._joints.add("&" if is_more else "|" if "|" in joints else ",")
            self._wanted.append(groups)
        elif len(groups) > 1:
            raise self._two_ways()
        else:
            self._none += [code for group in groups for code in group]

    def result(self) -> Modalities:
        """What all of them mean."""
        if not self._wanted and not self._none:
            found = codes(self._text, argument=self._argument)
            return Modalities((found,)) if found else ANY
        joint = self._joint()
        if joint == "|" and any(len(groups) > 1 for groups in self._wanted):
            raise self._two_ways()
        every = [group for groups in self._wanted for group in groups]
        if joint == "|":
            every = [tuple(code for group in every for code in group)]
        every = [tuple(dict.fromkeys(group)) for group in dict.fromkeys(every) if group]
        none = tuple(dict.fromkeys(self._none))
        if any(set(group) <= set(none) for group in every):
            raise self._refused("nothing can be and not be", "Leave one of them out")
        return Modalities(tuple(every), none)

    def _joint(self) -> str:
        """Whether any or all of what is wanted is meant."""
        joints = self._joints
        if self._any and not self._all:
            return "|"
        if "|" in joints and (self._all or "&" in joints):
            raise self._two_ways()
        return "&" if self._all or "&" in joints or not joints else "|"

    def _groups(self, name: str) -> _Groups:
        if found := HYBRIDS.get(plain(name, noise=False)):
            return tuple((code,) for code in found)
        pieces = [piece.strip() for piece in name.split("/") if piece.strip()]
        groups = tuple(codes(piece, argument=self._argument) for piece in pieces)
        is_alone = name == self._text.strip()
        for piece, group in zip(pieces, groups, strict=True):
            # "CT without contrast" is about no modality.
            if not is_alone and not known(piece) and not _OWN_CODE.fullmatch(piece):
                raise self._refused(f"{group[0]} is no modality that is known", _LIKE)
        together = {code for group in groups for code in group}
        if any(together <= alternatives for alternatives in ALTERNATIVES):
            return (tuple(code for group in groups for code in group),)
        return groups

    def _two_ways(self) -> BadArgument:
        return self._refused(
            "it can be read in more than one way",
            'Write "CT or MR" for any of them, "CT and MR" for both, "not CT or MR" for neither, '
            '"CT without MR"; ask for each by itself where these are mixed',
        )

    def _refused(self, why: str, remedy: str) -> BadArgument:
        return BadArgument(f"{self._argument}={shown(self._text)}: {why}", remedy)
