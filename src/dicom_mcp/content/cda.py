"""Encapsulated CDA (PS3.3 A.45.2): an HL7 document's words as text.

The parser keeps no tree, fetches nothing and refuses a document that declares entities: the only
thing entities add to a CDA is a way to blow it up.
"""

from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat

from .error import ContentError
from .plain import plain_text

MOST_BYTES = 32 << 20
DEEPEST = 200
MOST_CHARACTERS = 8_000_000

# Narrative elements (HL7 CDA R2 4.3.5) that begin a line of their own, or a cell.
_LINES = frozenset(
    {"paragraph", "br", "item", "tr", "caption", "section", "title", "table", "list"}
)
_CELLS = frozenset({"td", "th"})

# Where the words are: the narrative block, titles, and names in the header.
_TOLD = frozenset({"title", "text"})
_NAMED = frozenset({"given", "family", "prefix", "suffix", "name"})


@dataclass(frozen=True, slots=True)
class Document:
    """A CDA's title, its authors and its text; `notes` say what of it is missing, `left_out` how
    many characters."""

    title: str
    authors: tuple[str, ...]
    text: str
    notes: tuple[str, ...]
    left_out: int = 0


def read(content: bytes) -> Document:
    """The words of a CDA; what comes before a fault is kept and the fault noted.

    Raises ContentError for a document that is too large or declares entities.
    """
    if len(content) > MOST_BYTES:
        raise ContentError(
            f"The CDA document has {len(content):,} bytes; more than {MOST_BYTES:,} are not read"
        )
    reading = _Reading()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.characters
    parser.EntityDeclHandler = _refuse_entity
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    try:
        parser.Parse(content.rstrip(b"\0 "), True)
    except expat.ExpatError as trouble:
        reading.notes.append(f"The XML is malformed at line {trouble.lineno}; the text ends there")
    return reading.document()


@dataclass(slots=True)
class _Reading:
    """What has been read so far, and where in the document the parser stands."""

    path: list[str] = field(default_factory=list[str])
    parts: list[str] = field(default_factory=list[str])
    title: list[str] = field(default_factory=list[str])
    author: list[str] = field(default_factory=list[str])
    authors: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    length: int = 0
    left_out: int = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rsplit(" ", 1)[-1]
        if len(self.path) >= DEEPEST:
            raise ContentError(f"The CDA document is nested deeper than {DEEPEST} elements")
        if name == "text" and attributes.get("representation") == "B64":
            kind = plain_text(attributes.get("mediaType", "unknown"))
            self.notes.append(f"The body is an attachment of type {kind}, which is not read")
            name = "attachment"
        self.path.append(name)
        if self._in_narrative():
            if name in _LINES:
                self._say("\n")
            elif name in _CELLS:
                self._say(" | ")

    def end(self, name: str) -> None:
        name = self.path.pop()
        if name in ("title", "text"):
            self._say("\n")
        if name == "author":
            if words := " ".join("".join(self.author).split()):
                self.authors.append(plain_text(words))
            self.author.clear()

    def characters(self, text: str) -> None:
        if self.path == ["ClinicalDocument", "title"]:
            self.title.append(text)
        elif "author" in self.path and self.path[-1] in _NAMED:
            self.author.append(text + " ")
        if self._in_narrative():
            self._say(text if text.strip() else " ")

    def document(self) -> Document:
        lines = [" ".join(line.split()) for line in "".join(self.parts).split("\n")]
        text = plain_text("\n".join(line for line in lines if line), lines=True)
        if self.left_out:
            text += f"… [{self.left_out:,} more characters left out]"
        title = plain_text(" ".join("".join(self.title).split()))
        authors = tuple(dict.fromkeys(self.authors))
        return Document(title, authors, text, tuple(self.notes), self.left_out)

    def _in_narrative(self) -> bool:
        return not _TOLD.isdisjoint(self.path)

    def _say(self, text: str) -> None:
        room = MOST_CHARACTERS - self.length
        if len(text) > room:
            self.left_out += len(text) - room
            text = text[:room]
        self.length += len(text)
        self.parts.append(text)


def _refuse_entity(*_: object) -> NoReturn:
    raise ContentError(
        "The CDA document declares XML entities, which are not expanded",
        "Ask whoever made it for a document without a DTD",
    )
