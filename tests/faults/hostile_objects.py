"""Objects made to harm, each by its seed: sound ones of many kinds, and what was done to them."""

import io
import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from dicom_mcp.demo.reports import pdf
from tests.content import documents as made
from tests.content.samples import gradient, image
from tests.faults.mutations import damaged

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
JPEG, PROGRESSIVE = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.55"
J2K, RLE = "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.5"

ENCODINGS = ("utf-8", "utf-16", "shift_jis", "euc-jp", "gbk", "big5", "euc-kr", "iso-8859-1")
CHARSETS = ("", "ISO_IR 100", "ISO_IR 192", "GB18030", "ISO_IR 13", "\\ISO 2022 IR 87", "NONSENSE")

# Metadata of an object (PS3.18 F) instead of the object.
JSON = "application/dicom+json"

# How a page of a PDF shows a word; another operator shows nothing, and no reader says so.
_SHOWN = "(Page says {}) Tj T*"

# Lengths and marks that mean something else than what stands there (PS3.5 7.1, 7.5).
_LENGTHS = (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", bytes(4), b"\xff\xff\0\0")
_MARKS = (
    b"\xfe\xff\x0d\xe0\0\0\0\0",
    b"\xfe\xff\xdd\xe0\0\0\0\0",
    b"\xfe\xff\x00\xe0\xff\xff\xff\xff",
)


@dataclass(frozen=True, slots=True)
class Hostile:
    """An object as it is sent: of this kind, with these words put into it, and whether its end is
    missing. `told` is what an archive tells of it."""

    kind: str
    told: Dataset
    content: bytes
    syntax: str
    words: tuple[str, ...] = ()
    is_cut: bool = False

    @property
    def tools(self) -> tuple[str, ...]:
        """What is asked of it."""
        if self.syntax == JSON:
            return ("read_header",)
        return ("view_image",) if "PixelData" in self.told else ("read_report",)

    @property
    def is_sound(self) -> bool:
        """Whether nothing was done to it."""
        return self.kind.endswith(", sound")

    @property
    def there(self) -> list[str]:
        """The words that can still be read in it, by somebody who knows nothing of DICOM."""
        if self.syntax == DEFLATED:
            return []
        form = _SHOWN if self.kind.startswith("pdf") else "{}"
        return [word for word in self.words if form.format(word).encode() in self.content]


def hostile(seed: int) -> Hostile:
    """The object of this seed."""
    random = Random(seed)
    kind = random.choice(list(_KINDS))
    return _KINDS[kind](random, kind)


def encoded(dataset: Dataset, syntax: str = EXPLICIT) -> bytes:
    file = DicomBytesIO()
    file.is_implicit_VR, file.is_little_endian = syntax == IMPLICIT, True
    write_dataset(file, dataset)
    content = file.getvalue()
    return _deflated(content) if syntax == DEFLATED else content


def _deflated(content: bytes) -> bytes:
    deflate = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    deflated = deflate.compress(content) + deflate.flush()
    return deflated + bytes(len(deflated) % 2)


def _named(random: Random, dataset: Dataset) -> Dataset:
    """With UIDs that no other object has: what was seen is kept for a while."""
    number = random.randrange(10**12)
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"2.25.7{number}", f"2.25.8{number}"
    dataset.SOPInstanceUID = f"2.25.9{number}"
    return dataset


def _words(random: Random, count: int) -> list[str]:
    return [f"wq{random.randrange(10**8):08}x" for _ in range(count)]


# --- what is done to it


def _harmed(
    random: Random, kind: str, told: Dataset, syntax: str, words: list[str], *, only: str = ""
) -> Hostile:
    """The object as it is, cut, or with something wrong in it."""
    content = encoded(told, syntax)
    how = only or random.choice(("sound", "cut", "cut", "damaged", "damaged", "lengths", "marks"))
    is_cut = how == "cut"
    match how:
        case "cut":
            # What is deflated may end in a byte of padding, without which nothing is missing.
            content = content[: random.randrange(len(content) - (syntax == DEFLATED))]
        case "damaged":
            content = damaged(content, random)
        case "lengths":
            at = random.randrange(len(content))
            content = content[:at] + random.choice(_LENGTHS) + content[at + 4 :]
        case "marks":
            at = random.randrange(len(content))
            content = content[:at] + random.choice(_MARKS) + content[at:]
        case _:
            pass
    return Hostile(f"{kind}, {how}", told, content, syntax, tuple(words), is_cut)


# --- kinds


def _report(random: Random, kind: str) -> Hostile:
    words = _words(random, 6)
    items = [made.anything(random, 2) for _ in range(random.randrange(1, 6))]
    items += [made.text(f"It is {word} here", f"Finding {word[-2:]}") for word in words]
    random.shuffle(items)
    told = _named(
        random, made.document(made.container(made.code("Findings"), *items[:3]), *items[3:])
    )
    return _harmed(random, kind, told, random.choice((EXPLICIT, IMPLICIT, DEFLATED)), words)


def _encodings(random: Random, kind: str) -> Hostile:
    words = _words(random, 3)
    told = _named(random, made.document(*(made.text(word) for word in words)))
    told.SpecificCharacterSet = random.choice(CHARSETS).split("\\")
    sound = encoded(told)
    place = sound.index(words[1].encode())
    odd = random.choice(
        (b"\x1b$B", b"\x1b(J", b"\xff\xfe", b"\x1b", b"\xe2\x80\xae", b"\xed\xa0\x80")
    )
    content = sound[:place] + odd.ljust(4, b"\x1b") + sound[place + 4 :]
    return Hostile(kind, told, content, EXPLICIT, (words[0], words[2]))


def _empty_items(random: Random, kind: str) -> Hostile:
    """Items of nothing, of which a few bytes unfold to very many."""
    count = random.choice((10, 1_000, 120_000, 400_000))
    told = _named(random, made.document(made.text("the first")))
    items = b"\xfe\xff\x00\xe0\0\0\0\0" * count
    content = encoded(told) + b"\x40\0\x31\xa7SQ\0\0" + struct.pack("<I", len(items)) + items
    syntax = random.choice((EXPLICIT, DEFLATED))
    return Hostile(kind, told, _deflated(content) if syntax == DEFLATED else content, syntax)


def _nested(random: Random, kind: str) -> Hostile:
    depth = random.choice((3, 30, 300, 3_000, 30_000))
    content = made.nested_bytes(depth)
    is_cut = random.random() < 0.5
    if is_cut:
        content = content[: random.randrange(60, len(content))]
    told = _named(random, made.document(made.text("the top")))
    return Hostile(kind, told, content, EXPLICIT, (), is_cut)


def _pdf(random: Random, kind: str) -> Hostile:
    words = _words(random, random.randrange(1, 5))
    content = pdf([f"Page says {word}" for word in words])
    how = random.choice(("sound", "damaged", "damaged", "cut document", "cut"))
    if how == "damaged":
        content = damaged(content, random)
    if how == "cut document":
        content = content[: random.randrange(10, len(content))]
    told = _named(random, made.encapsulated(content, made.PDF, "application/pdf"))
    harmed = _harmed(random, kind, told, EXPLICIT, words, only="cut" if how == "cut" else "sound")
    # Behind what says that it is a PDF there is no more than its length, which need not be there.
    is_cut = how == "cut" and b"application/pdf" not in harmed.content
    return Hostile(f"{kind}, {how}", told, harmed.content, EXPLICIT, harmed.words, is_cut)


def _cda(random: Random, kind: str) -> Hostile:
    words = _words(random, 4)
    encoding = random.choice(ENCODINGS)
    odd = random.choice(
        ("", "", "&not; ", "&#xD800;", "<br/>", "<x>", "&lt;", "]]>", "<!-- -- -->")
    )
    lines = "".join(f"<paragraph>{odd}{word}</paragraph>" for word in words)
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?><ClinicalDocument xmlns="urn:hl7-org:v3">'
        "<title>Letter</title><component><structuredBody><component><section>"
        f"<text>{lines}</text></section></component></structuredBody></component>"
        "</ClinicalDocument>"
    )
    content = text.encode(encoding)
    how = random.choice(("sound", "damaged", "cut document"))
    if how == "damaged":
        content = damaged(content, random)
    if how == "cut document":
        content = content[: random.randrange(len(content))]
    told = _named(random, made.encapsulated(content, made.CDA, "text/XML"))
    said = () if encoding == "utf-16" else tuple(words)
    return Hostile(f"{kind} {encoding}, {how}; {odd}", told, encoded(told), EXPLICIT, said)


def _page(random: Random, kind: str) -> Hostile:
    words = _words(random, 4)
    mime = random.choice(("text/html", "text/rtf", "text/plain"))
    odd = random.choice(("", "&#0;", "<b", "<!--x-->", "\\u55296?", "\\'81", "{\\*\\x ", "}"))
    lines = [f"{odd}{word} " for word in words]
    form = {
        "text/html": "<html><head><title>L</title></head><body><p>{}</p></body></html>",
        "text/rtf": "{{\\rtf1\\ansi {}}}",
        "text/plain": "{}",
    }[mime]
    content = form.format(" ".join(lines)).encode()
    how = random.choice(("sound", "damaged", "cut document"))
    if how == "damaged":
        content = damaged(content, random)
    if how == "cut document":
        content = content[: random.randrange(1, len(content))]
    told = _named(random, made.encapsulated(content, made.PDF, mime))
    said = () if odd in ("<b", "{\\*\\x ", "}") or how != "sound" else tuple(words)
    is_cut = how == "cut document" and content.startswith((b"<html>", b"{\\rtf1")) and odd != "}"
    return Hostile(f"{kind} {mime}, {how}; {odd}", told, encoded(told), EXPLICIT, said, is_cut)


def _picture(random: Random, kind: str) -> Hostile:
    syntax = random.choice((JPEG, PROGRESSIVE, J2K, RLE, EXPLICIT))
    told = _named(random, image(gradient(0, 200, "u1", rows=64)))
    if syntax == EXPLICIT:
        return _harmed(random, kind, told, syntax, [])
    frame = _frame(syntax)
    how = random.choice(("sound", "damaged", "damaged", "scans", "cut"))
    if how == "damaged":
        frame = damaged(frame, random).ljust(2, b"\0")  # a fragment has two bytes or more
    if how == "scans" and syntax == PROGRESSIVE:
        start = frame.rindex(b"\xff\xda")
        frame = frame[:start] + frame[start:-2] * random.choice((10, 3_000)) + frame[-2:]
    told.PixelData = encapsulate([frame])
    told["PixelData"].is_undefined_length = True
    content = encoded(told)
    if how == "cut":
        content = content[: random.randrange(len(content) - 8)]
    return Hostile(f"{kind} {syntax}, {how}", told, content, syntax, (), how == "cut")


def _metadata(random: Random, kind: str) -> Hostile:
    words = _words(random, 4)
    told = _named(random, made.document(made.text("It is here")))
    told.PatientComments, told.SeriesDescription, told.StudyDescription, told.BodyPartExamined = (
        words
    )
    members = json.loads(told.to_json())
    how = random.choice(("sound", "damaged", "deep", "digits", "parts", "cut"))
    odd: dict[str, Any] = {
        "deep": {"vr": "SQ", "Value": json.loads("[" * 300 + "]" * 300)},
        "digits": {"vr": "IS", "Value": ["9" * 5000]},
        "parts": {"vr": random.choice(("SQ", "PN", "OB", "XX")), "Value": [{"a": None}, 5, "x"]},
    }
    if how in odd:
        members[random.choice(("00080018", "00102180", "0040A730", "00280008"))] = odd[how]
    content = json.dumps([members]).encode()
    if how == "damaged":
        content = damaged(content, random)
    if how == "cut":
        content = content[: random.randrange(1, len(content) - 1)]
    return Hostile(f"{kind}, {how}", told, content, JSON, tuple(words), how == "cut")


@cache
def _frame(syntax: str) -> bytes:
    values = np.asarray(gradient(0, 200, "u1", rows=64))
    if syntax == RLE:
        rows = b"".join(bytes([len(row) - 1]) + row.tobytes() for row in values)
        return struct.pack("<16I", 1, 64, *[0] * 14) + rows + bytes(len(rows) % 2)
    file = io.BytesIO()
    form = "JPEG2000" if syntax == J2K else "JPEG"
    how = {"no_jp2": True} if syntax == J2K else {"progressive": syntax == PROGRESSIVE}
    Image.fromarray(values).save(file, form, **how)
    content = file.getvalue()
    return content + bytes(len(content) % 2)


_KINDS: dict[str, Callable[[Random, str], Hostile]] = {
    "report": _report,
    "encodings": _encodings,
    "empty items": _empty_items,
    "nested": _nested,
    "pdf": _pdf,
    "cda": _cda,
    "page": _page,
    "picture": _picture,
    "metadata": _metadata,
}
