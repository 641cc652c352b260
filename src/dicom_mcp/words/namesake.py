"""Whether a name is the one that was written, whatever its letters, order and scripts."""

import re
from collections.abc import Callable, Sequence
from string import ascii_lowercase

from ..standard.matching import Comparison, matcher
from .letters import forms, in_ascii
from .name_words import IDEOGRAPHIC, PREFIXES, clean, is_dicom_form, is_initial, written
from .names import sendable


def same_name(text: str) -> Callable[[str], bool]:
    """Whether a PN value, all its component groups, is the name a person wrote.

    Every word of the text must be a whole word of one group, in any order and case, with or
    without accents or their transcription; an initial stands for every word it begins.
    """
    text = clean(text)
    if is_dicom_form(text):
        parts = [_wild_words(part) for part in text.split("=")]
    else:
        latin, ideographic = written(text)
        parts = [[word for part in latin for word in part], ideographic]
    wanted = [_covers(words) for words in parts if any(map(_pieces, words))]
    if not wanted:
        return lambda value: False  # noqa: ARG005 - nothing is nobody's name

    def match(value: str) -> bool:
        groups = [_known_as(group) for group in value.split("=")]
        return all(any(covers(group) for group in groups) for covers in wanted)

    return match


# A group as the forms of its words, one set of them all.
type _Cover = Callable[[frozenset[str]], bool]


def _covers(words: Sequence[str]) -> _Cover:
    """Whether every one of the words is in a group; some words may be one word there."""
    tests: list[list[tuple[int, Callable[[frozenset[str]], bool]]]] = []
    pieces = [piece for word in words for piece in _pieces(word)]
    for at, (word, _) in enumerate(pieces):
        tests.append([(at + 1, _word_test(word))])
        joined = word
        for end in range(at + 1, min(at + 4, len(pieces))):
            if not _often_together(pieces[end - 1], pieces[end]):
                break
            joined += pieces[end][0]
            tests[at].append((end + 1, _word_test(joined)))

    def covers(group: frozenset[str]) -> bool:
        reached = {0}
        for at, ways in enumerate(tests):
            if at in reached:
                reached |= {end for end, test in ways if test(group)}
        return len(tests) in reached

    return covers


def _pieces(word: str) -> list[tuple[str, bool]]:
    """The words within a hyphenated one, and whether each hangs on the one before."""
    parts = [part for part in re.split(r"[-‐‑–]", word.replace("'", "")) if part.strip(".")]
    return [(part, at > 0) for at, part in enumerate(parts)]


def _often_together(piece: tuple[str, bool], other: tuple[str, bool]) -> bool:
    if IDEOGRAPHIC.fullmatch(piece[0]):
        return IDEOGRAPHIC.fullmatch(other[0]) is not None
    return other[1] or piece[0].casefold() in PREFIXES


def _word_test(word: str) -> Callable[[frozenset[str]], bool]:
    if "*" in word or "?" in word:
        parts = (_forms_pattern(form) for form in forms(word))
        patterns = [re.compile(part) for part in parts]
        return lambda group: any(p.fullmatch(form) for form in group for p in patterns)
    ways = forms(word.rstrip("."))
    if is_initial(word) and not IDEOGRAPHIC.match(word):
        start = tuple(ways)
        return lambda group: any(form.startswith(start) for form in group)
    return lambda group: not ways.isdisjoint(group)


def _forms_pattern(form: str) -> str:
    return "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in form)


def same_letters(key: str) -> Callable[[str], bool]:
    """Whether a PN value is what a key in DICOM's own form asks for, whatever marks its letters
    have."""
    asks_for = matcher("PN", in_ascii(key), comparison=Comparison(name_case=False))
    return lambda value: asks_for([in_ascii(value)])


# Letters that no mark makes others of, or hardly anywhere. All others are left open in keys, and
# what is written for þ and đ with them.
_NEVER_MARKED = frozenset("bfhjmpqvwx")
_LEFT_OPEN = re.compile("th|dj|.", re.DOTALL)

# Letters that have marks in Vietnamese, French or Hungarian; in Polish; in Turkish and Romanian.
_ALPHABETS = tuple(map(frozenset, ("aeiouyd", "acelnosz", "acgiostu")))

# A key with fewer letters brings much of an archive, or too much to be worth a try.
_FEW_LETTERS = 2
_WORTH_TRYING = 3


def narrow_keys(text: str) -> tuple[str, ...]:
    """Keys that find the name where its letters have the marks of one language; none that would
    say little."""
    letters = frozenset(ascii_lowercase)
    longest = [
        max(_skeletons(text, letters - marked), key=_letters, default="") for marked in _ALPHABETS
    ]
    return tuple(dict.fromkeys(sendable(key) for key in longest if _letters(key) >= _WORTH_TRYING))


def wide_keys(text: str) -> tuple[str, ...]:
    """Keys that between them bring everybody whose name is this one in any letters, and others:
    the rows are to be compared. "" is left where it has no letter that is always written so."""
    words = _skeletons(text, _NEVER_MARKED)
    first, second = [*sorted(words, key=_letters, reverse=True), "", ""][:2]
    if _letters(first) < _FEW_LETTERS and _letters(second):
        keys = (f"{first}{second}", f"{second}{first}")
    else:
        keys = (first,)
    return tuple(dict.fromkeys(sendable(key) if _letters(key) else "" for key in keys))


def _skeletons(text: str, kept: frozenset[str]) -> list[str]:
    words = re.findall(r"[^\W\d_]+", in_ascii(clean(text)).lower())
    parts = [[part if part in kept else "*" for part in _LEFT_OPEN.findall(word)] for word in words]
    return [f"*{''.join(several)}*" for several in parts]


def _letters(key: str) -> int:
    return sum(map(str.isalpha, key))


def _known_as(group: str) -> frozenset[str]:
    """The forms of the words of a component group, of those often written together too."""
    known: set[str] = set()
    components: list[list[tuple[str, bool]]] = []
    for component in re.sub("[’ʼ‘`´]", "'", group).split("^"):
        words = re.split(r"[\s,.・·\u30fb\u3000]+", component)
        components.append([piece for word in words for piece in _pieces(word)])
    if IDEOGRAPHIC.search(group):
        components.append([piece for component in components for piece in component])
    for pieces in components:
        for at, (word, _) in enumerate(pieces):
            known |= forms(word)
            joined = word
            for end in range(at + 1, min(at + 4, len(pieces))):
                if not _often_together(pieces[end - 1], pieces[end]):
                    break
                joined += pieces[end][0]
                known |= forms(joined)
    return frozenset(known)


def _wild_words(part: str) -> list[str]:
    """The words of a key in DICOM's own form; a wildcard belongs to the word it stands in."""
    return [word for word in re.split(r"[\s^,]+", part) if word.strip("*.")]
