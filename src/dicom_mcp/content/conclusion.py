"""What a report concludes: by the codes of its content, or by the heading in its text."""

import re
from collections.abc import Iterator, Sequence

from .plain import capped
from .tree import Tree

# Characters shown of it beside the whole text.
_LONGEST = 1_000

# PS3.16 CID 7001 and 7002, and LOINC's sections of a report.
_CODES = frozenset({
    ("121072", "DCM"), ("121073", "DCM"), ("121074", "DCM"), ("121075", "DCM"), ("121076", "DCM"),
    ("121077", "DCM"), ("121111", "DCM"), ("19005-8", "LN"), ("55110-1", "LN"), ("18783-1", "LN"),
})  # fmt: skip

# As they are headed in English, German, French, Spanish, Italian, Portuguese and Dutch.
_WORDS = (
    "conclusions?|impressions?|summary|recommendations?|beurteilung|zusammenfassung|"
    "schlussfolgerung|empfehlung|synthèse|conclusión|impresión|conclusioni|conclusione|"
    "conclusão|impressão|conclusie"
)
_HEADING = re.compile(
    rf"^[ \t#*]*(?:{_WORDS})\b(?:[^\n:]{{0,40}}:[ \t]*|[ \t*]*(?:\n|$))", re.I | re.M
)
_NEXT = re.compile(r"^[^\W\d_][^\n:.]{2,40}:[ \t]*(?:\n|$)", re.M)


def of_tree(tree: Tree) -> str:
    """The texts that a structured report has below, or as, a conclusion."""
    concluding: set[int] = set()
    for index, item in enumerate(tree.items):
        coded = (item.concept.value, item.concept.scheme) in _CODES
        named = re.fullmatch(_WORDS, item.concept.meaning.strip(), re.I)
        if coded or named or item.parent in concluding:
            concluding.add(index)
    return capped("\n".join(_texts(tree, sorted(concluding))), _LONGEST)


def of_text(text: str) -> str:
    """What stands below such headings, each until the next one; with them, where there are
    several."""
    found = [*_HEADING.finditer(text)]
    parts: list[str] = []
    for number, heading in enumerate(found):
        end = found[number + 1].start() if number + 1 < len(found) else len(text)
        rest = text[heading.end() : end]
        if following := _NEXT.search(rest):
            rest = rest[: following.start()]
        if rest := rest.strip():
            parts.append(f"{heading[0].strip()} {rest}" if len(found) > 1 else rest)
    return capped("\n".join(parts), _LONGEST)


def _texts(tree: Tree, indices: Sequence[int]) -> Iterator[str]:
    for index in indices:
        item = tree.items[index]
        if item.kind in ("TEXT", "CODE", "NUM") and item.value:
            yield item.value if item.kind == "TEXT" else f"{item.concept.short}: {item.value}"
