"""The people of one call: patients, those around them, and what else tells who somebody is, as far
as an answer and what it is made of say. It is taken out of texts wherever it stands in them.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import cast

from ..words.letters import forms
from ..words.modality import MODALITIES
from ..words.name_words import IDEOGRAPHIC, PARTICLES

# Words of a text: letters and digits.
_WORD = re.compile(r"[^\W_]+")

# Names shorter than this stand in too many words, and numbers in too many counts.
_LEAST_OF_NAME, _LEAST_OF_NUMBER = 2, 4

# Family, given and middle name; a prefix and a suffix are nobody's alone (PS3.5 6.2.1.1).
_PARTS = 3

# Words that one number may be written in.
_MOST_PIECES = 6

# With more people than this some have names that are words of nearly every text.
MOST_PEOPLE = 5_000

# Words that are names of people too, and mean something else nearly wherever they stand: they are
# taken for a name only beside another one of the same person.
_ORDINARY = frozenset(
    """
    abdomen acute ankle arm axial back bone brain breast chest clear coronal day days dose elbow eye
    first foot grey gray green hand head heart hip image images in is it knee large last left leg
    light long lower lung may neck new no normal of old on one or patient pelvis report right series
    short shoulder small spine studies study the three thick thin time to two under upper white with
    without wrist young and are at by date for from had has have he her his name not she text that
    they this was were who will all an as be born here id mean means none said same so than there
    best blue brown case close cross east end field found good great hill house march north page
    part place point read road rose sharp south stone stand strong summer west winter wood year
    der die das und mit ohne von im links rechts kopf hals herz lang kurz klein gross bein
    """.split()  # noqa: SIM905
) | frozenset(modality.casefold() for modality in MODALITIES)

NAME, NUMBER, DATE, PLACE, UID = "[name]", "[id]", "[date]", "[place]", "[uid]"

# What is put in the place of something: a mark, or what the value of an attribute is called.
type Put = str | tuple[str, str]

type _Words = tuple[str, ...]

# The words of a text, with the forms of each.
type _Found = list[tuple[re.Match[str], frozenset[str]]]


@dataclass(slots=True)
class People:
    """What is known of them. `called` tells what the value of an attribute (by keyword) is called
    where it may not be told."""

    called: Callable[[str, str], str]
    # By the first word, in every form, the whole; and what is written without spaces.
    _words: dict[str, dict[_Words, Put]] = field(default_factory=dict[str, dict[_Words, Put]])
    _glued: dict[str, Put] = field(default_factory=dict[str, Put])
    # Without what stands between their letters and digits.
    _numbers: dict[str, Put] = field(default_factory=dict[str, Put])
    _uids: dict[str, Put] = field(default_factory=dict[str, Put])
    # Of each word of a name the other ones of the same person.
    _beside: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    # The IDs that somebody of a name has; the names that are not taken apart yet.
    _ids: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    _new: dict[str, None] = field(default_factory=dict[str, None])
    _known: set[str] = field(default_factory=set[str])

    @property
    def is_crowd(self) -> bool:
        """Whether they are too many for their names to be found in a text."""
        return len(self._known) + len(self._new) > MOST_PEOPLE

    def name(self, name: str, patient_id: str = "") -> None:
        """A person of this name, in DICOM's form or as a person writes it."""
        if name and name not in self._known:
            self._new[name] = None
        if patient_id and name:
            self._ids.setdefault(name, set()).add(patient_id)

    def number(self, value: str, put: Put = NUMBER) -> None:
        """An ID, an accession number: as it is written, with other marks between its digits, and
        without its zeros."""
        compact = "".join(_words(value))
        if len(compact) < _LEAST_OF_NUMBER or not any(map(str.isdigit, compact)):
            return
        self._numbers[compact] = put
        if len(bare := compact.lstrip("0")) > _LEAST_OF_NUMBER:
            self._numbers.setdefault(bare, put)

    def exactly(self, value: str, put: Put) -> None:
        """A value that is taken out however short it is: whoever asks must not see it."""
        self._numbers["".join(_words(value))] = put

    def uid(self, uid: str, put: Put) -> None:
        """A UID that is told under another name."""
        self._uids[uid] = put

    def uid_of(self, uid: str) -> str:
        """What is put in the place of a UID."""
        return self._said(self._uids.get(uid, UID))

    def place(self, text: str) -> None:
        """An institution, an address: the whole of it."""
        words = _words(text)
        if len(words) > 1 or (words and words[0] not in _ORDINARY and len(words[0]) > 3):
            self._sequence(words, PLACE)

    def birth_date(self, date: str) -> None:
        """A date of birth (YYYYMMDD), in the forms that people write."""
        digits = re.sub(r"\D", "", date)
        if len(digits) != 8:
            return
        year, month, day = digits[:4], digits[4:6], digits[6:]
        orders = [(year, month, day), (day, month, year), (month, day, year)]
        short = [(day, month, year[2:]), (month, day, year[2:])]
        for order in (*orders, *short):
            self._sequence(order, DATE)
            self._sequence((part.lstrip("0") for part in order), DATE)
        self._sequence((digits,), DATE)

    def ids_of(self, name: str) -> set[str]:
        """The patient IDs that somebody of this name has."""
        return self._ids.get(name, set())

    def taken_out(self, text: str, *, is_ours: bool = False) -> str:
        """The text with what is put in the place of each person, number and place in it. In a
        sentence that `is_ours` a word in small letters is a name only in quotes, or beside another
        one."""
        self._take_apart()
        for word in sorted(self._glued, key=len, reverse=True):
            if word in text:
                text = text.replace(word, self._said(self._glued[word]))
        found = [(match, _forms(match[0])) for match in _WORD.finditer(text)]
        parts: list[str] = []
        at = written = 0
        while at < len(found):
            count, put = max(
                (self._number_at(found, at), self._at(found, at, is_ours=is_ours)),
                key=lambda found: found[0],
            )
            if count:
                begin, end = found[at][0].start(), found[at + count - 1][0].end()
                between = text[written:begin]
                if between.strip(" ^,.-=") or parts[-1:] != [put]:
                    parts += [between, self._said(put)]
                written = end
            at += max(count, 1)
        return "".join((*parts, text[written:]))

    def _said(self, put: Put) -> str:
        return put if isinstance(put, str) else self.called(*put)

    def _take_apart(self) -> None:
        if self.is_crowd:
            return
        for name in self._new:
            for group in name.split("="):
                self._learn_words(_WORD.findall(" ".join(group.split("^")[:_PARTS])))
        self._known.update(self._new)
        self._new.clear()

    def _learn_words(self, several: Iterable[str]) -> None:
        words = [
            word
            for word in several
            if not word.isdigit()
            and word.casefold() not in PARTICLES
            and (len(word) >= _LEAST_OF_NAME or IDEOGRAPHIC.match(word))
        ]
        every = [forms(word) for word in words]
        for at, (word, ways) in enumerate(zip(words, every, strict=True)):
            others = {way for other, these in enumerate(every) if other != at for way in these}
            for way in ways:
                self._beside.setdefault(way, set()).update(others)
                self._sequence((way,), NAME)
            if IDEOGRAPHIC.fullmatch(word) and len(word) > 1:
                self._glued[word] = NAME
        if words and all(map(IDEOGRAPHIC.fullmatch, words)):
            self._glued["".join(words)] = NAME

    def _at(self, found: _Found, at: int, *, is_ours: bool) -> tuple[int, Put]:
        """How many words from this one on are known together, the most there are, and what is put
        in their place."""
        best: tuple[int, Put] = 0, ""
        for way in found[at][1]:
            for words, put in self._words.get(way, {}).items():
                if len(words) <= best[0] or at + len(words) > len(found):
                    continue
                rest = found[at + 1 : at + len(words)]
                if all(word in ways for word, (_, ways) in zip(words[1:], rest, strict=True)):
                    best = len(words), put
        if not best[0] and at and at == len(found) - 1:
            return self._cut_off(found)
        if best[0] == 1 and best[1] == NAME and not self._stands_alone(found, at, is_ours=is_ours):
            return 0, ""
        return best

    def _cut_off(self, found: _Found) -> tuple[int, Put]:
        """The same for the last word of a text, if it is the beginning of a name whose other part
        is before it: an attribute has room for so many letters."""
        (_, before), (_, ways) = found[-2:]
        others = set(chain.from_iterable(self._beside.get(way, ()) for way in before))
        if any(other.startswith(way) for other in others for way in ways):
            return 1, NAME
        return 0, ""

    def _number_at(self, found: _Found, at: int) -> tuple[int, Put]:
        """The same for a number that is written in one word, or in several with a mark between."""
        best: tuple[int, Put] = 0, ""
        compact, end = "", found[at][0].start()
        for count, (match, _) in enumerate(found[at : at + _MOST_PIECES], start=1):
            if match.start() > end + 1:
                break
            compact, end = compact + match[0].casefold(), match.end()
            if compact in self._numbers:
                best = count, self._numbers[compact]
            elif at + count == len(found) and len(compact) > _LEAST_OF_NUMBER:  # cut off
                begun = (number for number in self._numbers if number.startswith(compact))
                best = (count, NUMBER) if next(begun, "") else best
        return best

    def _stands_alone(self, found: _Found, at: int, *, is_ours: bool) -> bool:
        """Whether a word is a name by itself: one that is ordinary needs another one beside it."""
        word, ways = found[at]
        is_quoted = word.string[max(word.start() - 1, 0) : word.start()] in ("'", '"', "“")
        if not ways & _ORDINARY and (not is_ours or is_quoted or not word[0][0].islower()):
            return True
        others = set(chain.from_iterable(self._beside.get(way, ()) for way in ways))
        near = found[max(at - 1, 0) : at + 2]
        return any(others & forms for match, forms in near if match is not word)

    def _sequence(self, words: Iterable[str], put: Put) -> None:
        several = tuple(words)
        if several:
            self._words.setdefault(several[0], {}).setdefault(several, put)


def _words(text: str) -> _Words:
    return tuple(word.casefold() for word in _WORD.findall(unicodedata.normalize("NFC", text)))


def _forms(word: str) -> frozenset[str]:
    return frozenset((word.casefold(),)) if word.isdigit() else forms(word)


def texts_of(value: object) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in cast("list[object]", value):
            yield from texts_of(part)
