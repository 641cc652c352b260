"""What the process apart does with bytes that unfold: deflated data sets, XML, HTML and RTF."""

import re
import zlib
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, NoReturn
from xml.parsers import expat

from .fault import Answer, Fault

_PIECE = 1 << 20

# Narrative elements (HL7 CDA R2 4.3.5) that begin a line of their own, or a cell.
_LINES = frozenset(
    {"paragraph", "br", "item", "tr", "caption", "section", "title", "table", "list"}
)
_CELLS = frozenset({"td", "th"})

# Where the words are: the narrative block, titles, and names in the header.
_TOLD = frozenset({"title", "text"})
_NAMED = frozenset({"given", "family", "prefix", "suffix", "name"})

# What expat does not read itself, by the names people write (RFC 2978): a superset of each, as
# what calls itself Shift_JIS or GB2312 mostly is one.
_ENCODINGS = {
    "SHIFT_JIS": "cp932", "SHIFT-JIS": "cp932", "SJIS": "cp932", "X-SJIS": "cp932",
    "WINDOWS-31J": "cp932", "MS_KANJI": "cp932", "EUC-JP": "euc_jp",
    "GB2312": "gb18030", "GBK": "gb18030", "GB18030": "gb18030", "BIG5": "cp950",
    "EUC-KR": "cp949", "KS_C_5601-1987": "cp949",
}  # fmt: skip
_BY_EXPAT = frozenset({"UTF-8", "UTF-16", "ISO-8859-1", "US-ASCII"})
_DECLARED = re.compile(rb"\A\s*<\?xml[^>]*?\sencoding\s*=\s*[\"']([A-Za-z][\w.:-]*)[\"']")
_MARKED = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")

_HIDDEN = frozenset({"head", "script", "style", "title"})
_HTML_LINES = frozenset({"br", "div", "h1", "h2", "h3", "h4", "li", "p", "table", "tr"})

# RTF 1.9: a group that holds no text, a control word, a byte in hexadecimal.
_RTF_GROUP = re.compile(
    r"\{\\(?:\*|fonttbl|colortbl|stylesheet|info|pict)[^{}]*(?:\{[^{}]*\}[^{}]*)*\}"
)
_RTF_WORD = re.compile(r"\\([a-z]+)(-?\d+)? ?|\\'([0-9a-fA-F]{2})|\\([^a-z])|[{}\r\n]")
_RTF_BREAKS = {"par": "\n", "line": "\n", "tab": "\t", "cell": " | ", "row": "\n"}


def inflate(content: bytes, wish: dict[str, Any]) -> Answer:
    """A deflated data set (PS3.5 A.5) as far as it can be inflated, and how it ends."""
    unfolding = zlib.decompressobj(-zlib.MAX_WBITS)
    plain, left = bytearray(), content
    try:
        while left:
            plain += unfolding.decompress(left, _PIECE)
            left = unfolding.unconsumed_tail
            if len(plain) > wish["most"]:
                raise Fault("bomb")
    except zlib.error:
        return {"end": "damaged"}, [bytes(plain)]
    return {"end": "" if unfolding.eof else "cut"}, [bytes(plain)]


def markup(content: bytes, wish: dict[str, Any]) -> Answer:
    """The words of a page of HTML, or of RTF; in UTF-8, halves of pairs too."""
    text = content.decode("utf-8", "surrogatepass")
    if wish["kind"] == "HTML":
        reading = _Words()
        reading.feed(text)
        reading.close()
        text = "".join(reading.parts)
    else:
        text = _RTF_WORD.sub(_written, _RTF_GROUP.sub("", text))
    return {}, [text.encode("utf-8", "surrogatepass")]


def cda(content: bytes, wish: dict[str, Any]) -> Answer:
    """The words of a CDA as far as it can be parsed; nothing is fetched, no entity expanded."""
    reading = _Reading(wish["characters"], wish["deepest"])
    content = content.rstrip(b"\0 ")
    declared = _DECLARED.match(content[:1024])
    encoding = declared[1].decode().upper() if declared else ""
    told = None
    if encoding and encoding not in _BY_EXPAT and not content.startswith(_MARKED):
        content, lost = _in_utf8(content, encoding)
        told = "utf-8"
        if lost:
            reading.faults.append(["encoding", encoding])
    parser = expat.ParserCreate(encoding=told, namespace_separator=" ")
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.characters
    parser.SkippedEntityHandler = reading.skipped
    parser.EntityDeclHandler = _refuse_entity
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    try:
        parser.Parse(content, True)
    except expat.ExpatError as trouble:
        reading.faults.append(["malformed", str(trouble.lineno)])
    return reading.facts(), ["".join(reading.parts).encode("utf-8", "surrogatepass")]


def _in_utf8(content: bytes, encoding: str) -> tuple[bytes, bool]:
    """The document in UTF-8, and whether bytes of it are in no such encoding."""
    known = _ENCODINGS.get(encoding, encoding)
    try:
        return content.decode(known).encode(), False
    except UnicodeDecodeError:
        return content.decode(known, "replace").encode(), True
    except (LookupError, UnicodeError) as trouble:  # no text encoding, or none at all
        raise Fault("encoding") from trouble


@dataclass(slots=True)
class _Reading:
    """What has been read so far, and where in the document the parser stands."""

    most: int
    deepest: int
    path: list[str] = field(default_factory=list[str])
    parts: list[str] = field(default_factory=list[str])
    title: list[str] = field(default_factory=list[str])
    author: list[str] = field(default_factory=list[str])
    authors: list[str] = field(default_factory=list[str])
    faults: list[list[str]] = field(default_factory=list[list[str]])
    length: int = 0
    left_out: int = 0
    is_readable: bool = False

    def facts(self) -> dict[str, Any]:
        return {
            "title": "".join(self.title),
            "authors": self.authors,
            "faults": self.faults,
            "left_out": self.left_out,
            "readable": self.is_readable,
        }

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rsplit(" ", 1)[-1]
        if len(self.path) >= self.deepest:
            raise Fault("deep")
        if name == "text" and attributes.get("representation") == "B64":
            self.faults.append(["attachment", attributes.get("mediaType", "unknown")])
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
                self.authors.append(words)
            self.author.clear()

    def characters(self, text: str) -> None:
        if self.path == ["ClinicalDocument", "title"]:
            self.title.append(text)
        elif "author" in self.path and self.path[-1] in _NAMED:
            self.author.append(text + " ")
        if self._in_narrative():
            self.is_readable = self.is_readable or ("text" in self.path and bool(text.strip()))
            self._say(text if text.strip() else " ")

    def skipped(self, name: str, is_parameter: bool) -> None:
        """An entity that nothing here explains: what it stands for may turn a sentence round."""
        if not is_parameter:
            self.characters(f"[&{name}; is not explained]")
            if ["entity", name] not in self.faults[-_MOST_FAULTS:]:
                self.faults.append(["entity", name])

    def _in_narrative(self) -> bool:
        return not _TOLD.isdisjoint(self.path)

    def _say(self, text: str) -> None:
        room = self.most - self.length
        if len(text) > room:
            self.left_out += len(text) - room
            text = text[:room]
        self.length += len(text)
        self.parts.append(text)


_MOST_FAULTS = 20


def _refuse_entity(*_: object) -> NoReturn:
    raise Fault("entities")


class _Words(HTMLParser):
    """The text of a page as its reader sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self._hidden += tag in _HIDDEN
        self.parts += ["\n"] * (tag in _HTML_LINES) + [" | "] * (tag in ("td", "th"))

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in _HIDDEN))
        self.parts += ["\n"] * (tag in _HTML_LINES)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def _written(found: re.Match[str]) -> str:
    """What a control word stands for."""
    word, number, byte, letter = found.groups()
    if byte:
        return bytes.fromhex(byte).decode("cp1252", "replace")
    if word == "u" and number:
        return chr(int(number) % 0x10000)
    if letter:
        return letter if letter in "\\{}" else " " if letter == "~" else ""
    return _RTF_BREAKS.get(word or "", "")
