"""What the process apart does with XML, HTML and RTF."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, NoReturn
from xml.parsers import expat

from .fault import Answer, Fault

# Narrative elements (HL7 CDA R2 4.3.5) that begin a line of their own, or a cell.
_LINES = frozenset(
    {"paragraph", "br", "item", "tr", "caption", "section", "title", "table", "list"}
)
_BLOCKS = _LINES - {"br"}
_CELLS = frozenset({"td", "th"})

# What stands around words whose place or line means something, in CDA (4.3.5) and HTML: 10⁹ is not
# 109, and what is struck out is not said.
_RAISED, _LOWERED, _DELETED = ("^(", ")"), ("_(", ")"), ("[deleted: ", "]")
_AROUND = {
    "sup": _RAISED,
    "sub": _LOWERED,
    **dict.fromkeys(("del", "s", "strike"), _DELETED),
    "footnote": (" [footnote: ", "]"),
}
_SIMPLE = re.compile(r"([\^_])\(([-+−]?\w+)\)(?!\w)")
_STRUCK = re.compile("strike|line-?through", re.I)

# Lines of a table in which a cell of several rows goes on.
_DITTO = "″"
_MOST_SPAN = 100

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


def markup(content: bytes, wish: dict[str, Any]) -> Answer:
    """The words of a page of HTML, or of RTF, in UTF-8, halves of pairs too; and whether its end is
    missing."""
    text = content.decode("utf-8", "surrogatepass")
    if wish["kind"] == "HTML":
        reading = _Words()
        reading.feed(text)
        is_cut = bool(reading.rawdata) or bool(reading.open)
        reading.close()
        text = "".join(reading.parts)
    else:
        rtf = _Rtf()
        text = _RTF_WORD.sub(rtf.written, _RTF_GROUP.sub("", text))
        is_cut = rtf.is_open
    text = _SIMPLE.sub(r"\1\2", text)
    return {"cut": is_cut}, [text.encode("utf-8", "surrogatepass")]


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
    text = _SIMPLE.sub(r"\1\2", "".join(reading.parts))
    return reading.facts(), [text.encode("utf-8", "surrogatepass")]


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
    ends: list[str] = field(default_factory=list[str])  # what closes each open element
    lists: list[int] = field(default_factory=list[int])  # the number of the last item; -1 without
    tables: list["_Table"] = field(default_factory=list["_Table"])
    sections: list["_Section"] = field(default_factory=list["_Section"])
    has_ended: bool = False  # a block, so that words that follow begin a line

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
        before, after = "", ""
        if name == "section":
            self.sections.append(_Section())
        if self._in_narrative():
            self.has_ended = self.has_ended and name not in _LINES | _CELLS
            before, after = self._narrative(name, attributes)
            if self.has_ended and before:
                before, self.has_ended = "\n" + before, False
        elif self.sections:
            self.sections[-1].entry(self.path, attributes)
        self._say(before)
        self.ends.append(after)

    def _narrative(self, name: str, attributes: dict[str, str]) -> tuple[str, str]:
        """What stands before and after the words of an element."""
        if name in _CELLS and self.tables:
            return self.tables[-1].cell(_span(attributes, "colspan"), _span(attributes, "rowspan"))
        if name == "tr" and self.tables:
            self.tables[-1].column = 0
        elif name == "table":
            self.tables.append(_Table())
        elif name == "list":
            self.lists.append(0 if attributes.get("listType") == "ordered" else -1)
        elif name == "item" and self.lists and self.lists[-1] >= 0:
            self.lists[-1] += 1
            return f"\n{self.lists[-1]}. ", ""
        elif name == "renderMultiMedia":
            self.faults.append(["medium", attributes.get("referencedObject", "")])
            return " [a picture or another medium, not shown] ", ""
        if attributes.get("revised") == "delete" or _STRUCK.search(attributes.get("styleCode", "")):
            return _DELETED
        if name in _CELLS:
            return " | ", ""
        return ("\n", "") if name in _LINES else _AROUND.get(name, ("", ""))

    def end(self, name: str) -> None:
        name = self.path.pop()
        self._say(self.ends.pop())
        self.has_ended = self.has_ended or name in _BLOCKS
        if name == "tr" and self.tables:
            self._say(self.tables[-1].rest())
        elif name == "table" and self.tables:
            self.tables.pop()
        elif name == "list" and self.lists:
            self.lists.pop()
        elif name == "section":
            self._end_section()
        if name in ("title", "text"):
            self._say("\n")
            self.has_ended = False
        if name == "author":
            if words := " ".join("".join(self.author).split()):
                self.authors.append(words)
            self.author.clear()

    def characters(self, text: str) -> None:
        if self.path == ["ClinicalDocument", "title"]:
            self.title.append(text)
        elif "author" in self.path and self.path[-1] in _NAMED:
            self.author.append(text + " ")
        if self.sections:
            self.sections[-1].words(self.path, text)
        if self._in_narrative():
            self.is_readable = self.is_readable or ("text" in self.path and bool(text.strip()))
            if self.has_ended and text.strip():
                self._say("\n")
                self.has_ended = False
            self._say(text if text.strip() else " ")

    def skipped(self, name: str, is_parameter: bool) -> None:
        """An entity that nothing here explains: what it stands for may turn a sentence round."""
        if not is_parameter:
            self.characters(f"[&{name}; is not explained]")
            if ["entity", name] not in self.faults[-_MOST_FAULTS:]:
                self.faults.append(["entity", name])

    def _end_section(self) -> None:
        """What a section without text says in codes only."""
        section = self.sections.pop()
        if section.has_text or not section.coded:
            return
        told = "; ".join(section.coded[:_MOST_CODED])
        if len(section.coded) > _MOST_CODED:
            told += f"; {len(section.coded) - _MOST_CODED} more"
        self._say(f"\n[coded entries, without a text: {told}]\n")
        self.is_readable = True
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(["coded", " ".join("".join(section.title).split())])

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
_MOST_CODED = 500


@dataclass(slots=True)
class _Table:
    """Which columns of the next rows cells of earlier ones go on in."""

    column: int = 0
    going_on: dict[int, int] = field(default_factory=dict[int, int])

    def cell(self, columns: int, rows: int) -> tuple[str, str]:
        """What stands before and after the words of the next cell."""
        before = self._filled()
        for column in range(self.column, self.column + columns):
            self.going_on[column] = rows - 1
        self.column += columns
        return f"{before} | ", f" | {_DITTO}" * (columns - 1)

    def rest(self) -> str:
        """The end of a row."""
        return self._filled()

    def _filled(self) -> str:
        filled = ""
        while self.going_on.get(self.column, 0) > 0:
            self.going_on[self.column] -= 1
            self.column += 1
            filled += f" | {_DITTO}"
        return filled


def _span(attributes: dict[str, str], name: str) -> int:
    said = attributes.get(name, "1")
    return min(max(int(said), 1), _MOST_SPAN) if said.isdecimal() and len(said) < 9 else 1


@dataclass(slots=True)
class _Section:
    """Whether a section has a text (4.3.4), and what its entries say in codes (4.3.6)."""

    title: list[str] = field(default_factory=list[str])
    coded: list[str] = field(default_factory=list[str])
    has_text: bool = False

    def words(self, path: list[str], text: str) -> None:
        if path[-2:] == ["section", "title"]:
            self.title.append(text)
        elif "text" in path and text.strip():
            self.has_text = True

    def entry(self, path: list[str], attributes: dict[str, str]) -> None:
        if "entry" not in path:
            return
        if attributes.get("negationInd") == "true":
            self.coded.append("NOT the following")
        said = attributes.get("displayName") or attributes.get("value") or attributes.get("code")
        if said and path[-1] in _CODED:
            self.coded.append(f"{said} {attributes.get('unit', '')}".strip())


# Of an entry: what was observed, given or done, its value, when.
_CODED = frozenset(
    {"code", "value", "effectiveTime", "low", "high", "doseQuantity", "interpretationCode"}
)


def _refuse_entity(*_: object) -> NoReturn:
    raise Fault("entities")


class _Words(HTMLParser):
    """The text of a page as its reader sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        # What holds the whole page and has begun: nobody who writes that leaves out its end.
        self.open: set[str] = set()
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.open |= {tag} & {"html", "body"}
        self._hidden += tag in _HIDDEN
        if tag in _AROUND:
            self.parts.append(_AROUND[tag][0])
        self.parts += ["\n"] * (tag in _HTML_LINES) + [" | "] * (tag in ("td", "th"))

    def handle_endtag(self, tag: str) -> None:
        self.open -= {tag, "body" if tag == "html" else tag}
        self._hidden = max(0, self._hidden - (tag in _HIDDEN))
        if tag in _AROUND:
            self.parts.append(_AROUND[tag][1])
        self.parts += ["\n"] * (tag in _HTML_LINES)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


class _Rtf:
    """What control words stand for; a group ends what was raised, lowered or struck out in it."""

    def __init__(self) -> None:
        self._ends = [""]

    @property
    def is_open(self) -> bool:
        """Whether a group has no end; the whole document is one."""
        return len(self._ends) > 1

    def written(self, found: re.Match[str]) -> str:
        word, number, byte, letter = found.groups()
        if found[0] == "{":
            self._ends.append("")
            return ""
        if found[0] == "}":
            return self._ends.pop() if len(self._ends) > 1 else ""
        if word in _RTF_AROUND and number != "0":
            before, after = _RTF_AROUND[word]
            self._ends[-1] = after + self._ends[-1]
            return before
        if word in ("nosupersub", "plain") or (word in _RTF_AROUND and number == "0"):
            after, self._ends[-1] = self._ends[-1], ""
            return after
        return _letters(word, number, byte, letter)


_RTF_AROUND = {
    "super": _RAISED,
    "sub": _LOWERED,
    **dict.fromkeys(("strike", "striked", "deleted"), _DELETED),
}


def _letters(word: str | None, number: str | None, byte: str | None, letter: str | None) -> str:
    if byte:
        return bytes.fromhex(byte).decode("cp1252", "replace")
    if word == "u" and number:
        return chr(int(number) % 0x10000)
    if letter:
        return letter if letter in "\\{}" else " " if letter == "~" else ""
    return _RTF_BREAKS.get(word or "", "")
