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
_NEVER_INSIDE = re.compile(r"[\\\r\n\t\v\f\x85\u2028\u2029]+")
_LINES = re.compile(r"[\r\n\v\f\x85\u2028\u2029]+")
_WORDS = r"(?:and|or|&)\s"
_SELDOM_INSIDE = re.compile(
    rf"[;,|\uFF0C\uFF1B\u3001\u060C]+(?:\s*{_WORDS})?|\s{_WORDS}", re.IGNORECASE
)
_AROUND = " \t,;|"
_QUOTES = "\"'\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"
_AROUND_UIDS = re.compile(rf"[\s,;|\\{_QUOTES}\[\](){{}}\uFF0C\uFF1B\u3001\u060C]+")

# PS3.5 9.1, but for the zeros that a component may not begin with.
_UID = re.compile(r"\d+(?:\.\d+)+")

# How a spreadsheet writes a number of twelve digits and more, most of which are lost then; and what
# becomes of one that passed through a program.
_SHORTENED = re.compile(r"\d(?:[.,]\d+)?E\+\d{2}", re.IGNORECASE)
_FRACTION = re.compile(r"(\d+)[.,]0")

# Numbers from one to another, as people write them; more than so many are none that were meant.
_FROM_TO = re.compile(
    r"(?P<prefix>.*?)(?P<first>\d+)(?P<to> ?(?:\.\.+|\u2026|[-\u2010-\u2015]| to | bis ) ?)"
    r"(?P<again>.*?)(?P<last>\d+)"
)
_MOST_FROM_TO = 500
_FEW_DIGITS = 6

# The head of a column, without blanks and points.
_HEADS: dict[str, frozenset[str]] = {
    "AccessionNumber": frozenset({
        "acc", "accession", "accessionid", "accessionno", "accessionnr", "accessionnumber",
        "accessionnumbers", "accno", "accnr", "accnumber",
    }),
    "PatientID": frozenset({
        "id", "ids", "mrn", "patient", "patientid", "patientids", "patientnumber", "pid", "pids",
    }),
}  # fmt: skip

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
    listed = [_column(keyword, _visible(piece)) for piece in listed]
    if keyword.endswith("UID"):
        values = _uids(listed)
    else:
        pieces = [part for piece in listed for part in _NEVER_INSIDE.split(piece) if part.strip()]
        values = _values_of_pieces(pieces)
        if len(values) > 1 and _is_head(keyword, values[0]):
            del values[0]
    if shortened := sum(_SHORTENED.fullmatch(value) is not None for value in values):
        raise BadArgument(
            f"{argument} has {shortened} of {len(values)} values as a spreadsheet shortens numbers "
            "(1.2E+11): digits of them are lost",
            "Have the column formatted as text, or as numbers without decimals, and copy it again",
        )
    if len(values) > MOST_VALUES:
        raise BadArgument(
            f"{argument} lists {len(values):,} values, and at most {MOST_VALUES:,} can be asked "
            "for at once",
            "Ask in several questions",
        )
    return values


def pasted(keyword: str, text: Several) -> list[str]:
    """Every value of a list as it was pasted, as often as it stands there, whatever stands between
    them and around them; a column's head is none."""
    listed = [text] if isinstance(text, str) else text
    if isinstance(text, str) and (from_json := _from_json(text.strip())) is not None:
        listed = from_json
    listed = [_column(keyword, _visible(piece)) for piece in listed]
    between = _AROUND_UIDS if keyword.endswith("UID") else _NEVER_INSIDE
    lines = [line for piece in listed for line in _LINES.split(piece) if line.strip()]
    if len(lines) > 1:
        lines = [_BULLET.sub("", line.strip(), count=1) for line in lines]
    pieces = [piece for line in lines for piece in between.split(line)]
    values: list[str] = []
    for piece in pieces:
        parts = _SELDOM_INSIDE.split(piece)
        for part in parts:
            words = part.split()
            values += words if all(map(_IDENTIFIER.fullmatch, words)) else [part]
    values = [bare for value in values if (bare := _bare(value))]
    values = [(_otherwise(value) or [value])[0] for value in values]
    return values[1:] if len(values) > 1 and _is_head(keyword, values[0]) else values


def head_of(text: Several) -> str:
    """The attribute that the head of a pasted column names; "" where there is none."""
    listed = [text] if isinstance(text, str) else text[:1]
    line = next((line for piece in listed for line in _LINES.split(piece) if line.strip()), "")
    cells = line.split("\t")
    heads = [keyword for keyword in sorted(LISTED) if any(_is_head(keyword, c) for c in cells)]
    return heads[0] if len(heads) == 1 else ""


def fault_of(keyword: str, value: str) -> str:
    """Why this can be no value of the attribute, in words; "" where it can."""
    if _SHORTENED.fullmatch(value):
        return "digits were lost in a spreadsheet"
    if is_wild(value):
        return "a wildcard stands for many"
    if len(value) > _LONGEST_ONE:
        return f"longer than {_LONGEST_ONE} characters"
    if keyword.endswith("UID") and not _UID.fullmatch(value):
        return "no UID"
    return ""


def parts_of(value: str) -> list[str]:
    """The value or values that one may be instead: by the separators it holds, by what programs and
    keyboards make of a number, or from one number to another; none where it can be nothing else."""
    inner = value[1:-1] if f"{value[:1]}{value[-1:]}" in _BRACKETS else value
    parts = _cleaned(_SELDOM_INSIDE.split(inner))
    if len(parts) < 2:
        words = _cleaned(inner.strip(_AROUND).split())
        parts = words if words and all(map(_IDENTIFIER.fullmatch, words)) else parts
    if parts not in ([], [value]):
        return parts
    return _from_to(value) or _otherwise(value)


def _from_to(value: str) -> list[str]:
    """The numbers from one to another."""
    found = _FROM_TO.fullmatch(value)
    if not found or found["again"] not in ("", found["prefix"]):
        return []
    # A plain hyphen stands in numbers too: 2026-2031.
    if found["to"] == "-" and not found["again"] and len(found["first"]) < _FEW_DIGITS:
        return []
    first, last, width = int(found["first"]), int(found["last"]), len(found["first"])
    if len(found["last"]) != width or not first < last < first + _MOST_FROM_TO:
        return []
    return [f"{found['prefix']}{number:0{width}}" for number in range(first, last + 1)]


def _otherwise(value: str) -> list[str]:
    """One value in its usual form."""
    if found := _FRACTION.fullmatch(value):
        return [found[1]]
    plain = unicodedata.normalize("NFKC", value)
    return [plain] if plain != value and plain.isascii() else []


def _visible(text: str) -> str:
    """Text without characters that nobody sees, and with every space a plain one."""
    if text.isascii():
        return text
    seen = (
        " " if unicodedata.category(character) == "Zs" else character
        for character in text
        if unicodedata.category(character) != "Cf"
    )
    return "".join(seen)


def _column(keyword: str, text: str) -> str:
    """Of a table with a head the column of this attribute."""
    rows = [line.split("\t") for line in _LINES.split(text) if line.strip()]
    heads = [_is_head(keyword, cell) for cell in rows[0]] if rows else []
    if len(rows) < 2 or len(heads) < 2 or sum(heads) != 1:
        return text
    at = heads.index(True)
    return "\n".join(row[at] for row in rows[1:] if len(row) > at)


def _is_head(keyword: str, cell: str) -> bool:
    letters = "".join(character for character in cell.casefold() if character.isalnum())
    return letters in _HEADS.get(keyword, ()) or letters == keyword.casefold()


def _uids(pieces: Iterable[str]) -> list[str]:
    """What between these has a digit, unless nothing has; a UID ends with one."""
    lines = [_BULLET.sub("", line.strip()) for piece in pieces for line in _LINES.split(piece)]
    plain = (unicodedata.normalize("NFKC", line) for line in lines)
    values = _cleaned(part.rstrip(".") for line in plain for part in _AROUND_UIDS.split(line))
    named = [value for value in values if any(map(str.isdigit, value))]
    return named or values


def _values_of_pieces(pieces: Sequence[str]) -> list[str]:
    """Of what never is one value; a piece may be several values all the same."""
    several = len(pieces) > 1
    # A list that was broken for its length ends its lines so.
    is_broken = several and any(piece.rstrip().endswith((",", ";")) for piece in pieces)
    values: list[str] = []
    for piece in _cleaned(pieces):
        value = _BULLET.sub("", piece.strip(_AROUND), count=1) if several else piece
        parts = parts_of(value) if is_broken or len(value) > _LONGEST_ONE else []
        values += parts or [value]
    return _cleaned(values)


def _from_json(text: str) -> list[str] | None:
    if not text.startswith("["):
        return None
    try:
        listed: list[object] = json.loads(text, parse_int=str, parse_float=str)
    except ValueError:
        return None
    texts = [piece for piece in listed if isinstance(piece, str)]
    return texts if len(texts) == len(listed) else None


def _cleaned(values: Iterable[str]) -> list[str]:
    """Each value once, in order, without what surrounds it in a table or a program."""
    return [*dict.fromkeys(bare for value in values if (bare := _bare(value)))]


def _bare(value: str) -> str:
    """A value without what surrounds it in a table or a program."""
    return value.strip().removeprefix("=").strip(_QUOTES).strip()


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
