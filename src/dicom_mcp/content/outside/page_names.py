"""The names in a PDF's objects, by which pdfium finds what to show (ISO 32000-1 7.3.5): where one
is misspelt, it goes on without what stands there, and says nothing."""

import re
import zlib
from collections.abc import Iterable

# What a page's text hangs by, in names of four letters and more.
_NEEDED = frozenset(
    b"Contents Resources Font Encoding ToUnicode DescendantFonts Filter FlateDecode DecodeParms "
    b"Predictor Columns Subtype Type0 Type1 Type3 TrueType CIDFontType0 CIDFontType2 Identity-H "
    b"Kids Pages Page Count XObject Form Annots CharProcs Differences BaseEncoding WinAnsiEncoding "
    b"MacRomanEncoding CIDToGIDMap FontDescriptor FontFile FontFile2 FontFile3 Widths FirstChar "
    b"LastChar LZWDecode ASCII85Decode ASCIIHexDecode RunLengthDecode Parent ObjStm First".split()
)
# Others that are nearly the same.
_KNOWN = _NEEDED | frozenset(
    b"Type Type2 Width Content FFilter Filters Fonts Formt Names Name Font1 Font2 Font3 Font4 "
    b"Font5 Font6 Font7 Font8 Font9 Font0 Form1 Form2 Form3 Form4 Page1 Page2 Page3 Parents Kid "
    b"Identity-V Subtype2 Counter Column Fo Fit Pg FirstPage Encoding1 Types Resource".split()
)
_FILTERS = frozenset(
    b"FlateDecode Fl LZWDecode LZW ASCII85Decode A85 ASCIIHexDecode AHx RunLengthDecode RL "
    b"CCITTFaxDecode CCF JBIG2Decode DCTDecode DCT JPXDecode Crypt".split()
)
_SHORT = 5
_WIDTHS = frozenset((b"W", b"DW", b"W2", b"DW2"))

_NAME = re.compile(rb"/([^\0\s()<>\[\]{}/%]+)")
_FILTER = re.compile(rb"/Filter\s*(\[[^\]]*\]|/[^\0\s()<>\[\]{}/%]+)")
_LENGTH = re.compile(rb"/Length\s+\d")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_FONT = re.compile(rb"/([^\0\s()<>\[\]{}/%]+)\s+[-+.0-9]+\s+Tf\b")
_REFERENCE = re.compile(rb"\b(\d+)\s+\d+\s+R\b")
_CONTENTS = re.compile(rb"/Contents\s*(\d+\s+\d+\s+R|\[[^\]]*\])")
_OWN_FONTS = re.compile(rb"/Font\s*<<")
# Names that people give: those of kinds of paragraphs.
_TAGGED = re.compile(rb"/(?:StructElem|RoleMap|StructTreeRoot)\b")


class Names:
    """What names the objects have, what fonts are used, and which objects anything refers to."""

    def __init__(self) -> None:
        self.is_odd = False
        self._defined = set[bytes]()
        self._used = dict[int, set[bytes]]()
        self._pages = list[tuple[set[int], set[bytes]]]()
        self._referred = set[int]()

    def see_object(self, said: bytes, names: Iterable[bytes]) -> None:
        """An object without its stream, and the names that stand in it."""
        found = {*map(_plain, names)}
        self._defined |= found
        self._referred |= _numbers(said)
        if _OWN_FONTS.search(said) and (drawn := _CONTENTS.search(said)):
            self._pages.append((_numbers(drawn[1]), found))
        if _TAGGED.search(said):
            return
        short = {name for name in found if len(name) <= 2}
        self.is_odd |= any(map(_is_misspelt, found)) or (
            b"CIDFontType2" in found and not short <= _WIDTHS
        )

    def see_packed(self, objects: bytes) -> None:
        """Objects that were packed together, which are as they were written."""
        self._defined |= {*map(_plain, _NAME.findall(objects))}
        self._referred |= _numbers(objects)

    def see_stream(self, number: int, head: bytes, stream: bytes, *, draws: bool) -> None:
        """A stream as it stands, or as it was unpacked where it `draws` text."""
        for several in _FILTER.findall(head):
            self.is_odd |= not {*map(_plain, _NAME.findall(several))} <= _FILTERS
        self.is_odd |= not _LENGTH.search(head) or (b"/Filter" not in head and _is_packed(stream))
        if draws:
            self.is_odd |= not number
            self._used[number] = {*map(_plain, _FONT.findall(stream))}

    @property
    def lacks_font(self) -> bool:
        """Whether text is drawn in a font that nothing says, or its page does not that has its
        own."""
        pages = (
            (self._used.get(number), names) for drawn, names in self._pages for number in drawn
        )
        return not all(used <= self._defined for used in self._used.values()) or any(
            used and not used <= names for used, names in pages
        )

    @property
    def has_orphan(self) -> bool:
        """Whether nothing refers to something that draws text."""
        return not self._used.keys() <= self._referred


def _numbers(said: bytes) -> set[int]:
    return {int(number) for number in _REFERENCE.findall(said)}


def _plain(name: bytes) -> bytes:
    return _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), name)


def _is_misspelt(name: bytes) -> bool:
    """Whether it is nearly one of those that are needed: of a short one as long as that."""
    nearly = {name, *_with_one_less(name)}
    if name in _KNOWN or _NEARLY.isdisjoint(nearly):
        return False
    return any(
        len(name) == len(needed) or min(len(name), len(needed)) > _SHORT
        for needed in _NEEDED
        if not nearly.isdisjoint({needed, *_with_one_less(needed)})
    )


def _with_one_less(name: bytes) -> Iterable[bytes]:
    return (name[:at] + name[at + 1 :] for at in range(len(name)))


# The names and what is left of them without a letter: two that differ in one letter, or have one
# more or less, have one of these alike.
_NEARLY = frozenset(_NEEDED).union(*map(_with_one_less, _NEEDED))


def _is_packed(stream: bytes) -> bool:
    """Whether it begins as what is deflated does (RFC 1950)."""
    if not stream[:2] or stream[0] != 0x78 or int.from_bytes(stream[:2]) % 31:
        return False
    try:
        return bool(zlib.decompressobj().decompress(stream[:4096]))
    except zlib.error:
        return False
