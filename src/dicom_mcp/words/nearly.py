"""Names that are nearly the one that was written: a letter too many, too few, another or moved."""

import re
from collections.abc import Callable
from itertools import pairwise

from .letters import in_ascii
from .name_words import clean, written
from .names import sendable

# Keys that are sent at most; each is a query.
_MOST_KEYS = 8

# A part of a word that is shorter than this is in much of an archive.
_SHORTEST = 3

# Mistakes that a name may have: one in a short word, a quarter of its letters in a long one.
_LETTERS_PER_MISTAKE = 4

# Of 100, words that sound alike (fuzz.ratio after _SOUNDS) are at least this near.
_NEAR = 80.0

# Letters that are heard alike in the languages of Europe, the longer first.
_SOUNDS = (
    ("sch", "s"), ("sh", "s"), ("sz", "s"), ("cz", "c"), ("ch", "c"), ("tz", "c"), ("ts", "c"),
    ("ck", "k"), ("ph", "f"), ("th", "t"), ("dt", "t"), ("kh", "k"), ("ae", "a"), ("oe", "o"),
    ("ue", "u"), ("ai", "i"), ("ay", "i"), ("ey", "i"), ("ie", "i"), ("ei", "i"), ("y", "i"),
    ("j", "i"), ("w", "v"), ("z", "s"),
)  # fmt: skip


def near_keys(text: str) -> tuple[str, ...]:
    """Keys of which one at least finds a name with a mistake or two: what is whole of it is in the
    key. They bring others too, so that the rows are to be compared."""
    words = sorted(_words(text), key=len, reverse=True)
    if not words:
        return ()
    longest, *others = words
    keys: list[str] = []
    for other in others[:1]:  # one may be right, whatever the other is
        for right, wrong in ((other, longest), (longest, other)):
            start, whole = wrong[0].upper(), right.capitalize()
            keys += [f"{start}*^{whole}*", f"{whole}^{start}*"]
    count = 3 if len(longest) >= 3 * _SHORTEST else 2
    ends = [round(part * len(longest) / count) for part in range(count + 1)]
    parts = [longest[start:end] for start, end in pairwise(ends)]
    keys += [f"*{part}*" for part in (parts[0].capitalize(), *parts[1:]) if len(part) >= _SHORTEST]
    start = longest.capitalize()
    keys += [f"{start[:2]}*{start[-1]}*", f"{start[0]}*{start[-2:]}*"]
    return tuple(dict.fromkeys(map(sendable, keys)))[:_MOST_KEYS]


def nearness(text: str) -> Callable[[str], float]:
    """How near a PN value is to a name, from 0 to 100; 0 for what nobody would take for it."""
    wanted = _words(text)

    def near(value: str) -> float:
        return max((_near(wanted, _words(group)) for group in value.split("=")), default=0.0)

    return near


def _near(wanted: list[str], held: list[str]) -> float:
    """The mean over the words wanted, each compared with the nearest of those held."""
    if not wanted or not held:
        return 0.0
    nearest = [max(_alike(word, other) for other in held) for word in wanted]
    return sum(nearest) / len(nearest) if min(nearest) else 0.0


def _alike(word: str, other: str) -> float:
    if word == other:
        return 100.0
    from rapidfuzz import fuzz  # here: it would be a fiftieth of the server's start
    from rapidfuzz.distance import OSA

    mistakes = max(1, min(len(word), len(other)) // _LETTERS_PER_MISTAKE)
    if min(len(word), len(other)) >= _SHORTEST and OSA.distance(word, other) <= mistakes:
        return 100.0 - 100.0 * OSA.distance(word, other) / max(len(word), len(other)) / 2
    alike = fuzz.ratio(_heard(word), _heard(other))
    return alike if alike >= _NEAR else 0.0


def _heard(word: str) -> str:
    for letters, sound in _SOUNDS:
        word = word.replace(letters, sound)
    return re.sub(r"(.)\1+", r"\1", word)


def _words(text: str) -> list[str]:
    """The words of a name in the letters a to z, without initials."""
    latin, others = written(re.sub(r"[\^=*?]", " ", clean(text)))
    words = [*(word for part in latin for word in part), *others]
    found = re.findall(r"[a-z]{2,}", in_ascii(" ".join(words)).lower())
    return list(dict.fromkeys(found))
