"""A condition as people write it: an attribute, a relation, and what values are compared with."""

import re

from ..attributes import keyword_of
from ..errors import BadArgument, BadAttribute
from ..standard.dictionary import attribute
from ..standard.values import shown
from ..words.quantity import QUANTITIES

# The forms that are taught, of every attribute and of ages, dates, times and numbers only.
FORMS = (
    *("is X", "is not X", "is A or B", "contains X", "does not contain X", "starts with X"),
    *("ends with X", "is empty", "is not empty", "longer than N", "shorter than N"),
)
FORMS_OF_QUANTITIES = (
    *("more than N", "less than N", "at least N", "at most N", "between A and B"),
    *("before X", "after X"),
)
HOW = (
    f"Write an attribute and one of: {', '.join(FORMS)}; of ages, dates, times and numbers also "
    f"{', '.join(FORMS_OF_QUANTITIES)}"
)

_BE = r"(?:(?:is|are|was|were|be|being|has|have) )?"
_MORE = "more|greater|larger|higher|bigger|above|over|exceeds|exceeding|heavier|taller|thicker"
_LESS = "less|smaller|fewer|lower|below|under|lighter|thinner"
_LATER, _EARLIER = "after|later", "before|earlier"
_X = "(?P<operand>.+)"

# Between two ends, without the word.
_SPANNING = "spanning"

# What stands between attribute and operand, the longer forms first.
_RELATIONS: tuple[tuple[str, str], ...] = (
    ("not empty", rf"{_BE}(?:not|never|non-?) ?(?:empty|missing|blank|absent|null|unset|none)"),
    ("not empty", r"(?:is |are )?(?:present|filled(?: in)?|given|set)|exists|has (?:a|any) value"),
    ("empty", r"(?:is |are |was )?(?:empty|missing|blank|absent|null|unset)"),
    ("empty", r"(?:is |are |was )?not (?:present|filled(?: in)?|given|set|there)"),
    ("empty", r"has no value|does not exist|(?:is|=+|equals) (?:\"\"|'')"),
    ("not empty", r"(?:is not|!=|<>) (?:\"\"|'')"),
    ("not is", rf"(?:{_BE}(?:not (?:equal to|the same as)|unequal to)|!=|<>|≠) ?{_X}"),
    ("is", rf"{_BE}(?:equal to|the same as) {_X}"),
    ("longer", rf"{_BE}(?:longer than|more than(?= [\d.]+ char)) {_X}"),
    ("shorter", rf"{_BE}(?:shorter than|less than(?= [\d.]+ char)) {_X}"),
    ("not between", rf"{_BE}not between {_X}"),
    ("between", rf"{_BE}(?:between|ranging from|within) {_X}"),
    (_SPANNING, rf"{_BE}(?:from |in )?(?P<operand>\S+(?: \w+)? (?:to|until|till|bis) .+)"),
    (_SPANNING, rf"{_BE}(?:in )?(?P<operand>\d+(?:\.\d+)? ?(?:-|–|\.\.) ?\d+(?:\.\d+)?"
     r"(?: [a-z]+)?)"),
    ("at least", rf"(?:{_BE}(?:at least|no (?:less|fewer) than|not (?:less|fewer) than|minimum|"
     rf"not (?:under|below|before|younger than)|since|from|starting)|>=|=>|≥) ?{_X}"),
    ("at most", rf"(?:{_BE}(?:at most|no more than|not more than|maximum|up to|until|till|through|"
     rf"not (?:over|above|after|older than))|<=|=<|≤) ?{_X}"),
    ("at least", rf"(?:{_BE}|[=:] ?)(?:at |from )?(?P<operand>[\w.,:/ ]+?)(?: or (?:more|later|"
     r"after|older|above|higher|over|greater|up|newer|longer)| and (?:more|later|older|above|up|"
     r"over)| ?\+)"),
    ("at most", rf"(?:{_BE}|[=:] ?)(?:at |from )?(?P<operand>[\w.,:/ ]+?) or (?:less|earlier|"
     r"before|younger|below|lower|under|fewer|down|shorter)"),
    ("older", rf"{_BE}older than {_X}"),
    ("younger", rf"{_BE}(?:younger|newer) than {_X}"),
    ("after", rf"{_BE}(?:{_LATER})(?: than)? {_X}"),
    ("before", rf"{_BE}(?:{_EARLIER})(?: than)? {_X}"),
    ("more", rf"(?:{_BE}(?:{_MORE})(?: than)? |> ?){_X}"),
    ("less", rf"(?:{_BE}(?:{_LESS})(?: than)? |< ?){_X}"),
    ("not like", rf"(?:(?:does|do|did) not match|(?:is )?not like) {_X}"),
    ("like", rf"(?:match(?:es)?|(?:is )?like) {_X}"),
    ("not contains", r"(?:(?:does|do|did) not (?:contain|include|mention|have|list)|"
     r"not (?:containing|contains?|including)|"
     rf"lacks?|lacking|without|excludes?|excluding|contains no|has no) {_X}"),
    ("contains", rf"(?:contains?|containing|includes?|including|mentions?|has|have|with) {_X}"),
    ("not starts", rf"(?:does not (?:start|begin) with) {_X}"),
    ("starts", rf"(?:(?:start|begin)(?:s|ning|ing)? with) {_X}"),
    ("not ends", rf"(?:does not end (?:with|in)) {_X}"),
    ("ends", rf"(?:end(?:s|ing)? (?:with|in)) {_X}"),
    ("not is", rf"(?:(?:is|are|was) (?:not|neither|other than|different from|anything but|none of)"
     rf"(?: in)?|(?:does|do) not equal|differs from|excluding|not) ?{_X}"),
    ("is", rf"(?:(?:is|are|was|equals?) (?:exactly |on |at |in |during )?|"
     rf"(?:on|at|in|during|exactly) |(?:==?|:) ?){_X}"),
)  # fmt: skip
_PATTERNS = tuple((relation, re.compile(words, re.IGNORECASE)) for relation, words in _RELATIONS)

# Conditions that do not begin with their attribute.
_FIRST: tuple[tuple[str, str], ...] = (
    (r"(?:no|without(?: an?| any)?|has no|have no|lacks?|missing) (.+)", r"\1 is empty"),
    (r"(?:with(?: an?| any)?|has an?|have an?) (.+)", r"\1 is not empty"),
    (r"patients? (?:is |are )?((?:older|younger|over|under) .+)", r"age \1"),
    (r"((?:older|younger|over|under) (?:than )?\d.*)", r"age \1"),
    (r"(?:patients? )?(?:is |are )?aged (.+)", r"age \1"),
)
# A comparison that begins with the value: 60 < age.
_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "≤": ">=", "≥": "<="}
_VALUE_FIRST = re.compile(r"([^<>=≤≥]*\d[^<>=≤≥]*?) ?(<=|>=|<|>|≤|≥) ?([^\W\d][\w ]*)")
_VALUES_AROUND = re.compile(r"[^<>=≤≥]*\d[^<>=≤≥]*(?:[<>]=?|[≤≥])[^<>=≤≥]*(?:[<>]=?|[≤≥])")
_SHORT = (("n't ", " not "), ("n’t ", " not "))


def split(text: str) -> tuple[str, str, str]:
    """Keyword, relation and operand of a condition. Raises BadArgument for other words, with the
    forms there are."""
    plain = re.sub(r"\s+", " ", text.strip())
    for short, long in _SHORT:
        plain = plain.replace(short, long)
    plain = re.sub(r"(?i)\bcan not\b", "not", plain)
    for pattern, form in _FIRST:
        found = re.fullmatch(pattern, plain, re.IGNORECASE)
        if found and (not form.startswith(r"\1") or _is_attribute(found[1])):
            plain = found.expand(form)
            break
    if _VALUES_AROUND.match(plain):
        why = "it has more than one comparison"
        raise refused(text, why, "Give each as an item of its own, or ask: between A and B")
    if (turned := _VALUE_FIRST.fullmatch(plain)) and _is_attribute(turned[3]):
        plain = f"{turned[3]} {_TURNED[turned[2]]} {turned[1]}"
    cuts = [at.start() for at in re.finditer(r" |(?<=\w)(?=[<>=!≠≤≥:])", plain)]
    for cut in reversed(cuts):
        name = re.sub(r"^(?:the|its|their|whose) ", "", plain[:cut], flags=re.IGNORECASE)
        if not _NAME.fullmatch(name) or not _is_attribute(name):
            continue
        keyword = keyword_of(name)
        for relation, pattern in _PATTERNS:
            if relation == _SPANNING and not _is_quantity(keyword):
                continue  # "CT to rule out" is text
            if found := pattern.fullmatch(plain[cut:].strip()):
                relation = "between" if relation == _SPANNING else relation
                return keyword, relation, (found.groupdict().get("operand") or "").strip()
        raise refused(text, f"where={shown(text)} is not understood")
    first = re.split(r" (?:is|are|was|not|contains?|lacks|has|does)\b|[<>=!]", plain)[0]
    if _NAME.fullmatch(first) and len(first) < len(plain):
        keyword_of(first)  # says which attribute is near
    raise refused(text, f"where={shown(text)} is not understood")


# What the name of an attribute may be written with.
_NAME = re.compile(r"[\w (),'’/-]+")


def _is_quantity(keyword: str) -> bool:
    found = attribute(keyword)
    return found is not None and found.vr in QUANTITIES


def _is_attribute(name: str) -> bool:
    try:
        keyword_of(name)
    except BadAttribute:
        return False
    return True


def refused(text: str, why: str, remedy: str = HOW) -> BadArgument:
    """The error for a condition that cannot be meant."""
    return BadArgument(why if shown(text) in why else f"where={shown(text)}: {why}", remedy)
