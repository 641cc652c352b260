"""Several values of one attribute in one question: lists of UIDs (PS3.4 C.2.2.2.2), and of the
patient IDs and accession numbers that people paste.

In a key the values are separated by a backslash (PS3.5 6.2), which no single value can hold.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence

from ..errors import BadArgument
from .matching import Comparison, Predicate, matcher

# The attributes that can be asked for by a list: what names one thing.
LISTED = frozenset({
    "AccessionNumber", "PatientID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID",
})  # fmt: skip

# What an argument that takes a list may be given as.
Several = str | list[str]

# Values in one question: a list that somebody made by a program. Five thousand accession numbers
# are 25 queries.
MOST_VALUES = 5_000

# A longer text is no identifier that anybody gave (PS3.5 6.2 allows 64), but several.
_LONGEST_ONE = 64

# PS3.5 6.2: what no value holds, so that it always separates; and what an ID may hold.
_NEVER_INSIDE = re.compile(r"[\\\r\n\t\v\f]+")
_WORDS = r"(?:and|or|&)\s"
_SELDOM_INSIDE = re.compile(
    rf"[;,|\uFF0C\uFF1B\u3001\u060C]+(?:\s*{_WORDS})?|\s{_WORDS}", re.IGNORECASE
)
_AROUND = " \t,;|"
_AROUND_UIDS = re.compile(r"[\s,;|\\\"'\[\]()]+")

# How people number the lines of a list.
_BULLET = re.compile(r"(?:[-*\u2013\u2022]|\d{1,3}[.)])\s+")

_BRACKETS = ("[]", "()", "{}")

# Words between spaces that are identifiers and not parts of one.
_IDENTIFIER = re.compile(r"\S*\d\S*")


def values_of(keyword: str, text: Several, *, argument: str) -> list[str]:
    """The values that are asked for, each once; none when nothing is.

    What may be one value is one here, as IDs and accession numbers may hold commas and spaces;
    what it is otherwise, `parts_of` tells. Raises BadArgument for more than can be asked for.
    """
    listed = [text] if isinstance(text, str) else text
    if isinstance(text, str) and (from_json := _from_json(text.strip())) is not None:
        listed = from_json
    if keyword.endswith("UID"):
        values = _cleaned(one for piece in listed for one in _AROUND_UIDS.split(piece))
    else:
        pieces = [one for piece in listed for one in _NEVER_INSIDE.split(piece) if one.strip()]
        values = _values_of_pieces(pieces)
    if len(values) > MOST_VALUES:
        raise BadArgument(
            f"{argument} lists {len(values):,} values, and at most {MOST_VALUES:,} can be asked "
            "for at once",
            "Ask in several questions",
        )
    return values


def parts_of(value: str) -> list[str]:
    """The values that one may be instead, by the separators it holds; none where it holds none."""
    inner = value[1:-1] if f"{value[:1]}{value[-1:]}" in _BRACKETS else value
    parts = _cleaned(_SELDOM_INSIDE.split(inner))
    if len(parts) < 2:
        words = inner.strip(_AROUND).split()
        parts = words if words and all(map(_IDENTIFIER.fullmatch, words)) else parts
    return parts if parts != [value] else []


def _values_of_pieces(pieces: Sequence[str]) -> list[str]:
    """Of what never is one value; a piece may be several values all the same."""
    several = len(pieces) > 1
    # A list that was broken for its length ends its lines so.
    is_broken = several and any(one.rstrip().endswith((",", ";")) for one in pieces)
    values: list[str] = []
    for piece in _cleaned(pieces):
        one = _BULLET.sub("", piece.strip(_AROUND), count=1) if several else piece
        parts = parts_of(one) if is_broken or len(one) > _LONGEST_ONE else []
        values += parts or [one]
    return _cleaned(values)


def _from_json(text: str) -> list[str] | None:
    if not text.startswith("["):
        return None
    try:
        listed: list[object] = json.loads(text, parse_int=str, parse_float=str)
    except ValueError:
        return None
    texts = [one for one in listed if isinstance(one, str)]
    return texts if len(texts) == len(listed) else None


def _cleaned(values: Iterable[str]) -> list[str]:
    """Each value once, in order, without what surrounds it in a table or a program."""
    stripped = (value.strip().strip("\"'").strip() for value in values)
    return [*dict.fromkeys(value for value in stripped if value)]


def normal(value: str) -> str:
    """A value as it is compared: an archive may match IDs in any case."""
    return unicodedata.normalize("NFC", value.strip(" \0")).casefold()


def is_wild(value: str) -> bool:
    """Whether it stands for many values, so that it cannot be one of a list."""
    return "*" in value or "?" in value


def predicate(keyword: str, vr: str, key: str, comparison: Comparison) -> Predicate:
    """The compiled key as `matching.matcher` has it, which may be a list where one is allowed."""
    if vr == "UI" or keyword not in LISTED or "\\" not in key:
        return matcher(vr, key, comparison=comparison)
    values = frozenset(map(normal, key.split("\\")))
    return lambda held: any(normal(value) in values for value in held)
