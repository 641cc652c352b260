"""What a condition asks of text: is, contains, starts with, is longer than (no VR's text is more or
less than another)."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import BadArgument
from ..standard.values import shown
from ..words.body_part import body_part
from ..words.codes import code_of
from ..words.meaning import MODALITY
from ..words.modalities import modalities
from ..words.namesake import same_name

# Words that begin a comparison: no value of text begins so, unless it is quoted.
_COMPARING = re.compile(
    r"(?i)(?:more|less|greater|fewer|higher|lower|larger|smaller|longer|shorter|older|younger|"
    r"before|after|since|until|between|at least|at most|not|neither|equal|contain\w*|like|empty|"
    r"start\w* with|begin\w* with|end\w* with)\b"
)
# Another condition within an operand.
_ANOTHER = re.compile(r"[<>=≤≥≠]|(?i:\b(?:is|are|contains|lacks|than|does not)\b)")

_WORDS = {"is": "is", "contains": "contains", "starts": "starts with", "ends": "ends with"}


@dataclass(frozen=True, slots=True)
class Wording:
    """How text is compared, in any case of letters."""

    said: str
    _test: Callable[[Sequence[str]], bool]

    @classmethod
    def of(cls, keyword: str, vr: str, relation: str, operand: str, *, text: str) -> "Wording":
        """Raises BadArgument, with what can be asked, for what text cannot be asked."""
        if relation == "like":  # with wildcards it is told of the whole value
            relation = "is" if set(operand) & set("*?") else "contains"
        if relation in ("longer", "shorter"):
            return _length(relation, operand, text)
        if relation not in _WORDS:
            raise _refused(
                text,
                f"{keyword} is text ({vr}), which is not more or less than another",
                f"Ask: {keyword} is X, is not X, contains X, starts with X, is empty, longer than "
                "N characters",
            )
        if keyword in MODALITY and relation in ("is", "contains"):
            return _modality(keyword, operand, text)
        parts, joined = _parts(operand, relation, keyword, text)
        if joined == "and" and relation != "contains":
            raise _refused(
                text,
                f"{keyword} cannot {relation} two things at once",
                'If it is one value, quote it: is "A and B"; else give two conditions',
            )
        parts = [code_of(keyword, part) for part in parts]
        tests = [_test(keyword, vr, relation, part, text=text) for part in parts]
        words = f" {joined} ".join(shown(part) for part in parts)
        every = all if joined == "and" else any
        return cls(
            f"{_WORDS[relation]} {words}",
            lambda values: every(any(test(value) for value in values) for test in tests),
        )

    def holds(self, values: Sequence[str]) -> bool:
        """Whether one of the values is as it is worded."""
        return self._test(values)


def _length(relation: str, operand: str, text: str) -> Wording:
    found = re.fullmatch(r"(\d+)(?: (?:characters?|chars?|letters?|digits?))?", operand.strip())
    if not found:
        raise _refused(text, f"{shown(operand)} is no length", "Write: longer than 64 characters")
    limit = int(found[1])
    if relation == "longer":
        return Wording(
            f"is longer than {limit} characters",
            lambda values: max(map(len, values), default=0) > limit,
        )
    return Wording(
        f"is shorter than {limit} characters",
        lambda values: max(map(len, values), default=0) < limit,
    )


def _modality(keyword: str, operand: str, text: str) -> Wording:
    meant = modalities(operand.strip("()[]").replace('"', ""), argument="where")
    if keyword == "Modality" and not meant.is_one:
        raise _refused(
            text,
            "each series has one modality",
            f'For studies with {meant.said}, ask with modality="{meant.said}"',
        )
    return Wording(
        f"is {meant.said}", lambda values: meant.hold([value.upper() for value in values])
    )


def _parts(operand: str, relation: str, keyword: str, text: str) -> tuple[list[str], str]:
    """The alternatives of an operand and what joins them; what is quoted is one."""
    quoted = re.findall(r'"([^"]+)"|\'([^\']+)\'|“([^”]+)”|„([^“”]+)[“”]', operand)
    bare = re.sub(r'"[^"]+"|\'[^\']+\'|“[^”]+”|„[^“”]+[“”]', "\0", operand)
    listed = re.match(r"(?i)(?:one of|any of|either|neither|in)\b", bare) or bare[:1] in "(["
    bare = re.sub(r"(?i)^(?:one of|any of|either|neither|in)\b ?", "", bare).strip()
    if listed:
        bare = bare.strip("()[]")
    if (relation == "is" and _COMPARING.match(bare)) or _ANOTHER.search(bare):
        raise _refused(
            text,
            f"what {keyword} is compared with reads like another condition",
            f'Quote a value: {keyword} {_WORDS[relation]} "X"; give each condition as an item of '
            "its own",
        )
    separator = r",? (?:or|oder|nor) |, ?| ?\| ?" if listed else r",? (?:or|oder|nor) | ?\| ?"
    parts, joined = re.split(separator, bare, flags=re.IGNORECASE), "or"
    if len(parts) == 1:
        several = re.split(r" (?:and|und) ", bare, flags=re.IGNORECASE)
        if len(several) > 1:
            several[0] = re.sub(r"(?i)^both ", "", several[0])
        parts, joined = (several, "and") if len(several) > 1 else (parts, joined)
    elif any(re.search(r" (?:and|und) ", part, re.IGNORECASE) for part in parts):
        raise _refused(text, '"and" and "or" are mixed', "Give conditions of their own, or quote")
    values = iter(["".join(letters) for letters in quoted])
    found = [re.sub("\0", lambda _: next(values), part).strip() for part in parts]
    if not all(found):
        raise _refused(text, "nothing is given to compare with", f"Ask: {keyword} is empty")
    return found, joined


def _test(keyword: str, vr: str, relation: str, wanted: str, *, text: str) -> Callable[[str], bool]:
    if relation == "is" and vr == "PN":
        return same_name(wanted)
    pattern = _pattern(
        f"{'*' if relation in ('contains', 'ends') else ''}{wanted}"
        f"{'*' if relation in ('contains', 'starts') else ''}"
    )
    if vr == "CS" and not wanted.isascii() and keyword != "BodyPartExamined":
        raise _refused(
            text, f"{keyword} is a code, which has no such letters", "Give the code that it has"
        )
    # In capitals it is the code as it is stored: CHEST is not LUNG.
    words = keyword == "BodyPartExamined" and relation == "is" and not wanted.isupper()
    if words and (part := body_part(wanted)):
        return lambda value: bool(pattern.fullmatch(fold(value))) or body_part(value) == part
    return lambda value: bool(pattern.fullmatch(fold(value)))


def _pattern(key: str) -> re.Pattern[str]:
    parts = re.split(r"([*?])", fold(key))
    return re.compile(
        "".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in parts), re.DOTALL
    )


def fold(text: str) -> str:
    """Text as it is compared: in one case, each letter in one spelling."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _refused(text: str, why: str, remedy: str) -> BadArgument:
    return BadArgument(f"where={shown(text)}: {why}", remedy)
