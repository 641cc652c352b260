"""Encapsulated CDA (PS3.3 A.45.2): an HL7 document's words as text.

It is parsed in a process apart, which keeps no tree, fetches nothing and refuses a document that
declares entities: the only thing they add to a CDA is a way to blow it up.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..budgets import LARGEST_CDA, LONGEST_REPORT
from ..deadline import Deadline
from .apart import Apart, Failed
from .error import ContentError
from .plain import capped, plain_text

DEEPEST = 200

# What parsing takes beside the document: its text twice, its words, a little of expat's.
_COPIES = 8
_LEAST = 64 << 20

_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Document:
    """A CDA's title, its authors and its text; `notes` say what of it is missing, `left_out` how
    many characters."""

    title: str
    authors: tuple[str, ...]
    text: str
    notes: tuple[str, ...]
    left_out: int = 0


def read(content: bytes, deadline: Deadline | None = None) -> Document:
    """The words of a CDA; what comes before a fault is kept and the fault noted.

    Raises ContentError for a document that is too large, declares entities, is in an encoding that
    nobody knows, or takes too long.
    """
    if len(content) > LARGEST_CDA:
        raise ContentError(
            f"The CDA document has {len(content):,} bytes; more than {LARGEST_CDA:,} are not read"
        )
    memory = _LEAST + _COPIES * len(content)
    with Apart(deadline) as apart:
        try:
            found, (words,) = apart.ask(
                "cda", content, memory=memory, characters=LONGEST_REPORT, deepest=DEEPEST
            )
        except Failed as failure:
            raise failure.refusal("The CDA document") or ContentError(
                *_REFUSED.get(failure.fault, _REFUSED["crashed"])
            ) from failure
    lines = [" ".join(line.split()) for line in words.decode("utf-8", "replace").split("\n")]
    text = plain_text("\n".join(line for line in lines if line), lines=True)
    if found["left_out"]:
        text += f"… [{found['left_out']:,} more characters left out]"
    title = plain_text(" ".join(found["title"].split()))
    authors = tuple(dict.fromkeys(map(plain_text, found["authors"])))
    notes = tuple(_notes(found["faults"], is_readable=found["readable"]))
    return Document(title, authors, text, notes, found["left_out"])


def _notes(faults: Sequence[Sequence[str]], *, is_readable: bool) -> Iterator[str]:
    """What of the document is missing."""
    for kind, value in faults:
        yield _FAULTS[kind].format(capped(plain_text(value), _LONGEST_NAME))
    if not is_readable and not any(kind == "attachment" for kind, _ in faults):
        yield "The document has no readable body: neither sections with text nor a text of its own"


_FAULTS = {
    "malformed": "The XML is malformed at line {}; the text ends there",
    "attachment": "The body is an attachment of type {}, which is not read",
    "medium": "A picture or another medium in the text is not shown ({})",
    "coded": 'The section "{}" has no text, only coded entries; what they say is in brackets',
    "encoding": "Some bytes are not in the encoding that the document names ({})",
    "entity": "The document does not explain &{};, which stands in its text: what it means may "
    "change the sense of a sentence",
}

_REFUSED = {
    "entities": (
        "The CDA document declares XML entities, which are not expanded",
        "Ask whoever made it for a document without a DTD",
    ),
    "deep": (
        f"The CDA document is nested deeper than {DEEPEST} elements",
        "No honest document is; tell whoever made it",
    ),
    "encoding": (
        "The CDA document names an encoding that nobody knows",
        "Ask whoever made it for it in UTF-8",
    ),
    "crashed": (
        "The CDA document could not be read: parsing it failed",
        "Open it with another program",
    ),
}
