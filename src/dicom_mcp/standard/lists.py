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
_NEVER_INSIDE = re.compile(r"[\\\r\n\t]+")
_SELDOM_INSIDE = re.compile(r"[;,|]+")
_AROUND_UIDS = re.compile(r"[\s,;|\\\"'\[\]()]+")

# Words between spaces that are identifiers and not parts of one.
_IDENTIFIER = re.compile(r"(?=.*\d)\S{4,}")


def ways(keyword: str, text: str | Sequence[str], *, argument: str) -> list[list[str]]:
    """The lists of values that may be meant, likeliest first; none when nothing is asked for.

    A text is one value first of all, where it can be: IDs and accession numbers may hold commas
    and spaces. Raises BadArgument for more values than can be asked for.
    """
    found = _ways(keyword.endswith("UID"), text)
    kept = [values for way in found if (values := _cleaned(way))]
    if any(len(values) > MOST_VALUES for values in kept):
        raise BadArgument(
            f"{argument} lists {max(map(len, kept)):,} values, and at most {MOST_VALUES:,} can be "
            "asked for at once",
            "Ask in several questions",
        )
    return [values for number, values in enumerate(kept) if values not in kept[:number]]


def _ways(are_uids: bool, text: str | Sequence[str]) -> list[list[str]]:
    if not isinstance(text, str):
        return [[*text]]
    text = text.strip()
    if (listed := _from_json(text)) is not None:
        return [listed]
    if are_uids:
        return [_AROUND_UIDS.split(text)]
    lines = [part.strip(" ,;|") for part in _NEVER_INSIDE.split(text)]
    if len([line for line in lines if line]) > 1:
        # A line that holds several is a table's, or one that was broken for its length.
        ending = any(line.endswith((",", ";")) for line in re.split(r"[\r\n]+", text))
        parts = [part for line in lines for part in (_parts(line) if ending else [line])]
        return [parts]
    parts = _parts(text)
    if len(parts) < 2:
        return [[text]]
    return [parts] if len(text) > _LONGEST_ONE else [[text], parts]


def _parts(text: str) -> list[str]:
    parts = [part for part in _SELDOM_INSIDE.split(text) if part.strip()]
    if len(parts) > 1:
        return parts
    words = text.split()
    return words if all(map(_IDENTIFIER.fullmatch, words)) else [text]


def _from_json(text: str) -> list[str] | None:
    if not text.startswith("["):
        return None
    try:
        listed: list[object] = json.loads(text)
    except ValueError:
        return None
    return [str(one) for one in listed if isinstance(one, str | int)]


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
