"""What a PDF's pages are drawn by, looked at for damage: where an operator, the end of a string, a
key or part of a font is missing, pdfium shows less or other letters, and says nothing (ISO 32000-1
7.3, 7.8.2)."""

import re
import zlib
from base64 import a85decode
from collections.abc import Collection, Iterator

from .page_names import Names

# What is unpacked and read in all: a look, no judgement on a book of drawings.
_MOST_BYTES = 64 << 20
_MOST_WORDS = 1_000_000
_PIECE = 1 << 20
_MOST_IN_LETTERS = 2 << 20

_START = re.compile(rb">>\s*stream\r?\n")
_HEAD = 4096

# Streams that are packed in other ways, which are not looked at; and those that draw nothing.
_PACKED = re.compile(
    rb"/(?:Crypt|JBIG2Decode|LZWDecode|LZW|ASCIIHexDecode|AHx|RunLengthDecode|RL|DCTDecode|DCT"
    rb"|CCITTFaxDecode|CCF|JPXDecode)\b"
)
_OTHERS = re.compile(rb"/(?:Image|XRef|ObjStm|Metadata|EmbeddedFile|CMapName|Length[123])\b")
_OBJECT = re.compile(rb"\b(\d+)\s+\d+\s+obj\b")
_TABLE = re.compile(rb"\bxref\s+(?=\d)")
_SECTION = re.compile(rb"\s*(\d+)[ ]+(\d+)\s+(?=\d{10} )")
_ENTRY = re.compile(rb"(\d{10})[ ]+(\d{5})[ ]+([nf])\s{0,2}")
_FLATE = re.compile(rb"/(?:FlateDecode|Fl)\b")
_LETTERS = re.compile(rb"/(?:ASCII85Decode|A85)\b")
_TEXT = re.compile(rb"(?<![^\s])BT(?![^\s])")

_WORDS = re.compile(
    rb"(?:[\0\s]|%[^\r\n]*)+|(?P<string>\()|(?P<hex><[0-9A-Fa-f\0\s]*>)|(?P<mark><<|>>|[\[\]{}])"
    rb"|/(?P<name>[^\0\s()<>\[\]{}/%]*)|(?P<word>[^\0\s()<>\[\]{}/%]+)"
)
_PARENTHESES = re.compile(rb"\\.|[()]", re.DOTALL)
_NUMBER = re.compile(rb"[-+.0-9eE]+\Z")
_IMAGE = re.compile(rb"\bID\s.*?\sEI(?![^\s])", re.DOTALL)

# ISO 32000-1 Annex A, and those that take a string.
_OPERATORS = frozenset(
    b"b B b* B* BDC BI BMC BT BX c cm CS cs d d0 d1 Do DP EI EMC ET EX f F f* G g gs h i ID j J K "
    b"k l m M MP n q Q re RG rg ri s S SC sc SCN scn sh T* Tc Td TD Tf Tj TJ TL Tm Tr Ts Tw Tz v w "
    b"W W* y ' \" true false null".split()
)
_VALUES = {b"true", b"false", b"null"}
_IN_OBJECTS = {*_VALUES, b"R"}
# Adobe technical note 5099, what a ToUnicode CMap is made of.
_IN_MAPS = _VALUES | set(
    b"begin end def dict dup pop findresource defineresource currentdict begincmap endcmap usecmap "
    b"beginbfchar endbfchar beginbfrange endbfrange beginnotdefchar endnotdefchar "
    b"beginnotdefrange endnotdefrange begincidchar endcidchar begincidrange endcidrange "
    b"begincodespacerange endcodespacerange CMapName CIDSystemInfo".split()
)
_SHOWING = {b"Tj", b"'", b'"'}
_TAKING = {*_SHOWING, b"TJ", b"BDC", b"DP", b"ID"}


def is_faulty(content: bytes, *, has_empty: bool) -> bool:
    """Whether one of a PDF's objects has a fault in it, or one of its streams is cut, or draws text
    and has one; or, where it `has_empty` pages, text is drawn that belongs nowhere. What is locked
    is not looked at."""
    if b"/Encrypt" in content:
        return False
    look = _Look()
    return (
        any(look.is_faulty(content, *stream) for stream in _streams(content))
        or any(map(look.is_odd, _objects(content)))
        or look.lacks_some(has_empty=has_empty)
    )


def misses_object(content: bytes) -> bool:
    """Whether a table says that an object is where none begins (ISO 32000-1 7.5.4)."""
    start = max(0, content.find(b"%PDF-"))
    for table in _TABLE.finditer(content):
        place = table.end()
        while section := _SECTION.match(content, place):
            place = section.end()
            for number in range(int(section[1]), int(section[1]) + int(section[2])):
                entry = _ENTRY.match(content, place)
                if not entry:
                    return True
                place = entry.end()
                named = rb"\s{0,2}%d\s+%d\s+obj\b" % (number, int(entry[2]))
                at = start + int(entry[1])
                if entry[3] == b"n" and not re.match(named, content[at : at + 32]):
                    return True
    return False


def _streams(content: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Of each stream the number of its object (0 where its head is damaged), its dictionary, and
    where it begins."""
    for found in _START.finditer(content):
        head = content[max(0, found.start() - _HEAD) : found.start()]
        head = head[head.rfind(b"endobj") + 1 :]
        begun = _OBJECT.search(head)
        yield int(begun[1]) if begun else 0, head[begun.start() if begun else 0 :], found.end()


def _objects(content: bytes) -> Iterator[bytes]:
    """What each object says, without its stream."""
    for begun in _OBJECT.finditer(content):
        end = content.find(b"endobj", begun.end())
        if end < 0:
            return
        stream = _START.search(content, begun.end(), end)
        yield content[begun.end() : stream.start() + 2 if stream else end]


class _Look:
    """A look at one stream after the other, as long as there is room for more."""

    def __init__(self) -> None:
        self._bytes = _MOST_BYTES
        self._words = _MOST_WORDS
        self._names = Names()
        self._saw_all = True

    def is_faulty(self, content: bytes, number: int, head: bytes, start: int) -> bool:
        if _PACKED.search(head) or self._bytes <= 0 or self._words <= 0:
            self._saw_all &= b"/ObjStm" not in head
            return False
        drawn, is_cut = self._unpacked(content, head, start)
        draws = not _OTHERS.search(head) and _TEXT.search(drawn) is not None
        if b"/ObjStm" in head:
            self._names.see_packed(drawn)
        else:
            self._names.see_stream(number, head, drawn, draws=draws)
        is_map = b"begincmap" in drawn
        return (
            is_cut
            or (draws and self._has_fault(drawn))
            or (is_map and self._names_of(drawn, _IN_MAPS) is None)
        )

    def lacks_some(self, *, has_empty: bool) -> bool:
        """Whether a name is misspelt, or missing where all could be seen, after every stream and
        object was."""
        names = self._names
        if not self._saw_all or self._bytes <= 0 or self._words <= 0:
            return names.is_odd
        return names.is_odd or names.lacks_font or (has_empty and names.has_orphan)

    def is_odd(self, said: bytes) -> bool:
        """Whether there is a word in an object that means nothing there."""
        names = self._names_of(said, _IN_OBJECTS)
        self._names.see_object(said, names or ())
        return names is None

    def _names_of(self, said: bytes, words: Collection[bytes]) -> set[bytes] | None:
        """The names that are written here; None where there is something else than these words."""
        place, names = 0, set[bytes]()
        while place < len(said) and self._words > 0:
            self._words -= 1
            found = _WORDS.match(said, place)
            if not found:
                return None
            place = found.end()
            word = found["word"]
            if name := found["name"]:
                names.add(name)
            if found["string"] and not (place := _end_of_string(said, place)):
                return None
            if word and not _NUMBER.match(word) and word not in words:
                return None
        return names

    def _unpacked(self, content: bytes, head: bytes, start: int) -> tuple[bytes, bool]:
        """What a stream says, as far as there is room, and whether something of it is missing."""
        end = content.find(b"endstream", start)
        if _LETTERS.search(head):
            if end - start > _MOST_IN_LETTERS:
                self._saw_all = False
                return b"", False
            try:
                content, start = a85decode(content[start:end].partition(b"~>")[0]), 0
            except ValueError:
                return b"", True
            end = len(content)
        if _FLATE.search(head):
            return self._inflated(content, start)
        drawn = content[start:end] if end >= 0 else content[start:]
        self._bytes -= len(drawn)
        return drawn, end < 0

    def _inflated(self, content: bytes, start: int) -> tuple[bytes, bool]:
        """What it unpacks to, as far as there is room, and whether its end is missing."""
        inflate, pieces = zlib.decompressobj(), list[bytes]()
        rest = content[start:]
        try:
            while not inflate.eof and self._bytes > 0:
                piece = inflate.decompress(rest, _PIECE)
                rest = inflate.unconsumed_tail
                self._bytes -= len(piece)
                pieces.append(piece)
                if not piece and not rest:
                    return b"".join(pieces), True
        except zlib.error:
            return b"".join(pieces), True
        return b"".join(pieces), False

    def _has_fault(self, drawn: bytes) -> bool:
        """Whether an operator is none, a string does not end or is shown by nothing. A page's
        streams may part anywhere between two words: what is open at an end is none."""
        place = depth = unknown = 0
        has_string = is_first = True
        while place < len(drawn) and self._words > 0:
            self._words -= 1
            found = _WORDS.match(drawn, place)
            if not found:
                return True  # the end of something that did not begin
            place = found.end()
            if found["string"]:
                has_string = True
                if not (place := _end_of_string(drawn, place)):
                    return True
            elif found["hex"]:
                has_string = True
            elif mark := found["mark"]:
                depth = max(0, depth + (1 if mark in (b"[", b"<<", b"{") else -1))
            elif word := found["word"]:
                if _NUMBER.match(word) or word in _VALUES:
                    continue
                unknown += (word == b"BX") - (word == b"EX")
                is_lost = has_string and not is_first and word not in _TAKING
                is_empty = word in _SHOWING and not has_string
                is_bad = word not in _OPERATORS or depth or is_lost or is_empty
                if is_bad and not unknown:
                    return True
                if word == b"BI":
                    image = _IMAGE.search(drawn, place)
                    if not image:
                        return True
                    place = image.end()
                has_string = is_first = False
        return False


def _end_of_string(drawn: bytes, place: int) -> int:
    """Where the string that began before this place ends; 0 where it does not."""
    depth = 1
    for found in _PARENTHESES.finditer(drawn, place):
        depth += {b"(": 1, b")": -1}.get(found[0], 0)
        if not depth:
            return found.end()
    return 0
