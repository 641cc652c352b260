"""How people write a person's name, as PN keys (PS3.5 6.2.1, PS3.4 C.2.2.2.4).

"Jane Doe" is Doe^Jane in most archives, Jane^Doe in some that were filled by hand, and may be a
compound family name. So a text has several readings, all of them meant, and ranks of them: what a
person most likely means first, what would only be a last resort later. A text with `^`, `=` or a
wildcard is DICOM's own form and has one reading, itself.

Between two names of one person stands `?` in a key: archives hold "Anna Maria", "Anna-Maria" and
"Anna^Maria". A key that begins with `*` is wider than what is meant: `same_name` says which of
the rows it brings are the person.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..standard.values import MAXIMUM_LENGTH
from .name_words import JOINING, PARTICLES, clean, is_dicom_form, is_initial, written


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand a name: the key to send and what it means, for a note to the user."""

    key: str
    said: str


# Each reading is one question to the archive: so many of a rank are asked.
_MOST_READINGS = 7


def readings(text: str) -> tuple[tuple[Reading, ...], ...]:
    """The text as PN keys, in ranks of which a later one is meant only when every reading of the
    earlier ones matches nobody.

    No key is universal; none is longer than a component group may be. () for a text without a
    letter of a name, such as "" and "*": it asks for everybody, if for anybody.
    """
    text = clean(text)
    if is_dicom_form(text):
        return _ranks([[Reading(sendable(text), f"the name as written, {text}")]])
    latin, ideographic = written(text)
    if not latin and not ideographic:
        return _ranks([[Reading(sendable(text), f"the name as written, {text}")]])
    ranks: list[list[Reading]] = []
    if ideographic:
        ranks += _ideographic_ranks(ideographic)
    if latin:
        ranks += _ranks_of_family_and_given(latin) if len(latin) > 1 else _ranks_of_words(latin[0])
    return _ranks(ranks)


def _units(words: Sequence[str]) -> list[list[str]]:
    """Words that stay together: particles with the name they belong to."""
    units: list[list[str]] = []
    open_unit = False
    for word in words:
        folded = word.casefold()
        joins = folded in JOINING and word.islower() and bool(units)
        if open_unit or joins:
            units[-1].append(word)
        else:
            units.append([word])
        open_unit = joins or folded in PARTICLES
    return units


def _ranks_of_words(words: list[str]) -> list[list[Reading]]:
    """Ranks of a name without a comma: its order is anybody's guess."""
    units = _units(words)
    anywhere = [_anywhere(words)]
    if len(units) == 1:
        family = _family(units)
        said = f"family name {_said(units)}"
        if is_initial(words[0]):
            return [[Reading(family, f"a name that begins with {_said(units)}")], anywhere]
        rank = [Reading(f"{family}^*", said), Reading(family, f"the whole name {_said(units)}")]
        if len(words) == 2:  # Ben, Van and Do are names of their own too
            first, last = [words[:1]], [words[1:]]
            rank += [_reading(last, first), _reading(first, last)]
        return [rank, anywhere]
    splits: list[Reading] = []
    for count in range(1, len(units)):
        splits += [
            _reading(family, given)
            for family, given in (
                (units[-count:], units[:-count]),
                (units[:count], units[count:]),
            )
            if _may_be_family(family, first=family[0] is units[0])
        ]
    if not splits:
        splits.append(_reading(units[-1:], units[:-1]))
    if not is_initial(words[0]):
        # Ahead of what would be cut off.
        at = min(len(splits), _MOST_READINGS - 1)
        splits.insert(at, Reading(f"{_glued(words)}*", f"family name {_said(units)}"))
    return [splits[:_MOST_READINGS], anywhere]


def _may_be_family(units: Sequence[Sequence[str]], *, first: bool) -> bool:
    """Family names are written out, but for one that the text ends with: Jane D."""
    initials = sum(is_initial(unit[0]) for unit in units)
    return not initials or (len(units) == 1 and not first)


def _ranks_of_family_and_given(parts: list[list[str]]) -> list[list[Reading]]:
    """Ranks of "Doe, Jane": the order is said, only particles may stand on either side."""
    family, given = parts[0], [word for part in parts[1:] for word in part]
    rank = [_reading(_units(family), _units(given))]
    leading = _leading_particles(family)
    trailing = _trailing_particles(given)
    if 0 < leading < len(family):
        rank.append(_reading([family[leading:]], [*_units(given), family[:leading]]))
    if 0 < trailing < len(given):
        before, particles = given[:-trailing], given[-trailing:]
        rank.append(_reading([particles + family], _units(before)))
    return [rank, [_anywhere([*family, *given])]]


def _leading_particles(words: Sequence[str]) -> int:
    count = 0
    while count < len(words) and words[count].casefold() in PARTICLES:
        count += 1
    return count


def _trailing_particles(words: Sequence[str]) -> int:
    return _leading_particles(words[::-1])


def _reading(family: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Reading:
    return Reading(
        f"{_family(family)}^{_given(given)}",
        f"family name {_said(family)}, given name {_said(given)}",
    )


def _family(units: Sequence[Sequence[str]]) -> str:
    return "?".join(_glued(unit) for unit in units)


def _given(units: Sequence[Sequence[str]]) -> str:
    return "?".join(_glued([word]) for unit in units for word in unit) + "*"


def _glued(unit: Sequence[str]) -> str:
    """The words of a unit in a key: an initial stands for what it begins, a hyphen for a gap."""
    return " ".join(
        f"{word.rstrip('.')}*" if is_initial(word) else _plain_word(word) for word in unit
    )


def _plain_word(word: str) -> str:
    return re.sub(r"(?<=\w)[-‐‑–](?=\w)", "?", word)


def _said(units: Sequence[Sequence[str]]) -> str:
    return " ".join(word for unit in units for word in unit)


def _anywhere(words: Sequence[str]) -> Reading:
    """The word that is rarest in an archive, which is the longest, wherever it stands."""
    names = [word for word in words if word.casefold() not in PARTICLES] or list(words)
    pieces = [piece for word in names for piece in re.split(r"[-‐‑–]", word) if piece]
    longest = max(pieces, key=len).rstrip(".")
    return Reading(f"*{longest}*", f"{' and '.join(words)} anywhere in the name")


def _ideographic_ranks(words: list[str]) -> list[list[Reading]]:
    """Ranks of a name in ideographs, kana or Hangul: family name first, the group anybody's."""
    together = "".join(words)
    if len(words) > 1:
        first, *others = words
        given = "".join(others)
        return [
            [
                Reading(f"*{'?'.join(words)}*", f"family name {first}, given name {given}"),
                Reading(f"*{together}*", f"the name {together}"),
            ],
            [Reading(f"*{'?'.join(reversed(words))}*", f"given name {first}, family name {given}")],
        ]
    # Nobody says where the family name ends, nor whether the archive knows.
    return [[Reading(f"*{'*'.join(together)}*", f"the name {together}")]]


def _ranks(ranks: Iterable[Iterable[Reading]]) -> tuple[tuple[Reading, ...], ...]:
    """The ranks as they can be sent: each key once, none that asks for everybody."""
    seen: set[str] = set()
    kept: list[tuple[Reading, ...]] = []
    for rank in ranks:
        fresh: list[Reading] = []
        for reading in rank:
            key = sendable(reading.key)
            if key not in seen and key.strip("*?^= "):
                seen.add(key)
                fresh.append(Reading(key, reading.said))
        if fresh:
            kept.append(tuple(fresh))
    return tuple(kept)


def sendable(key: str) -> str:
    """At most three component groups of at most 64 characters, `*` for what is cut off."""
    longest = MAXIMUM_LENGTH["PN"]
    groups = "=".join(re.sub(r"\*+", "*", key).split("=")[:3]).strip().split("=")
    return "=".join(g if len(g) <= longest else f"{g[: longest - 1]}*" for g in groups)
